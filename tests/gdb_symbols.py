# SPDX-License-Identifier: Apache-2.0
"""What the py-heap commands cost gdb: what is loaded with them, and no debug information.

    python3 tests/gdb_symbols.py build/cores/INTERPRETER/PROGRAM

gdb reads the debug information of one more compilation unit whenever somebody asks it for
a symbol or a type; that can take longer than all that we do.
"""

import os
import sys
from typing import List

from gdbrun import Reply, gdb
from truthfile import Truth

_COMMANDS = (
    "py-heap-info",
    "py-heap-types",
    "py-heap-types --all --by size --limit 3",
    "py-heap-find dict --limit 3",
    "py-heap-object {address}",
    "py-heap-object {address} + 0",
    "py-heap-referents {address}",
    "py-heap-referrers {address}",
    "py-heap-ancestors {address} 2",
    "py-heap-descendants {address} 1",
    "py-heap-frames --locals --suspended",
    "py-heap-locals {address}",
    "py-heap-why {address}",
    "py-heap-object $sp",  # no object: this says so
    "help py-heap-why",
    "complete py-heap-types --",
)
# Loaded by gdbext/load.py besides what gdb itself has loaded: nothing of the library but this.
_LOADED = {"__future__"}
_OWN_LOADED = {
    "pyheap",
    "pyheap.gdbside",
    "pyheap.gdbside.functions",
    "pyheap.gdbside.register",
    "pyheap.helptexts",
}
_MODULES = "python print(*sorted(sys.modules))"
_UNITS = (
    "python import re; text = gdb.execute('maint print statistics', to_string=True);"
    " print(*(sum(map(int, re.findall(f'Number of {w} CUs: ([0-9]+)', text)))"
    " for w in ('read', 'unread')))"
)
_READ_ALL = "maint expand-symtabs"


def _words(reply: Reply) -> List[str]:
    return reply.output.split()


def check_loaded() -> None:
    """Loading the extension imports next to nothing."""
    (before,) = gdb([], [_MODULES], load=False)
    (after,) = gdb([], [_MODULES])
    more = set(_words(after)) - set(_words(before))
    if not _OWN_LOADED <= more or not more <= _OWN_LOADED | _LOADED:
        raise AssertionError(f"loaded: {sorted(more)}")


def check_units(arguments: List[str], commands: List[str]) -> List[Reply]:
    """No command makes gdb read a compilation unit; their replies."""
    asked = [_UNITS]
    for command in commands:
        asked += [command, _UNITS]
    replies = gdb(arguments, [*asked, _READ_ALL, _UNITS])
    *counts, all_read = [_words(reply) for reply in replies[::2]]
    if all_read == counts[-1]:
        raise AssertionError(f"gdb has no debug information to read: {all_read}")
    for command, before, after in zip(commands, counts, counts[1:]):
        if before != after:
            raise AssertionError(f"{command}: units read, unread: {before}, {after}")
    return replies[1:-2:2]


def check_never(arguments: List[str], commands: List[str], normal: List[Reply]) -> None:
    """All say the same when gdb may not read debug information at all."""
    for with_symbols, without in zip(
        normal, gdb(["--readnever", *arguments], commands)
    ):
        if with_symbols != without:
            raise AssertionError(f"--readnever: {without}, else {with_symbols}")
        if not without.output and not without.errors:
            raise AssertionError(f"{without.command}: says nothing")


def main() -> int:
    """The checks."""
    (folder,) = sys.argv[1:]
    truth = Truth(os.path.join(folder, "truth"))
    address = "0x" + next(a for a, o in truth.objects.items() if o.type == "dict")
    with open(os.path.join(folder, "python"), encoding="utf-8") as file:
        arguments = [file.read().strip(), os.path.join(folder, "core")]
    commands = [command.format(address=address) for command in _COMMANDS]
    check_loaded()
    check_never(arguments, commands, check_units(arguments, commands))
    print(f"{len(commands)} commands")
    return 0


if __name__ == "__main__":
    sys.exit(main())
