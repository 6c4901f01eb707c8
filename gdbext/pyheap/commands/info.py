# SPDX-License-Identifier: Apache-2.0
"""py-heap-info: what the target is and how much of it was understood."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from pyheap import interpreters, wording
from pyheap.command import FLAG, Answer, Argument, Command, Question
from pyheap.spans import FILENAME, Line, Styled
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import LayoutPart, Type

_MOST_GUESSED = 10
_MOST_FILES = 10
_NO_BUILD_ID = "has no build-id: whether it is the one that the target ran is not known"
_GIVE_FILE = (
    "  give the files with `file FILE`, `set sysroot FOLDER`, or by build-id with"
    " `set debug-file-directory FOLDER`"
)


def version(hexversion: int) -> str:
    """3.12.1, 3.13.0rc2 from sys.hexversion."""
    numbers = ".".join(str(hexversion >> shift & 0xFF) for shift in (24, 16, 8))
    level = {0xA: "a", 0xB: "b", 0xC: "rc"}.get(hexversion >> 4 & 0xF, "")
    return numbers + (f"{level}{hexversion & 0xF}" if level else "")


# Verdicts as they are headed; those that fail are always shown.
_SHOWN = (
    ("fails", "invariants of the layout that do not hold:"),
    ("holds", "invariants that hold:"),
    ("unasked", "invariants that nothing in the target could be asked of:"),
)


def _of(part: "LayoutPart") -> str:
    """A source and its structures."""
    return part.source + (f" ({', '.join(part.structures)})" if part.structures else "")


def _part(part: "LayoutPart") -> Dict[str, Any]:
    return {
        "source": part.source,
        "count": part.structure_count,
        "structures": part.structures,
    }


def _reason(type: "Type") -> str:
    """Why references are guesses."""
    if not type.fault:
        return "the collector does not manage them"
    return (
        f"{type.fault} at 0x{type.fault_pc:x},"
        f" after {wording.counted(type.fault_instructions, 'instruction')}"
        f"{f': {type.fault_file}' if type.fault_file else ''}"
    )


def _guess(type: "Type") -> Dict[str, Any]:
    document: Dict[str, Any] = {"type": type.name, "count": type.guessed, "fault": None}
    if type.fault:
        document["fault"] = {
            "kind": type.fault,
            "pc": f"0x{type.fault_pc:x}",
            "instructions": type.fault_instructions,
            "file": type.fault_file or None,
        }
    return document


class InfoAnswer(Answer):
    """The target, the layout, the counts and the doubts."""

    def __init__(self, question: Question, verbose: bool) -> None:
        self.verbose = verbose
        self.info = question.target().info()
        self.parts = question.target().layout_parts()
        self.invariants = question.target().invariants()
        self.files = [
            (file.path, file.problem or _NO_BUILD_ID)
            for file in question.target().files()
            if file.has_code and (file.problem or not file.has_build_id)
        ]
        self.heap = question.heap()
        self.stats = self.heap.stats()
        self.threads = self.heap.threads()
        self.interpreters = self.heap.interpreters()

    def guessed(self) -> List["Type"]:
        """Types with objects whose references are guesses, the most frequent first."""
        types = [type for type in self.heap.types() if type.guessed]
        return sorted(types, key=lambda type: (-type.guessed, type.name))

    def unreadable(self) -> List["Type"]:
        """Types with objects that could not be read whole, the most frequent first."""
        types = [type for type in self.heap.types() if type.unreadable]
        return sorted(types, key=lambda type: (-type.unreadable, type.name))

    def disputed(self) -> List[Tuple[str, int]]:
        """Types whose tables are not believed, and the objects that show why."""
        return [
            (self.heap.type(dispute.type).name, dispute.object)
            for dispute in self.heap.disputes()
        ]

    def document(self) -> Dict[str, Any]:
        info, stats = self.info, self.stats
        return {
            "version": version(info.version),
            "hexversion": info.version,
            "version_text": info.version_text or None,
            "python": info.python_path or None,
            "build_id": info.build_id or None,
            "build": info.build,
            "file_problem": info.file_problem or None,
            "layout": info.layout_source,
            "layouts": [_part(part) for part in self.parts],
            "invariants": [asked._asdict() for asked in self.invariants],
            "word": info.word,
            "truncated": info.truncated,
            "saved": info.saved or None,
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
            "run_objects": stats.run_objects,
            "run_problem": stats.run_problem or None,
            "unreadable": stats.unreadable,
            "recovered_types": stats.recovered_types,
            "unnamed_objects": stats.unnamed_objects,
            "guessed_types": [_guess(type) for type in self.guessed()],
            "unreadable_types": [
                {"type": type.name, "count": type.unreadable}
                for type in self.unreadable()
            ],
            "files": [
                {"path": path, "problem": problem} for path, problem in self.files
            ],
            "disputed_types": [
                {"type": name, "address": f"0x{address:x}"}
                for name, address in self.disputed()
            ],
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        yield from aligned(self._rows())
        guessed = self.guessed()
        if guessed:
            yield ["objects whose references are guesses:"]
            rows = [(t.guessed, t.name, _reason(t)) for t in guessed[:_MOST_GUESSED]]
            yield from aligned(rows, indent="  ")
            if len(guessed) > _MOST_GUESSED:
                left = wording.number(len(guessed) - _MOST_GUESSED)
                yield [f"  … {left} more types; --json has all"]
        unreadable = self.unreadable()
        if unreadable:
            yield ["objects with references that could not be read:"]
            counts = [(t.unreadable, t.name) for t in unreadable[:_MOST_GUESSED]]
            yield from aligned(counts, indent="  ")
            if len(unreadable) > len(counts):
                yield ["  … more types; --json has all"]
        disputed = self.disputed()
        if disputed:
            yield [
                "types whose table is wrong for this build (tp_traverse is believed):"
            ]
            shown = [(name, f"0x{address:x}") for name, address in disputed]
            yield from aligned(shown, indent="  ")
        yield from self._doubts()
        yield from self._names()
        yield from self._files()
        yield from wording.incomplete(self.heap)

    def _doubts(self) -> Iterator[Line]:
        """Which source gave what, when it was several, and the invariants by name."""
        if len(self.parts) > 1:
            yield ["the layout is composed:"]
            rows = [(part.structure_count, _of(part)) for part in self.parts]
            yield from aligned(rows, indent="  ")
        for verdict, words in _SHOWN:
            asked = [i.words for i in self.invariants if i.verdict == verdict]
            if asked and (self.verbose or verdict == "fails"):
                yield [words]
                for text in asked:
                    yield [f"  {text}"]

    def _runs(self) -> str:
        objects = wording.counted(self.stats.run_objects, "object")
        problem = self.stats.run_problem
        return f"not run: {problem}" if problem else f"run for {objects}"

    def _proof(self) -> str:
        verdicts = [asked.verdict for asked in self.invariants]
        asked = len(verdicts) - verdicts.count("unasked")
        held = verdicts.count("holds")
        return f"{held} of {asked} hold" if held != asked else f"all {asked} hold"

    def _rows(self) -> List[List[Cell]]:
        info, stats = self.info, self.stats
        number = wording.number
        text = info.version_text.partition(" (")[2]
        return [
            ["Python", f"{version(info.version)}{f' ({text}' if text else ''}"],
            ["file", Styled(info.python_path or "unknown", FILENAME)],
            ["build", info.build],
            ["build-id", info.build_id or "none"],
            ["layout from", info.layout_source],
            ["invariants", self._proof()],
            *self._saved(),
            *self._several(),
            ["threads", number(len(self.threads))],
            ["tracked objects", number(stats.tracked) + self._frozen()],
            ["objects", f"{number(stats.objects)}, all that can be reached"],
            ["references", f"{number(stats.edges)}, {self._kinds()}"],
            ["tp_traverse", self._runs()],
            ["unreadable", number(stats.unreadable)],
            ["complete", self._complete()],
        ]

    def _complete(self) -> str:
        if not self.stats.complete:
            return "no"
        guessed = self.stats.guessed_edges
        verb = "is a guess" if guessed == 1 else "are guesses"
        references = wording.counted(guessed, "reference")
        return f"yes, but {references} {verb}" if guessed else "yes"

    def _files(self) -> Iterator[Line]:
        """Those that are not used, or may be others than the target's."""
        if not self.files:
            return
        yield ["files that are not used, or not proven to be the target's:"]
        shown: List[List[Cell]] = [
            [problem] if path in problem else [Styled(path, FILENAME), problem]
            for path, problem in self.files[:_MOST_FILES]
        ]
        yield from aligned(shown, indent="  ")
        if len(self.files) > _MOST_FILES:
            left = wording.number(len(self.files) - _MOST_FILES)
            yield [f"  … {left} more files; --json has all"]
        yield [
            "  `set sysroot FOLDER` or `set debug-file-directory FOLDER` says where to look"
        ]

    def _names(self) -> Iterator[Line]:
        """What the missing file of the interpreter means, and what would help."""
        problem, stats = self.info.file_problem, self.stats
        if problem:
            yield [f"the interpreter's file is not used: {problem}"]
        if stats.recovered_types or stats.unnamed_objects:
            text = f"  names of {wording.counted(stats.recovered_types, 'type')}"
            text += " were recovered from the heap"
            if stats.unnamed_objects:
                objects = wording.counted(stats.unnamed_objects, "object")
                text += f"; {objects} of types whose names are not known (type@0x…)"
            yield [text]
            yield [_GIVE_FILE]

    def _saved(self) -> List[List[Cell]]:
        """A row for what was not read of memory."""
        return [["saved heap", self.info.saved]] if self.info.saved else []

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
    return InfoAnswer(question, args.verbose)


COMMANDS = (
    Command(
        "py-heap-info",
        "Say which Python the target runs and how much of its heap could be read.",
        "Version, file and build-id of the interpreter, where the layout of its "
        "structures is known from, what of memory agreed with it, counts of the heap, "
        "objects whose references are guesses, what could not be read, and files of the "
        "target that are not used or not proven to be its own.",
        (Argument("--verbose", FLAG, "name the invariants of the layout too"),),
        answer,
        """
(gdb) py-heap-info
Python           3.11.2 (main, Oct  7 2026, 12:35:07) [GCC 12.2.0]
file             /usr/bin/python3.11
build            release
build-id         c561f3aa7232f2bd6ac6d56bd475f1c154a00486
layout from      built-in row of this build (3.11.2 c561f3aa)
invariants       all 111 hold
threads          2
tracked objects  8 662
objects          28 958, all that can be reached
references       83 364, 30 069 not seen by the collector
tp_traverse      run for 32 objects
unreadable       0
complete         yes
""",
    ),
)
