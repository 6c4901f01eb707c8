# SPDX-License-Identifier: Apache-2.0
"""The py-heap commands on a core of a program, as a person and a program use them.

    python3 tests/gdb_check.py build/walk build/cores/INTERPRETER/PROGRAM

The reference is the truth which the program wrote; each check is a method of `Checks`.
"""

import collections
import html
import os
import re
import subprocess
import sys
import tempfile
from typing import Any, Counter, Dict, List, Set, Tuple

import restated
from checks import run
from contract import document
from gdbrun import Reply, gdb
from truthfile import Truth, addresses

_COMMANDS = (
    "py-heap-info",
    "py-heap-types",
    "py-heap-types --all --by size --limit 3",
    "py-heap-types {pattern}",
    "py-heap-find {type}",
    "py-heap-find {module}.{type}",
    "py-heap-object {address}",
    "py-heap-referents {address}",
    "py-heap-referrers {address}",
    "py-heap-ancestors {address} 5",
    "py-heap-ancestors {address} 1",
    "py-heap-ancestors {address} 3 --all",
    "py-heap-descendants {address} 1",
    "py-heap-frames",
    "py-heap-frames --locals",
    "py-heap-locals {address}",
    "py-heap-why {address}",
    "py-heap-why {address} --limit 0",
    "py-heap-why (void *) ({address} + 0)",
)
# On programs with interpreters, greenlets, crowds: `{number}` is each interpreter's.
_STACK_COMMANDS = (
    "py-heap-info",
    "py-heap-frames --locals",
    "py-heap-frames --locals --suspended",
)
_INTERPRETER_COMMANDS = (
    "py-heap-types --limit 0 --interpreter {number}",
    "py-heap-find dict --limit 0 --interpreter {number}",
    "py-heap-frames --locals --interpreter {number}",
)
# On the program with garbage: objects that its truth names.
_GARBAGE_COMMANDS = (
    "py-heap-frames --locals",
    "py-heap-chain {kept}",
    "py-heap-chain {kept_cycle} --to frame",
    "py-heap-chain {end}",
    "py-heap-chain {end} --to {start}",
    "py-heap-chain {end} --to {start} --max-depth 6",
    "py-heap-chain {end} --to {start} --ignore dict,li*",
    "py-heap-chain {start} --to {end} --forward",
    "py-heap-chain {end} --to Named",
    "py-heap-chain {end} --to NoSuchType",
    "py-heap-path {start} {end}",
    "py-heap-path (void *) {start}, {end} + 0",
    "py-heap-path {end} {start}",
    "py-heap-cycle {start}",
    "py-heap-cycle {middle}",
    "py-heap-cycles",
    "py-heap-cycles --by size --limit 3",
    "py-heap-cycles --all --limit 1",
    "py-heap-garbage",
    "py-heap-garbage --limit 0",
    "py-heap-garbage --by size --limit 3",
    "py-heap-garbage --interpreter 0",
    "py-heap-leaks",
    "py-heap-leaks Named",
    "py-heap-leaks --limit 0",
)
_TYPES = {
    "worker": "SomeComputation",
    "cache": "MyBigFatObject",
    "tasks": "Request",
}
_AROUND = ("referrers", "object", "referents")  # in this order
_NAMES = {"worker": "survivor", "cache": "foo", "tasks": "request"}


class Session:
    """One gdb session: the reply to each command in text, and its document."""

    def __init__(
        self, folder: str, commands: List[str], words: Dict[str, str], more: List[str]
    ) -> None:
        self.words = words
        with open(os.path.join(folder, "python"), encoding="utf-8") as file:
            python = file.read().strip()
        texts = [command.format(**words) for command in commands]
        texts += [f"{text} --json" for text in texts] + more
        replies = gdb([python, os.path.join(folder, "core")], texts)
        self.replies = {reply.command: reply for reply in replies}

    def text(self, command: str) -> Reply:
        """The reply in text."""
        return self.replies[command.format(**self.words)]

    def document(self, command: str) -> Dict[str, Any]:
        """The document."""
        return document(self.replies[f"{command.format(**self.words)} --json"])


