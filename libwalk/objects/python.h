/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_PYTHON_H
#define WALK_OBJECTS_PYTHON_H

/*
 * The CPython of a target: its types, its collector's lists, its threads and their stacks. It answers what an object
 * is and what it refers to; it knows no graph.
 */

#include "objects/classes.h"
#include "objects/kinds.h"

#define WALK_MINOR(python) (((python)->version >> 16) & 0xff)

/* tp_flags, Include/object.h and Include/cpython/object.h; the first three bits are 3.11+, 3.12+, 3.13+. */
#define WALK_TPFLAGS_INLINE_VALUES (UINT64_C(1) << 2)
#define WALK_TPFLAGS_MANAGED_WEAKREF (UINT64_C(1) << 3)
#define WALK_TPFLAGS_MANAGED_DICT (UINT64_C(1) << 4)
#define WALK_TPFLAGS_HEAPTYPE (UINT64_C(1) << 9)
#define WALK_TPFLAGS_HAVE_GC (UINT64_C(1) << 14)
#define WALK_TPFLAGS_LONG_SUBCLASS (UINT64_C(1) << 24)
#define WALK_TPFLAGS_STR_SUBCLASS (UINT64_C(1) << 28)
#define WALK_TPFLAGS_TYPE_SUBCLASS (UINT64_C(1) << 31)

/* Bytes of a name with its NUL; longer ones (generic classes have some) are cut. */
enum { WALK_NAME_MAX = 4096 };

/* A member of __slots__. */
struct walk_slot {
    int64_t offset;
    bool after_items; /* 3.15+, of a tuple's subclass: counted from the end of the items */
    walk_addr name;   /* a C string in the target, mangled */
};

/* Where a type's name is from. */
enum walk_naming { WALK_NAMED, WALK_NAME_RECOVERED, WALK_NAME_UNKNOWN };

/* Of holders.def: which row and members a type's objects have. */
struct walk_holding {
    uint8_t holder; /* its index + 1; 0: none */
    bool visits;    /* it is more than members */
    uint16_t first, count;
};

/* What is decided once per type: how its objects' references are read. */
struct walk_pytype {
    walk_addr address;
    walk_addr metatype;
    int64_t basicsize, itemsize, dictoffset, weaklistoffset;
    uint64_t flags;              /* tp_flags */
    walk_addr traverse;          /* tp_traverse */
    walk_addr base;              /* tp_base */
    walk_addr own_base;          /* the first type of the chain of bases whose tp_traverse is not subtype_traverse */
    walk_addr known_base;        /* own_base or the nearest base of it with a kind; 0: none */
    enum walk_kind_id kind;      /* of own_base or the nearest known base of it */
    walk_addr is_gc;             /* tp_is_gc, unless it is that of `type` */
    bool no_table;               /* own_base has a tp_traverse of its own that no table knows */
    bool disputed;               /* the tables do not say of its objects what its tp_traverse visits */
    uint8_t vain;                /* the last runs of its tp_traverse, one after the other, that did not end in time */
    uint8_t proofs;              /* how many of its objects were asked that */
    struct walk_holding holding; /* of own_base or a base of it: what no tp_traverse says */
    uint64_t guess_from;         /* where the words begin that are guessed, bytes */
    bool atomic;                 /* nothing to visit at all */
    bool visits_type;            /* subtype_traverse() visits the object's type */
    bool adds_dict;              /* a __dict__ at dictoffset that own_base has not */
    bool managed_dict;           /* 3.11+: __dict__ or values in front of the object (or in it) */
    int64_t own_basicsize;       /* tp_basicsize of own_base: how far to guess */
    uint64_t head;               /* bytes that sys.getsizeof adds for what stands in front of the object */
    uint32_t first_slot, slot_count;     /* in walk_python.slots */
    uint32_t first_member, member_count; /* there too: members of C types, which a tp_traverse may leave out */
    bool omits_dict, omits_class;        /* the __dict__ and the type are held, even if it leaves them out */
    uint64_t fields;                     /* structseq: how many fields really */
    const char *name;                    /* module.__qualname__, builtins bare; "type@0x…" when it is not known */
    enum walk_naming naming;
    walk_addr cached_keys; /* 3.11+: the keys that name the inline values; 0: none */
};

