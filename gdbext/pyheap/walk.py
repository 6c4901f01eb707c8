# SPDX-License-Identifier: Apache-2.0
"""libwalk from Python: the only file with ctypes, one thin class per thing of walk.h.

Works in plain Python as well as in gdb's:

    with Target.open_core("core") as target, target.build_heap() as heap:
        print(heap.stats().tracked)

Results that C owns (ids, edges) stay in C and are converted when indexed, so that
`len()` of a million costs nothing.
"""

import ctypes
import os
from array import array
from bisect import bisect_left
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_uint,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from itertools import compress
from types import TracebackType
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type as Class,
    TypeVar,
)

from pyheap.errors import HeapError, WalkError

NO_ID = 0xFFFFFFFF
ALL_GENERATIONS = 0xFFFFFFFF
NO_LIMIT = ctypes.c_size_t(-1).value

KINDS = ("object", "frame", "thread", "interpreter")

GOALS = ("type", "module", "frame", "node")

FINALIZER, FINALIZED, LEGACY, KEPT = 1, 2, 4, 8  # flags of garbage

# Whether a target is a saved heap: not, with all values, without them.
SAVED = ("", "with values", "without values")

_VALUE, _ANNOTATION = 0, 1
_EXTRA, _GUESS, _WEAK = 1, 2, 4
_ANCESTORS, _DESCENDANTS = 0, 1

Progress = Callable[[int, int], bool]
Read = Callable[[int, int], bytes]


# ---- what Python sees ---------------------------------------------------------------


class Mapping(NamedTuple):
    """A mapping of a target whose memory a callback serves."""

    start: int
    end: int
    offset: int
    path: Optional[str]


class Options(NamedTuple):
    """How the files of a target are found on this machine, and what it is opened for."""

    executable: Optional[str] = None
    sysroot: Optional[str] = None
    debug_dirs: Optional[str] = None
    first: Optional[str] = None  # asked first: "counts", "graph"; None: unknown


class TargetInfo(NamedTuple):
    """What was found in a target before its heap was read."""

    version: int
    word: int
    version_text: str
    python_path: str
    build_id: str
    build: str
    file_problem: str
    layout_source: str
    tracked_by: str
    truncated: bool
    saved: str  # one of SAVED


class File(NamedTuple):
    """A file of the target's: why it is not used, or "", and whether a build-id proves
    that it is the one."""

    path: str
    problem: str
    has_build_id: bool
    has_code: bool


class TypeCount(NamedTuple):
    """The tracked objects of a type."""

    address: int
    name: str
    tracked: int
    tracked_size: int


class Counts(NamedTuple):
    """What can be counted without a heap."""

    stats: "Stats"
    types: List[TypeCount]


class LayoutPart(NamedTuple):
    """What one source gave of the layout; no structures: all that no other part has."""

    source: str
    structure_count: int
    structures: List[str]


class Invariant(NamedTuple):
    """What memory was asked: `holds`, `fails`, or `unasked`, as it has nothing of it."""

    words: str
    verdict: str


class Stats(NamedTuple):
    """Counts of a heap and what is missing from it."""

    nodes: int
    objects: int
    tracked: int
    permanent: int
    edges: int
    extra_edges: int
    guessed_edges: int
    guessed_objects: int
    run_objects: int
    run_problem: str
    unreadable: int
    recovered_types: int
    unnamed_objects: int
    broken_lists: int
    broken_stacks: int
    collecting: bool
    truncated: bool
    unknown_layout: bool
    complete: bool


class Type(NamedTuple):
    """A type and its objects' totals."""

    address: int
    name: str
    tracked: int
    objects: int
    tracked_size: int
    size: int
    known: bool
    unreadable: int
    guessed: int
    fault: str
    fault_pc: int
    fault_instructions: int
    fault_file: str


class Dispute(NamedTuple):
    """A type (its index) whose table is wrong, as tp_traverse of an object showed."""

    type: int
    object: int


class Node(NamedTuple):
    """An object, or a frame, thread or interpreter; `type` is an index of types."""

    id: int
    kind: str
    address: int
    type: int
    tracked: bool
    is_object: bool
    size: int
    refcount: int
    interpreter: Optional[int]


class Edge(NamedTuple):
    """One labelled reference; `referent` is None when it is outside of the heap."""

    holder: int
    referent: Optional[int]
    label: str
    extra: bool
    guess: bool
    weak: bool


class Path(NamedTuple):
    """References from a root down to an object."""

    root: int
    thread: Optional[int]
    edges: List[Edge]


class Thread(NamedTuple):
    """A thread state and its frames, innermost first."""

    id: int
    address: int
    interpreter: int
    ident: int
    native_id: int
    name: str
    frames: List[int]
    frames_complete: bool


class Interpreter(NamedTuple):
    """An interpreter of the process; `place` is its index in the list of them."""

    place: int
    id: int
    address: int
    number: int
    has_collector: bool
    tracked: int


class Total(NamedTuple):
    """Objects of a type and their bytes."""

    objects: int
    size: int


class Greenlet(NamedTuple):
    """A suspended greenlet and its frames, innermost first."""

    id: int
    frames: List[int]
    frames_complete: bool


class Chain(NamedTuple):
    """What a chain of references is looked for: `goal` is one of GOALS.

    `up` is objgraph's find_backref_chain, else its find_ref_chain. `type` and `node`
    are the goals "type" and "node".
    """

    goal: str
    up: bool = True
    type: str = ""
    node: int = 0
    max_depth: int = 20
    ignored_types: Sequence[str] = ()
    ignored: Sequence[int] = ()


class Frame(NamedTuple):
    """Where a frame is; `line` is 0 when it is not known."""

    function: str
    file: str
    line: int


class GrowthRow(NamedTuple):
    """A type against an earlier heap; `place` is for the other questions."""

    place: int
    type: str
    old_objects: int
    objects: int
    old_size: int
    size: int
    new_objects: int
    new_size: int
    instance_dicts: int = 0
    instance_dicts_size: int = 0


class GrowthHolder(NamedTuple):
    """What new objects have in common; None: nothing long-lived leads to them."""

    holder: Optional[int]
    long_lived: Optional[int]
    objects: int
    size: int
    type: Optional[int]
    direct: int


# ---- what C sees --------------------------------------------------------------------

_PROGRESS = CFUNCTYPE(c_bool, c_void_p, c_size_t, c_size_t)
_READ = CFUNCTYPE(c_size_t, c_void_p, c_uint64, c_void_p, c_size_t)


