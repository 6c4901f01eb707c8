# SPDX-License-Identifier: Apache-2.0
"""What a person and a program see of an answer: no gdb, no libwalk, made-up heaps.

    python3 tests/test_presentation.py
"""

import argparse
import ctypes
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock
from xml.etree import ElementTree

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(CHECKOUT, "gdbext"))

from pyheap import completion, dot, manual, picture, walk, wording, words  # noqa: E402
from pyheap.catalog import COMMANDS  # noqa: E402
from pyheap.command import Question  # noqa: E402
from pyheap.errors import HeapError, UsageError, WalkError  # noqa: E402
from pyheap.progress import Progress  # noqa: E402
from pyheap.sketch import Walk  # noqa: E402
from pyheap.spans import Styled, painted, plain  # noqa: E402
from pyheap.table import aligned  # noqa: E402
from pyheap.walk import Component, Counts, Dispute, Edge, File, Frame  # noqa: E402
from pyheap.walk import Garbage, Greenlet, Ids, Interpreter  # noqa: E402
from pyheap.walk import GrowthHolder, GrowthRow, TypeCount  # noqa: E402
from pyheap.walk import Invariant, LayoutPart, Node, Path, Referents  # noqa: E402
from pyheap.walk import Stats, Subgraph, TargetInfo, Thread, Total, Type  # noqa: E402

_KNOWN = (True, 0, 0, "", 0, 0, "")  # Type's last fields: of a table's
_FAULT = (False, 1, 4, "no instruction", 0x7000, 12, "x.so was not found")

SVG = "{http://www.w3.org/2000/svg}"
# Commands that read or write other heaps.
OTHER_HEAPS = ("py-heap-growth", "py-heap-save", "py-heap-load")
BY_NAME = {command.name: command for command in COMMANDS}


class FakeTarget:
    """A target that was opened."""

    def info(self):
        return TargetInfo(
            0x030D00C2,
            8,
            "3.13.0rc2 (main) [GCC]",
            "/usr/bin/python",
            "ab",
            "debug",
            "",
            "it",
            "sweep",
            False,
            "",
        )

    def files(self):
        return [
            File("/usr/bin/python", "", True, True),
            File("/srv/lost.so", "it was not found", False, True),
            File("/srv/unnamed.so", "", False, True),
            File("/srv/locale", "it was not found", False, False),
        ]

    def counts(self):
        types = [TypeCount(0x10, "dict", 5, 500), TypeCount(0x20, "app.Session", 8, 80)]
        return Counts(FakeHeap()._stats, types)

    def layout_parts(self):
        return [
            LayoutPart("row of 3.13.0", 180, []),
            LayoutPart("row of 3.13.5", 1, ["gc"]),
        ]

    def invariants(self):
        return [
            Invariant("the type of type is type", "holds"),
            Invariant("lists close", "fails"),
            Invariant("generators have code", "unasked"),
        ]


class FakeHeap:
    """The worker's heap, small: an object, its method, two frames, a thread, a dict."""

    names = [
        ("object", "app.Session", "app.Session", ""),
        ("object", "method", "method Session.close", ""),
        ("frame", "frame", "frame app.py:88 worker", ""),
        ("thread", "thread", 'thread "w"', ""),
        ("object", "dict", "dict[2]", ""),
        ("object", "str", "'a b'", "'a b'"),
        ("interpreter", "interpreter", "interpreter", ""),
    ]
    edges = [
        Edge(1, 0, "__self__", False, False, False),
        Edge(2, 1, "local 'job'", True, False, False),
        Edge(2, 1, "stack[0]", True, False, False),
        Edge(3, 2, "frame", True, False, False),
        Edge(4, 0, "value['x']", False, True, False),
        Edge(0, 4, "__dict__", False, False, False),
        Edge(4, 5, "key", False, False, False),
        Edge(6, 3, "threads[0]", True, False, False),
    ]
    weak = [Edge(0, 5, "wr_object", False, False, True)]

    def __init__(self, **stats):
        self._stats = Stats(
            7, 4, 3, 0, 8, 4, 1, 1, 5, "", 0, 0, 0, 0, 0, False, False, False, True
        )
        self._stats = self._stats._replace(**stats)
        self.types_ = [
            Type(0x10, "dict", 5, 9, 500, 900, *_KNOWN),
            Type(0x20, "app.Session", 7, 7, 70, 70, *_FAULT),
            Type(0x30, "app.Session", 1, 1, 10, 10, *_FAULT),
            Type(0x40, "str", 0, 1000, 0, 50000, *_KNOWN),
            Type(0, "frame", 0, 2, 0, 0, *_KNOWN),
        ]

    def stats(self):
        return self._stats

    def types(self):
        return iter(self.types_)

    def disputes(self):
        return iter([Dispute(1, 0x2000)])

    def type(self, index):
        return Type(0x100 + index, self.names[index][1], 1, 1, 8, 8, *_KNOWN)

    def node(self, id):
        kind = self.names[id][0]
        is_object = kind == "object"
        size, refcount = (48, 1) if is_object else (0, -1)
        address, owner = 0x1000 * (id + 1), 6 if is_object else None
        return Node(id, kind, address, id, is_object, is_object, size, refcount, owner)

    def value(self, id):
        return self.names[id][3]

    def annotation(self, id):
        return self.names[id][2]

    def lookup(self, address):
        for id in range(len(self.names)):
            if self.node(id).address == address:
                return id
        raise WalkError(f"no node at {address:#x}", WalkError.NOT_FOUND)

    def interpreters(self):
        return [Interpreter(0, 6, 0x7000, 0, True, 3)]

    def greenlets(self):
        return []

    def suspended(self):
        return []

    def find(self, name, interpreter=None):
        return [
            id
            for id, row in enumerate(self.names)
            if name in (row[1], row[1].rpartition(".")[2])
        ]

    def referents(self, id):
        strong = [edge for edge in self.edges if edge.holder == id]
        return Referents(strong, [edge for edge in self.weak if edge.holder == id])

    def referrers(self, id):
        return [edge for edge in self.edges if edge.referent == id]

    def ancestors(self, id, generations, everything):
        ids, depths = [0, 1, 4, 2, 3], [0, 1, 1, 2, 3]
        return Subgraph(ids, depths, self.edges[:6], 0 if everything else 1)

    def why(self, id, limit):
        if id == 5:
            raise WalkError("no path", WalkError.NOT_FOUND)
        return [Path(2, 3, [self.edges[1], self.edges[0]])]

    def locals(self, id, distance, limit):
        return self.why(id, limit)

    def chain(self, id, chain, part=None):
        self.asked = chain
        if chain.goal == "module":
            raise WalkError("no path found", WalkError.NOT_FOUND)
        if chain.node == id and chain.goal == "node":
            return Path(id, None, [])
        return Path(2, 3, [self.edges[1], self.edges[0]])

    def path(self, start, end, part=None):
        if start != 2:
            raise WalkError("no path found", WalkError.NOT_FOUND)
        return Path(2, 3, [self.edges[1], self.edges[0]])

    def cycle(self, id, part=None):
        if id != 0:
            raise WalkError("no path found", WalkError.NOT_FOUND)
        return Path(0, None, [self.edges[5], self.edges[4]])

    def tracked(self, interpreter=None):
        return Ids.of([0, 1, 4])

    def components(self, part, singletons=False):
        cycle = Component(Ids.of([0, 4]), 96, True, not singletons or self.garbage_)
        lone = Component(Ids.of([1]), 48, False, True)
        return [cycle, lone] if singletons else [cycle]

    garbage_ = True

    def garbage(self, interpreter=None):
        if not self.garbage_:
            return Garbage(Ids.of([]), [], True)
        return Garbage(Ids.of([0, 1, 4]), [3, 12, 8], False)

    def uncollectable(self):
        return Ids.of([1] if self.garbage_ else [])

    def leaks(self, any_holder=False):
        return Ids.of([1] if any_holder else [0, 1])

    def threads(self):
        return [Thread(3, 0x4000, 6, 0x7F00, 4711, "w", [2], self._stats.complete)]

    def frame(self, id):
        return Frame("worker", "/srv/app.py", 88)

    def frame_locals(self, id):
        return [Edge(2, 1, "job", False, False, False)]


