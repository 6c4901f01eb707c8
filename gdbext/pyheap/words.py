# SPDX-License-Identifier: Apache-2.0
"""How a command line is split: blanks separate words, quotes keep blanks together."""

import re
from typing import List, Optional, Tuple

_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S)+""", re.DOTALL)
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)""", re.DOTALL)
_INTEGER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_UNFINISHED = tuple("+-*/%&|^<>=!~,(.[:@?")  # the last character of half an expression


def split(line: str) -> List[str]:
    """The words of a line, their quotes kept, because an expression needs them."""
    return _WORD.findall(line)


def unquote(word: str) -> str:
    """A word without its quotes and backslashes, as a shell would hand it on."""
    return _QUOTED.sub(lambda m: m[1] or m[2] or m[3] or "", word)


def whole_integer(text: str) -> Optional[int]:
    """The value of a plain decimal or hexadecimal number, None for anything else."""
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        return None
    return int(text, 16 if text[1:2] in ("x", "X") else 10)


def is_file(word: str) -> bool:
    """Whether a word can be a file's name: no option, no number, no start of an expression."""
    return not (
        word[:1] in ("", "-", "$", "(", "*", "&")
        or word in ("all", ",")
        or whole_integer(word.rstrip(",")) is not None
    )


def split_number(words: List[str]) -> Tuple[str, Optional[str]]:
    """An expression and the number after it: `$rdi + 8 3` is `$rdi + 8` and `3`.

    The last word is the number when it is a decimal one, or `all`, and the words
    before it can stand alone.
    """
    *before, last = words
    whole = before and not before[-1].endswith(_UNFINISHED)
    if whole and (last == "all" or last.isdigit()):
        return expression(before), last
    return expression(words), None


def expression(words: List[str]) -> str:
    """An expression from its words; double quotes around all of it are dropped."""
    text = " ".join(words)
    if len(words) == 1 and len(text) > 1 and text[0] == text[-1] == '"':
        text = unquote(text)
    return text
