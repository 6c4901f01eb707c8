# SPDX-License-Identifier: Apache-2.0
"""What a command is: one declaration gives the parser, the help and the manual.

A command is declared beside the function that answers it (pyheap.commands); gdb's
registration, its completion and docs/commands.md are all made from the declaration.
"""

import textwrap
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
)

from pyheap import words
from pyheap.errors import UsageError, WalkError
from pyheap.spans import Line

if TYPE_CHECKING:
    import argparse

    from pyheap.walk import Baseline, Heap, Target

# What a word of a command line stands for: decides its conversion and completion.
ADDRESS, TYPE, PATTERN, FILE, NUMBER, CHOICE, FLAG = (
    "address",
    "type",
    "pattern",
    "file",
    "number",
    "choice",
    "flag",
)


class Argument(NamedTuple):
    """One word of a command line: an option when its name starts with `--`.

    A `cut` shortens what a person reads: with --json its default is to cut nothing. An option
    that is `many` may be repeated, and has a list of all, also of those with commas between.
    A FILE that is `bare` may be left out: then the option's value is "".
    """

    name: str
    kind: str
    help: str
    default: Any = None
    required: bool = False
    choices: Tuple[str, ...] = ()
    metavar: str = ""
    cut: bool = False
    many: bool = False
    bare: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it is given by name."""
        return self.name.startswith("--")

    @property
    def key(self) -> str:
        """The name under which the parsed value is found."""
        return self.name.lstrip("-").replace("-", "_").lower()

    @property
    def shown(self) -> str:
        """How it is written in a usage line, without the brackets of the optional."""
        if not self.is_option or self.kind == FLAG:
            return self.name
        value = self.metavar or "|".join(self.choices)
        return f"{self.name} [{value}]" if self.bare else f"{self.name} {value}"


JSON = Argument("--json", FLAG, "print one JSON object on one line (docs/json.md)")


def limit(default: int, of: str) -> Argument:
    """The usual --limit."""
    text = f"show at most N {of}, 0 for all; {default} unless told"
    return Argument("--limit", NUMBER, text, default, metavar="N", cut=True)


def address(
    help: str = "the object: any expression that gdb takes", name: str = "ADDR"
) -> Argument:
    """The usual ADDR."""
    return Argument(name, ADDRESS, help, required=True)


class Question:
    """What a command may ask of its surroundings; gdb's is in pyheap.gdbside."""

    def target(self) -> "Target":
        """The selected target."""
        raise NotImplementedError

    def heap(self) -> "Heap":
        """The heap of the selected target, read now unless it is known."""
        raise NotImplementedError

    def previous(self) -> "Optional[Baseline]":
        """What is kept of the heap of an earlier stop of this session."""
        return None

    def heap_of(self, path: str) -> "Heap":
        """The heap in another file: a core, or a saved heap."""
        raise NotImplementedError

    def load(self, path: Optional[str]) -> bool:
        """Makes a saved heap that of all questions; None: no more. Whether it was so."""
        raise NotImplementedError

    def save(self, path: str, values: bool) -> None:
        """Writes the heap to a file."""
        self.heap().save(path, values)

    def known_heap(self) -> Optional["Heap"]:
        """The heap of the selected target if it was read before: none is read now."""
        return self.heap()

    def address(self, expression: str) -> int:
        """The value of an expression."""
        raise NotImplementedError

    def thread_number(self, native_id: int) -> Optional[int]:
        """The debugger's number of a thread of the target, if it has one."""
        return None

    def heap_around(self, address: int) -> "Heap":
        """A heap that knows what is one step around an address: maybe not more than that."""
        del address
        return self.heap()

    def node(self, expression: str) -> int:
        """The id of the node at an address."""
        return _looked_up(self.heap(), self.address(expression))

    def around(self, expression: str) -> Tuple["Heap", int]:
        """A heap that knows the node at an address and what is one step around it; its id there."""
        where = self.address(expression)
        heap = self.heap_around(where)
        return heap, _looked_up(heap, where)


def _looked_up(heap: "Heap", address: int) -> int:
    try:
        return heap.lookup(address)
    except WalkError as error:
        hint = "; `py-heap-find TYPE` lists the objects of a type"
        raise WalkError(f"{error}{hint}", error.code) from None


_DIGITS = 18  # of a count, so that it fits into 64 bits


class Answer:
    """What a command found, to be shown in one of two ways."""

    def document(self) -> Dict[str, Any]:
        """The answer for a program."""
        raise NotImplementedError

    def lines(self) -> Iterator[Line]:
        """The answer for a person."""
        raise NotImplementedError


