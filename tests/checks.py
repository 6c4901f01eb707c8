# SPDX-License-Identifier: Apache-2.0
"""Runs the checks of an object: its methods whose names begin with `check_`."""

from typing import Tuple


def run(checks: object) -> Tuple[int, int]:
    """Calls each, prints which failed; how many there are, and how many failed."""
    failed = 0
    names = [name for name in dir(checks) if name.startswith("check_")]
    for name in names:
        try:
            getattr(checks, name)()
        except AssertionError as error:
            failed += 1
            print(f"FAILED {name}: {error}")
    return len(names), failed
