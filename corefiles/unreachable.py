# SPDX-License-Identifier: Apache-2.0
"""What the collector of this process would find if it ran now.

A child which `truth.write` forks calls `write`: the collector is really run there, and saves
what it finds (``gc.DEBUG_SAVEALL``) instead of freeing it.

What is found is what cannot be reached *before* any finaliser runs. Finalisers (``__del__``,
and those of generators and tasks) may make some of it reachable again, and print; up to 3.8 a
single such object saves all the others. So none must run: each object is marked as one whose
finaliser has been called already, by the bit that the collector keeps for that.
"""

import ctypes
import gc
import sys

_TYPE_DICT = type.__dict__["__dict__"].__get__
_TYPE_MRO = type.__dict__["__mro__"].__get__


def write(path):
    """Write the records ``garbage``, ``finaliser`` and ``saved`` of truth.py to *path*."""
    saved = len(gc.garbage)
    _mark_finalised()
    kept = gc.callbacks[:]  # noqa: F841
    del gc.callbacks[:]
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = gc.garbage[saved:]
    finalisers = [obj for obj in found if has_finaliser(type(obj))]
    with open(path, "w", encoding="utf-8") as file:
        for name, objects in (
            ("garbage", found),
            ("finaliser", finalisers),
            ("saved", gc.garbage[:saved]),
        ):
            addresses = ",".join(["%x" % id(obj) for obj in objects])
            file.write("%s\t%s\n" % (name, addresses))


def has_finaliser(cls):
    """Whether a type has tp_finalize, which Python shows as ``__del__``, or the older tp_del."""
    names = ("__del__", "__tp_del__")
    # A few types were never made ready, and have no MRO.
    bases = _TYPE_MRO(cls) or ()
    return any(name in _TYPE_DICT(base) for base in bases for name in names)


def _mark_finalised():
    """Mark every tracked object as finalised."""
    kind, offset, bit = _finalised_bit()
    objects = gc.get_objects()
    for obj in objects:
        kind.from_address(id(obj) + offset).value |= bit
    if sys.version_info >= (3, 9):
        # A type may deny that the object is the collector's: then it is not asked.
        if not all(gc.is_finalized(o) or not gc.is_tracked(o) for o in objects):
            raise RuntimeError("this build marks otherwise what is finalised")


def _finalised_bit():
    """Where an object is marked as finalised: the type of the field, from the object's address, the bit.

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
