# SPDX-License-Identifier: Apache-2.0
"""Garbage (garbage.py's) before and after `gc.freeze`: the collector finds only the latter.

What is frozen is not tracked any more, as `gc.get_objects` has it, and yet keeps alive what it
refers to, even if nothing reaches it.
"""

import gc
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

import garbage  # noqa: E402


def main():
    if not hasattr(gc, "freeze"):
        truth.skip("CPython before 3.7 has no gc.freeze")
    gc.collect()
    gc.disable()
    holder = garbage.Named("frozen.holder")
    holder.others.append(holder)
    names = holder.others
    garbage.leave_garbage()
    gc.freeze()
    held = garbage.Named("frozen.held")
    held.others.append(held)
    names.append(held)
    del holder, names, held
    garbage.leave_garbage()
    truth.die(sys.argv[1], expect=garbage.named)


if __name__ == "__main__":
    main()