def equal(what: str, found: object, expected: object) -> None:
    """Fails unless two things are equal."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def match(pattern: str, text: str) -> "re.Match[str]":
    """Fails unless a pattern is in the text."""
    found = re.search(pattern, text)
    if not found:
        raise AssertionError(f"not there: {pattern}\nin: {text}")
    return found


def bare(address: str) -> str:
    """An address as the truth writes it."""
    return f"{int(address, 16):x}"


def strong(references: List[Dict[str, Any]]) -> Counter[str]:
    """The addresses of the references that the collector sees."""
    seen = (reference for reference in references if not reference["extra"])
    return collections.Counter(bare(reference["address"]) for reference in seen)


class Checks:
    """What must hold of every program; subclasses add what is the program's own."""

    commands: List[str]
    session: Session

    def __init__(self, walk: str, folder: str, truth: Truth, image: str) -> None:
        self.program = os.path.basename(folder)
        self.walk, self.folder, self.truth, self.image = walk, folder, truth, image

    def text(self, command: str) -> str:
        """What a person reads."""
        return self.session.text(command).output

    def check_no_errors(self) -> None:
        """No command failed or warned, each said something."""
        for reply in self.session.replies.values():
            equal(f"{reply.command}: errors", reply.errors, "")
            if not reply.output.strip() or "Traceback" in reply.output:
                raise AssertionError(f"{reply}")

    def check_documents(self) -> None:
        """Every document is one line and has the keys of the contract."""
        for command in self.commands:
            self.session.document(command)

    def stacks(self, found: Dict[str, Any]) -> Counter[Tuple[str, ...]]:
        """What py-heap-frames says, as records of the truth."""
        ours: Counter[Tuple[str, ...]] = collections.Counter()
        numbers = {i["address"]: str(i["id"]) for i in found["interpreters"]}
        for thread in found["threads"]:
            whose = (numbers[thread["interpreter"]], f"{thread['ident']:x}")
            native, name = str(thread["native_id"] or 0), thread["name"] or ""
            ours[("thread", *whose, native, name)] += 1
            self.frames(("frame", *whose), ("local", *whose), thread["frames"], ours)
        aside = [(g["address"], g["frames"]) for g in found["greenlets"]]
        aside += [(s["address"], [s]) for s in found.get("suspended", ())]
        for address, frames in aside:
            self.frames(
                ("suspended", bare(address)), ("held", bare(address)), frames, ours
            )
        return ours

    def frames(
        self,
        as_frame: Tuple[str, ...],
        as_local: Tuple[str, ...],
        frames: List[Dict[str, Any]],
        ours: Counter[Tuple[str, ...]],
    ) -> None:
        """Adds frames and their variables."""
        for depth, frame in enumerate(frames):
            where = (frame["function"], frame["file"], str(frame["line"]))
            ours[(*as_frame, str(depth), *where)] += 1
            for name, local in frame["locals"].items():
                ours[(*as_local, str(depth), name, bare(local["address"]))] += 1

    def check_frames(self) -> None:
        """Threads, frames and locals are the truth's."""
        found = self.session.document("py-heap-frames --locals")
        aside = {bare(greenlet["address"]) for greenlet in found["greenlets"]}
        theirs = collections.Counter(
            record
            for record in self.truth.frames
            if record[0] not in ("suspended", "held") or record[1] in aside
        )
        ours = self.stacks(found)
        equal("frames: missing", theirs - ours, {})
        equal("frames: extra", ours - theirs, {})

    def check_frames_text(self) -> None:
        """A person reads the same."""
        text = self.text("py-heap-frames --locals")
        for kind, _, *words in self.truth.frames:
            if kind == "thread" and words[2]:
                _, native, name = words
                match(rf'thread \d+ "{re.escape(name)}", LWP {native}\b', text)
            elif kind == "frame":
                _, depth, function, file, line = [re.escape(word) for word in words]
                match(
                    rf"(?m)^ +#{depth} +0x[0-9a-f]+ +{function} +{file}:{line}$", text
                )
            elif kind == "local" and not self.is_module(words[1]):
                match(rf"(?m)^ +{words[2]} +0x{words[3]}\b", text)

    def is_module(self, depth: str) -> bool:
        """Whether a frame is the program's outermost, whose locals are shown in short."""
        records = [r for r in self.truth.frames if r[0] == "frame" and r[3] == depth]
        return any(record[4] == "<module>" for record in records)


