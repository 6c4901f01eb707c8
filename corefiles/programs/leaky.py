# SPDX-License-Identifier: Apache-2.0
"""A server that forgets to drop its sessions.

It serves a load three times and dies.  What grows, and what holds it?

There are three cores, one after each load: those before the last are of children that it
forks, so that all have the same objects at the same addresses.  They are renamed to
`core.0` and `core.1`, and have truths of their own, which say which sessions were there.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

REQUESTS = 400


class Request:
    """What a client asks; it is gone when it is answered."""

    def __init__(self, number):
        self.number = number
        self.path = "/item/%d" % number


class Session:
    """What the server knows of a client."""

    def __init__(self, request):
        self.user = "user-%d" % request.number
        self.history = [request.path]


class Server:
    """Answers requests; the sessions are never dropped."""

    def __init__(self):
        self.sessions = {}
        self.recent = []

    def serve(self, request):
        session = Session(request)
        self.sessions[session.user] = session
        self.recent.append(request)  # dropped below: no leak
        del self.recent[:-8]
        return session.history


SERVER = Server()


def load(first):
    """A load of requests, none of them of a client that was there before."""
    for number in range(first, first + REQUESTS):
        SERVER.serve(Request(number))


def known():
    """The sessions and what holds them, by name."""
    named = {session.user: session for session in SERVER.sessions.values()}
    named["holder"] = SERVER.sessions
    return named


def main():
    for number in range(3):
        load(number * REQUESTS)
        if number < 2:
            truth.snapshot(sys.argv[1], number, expect=known)
    truth.die(sys.argv[1], expect=known)


if __name__ == "__main__":
    main()
