# SPDX-License-Identifier: Apache-2.0
"""Instances of every shape: where their attributes are, and how.

`SHAPES` is a dict of lists by the name of the shape.  The truth names each instance:
``expect SHAPE.INDEX ADDR``.
"""

import abc
import array
import collections
import datetime
import decimal
import enum
import functools
import gc
import io
import os
import random
import sys
import threading
import types
import typing
import weakref

try:
    import dataclasses
except ImportError:  # before 3.7
    dataclasses = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

SHAPES = {}
MAKERS = []


def shape(name):
    """What the decorated generator yields is kept under this *name*."""

    def register(function):
        MAKERS.append((name, function))
        return function

    return register


def make_shapes():
    """Make all the instances."""
    for name, function in MAKERS:
        instances = SHAPES.setdefault(name, [])
        for instance in function():
            instances.append(instance)


def made(name, bases=(), **namespace):
    """A new class."""
    return types.new_class(name, bases, {}, lambda ns: ns.update(namespace))


# Attributes in the instance, or in a dict.


class Plain:
    """With attributes as usual."""

    def __init__(self, x=1, y="two"):
        self.x = x
        self.y = y
        self.z = [x, y]


class Empty:
    """Without any attributes by itself."""


@shape("plain")
def plain():
    yield Empty()
    yield Plain()
    yield Plain([], {})
    added = Plain()
    added.added = "late"
    yield added
    added_to_empty = Empty()
    added_to_empty.only = "one"
    yield added_to_empty


@shape("order")
def other_orders():
    """The shared keys of the class are first made in one order."""
    for names in ("abc", "cba", "bac", "b", "ca", "abcd", "dcba", "xyz"):
        instance = other_orders.cls()
        for name in names:
            setattr(instance, name, [name])
        yield instance


other_orders.cls = made("OtherOrders")


@shape("many")
def many_attributes():
    """More attributes than shared keys hold (30)."""
    cls = made("ManyAttributes")
    for count in (29, 30, 31, 32, 100, 1000):
        instance = cls()
        for i in range(count):
            setattr(instance, "attribute_%d" % i, (i,))
        yield instance
    fresh = made("FreshWithMany")()
    for i in range(40):
        setattr(fresh, "a%d" % i, i)
    yield fresh


@shape("deleted")
def deleted_attributes():
    for names in ("x", "z", "xyz", "y"):
        instance = Plain()
        for name in names:
            delattr(instance, name)
        yield instance
    again = Plain()
    del again.x
    again.x = "added again"
    yield again
    all_again = Plain()
    for name in "xyz":
        delattr(all_again, name)
    for name in "zyx":
        setattr(all_again, name, name)
    yield all_again
    for i in range(5):
        all_again.temporary = i
        del all_again.temporary


@shape("materialised")
def materialised():
    """Those whose `__dict__` has been looked at."""
    read = Plain()
    read.__dict__
    yield read
    later = Plain()
    vars(later)
    later.added = "after"
    yield later
    kept = Plain()
    yield kept
    yield kept.__dict__
    outliving = Plain().__dict__
    yield outliving
    through_dict = Plain()
    through_dict.__dict__["key"] = "by the dict"
    through_dict.__dict__[1] = "not a str"
    yield through_dict
    replaced = Plain()
    replaced.__dict__ = {"own": "dict"}
    yield replaced
    replaced_twice = Plain()
    replaced_twice.__dict__ = {"first": 1}
    replaced_twice.__dict__ = {"second": 2}
    replaced_twice.more = 3
    yield replaced_twice
    one, other = Plain(), Plain()
    one.__dict__ = other.__dict__
    yield one
    yield other
    deleted = Plain()
    try:
        del deleted.__dict__
    except TypeError:
        pass
    yield deleted
    emptied = Plain()
    emptied.__dict__.clear()
    yield emptied
    itself = Plain()
    itself.__dict__["self"] = itself.__dict__
    yield itself
    subclass = Plain()
    subclass.__dict__ = collections.OrderedDict(a=1)
    yield subclass
    for count in (0, 1, 29, 30, 31, 60):
        crowded = made("Crowded")()
        namespace = vars(crowded)
        for i in range(count):
            setattr(crowded, "a%d" % i, [i])
        yield crowded
        yield namespace
        yield namespace.copy()
        yield dict(namespace)
    reclassed = made("Before")()
    reclassed.early = ["early"]
    reclassed.__class__ = made("After")
    reclassed.late = ["late"]
    yield reclassed
    lost = Plain()
    its = vars(lost)
    lost.__dict__ = {"instead": [its]}
    yield lost
    refilled = Plain()
    vars(refilled).clear()
    refilled.again = ["again"]
    yield refilled
    updated = Plain()
    vars(updated).update({str(i): [i] for i in range(60)})
    yield updated