class _Options(Structure):
    _fields_ = [
        ("executable", c_char_p),
        ("sysroot", c_char_p),
        ("debug_dirs", c_char_p),
        ("layout", c_char_p),
        ("guess", c_bool),
        ("threads", c_uint),
        ("tracked", c_char_p),
        ("reading", c_char_p),
        ("first", c_char_p),
    ]


class _Mapping(Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("offset", c_uint64),
        ("path", c_char_p),
    ]


class _Reader(Structure):
    _fields_ = [
        ("read", _READ),
        ("context", c_void_p),
        ("mappings", POINTER(_Mapping)),
        ("mapping_count", c_size_t),
        ("word", c_uint),
    ]


class _TargetInfo(Structure):
    _fields_ = [
        ("version", c_uint32),
        ("word", c_uint),
        ("version_text", c_char_p),
        ("python_path", c_char_p),
        ("build_id", c_char_p),
        ("build", c_char_p),
        ("file_problem", c_char_p),
        ("layout_source", c_char_p),
        ("tracked_by", c_char_p),
        ("truncated", c_bool),
        ("saved", c_int),
    ]


class _File(Structure):
    _fields_ = [
        ("path", c_char_p),
        ("problem", c_char_p),
        ("has_build_id", c_bool),
        ("has_code", c_bool),
    ]


class _LayoutPart(Structure):
    _fields_ = [("source", c_char_p), ("count", c_size_t), ("structures", c_char_p)]


class _Invariant(Structure):
    _fields_ = [("words", c_char_p), ("verdict", c_int)]


class _Stats(Structure):
    _fields_ = [
        ("nodes", c_size_t),
        ("objects", c_size_t),
        ("tracked", c_size_t),
        ("permanent", c_size_t),
        ("edges", c_size_t),
        ("extra_edges", c_size_t),
        ("guessed_edges", c_size_t),
        ("guessed_objects", c_size_t),
        ("run_objects", c_size_t),
        ("run_problem", c_char_p),
        ("unreadable", c_size_t),
        ("recovered_types", c_size_t),
        ("unnamed_objects", c_size_t),
        ("broken_lists", c_size_t),
        ("broken_stacks", c_size_t),
        ("collecting", c_bool),
        ("truncated", c_bool),
        ("unknown_layout", c_bool),
        ("complete", c_bool),
    ]


class _TypeCount(Structure):
    _fields_ = [
        ("address", c_uint64),
        ("name", c_char_p),
        ("tracked", c_size_t),
        ("tracked_size", c_uint64),
    ]


class _Counts(Structure):
    _fields_ = [("stats", _Stats), ("count", c_size_t), ("type", _TypeCount * 0)]


class _Node(Structure):
    _fields_ = [
        ("kind", c_int),
        ("address", c_uint64),
        ("type", c_uint32),
        ("tracked", c_bool),
        ("is_object", c_bool),
        ("size", c_uint64),
        ("refcount", c_int64),
        ("interpreter", c_uint32),
    ]


class _Type(Structure):
    _fields_ = [
        ("address", c_uint64),
        ("name", c_char_p),
        ("tracked", c_size_t),
        ("objects", c_size_t),
        ("tracked_size", c_uint64),
        ("size", c_uint64),
        ("known", c_bool),
        ("unreadable", c_size_t),
        ("guessed", c_size_t),
        ("fault", c_char_p),
        ("fault_pc", c_uint64),
        ("fault_instructions", c_uint64),
        ("fault_file", c_char_p),
    ]


class _Dispute(Structure):
    _fields_ = [("type", c_uint32), ("object", c_uint64)]


class _Ids(Structure):
    _fields_ = [("count", c_size_t)]  # walk_id id[] follows


class _Edge(Structure):
    _fields_ = [
        ("holder", c_uint32),
        ("referent", c_uint32),
        ("flags", c_uint32),
        ("label", c_char_p),
    ]


class _Edges(Structure):
    _fields_ = [
        ("count", c_size_t),
        ("edge", POINTER(_Edge)),
        ("guessed", c_bool),
        ("run", c_bool),
    ]


class _Subgraph(Structure):
    _fields_ = [
        ("count", c_size_t),
        ("id", POINTER(c_uint32)),
        ("depth", POINTER(c_uint32)),
        ("beyond", c_size_t),
    ]


class _Path(Structure):
    _fields_ = [
        ("root", c_uint32),
        ("thread", c_uint32),
        ("count", c_size_t),
        ("edge", POINTER(_Edge)),
    ]


class _Paths(Structure):
    _fields_ = [
        ("count", c_size_t),
        ("path", POINTER(_Path)),
        ("edges", POINTER(_Edges)),
    ]


class _Thread(Structure):
    _fields_ = [
        ("id", c_uint32),
        ("address", c_uint64),
        ("interpreter", c_uint32),
        ("ident", c_uint64),
        ("native_id", c_uint64),
        ("name", c_char_p),
        ("frame_count", c_size_t),
        ("frames", POINTER(c_uint32)),
        ("frames_complete", c_bool),
    ]


class _Interpreter(Structure):
    _fields_ = [
        ("id", c_uint32),
        ("address", c_uint64),
        ("number", c_int64),
        ("has_collector", c_bool),
        ("tracked", c_size_t),
    ]


class _Total(Structure):
    _fields_ = [("objects", c_size_t), ("size", c_uint64)]


class _Greenlet(Structure):
    _fields_ = [
        ("id", c_uint32),
        ("frame_count", c_size_t),
        ("frames", POINTER(c_uint32)),
        ("frames_complete", c_bool),
    ]


class _Frame(Structure):
    _fields_ = [("function", c_char_p), ("file", c_char_p), ("line", c_int)]


class _Part(Structure):
    _fields_ = [("ids", c_void_p), ("count", c_size_t), ("seen", c_bool)]


class _Chain(Structure):
    _fields_ = [
        ("direction", c_int),
        ("goal", c_int),
        ("type", c_char_p),
        ("node", c_uint32),
        ("max_depth", c_uint32),
        ("ignored_types", POINTER(c_char_p)),
        ("ignored_type_count", c_size_t),
        ("ignored", c_void_p),
        ("ignored_count", c_size_t),
    ]


class _Component(Structure):
    _fields_ = [
        ("ids", POINTER(c_uint32)),
        ("count", c_size_t),
        ("size", c_uint64),
        ("cyclic", c_bool),
        ("source", c_bool),
    ]


class _Components(Structure):
    _fields_ = [("count", c_size_t), ("component", POINTER(_Component))]


class _Garbage(Structure):
    _fields_ = [
        ("count", c_size_t),
        ("id", POINTER(c_uint32)),
        ("flags", POINTER(c_uint8)),
        ("exact", c_bool),
    ]


