# SPDX-License-Identifier: Apache-2.0
"""py-heap-frames: the Python stack of every thread and greenlet."""

from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
)

from pyheap import describe, interpreters, wording
from pyheap.command import FLAG, NUMBER, Answer, Argument, Command, Question
from pyheap.spans import VARIABLE, Line, Styled, hexadecimal
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Edge, Greenlet, Interpreter, Thread


class FramesAnswer(Answer):
    """Interpreters with their threads and greenlets; frames, innermost first."""

    def __init__(self, question: Question, args: "Namespace") -> None:
        self.question, self.heap = question, question.heap()
        self.locals, self.with_suspended = args.locals, args.suspended
        self.limit = args.limit
        self.interpreters = self.heap.interpreters()
        self.several = len(self.interpreters) > 1
        only = interpreters.chosen(self.heap, args)
        if only:
            self.interpreters = [only]
        self.threads = [t for t in self.heap.threads() if self._whose(t.interpreter)]
        self.greenlets = [g for g in self.heap.greenlets() if self._whose_object(g.id)]
        self.suspended: List[int] = []
        if self.with_suspended:
            found = self.heap.suspended()
            self.suspended = [id for id in found if self._whose_object(id)]

    def _whose(self, interpreter: Optional[int]) -> Optional["Interpreter"]:
        """The interpreter with this id among those that are shown."""
        return next((i for i in self.interpreters if i.id == interpreter), None)

    def _whose_object(self, id: int) -> Optional["Interpreter"]:
        """Likewise of an object; the main one's are those of which nothing says whose."""
        owner = self.heap.node(id).interpreter
        if owner is None:
            return next((i for i in self.interpreters if i.number == 0), None)
        return self._whose(owner)

    def document(self) -> Dict[str, Any]:
        found: Dict[str, Any] = {
            "interpreters": [interpreters.document(i) for i in self.interpreters],
            "threads": [self._thread(thread) for thread in self.threads],
            "greenlets": [self._greenlet(greenlet) for greenlet in self.greenlets],
        }
        if self.with_suspended:
            found["suspended"] = [
                {**describe.node_document(self.heap, id), **self._where(id)}
                for id in self.suspended
            ]
        return {**found, **wording.completeness(self.heap)}

    def _thread(self, thread: "Thread") -> Dict[str, Any]:
        return {
            **describe.thread_document(thread),
            "interpreter": f"{self.heap.node(thread.interpreter).address:#x}",
            "frames": [self._frame(id) for id in thread.frames],
            "complete": thread.frames_complete,
        }

    def _greenlet(self, greenlet: "Greenlet") -> Dict[str, Any]:
        return {
            **describe.node_document(self.heap, greenlet.id),
            "frames": [self._frame(id) for id in greenlet.frames],
            "complete": greenlet.frames_complete,
        }

    def _frame(self, id: int) -> Dict[str, Any]:
        return {"address": f"{self.heap.node(id).address:#x}", **self._where(id)}

    def _where(self, id: int) -> Dict[str, Any]:
        return {
            **describe.frame_document(self.heap.frame(id)),
            "locals": {
                edge.label: describe.node_document(self.heap, edge.referent)
                for edge in self.heap.frame_locals(id)
                if edge.referent is not None
            },
        }

    def lines(self) -> Iterator[Line]:
        for interpreter in self.interpreters:
            if self.several:
                yield interpreters.heading(interpreter)
            yield from self._threads(interpreter)
            yield from self._greenlets(interpreter)
            yield from self._suspended(interpreter)
        yield from wording.incomplete(self.heap)

    def _threads(self, interpreter: "Interpreter") -> Iterator[Line]:
        for thread in self.threads:
            if thread.interpreter != interpreter.id:
                continue
            title = describe.thread_title(self.question, thread)
            yield [f"{title}, state ", hexadecimal(thread.address)]
            yield from self._stack(thread.frames, thread.frames_complete)

    def _greenlets(self, interpreter: "Interpreter") -> Iterator[Line]:
        for greenlet in self.greenlets:
            if self._whose_object(greenlet.id) is not interpreter:
                continue
            node = self.heap.node(greenlet.id)
            name = self.heap.annotation(greenlet.id)
            yield ["greenlet ", hexadecimal(node.address), f" {name}, suspended"]
            yield from self._stack(greenlet.frames, greenlet.frames_complete)

    def _suspended(self, interpreter: "Interpreter") -> Iterator[Line]:
        ids = [id for id in self.suspended if self._whose_object(id) is interpreter]
        if not self.with_suspended:
            return
        what = (
            "suspended generator or coroutine",
            "suspended generators and coroutines",
        )
        yield [wording.counted(len(ids), *what)]
        rows = [[*describe.annotated(self.heap, id), self._location(id)] for id in ids]
        yield from self._with_locals(ids, aligned(rows, indent="  "))

    def _location(self, id: int) -> Cell:
        return describe.location(self.heap.frame(id), whole=True)

    def _stack(self, frames: Sequence[int], complete: bool) -> Iterator[Line]:
        if not frames and complete:
            yield ["  no Python frame"]
        first, left, last = wording.ends(list(enumerate(frames)), self.limit)
        shown = first + last
        rows = [self._row(depth, id) for depth, id in shown]
        lines = list(aligned(rows, indent="  "))
        ids = [id for _, id in shown]
        half = len(first)
        yield from self._with_locals(ids[:half], lines[:half])
        if left:
            yield ["  ", *next(wording.cut(left, "frames"))]
        yield from self._with_locals(ids[half:], lines[half:])
        if not complete:
            what = "the rest of this stack" if frames else "this stack"
            yield [f"  … {what} could not be read"]

    def _with_locals(
        self, frames: Sequence[int], lines: Iterable[Line]
    ) -> Iterator[Line]:
        for id, line in zip(frames, lines):
            yield line
            if self.locals:
                yield from self._locals(id)

    def _row(self, depth: int, id: int) -> List[Cell]:
        frame = self.heap.frame(id)
        return [
            f"#{depth}",
            hexadecimal(self.heap.node(id).address),
            describe.function(frame),
            self._location(id),
        ]

    def _locals(self, id: int) -> Iterator[Line]:
        edges: Sequence["Edge"] = self.heap.frame_locals(id)
        if self.heap.frame(id).function == "<module>":
            names, edges = len(edges), self._own_locals(id, edges)
            if names > len(edges) or not names:
                count = wording.counted(names - len(edges), "name")
                yield [f"        the {count} of the module"]
        yield from aligned([self._local(edge) for edge in edges], indent=" " * 8)

    def _own_locals(self, id: int, edges: Sequence["Edge"]) -> List["Edge"]:
        """Those that the frame has and not the module: of comprehensions that run as its code (PEP 709)."""
        own = {edge.label for edge in self.heap.referents(id).strong}
        return [edge for edge in edges if f"local '{edge.label}'" in own]

    def _local(self, edge: "Edge") -> List[Cell]:
        name = Styled(edge.label, VARIABLE)
        if edge.referent is None:
            return [name]
        return [name, *describe.annotated(self.heap, edge.referent)]


def answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-frames."""
    return FramesAnswer(question, args)


COMMANDS = (
    Command(
        "py-heap-frames",
        "Show the Python stack of every thread and of every suspended greenlet.",
        "Innermost frame first. --locals adds the local variables that are bound; a "
        "cell variable is shown with the value of its cell. Of a module's own frame only "
        "the number of names is shown, and the variables of a comprehension that runs as a "
        "part of it. The addresses of threads and frames can be "
        "given to the other commands. Of a deep stack both ends are shown. --json always has "
        "all frames with their local variables. Where there "
        "are several interpreters, each has its heading; a thread that runs code in several is "
        "shown in each. A suspended greenlet is shown with the frames that it has put aside.",
        (
            Argument("--locals", FLAG, "with the local variables of each frame"),
            Argument("--suspended", FLAG, "suspended generators and coroutines too"),
            Argument(
                "--limit",
                NUMBER,
                "of each stack at most N frames, 0 for all; 100 unless told",
                100,
                metavar="N",
            ),
            interpreters.option("only this interpreter; 0 is the main one"),
        ),
        answer,
        """
(gdb) py-heap-frames --locals
thread 2 "worker", LWP 19498, state 0x33e1ee30
  #0  0x7f888a2d02b0  Condition.wait           /usr/lib/python3.11/threading.py:320
        self         0x7f888a425a10  threading.Condition
        timeout      0x954cc0        None
        waiter       0x7f888a368ac0  _thread.lock
        saved_state  0x954cc0        None
        gotit        0x9429e0        False
  #1  0x7f888a2d0208  Queue.get                /usr/lib/python3.11/queue.py:171
        self     0x7f888a426090  queue.Queue
        block    0x9550a0        True
        timeout  0x954cc0        None
  #2  0x7f888a2d0188  worker                   /srv/worker.py:34
        jobs_queue     0x7f888a426090  queue.Queue
        results_queue  0x7f888a3686d0  queue.Queue
        job            0x7f888a368b00  method SomeComputation.compute
        result         0xa565e8        4
""",
    ),
)
