# SPDX-License-Identifier: Apache-2.0
"""`source gdbext/load.py` in gdb defines the py-heap commands, or reloads them."""

import os
import sys


def _load(folder):  # type: (str) -> None
    if sys.version_info < (3, 8):
        import gdb

        raise gdb.GdbError("py-heap needs a gdb with Python 3.8 or newer")
    session = sys.modules.get("pyheap.gdbside.session")
    if session is not None:
        session.close_all()
    for name in list(sys.modules):
        if name == "pyheap" or name.startswith("pyheap."):
            del sys.modules[name]
    if folder not in sys.path:
        sys.path.insert(0, folder)
    from pyheap.gdbside.register import register

    register()


# Not __file__: that is the outer script's when a script sources this one.
_load(os.path.dirname(os.path.abspath(_load.__code__.co_filename)))
del _load