/* A frame on the stack of a thread, or on one that a greenlet has put aside. */
struct walk_stack_frame {
    walk_addr node;     /* the frame object where there is one, else the interpreter's frame */
    walk_addr iframe;   /* 3.11+: the interpreter's frame; else the frame object */
    walk_addr previous; /* node of the caller; 0 at the bottom */
    bool is_object;     /* node is a frame object */
    bool complete;      /* 3.11+: its first instruction has run */
};

/* Bytes that stand elsewhere for now: those of [start, start + size) at `copy`. */
struct walk_spill {
    walk_addr start, size, copy;
};

/* Frames that do not run, innermost first. Their greenlet goes on with them when it is switched to. */
struct walk_pygreenlet {
    walk_addr address;
    bool is_main;                    /* what its thread began with: alive as long as that is */
    size_t first_frame, frame_count; /* in walk_python.stack_frames */
    bool frames_complete;
};

struct walk_pyinterpreter {
    walk_addr address;
    int64_t number;                      /* 0 is the main one */
    size_t first_tracked, tracked_count; /* in walk_python.tracked; none where all share one collector (up to 3.8) */
};

struct walk_pythread {
    walk_addr address, interpreter;
    uint64_t ident, native_id;
    const char *name;
    size_t first_frame, frame_count; /* in walk_python.stack_frames, innermost first */
    bool frames_complete;
};

struct walk_python {
    const struct walk_runtime *runtime;
    const struct walk_layout *layout;
    struct walk_memory *memory;
    unsigned word;
    uint32_t version; /* PY_VERSION_HEX */
    char *version_text;
    char abiflags[16]; /* sys.abiflags: "d" debug, "t" free-threaded, "m" up to 3.7 */
    struct {
        uint64_t never, some; /* bits of it: one of the latter is set; 0: it is not told by these */
    } count;                  /* of references to an object that lives (header.h) */
    struct walk_kinds kinds;

    bool frozen; /* others use it as well (fork.h): a type that is not known yet is `missed`, not added */
    bool missed;

    struct walk_pytype *types;
    uint32_t type_count, type_capacity;
    struct walk_type_slot {
        walk_addr type; /* 0: the slot is free */
        uint32_t index;
    } * type_slots; /* a hash table, a power of two long */
    size_t type_slots_size;
    struct walk_slot *slots;
    uint32_t slot_count, slot_capacity;

    walk_addr subtype_traverse; /* what classes made by Python code have in tp_traverse */
    walk_addr lookdict;         /* up to 3.10: dk_lookup of dicts whose keys are not all str */
    walk_addr tuple_type;
    struct walk_traverser *traverser;
    struct walk_dispute *disputes; /* in the order that they were found in */
    size_t dispute_count;
    struct walk_members *members; /* what the words of objects of unknown types are called; NULL: not asked yet */
    struct walk_names *names;     /* what static types are called whose names are not here; NULL: not asked yet */

    struct walk_omitted_word *taken; /* words that are held though no tp_traverse visits them, by holder */
    size_t taken_count;

    /*
     * Every object that the collector tracks: those of each interpreter's collector in order of address, then all that
     * are in the permanent generation. Who reads them calls walk_tracked_list() before; the counts are there at once.
     */
    walk_addr *tracked;
    uint32_t *tracked_class; /* of each, its number in `classes` */
    size_t tracked_count, permanent_count;
    struct walk_unlisted *unlisted; /* what they are to be made of (tracked.h); NULL: they are there */
    struct walk_census *census;     /* of the tracked objects (tally.h); NULL: there is none */
    struct walk_classes classes;    /* what the tracked objects have in ob_type */
    enum { WALK_BY_LISTS, WALK_BY_SWEEP, WALK_BY_SUBLISTS, WALK_BY_ALLOCATOR } tracked_by;
    size_t broken_lists;
    bool collecting;

    struct {
        bool sought;
        walk_addr thread, fatal_error, user_signals;
    } faulthandler; /* up to 3.11: its static variables, by symbol; 0: not found */
    struct {
        walk_addr handlers, by_default, ignored; /* an array, two objects */
    } signals;                                   /* 0: not looked for, or not found */

