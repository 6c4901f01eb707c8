# SPDX-License-Identifier: Apache-2.0
"""The answers to what objgraph answers, compared with what it said in the process.

    python3 tests/peers_check.py build/cores/INTERPRETER/peers
    python3 tests/peers_check.py --tables

The truth is the file `objgraph`, which peers.py wrote before it died. With --tables, the
tables of docs/from-objgraph.md and docs/from-refcycle.md: they have every function and
option, no other, and each row names a check that there is.
"""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from typing import Any, Callable, Counter, Dict, List, Optional, Set, Tuple

from files import File, options
from checks import run
from gdbrun import CHECKOUT
from peers_rows import OBJGRAPH, REFCYCLE
from truthfile import Truth

sys.path.insert(0, os.path.join(CHECKOUT, "gdbext"))
import pyheap  # noqa: E402

SKIPPED = 77  # as in automake


def same(what: str, found: Any, wanted: Any) -> None:
    """Both are equal, or the test fails with what differs."""
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = [k for k in {*found, *wanted} if found.get(k) != wanted.get(k)][:5]
        found = {key: found.get(key) for key in keys}
        wanted = {key: wanted.get(key) for key in keys}
    elif isinstance(found, set) and isinstance(wanted, set):
        found, wanted = sorted(found - wanted)[:5], sorted(wanted - found)[:5]
    words = f"{str(found)[:400]}, objgraph said {str(wanted)[:400]}"
    raise AssertionError(f"{what}: {words}")


def plain(name: str) -> str:
    """objgraph's long name of a type as it is here: builtins without their module."""
    return name[len("builtins.") :] if name.startswith("builtins.") else name


def bare(name: str) -> str:
    """type.__name__ of a type's name here."""
    return name.rpartition(".")[2]


def counted(rows: List[Dict[str, Any]], key: str = "count") -> Dict[str, int]:
    """The counts of the types of a document."""
    return {row["type"]: row[key] for row in rows if row[key]}


def lumped(counts: Dict[str, int]) -> Dict[str, int]:
    """By short names."""
    found: Counter[str] = Counter()
    for name, count in counts.items():
        found[bare(name)] += count
    return dict(found)


def printed(lines: List[str]) -> List[List[str]]:
    """The columns of what objgraph printed, its names as they are here."""
    rows = [line.split() for line in lines if line.strip("=")]
    return [[plain(name), *columns] for name, *columns in rows]