class FakeSeveral(FakeHeap):
    """The same with a second interpreter, a greenlet and a suspended generator."""

    owners = {1: 8, 4: 8}
    names = FakeHeap.names + [
        ("object", "generator", "generator app.rows", ""),
        ("interpreter", "interpreter", "interpreter 5", ""),
    ]

    def interpreters(self):
        return super().interpreters() + [Interpreter(1, 8, 0x9000, 5, True, 2)]

    def node(self, id):
        return super().node(id)._replace(interpreter=self.owners.get(id, 6))

    def threads(self):
        other = Thread(3, 0x5000, 8, 0x7F00, 4711, "", [], True)
        return super().threads() + [other]

    def greenlets(self):
        return [Greenlet(1, [2], True)]

    def suspended(self):
        return [4, 7]

    def totals(self, interpreter):
        return [Total(n, 10 * n) for n in (2, 1, 0, 0, 0)]


class FakeShared(FakeSeveral):
    """Two interpreters of CPython 3.8."""

    def interpreters(self):
        shared = {"has_collector": False, "tracked": 0}
        return [i._replace(**shared) for i in super().interpreters()]


class FakeQuestion(Question):
    """Asks of a made-up heap."""

    def __init__(self, heap=None):
        self._heap = heap or FakeHeap()

    def target(self):
        return FakeTarget()

    def heap(self):
        return self._heap

    def address(self, expression):
        return int(expression, 0)

    def thread_number(self, native_id):
        return 7 if native_id == 4711 else None


class UnreadQuestion(FakeQuestion):
    """Asks of a heap that nobody has read yet, which takes long."""

    def known_heap(self):
        return None

    def heap(self):
        raise AssertionError("a heap is read")


def answer(line, heap=None):
    """What a command line gives."""
    name, _, rest = line.partition(" ")
    command = BY_NAME[name]
    return command.answer(FakeQuestion(heap), command.parse(rest))


def text(line, heap=None):
    """The lines that a person reads."""
    return [plain(row) for row in answer(line, heap).lines()]


def document(line, heap=None):
    """What a program reads."""
    return json.loads(json.dumps(answer(line + " --json", heap).document()))


class Names(unittest.TestCase):
    """Names of types."""

    def test_globs_match_the_whole_name_or_its_last_part(self):
        for pattern in ("app.Sess*", "Sess*", "*ion", "?ession", "app.*"):
            self.assertTrue(wording.matches("app.Session", pattern), pattern)
        for pattern in ("ession", "app", "web.Sess*", "sess*"):
            self.assertFalse(wording.matches("app.Session", pattern), pattern)

    def test_a_type_is_not_said_twice(self):
        for annotation, type in (
            ("list[3]", "list"),
            ("method f", "method"),
            ("app.so so", "app.so so"),
            ("app.a[b] x", "app.a[b]"),
        ):
            self.assertTrue(wording.shows_type(annotation, type), annotation)
        self.assertFalse(wording.shows_type("listing", "list"))
        self.assertFalse(wording.shows_type("'text'", "str"))


class Words(unittest.TestCase):
    """Command lines."""

    def test_quotes_keep_blanks_together(self):
        self.assertEqual(words.split('a "b c" d\\ e'), ["a", '"b c"', "d\\", "e"])
        self.assertEqual(words.unquote('"b c"'), "b c")
        self.assertEqual(words.unquote("'b\\c'"), "b\\c")

    def test_a_lone_quote_is_a_character(self):
        self.assertEqual(words.split("it's"), ["it's"])

    def test_plain_integers(self):
        self.assertEqual(words.whole_integer("0x7Fff"), 0x7FFF)
        self.assertEqual(words.whole_integer(" 017 "), 17)
        for other in ("", "0x", "1.5", "-1", "$rdi", "1 2", "0x1ull"):
            self.assertIsNone(words.whole_integer(other), other)

    def test_the_number_after_an_expression(self):
        cases = {
            "0x10": ("0x10", None),
            "0x10 3": ("0x10", "3"),
            "$rdi + 8 3": ("$rdi + 8", "3"),
            "$rdi + 8": ("$rdi + 8", None),
            "self -> ob_type all": ("self -> ob_type", "all"),
            "3": ("3", None),
            '"a + b"': ("a + b", None),
            "'app.c'::it 2": ("'app.c'::it", "2"),
        }
        for line, expected in cases.items():
            self.assertEqual(words.split_number(words.split(line)), expected, line)

    def test_two_expressions(self):
        cases = {
            "0x10 0x20": ("0x10", "0x20"),
            "0x10, 0x20": ("0x10", "0x20"),
            "0x10,0x20": ("0x10", "0x20"),
            "$rdi + 8, $rsi": ("$rdi + 8", "$rsi"),
            '"a + b" "c"': ("a + b", "c"),
            "f(1, 2), x[a,b]": ("f(1, 2)", "x[a,b]"),
            "f(1,2) g(3,4)": ("f(1,2)", "g(3,4)"),
            "'a,b.c'::it, 1": ("'a,b.c'::it", "1"),
            "0x10": None,
            "0x10,": None,
            ", 0x10": None,
            "1 2 3": None,
            "1, 2, 3": None,
            "$rdi + 8 $rsi": None,
            ")(, 1": (")(", "1"),
        }
        for line, expected in cases.items():
            self.assertEqual(words.split_pair(words.split(line)), expected, line)


class Parsing(unittest.TestCase):
    """What the declarations make of command lines."""

    def test_defaults_and_options_anywhere(self):
        args = BY_NAME["py-heap-ancestors"].parse("0x10 --all 5 --image 'a b.svg'")
        self.assertEqual((args.addr, args.n), ("0x10", 5))
        self.assertTrue(args.all)
        self.assertEqual(args.image, "a b.svg")
        self.assertEqual(args.limit, 200)
        self.assertEqual(BY_NAME["py-heap-ancestors"].parse("$rax").n, 3)
        self.assertIsNone(BY_NAME["py-heap-ancestors"].parse("$rax all").n)

    def test_two_expressions_and_lists(self):
        args = BY_NAME["py-heap-path"].parse("$rdi + 8, 0x20 --json")
        self.assertEqual((args.a, args.b, args.json), ("$rdi + 8", "0x20", True))
        args = BY_NAME["py-heap-chain"].parse(
            "$rdi + 8 --ignore dict,list --to 'a b' --ignore \"*Session\""
        )
        self.assertEqual((args.addr, args.to), ("$rdi + 8", "a b"))
        self.assertEqual(args.ignore, ["dict", "list", "*Session"])
        self.assertEqual(BY_NAME["py-heap-chain"].parse("1").ignore, [])

    def test_json_cuts_nothing_unless_told(self):
        types = BY_NAME["py-heap-types"]
        self.assertEqual(types.parse("").limit, 20)
        self.assertEqual(types.parse("--json").limit, 0)
        self.assertEqual(types.parse("--json --limit 3").limit, 3)
        self.assertEqual(BY_NAME["py-heap-why"].parse("1 --json").limit, 1)

    def test_errors_are_one_line_that_names_the_command(self):
        lines = {
            "py-heap-types": ["a b", "--limit x", "--limit -1", "--by name", "--lim 1"],
            "py-heap-object": ["", "--limit 3"],
            "py-heap-find": [""],
            "py-heap-ancestors": ["1 --too-many x"],
            "py-heap-path": ["", "1", "1 2 3", "1, 2, 3", "$a + 1 $b"],
            "py-heap-chain": ["", "1 --max-depth x", "1 --to"],
        }
        for name, bad in lines.items():
            for line in bad:
                with self.assertRaises(UsageError, msg=line) as caught:
                    BY_NAME[name].parse(line)
                self.assertTrue(str(caught.exception).startswith(name))
                self.assertNotIn("\n", str(caught.exception))

    def test_every_command_has_help(self):
        for command in COMMANDS:
            first, rest = command.help().split("\n", 1)
            usage = " ".join(rest.partition("\n\n")[0].split())
            self.assertTrue(first.endswith("."), first)
            self.assertEqual(usage, f"Usage: {command.usage()}")
            self.assertTrue(all(len(line) <= 88 for line in command.help().split("\n")))

    def test_the_manual_is_up_to_date(self):
        file = os.path.join(CHECKOUT, "docs", "commands.md")
        with open(file, encoding="utf-8") as stream:
            self.assertEqual(stream.read(), manual.manual(), "run `make docs`")


