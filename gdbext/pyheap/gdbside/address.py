# SPDX-License-Identifier: Apache-2.0
"""Addresses: gdb's expressions as unsigned numbers."""

from contextlib import contextmanager
from typing import Any, Iterator

import gdb

from pyheap.errors import HeapError
from pyheap.gdbside.console import is_on, output
from pyheap.words import whole_integer

_HIGHEST = (1 << 64) - 1
_BY_ADDRESS = (
    gdb.TYPE_CODE_STRUCT,
    gdb.TYPE_CODE_UNION,
    gdb.TYPE_CODE_ARRAY,
    gdb.TYPE_CODE_FUNC,
)
_REFERENCES = (gdb.TYPE_CODE_REF, getattr(gdb, "TYPE_CODE_RVALUE_REF", None))
_NUMBERS = (
    gdb.TYPE_CODE_PTR,
    gdb.TYPE_CODE_INT,
    gdb.TYPE_CODE_ENUM,
    gdb.TYPE_CODE_BOOL,
    gdb.TYPE_CODE_CHAR,
    gdb.TYPE_CODE_RANGE,
)


def address(expression: str) -> int:
    """The value of an expression; a plain number needs neither symbols nor a frame."""
    number = whole_integer(expression)
    if number is None:
        number = _evaluate(expression)
    if number > _HIGHEST:
        raise HeapError(f"'{expression}' is not an address: it has more than 64 bits")
    return number


def pointer_size() -> int:
    """Bytes of a pointer of the selected target: on Linux those of a long.

    That is a keyword of C: to look up a type would make gdb read debug information.
    """
    return int(output("with language c -- output sizeof (long)"))


def _evaluate(expression: str) -> int:
    try:
        with _no_calls():
            return unsigned(gdb.parse_and_eval(expression), expression)
    except (gdb.error, RuntimeError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise HeapError(f"cannot evaluate '{expression}': {reason}") from None


def unsigned(value: Any, expression: str) -> int:
    """The address that a value of gdb is, or has."""
    kind = value.type.strip_typedefs().code
    if kind in _REFERENCES:
        value = value.referenced_value()
        kind = value.type.strip_typedefs().code
    if kind in _BY_ADDRESS and value.address is not None:
        value, kind = value.address, gdb.TYPE_CODE_PTR
    if kind == gdb.TYPE_CODE_VOID:
        raise HeapError(f"'{expression}' has no value here")
    if kind not in _NUMBERS:
        raise HeapError(f"'{expression}' is not an address but of type {value.type}")
    mask: int = (1 << 8 * pointer_size()) - 1
    return int(value) & mask


@contextmanager
def _no_calls() -> Iterator[None]:
    """Nothing runs in the target while an expression is evaluated."""
    allowed = is_on("may-call-functions")
    if allowed:
        gdb.execute("set may-call-functions off", to_string=True)
    try:
        yield
    finally:
        if allowed:
            gdb.execute("set may-call-functions on", to_string=True)
