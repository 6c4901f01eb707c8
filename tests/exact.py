# SPDX-License-Identifier: Apache-2.0
"""Compares what libwalk reads from a core with what the program wrote of itself.

    python3 tests/exact.py [--without-names] build/walk build/cores/INTERPRETER/PROGRAM

There is no tolerance: every difference is printed and makes the test fail. Objects whose
references are guesses (`guessed`) are not compared, but counted and named, and never count
as equal; none of them may be one that the collector tracks, if the code that tells its
references is here and is of a processor that walk knows. So are the objects that these
alone refer to, when they are not found. --without-names is for a core whose files are not
here: a type may then be shown by its address, of few tracked objects; a library's static
type, whose own name is in its file, by a name that a module has for it, which is counted;
and what only code tells is guessed. All else is compared as ever.
"""

import ast
import functools
import os
import re
import subprocess
import sys
import tempfile
from typing import (
    Callable,
    Counter,
    Dict,
    FrozenSet,
    Iterator,
    List,
    Mapping,
    NamedTuple,
)
from typing import Set, Tuple

import restated
from truthfile import Address, Ancestors, Truth, addresses, same_addresses

# The objects of the measuring itself are excepted by address, and must be few.
MOST_OWN = 20
# Objects whose ancestors are compared, at least.
LEAST_STARTS = 50
# Types whose size is their own affair, though libwalk has a table for their references. StgDict
# (_ctypes, up to 3.12) is a dict in C that adds the memory of its ffi_type to its size.
# The scalars of numpy count their value twice.
NOT_BUILTIN_SIZES = {"StgDict"}
# What Python code cannot ask for: the type is known, numpy's allocator is its own affair.
HELD_IN_C = {"__class__", ".mem_handler"}
# Types whose size needs their module's file: an array's items are as large as a constant of it says (up to 3.9, where no
# code is run for arrays). With their subclasses in the programs.
SIZE_IN_FILE = re.compile(r"^array\.array$|\.(ArraySubclass|SubArray|\w+_of_array)$")
# Characters of a str or bytes that libwalk shows (libwalk/objects/text.c).
SHOWN_CHARACTERS = 120


COMMANDS = "objects,frames,values,ancestors,held,garbage,components,leaks,info"

# Of the tracked objects, those that may be without the name of their type.
MOST_UNNAMED = 0.01
UNNAMED = "type@0x"


class Node(NamedTuple):
    """An object as `walk objects` prints it."""

    type: str
    size: int
    tracked: bool
    source: str  # of its references: a table, a run of its tp_traverse, a guess
    joined: str
    interpreter: str

    @property
    def referents(self) -> Counter[Address]:
        """What it refers to, as a multiset."""
        return Counter(addresses(self.joined))


@functools.lru_cache(maxsize=None)  # several walks of a core print mostly the same
def _node(line: str) -> Tuple[Address, Node]:
    """The object of a line of `walk objects`."""
    address, type, size, tracked, source, joined, interpreter = line.split("\t")
    return address, Node(type, int(size), tracked == "1", source, joined, interpreter)


class Failed(Exception):
    """Why the walk tool says nothing of a core."""


