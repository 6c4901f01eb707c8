# SPDX-License-Identifier: Apache-2.0
"""A row of results as tables: nanoseconds per tracked object, and ratios."""

import statistics
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

#: In front of the names of what is measured: how the system's cache has the core.
READ, WRITTEN = "", "written "
#: What is measured in nanoseconds per object, with its words.
COSTS = {
    "counter": "in the process: `Counter(type(o) for o in gc.get_objects())`",
    "objgraph": "in the process: `objgraph.most_common_types()`",
    "gdb script": "a Python script in gdb, reading in 256 KiB chunks",
    "limit A": "limit A: C, follow the lists in the core, count `ob_type`",
    "limit A mapped": "limit A, when all pages are mapped",
    "limit B": "limit B: C, the same in order of address, prefetched",
    "limit B mapped": "limit B, when all pages are mapped",
    "types": "**type counts**, from the command to its end",
    "graph": "**whole graph**, forward and backward",
    "cold referrers": "**referrers** of one object of a core that was just opened",
}
#: What is measured in milliseconds.
QUESTIONS = {
    "nothing": "a command that does nothing, from its start to its end",
    "open": "opening the core",
    "referrers": "referrers",
    "ancestors": "ancestors within 5",
    "between": "ancestors within 5, and all labels of the references between them",
    "why": "why",
}


#: Those for which nothing is wanted.
WITHOUT_GOAL = ("nothing", "open", "between")
#: Those for which a graph need not be there.
WITHOUT_GRAPH = ("nothing", "open")


class Goal(NamedTuple):
    """A ratio that is to be reached."""

    ours: str
    theirs: str
    most: float


GOALS = (
    Goal("types", "limit A", 0.5),
    Goal("types", "limit A mapped", 0.5),
    Goal("types", "counter", 0.2),
    Goal("graph", "counter", 1.0),
    Goal("cold referrers", "counter", 1.0),
)
MOST_OWN = 160  # bytes of a graph per tracked object
MOST_MILLISECONDS = 20  # of a question when the graph is there


def median(row: Dict[str, Any], name: str) -> Optional[float]:
    """Seconds."""
    times: List[float] = row["seconds"].get(name, [])
    return statistics.median(times) if times else None


def cost(row: Dict[str, Any], name: str) -> Optional[float]:
    """Nanoseconds per tracked object."""
    seconds = median(row, name)
    return None if seconds is None else 1e9 * seconds / row["found"]["graph"]


def processors(row: Dict[str, Any], name: str) -> Optional[float]:
    """Nanoseconds per tracked object of all processors together."""
    seconds: List[float] = row["cpu"].get(name, [])
    if not seconds:
        return None
    nanoseconds: float = 1e9 * statistics.median(seconds) / row["found"]["graph"]
    return nanoseconds


def ratio(row: Dict[str, Any], ours: str, theirs: str) -> Optional[float]:
    """The median of the rounds' ratios: what is compared was measured together."""
    pairs = zip(row["seconds"].get(ours, []), row["seconds"].get(theirs, []))
    ratios = [one / other for one, other in pairs]
    return statistics.median(ratios) if ratios else None


def text(row: Dict[str, Any]) -> str:
    """For a terminal."""
    return "\n".join(_lines(row)) + "\n"


def _lines(row: Dict[str, Any]) -> Iterator[str]:
    tracked = row["found"]["graph"]
    yield f"CPython {row['version']}, {tracked} tracked objects, {row['nodes']} nodes, core {row['core'] >> 20} MiB, load {row['conditions']['load']}"
    yield f"  {'':24}{'ns/object':>10}{'least':>9}{'most':>9}{'/ counter':>11}{'/ limit A':>11}"
    for state in (READ, WRITTEN):
        yield from _of_state(row, state)
    for name in QUESTIONS:
        seconds = median(row, name)
        if seconds is not None:
            wanted = "" if name in WITHOUT_GOAL else f" (goal {MOST_MILLISECONDS})"
            yield f"  {name:24}{1e3 * seconds:10.3f} ms{wanted}"
    for name, memory in row["memory"].items():
        per = memory["own"] / tracked
        yield f"  memory of {name}: peak RSS {memory['rss'] >> 20} MiB, own {memory['own'] >> 20} MiB, {per:.0f} bytes per tracked object (goal {MOST_OWN})"
    for name in row["cpu"]:
        together = processors(row, name) or 0
        yield f"  {name:24}{together:10.1f} ns/object of all processors"
    for state in (READ, WRITTEN):
        for goal in GOALS:
            reached = ratio(row, state + goal.ours, state + goal.theirs)
            if reached is not None:
                word = "reached" if reached <= goal.most else "MISSED"
                yield f"  {state}{goal.ours} / {goal.theirs}: {reached:.3f} (goal {goal.most}): {word}"


def _of_state(row: Dict[str, Any], state: str) -> Iterator[str]:
    for name in COSTS:
        if state + name in row["seconds"]:
            yield _cost_line(row, state, name)
    huge = row.get(state + "huge", 0) >> 20
    yield f"  {state}core: {huge} MiB in huge pages, tracked by {row.get(state + 'tracked-by', '–')}"


def _cost_line(row: Dict[str, Any], state: str, name: str) -> str:
    seconds = row["seconds"][state + name]
    times = [1e9 * each / row["found"]["graph"] for each in seconds]
    line = f"  {state + name:24}{statistics.median(times):10.1f}{min(times):9.1f}{max(times):9.1f}"
    for other in ("counter", "limit A"):
        found = ratio(row, state + name, state + other)
        line += f"{found:11.3f}" if found is not None else f"{'–':>11}"
    return line
