# SPDX-License-Identifier: Apache-2.0
"""gdb's settings and the output of its commands, as text."""

import gdb


def setting(name: str) -> str:
    """A setting, "" when it is empty, unlimited or unknown to this gdb."""
    try:
        value = gdb.parameter(name)
    except RuntimeError:
        return ""
    return "" if value is None else str(value)


def is_on(name: str) -> bool:
    """Whether a switch is on."""
    return setting(name) == "True"


def output(command: str) -> str:
    """What a command of gdb prints."""
    return gdb.execute(command, to_string=True) or ""
