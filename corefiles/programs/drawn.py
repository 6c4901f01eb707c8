# SPDX-License-Identifier: Apache-2.0
"""A server whose sessions are held by much, drawn by objgraph before it dies.

Where objgraph is installed (Debian's python3-objgraph), what it draws with each of its
options is in the file `drawn` beside the truth: per line the call, and its DOT.
"""

import io
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

HOSTILE = 'Evil"\\N</table>&lt;b&gt;{x|y}\nline\u202e' + "long" * 60
SUSPECTS = (
    ("session", dict(max_depth=3)),
    ("session", dict(max_depth=3, too_many=100)),
    ("session", dict(max_depth=7, too_many=100)),
    ("session", dict(max_depth=2, too_many=4)),
    ("session", dict(max_depth=4, too_many=100, filter=["Session", "list", "Pool"])),
    ("session", dict(max_depth=4, too_many=100, extra_ignore=["history", "pool"])),
    ("session", dict(max_depth=2, too_many=100, highlight=["Pool"])),
    ("session", dict(max_depth=3, too_many=100, refcounts=True)),
    ("session", dict(max_depth=2, too_many=100, shortnames=False)),
    ("module", dict(max_depth=3, too_many=100)),
    ("pool", dict(max_depth=3, too_many=100, forward=True)),
    ("pool", dict(max_depth=1, too_many=3, forward=True)),
    ("pool", dict(max_depth=4, forward=True, filter=["Pool", "list", "Session"])),
)


class Session:
    """What leaks."""

    __slots__ = ("user", "data")

    def __init__(self, user):
        self.user = user
        self.data = []


class Closing(Session):
    """A session that is to be closed."""

    __slots__ = ()

    def __del__(self):
        pass


class Pool:
    """Holds all sessions."""

    __slots__ = ("idle", "other", "hostile")


def make():
    """The objects by their names; the first is the one that leaks."""
    session, pool = Closing("eve"), Pool()
    pool.idle = [Session("user %d" % number) for number in range(15)]
    pool.other, history = {"last": session}, [session, session]
    pool.hostile = type(HOSTILE, (Session,), {"__slots__": ()})(HOSTILE)
    pool.hostile.data.append(session)
    for one in pool.idle:
        one.data.append(session)
    session.data.append(pool)
    return {"session": session, "pool": pool, "history": history}


OBJECTS = make()


def named():
    """What the truth names."""
    return OBJECTS


def serve(job, started):
    started.set()
    threading.Event().wait()


def draw(path):
    """Write what objgraph draws."""
    import objgraph

    objects = dict(OBJECTS, module=sys.modules["__main__"])
    with open(path, "w") as file:
        for name, options in SUSPECTS:
            arguments, output = dict(options), io.StringIO()
            show = objgraph.show_backrefs
            if arguments.pop("forward", False):
                show = objgraph.show_refs
            for option in ("filter", "highlight"):
                if option in arguments:
                    kinds = frozenset(arguments[option])
                    arguments[option] = lambda o, kinds=kinds: type(o).__name__ in kinds
            ignored = [id(objects)]
            ignored += [id(OBJECTS[n]) for n in arguments.pop("extra_ignore", ())]
            show([objects[name]], output=output, extra_ignore=ignored, **arguments)
            file.write(json.dumps([name, options, output.getvalue()]) + "\n")


def draw_in_child(path):
    """In a process of its own, which leaves no trace in this one, as truth.py does."""
    pid = truth._FORK()
    if pid == 0:
        status = 1
        try:
            draw(path)
            status = 0
        except ImportError:
            status = 0
        finally:
            os._exit(status)
    truth._WAITPID(pid, truth._STATUS_POINTER, 0)
    if truth._STATUS[0]:
        raise RuntimeError("objgraph could not draw")


def main():
    started = threading.Event()
    job = OBJECTS["session"]
    threading.Thread(
        target=serve, args=(job, started), name="server", daemon=True
    ).start()
    del job
    started.wait()
    truth.wait_until_parked()
    draw_in_child(os.path.join(os.path.dirname(sys.argv[1]), "drawn"))
    truth.die(sys.argv[1], expect=named)


if __name__ == "__main__":
    main()
