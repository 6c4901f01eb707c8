# SPDX-License-Identifier: Apache-2.0
"""The heap of a server, with about as many tracked objects as the next argument says.

Users have sessions, sessions have requests; there are caches, indices, callbacks and
cycles.  Among all of it is one `Needle`, with known referrers.

The truth has only a sample of the objects.
"""

import collections
import functools
import os
import sys
import weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

PER_USER = 70  # tracked objects, about


class Point:
    """With slots."""

    __slots__ = ("x", "y", "owner")

    def __init__(self, x, y, owner):
        self.x = x
        self.y = y
        self.owner = owner


class Request:
    """Something to answer, in a cycle with its session."""

    def __init__(self, number, session):
        self.number = number
        self.session = session
        self.headers = {"host": "example", "length": [number], "accept": ("a", [])}
        self.answer = None

    def finish(self, answer):
        """Called back."""
        self.answer = answer


class Session:
    """A user's session."""

    def __init__(self, user):
        self.user = user
        self.requests = [Request(number, self) for number in range(3)]
        self.callbacks = [request.finish for request in self.requests]
        self.log = collections.deque(({"line": [i]} for i in range(4)), maxlen=4)
        self.events = stream(self)
        next(self.events)


class User:
    """A user, with everything that belongs to one."""

    def __init__(self, number, friends):
        self.number = number
        self.name = "user %d" % number
        self.friends = set(friends)
        self.session = Session(self)
        self.track = [Point(i, (i, [number]), self) for i in range(4)]
        self.greet = lambda greeting="hello": (greeting, self.name, friends)
        self.settings = collections.OrderedDict(language="en", tags=[["a"], ["b"]])
        self.later = functools.partial(self.session.requests[0].finish, answer=self)
        self.key = frozenset([Point(number, number, None)])
        self.counts = collections.defaultdict(list, visits=[number])


class Server:
    """All that is global."""

    def __init__(self):
        self.users = {}
        self.by_name = weakref.WeakValueDictionary()
        self.recent = collections.deque(maxlen=1000)

    def add(self, number):
        """Add a user."""
        recent = [self.recent[-1 - i] for i in range(min(3, len(self.recent)))]
        user = User(number, recent)
        self.users[number] = user
        self.by_name[user.name] = user
        self.recent.append(user)
        lookup(number, self)


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


def main():
    wanted = 100000
    if len(sys.argv) > 2 and sys.argv[2].isdigit():
        wanted = int(sys.argv[2])
    for number in range(max(10, wanted // PER_USER)):
        SERVER.add(number)
    hide_needle(SERVER.users.values())
    truth.die(sys.argv[1], expect=needles, sample=300)


if __name__ == "__main__":
    main()
