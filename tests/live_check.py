# SPDX-License-Identifier: Apache-2.0
"""The py-heap commands on a live process, and on a core taken at the same stop by gdb.

    python3 tests/live_check.py build/walk PYTHON

Both must give the same graph and the same documents, and the process must be left as it was: its memory the same while
it is stopped, and running on afterwards.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from typing import List

from contract import document
from gdbrun import CHECKOUT, Reply, gdb
from truthfile import Truth

_WORKER = os.path.join(CHECKOUT, "corefiles", "programs", "worker.py")
_SUM = os.path.join(CHECKOUT, "tests", "memory_sum.py")
_CANNOT_ATTACH = "Operation not permitted"
_SKIPPED = 77
_COMMANDS = (
    "py-heap-info --json",
    "py-heap-types --json",
    "py-heap-types --all --json",
    "py-heap-find SomeComputation --json",
    "py-heap-object {} --json",
    "py-heap-referents {} --json",
    "py-heap-referrers {} --json",
    "py-heap-ancestors {} 5 --json",
    "py-heap-descendants {} 5 --json",
    "py-heap-frames --locals --json",
    "py-heap-locals {} --json",
    "py-heap-why {} --json",
    "py-heap-ancestors {} 5",
    "py-heap-why {}",
)


def start(python: str, folder: str) -> "subprocess.Popen[str]":
    """The worker, when it is ready."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    process = subprocess.Popen(
        [python, _WORKER, os.path.join(folder, "truth"), "--wait"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )
    assert process.stdout
    line = process.stdout.readline()
    if line != "ready\n":
        raise AssertionError(f"the worker said {line!r}")
    return process


def state(pid: int) -> str:
    """R, S, T, t, …"""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0]


def check_live(walk: str, pid: int, folder: str, address: str) -> List[Reply]:
    """Asks everything of the process; leaves live.txt and core in the folder."""
    summed = f"shell '{sys.executable}' '{_SUM}' {pid}"
    live, core = (os.path.join(folder, name) for name in ("live.txt", "core"))
    questions = [command.format(address) for command in _COMMANDS]
    dump = f"shell '{walk}' objects {pid} > '{live}'"
    steps = [summed, *questions, dump, summed, f"generate-core-file {core}", summed]
    replies = gdb(["-p", str(pid)], steps)
    before, *answers, dumped, after, taken, last = replies
    if not before.output.startswith(tuple("123456789")):
        raise AssertionError(f"the memory could not be read: {before}")
    if not before.output == after.output == last.output:
        raise AssertionError(f"memory changed: {before} {after} {last}")
    for reply in (*answers, dumped):
        if reply.errors:
            raise AssertionError(f"{reply}")
    if "Saved corefile" not in taken.output:
        raise AssertionError(f"no core: {taken}")
    return answers


def comparable(output: str, native: bool) -> str:
    """An answer without what only a core's thread registers say of the layout, and if
    need be without the threads' native ids."""
    output = re.sub(
        r'("a thread\'s (?:native )?identifier [^"]*", "verdict": )"[a-z]+"',
        r'\1""',
        output,
    )
    # A process may have files that are removed by now, and names others than a core does.
    output = re.sub(r'"files": \[[^]]*\]', '"files": []', output)
    if native:
        return output
    return re.sub(
        r'"native_id": [0-9]+', '"native_id": null', re.sub(", LWP [0-9]+", "", output)
    )


def check_core(walk: str, python: str, folder: str, live: List[Reply]) -> None:
    """The core answers the same."""
    core = os.path.join(folder, "core")
    # Before 3.8, a live process does not tell them; the thread registers in a core do.
    native = not any('"native_id": null' in reply.output for reply in live)
    for ours, theirs in zip(
        gdb([python, core], [reply.command for reply in live]), live
    ):
        if ours.errors:
            raise AssertionError(f"{ours}")
        if "--json" in ours.command:
            document(ours)
        if comparable(ours.output, native) != comparable(theirs.output, native):
            raise AssertionError(f"live: {theirs}\ncore: {ours}")
    with open(os.path.join(folder, "live.txt"), encoding="utf-8") as file:
        of_process = sorted(file)
    dump = subprocess.run(
        [walk, "objects", core], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    of_core = sorted(dump.stdout.splitlines(keepends=True))
    for line in sorted(set(of_core) ^ set(of_process)):
        print("live:" if line in of_process else "core:", line.strip())
    if of_core != of_process:
        raise AssertionError("the graphs differ, see above")
    print(
        f"{len(of_core)} objects and {len(live)} answers are the same, live and in the core"
    )


def main() -> int:
    """Runs the checks on one interpreter."""
    walk, python = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="live") as folder:
        process = start(python, folder)
        try:
            if (
                _CANNOT_ATTACH
                in gdb(["-p", str(process.pid)], ["info inferiors"])[0].errors
            ):
                print(
                    "gdb may not attach to processes here (see /proc/sys/kernel/yama/ptrace_scope)"
                )
                return _SKIPPED
            truth = Truth(os.path.join(folder, "truth"))
            address = f"0x{truth.expected['survivor']}"
            answers = check_live(walk, process.pid, folder, address)
            time.sleep(0.2)
            if process.poll() is not None or state(process.pid) not in "RS":
                raise AssertionError("the process does not run on")
            check_core(walk, python, folder, answers)
        except AssertionError as error:
            print(error)
            return 1
        finally:
            process.kill()
            process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
