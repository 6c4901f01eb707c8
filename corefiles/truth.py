# SPDX-License-Identifier: Apache-2.0
"""What an interpreter says of itself, written down just before it dies.

A program of this folder ends in ``truth.die(path)``: the truth goes to the text
file *path*, then ``os.abort()`` leaves a core.  A reader of the core is tested
against the file.

How the measuring leaves no trace
---------------------------------

The process forks by the C library's own ``fork`` (not ``os.fork``, which drops the
other threads' states in the child), called with the interpreter's lock held.  The
child has the same objects at the same addresses, and the states of all threads, whose
frames stand still since the threads themselves are not there.  So the child measures
as it likes, and exits.  The parent waits for it, still holding the lock so that no
other Python thread may run, and aborts.  Objects are thus as recorded: all of them.

Before that, `write` waits until the other threads are parked: blocked, and none of
them having run for a while.  That alone keeps them still in a free-threaded build,
which has no such lock.  The garbage collector is off from then on.  It is *not*
run: young objects and garbage are in the core, as they are in a core from the field.

The format
----------

UTF-8 text, one record a line (only ``\\n`` ends a line), fields separated by tabs.  An
address (ADDR) is lower case hexadecimal without ``0x``; ADDRS are addresses joined by
commas, maybe none.  TYPE is ``module.qualname``, of builtins only ``qualname``.  A tab,
newline, carriage return or backslash within a name is written as a backslash escape.

``python VERSION TEXT``
    ``sys.hexversion`` in hexadecimal, and ``sys.version`` on one line.
``object ADDR TYPE SIZE TRACKED ADDRS``
    An object: its type, ``sys.getsizeof`` (-1 if that would run Python code, or
    fails), 1 if the collector tracks it, else 0, and ``gc.get_referents``, in order.
    There is one for every object of ``gc.get_objects()``, and one for every other
    object which ``gc.get_referents`` reaches from them.  With ``sample=``, only for
    about so many tracked objects, and for the untracked ones reached from these.
``value ADDR REPR``
    The ``repr`` of some exact str, int, float, bool, None, bytes or complex.
``ancestors ADDR N ADDRS``
    The tracked objects from which ADDR (which is one of them) is reached by at most N
    references between tracked objects, sorted.  For N from 1 to 5, as long as there
    are at most 5000.
``count TYPE NUMBER``
    How many tracked objects of this type there are.
``expect NAME ADDR``
    An object which the program names.
``holder ADDR``
    An object of which the program says all that it holds besides what
    ``gc.get_referents`` tells, by attributes or since it made it so.
``holds ADDR LABEL ADDR``
    It holds this object, under this label.
``interpreter ID``
    An interpreter; the main one is 0.
``collector ID ADDRS``
    Only where several interpreters have collectors of their own (since 3.9): which of
    the tracked objects are ``gc.get_objects()`` of this interpreter.
``thread ID IDENT NATIVE NAME``
    A state of a thread in interpreter ID: ``threading.get_ident()``, the kernel's id (0
    if unknown), its name (empty if that interpreter's threading module does not know
    it).  A thread that runs code in several interpreters has a state in each.
``frame ID IDENT DEPTH FUNCTION FILE LINE``
    A frame of a thread, innermost first, from 0: the code's ``co_qualname`` (before
    3.11, ``co_name``), ``co_filename``, and the line it is at.  In the dying thread the
    innermost one is `die` of this file.  All lines hold at death; with ``--wait``,
    where the program sleeps instead, all but the one of `die`.
``local ID IDENT DEPTH NAME ADDR``
    A local variable of this frame, by ``frame.f_locals``.
``suspended ADDR DEPTH FUNCTION FILE LINE``
    A frame of the suspended object ADDR: of a generator, coroutine or asynchronous
    generator its own one, with DEPTH 0; of a greenlet all, innermost first.
``held ADDR DEPTH NAME ADDR``
    A local variable of this frame.
``garbage ADDRS``
    What the collector would find if it ran now: what ``gc.collect()`` saved in a child.
    That of the main interpreter where each has its own (since 3.9): nobody can run another's.
``finalizer ADDRS``
    Those of them whose type has ``__del__``.
``finalized ADDRS``
    Those of these whose finalizer has been called before (since 3.9).
``legacy ADDRS``
    Those whose type has the older ``tp_del``.
``saved ADDRS``
    ``gc.garbage``.
``own ADDR``
    An object which the measuring itself made or changed.  None is known; the last
    act of the measuring is to look for some.

The last line is ``end``, so that a torso is told from a truth.
"""

