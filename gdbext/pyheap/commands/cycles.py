# SPDX-License-Identifier: Apache-2.0
"""py-heap-cycles, py-heap-garbage, py-heap-leaks: what keeps itself alive, or nothing does."""

from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from pyheap import describe, interpreters, wording
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
from pyheap.commands.chains import down
from pyheap.commands.types import Row, matches, ordered, total_of
from pyheap.image_options import IMAGE
from pyheap.spans import Line, hexadecimal
from pyheap.table import aligned

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.picture import Written
    from pyheap.walk import Component, Garbage, Heap, Path

_TYPES_NAMED = 4  # of a component, in its heading
_MANY = 1000
_STEPS_SHOWN = 10  # of a sample cycle
_LOOKED_AT = 256  # nodes of a component among which one is chosen for the sample cycle


def rows_of(heap: "Heap", ids: Sequence[int]) -> List[Row]:
    """Some objects per type name: added up in C if they are many."""
    counts: Dict[str, List[int]] = {}
    for name, objects, size in (_totals if len(ids) > _MANY else _each)(heap, ids):
        row = counts.setdefault(name, [0, 0])
        row[0] += objects
        row[1] += size
    return [Row(name, *row) for name, row in counts.items()]


def _each(heap: "Heap", ids: Sequence[int]) -> Iterator[Tuple[str, int, int]]:
    names: Dict[int, str] = {}
    for id in ids:
        node = heap.node(id)
        if node.type not in names:
            names[node.type] = heap.type(node.type).name
        yield names[node.type], 1, node.size


def _totals(heap: "Heap", ids: Sequence[int]) -> Iterator[Tuple[str, int, int]]:
    from pyheap.walk import Ids, Part

    part = Part(ids if isinstance(ids, Ids) else Ids.of(ids))
    for type, total in zip(heap.types(), heap.part_totals(part)):
        if total.objects:
            yield type.name, total.objects, total.size


class Cycle(NamedTuple):
    """A strongly connected component as people and programs see it."""

    component: "Component"
    types: List[Row]
    path: Optional["Path"]  # a shortest cycle; None: it has none
    garbage: bool

    def document(self, heap: "Heap") -> Dict[str, Any]:
        """For a program."""
        return {
            "count": len(self.component.ids),
            "size": self.component.size,
            "garbage": self.garbage,
            "source": self.component.source,
            "types": [row.document() for row in self.types],
            "objects": [f"{heap.node(id).address:#x}" for id in self.component.ids],
            "cycle": self._steps(heap),
        }

    def _steps(self, heap: "Heap") -> Optional[Dict[str, Any]]:
        if self.path is None:
            return None
        return {
            "root": describe.node_document(heap, self.path.root),
            "steps": [
                describe.edge_document(heap, edge, edge.referent)
                for edge in self.path.edges
            ],
        }

    def lines(self, heap: "Heap", mark: str = "") -> Iterator[Line]:
        """For a person: how large, of what types, the sample; garbage has a mark."""
        objects = wording.counted(len(self.component.ids), "object")
        size = wording.counted(self.component.size, "byte")
        named = [f"{wording.number(r.objects)} {r.type}" for r in self.types]
        more = ", …" if len(named) > _TYPES_NAMED else ""
        garbage = mark if self.garbage else ""
        types = f"{', '.join(named[:_TYPES_NAMED])}{more}"
        yield [f"{objects}, {size}{garbage}: {types}"]
        root = self.component.ids[0] if self.path is None else self.path.root
        yield ["  ", *_title(heap, root)]
        if self.path is not None:
            more = f"`py-heap-cycle {heap.node(root).address:#x}` shows all"
            how = {"indent": "    ", "most": _STEPS_SHOWN, "more": more}
            yield from down(heap, self.path, **how)


def _title(heap: "Heap", id: int) -> Line:
    return [f"{describe.named(heap, id)} ", hexadecimal(heap.node(id).address)]