class ObjectChecks(Checks):
    """Of a program with one object of interest."""

    commands = list(_COMMANDS)

    def __init__(self, walk: str, folder: str, truth: Truth, image: str) -> None:
        super().__init__(walk, folder, truth, image)
        self.address = truth.expected[_NAMES[self.program]]
        type = _TYPES[self.program]
        words = {"type": type, "module": "__main__", "pattern": type}
        words["address"] = f"0x{self.address}"
        draw = f"py-heap-ancestors {words['address']} 5 --all --too-many 0 --longnames"
        draw += f" --image {image}"
        self.session = Session(folder, self.commands, words, [draw])

    def check_frames_with_and_without_locals(self) -> None:
        """To a program they are the same."""
        short = self.session.document("py-heap-frames")
        equal("frames", short, self.session.document("py-heap-frames --locals"))

    def check_addresses(self) -> None:
        """In text too the object is named by its address."""
        for command in self.commands:
            if "{address}" in command and "locals" not in command:
                match(f"0x{self.address}", self.text(command))

    def check_types(self) -> None:
        """Counts and sizes are the truth's."""
        found = self.session.document("py-heap-types")
        excepted = [
            self.truth.objects[a].type
            for a in self.truth.own
            if a in self.truth.objects
        ]
        counts = collections.Counter(self.truth.counts)
        ours = {row["type"]: row["count"] for row in found["types"]}
        for type in excepted:  # may be counted or not
            counts.pop(type, None)
            ours.pop(type, None)
        equal("py-heap-types", ours, dict(counts))
        numbers = [row["count"] for row in found["types"]]
        equal("py-heap-types: order", numbers, sorted(numbers, reverse=True))
        equal("py-heap-types: tracked", found["tracked"], sum(numbers))
        equal("py-heap-types: total", found["total"]["count"], sum(numbers))
        first = found["types"][0]
        match(
            rf"(?m)^ *{first['count']} +{first['size']} +{first['type']}$",
            self.text("py-heap-types"),
        )
        match("--limit 0 shows all", self.text("py-heap-types"))

    def check_sizes_of_types(self) -> None:
        """--by size --limit 3 are the three with most bytes."""
        found = self.session.document("py-heap-types --all --by size --limit 3")[
            "types"
        ]
        sizes = [row["size"] for row in found]
        equal("rows", len(found), 3)
        equal("order", sizes, sorted(sizes, reverse=True))

    def check_find(self) -> None:
        """Both names find the objects that the program knows of."""
        expected = {f"0x{address}" for address in self.truth.expected.values()}
        for command in ("py-heap-find {type}", "py-heap-find {module}.{type}"):
            found = self.session.document(command)
            equal(command, {row["address"] for row in found["objects"]}, expected)
            equal(command, found["total"], len(expected))
            for row in found["objects"]:
                size = self.truth.objects[bare(row["address"])].size
                equal(command, (row["type"], row["size"]), (self.type(), size))
                match(
                    rf"{row['address']} +{row['size']} +{self.type()}",
                    self.text(command),
                )

    def type(self) -> str:
        """The full name of the type of interest."""
        return f"__main__.{_TYPES[self.program]}"

    def referrers(self) -> Counter[str]:
        """Who refers to the object, as the collector sees it."""
        found: Counter[str] = collections.Counter()
        for address, object in self.truth.objects.items():
            if self.address in object.joined:
                found[address] = object.referents[self.address]
        return +found

    def check_object(self) -> None:
        """The object's own page, and its two halves."""
        truth = self.truth.objects[self.address]
        whole = self.session.document("py-heap-object {address}")
        referents = self.session.document("py-heap-referents {address}")
        referrers = self.session.document("py-heap-referrers {address}")
        for found in (whole, referents, referrers):
            equal("address", found["address"], f"0x{self.address}")
            equal("type", found["type"], truth.type)
            equal("size", found["size"], truth.size)
            equal("tracked", found["tracked"], truth.tracked)
        equal("referents", strong(whole["referents"]), truth.referents)
        equal("referents", referents["referents"], whole["referents"])
        equal("referrers", strong(whole["referrers"]), self.referrers())
        equal("referrers", referrers["referrers"], whole["referrers"])
        match(
            rf"size {truth.size}, refcount \d+, tracked",
            self.text("py-heap-object {address}"),
        )
        match("__class__", self.text("py-heap-object {address}"))

    def check_first_questions(self) -> None:
        """What is one step around an object is the same when nothing was read before, and after it."""
        with open(os.path.join(self.folder, "python"), encoding="utf-8") as file:
            arguments = [file.read().strip(), os.path.join(self.folder, "core")]
        asked = [f"py-heap-{word} {{address}}" for word in _AROUND]
        other = f"0x{next(iter(self.referrers()))}"
        commands = [command.format(**self.session.words) for command in asked]
        commands += [f"{command} --json" for command in commands]
        commands += [f"py-heap-referents {other} --json"]
        *replies, last = gdb(arguments, commands)
        for reply in replies:
            equal(f"first {reply.command}", reply, self.session.replies[reply.command])
        equal("second", strong(document(last)["referents"])[self.address] > 0, True)

    def tracked(self, graph: Dict[str, Any]) -> Set[str]:
        """The tracked objects among the vertices."""
        found = {bare(vertex["address"]) for vertex in graph["vertices"]}
        return found & set(self.truth.tracked())

    def check_ancestors(self) -> None:
        """The tracked vertices are refcycle's, and the walk tool says the same."""
        for generations in (1, 5):
            graph = self.session.document(
                "py-heap-ancestors {address} %d" % generations
            )
            expected = next(
                record.found
                for record in self.truth.ancestors
                if record[:2] == (self.address, generations)
            )
            equal(f"ancestors {generations}", self.tracked(graph), expected)
            run = subprocess.run(
                [self.walk, "ancestors", os.path.join(self.folder, "core")],
                input=f"{self.address} {generations}\n",
                stdout=subprocess.PIPE,
                encoding="utf-8",
                check=True,
            )
            equal("walk", set(run.stdout.strip().split("\t")[2].split(",")), expected)
            depths = [vertex["depth"] for vertex in graph["vertices"]]
            equal("depth", max(depths) <= generations, True)

    def check_edges(self) -> None:
        """Each edge between tracked objects is a reference, tail to head, and none is left out."""
        for command in (
            "py-heap-ancestors {address} 5",
            "py-heap-descendants {address} 1",
        ):
            graph = self.session.document(command)
            vertices = self.tracked(graph)
            found: Counter[Tuple[str, str]] = collections.Counter()
            for edge in graph["edges"]:
                found[f"{edge['tail']:x}", f"{edge['head']:x}"] += 1
            for tail in vertices:
                for head in vertices:
                    there = self.truth.objects[tail].referents[head]
                    if found[tail, head] < there:
                        raise AssertionError(
                            f"{command}: no edge from {tail} to {head}"
                        )

    def check_descendants(self) -> None:
        """One generation down is what the object refers to."""
        graph = self.session.document("py-heap-descendants {address} 1")
        referents = set(self.truth.objects[self.address].referents) | {self.address}
        found = {bare(vertex["address"]) for vertex in graph["vertices"]}
        equal("descendants", found, referents)

    def check_expression(self) -> None:
        """An expression is as good as an address."""
        equal(
            "expression",
            self.session.document("py-heap-why (void *) ({address} + 0)"),
            self.session.document("py-heap-why {address}"),
        )

    def check_image(self) -> None:
        """The picture has the labels of the graph."""
        with open(self.image, encoding="utf-8") as file:
            picture = html.unescape(file.read())
        match("</svg>", picture)
        graph = self.session.document("py-heap-ancestors {address} 5")
        for vertex in graph["vertices"]:
            for words in (vertex["address"], vertex["annotation"]):
                equal(f"{words} is drawn", words in picture, True)
        # Who else holds the farthest is not asked for a picture, as in objgraph.
        near = {vertex["id"] for vertex in graph["vertices"] if vertex["depth"] < 5}
        for edge in (edge for edge in graph["edges"] if edge["head"] in near):
            equal(f"{edge['annotation']} is drawn", edge["annotation"] in picture, True)

    def check_info(self) -> None:
        """Figures agree with those of py-heap-types."""
        info = self.session.document("py-heap-info")
        types = self.session.document("py-heap-types")
        for key in ("tracked", "objects", "guessed_objects"):
            equal(key, info[key], types[key])
        match(re.escape(info["version"]), self.text("py-heap-info"))