import ctypes
import gc
import os
import sys
import threading
import time
import traceback
import types

import unreachable

_LIBC = ctypes.PyDLL(None)  # unlike CDLL, keeps the interpreter's lock during calls
_FORK = _LIBC.fork
_WAITPID = _LIBC.waitpid
_STATUS = (ctypes.c_int * 1)()
_STATUS_POINTER = ctypes.byref(_STATUS)

# By their own names, and an array's item for the status, since to look up an attribute
# changes the cache of attributes: a name that only the cache held dies (3.14).
_GET_OBJECTS = gc.get_objects
_GET_REFERENTS = gc.get_referents
_INTERNED = sys.intern("a string that only this file has interned")

_TYPE_MODULE = type.__dict__["__module__"].__get__
_TYPE_QUALNAME = type.__dict__["__qualname__"].__get__
_TYPE_DICT = type.__dict__["__dict__"].__get__
_TYPE_MRO = type.__dict__["__mro__"].__get__

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_GENERATORS = (
    (types.GeneratorType, "gi_frame"),
    (types.CoroutineType, "cr_frame"),
    (types.AsyncGeneratorType, "ag_frame"),
)

# The kernel's ids of threads by their identifiers, where the threading module does not
# know them (before 3.8).
_NATIVE_IDS = {}

_GENERATIONS = 5
_MOST_ANCESTORS = 5000
_ANCESTORS_PER_TYPE = 2
_EXPECTED_ANCESTORS = 20
_VALUES_PER_KIND = 40

# The suffix of the file in which one child says what the collector found.
_GARBAGE = ".garbage"


def skip(reason):
    """End the program: it cannot run under this interpreter."""
    print("skip: " + reason, flush=True)
    os._exit(77)


def die(path, expect=None, sample=None, others=None, holders=None):
    """Write the truth to *path*, then abort.

    *expect* is a function returning a dict of objects by name.  It is called in the
    child only, so neither it nor what it finds leaves a reference behind.

    *others* is a function, called likewise, for a program with several interpreters: a
    dict from the number of each but the main one to what it has noted of itself: the
    addresses of its tracked objects, and a dict from the identifiers of its threads to
    (native id, name).

    *holders* is a function, called likewise: pairs of an object and all that it holds, as a
    list of (label, object).  What the collector sees of it is left out.

    If the program's last argument is ``--wait``, it does not abort: it prints
    "ready", and sleeps for ever.
    """
    if sys.argv[-1] == "--wait":
        write(path, expect, sample, others, holders)
        print("ready", flush=True)
        while True:
            time.sleep(3600)
    # One line, so that this frame has the same line when measured and at death.
    os.abort(*write(path, expect, sample, others, holders))


def snapshot(path, number, expect=None):
    """Leave a core of the process as it is, ``core.NUMBER``, and its truth *path*.NUMBER.

    A child dies for it, so that later cores have the same objects at the same addresses.
    """
    pid = os.fork()
    if pid == 0:
        die("%s.%d" % (path, number), expect=expect)
    os.waitpid(pid, 0)
    for name in ("core", "core.%d" % pid):  # as the kernel is told to call it
        if os.path.exists(name):
            os.rename(name, "core.%d" % number)


def write(path, expect=None, sample=None, others=None, holders=None):
    """Write the truth to *path*; the objects of this process stay as they are."""
    wait_until_parked()
    gc.disable()
    _find_native_ids()
    sys.stdout.flush()
    pid = _FORK()
    if pid == 0:
        _collecting_child(path)
    _WAITPID(pid, _STATUS_POINTER, 0)
    pid = _FORK()
    if pid == 0:
        # The list first of all: what is made from here on is not in it.
        _child(_GET_OBJECTS(), path, expect, sample, others, holders)
    _WAITPID(pid, _STATUS_POINTER, 0)
    if _STATUS[0] != 0:
        raise RuntimeError("the truth could not be written")
    return ()


def wait_until_parked(quiet=0.1, timeout=20):
    """Wait until no other thread of this process has run for *quiet* seconds.

    This asks the kernel, since asking Python (``sys._current_frames()``) would make
    frame objects.
    """
    deadline = time.monotonic() + timeout
    before = _other_threads()
    while before:
        time.sleep(quiet)
        after = _other_threads()
        if after == before and not any(map(_is_running, after.values())):
            break
        if time.monotonic() > deadline:
            raise RuntimeError("some threads are still running")
        before = after


