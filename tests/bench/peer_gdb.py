# SPDX-License-Identifier: Apache-2.0
"""What a plain script in gdb does: follows the collector's lists, and counts ob_type.

Sourced by gdb, with $WALK_HEADS as `limits --heads` prints it. Reads the core in large
chunks, which it keeps: word by word it would take fifty times as long. Prints the seconds
and how many objects there are.
"""

import os
import struct
import time
from typing import Counter, Dict

import gdb

_CHUNK = 256 << 10
_PAGE = 4096


def _read(start: int) -> bytes:
    """The chunk at an address; zeros where there is nothing."""
    memory = gdb.selected_inferior()
    try:
        return bytes(memory.read_memory(start, _CHUNK))
    except gdb.MemoryError:
        pass
    data = bytearray(_CHUNK)
    for offset in range(0, _CHUNK, _PAGE):
        try:
            page = bytes(memory.read_memory(start + offset, _PAGE))
        except gdb.MemoryError:
            continue
        data[offset : offset + _PAGE] = page
    return bytes(data)


def _walk(next_at: int, size: int, type_at: int, *heads: int) -> Counter[int]:
    chunks: Dict[int, bytes] = {}
    counts: Counter[int] = Counter()
    unpack = struct.Struct("<Q").unpack_from

    def word(address: int) -> int:
        number, offset = divmod(address, _CHUNK)
        chunk = chunks.get(number)
        if chunk is None:
            chunk = chunks[number] = _read(number * _CHUNK)
        value: int = unpack(chunk, offset)[0]
        return value

    for head in heads:
        at = word(head + next_at) & ~3
        while at != head:
            counts[word(at + size + type_at)] += 1
            at = word(at + next_at) & ~3
    return counts


_START = time.perf_counter()
_COUNTS = _walk(*map(int, os.environ["WALK_HEADS"].split()))
print(f"gdb\t{time.perf_counter() - _START:.6f}\t{sum(_COUNTS.values())}")
