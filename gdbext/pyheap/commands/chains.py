# SPDX-License-Identifier: Apache-2.0
"""py-heap-chain, py-heap-path, py-heap-cycle: how one object leads to another."""

import re
from typing import TYPE_CHECKING, Any, Callable, Iterator, List

from pyheap import describe, wording
from pyheap.command import (
    FLAG,
    NUMBER,
    TYPE,
    Answer,
    Argument,
    Command,
    Question,
    address,
)
from pyheap.commands.find import find, names_like, similar
from pyheap.commands.paths import LINES_SHOWN, PathsAnswer, WhyAnswer, stepwise
from pyheap.errors import WalkError
from pyheap.image_options import IMAGE
from pyheap.spans import Line, hexadecimal
from pyheap.table import Cell
from pyheap.words import whole_integer

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Edge, Heap, Path

# What --to and --ignore take for the name of a type; all else is an expression.
_NAME = re.compile(r"[^\W\d]\w*(\.([^\W\d]\w*|<locals>))*")


def down(heap: "Heap", path: "Path", **how: Any) -> Iterator[Line]:
    """The steps of a path from its root down, a line each: `-> list[3] 0x… .items`."""

    def row(edge: "Edge") -> List[Cell]:
        assert edge.referent is not None
        name = f"-> {describe.named(heap, edge.referent)}"
        address = hexadecimal(heap.node(edge.referent).address)
        return [name, address, describe.label(edge)]

    inside = [edge for edge in path.edges if edge.referent is not None]
    yield from stepwise(inside, row, [], **how)


def _one(path: Callable[[], "Path"]) -> List["Path"]:
    """The path; none is an answer and not an error."""
    try:
        return [path()]
    except WalkError as error:
        if error.code != WalkError.NOT_FOUND:
            raise
        return []


class UpAnswer(WhyAnswer):
    """The object first, then its holders up to the goal."""

    def __init__(
        self, question: Question, id: int, paths: List["Path"], none: str
    ) -> None:
        super().__init__(question, id, paths)
        self.none = none

    def nothing(self) -> Line:
        return [*self.object(), f": {self.none}"]

    def alone(self) -> str:
        return "is itself what is looked for"


class DownAnswer(PathsAnswer):
    """What refers first, then what it leads to."""

    most = LINES_SHOWN  # steps of a path

    def __init__(
        self, question: Question, id: int, paths: List["Path"], none: str
    ) -> None:
        super().__init__(question, id, paths)
        self.none = none

    def lines(self) -> Iterator[Line]:
        yield from self.drawn()
        for path in self.paths:
            yield self.object()
            if path.edges:
                yield from down(self.heap, path, most=self.most)
            else:
                yield ["  is itself what is looked for"]
        if not self.paths:
            yield [*self.object(), f": {self.none}"]
        yield from wording.incomplete(self.heap)


def chain_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-chain."""
    from pyheap.walk import ALL_GENERATIONS, Chain

    id, heap = question.node(args.addr), question.heap()
    up, depth = not args.forward, min(args.max_depth, ALL_GENERATIONS)
    names = [word for word in args.ignore if whole_integer(word) is None]
    chain = Chain(
        "module",
        up=up,
        max_depth=depth,
        ignored_types=[name for given in names for name in names_like(heap, given)],
        ignored=[
            question.node(word)
            for word in args.ignore
            if whole_integer(word) is not None
        ],
    )
    if args.to == "frame":
        goal, chain = "a frame of a stack", chain._replace(goal="frame")
    elif args.to == "module":
        goal = "a module of sys.modules"
    elif _NAME.fullmatch(args.to):
        goal = f"an object of type '{args.to}'{_hint(heap, args.to)}"
        chain = chain._replace(goal="type", type=args.to)
    else:
        node = question.node(args.to)
        goal, chain = f"{heap.node(node).address:#x}", chain._replace(goal="node")
        chain = chain._replace(node=node)
    paths = _one(lambda: heap.chain(id, chain))
    where = "from" if up else "to"
    none = f"no path {where} {goal} within {wording.counted(depth, 'reference')}"
    if up and args.to == "module":
        none += "; `--to frame` looks for frames, py-heap-why for roots of every kind"
    answer = (UpAnswer if up else DownAnswer)(question, id, paths, none)
    return answer.draw(up, args)


def _hint(heap: "Heap", type: str) -> str:
    """What may have been meant, where there is no type of that name."""
    if find(heap, type, None):
        return ""
    names = similar(heap, type)
    there = f"; there are {', '.join(names)}" if names else ""
    return f" (there are none{there})"


def path_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-path."""
    start, end, heap = question.node(args.a), question.node(args.b), question.heap()
    paths = _one(lambda: heap.path(start, end))
    none = f"no path to {heap.node(end).address:#x}"
    return DownAnswer(question, start, paths, none).draw(False, args)