class WorkerChecks(ObjectChecks):
    """The job that a worker's local variable keeps alive."""

    def check_ancestors_of_the_job(self) -> None:
        """Method, the worker's frame, the frames above it, the thread."""
        graph = self.session.document("py-heap-ancestors {address} 5")
        kinds = {vertex["id"]: vertex for vertex in graph["vertices"]}
        holder = {
            edge["head"]: (edge["annotation"], edge["tail"]) for edge in graph["edges"]
        }
        at, path = int(self.address, 16), []
        while at in holder:
            label, at = holder[at]
            path.append((label, kinds[at]["kind"], kinds[at]["annotation"]))
        patterns = [
            ("__self__", "object", r"method SomeComputation\.compute|method compute"),
            ("local 'job'", "frame", r"frame worker\.py:\d+ worker"),
            ("f_back", "frame", r"frame queue\.py:\d+ (Queue\.)?get"),
            ("f_back", "frame", r"frame threading\.py:\d+ (Condition\.)?wait"),
            ("frame", "thread", r'thread "worker"'),
        ]
        equal("steps", len(path), len(patterns))
        for (label, kind, annotation), pattern in zip(path, patterns):
            equal("label", (label, kind), pattern[:2])
            match(pattern[2], annotation)
        text = self.text("py-heap-ancestors {address} 5")
        match(".*\n".join(f"{p[2]}.* {p[0]}" for p in patterns), text)

    def where(self) -> Tuple[str, str, str]:
        """The worker's LWP, file and line."""
        for kind, _, ident, *words in self.truth.frames:
            if kind == "thread" and words[1] == "worker":
                native, thread = words[0], ident
        for kind, _, ident, *words in self.truth.frames:
            if kind == "frame" and ident == thread and words[1] == "worker":
                return native, words[2], words[3]
        raise AssertionError("the truth has no worker")

    def check_locals(self) -> None:
        """One line says all."""
        native, file, line = self.where()
        text = self.text("py-heap-locals {address}")
        equal("lines", text.count("\n"), 1)
        match(
            rf'^thread \d+ "worker", LWP {native} +worker +worker\.py:{line} +local \'job\''
            r" +-> method (SomeComputation\.)?compute +__self__$",
            text.rstrip("\n"),
        )
        (path,) = self.session.document("py-heap-locals {address}")["paths"]
        self.path(path)

    def path(self, path: Dict[str, Any]) -> None:
        """From the worker's frame to the job."""
        native, file, line = self.where()
        root = path["root"]
        equal("function", root["function"], "worker")
        equal("place", (root["file"], root["line"]), (file, int(line)))
        equal(
            "thread",
            (root["thread"]["native_id"], root["thread"]["name"]),
            (int(native), "worker"),
        )
        equal(
            "labels",
            [step["label"] for step in path["steps"]],
            ["local 'job'", "__self__"],
        )
        equal("object", path["steps"][-1]["address"], f"0x{self.address}")

    def check_why(self) -> None:
        """The same as a path from the root."""
        for command in ("py-heap-why {address}", "py-heap-why {address} --limit 0"):
            self.path(self.session.document(command)["paths"][0])
        native, _, line = self.where()
        match(
            rf"^__main__\.SomeComputation 0x{self.address}\n"
            r" +<- method (SomeComputation\.)?compute +0x[0-9a-f]+ +__self__\n"
            rf" +<- frame worker\.py:{line} worker +0x[0-9a-f]+ +local 'job'"
            rf' +thread \d+ "worker", LWP {native}\n$',
            self.text("py-heap-why {address}"),
        )