def _is_running(status):
    """Whether a thread runs, or would if there were a processor for it."""
    return not any(line.startswith("State:") and "S (" in line for line in status)


def _other_threads():
    """How often each other thread of this process has been switched, and its state."""
    threads = {}
    own = str(os.getpid())  # the main thread, or at least a thread that is there
    if hasattr(threading, "get_native_id"):
        own = str(threading.get_native_id())
    for thread in os.listdir("/proc/self/task"):
        if thread != own:
            with open("/proc/self/task/%s/status" % thread) as status:
                threads[thread] = [
                    line for line in status if "ctxt" in line or "State" in line
                ]
    return threads


def _find_native_ids():
    """Fill _NATIVE_IDS: the C library has them, and forgets them when it forks.

    A thread's identifier is the address of its struct pthread, with the kernel's id as
    a member; that of the main thread is the process's.
    """
    if hasattr(threading, "get_native_id"):
        return
    main = (ctypes.c_int * 512).from_address(threading.main_thread().ident)
    offset = ctypes.sizeof(ctypes.c_int) * list(main).index(os.getpid())
    for thread in threading.enumerate():
        native = ctypes.c_int.from_address(thread.ident + offset).value
        if not os.path.exists("/proc/self/task/%d" % native):
            raise RuntimeError("the C library's threads are not understood")
        _NATIVE_IDS[thread.ident] = native


def _native_id(thread):
    """The kernel's id of a thread."""
    return getattr(thread, "native_id", None) or _NATIVE_IDS.get(thread.ident, 0)


def _use_up_freed_futures():
    """Make gc.get_referents(_asyncio) harmless.

    In 3.12, that module shows the collector its list of freed iterators of futures;
    gc.get_referents() revives them, and may never return.
    """
    if sys.version_info[:2] != (3, 12) or "_asyncio" not in sys.modules:
        return []
    loop = types.SimpleNamespace(get_debug=lambda: False)
    future = sys.modules["_asyncio"].Future(loop=loop)
    return [future.__await__() for _ in range(256)]  # one more than the list holds


def _sizes_of_the_measuring():
    """The sizes, by id, of what grows when it is used: taken before it is.

    From 3.8 to 3.10 a code object gets a cache when it has run often enough, up to 3.10
    a class gets shared keys with its first instance.
    """
    functions = [f for f in globals().values() if isinstance(f, types.FunctionType)]
    functions += [f for f in vars(_Truth).values() if isinstance(f, types.FunctionType)]
    objects = [_Truth] + [function.__code__ for function in functions]
    for obj in objects:  # which grows: code within code
        constants = getattr(obj, "co_consts", ())
        objects.extend(c for c in constants if isinstance(c, types.CodeType))
    return {id(obj): sys.getsizeof(obj) for obj in objects}


def _interned_strings(snapshot):
    """All interned strings, where the dict of them is tracked (3.14).

    Some live only by the cache of attributes, and the measuring would displace them there.
    """
    return [
        _GET_REFERENTS(obj)
        for obj in snapshot
        if type(obj) is dict and _INTERNED in obj and obj[_INTERNED] is _INTERNED
    ]


def _collecting_child(path):
    """Run the collector in a child of its own, since it changes what is tracked; and exit."""
    try:
        unreachable.write(path + _GARBAGE)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def _child(snapshot, path, expect, sample, others, holders):
    """Measure in the forked child, and exit."""
    interned = _interned_strings(snapshot)  # noqa: F841
    try:
        # The cache of attributes may be all that holds a name. What the measuring looks
        # up would take its place there, and the name would leave the dict of interned
        # strings.
        names = [gc.get_referents(o) for o in snapshot if type(o) is dict]  # noqa: F841
        sizes = _sizes_of_the_measuring()
        futures = _use_up_freed_futures()  # noqa: F841
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            noted = others() if others else {}
            with open(path + _GARBAGE, encoding="utf-8") as garbage:
                file.write(garbage.read())
            os.unlink(path + _GARBAGE)
            _Truth(snapshot, file, sizes, noted).write(expect, sample, holders)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


