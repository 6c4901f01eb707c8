# SPDX-License-Identifier: Apache-2.0
"""What can go wrong: each error is one line that says what, where and what to do."""


class HeapError(Exception):
    """An error for the person at the prompt."""


class UsageError(HeapError):
    """A command line that is not what the command takes."""


class WalkError(HeapError):
    """An error of libwalk; `code` is one of the constants below."""

    MEMORY = 1
    SYSTEM = 2
    FORMAT = 3
    NO_PYTHON = 4
    UNSUPPORTED = 5
    LAYOUT = 6
    UNMAPPED = 7
    NOT_SAVED = 8
    IMPLAUSIBLE = 9
    NOT_FOUND = 10
    INTERRUPTED = 11

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