class Checks:
    """The checks of one core; each method `check_…` is one."""

    def __init__(self, folder: str) -> None:
        with open(os.path.join(folder, "objgraph"), encoding="utf-8") as file:
            self.said: Dict[str, Any] = json.load(file)
        self.truth = Truth(os.path.join(folder, "truth"))
        core = os.path.join(folder, "core")
        self.before = os.path.join(folder, "core.0")
        self.file = File(core, options(folder))
        self.graph = pyheap.snapshot(core=core)

    def called(self, name: str) -> List[str]:
        """The types here that objgraph calls so: its whole names have no outer class."""
        names = self.said["names"]
        if "." in name:
            return [plain(n) for n, long in names.items() if long == name]
        return [plain(n) for n in names if bare(n) == name]

    def long(self, counts: Dict[str, int]) -> Dict[str, int]:
        """Counts by what objgraph calls the types."""
        names = {plain(n): plain(long) for n, long in self.said["names"].items()}
        found: Counter[str] = Counter()
        for name, count in counts.items():
            found[names[name]] += count
        return dict(found)

    def found(self, command: str) -> Set[str]:
        """The addresses of a document's objects."""
        return {row["address"][2:] for row in self.file.ask(command)["objects"]}

    def types(self, command: str = "py-heap-types") -> Dict[str, int]:
        """The counts of a document's types."""
        return counted(self.file.ask(command)["types"])

    # ---- counting ----

    def check_count(self) -> None:
        """count(typename): with a dot it is a whole name."""
        counts = self.types()
        for name, count in self.said["count"].items():
            whole = self.called(name)
            same(f"py-heap-types {name}", sum(counts[n] for n in whole), count)
            found = sum(len(self.graph.find_by_typename(n)) for n in whole)
            same(f"find_by_typename {name}", found, count)
            if "." not in name:
                found = len(self.graph.find_by_typename(name))
                same(f"find_by_typename {name}, not whole", found, count)

    def check_by_type(self) -> None:
        """by_type(typename)."""
        for name, wanted in self.said["by_type"].items():
            whole = self.called(name)
            found = {a for n in whole for a in self.found(f"py-heap-find {n}")}
            same(name, found, set(wanted))
            if "." not in name:
                same("last part", self.found(f"py-heap-find {name}"), set(wanted))

    def check_objects(self) -> None:
        """objects=…: of a part of the heap, here of what a customer leads to."""
        start = next(iter(self.said["at"]))
        part = self.graph.descendants(int(start, 16), 3)
        kept = {f"{o.address:x}" for o in part}
        kinds = Counter(self.truth.objects[address].type for address in kept)
        same("types", dict(part.count_by_typename(qualified=True)), dict(kinds))
        for name in ("__main__.Line", "list"):
            wanted = {a for a in kept if self.truth.objects[a].type == name}
            found = {f"{o.address:x}" for o in part.find_by_typename(name)}
            same(name, found, wanted)

    def check_typestats(self) -> None:
        """typestats(): all types."""
        wanted = {plain(n): c for n, c in self.said["typestats, long"].items()}
        same("typestats", self.long(self.types()), wanted)

    def check_shortnames(self) -> None:
        """shortnames: types of one __name__ are one."""
        same("of types", lumped(self.types()), self.said["typestats"])
        found = dict(self.graph.count_by_typename())
        same("count_by_typename", found, self.said["typestats"])

    def check_filter(self) -> None:
        """filter: by the name of the type in a command, by anything in a script."""
        wanted = {plain(n): c for n, c in self.said["typestats, filter"].items()}
        found = self.long(self.types("py-heap-types __main__.*"))
        same("a pattern", found, wanted)
        own = self.graph.find_by(lambda o: o.type.startswith("__main__."))
        kinds = self.graph.full_subgraph(own).count_by_typename(qualified=True)
        same("a predicate", self.long(kinds), wanted)

    def check_most_common_types(self) -> None:
        """most_common_types(limit): the counts of the first; equals are in any order."""
        rows = self.file.ask("py-heap-types __main__.* --limit 2")["types"]
        wanted = [count for _, count in self.said["most_common_types, 3"]]
        same("the first", [row["count"] for row in rows], wanted[:2])
        found = self.graph.count_by_typename().most_common(10)
        wanted = [count for _, count in self.said["most_common_types"]]
        same("in a script", [count for _, count in found], wanted)

    def check_show_most_common_types(self) -> None:
        """show_most_common_types(): what is printed."""
        lines = self.file.lines("py-heap-types --limit 5")[1:6]
        shown = [[line.split()[2], line.split()[0]] for line in lines]
        same("printed", shown, printed(self.said["show_most_common_types"]))

    # ---- addresses ----

    def check_at(self) -> None:
        """at(addr), also where objgraph's has nothing: not tracked."""
        for address, name in self.said["at"].items():
            found = self.file.ask(f"py-heap-object 0x{address}")
            same(address, bare(found["type"]), name)
            same("tracked", found["tracked"], True)
            same("at", self.graph.at(int(address, 16)).typename, name)
        address, nothing = self.said["at, untracked"]
        found = self.file.ask(f"py-heap-object 0x{address}")
        same("untracked", (found["type"], found["tracked"], nothing), ("str", 0, None))

    def check_at_addrs(self) -> None:
        """at_addrs(address_set): those that are there."""
        wanted = set(self.said["at_addrs"])
        asked = {int(a, 16) for a in [*wanted, self.said["at, untracked"][0]]} | {16}
        found = {f"{a:x}" for a in asked if a in self.graph}
        same("at_addrs", found, wanted)

    def check_is_proper_module(self) -> None:
        """is_proper_module(obj): the modules at which a chain ends.

        Here they may be in sys.modules under another name than their own.
        """
        modules = self.found("py-heap-find module")
        chains = {m: self.file.ask(f"py-heap-chain 0x{m}")["paths"] for m in modules}
        proper = {m for m, paths in chains.items() if paths and not paths[0]["steps"]}
        same("modules", proper, set(self.said["sys.modules"]))
        others = set(self.said["other names"])
        same("objgraph's", proper - others, set(self.said["is_proper_module"]))

    # ---- leaks ----

    def check_get_leaking_objects(self) -> None:
        """get_leaking_objects()."""
        wanted = set(self.said["get_leaking_objects"])
        same("leaks", self.found("py-heap-leaks"), wanted)
        kinds = {plain(n): c for n, c in self.said["leaking types"].items()}
        same("their types", self.long(self.types("py-heap-leaks")), kinds)

    def check_leaking_of_a_part(self) -> None:
        """get_leaking_objects(objects): of the program's own objects."""
        own = self.graph.find_by(lambda o: o.type.startswith("__main__."))
        part = self.graph.full_subgraph(own)
        found = {f"{o.address:x}" for o in part.find_by(lambda o: not part.parents(o))}
        same("of a part", found, set(self.said["get_leaking_objects, own"]))

    # ---- growth ----

    def growth(self, more: str = "") -> List[Dict[str, Any]]:
        """The rows of py-heap-growth."""
        rows = self.file.ask(f"py-heap-growth {self.before} {more}")["types"]
        return list(rows)

    def check_growth(self) -> None:
        """growth(limit=None): types, counts, deltas."""
        found = {r["type"]: (r["count"], r["delta"]) for r in self.growth()}
        wanted = {plain(n): (c, d) for n, c, d in self.said["growth"]}
        same("growth", found, wanted)

    def check_growth_limit(self) -> None:
        """limit: the most growth first."""
        found = [row["delta"] for row in self.growth("--limit 2")]
        same("deltas", found, [delta for _, _, delta in self.said["growth, 2"]])

    def check_growth_shortnames(self) -> None:
        """shortnames: the sums of what has one __name__."""
        rows = self.growth("--all")
        found = lumped({row["type"]: row["delta"] for row in rows})
        wanted = {name: delta for name, _, delta in self.said["growth, short"]}
        same("deltas", {n: d for n, d in found.items() if d > 0}, wanted)

    def check_growth_filter(self) -> None:
        """filter: the rows whose type one wants."""
        rows = [r for r in self.growth() if r["type"].startswith("__main__.")]
        found = [[r["type"], r["count"], r["delta"]] for r in rows]
        same("rows", sorted(found), sorted(self.said["growth, filter"]))

    def check_show_growth(self) -> None:
        """show_growth(): columns type, count, +delta."""
        lines = self.file.lines(f"py-heap-growth {self.before} --limit 0")
        rows = [line.split() for line in lines if re.search(r" \+\d+$", line)]
        for row in printed(self.said["show_growth"]):
            assert row in rows, f"{row} is not in {rows}"

    def check_peak_stats(self) -> None:
        """peak_stats: of two heaps it is the first; of a saved one too."""
        with tempfile.TemporaryDirectory() as folder:
            saved = os.path.join(folder, "before.heap")
            with self.file.heap_of(self.before) as heap:
                heap.save(saved, values=False)
            rows = self.file.ask(f"py-heap-growth {saved}")["types"]
        same("a saved heap", rows, self.growth())

    def check_get_new_ids(self) -> None:
        """get_new_ids(): the new objects of a type."""
        rows = {row["type"]: row for row in self.growth("--all")}
        new = {plain(n): set(ids) for n, ids in self.said["get_new_ids"].items() if ids}
        for name in (name for name in new if name.startswith("__main__.")):
            document = self.file.ask(f"py-heap-growth {self.before} --new {name}")
            found = {row["address"][2:] for row in document["new"]["objects"]}
            same(f"new {name}", found, new[name])
            same(f"new of {name}", rows[name]["new"], len(found))

    def check_get_new_ids_columns(self) -> None:
        """What is printed: old, current, new, delta; of the program's own types."""
        command = f"py-heap-growth {self.before} --ids --all --limit 0"
        own = [r for r in self.file.lines(command) if r.startswith("__main__.")]
        wanted = printed(self.said["get_new_ids, table"])
        changed = [row for row in wanted if row[3:] != ["+0", "+0"]]
        found = sorted(line.split() for line in own)
        same("columns", found, sorted(r for r in changed if r[0][:9] == "__main__."))

    def check_get_new_ids_sortby(self) -> None:
        """sortby: by any column of the document."""
        rows = self.growth("--all")
        for key in ("old_count", "count", "new", "delta"):
            assert all(isinstance(row[key], int) for row in rows), key
        deltas = [row["delta"] for row in rows]
        same("by delta", deltas, sorted(deltas, reverse=True))

    def check_get_new_ids_skip_update(self) -> None:
        """skip_update: an answer changes nothing, so the next is the same."""
        same("twice", self.growth("--all"), self.growth("--all"))

    # ---- chains ----

    def chain(self, words: str) -> Optional[List[str]]:
        """Its addresses from who refers down, or None."""
        paths = self.file.ask(f"py-heap-chain {words}")["paths"]
        if not paths:
            return None
        nodes = [paths[0]["root"], *paths[0]["steps"]]
        return [node["address"][2:] for node in nodes]

    def chains(self, which: Callable[[str, Dict[str, Any]], bool]) -> int:
        """Compares the chains of a kind; how many there are.

        As objgraph sees no frame and nothing that is not tracked, ours may be shorter
        through these: then each reference on it is one that the process did not report.
        """
        number = 0
        for direction, start, end, given, wanted in self.said["chains"]:
            if not which(direction, given):
                continue
            number += 1
            words = f"0x{start} --to {end}"
            words += " --forward" if direction == "down" else ""
            words += f" --max-depth {given.get('max_depth', 20)}"
            ignored = ",".join(f"0x{address}" for address in given["extra_ignore"])
            words += f" --ignore {ignored}" if ignored else ""
            found = self.chain(words)
            same(words, found and len(found), wanted and len(wanted))
            if found is None:
                continue
            same("ends", found[-1 if direction == "up" else 0], start)
            for holder, referent in zip(found, found[1:]):
                assert referent in self.truth.objects[holder].referents, words
            goal = self.truth.objects[found[0 if direction == "up" else -1]]
            same("goal", goal.type, end)
            assert not set(found) & set(given["extra_ignore"]), words
        return number

    def check_find_backref_chain(self) -> None:
        """find_backref_chain(obj, predicate): as long, of references that there were."""
        assert self.chains(lambda way, given: way == "up" and len(given) == 1) >= 3

    def check_find_ref_chain(self) -> None:
        """find_ref_chain(obj, predicate)."""
        assert self.chains(lambda way, given: way == "down" and len(given) == 1) >= 3

    def check_chain_max_depth(self) -> None:
        """max_depth: none where it is too far."""
        assert self.chains(lambda _, given: "max_depth" in given) >= 3

    def check_chain_extra_ignore(self) -> None:
        """extra_ignore: not through these addresses."""
        assert self.chains(lambda _, given: bool(given["extra_ignore"])) >= 2

    def check_chain_predicate(self) -> None:
        """Any predicate, in a script: the nearest object for which it is true."""
        for direction, start, end, given, wanted in self.said["chains"]:
            if direction != "down" or given["extra_ignore"] or not wanted:
                continue
            first = self.graph.at(int(start, 16))
            below = self.graph.descendants(first, given.get("max_depth", 20))
            ends = below.find_by(lambda o: o.type == end)
            lengths = [len(below.shortest_path(first, o)) for o in ends]
            same(f"{start} to {end}", min(lengths), len(wanted))

    def drawn(self, text: str) -> Tuple[int, int]:
        """How many nodes and arrows a DOT text has."""
        command = ["gvpr", 'BEG_G{print(nNodes($G), " ", nEdges($G))}']
        run = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True)
        nodes, arrows = run.stdout.split()
        return int(nodes), int(arrows)

    def check_show_chain(self) -> None:
        """show_chain(): as many nodes and arrows."""
        addresses, text = self.said["show_chain"]
        wanted = self.drawn(text)
        same("objgraph's nodes", wanted[0], len(addresses))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "chain.dot")
            for more in ("", "--forward"):
                ends = f"0x{addresses[-1]} --no-legend"
                if more:
                    ends = f"0x{addresses[0]} --to 0x{addresses[-1]} --no-legend"
                self.file.lines(f"py-heap-chain {ends} {more} --image {path}")
                with open(path, encoding="utf-8") as file:
                    same(f"drawn {more}", self.drawn(file.read()), wanted)


