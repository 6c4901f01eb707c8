# SPDX-License-Identifier: Apache-2.0
"""What is selected in gdb, and how it is opened."""

import os
import re
from typing import NamedTuple, Optional, Tuple

import gdb

from pyheap.errors import HeapError
from pyheap.gdbside.address import pointer_size
from pyheap.gdbside.console import output, setting
from pyheap.walk import Options, Target

CORE, PROCESS, REMOTE = "core", "process", "remote"

# In `info files`: "\t`/tmp/core', file type elf64-x86-64.", the quotes as in the locale.
# A core file is named before the executable.
_FILE = re.compile(r"^\t[^\w\s/](.*)[^\w\s], ", re.MULTILINE)
_TARGET = "target:"  # in front of a path: the file is the target's, not this machine's


class Selection(NamedTuple):
    """The target of the selected inferior; equal ones have the same memory if stopped.

    `file` tells apart two cores of the same name, by time and size.
    """

    kind: str
    pid: int
    core: Optional[str]
    file: Tuple[int, ...]
    options: Options


def selected() -> Selection:
    """The target that a command is about; HeapError when there is none to read."""
    inferior = gdb.selected_inferior()
    files = output("info files")
    kind = _kind(inferior, files)
    core = _core_file(files) if kind == CORE else None
    if kind != CORE and not (kind == PROCESS and _all_stopped(inferior.pid)):
        _must_be_stopped(inferior)
    return Selection(kind, inferior.pid, core, _identity(core), _options())


def in_passing() -> bool:
    """Whether gdb has not said that the selected process stops, as in a condition.

    It does not say either when that runs on then.
    """
    threads = gdb.selected_inferior().threads()
    return any(thread.is_valid() and thread.is_running() for thread in threads)


def open_selected(selection: Selection, first: Optional[str]) -> Target:
    """Opens the target of a selection, which must be the selected one.

    `first` is what will be asked of it first.
    """
    options = selection.options._replace(first=first)
    if selection.core is not None:
        return Target.open_core(selection.core, options)
    if selection.kind == PROCESS:
        return Target.open_process(selection.pid, options)
    from pyheap.gdbside.memory import Reader, mappings

    reader = Reader(gdb.selected_inferior())
    return Target.open_reader(reader, mappings(), pointer_size(), options)


def _kind(inferior: "gdb.Inferior", files: str) -> str:
    connection = getattr(inferior, "connection", None)  # gdb 12
    name = connection.type if connection else _older_kind(inferior, files)
    kinds = {"core": CORE, "native": PROCESS, "remote": REMOTE}
    kind = kinds.get(name.replace("extended-", ""))
    if kind == CORE or kind and inferior.pid:
        return kind
    if name and kind is None:
        raise HeapError(f"cannot read the memory of a target of type '{name}'")
    raise HeapError(
        "no process and no core file is selected: use `core-file FILE`,"
        " `attach PID` or `target remote`"
    )


def _older_kind(inferior: "gdb.Inferior", files: str) -> str:
    if not hasattr(gdb.Inferior, "connection"):
        if files.startswith("Local core dump file") or "\nLocal core dump" in files:
            return "core"
        if re.search(r"^\w*(Remote|Extended remote)\b", files, re.MULTILINE):
            return "remote"
        if inferior.pid:
            return "native"
    return ""


def _core_file(files: str) -> str:
    found = _FILE.search(files)
    if not found:
        raise HeapError("gdb does not say which core file it has: use `core-file FILE`")
    return found[1]


def _identity(core: Optional[str]) -> Tuple[int, ...]:
    if core is None:
        return ()
    try:
        status = os.stat(core)
    except OSError as error:
        raise HeapError(f"cannot open core file {core}: {error.strerror}") from None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _all_stopped(pid: int) -> bool:
    """What the kernel says: in a breakpoint's condition gdb calls all threads running.

    It has stopped only the one that is at the breakpoint then, unless target-non-stop
    is off.
    """
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return all(_state(f"/proc/{pid}/task/{task}/stat") in "tT" for task in tasks)
    except OSError:  # not this machine's process
        return False


def _state(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().rpartition(b") ")[2][:1].decode("ascii", "replace")


def _must_be_stopped(inferior: "gdb.Inferior") -> None:
    for thread in inferior.threads():
        if thread.is_valid() and thread.is_running():
            raise HeapError(
                f"thread {thread.num} is running: stop the process with"
                " `interrupt` (`interrupt -a` in non-stop mode); for the condition of a"
                " breakpoint, `maint set target-non-stop off` before the process begins"
            )


def _options() -> Options:
    space = gdb.current_progspace()
    return Options(
        executable=_local(space.filename if space else None),
        sysroot=_local(setting("sysroot")),
        debug_dirs=setting("debug-file-directory") or None,
    )


def _local(path: Optional[str]) -> Optional[str]:
    """A path on this machine, None for none and for the root folder."""
    path = path or ""
    if path.startswith(_TARGET):
        path = path[len(_TARGET) :]
    return path if path not in ("", "/") else None
