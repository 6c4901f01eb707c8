# SPDX-License-Identifier: Apache-2.0
"""The pictures that gdb draws of a core of drawn.py, compared with what objgraph drew.

    python3 tests/pictures_check.py build/cores/INTERPRETER/drawn

Each check is a method of `Checks`. Both sides' DOT is read by Graphviz. Where objgraph is
not installed for the interpreter, it has drawn nothing and is not compared with.
"""

import collections
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

from checks import run
from gdbrun import Reply, gdb
from truthfile import Truth

_HOSTILE = r'Evil"\\N</table>&lt;b&gt;{x|y}\nline\u202elong'  # as libwalk shows it
_SVG = "{http://www.w3.org/2000/svg}"
_SIDES = "py-heap-ancestors 0x{session} 2 --image"
# Commands that draw paths, by the names of their pictures.
_PATHS = {
    "chain-up": "py-heap-chain 0x{session} --to frame",
    "chain-down": "py-heap-chain 0x{pool} --to Closing --forward",
    "path": "py-heap-path 0x{pool} 0x{session}",
    "cycle": "py-heap-cycle 0x{session}",
    "cycles": "py-heap-cycles --limit 3",
}
_HANGS = "#!/bin/sh\nsleep 600 &\nwait\n"
_FAILS = "#!/bin/sh\necho 'no such plugin' >&2\nexit 3\n"
_SHOWS = '#!/bin/sh\nprintf %s "$1" >"$0.shown"\n'


class Node(NamedTuple):
    """A node of a picture."""

    lines: List[str]
    look: Dict[str, str]

    @property
    def classes(self) -> Set[str]:
        """What ours says that it is."""
        return set(self.look.get("class", "").split())


