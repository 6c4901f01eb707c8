# SPDX-License-Identifier: Apache-2.0
"""Replays the gdb sessions that the docs show, and compares what is said with what they show.

    python3 tests/docs_check.py [--fill] docs/from-objgraph.md build/cores/INTERPRETER

A session is all blocks of a page that begin with "```gdb PROGRAM": its commands are typed,
in their order, into one gdb on that program's core. The folder that it is in has the other
cores of the interpreter as PROGRAM.core, and as PROGRAM.core.0 what a program left earlier.
Addresses and numbers of threads differ from run to run: the page's stand for those of this
run, each for one and the same throughout. Lines of one depth that follow each other may be
in another order, since holders are in the order of their addresses. "…" alone on a line
stands for any number of lines; everything else must be as it is shown.
--fill writes what is said to commands under which the page shows nothing yet.
"""

import os
import re
import subprocess
import sys
import tempfile
from typing import Dict, Iterator, List, NamedTuple, Sequence, Set

from gdbrun import LOAD

_BEGIN = re.compile(r"^```gdb (\w+)$")
_PROMPT = "(gdb) "
_ANY = "…"
_SKIPPED = 77  # as in automake
_MARK = "@@@@ end of reply"
# What differs from run to run.
_VARIABLE = re.compile(r"0x[0-9a-f]{4,}|(?<=LWP )\d+")
_TEMPORARY = re.compile(r"/tmp/[^ ]*?(?=\.\w+$|\.\w+[: ])")


class Step(NamedTuple):
    """A command of a page, at a line of it, and the lines shown under it."""

    line: int
    command: str
    shown: List[str]


def sessions(lines: Sequence[str]) -> Dict[str, List[Step]]:
    """The steps of each program of a page."""
    found: Dict[str, List[Step]] = {}
    steps: List[Step] = []
    inside = False
    for number, line in enumerate(lines):
        begin = _BEGIN.match(line)
        if begin:
            steps, inside = found.setdefault(begin.group(1), []), True
        elif line == "```":
            inside = False
        elif inside and line.startswith(_PROMPT):
            steps.append(Step(number, line[len(_PROMPT) :], []))
        elif inside:
            steps[-1].shown.append(line)
    return found


class Gdb:
    """One gdb on a core, asked command by command."""

    def __init__(self, arguments: Sequence[str], folder: str) -> None:
        words = ["gdb", "-nx", "-q", "-iex", "set auto-load no", *arguments]
        environment = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            encoding="utf-8",
            env=environment,
        )
        for command in ("set prompt", "set pagination off", "set confirm off", LOAD):
            self.ask(command)

    def ask(self, command: str) -> List[str]:
        """The lines that a command writes."""
        said, answers = self._process.stdin, self._process.stdout
        assert said and answers
        said.write(f"{command}\necho {_MARK}\\n\n")
        said.flush()
        reply: List[str] = []
        for line in answers:
            if line.rstrip("\n").endswith(_MARK):
                return reply
            reply.append(line.rstrip("\n").rstrip())
        raise AssertionError(f"gdb ended at {command}: {reply}")

    def close(self) -> None:
        """Ends it."""
        self._process.communicate("quit\n")


