# SPDX-License-Identifier: Apache-2.0
"""Greenlets in every state, in two threads, each of which dies or waits within one."""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

try:
    from greenlet import getcurrent, greenlet
except ImportError:
    truth.skip("there is no greenlet (Debian: python3-greenlet)")

READY = threading.Semaphore(0)
NEVER = threading.Lock()
NEVER.acquire()
KEPT = {}


def keep(name, obj):
    """Have the truth name this object."""
    KEPT[name] = obj
    return obj


class Request:
    """What a greenlet is about."""

    def __init__(self, number):
        self.number = number


class Worker(greenlet):
    """A greenlet as gevent's: a class with a run() and attributes of its own."""

    def __init__(self, request):
        super().__init__()
        self.request = request
        self.results = []

    def run(self):
        """Be called by the first switch."""
        answer = ["of the worker"]
        self.results.append(answer)
        handle(self.request, 2)


def handle(request, depth):
    """Switch away, so many calls down."""
    level = {"depth": depth, "request": request}
    if depth:
        return handle(request, depth - 1), level
    received = getcurrent().parent.switch(request)
    return received


def generate(request):
    """A generator within which its greenlet is suspended."""
    local = [request]
    yield handle(request, 1)
    print(local)


def within_generator(request):
    """Switch away within a generator, called by C code."""
    cell = ["a cell"]
    return sum(sorted(generate(request), key=lambda x: (x, cell)))


def within_handler(request):
    """Switch away while an exception is handled."""
    try:
        raise KeyError(request.number)
    except KeyError as error:
        handle(request, 0)
        return error


def nested(request):
    """A greenlet that waits for one of its own."""
    child = keep("child %d" % request.number, greenlet(relay))
    child.switch(request)


def relay(request):
    """Switch past the parent, which stays suspended."""
    getcurrent().parent.parent.switch(request)


def suspend(first):
    """Leave greenlets of every sort suspended."""
    for number in range(first, first + 20):
        name = "greenlet %d" % number
        keep(name, greenlet(handle)).switch(Request(number), number % 7)
    for number, function in enumerate((within_generator, within_handler, nested)):
        request = Request(first + number)
        keep("%s %d" % (function.__name__, first), greenlet(function)).switch(request)
    keep("worker %d" % first, Worker(Request(first))).switch()
    keep("not begun %d" % first, greenlet(handle))
    keep("finished %d" % first, greenlet(len)).switch([])
    keep("main %d" % first, getcurrent())


def other_thread():
    """Wait within a greenlet: the thread's first greenlet is suspended."""
    suspend(100)

    def wait(local):
        READY.release()
        NEVER.acquire()

    greenlet(wait).switch(["of the other thread"])


def main():
    """Suspend greenlets in two threads, and die within one."""
    threading.Thread(target=other_thread, name="other", daemon=True).start()
    READY.acquire()
    suspend(0)

    def last(local):
        truth.die(sys.argv[1], expect=lambda: KEPT)

    keep("dying", greenlet(last)).switch(["of the dying greenlet"])


if __name__ == "__main__":
    main()
