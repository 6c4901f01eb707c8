# SPDX-License-Identifier: Apache-2.0
"""What is said of code that cannot be run to its end: code_check.py build/walk PYTHON CASE

Instead of PYTHON, the case `missing` takes a core.
"""

import contextlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
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
        os.waitpid(process.pid, os.WUNTRACED)  # until it stands
        yield process.pid, said
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def dead(python: str, case: str) -> Iterator[Tuple[str, List[str]]]:
    """The core of a process of the case, and the addresses that it said."""
    target = [python, "-B", os.path.join(_HERE, "code_targets.py"), case]
    options = ["-nx", "-batch", "-iex", "set auto-load no"]
    options += ["-iex", "set startup-with-shell off"]
    with tempfile.TemporaryDirectory(prefix="code") as folder:
        core = os.path.join(folder, "core")
        commands = ["-ex", "run", "-ex", f"generate-core-file {core}", "-ex", "kill"]
        run = subprocess.run(
            ["gdb", *options, *commands, "--args", *target],
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        )
        lines = run.stdout.split("\n")
        yield core, lines[lines.index("ready") - 1].split()


def walk(tool: str, target: object, commands: str) -> Dict[str, List[str]]:
    """What it prints: the fields of lines by their first one, of several the last."""
    lines = printed(tool, commands, str(target), dict(os.environ))
    return {name: fields for name, *fields in lines}


def printed(
    tool: str, command: str, target: str, environment: Dict[str, str]
) -> List[List[str]]:
    """The fields of the lines that the walk tool prints."""
    run = subprocess.run(
        [tool, command, target],
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
        env=environment,
    )
    return [line.split("\t") for line in run.stdout.split("\n")]


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
    os.environ.setdefault("LIBWALK", os.path.join(os.path.dirname(tool), "libwalk.so"))
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


def unnamed(tool: str, python: str) -> None:
    """A file without a build-id is named."""
    with tempfile.TemporaryDirectory(prefix="code") as folder:
        library = os.environ["CODE_LIBRARY"] = os.path.join(folder, "unnamed.so")
        build = ["gcc", "-shared", "-Wl,--build-id=none", "-o", library]
        subprocess.run([*build, "-x", "c", os.devnull], check=True)
        with stopped(python, "unnamed") as (pid, _):
            lines = printed(tool, "info", str(pid), dict(os.environ))
    problems = [line[2] for line in lines if line[:2] == ["file", library]]
    check("problem", problems, ["no build-id"])


# Visit word `WORD` of an object.
_PICK = """
#define PICK(name, word) \\
    int name(void **object, int (*visit)(void *, void *), void *argument) \\
    { return visit(object[word], argument); }
"""
_TRAVERSE = """
int pick(void **, int (*)(void *, void *), void *);
int traverse(void **object, int (*visit)(void *, void *), void *argument)
{ return pick(object, visit, argument); }
"""


def library(path: str, source: str, *options: str) -> None:
    """Builds a library whose functions are bound when they are called."""
    build = [
        "gcc",
        "-shared",
        "-fPIC",
        "-O1",
        "-Wl,-z,lazy",
        "-o",
        path,
        "-x",
        "c",
        "-",
    ]
    build += ["-x", "none", *options]
    subprocess.run(build, input=source, encoding="utf-8", check=True)


def picks(tool: str, python: str, case: str, wanted: int) -> None:
    """Which of the two words of the object is visited."""
    with stopped(python, case) as (pid, (made, *words)):
        objects = walk(tool, pid, "objects")
    check("its references are from", objects[made][3], "run")
    check("visited", objects[made][4].split(",")[:1], [words[wanted]])


def preloaded(tool: str, python: str) -> None:
    """A function of a preloaded library comes before that of a library which is needed."""
    with tempfile.TemporaryDirectory(prefix="code") as folder:
        own, needed, before = (os.path.join(folder, f"{n}.so") for n in "abc")
        library(needed, f"{_PICK}PICK(pick, 2)")
        library(before, f"{_PICK}PICK(pick, 3)")
        library(own, _TRAVERSE, needed)
        os.environ.update(CODE_LIBRARY=own, LD_PRELOAD=before)
        picks(tool, python, "preloaded", 1)


def versioned(tool: str, python: str) -> None:
    """The version that a library was linked with is meant, not the newest one."""
    with tempfile.TemporaryDirectory(prefix="code") as folder:
        own, needed, script = (os.path.join(folder, n) for n in ("a.so", "b.so", "map"))
        script_of = "OLD { global: pick; local: *; };"
        with open(script, "w", encoding="utf-8") as file:
            file.write(script_of)
        library(needed, f"{_PICK}PICK(pick, 2)", f"-Wl,--version-script={script}")
        library(own, _TRAVERSE, needed)
        with open(script, "w", encoding="utf-8") as file:
            file.write(f"{script_of} NEW {{ global: pick; }} OLD;")
        names = '__asm__(".symver old, pick@OLD\\n.symver new, pick@@NEW");'
        source = f"{_PICK}PICK(old, 2)\nPICK(new, 3)\n{names}"
        library(needed, source, f"-Wl,--version-script={script}")
        os.environ["CODE_LIBRARY"] = own
        picks(tool, python, "versioned", 0)


def thread(tool: str, python: str, case: str) -> None:
    """The first word is that of the thread by which the code is to be run."""
    with dead(python, case) as (core, (made, *words)):
        objects = walk(tool, core, "objects")
    check("its references are from", objects[made][3], "run")
    check("visited", objects[made][4].split(",")[:1], words[:1])


def own_thread(tool: str, python: str) -> None:
    """Variables of the thread are those of the thread that crashed."""
    thread(tool, python, "own")


def foreign_thread(tool: str, python: str) -> None:
    """Of one that Python does not know, they would be nothing: the main thread's are meant."""
    thread(tool, python, "foreign")


def missing(tool: str, core: str) -> None:
    """Of a core without its files, each that is needed is named with the reason."""
    with tempfile.TemporaryDirectory(prefix="code") as folder:
        variables = {"WALK_SYSROOT": folder, "WALK_DEBUG_DIRS": folder}
        lines = printed(tool, "info", core, {**os.environ, **variables})
    faults = [line[-1] for line in lines if line[0] == "guessed-type" and line[3]]
    named = [fault for fault in faults if fault.endswith(" was not found")]
    files = [line for line in lines if line[0] == "file"]
    print(f"{len(faults)} faults, {len(named)} name a file of {len(files)}")
    check("all of them", len(faults) == len(named) > 0, True)
    check("all files", all(line[2].endswith("was not found") for line in files), True)
    check("there are some", len(files) > 1, True)


CASES: Dict[str, Callable[[str, str], None]] = {
    "state": state,
    "endless": endless,
    "unnamed": unnamed,
    "missing": missing,
    "preloaded": preloaded,
    "versioned": versioned,
    "own": own_thread,
    "foreign": foreign_thread,
}


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
