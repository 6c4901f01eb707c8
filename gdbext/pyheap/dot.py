# SPDX-License-Identifier: Apache-2.0
"""A graph document as DOT, the language of Graphviz."""

from typing import Any, Dict, Iterator

from pyheap.wording import shows_type

_LONGEST = 80

# Frames and threads look different from objects: they are what keeps things alive.
_LOOKS = {
    "object": {"shape": "box", "fillcolor": "white"},
    "frame": {"shape": "note", "fillcolor": "lightgoldenrod1"},
    "thread": {"shape": "octagon", "fillcolor": "lightskyblue"},
    "interpreter": {"shape": "doubleoctagon", "fillcolor": "lightskyblue"},
}
_START = {"fillcolor": "lightpink", "penwidth": "2"}


def dot(document: Dict[str, Any]) -> str:
    """The text of a DOT file; the same document gives the same text."""
    return "\n".join(_lines(document)) + "\n"


def quoted(text: str) -> str:
    """A DOT string that shows exactly this text."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == "\n":
        return "\\n"
    if not character.isprintable():
        code = character.encode("unicode_escape").decode()
        return code.replace("\\", "\\\\")
    return character


def _lines(document: Dict[str, Any]) -> Iterator[str]:
    yield "digraph pyheap {"
    yield '  graph [charset="UTF-8", rankdir="LR"];'
    yield '  node [fontname="sans-serif", fontsize="10", style="filled"];'
    yield '  edge [fontname="sans-serif", fontsize="9"];'
    for number, vertex in enumerate(document["vertices"]):
        yield f"  {_name(vertex['id'])} [{_attributes(_node(vertex, not number))}];"
    for edge in document["edges"]:
        label = _attributes({"label": _short(edge["annotation"])})
        yield f"  {_name(edge['tail'])} -> {_name(edge['head'])} [{label}];"
    yield "}"


def _node(vertex: Dict[str, Any], start: bool) -> Dict[str, str]:
    looks = dict(_LOOKS.get(vertex["kind"], _LOOKS["object"]))
    if start:
        looks.update(_START)
    return {"label": _label(vertex), **looks}


def _label(vertex: Dict[str, Any]) -> str:
    """The annotation; under it the type, unless that says it already; the address."""
    first = _short(vertex["annotation"])
    second = vertex["address"]
    if not shows_type(vertex["annotation"], vertex["type"]):
        second = f"{_short(vertex['type'])} {second}"
    return f"{first}\n{second}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _name(id: int) -> str:
    return f"n{id:x}"


def _attributes(values: Dict[str, str]) -> str:
    return ", ".join(f"{name}={quoted(value)}" for name, value in values.items())
