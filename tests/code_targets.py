# SPDX-License-Identifier: Apache-2.0
"""Processes with code that goes wrong when it is run, for code_check.py: code_targets.py CASE

Says what the case is about, then "ready", and sleeps.
"""

import ctypes
import gc
import os
import struct
import sys
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


def main():
    gc.disable()
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1))
    code = omits.Code()
    print(*("%x" % a for a in globals()[sys.argv[1]](code)))
    print("ready", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
