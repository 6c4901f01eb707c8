# SPDX-License-Identifier: Apache-2.0
"""A saved heap answers as the core does that it was saved of, to the letter.

    python3 tests/saved_check.py FOLDER_OF_THE_CORE

The core is what is compared with (other tests compare that with the truth): every command
that is about a heap, on many of its nodes, as text and as a document.
"""

import os
import sys
import tempfile
from typing import Dict, Iterator, List, Set

from files import BY_NAME, File, options
from truthfile import Truth

# Not about the heap that is read, or not without something else.
_OTHER = {"py-heap-save", "py-heap-load", "py-heap-growth"}
_WHOLE = (
    "py-heap-types --limit 0 --all",
    "py-heap-types --by size",
    "py-heap-types --interpreter 0",
    "py-heap-find dict --limit 0",
    "py-heap-find *[Ss]tr* --limit 50",
    "py-heap-frames --locals --suspended",
    "py-heap-frames --locals",
)
_OF_A_NODE = (
    "py-heap-object {0} --limit 0",
    "py-heap-ancestors {0} 3",
    "py-heap-ancestors {0} 2 --all",
    "py-heap-descendants {0} 2",
    "py-heap-why {0} --limit 5",
    "py-heap-locals {0} 3",
)
_NODES = 20
_TYPES = 60


def fail(words: str) -> None:
    """Ends the test."""
    sys.exit(f"saved_check: {words}")


def nodes(file: File) -> List[str]:
    """Addresses spread over the heap, and one of each type and kind."""
    heap, count = file.heap(), file.heap().stats().nodes
    found: Set[int] = set(range(0, count, max(1, count // _NODES)))
    seen: Dict[int, int] = {}
    for id in range(count):
        seen.setdefault(heap.node(id).type, id)
    found.update(list(seen.values())[:: 1 + len(seen) // _TYPES])
    return [f"{heap.node(id).address:#x}" for id in sorted(found)]


def lines(file: File) -> Iterator[str]:
    """The command lines."""
    yield from (line for line in _WHOLE if line.split()[0] in BY_NAME)
    for address in nodes(file):
        yield from (line.format(address) for line in _OF_A_NODE)


def same(core: File, saved: File) -> int:
    """How many questions were answered alike."""
    count = 0
    for line in lines(core):
        one, other = core.lines(line), saved.lines(line)
        if one != other:
            wrong = next(
                pair for pair in zip(one + [""], other + [""]) if len(set(pair)) > 1
            )
            fail(f"{line}: the core says {wrong[0]!r}, the file {wrong[1]!r}")
        if not one[0].startswith("error: ") and core.ask(line) != saved.ask(line):
            fail(f"{line}: the documents differ")
        count += 1
    info, loaded = core.ask("py-heap-info"), saved.ask("py-heap-info")
    if loaded.pop("saved") != "with values" or info.pop("saved") is not None:
        fail("py-heap-info does not say what is saved")
    differ = [key for key in info if info[key] != loaded.get(key)]
    if differ:
        fail(f"py-heap-info: {', '.join(differ)} differ")
    return count


def secrets(truth: Truth) -> List[bytes]:
    """Texts of the process that nothing is called by: with blanks, or digits only."""
    texts = [value[1:-1] for value in truth.values.values() if value[:1] in "'\""]
    long = (t for t in texts if 12 < len(t) < 40 and " " in t and "\\" not in t)
    return [text.encode() for text in list(long)[:200] if text.isascii()]


def texts_of(path: str) -> bytes:
    """Every string that can be read of a file."""
    file = File(path, options(""))
    heap = file.heap()
    found = []
    for id in range(heap.stats().nodes):
        found += [heap.value(id), heap.annotation(id)]
        found += [edge.label for edge in heap.referents(id).strong]
    file.close()
    return "\n".join(found).encode()


def check_nameless(core: File, folder: str, work: str) -> None:
    """Without values none is in the file; a file of that file is no other."""
    whole, bare = os.path.join(work, "whole"), os.path.join(work, "bare")
    core.heap().save(bare, values=False)
    wanted = secrets(Truth(os.path.join(folder, "truth")))
    there, left = texts_of(whole), texts_of(bare)
    if wanted and not any(text in there for text in wanted):
        fail("the texts that are looked for are not in a file with values either")
    # A text that a name contains is none that was saved as a value.
    names = b"\n".join(
        line.encode() for line in core.lines("py-heap-types --limit 0 --all")
    )
    for text in wanted:
        if text in left and text not in names:
            fail(f"without values {text!r} is in the file")
    if b"value['" in left or b'value["' in left:
        fail("without values there are keys in the file")
    again = os.path.join(work, "again")
    for source in (whole, bare):
        file = File(source, options(""))
        file.heap().save(again, values=False)
        file.close()
        if texts_of(again) != left:
            fail("a file saved of a file differs from one saved of the core")


def main() -> None:
    """The check."""
    folder = sys.argv[1]
    core = File(os.path.join(folder, "core"), options(folder))
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "whole")
        core.heap().save(path)
        saved = File(path, options(""))
        count = same(core, saved)
        saved.close()
        check_nameless(core, folder, work)
        size = os.stat(path).st_size
    core.close()
    print(f"{count} questions answered alike, {size} bytes")


if __name__ == "__main__":
    main()
