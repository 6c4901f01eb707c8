# SPDX-License-Identifier: Apache-2.0
"""py-heap-growth: the heap against an earlier one."""

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence

from pyheap import describe, wording
from pyheap.command import (
    CHOICE,
    FILE,
    FLAG,
    TYPE,
    Answer,
    Argument,
    Command,
    Question,
    limit,
)
from pyheap.errors import HeapError
from pyheap.spans import Line, hexadecimal
from pyheap.table import Cell, aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Baseline, Growth, GrowthHolder, GrowthRow, Heap

LAST = "last"
_HOLDERS_SHOWN = 5
_STEPS_SHOWN = 8
_SAME_PROCESS = 10  # one tracked object in so many is where it was
_ASKED = 3  # of another process' types: how many are asked what holds them


def baseline(question: Question, name: str) -> "Baseline":
    """The heap of an earlier stop, or of a file."""
    if name != LAST:
        with question.heap_of(os.path.expanduser(name)) as heap:
            return heap.baseline()
    kept = question.previous()
    if kept is None:
        raise HeapError(
            "no heap of an earlier stop is known: `py-heap-types --all` there would have"
            " read it; or name a core or a file of py-heap-save"
        )
    return kept


class Measure:
    """What is counted: objects or bytes; in all, or only what came and stayed."""

    def __init__(self, by: str, between: bool) -> None:
        self.by_size, self.between = by == "size", between

    def now(self, row: "GrowthRow") -> int:
        """In the heap."""
        return row.size if self.by_size else row.objects

    def delta(self, row: "GrowthRow") -> int:
        """Since the baseline; of three heaps, what came between two and stayed."""
        if self.between:
            return row.new_size if self.by_size else row.new_objects
        if self.by_size:
            return row.size - row.old_size
        return row.objects - row.old_objects

    def _own(self, row: "GrowthRow") -> int:
        """The delta without the `__dict__`s of new objects, which grow with these."""
        dicts = row.instance_dicts_size if self.by_size else row.instance_dicts
        return self.delta(row) - dicts

    def ordered(
        self, rows: Sequence["GrowthRow"], held: Sequence[int]
    ) -> List["GrowthRow"]:
        """The most growth first; of equals what the others are parts of.

        That is first of all what is held by something long-lived (`held` has the rows of
        these types, in their order), then classes before builtins.
        """
        rank = {place: at for at, place in reversed(list(enumerate(held)))}
        return sorted(
            rows,
            key=lambda row: (
                -self._own(row),
                rank.get(row.place, len(held)),
                "." not in row.type,
                row.type,
            ),
        )


