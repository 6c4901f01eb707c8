# SPDX-License-Identifier: Apache-2.0
"""py-heap-frames: the Python stack of every thread."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List

from pyheap import describe, wording
from pyheap.command import FLAG, Answer, Argument, Command, Question
from pyheap.spans import VARIABLE, Line, Styled, hexadecimal
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Edge, Heap, Thread


class FramesAnswer(Answer):
    """Threads with their frames, innermost first."""

    def __init__(self, question: Question, args: "Namespace") -> None:
        self.question, self.heap = question, question.heap()
        self.locals = args.locals
        self.threads = self.heap.threads()

    def document(self) -> Dict[str, Any]:
        complete = wording.completeness(self.heap)
        return {"threads": [self._thread(t) for t in self.threads], **complete}

    def _thread(self, thread: "Thread") -> Dict[str, Any]:
        return {
            **describe.thread_document(thread),
            "interpreter": f"{self.heap.node(thread.interpreter).address:#x}",
            "frames": [self._frame(id) for id in thread.frames],
            "complete": thread.frames_complete,
        }

    def _frame(self, id: int) -> Dict[str, Any]:
        return {
            "address": f"{self.heap.node(id).address:#x}",
            **describe.frame_document(self.heap.frame(id)),
            "locals": {
                edge.label: describe.node_document(self.heap, edge.referent)
                for edge in self.heap.frame_locals(id)
                if edge.referent is not None
            },
        }

    def lines(self) -> Iterator[Line]:
        for thread in self.threads:
            title = describe.thread_title(self.question, thread)
            yield [f"{title}, state ", hexadecimal(thread.address)]
            if not thread.frames:
                yield ["  no Python frame"]
            yield from self._stack(thread)
            if not thread.frames_complete:
                yield ["  … the rest of this stack could not be read"]
        yield from wording.incomplete(self.heap)

    def _stack(self, thread: "Thread") -> Iterator[Line]:
        rows = [self._row(depth, id) for depth, id in enumerate(thread.frames)]
        for id, line in zip(thread.frames, aligned(rows, indent="  ")):
            yield line
            if self.locals:
                yield from self._locals(id)

    def _row(self, depth: int, id: int) -> List[Cell]:
        frame = self.heap.frame(id)
        return [
            f"#{depth}",
            hexadecimal(self.heap.node(id).address),
            describe.function(frame),
            describe.location(frame, whole=True),
        ]

    def _locals(self, id: int) -> Iterator[Line]:
        edges = self.heap.frame_locals(id)
        if self.heap.frame(id).function == "<module>":
            yield [f"        the {len(edges)} names of the module"]
            return
        yield from aligned([self._local(edge) for edge in edges], indent=" " * 8)

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
        "Show the Python stack of every thread.",
        "Innermost frame first. --locals adds the local variables that are bound; a "
        "cell variable is shown with the value of its cell. Of a module's own frame only "
        "the number of names is shown. The addresses of threads and frames can be "
        "given to the other commands. --json always has the local variables.",
        (Argument("--locals", FLAG, "with the local variables of each frame"),),
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