class Picture:
    """The nodes by address, the arrows from holder to referent, and what goes with a node."""

    def __init__(self, text: str, name: str) -> None:
        run = subprocess.run(
            ["osage", "-Tdot_json"],
            input=text,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        found = json.loads(run.stdout)
        self.nodes: Dict[str, Node] = {}
        self.arrows: Dict[Tuple[str, str], Dict[str, str]] = {}
        self.more: Dict[str, int] = {}
        self.finalizers: Set[str] = set()
        self.cut = ""
        names: Dict[int, str] = {}
        for row in found["objects"]:
            address = names[row["_gvid"]] = self._address(row["name"], name)
            label = row["label"].replace("&amp;", "&")
            if row["name"] == "cut":
                self.cut = label
            elif "more" in label and "too_many" in row["name"] + row.get("class", ""):
                self.more[address] = int(label.split()[0])
            elif row.get("class") == "more":
                self.more[address] = int(re.sub(r"\D", "", label))
            elif label == "__del__":
                self.finalizers.add(address)
            else:
                self.nodes[address] = Node(label.split("\\n"), row)
        for row in found.get("edges", ()):
            ends = names[row["tail"]], names[row["head"]]
            if ends[0] != ends[1]:
                self.arrows[ends] = row

    @staticmethod
    def _address(name: str, form: str) -> str:
        digits = re.sub(r"too_many_|_has_a_del|more_|del_", "", name)[1:]
        if not re.fullmatch("[0-9a-f]+", digits):
            return name
        return f"{int(digits, 10 if form == 'objgraph' else 16):x}"


class Drawn(NamedTuple):
    """A call of objgraph, and what it drew."""

    start: str
    options: Dict[str, Any]
    picture: Picture

    @property
    def up(self) -> bool:
        """Whether it is show_backrefs."""
        return not self.options.get("forward")


def equal(what: str, found: object, expected: object) -> None:
    """Fails unless two things are equal."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def program(folder: str, name: str, text: str) -> str:
    """A folder for PATH with one program in it."""
    path = os.path.join(folder, f"{name}-{abs(hash(text)) % 1000}")
    os.makedirs(path)
    file = os.path.join(path, name)
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(file, stat.S_IRWXU)
    return path


class Checks:
    """One gdb session, all pictures."""

    def __init__(self, folder: str, scratch: str) -> None:
        self.truth = Truth(os.path.join(folder, "truth"))
        self.scratch, self.names = scratch, dict(self.truth.expected)
        self.drawn = list(self._drawn(os.path.join(folder, "drawn")))
        with open(os.path.join(folder, "python"), encoding="utf-8") as file:
            python = file.read().strip()
        self.replies: Dict[str, Reply] = {}
        replies = gdb([python, os.path.join(folder, "core")], self._commands())
        self.replies = {reply.command: reply for reply in replies}

    def _drawn(self, path: str) -> Iterator[Drawn]:
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, options, text = json.loads(line)
                start = text.split("\n")[2].strip(" o").partition("[")[0]
                self.names[name] = f"{int(start):x}"
                yield Drawn(self.names[name], options, Picture(text, "objgraph"))

    def file(self, name: str) -> str:
        """A file of ours."""
        return os.path.join(self.scratch, name)

    def command(self, place: int, drawn: Drawn) -> str:
        """What is asked for objgraph's call."""
        options, words = drawn.options, []
        words.append(f"--too-many {options.get('too_many', 10)}")
        for kind in ("filter", "highlight"):
            words += [f"--{kind} {name}" for name in options.get(kind, ())]
        ignored = [f"0x{self.names[name]}" for name in options.get("extra_ignore", ())]
        words += [f"--ignore {','.join(ignored)}"] if ignored else []
        words += ["--refcounts"] if options.get("refcounts") else []
        words += ["--longnames"] if options.get("shortnames") is False else []
        which = "ancestors" if drawn.up else "descendants"
        image = f"--image {self.file(f'{place}.dot')}"
        depth = options.get("max_depth", 3)
        return f"py-heap-{which} 0x{drawn.start} {depth} {' '.join(words)} {image}"

    def _commands(self) -> List[str]:
        found = [self.command(*pair) for pair in enumerate(self.drawn)]
        found += [
            f"{self.side} {self.file(name)}" for name in ("a.svg", "a.png", "a.pdf")
        ]
        found.append(f"{self.side} {self.file('a.dot')}")
        found.append(f"{self.side} {self.file('a.json')} --longnames")
        found.append(f"{self.side} {self.file('short.dot')} --shortnames")
        found += [f"{self.side} {self.file('n.dot')} --no-legend --extra-info none"]
        found += [f"{self.side} {self.file('i.dot')} --extra-info size,tracked,type"]
        found += [f"{self.side} {self.file('f.dot')} --filter dict,frame"]
        found += [
            f"{self.side} {self.file('x.dot')} --ignore list,0x{self.names['pool']}"
        ]
        found += [f"{self.side} {self.file('h.dot')} --highlight '*Pool'"]
        found += [f"{self.side} {self.file('a.gif')}"]
        found += [f"{self.side} {self.file('b.dot')} --longnames --shortnames"]
        found += [f"{self.side} {self.file('b.dot')} --extra-info weight"]
        found.append(
            f"py-heap-why 0x{self.names['session']} --image {self.file('w.dot')}"
        )
        found.append(
            f"py-heap-why 0x{self.names['session']} --json --image {self.file('j.dot')}"
        )
        found += [
            f"{command.format(**self.names)} --json --image {self.file(name + '.dot')}"
            for name, command in _PATHS.items()
        ]
        found += [
            f"py-heap-descendants 0x{self.names['pool']} 2 --too-many 0 --image"
            f" {self.file('d.svg')}",
            f"py-heap-descendants 0x{self.names['pool']} 9 --too-many 0 --image"
            f" {self.file('cut.dot')}",
            f"py-heap-descendants 0x{self.names['pool']} 9 --too-many 0 --image"
            f" {self.file('cut.svg')}",
        ]
        found += self._elsewhere("nothing", self.scratch, "nothing.svg")
        hangs = program(self.scratch, "dot", _HANGS)
        found.append("python import pyheap.picture; pyheap.picture.SECONDS = 0.5")
        found += self._elsewhere("hangs", hangs, "hangs.svg")
        found += self._elsewhere(
            "fails", program(self.scratch, "dot", _FAILS), "fails.svg"
        )
        self.shows = program(self.scratch, "xdot", _SHOWS)
        found.append("python import os; os.environ['DISPLAY'] = ':9'")
        found += self._elsewhere("shows", self.shows, "")
        found.append(
            "python os.environ.pop('DISPLAY'); os.environ.pop('WAYLAND_DISPLAY', 0)"
        )
        found += self._elsewhere("none", f"{self.shows}:/usr/bin:/bin", "")
        return found

    @property
    def side(self) -> str:
        """The command that most options are tried on."""
        return _SIDES.format(**self.names)

    def _elsewhere(self, name: str, path: str, file: str) -> List[str]:
        """Commands that draw with another PATH."""
        folder = self.file(f"in-{name}")
        os.makedirs(folder)
        drawn = os.path.join(folder, file) if file else ""
        image = (
            f"{self.side} {drawn} --ignore {name}"
            if file
            else f"{self.side} --ignore {name}"
        )
        return [
            f"python import os, tempfile; os.environ['PATH'] = {path + ':/bin'!r}"
            f" if {name!r} != 'nothing' else {path!r}; tempfile.tempdir = {folder!r}",
            image,
        ]

    def reply(self, words: str) -> Reply:
        """The reply to the one command with these words."""
        (found,) = (r for command, r in self.replies.items() if words in command)
        return found

    def picture(self, name: str) -> Picture:
        """A .dot file of ours."""
        with open(self.file(name), encoding="utf-8") as file:
            return Picture(file.read(), "ours")

    # ---- objgraph -----------------------------------------------------------------------

    def pairs(self) -> Iterator[Tuple[Drawn, Picture, Picture]]:
        """What objgraph drew, and ours, restricted to what objgraph can see, and whole."""
        for place, drawn in enumerate(self.drawn):
            whole = self.picture(f"{place}.dot")
            yield drawn, self.restricted(drawn, whole), whole

    def is_seen(self, address: str, drawn: Drawn) -> bool:
        """Whether objgraph can come to a node: upwards only to what is tracked."""
        object = self.truth.objects.get(address)
        return object is not None and (object.tracked or not drawn.up)

    def restricted(self, drawn: Drawn, whole: Picture) -> Picture:
        """Ours without frames, threads and what is not tracked, and what only these lead to."""
        links: Dict[str, List[str]] = collections.defaultdict(list)
        for (tail, head), look in whole.arrows.items():
            near, far = (head, tail) if drawn.up else (tail, head)
            if "extra" not in look.get("class", "").split() and self.is_seen(
                far, drawn
            ):
                links[near].append(far)
        depth, queue = {drawn.start: 0}, [drawn.start]
        arrows = {}
        for near in queue:
            if depth[near] == drawn.options.get("max_depth", 3):
                continue
            for far in links[near]:
                ends = (far, near) if drawn.up else (near, far)
                arrows[ends] = whole.arrows[ends]
                if far not in depth:
                    depth[far] = depth[near] + 1
                    queue.append(far)
        found = Picture("digraph {n0}", "ours")
        found.nodes = {address: whole.nodes[address] for address in depth}
        found.arrows = arrows
        found.finalizers = whole.finalizers & set(depth)
        return found

    def check_same_nodes_and_arrows(self) -> None:
        """Depth, filter, ignored addresses, modules: by the sets."""
        for drawn, ours, _ in self.pairs():
            if drawn.picture.more:
                continue  # which are left out is a matter of order
            what = f"{drawn.options}"
            equal(f"{what}: nodes", set(ours.nodes) ^ set(drawn.picture.nodes), set())
            equal(
                f"{what}: arrows", set(ours.arrows) ^ set(drawn.picture.arrows), set()
            )

    def check_same_numbers_of_more(self) -> None:
        """Too many: as many are drawn, and all others counted."""
        for drawn, _, whole in self.pairs():
            limit = drawn.options.get("too_many", 10)
            for address, number in drawn.picture.more.items():
                if address != drawn.start:
                    continue
                unseen = self.unseen(address) if drawn.up else 0
                equal(f"{drawn.options}: more", whole.more[address], number + unseen)
                side = 1 if drawn.up else 0
                shown = [ends for ends in whole.arrows if ends[side] == address]
                equal("shown", len(shown), limit)
        for _, ours, whole in self.pairs():
            if not whole.more:
                equal("more of nothing", _.picture.more, {})

    def unseen(self, address: str) -> int:
        """How many holders objgraph cannot see: those that all are not tracked."""
        place = next(
            place
            for place, drawn in enumerate(self.drawn)
            if drawn.start == address
            and drawn.options == {"max_depth": 3, "too_many": 100}
        )
        whole = self.picture(f"{place}.dot")
        holders = {tail for tail, head in whole.arrows if head == address}
        return len(
            {holder for holder in holders if not self.is_seen(holder, self.drawn[0])}
        )

    def check_same_finalizers(self) -> None:
        """`__del__` of a class or its bases."""
        for drawn, ours, _ in self.pairs():
            if not drawn.picture.more:
                equal(f"{drawn.options}", ours.finalizers, drawn.picture.finalizers)

    def check_same_colours(self) -> None:
        """By depth, of modules, of what is highlighted; the start is red."""
        for drawn, ours, _ in self.pairs():
            for address in set(ours.nodes) & set(drawn.picture.nodes):
                if "frame" in ours.nodes[address].classes:
                    continue
                colours = [
                    [float(part) for part in node.look["fillcolor"].split(",")]
                    for node in (ours.nodes[address], drawn.picture.nodes[address])
                ]
                near = all(abs(a - b) < 0.001 for a, b in zip(*colours))
                equal(f"{drawn.options}: {address}: {colours}", near, True)
                fonts = [
                    picture.nodes[address].look.get("fontcolor")
                    for picture in (ours, drawn.picture)
                ]
                equal(f"{drawn.options}: {address}: font", *fonts)

    def check_same_names(self) -> None:
        """Types with and without modules, reference counts."""
        for drawn, ours, _ in self.pairs():
            for address in set(ours.nodes) & set(drawn.picture.nodes):
                mine, theirs = (
                    ours.nodes[address].lines,
                    drawn.picture.nodes[address].lines,
                )
                if theirs[0].split()[0].rpartition(".")[2] in (
                    "Session",
                    "Closing",
                    "Pool",
                ):
                    equal(f"{drawn.options}", mine[0], theirs[0].split()[0])

    def check_same_refcounts(self) -> None:
        """But for what objgraph itself adds, told by a list that one object refers to."""
        for drawn, ours, _ in self.pairs():
            if drawn.options.get("refcounts"):
                rows = {a: node.lines for a, node in drawn.picture.nodes.items()}
                counts = {a: re.search(r"\[(\d+)\]$", rows[a][0]) for a in rows}
                theirs = {a: int(found[1]) for a, found in counts.items() if found}
                (once,) = {theirs[a] for a in theirs if rows[a][1] == "1 items"}
                compared = set(ours.nodes) & set(theirs) - set(self.names.values())
                for address in compared:
                    if ours.nodes[address].lines[0].startswith(("list", "Session")):
                        count = f"refcount {theirs[address] - once + 1}"
                        equal(address, ours.nodes[address].lines[1], count)

    # ---- ours alone ---------------------------------------------------------------------

    def check_no_errors(self) -> None:
        """But where one is to be."""
        for command, reply in self.replies.items():
            if not any(word in command for word in ("a.gif", "b.dot", "fails.svg")):
                equal(f"{command}: errors", reply.errors, "")

    def check_formats(self) -> None:
        """By the file's name."""
        starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
        for extension, start in starts.items():
            with open(self.file(f"a.{extension}"), "rb") as file:
                equal(extension, file.read(len(start)), start)
            said = self.reply(f"a.{extension}").output
            equal(
                extension,
                said.startswith(f"wrote {self.file('a.' + extension)}: "),
                True,
            )
        with open(self.file("a.json"), encoding="utf-8") as stream:
            graph = json.load(stream)
        picture = self.picture("a.dot")
        ids = {f"{vertex['id']:x}" for vertex in graph["vertices"]}
        equal("json: vertices", ids, set(picture.nodes))
        ends = {(f"{edge['tail']:x}", f"{edge['head']:x}") for edge in graph["edges"]}
        equal("json: edges", ends, set(picture.arrows))

    def check_frame_and_thread(self) -> None:
        """The local variable that holds the session is drawn first, and as a frame."""
        picture = self.picture("a.dot")
        whose = next(
            (tail, look)
            for (tail, head), look in picture.arrows.items()
            if look["label"].strip() == "local 'job'"
        )
        node = picture.nodes[whose[0]]
        equal("frame", (node.look["shape"], node.classes), ("note", {"frame", "root"}))
        equal(
            "frame", bool(re.match(r"frame drawn.py:\d+ serve$", node.lines[0])), True
        )
        seen = self.truth.version < 0x030B0000  # a frame object, which is visited
        equal("extra", whose[1].get("style"), None if seen else "dashed")
        shapes = {n.look.get("shape") for n in picture.nodes.values()}
        equal("shapes", shapes - {"box", "note", "octagon", None}, set())

    def check_extra_info(self) -> None:
        """Address, size, tracked, type, none."""
        start = self.names["session"]
        equal("none", self.picture("n.dot").nodes[start].lines, ["Closing"])
        size = self.truth.objects[start].size
        lines = self.picture("i.dot").nodes[start].lines
        equal(
            "size", lines, ["Closing", f"{size} bytes", "tracked", "__main__.Closing"]
        )
        equal("address", self.picture("a.dot").nodes[start].lines[1], f"0x{start}")
        same = [self.picture(name).nodes for name in ("a.dot", "short.dot")]
        equal(
            "--shortnames is the default",
            *[{a: n.lines for a, n in s.items()} for s in same],
        )

    def check_filter_ignore_highlight(self) -> None:
        """What is drawn is of the types, or is not."""
        start = self.names["session"]
        kept = self.picture("f.dot").nodes
        kinds = {
            re.split(r"[ \[]", n.lines[0])[0] for a, n in kept.items() if a != start
        }
        equal("--filter", kinds, {"dict", "frame"})
        left = self.picture("x.dot").nodes
        equal("--ignore: address", self.names["pool"] in left, False)
        kinds = {re.split(r"[ \[]", node.lines[0])[0] for node in left.values()}
        equal("--ignore: type", ("list" in kinds, "dict" in kinds), (False, True))
        blue = self.picture("h.dot").nodes
        marked = {a for a, n in blue.items() if "highlight" in n.classes}
        equal("--highlight", marked, {self.names["pool"]} & set(blue))

    def check_legend(self) -> None:
        """Of what is drawn, and of nothing else."""
        with open(self.file("a.svg"), encoding="utf-8") as file:
            text = file.read()
        for words in (
            "what was asked about",
            "frame of a function",
            "more than are drawn",
        ):
            equal(words, words in text, True)
        equal("interpreter", "interpreter" in text, False)
        with open(self.file("n.dot"), encoding="utf-8") as file:
            equal("--no-legend", "asked about" in file.read(), False)

    def check_hostile_name(self) -> None:
        """It is text, and no markup, in a picture that is well formed."""
        root = xml.etree.ElementTree.parse(self.file("d.svg")).getroot()
        texts = {node.text or "" for node in root.iter(f"{_SVG}text")}
        whole = [text for text in texts if text.startswith(_HOSTILE)]
        equal("hostile name", len(whole) > 0, True)
        equal("cut", max(len(text) for text in texts) <= 80, True)
        equal("\u202e", any("\u202e" in text for text in texts), False)

    def check_cut(self) -> None:
        """A picture is cut, a .dot file is not; what is left out is counted."""
        whole = self.picture("cut.dot")
        equal("whole", whole.cut, "")
        root = xml.etree.ElementTree.parse(self.file("cut.svg")).getroot()
        texts = [node.text or "" for node in root.iter(f"{_SVG}text")]
        (mark,) = [text for text in texts if re.match("… [0-9  ]+ more object", text)]
        (nodes,) = [
            sum(
                1 for g in root.iter(f"{_SVG}g") if "node" in g.get("class", "").split()
            )
        ]
        others = sum(1 for text in texts if text == mark or text == "__del__")
        left = int(re.sub(r"\D", "", mark.partition("more object")[0]))
        equal("all are counted", left + nodes - others, len(whole.nodes))
        said = self.reply("cut.svg").output
        equal(said, "would be too many to draw" in said, True)

    def check_why(self) -> None:
        """A path is drawn from its root to the object."""
        picture = self.picture("w.dot")
        text = self.reply("w.dot").output.splitlines()
        equal("nodes", len(picture.nodes), len(text) - 1)
        found = json.loads(self.reply("j.dot").output)
        equal("image", found["image"], self.file("j.dot"))
        (path,) = found["paths"]
        equal("labels", len(picture.arrows), len(path["steps"]))

    def check_chain(self) -> None:
        """What is drawn of a chain, up and down, is what the answer says."""
        up, down = self.same_as_answer("chain-up"), self.same_as_answer("chain-down")
        session = self.names["session"]
        equal("up", {head for _, head in up} - {tail for tail, _ in up}, {session})
        equal("down", {head for _, head in down} - {t for t, _ in down}, {session})

    def check_path(self) -> None:
        """A path from one object down to another."""
        arrows = self.same_as_answer("path")
        tails, heads = {tail for tail, _ in arrows}, {head for _, head in arrows}
        ends = self.names["pool"], self.names["session"]
        equal("ends", (*(tails - heads), *(heads - tails)), ends)

    def check_cycle(self) -> None:
        """A cycle through an object: each of its nodes refers to one, and is referred to."""
        arrows = self.same_as_answer("cycle")
        equal("closed", {tail for tail, _ in arrows}, {head for _, head in arrows})
        equal("through", any(self.names["session"] in ends for ends in arrows), True)

    def check_cycles(self) -> None:
        """A cycle of each component."""
        arrows = self.same_as_answer("cycles")
        equal("closed", {tail for tail, _ in arrows}, {head for _, head in arrows})

    def same_as_answer(self, name: str) -> Set[Tuple[str, str]]:
        """Fails unless nodes, arrows and labels are those of --json; the arrows."""
        answer = json.loads(self.reply(f"{name}.dot").output)
        equal("image", answer["image"], self.file(f"{name}.dot"))
        components = answer.get("components", ())
        paths = answer.get("paths") or [c["cycle"] for c in components if c["cycle"]]
        nodes: Set[str] = set()
        labels: Dict[Tuple[str, str], List[str]] = collections.defaultdict(list)
        for path in paths:
            tail = path["root"]["address"][2:]
            nodes.add(tail)
            for step in path["steps"]:
                head = step["address"][2:]
                nodes.add(head)
                if tail != head:  # `Picture` has none of these
                    labels[tail, head].append(step["label"])
                tail = head
        picture = self.picture(f"{name}.dot")
        drawn = {
            ends: [label.strip() for label in look["label"].split("\\n")]
            for ends, look in picture.arrows.items()
        }
        equal(f"{name}: nodes", set(picture.nodes), nodes)
        equal(f"{name}: arrows", drawn, dict(labels))
        equal(f"{name}: something", bool(labels), True)
        return set(labels)

    def check_errors(self) -> None:
        """One line that says what to do."""
        for words, pattern in (
            ("a.gif", "its name must end in one of .svg, .png, .pdf, .dot, .json$"),
            ("--longnames --shortnames", "give one of them$"),
            ("weight", "'weight' is not one of address, size, tracked, type, none$"),
        ):
            reply = self.reply(words)
            equal(words, reply.output, "")
            equal(reply.errors, bool(re.search(pattern, reply.errors.strip())), True)

    def left(self, name: str) -> List[str]:
        """The files that a command with another PATH left."""
        return sorted(os.listdir(self.file(f"in-{name}")))

    def check_without_graphviz(self) -> None:
        """The .dot file, and the package's name."""
        equal("files", self.left("nothing"), ["nothing.dot"])
        said = self.reply("nothing.svg").output
        equal(said, "nothing.dot instead: " in said and "`graphviz`" in said, True)

    def check_graphviz_that_hangs(self) -> None:
        """It and what it started are killed."""
        equal("files", self.left("hangs"), ["hangs.dot"])
        said = self.reply("hangs.svg").output
        equal(said, "took more than 0.5 s and was killed" in said, True)

    def check_graphviz_that_fails(self) -> None:
        """The .dot file is kept, and the reason said."""
        equal("files", self.left("fails"), ["fails.dot"])
        said = self.reply("fails.svg").errors
        equal(said, "failed with status 3: no such plugin; wrote " in said, True)

    def check_shown(self) -> None:
        """By xdot, if there is a display; else as a temporary picture."""
        (file,) = self.left("shows")
        equal("xdot", file.endswith(".dot"), True)
        with open(os.path.join(self.shows, "xdot.shown"), encoding="utf-8") as stream:
            equal("xdot", stream.read(), os.path.join(self.file("in-shows"), file))
        (file,) = self.left("none")
        path = os.path.join(self.file("in-none"), file)
        equal("png", (file[-4:], os.path.getsize(path) > 1000), (".png", True))
        equal("mode", stat.S_IMODE(os.stat(path).st_mode), 0o600)
        said = self.reply("--ignore none").output
        equal(said, said.startswith(f"wrote {path}: "), True)


def main() -> int:
    """Runs every check, and says which fail."""
    (folder,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        checks = Checks(os.path.normpath(folder), scratch)
        count, failed = run(checks)
    compared = f"{len(checks.drawn)} drawings of objgraph"
    print(f"{count} checks, {compared}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
