/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_VISIT_H
#define WALK_OBJECTS_VISIT_H

/* What an object refers to: a list of (target, label), the label in a form that costs nothing until it is shown. */

#include "objects/python.h"

enum walk_label {
    WALK_LABEL_TEXT,            /* text: as it is */
    WALK_LABEL_ITEM,            /* argument: index -> item[3] */
    WALK_LABEL_FIELD,           /* argument: address of the key, index -> item[3]['name'] */
    WALK_LABEL_KEY,             /* key */
    WALK_LABEL_VALUE,           /* argument: address of the key -> value['name'] */
    WALK_LABEL_ELEMENT,         /* element */
    WALK_LABEL_ATTR,            /* argument: address of a str -> .name */
    WALK_LABEL_SLOT,            /* argument: address of a C string -> .name */
    WALK_LABEL_LOCAL,           /* argument: address of a str -> local 'name' */
    WALK_LABEL_STACK,           /* argument: index -> stack[2] */
    WALK_LABEL_OFFSET,          /* argument: offset -> +0x28 */
    WALK_LABEL_WORD,            /* argument: WALK_WORD_OF(index of a type, offset) -> its name, else +0x28 */
    WALK_LABEL_TYPE_DICT,       /* argument: address of a static type -> .types[int].__dict__ */
    WALK_LABEL_TYPE_SUBCLASSES, /* the same -> .types[int].tp_subclasses */
};

#define WALK_WORD_OF(type, offset) ((uint64_t)(type) << 32 | (offset))

/* Besides enum walk_edge_flags: an edge only if the target is a node anyway (words of a stack that may be stale). */
#define WALK_REF_IF_KNOWN 0x100u
/* A reference that is there whether or not tp_traverse visits it. */
#define WALK_REF_HELD 0x200u

struct walk_ref {
    walk_addr target;
    uint32_t flags;      /* enum walk_edge_flags, WALK_REF_… */
    uint32_t label : 6;  /* enum walk_label */
    uint32_t index : 26; /* of WALK_LABEL_FIELD; too large ones are the largest */
    union {
        const char *text;
        uint64_t argument;
    };
};

/* Why a tp_traverse was not run to its end. */
struct walk_traverse_fault {
    unsigned kind;         /* enum walk_fault; 0: it was, or not at all */
    walk_addr pc, address; /* what could not be read or run; 0: it is not that */
    uint64_t instructions;
};

struct walk_refs {
    struct walk_ref *ref;
    size_t count, capacity;
    bool unnamed;                     /* labels are not wanted: those that cost something may be left out */
    bool unreadable;                  /* some references of the object could not be read */
    bool run;                         /* they are what tp_traverse visited */
    bool guessed;                     /* some are words that may be references */
    struct walk_traverse_fault fault; /* of the object's tp_traverse, when that was run in vain */
    bool no_memory;
    bool interrupted; /* walk_traverser_watch() */
    bool limited;     /* `words` counts */
    uint64_t words;   /* how many words of arrays may still be looked at */
    bool exhausted;   /* they were too few */
};

void walk_refs_deinit(struct walk_refs *refs);
bool walk_refs_grow(struct walk_refs *refs);

/*
 * To be asked before `words` of an array are looked at. The arrays of honest objects do not overlap; those of damaged
 * ones may all be the same huge one, so whoever visits every object limits all arrays together. False: unreadable.
 */
static inline bool walk_refs_afford(struct walk_refs *refs, uint64_t words)
{
    if (refs->limited && words > refs->words) {
        refs->unreadable = refs->exhausted = true;
        return false;
    }
    refs->words -= refs->limited ? words : 0;
    return true;
}

static inline void walk_refs_add(struct walk_refs *refs, walk_addr target, uint32_t flags, enum walk_label label,
                                 uint64_t argument)
{
    if (!target || (refs->count == refs->capacity && !walk_refs_grow(refs)))
        return;
    refs->ref[refs->count++] =
        (struct walk_ref){.target = target, .flags = flags, .label = label, .argument = argument};
}

static inline void walk_refs_add_text(struct walk_refs *refs, walk_addr target, uint32_t flags, const char *text)
{
    if (!target || (refs->count == refs->capacity && !walk_refs_grow(refs)))
        return;
    refs->ref[refs->count++] =
        (struct walk_ref){.target = target, .flags = flags, .label = WALK_LABEL_TEXT, .text = text};
}

/* The references of the object of type index `type`. Refs are appended; `unreadable` is set, never cleared. */
void walk_visit_object(struct walk_python *python, walk_addr object, uint32_t type, struct walk_refs *refs);

/* Whether objects of a kind have references that are more than a list of members. */
bool walk_visit_is_special(enum walk_kind_id kind);

/* What the tables say of the same, which the type's tp_traverse is not asked to prove. */
void walk_visit_by_tables(struct walk_python *python, walk_addr object, uint32_t type, struct walk_refs *refs);

/* The __dict__ of an object whose type has a tp_dictoffset. */
void walk_visit_dict_pointer(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                             uint32_t flags, struct walk_refs *refs);

/* The words of a module's state that may be what its m_traverse, which could not be run, visits: these are guesses. */
void walk_visit_guess_state(struct walk_python *python, walk_addr module, struct walk_refs *refs, size_t first);

/* The references of nodes that are no objects. */
void walk_visit_stack_frame(struct walk_python *python, const struct walk_stack_frame *frame, struct walk_refs *refs);
void walk_visit_thread(struct walk_python *python, const struct walk_pythread *thread, struct walk_refs *refs);
void walk_visit_interpreter(struct walk_python *python, walk_addr interpreter, struct walk_refs *refs);
/* A part of these: the callbacks of atexit, an array of them at `state` and behind it how many (visit_types.c). */
void walk_visit_atexit(struct walk_python *python, walk_addr state, uint32_t flags, struct walk_refs *refs);
/* What handles signals, but for SIG_DFL and SIG_IGN, once that is found (signals.c). */
void walk_signals_visit(struct walk_python *python, struct walk_refs *refs);
/* What the module faulthandler holds, likewise (faulthandler.c). */
void walk_faulthandler_visit(struct walk_python *python, struct walk_refs *refs);

/* ---- the visitors of kinds that are more than a list of members ---- */
typedef void walk_visitor(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs);
walk_visitor walk_visit_dict, walk_visit_odict, walk_visit_list, walk_visit_tuple, walk_visit_structseq, walk_visit_set,
    walk_visit_deque, walk_visit_lru_cache;          /* visit_containers.c */
walk_visitor walk_visit_type, walk_visit_module;     /* visit_types.c */
walk_visitor walk_visit_frame, walk_visit_generator; /* visit_frames.c */
walk_visitor walk_visit_methodcaller, walk_visit_hamt_bitmap, walk_visit_hamt_collision, walk_visit_hamt_array,
    walk_visit_teedata, walk_visit_template, walk_visit_code, walk_visit_capsule; /* visit_trees.c */

#endif