def cycle_of(
    heap: "Heap", component: "Component", seen: bool, garbage: "Garbage"
) -> Cycle:
    """A component with its types and a cycle of it."""
    from pyheap.walk import Part

    part = Part(component.ids, seen)
    path = heap.cycle(_telling(heap, component.ids), part) if component.cyclic else None
    types = ordered(rows_of(heap, component.ids), "count")
    return Cycle(component, types, path, garbage.ids.has(component.ids[0]))


def _telling(heap: "Heap", ids: Sequence[int]) -> int:
    """An object whose cycle says most: of a type that is not built in, if there is one."""
    for id in ids[:_LOOKED_AT]:
        if "." in heap.type(heap.node(id).type).name:
            return id
    return ids[0]


class CyclesAnswer(Answer):
    """Strongly connected components, the largest first."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        from pyheap.walk import Part

        self.heap, self.everything = heap, args.all
        self.picture: Optional["Written"] = None
        part = Part() if args.all else Part(heap.tracked(), seen=True)
        found: Sequence["Component"] = heap.components(part)
        if args.by == "size":
            found = sorted(found, key=lambda c: (-c.size, -len(c.ids), c.ids[0]))
        self.found = found
        garbage = heap.garbage()
        self.shown = [
            cycle_of(heap, component, not args.all, garbage)
            for component in found[: args.limit or None]
        ]
        if args.image is not None:
            from pyheap.images import of_edges

            paths = [cycle.path for cycle in self.shown if cycle.path]
            starts = [path.root for path in paths]
            edges = [edge for path in paths for edge in path.edges]
            self.picture = of_edges(heap, starts, edges, False, args)

    def document(self) -> Dict[str, Any]:
        return {
            "total": len(self.found),
            "objects": sum(len(component.ids) for component in self.found),
            "components": [cycle.document(self.heap) for cycle in self.shown],
            **({"image": self.picture.file} if self.picture else {}),
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        if self.picture:
            yield [self.picture.words]
        for cycle in self.shown:
            yield from cycle.lines(self.heap, ", garbage")
        yield from wording.cut(len(self.found) - len(self.shown), "components")
        objects = sum(len(component.ids) for component in self.found)
        whole = self.heap.stats()
        of = (
            wording.counted(whole.objects, "object")
            if self.everything
            else wording.counted(whole.tracked, "tracked object")
        )
        yield [
            f"{wording.counted(len(self.found), 'strongly connected component')}:"
            f" {wording.number(objects)} of {of} are part of a cycle"
        ]
        yield from wording.incomplete(self.heap)


class GarbageAnswer(Answer):
    """What the collector would find, by type; its key cycles."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        from pyheap.walk import Part

        self.heap, self.limit = heap, args.limit or None
        self.interpreter = interpreters.with_objects(heap, args)
        self.garbage = heap.garbage(self.interpreter)
        self.saved = heap.uncollectable()
        ids = self.garbage.ids
        self.rows = ordered(rows_of(heap, ids), args.by)
        components = heap.components(Part(ids, seen=True), singletons=True)
        self.cyclic = sum(1 for component in components if component.cyclic)
        self.keys = [component for component in components if component.source]
        self.cycles = [
            cycle_of(heap, component, True, self.garbage)
            for component in self.keys[: self.limit]
        ]

    def document(self) -> Dict[str, Any]:
        total, shown = total_of(self.rows), self.rows[: self.limit]
        whose = {"interpreter": self.interpreter.number} if self.interpreter else {}
        return {
            **whose,
            "types": [row.document() for row in shown],
            "total": {
                "types": len(self.rows),
                "count": total.objects,
                "size": total.bytes,
            },
            "objects": list(self._objects()),
            "components": self.cyclic,
            "key_cycles": [cycle.document(self.heap) for cycle in self.cycles],
            "saved": [
                describe.node_document(self.heap, id) for id in self.saved[: self.limit]
            ],
            "exact": self.garbage.exact,
            **wording.completeness(self.heap),
        }

    def _objects(self) -> Iterator[Dict[str, Any]]:
        ids = self.garbage.ids[: self.limit]
        for id, flags in zip(ids, self.garbage.flags):
            yield {
                **describe.node_document(self.heap, id),
                "size": self.heap.node(id).size,
                **{name: bool(flags & flag) for name, flag in _flags()},
            }

    def lines(self) -> Iterator[Line]:
        if self.rows:
            yield from aligned(
                [(r.objects, r.bytes, r.type) for r in self.rows[: self.limit]],
                header=("count", "size", "type"),
            )
            left = len(self.rows) - len(self.rows[: self.limit])
            yield from wording.cut(left, "types")
        yield [self._summary()]
        yield from self._finalizers()
        if self.saved:
            yield [f"{wording.counted(len(self.saved), 'object')} in gc.garbage"]
            yield from self._listed(self.saved)
        if self.keys:
            yield [
                f"{wording.counted(len(self.keys), 'key cycle')}, to which no other"
                f" garbage refers, of {wording.counted(self.cyclic, 'cycle')}:"
            ]
        for cycle in self.cycles:
            yield from cycle.lines(self.heap)
        yield from wording.cut(len(self.keys) - len(self.cycles), "key cycles")
        if not self.garbage.exact:
            yield from wording.guesses(self.heap)
        yield from wording.incomplete(self.heap)

    def _summary(self) -> str:
        total = total_of(self.rows)
        whose = f" of interpreter {self.interpreter.number}" if self.interpreter else ""
        if not total.objects:
            return f"the collector{whose} would find nothing"
        objects = wording.counted(total.objects, "object")
        size, types = wording.counted(total.bytes, "byte"), len(self.rows)
        of = wording.counted(types, "type")
        return f"the collector{whose} would find {objects} of {of}, {size}"

    def _finalizers(self) -> Iterator[Line]:
        """Objects with finalizers, told apart by what would become of them."""
        counts = {
            name: sum(1 for flags in self.garbage.flags if flags & flag)
            for name, flag in _flags()
        }
        if counts["finalizer"]:
            text = f"{wording.counted(counts['finalizer'], 'object')} with a finalizer"
            if counts["finalized"]:
                called = wording.number(counts["finalized"])
                text += f", which was called before for {called}"
            yield [text]
        if counts["legacy"]:
            yield [
                f"{wording.counted(counts['legacy'], 'object')} with a finalizer of the"
                " older kind (tp_del), for which the collector would keep"
                f" {wording.counted(counts['kept'], 'object')} alive"
            ]

    def _listed(self, ids: Sequence[int]) -> Iterator[Line]:
        shown = ids[: self.limit]
        yield from aligned(
            [describe.annotated(self.heap, id) for id in shown], indent="  "
        )
        yield from wording.cut(len(ids) - len(shown))