class Chains(unittest.TestCase):
    """py-heap-chain, py-heap-path, py-heap-cycle."""

    UP = [
        "app.Session 0x1000",
        "  <- method Session.close     0x2000  __self__",
        "  <- frame app.py:88 worker  0x3000  local 'job'  thread 7 \"w\", LWP 4711",
    ]

    def goal(self, line):
        heap = FakeHeap()
        answer(f"py-heap-chain 0x1000 {line}", heap)
        return heap.asked

    def test_goals(self):
        asked = self.goal("")
        self.assertEqual((asked.goal, asked.up, asked.max_depth), ("module", True, 20))
        self.assertEqual(self.goal("--to frame --forward").goal, "frame")
        self.assertFalse(self.goal("--to frame --forward").up)
        for name in ("Session", "app.Session", "f.<locals>.Session"):
            asked = self.goal(f"--to {name} --max-depth 3")
            self.assertEqual(
                (asked.goal, asked.type, asked.max_depth), ("type", name, 3)
            )
        asked = self.goal("--to 0x2000")
        self.assertEqual((asked.goal, asked.node), ("node", 1))

    def test_ignored_types(self):
        ignored = self.goal("--ignore *Ses*,dict --ignore gone").ignored_types
        self.assertEqual(ignored, ["app.Session", "dict", "gone"])

    def test_up_and_down(self):
        up = text("py-heap-chain 0x1000 --to frame")
        self.assertEqual(
            [" ".join(l.split()) for l in up], [" ".join(l.split()) for l in self.UP]
        )
        down = text("py-heap-path 0x3000 0x1000")
        self.assertEqual(down[0], "frame app.py:88 worker 0x3000")
        self.assertRegex(down[1], "^  -> method Session.close +0x2000  local 'job'$")
        self.assertRegex(down[2], "^  -> app.Session +0x1000  __self__$")
        self.assertEqual(
            [
                s["label"]
                for s in document("py-heap-path 0x3000 0x1000")["paths"][0]["steps"]
            ],
            ["local 'job'", "__self__"],
        )

    def test_a_cycle_ends_where_it_begins(self):
        (path,) = document("py-heap-cycle 0x1000")["paths"]
        self.assertEqual(path["root"]["address"], path["steps"][-1]["address"])
        self.assertIn("-> app.Session", text("py-heap-cycle 0x1000")[-1])

    def test_no_path_is_an_answer(self):
        self.assertIn("no path from a module", text("py-heap-chain 0x1000")[0])
        self.assertIn(
            "within 3 references", text("py-heap-chain 0x1000 --max-depth 3")[0]
        )
        self.assertIn("py-heap-why", text("py-heap-chain 0x1000")[0])
        self.assertEqual(document("py-heap-chain 0x1000")["paths"], [])
        self.assertIn("no path to 0x2000", text("py-heap-path 0x1000 0x2000")[0])
        self.assertIn("in no cycle", text("py-heap-cycle 0x2000")[0])

    def test_an_object_may_be_the_goal(self):
        for forward in ("", " --forward"):
            got = text(f"py-heap-chain 0x2000 --to 0x2000{forward}")
            self.assertEqual(got[1], "  is itself what is looked for")

    def test_as_one_graph(self):
        graph = answer("py-heap-chain 0x1000 --to frame").graph()
        self.assertEqual((graph.ids, graph.depths), ([0, 1, 2], [0, 1, 2]))
        graph = answer("py-heap-path 0x3000 0x1000").graph()
        self.assertEqual((graph.ids, graph.depths), ([2, 1, 0], [0, 1, 2]))
        self.assertEqual(len(graph.edges), 2)
        graph = answer("py-heap-cycle 0x1000").graph()
        self.assertEqual((graph.ids, graph.depths), ([0, 4], [0, 1]))
        self.assertEqual(len(graph.edges), 2)


class Garbages(unittest.TestCase):
    """py-heap-cycles, py-heap-garbage, py-heap-leaks."""

    def test_cycles(self):
        got = document("py-heap-cycles")
        self.assertEqual((got["total"], got["objects"]), (1, 2))
        (component,) = got["components"]
        self.assertEqual((component["count"], component["size"]), (2, 96))
        self.assertEqual(component["objects"], ["0x1000", "0x5000"])
        self.assertTrue(component["garbage"])
        self.assertEqual(
            [s["label"] for s in component["cycle"]["steps"]],
            ["__dict__", "value['x']"],
        )
        lines = text("py-heap-cycles")
        self.assertEqual(
            lines[0], "2 objects, 96 bytes, garbage: 1 app.Session, 1 dict"
        )
        self.assertEqual(
            lines[-1],
            "1 strongly connected component: 2 of 3 tracked objects are part of a cycle",
        )
        self.assertIn("of 4 objects", text("py-heap-cycles --all")[-1])

    def test_garbage(self):
        got = document("py-heap-garbage")
        self.assertEqual(got["total"], {"types": 3, "count": 3, "size": 144})
        self.assertEqual(
            (got["components"], len(got["key_cycles"]), got["exact"]), (1, 2, False)
        )
        self.assertEqual([o["address"] for o in got["saved"]], ["0x2000"])
        flags = ("finalizer", "finalized", "legacy", "kept")
        self.assertEqual(
            [[name for name in flags if o[name]] for o in got["objects"]],
            [["finalizer", "finalized"], ["legacy", "kept"], ["kept"]],
        )
        self.assertIsNone(got["key_cycles"][1]["cycle"])
        lines = "\n".join(text("py-heap-garbage"))
        for words_ in (
            "would find 3 objects of 3 types, 144 bytes",
            "1 object with a finalizer, which was called before for 1",
            "(tp_del), for which the collector would keep 2 objects alive",
            "1 object in gc.garbage",
            "2 key cycles, to which no other garbage refers, of 1 cycle",
            "their references are guesses",
        ):
            self.assertIn(words_, lines)
        self.assertIn("1 more key cycle;", "\n".join(text("py-heap-garbage --limit 1")))
        self.assertEqual(len(document("py-heap-garbage --limit 1")["objects"]), 1)
        whose = document("py-heap-garbage --interpreter 5", FakeSeveral())
        self.assertEqual(whose["interpreter"], 5)

    def test_no_garbage(self):
        heap = FakeHeap()
        heap.garbage_ = False
        heap.components = lambda part, singletons=False: []
        self.assertEqual(
            text("py-heap-garbage", heap), ["the collector would find nothing"]
        )

    def test_leaks(self):
        got = document("py-heap-leaks")
        self.assertEqual(
            got["total"], {"types": 2, "count": 2, "size": 96, "unheld": 1}
        )
        self.assertEqual(
            [(o["address"], o["unheld"]) for o in got["objects"]],
            [("0x1000", False), ("0x2000", True)],
        )
        lines = text("py-heap-leaks")
        self.assertIn("0x2000  method Session.close", lines[-2])
        self.assertEqual(
            lines[-1], "2 tracked objects to which no tracked object refers; 1 unheld"
        )
        self.assertEqual(document("py-heap-leaks Session")["total"]["count"], 1)
        self.assertIn("matching 'Session'; 0 unheld", text("py-heap-leaks Session")[-1])

    def test_many_are_added_up_in_c(self):
        heap = FakeHeap()
        heap.part_totals = lambda part: [Total(n, 10 * n) for n in (2000, 1, 0, 0, 0)]
        heap.leaks = lambda any_holder=False: Ids.of([] if any_holder else range(1001))
        got = document("py-heap-leaks --limit 2", heap)["total"]
        self.assertEqual((got["types"], got["count"], got["size"]), (2, 2001, 20010))

    def test_a_long_cycle_is_cut_and_said(self):
        heap = FakeHeap()
        long = Path(0, None, [self_ for _ in range(6) for self_ in heap.edges[5:3:-1]])
        heap.cycle = lambda id, part=None: long
        lines = text("py-heap-cycles", heap)
        self.assertIn("    … 2 more; `py-heap-cycle 0x1000` shows all", lines)
        self.assertEqual(len(lines), 2 + 5 + 1 + 5 + 1)