class GrowthAnswer(Answer):
    """Types that grew, and what holds their new objects."""

    def __init__(self, question: Question, growth: "Growth", args: "Namespace") -> None:
        self.heap: "Heap" = question.heap()
        self.growth, self.args = growth, args
        self.measure = Measure(args.by, args.second is not None)
        rows = growth.rows()
        self.by_index = {row.place: row for row in rows}
        self.same_process = growth.matched * _SAME_PROCESS > self.heap.stats().tracked
        wanted = [row for row in rows if self._wanted(row)]
        found = growth.holders() if self.same_process and args.new is None else []
        held = [holder.type for holder in found if holder.type is not None]
        self.rows = self.measure.ordered(wanted, held)
        self.shown = self.rows[: args.limit or None]
        self.of = [row for row in rows if args.new is not None and self._named(row)]
        if args.new is not None and not self.of:
            raise HeapError(
                f"neither heap has a type named '{args.new}':"
                " `py-heap-types` lists those of this one"
            )
        self.holders = found or self._holders(self.of or self.rows[:_ASKED])

    def _wanted(self, row: "GrowthRow") -> bool:
        delta = self.measure.delta(row)
        return delta > 0 or (self.args.all and (delta != 0 or row.new_objects > 0))

    def _named(self, row: "GrowthRow") -> bool:
        name, wanted = row.type, self.args.new
        return name == wanted or (
            "." not in wanted and name.rpartition(".")[2] == wanted
        )

    def _holders(self, rows: Sequence["GrowthRow"]) -> List["GrowthHolder"]:
        """What holds the new objects of some types: all of one, or those that grew most.

        Of another process everything is new: what holds all that says nothing.
        """
        if self.args.new is None:
            return [holder for row in rows for holder in self.growth.holders(row)[:1]]
        found = [holder for row in rows for holder in self.growth.holders(row)]
        return sorted(found, key=lambda holder: -holder.objects)

    def _new(self) -> List[int]:
        return [id for row in self.of for id in self.growth.new(row)]

    # ---- for a program ----

    def document(self) -> Dict[str, Any]:
        new: Dict[str, Any] = {}
        if self.args.new is not None:
            ids = self._new()
            shown = ids[: self.args.limit or None]
            objects = [self._object(id) for id in shown]
            new = {"new": {"total": len(ids), "objects": objects}}
        return {
            "matched": self.growth.matched,
            "types": [self._row(row) for row in self.shown],
            "total": {"types": len(self.rows)},
            "holders": [self._holder(h) for h in self._shown_holders()],
            **new,
            **wording.completeness(self.heap),
        }

    def _shown_holders(self) -> List["GrowthHolder"]:
        return self.holders[: self.args.limit or None]

    def _object(self, id: int) -> Dict[str, Any]:
        node = describe.node_document(self.heap, id)
        return {**node, "size": self.heap.node(id).size}

    @staticmethod
    def _row(row: "GrowthRow") -> Dict[str, Any]:
        return {
            "type": row.type,
            "old_count": row.old_objects,
            "count": row.objects,
            "delta": row.objects - row.old_objects,
            "old_size": row.old_size,
            "size": row.size,
            "size_delta": row.size - row.old_size,
            "new": row.new_objects,
            "new_size": row.new_size,
            "instance_dicts": row.instance_dicts,
        }

    def _holder(self, holder: "GrowthHolder") -> Dict[str, Any]:
        return {
            "type": self._type(holder),
            "direct": holder.direct,
            "objects": holder.objects,
            "size": holder.size,
            "holder": self._node(holder.holder),
            "long_lived": self._node(holder.long_lived),
            "path": self._path(holder),
        }

    def _node(self, id: Optional[int]) -> Optional[Dict[str, Any]]:
        return None if id is None else describe.node_document(self.heap, id)

    def _path(self, holder: "GrowthHolder") -> List[Dict[str, Any]]:
        """From a root down to the holder; the root first, without a label."""
        if holder.holder is None:
            return []
        for path in self.heap.why(holder.holder, 1):
            root = {**describe.node_document(self.heap, path.root), "label": None}
            steps = [
                describe.edge_document(self.heap, edge, edge.referent)
                for edge in path.edges
            ]
            return [root, *steps]
        return []

    def _type(self, holder: "GrowthHolder") -> Optional[str]:
        return None if holder.type is None else self.by_index[holder.type].type

    # ---- for a person ----

    def lines(self) -> Iterator[Line]:
        if not self.same_process:
            yield [
                "hardly an object of the baseline is where it was: it is of another"
                " process; counts compare, and all objects are new"
            ]
        if self.of:
            yield from self._new_lines()
        yield from self._holder_lines()
        if not self.of:
            yield from self._table()
        yield from wording.incomplete(self.heap)

    def _table(self) -> Iterator[Line]:
        if not self.rows:
            yield ["nothing grew"]
            return
        columns = self._ids if self.args.ids else self._columns
        header = (
            ("type", "old ids", "current ids", "new ids", "count deltas")
            if self.args.ids
            else ("type", self.args.by, "kept" if self.measure.between else "delta")
        )
        yield from _right_aligned(header, [columns(row) for row in self.shown])
        yield from wording.cut(len(self.rows) - len(self.shown), "types")
        for row in self.rows:
            if row.instance_dicts:
                number = wording.number(row.instance_dicts)
                yield [f"{number} of the new dicts are the __dict__ of new objects"]

    def _columns(self, row: "GrowthRow") -> List[str]:
        return [
            row.type,
            str(self.measure.now(row)),
            f"{self.measure.delta(row):+d}",
        ]

    @staticmethod
    def _ids(row: "GrowthRow") -> List[str]:
        return [
            row.type,
            str(row.old_objects),
            str(row.objects),
            f"{row.new_objects:+d}",
            f"{row.objects - row.old_objects:+d}",
        ]

    def _new_lines(self) -> Iterator[Line]:
        ids = self._new()
        shown = ids[: self.args.limit or None]
        rows: List[List[Cell]] = [
            [
                hexadecimal(self.heap.node(id).address),
                self.heap.node(id).size,
                describe.named(self.heap, id),
            ]
            for id in shown
        ]
        what = self.of[0].type
        yield [f"{wording.number(len(ids))} new {what}"]
        if rows:
            yield from aligned(rows, header=("address", "size", "object"))
        yield from wording.cut(len(ids) - len(shown), "objects")

    def _holder_lines(self) -> Iterator[Line]:
        for holder in self.holders[:_HOLDERS_SHOWN]:
            yield self._title(holder)
            steps = self._path(holder)
            if len(steps) > 1:
                yield [f"  {_way(steps)}"]
        left = len(self.holders) - _HOLDERS_SHOWN
        if left > 0:
            yield [f"… {wording.number(left)} more holders; --json has all"]

    def _title(self, holder: "GrowthHolder") -> Line:
        behind = (
            f"{wording.counted(holder.objects, 'new object')},"
            f" {wording.counted(holder.size, 'byte')}"
        )
        if holder.holder is None:
            return [f"{behind}, which nothing long-lived leads to: garbage, perhaps"]
        what = self._type(holder)
        which = f"{wording.number(holder.direct)} new {what}" if what else "itself"
        address = hexadecimal(self.heap.node(holder.holder).address)
        held = describe.named(self.heap, holder.holder)
        return [f"{which} in {held} ", address, f": {behind}"]


