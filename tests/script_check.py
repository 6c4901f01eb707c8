# SPDX-License-Identifier: Apache-2.0
"""pyheap.snapshot() and its ObjectGraph, compared with refcycle's definitions.

    python3 tests/script_check.py build/cores/INTERPRETER/PROGRAM
    python3 tests/script_check.py --docs build/cores/INTERPRETER/worker
    python3 tests/script_check.py --condition PYTHON

The definitions are restated in plaingraph.py over what the program wrote of itself. With
--docs the examples of docs/scripting.md are run, on the worker's core; with --condition a
process is stopped by a breakpoint whose condition counts its objects.
"""

import copy
import doctest
import json
import os
import pickle
import random
import re
import sys
import tempfile
from typing import Any, Callable, FrozenSet, Iterable, List, Set, Tuple, Type

from checks import run
from gdbrun import CHECKOUT, gdb
from plaingraph import PlainGraph
from truthfile import Truth

sys.path.insert(0, os.path.join(CHECKOUT, "gdbext"))
import pyheap  # noqa: E402
from pyheap import remote  # noqa: E402

SKIPPED = 77  # as in automake
STARTS = 25  # objects that are asked what is around them
SCRIPTING = os.path.join(CHECKOUT, "docs", "scripting.md")


def same(what: str, found: Any, wanted: Any) -> None:
    """Both are equal, or the test fails with what differs."""
    if found == wanted:
        return
    if isinstance(found, (set, frozenset)):
        found, wanted = sorted(found - wanted)[:5], sorted(wanted - found)[:5]
        raise AssertionError(f"{what}: only found {found}, only wanted {wanted}")
    raise AssertionError(
        f"{what}: found {str(found)[:300]}, wanted {str(wanted)[:300]}"
    )


def where(objects: Iterable["pyheap.RemoteObject"]) -> Set[int]:
    """The addresses of objects."""
    return {o.address for o in objects}


def bare(type: str) -> str:
    """type.__name__ of a type's name."""
    return type.rpartition(".")[2]


