# SPDX-License-Identifier: Apache-2.0
"""An event loop, running at death, with tasks that wait for all sorts of things.

The program dies within a coroutine of a task, in the loop's callback.  The truth names
the coroutines, generators, tasks and futures in `KEPT`.
"""

import asyncio
import functools
import os
import sys
import types

try:
    import contextvars
except ImportError:  # before 3.7
    contextvars = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

KEPT = {}
REQUEST = contextvars.ContextVar("request", default=None) if contextvars else None


def keep(name, obj):
    """Have the truth name this object."""
    KEPT[name] = obj
    return obj


class Resource:
    """An asynchronous context manager."""

    def __init__(self, name):
        self.name = name

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exception):
        await asyncio.sleep(0)


async def chain(depth, last):
    """Wait for *last*, so many coroutines down."""
    local = {"depth": depth}
    if depth == 0:
        return await last
    result = await chain(depth - 1, last)
    return local, result


async def ticker(event, limit=3):
    """An asynchronous generator that gets stuck half-way."""
    for tick in range(limit):
        if tick == 2:
            await event.wait()
        yield {"tick": tick}


async def relay(source):
    """An asynchronous generator fed by another."""
    async with Resource("relay") as resource:
        async for item in source:
            yield resource, item


async def consume(source):
    """The task that is stuck in the generators."""
    received = []
    async for item in source:
        received.append(item)
    return received


async def consume_queue(queue):
    while True:
        item = await queue.get()
        try:
            await asyncio.sleep(0)
        finally:
            queue.task_done()
        del item


async def produce(queue):
    """Put until the queue is full."""
    for number in range(100):
        await queue.put([number])


async def hold(lock, forever):
    async with lock:
        await forever


async def contend(lock):
    async with lock:
        raise AssertionError("never got here")


async def handle(number, forever):
    """A request with a context of its own."""
    if REQUEST:
        REQUEST.set({"number": number})
    try:
        raise KeyError(number)
    except KeyError as error:
        await forever
        return error


async def fail():
    raise ValueError("failed task")


async def timed(forever):
    await asyncio.wait_for(forever, timeout=3600)


async def gathered(*futures):
    await asyncio.gather(*futures)


async def shielded(future):
    await asyncio.shield(future)


@types.coroutine
def old_style(forever):
    """A generator-based coroutine."""
    yield from chain(1, forever).__await__()


class Echo(asyncio.Protocol):
    """A protocol of a server with a connection."""

    def connection_made(self, transport):
        self.transport = transport
        keep("transport", transport)


def generator_chain(depth):
    """Generators delegating to generators, then to an iterator."""
    if depth:
        yield from generator_chain(depth - 1)
    else:
        yield from iter([[1], [2], [3]])


def start_tasks(loop, forever):
    """Start tasks that will wait for ever, each for something else."""

    def start(name, coroutine):
        keep("coroutine " + name, coroutine)
        task = keep("task " + name, loop.create_task(coroutine))
        if hasattr(task, "set_name"):
            task.set_name(name)

    event, lock = asyncio.Event(), asyncio.Lock()
    empty, full = asyncio.Queue(), asyncio.Queue(maxsize=2)
    source = keep("async generator source", ticker(event))
    relayed = keep("async generator relayed", relay(source))
    start("future", chain(0, forever))
    start("chain", chain(10, forever))
    start("sleep", chain(2, asyncio.sleep(3600)))
    start("event", chain(1, event.wait()))
    start("async generator", consume(relayed))
    start("queue get", consume_queue(empty))
    start("queue put", produce(full))
    start("lock holder", hold(lock, forever))
    start("lock waiter", contend(lock))
    start("lock waiter 2", contend(lock))
    start("failed", fail())
    start("finished", asyncio.sleep(0, "result"))
    start("timed", timed(loop.create_future()))
    start("gather", gathered(loop.create_future(), loop.create_future()))
    start("shield", shielded(loop.create_future()))
    start("old style", chain(1, old_style(forever)))
    start("comprehension", listing(event))
    start("cancelled", chain(1, loop.create_future()))
    KEPT["task cancelled"].cancel()
    for number in range(5):
        start("request %d" % number, handle(number, forever))
    start("waits for a task", chain(1, KEPT["task chain"]))
    if hasattr(asyncio, "TaskGroup"):
        start("group", group(forever))


async def listing(event):
    """Suspended within an asynchronous comprehension."""
    return [tick async for tick in ticker(event)]


async def group(forever):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep("coroutine member", chain(1, forever)))
        await forever


async def abandoned():
    """An asynchronous generator left half-way, and an athrow() never awaited."""
    event = asyncio.Event()
    half_way = keep("async generator half-way", ticker(event))
    async for _ in half_way:
        break
    keep("asend", half_way.asend(None))
    keep("async generator not begun", ticker(event))


async def die():
    """Die within a task, an asynchronous generator and a callback."""
    await asyncio.sleep(0.05)
    await abandoned()
    async for _ in dying():
        pass


async def dying():
    keep("task dying", current_task())
    truth.die(sys.argv[1], expect=lambda: KEPT)
    yield


def current_task():
    if hasattr(asyncio, "current_task"):
        return asyncio.current_task()
    return asyncio.Task.current_task()


async def main():
    loop = keep("loop", asyncio.get_event_loop())
    forever = keep("future forever", loop.create_future())
    forever.add_done_callback(functools.partial(print, "done"))
    done = keep("future done", loop.create_future())
    done.set_result([KEPT])
    failed = keep("future failed", loop.create_future())
    failed.set_exception(ValueError("failed future"))
    failed.exception()
    generators = keep("generator chain", generator_chain(5))
    next(generators)
    server = keep("server", await loop.create_server(Echo, "127.0.0.1", 0))
    keep("handle", loop.call_later(3600, print, KEPT))
    keep("executor future", loop.run_in_executor(None, len, "abc"))
    address = server.sockets[0].getsockname()
    keep("streams", await asyncio.open_connection(*address[:2]))
    start_tasks(loop, forever)
    await die()


if __name__ == "__main__":
    if hasattr(asyncio, "run"):
        asyncio.run(main())
    else:
        asyncio.get_event_loop().run_until_complete(main())