# ---- the tables ----

_ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| `(\w+)`: `(\w+)` \|$")


def rows_of(page: str) -> Dict[str, Tuple[str, str]]:
    """The rows of a page's table: what is asked; the test's file and its check."""
    found: Dict[str, Tuple[str, str]] = {}
    with open(os.path.join(CHECKOUT, "docs", page), encoding="utf-8") as file:
        text = file.read()
    table = text.partition("\n| function or option | here | test |\n|---|---|---|\n")[2]
    for line in table.partition("\n\n")[0].splitlines():
        row = _ROW.match(line)
        if not row:
            raise AssertionError(f"{page}: a row without a check: {line}")
        if row[1] in found:
            raise AssertionError(f"{page}: twice: {row[1]}")
        found[row[1]] = row[3], row[4]
    return found


def check_table(page: str, wanted: Dict[str, List[str]]) -> int:
    """The page's rows are those of the peer, and each has a check; how many there are."""
    rows = rows_of(page)
    named = {
        name
        for function, parameters in wanted.items()
        for name in (function, *(f"{function}({p}=)" for p in parameters))
    }
    missing, more = sorted(named - set(rows)), sorted(set(rows) - named)
    if missing or more:
        raise AssertionError(f"{page}: missing {missing}, not the peer's: {more}")
    for name, (file, check) in rows.items():
        path = os.path.join(CHECKOUT, "tests", f"{file}.py")
        with open(path, encoding="utf-8") as stream:
            if not re.search(rf"^ *def {check}\(", stream.read(), re.MULTILINE):
                raise AssertionError(f"{page}: {name}: {file} has no {check}")
    return len(rows)


