# SPDX-License-Identifier: Apache-2.0
"""What of a graph is drawn: objgraph's walk from some nodes on, and its result."""

from collections import deque
from typing import (
    TYPE_CHECKING,
    Callable,
    Deque,
    Dict,
    FrozenSet,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

if TYPE_CHECKING:
    from pyheap.walk import Edge, Heap

_COUNTED = 20000  # of what is too much to be drawn, at most so many are counted
_ARROWS_PER_NODE = 4  # a picture with more is a black spot, and Graphviz never ends

Predicate = Callable[[int], bool]


class Links:
    """The references from a node on, in one direction of the graph."""

    up: bool
    first: FrozenSet[int] = frozenset()  # nodes that are shown before others

    def of(self, id: int) -> Tuple[Sequence[int], Sequence["Edge"]]:
        """The nodes at the other ends, and the reference to each."""
        raise NotImplementedError

    def has(self, id: int) -> bool:
        """Whether a node at another end is part of the graph."""
        return True


class HeapLinks(Links):
    """Those of a heap between some of its nodes, asked for as the walk needs them."""

    def __init__(self, heap: "Heap", ids: Iterable[int], up: bool) -> None:
        self.up, self._heap, self._ids = up, heap, set(ids)
        self.first = frozenset(_stacks(heap)) if up else frozenset()

    def of(self, id: int) -> Tuple[Sequence[int], Sequence["Edge"]]:
        if self.up:
            edges = self._heap.referrers(id)
            return _column(edges, "holder"), edges
        edges = self._heap.referents(id).strong
        return _column(edges, "referent"), edges

    def has(self, id: int) -> bool:
        return id in self._ids


def _column(edges: Sequence["Edge"], name: str) -> Sequence[int]:
    """One end of each reference; from C as it is there, since there may be a million."""
    if hasattr(edges, "column"):
        column: Sequence[int] = edges.column(name)
        return column
    return [getattr(edge, name) for edge in edges]


class EdgeLinks(Links):
    """Those of a list: of a path, of a cycle."""

    def __init__(self, edges: Iterable["Edge"], up: bool) -> None:
        self.up = up
        self._rows: Dict[int, Tuple[List[int], List["Edge"]]] = {}
        for edge in edges:
            if edge.referent is not None:
                near, far = edge.holder, edge.referent
                if up:
                    near, far = far, near
                ends, row = self._rows.setdefault(near, ([], []))
                ends.append(far)
                row.append(edge)

    def of(self, id: int) -> Tuple[Sequence[int], Sequence["Edge"]]:
        return self._rows.get(id, ([], []))


def _stacks(heap: "Heap") -> Iterable[int]:
    """Interpreters, threads and their frames: the holders that say most."""
    for interpreter in heap.interpreters():
        yield interpreter.id
    for thread in heap.threads():
        yield thread.id
        yield from thread.frames
    for greenlet in heap.greenlets():
        yield from greenlet.frames


class Arrow(NamedTuple):
    """All references of one node to another."""

    tail: int
    head: int
    edges: Sequence["Edge"]


class Sketch(NamedTuple):
    """What is drawn; nodes are ids."""

    up: bool
    starts: Sequence[int]
    depths: Dict[int, int]  # of each node, in the order of the walk
    deepest: int  # the depth at which colours end
    arrows: List[Arrow]
    skipped: Dict[int, int]  # by node: so many more references than --too-many
    left: int = 0  # objects that would be too many to draw
    uncounted: bool = False  # there are even more of these
    lost: int = 0  # references that would be too many to draw


class Walk:
    """Breadth first, as objgraph's: each node that is entered is asked for its neighbours."""

    def __init__(
        self,
        links: Links,
        starts: Sequence[int],
        depth: Optional[int] = None,
        too_many: int = 0,
        wanted: Optional[Predicate] = None,
        stops: Optional[Predicate] = None,
    ) -> None:
        """`wanted` nodes are entered; what `stops` is entered and not left."""
        self.links, self.starts = links, list(dict.fromkeys(starts))
        self.depth, self.too_many = depth, too_many
        self.wanted, self.stops = wanted, stops

    def sketch(self, most: int) -> Sketch:
        """The result, of at most so many nodes; the others are counted."""
        depths = dict.fromkeys(self.starts[:most], 0)
        sketch = Sketch(self.links.up, list(depths), depths, 0, [], {})
        left: Set[int] = set(self.starts[most:])
        queue: Deque[Tuple[int, int]] = deque((id, 0) for id in self.starts)
        lost = 0
        while queue and len(left) <= _COUNTED:
            id, depth = queue.popleft()
            for end, edges in self._entered(id, depth, sketch.skipped, id in depths):
                if end not in depths and end not in left:
                    if len(depths) < most:
                        depths[end] = depth + 1
                    else:
                        left.add(end)
                    queue.append((end, depth + 1))
                if id not in depths or end not in depths:
                    continue
                if len(sketch.arrows) < most * _ARROWS_PER_NODE:
                    ends = (end, id) if sketch.up else (id, end)
                    sketch.arrows.append(Arrow(*ends, edges))
                else:
                    lost += len(edges)
        deepest = max(depths.values()) if self.depth is None else self.depth
        return sketch._replace(
            deepest=deepest, left=len(left), uncounted=bool(queue), lost=lost
        )

    def _entered(
        self, id: int, depth: int, skipped: Dict[int, int], drawn: bool
    ) -> Iterable[Tuple[int, List["Edge"]]]:
        """The neighbours that are gone to, each with the references between."""
        if self.depth is not None and depth >= self.depth:
            return []
        if self.stops and self.stops(id):
            return []
        ends, edges = self.links.of(id)
        wanted = {end: self._wants(end) for end in set(ends)}
        places = [place for place, end in enumerate(ends) if wanted[end]]
        # Upwards a holder counts once, downwards each reference: as the collector tells.
        units = (
            list(dict.fromkeys(ends[p] for p in places)) if self.links.up else places
        )
        if self.links.up and self.links.first:
            units.sort(key=lambda end: end not in self.links.first)
        if self.too_many and len(units) > self.too_many:
            if drawn:
                skipped[id] = len(units) - self.too_many
            del units[self.too_many :]
        shown: Dict[int, List["Edge"]] = {}
        if self.links.up:
            shown = {end: [] for end in units}
            units = [place for place in places if ends[place] in shown]
        for place in units:
            shown.setdefault(ends[place], []).append(edges[place])
        return shown.items()

    def _wants(self, id: int) -> bool:
        return self.links.has(id) and (not self.wanted or self.wanted(id))
