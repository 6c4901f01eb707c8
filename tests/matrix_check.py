# SPDX-License-Identifier: Apache-2.0
"""One core, read in every way that it may have to be read in, against what its program wrote of itself.

    python3 tests/matrix_check.py build/walk FOLDER_OF_THE_CORE FOLDER_OF_STRIPPED_FILES RESULTS

The ways are `WAYS`. The first that is exact is compared with the truth (exact.py); what walk prints in another way is
compared with the truth only if it is not the very same text. RESULTS gets a line `WAY<tab>OUTCOME<tab>REASON` of each.

What only code tells, the references of objects for which tp_traverse is run, is guessed in the ways without files: how
many objects that are is the REASON of a way that has passed.
"""

import contextlib
import functools
import gc
import os
import re
import subprocess
import sys
from typing import Counter, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from bare_files import make_bare
from exact import Comparison, Failed, Walk, parts
from truthfile import Truth


class Way(NamedTuple):
    """What of a target's machine is there, and where the layout may be from."""

    name: str
    files: str  # whole, none, or a variant of bare_files.py
    layout: str  # $WALK_LAYOUT
    guessed: float = 0  # the share of all objects that may be guessed, though in the first way a table has them
    programs: Sequence[str] = ()  # only these; all if empty
    without: Sequence[
        str
    ] = ()  # not these: the names of numpy's types are in its files
    promised: bool = (
        True  # to be exact; else the table says how it went, and nothing fails
    )


# "probe:3." probes the row of the very build, too.
WAYS = (
    Way("symbols", "whole", "dwarf"),
    Way("dynsym", "dynsym", "row,probe"),
    Way("dynsym, unknown build", "dynsym", "probe", 0.001, promised=False),
    Way("no symbols", "section", "probe:3.", 0.001, ("worker", "kinds")),
    Way("no sections", "segments", "probe:3.", 0.001, ("worker", "kinds")),
    Way("no binary", "none", "row,probe", 0.001, without=("arrays",)),
    Way(
        "no binary, unknown build",
        "none",
        "probe",
        0.001,
        (),
        ("arrays",),
        promised=False,
    ),
)

# From which version on the core alone must do: hexversion.
_ALONE = 0x03090000
# What walk says when it has no symbols, or knows no build that the memory agrees with: it is no failure to say so.
_NO_DWARF = "has no debug information"
# Objects of which it is asked what is around them.
_AROUND = 6
_METATYPES = 30  # and so many types of C metatypes
# Programs in which nothing asks for a whole heap to tell that.
_PLAIN = ("worker", "garbage", "cycles")
_NO_OTHER = "none fits|no layouts of other builds|no layout that is built in fits"
# The source of a layout of another minor version, as far as it fits.
_OTHER_VERSION = "row of another build and version"

# A core begins with its notes; more than these bytes are not of interest.
_NOTES = 1 << 20


class Skip(Exception):
    """Why a way cannot be tried, or need not lead anywhere."""


