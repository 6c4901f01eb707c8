# SPDX-License-Identifier: Apache-2.0
"""Objects of C types whose ``tp_traverse`` leaves out some of what they hold.

The types are made with ctypes, their ``tp_traverse`` is a few bytes of machine code: no
compiler and no headers are needed.  An object's words are written directly; what they
hold is held by nothing else, so that a reader who does not know of them misses it.
"""

import ctypes
import mmap
import os
import platform
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import truth  # noqa: E402

WORD = 8
HEADER = object.__basicsize__
# Beyond those of 16 bytes: debug builds up to 3.7 and free-threaded ones have more.
SHIFT = HEADER - 16
# Of PyTypeObject, whose beginning has been the same since 3.6.
TP_NAME, TP_BASICSIZE, TP_FLAGS, TP_TRAVERSE, TP_MEMBERS, TP_BASE, TP_DICTOFFSET = (
    offset + SHIFT for offset in (24, 32, 168, 184, 240, 256, 288)
)
TYPE_SIZE = 1024  # at least
SLOT_BASE, SLOT_TRAVERSE, SLOT_MEMBERS = 48, 71, 72
DEFAULT_FLAGS, BASE_TYPE, HAVE_GC = 1 << 18, 1 << 10, 1 << 14
T_OBJECT, T_OBJECT_EX = 6, 16

API = ctypes.pythonapi
API.PyType_FromSpec.restype = ctypes.py_object
API.PyType_GenericAlloc.restype = ctypes.py_object
API.PyType_GenericAlloc.argtypes = [ctypes.py_object, ctypes.c_ssize_t]
API.Py_IncRef.argtypes = [ctypes.py_object]

KEPT = []
MEMORY = []  # of C structures
HELD = []  # objects, and which of their words hold: pairs of a label and an offset


def word(address):
    return ctypes.c_uint64.from_address(address)


def at(index):
    """The offset of a word behind the header."""
    return HEADER + WORD * index


def in_memory(data):
    """The address of a copy of some bytes, which stays."""
    MEMORY.append(ctypes.create_string_buffer(data, len(data) + 1))
    return ctypes.addressof(MEMORY[-1])


class Code:
    """Executable memory."""

    def __init__(self):
        self.memory = mmap.mmap(
            -1,
            1 << 16,
            flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
            prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
        )
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))

    def add(self, code):
        """The address of a function."""
        at = self.memory.tell()
        self.memory.write(code + b"\xcc" * (-len(code) % 16))
        return self.start + at

    def traverse(self, *offsets):
        """A tp_traverse that visits the words at these offsets."""
        visits = b""
        for offset in offsets:
            visits += b"\x48\x8b\xbb" + struct.pack(
                "<i", offset
            )  # mov offset(rbx), rdi
            visits += b"\x48\x85\xff\x74\x05"  # if it is not 0:
            visits += b"\x4c\x89\xe6\xff\xd5"  # mov r12, rsi; call rbp
        return self.add(
            b"\x53\x55\x41\x54"  # push rbx, rbp, r12
            + b"\x48\x89\xfb\x48\x89\xf5\x49\x89\xd4"  # mov rdi, rbx; rsi, rbp; rdx, r12
            + visits
            + b"\x31\xc0\x41\x5c\x5d\x5b\xc3"  # xor eax, eax; pop r12, rbp, rbx; ret
        )


def members(*described):
    """An array of PyMemberDef: of (name, type, offset)."""
    data = b""
    for name, kind, offset in described:
        name = in_memory(name.encode() + b"\0")
        data += struct.pack("<QixxxxqixxxxQ", name, kind, offset, 0, 0)
    return in_memory(data + bytes(40))


def heap_type(name, words, traverse=0, defined=0, base=None):
    """A type as PyType_FromSpec() makes it."""
    slots = b""
    if traverse:
        slots += struct.pack("<ixxxxQ", SLOT_TRAVERSE, traverse)
    if defined:
        slots += struct.pack("<ixxxxQ", SLOT_MEMBERS, defined)
    if base:
        slots += struct.pack("<ixxxxQ", SLOT_BASE, id(base))
    flags = DEFAULT_FLAGS | BASE_TYPE | (HAVE_GC if traverse else 0)
    size = (base or object).__basicsize__ + WORD * words
    name = in_memory(b"omits.%s\0" % name.encode())
    spec = struct.pack("<QiiIxxxxQ", name, size, 0, flags, in_memory(slots + bytes(16)))
    cls = API.PyType_FromSpec(ctypes.c_void_p(in_memory(spec)))
    KEPT.append(cls)
    return cls


def static_type(name, words, traverse, defined=0, base=None):
    """A type in memory of its own, for PyType_Ready()."""
    address = in_memory(bytes(TYPE_SIZE))
    address += -address % 16
    word(address + HEADER - 2 * WORD).value = 1  # the count of references
    word(address + TP_NAME).value = in_memory(b"omits.%s\0" % name.encode())
    word(address + TP_BASICSIZE).value = (base or object).__basicsize__ + WORD * words
    word(address + TP_FLAGS).value = DEFAULT_FLAGS | BASE_TYPE | HAVE_GC
    word(address + TP_TRAVERSE).value = traverse
    word(address + TP_MEMBERS).value = defined
    word(address + TP_BASE).value = id(base or object)
    if API.PyType_Ready(ctypes.c_void_p(address)):
        raise SystemError("PyType_Ready")
    cls = ctypes.cast(address, ctypes.py_object).value
    KEPT.append(cls)
    return cls


