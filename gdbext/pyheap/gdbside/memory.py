# SPDX-License-Identifier: Apache-2.0
"""A remote target's memory and mappings, as gdb can get them."""

import re
from typing import List, Optional

import gdb

from pyheap.errors import HeapError
from pyheap.gdbside.console import output
from pyheap.walk import Mapping

_PAGE = 4096

# Start, end, size, offset, since gdb 12 permissions, and the file of a mapping.
_ROW = re.compile(
    r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)"
    r"(?:\s+([r-][w-][xs-][ps-]))?(?:\s+(\S.*?))?\s*"
)


def mappings() -> List[Mapping]:
    """The mappings of the selected remote process."""
    try:
        text = output("info proc mappings")
    except gdb.error as error:
        raise _no_mappings(str(error)) from None
    found = parse_mappings(text)
    if not found:
        raise _no_mappings("it lists none")
    return found


def _no_mappings(reason: str) -> HeapError:
    reason = reason.partition("\n")[0].rstrip(".")
    return HeapError(
        f"the remote target does not tell its mappings ({reason}): use gdbserver, or"
        " make a core with `generate-core-file` and open that"
    )


def parse_mappings(text: str) -> List[Mapping]:
    """The rows of `info proc mappings` that can be read, in order of address."""
    found = []
    for line in text.splitlines():
        row = _ROW.fullmatch(line)
        if row and not (row[4] or "r").startswith("-"):
            path = row[5] if row[5] and row[5].startswith("/") else None
            found.append(
                Mapping(int(row[1], 16), int(row[2], 16), int(row[3], 16), path)
            )
    return sorted(found)


class Reader:
    """Reads a stopped inferior's memory through gdb."""

    def __init__(self, inferior: "gdb.Inferior") -> None:
        self._inferior = inferior

    def __call__(self, address: int, size: int) -> bytes:
        """As many bytes as can be read from an address on without a hole."""
        whole = self._read(address, size)
        if whole is not None:
            return whole
        data = b""
        while size > 0:  # page by page up to the hole
            step = min(size, _PAGE - address % _PAGE)
            page = self._read(address, step)
            if page is None:
                break
            data += page
            address, size = address + step, size - step
        return data

    def _read(self, address: int, size: int) -> Optional[bytes]:
        try:
            return bytes(self._inferior.read_memory(address, size))
        except gdb.error:
            return None
