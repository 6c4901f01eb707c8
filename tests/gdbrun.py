# SPDX-License-Identifier: Apache-2.0
"""Runs gdb and tells apart what each command wrote."""

import os
import re
import subprocess
import tempfile
from typing import IO, List, NamedTuple, Sequence

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOAD = f"source {os.path.join(CHECKOUT, 'gdbext', 'load.py')}"

_MARK = "@@@@ command"
_SECONDS = 300


class Reply(NamedTuple):
    """What a command wrote to standard output and standard error."""

    command: str
    output: str
    errors: str

    @property
    def lines(self) -> List[str]:
        """The lines of the output."""
        return self.output.splitlines()


def gdb(
    arguments: Sequence[str], commands: Sequence[str], load: bool = True
) -> List[Reply]:
    """The reply to each command of one batch session, the py-heap commands loaded.

    The arguments are gdb's own. As at the prompt, an error does not end the session.
    """
    script = ["python import sys", *([LOAD] if load else [])]
    for number, command in enumerate(commands):
        script += [_mark(number), command]
    script.append(_mark(len(commands)))
    words = ["gdb", "-nx", "-batch", "-iex", "set auto-load no", *arguments]
    for line in script:
        words += ["-ex", line]
    environment = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        status = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            timeout=_SECONDS,
            env=environment,
        ).returncode
        texts = [_texts(_content(file), len(commands)) for file in (output, errors)]
    if status < 0:
        raise AssertionError(f"gdb was ended by signal {-status}")
    return [Reply(*parts) for parts in zip(commands, *texts)]


def _mark(number: int) -> str:
    text = f"{_MARK} {number}\\n"
    return f'python [(f.flush(), f.write("{text}"), f.flush()) for f in (sys.stdout, sys.stderr)]'


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "surrogateescape")


def _texts(whole: str, count: int) -> List[str]:
    """The parts between the marks."""
    parts = re.split(rf"^{_MARK} \d+\n", whole, flags=re.MULTILINE)
    if len(parts) != count + 2:
        raise AssertionError(f"gdb ended before its last command: {whole}")
    return parts[1:-1]
