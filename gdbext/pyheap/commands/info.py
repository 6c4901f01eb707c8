# SPDX-License-Identifier: Apache-2.0
"""py-heap-info: what the target is and how much of it was understood."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from pyheap import interpreters, wording
from pyheap.command import Answer, Command, Question
from pyheap.spans import FILENAME, Line, Styled
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

_MOST_GUESSED = 10


def version(hexversion: int) -> str:
    """3.12.1, 3.13.0rc2 from sys.hexversion."""
    numbers = ".".join(str(hexversion >> shift & 0xFF) for shift in (24, 16, 8))
    level = {0xA: "a", 0xB: "b", 0xC: "rc"}.get(hexversion >> 4 & 0xF, "")
    return numbers + (f"{level}{hexversion & 0xF}" if level else "")


class InfoAnswer(Answer):
    """The target, the layout, the counts and the doubts."""

    def __init__(self, question: Question) -> None:
        self.info = question.target().info()
        self.heap = question.heap()
        self.stats = self.heap.stats()
        self.threads = self.heap.threads()
        self.interpreters = self.heap.interpreters()

    def guessed(self) -> List[Tuple[str, int]]:
        """Types without a table and their objects, the most frequent first."""
        counts: Dict[str, int] = {}
        for type in self.heap.types():
            if type.guessed and type.objects:
                counts[type.name] = counts.get(type.name, 0) + type.objects
        return sorted(counts.items(), key=lambda row: (-row[1], row[0]))

    def document(self) -> Dict[str, Any]:
        info, stats = self.info, self.stats
        return {
            "version": version(info.version),
            "hexversion": info.version,
            "version_text": info.version_text or None,
            "python": info.python_path or None,
            "build_id": info.build_id or None,
            "layout": info.layout_source,
            "word": info.word,
            "truncated": info.truncated,
            "interpreters": [interpreters.document(i) for i in self.interpreters],
            "threads": len(self.threads),
            "nodes": stats.nodes,
            "objects": stats.objects,
            "tracked": stats.tracked,
            "permanent": stats.permanent,
            "references": stats.edges,
            "extra_references": stats.extra_edges,
            "guessed_references": stats.guessed_edges,
            "guessed_objects": stats.guessed_objects,
            "guessed_types": [
                {"type": name, "count": count} for name, count in self.guessed()
            ],
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        yield from aligned(self._rows())
        guessed = self.guessed()
        if guessed:
            yield ["types without a table, whose references are guesses:"]
            rows = [(count, name) for name, count in guessed[:_MOST_GUESSED]]
            yield from aligned(rows, indent="  ")
            if len(guessed) > _MOST_GUESSED:
                left = wording.number(len(guessed) - _MOST_GUESSED)
                yield [f"  … {left} more types; --json has all"]
        if self.info.truncated:
            yield ["the core file is shorter than it says: a part of it is missing"]
        yield from wording.incomplete(self.heap)

    def _rows(self) -> List[List[Cell]]:
        info, stats = self.info, self.stats
        number = wording.number
        text = info.version_text.partition(" (")[2]
        return [
            ["Python", f"{version(info.version)}{f' ({text}' if text else ''}"],
            ["file", Styled(info.python_path or "unknown", FILENAME)],
            ["build-id", info.build_id or "none"],
            ["layout from", info.layout_source],
            *self._several(),
            ["threads", number(len(self.threads))],
            ["tracked objects", number(stats.tracked) + self._frozen()],
            ["objects", f"{number(stats.objects)}, all that can be reached"],
            ["references", f"{number(stats.edges)}, {self._kinds()}"],
            ["complete", "yes" if stats.complete else "no"],
        ]

    def _several(self) -> List[List[Cell]]:
        """A row for each interpreter, if there are several."""
        if len(self.interpreters) == 1:
            return []
        rows: List[List[Cell]] = []
        for interpreter in self.interpreters:
            name = f"interpreter {interpreter.number}"
            objects = wording.counted(interpreter.tracked, "tracked object")
            shared = "shares the collector"
            rows.append([name, objects if interpreter.has_collector else shared])
        return rows

    def _frozen(self) -> str:
        if not self.stats.permanent:
            return ""
        return (
            f", and {wording.number(self.stats.permanent)} in the permanent generation"
        )

    def _kinds(self) -> str:
        stats = self.stats
        kinds = f"{wording.number(stats.extra_edges)} not seen by the collector"
        if stats.guessed_edges:
            kinds += f", {wording.number(stats.guessed_edges)} guessed"
        return kinds


def answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-info."""
    return InfoAnswer(question)


COMMANDS = (
    Command(
        "py-heap-info",
        "Say which Python the target runs and how much of its heap could be read.",
        "Version, file and build-id of the interpreter, where the layout of its "
        "structures is known from, counts of the heap, types whose references are "
        "guesses, and what could not be read.",
        (),
        answer,
        """
(gdb) py-heap-info
Python           3.11.2 (main, Oct  7 2026, 12:35:07) [GCC 12.2.0]
file             /usr/bin/python3.11
build-id         c561f3aa7232f2bd6ac6d56bd475f1c154a00486
layout from      DWARF
threads          2
tracked objects  8 662
objects          28 958, all that can be reached
references       83 357, 30 069 not seen by the collector, 29 guessed
complete         yes
types without a table, whose references are guesses:
  13  _struct.Struct
   …
""",
    ),
)
