# SPDX-License-Identifier: Apache-2.0
"""A file under libwalk/LAYER/ includes headers of the layers that DESIGN section 1 lets it know, and no others.

    python3 tests/lint/layers.py libwalk
"""

import os
import re
import sys
from typing import Dict, Iterator, Set

# Data flows one way: each layer knows those to its left. The machine and the graph know nothing of CPython.
KNOWN: Dict[str, Set[str]] = {
    "bytes": {"bytes"},
    "machine": {"bytes", "machine"},
    "layout": {"bytes", "layout"},
    "objects": {"bytes", "machine", "layout", "objects"},
    "graph": {"bytes", "graph"},
    "answers": {"bytes", "machine", "layout", "objects", "graph", "answers"},
    "tools": set(),  # the public header only
}
PUBLIC = "walk.h"
# What these must not even name.
WITHOUT_CPYTHON = {"machine", "graph"}
CPYTHON = re.compile(
    r"\b(ob_type|ob_refcnt|tp_\w+|Py[A-Z]\w+|walk_python\w*|walk_layout\w*)\b"
)

_INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')


def faults(root: str) -> Iterator[str]:
    """What is wrong, as `file:line: words`."""
    for layer in sorted(os.listdir(root)):
        folder = os.path.join(root, layer)
        if not os.path.isdir(folder):
            continue
        if layer not in KNOWN:
            yield f"{folder}: is no layer"
            continue
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    for words in _faults_of_line(layer, line):
                        yield f"{path}:{number}: {words}"


def _faults_of_line(layer: str, line: str) -> Iterator[str]:
    include = _INCLUDE.match(line)
    if include and include[1] != PUBLIC:
        other = include[1].partition("/")[0]
        if other not in KNOWN[layer]:
            yield f"{layer} must not know {include[1]}"
    if layer in WITHOUT_CPYTHON and CPYTHON.search(line):
        yield f"the {layer} must not know CPython: {line.strip()}"


if __name__ == "__main__":
    found = list(faults(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
