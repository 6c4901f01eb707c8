# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""Processes with code that goes wrong when it is run, for code_check.py: code_targets.py CASE

Says what the case is about, then "ready", and sleeps; some die.
"""

import ctypes
import gc
import os
import struct
import sys
import threading
import time
import types

sys.path.insert(
    0,
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corefiles/programs"),
)
import omits  # noqa: E402

_PR_SET_PTRACER = 0x59616D61
_CPUID = b"\x53\x0f\xa2\x5b\x31\xc0\xc3"  # push rbx; cpuid; pop rbx; xor eax, eax; ret
_ENDLESS = b"\xeb\xfe"  # jmp to itself
# Visits word 0 if it is run by the thread whose ident is word 2, else word 1.
_BY_THREAD = (
    b"\x64\x48\x8b\x04%%\x10\x00\x00\x00"  # mov rax, fs:0x10: pthread_self()
    b"\x48\x3b\x47%c"  # cmp rax, [rdi + word 2]
    b"\x74\x06"  # je 1f
    b"\x48\x8b\x7f%c"  # mov rdi, [rdi + word 1]
    b"\xeb\x04"  # jmp 2f
    b"\x48\x8b\x7f%c"  # 1: mov rdi, [rdi + word 0]
    b"\x48\x89\xf0\x48\x89\xd6\xff\xe0"  # 2: mov rax, rsi; mov rsi, rdx; jmp rax
)
_MANY = 100000
_API_VERSION = 1013


def state(code):
    """A module whose m_traverse asks the processor, and the str that its state holds."""
    name = omits.in_memory(b"state\0")
    words = (1, 0, 0, 0, 0, name, 0, 2 * omits.WORD, 0, 0, code.add(_CPUID), 0, 0)
    definition = omits.in_memory(struct.pack("<13Q", *words))
    make = ctypes.pythonapi.PyModule_FromDefAndSpec2
    make.restype = ctypes.py_object
    ctypes.pythonapi.PyModule_GetState.restype = ctypes.c_void_p
    spec = types.SimpleNamespace(name="state")
    module = make(ctypes.c_void_p(definition), ctypes.py_object(spec), _API_VERSION)
    ctypes.pythonapi.PyModule_ExecDef(
        ctypes.py_object(module), ctypes.c_void_p(definition)
    )
    held = omits.text("of the state")
    words = ctypes.pythonapi.PyModule_GetState(ctypes.py_object(module))
    omits.own(module, words - id(module), held)
    omits.KEPT.append(module)
    return id(module), id(held)


def endless(code):
    """A type whose tp_traverse never ends, and one of its many objects."""
    cls = omits.heap_type("Endless", 1, code.add(_ENDLESS))
    for _ in range(_MANY):
        made = omits.new(cls)
    return id(made), id(cls)


def picked(_):
    """An object of a type whose tp_traverse calls a function that was never called, and
    the two str of which that picks one."""
    load = ctypes.CDLL(None).dlopen
    load.restype = ctypes.c_void_p
    library = load(os.environ["CODE_LIBRARY"].encode(), os.RTLD_LAZY)
    find = ctypes.CDLL(None).dlsym
    find.restype = ctypes.c_void_p
    traverse = find(ctypes.c_void_p(library), b"traverse")
    made = omits.new(omits.heap_type("Picked", 2, traverse))
    for index in range(2):
        omits.own(made, omits.at(index), omits.text("of %d" % index))
    words = (omits.word(id(made) + omits.at(index)).value for index in range(2))
    return (id(made), *words)


preloaded = versioned = picked


def unnamed(_):
    """A library without a build-id."""
    path = os.environ["CODE_LIBRARY"]
    omits.KEPT.append(ctypes.CDLL(path))
    return (0,)


def by_thread(code):
    """An object of which one of two str is visited, by the thread."""
    traverse = code.add(_BY_THREAD % tuple(map(omits.at, (2, 1, 0))))
    made = omits.new(omits.heap_type("ByThread", 3, traverse))
    for index in range(2):
        omits.own(made, omits.at(index), omits.text("of %d" % index))
    omits.word(id(made) + omits.at(2)).value = threading.get_ident()
    words = (omits.word(id(made) + omits.at(index)).value for index in range(2))
    return (id(made), *words)


own = foreign = by_thread


def die_own() -> None:
    """In one of Python's threads, which is the one."""

    def run():
        made = omits.KEPT[-1]
        omits.word(id(made) + omits.at(2)).value = threading.get_ident()
        os.abort()

    threading.Thread(target=run).start()


def die_foreign() -> None:
    """In a thread that Python does not know."""
    libc = ctypes.CDLL(None)
    thread = ctypes.c_void_p()
    libc.pthread_create(ctypes.byref(thread), None, libc.abort, None)


def main() -> None:
    gc.disable()
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1))
    code = omits.Code()
    print(*("%x" % a for a in globals()[sys.argv[1]](code)))
    print("ready", flush=True)
    globals().get("die_" + sys.argv[1], int)()
    time.sleep(600)


if __name__ == "__main__":
    main()