class Core:
    """The core in a folder of corefiles/make-cores."""

    def __init__(self, tool: str, folder: str, stripped: str) -> None:
        self.tool, self.stripped = tool, stripped
        self.program = os.path.basename(folder)
        self.core = os.path.join(folder, "core")
        self.root = ""
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(folder, "root"), encoding="utf-8") as file:
                self.root = file.read().strip()
        self.truth = Truth(os.path.join(folder, "truth"))
        self.verdicts: Dict[bytes, Tuple[str, str]] = {}  # by what walk printed
        self.best: Optional[Walk] = None  # the first that is exact
        # The last that prints the very same: its layout is not from DWARF, which takes most of
        # the time to read.
        self.like_best: Optional[Walk] = None

    def environment(self, way: Way) -> Dict[str, str]:
        """That of walk; what is not to be found is not where it is told to look."""
        variables = dict(os.environ, WALK_LAYOUT=way.layout)
        if way.files == "whole":
            if self.root:
                variables["WALK_SYSROOT"] = self.root
                variables["WALK_DEBUG_DIRS"] = f"{self.root}/usr/lib/debug"
        else:
            variables["WALK_DEBUG_DIRS"] = self.nothing
            variables["WALK_SYSROOT"] = self.nothing
            if way.files != "none":
                variables["WALK_SYSROOT"] = self.bare(way.files)
        return variables

    @property
    def nothing(self) -> str:
        """An empty folder."""
        path = os.path.join(self.stripped, ".nothing")
        os.makedirs(path, exist_ok=True)
        return path

    def bare(self, variant: str) -> str:
        """A sysroot with bare copies of the target's ELF files."""
        root = os.path.join(self.stripped, variant)
        for path in self.files():
            source, copy = self.root + path, root + path
            if not os.path.exists(copy) and is_elf(source):
                make_bare(source, copy, variant)
        return root

    def files(self) -> List[str]:
        """The files that were mapped when the program died, and maybe some more."""
        with open(self.core, "rb") as file:
            notes = file.read(
                _NOTES
            )  # NT_FILE is among them, and has the names as strings
        return sorted(
            {path.decode() for path in re.findall(rb"\0(/[ -~]+)(?=\0)", notes)}
        )

    def verdict(self, way: Way) -> Tuple[str, str]:
        """How a way went, and why. Prints the differences."""
        if way.files == "none" and self.truth.version < _ALONE:
            raise Skip("before 3.9, a file is needed")
        try:
            walk = Walk(self.tool, self.core, self.truth, self.environment(way))
        except Failed as error:
            text = str(error)
            if way.layout == "probe" and re.search(_NO_OTHER, text):
                raise Skip("no other build is like it") from None
            if way.files == "whole" and _NO_DWARF in text and not required():
                raise Skip("its debug symbols are not here") from None
            return "failed", text
        if way.layout == "probe" and walk.info["layout"][0].startswith(_OTHER_VERSION):
            raise Skip("no other build of its version is known")
        if walk.said not in self.verdicts:
            self.verdicts[walk.said] = self.compared(walk, way)
        if self.best is None and self.verdicts[walk.said][0] == "passed":
            self.best = walk
        if self.best and self.best.said == walk.said:
            self.like_best = walk
        return self.verdicts[walk.said]

    def compared(self, walk: Walk, way: Way) -> Tuple[str, str]:
        """What is printed against the truth, and against what could be known."""
        comparison = Comparison(walk, self.truth, files=way.files != "none")
        if not comparison.exact():
            return "failed", f"{comparison.differences} differences"
        if self.program == "roots":
            lost = list(self.roots(walk))
            if lost:
                return "failed", "; ".join(lost)
        of_table, of_code = self.lost(walk, "table"), self.lost(walk, "run")
        if of_table > way.guessed * len(walk.objects):
            return "failed", f"{of_table} objects are guessed here only"
        if of_code and way.files != "none":
            return "failed", f"only here no code is run for {of_code} objects"
        return "passed", f"{of_code} guessed" if of_code else ""

    def searches(self) -> Iterator[str]:
        """What differs by the way in which the core is read, and tracked objects are looked for and counted."""
        if not self.like_best:
            return
        expected = parts(self.like_best.ask("objects,types", WALK_TRACKED="lists"))
        types = sorted(expected["types"].split(b"\n"))
        for search, threads, reading in (
            ("sweep", "1", "windows"),
            ("sweep", "2", "mapping"),
            ("sweep", "4", "windows"),
            ("sublists", "1", "mapping"),
            ("sublists", "2", "windows"),
            ("sublists", "4", "mapping"),
        ):
            way = f"{search} with {threads} threads and {reading}"
            ask = functools.partial(
                self.like_best.ask,
                WALK_TRACKED=search,
                WALK_THREADS=threads,
                WALK_READING=reading,
            )
            found = parts(ask("objects,info"))
            if found["objects"] != expected["objects"]:
                yield f"{way}: other objects are found than the lists have"
            if sorted(ask("types").rstrip(b"\n").split(b"\n")) != types:
                yield f"{way}: types are counted otherwise without a graph"
            info = found["info"].split(b"\n")
            if b"tracked-by\tlists" in info and b"complete\t1" in info:
                yield f"{way}: the lists could not be followed so"

    def steps(self) -> Iterator[str]:
        """What differs in one step around an object if the heap was not read for it."""
        if not self.like_best:
            return
        known = sorted(self.like_best.objects)
        some = known[:: max(1, len(known) // _AROUND)]
        # Types of C metatypes: what `type` has, and their own tp_traverse says once more.
        objects = self.like_best.objects
        some += [a for a in known if objects[a].type.startswith("_ctypes.Py")][
            :_METATYPES
        ]
        questions = "".join(f"{address}\n" for address in some)
        ask = functools.partial(self.like_best.ask, questions=questions)
        expected = parts(ask("info,around"))["around"].split(b"\n")[:-1]
        for label in (b"__dict__", b"__class__"):
            if any(count > 1 for count in repeated(expected, label).values()):
                yield f"an object refers to the same {label.decode()} twice"
        for threads in "12":
            *lines, last, _ = ask("around", WALK_THREADS=threads).split(b"\n")
            if lines != expected:
                yield f"what is around an object is another with {threads} threads and no heap"
            if last != b"small\t%d" % len(some) and self.program in _PLAIN:
                yield f"around {len(some)} objects: {last.decode()}"

    def roots(self, walk: Walk) -> Iterator[str]:
        """The objects of roots.py to which no reference leads under the label that it should have."""
        expected = self.truth.expected
        questions = "".join(f"{address}\n" for address in expected.values())
        found: Dict[str, List[str]] = {}
        labels: List[str] = []  # of the references to the object at hand
        for line in walk.ask("around", questions=questions).decode().split("\n"):
            kind, *fields = line.split("\t")
            if kind == "referrer":
                labels.append(fields[1])
            elif kind != "referent":
                labels = found.setdefault(kind, [])
        for name, address in expected.items():
            if not set(found[address]) & set(name.split("|")):
                yield f"{address} {name}: referred to by {found[address]}"

    def lost(self, walk: Walk, source: str) -> int:
        """How many objects are guessed that the best way has from `source`. Prints their types."""
        best = self.best.objects if self.best else {}
        types = Counter(
            node.type
            for address, node in walk.objects.items()
            if node.source == "guess"
            and address in best
            and best[address].source == source
        )
        if types:
            listed = ", ".join(f"{n} {type}" for type, n in types.most_common())
            print(f"guessed here only, else from a {source}: {listed}")
        return sum(types.values())


def repeated(around: Sequence[bytes], label: bytes) -> Counter[int]:
    """How many references each object has under a label, by the number of its first line."""
    count: Counter[int] = Counter()
    holder = 0
    for number, line in enumerate(around):
        kind, *fields = line.split(b"\t")
        if kind == b"referent":
            count[holder] += fields[1] == label
        elif kind != b"referrer":
            holder = number
    return count


def is_elf(path: str) -> bool:
    """Whether it is an ELF file."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
    return False


def required() -> bool:
    """Whether what could be here must be."""
    return os.environ.get("CI") == "true"


def outcomes(core: Core) -> Iterator[Tuple[str, str, str]]:
    """The lines of RESULTS."""
    for way in WAYS:
        wanted = not way.programs or core.program in way.programs
        if not wanted or core.program in way.without:
            continue
        print(f"== {way.name}")
        try:
            outcome, reason = core.verdict(way)
        except Skip as skip:
            outcome, reason = "skipped", str(skip)
        if outcome == "failed" and not way.promised:
            outcome = "differs"
        print(f"{outcome} {reason}".rstrip())
        yield way.name, outcome, reason


def main() -> int:
    """Tries all ways."""
    tool, folder, stripped, results = sys.argv[1:]
    gc.disable()  # millions of objects, and no cycles
    core = Core(tool, folder, stripped)
    lines = list(outcomes(core))
    with open(results, "w", encoding="utf-8") as file:
        file.writelines("\t".join(line) + "\n" for line in lines)
    failed = [
        f"{way}: {reason}" for way, outcome, reason in lines if outcome == "failed"
    ]
    failed += core.searches()
    failed += core.steps()
    print("; ".join(failed) or "all ways that are promised are exact")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