class _Truth:
    """The records of one process, written to *file*."""

    def __init__(self, snapshot, file, sizes, others):
        """Take the *snapshot*, without the frames of the measuring itself.

        *sizes* are the sizes of objects that the measuring changes; *others* is what
        other interpreters have noted.
        """
        own = set()
        frame = sys._getframe()
        while frame.f_code is not die.__code__ and frame.f_back is not None:
            own.add(id(frame))
            if frame.f_code is write.__code__:
                break
            frame = frame.f_back
        # Before 3.8 the collector tracks running frames.
        self.tracked = [o for o in snapshot if id(o) not in own]
        self.frozen = _frozen(snapshot)
        self.frozen_ids = set(map(id, self.frozen))
        self.others = others
        self.collectors = {}
        if others and sys.version_info >= (3, 9):
            self.collectors[0] = [id(o) for o in self.tracked]
            for number, (addresses, _) in others.items():
                self.collectors[number] = addresses
                self.tracked.extend(map(_object_at, addresses))
        self.tracked_ids = {id(o) for o in self.tracked}
        self.by_type = {}  # by id, since a metaclass may define __hash__ or __eq__
        for obj in self.tracked:
            self.by_type.setdefault(id(type(obj)), []).append(obj)
        self.file = file
        self.type_names = {}
        self.sizeable = {}
        self.sizes = sizes
        self.running = {}
        self.written = {}
        self.values = {}

    def record(self, *fields):
        """Write one record."""
        self.file.write("\t".join(map(_field, fields)) + "\n")

    def write(self, expect, sample, holders):
        """Write all the records."""
        version = " ".join(sys.version.split())
        self.record("python", "%x" % sys.hexversion, version)
        expected = expect() if expect else {}
        if sample is None:
            self.objects(self.tracked)
        else:
            self.record("sample")
            some = self.spread(max(1, sample // len(self.by_type)))
            some.extend(o for o in expected.values() if id(o) in self.tracked_ids)
            self.objects(some)
        self.value_records()
        self.counts()
        for number in self.collectors:
            self.record("collector", number, _addresses(self.collectors[number]))
        for name in expected:
            self.record("expect", name, "%x" % id(expected[name]))
        self.holders(holders() if holders else ())
        self.ancestors(expected.values())
        self.changes()  # before the frames, which are changed by looking at them
        self.threads()
        self.suspended()
        self.record("end")

    def holders(self, holders):
        """Write what some objects hold and gc.get_referents does not tell."""
        for holder, held in holders:
            self.record("holder", "%x" % id(holder))
            seen = [id(referent) for referent in gc.get_referents(holder)]
            for label, obj in held:
                if id(obj) in seen:
                    seen.remove(id(obj))
                else:
                    self.record("holds", "%x" % id(holder), label, "%x" % id(obj))

    def objects(self, some):
        """Write the records of *some* tracked objects, and what they reach."""
        stack = list(reversed(some))
        while stack:
            obj = stack.pop()
            address = id(obj)
            if address in self.written:
                continue
            # Before the referents are held: io.BytesIO counts its buffer if that has no
            # other holder.
            size = self.size(obj)
            referents = gc.get_referents(obj)
            ids = list(map(id, referents))
            self.written[address] = hash(tuple(ids))
            name, tracked = self.type_name(type(obj)), self.is_tracked(obj)
            fields = address, _field(name), size, tracked, _addresses(ids)
            self.file.write("object\t%x\t%s\t%d\t%d\t%s\n" % fields)
            self.maybe_value(obj)
            for other in reversed(referents):
                if id(other) not in self.tracked_ids:
                    if self.is_tracked(other):
                        self.record("own", "%x" % id(other))
                    elif id(other) not in self.written:
                        stack.append(other)

    def is_tracked(self, obj):
        """Whether the collector tracks it, in the sense of gc.get_objects().

        gc.is_tracked() asks the type too: a greenlet denies it while it runs.
        """
        if id(obj) in self.frozen_ids:
            return False
        return id(obj) in self.tracked_ids or gc.is_tracked(obj)

    def type_name(self, cls):
        """The full name of a type, in spite of any metaclass."""
        name = self.type_names.get(id(cls))
        if name is None:
            module, name = _TYPE_MODULE(cls), _TYPE_QUALNAME(cls)
            if type(module) is str and module != "builtins":
                name = module + "." + name
            self.type_names[id(cls)] = name
        return name

    def size(self, obj):
        """The size of an object, by C code only, or -1."""
        if id(obj) in self.sizes:
            return self.sizes[id(obj)]
        cls = type(obj)
        if id(cls) not in self.sizeable:
            method = None
            # A few types were never made ready, and have no MRO (functools'
            # _lru_list_elem before 3.10).
            for base in _TYPE_MRO(cls) or ():
                if "__sizeof__" in _TYPE_DICT(base):
                    method = _TYPE_DICT(base)["__sizeof__"]
                    break
            self.sizeable[id(cls)] = type(method) is type(object.__dict__["__sizeof__"])
        if not self.sizeable[id(cls)]:
            return -1
        try:
            return sys.getsizeof(obj)
        except Exception:
            return -1

    def maybe_value(self, obj):
        """Remember a value whose repr() is harmless, by its kind."""
        cls = type(obj)
        if cls is str and len(obj) <= 200:
            top = ord(max(obj)) if obj else -1
            kind = (cls, (top >= 0) + (top > 0x7F) + (top > 0xFF) + (top > 0xFFFF))
        elif cls is int and obj.bit_length() <= 600:
            kind = (cls, obj < 0, min(-(-obj.bit_length() // 30), 4))
        elif cls is bool or cls is float or cls is complex or obj is None:
            kind = (cls,)
        elif cls is bytes and len(obj) <= 200:
            kind = (cls, min(len(obj), 2))
        else:
            return
        self.values.setdefault(kind, []).append(obj)

    def value_records(self):
        """Write the values of some objects of every kind."""
        for objects in self.values.values():
            for obj in _every(objects, _VALUES_PER_KIND):
                text = repr(obj)
                if len(text) <= 200:
                    self.file.write("value\t%x\t%s\n" % (id(obj), text))

    def counts(self):
        """Write how many tracked objects there are of each type.

        Types of the same name are counted together.
        """
        counts = {}
        for objects in self.by_type.values():
            name = self.type_name(type(objects[0]))
            counts[name] = counts.get(name, 0) + len(objects)
        for name in sorted(counts):
            self.record("count", name, counts[name])

    def spread(self, number):
        """*number* tracked objects of every type, from all over the snapshot."""
        return [o for objects in self.by_type.values() for o in _every(objects, number)]

    def ancestors(self, expected):
        """Write who reaches some tracked objects, and the expected ones."""
        referrers = {}
        for obj in self.tracked:
            referents = map(id, gc.get_referents(obj))
            for referent in self.tracked_ids.intersection(referents):
                referrers.setdefault(referent, []).append(id(obj))
        starts = [id(o) for o in expected if id(o) in self.tracked_ids]
        del starts[_EXPECTED_ANCESTORS:]
        starts.extend(id(o) for o in self.spread(_ANCESTORS_PER_TYPE))
        for start in dict.fromkeys(starts):
            found = {start}
            newest = [start]
            for generation in range(1, _GENERATIONS + 1):
                newest = set().union(*(referrers.get(n, ()) for n in newest)) - found
                found |= newest
                if len(found) > _MOST_ANCESTORS:
                    break
                fields = start, generation, _addresses(sorted(found))
                self.file.write("ancestors\t%x\t%d\t%s\n" % fields)

    def changes(self):
        """Write which objects have changed since their record was written."""
        for obj in self.tracked:
            expected = self.written.get(id(obj))
            if expected is not None:
                if hash(tuple(map(id, gc.get_referents(obj)))) != expected:
                    self.record("own", "%x" % id(obj))

    def threads(self):
        """Write the threads, their frames, and the frames' local variables."""
        frames = sys._current_frames()
        for number, states in _interpreters():
            known = _own_threads()
            known = (
                {ident: (known[ident][0], "") for ident in known} if number else known
            )
            known.update(self.others.get(number, ((), {}))[1])
            self.record("interpreter", number)
            for ident, frame in states:
                if frame is _BY_IDENT:
                    frame = frames.pop(ident, None)
                self.record("thread", number, ident, *known.get(ident, (0, "")))
                if number == 0 and ident == threading.get_ident():
                    while frame.f_code is not die.__code__ and frame.f_back is not None:
                        frame = frame.f_back
                stack = _outwards(frame)
                self.running.update((id(f), f) for f in stack)
                self.stack(stack, ("frame", number, ident), ("local", number, ident))

    def stack(self, frames, as_frame, as_local):
        """Write frames, and their variables."""
        for depth, frame in enumerate(frames):
            code = frame.f_code
            name = getattr(code, "co_qualname", code.co_name)
            line = frame.f_lineno
            self.record(*as_frame, depth, name, code.co_filename, line)
            for name, value in frame.f_locals.items():
                if type(name) is str:
                    self.record(*as_local, depth, name, "%x" % id(value))

    def suspended(self):
        """Write the frames of suspended generators of all sorts, and of greenlets."""
        greenlet = getattr(sys.modules.get("greenlet"), "greenlet", ())
        everything = self.tracked + self.frozen
        for obj in everything:
            if issubclass(type(obj), greenlet):
                frames = _outwards(greenlet.gr_frame.__get__(obj))
                self.running.update((id(f), f) for f in frames)
                self.suspended_stack(obj, frames)
        for obj in everything:
            for kind, attribute in _GENERATORS:
                if type(obj) is kind:
                    frame = getattr(obj, attribute)
                    if frame is not None and id(frame) not in self.running:
                        self.suspended_stack(obj, [frame])

    def suspended_stack(self, obj, frames):
        """Write the frames that an object has put aside."""
        address = "%x" % id(obj)
        self.stack(frames, ("suspended", address), ("held", address))


def _frozen(snapshot):
    """What gc.freeze() has put aside; 3.12 has tuples there from the start."""
    if not hasattr(gc, "freeze") or not gc.get_freeze_count():
        return []
    others = set(map(id, snapshot))
    others.update(map(id, _GET_OBJECTS()))
    gc.unfreeze()
    return [obj for obj in _GET_OBJECTS() if id(obj) not in others]


_BY_IDENT = object()


def _interpreters():
    """The number of each interpreter and the states of its threads, the main one first.

    A state is its thread's identifier, and its innermost frame or None.  Up to 3.8
    CPython does not tell the frame: it is the one of that identifier.
    """
    found = []
    interpreter = _api("PyInterpreterState_Head")
    while interpreter:
        number = 0
        if sys.version_info >= (3, 7):
            number = _api("PyInterpreterState_GetID", interpreter)
        state = _api("PyInterpreterState_ThreadHead", interpreter)
        states = []
        while state:
            frame = _BY_IDENT
            if sys.version_info >= (3, 9):
                frame = _frame_of_state(state)
            states.append((_ident(state), frame))
            state = _api("PyThreadState_Next", state)
        found.append((number, states))
        interpreter = _api("PyInterpreterState_Next", interpreter)
    return found[::-1]


def _api(name, *arguments):
    """Call a function of CPython's C interface with addresses, for an address."""
    function = getattr(_LIBC, name)
    function.restype = ctypes.c_ssize_t
    return function(*map(ctypes.c_void_p, arguments))


def _object_at(address):
    """The object at an address; by C code only, which is not changed by being used."""
    return ctypes.py_object.from_buffer(ctypes.c_ssize_t(address)).value


def _frame_of_state(state):
    """The innermost frame of the state of a thread, or None."""
    address = _api("PyThreadState_GetFrame", state)  # a new reference, which is kept
    return _object_at(address) if address else None


def _ident(state):
    """The identifier of the thread of a state: where ours stands in our state."""
    ours = (ctypes.c_ulong * 64).from_address(_api("PyThreadState_Get"))
    there = list(ours).index(threading.get_ident()) * ctypes.sizeof(ctypes.c_ulong)
    return ctypes.c_ulong.from_address(state + there).value


def _own_threads():
    """The native id and name of each thread that this interpreter's module knows."""
    known = {
        thread.ident: (_native_id(thread), thread.name)
        for thread in threading.enumerate()
    }
    native, name = known[threading.get_ident()]
    if native and str(native) not in os.listdir("/proc/%d/task" % os.getppid()):
        # After os.fork() it is still the parent's. The one thread there is has the
        # process's, which has forked us.
        known[threading.get_ident()] = (os.getppid(), name)
    return known


def _outwards(frame):
    """A frame, the one that called it, and so on."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def _addresses(ids):
    """Addresses, joined."""
    return ",".join(["%x" % i for i in ids])


def _field(value):
    """The text of a field, in which nothing separates fields or lines."""
    return str(value).translate(_ESCAPES)


def _every(objects, number):
    """About *number* of the *objects*, evenly spread."""
    return objects[:: max(1, len(objects) // number)][:number]