# Attributes in slots.


class Slots:
    """Some slots."""

    __slots__ = ("a", "b", "c")


class MoreSlots(Slots):
    """Slots inherited, and more."""

    __slots__ = ("d", "__private")

    def __init__(self):
        self.__private = "mangled"


class MostSlots(MoreSlots):
    """The third level, with slots of a name that there is already."""

    __slots__ = ("a", "e", "__private")


class SlotsAndDict(Slots):
    """Slots and a dict."""


class SlotsWithDict:
    """A dict among the slots."""

    __slots__ = ("__dict__", "a")


class SlotsWithWeakref:
    """A weakref list among the slots."""

    __slots__ = ("a", "__weakref__")


class SlotsWithBoth(Slots):
    """A dict and a weakref list after the inherited slots."""

    __slots__ = ("__weakref__", "d", "__dict__")


class NoSlots:
    """Nothing at all."""

    __slots__ = ()


class OneSlot:
    """A slot as a plain string."""

    __slots__ = "single"


@shape("slots")
def slots():
    for cls in (Slots, MoreSlots, MostSlots, SlotsAndDict, SlotsWithBoth):
        yield cls()
        full = cls()
        full.a, full.b, full.c = [1], [2], [3]
        for name in ("d", "e", "in_dict"):
            try:
                setattr(full, name, [name])
            except AttributeError:
                pass
        yield full
        partly = cls()
        partly.b = partly
        yield partly
        deleted = cls()
        deleted.a = deleted.b = deleted
        del deleted.a
        yield deleted
    for cls in (SlotsWithDict, SlotsWithWeakref):
        instance = cls()
        instance.a = "slot"
        yield instance
    with_dict = SlotsWithDict()
    with_dict.b = "in the dict"
    yield with_dict
    referenced = SlotsWithWeakref()
    referenced.a = weakref.ref(referenced)
    yield referenced
    yield NoSlots()
    single = OneSlot()
    single.single = single
    yield single
    documented = made("Documented", __slots__={"a": "documentation of a"})()
    documented.a = 1
    yield documented
    wide = made("Wide", __slots__=["slot_%d" % i for i in range(100)])()
    for i in range(0, 100, 2):
        setattr(wide, "slot_%d" % i, (i,))
    yield wide


# Subclasses of what is built in.

BASES = (
    (list, [1, [2]]),
    (dict, {"a": 1}),
    (tuple, (1, [2])),
    (set, "abc"),
    (frozenset, "abc"),
    (int, 2**40),
    (float, 1.5),
    (complex, 1 + 2j),
    (str, "text"),
    (str, "\u65e5\u672c"),
    (bytes, b"bytes"),
    (bytearray, b"bytearray"),
    (types.ModuleType, "module"),
    (property, None),
    (staticmethod, len),
    (classmethod, len),
    (collections.deque, "abc"),
    (collections.OrderedDict, {"a": 1, "b": 2}),
    (collections.defaultdict, list),
    (collections.Counter, "abca"),
    (functools.partial, print),
    (Exception, "argument"),
    (OSError, "argument"),
    (StopIteration, "value"),
    (KeyError, "key"),
    (weakref.ref, Plain),
    (super, Plain),
    (io.StringIO, "text"),
    (io.BytesIO, b"bytes"),
    (decimal.Decimal, "1.50"),
    (random.Random, 1),
    (datetime.tzinfo, None),
    (threading.local, None),
    (enumerate, "abc"),
    (map, None),
    (reversed, "abc"),
    (object, None),
)


