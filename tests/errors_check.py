# SPDX-License-Identifier: Apache-2.0
"""What goes wrong must be said in one line with a remedy, and gdb must go on.

    python3 tests/errors_check.py build/walk FOLDER_OF_THE_WORKERS_CORE CASE [ARGUMENT]

Each function called `case_…` is a case.
"""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, Sequence

from gdbrun import Reply, gdb
from truthfile import Truth

_SKIPPED = 77
_COMMANDS = (
    "py-heap-types",
    "py-heap-types --json",
    "py-heap-find dict",
    "py-heap-why 0x1000",
    "py-heap-frames --locals --json",
    "py-heap-info",
)
_LONGEST = 600  # characters of an error

# The remedies, by what is wrong.
_NEED_TARGET = r"use `core-file FILE`, `attach PID` or `target remote`"
_NEED_FILE = (
    r"give the right one with gdb's file command, or the folder .* with set sysroot"
)
_TRUNCATED = r"truncated \(disk full, ulimit -c\?\)|the core is truncated"
_SUPPORTED = r"(CPython )?3\.6 to 3\.15 can be read"
_NO_LAYOUT = {"WALK_LAYOUT": "dwarf", "WALK_DEBUG_DIRS": "/nonexistent"}
_NOT_OBJECT = r"`py-heap-find TYPE` lists the objects of a type"