class Completion(unittest.TestCase):
    """What can stand at the end of a line."""

    def names(self, name, line):
        return completion.names(BY_NAME[name], line, lambda: ["app.Session", "dict"])

    def test_options_types_choices(self):
        self.assertEqual(self.names("py-heap-types", "--l"), ["--limit"])
        self.assertEqual(self.names("py-heap-types", "--by "), ["count", "size"])
        self.assertEqual(self.names("py-heap-find", "app"), ["app.Session"])
        self.assertNotIn("--all", self.names("py-heap-types", "--all --"))
        self.assertEqual(self.names("py-heap-types", "--limit "), [])

    def test_types_with_words_of_their_own(self):
        self.assertEqual(self.names("py-heap-chain", "1 --to mo"), ["module"])
        self.assertEqual(self.names("py-heap-chain", "1 --to app"), ["app.Session"])
        self.assertEqual(self.names("py-heap-chain", "1 --ignore d"), ["dict"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "there"))
            line = f"1 --image {folder}/th"
            self.assertEqual(
                self.names("py-heap-ancestors", line), [f"{folder}/there/"]
            )

    def test_tails_begin_where_gdb_begins(self):
        self.assertEqual(completion.tails(["--limit"], "--li", "li"), ["limit"])
        self.assertEqual(completion.tails(["--limit"], "--li", None), [])


class FakeGrowth:
    """Two types, one of which leaks; one node holds its objects."""

    matched = 9

    def __init__(self, first, second, everything):
        self.everything = everything

    def rows(self):
        return [
            GrowthRow(0, "app.Session", 1, 4, 48, 192, 3, 144),
            GrowthRow(1, "dict", 7, 5, 700, 500, 1, 100),
            GrowthRow(2, "list", 2, 2, 20, 20, 0, 0),
        ]

    def holders(self, row=None):
        return [
            GrowthHolder(4, 2, 5, 300, 0, 3),
            GrowthHolder(None, None, 1, 8, None, 0),
        ]

    def new(self, row):
        return [0]


class Growing(unittest.TestCase):
    """py-heap-growth, py-heap-load."""

    def heap(self):
        heap = FakeHeap()
        heap.growth = lambda *args: FakeGrowth(*args)
        heap.why = lambda id, limit: [
            Path(3, None, [FakeHeap.edges[3], FakeHeap.edges[1]])
        ]
        return heap

    def test_what_grew_and_what_holds_it(self):
        with mock.patch.object(FakeQuestion, "previous", lambda self: "kept"):
            lines = text("py-heap-growth last", self.heap())
            every = document("py-heap-growth last --all", self.heap())
            named = document("py-heap-growth last --new Session", self.heap())
        self.assertEqual(
            lines,
            [
                "3 new app.Session in dict[2] 0x5000: 5 new objects, 300 bytes",
                "  thread \"w\": frame local 'job'",
                "1 new object, 8 bytes, which nothing long-lived leads to: garbage,"
                " perhaps",
                "type         count  delta",
                "app.Session      4     +3",
            ],
        )
        self.assertEqual([row["delta"] for row in every["types"]], [3, -2])
        self.assertEqual(every["holders"][0]["holder"]["address"], "0x5000")
        self.assertIsNone(every["holders"][1]["type"])
        self.assertEqual(named["new"]["total"], 1)
        self.assertIs(named["complete"], True)

    def test_errors(self):
        with self.assertRaisesRegex(HeapError, "no heap of an earlier stop"):
            text("py-heap-growth last", self.heap())
        with self.assertRaisesRegex(UsageError, "--off"):
            text("py-heap-load", self.heap())
        with mock.patch.object(FakeQuestion, "previous", lambda self: "kept"):
            with self.assertRaisesRegex(HeapError, "neither heap has a type"):
                text("py-heap-growth last --new Nothing", self.heap())


class Tables(unittest.TestCase):
    """Columns."""

    def lines(self, *args, **kwargs):
        return [plain(line) for line in aligned(*args, **kwargs)]

    def test_numbers_right_texts_left_no_blanks_at_the_end(self):
        rows = [(1, "a", "x"), (1234, "long", "")]
        self.assertEqual(
            self.lines(rows, header=("count", "b", "c")),
            ["count  b     c", "    1  a     x", " 1234  long"],
        )

    def test_one_long_cell_moves_its_own_line_only(self):
        rows = [("a" * 9, "x"), ("b", "y")]
        self.assertEqual(self.lines(rows, widest=3), ["aaaaaaaaa  x", "b    y"])

    def test_styles_do_not_count_as_width(self):
        row = [(Styled("ab", "address"), "x"), ("abc", "y")]
        line = next(iter(aligned(row)))
        painter = mock.Mock(side_effect=lambda text, role: f"<{role}>{text}</>")
        self.assertEqual(painted(line, painter), "<address>ab</>   x")

    def test_nothing(self):
        self.assertEqual(self.lines([]), [])


class Wording(unittest.TestCase):
    """Phrases."""

    def test_numbers(self):
        self.assertEqual(wording.number(1234567), "1 234 567")
        self.assertEqual(wording.counted(1, "object"), "1 object")
        self.assertEqual(wording.counted(2, "class", "classes"), "2 classes")

    def test_cuts(self):
        self.assertEqual(list(wording.cut(0)), [])
        self.assertEqual(
            list(wording.cut(38812)), [["… 38 812 more; --limit 0 shows all"]]
        )

    def test_what_is_missing_is_said_with_counts(self):
        heap = FakeHeap(
            complete=False,
            unreadable=3,
            broken_lists=1,
            broken_stacks=2,
            collecting=True,
        )
        (line,) = wording.incomplete(heap)
        self.assertIn("3 objects", line[0])
        self.assertIn("1 list", line[0])
        self.assertIn("2 stacks", line[0])
        self.assertIn("the collector was running", line[0])
        self.assertEqual(list(wording.incomplete(FakeHeap())), [])