def instantiate(cls, argument):
    if issubclass(cls, map):
        return cls(len, ["a"])
    return cls() if argument is None else cls(argument)


@shape("subclass")
def subclasses():
    """Without attributes, with some, with slots, with both, and further down."""
    for base, argument in BASES:
        name = base.__name__.title()
        simple = made("Simple" + name, (base,))
        yield instantiate(simple, argument)
        instance = instantiate(simple, argument)
        instance.attribute = instance
        instance.other = [base]
        yield instance
        bare = made("Bare" + name, (base,), __slots__=())
        yield instantiate(bare, argument)
        deeper = made("Deeper" + name, (bare,))
        instance = instantiate(deeper, argument)
        instance.attribute = {"deeper": instance}
        yield instance
        try:
            slotted = made("Slotted" + name, (base,), __slots__=("a", "b"))
        except TypeError:  # objects of variable size cannot have slots
            continue
        instance = instantiate(slotted, argument)
        instance.a = [instance]
        yield instance
        more = made("More" + name, (slotted,), __slots__=("c",))
        both = made("Both" + name, (more,))
        instance = instantiate(both, argument)
        instance.b, instance.c, instance.d = [1], [2], [3]
        yield instance
    for base, args in (
        (datetime.date, (2020, 1, 2)),
        (datetime.datetime, (2020, 1, 2)),
        (datetime.timedelta, (1,)),
        (array.array, ("i", [1])),
        (zip, ("a", "b")),
        (filter, (None, "a")),
        (types.SimpleNamespace, ()),
        (collections.ChainMap, ({},)),
        (collections.UserDict, ()),
        (threading.Thread, ()),
    ):
        instance = made("Sub" + base.__name__.title(), (base,))(*args)
        instance.attribute = [instance]
        yield instance


class Left:
    """One base."""

    def __init__(self):
        self.left = "left"


class Right:
    """The other."""

    def __init__(self):
        self.right = "right"


@shape("multiple inheritance")
def multiple_inheritance():
    for bases in (
        (Left, Right),
        (Left, dict),
        (dict, Left),
        (Slots, Left),
        (Left, Slots),
        (Left, Exception),
        (Left, list, NoSlots),
        (Left, int),
        (SlotsAndDict, Right),
        (Plain, threading.local),
    ):
        instance = made("Multiple", bases)()
        instance.attribute = bases
        yield instance
    diamond = made("Diamond", (made("L", (Plain,)), made("R", (Plain,))))()
    diamond.x = diamond
    yield diamond


# Classes out of the ordinary.


class Meta(type):
    """A metaclass with attributes."""

    registry = []

    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        cls.registry.append(cls)
        cls.by_meta = {"name": name}


class OfMeta(metaclass=Meta):
    """A class with a metaclass."""


class SubMeta(Meta):
    """A metaclass of a metaclass."""

    __slots__ = ()  # of a type, none other are allowed


@shape("metaclass")
def metaclasses():
    yield OfMeta
    yield OfMeta()
    cls = SubMeta("OfSubMeta", (OfMeta,), {"attribute": 1})
    yield cls
    instance = cls()
    instance.attribute = cls
    yield instance
    yield from Meta.registry
    own_mro = type("OwnMro", (type,), {"mro": lambda cls: type.mro(cls)})
    yield own_mro("WithOwnMro", (Plain,), {})


Named = collections.namedtuple("Named", "first second")


class NamedSubclass(Named):
    """A namedtuple with a dict."""


class Typed(typing.NamedTuple):
    """A typed one."""

    first: int = 1


class Color(enum.Enum):
    """An enumeration with attributes."""

    RED = (255, 0, 0)
    GREEN = (0, 255, 0)

    def __init__(self, *parts):
        self.parts = list(parts)


class Flags(enum.IntFlag):
    """Numbers as well."""

    A = 1
    B = 2


class Shape(abc.ABC):
    """An abstract base class."""

    @abc.abstractmethod
    def area(self):
        """Do nothing."""


class Square(Shape):
    """Concrete."""

    def __init__(self):
        self.side = [1]

    def area(self):
        return 1


@Shape.register
class Virtual:
    """Registered only."""