def _way(steps: List[Dict[str, Any]]) -> str:
    """`module app: __dict__ value['SERVER'] .sessions`, cut in its middle."""
    labels = [step["label"] for step in steps[1:]]
    way = " ".join(wording.shortened(labels, _STEPS_SHOWN))
    return f"{steps[0]['annotation']}: {way}"


def _right_aligned(header: Sequence[str], rows: List[List[str]]) -> Iterator[Line]:
    """objgraph's table: the type to the left, numbers with their signs to the right."""
    cells = [list(header), *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for first, *others in cells:
        line = first.ljust(min(widths[0], 60))
        for text, width in zip(others, widths[1:]):
            line += "  " + text.rjust(width)
        yield [line]


def answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-growth."""
    heap = question.heap()  # first of all: `last` is what it takes the place of
    first = baseline(question, args.first)
    second = baseline(question, args.second) if args.second is not None else None
    growth = heap.growth(first, second, args.untracked)
    return GrowthAnswer(question, growth, args)


COMMANDS = (
    Command(
        "py-heap-growth",
        "Show what grew since an earlier heap, and what holds the new objects.",
        "FIRST is another core, a file of py-heap-save, or `last`: the heap of the previous "
        "stop in this gdb session, if a command read it. Types are matched by name; an object "
        "is new when FIRST has none of its type at its address. New objects come first, by what "
        "they have in common: the nearest node that holds them all, and how it is reached; "
        "`py-heap-growth FIRST --new TYPE` asks that of one type, and lists its objects. "
        "Then objgraph's table: type, count, delta, the most growth first. Dicts that are the "
        "`__dict__` of new objects (up to 3.10 each instance has one) are not counted for that "
        "order: they grow with the class. If "
        "FIRST is of another process of the program, counts compare, all objects are new, and "
        "what holds them is asked of the three types that grew most. With SECOND, a heap between FIRST and this "
        "one, only what appeared between the two and is still there counts as new. Tracked "
        "objects are counted; with --untracked strings, numbers and others too.",
        (
            Argument(
                "FIRST",
                FILE,
                "a core, a file of py-heap-save, or `last`",
                required=True,
            ),
            Argument("SECOND", FILE, "likewise; a later one"),
            limit(10, "types"),
            Argument(
                "--by",
                CHOICE,
                "what to compare; count unless told",
                "count",
                choices=("count", "size"),
            ),
            Argument("--all", FLAG, "types that lost objects, too"),
            Argument(
                "--new", TYPE, "list the new objects of this type", metavar="TYPE"
            ),
            Argument("--ids", FLAG, "the columns of objgraph's get_new_ids"),
            Argument("--untracked", FLAG, "everything reachable, not only tracked"),
        ),
        answer,
        """
(gdb) py-heap-growth before.core
400 new __main__.Session in dict[1200] 0x7fc6a1b4d200: 1 200 new objects, 99 200 bytes
  module __main__: __dict__ value['SERVER'] .sessions
type              count  delta
__main__.Session   1200   +400
list               1353   +400
""",
    ),
)
