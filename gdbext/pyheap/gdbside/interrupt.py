# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while C code runs.

Were it delivered, Python would raise KeyboardInterrupt at the first instruction of the
next callback, where nothing can catch it: so it is held back and asked for.
"""

import signal
from contextlib import contextmanager
from typing import Callable, Iterator

_CTRL_C = {signal.SIGINT}


def _pressed() -> bool:
    return signal.SIGINT in signal.sigpending()


@contextmanager
def held_back() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether Ctrl-C was pressed meanwhile.

    What was pressed is forgotten at the end: the caller has asked.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)
    try:
        yield _pressed
    finally:
        if _pressed():
            signal.sigwait(_CTRL_C)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
