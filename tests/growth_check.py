# SPDX-License-Identifier: Apache-2.0
"""What grew from one core of leaky.py to the next, against what it said at each.

    python3 tests/growth_check.py FOLDER_OF_THE_CORES [THOSE_OF_ANOTHER_RUN]

The truths have the tracked objects at each of the three moments, by address and type.
"""

import os
import sys
from typing import Any, Dict, List, Set, Tuple

from files import File, options
from truthfile import Truth

_LEAKING = "__main__.Session"


def check(condition: bool, words: str) -> None:
    """Ends the test unless so."""
    if not condition:
        sys.exit(f"growth_check: {words}")


def tracked(truth: Truth) -> Set[Tuple[str, str]]:
    """Addresses and types of tracked objects."""
    return {(a, o.type) for a, o in truth.objects.items() if o.tracked}


def known(truth: Truth) -> Set[Tuple[str, str]]:
    """Likewise of all objects: one that becomes tracked later is not new."""
    return {(a, o.type) for a, o in truth.objects.items()}


def sizes(truth: Truth) -> Dict[str, int]:
    """Bytes by type, of tracked objects."""
    found: Dict[str, int] = {}
    for each in truth.objects.values():
        if each.tracked:
            found[each.type] = found.get(each.type, 0) + each.size
    return found


def counts(found: Set[Tuple[str, str]]) -> Dict[str, int]:
    """Objects by type."""
    by_type: Dict[str, int] = {}
    for _, type in found:
        by_type[type] = by_type.get(type, 0) + 1
    return by_type


def dicts_held(before: Truth, after: Truth) -> Tuple[int, int]:
    """How many new dicts new instances of the program refer to, all of them as __dict__;
    how many any new objects that are no dicts do."""
    new = tracked(after) - known(before)
    dicts = {address for address, type in new if type == "dict"}
    least: Set[str] = set()
    most: Set[str] = set()
    for address, type in new:
        held = dicts.intersection(after.objects[address].referents)
        if type.startswith("__main__."):
            least |= held
        if type != "dict":
            most |= held
    return len(least), len(most)


def check_types(rows: List[Dict[str, Any]], before: Truth, after: Truth) -> None:
    """Every type that changed, its counts, its new objects and its bytes."""
    old, now = counts(tracked(before)), counts(tracked(after))
    new = counts(tracked(after) - known(before))
    old_size, size = sizes(before), sizes(after)
    for type in {*old, *now}:
        row = next((row for row in rows if row["type"] == type), None)
        changed = old.get(type) != now.get(type) or type in new
        check(not changed or row is not None, f"{type} is missing")
        if row is not None:
            said = tuple(row[key] for key in ("old_count", "count", "delta", "new"))
            is_so = (
                old.get(type, 0),
                now.get(type, 0),
                now.get(type, 0) - old.get(type, 0),
                new.get(type, 0),
            )
            check(said == is_so, f"{type}: {said}, the process said {is_so}")
            if min(old_size.get(type, 0), size.get(type, 0)) >= 0:
                said_sizes = row["old_size"], row["size"]
                are = old_size.get(type, 0), size.get(type, 0)
                check(said_sizes == are, f"{type}: bytes {said_sizes}, not {are}")
    deltas = [row["delta"] - row["instance_dicts"] for row in rows]
    dicts = sum(row["instance_dicts"] for row in rows)
    least, most = dicts_held(before, after)
    check(least <= dicts <= most, f"{dicts} are a __dict__, not {least} to {most}")
    check(deltas == sorted(deltas, reverse=True), "types are in another order")


def check_leak(document: Dict[str, Any], holder: str, objects: int) -> None:
    """The leaking type and what holds it come first."""
    first = document["holders"][0]
    check(first["type"] == _LEAKING, f"first is {first['type']}")
    check(first["direct"] == objects, f"{first['direct']} sessions, not {objects}")
    said = first["holder"]["address"]
    check(said == f"0x{holder}", f"held by {said}, not {holder}")
    labels = [step["label"] for step in first["path"]]
    check("value['SERVER']" in labels, f"reached by {labels}")


def sessions(truth: Truth) -> Set[str]:
    """Addresses of the sessions that the server knows."""
    return {a for name, a in truth.expected.items() if name != "holder"}