def _flags() -> Tuple[Tuple[str, int], ...]:
    from pyheap import walk

    return (
        ("finalizer", walk.FINALIZER),
        ("finalized", walk.FINALIZED),
        ("legacy", walk.LEGACY),
        ("kept", walk.KEPT),
    )


class LeaksAnswer(Answer):
    """Tracked objects without a referrer, by type; those without any at all one by one."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        self.heap, self.pattern = heap, args.pattern or ""
        self.limit = args.limit or None
        self.ids, self.unheld = self._matching(False), self._matching(True)
        alone = {row.type: row.objects for row in rows_of(heap, self.unheld)}
        self.rows = [
            (row, alone.get(row.type, 0))
            for row in ordered(rows_of(heap, self.ids), args.by)
        ]

    def _matching(self, any_holder: bool) -> Sequence[int]:
        heap, ids = self.heap, self.heap.leaks(any_holder)
        if not self.pattern:
            return ids
        wanted: Dict[int, bool] = {}
        found = []
        for id in ids:
            type = heap.node(id).type
            if type not in wanted:
                wanted[type] = matches(heap.type(type).name, self.pattern)
            if wanted[type]:
                found.append(id)
        return found

    def document(self) -> Dict[str, Any]:
        unheld = set(self.unheld)
        total = total_of([row for row, _ in self.rows])
        return {
            "types": [
                {**row.document(), "unheld": alone}
                for row, alone in self.rows[: self.limit]
            ],
            "total": {
                "types": len(self.rows),
                "count": total.objects,
                "size": total.bytes,
                "unheld": len(unheld),
            },
            "objects": [
                {
                    **describe.node_document(self.heap, id),
                    "size": self.heap.node(id).size,
                    "unheld": id in unheld,
                }
                for id in self.ids[: self.limit]
            ],
            **wording.completeness(self.heap),
        }

    def lines(self) -> Iterator[Line]:
        if self.rows:
            rows = self.rows[: self.limit]
            yield from aligned(
                [(row.objects, alone, row.bytes, row.type) for row, alone in rows],
                header=("count", "unheld", "size", "type"),
            )
            yield from wording.cut(len(self.rows) - len(rows), "types")
        shown = self.unheld[: self.limit]
        if shown:
            yield ["unheld, to which nothing known refers at all:"]
            yield from aligned(
                [describe.annotated(self.heap, id) for id in shown], indent="  "
            )
            yield from wording.cut(len(self.unheld) - len(shown), "objects")
        matching = f", matching '{self.pattern}'" if self.pattern else ""
        objects = wording.counted(len(self.ids), "tracked object")
        yield [
            f"{objects} to which no tracked object refers{matching};"
            f" {wording.number(len(self.unheld))} unheld"
        ]
        yield from wording.incomplete(self.heap)


def cycles_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-cycles."""
    return CyclesAnswer(question.heap(), args)