class Checks:
    """The checks of one core; each method `check_…` is one."""

    def __init__(self, folder: str) -> None:
        self.truth = Truth(os.path.join(folder, "truth"))
        own = {int(address, 16) for address in self.truth.own}
        wanted = [a for a in self.truth.tracked() if a not in self.truth.own]
        self.plain = PlainGraph.of(self.truth, wanted)
        root = os.path.join(folder, "root")
        sysroot = None
        if os.path.exists(root):
            with open(root, encoding="utf-8") as file:
                sysroot = file.read().strip()
        self.core = os.path.join(folder, "core")
        self.graph = pyheap.snapshot(core=self.core, sysroot=sysroot)
        if own:
            self.graph = self.graph.full_subgraph(
                o for o in self.graph if o.address not in own
            )
        # The same objects for every run, some that the program names among them.
        rng = random.Random(1)
        self.starts = rng.sample(sorted(self.plain.children), STARTS)
        named = [int(a, 16) for a in sorted(self.truth.expected.values())]
        self.starts += [a for a in named if a in self.plain.children][:STARTS]

    # ---- a set ----

    def check_objects(self) -> None:
        """The vertices are what gc.get_objects() returned."""
        same("objects", where(self.graph), set(self.plain.children))
        same("len", len(self.graph), len(self.plain.children))
        assert all(address in self.graph for address in self.starts)
        assert 1 not in self.graph
        none = next(o for o in self.graph.everything() if o.type == "NoneType")
        assert none not in self.graph and none.address not in self.graph

    def check_nothing_is_made_before_it_is_asked_for(self) -> None:
        """No object in Python, however many the graph has."""
        made: List[int] = []
        original = remote.RemoteObject.__init__

        def count(self: Any, heap: Any, id: int) -> None:
            made.append(id)
            original(self, heap, id)

        setattr(remote.RemoteObject, "__init__", count)
        try:
            graph = self.graph.everything()
            part = graph.ancestors(self.starts[0], 3) & self.graph
            rest = graph - part
            assert len(rest) == len(graph) - len(part)
            graph.strongly_connected_components()
            self.graph.source_components()
            graph.count_by_typename()
            graph.find_by_typename("dict")
            graph.garbage()
        finally:
            setattr(remote.RemoteObject, "__init__", original)
        same("objects made", made, [])

    def check_operators(self) -> None:
        """Difference and intersection, of graphs that overlap."""
        first = self.graph.ancestors(self.starts[0], 4)
        second = self.graph.descendants(self.starts[1], 3)
        same("-", where(first - second), where(first) - where(second))
        same("&", where(first & second), where(first) & where(second))
        same("all but", where(self.graph - first), where(self.graph) - where(first))

    def check_types(self) -> None:
        """Counting and finding by the name of the type."""
        truth = self.truth

        def name(address: int) -> str:
            return bare(truth.objects[f"{address:x}"].type)

        counts = self.plain.count_by(name)
        same("count_by_typename", self.graph.count_by_typename(), counts)
        same("count_by", self.graph.count_by(lambda o: o.typename), counts)
        for type in random.Random(2).sample(sorted(counts), 8):
            wanted = {a for a in self.plain.children if name(a) == type}
            found = self.graph.find_by_typename(type)
            same(f"find_by_typename {type}", where(found), wanted)
            found = self.graph.find_by(lambda o: o.typename == type)
            same(f"find_by {type}", where(found), wanted)

    # ---- a graph ----

    def check_references(self) -> None:
        """Every reference, once each."""
        references = self.plain.references()
        same("edge_count", self.graph.edge_count(), sum(references.values()))
        around = self.graph.ancestors(self.starts[0], 3)
        wanted = self.plain.subgraph(where(around)).references()
        found = [(tail.address, head.address) for tail, head in around.references()]
        same("references", sorted(found), sorted(wanted.elements()))
        edges = around.edges
        same("edges", len(edges), sum(wanted.values()))
        same(
            "head and tail",
            [(around.tail(e).address, around.head(e).address) for e in edges],
            found,
        )

    def check_neighbours(self) -> None:
        """One step down and up."""
        for start in self.starts:
            one = self.graph.at(start)
            children = [o.address for o in self.graph.children(one)]
            same("children", sorted(children), sorted(self.plain.children[start]))
            parents = [o.address for o in self.graph.parents(start)]
            same("parents", sorted(parents), sorted(self.plain.parents[start]))
            same("in_edges", len(self.graph.in_edges(one)), len(parents))
            same("out_edges", len(self.graph.out_edges(one)), len(children))
            seen = [edge.head.address for edge in one.out_edges if not edge.extra]
            record = self.truth.objects[f"{start:x}"]
            same("referents", sum(record.referents.values()), len(seen))
            same("type", one.type, record.type)
            assert set(children) <= where(one.referents)
            assert set(parents) <= where(one.referrers)

    def check_within(self) -> None:
        """Ancestors and descendants, and what is between them."""
        for start in self.starts:
            for most in (0, 1, 2, 3, None):
                up = self.plain.distances(start, True, most)
                same("ancestors", where(self.graph.ancestors(start, most)), set(up))
                down = self.plain.distances(start, False, most)
                found = self.graph.descendants(start, most)
                same("descendants", where(found), set(down))
                wanted = self.plain.subgraph(down).references()
                same("edges between", found.edge_count(), sum(wanted.values()))

    def check_paths(self) -> None:
        """A shortest path has as many objects as the distance says, in a row."""
        for start in self.starts:
            distances = self.plain.distances(start)
            for end in self.starts:
                try:
                    path = self.graph.shortest_path(start, end)
                except ValueError as error:
                    same("no path", (str(error), end in distances), (NO_PATH, False))
                    continue
                same("length of a path", len(path) - 1, distances.get(end))
                induced = self.plain.subgraph(where(path))
                same("a path", induced.distances(start).get(end), distances[end])
                same("its edges", path.edge_count(), sum(induced.references().values()))

    def check_cycles(self) -> None:
        """Likewise a shortest cycle."""
        for start in self.starts:
            length = self.plain.shortest_cycle(start)
            try:
                cycle = self.graph.shortest_cycle(start)
            except ValueError as error:
                same("no cycle", (str(error), length), (NO_PATH, None))
                continue
            same("length of a cycle", len(cycle), length)
            induced = self.plain.subgraph(where(cycle))
            same("a cycle", induced.shortest_cycle(start), length)

    def check_components(self) -> None:
        """Of the whole, and of a part: they are other ones."""
        parts = [self.graph, self.graph.ancestors(self.starts[2], 5)]
        parts.append(self.graph - parts[1])
        for part in parts:
            plain = self.plain.subgraph(where(part))
            found = part.strongly_connected_components()
            same("components", _sets(found), plain.components())
            same("their order", [len(c) for c in found], sorted(map(len, found))[::-1])
            same("sources", _sets(part.source_components()), plain.sources())
            cyclic = part.strongly_connected_components(singletons=False)
            wanted = {
                c
                for c in plain.components()
                if len(c) > 1 or any(o in plain.children[o] for o in c)
            }
            same("cycles", _sets(cyclic), wanted)

    def check_reachable(self) -> None:
        """Objects that are not tracked belong to what is reached."""
        objects = self.truth.objects
        for start in self.starts[:5]:
            found, waiting = {start}, [start]
            while waiting:
                for other in objects[f"{waiting.pop():x}"].referents:
                    if int(other, 16) not in found:
                        found.add(int(other, 16))
                        waiting.append(int(other, 16))
            reached = self.graph.objects_reachable_from(start)
            same("objects_reachable_from", where(reached), found)

    # ---- documents ----

    def check_documents(self) -> None:
        """JSON is refcycle's, and comes back as it was; DOT and a picture are there."""
        around = self.graph.ancestors(self.starts[0], 2)
        document = json.loads(around.to_json())
        same("ids", {vertex["id"] for vertex in document["vertices"]}, where(around))
        same(
            "edges",
            sorted((edge["tail"], edge["head"]) for edge in document["edges"]),
            sorted((tail.address, head.address) for tail, head in around.references()),
        )
        assert all(isinstance(v["annotation"], str) for v in document["vertices"])
        annotated = around.annotated()
        again = pyheap.AnnotatedGraph.from_json(around.to_json())
        same("vertices", again.vertices, annotated.vertices)
        same("edges again", again.edges, annotated.edges)
        for vertex in annotated:
            same(
                "children",
                sorted(child.id for child in annotated.children(vertex)),
                sorted(o.address for o in around.children(vertex.id)),
            )
        assert around.to_dot().count(" -> ") == around.edge_count()
        with tempfile.TemporaryDirectory() as folder:
            image = os.path.join(folder, "graph.svg")
            around.ancestors(self.starts[0], 1).export_image(image)
            with open(image, encoding="utf-8") as file:
                assert "<svg" in file.read()
            around.export_json(os.path.join(folder, "graph.json"))
            read = pyheap.AnnotatedGraph.import_json(os.path.join(folder, "graph.json"))
            same("from a file", read.vertices, annotated.vertices)

    def check_annotated_graph(self) -> None:
        """It answers as the graph of objects does."""
        part = self.graph.ancestors(self.starts[0], 3)
        part = part.full_subgraph(list(part)[:300])
        words, plain = part.annotated(), self.plain.subgraph(where(part))

        def ids(vertices: Iterable["pyheap.AnnotatedVertex"]) -> Set[int]:
            return {vertex.id for vertex in vertices}

        same("vertices", ids(words), set(plain.children))
        same("len", len(words), len(plain.children))
        same("edges", len(words.edges), sum(plain.references().values()))
        for edge in words.edges:
            tail, head = words.tail(edge), words.head(edge)
            assert edge in words.out_edges(tail) and edge in words.in_edges(head)
        found = [(tail.id, head.id) for tail, head in words.references()]
        same("references", sorted(found), sorted(plain.references().elements()))
        by_id = {vertex.id: vertex for vertex in words}
        for start in list(by_id)[:10]:
            one = by_id[start]
            assert one in words
            parents = sorted(vertex.id for vertex in words.parents(one))
            same("parents", parents, sorted(plain.parents[start]))
            for most in (0, 1, 2, None):
                up = plain.distances(start, True, most)
                same("ancestors", ids(words.ancestors(one, most)), set(up))
                down = plain.distances(start, False, most)
                same("descendants", ids(words.descendants(one, most)), set(down))
            self._annotated_ways(words, plain, one)
        found_sets = {frozenset(ids(c)) for c in words.strongly_connected_components()}
        same("components", found_sets, plain.components())
        found_sets = {frozenset(ids(c)) for c in words.source_components()}
        same("sources", found_sets, plain.sources())
        some = words.full_subgraph(list(words)[:5])
        same("-", ids(words - some), ids(words) - ids(some))
        same("&", ids(words & some), ids(some))
        kinds = words.count_by(lambda v: v.type)
        same("count_by", dict(kinds), dict(part.count_by(lambda o: o.type)))
        dicts = {o.address for o in part.find_by(lambda o: o.type == "dict")}
        same("find_by", ids(words.find_by(lambda v: v.type == "dict")), dicts)

    @staticmethod
    def _annotated_ways(
        words: "pyheap.AnnotatedGraph",
        plain: PlainGraph,
        one: "pyheap.AnnotatedVertex",
    ) -> None:
        """Shortest paths from a vertex, and its shortest cycle."""
        away = plain.distances(one.id)
        for other in list(words)[:10]:
            try:
                length = len(words.shortest_path(one, other)) - 1
            except ValueError as error:
                same("no path", (str(error), other.id in away), (NO_PATH, False))
                continue
            same("length of a path", length, away.get(other.id))
        try:
            same(
                "length of a cycle",
                len(words.shortest_cycle(one)),
                plain.shortest_cycle(one.id),
            )
        except ValueError as error:
            found = str(error), plain.shortest_cycle(one.id)
            same("no cycle", found, (NO_PATH, None))

    def check_annotations(self) -> None:
        """The words for a list and its items, as refcycle has them."""
        lists = [o for o in self.graph if o.type in ("list", "tuple") and o.out_edges]
        for one in random.Random(3).sample(lists, 20):
            record = self.truth.objects[f"{one.address:x}"]
            length = sum(record.referents.values())
            same("annotation", one.annotation, f"{record.type}[{length}]")
            labels = [edge.label for edge in one.out_edges]
            same("labels", sorted(labels), sorted(f"item[{i}]" for i in range(length)))

    def check_export_options(self) -> None:
        """format, dot_executable; a program that is not there."""
        part = self.graph.ancestors(self.starts[0], 1)
        with tempfile.TemporaryDirectory() as folder:
            image = os.path.join(folder, "picture")
            part.export_image(image, format="svg", dot_executable="/usr/bin/dot")
            with open(image, encoding="utf-8") as file:
                assert "<svg" in file.read()
            try:
                part.export_image(image, dot_executable="/nowhere/dot")
            except pyheap.HeapError as error:
                assert "/nowhere/dot" in str(error), error
                return
        raise AssertionError("drawn by nothing")

    def check_garbage(self) -> None:
        """What a collection found in the process, and the cycles that keep it."""
        wanted = {int(a, 16) for a in self.truth.collected.get("garbage", ())}
        same("garbage", where(self.graph.garbage()), wanted)
        plain = self.plain.subgraph(wanted)
        same("key_cycles", _sets(self.graph.key_cycles()), plain.sources())
        whole = pyheap.garbage(core=self.core)
        same("pyheap.garbage", where(whole), wanted)

    def check_repr(self) -> None:
        """How many there are."""
        part = self.graph.ancestors(self.starts[0], 1)
        assert f" {len(part)} objects>" in repr(part), repr(part)
        words = part.annotated()
        assert f" {len(part)} vertices>" in repr(words), repr(words)

    def check_owned_objects(self) -> None:
        """None is in the target: the snapshot is what the process had."""
        same("owned", self.graph.owned_objects(), [])

    def check_what_is_not_in_the_graph(self) -> None:
        """As in refcycle: KeyError, and ValueError where there is no path."""
        part = self.graph.full_subgraph([self.starts[0]])
        other = self.starts[1]
        questions: List[Callable[[int], object]] = [
            part.children,
            part.ancestors,
            part.shortest_cycle,
        ]
        for question in questions:
            try:
                question(other)
            except KeyError:
                continue
            raise AssertionError(f"{question} of an object that is not in the graph")
        try:
            part.full_subgraph([other])
        except KeyError:
            return
        raise AssertionError("full_subgraph has an object that is not in the graph")

    def check_what_makes_no_sense(self) -> None:
        """A Python error that says so, and nothing worse."""
        start: Any = self.starts[0]
        graph: Any = self.graph
        questions: List[Tuple[Type[Exception], Callable[[], object]]] = [
            (KeyError, lambda: graph.at(5)),
            (KeyError, lambda: graph.at(start + 1)),
            (KeyError, lambda: graph.at(start + 2**64)),
            (KeyError, lambda: graph.at(start - 2**64)),
            (TypeError, lambda: graph - 5),
            (TypeError, lambda: graph.ancestors(start, 1.5)),
            (ValueError, lambda: graph.ancestors(start, -1)),
            (TypeError, lambda: copy.deepcopy(graph)),
            (TypeError, lambda: copy.copy(graph.heap)),
            (TypeError, lambda: pickle.dumps(graph.ids)),
        ]
        for number, (error, question) in enumerate(questions):
            try:
                question()
            except error:
                continue
            raise AssertionError(f"question {number} has an answer")
        assert start + 2**64 not in graph and start in graph