def check_two(file: File, first: str, truths: Tuple[Truth, Truth]) -> None:
    """From one core to another."""
    before, after = truths
    document = file.ask(f"py-heap-growth {first} --all")
    check_types(document["types"], before, after)
    grown = file.ask(f"py-heap-growth {first}")["types"]
    wanted = [row for row in document["types"] if row["delta"] > 0]
    check(grown == wanted, "without --all not just what grew")
    new = sessions(after) - sessions(before)
    check_leak(document, after.expected["holder"], len(new))
    named = file.ask(f"py-heap-growth {first} --new Session")
    found = {row["address"][2:] for row in named["new"]["objects"]}
    check(found == new, f"new sessions: {len(found)}, the process made {len(new)}")
    check_leak(named, after.expected["holder"], len(new))
    check(named["holders"][0]["objects"] == len(new), "not all sessions are held")
    text = file.lines(f"py-heap-growth {first}")
    check(
        text[0].startswith(f"{len(new)} new {_LEAKING} in dict["),
        f"the first line is {text[0]!r}",
    )


def check_three(folder: str, file: File, truths: List[Truth]) -> None:
    """What came between the first two, and is there in the third."""
    first, second = (os.path.join(folder, f"core.{number}") for number in (0, 1))
    document = file.ask(f"py-heap-growth {first} {second} --all --new Session")
    kept = (known(truths[1]) - known(truths[0])) & tracked(truths[2])
    said = {row["type"]: row["new"] for row in document["types"] if row["new"]}
    check(said == counts(kept), f"kept {said}, the process said {counts(kept)}")
    between = (sessions(truths[1]) - sessions(truths[0])) & sessions(truths[2])
    found = {row["address"][2:] for row in document["new"]["objects"]}
    check(found == between, "other sessions came between and stayed")


def check_others(folder: str, file: File, truths: List[Truth], work: str) -> None:
    """A saved heap and the last stop are baselines like the core; nothing grew to itself."""
    core = os.path.join(folder, "core.1")
    with file.heap_of(core) as heap:
        heap.save(work, values=False)
        file.before = heap.baseline()
    by_core = file.ask(f"py-heap-growth {core} --all")
    check(file.ask(f"py-heap-growth {work} --all") == by_core, "of a saved heap")
    check(file.ask("py-heap-growth last --all") == by_core, "of the last stop")
    saved = os.path.join(os.path.dirname(work), "now")
    file.heap().save(saved)
    itself = file.ask(f"py-heap-growth {saved} --all")
    check(itself["types"] == [] and itself["holders"] == [], "grew since itself")
    loaded = File(saved, options(""))
    check(loaded.ask(f"py-heap-growth {work} --all") == by_core, "of two saved heaps")
    loaded.close()
    columns = file.lines(f"py-heap-growth {core} --ids")
    check(any("old ids" in line for line in columns), "no columns of get_new_ids")


def check_another_process(file: File, first: str, truths: List[Truth]) -> None:
    """From another run of the program, which has nothing in common but its names."""
    document = file.ask(f"py-heap-growth {first}")
    if document["matched"] * 10 > file.heap().stats().tracked:
        print("the two runs have the same addresses: not randomized here")
        return
    made = len(sessions(truths[2])) - len(sessions(truths[0]))
    row, holder = document["types"][0], document["holders"][0]
    check((row["type"], row["delta"]) == (_LEAKING, made), f"first is {row}")
    held = (holder["type"], holder["direct"], holder["holder"]["address"][2:])
    there = (_LEAKING, len(sessions(truths[2])), truths[2].expected["holder"])
    check(held == there, f"held first are {held}, not {there}")


def main() -> None:
    """The check."""
    import tempfile

    folder = sys.argv[1]
    if not os.path.exists(os.path.join(folder, "core.1")):
        print("the kernel does not write the cores of children here")
        sys.exit(77)
    names = ("truth.0", "truth.1", "truth")
    truths = [Truth(os.path.join(folder, name)) for name in names]
    file = File(os.path.join(folder, "core"), options(folder))
    for number in (0, 1):
        check_two(
            file, os.path.join(folder, f"core.{number}"), (truths[number], truths[2])
        )
    check_three(folder, file, truths)
    with tempfile.TemporaryDirectory() as work:
        check_others(folder, file, truths, os.path.join(work, "before"))
    if len(sys.argv) > 2:
        check_another_process(file, os.path.join(sys.argv[2], "core.0"), truths)
    file.close()
    print(f"{len(truths[2].objects)} objects")


if __name__ == "__main__":
    main()
