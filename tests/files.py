# SPDX-License-Identifier: Apache-2.0
"""The commands on files, in this process: cores and saved heaps, without gdb."""

import os
import sys
from typing import Any, Dict, List, Optional

_CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(_CHECKOUT, "gdbext"))

from pyheap.catalog import COMMANDS  # noqa: E402
from pyheap.command import Question  # noqa: E402
from pyheap.errors import HeapError  # noqa: E402
from pyheap.spans import plain  # noqa: E402
from pyheap.walk import Baseline, Heap, Options, Target  # noqa: E402

BY_NAME = {command.name: command for command in COMMANDS}


def options(folder: str) -> Options:
    """How the files of a core in a folder of make-cores are found."""
    try:
        with open(os.path.join(folder, "root"), encoding="utf-8") as file:
            return Options(sysroot=file.read().strip())
    except FileNotFoundError:
        return Options()


class File(Question):
    """A core or a saved heap; every command can be asked of it."""

    def __init__(self, path: str, options: Options) -> None:
        self._options = options
        self._target = Target.open_file(path, options)
        self._heap = self._target.build_heap()
        self.before: Optional[Baseline] = None  # what `last` is

    def target(self) -> Target:
        return self._target

    def heap(self) -> Heap:
        return self._heap

    def heap_of(self, path: str) -> Heap:
        return Target.open_file(path, self._options).build_heap()

    def previous(self) -> Optional[Baseline]:
        return self.before

    def address(self, expression: str) -> int:
        return int(expression, 0)

    def close(self) -> None:
        """Frees everything."""
        self._heap.close()
        self._target.close()

    def ask(self, line: str) -> Dict[str, Any]:
        """The document of a command line."""
        name, _, rest = line.partition(" ")
        command = BY_NAME[name]
        return command.answer(self, command.parse(f"{rest} --json")).document()

    def lines(self, line: str) -> List[str]:
        """The text of a command line; of an error its words."""
        name, _, rest = line.partition(" ")
        command = BY_NAME[name]
        try:
            return [
                plain(each)
                for each in command.answer(self, command.parse(rest)).lines()
            ]
        except HeapError as error:
            return [f"error: {error}"]
