# SPDX-License-Identifier: Apache-2.0
"""py-heap-types: objects and bytes per type."""

from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
)

from pyheap import interpreters, wording
from pyheap.command import (
    CHOICE,
    FLAG,
    PATTERN,
    Answer,
    Argument,
    Command,
    Question,
    limit,
)
from pyheap.errors import UsageError
from pyheap.spans import Line
from pyheap.table import aligned

if TYPE_CHECKING:
    from argparse import Namespace

from pyheap.walk import Counts, Heap, Interpreter


class Row(NamedTuple):
    """A type name with its objects; types of the same name count together."""

    type: str
    objects: int
    bytes: int

    def document(self) -> Dict[str, Any]:
        """An entry of a document."""
        return {"type": self.type, "count": self.objects, "size": self.bytes}


def matches(name: str, pattern: str) -> bool:
    """Whether a type is asked for: by a glob, or by a part of its name."""
    if wording.is_glob(pattern):
        return wording.matches(name, pattern)
    return pattern in name


def count_types(
    heap: "Heap",
    everything: bool,
    pattern: str,
    interpreter: Optional["Interpreter"] = None,
) -> List[Row]:
    """Objects and bytes per type name: all, tracked, or tracked by an interpreter."""
    counts: Dict[str, List[int]] = {}
    totals = heap.totals(interpreter) if interpreter else []
    for index, type in enumerate(heap.types()):
        if not type.address or not matches(type.name, pattern):
            continue  # an address of 0: not a type of objects
        objects, size = type.tracked, type.tracked_size
        if interpreter:
            objects, size = totals[index]
        elif everything:
            objects, size = type.objects, type.size
        add(counts, type.name, objects, size)
    return rows_of(counts)


def add(totals: Dict[str, List[int]], name: str, objects: int, size: int) -> None:
    """Adds to what there is of a type's name."""
    row = totals.setdefault(name, [0, 0])
    row[0] += objects
    row[1] += size


def rows_of(totals: Dict[str, List[int]]) -> List[Row]:
    """The names that have objects."""
    return [Row(name, *row) for name, row in totals.items() if row[0]]


def ordered(rows: Iterable[Row], by: str) -> List[Row]:
    """The most first; equal ones by name."""
    if by == "size":
        return sorted(rows, key=lambda row: (-row.bytes, -row.objects, row.type))
    return sorted(rows, key=lambda row: (-row.objects, -row.bytes, row.type))


def total_of(rows: List[Row]) -> Row:
    """All rows in one."""
    return Row("", sum(row.objects for row in rows), sum(row.bytes for row in rows))


def table(rows: List[Row], shown: List[Row]) -> Iterator[Line]:
    """Some of the rows, and how many more there are."""
    if rows:
        yield from aligned(
            [(row.objects, row.bytes, row.type) for row in shown],
            header=("count", "size", "type"),
        )
    yield from wording.cut(len(rows) - len(shown), "types")


def summary(rows: List[Row], which: str, pattern: str) -> str:
    """What the rows are in all."""
    total = total_of(rows)
    text = (
        f"{wording.counted(total.objects, which)} of"
        f" {wording.counted(len(rows), 'type')},"
        f" {wording.counted(total.bytes, 'byte')}"
    )
    return f"{text}, matching '{pattern}'" if pattern else text


class TypesAnswer(Answer):
    """Types, the most frequent or the largest first."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        self.heap, self.everything, self.pattern = heap, args.all, args.pattern or ""
        self.interpreter = interpreters.with_objects(heap, args)
        if self.interpreter and args.all:
            raise UsageError(
                "py-heap-types: --interpreter counts tracked objects; what is not"
                " tracked belongs to no interpreter: leave out --all"
            )
        rows = count_types(heap, args.all, self.pattern, self.interpreter)
        self.rows, self.total = ordered(rows, args.by), total_of(rows)
        self.shown = self.rows[: args.limit or None]

    def document(self) -> Dict[str, Any]:
        stats, total = self.heap.stats(), self.total
        whose = {"interpreter": self.interpreter.number} if self.interpreter else {}
        return {
            **whose,
            "tracked": stats.tracked,
            "objects": stats.objects,
            "types": [row.document() for row in self.shown],
            "total": {
                "types": len(self.rows),
                "count": total.objects,
                "size": total.bytes,
            },
            "guessed_objects": stats.guessed_objects,
            "unnamed_objects": stats.unnamed_objects,
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        yield from table(self.rows, self.shown)
        yield [self._summary()]
        yield from wording.unnamed(self.heap.stats())
        if not self.pattern:
            yield from wording.guesses(self.heap)
        yield from wording.incomplete(self.heap)

    def _summary(self) -> str:
        which = "object" if self.everything else "tracked object"
        text = summary(self.rows, which, self.pattern)
        if self.interpreter:
            return f"{text}, of interpreter {self.interpreter.number}"
        if not self.everything:
            everything = total_of(count_types(self.heap, True, self.pattern))
            text += f"; {wording.counted(everything.objects, 'object')} with --all"
        return text


class CountedTypes(Answer):
    """The tracked objects for a person, as long as nothing else asks for a heap."""

    def __init__(self, counts: "Counts", args: "Namespace") -> None:
        self.stats, self.pattern = counts.stats, args.pattern or ""
        totals: Dict[str, List[int]] = {}
        for type in counts.types:
            if matches(type.name, self.pattern):
                add(totals, type.name, type.tracked, type.tracked_size)
        self.rows = ordered(rows_of(totals), args.by)
        self.shown = self.rows[: args.limit or None]

    def lines(self) -> Iterator[Line]:
        yield from table(self.rows, self.shown)
        text = summary(self.rows, "tracked object", self.pattern)
        yield [f"{text}; --all counts everything reachable"]
        yield from wording.unnamed(self.stats)
        yield from wording.shortcomings(self.stats)


def answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-types."""
    only_tracked = not args.all and args.interpreter is None and not args.json
    if only_tracked and not question.known_heap():
        counts = question.target().counts()
        if not counts.stats.collecting:  # else references lead to more tracked objects
            return CountedTypes(counts, args)
    return TypesAnswer(question.heap(), args)


COMMANDS = (
    Command(
        "py-heap-types",
        "Count the objects of each Python type, and their bytes.",
        "Counts what gc.get_objects() would return: the objects that the cyclic "
        "garbage collector tracks. With --all, everything that is reachable from them, "
        "from the threads' frames and from the interpreter counts too: strings, numbers, code. "
        "Sizes are sys.getsizeof()'s, but for what some types of C modules add in a __sizeof__ "
        "of their own. A type is named module.qualname, builtins bare. "
        "PATTERN is a glob (`*Session`) or a part of the name (`asyncio`). In a process with "
        "several interpreters, --interpreter takes the number of one: 0 is the main one.",
        (
            Argument("PATTERN", PATTERN, "only types whose name matches"),
            limit(20, "types"),
            Argument("--all", FLAG, "everything reachable, not only what is tracked"),
            Argument(
                "--by",
                CHOICE,
                "what to sort by; count unless told",
                "count",
                choices=("count", "size"),
            ),
            interpreters.option("only what the collector of this interpreter tracks"),
        ),
        answer,
        """
(gdb) py-heap-types --limit 3
count    size  type
 1387  210824  function
 1177   84744  wrapper_descriptor
  850  374416  dict
… 105 more types; --limit 0 shows all
8 662 tracked objects of 108 types, 1 612 632 bytes; --all counts everything reachable
""",
    ),
)
