# SPDX-License-Identifier: Apache-2.0
"""What is said while a heap is read.

On a terminal one line is rewritten in place and erased at the end; elsewhere one line
is written, and only if reading takes long.  It goes to the file descriptor of standard
error and not through gdb, which would mix it into the output that a script captures.
"""

import os
import time
from typing import Callable

from pyheap import wording

_FIRST, _AGAIN = 0.3, 0.1  # seconds; a terminal
_PATIENCE = 2.0  # seconds; anything else
_ERASE = "\r\x1b[K"


class Progress:
    """Called with the counts of objects visited and known; never asks to stop."""

    def __init__(
        self,
        terminal: bool,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal, self._write, self._clock = terminal, write, clock
        self._next = clock() + (_FIRST if terminal else _PATIENCE)
        self._written = False

    def __call__(self, visited: int, known: int) -> bool:
        now = self._clock()
        if now >= self._next:
            text = f"reading the heap: {wording.number(visited)} objects…"
            self._write(f"{_ERASE}{text}" if self._terminal else f"{text}\n")
            self._next = now + _AGAIN if self._terminal else float("inf")
            self._written = True
        return True

    def done(self) -> None:
        """Erases what stands on the terminal."""
        if self._written and self._terminal:
            self._write(_ERASE)


def to_stderr(text: str) -> None:
    """Writes to the process's standard error, as well as it can."""
    try:
        os.write(2, text.encode())
    except OSError:
        pass
