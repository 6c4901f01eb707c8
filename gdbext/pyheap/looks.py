# SPDX-License-Identifier: Apache-2.0
"""How a picture looks: objgraph's colours, and shapes for what it cannot see."""

from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

Attributes = Dict[str, str]
Colour = Tuple[float, float, float]  # hue, saturation, value

_WHITE: Colour = (0, 0, 1)
_GREY: Colour = (0, 0, 0.3)
_RED: Colour = (0, 1, 1)
_DARK_RED: Colour = (0, 1, 0.3)
_GREEN_HUE = 0.3
_VIOLET: Tuple[float, float] = (0.6, 0.6)
_LIGHTEST_DARK = 0.5  # text on darker colours is white


class Form(NamedTuple):
    """A shape, with the hue and saturation of what is no object."""

    shape: str
    hue: float
    saturation: float


_FORMS = {
    "frame": Form("note", 0.13, 0.4),
    "thread": Form("octagon", 0.52, 0.4),
    "interpreter": Form("doubleoctagon", 0.52, 0.4),
}

# What makes a node look as it does, in the order of the legend.
START, ROOT, MODULE, HIGHLIGHT, FINALIZER, MORE, EXTRA, GUESS = (
    "start",
    "root",
    "module",
    "highlight",
    "finalizer",
    "more",
    "extra",
    "guess",
)


def gradient(depth: int, deepest: int, start: Colour, end: Colour) -> Colour:
    """The colour at a depth."""
    part = min(depth / deepest, 1) if deepest else 0
    h, s, v = (a * (1 - part) + b * part for a, b in zip(start, end))
    return h, s, v


def node(kind: str, marks: Set[str], depth: int, deepest: int) -> Attributes:
    """The look of a node."""
    hue, saturation, value = gradient(depth, deepest, _WHITE, _GREY)
    form = _FORMS.get(kind)
    if form:
        hue, saturation, value = form.hue, form.saturation, 0.75 + value / 4
    if MODULE in marks:
        hue, saturation = _GREEN_HUE, 1
    if HIGHLIGHT in marks:
        hue, saturation = _VIOLET
        value = 0.5 + value / 2
    look = {"fillcolor": hsv((hue, saturation, value))}
    if form:
        look["shape"] = form.shape
    if value < _LIGHTEST_DARK:
        look["fontcolor"] = "white"
    if START in marks:
        look["fontcolor"] = "red"
    if ROOT in marks:
        look["penwidth"] = "2.5"
    return look


def more(depth: int, deepest: int) -> Attributes:
    """The look of `N more references`, one deeper than the node that has them."""
    colour = gradient(depth + 1, deepest, _RED, _DARK_RED)
    return {
        "fillcolor": hsv(colour),
        "fontcolor": "white",
        "color": "red",
        "height": "0.25",
        "fontsize": "8",
    }


FINALIZER_NODE: Attributes = {
    "label": "__del__",
    "shape": "doublecircle",
    "margin": "0",
    "height": "0.25",
    "color": "red",
    "fillcolor": "0,0.5,1",
    "fontsize": "6",
}
CUT_NODE: Attributes = {
    "color": "red",
    "fontcolor": "red",
    "style": "dashed",
    "penwidth": "2",
    "fontsize": "14",
}
RED_DOTS: Attributes = {"color": "red", "style": "dotted", "weight": "10"}


def arrow(labels: Sequence[str], extra: bool, guess: bool) -> Attributes:
    """The look of a reference; a namespace stays close to its object."""
    look: Attributes = {}
    if extra:
        look.update(style="dashed")
    if guess:
        look.update(style="dotted")
    if list(labels) == ["__dict__"]:
        look.update(weight="10")
    return look


def hsv(colour: Colour) -> str:
    """A colour as Graphviz wants it."""
    return ",".join(f"{round(part, 3):g}" for part in colour)


class Sample(NamedTuple):
    """A row of the legend: a swatch and what it means."""

    mark: str
    look: Attributes
    words: str
    line: str = ""  # in place of a box


def legend(marks: Set[str], up: bool) -> List[Sample]:
    """The rows for what is in a picture; a kind is a mark too."""
    further = "holders" if up else "referents"
    rows = [
        Sample(START, {"fontcolor": "red"}, "what was asked about"),
        Sample(
            "object",
            {"fillcolor": "white:grey30"},
            f"{further}, the farther the darker",
        ),
        Sample("frame", _swatch("frame"), "frame of a function"),
        Sample("thread", _swatch("thread"), "thread"),
        Sample("interpreter", _swatch("interpreter"), "interpreter"),
        Sample(MODULE, {"fillcolor": hsv((_GREEN_HUE, 1, 1))}, "module"),
        Sample(HIGHLIGHT, {"fillcolor": hsv((*_VIOLET, 1))}, "highlighted"),
        Sample(ROOT, {}, "a root, alive by itself"),
        Sample(FINALIZER, {"fillcolor": "0,0.5,1", "color": "red"}, "has a __del__"),
        Sample(MORE, {"fillcolor": hsv(_RED), "color": "red"}, "more than are drawn"),
        Sample(EXTRA, {}, "a reference that the collector does not see", "- - -"),
        Sample(GUESS, {}, "a guess", ". . . ."),
    ]
    return [row for row in rows if row.mark in marks]


def _swatch(kind: str) -> Attributes:
    form = _FORMS[kind]
    return {"fillcolor": hsv((form.hue, form.saturation, 1))}
