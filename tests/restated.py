# SPDX-License-Identifier: Apache-2.0
"""refcycle's and objgraph's definitions, restated on the references of a truth."""

from typing import Dict, FrozenSet, Iterable, List, Mapping, Sequence, Set, Tuple

from truthfile import Address

Graph = Mapping[
    Address, Sequence[Address]
]  # the referents of each; only keys are vertices
Component = FrozenSet[Address]


def induced(graph: Graph, vertices: Set[Address]) -> Dict[Address, List[Address]]:
    """The graph of some vertices and all references between them."""
    return {v: [w for w in graph[v] if w in vertices] for v in vertices if v in graph}


def components(graph: Graph) -> List[Component]:
    """All strongly connected components, those of a single vertex too: Kosaraju's algorithm.

    Of what comes last in the first search, the second finds on the reversed graph exactly what
    it can be reached from and reaches.
    """
    referrers: Dict[Address, List[Address]] = {vertex: [] for vertex in graph}
    for vertex, referents in graph.items():
        for referent in referents:
            if referent in referrers:
                referrers[referent].append(vertex)
    found = []
    seen: Set[Address] = set()
    for start in reversed(_finished(graph)):
        if start not in seen:
            component = _reached({start}, referrers, seen)
            seen |= component
            found.append(frozenset(component))
    return found


def _finished(graph: Graph) -> List[Address]:
    """The vertices in the order in which a depth-first search leaves them."""
    left: List[Address] = []
    seen: Set[Address] = set()
    for start in graph:
        stack: List[Tuple[Address, bool]] = [(start, False)]
        while stack:
            vertex, leave = stack.pop()
            if leave:
                left.append(vertex)
            elif vertex in graph and vertex not in seen:
                seen.add(vertex)
                stack.append((vertex, True))
                stack.extend((referent, False) for referent in graph[vertex])
    return left


def _reached(
    starts: Iterable[Address], graph: Graph, barred: Set[Address]
) -> Set[Address]:
    found = set(starts)
    stack = list(found)
    while stack:
        for other in graph[stack.pop()]:
            if other not in found and other not in barred:
                found.add(other)
                stack.append(other)
    return found


def reached(graph: Graph, starts: Iterable[Address]) -> Set[Address]:
    """All that can be reached from some vertices, these included, in a graph that has all ends."""
    return _reached(starts, graph, set())


def cycles(graph: Graph) -> Set[Component]:
    """The components in which there is a cycle."""
    return {
        component
        for component in components(graph)
        if len(component) > 1 or any(v in graph[v] for v in component)
    }


def source_components(graph: Graph) -> Set[Component]:
    """The components that no other one refers to; of garbage, refcycle's key_cycles."""
    found = components(graph)
    whose = {vertex: number for number, part in enumerate(found) for vertex in part}
    referred = {
        whose[referent]
        for vertex, referents in graph.items()
        for referent in referents
        if referent in whose and whose[referent] != whose[vertex]
    }
    return {part for number, part in enumerate(found) if number not in referred}


def without_referrer(graph: Graph) -> Set[Address]:
    """objgraph's get_leaking_objects: of the tracked objects those that none refers to."""
    return set(graph) - {w for referents in graph.values() for w in referents}
