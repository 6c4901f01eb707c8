# SPDX-License-Identifier: Apache-2.0
"""What one makes in the tutorials of objgraph and of refcycle, step by step.

docs/from-objgraph.md and docs/from-refcycle.md ask of its core what the tutorials ask of
the process. The collector is off, so that the last two steps leave garbage. `core.0` is of
a child that dies before something leaks.
"""

import gc
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

# objgraph: a list, and one that holds it in three ways.
x = []
y = [x, [x], dict(x=x)]

# Many references to one object.
moo = ["moo"]
herd = [[moo] for _ in range(42)]


# Nodes in a circle.
class Node:
    """Knows its neighbours."""

    def __init__(self, *neighbours):
        self.neighbours = list(neighbours)


first = Node()
last = Node(Node(Node(first)))
first.neighbours.append(last)


# A chain down to one object.
class Unpicklable:
    """Deep in something that was to be pickled."""


my_object = dict(
    foo=dict(unrelated="things"), bar=[dict(nesting="fun"), dict(trap=Unpicklable())]
)


# A cache that is never emptied.
class MyBigFatObject:
    """Two of three are leaked."""


def computate_something(_cache={}):
    """The cache is its default argument."""
    _cache[42] = dict(foo=MyBigFatObject(), bar=MyBigFatObject())
    MyBigFatObject()


# A generator that has begun.
class Canary:
    """In a local variable of the generator."""


def count_to_three():
    """It is never exhausted."""
    tweety = Canary()  # noqa: F841
    yield 1
    yield 2
    yield 3


counting = count_to_three()
next(counting)


# Garbage with a finalizer.
class Nondestructible(list):
    """In a cycle through two more lists."""

    def __del__(self):
        pass


def finalizer():
    """A cycle of three, of which nobody knows when this has returned."""
    one, two, three = Nondestructible(), [], []
    one.append(two)
    two.append(three)
    three.append(one)


def cycle():
    """refcycle: two objects that refer to each other, and their class, which nobody else knows."""

    class A:
        """Is garbage with its instances."""

    a, b = A(), A()
    a.foo, b.foo = b, a


def named():
    """What the truth names."""
    found = {
        "x": x,
        "y": y,
        "moo": moo,
        "first": first,
        "last": last,
        "my_object": my_object,
    }
    found["trap"] = my_object["bar"][1]["trap"]
    for one in gc.get_objects():
        if type(one) in (Canary, Nondestructible, MyBigFatObject):
            found[type(one).__name__] = one
        elif type(one).__name__ == "A":
            found["a" if "a" not in found else "b"] = one
    return found


def main():
    gc.collect()
    gc.disable()
    finalizer()
    cycle()
    truth.snapshot(sys.argv[1], 0, expect=named)
    computate_something()
    truth.die(sys.argv[1], expect=named)


if __name__ == "__main__":
    main()
