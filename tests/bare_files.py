# SPDX-License-Identifier: Apache-2.0
"""Copies of ELF files that have lost their symbols, as distributions install them, and more."""

import os
import shutil
import struct
import subprocess
import tempfile
from typing import List

_SHT_PROGBITS, _SHT_DYNSYM = 1, 11


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


def make_bare(source: str, copy: str, variant: str) -> None:
    """Copies an ELF file without .symtab and DWARF; by the variant also without more.

    dynsym    only .dynsym is left
    section   that is gone, the other section headers (.PyRuntime) are left
    segments  no section headers are left: what the program headers say is all
    """
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(copy)) as work:
        part = os.path.join(work, "part")
        # What it does not know, of another architecture, is as the distribution has stripped it.
        if subprocess.run(
            ["objcopy", "--strip-all", source, part], stderr=subprocess.DEVNULL
        ).returncode:
            shutil.copyfile(source, part)
        with open(part, "rb") as stream:
            elf = Elf(stream.read())
        if variant == "section":
            elf.drop_dynsym()
        elif variant == "segments":
            elf.drop_headers()
        with open(part, "wb") as stream:
            stream.write(elf.content)
        os.replace(part, copy)