    struct walk_pyinterpreter *interpreters; /* the main one first, then as they were made */
    size_t interpreter_count;
    struct walk_pythread *threads;
    size_t thread_count;
    bool threads_named;
    struct walk_stack_frame *stack_frames;
    size_t stack_frame_count;
    struct walk_pygreenlet *greenlets; /* those with frames, sorted by address */
    size_t greenlet_count;
    const struct walk_stack_frame **stack_by_iframe; /* sorted by iframe */
    char **strings;                                  /* names that were made, each once: a hash table, owned */
    size_t string_count, string_slots;
};

/* Errors: LAYOUT, MEMORY, UNSUPPORTED. `runtime` must stay. */
struct walk_error *walk_python_open(struct walk_python *python, const struct walk_runtime *runtime);
void walk_python_close(struct walk_python *python);

/* Frees what is known of types, and no more. */
void walk_python_forget_types(struct walk_python *python);

/* The one copy of `text` that is kept until the close; NULL without memory. */
const char *walk_python_keep(struct walk_python *python, const char *text);

/* ---- types (types.c) ---- */

/* Whether a type object may be at this address: nothing is remembered. */
bool walk_python_is_type(const struct walk_python *python, walk_addr type);

static inline size_t walk_python_type_slot(const struct walk_python *python, walk_addr type)
{
    return (size_t)((type >> 3) * 0x9e3779b97f4a7c15u >> 20) & (python->type_slots_size - 1);
}

/* The index of a type that is known; false if it is not. */
static inline bool walk_python_known_type(const struct walk_python *python, walk_addr type, uint32_t *index)
{
    if (!python->type_slots_size)
        return false;
    size_t at = walk_python_type_slot(python, type);
    while (python->type_slots[at].type && python->type_slots[at].type != type)
        at = (at + 1) & (python->type_slots_size - 1);
    *index = python->type_slots[at].index;
    return python->type_slots[at].type != 0;
}

/* The index of a type object; false when there is no such object that could be a type. */
bool walk_python_type(struct walk_python *python, walk_addr type, uint32_t *index);

/* Whether there is an object at `address`, as far as it can be told without looking at its type. */
bool walk_python_is_likely(const struct walk_python *python, walk_addr address);

/* Adds to the slots of the type that is being decided. False: no memory. */
bool walk_python_add_slot(struct walk_python *python, struct walk_slot slot);

/* The index of the type of the object at `address`; false when there is no object that makes sense. */
bool walk_python_type_of(struct walk_python *python, walk_addr address, uint32_t *index);

/* The same for a word that may be something else: also the collector's head in front of an object is looked at. */
bool walk_python_guess_type_of(struct walk_python *python, walk_addr word, uint32_t *index);

/* The index of a type that is known. */
static inline uint32_t walk_python_index(struct walk_python *python, const struct walk_pytype *type)
{
    uint32_t index = 0;
    (void)walk_python_type(python, type->address, &index);
    return index;
}

/* tp_dict, also of the static types of 3.12+, whose dicts the interpreter keeps. 0: none. */
walk_addr walk_python_type_dict(const struct walk_python *python, walk_addr type);
walk_addr walk_python_type_subclasses(const struct walk_python *python, walk_addr type);

/* 3.12+: what an interpreter keeps of a static type, of which there is one for all. False: there are no more. */
struct walk_static_type {
    walk_addr type, dict, subclasses;
};
bool walk_python_static_type(const struct walk_python *python, walk_addr interpreter, size_t index, bool extension,
                             struct walk_static_type *found);

/* True when the C collector can track the object: HAVE_GC, and for types: a heap type. */
bool walk_python_is_gc(const struct walk_python *python, const struct walk_pytype *type, walk_addr object);

/* True when an object with inline values visits its dict rather than the values (3.13+, see fields_core.def). */
static inline bool walk_python_visits_managed_dict(const struct walk_python *python)
{
    return WALK_HAS(python->layout, visit_managed_dict, dict);
}

/* Whether the tables know what the objects of the type refer to, and nothing has shown that they are wrong. */
static inline bool walk_python_has_table(const struct walk_python *python, const struct walk_pytype *type)
{
    return !type->no_table && !type->disputed && !python->kinds.kind[type->kind].disputed;
}

