# SPDX-License-Identifier: Apache-2.0
"""The phrases that every command uses, worded once."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Sequence, Tuple, TypeVar

from pyheap.spans import Line

if TYPE_CHECKING:
    from pyheap.walk import Heap, Stats

_Item = TypeVar("_Item")


def number(count: int) -> str:
    """1 234 567"""
    return f"{count:,}".replace(",", " ")


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 object`, `2 objects`, `3 classes`."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"


def shows_type(annotation: str, type: str) -> bool:
    """Whether an annotation begins with the type: `list[3]`, `method f`."""
    rest = annotation[len(type) :]
    return annotation.startswith(type) and rest[:1] in ("", " ", "[")


def is_glob(pattern: str) -> bool:
    """Whether a pattern is more than a name or a part of one."""
    return any(character in pattern for character in "*?[")


def matches(type: str, pattern: str) -> bool:
    """Whether a glob matches the name of a type, whole or its last part."""
    return fnmatchcase(type, pattern) or fnmatchcase(type.rpartition(".")[2], pattern)


def cut(left: int, what: str = "") -> Iterator[Line]:
    """What was left out, if something was."""
    if left > 0:
        what = what[:-1] if left == 1 else what
        yield [f"… {number(left)} more{what and ' ' + what}; --limit 0 shows all"]


def ends(items: Sequence[_Item], most: int) -> Tuple[List[_Item], int, List[_Item]]:
    """The first and the last of at most `most` items (0: all), and how many are between."""
    left = len(items) - most if most else 0
    if left <= 0:
        return list(items), 0, []
    first = (most + 1) // 2
    return list(items[:first]), left, list(items[first + left :])


def shortened(words: Sequence[str], most: int) -> List[str]:
    """Words of one line: of very many the ends, and how many are between."""
    first, left, last = ends(words, most)
    return [*first, *([f"… {left} more …"] if left else []), *last]


def missing(stats: "Stats") -> Dict[str, Any]:
    """What a heap lacks, for a document."""
    return {
        "unreadable": stats.unreadable,
        "broken_lists": stats.broken_lists,
        "stacks": stats.broken_stacks,
        "collecting": stats.collecting,
        "layout": stats.unknown_layout,
    }


def completeness(heap: "Heap") -> Dict[str, Any]:
    """The keys that every document ends with."""
    stats = heap.stats()
    if stats.complete:
        return {"complete": True}
    return {"complete": False, "missing": missing(stats)}


def incomplete(heap: "Heap") -> Iterator[Line]:
    """What could not be read, if something could not."""
    yield from shortcomings(heap.stats())


def shortcomings(stats: "Stats") -> Iterator[Line]:
    """The same of what was counted without a heap."""
    if stats.complete:
        return
    reasons = []
    if stats.truncated:
        reasons.append("the core file is shorter than it says: a part is missing")
    if stats.unreadable:
        whose = counted(stats.unreadable, "object")
        reasons.append(f"{whose} with references that could not be read")
    if stats.broken_lists:
        lists = counted(stats.broken_lists, "list")
        reasons.append(f"{lists} of the collector that could not be followed")
    if stats.broken_stacks:
        stacks = counted(stats.broken_stacks, "stack")
        reasons.append(f"{stacks} of frames that could not be followed")
    if stats.unknown_layout:
        reasons.append("structures of this CPython that are not known (py-heap-info)")
    if stats.collecting:
        reasons.append("the collector was running: some objects may be on no list")
    yield [f"incomplete: {'; '.join(reasons) or 'the heap was not read to its end'}"]


def unnamed(stats: "Stats") -> Iterator[Line]:
    """Objects whose types are shown by address, if any are."""
    count = stats.unnamed_objects
    if count:
        yield [
            f"{counted(count, 'object')} of types whose names are not known"
            " (type@0x…): `py-heap-info` says which file has them"
        ]


def guesses(heap: "Heap") -> Iterator[Line]:
    """Whose references are guesses, if any are."""
    stats = heap.stats()
    if not stats.guessed_objects:
        return
    types = sum(1 for type in heap.types() if type.guessed)
    yield [
        f"{counted(stats.guessed_objects, 'object')} of {counted(types, 'type')}:"
        " their references are guesses"
    ]