class _GrowthRow(Structure):
    _fields_ = [
        ("type", c_char_p),
        ("old_objects", c_size_t),
        ("objects", c_size_t),
        ("old_size", c_uint64),
        ("size", c_uint64),
        ("new_objects", c_size_t),
        ("new_size", c_uint64),
        ("instance_dicts", c_size_t),
        ("instance_dicts_size", c_uint64),
    ]


class _GrowthHolder(Structure):
    _fields_ = [
        ("holder", c_uint32),
        ("long_lived", c_uint32),
        ("objects", c_size_t),
        ("size", c_uint64),
        ("type", c_uint32),
        ("direct", c_size_t),
    ]


class _GrowthHolders(Structure):
    _fields_ = [("count", c_size_t), ("holder", POINTER(_GrowthHolder))]


_ERROR = c_void_p  # struct walk_error *, NULL is success

# name: (result, arguments), as in walk.h
_PROTOTYPES: Dict[str, Any] = {
    "walk_error_message": (c_char_p, [c_void_p]),
    "walk_error_code": (c_int, [c_void_p]),
    "walk_error_free": (None, [c_void_p]),
    "walk_target_open_core": (_ERROR, [c_char_p, c_void_p, c_void_p]),
    "walk_target_open_process": (_ERROR, [c_int, c_void_p, c_void_p]),
    "walk_target_open_reader": (_ERROR, [c_void_p, c_void_p, c_void_p]),
    "walk_target_open_saved": (_ERROR, [c_char_p, c_void_p]),
    "walk_target_is_saved": (c_bool, [c_char_p]),
    "walk_target_close": (None, [c_void_p]),
    "walk_target_info": (None, [c_void_p, c_void_p]),
    "walk_target_file_count": (c_size_t, [c_void_p]),
    "walk_target_file": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_target_counts": (_ERROR, [c_void_p, c_void_p]),
    "walk_counts_free": (None, [c_void_p]),
    "walk_target_layout_part_count": (c_size_t, [c_void_p]),
    "walk_target_layout_part": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_target_invariant_count": (c_size_t, [c_void_p]),
    "walk_target_invariant": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_build": (_ERROR, [c_void_p, _PROGRESS, c_void_p, c_void_p]),
    "walk_heap_build_around": (
        _ERROR,
        [c_void_p, c_uint64, _PROGRESS, c_void_p, c_void_p, c_void_p],
    ),
    "walk_heap_destroy": (None, [c_void_p]),
    "walk_heap_save": (_ERROR, [c_void_p, c_char_p, c_bool, _PROGRESS, c_void_p]),
    "walk_heap_stats": (None, [c_void_p, c_void_p]),
    "walk_heap_lookup": (_ERROR, [c_void_p, c_uint64, c_void_p]),
    "walk_heap_node": (None, [c_void_p, c_uint32, c_void_p]),
    "walk_heap_type_count": (c_size_t, [c_void_p]),
    "walk_heap_type": (None, [c_void_p, c_uint32, c_void_p]),
    "walk_heap_dispute_count": (c_size_t, [c_void_p]),
    "walk_heap_dispute": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_interpreter_count": (c_size_t, [c_void_p]),
    "walk_heap_interpreter": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_interpreter_totals": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_find": (_ERROR, [c_void_p, c_char_p, c_size_t, c_void_p]),
    "walk_heap_suspended": (_ERROR, [c_void_p, c_void_p]),
    "walk_ids_free": (None, [c_void_p]),
    "walk_heap_text": (c_size_t, [c_void_p, c_uint32, c_int, c_void_p, c_size_t]),
    "walk_heap_referents": (_ERROR, [c_void_p, c_uint32, c_void_p]),
    "walk_heap_referrers": (_ERROR, [c_void_p, c_uint32, c_void_p]),
    "walk_edges_free": (None, [c_void_p]),
    "walk_heap_within": (
        _ERROR,
        [c_void_p, c_uint32, c_int, c_uint32, c_bool, c_void_p],
    ),
    "walk_heap_subgraph_edges": (_ERROR, [c_void_p, c_void_p, c_void_p]),
    "walk_subgraph_free": (None, [c_void_p]),
    "walk_heap_why": (_ERROR, [c_void_p, c_uint32, c_size_t, c_void_p]),
    "walk_heap_locals": (_ERROR, [c_void_p, c_uint32, c_uint32, c_size_t, c_void_p]),
    "walk_paths_free": (None, [c_void_p]),
    "walk_heap_tracked": (_ERROR, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_part_find": (_ERROR, [c_void_p, c_void_p, c_char_p, c_void_p]),
    "walk_heap_part_totals": (_ERROR, [c_void_p, c_void_p, c_void_p]),
    "walk_heap_part_within": (
        _ERROR,
        [c_void_p, c_void_p, c_void_p, c_size_t, c_int, c_uint32, c_void_p],
    ),
    "walk_heap_part_edges": (
        _ERROR,
        [c_void_p, c_void_p, c_uint32, c_uint32, c_void_p],
    ),
    "walk_heap_part_edge_count": (_ERROR, [c_void_p, c_void_p, c_void_p]),
    "walk_ids_common": (_ERROR, [c_void_p, c_size_t, c_void_p, c_size_t, c_void_p]),
    "walk_ids_without": (_ERROR, [c_void_p, c_size_t, c_void_p, c_size_t, c_void_p]),
    "walk_heap_chain": (_ERROR, [c_void_p, c_void_p, c_uint32, c_void_p, c_void_p]),
    "walk_heap_path": (_ERROR, [c_void_p, c_void_p, c_uint32, c_uint32, c_void_p]),
    "walk_heap_cycle": (_ERROR, [c_void_p, c_void_p, c_uint32, c_void_p]),
    "walk_heap_components": (_ERROR, [c_void_p, c_void_p, c_bool, c_void_p]),
    "walk_components_free": (None, [c_void_p]),
    "walk_heap_garbage": (_ERROR, [c_void_p, c_size_t, c_void_p]),
    "walk_garbage_free": (None, [c_void_p]),
    "walk_heap_uncollectable": (_ERROR, [c_void_p, c_void_p]),
    "walk_heap_leaks": (_ERROR, [c_void_p, c_bool, c_void_p]),
    "walk_heap_thread_count": (c_size_t, [c_void_p]),
    "walk_heap_thread": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_greenlet_count": (c_size_t, [c_void_p]),
    "walk_heap_greenlet": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_heap_frame": (_ERROR, [c_void_p, c_uint32, c_void_p]),
    "walk_heap_frame_locals": (_ERROR, [c_void_p, c_uint32, c_void_p]),
    "walk_heap_baseline": (_ERROR, [c_void_p, c_void_p]),
    "walk_baseline_free": (None, [c_void_p]),
    "walk_heap_growth": (_ERROR, [c_void_p, c_void_p, c_void_p, c_bool, c_void_p]),
    "walk_growth_free": (None, [c_void_p]),
    "walk_growth_type_count": (c_size_t, [c_void_p]),
    "walk_growth_type": (None, [c_void_p, c_size_t, c_void_p]),
    "walk_growth_matched": (c_size_t, [c_void_p]),
    "walk_growth_new": (_ERROR, [c_void_p, c_size_t, c_void_p]),
    "walk_growth_holders": (_ERROR, [c_void_p, c_uint32, c_void_p]),
    "walk_growth_holders_free": (None, [c_void_p]),
}


def _checkout() -> str:
    here = os.path.abspath(__file__)
    return os.path.dirname(os.path.dirname(os.path.dirname(here)))


def library_path() -> str:
    """The file of libwalk: $LIBWALK, else the one that `make` builds."""
    built = os.path.join(_checkout(), "build", "libwalk.so")
    return os.environ.get("LIBWALK") or built


def _load_library(path: str) -> Any:
    if not os.path.exists(path):
        raise HeapError(f"{path} is missing: run `make` in {_checkout()}")
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise HeapError(
            f"cannot use {path} ({error}): run `make` in {_checkout()}"
        ) from None
    return library


class _Library:
    """The functions of libwalk, loaded when the first of them is used."""

    def __getattr__(self, name: str) -> Any:
        loaded = _load_library(library_path())
        for function in _PROTOTYPES:
            setattr(self, function, getattr(loaded, function))
        return getattr(loaded, name)


_lib = _Library()


def _check(error: Optional[int], raised: Sequence[BaseException] = ()) -> None:
    """Raises what was raised in a callback, else the error that walk.h returned."""
    walk_error = None
    if error:
        message = _text(_lib.walk_error_message(error))
        walk_error = WalkError(message, _lib.walk_error_code(error))
        _lib.walk_error_free(error)
    if raised:
        raise raised[0] from walk_error
    if walk_error:
        raise walk_error


def _text(raw: Optional[bytes]) -> str:
    return raw.decode("utf-8", "replace") if raw else ""


def _options(options: Options) -> _Options:
    known = {name: value for name, value in options._asdict().items() if value}
    return _Options(**{name: os.fsencode(value) for name, value in known.items()})


# ---- lists that C owns --------------------------------------------------------------


class _Owned:
    """A result of C, freed with this object; the heap that it came from stays alive."""

    def __init__(self, heap: "Heap", pointer: Any, free: Callable[[Any], None]) -> None:
        self._heap, self._pointer, self._free = heap, pointer, free

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("what belongs to a heap can be neither copied nor pickled")

    def __del__(self) -> None:
        self._free(self._pointer)


_NONE = (c_uint32 * 1)()


class Ids(Sequence[int]):
    """Ids of nodes."""

    def __init__(self, owner: Optional[_Owned], address: int, count: int) -> None:
        self._owner = owner
        self._ids: Any = (c_uint32 * count).from_address(address) if count else ()

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: Any) -> Any:
        return self._ids[index]

    @classmethod
    def of(cls, ids: Iterable[int]) -> "Ids":
        """Ids that Python has: in order, each once."""
        return cls.ascending(array("I", sorted(set(ids))))

    @classmethod
    def ascending(cls, made: "array[int]") -> "Ids":
        """Ids that are in order already."""
        found = cls(None, 0, 0)
        if made:
            found._ids = (c_uint32 * len(made)).from_buffer(made)
        return found

    def address(self) -> Optional[int]:
        """Where they are, for C. Never NULL, which is every node."""
        return ctypes.addressof(self._ids or _NONE)

    def has(self, id: int) -> bool:
        """Whether an id is in the list, which must be ascending."""
        at = bisect_left(self._ids, id)
        return at < len(self._ids) and bool(self._ids[at] == id)


