# SPDX-License-Identifier: Apache-2.0
"""What can stand where a command line ends."""

import glob
import os
from typing import Callable, List, Optional, Tuple

from pyheap.command import CHOICE, FILE, FLAG, PATTERN, TYPE, Argument, Command


def kind(command: Command, text: str) -> str:
    """What the last word of a line stands for: a kind of argument, FLAG an option."""
    before, last = _last_word(text)
    option = _option(command, before[-1]) if before else None
    if option and option.kind != FLAG:
        return option.kind
    if last.startswith("-"):
        return FLAG
    for argument in command.arguments:
        if not argument.is_option:
            return argument.kind
    return FLAG


def names(
    command: Command, text: str, type_names: Callable[[], List[str]]
) -> List[str]:
    """The words that can stand at the end of a line, whole."""
    before, last = _last_word(text)
    wanted = kind(command, text)
    if wanted == FLAG:
        known = [a.name for a in command.all_arguments if a.is_option]
        found = [name for name in known if name not in before]
    elif wanted == CHOICE:
        option = _option(command, before[-1])
        found = list(option.choices) if option else []
    elif wanted in (TYPE, PATTERN):
        option = _option(command, before[-1]) if before else None
        found = type_names() + list(option.choices if option else ())
    elif wanted == FILE:
        found = _files(last)
    else:
        found = []
    return sorted(name for name in found if name.startswith(last))


def tails(names: List[str], text: str, word: Optional[str]) -> List[str]:
    """The names as gdb wants them: from the start of what gdb thinks is a word."""
    if word is None:
        return []
    skip = len(_last_word(text)[1]) - len(word)
    return [name[max(skip, 0) :] for name in names]


def _files(start: str) -> List[str]:
    found = glob.glob(glob.escape(os.path.expanduser(start)) + "*")
    return [name + "/" if os.path.isdir(name) else name for name in found]


def _last_word(text: str) -> Tuple[List[str], str]:
    words = text.split()
    if text[-1:].strip():
        return words[:-1], words[-1]
    return words, ""


def _option(command: Command, name: str) -> Optional[Argument]:
    return next((a for a in command.all_arguments if a.name == name), None)
