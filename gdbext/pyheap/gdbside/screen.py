# SPDX-License-Identifier: Apache-2.0
"""Writing to gdb's screen, with gdb's styles."""

import os
from typing import Dict, Iterable

import gdb

from pyheap.gdbside.console import is_on, output, setting
from pyheap.spans import Line, painted, plain

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_INTENSITIES = {"bold": "1", "dim": "2"}
_SIMPLER = str.maketrans({"…": "..."})


class Styles:
    """gdb's styles as escape sequences; each role is looked up once."""

    def __init__(self) -> None:
        self._codes: Dict[str, str] = {}

    def paint(self, text: str, role: str) -> str:
        """A text in the style of its role."""
        if role not in self._codes:
            self._codes[role] = _codes(role)
        codes = self._codes[role]
        return f"\x1b[{codes}m{text}\x1b[m" if codes else text


def _codes(role: str) -> str:
    codes = []
    for ground, base in (("foreground", 30), ("background", 40)):
        colour = setting(f"style {role} {ground}")
        if colour in _COLOURS:
            codes.append(str(base + _COLOURS.index(colour)))
    intensity = setting(f"style {role} intensity")
    if intensity in _INTENSITIES:
        codes.append(_INTENSITIES[intensity])
    return ";".join(codes)


def write_lines(lines: Iterable[Line]) -> None:
    """Writes an answer for a person."""
    styled = is_on("style enabled") and os.isatty(1)
    styles = Styles()
    for line in lines:
        write(painted(line, styles.paint) if styled else plain(line))


def write(text: str) -> None:
    """Writes a line, as well as the host's character set can."""
    try:
        gdb.write(text + "\n")
    except UnicodeError:
        simple = text.translate(_SIMPLER).encode("ascii", "backslashreplace")
        gdb.write(simple.decode() + "\n")


def in_tui() -> bool:
    """Whether gdb draws windows: then nothing else may move the cursor."""
    try:
        windows = output("info win")
    except gdb.error:  # a gdb without TUI
        return False
    return not windows.startswith("The TUI is not active")
