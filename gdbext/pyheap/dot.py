# SPDX-License-Identifier: Apache-2.0
"""A drawing as DOT, the language of Graphviz."""

from typing import (
    Any,
    Counter,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
)

from pyheap import looks
from pyheap.looks import Attributes
from pyheap.wording import counted, number, shows_type

_LONGEST = 80
LABELS = 3  # of parallel references
_ARROWS_PER_VERTEX = 4
_WIDTH, _HEIGHT, _DISTANCE = 140, 45, 60  # of vertices, about, in points


class Vertex(NamedTuple):
    """A node of a drawing; its marks are those of looks.py."""

    address: int
    lines: Sequence[str]
    kind: str
    marks: Set[str]
    depth: int
    skipped: int  # so many more references
    document: Dict[str, Any]  # what a graph document says of it

    @property
    def name(self) -> str:
        """Its name in DOT."""
        return f"n{self.address:x}"


class Arrow(NamedTuple):
    """The references of one node to another: the labels of the first, how many, of what sort."""

    tail: int
    head: int
    labels: Sequence[str]
    total: int = 1
    extra: bool = False
    guess: bool = False


class Drawing(NamedTuple):
    """All that a picture shows."""

    vertices: List[Vertex]
    arrows: List[Arrow]
    up: bool
    deepest: int
    left: int = 0  # objects that are too many to draw
    uncounted: bool = False  # there are more of these
    lost: int = 0  # references that are too many to draw
    legend: bool = True


def dot(document: Dict[str, Any]) -> str:
    """The text of a DOT file for a graph document; the same one gives the same text."""
    return text(of_document(document))


def of_document(document: Dict[str, Any], most: Optional[int] = None) -> Drawing:
    """A drawing of a graph document, whose first vertex is the start: of all, or the first."""
    vertices = [
        Vertex(
            vertex["id"],
            _document_lines(vertex),
            vertex["kind"],
            set() if place else {looks.START},
            vertex.get("depth", 0),
            0,
            vertex,
        )
        for place, vertex in enumerate(document["vertices"][:most])
    ]
    there = {vertex.address for vertex in vertices}
    arrows = [
        Arrow(edge["tail"], edge["head"], [edge["annotation"]])
        for edge in document["edges"]
        if edge["tail"] in there and edge["head"] in there
    ]
    shown = arrows if most is None else arrows[: most * _ARROWS_PER_VERTEX]
    deepest = max((vertex.depth for vertex in vertices), default=0)
    left = len(document["vertices"]) - len(vertices)
    lost = len(arrows) - len(shown)
    return Drawing(vertices, shown, True, deepest, left, lost=lost, legend=False)


def to_document(drawing: Drawing) -> Dict[str, Any]:
    """What is drawn, as a graph document."""
    vertices = [
        {"id": v.address, **v.document, "depth": v.depth} for v in drawing.vertices
    ]
    edges = [
        {
            "id": place,
            "annotation": ", ".join(_labels(a)),
            "tail": a.tail,
            "head": a.head,
        }
        for place, a in enumerate(drawing.arrows)
    ]
    return {"vertices": vertices, "edges": edges}


def cut(drawing: Drawing) -> str:
    """What is left out, in words; "" if nothing is."""
    words = []
    if drawing.left:
        least = "more than " if drawing.uncounted else ""
        words.append(f"{least}{counted(drawing.left, 'more object')}")
    if drawing.lost:
        words.append(counted(drawing.lost, "more reference"))
    return ", ".join(words)


def _document_lines(vertex: Dict[str, Any]) -> List[str]:
    """The annotation; under it the type, unless that says it already; the address."""
    lines = [vertex["annotation"], vertex["address"]]
    if not shows_type(vertex["annotation"], vertex["type"]):
        lines[1] = f"{short(vertex['type'])} {lines[1]}"
    return lines


