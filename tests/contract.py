# SPDX-License-Identifier: Apache-2.0
"""The JSON documents as docs/json.md promises them."""

import json
import re
from typing import Any, Dict, List

from gdbrun import Reply

# A document's shape: a dict of the keys that must be there, a list of one shape, a type, or a tuple of alternatives.
# More keys are allowed, as docs/json.md says.
ADDRESS = re.compile(r"0x[0-9a-f]+")
TEXT = (str, type(None))

NODE: Dict[str, Any] = {
    "address": ADDRESS,
    "type": str,
    "kind": re.compile("object|frame|thread|interpreter"),
    "value": TEXT,
    "annotation": str,
}
REFERENCE: Dict[str, Any] = {
    **NODE,
    "label": str,
    "extra": bool,
    "guess": bool,
    "weak": bool,
}
_OBJECT = {
    **NODE,
    "size": (int, type(None)),
    "refcount": (int, type(None)),
    "tracked": bool,
    "interpreter": (int, type(None)),
}
_WEAK = {**REFERENCE, "address": (ADDRESS, type(None))}
_THREAD = {"address": ADDRESS, "native_id": int, "ident": int, "name": TEXT}
_FRAME = {"function": str, "file": str, "line": int}
_STACK_FRAME = {"address": ADDRESS, **_FRAME, "locals": dict}
_INTERPRETER = {"address": ADDRESS, "id": int, "tracked": (int, type(None))}
_FAULT = {"kind": str, "pc": ADDRESS, "instructions": int, "file": TEXT}
_ROOT = {**NODE, "kind": str, "thread": (_THREAD, type(None))}
_PATHS = {"paths": [{"root": _ROOT, "steps": [REFERENCE]}], "complete": bool}
_TYPE_COUNT = {"type": str, "count": int, "size": int}
_COMPONENT = {
    "count": int,
    "size": int,
    "garbage": bool,
    "source": bool,
    "types": [_TYPE_COUNT],
    "objects": [ADDRESS],
    "cycle": ({"root": NODE, "steps": [REFERENCE]}, type(None)),
}
_GRAPH = {
    "vertices": [{**NODE, "id": int, "depth": int}],
    "edges": [{"id": int, "annotation": str, "head": int, "tail": int}],
}

_FILE = {
    "file": str,
    "bytes": int,
    "values": bool,
    "objects": int,
    "references": int,
    "complete": bool,
}

DOCUMENTS: Dict[str, Any] = {
    "py-heap-types": {
        "tracked": int,
        "objects": int,
        "types": [{"type": str, "count": int, "size": int}],
        "total": {"types": int, "count": int, "size": int},
        "guessed_objects": int,
        "unnamed_objects": int,
        "complete": bool,
    },
    "py-heap-find": {
        "total": int,
        "objects": [{**NODE, "size": int}],
        "complete": bool,
    },
    "py-heap-object": {
        **_OBJECT,
        "referents": [REFERENCE],
        "weak": [_WEAK],
        "referrers": [REFERENCE],
        "complete": bool,
    },
    "py-heap-referents": {
        **_OBJECT,
        "referents": [REFERENCE],
        "weak": [_WEAK],
        "complete": bool,
    },
    "py-heap-referrers": {**_OBJECT, "referrers": [REFERENCE], "complete": bool},
    "py-heap-ancestors": _GRAPH,
    "py-heap-descendants": _GRAPH,
    "py-heap-frames": {
        "interpreters": [_INTERPRETER],
        "threads": [
            {
                **_THREAD,
                "interpreter": ADDRESS,
                "frames": [_STACK_FRAME],
                "complete": bool,
            }
        ],
        "greenlets": [{**NODE, "frames": [_STACK_FRAME], "complete": bool}],
        "complete": bool,
    },
    "py-heap-locals": _PATHS,
    "py-heap-why": _PATHS,
    "py-heap-chain": _PATHS,
    "py-heap-path": _PATHS,
    "py-heap-cycle": _PATHS,
    "py-heap-cycles": {
        "total": int,
        "objects": int,
        "components": [_COMPONENT],
        "complete": bool,
    },
    "py-heap-garbage": {
        "types": [_TYPE_COUNT],
        "total": {"types": int, "count": int, "size": int},
        "objects": [
            {
                **NODE,
                "size": int,
                "finalizer": bool,
                "finalized": bool,
                "legacy": bool,
                "kept": bool,
            }
        ],
        "components": int,
        "key_cycles": [_COMPONENT],
        "saved": [NODE],
        "exact": bool,
        "complete": bool,
    },
    "py-heap-leaks": {
        "types": [{**_TYPE_COUNT, "unheld": int}],
        "total": {"types": int, "count": int, "size": int, "unheld": int},
        "objects": [{**NODE, "size": int, "unheld": bool}],
        "complete": bool,
    },
    "py-heap-growth": {
        "matched": int,
        "types": [
            {
                "type": str,
                "old_count": int,
                "count": int,
                "delta": int,
                "old_size": int,
                "size": int,
                "size_delta": int,
                "new": int,
                "new_size": int,
                "instance_dicts": int,
            }
        ],
        "total": {"types": int},
        "holders": [
            {
                "type": TEXT,
                "direct": int,
                "objects": int,
                "size": int,
                "holder": (NODE, type(None)),
                "long_lived": (NODE, type(None)),
                "path": [{**NODE, "label": TEXT}],
            }
        ],
        "complete": bool,
    },
    "py-heap-save": _FILE,
    "py-heap-load": _FILE,
    "py-heap-info": {
        "version": str,
        "hexversion": int,
        "version_text": TEXT,
        "python": TEXT,
        "build_id": TEXT,
        "file_problem": TEXT,
        "layout": str,
        "word": int,
        "truncated": bool,
        "interpreters": [_INTERPRETER],
        "threads": int,
        "nodes": int,
        "objects": int,
        "tracked": int,
        "permanent": int,
        "references": int,
        "extra_references": int,
        "guessed_references": int,
        "guessed_objects": int,
        "recovered_types": int,
        "unnamed_objects": int,
        "run_objects": int,
        "run_problem": TEXT,
        "guessed_types": [{"type": str, "count": int, "fault": (_FAULT, type(None))}],
        "unreadable_types": [{"type": str, "count": int}],
        "files": [{"path": str, "problem": str}],
        "disputed_types": [{"type": str, "address": ADDRESS}],
        "complete": bool,
    },
}


