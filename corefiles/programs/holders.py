# SPDX-License-Identifier: Apache-2.0
"""Objects that hold others without the collector's knowledge.

Their types have no ``tp_traverse``, or leave something out of it.  `HELD` has pairs of an
object and what it holds, by the attributes that show it: a list of (label, object).
"""

import array
import bz2
import csv
import ctypes
import datetime
import decimal
import hashlib
import io
import lzma
import os
import pickle
import random
import select
import struct
import sys
import zlib

try:
    import sqlite3
except ImportError:  # not built
    sqlite3 = None
try:
    import zoneinfo
except ImportError:  # before 3.9
    zoneinfo = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

HELD = []
KEPT = []  # what must live for an object to be as it is
VERSION = sys.version_info


def holds(obj, *held):
    """Note what *obj* holds: pairs of a label and an object."""
    HELD.append((obj, list(held)))
    return obj


def attributes(obj, *names):
    """Note that *obj* holds the values of its attributes."""
    return holds(obj, *[(name, getattr(obj, name)) for name in names])


class Zone(datetime.tzinfo):
    """A time zone in Python."""

    def utcoffset(self, when):
        """It is that of Greenwich."""
        return datetime.timedelta(0)

    dst = utcoffset


class Moment(datetime.datetime):
    """With a __dict__, thus seen by the collector; the time zone is not."""


class Day(datetime.date):
    """The collector sees its __dict__."""


class Bare(datetime.datetime):
    """Without a __dict__: the collector never sees it."""

    __slots__ = ()


class Number(int):
    """Holds its class, and nothing else."""

    __slots__ = ()


def make_datetimes():
    """Aware ones, and naive ones, which have no room for a time zone."""
    zone = Zone()
    offset, name = datetime.timedelta(hours=2), "Zulu-%d" % VERSION[1]
    fixed = datetime.timezone(offset, name)
    holds(fixed, (".offset", offset), (".name", name))
    holds(datetime.timezone(offset), (".offset", offset))
    for cls in (datetime.datetime, Moment, Bare):
        for tzinfo in (zone, fixed):
            attributes(cls(2026, 1, 2, 3, 4, 5, 6, tzinfo), "tzinfo")
        holds(cls(2026, 1, 2, 3, 4, 5, 6))
    attributes(datetime.time(1, 2, 3, 4, zone), "tzinfo")
    holds(datetime.time(1, 2, 3, 4))
    holds(datetime.date(2026, 1, 2))
    holds(datetime.timedelta(1, 2, 3))
    KEPT.append(Day(2026, 1, 2))


def make_zones():
    """The transitions of a zone that has been used."""
    if zoneinfo is None:
        return
    try:
        zone = zoneinfo.ZoneInfo("Europe/Berlin")
    except zoneinfo.ZoneInfoNotFoundError:
        return
    KEPT.append(datetime.datetime(2026, 7, 2, tzinfo=zone))
    attributes(KEPT[-1], "tzinfo")
    KEPT.append(KEPT[-1].utcoffset())


def make_decimals():
    """Contexts hold the dicts of their signals; the manager holds two contexts."""
    context = decimal.Context(prec=7)
    attributes(context, "traps", "flags")
    holds(context.traps)
    manager = decimal.localcontext(context)
    outer, inner = decimal.getcontext(), manager.__enter__()
    attributes(inner, "traps", "flags")
    holds(manager, (".local", inner), (".global", outer))
    for digits in (5, 500):
        holds(decimal.Decimal("3." + "1" * digits))


def make_compressors():
    """Decompressors hold what follows the stream."""
    data, trailing = bytes(range(256)) * 40, b"trailing bytes" * 9
    for module, kind in (
        (zlib, "decompressobj"),
        (bz2, "BZ2Decompressor"),
        (lzma, "LZMADecompressor"),
    ):
        obj = getattr(module, kind)()
        KEPT.append(obj.decompress(module.compress(data) + trailing))
        attributes(
            obj, *["unused_data", "unconsumed_tail"][: 2 if module is zlib else 1]
        )
    dictionary = b"a dictionary of our own" * 3
    compressor = zlib.compressobj(zdict=dictionary)
    packed = compressor.compress(data) + compressor.flush()
    empty = b""
    # The compressor does not keep its dictionary; the two others are empty.
    holds(compressor, ("unused_data", empty), ("unconsumed_tail", empty))
    obj = zlib.decompressobj(zdict=dictionary)
    obj.decompress(packed, 100)
    holds(
        obj,
        ("unused_data", obj.unused_data),
        ("unconsumed_tail", obj.unconsumed_tail),
        (".zdict", dictionary),
    )
    if hasattr(zlib, "_ZlibDecompressor"):
        obj = zlib._ZlibDecompressor()
        obj.decompress(zlib.compress(data) + trailing)
        attributes(obj, "unused_data")
    holds(bz2.BZ2Compressor())
    holds(lzma.LZMACompressor())


def make_others():
    """One of each."""
    for name in ("md5", "sha1", "sha256", "sha3_256", "blake2b", "blake2s"):
        obj = hashlib.new(name) if name[0] != "b" else getattr(hashlib, name)()
        if type(obj).__name__ == "HASH" and VERSION < (3, 8):
            KEPT.append(obj)
        else:
            holds(obj)
    holds(random.Random(4))
    holds(select.epoll())
    holds(array.array("b", b"bytes"))
    file = io.StringIO("line\n")
    reader = csv.reader(file, lineterminator="#\n")
    attributes(reader.dialect, "lineterminator")
    KEPT.append(struct.Struct("<%dh" % VERSION[1]))  # its `format` is made anew
    target = ctypes.c_int(VERSION[1])
    argument = ctypes.byref(target)
    holds(argument, ("_obj", target))
    KEPT.append(pickle.Unpickler(io.BytesIO(pickle.dumps([1]))))
    pickler, pickled = pickle.Pickler(io.BytesIO()), [VERSION[1]]
    pickler.dump(pickled)
    holds(pickler, (".memo", pickled))
    unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps(pickled)))
    holds(unpickler, (".memo", unpickler.load()))
    holds(Number(1 << 40))


def make_database():
    """Up to 3.9 the collector sees nothing of sqlite3; then it sees all."""
    if sqlite3 is None:
        return
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    cursor = connection.execute("select 1 as one, 'x' as two")
    row = cursor.fetchone()
    KEPT.append((connection, cursor, row))
    if VERSION >= (3, 12):
        # A connection is as large as in 3.8, and is another structure.
        holds(connection)


def main():
    make_datetimes()
    make_zones()
    make_decimals()
    make_compressors()
    make_others()
    make_database()
    truth.die(sys.argv[1], holders=lambda: HELD)


if __name__ == "__main__":
    main()
