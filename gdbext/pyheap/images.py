# SPDX-License-Identifier: Apache-2.0
"""Pictures of a heap, with objgraph's options: for every command that answers with a graph."""

from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, Optional, Set

from pyheap import describe, dot, looks, picture, wording
from pyheap.errors import UsageError, WalkError
from pyheap.image_options import EXTRA_INFO
from pyheap.sketch import EdgeLinks, HeapLinks, Sketch, Walk
from pyheap.words import whole_integer

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Edge, Heap, Subgraph


def of_subgraph(
    heap: "Heap",
    graph: "Subgraph",
    up: bool,
    args: "Namespace",
    depth: Optional[int] = None,
) -> picture.Written:
    """Draws ancestors (`up`) or descendants, as objgraph's show_backrefs and show_refs do."""
    image = Image(heap, args)
    links = HeapLinks(heap, graph.ids, up)
    stops = image.is_proper_module if up and not args.all else None
    start = graph.ids[0]
    walk = Walk(links, [start], depth, args.too_many, image.wanted, stops)
    written = image.write(walk)
    if stops and stops(start):
        words = f"{written.words}; it ends at modules: --all goes on"
        written = written._replace(words=words)
    return written


def of_edges(
    heap: "Heap",
    starts: Iterable[int],
    edges: Iterable["Edge"],
    up: bool,
    args: "Namespace",
) -> picture.Written:
    """Draws paths from (`up`: to) some objects, or around: as objgraph's show_chain does."""
    image = Image(heap, args)
    links = EdgeLinks(edges, up)
    walk = Walk(links, list(starts), None, args.too_many, image.wanted)
    return image.write(walk)


