# SPDX-License-Identifier: Apache-2.0
"""A zoo: several objects of every kind that CPython has.

`ZOO` is a dict of lists by the name of the kind; nothing in it is garbage.  Kinds that
an interpreter does not have are left out.  The truth names each inmate: ``expect
KIND.INDEX ADDR``.
"""

import abc
import array
import ast
import builtins
import collections
import datetime
import enum
import functools
import io
import itertools
import operator
import os
import queue
import random
import re
import struct
import sys
import threading
import types
import typing
import unicodedata
import weakref

try:
    import contextvars
except ImportError:  # before 3.7
    contextvars = None
try:
    import dataclasses
except ImportError:  # before 3.7
    dataclasses = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

ZOO = {}
KEEPERS = []
HERE = sys.modules[__name__]


def kind(name):
    """What the decorated generator yields goes into the zoo, under this *name*."""

    def register(function):
        KEEPERS.append((name, function))
        return function

    return register


def fill_zoo():
    """Fill the zoo."""
    for name, function in KEEPERS:
        inmates = ZOO.setdefault(name, [])
        for inmate in function():
            inmates.append(inmate)


def run(source, **names):
    """Run *source*, of newer syntax than this file's, and give its namespace."""
    namespace = dict(names, __name__=__name__, ZOO=ZOO)
    try:
        exec(compile(source, "<newer>", "exec"), namespace)
    except SyntaxError:
        return {}
    return namespace


class Plain:
    """A class like any other, which can be weakly referenced."""

    def __init__(self, **attributes):
        for name in attributes:
            setattr(self, name, attributes[name])

    def method(self, *args):
        return args


# Containers.


@kind("dict")
def dicts():
    yield {}
    yield {"a": 1, "b": 2.5, "c": "three"}
    yield {1: "one", -1: "minus one", 2**70: "many", 0: None}
    yield {("a", 1): "tuple", frozenset("a"): "frozenset", None: "none", 1.5: "float"}
    yield {"a": 1, 2: "b", (3,): "c"}  # general keys
    yield {str(i): i for i in range(5)}
    yield {str(i): i for i in range(6)}
    yield {str(i): i for i in range(80)}  # one-byte indices
    yield {"key %d" % i: [i] for i in range(1000)}  # two-byte indices
    yield {i: None for i in range(70000)}  # four-byte indices
    emptied = {str(i): i for i in range(20)}
    emptied.clear()
    yield emptied
    holes = {str(i): [i] for i in range(50)}
    for i in range(0, 50, 3):
        del holes[str(i)]
    yield holes
    yield dict(holes)
    last_only = {i: (i,) for i in range(100)}
    for i in range(99):
        del last_only[i]
    yield last_only
    mixed = {"a": 1, "b": 2}
    mixed[3] = "c"  # no longer unicode keys
    yield mixed
    reordered = {"a": 1, "b": 2, "c": 3}
    reordered["a"] = reordered.pop("a")
    yield reordered
    popped = {str(i): i for i in range(10)}
    popped.popitem()
    yield popped
    yield {i * 8: [i] for i in range(60)}  # collisions
    yield {chr(0x100 + i): i for i in range(300)}
    yield dict.fromkeys(["x", "y", "z"], ZOO)
    yield {"self": None, "nested": {"nested": {"nested": {}}}}
    itself = {}
    itself["itself"] = itself
    yield itself


@kind("split dict")
def split_dicts():
    for _ in range(3):
        yield vars(Plain(x=1, y=2, z=[3]))
    added = vars(Plain(x=1))
    added["other"] = "late"
    yield added
    removed = vars(Plain(x=1, y=2, z=3))
    del removed["y"]
    yield removed
    not_str = vars(Plain(x=1))
    not_str[7] = "seven"
    yield not_str
    mutated = vars(Plain(z=1))  # in another order than the shared keys
    mutated["x"] = 2
    mutated["y"] = 3
    mutated["z"] = 4
    yield mutated
    yield vars(Plain(**{"attribute_%d" % i: i for i in range(40)}))
    yield vars(Plain())


class DictSubclass(dict):
    """A dict with attributes."""


@kind("dict subclass")
def dict_subclasses():
    yield DictSubclass()
    yield DictSubclass(a=1, b=ZOO)
    with_attributes = DictSubclass({1: 2})
    with_attributes.attribute = with_attributes
    yield with_attributes
    yield collections.Counter("abracadabra")
    yield collections.Counter()
    yield collections.UserDict(a=1)
    yield typing.get_type_hints(dicts)


@kind("list")
def lists():
    yield []
    yield [None]
    yield [1, "two", 3.0]
    yield list(range(1000))
    yield [[], [[]], [[], [[]]]]
    overallocated = []
    for i in range(37):
        overallocated.append((i,))
    yield overallocated
    shrunk = list(range(100))
    del shrunk[3:]
    yield shrunk
    cleared = [1, 2, 3]
    cleared.clear()
    yield cleared
    itself = []
    itself.append(itself)
    yield itself
    yield [ZOO]


@kind("tuple")
def tuples():
    yield ()
    yield (1, 2, 3)
    yield ("a",)
    yield ([], {})
    yield tuple(range(500))
    yield tuple([i] for i in range(50))
    cycle = ([],)
    cycle[0].append(cycle)
    yield cycle
    yield (((((),),),),)
    yield (ZOO, HERE)


Point = collections.namedtuple("Point", "x y")


class TypedPoint(typing.NamedTuple):
    """A typed namedtuple."""

    x: int
    y: object = None


@kind("tuple subclass")
def tuple_subclasses():
    yield Point(1, 2)
    yield Point([], {})
    yield TypedPoint(1)
    yield TypedPoint(1, ZOO)
    yield sys.version_info
    yield sys.flags
    yield sys.float_info
    yield os.stat("/")
    yield os.times()
    yield sys.hash_info


