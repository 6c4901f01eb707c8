# SPDX-License-Identifier: Apache-2.0
"""What is said of code that cannot be run to its end: code_check.py build/walk PYTHON CASE"""

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from typing import Callable, Dict, Iterator, List, Tuple

_HERE = os.path.dirname(os.path.abspath(__file__))
_SKIPPED = 77
_MANY = 100000  # as in code_targets.py
# Of all of them, before they were given up each took 100 000 instructions: a minute.
_MOST_SECONDS = 15.0


@contextlib.contextmanager
def stopped(python: str, case: str) -> Iterator[Tuple[int, List[str]]]:
    """A process of the case that stands still, and the addresses that it said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    process = subprocess.Popen(
        [python, "-B", os.path.join(_HERE, "code_targets.py"), case],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )
    try:
        assert process.stdout
        said = process.stdout.readline().split()
        if process.stdout.readline() != "ready\n":
            raise AssertionError("the process is not ready")
        process.send_signal(signal.SIGSTOP)
        yield process.pid, said
    finally:
        process.kill()
        process.wait()


def walk(tool: str, pid: int, commands: str, asked: str = "") -> Dict[str, List[str]]:
    """What it prints: the fields of lines by their first one, of several the last."""
    run = subprocess.run(
        [tool, commands, str(pid)],
        input=asked,
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
    lines = (line.split("\t") for line in run.stdout.split("\n"))
    return {name: fields for name, *fields in lines}


def check(what: str, found: object, wanted: object) -> None:
    """They must be equal."""
    print(f"{what}: {found}")
    if found != wanted:
        raise AssertionError(f"{what}: not {wanted}")


def state(tool: str, python: str) -> None:
    """The words of a state whose m_traverse faults are guesses, and counted."""
    with stopped(python, "state") as (pid, (module, held)):
        info = walk(tool, pid, "info")
        objects = walk(tool, pid, "objects")
    count, type, fault, *_ = info["guessed-type"]
    check("guessed", (count, type), ("1", "module"))
    check("fault", fault, "instruction for the system")
    check("its references are from", objects[module][3], "guess")
    check("it has the str", held in objects[module][4].split(","), True)
    check("guessed references", info["guessed"][0] != "0", True)


def endless(tool: str, python: str) -> None:
    """Code that never ends is given up, and an interrupt ends it at once."""
    sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "gdbext"))
    os.environ.setdefault(
        "LIBWALK", os.path.join(os.path.dirname(tool), "libwalk.so")
    )
    from pyheap import walk as library
    from pyheap.errors import WalkError

    with stopped(python, "endless") as (pid, _):
        start = time.monotonic()
        info = walk(tool, pid, "info")
        seconds = time.monotonic() - start
        asked: List[int] = []

        def progress(visited: int, known: int) -> bool:
            asked.append(known)
            # The first is asked before anything is visited, the next ones in the code.
            return len(asked) < 3

        with library.Target.open_process(pid) as target:
            try:
                target.build_heap(progress)
            except WalkError as error:
                check("interrupted", error.code, WalkError.INTERRUPTED)
            else:
                raise AssertionError("not interrupted")
    count, type, fault, *_ = info["guessed-type"]
    check("guessed", (count, type), (str(_MANY), "omits.Endless"))
    check("fault", fault, "too many instructions")
    print(f"{seconds:.1f} s, asked {len(asked)} times")
    if seconds > _MOST_SECONDS:
        raise AssertionError("it takes too long")
    check("asked", len(asked), 3)


CASES: Dict[str, Callable[[str, str], None]] = {"state": state, "endless": endless}


def main() -> int:
    """Runs one case."""
    tool, python, case = sys.argv[1:]
    if platform.machine() != "x86_64":
        print("its machine code is for x86-64")
        return _SKIPPED
    try:
        CASES[case](tool, python)
    except AssertionError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
