# SPDX-License-Identifier: Apache-2.0
"""py-heap-ancestors, py-heap-descendants: the graph around an object."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

from pyheap import describe, wording
from pyheap.command import (
    FLAG,
    NUMBER,
    Answer,
    Argument,
    Command,
    Question,
    address,
    limit,
)
from pyheap.image_options import IMAGE
from pyheap.spans import Line
from pyheap.tree import tree

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.picture import Written
    from pyheap.walk import Heap, Subgraph


class GraphAnswer(Answer):
    """A subgraph: a tree for people, refcycle's document for programs."""

    def __init__(self, heap: "Heap", graph: "Subgraph", up: bool, limit: int) -> None:
        self.heap, self.graph, self.up, self.limit = heap, graph, up, limit
        self.picture: Optional["Written"] = None

    def document(self) -> Dict[str, Any]:
        document: Dict[str, Any] = {
            "vertices": self._vertices(),
            "edges": self._edges(),
        }
        if self.picture:
            document["image"] = self.picture.file
        if self.graph.beyond:
            document["beyond"] = self.graph.beyond
        if not self.heap.stats().complete:
            document.update(wording.completeness(self.heap))
        return document

    def _vertices(self) -> List[Dict[str, Any]]:
        return [
            {
                "id": self.heap.node(id).address,
                **describe.node_document(self.heap, id),
                "depth": depth,
            }
            for id, depth in zip(self.graph.ids, self.graph.depths)
        ]

    def _edges(self) -> List[Dict[str, Any]]:
        address = {id: self.heap.node(id).address for id in self.graph.ids}
        return [
            {
                "id": number,
                "annotation": edge.label,
                "tail": address[edge.holder],
                "head": address[edge.referent],
            }
            for number, edge in enumerate(self.graph.edges)
            if edge.referent is not None
        ]

    def lines(self) -> Iterator[Line]:
        if self.picture:
            yield [self.picture.words]
        else:
            yield from tree(self.heap, self.graph, self.up, self.limit)
        if self.graph.beyond:
            whose = "holder" if self.up else "referent"
            yield [
                f"{wording.counted(self.graph.beyond, f'more {whose}')} can be reached"
                " only through objects that the collector does not see;"
                " --all shows them"
            ]
        yield from wording.incomplete(self.heap)


def _answer(question: Question, args: "Namespace", up: bool) -> Answer:
    from pyheap.walk import ALL_GENERATIONS

    id = question.node(args.addr)
    heap = question.heap()
    generations = ALL_GENERATIONS if args.n is None else min(args.n, ALL_GENERATIONS)
    within = heap.ancestors if up else heap.descendants
    answer = GraphAnswer(heap, within(id, generations, args.all), up, args.limit)
    if args.image is not None:
        from pyheap.images import of_subgraph

        answer.picture = of_subgraph(heap, answer.graph, up, args, args.n)
    return answer


def ancestors_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-ancestors."""
    return _answer(question, args, up=True)


def descendants_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-descendants."""
    return _answer(question, args, up=False)


_ARGUMENTS = (
    address(),
    Argument(
        "N", NUMBER, "how many references away; `all` for no bound; 3 unless told", 3
    ),
    Argument(
        "--all",
        FLAG,
        "also through what the collector cannot see; draw beyond modules",
    ),
    limit(200, "lines"),
    *IMAGE,
)

_DESCRIPTION = (
    "The graph is what refcycle's {0}(N) computes inside of the process, with "
    "the frames, threads and other {1} that it cannot see. Each object is "
    "shown once with its {1}; where it is met again, `(above)` or `(below)` says "
    "where it is. --json prints a document that refcycle loads."
)

COMMANDS = (
    Command(
        "py-heap-ancestors",
        "Show what keeps a Python object alive, N generations up.",
        _DESCRIPTION.format("ancestors", "holders"),
        _ARGUMENTS,
        ancestors_answer,
        """
(gdb) py-heap-ancestors 0x7f888a368b50 5
0x7f888a368b50 __main__.SomeComputation
  0x7f888a368b00 method SomeComputation.compute               __self__
    0x7f888a2d0188 frame worker.py:34 worker                  local 'job'
      0x7f888a2d0208 frame queue.py:171 Queue.get             f_back
        0x7f888a2d02b0 frame threading.py:320 Condition.wait  f_back
          0x33e1ee30 thread "worker"                          frame
(gdb) py-heap-ancestors 0x7f888a368b50 5 --image worker.svg
wrote /tmp/worker.svg: 6 objects, 5 references
""",
    ),
    Command(
        "py-heap-descendants",
        "Show what a Python object keeps alive, N generations down.",
        _DESCRIPTION.format("descendants", "referents"),
        _ARGUMENTS,
        descendants_answer,
    ),
)
