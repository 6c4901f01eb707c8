# SPDX-License-Identifier: Apache-2.0
"""Pictures of graphs: DOT, and what Graphviz makes of it."""

import os
import shutil
import subprocess
import tempfile
from typing import Any, Dict

from pyheap import dot, wording
from pyheap.errors import HeapError

_DRAWN = ("svg", "png", "pdf")
_DOT = ("dot", "gv")
_SECONDS = 60
_MOST_VERTICES = 1000
_MOST_EDGES = 3000


def draw(document: Dict[str, Any], file: str) -> str:
    """Writes a graph to a file, format by its name; says what was written."""
    file = os.path.abspath(os.path.expanduser(file))
    extension = os.path.splitext(file)[1].lstrip(".").lower()
    text = dot.dot(document).encode("utf-8", "replace")
    if extension in _DOT:
        _write(file, text)
        return f"wrote {file}: {_size(document)}"
    if extension not in _DRAWN:
        known = ", ".join(f".{name}" for name in (*_DRAWN, "dot"))
        raise HeapError(f"cannot draw '{file}': its name must end in one of {known}")
    _refuse_huge(document)
    program = shutil.which("dot")
    if not program:
        return _without_graphviz(document, file, text)
    _write(file, _graphviz(program, extension, text))
    return f"wrote {file}: {_size(document)}"


def _size(document: Dict[str, Any]) -> str:
    vertices = wording.counted(len(document["vertices"]), "object")
    return f"{vertices}, {wording.counted(len(document['edges']), 'reference')}"


def _refuse_huge(document: Dict[str, Any]) -> None:
    vertices, edges = len(document["vertices"]), len(document["edges"])
    if vertices > _MOST_VERTICES or edges > _MOST_EDGES:
        raise HeapError(
            f"a picture of {_size(document)} would be unreadable: ask for fewer"
            " generations, or write a .dot file"
        )


def _without_graphviz(document: Dict[str, Any], file: str, text: bytes) -> str:
    file = os.path.splitext(file)[0] + ".dot"
    _write(file, text)
    return (
        f"wrote {file} instead: {_size(document)}; to have it drawn, install Graphviz"
        " (Debian package `graphviz`)"
    )


def _graphviz(program: str, extension: str, text: bytes) -> bytes:
    try:
        run = subprocess.run(
            [program, f"-T{extension}"],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HeapError(
            f"{program} took more than {_SECONDS} s: ask for fewer generations, or"
            " write a .dot file"
        ) from None
    except OSError as error:
        raise HeapError(f"cannot run {program}: {error.strerror}") from None
    if run.returncode:
        reason = run.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise HeapError(f"{program} failed with status {run.returncode}: {reason}")
    return run.stdout


def _write(file: str, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all."""
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=".pyheap-", dir=os.path.dirname(file)
        )
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, file)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise HeapError(f"cannot write {file}: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
