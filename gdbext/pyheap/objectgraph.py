# SPDX-License-Identifier: Apache-2.0
"""A set of objects of a target and the references between them: refcycle's ObjectGraph.

The objects are ids in C, and so are all sets that are made of them: nothing here loops
over objects until somebody does.
"""

import operator
from array import array
from collections import Counter
from typing import Any, Callable
from typing import Counter as CounterType
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from pyheap import walk
from pyheap.annotated import AnnotatedEdge, AnnotatedGraph, AnnotatedVertex
from pyheap.errors import WalkError
from pyheap.remote import (
    Edge,
    Edges,
    Objects,
    RemoteObject,
    Vertex,
    bare,
    id_of,
    ids_of,
    still_open,
)


class ObjectGraph:
    """Objects, as a set and as a graph."""

    def __init__(self, heap: walk.Heap, part: walk.Part) -> None:
        self._heap_of, self._part = heap, part
        self._count = (
            heap.stats().nodes if part.ids is None else len(part.ids)
        )  # known also when the target has run since

    @property
    def heap(self) -> walk.Heap:
        """The heap that the objects are from."""
        return still_open(self._heap_of)

    @property
    def ids(self) -> walk.Ids:
        """The objects' ids in the heap, ascending."""
        if self._part.ids is None:
            every = walk.Ids.ascending(array("I", range(self._count)))
            self._part = self._part._replace(ids=every)
        assert self._part.ids is not None
        return self._part.ids

    def _graph(self, ids: walk.Ids) -> "ObjectGraph":
        return ObjectGraph(self._heap_of, walk.Part(ids, self._part.seen))

    def _id(self, vertex: Vertex) -> int:
        """The id of an object of the graph; KeyError: it is not in it."""
        id = id_of(self.heap, vertex)
        if not self._has(id):
            raise KeyError(vertex)
        return id

    def _has(self, id: int) -> bool:
        return self._part.ids is None or self._part.ids.has(id)

    # ---- a set ----

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[RemoteObject]:
        return iter(Objects(self.heap, self.ids))

    def __contains__(self, vertex: object) -> bool:
        if not isinstance(vertex, (RemoteObject, int)):
            return False
        try:
            self._id(vertex)
        except (KeyError, WalkError):
            return False
        return True

    def __repr__(self) -> str:
        return f"<pyheap.ObjectGraph of {self._count} objects>"

    @property
    def vertices(self) -> Sequence[RemoteObject]:
        """The objects."""
        return Objects(self.heap, self.ids)

    def everything(self) -> "ObjectGraph":
        """All objects of the same heap, frames and threads, and all references."""
        return ObjectGraph(self.heap, walk.Part())

    def at(self, address: int) -> RemoteObject:
        """The object at an address; KeyError: it is not in the graph."""
        return RemoteObject(self.heap, self._id(address))

    def __sub__(self, other: "ObjectGraph") -> "ObjectGraph":
        """The objects that are not in the other graph."""
        return self._graph(self.heap.without(self.ids, self._ids_of(other)))

    def __and__(self, other: "ObjectGraph") -> "ObjectGraph":
        """The objects that are in the other graph too."""
        return self._graph(self.heap.common(self.ids, self._ids_of(other)))

    def _ids_of(self, other: "ObjectGraph") -> walk.Ids:
        if not isinstance(other, ObjectGraph):
            raise TypeError(f"an ObjectGraph is needed, not {type(other).__name__}")
        if other._heap_of is not self._heap_of:
            raise ValueError("the graphs are of different snapshots")
        return other.ids

    def full_subgraph(self, objects: Iterable[Vertex]) -> "ObjectGraph":
        """These objects and all references between them."""
        if isinstance(objects, ObjectGraph):
            ids = self._ids_of(objects)
        else:
            ids = walk.Ids.of(ids_of(self.heap, objects))
        outside = self.heap.without(ids, self.ids)
        if outside:
            raise KeyError(RemoteObject(self.heap, outside[0]))
        return self._graph(ids)

    def owned_objects(self) -> List[RemoteObject]:
        """Nothing: in the target there is no object of this graph's making."""
        return []

    # ---- a graph ----

    @property
    def edges(self) -> Sequence[Edge]:
        """Every reference from one object of the graph to another."""
        return Edges(self.heap, self.heap.part_edges(self._part))

    def edge_count(self) -> int:
        """How many references there are; naming none of them, it is quicker."""
        return self.heap.part_edge_count(self._part)

    def head(self, edge: Edge) -> RemoteObject:
        """What a reference leads to."""
        return edge.head

    def tail(self, edge: Edge) -> RemoteObject:
        """Who holds a reference."""
        return edge.tail

    def out_edges(self, vertex: Vertex) -> Sequence[Edge]:
        """The references that an object holds."""
        edges = self.heap.part_edges(self._part, holder=self._id(vertex))
        return Edges(self.heap, edges)

    def in_edges(self, vertex: Vertex) -> Sequence[Edge]:
        """The references to an object."""
        edges = self.heap.part_edges(self._part, referent=self._id(vertex))
        return Edges(self.heap, edges)

    def children(self, vertex: Vertex) -> List[RemoteObject]:
        """What an object refers to, once per reference."""
        return [edge.head for edge in self.out_edges(vertex)]

    def parents(self, vertex: Vertex) -> List[RemoteObject]:
        """What refers to an object, once per reference."""
        return [edge.tail for edge in self.in_edges(vertex)]

    def references(self) -> List[Tuple[RemoteObject, RemoteObject]]:
        """(tail, head) of each reference."""
        return [(edge.tail, edge.head) for edge in self.edges]

    def descendants(
        self, start: Vertex, generations: Optional[int] = None
    ) -> "ObjectGraph":
        """What is reached from an object, itself included, within so many references."""
        return self._within(start, False, generations)

    def ancestors(
        self, start: Vertex, generations: Optional[int] = None
    ) -> "ObjectGraph":
        """What reaches an object, itself included, within so many references."""
        return self._within(start, True, generations)

    def _within(
        self, start: Vertex, up: bool, generations: Optional[int]
    ) -> "ObjectGraph":
        most = walk.ALL_GENERATIONS
        if generations is not None:
            if operator.index(generations) < 0:
                raise ValueError("generations: a count of references, or None")
            most = min(most, generations)
        ids = self.heap.part_within(self._part, [self._id(start)], up, most)
        return self._graph(ids)

    def shortest_path(self, start: Vertex, end: Vertex) -> "ObjectGraph":
        """The objects of a shortest path; ValueError: there is none."""
        first, last = self._id(start), id_of(self.heap, end)
        return self._on(first, lambda: self.heap.path(first, last, self._part))

    def shortest_cycle(self, start: Vertex) -> "ObjectGraph":
        """The objects of a shortest cycle through one; ValueError: there is none."""
        first = self._id(start)
        return self._on(first, lambda: self.heap.cycle(first, self._part))

    def _on(self, first: int, search: Callable[[], walk.Path]) -> "ObjectGraph":
        try:
            path = search()
        except WalkError as error:
            if error.code == WalkError.NOT_FOUND:
                raise ValueError("No path found.") from None
            raise
        ids = [first] + [e.referent for e in path.edges if e.referent is not None]
        return self._graph(walk.Ids.of(ids))

    def strongly_connected_components(
        self, singletons: bool = True
    ) -> Sequence["ObjectGraph"]:
        """Sets of objects that reach each other, the largest first.

        Without `singletons` only those with a cycle.
        """
        return _Components(self, self.heap.components(self._part, singletons))

    def source_components(self) -> Sequence["ObjectGraph"]:
        """Those of them to which no object outside of them refers."""
        found = self.heap.components(self._part, True)
        return _Components(self, found, found.sources())

    # ---- what the objects are ----

    def count_by(self, classifier: Callable[[RemoteObject], Any]) -> CounterType[Any]:
        """How many objects there are of each class that the function tells."""
        return Counter(map(classifier, self))

    def find_by(self, predicate: Callable[[RemoteObject], Any]) -> List[RemoteObject]:
        """The objects that the function says yes to."""
        return list(filter(predicate, self))

    def count_by_typename(self, qualified: bool = False) -> CounterType[str]:
        """How many objects there are of each type, by its __name__.

        With `qualified` by its whole name.
        """
        counts: CounterType[str] = Counter()
        totals = self.heap.part_totals(self._part)
        for type, total in zip(self.heap.types(), totals):
            if total.objects:
                counts[type.name if qualified else bare(type.name)] += total.objects
        return counts

    def find_by_typename(self, typename: str) -> Sequence[RemoteObject]:
        """The objects of each type with this __name__, or with this whole name."""
        return Objects(self.heap, self.heap.part_find(self._part, typename))

    def size(self) -> int:
        """Bytes of all objects."""
        return sum(total.size for total in self.heap.part_totals(self._part))

    # ---- garbage ----

    def garbage(self) -> "ObjectGraph":
        """The objects that a collection would find unreachable if it ran now."""
        found = self.heap.garbage().ids
        kept = found if self._part.ids is None else self.heap.common(found, self.ids)
        return ObjectGraph(self.heap, walk.Part(kept, True))

    def key_cycles(self) -> Sequence["ObjectGraph"]:
        """The cycles that keep the garbage alive: nothing outside refers to them."""
        return self.garbage().source_components()

    def objects_reachable_from(self, start: Vertex) -> "ObjectGraph":
        """What gc.get_referents() leads to from an object, tracked or not.

        It may be outside of this graph.
        """
        seen = walk.Part(None, True)
        ids = self.heap.part_within(seen, [id_of(self.heap, start)], False)
        return ObjectGraph(self.heap, walk.Part(ids, True))

    # ---- for other programs ----

    def annotated(self) -> AnnotatedGraph:
        """The graph in words."""
        return AnnotatedGraph(
            [
                AnnotatedVertex(o.address, o.annotation, o.type, o.kind)
                for o in self.vertices
            ],
            [
                AnnotatedEdge(number, e.label, e.head.address, e.tail.address)
                for number, e in enumerate(self.edges)
            ],
        )

    abstract = annotated

    def to_dot(self) -> str:
        """The graph in Graphviz' language."""
        return self.annotated().to_dot()

    def to_json(self) -> str:
        """The graph as refcycle's JSON document."""
        return self.annotated().to_json()

    def export_json(self, filename: str) -> None:
        """Writes to_json() to a file."""
        self.annotated().export_json(filename)

    def export_image(
        self,
        filename: str = "refcycle.png",
        format: Optional[str] = None,
        dot_executable: str = "dot",
    ) -> None:
        """Has Graphviz draw the graph; the format is the file name's unless given."""
        self.annotated().export_image(filename, format, dot_executable)


class _Components(Sequence[ObjectGraph]):
    """Components of a graph as graphs; one is made when it is looked at."""

    def __init__(
        self,
        graph: ObjectGraph,
        components: walk.Components,
        which: Optional[Sequence[int]] = None,
    ) -> None:
        self._graph, self._components = graph, components
        self._which = range(len(components)) if which is None else which

    def __len__(self) -> int:
        return len(self._which)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Components(self._graph, self._components, self._which[index])
        return self._graph._graph(self._components[self._which[index]].ids)
