# SPDX-License-Identifier: Apache-2.0
"""How a command line is split: blanks separate words, quotes keep blanks together."""

import re
from typing import Iterator, List, Optional, Tuple

_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S)+""", re.DOTALL)
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)""", re.DOTALL)
_INTEGER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_PIECE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(.)""", re.DOTALL)
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


def split_pair(words: List[str]) -> Optional[Tuple[str, str]]:
    """Two expressions, with a comma between or of one word each; None if they are not two.

    A comma within quotes or brackets is part of an expression: `$rdi + 8, f(a, b)`.
    """
    text = " ".join(words)
    commas = list(_commas(text))
    if len(commas) == 1:
        pair = [split(text[: commas[0]]), split(text[commas[0] + 1 :])]
    else:
        pair = [[word] for word in words]
    if commas[1:] or len(pair) != 2 or not all(pair):
        return None
    return expression(pair[0]), expression(pair[1])


def _commas(text: str) -> Iterator[int]:
    """Where commas are that are neither within quotes nor within brackets."""
    depth = 0
    for piece in _PIECE.finditer(text):
        if piece[2] and piece[2] in "([{":
            depth += 1
        elif piece[2] and piece[2] in ")]}":
            depth -= 1
        elif piece[2] == "," and depth <= 0:
            yield piece.start()
