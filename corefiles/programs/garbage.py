# SPDX-License-Identifier: Apache-2.0
"""Garbage of every kind, which the collector has not found yet, since it is off.

Each maker leaves something behind that nothing reaches.  Some of it looks like garbage and
is not: `gc.garbage` has it, a C library counts a reference to it, or an object which the
collector does not know is part of the cycle.

The truth names instances of `Named`, by their names: ``expect NAME ADDR``.
"""

import asyncio
import collections
import contextlib
import ctypes
import datetime
import enum
import functools
import gc
import io
import itertools
import os
import sys
import threading
import types
import weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

KEPT = []
MAKERS = []


def maker(function):
    """What the function makes is left behind."""
    MAKERS.append(function)
    return function


class Named:
    """An instance with a name."""

    def __init__(self, name, *others):
        self.name = name
        self.others = list(others)


class Slots:
    """References in slots."""

    __slots__ = ("one", "other", "__weakref__")


class Finalized(Named):
    """With a finalizer, which makes it reachable again."""

    def __del__(self):
        KEPT.append(self)


# The collector runs in these, hence they are the first.


@maker
def saved():
    """In gc.garbage, and what only that reaches."""
    one = Named("saved", [Named("saved.below")])
    one.others.append(one)
    del one
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)


@maker
def uncollectable():
    """Of a type with the old tp_del, in gc.garbage; what hangs on it is not."""
    leave_uncollectable("uncollectable.saved")
    gc.collect()


@maker
def finalized_before():
    """Its finalizer has run, and will not run again."""
    again = Finalized("finalized.before")
    again.others.append(again)
    del again
    gc.collect()
    KEPT.clear()


# Cycles, and what hangs on them.


@maker
def pair():
    one, other = Named("pair.one"), Named("pair.other")
    one.others.append(other)
    other.others.append(one)


@maker
def itself():
    lonely = Named("itself")
    lonely.itself = lonely


@maker
def ring():
    members = [Named("ring.%d" % i) for i in range(10)]
    for one, other in zip(members, members[1:] + members[:1]):
        one.others.append(other)


@maker
def hanging():
    """A cycle with a chain, at the end of which there is another cycle."""
    end = Named("hanging.end")
    end.others.append(end)
    middle = Named("hanging.middle", {"leaf": [end]})
    start = Named("hanging.start", (middle, [1, 2, 3]))
    start.others.append(start)


@maker
def diamond():
    """Two cycles that nothing refers to, with one in common."""
    common = Named("diamond.common")
    common.others.append(common)
    for side in ("left", "right"):
        top = Named("diamond." + side, common)
        top.others.append(top)


@maker
def containers():
    listed = []
    listed.append(listed)
    mapped = {}
    mapped["self"] = [mapped, {"deep": (mapped,)}]
    packed = ([],)
    packed[0].append(packed)
    key = Named("containers.key")
    key.elements = {key, frozenset([key])}
    key.keys = {key: key}


@maker
def slots():
    one, other = Slots(), Slots()
    one.one = one.other = other
    other.one = one


@maker
def references_twice():
    twice = Named("twice")
    twice.others += [twice, twice, [twice, twice]]


# Finalizers.


@maker
def finalizers():
    finalized = Finalized("finalized")
    finalized.others.append(finalized)
    below = Finalized("finalized.below")
    above = Named("finalized.above", below)
    above.others.append(above)


@maker
def weak():
    """Weak references within garbage, and to it."""
    referent = Named("weak.referent")
    referent.weak = weakref.ref(referent, lambda ref: KEPT.append(ref))
    referent.proxy = weakref.proxy(referent)
    KEPT.append(weakref.ref(referent, KEPT.append))
    values = weakref.WeakValueDictionary(value=referent)
    referent.others.append(values)
    weakref.finalize(referent, len, [])


@maker
def uncollectable_yet():
    """Likewise, but not found yet."""
    leave_uncollectable("uncollectable")


def leave_uncollectable(name):
    """Where the tests of CPython are installed."""
    try:
        from _testcapi import with_tp_del
    except ImportError:
        return

    @with_tp_del
    class Uncollectable(Named):
        def __tp_del__(self):
            pass

    one = Uncollectable(name, Named(name + ".below"))
    one.others.append(one)


# Code, frames, exceptions.


@maker
def closures():
    def recursive(n):
        return n and recursive(n - 1)

    def one():
        return other

    def other():
        return one


@maker
def tracebacks():
    def caught():
        local = Named("traceback.local")
        try:
            raise ValueError(local)
        except ValueError as error:
            kept = error  # noqa: F841

    def chained():
        try:
            try:
                raise KeyError("first")
            except KeyError as first:
                raise ValueError("second") from first
        except ValueError as error:
            chain = error  # noqa: F841

    caught()
    chained()


@maker
def frames():
    def looks_at_itself():
        frame = sys._getframe()  # noqa: F841

    looks_at_itself()


@maker
def generators():
    def generate(box):
        box.append(Named("generator.local"))
        yield box
        yield from other

    def other():
        try:
            yield
        finally:
            KEPT.append("closed")

    for begin in (False, True):
        box = []
        generator = generate(box)
        box.append(generator)
        if begin:
            next(generator)