def check_signatures() -> None:
    """The data have all that the installed objgraph has."""
    try:
        objgraph = importlib.import_module("objgraph")
    except ImportError:
        return
    for name, function in inspect.getmembers(objgraph, inspect.isfunction):
        if name.startswith("_") or not function.__module__.startswith("objgraph"):
            continue
        for parameter in inspect.signature(function).parameters.values():
            is_own = parameter.name.startswith("_")  # get_new_ids: its memory
            given = parameter.default is not inspect.Parameter.empty and not is_own
            if given and parameter.name not in OBJGRAPH[name]:
                raise AssertionError(f"objgraph's {name} has {parameter.name}, too")


def main() -> int:
    """Runs every check, and says which fail."""
    if sys.argv[1:] == ["--tables"]:
        check_signatures()
        pages = (("from-objgraph.md", OBJGRAPH), ("from-refcycle.md", REFCYCLE))
        for page, wanted in pages:
            print(f"{page}: {check_table(page, wanted)} rows, each with a check")
        return 0
    (folder,) = sys.argv[1:]
    if not os.path.exists(os.path.join(folder, "core.0")):
        print("the kernel does not write the cores of children here")
        return SKIPPED
    checks = Checks(os.path.normpath(folder))
    count, failed = run(checks)
    print(f"{len(checks.said)} answers of objgraph, {count} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
