# SPDX-License-Identifier: Apache-2.0
"""The open targets and heaps: one per inferior, as long as what it shows is true.

A heap that `py-heap-load` loaded stands in front of that of the selected target, until
another target is selected.

A heap is true for one stop.  It is dropped when the process runs on, when its memory is
written, and when gdb leaves it (the thread that it was read with is no longer valid).
"""

import os
from typing import Any, Callable, Dict, NamedTuple, Optional, TypeVar

import gdb

from pyheap.command import Question
from pyheap.errors import HeapError
from pyheap.gdbside import address, screen, selection
from pyheap.gdbside.interrupt import held_back
from pyheap.progress import Progress, to_stderr
from pyheap.walk import Baseline, Heap, Options, Target


class _Around(NamedTuple):
    """The heap of one step around an address."""

    address: int
    heap: Heap


class _Open:
    """An open target, and its heap once that was asked for."""

    def __init__(self, selected: selection.Selection, first: Optional[str]) -> None:
        self.selected = selected
        self.thread = gdb.selected_thread()
        self.target = selection.open_selected(selected, first)
        self.heap: Optional[Heap] = None
        self.around: Optional[_Around] = None  # while there is no heap
        self.in_passing = selection.in_passing()

    def still(self, selected: selection.Selection) -> bool:
        """Whether this is what is selected now, at the same stop."""
        here = self.thread is None or self.thread.is_valid()
        return here and self.selected == selected and not self.in_passing

    def read(self) -> Heap:
        """The heap, read now unless it was."""
        if self.heap is None:
            self.heap = _read(self.target)
            self._forget_around()
        return self.heap

    def read_around(self, address: int) -> Heap:
        """A heap that knows what is one step around an address.

        Of a core that nobody asked anything else: the second question has all read, for
        those that follow.
        """
        if self.around and self.around.address == address:
            return self.around.heap
        if self.heap or self.around or self.selected.kind != selection.CORE:
            return self.read()
        heap, whole = _interruptible(
            lambda progress: self.target.build_around(address, progress)
        )
        if whole:
            self.heap = heap
        else:
            self.around = _Around(address, heap)
        return heap

    def _forget_around(self) -> None:
        if self.around:
            self.around.heap.close()
            self.around = None

    def close(self) -> None:
        """Frees the heap, then the target."""
        self._forget_around()
        if self.heap:
            self.heap.close()
        self.target.close()


_EVENTS = ("cont", "inferior_call", "exited", "memory_changed", "inferior_deleted")


class _Loaded(NamedTuple):
    """A saved heap, and what was selected when it was loaded."""

    selected: Optional[selection.Selection]
    target: Target
    heap: Heap


_open: Dict[int, _Open] = {}
_previous: Dict[int, Baseline] = {}  # of the heap that was closed last
_loaded: Dict[int, _Loaded] = {}
_listening = False


def close_all() -> None:
    """Forgets everything: when the extension is loaded anew."""
    for number in list(_open):
        _close(number)
    for number in list(_loaded):
        _unload(number)
    _previous.clear()
    _listen(False)


def _close(number: int) -> None:
    opened = _open.pop(number, None)
    if opened:
        if opened.heap:
            _previous[number] = opened.heap.baseline()
        elif opened.around:  # of this stop nothing is known that could be compared
            _previous.pop(number, None)
        opened.close()


def _unload(number: int) -> bool:
    loaded = _loaded.pop(number, None)
    if loaded:
        loaded.heap.close()
        loaded.target.close()
    return loaded is not None


def _selected() -> Optional[selection.Selection]:
    """What is selected; None: nothing that could be read."""
    try:
        return selection.selected()
    except HeapError:
        return None


def _known_loaded() -> Optional[_Loaded]:
    """The loaded heap, if still the same target is selected."""
    number = gdb.selected_inferior().num
    loaded = _loaded.get(number)
    if loaded and loaded.selected != _selected():
        _unload(number)
        return None
    return loaded