class CacheChecks(ObjectChecks):
    """The objects that a default argument keeps alive."""

    def check_why(self) -> None:
        """The path goes through the cache."""
        (path,) = self.session.document("py-heap-why {address}")["paths"]
        equal("root", path["root"]["kind"], "module")
        equal("root", path["root"]["annotation"], "module __main__")
        labels = [step["label"] for step in path["steps"]]
        expected = ["__defaults__", "item[0]", "value[42]", "value['foo']"]
        equal("labels", labels[-4:], expected)
        annotations = [step["annotation"] for step in path["steps"]]
        equal("function", "function computate_something" in annotations, True)
        match(
            rf"^__main__\.MyBigFatObject 0x{self.address}\n"
            r"( +<- .*\n)* +<- dict\[2\] .* value\['foo'\]\n"
            r" +<- dict\[1\] .* value\[42\]\n +<- tuple\[1\] .* item\[0\]\n"
            r" +<- function computate_something .* __defaults__\n"
            r"( +<- .*\n)* +<- module __main__ .*\n$",
            self.text("py-heap-why {address}"),
        )

    def check_locals(self) -> None:
        """No local variable of a function holds it; the module's frame may, by its globals."""
        paths = self.session.document("py-heap-locals {address}")["paths"]
        functions = {path["root"]["function"] for path in paths}
        equal("functions", functions - {"<module>", "main", "die"}, set())


class TaskChecks(ObjectChecks):
    """The request that only the local variable of a suspended task's coroutine holds."""

    def check_why(self) -> None:
        """Whatever holds the event loop, to the task and into its coroutine."""
        (path,) = self.session.document("py-heap-why {address}")["paths"]
        steps = [(step["label"], step["annotation"]) for step in path["steps"]]
        frame = [("cr_frame", r"frame tasks\.py:\d+ serve")]  # an object of its own
        expected = [
            (r"\S+", r"_asyncio\.Task"),
            ("task_coro", "coroutine serve"),
            *(frame if self.truth.version < 0x030B0000 else []),
            ("local 'request'", r"__main__\.Request"),
        ]
        for (label, annotation), pattern in zip(steps[-len(expected) :], expected):
            match(f"^({pattern[0]})$", label)
            match(f"^{pattern[1]}", annotation)

    def check_running(self) -> None:
        """A coroutine that runs has its variables on a thread's stack, and nowhere else."""
        with open(os.path.join(self.folder, "python"), encoding="utf-8") as file:
            arguments = [file.read().strip(), os.path.join(self.folder, "core")]
        (found,) = gdb(arguments, ["py-heap-find __main__.Loop --json"])
        (loop,) = document(found)["objects"]
        (reply,) = gdb(arguments, [f"py-heap-locals {loop['address']} 0 --json"])
        (path,) = document(reply)["paths"]
        equal("function", path["root"]["function"], "main")
        equal("on a stack", path["root"]["thread"] is not None, True)
        equal("variable", [s["label"] for s in path["steps"]], ["local 'loop'"])


