# SPDX-License-Identifier: Apache-2.0
"""A small shop that leaks, and what objgraph said of it before the process died.

The process asks objgraph, in a child that has the same objects at the same addresses, and
notes the answers as JSON in the file `objgraph` beside the truth: objects are addresses,
written as in the truth. What a reader of the core says instead is compared with that.

There are two cores: `core.0` is of a child that dies earlier, before a third of the
customers came and one line went. What objgraph remembers from one call of growth() to the
next is in the file `objgraph.0`.
"""

import collections
import gc
import io
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


def chain(find, start, predicate, **options):
    """What objgraph found from `start` to an end, or None."""
    found = find(start, predicate, **options)
    ended = predicate(found[0] if find is objgraph.find_backref_chain else found[-1])
    return hexadecimal(found) if ended else None


def is_a(kind):
    """A predicate for the end of a chain."""
    return lambda o: type(o) is kind


def chains():
    """By a name: direction, start, end as py-heap-chain has them, options, chain."""
    customer, module = registry["customer 7"], objgraph.is_proper_module
    line = customer.orders[1].lines[3]
    up, down = objgraph.find_backref_chain, objgraph.find_ref_chain
    asked = (
        ("up", line, "module", module, {}),
        ("up", others[1], "module", module, {}),
        ("up", lonely, "module", module, {}),
        ("up", line, "__main__.Customer", is_a(Customer), {}),
        ("up", line, "__main__.Customer", is_a(Customer), {"max_depth": 2}),
        ("up", line, "__main__.Order", is_a(Order), {"max_depth": 3}),
        ("up", lonely, "module", module, {"extra_ignore": [vars_of_main()]}),
        ("down", customer, "__main__.Product", is_a(Product), {}),
        ("down", customer, "__main__.Product", is_a(Product), {"max_depth": 4}),
        ("down", customer, "__main__.Line", is_a(Line), {}),
        ("down", line, "__main__.Customer", is_a(Customer), {}),
        ("down", order, "module", module, {}),
        (
            "down",
            customer,
            "__main__.Line",
            is_a(Line),
            {"extra_ignore": [customer.orders]},
        ),
    )
    for direction, start, end, predicate, options in asked:
        ignored = options.get("extra_ignore", ())
        given = dict(options, extra_ignore=[id(o) for o in ignored])
        found = chain(up if direction == "up" else down, start, predicate, **given)
        noted = dict(options, extra_ignore=hexadecimal(ignored))
        yield [direction, "%x" % id(start), end, noted, found]


def vars_of_main():
    """The dict of the module."""
    return sys.modules["__main__"].__dict__


def shown(function, *arguments, **options):
    """What a function prints."""
    file = io.StringIO()
    function(*arguments, file=file, **options)
    return file.getvalue().splitlines()


def is_own(o):
    """A filter."""
    return type(o).__module__ == "__main__"


def drawn_chain():
    """A chain, and its picture."""
    found = objgraph.find_backref_chain(lonely, objgraph.is_proper_module)
    output = io.StringIO()
    objgraph.show_chain(found, output=output)
    return hexadecimal(found), output.getvalue()


def answers(tracked):
    """What objgraph says: of the objects that the collector tracked, where it takes a list."""
    names = ("dict", "Product", "Customer", "__main__.Customer", "__main__.Product")
    names += ("Shop.Product", "__main__.Shop.Product", "Nobody")
    leaking = objgraph.get_leaking_objects(tracked)
    customer = registry["customer 7"]
    some = [customer, customer.orders[1].lines[3], lonely, others[1]]
    found = objgraph.at_addrs({id(o) for o in some} | {id(customer.name), 16})
    most = objgraph.show_most_common_types
    return {
        "count": {name: objgraph.count(name, tracked) for name in names},
        "by_type": {
            name: hexadecimal(objgraph.by_type(name, tracked)) for name in names[1:]
        },
        "names": {
            "%s.%s"
            % (kind.__module__, kind.__qualname__): "%s.%s"
            % (kind.__module__, kind.__name__)
            for kind in map(type, tracked)
        },
        "typestats": objgraph.typestats(tracked),
        "typestats, long": objgraph.typestats(tracked, shortnames=False),
        "typestats, filter": objgraph.typestats(tracked, False, is_own),
        "most_common_types": objgraph.most_common_types(objects=tracked),
        "most_common_types, 3": objgraph.most_common_types(3, tracked, False, is_own),
        "show_most_common_types": shown(most, 5, tracked, False),
        "get_leaking_objects": hexadecimal(leaking),
        "get_leaking_objects, own": hexadecimal(
            objgraph.get_leaking_objects(list(filter(is_own, tracked)))
        ),
        "leaking types": objgraph.typestats(leaking, False),
        "at": {"%x" % id(o): type(objgraph.at(id(o))).__name__ for o in some},
        "at, untracked": ["%x" % id(customer.name), objgraph.at(id(customer.name))],
        "at_addrs": hexadecimal(found),
        "chains": list(chains()),
        "show_chain": drawn_chain(),
        "sys.modules": [
            "%x" % id(m) for m in sys.modules.values() if isinstance(m, type(sys))
        ],
        "other names": [
            "%x" % id(m)
            for m in sys.modules.values()
            if m is not sys.modules.get(getattr(m, "__name__", None))
        ],
        "is_proper_module": hexadecimal(filter(objgraph.is_proper_module, tracked)),
    }


