# SPDX-License-Identifier: Apache-2.0
"""The table of a run of test_matrix.sh.

    python3 tests/matrix_table.py CELLS TABLE.md           prints it, and writes it as Markdown
    python3 tests/matrix_table.py CELLS --readme README.md puts its sum between the marks of README.md

CELLS has a file NAME.build for each build, `VERSION<tab>KIND<tab>ORIGIN`, and for each program NAME.PROGRAM with a line
`WAY<tab>OUTCOME<tab>REASON` for each way of matrix_check.py.
"""

import os
import re
import sys
from typing import Dict, List, NamedTuple, Sequence, Tuple

from matrix_check import WAYS

_BEGIN = "<!-- made by `make matrix-readme` -->\n"
_END = "<!-- end of what `make matrix-readme` made -->\n"
_LONGEST = 120  # characters of a reason
_SHOWN = {"passed": "pass", "failed": "FAIL", "differs": "differs", "skipped": "skip"}


class Cell(NamedTuple):
    """How a program's core went in a way."""

    outcome: str
    reason: str


class Build:
    """A row: one interpreter."""

    def __init__(self, name: str, version: str, kind: str, origin: str) -> None:
        self.name, self.version, self.kind, self.origin = name, version, kind, origin
        self.cells: Dict[Tuple[str, str], Cell] = {}  # by way and program

    @property
    def order(self) -> Tuple[List[int], str, str]:
        """By version, release before debug."""
        numbers = [int(number) for number in re.findall(r"\d+", self.version)]
        return numbers[:3], self.origin, {"release": ""}.get(self.kind, self.kind)

    def shown(self, way: str, program: str) -> str:
        """A cell in a word; the way of a program that could not be run is `all`."""
        cell = self.cells.get((way, program)) or self.cells.get(("all", program))
        if cell and cell.outcome == "passed" and cell.reason:
            return f"{_SHOWN[cell.outcome]}, {cell.reason}"
        return _SHOWN[cell.outcome] if cell else ""

    def of_way(self, way: str) -> List[Cell]:
        """All programs' cells."""
        return [cell for (other, _), cell in self.cells.items() if other == way]

    def sum(self, way: str) -> str:
        """How many programs are exact, of how many."""
        tried = [cell for cell in self.of_way(way) if cell.outcome != "skipped"]
        passed = sum(cell.outcome == "passed" for cell in tried)
        return f"{passed}/{len(tried)}" if tried else "–"


def builds(folder: str) -> List[Build]:
    """All builds, in their order."""
    found: Dict[str, Build] = {}
    names = sorted(os.listdir(folder), key=lambda name: not name.endswith(".build"))
    for name in names:
        build, _, program = name.rpartition(".")
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
        if program == "build":
            version, kind, origin = lines[0]
            found[build] = Build(build, version, kind, origin)
        elif build in found:
            for way, outcome, reason in lines:
                found[build].cells[way, program] = Cell(outcome, reason)
    tested = [build for build in found.values() if build.cells]
    return sorted(tested, key=lambda build: build.order)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table, its first row is the heading."""
    lines = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([lines[0], "|---" * len(rows[0]) + "|\n", *lines[1:]])


def text(rows: Sequence[Sequence[str]]) -> str:
    """The same for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    cells = (map(str.ljust, row, widths) for row in rows)
    return "".join("  ".join(row).rstrip() + "\n" for row in cells)


def whole(found: Sequence[Build]) -> List[List[str]]:
    """Build x way x program."""
    programs = sorted({program for build in found for _, program in build.cells})
    rows = [["version", "kind", "origin", "way", *programs]]
    for build in found:
        for way in WAYS:
            shown = [build.shown(way.name, program) for program in programs]
            rows.append([build.version, build.kind, build.origin, way.name, *shown])
    return rows


def compact(found: Sequence[Build]) -> List[List[str]]:
    """Build x way."""
    rows = [["CPython", "build", "from", *(way.name for way in WAYS)]]
    for build in found:
        sums = [build.sum(way.name) for way in WAYS]
        rows.append([build.version, build.kind, build.origin, *sums])
    return rows


def reasons(found: Sequence[Build]) -> List[str]:
    """Why something was skipped or failed, each reason once."""
    whose: Dict[Tuple[str, str, str], List[str]] = {}
    for build in found:
        for (way, program), cell in build.cells.items():
            if cell.reason and cell.outcome != "passed":
                key = cell.outcome, way, cell.reason
                whose.setdefault(key, []).append(f"{build.name} {program}")
    lines = []
    for (outcome, way, reason), cells in sorted(whose.items()):
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        lines.append(f"{outcome}: {way}: {reason[:_LONGEST]} ({cells[0]}{more})")
    return lines


def put_into(path: str, table: str) -> None:
    """Puts a table between the marks of a file."""
    with open(path, encoding="utf-8") as file:
        before, begin, rest = file.read().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        sys.exit(f"{path}: the marks {_BEGIN.strip()} and {_END.strip()} are missing")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}{table}{end}{after}")


def main() -> int:
    """Prints or writes the table."""
    folder, *where = sys.argv[1:]
    found = builds(folder)
    if not found:
        sys.exit(f"{folder}: no results; run `make test-matrix`")
    if where[0] == "--readme":
        put_into(where[1], markdown(compact(found)))
        return 0
    print(text(whole(found)), text(compact(found)), *reasons(found), sep="\n")
    with open(where[0], "w", encoding="utf-8") as file:
        file.write(markdown(whole(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