class StackChecks(Checks):
    """Of a program with stacks of every sort, maybe in several interpreters."""

    def __init__(self, walk: str, folder: str, truth: Truth, image: str) -> None:
        super().__init__(walk, folder, truth, image)
        self.numbers = truth.interpreters
        self.commands = list(_STACK_COMMANDS)
        for command in _INTERPRETER_COMMANDS:
            # Up to 3.8 nothing says which object is whose.
            if "frames" in command or truth.collectors or len(self.numbers) == 1:
                self.commands += [command.format(number=n) for n in self.numbers]
        self.session = Session(folder, self.commands, {}, [])

    def check_suspended(self) -> None:
        """With --suspended, all that is suspended is there too."""
        found = self.session.document("py-heap-frames --locals --suspended")
        theirs = collections.Counter(self.truth.frames)
        ours = self.stacks(found)
        equal("suspended: missing", theirs - ours, {})
        equal("suspended: extra", ours - theirs, {})
        text = self.text("py-heap-frames --locals --suspended")
        for address in {r[1] for r in self.truth.frames if r[0] == "suspended"}:
            match(rf"(?m)^(greenlet|) +0x{address} ", text)

    def check_headings(self) -> None:
        """Each interpreter has its heading, if there are several; with its threads."""
        text = self.text("py-heap-frames --locals")
        headings = re.findall(r"(?m)^interpreter (\d+)", text)
        equal("headings", headings, self.numbers if len(self.numbers) > 1 else [])
        for number, part in zip(headings, re.split(r"(?m)^interpreter .*\n", text)[1:]):
            equal(f"threads of {number}", part, self.alone(number).partition("\n")[2])

    def alone(self, number: str) -> str:
        """What a person reads of one interpreter."""
        return self.text(f"py-heap-frames --locals --interpreter {number}")

    def check_threads_of_each(self) -> None:
        """--interpreter leaves the stacks of one."""
        for number in self.numbers:
            command = f"py-heap-frames --locals --interpreter {number}"
            ours = self.stacks(self.session.document(command))
            kinds = ("thread", "frame", "local")
            theirs = collections.Counter(
                r for r in self.truth.frames if r[0] in kinds and r[1] == number
            )
            ours = collections.Counter(r for r in ours.elements() if r[0] in kinds)
            equal(command, ours, theirs)

    def check_types_of_each(self) -> None:
        """--interpreter counts what its collector tracks, and finds it."""
        own = self.truth.own
        for number in self.truth.collectors:
            tracked = self.truth.collectors[number] - own
            theirs = collections.Counter(self.truth.objects[a].type for a in tracked)
            command = f"py-heap-types --limit 0 --interpreter {number}"
            found = self.session.document(command)
            ours = {row["type"]: row["count"] for row in found["types"]}
            for type in {self.truth.objects[address].type for address in own}:
                theirs.pop(type, None)
                ours.pop(type, None)
            equal(command, ours, dict(theirs))
            match(rf"(?m), of interpreter {number}$", self.text(command))
            command = f"py-heap-find dict --limit 0 --interpreter {number}"
            dicts = self.session.document(command)["objects"]
            addresses = {bare(row["address"]) for row in dicts} - own
            theirs_of_type = {
                a for a in tracked if self.truth.objects[a].type == "dict"
            }
            equal(command, addresses, theirs_of_type)

    def check_info(self) -> None:
        """The interpreters are named with what they track."""
        info = self.session.document("py-heap-info")
        text = self.text("py-heap-info")
        numbers = [str(row["id"]) for row in info["interpreters"]]
        equal("interpreters", numbers, self.numbers)
        equal(
            "rows", len(re.findall(r"(?m)^interpreter \d", text)) > 0, len(numbers) > 1
        )