class Cases:
    """The cases; `folder` has the core of worker.py, its truth and its interpreter."""

    def __init__(self, walk: str, folder: str, temporary: str) -> None:
        self.walk, self.folder, self.temporary = walk, folder, temporary
        self.core = os.path.join(folder, "core")
        with open(os.path.join(folder, "python"), encoding="utf-8") as file:
            self.python = file.read().strip()
        self.survivor = Truth(os.path.join(folder, "truth")).expected["survivor"]
        self.stacks: Dict[str, List[str]] = {}  # frames of each thread of the core

    # What is checked.

    def refused(self, arguments: Sequence[str], remedy: str) -> None:
        """Every command fails with one line that names the remedy."""
        self.refuses(arguments, {command: remedy for command in _COMMANDS})

    def refuses(self, arguments: Sequence[str], remedies: Dict[str, str]) -> None:
        """Each command fails with one line that names its remedy; the next one works."""
        steps: List[str] = []
        for command in remedies:
            steps += [command, "print 6 * 7"]
        replies = gdb(arguments, steps)
        for failed, next in zip(replies[::2], replies[1::2]):
            one_line(failed, remedies[failed.command])
            if "= 42" not in next.output:
                raise AssertionError(f"gdb did not go on after {failed}: {next}")
        for line in sorted({reply.errors.strip() for reply in replies[::2]}):
            print(line)

    def tool_refuses(self, target: str, remedy: str, **options: str) -> None:
        """The walk tool fails with one line, too; options are of its environment."""
        run = subprocess.run(
            [self.walk, "types", target],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=dict(os.environ, **options),
        )
        if run.returncode != 1 or run.stdout:
            raise AssertionError(f"walk {target}: {run}")
        one_line(Reply(f"walk types {target}", "", run.stderr), remedy)

    def file(self, name: str, content: bytes) -> str:
        """A file of the test's own."""
        path = os.path.join(self.temporary, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def core_of_copy(self) -> str:
        """The core of a copy of the interpreter, at a place of the test's own."""
        copy = os.path.join(self.temporary, "mypython")
        shutil.copy2(self.python, copy)
        prefix = run_python(self.python, "import sys; print(sys.base_prefix)")
        script = f"import ctypes, os; ctypes.CDLL(None).prctl(4, 1, 0, 0, 0); import time; {_READY}"
        environment = dict(os.environ, PYTHONHOME=prefix)
        process = started([copy, "-c", script], environment)
        core = os.path.join(self.temporary, "core")
        try:
            gdb(["-p", str(process.pid)], [f"generate-core-file {core}"])
        finally:
            stop(process)
        if not os.path.exists(core):
            raise Skip("gdb may not attach to processes here")
        return core

    # The cases.

    def case_no_target(self) -> None:
        """Nothing is open."""
        self.refused([], _NEED_TARGET)

    def case_executable_only(self) -> None:
        """A program that does not run."""
        self.refused([self.python], _NEED_TARGET)

    def case_no_binary(self) -> None:
        """The interpreter's file is gone; the core answers, and the right file elsewhere helps."""
        core = self.core_of_copy()
        copy = os.path.join(self.temporary, "mypython")
        os.unlink(copy)
        self.not_used(["-c", core], f"{copy} was not found")
        self.tool_refuses(core, f"{copy} was not found.*{_NEED_FILE}", **_NO_LAYOUT)
        self.used([self.python, core])
        identity = build_id(self.python).hex()
        folder = os.path.join(self.temporary, ".build-id", identity[:2])
        os.makedirs(folder)
        shutil.copy2(self.python, os.path.join(folder, identity[2:]))
        self.used(["-iex", f"set debug-file-directory {self.temporary}", "-c", core])

    def case_wrong_binary(self) -> None:
        """Another build of the interpreter is there: every byte would be read wrongly."""
        core = self.core_of_copy()
        copy = os.path.join(self.temporary, "mypython")
        with open(copy, "rb") as file:
            content = file.read()
        own = build_id(copy)
        changed = content.replace(own, bytes(len(own)))
        os.unlink(copy)
        self.file("mypython", changed)
        words = f"{copy} is another build .build-id {bytes(len(own)).hex()}.; .* build-id {own.hex()}"
        self.not_used([copy, core], words)
        self.tool_refuses(core, f"{words}.*{_NEED_FILE}", **_NO_LAYOUT)
        os.unlink(copy)
        os.rename(self.debug_only(self.python), copy)
        self.not_used(["-c", core], f"{copy} has debug information only")

    def info(self, arguments: Sequence[str]) -> Dict[str, Any]:
        """The document of py-heap-info, of a complete heap."""
        (reply,) = gdb(arguments, ["py-heap-info --json"])
        found: Dict[str, Any] = json.loads(reply.output)
        if not found["complete"]:
            raise AssertionError(f"not complete: {reply}")
        return found

    def not_used(self, arguments: Sequence[str], problem: str) -> None:
        """The interpreter's file is not used, which is said; the core alone answers."""
        found = self.info(arguments)
        print(found["file_problem"])
        if not re.search(problem, found["file_problem"] or ""):
            raise AssertionError(f"does not say '{problem}': {found}")
        if found["unnamed_objects"] > found["objects"] // 100:
            raise AssertionError(f"too many types without a name: {found}")
        text = "".join(reply.output for reply in gdb(arguments, ["py-heap-info"]))
        if "the interpreter's file is not used" not in text:
            raise AssertionError(f"does not say that the file is not used: {text}")

    def used(self, arguments: Sequence[str]) -> None:
        """The interpreter's file is used."""
        found = self.info(arguments)
        if found["file_problem"] or found["unnamed_objects"]:
            raise AssertionError(f"the remedy does not help: {found}")

    def debug_only(self, path: str) -> str:
        """The file without what is mapped when it runs."""
        stripped = os.path.join(self.temporary, "debug")
        subprocess.run(["objcopy", "--only-keep-debug", path, stripped], check=True)
        return stripped

    def case_text(self) -> None:
        """A text file."""
        path = self.file("text", b"These are no bytes of a core.\n" * 100)
        self.refused([self.python, "-ex", f"core-file {path}"], _NEED_TARGET)
        self.tool_refuses(
            path, "not an ELF file; a compressed core must be unpacked first"
        )

    def case_no_core(self) -> None:
        """ELF files that are no core, an empty file, no file."""
        for path in (self.python, "/bin/ls"):
            self.refused([self.python, "-ex", f"core-file {path}"], _NEED_TARGET)
            self.tool_refuses(path, "an ELF file, but not a core")
        self.tool_refuses(self.file("empty", b""), "the file is empty")
        self.tool_refuses(
            os.path.join(self.temporary, "none"), "No such file or directory"
        )
        self.tool_refuses(self.temporary, "directory|not a regular file")

    def case_truncated(self) -> None:
        """A core cut at any length is refused, or answers and says that it is cut."""
        with open(self.core, "rb") as file:
            content = file.read()
        size = len(content)
        self.stacks = stacks(self.core, self.python)
        tenths = [size * tenth // 10 for tenth in range(1, 10)]
        for length in (
            20,
            64,
            1000,
            5000,
            100000,
            *tenths,
            *(size - length for length in range(70000, 180000, 10000)),
            size - 4096,
            size - 1,
        ):
            self.cut(self.file("cut", content[:length]), f"{length} of {size} bytes")

    def cut(self, path: str, what: str) -> None:
        """One truncated core."""
        remedy = f"{_TRUNCATED}|{_NEED_TARGET}"
        replies = gdb(
            [self.python, "-ex", f"core-file {path}"],
            [
                "py-heap-types --json",
                "py-heap-info",
                "py-heap-frames --json",
                "print 6 * 7",
            ],
        )
        types, info, frames, next = replies
        if types.output:
            json.loads(types.output)
            self.cut_stacks(json.loads(frames.output), what)
            if not re.search("core file is shorter than it says", info.output):
                raise AssertionError(f"{what}: does not say that it is cut: {info}")
            print(f"{what}: answered")
        else:
            for reply in (types, info, frames):
                one_line(reply, remedy)
            print(f"{what}: {types.errors.strip()}")
        if "= 42" not in next.output:
            raise AssertionError(f"{what}: gdb did not go on")

    def cut_stacks(self, document: Any, what: str) -> None:
        """Frames of a truncated core are those of the whole one, or it is said that some are missing."""
        found = {thread["address"]: thread for thread in document["threads"]}
        for address, frames in self.stacks.items():
            thread = found.get(address)
            seen = [frame["address"] for frame in thread["frames"]] if thread else []
            if seen == frames:
                continue
            if seen != frames[: len(seen)] or (thread and thread["complete"]):
                raise AssertionError(f"{what}: wrong frames of {address}: {thread}")
            if document["complete"] or not document["missing"]["stacks"]:
                raise AssertionError(f"{what}: does not say that {address} is cut")

    def case_addresses(self) -> None:
        """What is not the address of an object."""
        survivor = int(self.survivor, 16)
        wrong = {
            "0x0": f"not mapped.*{_NOT_OBJECT}",
            "0x10": f"not mapped.*{_NOT_OBJECT}",
            f"{survivor + 8:#x}": _NOT_OBJECT,
            f"{survivor + 1:#x}": _NOT_OBJECT,
            "$sp": _NOT_OBJECT,
            "$pc": _NOT_OBJECT,
            "0x7fffffffffffff00": f"not mapped.*{_NOT_OBJECT}",
            "0xffffffffffffffff": f"not mapped.*{_NOT_OBJECT}",
            "no_such_symbol": "cannot evaluate 'no_such_symbol'",
            "1 +": "cannot evaluate",
            "99999999999999999999999": "more than 64 bits",
            "1.5": "not an address",
        }
        commands = (
            "object",
            "referents",
            "referrers",
            "ancestors",
            "descendants",
            "locals",
            "why",
        )
        self.refuses(
            [self.python, self.core],
            {
                f"py-heap-{command} {expression}": words
                for expression, words in wrong.items()
                for command in commands
            },
        )

    def case_usage(self) -> None:
        """Wrong command lines."""
        survivor = f"0x{self.survivor}"
        wrong = {
            "py-heap-why": "see `help py-heap-why`",
            "py-heap-find": "see `help py-heap-find`",
            "py-heap-types --nothing": "see `help py-heap-types`",
            "py-heap-types --limit many": "usage: py-heap-types",
            "py-heap-types --by age": "see `help py-heap-types`",
            f"py-heap-ancestors {survivor} --image /nowhere/x.svg": "cannot write /nowhere/x.svg",
            f"py-heap-ancestors {survivor} --image x.jpeg": "must end in one of",
        }
        self.refuses([self.python, self.core], wrong)

    def case_places_of_files(self) -> None:
        """What is written goes through links, and never in place of a pipe or a device."""
        pipe, link, real = (
            os.path.join(self.temporary, name)
            for name in ("pipe.svg", "link.svg", "real.svg")
        )
        os.mkfifo(pipe)
        os.symlink(real, link)
        image = f"py-heap-ancestors 0x{self.survivor} --image"
        for command in ("py-heap-save", image):
            self.refuses(
                [self.python, self.core],
                {
                    f"{command} {pipe}": "cannot write .*: it is no regular file",
                    f"{command} {self.temporary}": "no regular file|must end in",
                },
            )
            with open(real, "w", encoding="utf-8"):
                pass
            gdb([self.python, self.core], [f"{command} {link}"])
            if not os.path.islink(link) or not os.path.getsize(real):
                raise AssertionError(f"{command} did not write where the link leads")
        if not stat.S_ISFIFO(os.stat(pipe).st_mode):
            raise AssertionError("the pipe is gone")

    def case_not_python(self) -> None:
        """A process that runs something else."""
        process = subprocess.Popen(["sleep", "100"])
        core = os.path.join(self.temporary, "core")
        remedy = "no CPython .* open a core of a Python process, or attach to one"
        try:
            time.sleep(0.1)
            self.refused(["-p", str(process.pid)], remedy)
            os.kill(process.pid, signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            self.tool_refuses(str(process.pid), remedy)
            gdb(["-p", str(process.pid)], [f"generate-core-file {core}"])
        finally:
            stop(process)
        self.refused(["-c", core], remedy)
        self.tool_refuses(core, remedy)

    def case_no_process(self) -> None:
        """A pid of no process."""
        self.tool_refuses("4194304", "process")

    def case_pypy(self) -> None:
        """PyPy is no CPython; the message says so and which are supported."""
        pypy = shutil.which("pypy3")
        if not pypy:
            raise Skip("pypy3 was not found")
        process = started([pypy, "-c", f"import time; {_READY}"], dict(os.environ))
        core = os.path.join(self.temporary, "core")
        try:
            self.refused(["-p", str(process.pid)], f"is PyPy; {_SUPPORTED}")
            gdb(["-p", str(process.pid)], [f"generate-core-file {core}"])
        finally:
            stop(process)
        self.tool_refuses(core, f"is PyPy; {_SUPPORTED}")

    def case_too_old(self) -> None:
        """A CPython without a layout that is called 3.5; one that can be read may be called so."""
        with open(self.core, "rb") as file:
            content = file.read()
        renamed = re.sub(rb"python3\.\d\d", b"python3.05", content)
        if renamed == content:
            raise Skip("the interpreter's file has no version in its name")
        path = self.file("core", renamed)
        self.tool_refuses(path, f"is CPython 3.5; {_SUPPORTED}", **_NO_LAYOUT)
        self.info(["-c", path])


_READY = "print('ready', flush=True); time.sleep(1000)"


class Skip(Exception):
    """Why a case cannot be tried here."""


def stacks(core: str, python: str) -> Dict[str, List[str]]:
    """The frames of each thread, by address."""
    reply = gdb([python, core], ["py-heap-frames --json"])[0]
    return {
        thread["address"]: [frame["address"] for frame in thread["frames"]]
        for thread in json.loads(reply.output)["threads"]
    }


def one_line(reply: Reply, words: str) -> None:
    """Fails unless a reply is an error of one line with these words and nothing else."""
    lines = reply.errors.splitlines()
    if reply.output or len(lines) != 1:
        raise AssertionError(f"not one line of error: {reply}")
    if (
        len(lines[0]) > _LONGEST
        or "Traceback" in lines[0]
        or re.search(r"\bbug\b", lines[0])
    ):
        raise AssertionError(f"not a good error: {reply}")
    if not re.search(words, lines[0]):
        raise AssertionError(f"does not say '{words}': {reply}")


def run_python(python: str, script: str) -> str:
    """What a script prints."""
    run = subprocess.run(
        [python, "-c", script], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    return run.stdout.strip()


def started(
    words: Sequence[str], environment: Dict[str, str]
) -> "subprocess.Popen[str]":
    """A process that has said `ready`."""
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    )
    assert process.stdout
    line = process.stdout.readline()
    if line != "ready\n":
        raise AssertionError(f"{words[0]} said {line!r}")
    return process


def stop(process: "subprocess.Popen[Any]") -> None:
    """Ends a process."""
    process.kill()
    process.wait()


def build_id(path: str) -> bytes:
    """The build-id of an ELF file."""
    run = subprocess.run(
        ["readelf", "-n", path], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    found = re.search(r"Build ID: ([0-9a-f]+)", run.stdout)
    if not found:
        raise Skip(f"{path} has no build-id")
    return bytes.fromhex(found[1])


def main() -> int:
    """Runs one case."""
    walk, folder, case, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="errors") as temporary:
        cases = Cases(walk, os.path.realpath(folder), temporary)
        try:
            getattr(cases, f"case_{case}")(*arguments)
        except AssertionError as error:
            print(error)
            return 1
        except Skip as error:
            print(error)
            return _SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
