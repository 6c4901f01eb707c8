# SPDX-License-Identifier: Apache-2.0
"""Several interpreters in one process: which one is asked for, and how each is named."""

from typing import TYPE_CHECKING, Any, Dict, Optional

from pyheap.command import NUMBER, Argument
from pyheap.errors import HeapError
from pyheap.spans import Line, hexadecimal

if TYPE_CHECKING:
    from argparse import Namespace

    from pyheap.walk import Heap, Interpreter


def option(help: str) -> Argument:
    """The usual --interpreter."""
    return Argument("--interpreter", NUMBER, help, metavar="ID")


def chosen(heap: "Heap", args: "Namespace") -> Optional["Interpreter"]:
    """The interpreter that is asked for; None: all of them."""
    if args.interpreter is None:
        return None
    known = heap.interpreters()
    for interpreter in known:
        if interpreter.number == args.interpreter:
            return interpreter
    there = ", ".join(str(interpreter.number) for interpreter in known)
    raise HeapError(f"there is no interpreter {args.interpreter}; there is {there}")


def with_objects(heap: "Heap", args: "Namespace") -> Optional["Interpreter"]:
    """Likewise, of interpreters that have objects of their own."""
    interpreter = chosen(heap, args)
    if interpreter is not None and not interpreter.has_collector:
        raise HeapError(
            "up to CPython 3.8 all interpreters share one collector: nothing says"
            " which object is whose; ask without --interpreter"
        )
    return interpreter


def of_node(heap: "Heap", id: int) -> Optional[int]:
    """The number of the interpreter whose collector tracks an object."""
    owner = heap.node(id).interpreter
    numbers = (i.number for i in heap.interpreters() if i.id == owner)
    return next(numbers, None)


def document(interpreter: "Interpreter") -> Dict[str, Any]:
    """An interpreter for a program."""
    return {
        "address": f"{interpreter.address:#x}",
        "id": interpreter.number,
        "tracked": interpreter.tracked if interpreter.has_collector else None,
    }


def heading(interpreter: "Interpreter") -> Line:
    """`interpreter 1, state 0x…`"""
    main = ", main" if interpreter.number == 0 else ""
    address = hexadecimal(interpreter.address)
    return [f"interpreter {interpreter.number}{main}, state ", address]
