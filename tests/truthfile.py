# SPDX-License-Identifier: Apache-2.0
"""Reads what a program of corefiles/ wrote of itself (the format: corefiles/truth.py)."""

import re
from typing import Counter, Dict, Iterator, List, NamedTuple, Set, Tuple

# An address, as the truth and the walk tool write them: lower case hexadecimal.
Address = str

_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


class Object(NamedTuple):
    """A record of an object."""

    type: str
    size: int
    tracked: bool
    joined: str  # the addresses of the referents; there are too many objects to take them apart unasked

    @property
    def referents(self) -> Counter[Address]:
        """What it refers to, as a multiset."""
        return Counter(addresses(self.joined))


class Ancestors(NamedTuple):
    """Who reaches an object within some generations."""

    start: Address
    generations: int
    found: Set[Address]


class Truth:
    """All records of a truth file; names as a library shows them, see `shown`."""

    def __init__(self, path: str) -> None:
        self.objects: Dict[Address, Object] = {}
        self.values: Dict[Address, str] = {}
        self.ancestors: List[Ancestors] = []
        self.counts: Dict[str, int] = {}
        self.expected: Dict[str, Address] = {}
        # what an object holds unseen by the collector: labels and addresses
        self.held: Dict[Address, Counter[Tuple[str, Address]]] = {}
        # thread, frame and local records, by interpreter and thread; suspended and held
        # records, by what is suspended
        self.frames: List[Tuple[str, ...]] = []
        self.interpreters: List[str] = []  # their numbers
        self.collectors: Dict[str, Set[Address]] = {}  # by number, if there are several
        # lists by the name of the record: what the collector would find, and more of it
        self.collected: Dict[str, Set[Address]] = {}
        self.own: Set[Address] = set()
        self.version = 0  # sys.hexversion
        self.is_sample = False  # not all tracked objects have a record
        self._types: Dict[str, str] = {}  # as libwalk shows them
        whole = False
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                whole = fields == ["end"]
                self._record(fields[0], fields[1:])
        if not whole:
            raise ValueError(f"{path}: does not end with `end`")

    def _record(self, kind: str, fields: List[str]) -> None:
        if kind == "object":
            address, type, size, tracked, referents = fields
            name = self._types.get(type)
            if name is None:
                name = self._types[type] = shown(type)
            self.objects[address] = Object(name, int(size), tracked == "1", referents)
        elif kind == "value":
            self.values[fields[0]] = "\t".join(fields[1:])
        elif kind == "ancestors":
            start, generations, found = fields
            record = Ancestors(start, int(generations), set(addresses(found)))
            self.ancestors.append(record)
        elif kind == "count":
            type = shown(fields[0])
            self.counts[type] = self.counts.get(type, 0) + int(fields[1])
        elif kind == "expect":
            self.expected[fields[0]] = fields[1]
        elif kind == "holder":
            self.held[fields[0]] = Counter()
        elif kind == "holds":
            self.held[fields[0]][shown(fields[1]), fields[2]] += 1
        elif kind in ("thread", "frame", "local"):
            number, ident, *rest = fields
            self.frames.append((kind, number, f"{int(ident):x}", *map(shown, rest)))
        elif kind in ("suspended", "held"):
            self.frames.append((kind, *map(shown, fields)))
        elif kind == "interpreter":
            self.interpreters.append(fields[0])
        elif kind == "collector":
            self.collectors[fields[0]] = set(addresses(fields[1]))
        elif kind in ("garbage", "finalizer", "finalized", "legacy", "saved"):
            self.collected[kind] = set(addresses(fields[0]))
        elif kind == "own":
            self.own.add(fields[0])
        elif kind == "sample":
            self.is_sample = True
        elif kind == "python":
            self.version = int(fields[0], 16)
        elif kind != "end":
            raise ValueError(f"unknown record: {kind}")

    def tracked(self) -> Iterator[Address]:
        """The tracked objects that have a record."""
        return (address for address, object in self.objects.items() if object.tracked)


def addresses(joined: str) -> List[Address]:
    """The addresses of a field."""
    return joined.split(",") if joined else []


def same_addresses(joined: str, others: str) -> bool:
    """Whether two fields are the same multiset of addresses."""
    return joined == others or sorted(joined.split(",")) == sorted(others.split(","))


def shown(field: str) -> str:
    """A field as libwalk shows it: backslashes and what a terminal obeys are escaped."""
    text = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), field)
    return "".join(c if c.isprintable() and c != "\\" else repr(c)[1:-1] for c in text)