class Dot(unittest.TestCase):
    """The language of Graphviz."""

    HOSTILE = 'q" b\\ bn\\n nl\n tab\t nul\0 esc\x1b u2028\u2028 <b>{x|y} é \\N'

    def document(self):
        return {
            "vertices": [
                {
                    "id": 16,
                    "annotation": self.HOSTILE,
                    "address": "0x10",
                    "type": "str",
                    "kind": "object",
                },
                {
                    "id": 32,
                    "annotation": "frame app.py:88 worker",
                    "address": "0x20",
                    "type": "frame",
                    "kind": "frame",
                },
            ],
            "edges": [
                {"id": 0, "annotation": "local 'a\"b'", "head": 16, "tail": 32},
                {"id": 1, "annotation": "stack[0]", "head": 16, "tail": 32},
            ],
        }

    def test_escapes(self):
        self.assertEqual(dot.quoted('a"b\\c\nd'), '"a\\"b\\\\c\\nd"')
        self.assertEqual(dot.quoted("\0\x1b"), '"\\\\x00\\\\x1b"')

    def test_one_line_per_statement_and_always_the_same(self):
        text = dot.dot(self.document())
        self.assertEqual(text, dot.dot(self.document()))
        self.assertEqual(text.count("\n"), 9)
        self.assertIn("n20 -> n10", text)
        self.assertNotIn("\0", text)

    def test_frames_look_different_and_the_start_is_marked(self):
        text = dot.dot(self.document())
        self.assertIn('fontcolor="red"', text.split("n10 [")[1].split("\n")[0])
        self.assertIn('shape="note"', text.split("n20 [")[1].split("\n")[0])
        self.assertIn('label="frame app.py:88 worker\\n0x20"', text)

    @unittest.skipUnless(shutil.which("dot"), "no Graphviz")
    def test_graphviz_shows_exactly_the_text(self):
        run = subprocess.run(
            ["dot", "-Tplain"],
            input=dot.dot(self.document()).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        self.assertEqual(run.stdout.decode().count("\nedge"), 2)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.svg")
            said = picture.draw(self.document(), file)
            self.assertEqual(said, f"wrote {file}: 2 objects, 2 references")
            texts = [node.text for node in ElementTree.parse(file).iter(f"{SVG}text")]
            self.assertIn(self.HOSTILE.split("\n", maxsplit=1)[0], texts)
            self.assertEqual(os.listdir(folder), ["a.svg"])
            mode = stat.S_IMODE(os.stat(file).st_mode)
            self.assertTrue(mode & stat.S_IRUSR and not mode & stat.S_IXUSR)

    def test_without_graphviz_the_dot_file_and_the_package_s_name(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch("shutil.which", return_value=None):
                said = picture.draw(self.document(), os.path.join(folder, "a.svg"))
            self.assertEqual(os.listdir(folder), ["a.dot"])
            self.assertIn("`graphviz`", said)

    def test_what_is_too_large_is_cut_and_counted(self):
        huge = self.document()
        huge["vertices"] += [
            dict(huge["vertices"][1], id=1000 + n) for n in range(1000)
        ]
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.svg")
            said = picture.draw(huge, file)
            self.assertIn(": 250 objects, 2 references; 752 more objects would", said)
            with open(file, encoding="utf-8") as stream:
                self.assertIn(
                    "… 752 more objects", stream.read().replace("&#160;", " ")
                )
            self.assertNotIn("cut", dot.dot(huge))

    def test_what_cannot_be_drawn_is_one_line(self):
        with self.assertRaisesRegex(HeapError, "must end in one of"):
            picture.draw(self.document(), "/tmp/a.gif")
        with self.assertRaisesRegex(HeapError, "^cannot write /nowhere/a.dot: No"):
            picture.draw(self.document(), "/nowhere/a.dot")

    def with_graphviz(self, script):
        """What is said, raised or left behind with a program in place of Graphviz."""
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "dot")
            with open(program, "w", encoding="utf-8") as stream:
                stream.write(f"#!/bin/sh\n{script}\n")
            os.chmod(program, stat.S_IRWXU)
            with mock.patch("shutil.which", return_value=program):
                with mock.patch.object(picture, "SECONDS", 0.3):
                    try:
                        said = picture.draw(self.document(), f"{folder}/a.svg")
                    except HeapError as error:
                        said = str(error)
            return said, sorted(os.listdir(folder))

    def test_graphviz_that_fails_or_hangs_leaves_the_dot_file(self):
        said, files = self.with_graphviz("echo why >&2; echo more >&2; exit 1")
        self.assertIn("dot failed with status 1: why; wrote ", said)
        self.assertNotIn("\n", said)
        self.assertEqual(files, ["a.dot", "dot"])
        said, files = self.with_graphviz("sleep 100 & sleep 100")
        self.assertIn("dot took more than 0.3 s and was killed", said)
        self.assertEqual(files, ["a.dot", "dot"])

    def test_graphviz_that_hangs_gets_a_smaller_picture(self):
        huge = self.document()
        huge["vertices"] += [dict(huge["vertices"][1], id=1000 + n) for n in range(99)]
        script = '[ "$(grep -c label)" -lt 60 ] || sleep 100; echo small'
        with mock.patch.object(Dot, "document", lambda self: huge):
            said, files = self.with_graphviz(script)
        self.assertIn("a.svg: 50 objects, 2 references; 51 more objects would", said)
        self.assertEqual(files, ["a.svg", "dot"])


class Line:
    """A chain of nodes with many holders each: for what the walk does."""

    def __init__(self, up):
        self.up, self.first = up, {31}

    def of(self, id):
        if id >= 30:
            return [], []
        ends = [id + 1, id + 1, 30, 31, 32, 33]
        return ends, [f"{id}-{end}-{place}" for place, end in enumerate(ends)]

    def has(self, id):
        return id != 33


class Walks(unittest.TestCase):
    """objgraph's walk."""

    def test_depth(self):
        for depth in (0, 1, 4):
            sketch = Walk(Line(True), [0], depth).sketch(100)
            self.assertEqual(max(sketch.depths.values()), depth)
            self.assertEqual(len(sketch.arrows), 4 * depth)

    def test_upwards_a_holder_counts_once_and_stacks_come_first(self):
        sketch = Walk(Line(True), [0], 1, too_many=2).sketch(100)
        self.assertEqual([arrow.tail for arrow in sketch.arrows], [31, 1])
        self.assertEqual(sketch.arrows[1].edges, ["0-1-0", "0-1-1"])
        self.assertEqual(sketch.skipped, {0: 2})

    def test_downwards_each_reference_counts(self):
        sketch = Walk(Line(False), [0], 1, too_many=2).sketch(100)
        self.assertEqual([(a.tail, a.head) for a in sketch.arrows], [(0, 1)])
        self.assertEqual(sketch.skipped, {0: 3})

    def test_what_is_not_wanted_is_not_gone_through(self):
        sketch = Walk(Line(True), [0], wanted=lambda id: id != 3).sketch(100)
        self.assertEqual(sorted(sketch.depths), [0, 1, 2, 30, 31, 32])

    def test_what_stops_is_shown(self):
        sketch = Walk(Line(True), [0], stops=lambda id: id == 2).sketch(100)
        self.assertEqual(sorted(sketch.depths), [0, 1, 2, 30, 31, 32])
        self.assertEqual(
            Walk(Line(True), [2], stops=lambda id: id == 2).sketch(9).arrows, []
        )

    def test_what_is_too_much_is_counted(self):
        sketch = Walk(Line(True), [0]).sketch(5)
        self.assertEqual((len(sketch.depths), sketch.left), (5, 28))
        self.assertFalse(sketch.uncounted)
        with mock.patch("pyheap.sketch._COUNTED", 10):
            sketch = Walk(Line(True), [0]).sketch(5)
        self.assertTrue(sketch.left > 10 and sketch.uncounted)


class Images(unittest.TestCase):
    """--image and its options."""

    def drawn(self, line, name="a.dot", heap=None):
        """What is said, and the DOT, without the legend."""
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, name)
            said = text(f"{line} --image {file}", heap)
            with open(file, encoding="utf-8") as stream:
                return said, stream.read()

    def node(self, drawn, address):
        return next(
            row for row in drawn.split("\n") if row.startswith(f"  n{address} [")
        )

    def test_ancestors(self):
        said, drawn = self.drawn("py-heap-ancestors 0x1000")
        self.assertRegex(said[0], r"^wrote .*/a.dot: 5 objects, 6 references$")
        self.assertIn(
            "n1000 -> n5000", drawn
        )  # the dict at depth 1 is asked for holders
        self.assertIn("n3000 -> n2000 [label=\" local 'job' \\n stack[0] \"", drawn)
        self.assertIn('style="dashed"', drawn)
        self.assertIn('label="Session\\n0x1000"', self.node(drawn, "1000"))
        self.assertIn('class="thread root"', self.node(drawn, "4000"))
        self.assertIn("what was asked about", drawn)

    def test_options(self):
        for options, there, not_there in (
            ("--too-many 1", "1 more reference", "n5000 ["),
            ("--filter method", "n2000 [", "n5000 ["),
            ("--ignore dict,0x3000", "n2000 [", "n3000 ["),
            ("--ignore dict --ignore 0x3000", "n2000 [", "n5000 ["),
            ("--highlight dict", 'class="object highlight"', "nothing"),
            ("--refcounts", "Session\\nrefcount 1\\n0x1000", "nothing"),
            ("--longnames", "app.Session", "nothing"),
            ("--shortnames", "Session", "app.Session"),
            ("--extra-info size,type", "Session\\n48 bytes\\napp.Session", "0x1000"),
            ("--extra-info none", 'label="Session"', "0x1000"),
            ("--no-legend", "Session", "asked about"),
        ):
            _, drawn = self.drawn(f"py-heap-ancestors 0x1000 {options}")
            self.assertIn(there, drawn, options)
            self.assertNotIn(not_there, drawn, options)

    def test_why(self):
        said, drawn = self.drawn("py-heap-why 0x1000")
        self.assertRegex(said[0], r"^wrote .*: 3 objects, 2 references$")
        self.assertEqual(said[1], "app.Session 0x1000")
        self.assertEqual(drawn.count("->"), 2)

    def test_chains_and_cycles(self):
        for line, nodes, arrows in (
            ("py-heap-chain 0x1000 --to frame", ["1000", "2000", "3000"], 2),
            ("py-heap-chain 0x1000 --to frame --filter frame", ["1000"], 0),
            ("py-heap-path 0x3000 0x1000", ["3000", "2000", "1000"], 2),
            ("py-heap-cycle 0x1000", ["1000", "5000"], 2),
            ("py-heap-cycles", ["1000", "5000"], 2),
        ):
            said, drawn = self.drawn(f"{line} --no-legend")
            self.assertTrue(said[0].startswith("wrote "), line)
            self.assertIn('fontcolor="red"', self.node(drawn, nodes[0]))
            self.assertEqual((drawn.count("address"), drawn.count("->")), (0, arrows))
            for node in nodes:
                self.node(drawn, node)

    def test_json_names_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.json")
            got = document(f"py-heap-ancestors 0x1000 --image {file}")
            self.assertEqual(got["image"], file)
            with open(file, encoding="utf-8") as stream:
                saved = json.load(stream)
        self.assertEqual(
            [v["id"] for v in saved["vertices"]], [v["id"] for v in got["vertices"]]
        )

    def test_a_file_s_name_is_none_of_what_may_follow(self):
        parse = BY_NAME["py-heap-ancestors"].parse
        for line in (
            "0x10 --image",
            "--image 0x10",
            "0x10 --image --all",
            "--image $rdi 5",
            "--image (long)self",
            "0x10 --image 5",
        ):
            self.assertEqual(parse(line).image, "", line)
        self.assertEqual(parse("0x10 --image 5").n, 5)
        self.assertEqual(parse("0x10 --image a.svg 5").image, "a.svg")
        self.assertEqual(parse("0x10 --image=a.svg").image, "a.svg")
        self.assertIsNone(parse("0x10").image)