def short(words: str) -> str:
    """A text that is not too wide."""
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def quoted(words: str) -> str:
    """A DOT string that shows exactly this text."""
    return '"' + "".join(map(_escaped, words)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == "&":
        return "&amp;"  # else Graphviz takes it for the start of an entity
    if character == "\n":
        return "\\n"
    if not character.isprintable():
        code = character.encode("unicode_escape").decode()
        return code.replace("\\", "\\\\")
    return character


def text(drawing: Drawing) -> str:
    """The text of a DOT file; the same drawing gives the same text."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "digraph pyheap {"
    yield (
        f'  graph [charset="UTF-8", rankdir="{_direction(drawing)}", nodesep="0.15",'
        ' ranksep="0.35"];'
    )
    yield (
        '  node [shape="box", style="filled", fillcolor="white", fontname="sans-serif",'
        ' fontsize="10", height="0.3", margin="0.12,0.05"];'
    )
    yield '  edge [fontname="sans-serif", fontsize="9", arrowsize="0.7"];'
    if drawing.legend:
        yield from _legend(drawing)
    # Graphviz breaks cycles where they lead back to what came first: the farthest holder.
    for vertex in reversed(drawing.vertices) if drawing.up else drawing.vertices:
        yield from _vertex(vertex, drawing)
    for arrow in drawing.arrows:
        yield _edge(f"n{arrow.tail:x}", f"n{arrow.head:x}", _arrow(arrow))
    if cut(drawing):
        look = {"label": f"… {cut(drawing)}", **looks.CUT_NODE, "class": "cut"}
        yield f"  cut [{_attributes(look)}];"
    yield "}"


def _direction(drawing: Drawing) -> str:
    """From top to bottom, unless what is at one depth is too wide for that."""
    rows = Counter(vertex.depth for vertex in drawing.vertices)
    widest = max(rows.values(), default=0)
    down = max(widest * _WIDTH, len(rows) * (_HEIGHT + _DISTANCE))
    right = max(widest * _HEIGHT, len(rows) * (_WIDTH + _DISTANCE))
    return "LR" if right < down else "TB"


def _vertex(vertex: Vertex, drawing: Drawing) -> Iterator[str]:
    lines = "\n".join(short(line) for line in vertex.lines)
    look = looks.node(vertex.kind, vertex.marks, vertex.depth, drawing.deepest)
    classes = " ".join([vertex.kind, *sorted(vertex.marks)])
    look = {"label": lines, **look, "class": classes}
    yield f"  {vertex.name} [{_attributes(look)}];"
    if looks.FINALIZER in vertex.marks:
        other = f"del_{vertex.name}"
        yield f"  {other} [{_attributes({**looks.FINALIZER_NODE, 'class': 'del'})}];"
        yield _edge(vertex.name, other, looks.RED_DOTS)
    if vertex.skipped:
        other = f"more_{vertex.name}"
        words = counted(vertex.skipped, "more reference")
        look = {"label": words, **looks.more(vertex.depth, drawing.deepest)}
        yield f"  {other} [{_attributes({**look, 'class': 'more'})}];"
        ends = (other, vertex.name) if drawing.up else (vertex.name, other)
        yield _edge(*ends, looks.RED_DOTS)


def _arrow(arrow: Arrow) -> Attributes:
    look = looks.arrow(arrow.labels, arrow.extra, arrow.guess)
    classes = [n for n in (looks.EXTRA, looks.GUESS) if getattr(arrow, n)]
    label = "\n".join(f" {label} " for label in _labels(arrow))  # off the line
    return {"label": label, **look, "class": " ".join(classes)}


def _labels(arrow: Arrow) -> List[str]:
    """The labels, the first few of very many."""
    labels = [short(label) for label in arrow.labels[:LABELS]]
    if arrow.total > len(labels):
        labels.append(f"… {number(arrow.total - len(labels))} more")
    return labels


def _edge(tail: str, head: str, look: Attributes) -> str:
    return f"  {tail} -> {head} [{_attributes(look)}];"


def _attributes(values: Attributes) -> str:
    return ", ".join(f"{k}={quoted(value)}" for k, value in values.items() if value)


def _legend(drawing: Drawing) -> Iterator[str]:
    """A table under the picture, of what is in it. It has no text of the target's."""
    marks = set().union(*(v.marks | {v.kind} for v in drawing.vertices))
    marks |= {looks.MORE for v in drawing.vertices if v.skipped}
    marks |= {looks.EXTRA for arrow in drawing.arrows if arrow.extra}
    marks |= {looks.GUESS for arrow in drawing.arrows if arrow.guess}
    rows = "".join(map(_sample, looks.legend(marks, drawing.up)))
    table = f'<table border="0" cellspacing="2" cellpadding="2">{rows}</table>'
    yield f"  label=<{table}>; labelloc=b; labeljust=l;"
    yield '  fontname="sans-serif"; fontsize=9;'


def _sample(row: looks.Sample) -> str:
    look = {"fillcolor": "white", "color": "black", **row.look}
    colour = f'bgcolor="{look["fillcolor"]}" color="{look["color"]}"'
    words = row.words
    if look.get("fontcolor"):
        words = f'<font color="{look["fontcolor"]}">{words}</font>'
    border = 3 if row.mark == looks.ROOT else 0 if row.line else 1
    swatch = f'<td {colour} border="{border}" width="24">{row.line}</td>'
    return f'<tr>{swatch}<td align="left">{words}</td></tr>'