def _forget_live(event: Any) -> None:
    """A process ran, ended or was written to: which one is not always said."""
    for number, opened in list(_open.items()):
        if opened.selected.kind != selection.CORE:
            _close(number)
    for number, loaded in list(_loaded.items()):
        if loaded.selected and loaded.selected.kind != selection.CORE:
            _unload(number)


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
    loaded = _loaded.get(gdb.selected_inferior().num)
    if loaded:
        return loaded.heap
    opened = _open.get(gdb.selected_inferior().num)
    return opened.heap if opened else None


class Session(Question):
    """What one command asks of gdb."""

    def __init__(self) -> None:
        self._opened: Optional[_Open] = None
        self._numbers: Optional[Dict[int, int]] = None
        self._asked = False  # whether a loaded heap was looked for
        self._found: Optional[_Loaded] = None

    def target(self) -> Target:
        loaded = self._loaded()
        return loaded.target if loaded else self._current("graph").target

    def heap(self) -> Heap:
        loaded = self._loaded()
        if loaded:
            return loaded.heap
        return self._current("graph").read()

    def heap_around(self, address: int) -> Heap:
        loaded = self._loaded()
        return loaded.heap if loaded else self._current("graph").read_around(address)

    def previous(self) -> Optional[Baseline]:
        return _previous.get(gdb.selected_inferior().num)

    def heap_of(self, path: str) -> Heap:
        selected = _selected()
        options = selected.options if selected else Options()
        return _read(Target.open_file(path, options._replace(first="graph")))

    def load(self, path: Optional[str]) -> bool:
        number = gdb.selected_inferior().num
        if path is None:
            return _unload(number)
        target = Target.open_saved(path)
        loaded = _Loaded(_selected(), target, _read(target))
        there = _unload(number)
        _loaded[number] = loaded
        _listen(True)
        return there

    def save(self, path: str, values: bool) -> None:
        heap = self.heap()
        _interruptible(lambda progress: heap.save(path, values, progress))

    def _loaded(self) -> Optional[_Loaded]:
        if not self._asked:
            self._asked, self._found = True, _known_loaded()
        return self._found

    def known_heap(self) -> Optional[Heap]:
        loaded = self._loaded()
        if loaded:
            return loaded.heap
        opened = self._current(None)  # who asks may do without a graph
        if opened.selected.kind != selection.CORE:
            return self.heap()  # when the process has gone on, it cannot be read again
        return opened.heap

    def address(self, expression: str) -> int:
        return address.address(expression)

    def thread_number(self, native_id: int) -> Optional[int]:
        if self._loaded():
            return None  # it may be of any process
        if self._numbers is None:
            threads = gdb.selected_inferior().threads()
            self._numbers = {t.ptid[1] or t.ptid[0]: t.num for t in threads}
        return self._numbers.get(native_id)

    def _current(self, first: Optional[str]) -> _Open:
        if self._opened is None:
            self._opened = _current(first)
        return self._opened


def _current(first: Optional[str]) -> _Open:
    """The open target of the selected inferior, opened now unless it is.

    `first` is what will be asked of it first.
    """
    number, selected = gdb.selected_inferior().num, selection.selected()
    opened = _open.get(number)
    if opened is None or not opened.still(selected):
        _close(number)
        opened = _open[number] = _Open(selected, first)
        _listen(True)
    return opened


def _read(target: Target) -> Heap:
    return _interruptible(target.build_heap)


_Result = TypeVar("_Result")


def _interruptible(work: Callable[[Callable[[int, int], bool]], _Result]) -> _Result:
    """Does what may take long: with its progress on a terminal, until Ctrl-C."""
    terminal = os.isatty(2) and not screen.in_tui()
    progress = Progress(terminal, to_stderr)
    try:
        with held_back() as pressed:
            return work(
                lambda visited, known: progress(visited, known) and not pressed()
            )
    finally:
        progress.done()