def grown(tracked, before):
    """What objgraph remembers, and, where it remembered, what it says grew.

    Only objects that the collector tracked count; what objgraph itself makes does not.
    """
    ids = {id(o) for o in tracked}

    def among(o):
        return id(o) in ids

    kept, gc.collect = gc.collect, int  # what it finds here is in the core
    growth, said = objgraph.growth, {}
    memory = {"peaks": {}, "short": {}}
    state = {}
    if before:
        peaks, short = before["peaks"], before["short"]
        sets = {
            name: {int(i, 16) for i in found} for name, found in before["ids"].items()
        }
        state = {name: collections.defaultdict(set) for name in ("old", "new")}
        state["current"] = collections.defaultdict(set, sets)
        state["shortnames"] = False
        said = {
            "growth": growth(None, dict(peaks), False, among),
            "growth, 2": growth(2, dict(peaks), False, among),
            "growth, filter": growth(None, dict(peaks), False, is_own),
            "growth, short": growth(None, dict(short), True, among),
            "show_growth": shown(
                objgraph.show_growth, 2, dict(peaks), False, filter=among
            ),
        }
    memory = {"peaks": {}, "short": {}}
    growth(None, memory["peaks"], False, among)
    growth(None, memory["short"], True, among)
    table = shown(objgraph.get_new_ids, limit=None, shortnames=False, _state=state)
    new = objgraph.get_new_ids(skip_update=True, _state=state)
    said["get_new_ids"] = {
        name: ["%x" % i for i in found & ids] for name, found in new.items()
    }
    said["get_new_ids, table"] = table
    memory["ids"] = {
        name: ["%x" % i for i in found & ids]
        for name, found in state["current"].items()
    }
    gc.collect = kept
    return memory, said if before else {}


def named():
    """What the truth names."""
    return {"lonely": lonely}


def without(objects, one):
    """All but one of them. It is no loop of its caller, which would then have a cell."""
    return [o for o in objects if o is not one]


def ask(path):
    """Ask objgraph in a child made by the C library's fork, which leaves no trace here.

    It writes `path`.0 the first time, and `path` the second.
    """
    pid = truth._FORK()
    if pid == 0:
        try:
            tracked = truth._GET_OBJECTS()
            tracked = without(tracked, sys._getframe())
            before = None
            if os.path.exists(path + ".0"):
                with open(path + ".0") as file:
                    before = json.load(file)
            memory, said = grown(tracked, before)
            if before:
                said.update(answers(tracked))
            with open(path if before else path + ".0", "w") as file:
                json.dump(said if before else memory, file)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    truth._WAITPID(pid, truth._STATUS_POINTER, 0)
    if truth._STATUS[0] != 0:
        raise RuntimeError("objgraph did not answer")


def main():
    path = os.path.join(os.path.dirname(sys.argv[1]), "objgraph")
    for number in range(12):
        order(number)
    gc.collect()
    gc.disable()
    ask(path)
    truth.snapshot(sys.argv[1], 0, expect=named)
    for number in range(12, 18):
        order(number)
    del registry["customer 7"].orders[0].lines[5]
    ask(path)
    truth.die(sys.argv[1], expect=named)


if __name__ == "__main__":
    main()
