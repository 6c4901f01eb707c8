# SPDX-License-Identifier: Apache-2.0
"""Three interpreters besides the main one, each with threads and objects of its own.

One shares the main interpreter's lock; the others have their own from 3.12 on. Two have
run their script to its end and live on in their threads. From 3.9 on, the third is
within its script: a thread of the main interpreter runs it, and has a state in both.

Each notes what the collector tracks, as the last thing it does before the truth is
written: `NOTES` has what was noted.
"""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

NOTES = {}  # by the interpreter's number: the file in which it notes

SCRIPT = """
import gc
import os
import threading
import _thread

NAME = "%(name)s"
NEVER = _thread.allocate_lock()
NEVER.acquire()


class Session:
    "A class that every interpreter has, and each on its own."

    __slots__ = ("user", "history", "__dict__")

    def __init__(self, user):
        self.user = user
        self.history = [user]
        self.peer = self


class Connection(Session):
    def __hash__(self):
        return hash(self.user)

    def wait(self, depth=3):
        local = {"depth": depth, "interpreter": NAME}
        if depth:
            return self.wait(depth - 1), local
        NEVER.acquire()


def ticks(start):
    yield [start]
    yield from ticks(start + 1)


SESSIONS = {Connection("%%s-%%d" %% (NAME, i)) for i in range(%(sessions)d)}
GENERATORS = [ticks(i) for i in range(5)]
for generator in GENERATORS:
    next(generator)
SESSIONS_BY_USER = {session.user: session for session in SESSIONS}
ERROR = None
try:
    int("of " + NAME)
except ValueError as error:
    ERROR = error
sys_types = [int, str, type, object, range(3), 1 << 100, 2.5, b"bytes", NAME]


def note():
    objects = gc.get_objects()
    lines = [",".join(["%%x" %% id(o) for o in objects])]
    for thread in threading.enumerate():
        native = getattr(thread, "native_id", None) or 0
        lines.append("%%d %%d %%s" %% (thread.ident, native, thread.name))
    del objects, thread
    os.write(%(file)d, "\\n".join(lines).encode())
    os.write(%(done)d, b".")
    return ()


def last():
    os.read(%(go)d, 1)
    NEVER.acquire(*note())


threading.stack_size(1 << 20)  # since all of it goes into the core
for session in sorted(SESSIONS_BY_USER)[:2]:
    session = SESSIONS_BY_USER[session]
    threading.Thread(target=session.wait, name="waits for " + session.user).start()
"""
IN_THREAD = 'threading.Thread(target=last, name="last of " + NAME).start()\n'
IN_SCRIPT = "last()\n"


def create(isolated):
    """Create an interpreter: what is to be kept, its number, what runs a script."""
    if sys.version_info >= (3, 14) and isolated:
        from concurrent import interpreters

        interpreter = interpreters.create()
        return interpreter, interpreter.id, interpreter.exec
    if sys.version_info >= (3, 13):
        import _interpreters

        number = _interpreters.create("isolated" if isolated else "legacy")
    else:
        import _xxsubinterpreters as _interpreters

        options = {}
        if sys.version_info >= (3, 9):
            options["isolated"] = isolated and sys.version_info >= (3, 12)
        number = _interpreters.create(**options)

    def run(script):
        failure = _interpreters.run_string(number, script)
        if failure is not None:
            raise RuntimeError(failure)

    return number, int(number), run


def start(name, isolated, in_script):
    """Start an interpreter: what is to be kept, and the pipes to have it note."""
    kept, number, run = create(isolated)
    path = "%s.%d" % (sys.argv[1], number)
    NOTES[number] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.unlink(path)
    (may_go, go), (is_done, done) = os.pipe(), os.pipe()
    values = {"name": name, "sessions": 10 * number, "file": NOTES[number]}
    values.update(go=may_go, done=done)
    script = SCRIPT % values + (IN_SCRIPT if in_script else IN_THREAD)
    if in_script:
        thread = threading.Thread(target=run, args=(script,), name="runs " + name)
        thread.daemon = True
        thread.start()
    else:
        run(script)
    return kept, go, is_done


def noted():
    """What each interpreter has noted, for the truth."""
    found = {}
    for number, file in NOTES.items():
        size = os.fstat(file).st_size
        addresses, *threads = os.pread(file, size, 0).decode().split("\n")
        threads = [line.split(" ", 2) for line in threads]
        found[number] = (
            [int(address, 16) for address in addresses.split(",")],
            {int(ident): (native, name) for ident, native, name in threads},
        )
    return found


def main():
    """Start the interpreters, and die."""
    if sys.version_info < (3, 8):
        truth.skip("CPython before 3.8 has no module that makes interpreters")
    threading.stack_size(1 << 20)
    kept = [
        start("first", isolated=False, in_script=False),
        start("second", isolated=True, in_script=False),
        start("third", isolated=True, in_script=sys.version_info >= (3, 9)),
    ]
    truth.wait_until_parked()
    # Only now: to make an interpreter changes others (builtins' m_copy, up to 3.11).
    for _, go, is_done in kept:
        os.write(go, b".")
        os.read(is_done, 1)
    truth.die(sys.argv[1], expect=lambda: {"kept": kept}, others=noted)


if __name__ == "__main__":
    main()
