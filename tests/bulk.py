# SPDX-License-Identifier: Apache-2.0
"""A process most of whose memory is large bytes and strings: dies, and leaves a core.

    python3 tests/bulk.py MEGABYTES

Prints how many objects the collector tracks.
"""

import gc
import os
import resource
import sys
from typing import List

BLOCK = 1 << 20


def blocks(megabytes):  # type: (int) -> List[object]
    """Blocks of every kind; all their pages are their own, and none is zero."""
    made = []  # type: List[object]
    for number in range(megabytes):
        pattern = b"%08d" % number * (BLOCK // 8)
        kinds = (pattern, bytearray(pattern), pattern.decode())
        made.append(kinds[number % len(kinds)])
    return made


def main():  # type: () -> None
    """Fills the memory and dies."""
    bulk = blocks(int(sys.argv[1]))
    rows = [{"number": number, "row": [number]} for number in range(20000)]
    resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
    gc.disable()
    for _ in range(2):  # the first print makes what stays
        print("tracked %d" % len(gc.get_objects()), flush=True)
    os.abort()
    del bulk, rows  # until here


if __name__ == "__main__":
    main()
