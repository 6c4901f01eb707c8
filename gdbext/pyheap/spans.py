# SPDX-License-Identifier: Apache-2.0
"""Lines of text whose parts know what they are, so that a terminal can colour them."""

from typing import Callable, List, NamedTuple, Union

ADDRESS, FUNCTION, FILENAME, VARIABLE = "address", "function", "filename", "variable"


class Styled(NamedTuple):
    """A text and its role, which is a style of gdb's: `help set style`."""

    text: str
    role: str


Span = Union[str, Styled]
Line = List[Span]
Paint = Callable[[str, str], str]  # text and role to text with escape sequences


def hexadecimal(number: int) -> Styled:
    """An address."""
    return Styled(f"{number:#x}", ADDRESS)


def width(span: Span) -> int:
    """Characters on the screen."""
    return len(span if isinstance(span, str) else span.text)


def plain(line: Line) -> str:
    """A line without styles."""
    return "".join(span if isinstance(span, str) else span.text for span in line)


def painted(line: Line, paint: Paint) -> str:
    """A line with escape sequences."""
    return "".join(
        span if isinstance(span, str) else paint(span.text, span.role) for span in line
    )