class Documents(unittest.TestCase):
    """JSON: the keys of docs/json.md."""

    def test_types(self):
        got = document("py-heap-types")
        self.assertEqual((got["tracked"], got["objects"]), (3, 4))
        self.assertEqual(
            got["types"],
            [
                {"type": "app.Session", "count": 8, "size": 80},
                {"type": "dict", "count": 5, "size": 500},
            ],
        )
        self.assertIs(got["complete"], True)
        by_size = document("py-heap-types --all --by size")["types"]
        self.assertEqual([t["type"] for t in by_size], ["str", "dict", "app.Session"])
        self.assertEqual(len(document("py-heap-types *Ses*")["types"]), 1)
        self.assertEqual(len(document("py-heap-types ses")["types"]), 0)
        self.assertEqual(len(document("py-heap-types --limit 1")["types"]), 1)

    def test_incomplete_ones_say_so(self):
        heap = FakeHeap(complete=False, unreadable=2)
        for command in COMMANDS:
            line = command.name
            if command.name == "py-heap-find":
                line += " app.Session"
            elif command.name == "py-heap-path":
                line += " 0x3000 0x1000"
            elif any(a.required for a in command.arguments):
                line += " 0x1000"
            if "descendants" in line or command.name in OTHER_HEAPS:
                continue
            got = document(line, heap)
            self.assertIs(got["complete"], False, line)
            self.assertEqual(got["missing"]["unreadable"], 2, line)
            self.assertIn("incomplete", text(line, heap)[-1], line)

    def test_find(self):
        got = document("py-heap-find Session")
        self.assertEqual(got["total"], 1)
        entry = got["objects"][0]
        self.assertEqual(entry["address"], "0x1000")
        self.assertEqual(entry["type"], "app.Session")
        self.assertEqual(entry["size"], 48)
        self.assertIsNone(entry["value"])
        self.assertEqual(document("py-heap-find str")["objects"][0]["value"], "'a b'")
        self.assertEqual(document("py-heap-find gone")["total"], 0)
        self.assertEqual(document("py-heap-find *.Sess*")["objects"], got["objects"])
        self.assertEqual(document("py-heap-find *gone*")["total"], 0)

    def test_object(self):
        got = document("py-heap-object 0x1000")
        self.assertEqual((got["size"], got["refcount"], got["tracked"]), (48, 1, True))
        self.assertEqual([e["label"] for e in got["referents"]], ["__dict__"])
        self.assertEqual([e["label"] for e in got["weak"]], ["wr_object"])
        self.assertIs(got["weak"][0]["weak"], True)
        self.assertEqual([e["guess"] for e in got["referrers"]], [False, True])
        frame = document("py-heap-object 0x3000")
        self.assertEqual(frame["kind"], "frame")
        self.assertIsNone(frame["refcount"])
        self.assertEqual([e["extra"] for e in frame["referents"]], [True, True])

    def test_one_step_only(self):
        self.assertNotIn("referrers", document("py-heap-referents 0x1000"))
        self.assertNotIn("referents", document("py-heap-referrers 0x1000"))
        self.assertEqual(len(document("py-heap-referrers 0x1000")["referrers"]), 2)

    def test_graph_is_refcycle_s(self):
        got = document("py-heap-ancestors 0x1000")
        self.assertNotIn("complete", got)
        ids = [vertex["id"] for vertex in got["vertices"]]
        self.assertEqual(ids[0], 0x1000)
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual(len({edge["id"] for edge in got["edges"]}), 6)
        for edge in got["edges"]:
            self.assertIn(edge["head"], ids)
            self.assertIn(edge["tail"], ids)
        first = got["edges"][0]
        self.assertEqual((first["tail"], first["head"]), (0x2000, 0x1000))
        self.assertEqual(first["annotation"], "__self__")
        self.assertEqual(got["beyond"], 1)
        self.assertNotIn("beyond", document("py-heap-ancestors 0x1000 --all"))

    def test_frames(self):
        (thread,) = document("py-heap-frames")["threads"]
        self.assertEqual(thread["native_id"], 4711)
        self.assertEqual(thread["name"], "w")
        (frame,) = thread["frames"]
        local = frame.pop("locals")["job"]
        self.assertEqual((local["address"], local["type"]), ("0x2000", "method"))
        self.assertEqual(
            frame,
            {
                "address": "0x3000",
                "function": "worker",
                "file": "/srv/app.py",
                "line": 88,
            },
        )

    def test_several_interpreters(self):
        found = document("py-heap-frames", FakeSeveral())
        first, second = found["interpreters"]
        self.assertEqual(second, {"address": "0x9000", "id": 5, "tracked": 2})
        states = [t["interpreter"] for t in found["threads"]]
        self.assertEqual(states, [first["address"], second["address"]])
        self.assertEqual(found["greenlets"][0]["address"], "0x2000")
        self.assertEqual(found["greenlets"][0]["frames"][0]["line"], 88)
        self.assertNotIn("suspended", found)
        found = document("py-heap-frames --suspended --interpreter 5", FakeSeveral())
        self.assertEqual(len(found["threads"]), 1)
        self.assertEqual([s["address"] for s in found["suspended"]], ["0x5000"])
        self.assertEqual(found["suspended"][0]["locals"]["job"]["type"], "method")
        found = document("py-heap-types --interpreter 5", FakeSeveral())
        self.assertEqual((found["interpreter"], found["total"]["count"]), (5, 3))
        self.assertEqual(found["types"][0], {"type": "dict", "count": 2, "size": 20})
        found = document("py-heap-object 0x2000", FakeSeveral())
        self.assertEqual(found["interpreter"], 5)

    def test_paths(self):
        for name in ("py-heap-why", "py-heap-locals"):
            (path,) = document(f"{name} 0x1000")["paths"]
            self.assertEqual(path["root"]["kind"], "frame")
            self.assertEqual(path["root"]["thread"]["native_id"], 4711)
            self.assertEqual(path["root"]["line"], 88)
            labels = [(s["label"], s["address"]) for s in path["steps"]]
            self.assertEqual(
                labels, [("local 'job'", "0x2000"), ("__self__", "0x1000")]
            )
            self.assertEqual(document(f"{name} 0x6000")["paths"], [])

    def test_info(self):
        got = document("py-heap-info")
        self.assertEqual(got["version"], "3.13.0rc2")
        fault = {
            "kind": "no instruction",
            "pc": "0x7000",
            "instructions": 12,
            "file": "x.so was not found",
        }
        guess = {"type": "app.Session", "count": 4, "fault": fault}
        self.assertEqual(got["guessed_types"], [guess, guess])
        self.assertEqual((got["run_objects"], got["run_problem"]), (5, None))
        paths = [file["path"] for file in got["files"]]
        self.assertEqual(paths, ["/srv/lost.so", "/srv/unnamed.so"])
        self.assertEqual(got["files"][0]["problem"], "it was not found")
        self.assertIn("no build-id", got["files"][1]["problem"])
        dispute = {"type": "method", "address": "0x2000"}
        self.assertEqual(got["disputed_types"], [dispute])
        unreadable = {"type": "app.Session", "count": 1}
        self.assertEqual(got["unreadable_types"], [unreadable, unreadable])
        self.assertEqual(got["build"], "debug")
        part = {"source": "row of 3.13.5", "count": 1, "structures": ["gc"]}
        self.assertEqual(got["layouts"][1], part)
        failed = [i["words"] for i in got["invariants"] if i["verdict"] == "fails"]
        self.assertEqual(failed, ["lists close"])