def garbage_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-garbage."""
    return GarbageAnswer(question.heap(), args)


def leaks_answer(question: Question, args: "Namespace") -> Answer:
    """The answer of py-heap-leaks."""
    return LeaksAnswer(question.heap(), args)


def _by(default: str) -> Argument:
    return Argument(
        "--by",
        CHOICE,
        f"what to sort by; {default} unless told",
        default,
        choices=("count", "size"),
    )


COMMANDS = (
    Command(
        "py-heap-cycles",
        "List the cycles of references: strongly connected components of Python objects.",
        "Each component is a set of objects that all lead to each other. It is shown with "
        "its objects, bytes and most frequent types, and with a shortest cycle through "
        "one of its objects. The graph is refcycle's snapshot: the objects that the "
        "collector tracks, and the references that it sees. With --all it is everything, "
        "frames, threads and interpreters too. Most components of a healthy program are "
        "classes and modules; `garbage` marks what only keeps itself alive.",
        (
            _by("count"),
            limit(10, "components"),
            Argument("--all", FLAG, "also through what the collector does not see"),
            *IMAGE,
        ),
        cycles_answer,
        """
(gdb) py-heap-cycles --limit 3
9 266 objects, 1 931 484 bytes: 3 456 function, 1 088 tuple, 975 dict, 930 builtin_function_or_method, …
  asyncio.unix_events._UnixDefaultEventLoopPolicy 0x7f7eff65f3d0
    -> type asyncio.unix_events._UnixDefaultEventLoopPolicy  0x172a4290      __class__
    -> type asyncio.events.BaseDefaultEventLoopPolicy        0x17245840      __base__
    -> dict[8]                                               0x7f7effdbe680  __dict__
    -> function BaseDefaultEventLoopPolicy.__init__          0x7f7effde0a40  value['__init__']
    -> dict[48]                                              0x7f7f00174b00  __globals__
    -> asyncio.unix_events._UnixDefaultEventLoopPolicy       0x7f7eff65f3d0  value['_event_loop_policy']
22 objects, 3 056 bytes: 16 member_descriptor, 1 type, 1 dict, 1 builtin_function_or_method, …
  type os.stat_result 0x16fcbc70
    -> tuple[3]             0x7f7f00398b80  __mro__
    -> type os.stat_result  0x16fcbc70      item[0]
20 objects, 1 440 bytes, garbage: 10 list, 10 __main__.Named
  __main__.Named 0x7f7eff65df10
    -> list[1]         0x7f7eff65df40  .others
    -> __main__.Named  0x7f7eff65dd90  item[0]
    -> list[1]         0x7f7eff65ddc0  .others
    -> __main__.Named  0x7f7eff65de50  item[0]
    -> list[1]         0x7f7eff65d880  .others
    … 10 more; `py-heap-cycle 0x7f7eff65df10` shows all
    -> __main__.Named  0x7f7eff65e410  item[0]
    -> list[1]         0x7f7eff65e440  .others
    -> __main__.Named  0x7f7eff65e050  item[0]
    -> list[1]         0x7f7eff65e080  .others
    -> __main__.Named  0x7f7eff65df10  item[0]
