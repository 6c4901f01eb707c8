# SPDX-License-Identifier: Apache-2.0
"""Functions in gdb's expressions: `print $py_heap_count("dict")`, conditions, printf."""

from __future__ import annotations

import gdb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class _Function(gdb.Function):
    """A function whose errors are one line."""

    def __init__(self, name: str, help: str, answer: Callable[[Any], int]) -> None:
        self.__doc__ = help
        self._answer = answer
        super().__init__(name)

    def invoke(self, *arguments: Any) -> int:
        """Called by gdb."""
        from pyheap.errors import HeapError

        if len(arguments) != 1:
            raise gdb.GdbError("this function takes one argument")
        try:
            return self._answer(arguments[0])
        except HeapError as error:
            raise gdb.GdbError(str(error)) from None
        except KeyboardInterrupt:
            raise gdb.GdbError("interrupted") from None
        except (gdb.error, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise gdb.GdbError(f"cannot use the argument: {reason}") from None


def _count(name: Any) -> int:
    from pyheap.commands.find import find
    from pyheap.gdbside.session import Session

    if name.type.strip_typedefs().code not in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR):
        raise gdb.GdbError("the argument is not the name of a type: give it in quotes")
    return len(find(Session().heap(), name.string(), None))


def _refs(address: Any) -> int:
    from pyheap.gdbside.address import unsigned
    from pyheap.gdbside.session import Session

    heap = Session().heap()
    return len(heap.referrers(heap.lookup(unsigned(address, "the argument"))))


def register() -> None:
    """Defines the functions."""
    _Function(
        "py_heap_count",
        'Number of Python objects of a type: $py_heap_count("dict"). Names are as in\n'
        "py-heap-find.",
        _count,
    )
    _Function(
        "py_heap_refs",
        "Number of known references to the Python object at an address:\n"
        "$py_heap_refs(0x7f0123456780). py-heap-referrers lists them.",
        _refs,
    )