class Image:
    """What a heap's nodes look like, as the options of a command have it."""

    def __init__(self, heap: "Heap", args: "Namespace") -> None:
        if args.shortnames and args.longnames:
            raise UsageError("--shortnames and --longnames: give one of them")
        unknown = set(args.extra_info) - set(EXTRA_INFO)
        if unknown:
            known = ", ".join(EXTRA_INFO)
            raise UsageError(f"--extra-info: '{min(unknown)}' is not one of {known}")
        self.heap, self.args = heap, args
        self._kept = _Types(heap, args.filter)
        addresses = {whole_integer(word) for word in args.ignore} - {None}
        self._ignored_addresses = addresses
        names = [word for word in args.ignore if whole_integer(word) is None]
        self._ignored = _Types(heap, names)
        self._highlighted = _Types(heap, args.highlight)
        self._finalizers: Dict[int, bool] = {}
        self._roots: Optional[Set[int]] = None

    def wanted(self, id: int) -> bool:
        """Whether a node is drawn: --filter and --ignore."""
        if self.args.filter and not self._kept.have(id):
            return False
        if self._ignored_addresses and (
            self.heap.node(id).address in self._ignored_addresses
        ):
            return False
        return not self._ignored.have(id)

    def is_proper_module(self, id: int) -> bool:
        """Whether a node is a module of sys.modules, where objgraph's walk ends."""
        return self._is_module(id) and self._is_root(id)

    def write(self, walk: Walk) -> picture.Written:
        """Draws what a walk finds."""
        return picture.write(
            lambda most: self._drawing(walk.sketch(most)), self.args.image
        )

    def _drawing(self, sketch: Sketch) -> dot.Drawing:
        address = {id: self.heap.node(id).address for id in sketch.depths}
        vertices = [
            dot.Vertex(
                address[id],
                self._lines(id),
                self.heap.node(id).kind,
                self._marks(id, id in sketch.starts),
                depth,
                sketch.skipped.get(id, 0),
                describe.node_document(self.heap, id),
            )
            for id, depth in sketch.depths.items()
        ]
        arrows = [
            dot.Arrow(
                address[arrow.tail],
                address[arrow.head],
                [describe.label(edge).text for edge in arrow.edges[: dot.LABELS]],
                len(arrow.edges),
                all(edge.extra for edge in arrow.edges),
                all(edge.guess for edge in arrow.edges),
            )
            for arrow in sketch.arrows
        ]
        return dot.Drawing(
            vertices,
            arrows,
            sketch.up,
            sketch.deepest,
            sketch.left,
            sketch.uncounted,
            sketch.lost,
            not self.args.no_legend,
        )

    def _marks(self, id: int, start: bool) -> Set[str]:
        tests: Dict[str, Callable[[int], bool]] = {
            looks.MODULE: self._is_module,
            looks.ROOT: self._is_root,
            looks.HIGHLIGHT: self._highlighted.have,
            looks.FINALIZER: self._has_finalizer,
        }
        marks = {mark for mark, test in tests.items() if test(id)}
        return marks | {looks.START} if start else marks

    def _lines(self, id: int) -> List[str]:
        """The type and what is in it, as refcycle annotates it; then what else is asked for."""
        node = self.heap.node(id)
        type, annotation = self.heap.type(node.type).name, self.heap.annotation(id)
        shown = type if self.args.longnames else type.rpartition(".")[2]
        if node.kind != "object":
            lines = [annotation]
        elif wording.shows_type(annotation, type):
            lines = [shown + annotation[len(type) :]]
            if annotation.startswith("type ") and not self.args.longnames:
                lines = ["type " + annotation[5:].rpartition(".")[2]]
        else:
            lines = [shown, annotation]
        if self.args.refcounts and node.is_object:
            lines.append(describe.refcount(node))
        extra = {
            "address": f"{node.address:#x}",
            "size": f"{wording.counted(node.size, 'byte')}" if node.is_object else "",
            "tracked": ("tracked" if node.tracked else "not tracked") * node.is_object,
            "type": type,
            "none": "",
        }
        lines += [extra[what] for what in self.args.extra_info or ["address"]]
        return [line for line in lines if line]

    def _is_module(self, id: int) -> bool:
        annotation = self.heap.annotation(id)
        return self.heap.node(id).kind == "object" and annotation.startswith("module ")

    def _is_root(self, id: int) -> bool:
        if self._roots is None:
            threads, interpreters = self.heap.threads(), self.heap.interpreters()
            frames = (frame for thread in threads for frame in thread.frames)
            self._roots = {*frames, *(t.id for t in threads)}
            self._roots.update(interpreter.id for interpreter in interpreters)
        if id in self._roots:
            return True
        if not self._is_module(id):
            return False
        paths = self.heap.why(id, 1)
        return bool(paths) and not paths[0].edges

    def _has_finalizer(self, id: int) -> bool:
        """Whether its class or a base of that defines `__del__`."""
        index = self.heap.node(id).type
        if index not in self._finalizers:
            address = self.heap.type(index).address
            self._finalizers[index] = bool(address) and _defines_del(self.heap, address)
        return self._finalizers[index]


def _defines_del(heap: "Heap", type: int) -> bool:
    try:
        classes = _at(heap, _at(heap, [heap.lookup(type)], "__mro__"), "item[")
    except WalkError:
        return False
    namespaces = _at(heap, classes, "__dict__")
    return bool(_at(heap, namespaces, "value['__del__']"))


def _at(heap: "Heap", ids: Iterable[int], label: str) -> List[int]:
    """What nodes refer to under a label, or one that begins so."""
    edges = (edge for id in ids for edge in heap.referents(id).strong)
    return [
        edge.referent
        for edge in edges
        if edge.referent is not None and edge.label.startswith(label)
    ]


class _Types:
    """The types that some patterns are for: globs, or names with or without the module."""

    def __init__(self, heap: "Heap", patterns: Iterable[str]) -> None:
        self._heap, self._patterns = heap, list(patterns)
        self._known: Dict[int, bool] = {}

    def have(self, id: int) -> bool:
        """Whether a node is of one of them."""
        if not self._patterns:
            return False
        index = self._heap.node(id).type
        known = self._known.get(index)
        if known is None:
            name = self._heap.type(index).name
            known = any(wording.matches(name, pattern) for pattern in self._patterns)
            self._known[index] = known
        return known