class Command(NamedTuple):
    """The declaration of a command."""

    name: str
    summary: str
    description: str
    arguments: Sequence[Argument]
    answer: Callable[[Question, "argparse.Namespace"], Answer]
    example: str = ""

    @property
    def all_arguments(self) -> List[Argument]:
        """With the options that every command has."""
        return [*self.arguments, JSON]

    def usage(self) -> str:
        """The command line in one line."""
        return " ".join(
            [
                self.name,
                *(
                    a.shown if a.required else f"[{a.shown}]"
                    for a in self.all_arguments
                ),
            ]
        )

    def text(self) -> str:
        """The description in lines of a readable width."""
        return textwrap.fill(self.description, 80, break_long_words=False)

    def help(self) -> str:
        """The text of gdb's `help`; its first line is what `apropos` shows."""
        width = max(len(a.shown) for a in self.all_arguments)
        rows = [f"  {a.shown:{width}}  {a.help}" for a in self.all_arguments]
        return "\n".join(
            [self.summary, *self._usage_lines(), "", *rows, "", self.text()]
        )

    def _usage_lines(self) -> List[str]:
        """The usage in lines of a readable width, cut between arguments."""
        lines = textwrap.wrap(
            f"Usage: {self.usage()}".replace("] [", "]\n[").replace(" ", "\0"),
            88,
            subsequent_indent="\0" * len(f"Usage: {self.name} "),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [line.replace("\0", " ") for line in lines]

    def parse(self, line: str) -> "argparse.Namespace":
        """The values of a command line; UsageError when it is wrong."""
        tokens = self._with_values(words.split(line))
        expressions = [a for a in self.arguments if a.kind == ADDRESS]
        parser = self._parser(expressions)
        if not expressions:
            tokens = [words.unquote(token) for token in tokens]
        values = parser.parse_intermixed_args(tokens)
        if expressions:
            self._split_expressions(expressions, values)
        for argument in self.all_arguments:
            self._settle(argument, values)
        return values

    def _with_values(self, tokens: List[str]) -> List[str]:
        """The words of a line; a bare option gets the value "" if no file follows it."""
        bare = {a.name for a in self.arguments if a.bare}
        return [
            f"{token}=" if token in bare and not words.is_file(following) else token
            for token, following in zip(tokens, [*tokens[1:], ""])
        ]

    def _parser(self, expressions: List[Argument]) -> "argparse.ArgumentParser":
        make = _parser_class()
        parser = make(prog=self.name, add_help=False, allow_abbrev=False)
        for argument in self.all_arguments:
            if argument.kind == FLAG:
                parser.add_argument(argument.name, action="store_true")
            elif argument.is_option:
                choices = argument.choices if argument.kind == CHOICE else None
                action = "append" if argument.many else "store"
                parser.add_argument(argument.name, choices=choices, action=action)
            elif not expressions:
                optional: Dict[str, Any] = {} if argument.required else {"nargs": "?"}
                parser.add_argument(argument.key, metavar=argument.name, **optional)
        if expressions:
            shown = " ".join(argument.name for argument in expressions)
            parser.add_argument("words", nargs="+", metavar=shown)
        return parser

    def _split_expressions(
        self, expressions: List[Argument], values: "argparse.Namespace"
    ) -> None:
        """Tells the words of a line apart: an expression, maybe a number; or two expressions."""
        number = next(
            (a for a in self.arguments if a.kind == NUMBER and not a.is_option), None
        )
        found: Sequence[Optional[str]] = [words.expression(values.words)]
        if len(expressions) == 2:
            found = words.split_pair(values.words) or ()
        elif number is not None:
            found = words.split_number(values.words)
            expressions = [*expressions, number]
        if not found:
            raise UsageError(
                f"{self.name}: takes two expressions, with a comma between them if they"
                f" have blanks (usage: {self.usage()})"
            )
        for argument, text in zip(expressions, found):
            setattr(values, argument.key, text)

    def _settle(self, argument: Argument, values: "argparse.Namespace") -> None:
        given = getattr(values, argument.key)
        if argument.many:
            lists = [words.unquote(word).split(",") for word in given or ()]
            setattr(values, argument.key, [n for names in lists for n in names if n])
        elif given is None:
            whole = argument.cut and values.json
            setattr(values, argument.key, 0 if whole else argument.default)
        elif argument.kind == NUMBER:
            setattr(values, argument.key, self._number(argument, given))
        elif argument.is_option and argument.kind != FLAG:
            setattr(values, argument.key, words.unquote(given))

    def _number(self, argument: Argument, given: str) -> Optional[int]:
        if given == "all" and not argument.is_option:
            return None
        if not given.isdecimal() or len(given) > _DIGITS:
            raise UsageError(
                f"{self.name}: {argument.shown}: '{given}' is not a count"
                f" (usage: {self.usage()})"
            )
        return int(given)


def _parser_class() -> "Type[argparse.ArgumentParser]":
    """argparse's parser that raises instead of leaving; imported when first used."""
    import argparse

    class Parser(argparse.ArgumentParser):
        """One-line errors."""

        def error(self, message: str) -> Any:
            raise UsageError(f"{self.prog}: {message}; see `help {self.prog}`")

    return Parser