class Generic(typing.Generic[typing.TypeVar("T")]):
    """Generic."""


@shape("special class")
def special_classes():
    yield Named([1], 2)
    extended = NamedSubclass(1, [2])
    extended.third = extended
    yield extended
    yield Typed()
    yield from Color
    yield Flags.A | Flags.B
    assert isinstance(Virtual(), Shape) and not isinstance(1, Shape)
    yield Square()
    yield Virtual()
    generic = Generic[int]()
    yield generic
    if dataclasses:
        data = dataclasses.make_dataclass("Data", ["a", ("b", list)])
        yield data(1, [2])
        frozen = dataclasses.make_dataclass("Frozen", ["a"], frozen=True)
        yield frozen([3])
        if sys.version_info >= (3, 10):
            slotted = dataclasses.make_dataclass("Slotted", ["a", "b"], slots=True)
            yield slotted(1, [2])
            args = {"slots": True, "frozen": True}
            yield dataclasses.make_dataclass("SlottedFrozen", ["a"], **args)([1])


class Touched(BaseException):
    """Raised when somebody calls what should not be called."""


def touched(*args, **kwargs):
    raise Touched


@shape("hostile")
def hostile():
    """Who looks at these by any Python code, fails."""
    names = "getattribute getattr repr str hash eq len bool iter contains sizeof dir"
    for name in names.split():
        cls = made("Hostile" + name.title())
        instance = cls()
        instance.attribute = [instance]
        setattr(cls, "__%s__" % name, touched)
        yield instance
    lying = made("Lying", __class__=property(lambda self: int))()
    lying.attribute = 1
    yield lying
    hiding = made("Hiding", __dict__=property(touched), __module__=property(touched))
    yield hiding()
    yield made("OddModule", __module__=[1])()
    yield made("Name with\ttab, newline\nand \\ in it")()
    yield made("N\xe4me")()
    mapping = made("HostileDict", (dict,), __getitem__=touched, items=touched)(a=1)
    mapping.attribute = 1
    yield mapping
    meta = type("HostileMeta", (type,), {})
    cls = meta("OfHostileMeta", (), {})
    instance = cls()
    instance.attribute = [instance]
    meta.__getattribute__ = meta.__repr__ = meta.__eq__ = touched
    meta.__instancecheck__ = meta.__subclasscheck__ = touched
    yield instance


class Finalised:
    """With a finaliser, which does not run at an abort."""

    finalised = 0

    def __init__(self):
        self.itself = self

    def __del__(self):
        Finalised.finalised += 1


@shape("finalised")
def finalised():
    yield Finalised()
    resurrected = []
    cls = made("Resurrecting", __del__=lambda self: resurrected.append(self))
    instance = cls()
    instance.itself = instance
    del instance
    gc.collect()
    yield from resurrected


@shape("cycle of classes")
def cycles_of_classes():
    one, other = made("One"), made("Other")
    one.other, other.other = other, one
    one.instance = one()
    one.instance.__class__ = other
    yield one.instance
    other.method = lambda self: (one, other)
    yield other()
    rebased = made("Rebased", (Left,))
    instance = rebased()
    rebased.__bases__ = (Right, Left)
    yield instance


def make_garbage():
    """Classes and instances that are gone at death, and some not yet collected."""
    for i in range(50):
        cls = made("Gone%d" % i, (Plain,))
        cls.instance = cls()
    del cls
    gc.collect()
    for i in range(10):
        cls = made("Garbage%d" % i)
        cls.instance = cls()


@shape("herd")
def herd():
    """Many of one class."""
    previous = None
    for number in range(2000):
        instance = Plain(number, previous)
        yield instance
        previous = instance if number % 10 else None


def named():
    """Every instance, by shape and index; of the herd the first ten."""
    names = {"SHAPES": SHAPES}
    for name in SHAPES:
        for index, instance in enumerate(SHAPES[name]):
            if name != "herd" or index < 10:
                names["%s.%d" % (name, index)] = instance
    return names


def main():
    make_shapes()
    make_garbage()
    truth.die(sys.argv[1], expect=named)


if __name__ == "__main__":
    main()
