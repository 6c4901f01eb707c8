# SPDX-License-Identifier: Apache-2.0
"""The living process that a benchmark's core is of, measuring itself.

    python3 live.py OBJECTS

Fills the heap of corefiles/programs/heap.py, says on stdout what is in it, and answers the
words on stdin, each with a line:

    core      forks a child that aborts, with the same heap; the child's status
    counter   seconds to count the types of the tracked objects
    objgraph  seconds for the same by objgraph, "-" where that is not to be had

$OBJGRAPH is the file of objgraph: Debian has it for its own interpreter, and it is plain
Python.
"""

import collections
import ctypes
import gc
import importlib.util
import json
import os
import resource
import sys
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(_HERE, "..", "..", "corefiles", "programs"))

import heap  # type: ignore # noqa: E402

# The C library's own fork: os.fork() would drop the other threads' states in the child.
_LIBC = ctypes.PyDLL(None)


def _objgraph():  # type: () -> object
    path = os.environ.get("OBJGRAPH")
    spec = importlib.util.spec_from_file_location("objgraph", path) if path else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _die():  # type: () -> int
    resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
    sys.stdout.flush()
    child = _LIBC.fork()
    if child == 0:
        os.abort()
    return os.waitpid(child, 0)[1]


def _timed(function):  # type: (object) -> float
    start = time.perf_counter()
    function()  # type: ignore
    return time.perf_counter() - start


def _count():  # type: () -> None
    collections.Counter(type(o) for o in gc.get_objects())


def main():  # type: () -> None
    heap.fill(int(sys.argv[1]))
    objgraph = _objgraph()
    gc.disable()  # as the measurements are of counting, not of collecting
    _count()  # the first time needs new memory
    needle = heap.needles()["needle"]
    facts = {
        "version": "%d.%d.%d" % sys.version_info[:3] + sys.abiflags,
        "tracked": len(gc.get_objects()),
        "needle": "%x" % id(needle),
        "referrers": len(gc.get_referrers(needle)),
    }
    del needle
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        word = line.strip()
        if word == "core":
            answer = str(_die())
        elif word == "counter":
            answer = repr(_timed(_count))
        elif objgraph is None:
            answer = "-"
        else:
            answer = repr(_timed(objgraph.most_common_types))  # type: ignore
        print(answer, flush=True)
    os._exit(0)  # what is there need not be taken down


if __name__ == "__main__":
    main()
