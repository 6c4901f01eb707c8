# SPDX-License-Identifier: Apache-2.0
"""Runs commands and says what they took."""

import os
import subprocess
import time
from typing import Dict, List, NamedTuple, Sequence

_SAMPLE_SECONDS = 0.002


class Usage(NamedTuple):
    """What a command wrote, and took: seconds, bytes at their most."""

    output: str
    status: int
    seconds: float  # from its start to its end
    cpu: float  # of all its threads
    rss: int  # with the pages of files that it has mapped
    own: int  # without these; 0: not asked for


def run(words: Sequence[str], check: bool = True, **environment: str) -> Usage:
    """Runs a command to its end; what it says of an error is shown."""
    return _run(words, check, environment, sample=False)


def run_again(words: Sequence[str], **environment: str) -> Usage:
    """Runs it twice; what the second time took.

    The host of a virtual machine takes memory back that nobody has used for a while. Who is
    the first to use it again waits for the host, an unknown time for each page; the second
    has what the first gave back.
    """
    run(words, True, **environment)
    return run(words, True, **environment)


def run_sampled(words: Sequence[str]) -> Usage:
    """The same, with the bytes of its own memory, looked at every two milliseconds."""
    return _run(words, True, {}, sample=True)


def _run(
    words: Sequence[str], check: bool, environment: Dict[str, str], sample: bool
) -> Usage:
    start = time.perf_counter()
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if check else subprocess.DEVNULL,
        env=_environment(environment),
    )
    own = _most_own(process.pid) if sample else 0
    assert process.stdout is not None
    output = process.stdout.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = status
    process.stdout.close()
    if check and status:
        raise SystemExit(f"{' '.join(words)} ended with status {status}")
    cpu = usage.ru_utime + usage.ru_stime
    return Usage(output, status, seconds, cpu, usage.ru_maxrss << 10, own)


def _environment(more: Dict[str, str]) -> Dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    kept.pop("DEBUGINFOD_URLS", None)
    return {**kept, "LIBWALK_CACHE": "", **more}


def _most_own(pid: int) -> int:
    """The most anonymous memory that a process has until it ends."""
    most = 0
    while True:
        try:
            with open(
                f"/proc/{pid}/status", encoding="ascii", errors="replace"
            ) as file:
                fields = dict(line.split(":", 1) for line in file)
        except OSError:
            return most
        if "RssAnon" not in fields:  # it has ended, and waits to be asked how
            return most
        most = max(most, int(fields["RssAnon"].split()[0]) << 10)
        time.sleep(_SAMPLE_SECONDS)


class Process:
    """A process that answers words on its stdin with lines."""

    def __init__(
        self, words: List[str], folder: str, environment: Dict[str, str]
    ) -> None:
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=_environment({**environment, "PYTHONDONTWRITEBYTECODE": "1"}),
            encoding="utf-8",
        )
        self.pid = self._process.pid

    def line(self) -> str:
        """The next line that it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the process with the heap has ended")
        return line.strip()

    def ask(self, word: str) -> str:
        """Its answer to a word."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.line()

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()
