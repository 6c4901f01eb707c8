# SPDX-License-Identifier: Apache-2.0
"""numpy's arrays, views, structured dtypes and scalars, with objects among their items.

The collector knows none of them.  `HELD` has pairs of an object and what it holds, by the
attributes that show it: a list of (label, object).
"""

import gc
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

try:
    import numpy
except ImportError:
    truth.skip("numpy is not installed")

HELD = []
KEPT = []


def holds(obj, *held):
    """Note what *obj* holds: pairs of a label and an object."""
    HELD.append((obj, list(held)))
    return obj


def owner(array, items=()):
    """Note an array that owns its data, and the objects that are its *items*."""
    labelled = [("item[%d]" % i, item) for i, item in enumerate(items)]
    return holds(array, ("dtype", array.dtype), *labelled)


def view(obj):
    """Note an array or a scalar whose data is that of its base."""
    return holds(obj, ("base", obj.base), ("dtype", obj.dtype))


def make_arrays():
    """Arrays own their items; views hold their base."""
    objects = [
        object(),
        "an item %d" % sys.version_info[1],
        [],
        None,
        1 << 70,
        ("tuple",),
    ]

    flat = owner(numpy.array(objects, dtype=object), objects)
    view(flat[1:3])
    view(flat[::-1])
    matrix = numpy.empty((2, 3), dtype=object)
    matrix.flat[:] = objects
    owner(matrix, objects)
    view(matrix.T)
    fortran = numpy.empty((2, 3), dtype=object, order="F")
    fortran[:] = matrix
    owner(fortran, objects)
    zero = numpy.empty((), dtype=object)
    zero[()] = objects[0]
    owner(zero, objects[:1])
    owner(numpy.empty((3, 0, 2), dtype=object))
    owner(numpy.arange(10.0))
    holds(numpy.float64(2.5))
    make_structures(objects)


def make_structures(objects):
    """Structured dtypes: objects in fields, with titles, in subarrays, nested."""
    inner = numpy.dtype([("deep", object), ("number", "i2")], align=True)
    dtype = numpy.dtype(
        [
            ("id", "i4"),
            (("a title", "name"), object),
            ("pair", object, (2,)),
            ("inner", inner),
        ]
    )
    array = numpy.zeros(3, dtype=dtype)
    expected = []
    for i in range(3):
        array[i] = (i, objects[i], objects[i : i + 2], (objects[5], 1))
        expected += [("item[%d]['name']" % i, objects[i])]
        expected += [("item[%d]['pair']" % i, item) for item in objects[i : i + 2]]
        expected += [("item[%d]['inner']" % i, objects[5])]
    holds(array, ("dtype", array.dtype), *expected)
    view(array["name"])
    scalar = array[1]
    view(scalar)
    for each in (dtype, inner):
        # The mapping proxy of `fields` is made anew each time; it refers to the dict.
        fields = gc.get_referents(each.fields)[0]
        holds(each, ("type", each.type), ("names", each.names), ("fields", fields))
    sub = numpy.dtype((object, (2,)))
    holds(
        sub,
        ("type", sub.type),
        (".subarray.base", sub.base),
        (".subarray.shape", sub.shape),
    )
    noted = numpy.dtype("i4", metadata={"unit": "m"})
    holds(
        noted, ("type", noted.type), ("metadata", gc.get_referents(noted.metadata)[0])
    )
    KEPT.append(numpy.nditer([array["id"]]))


def main():
    make_arrays()
    truth.die(sys.argv[1], holders=lambda: HELD)


if __name__ == "__main__":
    main()
