# SPDX-License-Identifier: Apache-2.0
"""Fifty threads, two hundred coroutines that wait, and generators of both sorts."""

import asyncio
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

THREADS = 50
TASKS = 120
BARE = 80
GENERATORS = 30

READY = threading.Semaphore(0)
NEVER = threading.Lock()
NEVER.acquire()


class Request:
    """What a thread or a task is about."""

    def __init__(self, number):
        self.number = number
        self.body = [number]

    def handle(self, depth):
        """Each thread is at another depth."""
        seen = (self, depth)
        if depth:
            return self.handle(depth - 1), seen
        READY.release()
        NEVER.acquire()


async def wait(future, request, depth):
    """Wait for a future, so many coroutines down."""
    level = {"depth": depth, "request": request}
    if depth:
        return await wait(future, request, depth - 1), level
    for attempt in range(request.number + 1):
        if attempt == request.number:
            return await future


async def not_begun(request):
    """A coroutine that nobody awaits."""
    return request


async def stream(event, request):
    """An asynchronous generator that gets stuck."""
    yield request
    await event.wait()


def count(request):
    """A generator left half-way."""
    total = request.number
    while True:
        received = yield total
        total += received


async def follow(stream):
    """What waits for an asynchronous generator."""
    items = []
    async for item in stream:
        items.append(item)


async def main():
    """Start everything, and die."""
    loop = asyncio.get_event_loop()
    future, event = loop.create_future(), asyncio.Event()
    tasks = [
        loop.create_task(wait(future, Request(number), 0)) for number in range(TASKS)
    ]
    bare = []
    for number in range(BARE):
        # A chain of three is three coroutines.
        coroutine = wait(future, Request(number), number % 3)
        coroutine.send(None)
        future._asyncio_future_blocking = False  # as if a task had seen it
        bare.append(coroutine)
    new = [not_begun(Request(number)) for number in range(5)]
    generators = [count(Request(number)) for number in range(GENERATORS)]
    for generator in generators:
        next(generator)
    streams = [stream(event, Request(number)) for number in range(GENERATORS)]
    followers = [loop.create_task(follow(stream)) for stream in streams]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    found = {"task": tasks[7], "coroutine": bare[7], "new": new[0]}
    found.update(generator=generators[7], stream=streams[7], follower=followers[7])
    truth.die(sys.argv[1], expect=lambda: found)


def start():
    """Start the threads, then the event loop."""
    threading.stack_size(1 << 18)  # since all of it goes into the core
    for number in range(THREADS - 1):
        request = Request(number)
        name = "request %d" % number
        thread = threading.Thread(target=request.handle, args=(number % 20,), name=name)
        thread.daemon = True
        thread.start()
    for _ in range(THREADS - 1):
        READY.acquire()
    asyncio.new_event_loop().run_until_complete(main())


if __name__ == "__main__":
    start()