@kind("set")
def sets():
    yield set()
    yield {1}
    yield {"a", "b", "c"}
    yield {1, "a", None, (1, 2), 2.5}
    yield set(range(1000))
    yield {str(i) for i in range(5000)}
    dummies = set(range(100))
    for i in range(0, 100, 2):
        dummies.remove(i)
    yield dummies
    emptied = {str(i) for i in range(100)}
    emptied.clear()
    yield emptied
    popped = {"x", "y", "z"}
    popped.pop()
    yield popped
    member = Plain()
    member.home = {member}
    yield member.home
    yield {i * 1024 for i in range(40)}  # collisions


@kind("frozenset")
def frozensets():
    yield frozenset()
    yield frozenset([1])
    yield frozenset("abc")
    yield frozenset(range(1000))
    yield frozenset([frozenset(), frozenset([frozenset()])])
    yield frozenset([Plain(zoo=ZOO)])


@kind("set subclass")
def set_subclasses():
    for base in (set, frozenset):
        cls = type("Subclass", (base,), {})
        yield cls("abc")
        with_attribute = cls()
        with_attribute.attribute = with_attribute
        yield with_attribute


# Strings, bytes and numbers.


class StrSubclass(str):
    """A str with attributes."""


@kind("str")
def strs():
    yield ""
    yield "a"
    yield "\x00"
    yield "\xff"
    yield "".join(["asc", "ii", "!"])
    yield "interned_identifier"
    yield sys.intern("interned " + "by hand")
    yield "x" * 10000
    yield "d\xe9j\xe0 vu"
    yield "\u65e5\u672c\u8a9e"
    yield "\u20ac"
    yield "\U0001f40d snake"
    yield "\U0001f40d" * 300
    yield "\ud800 lone surrogate"
    yield "a\0b"
    yield "quote ' and \" both, \\ and \t\n\r\x7f\x80\xa0\xad"
    encoded = "with a \xfctf-8 cache"
    encoded.isidentifier()
    os.fspath(encoded)
    os.path.exists(encoded)  # the file system's encoding
    yield encoded
    yield str(12345)


@kind("str subclass")
def str_subclasses():
    yield StrSubclass()
    yield StrSubclass("ascii")
    yield StrSubclass("\xe9")
    yield StrSubclass("\u65e5\u672c")
    yield StrSubclass("\U0001f40d")
    with_attributes = StrSubclass("with attributes")
    with_attributes.zoo = ZOO
    yield with_attributes


@kind("bytes")
def all_bytes():
    yield b""
    yield b"a"
    yield b"several"
    yield bytes(range(256))
    yield b"x" * 5000
    yield b"a\0b'\"\\\n"


@kind("bytearray")
def bytearrays():
    yield bytearray()
    yield bytearray(b"several")
    yield bytearray(10000)
    front = bytearray(b"0123456789")
    del front[:4]
    yield front
    appended = bytearray()
    for i in range(100):
        appended.append(i)
    yield appended
    exported = bytearray(b"exported")
    ZOO.setdefault("memoryview", []).append(memoryview(exported))
    yield exported


@kind("int")
def ints():
    yield 0
    yield 1
    yield -1
    yield -5
    yield 256
    yield int("257")
    yield int("-6")
    for bits in (15, 29, 30, 31, 59, 60, 61, 62, 63, 64, 89, 90, 91, 120, 1000, 20000):
        yield 1 << bits
        yield (1 << bits) - 1
        yield -(1 << bits)
    yield True
    yield False
    yield type("IntSubclass", (int,), {})(7)
    yield type("IntSubclass", (int,), {})(-(2**70))
    with_attribute = type("IntSubclass", (int,), {})()
    with_attribute.zoo = ZOO
    yield with_attribute


@kind("float")
def floats():
    yield 0.0
    yield -0.0
    yield 1.5
    yield float("inf")
    yield float("-inf")
    yield float("nan")
    yield sys.float_info.max
    yield sys.float_info.min
    yield 5e-324
    yield 0.1
    yield -1e100
    yield 1e16
    yield 123456789.125
    yield type("FloatSubclass", (float,), {})(2.5)


@kind("complex")
def complexes():
    yield 0j
    yield 1 + 2j
    yield -1.5 - 2.5j
    yield complex("nan+infj")
    yield complex(-0.0, -0.0)
    yield complex(0.0, -1.0)


@kind("singleton")
def singletons():
    yield None
    yield Ellipsis
    yield NotImplemented
    for name in ("NoDefault",):
        if hasattr(typing, name):
            yield getattr(typing, name)


@kind("slice")
def slices():
    yield slice(None)
    yield slice(1, 2)
    yield slice(1, None, -1)
    yield slice("a", [], ZOO)


@kind("range")
def ranges():
    yield range(0)
    yield range(10)
    yield range(10, -10, -3)
    yield range(2**70, 2**75, 2**69)


@kind("memoryview")
def memoryviews():
    yield memoryview(b"bytes")
    yield memoryview(bytearray(b"bytearray"))
    yield memoryview(b"sliced")[1:4]
    yield memoryview(b"stepped")[::2]
    yield memoryview(b"castcast").cast("I")
    yield memoryview(bytearray(24)).cast("B", [2, 3, 4])
    released = memoryview(b"released")
    released.release()
    yield released
    yield memoryview(array.array("d", [1.0, 2.0]))
    yield memoryview(memoryview(b"twice"))


# Code.


def plain():
    pass


def with_everything(a, b: int = 1, *args: str, c: list, d=ZOO, **kwargs: dict) -> set:
    """A function with a docstring, defaults and annotations."""
    return a


with_everything.attribute = "attribute"
with_everything.itself = with_everything


def counter():
    count = 0
    never_set: int

    def increment():
        nonlocal count
        count += 1
        return count

    def unset():
        return never_set  # noqa: F821

    def recursive():
        return recursive

    return increment, unset, recursive


