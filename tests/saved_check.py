# SPDX-License-Identifier: Apache-2.0
"""A saved heap answers as the core does that it was saved of, to the letter.

    python3 tests/saved_check.py FOLDER_OF_THE_CORE

The core is what is compared with (other tests compare that with the truth): every command
that is about a heap, on many of its nodes, as text and as a document.
"""

import os
import re
import sys
import tempfile
from typing import Any, Dict, Iterator, List, Set

from files import BY_NAME, File, options
from truthfile import Truth

# They write a file, or read another one.
_OTHER = {"py-heap-save", "py-heap-load"}
_WHOLE = (
    "py-heap-info",
    "py-heap-types --limit 0 --all",
    "py-heap-types --by size",
    "py-heap-types --interpreter 0",
    "py-heap-find dict --limit 0",
    "py-heap-find *[Ss]tr* --limit 50",
    "py-heap-frames --locals --suspended",
    "py-heap-frames --locals",
    "py-heap-cycles --limit 5",
    "py-heap-cycles --by size --limit 3",
    "py-heap-cycles --all --limit 1",
    "py-heap-garbage --limit 0",
    "py-heap-garbage --by size",
    "py-heap-leaks --limit 0",
    "py-heap-leaks dict",
    "py-heap-growth {before} --limit 0",
    "py-heap-growth {before} --all --untracked",
    "py-heap-growth {before} --new dict",
)
_OF_AN_INTERPRETER = (
    "py-heap-garbage --interpreter {0}",
    "py-heap-types --interpreter {0}",
    "py-heap-frames --interpreter {0}",
)
_OF_A_NODE = (
    "py-heap-object {0} --limit 0",
    "py-heap-ancestors {0} 3",
    "py-heap-ancestors {0} 2 --all",
    "py-heap-descendants {0} 2",
    "py-heap-why {0} --limit 5",
    "py-heap-locals {0} 3",
    "py-heap-referents {0} --limit 0",
    "py-heap-referrers {0} --limit 0",
    "py-heap-chain {0}",
    "py-heap-chain {0} --to frame",
    "py-heap-chain {0} --to type --forward",
    "py-heap-path {1}, {0}",
    "py-heap-cycle {0}",
)
# Labels with what is data of the program, as without values.
_NAMELESS = ((re.compile(r"value\[.*\]"), "value[…]"),)
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


def lines(file: File, before: str) -> Iterator[str]:
    """The command lines; every command is among them."""
    yield from (line.format(before=before) for line in _WHOLE)
    for interpreter in file.heap().interpreters():
        yield from (line.format(interpreter.number) for line in _OF_AN_INTERPRETER)
    last = ""
    for address in nodes(file):
        yield from (line.format(address, last or address) for line in _OF_A_NODE)
        last = address


def check_commands() -> None:
    """No command is left out."""
    asked = {line.split()[0] for line in (*_WHOLE, *_OF_A_NODE)}
    left_out = set(BY_NAME) - asked - _OTHER
    if left_out:
        fail(f"not asked: {', '.join(sorted(left_out))}")


def document(file: File, line: str) -> Any:
    """The document of a command line, without what says that the heap is a saved one."""
    found = file.ask(line)
    found.pop("saved" if line == "py-heap-info" else "", None)
    return found


def difference(one: Any, other: Any, where: str = "") -> str:
    """Where two documents differ first; "" if they do not."""
    if type(one) is not type(other) or not isinstance(one, (dict, list)):
        return "" if one == other else f"{where}: {one!r}, not {other!r}"
    if isinstance(one, dict):
        if list(one) != list(other):
            return f"{where}: keys {list(one)}, not {list(other)}"
        pairs = [(str(key), one[key], other[key]) for key in one]
    else:
        if len(one) != len(other):
            return f"{where}: {len(one)} items, not {len(other)}"
        pairs = [(str(i), *both) for i, both in enumerate(zip(one, other))]
    found = (difference(a, b, f"{where}/{key}") for key, a, b in pairs)
    return next(filter(None, found), "")


def nameless(found: Any) -> Any:
    """A document as it is without values: neither they nor keys of dicts are in it."""
    if isinstance(found, list):
        return [nameless(each) for each in found]
    if isinstance(found, str):
        for pattern, instead in _NAMELESS:
            if pattern.fullmatch(found):
                return instead
        return found
    if not isinstance(found, dict):
        return found
    whole = {key: nameless(value) for key, value in found.items()}
    if whole.get("value") is not None:
        if found["annotation"] == found["value"]:
            whole["annotation"] = found["type"]
        whole["value"] = None
    return whole


def same(core: File, saved: File, before: str) -> int:
    """How many questions were answered alike."""
    count = 0
    for line in lines(core, before):
        one, other = core.lines(line), saved.lines(line)
        if one != other and line != "py-heap-info":
            wrong = next(
                pair for pair in zip(one + [""], other + [""]) if len(set(pair)) > 1
            )
            fail(f"{line}: the core says {wrong[0]!r}, the file {wrong[1]!r}")
        if not one[0].startswith("error: "):
            differs = difference(document(core, line), document(saved, line))
            if differs:
                fail(f"{line}: core and file: {differs}")
        count += 1
    if (core.ask("py-heap-info")["saved"], saved.ask("py-heap-info")["saved"]) != (
        None,
        "with values",
    ):
        fail("py-heap-info does not say what is saved")
    return count


def same_nameless(core: File, bare: File, before: str) -> None:
    """Without values the same is answered, but for these."""
    for line in lines(core, before):
        if core.lines(line)[0].startswith("error: "):
            continue
        expected = nameless(document(core, line))
        differs = difference(expected, document(bare, line))
        if differs:
            fail(f"{line}: core and file without values: {differs}")


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


def check_nameless(core: File, folder: str, before: str, work: str) -> None:
    """Without values none is in the file; a file of that file is no other."""
    whole, bare = os.path.join(work, "whole"), os.path.join(work, "bare")
    core.heap().save(bare, values=False)
    file = File(bare, options(""))
    same_nameless(core, file, before)
    file.close()
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
    check_commands()
    core = File(os.path.join(folder, "core"), options(folder))
    before = os.path.join(folder, "core.0")  # of leaky.py: an earlier one
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "whole")
        core.heap().save(path)
        if not os.path.exists(before):
            before = path
        saved = File(path, options(""))
        count = same(core, saved, before)
        saved.close()
        check_nameless(core, folder, before, work)
        size = os.stat(path).st_size
    core.close()
    print(f"{count} questions answered alike, {size} bytes")


if __name__ == "__main__":
    main()