… 293 more components; --limit 0 shows all
296 strongly connected components: 10 425 of 16 122 tracked objects are part of a cycle
""",
    ),
    Command(
        "py-heap-garbage",
        "Show what Python's garbage collector would find if it ran now.",
        "The collector's own algorithm: objects that are referred to by nothing but each "
        "other, counted per type. Objects whose finalizer (`__del__`) would be called are "
        "told apart, and so is what is in gc.garbage already. Key cycles, as refcycle calls "
        "them, are those that no other garbage refers to: without them the rest would be "
        "freed, too. Objects that gc.freeze() put aside are not looked at, as in CPython.",
        (
            limit(20, "types, and of key cycles"),
            _by("count"),
            interpreters.option("what the collector of this interpreter would find"),
        ),
        garbage_answer,
        """
(gdb) py-heap-garbage --limit 2
count  size  type
   96  6952  list
   62  3472  __main__.Named
… 82 more types; --limit 0 shows all
the collector would find 464 objects of 84 types, 68 336 bytes
21 objects with a finalizer, which was called before for 1
1 object with a finalizer of the older kind (tp_del), for which the collector would keep 9 objects alive
6 objects in gc.garbage
  0x7f7effdbc3d0  __main__.Named
  0x7f7eff78fa80  list[0]
… 4 more; --limit 0 shows all
70 key cycles, to which no other garbage refers, of 78 cycles:
20 objects, 1 440 bytes: 10 list, 10 __main__.Named
  __main__.Named 0x7f7eff65df10
    -> list[1]         0x7f7eff65df40  .others
    -> __main__.Named  0x7f7eff65dd90  item[0]
    -> list[1]         0x7f7eff65ddc0  .others
    -> __main__.Named  0x7f7eff65de50  item[0]
    -> list[1]         0x7f7eff65d880  .others
    … 10 more; `py-heap-cycle 0x7f7eff65df10` shows all
    -> __main__.Named  0x7f7eff65e410  item[0]
    -> list[1]         0x7f7eff65e440  .others
    -> __main__.Named  0x7f7eff65e050  item[0]
    -> list[1]         0x7f7eff65e080  .others
    -> __main__.Named  0x7f7eff65df10  item[0]
10 objects, 568 bytes: 3 list, 2 tuple, 2 list_iterator, 1 zip, …
  __main__.Named 0x7f7eff7ea190
    -> list[2]         0x7f7eff7ea300  .others
    -> __main__.Named  0x7f7eff7ea190  item[1]
… 68 more key cycles; --limit 0 shows all
""",
    ),
    Command(
        "py-heap-leaks",
        "List the tracked Python objects that nothing known refers to.",
        "objgraph's get_leaking_objects: tracked objects to which no tracked object refers, as "
        "gc.get_referents() sees it. Many have another holder: a local variable of a "
        "frame, code, the interpreter. `unheld` are those to which nothing that can be read "
        "refers: a C library or a C variable holds them, or a reference was never "
        "given back. PATTERN is a glob or a part of the type's name, as for py-heap-types.",
        (
            Argument("PATTERN", PATTERN, "only types whose name matches"),
            limit(20, "types, and of objects"),
            _by("count"),
        ),
        leaks_answer,
        """
(gdb) py-heap-leaks --limit 3
count  unheld    size  type
  456       6  195672  dict
   21       3    1624  tuple
    7       2   48048  list
… 40 more types; --limit 0 shows all
unheld, to which nothing known refers at all:
  0x7f7eff65f680  method finalize._exitfunc
  0x7f7eff7f2530  tuple[1]
  0x7f7eff7f8130  tuple[4]
… 44 more objects; --limit 0 shows all
524 tracked objects to which no tracked object refers; 47 unheld
""",
    ),
)
