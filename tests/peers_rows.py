# SPDX-License-Identifier: Apache-2.0
"""What objgraph and refcycle offer: every public function with its options."""

from typing import Dict, List

_DRAWING = [
    "max_depth",
    "extra_ignore",
    "filter",
    "too_many",
    "highlight",
    "filename",
    "extra_info",
    "refcounts",
    "shortnames",
    "output",
    "extra_node_attrs",
]

# objgraph 3.6.
OBJGRAPH: Dict[str, List[str]] = {
    "count": ["objects"],
    "typestats": ["objects", "shortnames", "filter"],
    "most_common_types": ["limit", "objects", "shortnames", "filter"],
    "show_most_common_types": ["limit", "objects", "shortnames", "file", "filter"],
    "growth": ["limit", "peak_stats", "shortnames", "filter"],
    "show_growth": ["limit", "peak_stats", "shortnames", "file", "filter"],
    "get_new_ids": ["skip_update", "limit", "sortby", "shortnames", "file"],
    "get_leaking_objects": ["objects"],
    "by_type": ["objects"],
    "at": [],
    "at_addrs": [],
    "find_ref_chain": ["predicate", "max_depth", "extra_ignore"],
    "find_backref_chain": ["predicate", "max_depth", "extra_ignore"],
    "show_backrefs": ["objs", *_DRAWING],
    "show_refs": ["objs", *_DRAWING],
    "show_chain": ["backrefs", *_DRAWING[4:]],
    "is_proper_module": [],
}

_GRAPH: Dict[str, List[str]] = {
    "vertices": [],
    "edges": [],
    "head": [],
    "tail": [],
    "out_edges": [],
    "in_edges": [],
    "full_subgraph": [],
    "len": [],
    "iter": [],
    "in": [],
    "repr": [],
    "children": [],
    "parents": [],
    "references": [],
    "descendants": ["generations"],
    "ancestors": ["generations"],
    "shortest_path": [],
    "shortest_cycle": [],
    "source_components": [],
    "strongly_connected_components": [],
    "count_by": [],
    "find_by": [],
    "-": [],
    "&": [],
}
_DOCUMENTS: Dict[str, List[str]] = {
    "to_json": [],
    "export_json": [],
    "to_dot": [],
    "export_image": ["filename", "format", "dot_executable"],
}

# refcycle, and what older versions had (key_cycles, abstract): what makes a graph, ObjectGraph, AnnotatedGraph.
REFCYCLE: Dict[str, List[str]] = {
    "snapshot": [],
    "garbage": [],
    "cycles_created_by": [],
    "objects_reachable_from": [],
    "key_cycles": [],
    "ObjectGraph": [],
    **{f"ObjectGraph.{name}": options for name, options in _GRAPH.items()},
    **{f"ObjectGraph.{name}": options for name, options in _DOCUMENTS.items()},
    "ObjectGraph.annotated": [],
    "ObjectGraph.abstract": [],
    "ObjectGraph.owned_objects": [],
    "ObjectGraph.find_by_typename": [],
    "ObjectGraph.count_by_typename": [],
    "AnnotatedGraph": [],
    "AnnotatedVertex": [],
    "AnnotatedEdge": [],
    **{f"AnnotatedGraph.{name}": options for name, options in _GRAPH.items()},
    **{f"AnnotatedGraph.{name}": options for name, options in _DOCUMENTS.items()},
    "AnnotatedGraph.from_json": [],
    "AnnotatedGraph.import_json": [],
    "object_annotation": [],
    "annotated_references": [],
}