NO_PATH = "No path found."


def _sets(graphs: Iterable["pyheap.ObjectGraph"]) -> Set[FrozenSet[int]]:
    return {frozenset(where(graph)) for graph in graphs}


# ---- the documentation ----


def _blocks(language: str) -> List[str]:
    with open(SCRIPTING, encoding="utf-8") as file:
        text = file.read()
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"{SCRIPTING} has no example in {language}"
    return found


def check_docs(folder: str) -> int:
    """Runs the examples of docs/scripting.md; the status to end with."""
    with open(os.path.join(folder, "python"), encoding="utf-8") as file:
        python = file.read().strip()
    core = os.path.abspath(os.path.join(folder, "core"))
    if Truth(os.path.join(folder, "truth")).version < 0x3080000:
        print("scripting.md is of 3.8 and later: before, running frames are tracked")
        return SKIPPED
    failed = 0
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(
        "\n".join(_blocks("pycon")), {}, "scripting.md", SCRIPTING, 0
    )
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as temporary:
        os.symlink(core, os.path.join(temporary, "core"))
        os.chdir(temporary)
        try:
            failed += doctest.DocTestRunner(optionflags=options).run(test).failed
        finally:
            os.chdir(before)
    # One session; "(gdb) " begins a command.
    parts = re.split(r"^\(gdb\) ", "".join(_blocks("gdb")), flags=re.MULTILINE)[1:]
    commands = [part.partition("\n")[0] for part in parts]
    for part, reply in zip(parts, gdb([python, core], commands)):
        wanted = part.partition("\n")[2]
        if not doctest.OutputChecker().check_output(wanted, reply.output, options):
            print(f"FAILED {reply.command}: {reply.output}{reply.errors}")
            print(f"  scripting.md says: {wanted}")
            failed += 1
    return 1 if failed else 0


