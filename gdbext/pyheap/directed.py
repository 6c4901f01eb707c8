# SPDX-License-Identifier: Apache-2.0
"""What can be asked of any small directed graph, in plain Python: refcycle's searches.

ObjectGraph has the same in C, for millions of objects.
"""

from collections import Counter, deque
from typing import Any, Callable
from typing import Counter as CounterType
from typing import Deque, Dict, Generic, Hashable, Iterable, Iterator
from typing import List, Optional, Set, TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)
Graph = TypeVar("Graph", bound="Directed[Any]")


class Directed(Generic[Vertex]):
    """Searches over vertices, children, parents and full_subgraph, which a subclass has."""

    def __iter__(self) -> Iterator[Vertex]:
        raise NotImplementedError

    def children(self, vertex: Vertex) -> List[Vertex]:
        """What a vertex refers to."""
        raise NotImplementedError

    def parents(self, vertex: Vertex) -> List[Vertex]:
        """What refers to a vertex."""
        raise NotImplementedError

    def full_subgraph(self: Graph, vertices: Iterable[Vertex]) -> Graph:
        """These vertices and all that is between them."""
        raise NotImplementedError

    # ---- a set ----

    def __sub__(self: Graph, other: Graph) -> Graph:
        """The vertices that are not in the other graph."""
        others = set(other)
        return self.full_subgraph(v for v in self if v not in others)

    def __and__(self: Graph, other: Graph) -> Graph:
        """The vertices that are in the other graph too."""
        others = set(other)
        return self.full_subgraph(v for v in self if v in others)

    def count_by(self, classifier: Callable[[Vertex], Any]) -> CounterType[Any]:
        """How many vertices there are of each class that the function tells."""
        return Counter(map(classifier, self))

    def find_by(self, predicate: Callable[[Vertex], Any]) -> List[Vertex]:
        """The vertices that the function says yes to."""
        return list(filter(predicate, self))

    # ---- searches ----

    def descendants(
        self: Graph, start: Vertex, generations: Optional[int] = None
    ) -> Graph:
        """What is reached from a vertex, itself included, within so many edges."""
        return self.full_subgraph(_distances(start, self.children, generations))

    def ancestors(
        self: Graph, start: Vertex, generations: Optional[int] = None
    ) -> Graph:
        """What reaches a vertex, itself included, within so many edges."""
        return self.full_subgraph(_distances(start, self.parents, generations))

    def shortest_path(self: Graph, start: Vertex, end: Vertex) -> Graph:
        """The vertices of a shortest path; ValueError: there is none."""
        if start == end:
            return self.full_subgraph([start])
        return self.full_subgraph([start, *self._between(start, end), end])

    def shortest_cycle(self: Graph, start: Vertex) -> Graph:
        """The vertices of a shortest cycle through one; ValueError: there is none."""
        return self.full_subgraph([start, *self._between(start, start)])

    def _between(self, start: Vertex, end: Vertex) -> List[Vertex]:
        """The vertices between the two ends of a shortest way of one edge or more."""
        found_by: Dict[Vertex, Vertex] = {}
        waiting: Deque[Vertex] = deque([start])
        while waiting and end not in found_by:
            vertex = waiting.popleft()
            for child in self.children(vertex):
                if child not in found_by:
                    found_by[child] = vertex
                    waiting.append(child)
        if end not in found_by:
            raise ValueError("No path found.")
        way: List[Vertex] = []
        vertex = found_by[end]
        while vertex != start:
            way.append(vertex)
            vertex = found_by[vertex]
        return way[::-1]

    # ---- components ----

    def strongly_connected_components(self: Graph) -> List[Graph]:
        """Sets of vertices that reach each other, the largest first."""
        return [self.full_subgraph(part) for part in self._components()]

    def source_components(self: Graph) -> List[Graph]:
        """Those of them to which no vertex outside of them refers."""
        return [
            self.full_subgraph(part)
            for part in self._components()
            if all(p in part for vertex in part for p in self.parents(vertex))
        ]

    def _components(self) -> List[Set[Vertex]]:
        """Kosaraju's algorithm: what reaches the last that a search leaves, of the rest."""
        seen: Set[Vertex] = set()
        found: List[Set[Vertex]] = []
        for root in reversed(self._left()):
            if root in seen:
                continue
            part, waiting = {root}, [root]
            seen.add(root)
            while waiting:
                for other in self.parents(waiting.pop()):
                    if other not in seen:
                        seen.add(other)
                        part.add(other)
                        waiting.append(other)
            found.append(part)
        return sorted(found, key=len, reverse=True)

    def _left(self) -> List[Vertex]:
        """The vertices in the order in which a depth first search leaves them."""
        seen: Set[Vertex] = set()
        left: List[Vertex] = []
        for root in self:
            if root in seen:
                continue
            seen.add(root)
            path = [(root, iter(self.children(root)))]
            while path:
                vertex, rest = path[-1]
                child = next((c for c in rest if c not in seen), None)
                if child is None:
                    left.append(vertex)
                    path.pop()
                else:
                    seen.add(child)
                    path.append((child, iter(self.children(child))))
        return left


def _distances(
    start: Vertex, steps: Callable[[Vertex], List[Vertex]], most: Optional[int]
) -> Dict[Vertex, int]:
    """How many edges each vertex is away, at most so many."""
    found = {start: 0}
    waiting: Deque[Vertex] = deque([start])
    while waiting:
        vertex = waiting.popleft()
        if found[vertex] == most:
            continue
        for other in steps(vertex):
            if other not in found:
                found[other] = found[vertex] + 1
                waiting.append(other)
    return found
