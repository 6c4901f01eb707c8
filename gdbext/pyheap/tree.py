# SPDX-License-Identifier: Apache-2.0
"""A graph as an indented tree in which every reference is written once."""

from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Tuple

from pyheap import describe, wording
from pyheap.spans import Line, Span, Styled, hexadecimal, width

if TYPE_CHECKING:
    from pyheap.walk import Edge, Heap, Subgraph

_WIDEST = 72  # labels are aligned as long as the text before them is no longer
_INDENT = "  "
_DEEPEST = 40  # levels that are indented; deeper ones have their number in front

Neighbours = Dict[int, Dict[int, List["Edge"]]]


class Step(NamedTuple):
    """A line to be: a node, met at a level through some references."""

    level: int
    id: int
    edges: List["Edge"]
    note: str


def neighbours(graph: "Subgraph", up: bool) -> Neighbours:
    """For every node, the nodes one step further and the references in between."""
    found: Neighbours = {}
    for edge in graph.edges:
        if edge.referent is None:
            continue
        near, far = edge.referent, edge.holder
        if not up:
            near, far = far, near
        found.setdefault(near, {}).setdefault(far, []).append(edge)
    return found


def steps(graph: "Subgraph", up: bool) -> Iterator[Step]:
    """The lines of the tree, first things first."""
    links = neighbours(graph, up)
    parents = _parents(graph, links)
    pending: List[Tuple[int, int, List["Edge"]]] = [(0, graph.ids[0], [])]
    shown = set()
    while pending:
        level, id, edges = pending.pop()
        shown.add(id)
        yield Step(level, id, edges, "")
        deeper = []
        for other, between in links.get(id, {}).items():
            if parents.get(other) == id:
                deeper.append((level + 1, other, between))
            else:
                note = "(above)" if other in shown else "(below)"
                yield Step(level + 1, other, between, note)
        pending.extend(reversed(deeper))


def _parents(graph: "Subgraph", links: Neighbours) -> Dict[int, int]:
    """Under which node each node is expanded: the first that is one step nearer."""
    depth = dict(zip(graph.ids, graph.depths))
    parents: Dict[int, int] = {}
    for id in graph.ids:
        for other in links.get(id, {}):
            if depth[other] == depth[id] + 1:
                parents.setdefault(other, id)
    return parents


def tree(heap: "Heap", graph: "Subgraph", up: bool, limit: int) -> Iterator[Line]:
    """The lines of the tree, at most `limit` of them unless that is 0."""
    rows: List[Tuple[Line, Line]] = []
    left = 0
    for step in steps(graph, up):
        if limit and len(rows) >= limit:
            left += 1
        else:
            rows.append(_row(heap, step))
    column = max(min(_width(before), _WIDEST) for before, _ in rows)
    for before, after in rows:
        padding = " " * max(column - _width(before) + 2, 2)
        yield before + ([padding, *after] if after else [])
    yield from wording.cut(left)


def _row(heap: "Heap", step: Step) -> Tuple[Line, Line]:
    deep = f"{step.level}: " if step.level > _DEEPEST else ""
    before: Line = [
        _INDENT * min(step.level, _DEEPEST) + deep,
        hexadecimal(heap.node(step.id).address),
        f" {describe.named(heap, step.id)}",
    ]
    after: Line = []
    for text in _labels(step.edges):
        after += [", ", text] if after else [text]
    if step.note:
        after.append(f" {step.note}")
    return before, after


def _labels(edges: List["Edge"]) -> Iterator[Span]:
    """The labels of parallel references, the first few of very many."""
    for edge in edges[:4]:
        yield describe.label(edge)
    if len(edges) > 4:
        yield Styled(f"… {wording.number(len(edges) - 4)} more", "metadata")


def _width(line: Line) -> int:
    return sum(width(span) for span in line)