class GarbageChecks(Checks):
    """Of the program with garbage: paths, cycles, what the collector would find, leaks."""

    _NAMES = {
        "kept": "kept",
        "kept_cycle": "kept.below",
        "start": "hanging.start",
        "middle": "hanging.middle",
        "end": "hanging.end",
        "ring": "ring.0",
    }

    def __init__(self, walk: str, folder: str, truth: Truth, image: str) -> None:
        super().__init__(walk, folder, truth, image)
        named = {name.partition("#")[0]: a for name, a in truth.expected.items()}
        self.named = {word: named[name] for word, name in self._NAMES.items()}
        words = {word: f"0x{address}" for word, address in self.named.items()}
        self.commands = list(_GARBAGE_COMMANDS)
        self.session = Session(folder, self.commands, words, [])
        objects = truth.objects
        self.everything = {a: addresses(o.joined) for a, o in objects.items()}
        self.tracked = {a: self.everything[a] for a in truth.tracked()}
        self.garbage = truth.collected["garbage"]

    def nodes(self, path: Dict[str, Any]) -> List[str]:
        """The addresses of a path, each of which refers to the next, as the collector sees it."""
        found = [bare(path["root"]["address"])]
        for step in path["steps"]:
            address = bare(step["address"])
            if not step["extra"] and address not in self.everything[found[-1]]:
                raise AssertionError(f"{found[-1]} does not refer to {address}")
            found.append(address)
        return found

    def distance(self, start: str, end: str) -> int:
        """How many references it is from one object to another; more than there are if it is no way."""
        found, newest, steps = {start}, {start}, 0
        while end not in found:
            if not newest:
                return len(self.everything)
            newest = {r for a in newest for r in self.everything[a]} - found
            found |= newest
            steps += 1
        return steps

    def path(self, command: str) -> List[str]:
        """The only path that a command says."""
        (path,) = self.session.document(command)["paths"]
        return self.nodes(path)

    def check_paths(self) -> None:
        """The same shortest path is found in every way to ask, and read in text."""
        start, end = self.named["start"], self.named["end"]
        commands = (
            "py-heap-path {start} {end}",
            "py-heap-path (void *) {start}, {end} + 0",
            "py-heap-chain {end} --to {start}",
            "py-heap-chain {start} --to {end} --forward",
        )
        for command in commands:
            found = self.path(command)
            equal(command, (found[0], found[-1]), (start, end))
            equal(command, len(found) - 1, self.distance(start, end))
            for address in found:
                match(f"0x{address}", self.text(command))
        labels = re.findall(r"(?m)^  -> .*  (\S+)$", self.text(commands[0]))
        found_labels = [
            s["label"] for s in self.session.document(commands[0])["paths"][0]["steps"]
        ]
        equal("labels", labels, found_labels)

    def check_modules(self) -> None:
        """What a module keeps is reached from there; garbage is not."""
        (path,) = self.session.document("py-heap-chain {kept}")["paths"]
        equal("root", path["root"]["kind"], "module")
        equal("root", path["root"]["annotation"], "module __main__")
        equal("end", self.nodes(path)[-1], self.named["kept"])
        match(r"<- module __main__ ", self.text("py-heap-chain {kept}"))

    def check_no_paths(self) -> None:
        """That there is no path is an answer."""
        nowhere = {
            "py-heap-chain {end}": "no path from a module of sys.modules",
            "py-heap-chain {kept_cycle} --to frame": "no path from a frame",
            "py-heap-chain {end} --to {start} --max-depth 6": "within 6 references",
            "py-heap-chain {end} --to {start} --ignore dict,li*": "no path from 0x",
            "py-heap-chain {end} --to NoSuchType": r"\(there are none",
            "py-heap-path {end} {start}": "no path to 0x",
            "py-heap-cycle {middle}": "in no cycle",
        }
        for command, words in nowhere.items():
            equal(command, self.session.document(command)["paths"], [])
            match(words, self.text(command))

    def check_type(self) -> None:
        """An object may be what is looked for itself."""
        equal(
            "itself", self.path("py-heap-chain {end} --to Named"), [self.named["end"]]
        )
        match("itself", self.text("py-heap-chain {end} --to Named"))

    def check_cycle(self) -> None:
        """A cycle is a path back."""
        start = self.named["start"]
        found = self.path("py-heap-cycle {start}")
        equal("cycle", (found[0], found[-1]), (start, start))
        around = min(self.distance(r, start) for r in self.everything[start])
        equal("cycle", len(found) - 1, around + 1)

    def components(self, found: List[Dict[str, Any]]) -> Set["restated.Component"]:
        """The components of a document, each of which is shown with a cycle of it."""
        parts = set()
        for component in found:
            part = frozenset(map(bare, component["objects"]))
            equal("count", component["count"], len(part))
            types = {row["type"]: row["count"] for row in component["types"]}
            theirs = collections.Counter(self.truth.objects[a].type for a in part)
            equal("types", types, dict(theirs))
            equal("garbage", component["garbage"], part <= self.garbage)
            nodes = self.nodes(component["cycle"])
            equal("cycle", (nodes[0] == nodes[-1], len(nodes) > 1), (True, True))
            equal("cycle", set(nodes) <= part, True)
            parts.add(part)
        return parts

    def check_cycles(self) -> None:
        """All strongly connected components, the largest first."""
        found = self.session.document("py-heap-cycles")
        theirs = restated.cycles(self.tracked)
        equal("components", self.components(found["components"]), theirs)
        equal("total", found["total"], len(theirs))
        equal("objects", found["objects"], sum(map(len, theirs)))
        counts = [component["count"] for component in found["components"]]
        equal("order", counts, sorted(counts, reverse=True))
        text = self.text("py-heap-cycles")
        ring = next(part for part in theirs if self.named["ring"] in part)
        match(rf"(?m)^{len(ring)} objects, [\d ]+ bytes, garbage: 10 ", text)
        match(rf"(?m)^{len(theirs)} strongly connected components: ", text)
        match("--limit 0 shows all", text)
        by_size = self.session.document("py-heap-cycles --by size --limit 3")
        sizes = [component["size"] for component in by_size["components"]]
        every = [component["size"] for component in found["components"]]
        equal("by size", sizes, sorted(every, reverse=True)[:3])
        whole = self.session.document("py-heap-cycles --all --limit 1")
        equal("all", whole["components"][0]["count"] >= counts[0], True)

    def check_garbage(self) -> None:
        """What gc.collect() found, with its finalizers; gc.garbage."""
        found = self.session.document("py-heap-garbage")
        ours = {bare(object["address"]) for object in found["objects"]}
        equal("garbage", ours, self.garbage)
        for flag in ("finalizer", "finalized", "legacy"):
            flagged = {bare(o["address"]) for o in found["objects"] if o[flag]}
            if flag in self.truth.collected:
                equal(flag, flagged, self.truth.collected[flag])
        types = {row["type"]: row["count"] for row in found["types"]}
        theirs = collections.Counter(self.truth.objects[a].type for a in self.garbage)
        equal("types", types, dict(theirs))
        saved = {bare(node["address"]) for node in found["saved"]}
        equal("gc.garbage", saved, self.truth.collected["saved"])
        equal("exact", found["exact"], True)
        same = self.session.document("py-heap-garbage --interpreter 0")
        equal("of interpreter 0", same["objects"], found["objects"])
        text = self.text("py-heap-garbage")
        match(rf"(?m)would find {len(ours)} objects of {len(types)} types", text)
        match(rf"(?m)^{len(saved)} objects in gc\.garbage$", text)

    def check_key_cycles(self) -> None:
        """The components of garbage that no other garbage refers to."""
        found = self.session.document("py-heap-garbage")
        graph = restated.induced(self.tracked, self.garbage)
        ours = self.components(found["key_cycles"])
        equal("key cycles", ours, restated.source_components(graph))
        equal("cycles", found["components"], len(restated.cycles(graph)))
        every = self.text("py-heap-garbage --limit 0")
        match(
            rf"(?m)^{len(ours)} key cycles, .* of {found['components']} cycles", every
        )
        equal("no cut", "--limit 0" in every, False)

    def check_leaks(self) -> None:
        """objgraph's get_leaking_objects(); what C holds is without any holder."""
        found = self.session.document("py-heap-leaks")
        ours = {bare(object["address"]) for object in found["objects"]}
        equal("leaks", ours, restated.without_referrer(self.tracked))
        unheld = {bare(o["address"]) for o in found["objects"] if o["unheld"]}
        named = {a for n, a in self.truth.expected.items() if n.startswith("counted#")}
        equal("counted by C", named <= unheld, True)
        (only,) = self.session.document("py-heap-leaks Named")["objects"]
        equal("Named", {bare(only["address"])}, named)
        match(rf"(?m)^{len(ours)} tracked objects to which", self.text("py-heap-leaks"))


def main() -> int:
    """Runs every check, and says which fail."""
    walk, folder = sys.argv[1:]
    folder = os.path.normpath(folder)
    kinds = {
        "worker": WorkerChecks,
        "cache": CacheChecks,
        "tasks": TaskChecks,
        "garbage": GarbageChecks,
    }
    kind = kinds.get(os.path.basename(folder), StackChecks)
    with tempfile.TemporaryDirectory() as temporary:
        truth = Truth(os.path.join(folder, "truth"))
        checks = kind(walk, folder, truth, os.path.join(temporary, "out.svg"))
        count, failed = run(checks)
    print(f"{count} checks, {len(checks.session.replies)} commands, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