def decorate(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@kind("function")
def functions():
    yield plain
    yield with_everything
    yield lambda: None
    yield lambda x, *, y=[]: (x, y)
    for function in counter():
        yield function
    yield decorate(plain)
    yield decorate(decorate(with_everything))
    yield Plain.method
    yield types.FunctionType(plain.__code__, {})
    yield types.FunctionType(plain.__code__, {"__builtins__": {}}, "renamed")
    undocumented = types.FunctionType(plain.__code__, globals())
    undocumented.__doc__ = None
    yield undocumented
    yield from run("def positional(a, b=2, /, c=3, *, d=4): return a").values()
    new = run("def generic[T: int, *Ts, **P](a: T) -> T: return a\ntype Alias[T] = T")
    if "generic" in new:
        yield new["generic"]


@kind("cell")
def cells():
    for function in counter():
        yield from function.__closure__
    yield from decorate(plain).__closure__
    if hasattr(types, "CellType"):
        yield types.CellType()
        full = types.CellType(ZOO)
        yield full
        itself = types.CellType()
        itself.cell_contents = itself
        yield itself


@kind("method")
def methods():
    yield Plain().method
    yield Plain(a=1).method
    yield DictSubclass().copy
    yield types.MethodType(len, [])
    yield types.MethodType(plain, ZOO)
    owner = Plain()
    owner.method = owner.method
    yield owner.method
    yield Static.class_method


@kind("builtin function or method")
def builtins_():
    yield len
    yield print
    yield [].append
    yield {}.get
    yield ZOO.get
    yield "text".join
    yield dict.fromkeys
    yield str.maketrans
    yield object.__new__
    yield ZOO.__contains__
    yield sys.exit
    yield type.__prepare__
    yield "".__len__
    yield [].__getitem__
    yield [].__add__
    yield object().__str__
    yield Plain().__eq__
    yield collections.deque().append
    yield re.compile("x").match
    yield itertools.chain.from_iterable


class Static:
    """Every kind of descriptor."""

    __slots__ = ("slot", "other")

    @staticmethod
    def static_method():
        pass

    @classmethod
    def class_method(cls):
        pass

    @property
    def a_property(self):
        """With a docstring."""

    @a_property.setter
    def a_property(self, value):
        pass

    @a_property.deleter
    def a_property(self):
        pass

    empty_property = property()


@kind("descriptor")
def descriptors():
    yield from (v for k, v in sorted(vars(Static).items()) if k != "__doc__")
    yield property(plain, doc=[])
    yield staticmethod(ZOO)
    yield classmethod(plain)
    yield classmethod(property(plain))
    yield str.join
    yield str.__add__
    yield dict.__dict__["fromkeys"]
    yield int.__dict__["real"]
    yield type.__dict__["__mro__"]
    yield types.FunctionType.__dict__["__globals__"]
    yield types.FunctionType.__dict__["__closure__"]
    yield vars(Plain)["__dict__"]
    yield vars(Plain)["__weakref__"]
    yield Point.x
    yield vars(type)["__prepare__"]
    yield object.__dict__["__init__"]
    yield object.__dict__["__new__"]
    yield vars(types.ModuleType)["__dict__"]
    for name in ("cached_property", "partialmethod", "singledispatchmethod"):
        if hasattr(functools, name):
            yield getattr(functools, name)(plain)
    yield types.DynamicClassAttribute(plain)


@kind("code")
def codes():
    yield plain.__code__
    yield with_everything.__code__
    yield counter.__code__
    yield from (c for c in counter.__code__.co_consts if hasattr(c, "co_code"))
    yield compile("1 + 1", "<eval>", "eval")
    yield compile("x = 1\ny = (1, (2, 3), b'', frozenset())", "<exec>", "exec")
    yield compile("print(1)", "<single>", "single")
    yield generator.__code__
    yield coroutine.__code__
    yield compile("a in {1, 2, 3}\n" * 300, "\xfcnicode file name", "exec")


# Frames and what runs in them.


def generator(number=3):
    held = [number]
    for i in range(number):
        yield held


def delegating(depth, leaf=generator):
    local = {"depth": depth}
    if depth:
        yield from delegating(depth - 1, leaf)
    else:
        yield from leaf()
    return local


def with_stack():
    """Suspended with a full value stack, and within blocks."""
    with io.StringIO() as file:
        try:
            raise KeyError("handled")
        except KeyError as error:
            for x in [1, 2]:
                total = [x, {"a": [(yield (file, error))]}, (yield), x + (yield 7)]
                del total


def started(function, *args, steps=1):
    """A generator that has yielded so many times."""
    result = function(*args)
    for _ in range(steps):
        next(result)
    return result


def raising():
    yield
    raise ValueError("from a generator")


@kind("generator")
def generators():
    yield generator()
    yield started(generator)
    yield started(generator, steps=2)
    yield delegating(3)
    yield started(delegating, 3)
    yield started(delegating, 1, [1, 2, 3].__iter__)
    yield started(with_stack)
    yield started(with_stack, steps=2)
    in_expression = started(with_stack, steps=2)
    in_expression.send("sent")
    yield in_expression
    finished = generator()
    list(finished)
    yield finished
    closed = started(generator)
    closed.close()
    yield closed
    never_run = generator()
    never_run.close()
    yield never_run
    failed = started(raising)
    try:
        next(failed)
    except ValueError:
        pass
    yield failed
    yield (x for x in ZOO)
    yield started(lambda: ((x, y) for x in ZOO for y in [x]), steps=2)
    named = generator()
    named.__name__ = "renamed"
    yield named

    def itself():
        me = yield
        yield me

    cycle = started(itself)
    cycle.send(cycle)
    yield cycle


class Awaitable:
    """What suspends a coroutine."""

    def __await__(self):
        answer = yield self
        return answer


async def coroutine(depth=0):
    local = [depth]
    if depth:
        await coroutine(depth - 1)
    else:
        await Awaitable()
    return local


async def with_contexts():
    async with AsyncContext() as context:
        async for x in async_generator():
            await Awaitable()
            return context, x


class AsyncContext:
    """An asynchronous context manager."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await Awaitable()


@types.coroutine
def generator_coroutine():
    yield Plain()


def sent(coro, steps=1):
    """A coroutine that has been suspended so many times."""
    for _ in range(steps):
        coro.send(None)
    return coro


@kind("coroutine")
def coroutines():
    created = coroutine()
    yield created
    yield sent(coroutine())
    yield sent(coroutine(5))
    yield coroutine(0).__await__()
    finished = coroutine()
    sent(finished)
    try:
        finished.send(None)
    except StopIteration:
        pass
    yield finished
    closed = sent(coroutine(2))
    closed.close()
    yield closed
    yield sent(with_contexts())
    yield generator_coroutine()
    yield started(generator_coroutine)
    waiting = coroutine().__await__()
    next(waiting)
    yield waiting
    if hasattr(sys, "set_coroutine_origin_tracking_depth"):
        sys.set_coroutine_origin_tracking_depth(3)
        yield coroutine()
        sys.set_coroutine_origin_tracking_depth(0)


async def async_generator():
    for i in range(3):
        await Awaitable() if i == 2 else None
        yield [i]


async def exhaust(agen):
    async for _ in agen:
        pass


@kind("async generator")
def async_generators():
    yield async_generator()
    begun = async_generator()
    step = begun.asend(None)
    yield begun
    yield step  # never awaited
    try:
        begun.__anext__().send(None)
    except StopIteration:
        pass
    yield begun.athrow(ValueError)
    yield begun.aclose()
    waiting = async_generator()
    consumer = sent(exhaust(waiting))
    yield waiting
    yield consumer
    closed = async_generator()
    try:
        closed.aclose().send(None)
    except StopIteration:
        pass
    yield closed
    # Before 3.8, only within a coroutine.
    new = run("def f(a): return (x async for x in a)")
    if "f" in new:
        yield new["f"](waiting)
    if hasattr(builtins, "anext"):
        yield anext(async_generator(), "default")  # noqa: F821
        yield aiter(async_generator())  # noqa: F821


def failing(depth, argument):
    """Fail deep down."""
    local = (depth, argument)
    if depth == 0:
        raise LookupError(local)
    failing(depth - 1, [local])


def caught(function, *args):
    """The exception that a function raises."""
    try:
        function(*args)
    except BaseException as error:
        return error


@kind("frame")
def frames():
    traceback = caught(failing, 3, "argument").__traceback__
    while traceback:
        yield traceback.tb_frame
        traceback = traceback.tb_next
    yield started(generator).gi_frame
    yield started(delegating, 2).gi_frame
    yield started(with_stack).gi_frame
    yield generator().gi_frame
    yield sent(coroutine()).cr_frame
    yield async_generator().ag_frame
    yield sys._getframe()
    yield (lambda: sys._getframe())()
    with_locals = (lambda a, b: sys._getframe())(1, [2])
    with_locals.f_locals
    yield with_locals
    cleared = caught(failing, 1, "cleared").__traceback__.tb_next.tb_frame
    cleared.clear()
    yield cleared
    traced = (lambda: sys._getframe())()
    traced.f_trace = plain
    yield traced
    namespace = {"sys": sys}
    exec("class C:\n    x = [1]\n    frame = sys._getframe()", namespace)
    yield namespace["C"].frame
    exec("frame = sys._getframe()", namespace)
    yield namespace["frame"]


@kind("traceback")
def tracebacks():
    traceback = caught(failing, 3, "argument").__traceback__
    while traceback:
        yield traceback
        traceback = traceback.tb_next
    yield caught(int, "x").__traceback__
    if sys.version_info >= (3, 7):
        yield types.TracebackType(None, sys._getframe(), 0, 1)


# Exceptions.


def builtin_exceptions():
    """All the exception classes of this interpreter."""
    for name in sorted(vars(builtins)):
        cls = getattr(builtins, name)
        if isinstance(cls, type) and issubclass(cls, BaseException):
            yield cls


def chained(explicit):
    try:
        raise KeyError("first")
    except KeyError as error:
        if explicit:
            raise ValueError("second") from error
        raise ValueError("second")


class OwnError(Exception):
    """An exception with attributes of its own."""

    def __init__(self, *args):
        super().__init__(*args)
        self.zoo = ZOO
        self.itself = self


@kind("exception")
def exceptions():
    for cls in builtin_exceptions():
        if cls.__name__.endswith("ExceptionGroup"):
            yield cls("group", [ValueError(1), cls("nested", [TypeError(2)])])
        elif issubclass(cls, UnicodeDecodeError):
            yield cls("utf-8", b"\xff", 0, 1, "reason")
        elif issubclass(cls, UnicodeEncodeError):
            yield cls("ascii", "\xff", 0, 1, "reason")
        elif issubclass(cls, UnicodeTranslateError):
            yield cls("\xff", 0, 1, "reason")
        else:
            yield cls()
            yield cls("an argument")
            if not issubclass(cls, SyntaxError):
                yield cls("two", ["arguments"])
    yield OSError(2, "No such file", "from", None, "to")
    yield BlockingIOError(11, "would block", 7)
    yield caught(open, "/nonexistent")
    yield caught(os.rename, "/nonexistent", "/also nonexistent")
    yield caught(compile, "a b", "file", "exec")
    yield caught(compile, "if 1:\n\t1\n        2", "file", "exec")
    yield StopIteration([1])
    yield caught(next, iter([]))
    yield SystemExit(3)
    yield caught(sys.exit, "a message")
    yield ImportError("message", name="module", path="/path")
    yield caught(__import__, "no_such_module")
    yield caught(getattr, ZOO, "no_such_attribute")
    yield caught(eval, "no_such_name")
    yield caught(counter()[1])
    yield caught(b"\xff".decode)
    yield caught("\xff".encode, "ascii")
    yield caught(chained, False)
    yield caught(chained, True)
    yield caught(failing, 2, "argument")
    yield OwnError("own", ZOO)
    suppressed = ValueError("no context")
    suppressed.__cause__ = None
    suppressed.attribute = [suppressed]
    yield suppressed
    noted = ValueError("noted")
    if hasattr(noted, "add_note"):
        noted.add_note("a note")
        noted.add_note("another")
    yield noted
    contextual = KeyError()
    contextual.__context__ = IndexError()
    contextual.__context__.__context__ = contextual
    yield contextual
    without_args = KeyError(1, 2)
    without_args.args = ()
    yield without_args


# Classes and modules.


class Meta(type):
    """A metaclass."""

    def __new__(mcs, name, bases, namespace):
        return super().__new__(mcs, name, bases, dict(namespace, made_by=mcs))


class OfMeta(metaclass=Meta):
    """A class of a metaclass."""


class Color(enum.Enum):
    """An enumeration."""

    RED = 1
    GREEN = [2]
    CRIMSON = 1


class Permission(enum.IntFlag):
    """Flags."""

    READ = 1
    WRITE = 2


class Shape(abc.ABC):
    """An abstract base class with a virtual subclass."""

    @abc.abstractmethod
    def area(self):
        """Do nothing."""


Shape.register(list)
issubclass(dict, Shape)
issubclass(list, Shape)

T = typing.TypeVar("T")
Bounded = typing.TypeVar("Bounded", bound=Plain)
Chosen = typing.TypeVar("Chosen", int, str)


class Box(typing.Generic[T]):
    """A generic class."""

    content: T


class Diamond(Box[int], Plain):
    """A class of many bases."""


@kind("type")
def all_types():
    yield from (object, type, int, str, dict, list, tuple, set, bytes, Exception)
    yield from (type(None), type(...), types.FunctionType, types.GeneratorType)
    yield from (collections.deque, functools.partial, io.StringIO, struct.Struct)
    yield from (Plain, DictSubclass, Point, TypedPoint, Static, StrSubclass, OwnError)
    yield from (Meta, OfMeta, Color, Permission, Shape, Box, Diamond)
    yield type("made", (), {})
    yield type("made", (Plain, dict), {"__slots__": (), "attribute": ZOO})
    itself = type("itself", (), {})
    itself.itself = itself
    itself.instance = itself()
    yield itself
    yield types.new_class("new_class", (Box[str],))
    if hasattr(typing, "Protocol"):
        yield run("class P(B):\n    def m(self): ...", B=typing.Protocol)["P"]
    if hasattr(typing, "TypedDict"):
        yield run("class D(B):\n    a: int", B=typing.TypedDict)["D"]
    if dataclasses:
        yield dataclasses.make_dataclass("Data", ["a", ("b", int, 1)])
        yield dataclasses.make_dataclass("Frozen", ["a"], frozen=True)
    new = run("class Newer[T]:\n    x: T\n    def m[U](self, a: U) -> T: ...")
    if "Newer" in new:
        yield new["Newer"]


@kind("instance")
def instances():
    yield object()
    yield Plain()
    yield Plain(a=1, b=ZOO)
    yield Static()
    slotted = Static()
    slotted.slot = [slotted]
    yield slotted
    yield OfMeta()
    yield from Color
    yield from Permission
    yield Permission.READ | Permission.WRITE
    yield Box()
    yield Diamond()
    yield Meta("made", (), {})()
    itself = Plain()
    itself.itself = itself
    yield itself


@kind("module")
def modules():
    yield HERE
    yield sys
    yield builtins
    yield os
    yield collections
    yield truth
    made = types.ModuleType("made_by_hand", "documentation")
    made.attribute = made
    yield made
    yield type("ModuleSubclass", (types.ModuleType,), {})("subclass")


# Wrappers and views.


@kind("weakref")
def weakrefs():
    alive = Plain()
    yield weakref.ref(alive)
    yield weakref.ref(alive, plain)
    yield weakref.ref(alive, lambda reference: alive)
    yield weakref.ref(Plain())  # dead already
    yield weakref.ref(Plain)
    yield weakref.ref(plain)
    yield weakref.ref(alive.method)
    yield weakref.WeakMethod(alive.method)
    yield weakref.KeyedRef(alive, None, "key")
    yield weakref.proxy(alive)
    yield weakref.proxy(plain)
    yield weakref.proxy(Plain())
    yield weakref.WeakValueDictionary(a=alive)
    yield weakref.WeakKeyDictionary({alive: 1})
    yield weakref.WeakSet([alive, plain])
    cls = type("RefSubclass", (weakref.ref,), {})
    subclass = cls(alive)
    subclass.attribute = subclass
    yield subclass
    yield weakref.finalize(alive, print, "gone")
    yield alive


@kind("mappingproxy")
def mappingproxies():
    yield vars(Plain)
    yield types.MappingProxyType({})
    yield types.MappingProxyType(ZOO)
    yield types.MappingProxyType(collections.ChainMap(ZOO))
    yield Color.__members__


@kind("dict view")
def dict_views():
    for mapping in ({}, ZOO, collections.OrderedDict(a=1)):
        yield mapping.keys()
        yield mapping.values()
        yield mapping.items()


@kind("super")
def supers():
    yield super(Diamond, Diamond())
    yield super(Diamond, Diamond)
    yield super(DictSubclass)


@kind("iterator")
def iterators():
    sources = (
        [[1], [2], [3]],
        ("a", "b", "c"),
        "abc",
        "\u65e5\u672c\u8a9e",
        b"abc",
        bytearray(b"abc"),
        {1, 2, 3},
        {"a": 1, "b": 2, "c": 3},
        {"a": 1, "b": 2, "c": 3}.values(),
        {"a": 1, "b": 2, "c": 3}.items(),
        range(3),
        range(2**70, 2**70 + 3),
        collections.deque([1, 2, 3]),
        collections.OrderedDict(a=1, b=2, c=3),
        array.array("i", [1, 2, 3]),
        memoryview(b"abc"),
        Plain.__mro__,
    )
    for source in sources:
        yield iter(source)
        half = iter(source)
        next(half)
        yield half
        exhausted = iter(source)
        list(exhausted)
        yield exhausted
    for source in sources[:3] + sources[12:13]:
        yield reversed(source)
    if sys.version_info >= (3, 8):
        for source in ({"a": 1}, {"a": 1}.values(), {"a": 1}.items()):
            yield reversed(source)
    yield reversed(collections.OrderedDict(a=1))
    yield reversed(range(5))
    yield iter(int, 1)
    yield iter([].pop, None)

    class Sequence:
        def __getitem__(self, index):
            return index

        def __len__(self):
            return 3

    yield iter(Sequence())
    yield reversed(Sequence())
    yield from (enumerate(ZOO), enumerate([], 2**70), zip(), zip([1], "a", ZOO))
    yield from (map(len, ZOO), map(max, [1], [2]), filter(None, [0, 1]))
    yield struct.iter_unpack("h", b"abcd")
    yield re.finditer("a", "banana")
    yield os.scandir("/")


@kind("itertools")
def itertools_():
    pairs = itertools.groupby([1, 1, 2])
    yield pairs
    yield next(pairs)[1]
    yield itertools.chain([1], [2])
    yield itertools.chain.from_iterable(ZOO)
    cycle = itertools.cycle([1, 2])
    next(cycle)
    yield cycle
    yield itertools.count()
    yield itertools.count(1.5, 2)
    yield itertools.repeat(ZOO)
    yield itertools.repeat(1, 3)
    yield from itertools.tee([[1], [2]])
    advanced, _ = itertools.tee([[1], [2], [3]])
    next(advanced)
    yield advanced
    yield itertools.islice(ZOO, 1, 5, 2)
    yield itertools.accumulate([1, 2], operator.mul)
    yield itertools.starmap(pow, [(1, 2)])
    yield itertools.takewhile(bool, [1])
    yield itertools.dropwhile(bool, [1])
    yield itertools.filterfalse(bool, [1])
    yield itertools.compress("ab", [1, 0])
    yield itertools.zip_longest([1], [2, 3], fillvalue=ZOO)
    for made in (
        itertools.product("ab", [1, 2]),
        itertools.permutations("abc", 2),
        itertools.combinations("abc", 2),
        itertools.combinations_with_replacement("abc", 2),
    ):
        next(made)
        yield made
    for name, args in (("pairwise", ([1, 2],)), ("batched", ([1, 2, 3], 2))):
        if hasattr(itertools, name):
            yield getattr(itertools, name)(*args)


# collections, functools and others written in C.


@kind("deque")
def deques():
    yield collections.deque()
    yield collections.deque([[1], [2], [3]])
    yield collections.deque(range(1000))
    yield collections.deque(range(64))
    yield collections.deque(range(65))
    yield collections.deque(range(100), maxlen=10)
    left = collections.deque()
    for i in range(200):
        left.appendleft((i,))
    yield left
    rotated = collections.deque(range(70))
    rotated.rotate(35)
    for _ in range(10):
        rotated.popleft()
    yield rotated
    subclass = type("DequeSubclass", (collections.deque,), {})("abc")
    subclass.attribute = subclass
    yield subclass
    itself = collections.deque()
    itself.append(itself)
    yield itself


@kind("defaultdict")
def defaultdicts():
    yield collections.defaultdict(list)
    yield collections.defaultdict()
    nested = collections.defaultdict(lambda: nested)
    nested["a"] = nested["b"]
    yield nested
    subclass = type("DefaultdictSubclass", (collections.defaultdict,), {})(int, a=1)
    subclass.attribute = ZOO
    yield subclass


@kind("OrderedDict")
def ordered_dicts():
    cls = collections.OrderedDict
    yield cls()
    yield cls(a=1, b=[2], c={})
    yield cls((i, (i,)) for i in range(1000))
    deleted = cls((str(i), i) for i in range(30))
    for i in range(0, 30, 2):
        del deleted[str(i)]
    yield deleted
    reordered = cls(a=1, b=2, c=3, d=4)
    reordered.move_to_end("a")
    reordered.move_to_end("c", last=False)
    yield reordered
    emptied = cls(a=1, b=2)
    emptied.clear()
    yield emptied
    with_attribute = cls(a=1)
    with_attribute.attribute = "in its __dict__"
    yield with_attribute
    subclass = type("OrderedDictSubclass", (cls,), {})(x=1, y=2)
    subclass.attribute = subclass
    yield subclass
    dict.__delitem__(reordered, "b")  # behind its back


@kind("partial")
def partials():
    yield functools.partial(plain)
    yield functools.partial(with_everything, 1, c=[])
    nested = functools.partial(functools.partial(print, 1), 2, sep="")
    yield nested
    with_dict = functools.partial(print)
    with_dict.attribute = with_dict
    yield with_dict
    outer = functools.partial(with_dict, 1)
    yield outer
    yield type("PartialSubclass", (functools.partial,), {})(print, ZOO)


@functools.lru_cache(maxsize=None)
def unbounded(x):
    return [x]


@functools.lru_cache(maxsize=3)
def bounded(x, y=None):
    return {"x": x, "y": y}


@functools.singledispatch
def dispatched(x):
    return x


@kind("functools")
def functools_():
    for i in range(5):
        unbounded(i)
        bounded(i)
        bounded(str(i), y=i)
        bounded(x=i)
    yield unbounded
    yield bounded
    yield functools.lru_cache(maxsize=0)(plain)
    yield functools.lru_cache()(unbounded)
    yield functools.cmp_to_key(operator.sub)
    yield functools.cmp_to_key(operator.sub)(3)
    dispatched.register(int)(lambda x: ZOO)
    dispatched(1)
    yield dispatched
    yield operator.itemgetter(1)
    yield operator.itemgetter("a", [2])
    yield operator.attrgetter("a.b", "c")
    yield operator.methodcaller("m", 1, [2], k=3)


@kind("collections")
def collections_():
    yield collections.ChainMap({"a": 1}, ZOO)
    yield collections.UserList([1])
    yield collections.UserString("s")
    yield types.SimpleNamespace()
    yield types.SimpleNamespace(a=1, b=ZOO)
    itself = types.SimpleNamespace()
    itself.itself = itself
    yield itself
    yield queue.Queue()
    if hasattr(queue, "SimpleQueue"):
        simple = queue.SimpleQueue()
        simple.put([1])
        simple.put(ZOO)
        simple.get()
        yield simple


@kind("contextvars")
def contextvars_():
    if contextvars is None:
        return
    empty = contextvars.ContextVar("empty")
    yield empty
    with_default = contextvars.ContextVar("with_default", default=ZOO)
    yield with_default
    token = empty.set([1])
    yield token
    used = empty.set([2])
    empty.reset(used)
    yield used
    yield contextvars.copy_context()
    yield contextvars.Context()
    many = contextvars.Context()
    for i in range(100):
        many.run(contextvars.ContextVar("variable %d" % i).set, [i])
    yield many
    yield iter(many)
    yield many.items()
    yield contextvars.Token.MISSING


@kind("typing")
def typing_():
    yield T
    yield Bounded
    yield Chosen
    yield Box[int]
    yield Box[T]
    yield typing.List[int]
    yield typing.Dict[str, typing.Any]
    yield typing.Optional[int]
    yield typing.Union[int, str, T]
    yield typing.Callable[[int], str]
    yield typing.Any
    yield typing.ClassVar[int]
    yield typing.NewType("UserId", int)
    if sys.version_info >= (3, 9):
        yield list[int]  # type: ignore
        yield dict[str, T][int]  # type: ignore
        yield type[Plain]  # type: ignore
    if sys.version_info >= (3, 10):
        yield int | str
        yield int | None
        yield list[T] | dict[str, T]
        yield typing.ParamSpec("P")
        yield typing.ParamSpec("P").args
    if sys.version_info >= (3, 11):
        yield iter(tuple[int])  # type: ignore
        yield typing.TypeVarTuple("Ts")
        yield eval("tuple[*Ts]", {"Ts": typing.TypeVarTuple("Ts")})
    new = run("type Alias[T] = list[T]\ntype Lazy = ZOO\nLazy.__value__")
    if new:
        yield new["Alias"]
        yield new["Alias"][int]
        yield new["Lazy"]


# 3.12 and newer: what is declared in brackets, evaluated or not.
TYPE_PARAMETERS = """
class Box[T, U: (int, str), V: "Later"]:
    item: T
    def put[W](self, item: T, *others: W) -> U: yield item
def starred[*Ts, **P](*args: *Ts) -> None: ...
class Later(Box[int, str, int]): ...
type Tree[T] = list[Tree[T]] | T
type Never = undefined
made = [Box[int, str, Later](), Tree[int], next(Box.put(1, 2)), Box.__type_params__[1].__constraints__]
"""
# 3.13
DEFAULTS = """
import typing
class Box[T = int, **P = [int, str]]: ...
class Boxes[*Ts = *tuple[int, ...]]: ...
def unevaluated[T: undefined = undefined](argument: T): ...
made = [parameter.__default__ for parameter in Box.__type_params__ + Boxes.__type_params__]
made += [typing.TypeVar("Old", default=list), typing.TypeVar("Bound", bound=dict), typing.NoDefault]
"""


@kind("type parameters")
def type_parameters():
    yield run(TYPE_PARAMETERS)
    yield run(DEFAULTS)


def annotated(a: int, b: "str" = "x") -> None:
    """Annotations that nobody has asked for."""


@kind("annotations")
def annotations():
    def evaluated(a: int, *b: str) -> "list":
        """Annotations that somebody has."""

    evaluated.__annotations__
    yield evaluated
    yield annotated

    def assigned():
        """Annotations that are not its own."""

    assigned.__annotations__ = {"return": ZOO}
    yield assigned
    if sys.version_info >= (3, 14):

        def with_annotate(a: int):
            """A function that makes the annotations, not its own."""

        with_annotate.__annotate__ = lambda format: {"a": [format]}  # type: ignore
        yield with_annotate
        yield annotated.__annotate__  # type: ignore
        yield run(
            "class A: a: B; b: undefined\nclass B(A): c: A\nB.__annotations__\nf: A"
        )


# 3.14
TEMPLATES = """
name, width = "world", 10
whole = t"hello {name} {name!r:>{width}} {[name] = }"
empty = t""
joined = whole + t"{name:x}"
begun = iter(joined)
next(begun)
between = iter(whole)
next(between), next(between), next(between)
"""


@kind("template")
def templates():
    new = run(TEMPLATES)
    for name in ("whole", "empty", "joined", "begun", "between"):
        if name in new:
            yield new[name]
    if new:
        import string.templatelib

        argument = string.templatelib.Interpolation([1], "expression", "r", ".2f")
        yield argument
        yield string.templatelib.Template("before", argument, "after")


# 3.15
FROZEN = """
class Named(frozendict): ...
class Slotted(frozendict): __slots__ = ("slot",)
hashed = frozendict(a=1)
hash(hashed)
named = Named(a=[1])
named.attribute = [named]
slotted = Slotted(b=[2])
slotted.slot = [slotted]
plain = frozendict(a=1, b=[2], c={})
inmates = [frozendict(), plain, frozendict({1: [2], (3,): 4}), hashed, named, slotted, plain | {"x": [1]},
           plain.values(), iter(plain.items()), iter(hashed)]
"""
LAZY = """
lazy import json.tool as unused
lazy from collections import ChainMap
lazy import json.scanner
inmates = list(globals().values())
"""


@kind("3.15")
def newest():
    if sys.version_info >= (3, 15):
        yield from run(FROZEN)["inmates"]
        yield from run(LAZY)["inmates"]
        yield eval("sentinel('MISSING')")
        filled = bytearray(b"x" * 100)
        del filled[:10]
        yield filled
        cleared = bytearray(5)
        cleared.clear()
        yield cleared


@kind("io")
def io_():
    text = io.StringIO("some text")
    text.read(3)
    text.attribute = text
    yield text
    binary = io.BytesIO(b"some bytes")
    yield binary
    yield binary.getbuffer()
    yield sys.stdin
    yield sys.stdout
    yield sys.stdout.buffer
    yield io.TextIOWrapper(io.BytesIO(), encoding="utf-16")
    yield io.BufferedReader(io.BytesIO(b"x" * 100))
    yield io.BufferedRandom(io.BytesIO())
    yield io.BufferedRWPair(io.BytesIO(), io.BytesIO())
    opened = open(__file__)
    opened.readline()
    yield opened
    yield opened.buffer.raw
    closed = open(__file__, "rb")
    closed.close()
    yield closed
    yield io.IncrementalNewlineDecoder(None, True)


@kind("others in C")
def others():
    yield array.array("i")
    yield array.array("d", [1.0] * 100)
    with_attribute = type("ArraySubclass", (array.array,), {})("b", [1])
    with_attribute.attribute = with_attribute
    yield with_attribute
    yield struct.Struct("=ihq")
    pattern = re.compile("(?P<name>a+)(b)?")
    yield pattern
    yield pattern.match("aaab")
    yield pattern.scanner("aaab")
    yield threading.Lock()
    held = threading.Lock()
    held.acquire()
    yield held
    reentrant = threading.RLock()
    reentrant.acquire()
    yield reentrant
    local = threading.local()
    local.attribute = [local]
    yield local
    yield threading.Condition()
    yield threading.current_thread()
    yield sys.implementation
    yield datetime.datetime_CAPI  # a capsule
    yield datetime.datetime.now(datetime.timezone.utc)
    yield datetime.timedelta(days=1)
    yield ast.parse("x = [1, 'two']")
    yield random.Random(0)
    yield unicodedata.ucd_3_2_0
    yield os.environ
    yield str.maketrans("ab", "ba")
    for arguments in (("name",), ("name", [1]), ("name", [1], ("b", [2]))):
        keywords = dict([arguments[2]]) if len(arguments) > 2 else {}
        caller = operator.methodcaller(*arguments[:2], **keywords)
        yield caller
        try:
            caller(ZOO)
        except AttributeError:
            pass
    if sys.version_info >= (3, 14):
        blank = functools.Placeholder  # type: ignore
        yield functools.partial(print, blank, 2)
        yield functools.partial(functools.partial(print, blank, 2), 1)
        yield annotated.__code__.co_branches()  # type: ignore
    if hasattr(sys, "monitoring"):
        yield sys.monitoring


@kind("cycle")
def cycles():
    """One of each kind that can hold another, each holding the next: a ring."""
    first = []
    ring = first
    holder = Plain(held=first)
    steps = (
        lambda held: {"held": held},
        lambda held: (held,),
        lambda held: collections.deque([held]),
        lambda held: Plain(held=held),
        lambda held: frozenset([functools.partial(plain, held)]),
        lambda held: collections.OrderedDict(held=held),
        lambda held: collections.defaultdict(lambda: held),
        lambda held: types.MethodType(plain, held),
        lambda held: (lambda: held),
        lambda held: started(lambda: (iter([held]) for _ in [held] * 2)),
        lambda held: sent(hold(held)),
        lambda held: ValueError(held),
        lambda held: slice(held),
        lambda held: property(held),
        lambda held: staticmethod(held),
        lambda held: types.MappingProxyType({"held": held}),
        lambda held: types.SimpleNamespace(held=held),
        lambda held: enumerate([held]),
        lambda held: zip([held]),
        lambda held: map(plain, [held]),
        lambda held: itertools.repeat(held),
        lambda held: weakref.ref(holder, lambda _: held),
        lambda held: type("Holder", (), {"held": held}),
        lambda held: caught(failing, 1, held).__traceback__,
        lambda held: StrSubclassHolding(held),
        lambda held: operator.itemgetter(held),
        lambda held: collections.ChainMap({1: held}),
        lambda held: functools.lru_cache()(lambda: held),
        lambda held: memoryview(HoldingBytes(held)),
        lambda held: io_holding(held),
        lambda held: types.ModuleType("holder", held),
        lambda held: counter_holding(held).__closure__[0],
    )
    for step in steps:
        ring = step(ring)
        yield ring
    first.append(ring)
    yield holder


async def hold(held):
    await Awaitable()


class StrSubclassHolding(str):
    """A str that holds something."""

    def __new__(cls, held):
        self = super().__new__(cls, "holding")
        self.held = held
        return self


class HoldingBytes(bytes):
    """A bytes that holds something."""

    def __new__(cls, held):
        self = super().__new__(cls, b"holding")
        self.held = held
        return self


def io_holding(held):
    file = io.StringIO()
    file.held = held
    return file


def counter_holding(held):
    return lambda: held


# Running at death.


def running_generator():
    local = "of the running generator"
    yield local
    coro = running_coroutine()
    ZOO["coroutine"].append(coro)
    coro.send(None)
    yield local


async def running_coroutine():
    local = ["of the running coroutine"]
    agen = running_async_generator()
    ZOO["async generator"].append(agen)
    async for _ in agen:
        await Awaitable()
    return local


async def running_async_generator():
    local = {"of": "the running async generator"}
    delegate = delegating_to_death()
    ZOO["generator"].append(delegate)
    next(delegate)
    yield local


def delegating_to_death():
    yield from last_generator()


def last_generator():
    ZOO["frame"].append(sys._getframe())
    try:
        raise OwnError("being handled")
    except OwnError as error:
        truth.die(sys.argv[1], expect=named)
        yield error


def named():
    """Every inmate, by kind and index."""
    names = {"ZOO": ZOO}
    for name in ZOO:
        for index, inmate in enumerate(ZOO[name]):
            names["%s.%d" % (name, index)] = inmate
    return names


def main():
    running = running_generator()
    ZOO["generator"].append(running)
    next(running)
    next(running)


if __name__ == "__main__":
    fill_zoo()
    if contextvars:
        context = contextvars.copy_context()
        ZOO["contextvars"].append(context)
        context.run(main)
    else:
        main()
