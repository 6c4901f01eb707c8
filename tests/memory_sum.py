# SPDX-License-Identifier: Apache-2.0
"""Prints a checksum of the writable memory of a stopped process: python3 tests/memory_sum.py PID"""

import hashlib
import sys


def memory_sum(pid: int) -> str:
    """The checksum; unreadable mappings (devices) count by their place only."""
    found = hashlib.sha256()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        writable = [line for line in maps if line.split()[1][1] == "w"]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in writable:
            found.update(line.encode())
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            try:
                memory.seek(start)
                while start < end:
                    data = memory.read(min(end - start, 1 << 20))
                    found.update(data)
                    start += len(data)
            except OSError:
                found.update(b"unreadable")
    return f"{len(writable)} mappings {found.hexdigest()}"


if __name__ == "__main__":
    print(memory_sum(int(sys.argv[1])))
