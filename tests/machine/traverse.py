# SPDX-License-Identifier: Apache-2.0
"""Compares what tp_traverse visits, run over a core, with gc.get_referents in the process.

    python3 tests/machine/traverse.py build/tests/machine/traverse FOLDER…

A folder has a core and its truth (corefiles/). Every object of the truth that is not the
measuring's own is run; there is no tolerance. WALK_SYSROOT is set from the folder's `root`.
"""

import os
import subprocess
import sys
from typing import Counter, Dict, List, Set

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from truthfile import Truth, addresses  # noqa: E402

SHOWN = 10


def environment(folder: str) -> Dict[str, str]:
    """Where the files of the core are."""
    path = os.path.join(folder, "root")
    found = dict(os.environ)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            found["WALK_SYSROOT"] = file.read().strip()
        found["WALK_DEBUG_DIRS"] = found["WALK_SYSROOT"] + "/usr/lib/debug"
    return found


def compare(tool: str, folder: str) -> int:
    """Prints what differs; how many objects do."""
    truth = Truth(os.path.join(folder, "truth"))
    wanted = [address for address in truth.objects if address not in truth.own]
    run = subprocess.run(
        [tool, os.path.join(folder, "core")],
        input="\n".join(wanted),
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
        env=environment(folder),
    )
    lines: List[List[str]] = [line.split("\t") for line in run.stdout.split("\n")[:-1]]
    if len(lines) != len(wanted):
        sys.exit(f"{folder}: {len(wanted)} objects, {len(lines)} answers")
    faults: Counter[str] = Counter()
    different: Counter[str] = Counter()
    types: Set[str] = set()
    visited = shown = 0
    for address, fault, referents in lines:
        known = truth.objects[address]
        found = Counter(addresses(referents))
        visited += bool(known.referents)
        types.add(known.type)
        if fault != "-":
            faults[f"{known.type}: {fault}"] += 1
        elif found != known.referents:
            different[known.type] += 1
            shown += 1
            if shown <= SHOWN:
                missing = sorted((known.referents - found).elements())
                extra = sorted((found - known.referents).elements())
                print(f"    {address} {known.type}: missing {missing} extra {extra}")
    bad = sum(faults.values()) + sum(different.values())
    share = 100 * (len(wanted) - bad) / len(wanted)
    print(
        f"{share:.4f} % equal of {len(wanted)} objects ({visited} with referents) of "
        f"{len(types)} types: {sum(different.values())} differ, {sum(faults.values())} "
        f"faults: {folder}"
    )
    for words, count in [*different.most_common(SHOWN), *faults.most_common(SHOWN)]:
        print(f"    {count} {words}")
    return bad


if __name__ == "__main__":
    sys.exit(1 if sum(compare(sys.argv[1], folder) for folder in sys.argv[2:]) else 0)
