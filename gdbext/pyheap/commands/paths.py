# SPDX-License-Identifier: Apache-2.0
"""py-heap-locals, py-heap-why: from a root down to an object."""

from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
)

from pyheap import describe, wording
from pyheap.command import NUMBER, Answer, Argument, Command, Question, address
from pyheap.errors import WalkError
from pyheap.image_options import IMAGE
from pyheap.spans import Line, hexadecimal
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.picture import Written
    from pyheap.walk import Edge, Heap, Path, Subgraph, Thread


# Of a longer path on one line only its ends are shown.
STEPS_SHOWN = 10
# Of one that has a line for each step, likewise.
LINES_SHOWN = 100


def stepwise(
    edges: Sequence["Edge"],
    row: Callable[["Edge"], List[Cell]],
    note: Line,
    most: int = LINES_SHOWN,
    indent: str = "  ",
    more: str = "--json shows all",
) -> Iterator[Line]:
    """A line per reference, the last one with a note; of very many only both ends."""
    first, left, last = wording.ends(edges, most)
    rows = [row(edge) for edge in first + last]
    if rows:
        rows[-1] += note
    for number, line in enumerate(aligned(rows, indent=indent)):
        if left and number == len(first):
            yield [f"{indent}… {wording.number(left)} more; {more}"]
        yield line


class PathsAnswer(Answer):
    """Paths from roots to an object; what differs is how a person reads them."""

    picture: Optional["Written"] = None

    def __init__(self, question: Question, id: int, paths: List["Path"]) -> None:
        self.question, self.heap = question, question.heap()
        self.id, self.paths = id, paths
        self._threads = {thread.id: thread for thread in self.heap.threads()}
        self._greenlets = {
            frame: greenlet.id
            for greenlet in self.heap.greenlets()
            for frame in greenlet.frames
        }

    def document(self) -> Dict[str, Any]:
        return {
            "paths": [
                {"root": self._root(path), "steps": self._steps(path)}
                for path in self.paths
            ],
            **({"image": self.picture.file} if self.picture else {}),
            **wording.completeness(self.heap),
        }

    def _root(self, path: "Path") -> Dict[str, Any]:
        root = describe.node_document(self.heap, path.root)
        if root["kind"] == "object" and root["type"] == "module":
            root["kind"] = "module"
        thread = self.thread(path)
        root["thread"] = describe.thread_document(thread) if thread else None
        if root["kind"] == "frame":
            greenlet = self._greenlets.get(path.root)
            if greenlet is not None:
                root["greenlet"] = describe.node_document(self.heap, greenlet)
            root.update(describe.frame_document(self.heap.frame(path.root)))
        return root

    def graph(self) -> "Subgraph":
        """All paths as one graph, each node as far away as it is from the object asked about."""
        depths: Dict[int, int] = {self.id: 0}
        edges: Dict["Edge", None] = {}
        for path in self.paths:
            up = not path.edges or path.edges[-1].referent == self.id
            order = reversed(path.edges) if up else iter(path.edges)
            for depth, edge in enumerate(order, 1):
                far = edge.holder if up else edge.referent
                if far is not None:
                    depths[far] = min(depth, depths.get(far, depth))
                edges[edge] = None
        ids = sorted(depths, key=lambda id: depths[id])
        from pyheap.walk import Subgraph

        return Subgraph(ids, [depths[id] for id in ids], list(edges), 0)

    def draw(self, up: bool, args: "Namespace") -> "Answer":
        """Draws the paths (`up`: to the object asked about) if that is asked for."""
        if args.image is not None:
            from pyheap.images import of_edges

            edges = self.graph().edges
            self.picture = of_edges(self.heap, [self.id], edges, up, args)
        return self

    def drawn(self) -> Iterator[Line]:
        """What was drawn."""
        if self.picture:
            yield [self.picture.words]

    def _steps(self, path: "Path") -> List[Dict[str, Any]]:
        return [
            describe.edge_document(self.heap, edge, edge.referent)
            for edge in path.edges
        ]

    def object(self) -> Line:
        """What was asked about."""
        address = hexadecimal(self.heap.node(self.id).address)
        return [f"{describe.named(self.heap, self.id)} ", address]

    def stack(self, path: "Path") -> Optional[str]:
        """The thread that a path begins in, or the greenlet, in words."""
        thread, greenlet = self.thread(path), self._greenlets.get(path.root)
        if thread:
            return describe.thread_title(self.question, thread)
        if greenlet is not None:
            return f"greenlet {self.heap.node(greenlet).address:#x}"
        return None

    def thread(self, path: "Path") -> Optional["Thread"]:
        """The thread that a path begins in."""
        return None if path.thread is None else self._threads.get(path.thread)