def new(cls):
    """An object with words of 0."""
    made = API.PyType_GenericAlloc(cls, 0)
    KEPT.append(made)
    return made


def borrow(obj, offset, target):
    word(id(obj) + offset).value = id(target)


def own(obj, offset, target):
    API.Py_IncRef(target)
    borrow(obj, offset, target)


def text(name):
    """A str that nobody else has."""
    return "%s-%d-%s" % (name, sys.version_info[1], "x" * len(name))


def freed():
    """The address of an object that is no more."""
    return id(bytes(bytearray(b"freed " * 99)))


VISITED, MEMBER, MEMBER_EX, DICT, WORD_HELD, BORROWED, NUMBER, STALE, WORDS = range(9)
MEMBERS = (("member", T_OBJECT, at(MEMBER)), ("member_ex", T_OBJECT_EX, at(MEMBER_EX)))


def fill(obj, shared, first=HEADER):
    """Fills the words of an object, and notes those that hold and are not visited."""

    def place(index):
        return first + WORD * index

    own(obj, place(VISITED), text("visited"))
    own(obj, place(MEMBER), text("member"))
    own(obj, place(MEMBER_EX), text("member_ex"))
    # A dict that the collector does not track, and what it has.
    own(obj, place(WORD_HELD), {text("key"): text("value")})
    borrow(obj, place(BORROWED), shared)
    word(id(obj) + place(NUMBER)).value = 12345678
    word(id(obj) + place(STALE)).value = freed()
    held = [(".member", place(MEMBER)), (".member_ex", place(MEMBER_EX))]
    held += [("+0x%x" % place(WORD_HELD), place(WORD_HELD))]
    HELD.append((obj, held))
    return held


def make(code):
    shared = text("shared")
    KEPT.append([shared])
    traverse = code.traverse(at(VISITED))
    # With a __dict__ that is not visited.
    for cls in (
        heap_type("Heap", WORDS, traverse, members(*MEMBERS)),
        static_type("Static", WORDS, traverse, members(*MEMBERS)),
    ):
        word(id(cls) + TP_DICTOFFSET).value = at(DICT)
        for _ in range(3):
            obj = new(cls)
            fill(obj, shared).append(("__dict__", at(DICT)))
            obj.attribute = text("attribute")

    # All is visited, but for the type.
    everything = code.traverse(*map(at, range(5)))
    obj = new(heap_type("Visits", WORDS, everything, members(*MEMBERS)))
    del fill(obj, shared)[:]
    # The type too; the same object is held twice, and visited once.
    whole = code.traverse(HEADER - WORD, at(VISITED))
    obj = new(heap_type("Twice", 3, whole, members(*MEMBERS[:1])))
    own(obj, at(VISITED), text("twice"))
    twice = ctypes.cast(word(id(obj) + at(VISITED)).value, ctypes.py_object).value
    own(obj, at(2), twice)
    HELD.append((obj, [("+0x%x" % at(i), at(i)) for i in (VISITED, 2)]))
    del twice

    # Nothing is visited, and nothing is there but words.
    cls = heap_type("Words", 2, code.traverse())
    for _ in range(20):
        obj = new(cls)
        own(obj, at(0), text("word"))
        borrow(obj, at(1), shared)
        HELD.append((obj, [("+0x%x" % at(0), at(0))]))
    # What one object holds, another one borrows from what that has.
    obj, other = new(cls), new(cls)
    inner = text("inner")
    borrow(obj, at(0), inner)
    own(other, at(0), {text("outer"): inner})
    HELD.append((obj, []))
    HELD.append((other, [("+0x%x" % at(0), at(0))]))
    del inner

    # Members behind a dict, whose tp_traverse is inherited.
    place = dict.__basicsize__
    cls = heap_type("Dict", 1, 0, members(("member", T_OBJECT, place)), dict)
    obj = cls()
    KEPT.append(obj)
    own(obj, place, text("behind a dict"))
    # Since 3.14 keys that all are str are not visited; there are none.
    HELD.append((obj, [(".member", place)]))

    # Classes of Python code on such types.
    base = heap_type("Base", WORDS, traverse, members(*MEMBERS))

    class Slotted(base):
        __slots__ = ("slot",)

    class Plain(base):
        pass

    for cls in (Slotted, Plain):
        obj = new(cls)
        fill(obj, shared)
        obj.slot = text("slot")


def holders():
    """What is held, by what is in the words."""
    return [
        (
            obj,
            [
                (label, ctypes.cast(word(id(obj) + at).value, ctypes.py_object).value)
                for label, at in held
            ],
        )
        for obj, held in HELD
    ]


def main():
    if platform.machine() != "x86_64" or sys.maxsize < 1 << 32:
        truth.skip("its machine code is for x86-64")
    if getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        truth.skip("free-threaded: references are not all counted")
    code = Code()
    KEPT.append(code)
    make(code)
    truth.die(sys.argv[1], holders=holders)


if __name__ == "__main__":
    main()
