# SPDX-License-Identifier: Apache-2.0
"""Objects of a target, for scripts: what is asked of one is read when it is asked."""

from typing import Any, Iterable, Iterator, List, NamedTuple, Sequence, Union

from pyheap import walk
from pyheap.errors import HeapError, WalkError


def still_open(heap: walk.Heap) -> walk.Heap:
    """The heap, unless its target has run since: then what was read is no more."""
    if heap.closed:
        raise HeapError(
            "the target has run or was closed since the snapshot: take a new one"
        )
    return heap


class RemoteObject:
    """An object of the target, or a frame, a thread or an interpreter of it.

    Two are equal when they stand for the same thing of the same snapshot.
    """

    __slots__ = ("_heap", "id")

    def __init__(self, heap: walk.Heap, id: int) -> None:
        self._heap, self.id = heap, id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemoteObject):
            return NotImplemented
        return self._heap is other._heap and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{self.annotation} at {self.address:#x}>"

    @property
    def heap(self) -> walk.Heap:
        """The heap that it is part of."""
        return still_open(self._heap)

    @property
    def _node(self) -> walk.Node:
        return self.heap.node(self.id)

    @property
    def address(self) -> int:
        """What id() gave in the process."""
        return self._node.address

    @property
    def kind(self) -> str:
        """`object`, `frame`, `thread` or `interpreter`."""
        return self._node.kind

    @property
    def type(self) -> str:
        """The name of its type: module.__qualname__, of builtins without the module."""
        return self.heap.type(self._node.type).name

    @property
    def typename(self) -> str:
        """The type's __name__."""
        return bare(self.type)

    @property
    def tracked(self) -> bool:
        """Whether gc.get_objects() returns it."""
        return self._node.tracked

    @property
    def size(self) -> int:
        """Bytes, as sys.getsizeof() says."""
        return self._node.size

    @property
    def refcount(self) -> int:
        """References to it that CPython counts; -1 of what is no object."""
        return self._node.refcount

    @property
    def value(self) -> str:
        """The repr of a number, None, bool, str or bytes, shortened; else empty."""
        return self.heap.value(self.id)

    @property
    def annotation(self) -> str:
        """What it is, in a few words: refcycle's annotation."""
        return self.heap.annotation(self.id)

    @property
    def out_edges(self) -> "Edges":
        """The references that it holds, in its order, by name."""
        return Edges(self.heap, self.heap.part_edges(walk.Part(), holder=self.id))

    @property
    def in_edges(self) -> "Edges":
        """The references to it, by name."""
        return Edges(self.heap, self.heap.part_edges(walk.Part(), referent=self.id))

    @property
    def referents(self) -> List["RemoteObject"]:
        """What it refers to, once per reference: more than gc.get_referents() sees."""
        return [edge.head for edge in self.out_edges]

    @property
    def referrers(self) -> List["RemoteObject"]:
        """What refers to it, once per reference."""
        return [edge.tail for edge in self.in_edges]


class Edge(NamedTuple):
    """A reference from `tail` to `head`; `extra`: gc.get_referents() does not see it.

    A `guess` is a word that looks like one.
    """

    tail: RemoteObject
    head: RemoteObject
    label: str
    extra: bool
    guess: bool


class Edges(Sequence[Edge]):
    """References; one is made when it is looked at."""

    def __init__(self, heap: walk.Heap, edges: Sequence[walk.Edge]) -> None:
        self._heap, self._edges = heap, edges

    def __len__(self) -> int:
        return len(self._edges)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        edge = self._edges[index + len(self) if index < 0 else index]
        if edge.referent is None:
            raise HeapError("a reference to what is not in the heap")
        return Edge(
            RemoteObject(self._heap, edge.holder),
            RemoteObject(self._heap, edge.referent),
            edge.label,
            edge.extra,
            edge.guess,
        )


class Objects(Sequence[RemoteObject]):
    """Objects; one is made when it is looked at."""

    def __init__(self, heap: walk.Heap, ids: Sequence[int]) -> None:
        self._heap, self._ids = heap, ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Objects(self._heap, self._ids[index])
        return RemoteObject(self._heap, self._ids[index])

    def __iter__(self) -> Iterator[RemoteObject]:
        for id in self._ids:
            yield RemoteObject(self._heap, id)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"[{shown}{', …' if len(self) > 3 else ''}]"


# An object, or its address.
Vertex = Union[RemoteObject, int]


def ids_of(heap: walk.Heap, vertices: Iterable[Vertex]) -> List[int]:
    """The ids of objects of this heap."""
    return [id_of(heap, vertex) for vertex in vertices]


def id_of(heap: walk.Heap, vertex: Vertex) -> int:
    """The id of an object of this heap; KeyError: it is none."""
    if isinstance(vertex, RemoteObject):
        if vertex._heap is not heap:
            raise KeyError(vertex)
        return vertex.id
    try:
        return heap.lookup(int(vertex))
    except WalkError as error:
        raise KeyError(str(error)) from None


def bare(type: str) -> str:
    """The __name__ of a type of this module-qualified name."""
    return type.rpartition(".")[2]
