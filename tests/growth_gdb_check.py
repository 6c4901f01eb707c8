# SPDX-License-Identifier: Apache-2.0
"""py-heap-growth, py-heap-save and py-heap-load in gdb: between stops, cores and files.

    python3 tests/growth_gdb_check.py FOLDER_OF_THE_CORES_OF_LEAKY
    python3 tests/growth_gdb_check.py --live PYTHON

Of a live process it is said how many objects it makes between two stops.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List

from contract import document
from gdbrun import Reply, gdb
from truthfile import Truth

_CANNOT_ATTACH = "Operation not permitted"
_SKIPPED = 77
_MADE = 123
_GROWING = f"""
import sys
class Session:
    def __init__(self):
        self.history = []
SESSIONS = {{}}
print("ready", flush=True)
for line in sys.stdin:
    for number in range({_MADE}):
        SESSIONS[len(SESSIONS)] = Session()
    print("grown", flush=True)
"""
# Asked before and after a file is loaded.
_SAME = (
    "py-heap-types --limit 0 --json",
    "py-heap-garbage --json",
    "py-heap-frames --json",
    "py-heap-find Session --json",
)


def check(condition: bool, words: str) -> None:
    """Ends the test unless so."""
    if not condition:
        sys.exit(f"growth_gdb_check: {words}")


def check_replies(replies: List[Reply]) -> None:
    """No command failed."""
    for reply in replies:
        if reply.command.startswith("py-heap"):
            check(not reply.errors, f"{reply}")


def check_grown(found: Dict[str, Any], made: int) -> None:
    """The sessions are what grew most."""
    first, holder = found["types"][0], found["holders"][0]
    what = (first["type"], first["delta"], first["new"])
    check(what == ("__main__.Session", made, made), f"first of all is {what}")
    held = (holder["type"], holder["direct"])
    check(held == ("__main__.Session", made), f"held first are {held}")


def check_cores(folder: str) -> None:
    """From core to core in one session, and files."""
    first, core = (os.path.join(folder, name) for name in ("core.0", "core"))
    with open(os.path.join(folder, "python"), encoding="utf-8") as file:
        python = file.read().strip()
    sessions = [
        sum(name.startswith("user") for name in Truth(f"{folder}/{of}").expected)
        for of in ("truth.0", "truth")
    ]
    with tempfile.TemporaryDirectory() as work:
        whole, bare = os.path.join(work, "whole"), os.path.join(work, "bare")
        steps = [
            "py-heap-types --all --limit 1",
            f"core-file {core}",
            "py-heap-growth last --json",
            f"py-heap-growth {first} --json",
            "py-heap-growth last",
            *_SAME,
            f"py-heap-save {whole} --json",
            f"py-heap-save {bare} --no-values --json",
            f"py-heap-load {whole} --json",
            *_SAME,
            "py-heap-info --json",
            f"py-heap-growth {first} --json",
            f"py-heap-load {bare} --json",
            "py-heap-load --off",
            "py-heap-info --json",
        ]
        replies = gdb([python, first], steps)
        check_replies(replies)
        last, by_core, text = replies[2:5]
        asked = replies[5 : 5 + len(_SAME)]
        saved, without, loaded = replies[5 + len(_SAME) : 8 + len(_SAME)]
        again = replies[8 + len(_SAME) : 8 + 2 * len(_SAME)]
        info, of_loaded, loaded_bare, off, info_of_core = replies[8 + 2 * len(_SAME) :]
        made = sessions[1] - sessions[0]
        check_grown(document(last), made)
        check(last.output == by_core.output, "`last` is not the core before")
        check(of_loaded.output == by_core.output, "a loaded heap grew otherwise")
        check(
            text.output.startswith(f"{made} new __main__.Session in dict["),
            f"the first line is {text.lines[0]!r}",
        )
        check_same(asked, again)
        check(
            document(loaded) == document(saved), "what is loaded is not what is saved"
        )
        check(document(loaded)["values"], "there are no values")
        check(not document(without)["values"], "there are values")
        check(not document(loaded_bare)["values"], "there are values again")
        check("asked again" in off.output, f"{off}")
        check(document(info)["saved"] == "with values", "the file is not asked")
        check(document(info_of_core)["saved"] is None, "the core is not asked again")
        alone = gdb([], [f"py-heap-load {whole}", *_SAME])
        check_replies(alone)
        check_same(asked, alone[1:])
    print(f"{len(steps) + len(alone)} commands, {made} sessions")


def check_same(some: List[Reply], others: List[Reply]) -> None:
    """Questions that were answered alike."""
    for one, other in zip(some, others):
        check(bool(document(one)), f"{one}")
        check(one.output == other.output, f"{one.command}: not the same of the file")


def grow_when_stopped(process: "subprocess.Popen[str]") -> None:
    """Has it grow once it runs again after its first stop, then stops it."""
    assert process.stdin and process.stdout
    while True:
        with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
            if file.read().rpartition(")")[2].split()[0] == "t":
                break
        time.sleep(0.05)
    process.stdin.write("grow\n")
    process.stdin.flush()
    if process.stdout.readline() == "grown\n":
        os.kill(process.pid, signal.SIGINT)


def check_live(python: str) -> int:
    """From one stop of a process to the next."""
    process = subprocess.Popen(
        [python, "-c", _GROWING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout
    check(process.stdout.readline() == "ready\n", "the program does not begin")
    threading.Thread(target=grow_when_stopped, args=(process,), daemon=True).start()
    try:
        steps = [
            "info inferiors",
            "py-heap-growth last",
            "py-heap-types --limit 1",
            "continue",
            "py-heap-growth last --json",
            "py-heap-growth last",
        ]
        replies = gdb(["-p", str(process.pid)], steps)
    finally:
        process.kill()
        process.wait()
    if _CANNOT_ATTACH in replies[0].errors:
        print("gdb may not attach to processes here (see ptrace_scope)")
        return _SKIPPED
    none = replies[1]
    check("no heap of an earlier stop" in none.errors, f"of the first stop: {none}")
    check_replies(replies[2:])
    check_grown(document(replies[4]), _MADE)
    check(
        replies[5].output.startswith(f"{_MADE} new __main__.Session in dict["),
        f"the first line is {replies[5]}",
    )
    print(f"{_MADE} sessions between two stops")
    return 0


def main() -> int:
    """The checks."""
    if sys.argv[1] == "--live":
        return check_live(sys.argv[2])
    if not os.path.exists(os.path.join(sys.argv[1], "core.0")):
        print("the kernel does not write the cores of children here")
        return _SKIPPED
    check_cores(sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