@maker
def generator_of_itself():
    def hold(box):
        me = box[0]  # noqa: F841
        yield

    box = []
    box.append(hold(box))
    next(box[0])
    box.clear()


@maker
def coroutines():
    @types.coroutine
    def pause():
        yield

    async def wait(box):
        await pause()
        box.clear()

    async def items(box):
        yield box

    box = []
    box += [wait(box), items(box)]
    box[0].send(None)
    unawaited = []
    unawaited.append(wait(unawaited))


@maker
def tasks():
    async def serve(request):
        request.others.append(await request.future)

    loop = asyncio.new_event_loop()
    for begin in (False, True):
        request = Named("task.request")
        request.future = loop.create_future()
        request.task = loop.create_task(serve(request))
        request.future.add_done_callback(request.others.append)
        if begin:
            loop.call_soon(loop.stop)
            loop.run_forever()
    loop.close()


# Types.


@maker
def classes():
    class Empty:
        pass

    class WithInstance:
        def method(self):
            return super()

    WithInstance.instance = WithInstance()

    class Meta(type):
        def __call__(cls):
            return WithInstance

    class Metaclassed(metaclass=Meta):
        __slots__ = ("slot",)

    class Derived(Metaclassed, Empty):
        nested = {"class": Empty}


@maker
def library_classes():
    enum.Enum("Colour", "RED GREEN BLUE")
    collections.namedtuple("Pair", "one other")
    type("Structure", (ctypes.Structure,), {"_fields_": [("x", ctypes.c_int)]})
    type("Failure", (Exception,), {})


@maker
def exported_class():
    """Kept alive by its instance only, which is in a cycle."""
    cls = type("Exported", (Named,), {})
    instance = cls("exported")
    instance.others.append(instance)


# What is written in C.


@maker
def c_types():
    box = Named("c_types.deque", collections.deque([1]))
    box.others[0].append(box)
    box.others[0].append(box.others[0])
    partial = functools.partial(print)
    partial.__setstate__((print, (partial,), {"key": [partial]}, {"name": partial}))
    for make in (
        lambda box: collections.OrderedDict(box=box),
        lambda box: collections.defaultdict(box.others.append, box=box),
        lambda box: collections.Counter(),
        lambda box: functools.lru_cache()(lambda n: box),
        lambda box: box.others.append,
        lambda box: types.SimpleNamespace(box=box),
        lambda box: types.MappingProxyType({"box": box}),
        lambda box: types.MethodType(len, box),
        lambda box: property(box.__init__),
        lambda box: staticmethod(box.__init__),
        lambda box: classmethod(box.__init__),
        lambda box: slice(box, None, None),
        lambda box: itertools.chain([box]),
        lambda box: itertools.cycle([box]),
        lambda box: itertools.tee(iter([box])),
        lambda box: itertools.groupby([box], key=box.__eq__),
        lambda box: zip([box], map(id, [box])),
        lambda box: filter(box.__eq__, enumerate([box])),
        lambda box: reversed([box]),
        lambda box: iter(lambda: box, None),
        lambda box: functools.reduce,
        lambda box: io.TextIOWrapper(Buffer(box)),
        lambda box: io.BufferedReader(Buffer(box)),
        lambda box: contextlib.ExitStack().enter_context,
        lambda box: threading.Thread(target=box.__init__),
        lambda box: threading.Condition(),
        lambda box: functools.cmp_to_key(box.__init__)(box),
        lambda box: types.ModuleType("a_module", box),
        lambda box: Exception(box),
        lambda box: ctypes.py_object(box),
        lambda box: super(Named, box),
    ):
        box = Named("c_types")
        box.others += [make(box), box]


class Buffer(io.BytesIO):
    """With attributes."""

    def __init__(self, box):
        super().__init__(b"text")
        self.box = box


@maker
def c_callback():
    box = Named("c_callback")
    box.callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: len(box.others))


@maker
def locals_of_threads():
    box = Named("threading.local")
    box.local = threading.local()
    box.local.box = box


# What is no garbage.


@maker
def counted_by_c():
    """With a reference that nobody knows; and what hangs on it."""
    for name in ("counted", "counted.cycle"):
        one = Named(name, [Named(name + ".below")])
        if "cycle" in name:
            one.others.append(one)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object([["a list"]]))


class Zone(datetime.tzinfo):
    """A time zone, with attributes."""


@maker
def through_the_untracked():
    """A date is not the collector's: whom it holds it keeps."""
    zone = Zone()
    zone.since = datetime.datetime(1970, 1, 1, tzinfo=zone)


@maker
def kept():
    """Cycles that are reached."""
    one = Named("kept", [])
    one.others[0].append(one)
    KEPT.append(one)
    below = Named("kept.below", one)  # from garbage to what is kept
    below.others.append(below)


def named():
    """The instances with names, those of the same name numbered."""
    found = {}
    for obj in gc.get_objects():
        if issubclass(
            type(obj), Named
        ):  # whose __dict__ is not looked at: it might be made
            found["%s#%d" % (obj.name, len(found))] = obj
    return found


def leave_garbage():
    """What all makers make."""
    for function in MAKERS:
        function()


def main():
    gc.collect()
    gc.disable()
    leave_garbage()
    truth.die(sys.argv[1], expect=named)


if __name__ == "__main__":
    main()