class Texts(unittest.TestCase):
    """What a person reads."""

    def test_info(self):
        got = "\n".join(text("py-heap-info"))
        self.assertRegex(got, r"build +debug")
        self.assertRegex(got, r"invariants +1 of 2 hold")
        self.assertIn("the layout is composed:\n", got)
        self.assertIn("  1  row of 3.13.5 (gc)", got)
        self.assertIn("that do not hold:\n  lists close", got)
        self.assertNotIn("generators", got)
        self.assertIn("after 12 instructions: x.so was not found", got)
        self.assertRegex(got, r"  /srv/unnamed.so +has no build-id")
        self.assertNotIn("  /usr/bin/python ", got)
        got = "\n".join(text("py-heap-info --verbose"))
        self.assertIn("be asked of:\n  generators have code", got)
        self.assertIn("that hold:\n  the type of type is type", got)

    def test_types(self):
        got = text("py-heap-types --limit 1")
        self.assertEqual(got[0], "count  size  type")
        self.assertEqual(got[1], "    8    80  app.Session")
        self.assertEqual(got[2], "… 1 more type; --limit 0 shows all")
        self.assertIn("13 tracked objects of 2 types, 580 bytes", got[3])
        self.assertIn("of 2 types: their references are guesses", got[4])

    def test_types_without_a_heap(self):
        command = BY_NAME["py-heap-types"]

        def lines(options):
            args = command.parse(options)
            answer = command.answer(UnreadQuestion(), args)
            return [plain(row) for row in answer.lines()]

        self.assertEqual(lines("--limit 1")[:3], text("py-heap-types --limit 1")[:3])
        self.assertIn("13 tracked objects of 2 types, 580 bytes; --all", lines("")[3])
        self.assertIn("5 tracked objects of 1 type, 500 bytes", lines("dic")[2])
        for options in "--all", "--json", "--interpreter 0":
            with self.assertRaises(AssertionError):
                lines(options)

    def test_find(self):
        self.assertEqual(
            text("py-heap-find Session"),
            ["address  size  object", "0x1000     48  app.Session"],
        )
        self.assertIn("no object of a type named 'gone'", text("py-heap-find gone")[0])

    def test_similar_names_are_offered(self):
        with mock.patch.object(FakeHeap, "find", return_value=[]):
            said = text("py-heap-find session")[0]
        self.assertIn("there are objects of app.Session", said)

    def test_object(self):
        self.assertEqual(
            text("py-heap-object 0x1000"),
            [
                "0x1000 app.Session, size 48, refcount 1, tracked",
                "refers to 1 object, weakly to 1:",
                "  __dict__          0x5000  dict[2]",
                "  wr_object (weak)  0x6000  'a b'",
                "referred to by 2 references:",
                "  __self__            0x2000  method Session.close",
                "  value['x'] (guess)  0x5000  dict[2]",
            ],
        )

    def test_tree(self):
        self.assertEqual(
            text("py-heap-ancestors 0x1000 --all"),
            [
                "0x1000 app.Session",
                "  0x2000 method Session.close      __self__",
                "    0x3000 frame app.py:88 worker  local 'job', stack[0]",
                '      0x4000 thread "w"            frame',
                "  0x5000 dict[2]                   value['x'] (guess)",
                "    0x1000 app.Session             __dict__ (above)",
            ],
        )
        got = text("py-heap-ancestors 0x1000 --limit 2")
        self.assertEqual(got[2], "… 4 more; --limit 0 shows all")
        self.assertIn("--all shows", got[3])

    def test_frames(self):
        self.assertEqual(
            text("py-heap-frames --locals"),
            [
                'thread 7 "w", LWP 4711, state 0x4000',
                "  #0  0x3000  worker  /srv/app.py:88",
                "        job  0x2000  method Session.close",
            ],
        )

    def test_of_deep_stacks_both_ends_are_shown(self):
        heap = FakeHeap()
        heap.threads = lambda: [
            thread._replace(frames=[2] * 1000) for thread in threads
        ]
        threads = FakeHeap().threads()
        shown = text("py-heap-frames", heap)
        self.assertEqual(len(shown), 102)
        self.assertIn("  #49 ", shown[50])
        self.assertEqual(shown[51], "  … 900 more frames; --limit 0 shows all")
        self.assertIn("  #950 ", shown[52])
        self.assertEqual(len(text("py-heap-frames --limit 0", heap)), 1001)
        self.assertEqual(len(text("py-heap-frames --limit 1", heap)), 3)
        self.assertEqual(
            len(document("py-heap-frames", heap)["threads"][0]["frames"]), 1000
        )

    def test_of_long_paths_both_ends_are_shown(self):
        heap, (path,) = FakeHeap(), FakeHeap().why(0, 1)
        heap.why = lambda id, limit: [path._replace(edges=path.edges * 300)]
        shown = text("py-heap-why 0x1000", heap)
        self.assertEqual(len(shown), 102)
        self.assertEqual(shown[51], "  … 500 more; --json shows all")
        self.assertIn("thread 7", shown[-1])
        self.assertEqual(
            len(document("py-heap-why 0x1000", heap)["paths"][0]["steps"]), 600
        )

    def test_frames_of_modules(self):
        heap = FakeHeap()
        heap.frame = lambda id: Frame("<module>", "/srv/app.py", 88)
        found = [Edge(2, 1, name, False, False, False) for name in ("a", "b")]
        for names, last in (
            (found, "        the 2 names of the module"),
            (found[1:], "        the 1 name of the module"),
            ([], "        the 0 names of the module"),
        ):
            heap.frame_locals = lambda id, names=names: names
            self.assertEqual(text("py-heap-frames --locals", heap)[2:], [last])
        # What the frame has itself, beside the module's names or (3.13) in place of them.
        job = Edge(2, 1, "job", False, False, False)
        shown = "        job  0x2000  method Session.close"
        heap.frame_locals = lambda id: [job]
        self.assertEqual(text("py-heap-frames --locals", heap)[2:], [shown])
        heap.frame_locals = lambda id: [*found, job]
        self.assertEqual(
            text("py-heap-frames --locals", heap)[2:],
            ["        the 2 names of the module", shown],
        )

    def test_frames_of_several_interpreters(self):
        second = [
            "interpreter 5, state 0x9000",
            "thread 7, LWP 4711, state 0x5000",
            "  no Python frame",
            "greenlet 0x2000 method Session.close, suspended",
            "  #0  0x3000  worker  /srv/app.py:88",
            "1 suspended generator or coroutine",
            "  0x5000  dict[2]  /srv/app.py:88",
        ]
        found = text("py-heap-frames --suspended", FakeSeveral())
        self.assertEqual(found[0], "interpreter 0, main, state 0x7000")
        self.assertEqual(found[-len(second) :], second)
        command = "py-heap-frames --suspended --interpreter 5"
        self.assertEqual(text(command, FakeSeveral()), second)
        last = text("py-heap-types --interpreter 5", FakeSeveral())[-2]
        self.assertEqual(
            last, "3 tracked objects of 2 types, 30 bytes, of interpreter 5"
        )
        title = text("py-heap-object 0x2000", FakeSeveral())[0]
        self.assertTrue(title.endswith("tracked by interpreter 5"), title)

    def test_interpreters_that_cannot_be_told(self):
        errors = {
            "py-heap-frames --interpreter 1": "no interpreter 1; there is 0, 5",
            "py-heap-types --interpreter 5 --all": "leave out --all",
        }
        for line, words_of_it in errors.items():
            with self.assertRaisesRegex(HeapError, words_of_it):
                text(line, FakeSeveral())
        for line in ("py-heap-types", "py-heap-find dict"):
            with self.assertRaisesRegex(HeapError, "share one collector"):
                text(line + " --interpreter 0", FakeShared())

    def test_locals(self):
        self.assertEqual(
            text("py-heap-locals 0x1000"),
            [
                "thread 7 \"w\", LWP 4711  worker  app.py:88  local 'job'"
                "  -> method Session.close  __self__"
            ],
        )
        self.assertIn("no local variable", text("py-heap-locals 0x6000")[0])

    def test_why(self):
        self.assertEqual(
            text("py-heap-why 0x1000"),
            [
                "app.Session 0x1000",
                "  <- method Session.close    0x2000  __self__",
                "  <- frame app.py:88 worker  0x3000  local 'job'"
                '  thread 7 "w", LWP 4711',
            ],
        )
        nothing, heap = "no root leads here. ", FakeHeap()
        self.assertIn(nothing + "It is garbage", text("py-heap-why 0x6000")[0])
        heap.garbage_ = False
        self.assertIn(nothing + "It is no garbage", text("py-heap-why 0x6000", heap)[0])

    def test_errors_go_through(self):
        with self.assertRaisesRegex(WalkError, "no node at 0x99"):
            text("py-heap-object 0x99")


