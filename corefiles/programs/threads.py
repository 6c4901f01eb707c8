# SPDX-License-Identifier: Apache-2.0
"""Threads whose stacks hold every kind of frame.

Each function of `SITUATIONS` runs in a thread named after it, and ends up blocked.
"""

import asyncio
import contextlib
import functools
import os
import queue
import select
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

SITUATIONS = []
READY = threading.Semaphore(0)
NEVER = threading.Lock()
NEVER.acquire()


def situation(function):
    """Run the function in a thread of its own."""
    SITUATIONS.append(function)
    return function


def park():
    """Block for ever."""
    READY.release()
    NEVER.acquire()


# Functions.


def recurse(depth, path=()):
    here = [depth]
    if depth:
        return recurse(depth - 1, path + (depth,))
    park()
    return here


@situation
def recursion():
    recurse(10)


@situation
def deep_recursion():
    """Through several chunks of the frames' memory."""
    recurse(700)


@situation
def closures(argument="also a cell"):
    unset_cell: str
    cell = ["cell"]

    def outer(own_argument):
        def inner():
            nonlocal cell
            cell = cell + [argument, own_argument]
            park()
            return unset_cell  # noqa: F821

        return inner

    outer({"own": "argument"})()


@situation
def arguments():
    def function(a, b=2, *args, c, d=[4], **kwargs):
        a = "rebound"
        park()

    function(1, *(2, 3, 4), c="c", extra={}, **{"more": None})


@situation
def many_locals():
    lines = ["local_%d = [%d]" % (i, i) for i in range(300)]
    source = "def function():\n    %s\n    park()" % "\n    ".join(lines)
    namespace = {"park": park}
    exec(source, namespace)
    namespace["function"]()


@situation
def unbound_locals():
    deleted = [1]
    never_bound: int
    for loop_variable in [[1], [2]]:
        bound = loop_variable
    del deleted, loop_variable
    park()
    later = bound
    return later


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@situation
@decorator
@functools.lru_cache()
@decorator
def decorated():
    park()


@situation
def a_lambda():
    (lambda x, y=[1]: (lambda: (x, park()))())("argument")


# Expressions and statements.


@situation
def comprehension():
    outer = "outer"
    [x + len(outer) for x in (1, 2) if [(x, y, park()) for y in {"a": 1}]]


@situation
def other_comprehensions():
    x = "not of the comprehension"
    return {k: {x for x in [k] if not park()} for k in "ab"}, x


@situation
def generator_expression():
    rows = [[1], [2]]
    sum(1 for row in rows for cell in row if park())


@situation
def generators():
    def leaf(argument):
        local = [argument]
        park()
        yield local

    def delegate(depth):
        yield from delegate(depth - 1) if depth else leaf("argument")

    for item in delegate(3):
        print(item)


@situation
def coroutines():
    async def leaf():
        local = ["of the coroutine"]
        park()
        return local

    class Manager:
        async def __aenter__(self):
            return [self]

        async def __aexit__(self, *exception):
            return await leaf()

    async def outer():
        async with Manager() as entered:
            local = entered
        return local

    outer().send(None)


@situation
def event_loop():
    async def callback():
        await asyncio.sleep(0)
        park()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(callback())


@situation
def class_body():
    free = ["free"]

    class Body:
        attribute = free

        class Nested:
            """A body within a body."""

            items = [x for x in (1, 2)]
            park()

    return Body


@situation
def generated_code():
    source = "def f(x):\n    y = x\n    park()\n\n\nz = [1]\nf(z)\n"
    code = compile(source, "<generated>", "exec")
    exec(code, {"park": park, "__name__": "generated", "own_global": [2]})


@situation
def separate_locals():
    code = compile("local = [1]\npark()", "<sep\xe4rate>", "exec")
    exec(code, {"park": park}, {"before": "there"})


@situation
def evaluated():
    eval("[x for x in [1]] + [park()]", {"park": park}, {})


@situation
def exception_handlers():
    try:
        raise KeyError("first")
    except KeyError as first:
        try:
            raise ValueError("second") from first
        except ValueError as second:
            try:
                pass
            finally:
                park()
            print(second)


