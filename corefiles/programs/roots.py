# SPDX-License-Identifier: Apache-2.0
"""Objects that nothing holds but the memory of the interpreter itself.

Each is expected under the label that the reference to it has.
"""

import atexit
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402


class Held:
    """Can be called, whatever with."""

    def __init__(self, label):
        self.label = label

    def __call__(self, *args, **kwargs):
        pass


def hold():
    """Hand the objects over."""
    for name in ("SIGHUP", "SIGTERM", "SIGUSR1", "SIGWINCH"):
        handler = Held(".signal.handlers[%s]" % name)
        signal.signal(getattr(signal, name), handler)
    # A callback in front of the others is taken out again.
    gone = Held("")
    atexit.register(gone)
    atexit.register(Held(".atexit.func|item[0]"))  # 3.14 has a list of tuples
    atexit.register(print, Held("item[0]"), key=Held("value['key']"))
    atexit.unregister(gone)


def held():
    """All of them by label."""
    import gc

    found = {}
    for thing in gc.get_objects():
        if isinstance(thing, Held):
            found[thing.label] = thing
    return found


def main():
    hold()
    truth.die(sys.argv[1], expect=held)


if __name__ == "__main__":
    main()