/* The index of a class of the tracked objects; false when ob_type is no type. */
bool walk_python_class_type(struct walk_python *python, uint32_t class, uint32_t *index);

/* Learns subtype_traverse from the classes of and among the tracked objects. */
struct walk_error *walk_python_learn_traverse(struct walk_python *python);

/* ---- what the collector tracks (tracked.c), threads and stacks (threads.c) ---- */
struct walk_error *walk_python_find_tracked(struct walk_python *python);
struct walk_error *walk_python_read_threads(struct walk_python *python);
/* What the program calls them, and the native ids that only it knows: before a graph is made, for it may run code. */
void walk_python_name_threads(struct walk_python *python);

/* Reads the frames from `top` on outwards into python->stack_frames. `complete`: up to the outermost one. */
struct walk_error *walk_python_read_stack(struct walk_python *python, walk_addr top, const struct walk_spill *spill,
                                          size_t *first, size_t *count, bool *complete);
struct walk_error *walk_python_index_stacks(struct walk_python *python);

/* The greenlets that are suspended with frames, and these (greenlets.c). Before the stacks are indexed. */
struct walk_error *walk_python_read_greenlets(struct walk_python *python);
/* NULL: no greenlet, or one without frames. */
const struct walk_pygreenlet *walk_python_greenlet(const struct walk_python *python, walk_addr object);

/* Look for what handles signals, unless it is found (signals.c) or was looked for (faulthandler.c). Before a graph. */
void walk_signals_find(struct walk_python *python);
void walk_faulthandler_find(struct walk_python *python);

/* The frame on a stack that this interpreter's frame (or frame object, up to 3.10) is; NULL: it is on none. */
const struct walk_stack_frame *walk_python_on_stack(const struct walk_python *python, walk_addr iframe);

/* ---- loads ---- */

#define WALK_WORD(python, view, structure, field)                                                                      \
    walk_load_word((python)->word, (view) + WALK_OFFSET((python)->layout, structure, field))
#define WALK_SWORD(python, view, structure, field)                                                                     \
    walk_load_sword((python)->word, (view) + WALK_OFFSET((python)->layout, structure, field))

/* A word member of a structure in the target; false when it is absent or unreadable. */
static inline bool walk_python_read_member(const struct walk_python *python, walk_addr structure, enum walk_field field,
                                           uint64_t *value)
{
    int32_t offset = python->layout->offset[field];
    return structure && offset != WALK_ABSENT && walk_memory_word(python->memory, structure + (uint32_t)offset, value);
}

/* The same, or 0. */
static inline uint64_t walk_python_member(const struct walk_python *python, walk_addr structure, enum walk_field field)
{
    uint64_t value;
    return walk_python_read_member(python, structure, field, &value) ? value : 0;
}
#define WALK_MEMBER(python, address, structure, field)                                                                 \
    walk_python_member(python, address, WALK_FIELD_##structure##_##field)

/* tp_dictoffset of a type, which may be negative; 0: none, or unreadable. */
static inline int64_t walk_python_dictoffset(const struct walk_python *python, walk_addr type)
{
    uint64_t offset = WALK_MEMBER(python, type, type, tp_dictoffset);
    return python->word == 4 ? (int32_t)offset : (int64_t)offset;
}

/* The main interpreter's state. */
static inline walk_addr walk_python_main(const struct walk_python *python) { return python->interpreters[0].address; }

static inline int32_t walk_python_int_member(const struct walk_python *python, walk_addr structure,
                                             enum walk_field field)
{
    int32_t offset = python->layout->offset[field];
    const uint8_t *view =
        structure && offset != WALK_ABSENT ? walk_memory_view(python->memory, structure + (uint32_t)offset, 4) : NULL;
    return view ? (int32_t)walk_load_u32(view) : 0;
}
#define WALK_INT_MEMBER(python, address, structure, field)                                                             \
    walk_python_int_member(python, address, WALK_FIELD_##structure##_##field)

/* ob_type of an object; 0 when unreadable. */
static inline walk_addr walk_python_ob_type(const struct walk_python *python, walk_addr object)
{
    uint64_t type;
    return walk_memory_word(python->memory, object + WALK_OFFSET(python->layout, object, ob_type), &type) ? type : 0;
}

#endif
