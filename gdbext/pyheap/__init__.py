# SPDX-License-Identifier: Apache-2.0
"""The py-heap commands, and the same for scripts: see docs/scripting.md.

    import pyheap
    graph = pyheap.snapshot()             # in gdb
    graph = pyheap.snapshot(core="core")  # anywhere

Everything here but `gdbside` works without gdb; everything but `walk` works
without libwalk.  Nothing here knows an offset or reads a byte of the target.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # gdb has no `typing` at hand
if TYPE_CHECKING:
    from typing import Any

    from pyheap.annotated import AnnotatedEdge as AnnotatedEdge
    from pyheap.annotated import AnnotatedGraph as AnnotatedGraph
    from pyheap.annotated import AnnotatedVertex as AnnotatedVertex
    from pyheap.errors import HeapError as HeapError
    from pyheap.objectgraph import ObjectGraph as ObjectGraph
    from pyheap.remote import RemoteObject as RemoteObject
    from pyheap.scripting import garbage as garbage
    from pyheap.scripting import key_cycles as key_cycles
    from pyheap.scripting import snapshot as snapshot

# What a script uses, and where it is: loaded when it is used first.
_PUBLIC = {
    "AnnotatedEdge": "annotated",
    "AnnotatedGraph": "annotated",
    "AnnotatedVertex": "annotated",
    "HeapError": "errors",
    "ObjectGraph": "objectgraph",
    "RemoteObject": "remote",
    "garbage": "scripting",
    "key_cycles": "scripting",
    "snapshot": "scripting",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'pyheap' has no attribute '{name}'")
    return getattr(import_module(f"pyheap.{_PUBLIC[name]}"), name)
