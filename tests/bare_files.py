# SPDX-License-Identifier: Apache-2.0
"""The files of a core in a folder of their own, the interpreter's without its symbols.

    python3 tests/bare_files.py CORE FILE FOLDER VARIANT

FOLDER gets links to all files that the core names, at their paths, and in place of FILE
a copy without .symtab; by VARIANT also without more:

    dynsym    only .dynsym is left
    section   that is gone, the other section headers (.PyRuntime) are left
    segments  no section headers are left: what the program headers say is all
"""

import os
import re
import struct
import subprocess
import sys
from typing import List, Set

_SHT_PROGBITS, _SHT_DYNSYM = 1, 11
_NOTES = 1 << 16  # bytes


class Elf:
    """The section headers of a little-endian ELF file of 64 or 32 bits."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        wide = content[4] == 2
        self._offset, self._shoff = ("<Q", 0x28) if wide else ("<I", 0x20)
        self._counts = 0x3A if wide else 0x2E  # e_shentsize, e_shnum, e_shstrndx

    def types(self) -> List[int]:
        """Where the type of each section is."""
        (start,) = struct.unpack_from(self._offset, self.content, self._shoff)
        size, count = struct.unpack_from("<HH", self.content, self._counts)
        return [start + i * size + 4 for i in range(count)]

    def drop_dynsym(self) -> None:
        """The section of dynamic symbols is called something else."""
        for at in self.types():
            if struct.unpack_from("<I", self.content, at) == (_SHT_DYNSYM,):
                struct.pack_into("<I", self.content, at, _SHT_PROGBITS)

    def drop_headers(self) -> None:
        """No section headers."""
        struct.pack_into(self._offset, self.content, self._shoff, 0)
        struct.pack_into("<HHH", self.content, self._counts, 0, 0, 0)


def mapped_files(core: str) -> Set[str]:
    """The files that the core's notes name; these stand in front of the memory."""
    with open(core, "rb") as stream:
        notes = stream.read(_NOTES)
    paths = re.findall(rb"(?<=\0)/[^\0]+(?=\0)", notes)
    return {os.fsdecode(path) for path in paths if os.path.isfile(path)}


def main() -> None:
    """Fills the folder."""
    core, file, folder, variant = sys.argv[1:]
    for path in mapped_files(core):
        place = folder + path
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if path != file:
            os.symlink(path, place)
    bare = folder + file
    subprocess.run(["objcopy", "--strip-all", file, bare], check=True)
    with open(bare, "rb") as stream:
        elf = Elf(stream.read())
    if variant == "section":
        elf.drop_dynsym()
    elif variant == "segments":
        elf.drop_headers()
    elif variant != "dynsym":
        sys.exit(f"no such variant: {variant}")
    with open(bare, "wb") as stream:
        stream.write(elf.content)


if __name__ == "__main__":
    main()