def cycle_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-cycle."""
    id, heap = question.node(args.addr), question.heap()
    paths = _one(lambda: heap.cycle(id))
    none = "no path leads back: it is in no cycle"
    answer = DownAnswer(question, id, paths, none)
    answer.most = 0  # py-heap-cycles says that it is all
    return answer.draw(False, args)


COMMANDS = (
    Command(
        "py-heap-chain",
        "Show a shortest chain of references up to a module, a frame, a type, an object.",
        "objgraph's find_backref_chain, and with --forward its find_ref_chain, with the "
        "frames, threads and other holders that it cannot see. The goal is a module of "
        "sys.modules unless --to says otherwise: `frame` (of a thread's stack, or put "
        "aside by a greenlet), the name of a type as py-heap-find takes it, or another "
        "object, as any expression that is not just a name: `0x…`, `$rdi`, `&*self`.",
        (
            address(),
            Argument(
                "--to",
                TYPE,
                "`module`, `frame`, the name of a type, or an expression",
                "module",
                choices=("module", "frame"),
                metavar="GOAL",
            ),
            Argument(
                "--max-depth",
                NUMBER,
                "at most N references; 20 unless told",
                20,
                metavar="N",
            ),
            Argument(
                "--ignore",
                TYPE,
                "do not go through these types, names or globs, or addresses",
                metavar="TYPE|ADDR,…",
                many=True,
            ),
            Argument("--forward", FLAG, "from the object down, to what it refers to"),
            *(option for option in IMAGE if option.name != "--ignore"),
        ),
        chain_answer,
        """
(gdb) py-heap-chain 0x7f7eff7d0f90
__main__.Named 0x7f7eff7d0f90
  <- list[4]          0x7f7eff7d2540  item[3]
  <- dict[67]         0x7f7f003df200  value['KEPT']
  <- module __main__  0x7f7f003e0680  __dict__
(gdb) py-heap-chain 0x7f1b73a1b110 --to frame
__main__.SomeComputation 0x7f1b73a1b110
  <- method SomeComputation.compute  0x7f1b73a1af80  __self__
  <- frame worker.py:34 worker       0x7f1b7396d188  local 'job'  thread 2 "worker", LWP 12503
""",
    ),
    Command(
        "py-heap-path",
        "Show a shortest path of references from one Python object down to another.",
        "refcycle's shortest_path, but through everything that is known, not only what "
        "the collector tracks. A and B are expressions; where one has blanks or "
        "commas, a comma stands between them: `py-heap-path $rdi + 8, self->ob_type`. "
        "Commas in brackets or quotes are the expression's own.",
        (
            address("who refers: any expression that gdb takes", "A"),
            address("to what it leads", "B"),
            *IMAGE,
        ),
        path_answer,
        """
(gdb) py-heap-path 0x7f7eff65d790 0x7f7eff65e290
__main__.Named 0x7f7eff65d790
  -> list[2]         0x7f7eff65d800  .others
  -> tuple[2]        0x7f7eff65e2c0  item[0]
  -> __main__.Named  0x7f7eff65e790  item[0]
  -> list[1]         0x7f7eff65d740  .others
  -> dict[1]         0x7f7eff65e740  item[0]
  -> list[1]         0x7f7eff65da00  value['leaf']
  -> __main__.Named  0x7f7eff65e290  item[0]
(gdb) py-heap-path 0x7f7eff65e290 0x7f7eff65d790
__main__.Named 0x7f7eff65e290: no path to 0x7f7eff65d790
""",
    ),
    Command(
        "py-heap-cycle",
        "Show a shortest cycle of references through a Python object.",
        "refcycle's shortest_cycle, but through everything that is known, not only what "
        "the collector tracks: from the object down, and back to it.",
        (address(), *IMAGE),
        cycle_answer,
        """
(gdb) py-heap-cycle 0x7f7eff65d790
__main__.Named 0x7f7eff65d790
  -> list[2]         0x7f7eff65d800  .others
  -> __main__.Named  0x7f7eff65d790  item[1]
""",
    ),
)
