# SPDX-License-Identifier: Apache-2.0
"""Aligned columns."""

from typing import Iterable, Iterator, List, Sequence, Union

from pyheap.spans import Line, Span, width

Cell = Union[Span, int]
GAP = "  "


def aligned(
    rows: Iterable[Sequence[Cell]],
    header: Sequence[str] = (),
    indent: str = "",
    widest: int = 60,
) -> Iterator[Line]:
    """Lines of columns: integers to the right, everything else to the left.

    A column is as wide as its widest cell, but no wider than `widest`: one long cell
    moves its own line only.
    """
    cells = [[_span(cell) for cell in row] for row in rows]
    right = _integer_columns(rows)
    if header:
        cells.insert(0, list(header))
    widths = _widths(cells, widest)
    for row in cells:
        yield _line(row, widths, right, indent)


def _span(cell: Cell) -> Span:
    return str(cell) if isinstance(cell, int) else cell


def _integer_columns(rows: Iterable[Sequence[Cell]]) -> List[bool]:
    for row in rows:
        return [isinstance(cell, int) for cell in row]
    return []


def _widths(cells: List[List[Span]], widest: int) -> List[int]:
    widths: List[int] = []
    for row in cells:
        widths.extend([0] * (len(row) - len(widths)))
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], min(width(cell), widest))
    return widths


def _line(row: List[Span], widths: List[int], right: List[bool], indent: str) -> Line:
    while row and not width(row[-1]):
        row = row[:-1]
    line: Line = [indent] if indent else []
    for column, cell in enumerate(row):
        padding = " " * (widths[column] - width(cell))
        if column < len(right) and right[column]:
            line += [padding, cell]
        elif column + 1 < len(row):
            line += [cell, padding]
        else:
            line.append(cell)
        if column + 1 < len(row):
            line.append(GAP)
    return line
