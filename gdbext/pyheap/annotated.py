# SPDX-License-Identifier: Apache-2.0
"""Graphs of words: what a graph of objects is when it leaves the debugger."""

import json
import os
import shutil
import subprocess
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from pyheap.directed import Directed
from pyheap.dot import quoted
from pyheap.errors import HeapError

_SECONDS = 60  # for Graphviz


class AnnotatedVertex(NamedTuple):
    """A vertex; `id` is the object's address."""

    id: int
    annotation: str
    type: str = ""
    kind: str = "object"


class AnnotatedEdge(NamedTuple):
    """A reference from `tail` to `head`, the ids of vertices."""

    id: int
    annotation: Optional[str]
    head: int
    tail: int


class AnnotatedGraph(Directed[AnnotatedVertex]):
    """refcycle's AnnotatedGraph: its JSON documents are read and written."""

    def __init__(
        self, vertices: Iterable[AnnotatedVertex], edges: Iterable[AnnotatedEdge]
    ) -> None:
        self.vertices: List[AnnotatedVertex] = list(vertices)
        self.edges: List[AnnotatedEdge] = list(edges)
        self._by_id = {vertex.id: vertex for vertex in self.vertices}
        self._out: Dict[int, List[AnnotatedEdge]] = {}
        self._in: Dict[int, List[AnnotatedEdge]] = {}
        for edge in self.edges:
            self._out.setdefault(edge.tail, []).append(edge)
            self._in.setdefault(edge.head, []).append(edge)

    def __len__(self) -> int:
        return len(self.vertices)

    def __iter__(self) -> Iterator[AnnotatedVertex]:
        return iter(self.vertices)

    def __contains__(self, vertex: object) -> bool:
        return isinstance(vertex, AnnotatedVertex) and vertex.id in self._by_id

    def __repr__(self) -> str:
        return f"<pyheap.AnnotatedGraph of {len(self)} vertices>"

    def head(self, edge: AnnotatedEdge) -> AnnotatedVertex:
        """What an edge leads to."""
        return self._by_id[edge.head]

    def tail(self, edge: AnnotatedEdge) -> AnnotatedVertex:
        """Where an edge begins."""
        return self._by_id[edge.tail]

    def out_edges(self, vertex: AnnotatedVertex) -> List[AnnotatedEdge]:
        """The references that a vertex holds."""
        return self._out.get(vertex.id, [])

    def in_edges(self, vertex: AnnotatedVertex) -> List[AnnotatedEdge]:
        """The references to a vertex."""
        return self._in.get(vertex.id, [])

    def children(self, vertex: AnnotatedVertex) -> List[AnnotatedVertex]:
        """What a vertex refers to, once per reference."""
        return [self.head(edge) for edge in self.out_edges(vertex)]

    def parents(self, vertex: AnnotatedVertex) -> List[AnnotatedVertex]:
        """What refers to a vertex, once per reference."""
        return [self.tail(edge) for edge in self.in_edges(vertex)]

    def references(self) -> List[Tuple[AnnotatedVertex, AnnotatedVertex]]:
        """(tail, head) of each edge."""
        return [(self.tail(edge), self.head(edge)) for edge in self.edges]

    def full_subgraph(self, vertices: Iterable[AnnotatedVertex]) -> "AnnotatedGraph":
        """These vertices and all edges between them."""
        kept = {vertex.id: vertex for vertex in vertices}
        edges = [e for e in self.edges if e.tail in kept and e.head in kept]
        return AnnotatedGraph(kept.values(), edges)

    # ---- documents ----

    def to_json(self) -> str:
        """The graph as refcycle's JSON; vertices have their type and kind besides."""
        return json.dumps(
            {
                "vertices": [vertex._asdict() for vertex in self.vertices],
                "edges": [edge._asdict() for edge in self.edges],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "AnnotatedGraph":
        """The graph of such a document."""
        document = json.loads(text)
        return cls(
            [
                _made(AnnotatedVertex, vertex)  # other keys are other tools'
                for vertex in document["vertices"]
            ],
            [_made(AnnotatedEdge, edge) for edge in document["edges"]],
        )

    def export_json(self, filename: str) -> None:
        """Writes to_json() to a file."""
        with open(filename, "w", encoding="utf-8") as file:
            file.write(self.to_json())

    @classmethod
    def import_json(cls, filename: str) -> "AnnotatedGraph":
        """The graph in such a file."""
        with open(filename, encoding="utf-8") as file:
            return cls.from_json(file.read())

    # ---- pictures ----

    def to_dot(self) -> str:
        """The graph in Graphviz' language."""
        return "".join(self._dot_lines())

    def _dot_lines(self) -> Iterator[str]:
        yield "digraph G {\n"
        for vertex in self.vertices:
            yield f"    {vertex.id} [label={quoted(vertex.annotation)}];\n"
        for edge in self.edges:
            label = f" [label={quoted(edge.annotation)}]" if edge.annotation else ""
            yield f"    {edge.tail} -> {edge.head}{label};\n"
        yield "}\n"

    def export_image(
        self,
        filename: str = "refcycle.png",
        format: Optional[str] = None,
        dot_executable: str = "dot",
    ) -> None:
        """Has Graphviz draw the graph; the format is the file name's unless given."""
        if format is None:
            format = os.path.splitext(filename)[1][1:] or "png"
        program = shutil.which(dot_executable)
        if not program:
            raise HeapError(
                f"cannot draw {filename}: there is no {dot_executable}: install Graphviz"
                " (Debian package `graphviz`), or write to_dot() to a file"
            )
        _run([program, f"-T{format}", "-o", filename], self.to_dot())


def _made(kind: Any, fields: Dict[str, Any]) -> Any:
    return kind(**{name: fields[name] for name in kind._fields if name in fields})


def _run(command: List[str], text: str) -> None:
    try:
        run = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stderr=subprocess.PIPE,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HeapError(
            f"{command[0]} took more than {_SECONDS} s: draw a smaller graph"
        ) from None
    if run.returncode:
        reason = run.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise HeapError(f"{command[0]} failed with status {run.returncode}: {reason}")