def document(reply: Reply) -> Dict[str, Any]:
    """The document that a command with --json printed: one line, of the promised shape."""
    if len(reply.lines) != 1 or not reply.output.endswith("\n"):
        raise AssertionError(f"{reply.command}: not one line: {reply}")
    found: Dict[str, Any] = json.loads(reply.output)
    _check(found, DOCUMENTS[reply.command.split()[0]], reply.command)
    if "vertices" in found:
        _check_graph(found, reply.command)
    if found.get("complete", True) is not True:
        raise AssertionError(f"{reply.command}: incomplete: {found.get('missing')}")
    return found


def _check(found: Any, shape: Any, where: str) -> None:
    if isinstance(shape, dict):
        for key, value in shape.items():
            if not isinstance(found, dict) or key not in found:
                raise AssertionError(f"{where}: no key '{key}'")
            _check(found[key], value, f"{where}: {key}")
    elif isinstance(shape, list):
        if not isinstance(found, list):
            raise AssertionError(f"{where}: not a list: {found}")
        for number, value in enumerate(found):
            _check(value, shape[0], f"{where}[{number}]")
    elif isinstance(shape, tuple):
        if not (found is None and type(None) in shape):
            _check(found, shape[0], where)
    elif isinstance(shape, type):
        if type(found) is not shape:
            raise AssertionError(f"{where}: not {shape.__name__}: {found!r}")
    elif not (isinstance(found, str) and shape.fullmatch(found)):
        raise AssertionError(f"{where}: not like {shape.pattern}: {found!r}")


def _check_graph(graph: Dict[str, Any], where: str) -> None:
    """Ids are unique, every end of an edge is a vertex, depths are distances."""
    vertices: List[int] = [vertex["id"] for vertex in graph["vertices"]]
    edges = graph["edges"]
    if len(set(vertices)) != len(vertices):
        raise AssertionError(f"{where}: vertices with the same id")
    if len({edge["id"] for edge in edges}) != len(edges):
        raise AssertionError(f"{where}: edges with the same id")
    ends = {edge[end] for edge in edges for end in ("head", "tail")}
    if not ends <= set(vertices):
        raise AssertionError(f"{where}: edges of no vertex: {ends - set(vertices)}")
    for vertex in graph["vertices"]:
        if int(vertex["address"], 16) != vertex["id"]:
            raise AssertionError(f"{where}: {vertex['address']}: its id is another")
    _check_depths(graph, where)


def _check_depths(graph: Dict[str, Any], where: str) -> None:
    start, *others = graph["vertices"]
    depth = {vertex["id"]: vertex["depth"] for vertex in graph["vertices"]}
    here, there = ("tail", "head") if "ancestors" in where else ("head", "tail")
    nearest = {start["id"]: 0}
    for edge in graph["edges"]:
        step = depth[edge[there]] + 1
        nearest[edge[here]] = min(nearest.get(edge[here], step), step)
    if start["depth"] != 0:
        raise AssertionError(f"{where}: the first vertex is not the start")
    for vertex in others:
        if vertex["depth"] != nearest.get(vertex["id"]):
            raise AssertionError(f"{where}: {vertex['address']}: not so far away")
