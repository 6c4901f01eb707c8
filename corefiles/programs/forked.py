# SPDX-License-Identifier: Apache-2.0
"""A child of os.fork() dies: of its parent's threads it has one, and all objects.

The parent's threads hold locks, and objects in their local variables, when another
thread forks. In the child that thread is the only one; nobody gives the locks back.
"""

import os
import sys
import threading
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

READY = threading.Semaphore(0)
NEVER = threading.Lock()
NEVER.acquire()
LOCKS = [threading.Lock(), threading.RLock(), threading.Condition()]
LOCAL = threading.local()


class Job:
    """What a thread works at."""

    def __init__(self, number):
        self.number = number
        self.results = [number]
        self.owner = threading.current_thread()

    def work(self, lock):
        """Hold a lock for ever."""
        LOCAL.job = self
        steps = self.steps()
        with lock:
            for step in steps:
                held = {"step": step, "job": self}
                READY.release()
                NEVER.acquire()
        return held

    def steps(self):
        """A generator which its thread is outside of."""
        for step in range(self.number, 100):
            yield [step]


def start(lock, number):
    """Start a thread of the parent."""

    def run():
        job = Job(number)
        job.work(lock)

    name = "holds %s" % type(lock).__name__
    threading.Thread(target=run, name=name, daemon=True).start()


def fork(inherited):
    """Fork in a thread that is not the main one; the child does not return."""
    before = [inherited, os.getpid()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.12+: of a process with threads
        child = os.fork()
    if child == 0:
        own = ["of the child", before]
        inherited.append(own)
        truth.die(sys.argv[1], expect=lambda: {"own": own, "inherited": inherited})
    return child


def main():
    """Start the threads, fork, and wait for the child."""
    for number, lock in enumerate(LOCKS):
        start(lock, number)
    for _ in LOCKS:
        READY.acquire()
    truth.wait_until_parked()
    children = []

    def forker():
        children.append(fork(["of the parent"]))

    thread = threading.Thread(target=forker, name="forker")
    thread.start()
    thread.join()
    os.waitpid(children[0], 0)
    os._exit(0)


if __name__ == "__main__":
    main()