class Edges(Sequence[Edge]):
    """Labelled references."""

    def __init__(self, owner: Optional[_Owned], edges: Any, count: int) -> None:
        self._owner, self._edges, self._count = owner, edges, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return _edge(self._edges[index])

    def any_flag(self, flag: int) -> bool:
        """Whether an edge has this flag."""
        return any(bits & flag for bits in set(self.column("flags")))

    def column(self, name: str) -> Sequence[int]:
        """A number of every edge (`holder`, `referent`, `flags`); no object is made per edge."""
        if not self._count:
            return []
        rows = (_Edge * self._count).from_address(
            ctypes.addressof(self._edges.contents)
        )
        words = memoryview(rows).cast("B").cast("I")
        first = getattr(_Edge, name).offset // words.itemsize
        return words[first :: ctypes.sizeof(_Edge) // words.itemsize]


class Referents(NamedTuple):
    """What a node refers to."""

    strong: Sequence[Edge]
    weak: Sequence[Edge]


def _edge(edge: Any) -> Edge:
    return Edge(
        edge.holder,
        _id(edge.referent),
        _text(edge.label),
        bool(edge.flags & _EXTRA),
        bool(edge.flags & _GUESS),
        bool(edge.flags & _WEAK),
    )


def _stats(stats: Any) -> Stats:
    values = {name: getattr(stats, name) for name in Stats._fields}
    values["run_problem"] = _text(stats.run_problem)
    return Stats(**values)


def _array(pointer: Any, count: int) -> Any:
    return pointer[:count] if count else []


def _id(number: int) -> Optional[int]:
    return None if number == NO_ID else number


class Subgraph(NamedTuple):
    """Nodes within a distance, breadth first, each with its depth; edges between."""

    ids: Sequence[int]
    depths: Sequence[int]
    edges: Sequence[Edge]
    beyond: int


class Part(NamedTuple):
    """Nodes of a heap (None: all) and the edges between them, as a graph of its own.

    `seen`: only the edges that gc.get_referents() reports. The ids are ascending.
    """

    ids: Optional[Ids] = None
    seen: bool = False


def _part(part: Part) -> _Part:
    """The part must stay alive while C has it."""
    if part.ids is None:
        return _Part(None, 0, part.seen)
    return _Part(part.ids.address(), len(part.ids), part.seen)


class Component(NamedTuple):
    """A strongly connected component; `source`: no other one refers to it."""

    ids: Ids
    size: int
    cyclic: bool
    source: bool


class Components(Sequence[Component]):
    """Components, the largest first."""

    def __init__(self, owner: Optional[_Owned], components: Any, count: int) -> None:
        self._owner, self._components, self._count = owner, components, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        raw = self._components[index]
        ids = Ids(self._owner, ctypes.addressof(raw.ids.contents), raw.count)
        return Component(ids, raw.size, raw.cyclic, raw.source)

    def sources(self) -> Sequence[int]:
        """Which of them are sources; no object is made per component."""
        if not self._count:
            return ()
        rows = (_Component * self._count).from_address(
            ctypes.addressof(self._components.contents)
        )
        first = _Component.source.offset
        flags = memoryview(rows).cast("B")[first :: ctypes.sizeof(_Component)]
        return array("I", compress(range(self._count), flags))


class Garbage(NamedTuple):
    """What a collection would find; `flags[i]` are FINALIZER and others of `ids[i]`.

    Not `exact`: some references are guesses, or could not be read.
    """

    ids: Ids
    flags: Sequence[int]
    exact: bool


# ---- handles ------------------------------------------------------------------------

_Handle = TypeVar("_Handle", bound="_Closing")


class _Closing:
    """A handle that is closed by `with`, by `close()`, or with its last reference."""

    _pointer: Optional[int] = None

    def close(self) -> None:
        raise NotImplementedError

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("targets and heaps can be neither copied nor pickled")

    def __enter__(self: _Handle) -> _Handle:
        return self

    def __exit__(
        self,
        kind: Optional[Class[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _reporting(progress: Optional[Progress], raised: List[BaseException]) -> Any:
    """What C calls now and then; what is raised in it stops C, and is kept."""

    def report(context: object, visited: int, known: int) -> bool:
        try:
            wanted = progress is None or progress(visited, known)
            return wanted and not raised
        except BaseException as error:  # Ctrl-C too: it must not end in C
            raised.append(error)
            return False

    return _PROGRESS(report)


class Target(_Closing):
    """A core file, a stopped process, or memory served by a callback."""

    def __init__(
        self,
        pointer: int,
        keep: object = None,
        raised: Optional[List[BaseException]] = None,
    ) -> None:
        self._pointer = pointer
        self._keep = keep  # what C calls back: must live as long as the target
        self._raised = raised if raised is not None else []  # in what C called back

    @classmethod
    def open_core(cls, path: str, options: Options = Options()) -> "Target":
        """The target in a core file."""
        target = c_void_p()
        _check(
            _lib.walk_target_open_core(
                os.fsencode(path), byref(_options(options)), byref(target)
            )
        )
        return cls(target.value or 0)

    @classmethod
    def open_process(cls, pid: int, options: Options = Options()) -> "Target":
        """A process that somebody holds stopped."""
        target = c_void_p()
        _check(
            _lib.walk_target_open_process(pid, byref(_options(options)), byref(target))
        )
        return cls(target.value or 0)

    @classmethod
    def open_reader(
        cls,
        read: Read,
        mappings: Sequence[Mapping],
        word: int,
        options: Options = Options(),
    ) -> "Target":
        """Memory that `read(address, size)` serves: as many bytes as it could read."""

        raised: List[BaseException] = []

        def serve(context: object, address: int, buffer: int, size: int) -> int:
            try:
                data = read(address, size)[:size]
            except BaseException as error:  # C is told that nothing was readable
                raised.append(error)
                return 0
            ctypes.memmove(buffer, data, len(data))
            return len(data)

        rows = (_Mapping * len(mappings))(
            *(
                _Mapping(m.start, m.end, m.offset, os.fsencode(m.path or "") or None)
                for m in mappings
            )
        )
        reader = _Reader(_READ(serve), None, rows, len(mappings), word)
        pointer = c_void_p()
        error = _lib.walk_target_open_reader(
            byref(reader), byref(_options(options)), byref(pointer)
        )
        target = cls(pointer.value or 0, reader, raised)
        _check(error, raised)
        return target

    @classmethod
    def open_saved(cls, path: str) -> "Target":
        """A heap that Heap.save() wrote."""
        target = c_void_p()
        _check(_lib.walk_target_open_saved(os.fsencode(path), byref(target)))
        return cls(target.value or 0)

    @classmethod
    def open_file(cls, path: str, options: Options = Options()) -> "Target":
        """The target in a file: a saved heap or a core file."""
        if _lib.walk_target_is_saved(os.fsencode(path)):
            return cls.open_saved(path)
        return cls.open_core(path, options)

    def info(self) -> TargetInfo:
        """Version, files and layout."""
        info = _TargetInfo()
        _lib.walk_target_info(self._pointer, byref(info))
        return TargetInfo(
            info.version,
            info.word,
            _text(info.version_text),
            _text(info.python_path),
            _text(info.build_id),
            _text(info.build),
            _text(info.file_problem),
            _text(info.layout_source),
            _text(info.tracked_by),
            info.truncated,
            SAVED[info.saved],
        )

    def files(self) -> List[File]:
        """All files of which code or data is in the target."""
        raw = _File()
        found = []
        for index in range(_lib.walk_target_file_count(self._pointer)):
            _lib.walk_target_file(self._pointer, index, byref(raw))
            problem = _text(raw.problem)
            found.append(File(_text(raw.path), problem, raw.has_build_id, raw.has_code))
        return found

    def counts(self) -> Counts:
        """The tracked objects of each type, without reading a heap."""
        pointer = POINTER(_Counts)()
        _check(_lib.walk_target_counts(self._pointer, byref(pointer)), self._raised)
        counts = pointer.contents
        try:
            rows = (_TypeCount * counts.count).from_address(
                ctypes.addressof(counts) + _Counts.type.offset
            )
            types = [
                TypeCount(row.address, _text(row.name), row.tracked, row.tracked_size)
                for row in rows
            ]
            return Counts(_stats(counts.stats), types)
        finally:
            _lib.walk_counts_free(pointer)

    def layout_parts(self) -> List[LayoutPart]:
        """Which source gave what of the layout, the one that gave most first."""
        part = _LayoutPart()
        found = []
        for index in range(_lib.walk_target_layout_part_count(self._pointer)):
            _lib.walk_target_layout_part(self._pointer, index, byref(part))
            names = _text(part.structures)
            structures = names.split(", ") if names else []
            found.append(LayoutPart(_text(part.source), part.count, structures))
        return found

    def invariants(self) -> List[Invariant]:
        """What memory was asked before the layout was believed."""
        asked = _Invariant()
        found = []
        for index in range(_lib.walk_target_invariant_count(self._pointer)):
            _lib.walk_target_invariant(self._pointer, index, byref(asked))
            verdict = ("unasked", "holds", "fails")[asked.verdict]
            found.append(Invariant(_text(asked.words), verdict))
        return found

    def build_heap(self, progress: Optional[Progress] = None) -> "Heap":
        """Reads the heap; `progress(visited, known)` is called, False stops it."""
        return self._built(
            progress,
            lambda report, heap: _lib.walk_heap_build(
                self._pointer, report, None, heap
            ),
        )

    def build_around(
        self, address: int, progress: Optional[Progress] = None
    ) -> Tuple["Heap", bool]:
        """A heap of the object at an address and one step around it, which costs less.

        True with it: it is the whole heap, since nothing less can tell.
        """
        whole = c_bool()
        heap = self._built(
            progress,
            lambda report, heap: _lib.walk_heap_build_around(
                self._pointer, address, report, None, heap, byref(whole)
            ),
        )
        return heap, whole.value

    def _built(
        self, progress: Optional[Progress], build: Callable[[Any, Any], Any]
    ) -> "Heap":
        """The heap that a function of the library makes, given a report and its place."""
        raised = self._raised
        raised.clear()
        pointer = c_void_p()
        error = build(_reporting(progress, raised), byref(pointer))
        heap = Heap(self, pointer.value or 0)
        _check(error, raised)
        return heap

    def close(self) -> None:
        """Closes the target; its heap must be closed before."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            _lib.walk_target_close(pointer)


class Heap(_Closing):
    """The frozen graph of one target at one stop."""

    def __init__(self, target: Target, pointer: int) -> None:
        self._target = target
        self._pointer = pointer
        self._types: Dict[int, Type] = {}
        self._node = _Node()
        self._buffer = ctypes.create_string_buffer(1024)

    @property
    def closed(self) -> bool:
        """Whether close() was called: nothing may be asked any more."""
        return not self._pointer

    @classmethod
    def load(cls, path: str) -> "Heap":
        """A heap that save() wrote; it keeps its target open."""
        return Target.open_saved(path).build_heap()

    def save(
        self, path: str, values: bool = True, progress: Optional[Progress] = None
    ) -> None:
        """Writes the heap to a file; without values: neither these nor keys."""
        raised: List[BaseException] = []
        report = _reporting(progress, raised)
        error = _lib.walk_heap_save(
            self._pointer, os.fsencode(path), values, report, None
        )
        _check(error, raised)

    def close(self) -> None:
        """Frees the heap."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            _lib.walk_heap_destroy(pointer)

    def stats(self) -> Stats:
        """Counts, and what is missing."""
        stats = _Stats()
        _lib.walk_heap_stats(self._pointer, byref(stats))
        return _stats(stats)

    def lookup(self, address: int) -> int:
        """The id of the node at exactly this address."""
        found = c_uint32()
        if not 0 <= address < 1 << 64:
            text = f"{address:#x} is no address of the target"
            raise WalkError(text, WalkError.NOT_FOUND)
        _check(_lib.walk_heap_lookup(self._pointer, address, byref(found)))
        return found.value

    def node(self, id: int) -> Node:
        """What is known of a node without reading its memory."""
        raw = self._node
        _lib.walk_heap_node(self._pointer, id, byref(raw))
        return Node(
            id,
            KINDS[raw.kind],
            raw.address,
            raw.type,
            raw.tracked,
            raw.is_object,
            raw.size,
            raw.refcount,
            _id(raw.interpreter),
        )

    def type(self, index: int) -> Type:
        """The type with this index."""
        known = self._types.get(index)
        if known is None:
            raw = _Type()
            _lib.walk_heap_type(self._pointer, index, byref(raw))
            known = Type(
                raw.address,
                _text(raw.name),
                raw.tracked,
                raw.objects,
                raw.tracked_size,
                raw.size,
                raw.known,
                raw.unreadable,
                raw.guessed,
                _text(raw.fault),
                raw.fault_pc,
                raw.fault_instructions,
                _text(raw.fault_file),
            )
            self._types[index] = known
        return known

    def types(self) -> Iterator[Type]:
        """Every type."""
        for index in range(_lib.walk_heap_type_count(self._pointer)):
            yield self.type(index)

    def disputes(self) -> Iterator[Dispute]:
        """The types whose tables are not believed."""
        for index in range(_lib.walk_heap_dispute_count(self._pointer)):
            raw = _Dispute()
            _lib.walk_heap_dispute(self._pointer, index, byref(raw))
            yield Dispute(raw.type, raw.object)

    def interpreters(self) -> List[Interpreter]:
        """Every interpreter, the main one first."""
        count = _lib.walk_heap_interpreter_count(self._pointer)
        return [self._interpreter(index) for index in range(count)]

    def _interpreter(self, index: int) -> Interpreter:
        raw = _Interpreter()
        _lib.walk_heap_interpreter(self._pointer, index, byref(raw))
        return Interpreter(
            index, raw.id, raw.address, raw.number, raw.has_collector, raw.tracked
        )

    def totals(self, interpreter: Interpreter) -> List[Total]:
        """What the collector of an interpreter tracks, for each of types()."""
        rows = (_Total * _lib.walk_heap_type_count(self._pointer))()
        _lib.walk_heap_interpreter_totals(self._pointer, interpreter.place, rows)
        return [Total(row.objects, row.size) for row in rows]

    def find(
        self, name: str, interpreter: Optional[Interpreter] = None
    ) -> Sequence[int]:
        """The objects of every type of this name; of one interpreter: tracked ones."""
        ids = POINTER(_Ids)()
        which = NO_LIMIT if interpreter is None else interpreter.place
        _check(_lib.walk_heap_find(self._pointer, name.encode(), which, byref(ids)))
        return self._ids(ids)

    def suspended(self) -> Sequence[int]:
        """Suspended generators, coroutines and asynchronous generators."""
        ids = POINTER(_Ids)()
        _check(_lib.walk_heap_suspended(self._pointer, byref(ids)))
        return self._ids(ids)

    def _ids(self, ids: Any) -> Ids:
        owner = _Owned(self, ids, _lib.walk_ids_free)
        start = ctypes.addressof(ids.contents) + ctypes.sizeof(_Ids)
        return Ids(owner, start, ids.contents.count)

    def value(self, id: int) -> str:
        """The repr of a simple value, shortened; "" for everything else."""
        return self._read_text(id, _VALUE)

    def annotation(self, id: int) -> str:
        """What the node is, in a few words."""
        return self._read_text(id, _ANNOTATION)

    def _read_text(self, id: int, which: int) -> str:
        buffer = self._buffer
        size = _lib.walk_heap_text(self._pointer, id, which, buffer, len(buffer))
        if size >= len(buffer):
            buffer = ctypes.create_string_buffer(size + 1)
            _lib.walk_heap_text(self._pointer, id, which, buffer, len(buffer))
        return _text(buffer.value)

    def referents(self, id: int) -> Referents:
        """One step down, in the order of the object."""
        edges = self._edges(_lib.walk_heap_referents, id)
        if not edges.any_flag(_WEAK):
            return Referents(edges, [])
        every = list(edges)
        return Referents(
            [edge for edge in every if not edge.weak],
            [edge for edge in every if edge.weak],
        )

    def referrers(self, id: int) -> Sequence[Edge]:
        """One step up."""
        return self._edges(_lib.walk_heap_referrers, id)

    def frame_locals(self, id: int) -> Sequence[Edge]:
        """The bound locals of a frame; the label is the bare name."""
        return self._edges(_lib.walk_heap_frame_locals, id)

    def _edges(self, function: Any, *arguments: Any) -> Edges:
        edges = POINTER(_Edges)()
        _check(function(self._pointer, *arguments, byref(edges)))
        owner = _Owned(self, edges, _lib.walk_edges_free)
        return Edges(owner, edges.contents.edge, edges.contents.count)

    def ancestors(self, id: int, generations: int, everything: bool) -> Subgraph:
        """What holds a node, within this many references."""
        return self._within(id, _ANCESTORS, generations, everything)

    def descendants(self, id: int, generations: int, everything: bool) -> Subgraph:
        """What a node holds, within this many references."""
        return self._within(id, _DESCENDANTS, generations, everything)

    def _within(
        self, id: int, direction: int, generations: int, everything: bool
    ) -> Subgraph:
        found = POINTER(_Subgraph)()
        _check(
            _lib.walk_heap_within(
                self._pointer, id, direction, generations, everything, byref(found)
            )
        )
        owner = _Owned(self, found, _lib.walk_subgraph_free)
        raw = found.contents
        return Subgraph(
            Ids(owner, ctypes.addressof(raw.id.contents), raw.count),
            Ids(owner, ctypes.addressof(raw.depth.contents), raw.count),
            self._edges(_lib.walk_heap_subgraph_edges, found),
            raw.beyond,
        )

    def why(self, id: int, limit: int = NO_LIMIT) -> List[Path]:
        """Shortest paths from roots, each from another root."""
        return self._paths(_lib.walk_heap_why, id, limit)

    def locals(self, id: int, distance: int, limit: int = NO_LIMIT) -> List[Path]:
        """The shortest path from a local of each frame within a distance."""
        return self._paths(_lib.walk_heap_locals, id, distance, limit)

    def _paths(self, function: Any, *arguments: Any) -> List[Path]:
        found = POINTER(_Paths)()
        _check(function(self._pointer, *arguments, byref(found)))
        owner = _Owned(self, found, _lib.walk_paths_free)
        raw = found.contents
        return [
            Path(
                path.root,
                _id(path.thread),
                list(Edges(owner, path.edge, path.count)),
            )
            for path in _array(raw.path, raw.count)
        ]

    def tracked(self, interpreter: Optional[Interpreter] = None) -> Ids:
        """What gc.get_objects() returns."""
        ids = POINTER(_Ids)()
        which = NO_LIMIT if interpreter is None else interpreter.place
        _check(_lib.walk_heap_tracked(self._pointer, which, byref(ids)))
        return self._ids(ids)

    def part_find(self, part: Part, name: str) -> Ids:
        """The nodes of a part whose type has this name."""
        ids = POINTER(_Ids)()
        raw = _part(part)
        _check(
            _lib.walk_heap_part_find(
                self._pointer, byref(raw), name.encode(), byref(ids)
            )
        )
        return self._ids(ids)

    def part_totals(self, part: Part) -> List[Total]:
        """What is in a part, for each of types()."""
        rows = (_Total * _lib.walk_heap_type_count(self._pointer))()
        raw = _part(part)
        _check(_lib.walk_heap_part_totals(self._pointer, byref(raw), rows))
        return [Total(row.objects, row.size) for row in rows]

    def part_within(
        self,
        part: Part,
        start: Iterable[int],
        up: bool,
        generations: int = ALL_GENERATIONS,
    ) -> Ids:
        """What is within a distance of any start, these included."""
        ids = POINTER(_Ids)()
        raw, starts = _part(part), start if isinstance(start, Ids) else Ids.of(start)
        _check(
            _lib.walk_heap_part_within(
                self._pointer,
                byref(raw),
                starts.address(),
                len(starts),
                _ANCESTORS if up else _DESCENDANTS,
                generations,
                byref(ids),
            )
        )
        return self._ids(ids)

    def part_edges(
        self,
        part: Part,
        holder: Optional[int] = None,
        referent: Optional[int] = None,
    ) -> Sequence[Edge]:
        """The edges of a part, or those of one holder, or to one referent."""
        raw = _part(part)
        return self._edges(
            _lib.walk_heap_part_edges,
            byref(raw),
            NO_ID if holder is None else holder,
            NO_ID if referent is None else referent,
        )

    def part_edge_count(self, part: Part) -> int:
        """How many edges a part has."""
        count, raw = c_size_t(), _part(part)
        _check(_lib.walk_heap_part_edge_count(self._pointer, byref(raw), byref(count)))
        return count.value

    def common(self, first: Ids, second: Ids) -> Ids:
        """What is in both lists."""
        return self._compare(_lib.walk_ids_common, first, second)

    def without(self, first: Ids, second: Ids) -> Ids:
        """What is in the first list only."""
        return self._compare(_lib.walk_ids_without, first, second)

    def _compare(self, function: Any, first: Ids, second: Ids) -> Ids:
        ids = POINTER(_Ids)()
        _check(
            function(
                first.address(), len(first), second.address(), len(second), byref(ids)
            )
        )
        return self._ids(ids)

    def chain(self, id: int, chain: Chain, part: Part = Part()) -> Path:
        """The shortest chain of references between a node and the nearest goal.

        It runs from who refers to what is referred to; of a node that is itself the
        goal it is empty. Raises a WalkError of code NOT_FOUND when there is none.
        """
        names = [name.encode() for name in chain.ignored_types]
        ignored = Ids.of(chain.ignored)
        raw = _Chain(
            _ANCESTORS if chain.up else _DESCENDANTS,
            GOALS.index(chain.goal),
            chain.type.encode(),
            chain.node,
            chain.max_depth,
            (c_char_p * len(names))(*names) if names else None,
            len(names),
            ignored.address() if len(ignored) else None,
            len(ignored),
        )
        which = _part(part)
        return self._paths(_lib.walk_heap_chain, byref(which), id, byref(raw))[0]

    def path(self, start: int, end: int, part: Part = Part()) -> Path:
        """A shortest path from one node down to another; none: NOT_FOUND."""
        raw = _part(part)
        return self._paths(_lib.walk_heap_path, byref(raw), start, end)[0]

    def cycle(self, id: int, part: Part = Part()) -> Path:
        """A shortest cycle through a node; none: NOT_FOUND."""
        raw = _part(part)
        return self._paths(_lib.walk_heap_cycle, byref(raw), id)[0]

    def components(self, part: Part = Part(), singletons: bool = False) -> Components:
        """Strongly connected components, largest first; singletons: no cycles too."""
        found, raw = POINTER(_Components)(), _part(part)
        _check(
            _lib.walk_heap_components(
                self._pointer, byref(raw), singletons, byref(found)
            )
        )
        owner = _Owned(self, found, _lib.walk_components_free)
        return Components(owner, found.contents.component, found.contents.count)

    def garbage(self, interpreter: Optional[Interpreter] = None) -> Garbage:
        """What a full collection would find unreachable if it ran now."""
        found = POINTER(_Garbage)()
        which = NO_LIMIT if interpreter is None else interpreter.place
        _check(_lib.walk_heap_garbage(self._pointer, which, byref(found)))
        owner, raw = _Owned(self, found, _lib.walk_garbage_free), found.contents
        ids = Ids(owner, ctypes.addressof(raw.id.contents), raw.count)
        return Garbage(ids, raw.flags[: raw.count], raw.exact)

    def uncollectable(self) -> Ids:
        """What is in gc.garbage."""
        ids = POINTER(_Ids)()
        _check(_lib.walk_heap_uncollectable(self._pointer, byref(ids)))
        return self._ids(ids)

    def leaks(self, any_holder: bool = False) -> Ids:
        """Tracked objects that no tracked object refers to; or nothing at all."""
        ids = POINTER(_Ids)()
        _check(_lib.walk_heap_leaks(self._pointer, any_holder, byref(ids)))
        return self._ids(ids)

    def threads(self) -> List[Thread]:
        """Every thread state."""
        count = _lib.walk_heap_thread_count(self._pointer)
        return [self._thread(index) for index in range(count)]

    def _thread(self, index: int) -> Thread:
        raw = _Thread()
        _lib.walk_heap_thread(self._pointer, index, byref(raw))
        return Thread(
            raw.id,
            raw.address,
            raw.interpreter,
            raw.ident,
            raw.native_id,
            _text(raw.name),
            _array(raw.frames, raw.frame_count),
            raw.frames_complete,
        )

    def greenlets(self) -> List[Greenlet]:
        """Every suspended greenlet."""
        count = _lib.walk_heap_greenlet_count(self._pointer)
        return [self._greenlet(index) for index in range(count)]

    def _greenlet(self, index: int) -> Greenlet:
        raw = _Greenlet()
        _lib.walk_heap_greenlet(self._pointer, index, byref(raw))
        frames = _array(raw.frames, raw.frame_count)
        return Greenlet(raw.id, frames, raw.frames_complete)

    def frame(self, id: int) -> Frame:
        """Where a frame is."""
        raw = _Frame()
        _check(_lib.walk_heap_frame(self._pointer, id, byref(raw)))
        return Frame(_text(raw.function), _text(raw.file), raw.line)

    # ---- growth ----

    def baseline(self) -> "Baseline":
        """What is kept of the heap to compare a later one with."""
        kept = c_void_p()
        _check(_lib.walk_heap_baseline(self._pointer, byref(kept)))
        return Baseline(kept.value or 0)

    def growth(
        self,
        first: "Baseline",
        second: Optional["Baseline"] = None,
        everything: bool = False,
    ) -> "Growth":
        """The heap against an earlier one; with two, what came between and stayed."""
        found = c_void_p()
        between = second.pointer if second else None
        _check(
            _lib.walk_heap_growth(
                self._pointer, first.pointer, between, everything, byref(found)
            )
        )
        return Growth(self, found.value or 0, (first, second))


class Baseline(_Closing):
    """What is kept of a heap that may be gone."""

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    @property
    def pointer(self) -> Optional[int]:
        """For walk.h."""
        return self._pointer

    def close(self) -> None:
        """Frees it."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            _lib.walk_baseline_free(pointer)


class Growth(_Closing):
    """A heap against earlier ones."""

    def __init__(self, heap: Heap, pointer: int, keep: object) -> None:
        self._heap, self._pointer, self._keep = heap, pointer, keep

    def close(self) -> None:
        """Frees it."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            _lib.walk_growth_free(pointer)

    @property
    def matched(self) -> int:
        """Tracked objects that the first baseline has too."""
        return int(_lib.walk_growth_matched(self._pointer))

    def rows(self) -> List[GrowthRow]:
        """A row for each type, by name."""
        raw = _GrowthRow()
        rows = []
        for index in range(_lib.walk_growth_type_count(self._pointer)):
            _lib.walk_growth_type(self._pointer, index, byref(raw))
            rows.append(
                GrowthRow(
                    index,
                    _text(raw.type),
                    raw.old_objects,
                    raw.objects,
                    raw.old_size,
                    raw.size,
                    raw.new_objects,
                    raw.new_size,
                    raw.instance_dicts,
                    raw.instance_dicts_size,
                )
            )
        return rows

    def new(self, row: GrowthRow) -> Sequence[int]:
        """The new objects of a type."""
        ids = POINTER(_Ids)()
        _check(_lib.walk_growth_new(self._pointer, row.place, byref(ids)))
        owner = _Owned(self._heap, ids, _lib.walk_ids_free)
        start = ctypes.addressof(ids.contents) + ctypes.sizeof(_Ids)
        return Ids(owner, start, ids.contents.count)

    def holders(self, row: Optional[GrowthRow] = None) -> List[GrowthHolder]:
        """What holds the new objects of a type, or all; the most first."""
        found = POINTER(_GrowthHolders)()
        which = NO_ID if row is None else row.place
        _check(_lib.walk_growth_holders(self._pointer, which, byref(found)))
        holders = [
            GrowthHolder(
                _id(raw.holder),
                _id(raw.long_lived),
                raw.objects,
                raw.size,
                _id(raw.type),
                raw.direct,
            )
            for raw in _array(found.contents.holder, found.contents.count)
        ]
        _lib.walk_growth_holders_free(found)
        return holders
