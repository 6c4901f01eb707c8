# SPDX-License-Identifier: Apache-2.0
"""What the collector of this process would find if it ran now.

A child which `truth.write` forks calls `write`: the collector is really run there, and saves
what it finds (``gc.DEBUG_SAVEALL``) instead of freeing it.

What is found is what cannot be reached *before* any finalizer runs. Finalizers (``__del__``,
and those of generators and tasks) may make some of it reachable again, and print; up to 3.8 a
single such object saves all the others. So none must run: each object is marked as one whose
finalizer has been called already, by the bit that the collector keeps for that.
"""

import ctypes
import gc
import sys

_TELLS = sys.version_info >= (3, 9)  # whether there is gc.is_finalized()

_TYPE_DICT = type.__dict__["__dict__"].__get__
_TYPE_MRO = type.__dict__["__mro__"].__get__


def write(path):
    """Write the records of truth.py from ``garbage`` to ``saved`` to *path*."""
    saved = len(gc.garbage)
    finalized = _mark_finalized()  # of each object that was there before
    kept = gc.callbacks[:]  # noqa: F841
    del gc.callbacks[:]
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = [obj for obj in gc.garbage[saved:] if id(obj) in finalized]
    records = {
        "garbage": found,
        "finalizer": [obj for obj in found if _offers(type(obj), "__del__")],
        "legacy": [obj for obj in found if _offers(type(obj), "__tp_del__")],
        "saved": gc.garbage[:saved],
    }
    if _TELLS:
        called = [obj for obj in records["finalizer"] if finalized[id(obj)]]
        records["finalized"] = called
    with open(path, "w", encoding="utf-8") as file:
        for name in records:
            addresses = ",".join(["%x" % id(obj) for obj in records[name]])
            file.write("%s\t%s\n" % (name, addresses))


def _offers(cls, name):
    """Whether a type has tp_finalize, which Python shows as __del__, or tp_del, its __tp_del__."""
    # A few types were never made ready, and have no MRO.
    return any(name in _TYPE_DICT(base) for base in _TYPE_MRO(cls) or ())


def _mark_finalized():
    """Mark every tracked object as finalized; by address, which ones were, as far as Python tells."""
    kind, offset, bit = _finalized_bit()
    objects = gc.get_objects()
    before = {id(obj): _TELLS and gc.is_finalized(obj) for obj in objects}
    for obj in objects:
        kind.from_address(id(obj) + offset).value |= bit
    # A type may deny that an object is the collector's: then it is not asked.
    if _TELLS and not all(gc.is_finalized(o) or not gc.is_tracked(o) for o in objects):
        raise RuntimeError("this build marks otherwise what is finalized")
    del objects[:]  # before 3.8 the frame of this function is in it: a cycle of our own
    return before


def _finalized_bit():
    """Where an object is marked as finalized: the type of the field, from the object's address, the bit.

    Modules/gcmodule.c and Include/internal/pycore_gc.h; in a free-threaded build, ob_gc_bits of
    Include/object.h.
    """
    head = sys.getsizeof([]) - [].__sizeof__()
    word = ctypes.sizeof(ctypes.c_size_t)
    if head == 0:
        return ctypes.c_uint8, word + 3, 2  # _PyGC_BITS_FINALIZED
    if sys.version_info >= (3, 8):
        return ctypes.c_size_t, word - head, 1  # in _gc_prev
    return ctypes.c_size_t, 2 * word - head, 1  # in gc.gc_refs
