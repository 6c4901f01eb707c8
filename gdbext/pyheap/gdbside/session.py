# SPDX-License-Identifier: Apache-2.0
"""The open targets and heaps: one per inferior, as long as what it shows is true.

A heap is true for one stop.  It is dropped when the process runs on, when its memory is
written, and when gdb leaves it (the thread that it was read with is no longer valid).
"""

import os
from typing import Any, Dict, Optional

import gdb

from pyheap.command import Question
from pyheap.gdbside import address, screen, selection
from pyheap.gdbside.interrupt import held_back
from pyheap.progress import Progress, to_stderr
from pyheap.walk import Heap, Target


class _Open:
    """An open target, and its heap once that was asked for."""

    def __init__(self, selected: selection.Selection) -> None:
        self.selected = selected
        self.thread = gdb.selected_thread()
        self.target = selection.open_selected(selected)
        self.heap: Optional[Heap] = None

    def still(self, selected: selection.Selection) -> bool:
        """Whether this is what is selected now, at the same stop."""
        here = self.thread is None or self.thread.is_valid()
        return here and self.selected == selected

    def close(self) -> None:
        """Frees the heap, then the target."""
        if self.heap:
            self.heap.close()
        self.target.close()


_EVENTS = ("cont", "inferior_call", "exited", "memory_changed", "inferior_deleted")

_open: Dict[int, _Open] = {}
_listening = False


def close_all() -> None:
    """Forgets everything: when the extension is loaded anew."""
    for number in list(_open):
        _close(number)
    _listen(False)


def _close(number: int) -> None:
    opened = _open.pop(number, None)
    if opened:
        opened.close()


def _forget_live(event: Any) -> None:
    """A process ran, ended or was written to: which one is not always said."""
    for number, opened in list(_open.items()):
        if opened.selected.kind != selection.CORE:
            _close(number)


def _listen(on: bool) -> None:
    global _listening
    if on == _listening:
        return
    for name in _EVENTS:
        registry = getattr(gdb.events, name)
        (registry.connect if on else registry.disconnect)(_forget_live)
    _listening = on


def known_heap() -> Optional[Heap]:
    """The heap of the selected inferior if it was read before: nothing is read now."""
    opened = _open.get(gdb.selected_inferior().num)
    return opened.heap if opened else None


class Session(Question):
    """What one command asks of gdb."""

    def __init__(self) -> None:
        self._opened: Optional[_Open] = None
        self._numbers: Optional[Dict[int, int]] = None

    def target(self) -> Target:
        return self._current().target

    def heap(self) -> Heap:
        opened = self._current()
        if opened.heap is None:
            opened.heap = _read(opened.target)
        return opened.heap

    def known_heap(self) -> Optional[Heap]:
        return self._current().heap

    def address(self, expression: str) -> int:
        return address.address(expression)

    def thread_number(self, native_id: int) -> Optional[int]:
        if self._numbers is None:
            threads = gdb.selected_inferior().threads()
            self._numbers = {t.ptid[1] or t.ptid[0]: t.num for t in threads}
        return self._numbers.get(native_id)

    def _current(self) -> _Open:
        if self._opened is None:
            self._opened = _current()
        return self._opened


def _current() -> _Open:
    """The open target of the selected inferior, opened now unless it is."""
    number, selected = gdb.selected_inferior().num, selection.selected()
    opened = _open.get(number)
    if opened is None or not opened.still(selected):
        _close(number)
        opened = _open[number] = _Open(selected)
        _listen(True)
    return opened


def _read(target: Target) -> Heap:
    terminal = os.isatty(2) and not screen.in_tui()
    progress = Progress(terminal, to_stderr)
    try:
        with held_back() as pressed:
            return target.build_heap(
                lambda visited, known: progress(visited, known) and not pressed()
            )
    finally:
        progress.done()
