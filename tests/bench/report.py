# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md from the results of `make bench`.

    python3 tests/bench/report.py build/bench/results.json docs/performance.md
"""

import json
import sys
from typing import Any, Dict, Iterator, List, Optional

import table

Row = Dict[str, Any]

_HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by `make bench-report` from what `make bench` measured: do not edit. -->
# Performance

What it costs to read a heap, beside what the process itself needed to count its own objects when it lived, beside
others who read it, and beside what any reader of the core needs at least.

![Seconds by number of tracked objects](images/performance.svg)

The heap is that of [heap.py](../corefiles/programs/heap.py): a server's users, whose sessions come and go, with
requests, logs, tasks, generators, closures, caches and threads. The process lives on while its core is read; all that
is compared takes turns, and a ratio is the median of the rounds' ratios. Ours is the time of a whole command, with
starting the program, opening the core and finding the layout. Every command is run twice, and the second time counts:
on a virtual machine the first one also waits for the host, which has taken the memory back that nobody used.

The core is in the system's cache, in one of two states. *As it comes from the disk* it is there once a command has read
it, days after it was written or on another machine: in huge pages, where the file system has them, for our library asks
for these. *Just written* it is as the kernel has left it there, in small pages. To enter the mapping of these takes up to
twenty times as long, and less can be done about it.

*Limit A* is a C program that only follows the collector's lists in the core and counts `ob_type`: each address is
known when the object before it was loaded. *Limit B* has the addresses already, sorted, and prefetches. The limits
begin without the core's pages in their process, as ours does; the second figure is without the time that these take
to be mapped.

Machines that say the same of themselves differ in that time, and in what it takes to start a process. The first decides
which way the tracked objects are found; both weigh most where there are few objects.
"""

_CONDITIONS = (
    ("processor", "Processor"),
    ("cores", "Cores"),
    ("memory", "Memory"),
    ("system", "System"),
    ("compiler", "Compiler"),
    ("flags", "Flags"),
)


def document(rows: List[Row]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for version in sorted({row["version"] for row in rows}):
        of_version = [row for row in rows if row["version"] == version]
        parts.append(f"\n## CPython {version}\n\n" + "\n".join(_version(of_version)))
    parts.append("\n## Conditions\n\n" + "\n".join(_conditions(rows)))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _version(rows: List[Row]) -> Iterator[str]:
    tracked = [f"{row['found']['graph']:,}".replace(",", " ") for row in rows]
    yield from _table("nanoseconds per tracked object", tracked)
    yield from _costs(rows, table.READ)
    yield ""
    yield from _table("ratio, and what is wanted of it", tracked)
    yield from _ratios(rows, table.READ)
    yield ""
    yield from _table("just written: nanoseconds per tracked object", tracked)
    yield from _costs(rows, table.WRITTEN)
    yield ""
    yield from _table("just written: ratio", tracked)
    yield from _ratios(rows, table.WRITTEN)
    yield ""
    yield from _table(
        f"milliseconds; at most {table.MOST_MILLISECONDS} are wanted of questions",
        tracked,
    )
    for name, words in table.QUESTIONS.items():
        where = "" if name in table.WITHOUT_GRAPH else " (when the graph is there)"
        seconds = (table.median(row, name) for row in rows)
        yield from _cells(words + where, (s and 1e3 * s for s in seconds), ".2f")
    yield ""
    yield from _table("memory", tracked)
    yield _line("MiB of the core", (str(row["core"] >> 20) for row in rows))
    yield _line("objects in all, with frames", (str(row["nodes"]) for row in rows))
    for name in ("types", "graph"):
        memory = [row["memory"][name] for row in rows]
        own = (_per_object(each, row) for each, row in zip(memory, rows))
        yield _line(f"{name}: own bytes per tracked object ≤ {table.MOST_OWN}", own)
        peak = (str(each["rss"] >> 20) for each in memory)
        yield _line(f"{name}: peak RSS, with the core's pages, MiB", peak)
    for state, words in ((table.READ, ""), (table.WRITTEN, "just written: ")):
        huge = (str(row.get(f"{state}huge", 0) >> 20) for row in rows)
        yield _line(f"{words}MiB of the core in huge pages", huge)
        ways = (row.get(f"{state}tracked-by", "–") for row in rows)
        yield _line(f"{words}the tracked objects of a graph are found by", ways)
    loads = (row["conditions"]["load"] for row in rows)
    yield _line("load of the machine at the start", loads)


def _costs(rows: List[Row], state: str) -> Iterator[str]:
    for name, words in table.COSTS.items():
        costs = (table.cost(row, state + name) for row in rows)
        yield from _cells(words, costs, ".0f")
    for name in ("types", "graph"):
        words = f"{name}: of all processors together"
        costs = (table.processors(row, state + name) for row in rows)
        yield from _cells(words, costs, ".0f")


def _ratios(rows: List[Row], state: str) -> Iterator[str]:
    for goal in table.GOALS:
        words = f"{goal.ours} / {goal.theirs} ≤ {goal.most}"
        ratios = (
            table.ratio(row, state + goal.ours, state + goal.theirs) for row in rows
        )
        yield from _cells(words, ratios, ".2f")


def _per_object(memory: Dict[str, int], row: Row) -> str:
    return "%.0f" % (memory["own"] / row["found"]["graph"])


def _table(title: str, columns: List[str]) -> Iterator[str]:
    yield _line(title, columns)
    yield "|---|" + "---:|" * len(columns)


def _cells(words: str, values: Iterator[Optional[float]], form: str) -> Iterator[str]:
    cells = ["–" if value is None else format(value, form) for value in values]
    if set(cells) != {"–"}:
        yield _line(words, cells)


def _line(title: str, cells: Any) -> str:
    return f"| {title} | " + " | ".join(cells) + " |"


def _conditions(rows: List[Row]) -> Iterator[str]:
    found: Dict[str, None] = {}
    for row in rows:
        conditions = row["conditions"]
        shown = (
            f"- {words}: {conditions[key]}"
            for key, words in _CONDITIONS
            if conditions[key]
        )
        found["\n".join(shown)] = None
    yield "\n\n".join(found)
    rounds = {len(row["seconds"]["counter"]) for row in rows}
    yield f"- Rounds: {', '.join(map(str, sorted(rounds)))}; medians"


def main() -> None:
    """The command."""
    results, path = sys.argv[1:]
    with open(results, encoding="utf-8") as file:
        rows: List[Row] = json.load(file)["rows"]
    text = document(rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
