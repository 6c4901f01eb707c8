# SPDX-License-Identifier: Apache-2.0
"""A cache in a default argument, which is never emptied.

After `computate_something` has returned, its two big objects are still there.  What
chain of references keeps them?
"""

import gc
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402


class MyBigFatObject:
    pass


def computate_something(_cache={}):
    _cache[42] = dict(foo=MyBigFatObject(), bar=MyBigFatObject())
    # a very explicit and easy-to-find "leak", but oh well
    x = MyBigFatObject()  # this one does not leak # noqa: F841


def cached():
    """The objects still there, by their key in the cache."""
    return {
        key: value
        for entry in gc.get_objects()
        if type(entry) is dict and len(entry) == 2
        for key, value in entry.items()
        if type(value) is MyBigFatObject
    }


def main():
    computate_something()
    truth.die(sys.argv[1], expect=cached)


if __name__ == "__main__":
    main()