class Matcher:
    """Compares lines of a page with those of this run; knows which variable is which."""

    def __init__(self) -> None:
        self.actual: Dict[str, str] = {}
        self._taken: Set[str] = set()

    def command(self, text: str) -> str:
        """A command of the page with the addresses of this run."""
        return _VARIABLE.sub(lambda m: self.actual.get(m.group(), m.group()), text)

    def lines(self, shown: Sequence[str], said: Sequence[str]) -> bool:
        """Whether this is what the page shows."""
        if not shown:
            return not said
        if shown[0] == _ANY:
            return any(
                self.lines(shown[1:], said[skipped:])
                for skipped in range(len(said) + 1)
            )
        if not said:
            return False
        for at in range(self._alike(said)):
            before = dict(self.actual), set(self._taken)
            rest = [*said[:at], *said[at + 1 :]]
            if self._line(shown[0], said[at]) and self.lines(shown[1:], rest):
                return True
            self.actual, self._taken = before
        return False

    @staticmethod
    def _alike(lines: Sequence[str]) -> int:
        """How many lines are indented as the first one, until one is not."""
        depths = [len(line) - len(line.lstrip()) for line in lines]
        return next((i for i, d in enumerate(depths) if d != depths[0]), len(lines))

    def _line(self, shown: str, said: str) -> bool:
        if self._plain(shown) != self._plain(said):
            return False
        pairs = zip(_VARIABLE.findall(shown), _VARIABLE.findall(said))
        return all(self._same(ours, theirs) for ours, theirs in pairs)

    @staticmethod
    def _plain(line: str) -> str:
        """Without what may differ: variables, the widths of columns, temporary files."""
        return " ".join(_TEMPORARY.sub("TMP", _VARIABLE.sub("VAR", line)).split())

    def _same(self, shown: str, said: str) -> bool:
        if shown not in self.actual and said not in self._taken:
            self.actual[shown] = said
            self._taken.add(said)
        return self.actual.get(shown) == said


def replay(
    steps: Sequence[Step], gdb: Gdb, fill: Dict[int, List[str]]
) -> Iterator[str]:
    """What differs. Replies to commands under which nothing is shown go to `fill`."""
    matcher = Matcher()
    for step in steps:
        said = gdb.ask(matcher.command(step.command))
        if not step.shown and said:
            fill[step.line] = said
        elif not matcher.lines(step.shown, said):
            shown = "\n".join(f"    {line}" for line in step.shown)
            replied = "\n".join(f"    {line}" for line in said[:60])
            yield f"line {step.line + 1}: {step.command}\n  shown:\n{shown}\n  said:\n{replied}"


def _links(cores: str, folder: str) -> None:
    for program in os.listdir(cores):
        for core in ("core", "core.0", "core.1"):
            path = os.path.join(cores, program, core)
            if os.path.exists(path):
                os.symlink(path, os.path.join(folder, f"{program}.{core}"))


def _missing(found: Dict[str, List[Step]], cores: str) -> str:
    """An earlier core that a command names and that is not there."""
    for step in (step for steps in found.values() for step in steps):
        for program, core in re.findall(r"(\w+)\.(core\.\d)", step.command):
            if not os.path.exists(os.path.join(cores, program, core)):
                return f"{program}.{core}"
    return ""


def check(page: str, cores: str, may_fill: bool) -> int:
    """Replays a page; how many of its commands say something else."""
    with open(page, encoding="utf-8") as file:
        lines = file.read().split("\n")
    fill: Dict[int, List[str]] = {}
    failures = 0
    found = sessions(lines)
    if not found:
        raise AssertionError(f"{page} shows no session")
    if _missing(found, cores):
        print(f"no {_missing(found, cores)}: the kernel does not write cores here")
        sys.exit(_SKIPPED)
    for program, steps in found.items():
        with open(os.path.join(cores, program, "python"), encoding="utf-8") as file:
            python = file.read().strip()
        with tempfile.TemporaryDirectory() as folder:
            _links(cores, folder)
            gdb = Gdb([python, f"{program}.core"], folder)
            for difference in replay(steps, gdb, fill):
                print(f"{page}, {difference}")
                failures += 1
            gdb.close()
        print(f"{page}: {len(steps)} commands on the core of {program}")
    for line in sorted(fill, reverse=True):
        if may_fill:
            lines[line + 1 : line + 1] = fill[line]
        else:
            print(f"{page}, line {line + 1}: nothing is shown under {lines[line]}")
            failures += 1
    if may_fill and fill:
        with open(page, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
    return failures


def main(arguments: List[str]) -> int:
    """The command line."""
    may_fill = "--fill" in arguments
    page, cores = (word for word in arguments if word != "--fill")
    failures = check(page, os.path.abspath(cores), may_fill)
    if failures:
        print(f"{page}: {failures} commands say something else")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
