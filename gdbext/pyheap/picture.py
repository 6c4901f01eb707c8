# SPDX-License-Identifier: Apache-2.0
"""Pictures of graphs: files of DOT and JSON, and what Graphviz makes of DOT."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from typing import Any, Callable, Dict, NamedTuple, Optional

from pyheap import dot, wording
from pyheap.errors import HeapError

_DRAWN = ("svg", "png", "pdf")
_DOT = ("dot", "gv")
_WRITTEN = (*_DOT, "json")
_TEMPORARY = ".png"

SECONDS = 20.0  # for Graphviz, before it is killed and asked for a smaller picture

# So many nodes are drawn; where Graphviz takes too long for these, so many; else none.
_MOST = (250, 50)
_MOST_WRITTEN = 100000

Draw = Callable[[int], dot.Drawing]  # of at most so many nodes


class Written(NamedTuple):
    """What was written, and where; `words` says it to a person."""

    file: str
    words: str


class _TooSlow(Exception):
    """Graphviz was killed."""


def draw(document: Dict[str, Any], file: str) -> str:
    """Writes a graph document to a file, format by its name; says what was written."""
    return write(lambda most: dot.of_document(document, most), file).words


def write(draw: Draw, file: str) -> Written:
    """Writes a drawing to a file, format by its name; without a name, shows it."""
    if not file:
        return _show(draw)
    file = os.path.abspath(os.path.expanduser(file))
    extension = os.path.splitext(file)[1].lstrip(".").lower()
    if extension in _WRITTEN:
        drawing = draw(_MOST_WRITTEN)
        written = _document(drawing) if extension == "json" else _dot(drawing)
        return _save(file, written, drawing)
    if extension not in _DRAWN:
        known = ", ".join(f".{name}" for name in (*_DRAWN, "dot", "json"))
        raise HeapError(f"cannot draw '{file}': its name must end in one of {known}")
    return _paint(draw, file, extension)


def _show(draw: Draw) -> Written:
    """By xdot on a display; else in a temporary file."""
    program = shutil.which("xdot")
    if not program or not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return write(draw, _temporary(_TEMPORARY))
    drawing = draw(_MOST[0])
    saved = _save(_temporary(".dot"), _dot(drawing), drawing)
    try:
        subprocess.Popen(
            [program, saved.file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise HeapError(f"cannot run {program}: {error.strerror}") from None
    return saved._replace(words=f"{saved.words}; {program} shows it")


def _temporary(extension: str) -> str:
    handle, file = tempfile.mkstemp(prefix="py-heap-", suffix=extension)
    os.close(handle)
    return file


def _paint(draw: Draw, file: str, extension: str) -> Written:
    """By Graphviz; without it, or where it ends too late, the .dot file."""
    program = shutil.which("dot")
    if not program:
        reason = "to have it drawn, install Graphviz (Debian package `graphviz`)"
        return _instead(draw(_MOST_WRITTEN), file, reason)
    late = f"{program} took more than {SECONDS:g} s"
    for most in _MOST:
        drawing = draw(most)
        try:
            made = _graphviz(program, extension, _dot(drawing))
        except _TooSlow:
            continue
        except HeapError as error:
            kept = _instead(drawing, file, "")
            raise HeapError(f"{error}; {kept.words}") from None
        return _save(file, made, drawing)
    return _instead(draw(_MOST_WRITTEN), file, f"{late} and was killed")


def _instead(drawing: dot.Drawing, file: str, reason: str) -> Written:
    """The .dot file in place of a picture, whose file is not left behind empty."""
    if os.path.exists(file) and not os.path.getsize(file):
        os.unlink(file)
    saved = _save(os.path.splitext(file)[0] + ".dot", _dot(drawing), drawing)
    words = saved.words.replace(":", " instead:", 1)
    return saved._replace(words=f"{words}; {reason}" if reason else words)


def _save(file: str, data: bytes, drawing: dot.Drawing) -> Written:
    _write(file, data)
    vertices = wording.counted(len(drawing.vertices), "object")
    references = wording.counted(
        sum(arrow.total for arrow in drawing.arrows), "reference"
    )
    words = f"wrote {file}: {vertices}, {references}"
    cut = dot.cut(drawing)
    if cut:
        words += f"; {cut} would be too many to draw: ask for fewer generations"
    return Written(file, words)


def _dot(drawing: dot.Drawing) -> bytes:
    return dot.text(drawing).encode("utf-8", "replace")


def _document(drawing: dot.Drawing) -> bytes:
    return (json.dumps(dot.to_document(drawing)) + "\n").encode()


def _graphviz(program: str, extension: str, text: bytes) -> bytes:
    """What Graphviz makes of a DOT file; it and what it has started end with this call."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        with tempfile.TemporaryFile() as said:
            given.write(text)
            given.seek(0)
            status = _run([program, f"-T{extension}"], given, made, said)
            for file in (made, said):
                file.seek(0)
            if status:
                words = said.read(4096).decode("utf-8", "replace").strip()
                reason = words.partition("\n")[0]
                raise HeapError(f"{program} failed with status {status}: {reason}")
            drawn = made.read()
            if not drawn:
                raise HeapError(f"{program} wrote nothing")
            return drawn


def _run(command: Any, given: Any, made: Any, said: Any) -> int:
    try:
        process = subprocess.Popen(
            command, stdin=given, stdout=made, stderr=said, start_new_session=True
        )
    except OSError as error:
        raise HeapError(f"cannot run {command[0]}: {error.strerror}") from None
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise _TooSlow from None
    finally:  # Ctrl-C too
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _write(file: str, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all.

    What it is called may be a link; a device or a pipe would be lost, and is refused.
    """
    place = os.path.realpath(file)
    if os.path.exists(place) and not os.path.isfile(place):
        raise HeapError(f"cannot write {file}: it is no regular file")
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=".pyheap-", dir=os.path.dirname(place)
        )
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, _mode(place))
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise HeapError(f"cannot write {file}: {error.strerror}") from None


def _mode(file: str) -> int:
    """The permissions of a file, or those of a new one."""
    if os.path.exists(file):
        return stat.S_IMODE(os.stat(file).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