class Reading(unittest.TestCase):
    """What is said while a heap is read."""

    def said(self, terminal, times):
        clock, said = iter(times), []
        progress = Progress(terminal, said.append, lambda: next(clock))
        for step in range(len(times) - 1):
            self.assertTrue(progress(1234567 * step, 0))
        progress.done()
        return said

    def test_a_terminal_s_line_is_rewritten_and_erased(self):
        said = self.said(True, [0, 0.1, 0.4, 0.45, 0.6])
        self.assertEqual(len(said), 3)
        self.assertIn("reading the heap: 1 234 567 objects…", said[0])
        self.assertEqual(said[-1], "\r\x1b[K")

    def test_elsewhere_one_line_and_only_if_it_takes_long(self):
        self.assertEqual(self.said(False, [0, 0.5, 1.9]), [])
        self.assertEqual(len(self.said(False, [0, 1, 2.5, 9, 20])), 1)


STRUCTURES = {"walk_heap_stats": "_Stats", "walk_heap_part": "_Part"}


def class_name(structure):
    """walk_target_info to _TargetInfo."""
    return "_" + structure[len("walk_") :].title().replace("_", "")


def compiled(expressions):
    """The values of C expressions about walk.h."""
    program = '#include <stdio.h>\n#include "walk.h"\nint main(void) {\n'
    program += "".join(f'printf("%zu ", {e});\n' for e in expressions) + "}\n"
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "a")
        include = os.path.join(CHECKOUT, "libwalk")
        command = ["cc", "-x", "c", f"-I{include}", "-", "-o", binary]
        subprocess.run(command, input=program.encode(), check=True)
        return [int(word) for word in subprocess.check_output([binary]).split()]


class Binding(unittest.TestCase):
    """walk.py against walk.h, as far as text can tell."""

    def setUp(self):
        path = os.path.join(CHECKOUT, "libwalk", "walk.h")
        with open(path, encoding="utf-8") as stream:
            self.header = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.DOTALL)

    def test_every_function_is_bound_with_its_number_of_arguments(self):
        header = re.sub(r"typedef[^;]*;", "", self.header)
        for name, arguments in re.findall(r"\b(walk_\w+)\(([^()]*)\)\s*;", header):
            if name.startswith("walk_heap_print_"):  # a tool's
                continue
            self.assertIn(name, walk._PROTOTYPES)
            count = len(arguments.split(","))
            self.assertEqual(len(walk._PROTOTYPES[name][1]), count, name)

    @unittest.skipUnless(shutil.which("cc"), "no C compiler")
    def test_every_structure_is_laid_out_as_the_compiler_does(self):
        names = re.findall(r"struct (walk_\w+) \{", self.header)
        self.assertGreater(len(names), 10)
        ours, lines = [], []
        for name in names:
            structure = getattr(walk, STRUCTURES.get(name) or class_name(name))
            ours.append(ctypes.sizeof(structure))
            lines.append(f"sizeof(struct {name})")
            for member, _ in structure._fields_:
                ours.append(getattr(structure, member).offset)
                lines.append(f"offsetof(struct {name}, {member})")
        self.assertEqual(compiled(lines), ours)

    def test_error_codes(self):
        body = re.search(r"enum walk_error_code \{(.*?)\}", self.header, re.S)[1]
        names = re.findall(r"WALK_ERROR_(\w+)", body)
        for number, name in enumerate(names, 1):
            self.assertEqual(getattr(WalkError, name), number)

    def test_a_missing_library_names_make(self):
        with self.assertRaisesRegex(HeapError, "run `make` in"):
            walk._load_library("/nowhere/libwalk.so")


if __name__ == "__main__":
    unittest.main()
