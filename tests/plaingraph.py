# SPDX-License-Identifier: Apache-2.0
"""refcycle's definitions, restated in the plainest way, over a truth file.

Objects are addresses; a reference is one that gc.get_referents() reported.
"""

from collections import deque
from typing import Callable, Counter, Dict, FrozenSet, Iterable
from typing import List, Optional, Set, Tuple

from truthfile import Truth, addresses

Address = int


class PlainGraph:
    """Some objects and every reference from one to another."""

    def __init__(self, children: Dict[Address, List[Address]]) -> None:
        self.children = children
        self.parents: Dict[Address, List[Address]] = {one: [] for one in children}
        for holder, row in children.items():
            for referent in row:
                self.parents[referent].append(holder)

    @classmethod
    def of(cls, truth: Truth, wanted: Iterable[str]) -> "PlainGraph":
        """The graph of these objects of a truth."""
        kept = set(wanted)
        return cls(
            {
                int(one, 16): [
                    int(other, 16)
                    for other in addresses(truth.objects[one].joined)
                    if other in kept
                ]
                for one in kept
            }
        )

    def subgraph(self, kept: Iterable[Address]) -> "PlainGraph":
        """These objects, and what is between them."""
        among = set(kept)
        return PlainGraph(
            {one: [o for o in self.children[one] if o in among] for one in among}
        )

    def references(self) -> Counter[Tuple[Address, Address]]:
        """(holder, referent) of each reference."""
        return Counter((one, o) for one, row in self.children.items() for o in row)

    def distances(
        self, start: Address, up: bool = False, most: Optional[int] = None
    ) -> Dict[Address, int]:
        """How many references each object is away from one."""
        steps = self.parents if up else self.children
        found = {start: 0}
        waiting = deque([start])
        while waiting:
            one = waiting.popleft()
            if found[one] == most:
                continue
            for other in steps[one]:
                if other not in found:
                    found[other] = found[one] + 1
                    waiting.append(other)
        return found

    def shortest_cycle(self, start: Address) -> Optional[int]:
        """How many references lead from an object back to itself, at least."""
        away = self.distances(start)
        back = [away[one] + 1 for one in self.parents[start] if one in away]
        return min(back) if back else None

    def components(self) -> Set[FrozenSet[Address]]:
        """Sets of objects that reach each other: Kosaraju's two searches."""
        left = self._finished()
        found: Set[FrozenSet[Address]] = set()
        seen: Set[Address] = set()
        for root in reversed(left):
            if root in seen:
                continue
            component, waiting = {root}, [root]
            seen.add(root)
            while waiting:
                for other in self.parents[waiting.pop()]:
                    if other not in seen:
                        seen.add(other)
                        component.add(other)
                        waiting.append(other)
            found.add(frozenset(component))
        return found

    def _finished(self) -> List[Address]:
        """The objects in the order in which a depth first search leaves them."""
        seen: Set[Address] = set()
        left: List[Address] = []
        for root in self.children:
            if root in seen:
                continue
            seen.add(root)
            path = [(root, iter(self.children[root]))]
            while path:
                one, row = path[-1]
                for other in row:
                    if other not in seen:
                        seen.add(other)
                        path.append((other, iter(self.children[other])))
                        break
                else:
                    left.append(one)
                    path.pop()
        return left

    def sources(self) -> Set[FrozenSet[Address]]:
        """The components to which nothing outside of them refers."""

        def is_source(component: FrozenSet[Address]) -> bool:
            return all(p in component for one in component for p in self.parents[one])

        return set(filter(is_source, self.components()))

    def count_by(self, classify: Callable[[Address], str]) -> Counter[str]:
        """How many objects there are of each class."""
        return Counter(map(classify, self.children))
