# SPDX-License-Identifier: Apache-2.0
"""A worker thread that keeps its last job alive.

The main program gives three jobs to a worker thread, waits for the three results, and
keeps no reference to any job.  Yet one `SomeComputation` stays alive.  Who holds it?
"""

import gc
import os
import queue
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402


class SomeComputation:
    """A piece of work, wanted once."""

    def __init__(self, id):
        self.id = id

    def compute(self):
        return self.id * 2


def worker(jobs_queue, results_queue):
    """Do the jobs as they come.

    While this waits for the next job, its variable `job` still holds the last one.
    """
    while True:
        job = jobs_queue.get()
        result = job()
        results_queue.put(result)


def survivors():
    """The computations that are still there."""
    return {"survivor": o for o in gc.get_objects() if type(o) is SomeComputation}


def main():
    jobs_queue = queue.Queue()
    results_queue = queue.Queue()
    threading.Thread(
        target=worker,
        name="worker",
        args=(jobs_queue, results_queue),
        daemon=True,
    ).start()

    for number in range(3):
        jobs_queue.put(SomeComputation(number).compute)
    results = [results_queue.get() for _ in range(3)]
    assert results == [0, 2, 4]

    truth.die(sys.argv[1], expect=survivors)


if __name__ == "__main__":
    main()