# Makes a Thing before each write().
_THINGS = (
    "import os; Thing = type('Thing', (), {}); things = [];"
    " [(things.append(Thing()), os.write(1, b'')) for _ in range(9)]"
)


def check_condition(python: str) -> int:
    """The condition is asked of the heap as it is each time; the status to end with."""
    replies = gdb(
        [python],
        [
            "set breakpoint pending on",
            'break write if $py_heap_count("Thing") >= 3',
            f'run -S -c "{_THINGS}"',
            'printf "%d\\n", $py_heap_count("Thing")',
            "python import pyheap; graph = pyheap.snapshot()",
            "python print(len(graph.find_by_typename('Thing')))",
            "continue",
            'printf "%d\\n", $py_heap_count("__main__.Thing")',
            "python graph.size()",
            "kill",
        ],
    )
    told = [reply.output.strip() for reply in replies]
    same("at the first stop", (told[3], told[5]), ("3", "3"))
    same("at the second", told[7], "4")
    assert "take a new one" in replies[8].errors, replies[8].errors
    return 0


def main() -> int:
    """Runs every check, and says which fail."""
    folder = os.path.normpath(sys.argv[-1])
    if "--docs" in sys.argv[1:-1]:
        return check_docs(folder)
    if "--condition" in sys.argv[1:-1]:
        return check_condition(sys.argv[-1])
    checks = Checks(folder)
    count, failed = run(checks)
    print(f"{len(checks.graph)} objects, {count} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