@situation
def unwinding():
    """Within a finally clause, and within __exit__, with an exception on its way."""

    class Parking:
        def __enter__(self):
            return self

        def __exit__(self, *exception):
            park()

    try:
        with Parking() as manager, open(os.devnull) as file:
            local = [manager, file]
            raise LookupError(local)
    finally:
        print("never")


@situation
def with_blocks():
    @contextlib.contextmanager
    def managed(name):
        resource = [name]
        yield resource

    lock = threading.RLock()
    with managed("first") as first, lock, lock:
        with managed("second") as second:
            park()
            print(first, second)


# Methods.


class Base:
    """A base class."""

    def method(self, argument):
        park()

    @classmethod
    def of_class(cls):
        return cls().method([])

    @staticmethod
    def of_none(argument):
        Derived.of_class()


class Derived(Base):
    """A class that uses super()."""

    def __init__(self):
        super().__init__()
        self.attribute = [self]

    def method(self, argument):
        return super().method((argument, __class__))

    @property
    def of_property(self):
        return self.of_none("argument")

    def __getattr__(self, name):
        return self.of_property

    def __lt__(self, other):
        return self.no_such_attribute


@situation
def methods():
    """Called by C code in between."""
    sorted([Derived(), Derived()])


@situation
def callbacks():
    class Finalised:
        def __del__(self):
            park()

    def key(x):
        finalised = Finalised()
        finalised = x
        return finalised

    list(map(functools.partial(functools.reduce, lambda a, b: key(a)), [[1, 2]]))


# State of threads and frames.


@situation
def thread_local():
    local = threading.local()
    local.attribute = [threading.current_thread()]
    park()


@situation
def looked_at():
    """Frames that have been looked at, and so are objects."""

    def inner():
        variable = ["before"]
        frame = sys._getframe()
        frame.f_locals
        frame.f_back.f_back
        variable = ["after"]
        park()
        print(variable)

    inner()


@situation
def traced():
    """With a trace and a profile function."""

    def trace(frame, event, argument):
        return trace

    def profile(frame, event, argument):
        pass

    sys.settrace(trace)
    sys.setprofile(profile)
    (lambda x: park())([1])


@situation
def näme_longer_than_what_the_kernel_keeps():
    """With names that are not ASCII."""
    übrig = "\u65e5\u672c"
    park()
    print(übrig)


# Ways to wait.


@situation
def sleeping():
    READY.release()
    time.sleep(3600)


@situation
def waiting_for_event():
    READY.release()
    threading.Event().wait(3600)


@situation
def waiting_for_condition():
    condition = threading.Condition()
    with condition:
        READY.release()
        condition.wait_for(lambda: False)


@situation
def waiting_for_queue():
    READY.release()
    queue.Queue().get()


@situation
def waiting_for_simple_queue():
    READY.release()
    getattr(queue, "SimpleQueue", queue.Queue)().get()


@situation
def waiting_for_barrier():
    READY.release()
    threading.Barrier(2).wait()


@situation
def waiting_for_thread():
    thread = threading.Thread(target=park, daemon=True)
    thread.start()
    thread.join()


@situation
def selecting():
    ours, theirs = socket.socketpair()
    READY.release()
    select.select([ours], [], [theirs])


@situation
def receiving():
    ours, theirs = socket.socketpair()
    READY.release()
    ours.recv(1)


@situation
def reading():
    ours, theirs = os.pipe()
    with open(ours, "rb") as file:
        READY.release()
        file.read()


def main():
    """Start all the threads, and die once they are blocked."""
    threading.stack_size(2 << 20)  # since all of it goes into the core
    for function in SITUATIONS:
        name = function.__name__.replace("_", " ")
        threading.Thread(target=function, name=name, daemon=True).start()
    for _ in SITUATIONS:
        if not READY.acquire(timeout=60):
            raise RuntimeError("a thread has failed")
    cell = ["a cell of the main thread"]

    def last(argument):
        truth.die(sys.argv[1], expect=lambda: {"cell": cell})

    [last(argument) for argument in ["only"]]


if __name__ == "__main__":
    main()