class WhyAnswer(PathsAnswer):
    """The object first, then its holders up to the root."""

    def lines(self) -> Iterator[Line]:
        yield from self.drawn()
        for number, path in enumerate(self.paths):
            if number:
                yield [""]
            yield from self._path(path)
        if not self.paths:
            yield self.nothing()
        yield from wording.incomplete(self.heap)

    def nothing(self) -> Line:
        """What is said where there is no path; garbage is told from what C code holds."""
        from pyheap.walk import ALL_GENERATIONS

        garbage = self.heap.garbage().ids
        above = self.heap.ancestors(self.id, ALL_GENERATIONS, True).ids
        if any(garbage.has(id) for id in above):
            why = "It is garbage that the collector has not freed yet"
        else:
            why = "It is no garbage: an extension module or running C code holds it"
        return [*self.object(), f": no root leads here. {why}"]

    def alone(self) -> str:
        """What is said of a path without steps."""
        return "is a root itself"

    def _path(self, path: "Path") -> Iterator[Line]:
        yield self.object()
        if not path.edges:
            yield [f"  {self.alone()}", *self._note(path)]
        yield from stepwise(path.edges[::-1], self._step, self._note(path))

    def _step(self, edge: "Edge") -> List[Cell]:
        return [
            f"<- {describe.named(self.heap, edge.holder)}",
            hexadecimal(self.heap.node(edge.holder).address),
            describe.label(edge),
        ]

    def _note(self, path: "Path") -> Line:
        title = self.stack(path)
        return [title] if title else []


class LocalsAnswer(PathsAnswer):
    """A line per frame."""

    distance: Optional[int] = None  # references, at most

    def lines(self) -> Iterator[Line]:
        if self.paths:
            yield from aligned([self._row(path) for path in self.paths])
        else:
            yield [
                *self.object(),
                f": no local variable leads here{self._within()}",
            ]
        yield from wording.incomplete(self.heap)

    def _within(self) -> str:
        if self.distance is None:
            return ""
        references = wording.counted(self.distance, "reference")
        return f" within {references}; `all` in place of the number has no bound"

    def _row(self, path: "Path") -> List[Cell]:
        frame = self.heap.frame(path.root)
        is_frame = self.heap.node(path.root).kind == "frame"
        title = self.stack(path) or ("frame object" if is_frame else "suspended")
        first, *others = path.edges
        row: List[Cell] = [
            title,
            describe.function(frame),
            describe.location(frame),
            describe.label(first),
        ]
        through = [
            f"{describe.named(self.heap, edge.holder)}  {describe.label(edge).text}"
            for edge in others
        ]
        if through:
            shown = wording.shortened(through, STEPS_SHOWN)
            row.append("-> " + " -> ".join(shown))
        return row


def _found(paths: Any, *args: int) -> List["Path"]:
    """Paths; that there are none is an answer and not an error."""
    try:
        found: List["Path"] = paths(*args)
    except WalkError as error:
        if error.code != WalkError.NOT_FOUND:
            raise
        return []
    return found


def why_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-why."""
    from pyheap.walk import NO_LIMIT

    id = question.node(args.addr)
    paths = _found(question.heap().why, id, args.limit or NO_LIMIT)
    return WhyAnswer(question, id, paths).draw(True, args)


def locals_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-locals."""
    from pyheap.walk import ALL_GENERATIONS, NO_LIMIT

    id = question.node(args.addr)
    distance = ALL_GENERATIONS if args.n is None else min(args.n, ALL_GENERATIONS)
    paths = _found(question.heap().locals, id, distance, args.limit or NO_LIMIT)
    answer = LocalsAnswer(question, id, paths)
    answer.distance = args.n
    return answer


COMMANDS = (
    Command(
        "py-heap-locals",
        "Say which local variables of which frames lead to a Python object.",
        "One line per frame, of running threads and of suspended generators: thread, "
        "function, file and line, the local variable, and through what it leads to the "
        "object, within N references.",
        (
            address(),
            Argument(
                "N", NUMBER, "how many references; `all` for no bound; 5 unless told", 5
            ),
            Argument(
                "--limit",
                NUMBER,
                "the N nearest variables, 0 for all; 20 unless told",
                20,
                metavar="N",
            ),
        ),
        locals_answer,
        """
(gdb) py-heap-locals 0x7f888a368b50
thread 2 "worker", LWP 19498  worker  worker.py:34  local 'job'  -> method SomeComputation.compute  __self__
""",
    ),
    Command(
        "py-heap-why",
        "Say why a Python object is alive: the shortest path from a root.",
        "Roots are the modules of sys.modules, the frames on the threads' stacks, the "
        "threads and the interpreters. The object comes first, then its holder, then "
        "the holder's holder, each with the name of the reference, up to the root.",
        (
            address(),
            Argument(
                "--limit",
                NUMBER,
                "paths from at most N different roots, 0 for all; 1 unless told",
                1,
                metavar="N",
            ),
            *IMAGE,
        ),
        why_answer,
        """
(gdb) py-heap-why 0x7f888a368b50
__main__.SomeComputation 0x7f888a368b50
  <- method SomeComputation.compute  0x7f888a368b00  __self__
  <- frame worker.py:34 worker       0x7f888a2d0188  local 'job'  thread 2 "worker", LWP 19498
(gdb) py-heap-why 0x7fe96ec32350
__main__.MyBigFatObject 0x7fe96ec32350
  <- dict[2]                       0x7fe96ec32240  value['foo']
  <- dict[1]                       0x7fe96ec201c0  value[42]
  <- tuple[1]                      0x7fe96ecaa980  item[0]
  <- function computate_something  0x7fe96ec1c540  __defaults__
  <- dict[17]                      0x7fe96ee5f100  value['computate_something']
  <- module __main__               0x7fe96ee60630  __dict__
""",
    ),
)
