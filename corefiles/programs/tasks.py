# SPDX-License-Identifier: Apache-2.0
"""A request whose task waits for an answer that will not come.

Nothing but the local variable of the suspended coroutine refers to the request.  Which
task is it, and what keeps the task?
"""

import asyncio
import gc
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402


class Request:
    pass


class Loop:
    """What only the coroutine that runs has in a variable."""


async def answer():
    await asyncio.sleep(3600)


async def serve():
    request = Request()
    await answer()
    return request


def waiting():
    """The request that is still there, by the name of its variable."""
    return {"request": each for each in gc.get_objects() if type(each) is Request}


async def main():
    loop = Loop()  # noqa: F841
    asyncio.ensure_future(serve())
    await asyncio.sleep(0.01)
    truth.die(sys.argv[1], expect=waiting)


if __name__ == "__main__":
    if hasattr(asyncio, "run"):
        asyncio.run(main())
    else:
        asyncio.get_event_loop().run_until_complete(main())
