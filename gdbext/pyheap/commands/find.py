# SPDX-License-Identifier: Apache-2.0
"""py-heap-find: the objects of a type."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence

from pyheap import describe, interpreters, wording
from pyheap.command import TYPE, Answer, Argument, Command, Question, limit
from pyheap.spans import Line, hexadecimal
from pyheap.table import aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Heap, Interpreter


def similar(heap: "Heap", name: str, most: int = 3) -> List[str]:
    """Names of types that contain this one in any case."""
    wanted = name.rpartition(".")[2].lower()
    found = {t.name for t in heap.types() if t.address and wanted in t.name.lower()}
    return sorted(found, key=lambda name: (len(name), name))[:most]


def names_like(heap: "Heap", pattern: str) -> List[str]:
    """The names of types that match a glob; what is none stands for itself."""
    if not wording.is_glob(pattern):
        return [pattern]
    return sorted({t.name for t in heap.types() if wording.matches(t.name, pattern)})


def find(
    heap: "Heap", name: str, interpreter: Optional["Interpreter"]
) -> Sequence[int]:
    """The objects of the type of that name; of all that match, if it is a glob."""
    named = heap.find(name, interpreter)
    if named or not wording.is_glob(name):
        return named
    matching = {
        t.name for t in heap.types() if t.address and wording.matches(t.name, name)
    }
    found = [id for each in matching for id in heap.find(each, interpreter)]
    return sorted(found, key=lambda id: heap.node(id).address)


class FindAnswer(Answer):
    """Objects of a type in order of address."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        self.heap, self.type = heap, args.type
        self.interpreter = interpreters.with_objects(heap, args)
        self.ids = find(heap, args.type, self.interpreter)
        self.shown = self.ids[: args.limit or None]

    def document(self) -> Dict[str, Any]:
        return {
            "total": len(self.ids),
            "objects": [self._object(id) for id in self.shown],
            **wording.completeness(self.heap),
        }

    def _object(self, id: int) -> Dict[str, Any]:
        return {
            **describe.node_document(self.heap, id),
            "size": self.heap.node(id).size,
        }

    def lines(self) -> Iterator[Line]:
        if self.shown:
            yield from aligned(
                [
                    (
                        hexadecimal(self.heap.node(id).address),
                        self.heap.node(id).size,
                        describe.named(self.heap, id),
                    )
                    for id in self.shown
                ],
                header=("address", "size", "object"),
            )
        else:
            yield [self._nothing()]
        left = len(self.ids) - len(self.shown)
        yield from describe.footer(self.heap, left, "objects")

    def _nothing(self) -> str:
        text = f"no object of a type named '{self.type}'"
        if self.interpreter and find(self.heap, self.type, None):
            return f"{text} is of this interpreter; there are some of others"
        names = similar(self.heap, self.type)
        if names:
            text += f"; there are objects of {', '.join(names)}"
        return text


def answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-find."""
    return FindAnswer(question.heap(), args)


COMMANDS = (
    Command(
        "py-heap-find",
        "List the Python objects of a type.",
        "A name with a dot is module-qualified and must match whole; one without a dot "
        "also matches the last part of a qualified name: `Session` finds objects of "
        "`app.Session`. A glob (`Sess*`) finds those of all types that match so. Objects of "
        "subclasses are not listed.",
        (
            Argument("TYPE", TYPE, "the name of the type", required=True),
            limit(20, "objects"),
            interpreters.option("only what the collector of this interpreter tracks"),
        ),
        answer,
        """
(gdb) py-heap-find SomeComputation
address         size  object
0x7f888a368b50    56  __main__.SomeComputation
""",
    ),
)
