# SPDX-License-Identifier: Apache-2.0
"""A small shop that leaks, and what objgraph said of it before the process died.

The process asks objgraph, in a child that has the same objects at the same addresses, and
notes the answers as JSON in the file `objgraph` beside the truth: objects are addresses,
written as in the truth. What a reader of the core says instead is compared with that.
"""

import gc
import json
import os
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

try:
    import objgraph
except ImportError:
    truth.skip("no objgraph")


class Customer:
    """In a registry that nobody empties."""

    def __init__(self, name):
        self.name = name
        self.orders = []


class Order:
    """Refers back to its customer: a cycle each."""

    def __init__(self, customer, lines):
        self.customer = customer
        self.lines = lines


class Line:
    """With slots, so that no __dict__ is between."""

    __slots__ = ("product", "number")

    def __init__(self, product, number):
        self.product = product
        self.number = number


class Product:
    """One of few, which many refer to."""


class Shop:
    """Another Shop than the one in this class."""

    class Product:
        """Has the last part of its name in common with the other Product."""


registry = {}
products = [Product() for _ in range(4)]
others = [Shop.Product() for _ in range(3)]
lonely = Product()  # a module's variable is all that holds it


def order(number):
    """A customer with a few orders."""
    customer = registry["customer %d" % number] = Customer("customer %d" % number)
    for start in range(3):
        lines = [Line(products[(start + i) % 4], i) for i in range(12)]
        customer.orders.append(Order(customer, lines))


def hexadecimal(objects):
    """Addresses as the truth has them."""
    return ["%x" % id(o) for o in objects]


def chains(start, find, ends):
    """The length of the chain from `start`, or None, by the name of its end."""
    found = {}
    for name, predicate in ends.items():
        chain = find(start, predicate)
        ended = predicate(
            chain[0] if find is objgraph.find_backref_chain else chain[-1]
        )
        found[name] = hexadecimal(chain) if ended else None
    return found


def ends():
    """Predicates for the ends of chains, by what py-heap-chain calls them."""
    return {
        "module": objgraph.is_proper_module,
        "Customer": lambda o: type(o) is Customer,
        "Product": lambda o: type(o) is Product,
        "Line": lambda o: type(o) is Line,
        "function": lambda o: type(o) is type(order),
        "Shop": lambda o: type(o) is Shop,
    }


def answers(tracked):
    """What objgraph says: of the objects that the collector tracked, where it takes a list."""
    customer = registry["customer 7"]
    line = customer.orders[1].lines[3]
    names = ("dict", "Product", "Customer", "__main__.Customer", "__main__.Product")
    names += ("Shop.Product", "__main__.Shop.Product", "Nobody")
    leaking = objgraph.get_leaking_objects(tracked)
    starts = {"customer": customer, "line": line, "lonely": lonely, "other": others[1]}
    return {
        "count": {name: objgraph.count(name, tracked) for name in names},
        "by_type": {
            name: hexadecimal(objgraph.by_type(name, tracked)) for name in names[1:]
        },
        "typestats": objgraph.typestats(tracked),
        "typestats, long": objgraph.typestats(tracked, shortnames=False),
        "most_common_types": objgraph.most_common_types(objects=tracked),
        "most_common_types, 3": objgraph.most_common_types(
            3, tracked, False, lambda o: type(o).__module__ == "__main__"
        ),
        "get_leaking_objects": hexadecimal(leaking),
        "leaking types": objgraph.typestats(leaking),
        "at": {"%x" % id(o): type(o).__name__ for o in starts.values()},
        "starts": {name: "%x" % id(o) for name, o in starts.items()},
        "find_backref_chain": {
            name: chains(start, objgraph.find_backref_chain, ends())
            for name, start in starts.items()
        },
        "find_ref_chain": {
            name: chains(start, objgraph.find_ref_chain, ends())
            for name, start in starts.items()
        },
        "is_proper_module": hexadecimal(filter(objgraph.is_proper_module, tracked)),
    }


def ask(path):
    """Ask objgraph in a child made by the C library's fork, which leaves no trace here."""
    pid = truth._FORK()
    if pid == 0:
        try:
            tracked = truth._GET_OBJECTS()
            frame = sys._getframe()
            tracked = [o for o in tracked if o is not frame]
            with open(path, "w") as file:
                json.dump(answers(tracked), file)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    truth._WAITPID(pid, truth._STATUS_POINTER, 0)
    if truth._STATUS.value != 0:
        raise RuntimeError("objgraph did not answer")


def main():
    for number in range(20):
        order(number)
    gc.disable()
    ask(os.path.join(os.path.dirname(sys.argv[1]), "objgraph"))
    truth.die(sys.argv[1], expect=lambda: {"lonely": lonely})


if __name__ == "__main__":
    main()
