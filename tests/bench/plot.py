# SPDX-License-Identifier: Apache-2.0
"""Draws docs/images/performance.svg: seconds by tracked objects, both logarithmic.

    python3 tests/bench/plot.py build/bench/results.json docs/images/performance.svg

A panel for each version of CPython.
"""

import json
import math
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import table

Row = Dict[str, Any]


class Series(NamedTuple):
    """A line of the picture."""

    name: str
    words: str
    colour: str
    ours: bool


_SERIES = (
    Series("gdb script", "script in gdb", "#8a8a8a", False),
    Series("objgraph", "objgraph, live", "#c48a1a", False),
    Series("counter", "Counter, live", "#b5442e", False),
    Series("limit A", "limit A", "#7a4fa3", False),
    Series("limit B", "limit B", "#b79ad1", False),
    Series("graph", "whole graph", "#1d5fa8", True),
    Series("cold referrers", "cold referrers", "#2f9ca0", True),
    Series("types", "type counts", "#1f8a3b", True),
)
_WIDTH, _HEIGHT = 400, 300  # of a panel's frame
_LEFT, _TOP, _LEGEND, _BOTTOM = 64, 34, 130, 50
_LINE = 15


class Axis(NamedTuple):
    """Decades on so many pixels."""

    low: float
    high: float
    pixels: int

    def at(self, value: float) -> float:
        """Pixels from the low end."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return share * self.pixels

    def decades(self) -> Iterator[float]:
        """The powers of ten on it."""
        for power in range(
            math.ceil(math.log10(self.low) - 1e-9),
            math.floor(math.log10(self.high) + 1e-9) + 1,
        ):
            yield 10.0**power


def _spanning(values: List[float], pixels: int) -> Axis:
    return Axis(min(values) / 1.5, max(values) * 1.5, pixels)


def _points(rows: List[Row], series: Series) -> List[Tuple[float, float]]:
    found = []
    for row in rows:
        seconds = table.median(row, series.name)
        if seconds is not None:
            found.append((float(row["found"]["graph"]), seconds))
    return found


def picture(rows: List[Row]) -> str:
    """The SVG."""
    versions = sorted({row["version"] for row in rows})
    points = [point for series in _SERIES for point in _points(rows, series)]
    across = _spanning([count for count, _ in points], _WIDTH)
    up = _spanning([seconds for _, seconds in points], _HEIGHT)
    width = len(versions) * (_LEFT + _WIDTH) + _LEGEND
    height = _TOP + _HEIGHT + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        "<!-- SPDX-License-Identifier: Apache-2.0; made by tests/bench/plot.py -->",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, version in enumerate(versions):
        left = number * (_LEFT + _WIDTH) + _LEFT
        of_version = [row for row in rows if row["version"] == version]
        parts.append(f'<g transform="translate({left} {_TOP})">')
        parts.extend(_panel(version, of_version, across, up))
        if version == versions[-1]:
            parts.extend(_legend(of_version, across, up))
        parts.append("</g>")
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panel(version: str, rows: List[Row], across: Axis, up: Axis) -> Iterator[str]:
    yield f'<text x="{_WIDTH / 2}" y="-12" text-anchor="middle" font-weight="bold">CPython {version}</text>'
    for value in across.decades():
        x = across.at(value)
        yield _grid(x, 0, x, _HEIGHT)
        yield _text(x, _HEIGHT + 18, _count(value), "middle")
    for value in up.decades():
        y = _HEIGHT - up.at(value)
        yield _grid(0, y, _WIDTH, y)
        yield _text(-6, y + 4, _seconds(value), "end")
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#444"/>'
    yield _text(_WIDTH / 2, _HEIGHT + 38, "tracked objects", "middle")
    for series in _SERIES:
        places = [
            (across.at(count), _HEIGHT - up.at(seconds))
            for count, seconds in _points(rows, series)
        ]
        if places:
            yield from _curve(series, places)


def _curve(series: Series, places: List[Tuple[float, float]]) -> Iterator[str]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    width = 2.5 if series.ours else 1.5
    dash = "" if series.ours else ' stroke-dasharray="5 3"'
    yield f'<polyline points="{line}" fill="none" stroke="{series.colour}" stroke-width="{width}"{dash}/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{series.colour}"/>'


def _legend(rows: List[Row], across: Axis, up: Axis) -> Iterator[str]:
    """The lines' names beside their ends, moved apart where these are close."""
    ends = []
    for series in _SERIES:
        points = _points(rows, series)
        if points:
            ends.append((_HEIGHT - up.at(points[-1][1]), series))
    ends.sort(key=lambda end: end[0])
    y = -_LINE + 0.0
    for end, series in ends:
        y = max(end, y + _LINE)
        weight = ' font-weight="bold"' if series.ours else ""
        yield f'<text x="{_WIDTH + 8}" y="{y + 4:.1f}" fill="{series.colour}"{weight}>{series.words}</text>'


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _count(value: float) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"


def _seconds(value: float) -> str:
    return f"{value:g} s" if value >= 1 else f"{1e3 * value:g} ms"


def main() -> None:
    """The command."""
    results, path = sys.argv[1:]
    with open(results, encoding="utf-8") as file:
        rows: List[Row] = json.load(file)["rows"]
    with open(path, "w", encoding="utf-8") as file:
        file.write(picture(rows))


if __name__ == "__main__":
    main()
