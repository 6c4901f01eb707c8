# SPDX-License-Identifier: Apache-2.0
"""py-heap-object, -referents, -referrers: one object and one step around it."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence

from pyheap import describe, interpreters, wording
from pyheap.command import Answer, Command, Question, address, limit
from pyheap.spans import Line
from pyheap.table import aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Edge, Heap


class Down:
    """What a node refers to, strongly and weakly."""

    def __init__(self, heap: "Heap", id: int) -> None:
        self.heap = heap
        self.strong, self.weak = heap.referents(id)

    def document(self, limit: int) -> Dict[str, Any]:
        """The keys `referents` and `weak`."""
        return {
            "referents": self._entries(self.strong[: limit or None]),
            "weak": self._entries(self.weak[: limit or None]),
        }

    def _entries(self, edges: Sequence["Edge"]) -> List[Dict[str, Any]]:
        return [describe.edge_document(self.heap, e, e.referent) for e in edges]

    def lines(self, limit: int) -> Iterator[Line]:
        """A count, then a line per reference."""
        yield [_heading("refers to", "object", len(self.strong), self.weak)]
        both = [*self.strong[: limit or None], *self.weak[: limit or None]]
        yield from _rows(self.heap, both, [edge.referent for edge in both])
        yield from wording.cut(len(self.strong) + len(self.weak) - len(both))


class Up:
    """What refers to a node."""

    def __init__(self, heap: "Heap", id: int) -> None:
        self.heap, self.edges = heap, heap.referrers(id)

    def document(self, limit: int) -> Dict[str, Any]:
        """The key `referrers`."""
        shown = self.edges[: limit or None]
        entries = [describe.edge_document(self.heap, e, e.holder) for e in shown]
        return {"referrers": entries}

    def lines(self, limit: int) -> Iterator[Line]:
        """A count, then a line per reference."""
        yield [_heading("referred to by", "reference", len(self.edges))]
        shown = self.edges[: limit or None]
        yield from _rows(self.heap, shown, [edge.holder for edge in shown])
        yield from wording.cut(len(self.edges) - len(shown))


def _heading(what: str, noun: str, strong: int, weak: Sequence["Edge"] = ()) -> str:
    if not strong and not weak:
        return f"{what} nothing"
    text = f"{what} {wording.counted(strong, noun)}"
    return text + (f", weakly to {wording.number(len(weak))}:" if weak else ":")


def _rows(
    heap: "Heap", edges: Sequence["Edge"], others: Sequence[Optional[int]]
) -> Iterator[Line]:
    rows = [
        (
            describe.label(edge),
            *(describe.annotated(heap, other) if other is not None else ("outside",)),
        )
        for edge, other in zip(edges, others)
    ]
    yield from aligned(rows, indent="  ")


class ObjectAnswer(Answer):
    """A node; what it refers to and what refers to it, as far as asked for."""

    def __init__(
        self, heap: "Heap", id: int, args: "Namespace", down: bool, up: bool
    ) -> None:
        self.heap, self.id, self.limit = heap, id, args.limit
        self.down = Down(heap, id) if down else None
        self.up = Up(heap, id) if up else None

    def document(self) -> Dict[str, Any]:
        node = self.heap.node(self.id)
        return {
            **describe.node_document(self.heap, self.id),
            "size": node.size if node.is_object else None,
            "refcount": node.refcount if node.is_object else None,
            "tracked": node.tracked,
            "interpreter": interpreters.of_node(self.heap, self.id),
            **(self.down.document(self.limit) if self.down else {}),
            **(self.up.document(self.limit) if self.up else {}),
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        title = describe.node_title(self.heap, self.id)
        number = interpreters.of_node(self.heap, self.id)
        if number is not None and len(self.heap.interpreters()) > 1:
            title.append(f" by interpreter {number}")
        yield title
        for part in (self.down, self.up):
            if part:
                yield from part.lines(self.limit)
        yield from wording.incomplete(self.heap)


def object_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-object."""
    return ObjectAnswer(*question.around(args.addr), args, down=True, up=True)


def referents_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-referents."""
    return ObjectAnswer(*question.around(args.addr), args, down=True, up=False)


def referrers_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-referrers."""
    return ObjectAnswer(*question.around(args.addr), args, down=False, up=True)


_LABELS = (
    "Each reference is named: `item[3]`, `value['name']`, `.attr`, `local 'job'`; "
    "`(weak)` does not keep its object alive, `(guess)` is a word of an object of an "
    "unknown type that looks like a reference."
)

COMMANDS = (
    Command(
        "py-heap-object",
        "Show a Python object: type, size, value, what it holds, what holds it.",
        _LABELS,
        (address(), limit(20, "references of a kind")),
        object_answer,
        """
(gdb) py-heap-object 0x7f888a368b50
0x7f888a368b50 __main__.SomeComputation, size 56, refcount 1, tracked
refers to 2 objects:
  .id        0xa565a8    2
  __class__  0x33dfd420  type __main__.SomeComputation
referred to by 1 reference:
  __self__  0x7f888a368b00  method SomeComputation.compute
""",
    ),
    Command(
        "py-heap-referents",
        "List what a Python object refers to.",
        "As gc.get_referents(), and what the collector does not see, such as the "
        f"locals of frames. {_LABELS}",
        (address(), limit(20, "references")),
        referents_answer,
        """
(gdb) py-heap-referents &PyTuple_Type --limit 3
0x9537e0 type tuple, size 424, refcount 89, not tracked
refers to 5 objects:
  __dict__   0x7f888a5c0080  dict[22]
  __mro__    0x7f888a5c00c0  tuple[2]
  __bases__  0x7f888a568d60  tuple[1]
… 2 more; --limit 0 shows all
""",
    ),
    Command(
        "py-heap-referrers",
        "List what refers to a Python object.",
        "As gc.get_referrers(), and holders that the collector does not see, such as "
        f"frames, threads and code. {_LABELS}",
        (address(), limit(20, "references")),
        referrers_answer,
    ),
)
