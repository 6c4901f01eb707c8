# SPDX-License-Identifier: Apache-2.0
"""py-heap-save, py-heap-load: a heap in a file."""

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional

from pyheap import wording
from pyheap.command import FILE, FLAG, Answer, Argument, Command, Question
from pyheap.errors import UsageError
from pyheap.spans import FILENAME, Line, Styled

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Heap


class SavedAnswer(Answer):
    """Which file, and what is in it."""

    def __init__(self, heap: "Heap", path: str, verb: str, values: bool) -> None:
        self.heap, self.path, self.verb, self.values = heap, path, verb, values

    def document(self) -> Dict[str, Any]:
        stats = self.heap.stats()
        return {
            "file": self.path,
            "bytes": os.stat(self.path).st_size,
            "values": self.values,
            "objects": stats.objects,
            "references": stats.edges,
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        stats = self.heap.stats()
        size = wording.counted(os.stat(self.path).st_size, "byte")
        yield [
            f"{self.verb} ",
            Styled(self.path, FILENAME),
            f": {wording.counted(stats.objects, 'object')},"
            f" {wording.counted(stats.edges, 'reference')}, {size}"
            + ("" if self.values else "; without values"),
        ]
        yield from wording.incomplete(self.heap)


class UnloadedAnswer(Answer):
    """That no saved heap stands in front of the target any more."""

    def __init__(self, was: bool) -> None:
        self.was = was

    def document(self) -> Dict[str, Any]:
        return {"file": None, "was_loaded": self.was}

    def lines(self) -> Iterator[Line]:
        yield ["the selected target is asked again" if self.was else "none was loaded"]


def save_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-save."""
    path = os.path.expanduser(args.file)
    values = not args.no_values and question.target().info().saved != "without values"
    question.save(path, values)
    return SavedAnswer(question.heap(), path, "saved", values)


def load_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-load."""
    given: Optional[str] = args.file
    if (given is None) != args.off:
        raise UsageError("py-heap-load: give a file of py-heap-save, or --off")
    path = None if given is None else os.path.expanduser(given)
    was = question.load(path)
    if path is None:
        return UnloadedAnswer(was)
    values = question.target().info().saved != "without values"
    return SavedAnswer(question.heap(), path, "loaded", values)


COMMANDS = (
    Command(
        "py-heap-save",
        "Save the heap to a file, to ask it later or to compare with it.",
        "The file (docs/heap-file.md) answers every question about objects, references and "
        "frames that the core did, is a fraction of its size, and needs neither core nor "
        "binaries. With --no-values the reprs of str, bytes, int and all other values are not "
        "in it, nor the keys of dicts: `value['name']` becomes `value[…]`. What stays is what "
        "code is called: types, functions, modules, files, attributes, variables, threads; and "
        "addresses, sizes, counts of references.",
        (
            Argument("FILE", FILE, "what to write; it is replaced", required=True),
            Argument("--no-values", FLAG, "leave out values, and keys of dicts"),
        ),
        save_answer,
        """
(gdb) py-heap-save before.heap --no-values
saved before.heap: 28 958 objects, 83 364 references, 502 515 bytes; without values
""",
    ),
    Command(
        "py-heap-load",
        "Ask a saved heap from now on.",
        "All commands answer from the file, until another is loaded, another target is "
        "selected, the process runs, or `py-heap-load --off`. No target is needed.",
        (
            Argument("FILE", FILE, "a file of py-heap-save"),
            Argument("--off", FLAG, "ask the selected target again"),
        ),
        load_answer,
        """
(gdb) py-heap-load before.heap
loaded before.heap: 28 958 objects, 83 364 references, 804 581 bytes
""",
    ),
)
