# SPDX-License-Identifier: Apache-2.0
"""Measures how fast a heap is read, against its limits and against others.

`make bench` runs this. Each row is one interpreter and one number of objects: a process
with such a heap (live.py) stays alive while a core of it is read, and all that is measured
takes turns, round by round, so that what else the machine does meets all. Nothing is
measured before the core is in memory: first as the kernel leaves it there that has written
it, then as it comes from the disk. All that read the core must count the same objects.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import machine
import table
from process import Process, Usage, run, run_again, run_sampled

_HERE = os.path.dirname(os.path.abspath(__file__))
_SYSTEM_PYTHON = "/usr/bin/python3"


class Setting(NamedTuple):
    """What one row is about."""

    python: str
    objects: int
    rounds: int


class Bench:
    """Measures one row; the core is in `folder`."""

    def __init__(self, build: str, folder: str, setting: Setting) -> None:
        self._build = build
        self._core = os.path.join(folder, "core")
        self._setting = setting
        self._live = Process(
            [setting.python, os.path.join(_HERE, "live.py"), str(setting.objects)],
            folder,
            _objgraph(),
        )
        self.facts = json.loads(self._live.line())
        self.seconds: Dict[str, List[float]] = {}
        self.cpu: Dict[str, List[float]] = {}
        self.memory: Dict[str, Dict[str, int]] = {}
        self.found: Dict[str, int] = {}
        self._state = table.WRITTEN

    def row(self) -> Dict[str, Any]:
        """All of it."""
        self._make_core()
        self._warm()
        for number in range(self._setting.rounds):
            print(f"  round {number + 1}, just written", file=sys.stderr)
            self._round_of_core()
        self._read_from_disk()
        self._memory()
        for number in range(self._setting.rounds):
            print(f"  round {number + 1}", file=sys.stderr)
            self._round_of_core()
            self._round_of_others()
        self._live.close()
        return {
            **self.facts,
            "objects": self._setting.objects,
            "core": os.path.getsize(self._core),
            "seconds": self.seconds,
            "cpu": self.cpu,
            "memory": self.memory,
            "found": self.found,
        }

    def _tool(self, *words: str) -> List[str]:
        return [os.path.join(self._build, words[0]), *words[1:]]

    def _make_core(self) -> None:
        self._live.ask("core")
        folder = os.path.dirname(self._core)
        for name in os.listdir(folder):
            if name.startswith("core"):
                os.rename(os.path.join(folder, name), self._core)
        if not os.path.exists(self._core):  # the kernel hands them to a program
            gdb = ["gdb", "-nx", "-batch", "-p", str(self._live.pid)]
            run([*gdb, "-ex", f"generate-core-file {self._core}"])

    def _types(self) -> List[str]:
        return self._tool("walk", "types", self._core)

    def _warm(self) -> None:
        """What is in the core, which is in memory."""
        info = self._info()
        self.facts["nodes"] = int(info["nodes"][0])
        self._fact("tracked-by", info["tracked-by"][0])
        self._found("graph", int(info["tracked"][0]))
        self._found("types", _tracked(run(self._types()).output))
        heads = run(
            self._tool("tests/bench/limits", "--heads", self._core), check=False
        )
        self._heads = heads.output if not heads.status else None
        self.facts["free-threaded"] = self._heads is None

    def _read_from_disk(self) -> None:
        """From here on the core is in memory as it comes from the disk."""
        self._state = table.READ
        with open(self._core, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._info()
        self._fact("tracked-by", self._info()["tracked-by"][0])

    def _info(self) -> Dict[str, List[str]]:
        usage = run(self._tool("walk", "info", self._core))
        lines = (line.split("\t") for line in usage.output.splitlines())
        return {line[0]: line[1:] for line in lines}

    def _memory(self) -> None:
        """Peaks, in runs that are not timed, since looking costs time."""
        for name, words in (
            ("types", self._types()),
            ("graph", self._tool("walk", "info", self._core)),
        ):
            usage = run_sampled(words)
            self.memory[name] = {"rss": usage.rss, "own": usage.own}

    def _round_of_core(self) -> None:
        for step in (
            self._nothing,
            self._counter,
            self._read_types,
            self._limits,
            self._graph,
            self._questions,
        ):
            step()

    def _round_of_others(self) -> None:
        self._objgraph()
        self._gdb()

    def _fact(self, name: str, value: Any) -> None:
        self.facts[self._state + name] = value

    def _took(self, name: str, seconds: float) -> None:
        self.seconds.setdefault(self._state + name, []).append(seconds)

    def _ran(self, name: str, usage: Usage) -> None:
        self._took(name, usage.seconds)
        self.cpu.setdefault(self._state + name, []).append(usage.cpu)

    def _found(self, name: str, count: int) -> None:
        if self.found.setdefault(name, count) != count:
            raise SystemExit(f"{name}: {count} where it was {self.found[name]}")

    def _nothing(self) -> None:
        self._took("nothing", run_again(["true"]).seconds)

    def _counter(self) -> None:
        self._took("counter", float(self._live.ask("counter")))

    def _objgraph(self) -> None:
        answer = self._live.ask("objgraph")
        if answer != "-":
            self._took("objgraph", float(answer))

    def _read_types(self) -> None:
        self._ran("types", run_again(self._types()))

    def _graph(self) -> None:
        self._ran("graph", run_again(self._tool("walk", "info", self._core)))

    def _limits(self) -> None:
        if self._heads is None:
            return
        output = run_again(self._tool("tests/bench/limits", self._core)).output
        for line in output.splitlines():
            name, *rest = line.split("\t")
            if name == "objects":
                self._found("limits", int(rest[0]))
            elif name == "huge":
                self._fact(name, int(rest[0]))
            else:
                how = "" if rest[0] == "touched" else f" {rest[0]}"
                self._took(f"limit {name}{how}", float(rest[1]))

    def _questions(self) -> None:
        needle = self.facts["needle"]
        tool = self._tool("tests/bench/questions", self._core, needle, "5")
        rounds: Dict[str, List[float]] = {}
        for line in run_again(tool).output.splitlines():
            name, seconds, count = line.split("\t")
            rounds.setdefault(name, []).append(float(seconds))
            self._found(name, int(count))
        for name, times in rounds.items():
            self._took(name, statistics.median(times))

    def _gdb(self) -> None:
        if self._heads is None:
            return
        words = ["gdb", "-nx", "-batch", "--readnever", "-iex", "set auto-load no"]
        words += ["-ex", f"source {os.path.join(_HERE, 'peer_gdb.py')}"]
        words += [self._setting.python, self._core]
        for line in run_again(words, WALK_HEADS=self._heads).output.splitlines():
            if line.startswith("gdb\t"):
                self._took("gdb script", float(line.split("\t")[1]))
                self._found("gdb script", int(line.split("\t")[2]))

    def check(self) -> None:
        """All that read the core have counted the same objects."""
        counted = ("types", "graph", "limits", "gdb script")
        counts = {name: self.found[name] for name in counted if name in self.found}
        if len(set(counts.values())) > 1:
            raise SystemExit(f"not the same objects: {counts}")


def _tracked(output: str) -> int:
    return sum(int(line.split("\t")[0]) for line in output.splitlines())


def _objgraph() -> Dict[str, str]:
    """Where the file of objgraph is."""
    find = "import importlib.util as u; s = u.find_spec('objgraph'); print(s.origin if s else '')"
    path = run([_SYSTEM_PYTHON, "-c", find], check=False).output.strip()
    return {"OBJGRAPH": path} if path else {}


def _measure(build: str, setting: Setting) -> Dict[str, Any]:
    place = os.path.join(build, "bench")
    os.makedirs(place, exist_ok=True)
    folder = tempfile.mkdtemp(dir=place)
    try:
        bench = Bench(build, folder, setting)
        row = bench.row()
        bench.check()
        return row
    finally:
        shutil.rmtree(folder)


def _merge(path: str, row: Dict[str, Any]) -> None:
    """Puts a row to those of other runs, in the place of an older one."""
    rows: List[Dict[str, Any]] = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)["rows"]
    key = (row["version"], row["objects"])
    rows = [old for old in rows if (old["version"], old["objects"]) != key]
    rows.append(row)
    rows.sort(key=lambda each: (each["version"], each["objects"]))
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"rows": rows}, file, indent=1)
        file.write("\n")


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiler", default="")
    parser.add_argument("--flags", default="")
    parser.add_argument("--objects", type=int, nargs="+", required=True)
    parser.add_argument("--pythons", nargs="+", default=[_SYSTEM_PYTHON])
    options = parser.parse_args(arguments)
    for objects in options.objects:
        for python in options.pythons:
            print(f"{python}, {objects} objects", file=sys.stderr)
            conditions = machine.conditions(options.compiler, options.flags)
            setting = Setting(python, objects, options.rounds)
            row = _measure(os.path.abspath(options.build), setting)
            row["conditions"] = conditions
            _merge(options.results, row)
            print(table.text(row), flush=True)


if __name__ == "__main__":
    main()
