# SPDX-License-Identifier: Apache-2.0
"""The heap of a server, with about as many tracked objects as the next argument says.

Users have sessions, sessions have requests, each user has a task that waits; there are
caches, indices, callbacks, cycles, and threads that wait for work.  Sessions come and go,
so that neighbours in memory are not of the same age.  Among all of it is one `Needle`,
with known referrers.

The truth has only a sample of the objects.
"""

import asyncio
import collections
import functools
import gc
import os
import queue
import sys
import threading
import weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

WORKERS = 4  # threads
SAMPLE = 100  # users, to see how many objects one has


class Point:
    """With slots."""

    __slots__ = ("x", "y", "owner")

    def __init__(self, x, y, owner):
        self.x = x
        self.y = y
        self.owner = owner


class Place(Point):
    """With the slots of its base, and a `__dict__` of its own."""


class Request:
    """Something to answer, in a cycle with its session."""

    def __init__(self, number, session):
        self.number = number
        self.session = session
        self.path = "/users/%d/requests/%d" % (session.user.number, number)
        self.started = session.user.number + number / 4
        self.headers = {
            "host": "host-%d.example" % session.user.number,
            "length": [1000 + number],
            "accept": ("a", []),
            "cookie": b"%d" % session.user.number,
        }
        self.lines = ["line %d of %s" % (i, self.path) for i in range(12)]
        self.answer = None

    def finish(self, answer):
        """Called back."""
        self.answer = answer


def entry(number, line):
    """A line of a log."""
    return {
        "line": [line],
        "at": number + line / 8,
        "text": "user %d did %d" % (number, line),
    }


class Session:
    """A user's session."""

    def __init__(self, user):
        self.user = user
        self.requests = [Request(number, self) for number in range(3)]
        self.callbacks = [request.finish for request in self.requests]
        self.log = collections.deque(
            (entry(user.number, i) for i in range(4)), maxlen=4
        )
        self.task = None
        self.events = stream(self)
        next(self.events)


class User:
    """A user, with everything that belongs to one."""

    def __init__(self, number, friends):
        self.number = number
        self.name = "user %d" % number
        self.friends = set(friends)
        self.log_in()
        self.track = [Point(number + i / 4, (i, [number]), self) for i in range(4)]
        self.home = Place(number, [number], self)
        self.home.street, self.home.guests = "street %d" % number, (number, [])
        self.greet = lambda greeting="hello": (greeting, self.name, friends)
        self.settings = collections.OrderedDict(language="en", tags=[["a"], ["b"]])
        self.key = frozenset([Point(number, number, None)])
        self.counts = collections.defaultdict(list, visits=[number])
        self.visits = [number * 100.0 + day for day in range(50)]
        self.scores = {"day %d of %d" % (day, number): day for day in range(8)}

    def log_in(self):
        """Begin a session; the one before is garbage."""
        self.session = Session(self)
        self.later = functools.partial(self.session.requests[0].finish, answer=self)


class Server:
    """All that is global."""

    def __init__(self):
        self.users = {}
        self.by_name = weakref.WeakValueDictionary()
        self.recent = collections.deque(maxlen=1000)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # tasks die with sessions
        self.jobs = queue.Queue()

    def add(self, number):
        """Add a user; another one, of long ago, comes back."""
        recent = [self.recent[-1 - i] for i in range(min(3, len(self.recent)))]
        user = User(number, recent)
        self.users[number] = user
        self.by_name[user.name] = user
        self.recent.append(user)
        lookup(number, self)
        self.users[(number * 2654435761 >> 8) % len(self.users)].log_in()

    def serve(self):
        """Make the tasks of all sessions, and let each come to where it waits."""
        for user in self.users.values():
            if not user.session.task:
                wake = self.loop.create_future()
                user.session.task = self.loop.create_task(serve(user, wake))
        self.loop.run_until_complete(asyncio.sleep(0))

    def work(self):
        """Let threads work, and wait for more."""
        for number in range(WORKERS):
            name = "worker %d" % number
            threading.Thread(target=work, args=(self,), name=name, daemon=True).start()
        for user in list(self.recent)[-WORKERS:]:
            self.jobs.put(user.session.callbacks[0])
        self.jobs.join()


class Needle:
    """The one object to find."""


SERVER = Server()


@functools.lru_cache(maxsize=5000)
def lookup(number, server):
    """A cache."""
    return {"found": server.users[number]}


def stream(session):
    """A generator that is suspended for good."""
    pending = list(session.requests)
    while True:
        yield pending


async def serve(user, wake):
    """A task that waits for good."""
    pending = [user.session, wake]
    await wake
    return pending


def work(server):
    """A thread that waits for its next job, and keeps the last one."""
    while True:
        job = server.jobs.get()
        job("done")
        server.jobs.task_done()


def hide_needle(users):
    """Hide the needle in some places, one of each kind."""
    needle = Needle()
    users = list(users)
    first, middle, last = users[0], users[len(users) // 2], users[-1]
    first.needle = needle
    middle.session.requests[1].headers["needle"] = needle
    middle.track[2].owner = needle
    last.session.log.append(needle)
    last.settings["tags"].append(needle)

    def closure():
        return needle

    last.greet = closure


def needles():
    """The needle, and where it is."""
    users = list(SERVER.users.values())
    first, middle, last = users[0], users[len(users) // 2], users[-1]
    return {
        "needle": first.needle,
        "user": first,
        "dict": middle.session.requests[1].headers,
        "slots": middle.track[2],
        "deque": last.session.log,
        "list": last.settings["tags"],
        "cell": last.greet.__closure__[0],
        "server": SERVER,
    }


def fill(wanted):
    """Make users until there are about *wanted* tracked objects."""
    # What has no references to objects that the collector tracks, it may cease to track.
    gc.collect()
    before = len(gc.get_objects())
    for number in range(SAMPLE):
        SERVER.add(number)
    SERVER.serve()
    gc.collect()
    each = (len(gc.get_objects()) - before) / SAMPLE
    for number in range(SAMPLE, int((wanted - before) / each)):
        SERVER.add(number)
    gc.collect()
    SERVER.serve()
    SERVER.work()
    hide_needle(SERVER.users.values())


def main():
    wanted = 100000
    if len(sys.argv) > 2 and sys.argv[2].isdigit():
        wanted = int(sys.argv[2])
    fill(wanted)
    truth.die(sys.argv[1], expect=needles, sample=300)


if __name__ == "__main__":
    main()
