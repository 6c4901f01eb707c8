# SPDX-License-Identifier: Apache-2.0
"""Taking a snapshot: of gdb's selected target, of a core, of a stopped process."""

import sys
from typing import Optional, Sequence

from pyheap import walk
from pyheap.errors import HeapError
from pyheap.objectgraph import ObjectGraph


def snapshot(
    core: Optional[str] = None,
    pid: Optional[int] = None,
    *,
    everything: bool = False,
    executable: Optional[str] = None,
    sysroot: Optional[str] = None,
    debug_dirs: Optional[str] = None,
) -> ObjectGraph:
    """The objects that the collector tracks and the references that it sees.

    That is refcycle's snapshot(). With `everything` it is all that is known: also
    objects that are not tracked, frames and threads, and references that
    gc.get_referents() does not report. `core` is the path of a core file, `pid` a
    process that something holds stopped; in gdb, without either, it is the selected
    target. The other arguments say where the target's files are, as for walk.Options.
    """
    options = walk.Options(executable, sysroot, debug_dirs)
    heap = _heap(core, pid, options)
    part = walk.Part() if everything else walk.Part(heap.tracked(), True)
    return ObjectGraph(heap, part)


def garbage(core: Optional[str] = None, pid: Optional[int] = None) -> ObjectGraph:
    """What a collection would find: snapshot().garbage()."""
    return snapshot(core, pid).garbage()


def key_cycles(
    core: Optional[str] = None, pid: Optional[int] = None
) -> Sequence[ObjectGraph]:
    """The cycles that keep garbage alive: snapshot().key_cycles()."""
    return snapshot(core, pid).key_cycles()


def _heap(core: Optional[str], pid: Optional[int], options: walk.Options) -> walk.Heap:
    if core is not None and pid is not None:
        raise HeapError("a snapshot is of a core or of a process, not of both")
    options = options._replace(first="graph")
    if core is not None:
        return walk.Target.open_file(core, options).build_heap()
    if pid is not None:
        return walk.Target.open_process(pid, options).build_heap()
    if "gdb" not in sys.modules:
        raise HeapError(
            "a snapshot of what? Outside of gdb say snapshot(core=FILE) or"
            " snapshot(pid=NUMBER)"
        )
    from pyheap.gdbside.session import Session

    return Session().heap()