class Walk:
    """What the walk tool says of one core, in an environment; `said` is all of it but `info`."""

    def __init__(
        self, tool: str, core: str, truth: Truth, environment: Mapping[str, str]
    ) -> None:
        self.ancestors = [a for a in truth.ancestors if a.start not in truth.own]
        self.values = [a for a in truth.values if a not in truth.own]
        questions = [f"{a.start} {a.generations}" for a in self.ancestors]
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
            lines = [*self.values, ".", *questions, ".", *truth.held, "."]
            asked.write("\n".join(lines).encode())
            asked.seek(0)
            run = subprocess.run(
                [tool, COMMANDS, core],
                stdin=asked,
                stdout=said,
                stderr=subprocess.PIPE,
                env=environment,
            )
            if run.returncode or run.stderr:
                error = run.stderr.decode().strip()
                raise Failed(error or f"walk ended with {run.returncode}")
            said.seek(0)
            self.said, _, info = said.read().rpartition(b"== info\n")
        fields = (line.split("\t") for line in info.decode().split("\n"))
        self.info = {name: rest for name, *rest in fields}
        self._asked = tool, core, environment
        self._printed: Dict[str, str] = {}

    def printed(self, command: str) -> List[str]:
        """The lines that a command printed."""
        if not self._printed:
            # Each for itself: a character that is not of ASCII makes all of a str slow.
            self._printed = {c: part.decode() for c, part in parts(self.said).items()}
        text = self._printed[command]
        return text.split("\n") if text else []

    def lines(self, command: str) -> Iterator[List[str]]:
        """The fields of each line that a command printed."""
        return (line.split("\t") for line in self.printed(command))

    def lists(self, command: str) -> Dict[str, List[Set[Address]]]:
        """The lists of addresses that a command printed, by what it calls them."""
        found: Dict[str, List[Set[Address]]] = {}
        for name, joined in self.lines(command):
            found.setdefault(name, []).append(set(addresses(joined)))
        return found

    def ask(self, commands: str, questions: str = "", **environment: str) -> bytes:
        """What walk prints of the same core with something else in its environment."""
        tool, core, inherited = self._asked
        run = subprocess.run(
            [tool, commands, core],
            env={**inherited, **environment},
            input=questions.encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        return run.stdout

    @property
    def runs_code(self) -> bool:
        """Whether it says nothing that keeps it from running the target's tp_traverse."""
        return not self.info["run"][1]

    @property
    def recovered(self) -> int:
        """How many types have names that are not in the core."""
        return int(self.info["recovered"][0])

    @functools.cached_property
    def objects(self) -> Dict[Address, Node]:
        """All objects."""
        return dict(map(_node, self.printed("objects")))


class Comparison:
    """One core against its truth; each check returns what it compared, in words."""

    def __init__(self, walk: Walk, truth: Truth, files: bool = True) -> None:
        self.walk, self.truth, self.files = walk, truth, files
        self.differences = 0
        # Of a sample, what differs in the ancestors, by start and generations.
        self.different: Dict[Tuple[Address, int], Set[Address]] = {}
        self.by_guesses = 0  # how many of these questions only guesses make differ
        self.unnamed: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()
        if not files:
            self._take_names()
        self.compared = {
            address: object
            for address, object in truth.objects.items()
            if address not in truth.own
        }

    def differ(self, *words: object) -> None:
        """Prints a difference."""
        self.differences += 1
        print("DIFFERENT", *words)

    def _take_names(self) -> None:
        """Of types without a name, or with one that a library's module has for them: then
        the truth's are compared with themselves."""
        tracked = 0
        names: Dict[str, Set[str]] = {}
        for address, node in self.walk.objects.items():
            theirs = self.truth.objects.get(address)
            if theirs is None or node.type == theirs.type:
                continue
            if node.type.startswith(UNNAMED):
                self.unnamed[theirs.type] += 1
                tracked += node.tracked
            elif _is_of_library(node.type):
                self.renamed[f"{theirs.type} as {node.type}"] += 1
                names.setdefault(node.type, set()).add(theirs.type)
            else:
                continue
            self.walk.objects[address] = node._replace(type=theirs.type)
        if tracked > MOST_UNNAMED * len(list(self.truth.tracked())):
            self.differ("names:", tracked, "tracked objects have types without a name")
        for name, types in names.items():
            if len(types) > 1:
                self.differ("names:", name, "is for us", *sorted(types))
        if names and len(names) > self.walk.recovered:
            self.differ("names:", len(names), "are others than those in the core")

    def name(self, address: Address) -> str:
        """An address with its type, by the truth or, where it says nothing, by us."""
        known = self.truth.objects.get(address) or self.walk.objects.get(address)
        return f"{address} ({known.type if known else 'unknown'})"

    def names(self, found: Counter[Address]) -> str:
        """Some addresses with their types."""
        return ", ".join(map(self.name, sorted(found.elements()))) or "nothing"

    # Each check.

    def types(self) -> str:
        """The type of every object is the same, and every object is there."""
        missing = set()
        for address, object in self.compared.items():
            ours = self.walk.objects.get(address)
            if ours is None:
                missing.add(address)
            elif ours.type != object.type:
                self.differ("type:", self.name(address), "is for us", ours.type)
        for address in sorted(missing & self._expected(missing)):
            self.differ("missing:", self.name(address))
            missing.remove(address)
        text = f"{len(self.compared)} objects, {len(self.truth.own)} of the measuring"
        text += _listed(", without a name:", self.unnamed)
        text += _listed(", by another name:", self.renamed)
        types = Counter(self.compared[address].type for address in missing)
        return text + _listed(", missed by guesses:", types)

    def _expected(self, some: Set[Address]) -> Set[Address]:
        """Those of some objects that the collector tracks, or that an object refers to which we know and did not guess."""
        if not some:
            return some
        expected = {address for address in some if self.compared[address].tracked}
        for address, object in self.compared.items():
            ours = self.walk.objects.get(address)
            if ours is not None and ours.source != "guess":
                expected.update(some.intersection(object.referents))
        return expected

    def referents(self) -> str:
        """Our edges that are not extra are gc.get_referents, as multisets."""
        equal = run = 0
        guessed: Counter[str] = Counter()
        for address, object in self.compared.items():
            ours = self.walk.objects.get(address)
            if ours is None:
                continue
            run += ours.source == "run"
            if ours.source == "guess":
                guessed[ours.type] += 1
                # Its type may deny that it is the collector's, as greenlet's did: then
                # nobody sees a reference of it.
                seen = object.tracked and (object.joined or ours.joined)
                if seen and self.runs():
                    self.differ("guessed:", self.name(address))
            elif not same_addresses(ours.joined, object.joined):
                missing = self.names(object.referents - ours.referents)
                extra = self.names(ours.referents - object.referents)
                whose = self.name(address)
                self.differ("referents:", whose, "missing", missing, "- extra", extra)
            else:
                equal += 1
        text = f"{equal} equal, {run} by a run of tp_traverse"
        return text + _listed(", guessed:", guessed)

    def tracked(self) -> str:
        """The tracked objects are gc.get_objects()."""
        ours = {a for a, node in self.walk.objects.items() if node.tracked}
        ours -= self.truth.own
        theirs = set(self.truth.tracked()) - self.truth.own
        for address in sorted(theirs - ours):
            self.differ("tracked:", self.name(address), "is not for us")
        if self.truth.is_sample:
            return f"{len(ours)}, {len(theirs)} of them in the sample"
        for address in sorted(ours - theirs):
            self.differ("tracked:", self.name(address), "is for us only")
        return f"{len(ours)}"

    def collectors(self) -> str:
        """Each interpreter's tracked objects are its gc.get_objects()."""
        ours: Dict[str, Set[Address]] = {}
        for address, node in self.walk.objects.items():
            if address not in self.truth.own and node.tracked:
                ours.setdefault(node.interpreter, set()).add(address)
        if len(self.truth.interpreters) == 1:
            expected = {"0"}
        elif self.truth.collectors:
            expected = set(self.truth.interpreters)
        else:
            expected = {"-"}  # one collector for all
        if set(ours) != expected:
            self.differ("collectors:", sorted(expected), "- ours", sorted(ours))
        for number, theirs in self.truth.collectors.items():
            for address in theirs - self.truth.own ^ ours.get(number, set()):
                whose = self.walk.objects[address].interpreter
                self.differ("collectors:", self.name(address), "is for us of", whose)
        return ", ".join(f"{len(ours[number])} of {number}" for number in sorted(ours))

    def counts(self) -> str:
        """The number of tracked objects of each type."""
        theirs = Counter(self.truth.counts)
        own = self.truth.own & set(self.truth.tracked())
        theirs.subtract(Counter(self.truth.objects[address].type for address in own))
        ours = Counter(
            node.type
            for address, node in self.walk.objects.items()
            if node.tracked and address not in self.truth.own
        )
        for type in sorted({*theirs, *ours}):
            if theirs[type] != ours[type]:
                self.differ("count:", type, theirs[type], "- ours", ours[type])
        return f"{len(theirs)} types, {sum(theirs.values())} objects"

    def sizes(self) -> str:
        """Our sizes are sys.getsizeof's, of the types that have a table."""
        equal = 0
        left_out: Counter[str] = Counter()
        for address, object in self.compared.items():
            ours = self.walk.objects.get(address)
            if ours is None or ours.source != "table" or object.size < 0:
                continue
            in_file = not self.files and SIZE_IN_FILE.search(ours.type)
            if in_file or ours.type in NOT_BUILTIN_SIZES or is_numpy_scalar(ours.type):
                left_out[ours.type] += 1
            elif ours.size != object.size:
                whose = self.name(address)
                self.differ("size:", whose, object.size, "- ours", ours.size)
            else:
                equal += 1
        return f"{equal} equal{_listed(', not compared:', left_out)}"

    def values(self) -> str:
        """Our short values are repr's."""
        wanted = self.walk.values
        found = {line[0]: "\t".join(line[1:]) for line in self.walk.lines("values")}
        for address in wanted:
            value = self.truth.values[address]
            if found.get(address) != shortened(value):
                whose = self.name(address)
                self.differ("value:", whose, value, "- ours", found.get(address))
        return f"{len(wanted)}"

    def held(self) -> str:
        """What some objects hold unseen by the collector is what the program says."""
        found: Dict[Address, Counter[Tuple[str, Address]]] = {}
        for holder, label, address, guess in self.walk.lines("held"):
            if label in HELD_IN_C:
                continue
            # A word without a name is told by nothing but counts of references.
            if (guess == "1") != label.startswith("+0x"):
                self.differ("held:", self.name(holder), "holds by", guess, label)
            else:
                found.setdefault(holder, Counter())[label, address] += 1
        guessed = 0
        for holder, theirs in self.truth.held.items():
            ours = found.get(holder, Counter())
            node = self.walk.objects.get(holder)
            if node is not None and node.source == "guess" and not self.runs():
                guessed += 1  # which of its references nobody visits, only code tells
            elif ours != theirs:
                missing, extra = sorted(theirs - ours), sorted(ours - theirs)
                whose = self.name(holder)
                self.differ("held:", whose, "missing", missing, "- extra", extra)
        total = sum(sum(held.values()) for held in self.truth.held.values())
        text = f"{total} by {len(self.truth.held)} objects"
        return text + (f", guessed: {guessed}" if guessed else "")

    def runs(self) -> bool:
        """Whether the target's code is here and is run."""
        return self.files and self.walk.runs_code

    def ancestors(self) -> str:
        """Our ancestors are refcycle's; see `_Expectation` for guessed types."""
        questions = self.walk.ancestors
        answers = list(self.walk.lines("ancestors"))
        if len(answers) != len(questions):
            self.differ("ancestors:", len(questions), "asked,", len(answers), "answers")
        expectation = _Expectation(self.walk, self.truth)
        for question, answer in zip(questions, answers):
            found = set(addresses(answer[2])) - self.truth.own
            self._ancestors(question, found, expectation)
        starts = len({question.start for question in questions})
        if starts < LEAST_STARTS:
            self.differ("ancestors:", starts, "objects are fewer than", LEAST_STARTS)
        text = f"{len(questions)} of {starts} objects"
        recomputed = len(expectation.recomputed) + self.by_guesses
        return f"{text}, {recomputed} through guessed types" if recomputed else text

    def _ancestors(
        self, question: Ancestors, found: Set[Address], expectation: "_Expectation"
    ) -> None:
        expected = question.found - self.truth.own
        if found != expected and self.truth.is_sample:
            if self._only_guesses(question, found ^ expected):
                self.by_guesses += 1
                return
        elif found != expected:
            expected = expectation(question)
        if found != expected:
            self.differ(
                "ancestors:",
                self.name(question.start),
                f"within {question.generations}: missing",
                self.names(Counter(expected - found)),
                "- extra",
                self.names(Counter(found - expected)),
            )

    def whose(self, found: Set[Address]) -> Set[Address]:
        """Of some objects those that the main interpreter's collector tracks, or the only one."""
        objects = self.walk.objects
        return {a for a in found if objects[a].interpreter in ("0", "-")}

    def differ_in(self, what: str, ours: Set[Address], theirs: Set[Address]) -> None:
        """Prints what is in one list only; objects of the measuring do not count."""
        if ours - self.truth.own != theirs - self.truth.own:
            missing = self.names(Counter(theirs - ours - self.truth.own))
            extra = self.names(Counter(ours - theirs - self.truth.own))
            self.differ(what, "missing", missing, "- extra", extra)

    def guesses(self) -> bool:
        """Whether references of tracked objects are guesses, so that the collector may see others."""
        objects = self.walk.objects.values()
        return any(node.tracked and node.source == "guess" for node in objects)

    def garbage(self) -> str:
        """What the collector would find is what it found; with its finalizers, and gc.garbage."""
        ours, theirs = self.walk.lists("garbage"), self.truth.collected
        self.differ_in("gc.garbage:", self.whose(ours["saved"][0]), theirs["saved"])
        if self.guesses():
            return "not compared, since there are guesses"
        for name in ("garbage", "finalizer", "finalized", "legacy"):
            if name in theirs:  # a version may not tell all
                found = self.whose(ours[name][0])
                self.differ_in(f"{name}:", found, theirs[name])
        text = ", ".join(f"{len(theirs[name])} {name}" for name in theirs)
        return text if self.truth.is_sample else f"{text}, {self._cycles_of_garbage()}"

    def _cycles_of_garbage(self) -> str:
        """Its components, its key cycles, what finalizers of the older kind keep."""
        ours = self.walk.lists("garbage")
        graph = restated.induced(self.graph, self.truth.collected["garbage"])
        expected = {
            "cycle": restated.cycles(graph),
            "key": restated.source_components(graph),
        }
        for name, theirs in expected.items():
            found = {frozenset(self.whose(part)) for part in ours.get(name, ())}
            self.differ_in_components(name, found, theirs)
        kept = restated.reached(graph, self.truth.collected["legacy"])
        self.differ_in("kept:", self.whose(ours["kept"][0]), kept)
        counts = [f"{len(theirs)} {name}s" for name, theirs in expected.items()]
        return f"{', '.join(counts)}, {len(kept)} kept"

    def differ_in_components(
        self, name: str, ours: Set[FrozenSet[Address]], theirs: Set[FrozenSet[Address]]
    ) -> None:
        """Prints the components that are in one set only; objects of the measuring do not count."""
        ours = {part - self.truth.own for part in ours} - {frozenset()}
        theirs = {part - self.truth.own for part in theirs} - {frozenset()}
        for part in theirs - ours:
            self.differ(f"{name}: missing", self.names(Counter(part)))
        for part in ours - theirs:
            self.differ(f"{name}: extra", self.names(Counter(part)))

    @functools.cached_property
    def graph(self) -> restated.Graph:
        """The references between the tracked objects, by the truth."""
        objects = self.truth.objects
        return {a: addresses(objects[a].joined) for a in self.truth.tracked()}

    def components(self) -> str:
        """The strongly connected components of all tracked objects."""
        theirs = restated.cycles(self.graph)
        found = self.walk.lists("components").get("cycle", ())
        ours = {frozenset(component) for component in found}
        self.differ_in_components("component", ours, theirs)
        return f"{len(theirs)} of {sum(map(len, theirs))} objects"

    def leaks(self) -> str:
        """What no tracked object refers to is objgraph's get_leaking_objects()."""
        ours = self.walk.lists("leaks")
        theirs = restated.without_referrer(self.graph)
        self.differ_in("leaks:", ours["leak"][0], theirs)
        unheld = ours["unheld"][0]
        if not unheld <= ours["leak"][0]:
            self.differ("leaks: something refers to", unheld - ours["leak"][0])
        return f"{len(theirs)}, {len(unheld)} without any referrer"

    def _only_guesses(self, question: Ancestors, different: Set[Address]) -> bool:
        """Whether it is for guesses alone that other objects are found, where the truth is a sample.

        Exactly that: what differs is a guess, or refers to what differs one generation nearer.
        """
        self.different[question.start, question.generations] = different
        nearer = self.different.get((question.start, question.generations - 1), set())
        nodes = [self.walk.objects.get(address) for address in different]
        return all(
            node and (node.source == "guess" or not nearer.isdisjoint(node.referents))
            for node in nodes
        )

    def frames(self) -> str:
        """Interpreters, threads, suspended generators and greenlets; frames, locals."""
        theirs = Counter(self.truth.frames)
        theirs.update(("interpreter", number) for number in self.truth.interpreters)
        ours: Counter[Tuple[str, ...]] = Counter()
        unknown = {r[:3] for r in theirs if r[0] == "thread" and r[3] == "0"}
        for kind, *fields in self.walk.lines("frames"):
            record = (kind, *fields)
            if record[:3] in unknown:  # the kernel's id, which we know from the core
                record = (*record[:3], "0", *record[4:])
            ours[record] += 1
        for record in sorted((theirs - ours).elements()):
            self.differ("frames:", "missing", *record)
        for record in sorted((ours - theirs).elements()):
            self.differ("frames:", "extra", *record)
        kinds = Counter(record[0] for record in theirs.elements())
        return ", ".join(f"{n} {kind}s" for kind, n in kinds.items())

    def own(self) -> str:
        """The objects that are excepted."""
        if len(self.truth.own) > MOST_OWN:
            self.differ(len(self.truth.own), "objects of the measuring are too many")
        return ", ".join(map(self.name, sorted(self.truth.own))) or "none"

    def checks(self) -> Iterator[Tuple[str, Callable[[], str]]]:
        """All checks with their names."""
        yield "objects", self.types
        yield "referents", self.referents
        yield "tracked", self.tracked
        yield "collectors", self.collectors
        yield "counts", self.counts
        yield "sizes", self.sizes
        yield "values", self.values
        if self.truth.held:
            yield "held", self.held
        yield "ancestors", self.ancestors
        yield "garbage", self.garbage
        if not self.truth.is_sample and not self.guesses():
            yield "components", self.components
            yield "leaks", self.leaks
        yield "stacks", self.frames
        yield "excepted", self.own

    def exact(self) -> bool:
        """Whether nothing differs. Prints each check and its result."""
        for name, check in self.checks():
            print(f"{name:10} {check()}")
        print(f"{self.differences} differences")
        return not self.differences


class _Expectation:
    """What refcycle would answer if it saw of guessed types the references that we see.

    Computed from the truth's own references for all other types, hence without any
    tolerance. A sample has not all of them.
    """

    def __init__(self, walk: Walk, truth: Truth) -> None:
        self._walk, self._truth = walk, truth
        self._theirs: Dict[Address, List[Address]] = {}  # referrers by the truth
        self._ours: Dict[Address, List[Address]] = {}  # with ours of guessed types
        self.recomputed: List[Ancestors] = []

    def __call__(self, question: Ancestors) -> Set[Address]:
        self.recomputed.append(question)
        if not self._theirs:
            self._fill()
        if _reached(question, self._theirs) != question.found:
            raise ValueError(f"the truth contradicts itself: {question}")
        return _reached(question, self._ours) - self._truth.own

    def _fill(self) -> None:
        tracked = set(self._truth.tracked())
        for address in tracked:
            theirs = self._truth.objects[address].referents
            node = self._walk.objects.get(address)
            ours = (
                node.referents
                if node is not None and node.source == "guess"
                else theirs
            )
            for referent in theirs:
                if referent in tracked:
                    self._theirs.setdefault(referent, []).append(address)
            for referent in ours:
                if referent in tracked:
                    self._ours.setdefault(referent, []).append(address)


def _reached(
    question: Ancestors, referrers: Dict[Address, List[Address]]
) -> Set[Address]:
    """refcycle's definition: reverse reachability within some generations."""
    found = {question.start}
    newest = found
    for _ in range(question.generations):
        reached = (referrers.get(address, ()) for address in newest)
        newest = {address for some in reached for address in some} - found
        found = found | newest
    return found


def _is_of_library(type: str) -> bool:
    """Whether the name of a type is one of a module that is not of the standard library."""
    module, dot, _ = type.partition(".")
    own: FrozenSet[str] = getattr(sys, "stdlib_module_names", frozenset())  # 3.10+
    return bool(dot) and module not in own and module != "__main__"


def parts(said: bytes) -> Dict[str, bytes]:
    """What each of several commands printed, without the last newline."""
    found = {}
    for part in (b"\n" + said).split(b"\n== ")[1:]:
        command, _, lines = part.partition(b"\n")
        found[command.decode()] = lines.rstrip(b"\n")
    return found


def _listed(words: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    names = ", ".join(f"{n} {type}" for type, n in counts.most_common())
    return f"{words} {sum(counts.values())} ({names})"


def is_numpy_scalar(type: str) -> bool:
    """Whether it is one of numpy's own types, but not an array or a dtype."""
    return type.startswith("numpy.") and not type.startswith(
        ("numpy.nd", "numpy.dtype")
    )


def shortened(value: str) -> str:
    """A repr as libwalk shortens it."""
    if value[:1] not in "'\"b":
        return value
    whole = ast.literal_eval(value)
    if len(whole) <= SHOWN_CHARACTERS:
        return value
    text = repr(whole[:SHOWN_CHARACTERS])
    return f"{text[:-1]}…{text[-1]}"


def main() -> int:
    """Prints each check and its result."""
    *options, tool, folder = sys.argv[1:]
    if options not in ([], ["--without-names"]):
        sys.exit(f"{sys.argv[0]}: unknown options: {options}")
    truth = Truth(os.path.join(folder, "truth"))
    core = os.path.join(folder, "core")
    try:
        comparison = Comparison(
            Walk(tool, core, truth, os.environ), truth, files=not options
        )
    except Failed as error:
        print(error)
        return 1
    return 0 if comparison.exact() else 1


if __name__ == "__main__":
    sys.exit(main())
