# SPDX-License-Identifier: Apache-2.0
"""Nodes, edges, threads and frames, as parts of documents and of lines."""

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

from pyheap import wording
from pyheap.command import Question
from pyheap.spans import FILENAME, FUNCTION, VARIABLE, Line, Span, Styled, hexadecimal
from pyheap.table import Cell

if TYPE_CHECKING:
    from pyheap.walk import Edge, Frame, Heap, Node, Thread

_IMMORTAL = 1 << 30  # CPython 3.12 and later start immortal objects above this

Document = Dict[str, Any]


def node_document(heap: "Heap", id: int) -> Document:
    """What every document says of a node."""
    node, value = heap.node(id), heap.value(id)
    return {
        "address": f"{node.address:#x}",
        "type": heap.type(node.type).name,
        "kind": node.kind,
        "value": value or None,
        "annotation": value or heap.annotation(id),
    }


def edge_document(heap: "Heap", edge: "Edge", other: Optional[int]) -> Document:
    """A reference, and the node at its other end; None is a node outside the heap."""
    nowhere: Document = dict.fromkeys(("address", "type", "kind", "value"))
    return {
        **(nowhere if other is None else node_document(heap, other)),
        "label": edge.label,
        "extra": edge.extra,
        "guess": edge.guess,
        "weak": edge.weak,
    }


def thread_document(thread: "Thread") -> Document:
    """Which thread; what is not known is null."""
    return {
        "address": f"{thread.address:#x}",
        "native_id": thread.native_id or None,
        "ident": thread.ident,
        "name": thread.name or None,
    }


def frame_document(frame: "Frame") -> Document:
    """Where a frame is; an unknown line is null."""
    return {
        "function": frame.function,
        "file": frame.file,
        "line": frame.line or None,
    }


def annotated(heap: "Heap", id: int) -> List[Cell]:
    """Address and annotation, with the type where the annotation hides it."""
    return [hexadecimal(heap.node(id).address), named(heap, id)]


def named(heap: "Heap", id: int) -> str:
    """The annotation of a node, and its type when a value does not show it."""
    value = heap.value(id)
    if not value:
        return heap.annotation(id)
    type = heap.type(heap.node(id).type).name
    return f"{type} {value}" if "." in type else value


def label(edge: "Edge") -> Styled:
    """The name of a reference, with its doubts."""
    doubt = " (guess)" if edge.guess else " (weak)" if edge.weak else ""
    return Styled(edge.label + doubt, VARIABLE)


def thread_title(question: Question, thread: "Thread") -> str:
    """`thread 2 "worker", LWP 4711`, as far as it is known."""
    words = ["thread"]
    number = question.thread_number(thread.native_id) if thread.native_id else None
    if number is not None:
        words.append(str(number))
    if thread.name:
        words.append(f'"{thread.name}"')
    os_name = f"LWP {thread.native_id}" if thread.native_id else f"{thread.ident:#x}"
    if len(words) == 1:
        return f"thread {os_name}"
    return f"{' '.join(words)}, {os_name}"


def location(frame: "Frame", whole: bool = False) -> Span:
    """`app.py:88`; with `whole`, the file with its folders."""
    file = frame.file if whole else os.path.basename(frame.file)
    return Styled(f"{file or '?'}:{frame.line or '?'}", FILENAME)


def function(frame: "Frame") -> Span:
    """The name of the code that a frame runs."""
    return Styled(frame.function or "?", FUNCTION)


def node_title(heap: "Heap", id: int) -> Line:
    """A node in a line of its own: `0x7f… list[3], size 88, refcount 1, tracked`."""
    node = heap.node(id)
    type = heap.type(node.type).name
    annotation = heap.annotation(id)
    if not wording.shows_type(annotation, type):
        annotation = f"{type} {annotation}"
    line: Line = [hexadecimal(node.address), f" {annotation}"]
    if node.is_object:
        state = "tracked" if node.tracked else "not tracked"
        line.append(f", size {node.size}, {refcount(node)}, {state}")
    return line


def refcount(node: "Node") -> str:
    """The reference count in words."""
    immortal = " (immortal)" if node.refcount >= _IMMORTAL else ""
    return f"refcount {node.refcount}{immortal}"


def footer(heap: "Heap", left: int, what: str) -> Iterator[Line]:
    """What was cut, what is missing."""
    yield from wording.cut(left, what)
    yield from wording.incomplete(heap)
