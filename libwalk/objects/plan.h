/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_PLAN_H
#define WALK_OBJECTS_PLAN_H

/*
 * What walk_visit_object() and walk_object_size() do for the objects of one type, decided once: which words of the
 * object, which array. It is made of the same tables, for types whose table is proven and that are no more than words
 * and one array; what does not go as planned for an object is left to those two.
 */

#include "objects/own_size.h"

enum walk_plan_array {
    WALK_PLAN_NO_ARRAY,
    WALK_PLAN_LIST,
    WALK_PLAN_TUPLE,
    WALK_PLAN_SET,
    WALK_PLAN_DICT,
    WALK_PLAN_ODICT,
    WALK_PLAN_DEQUE /* of one block */
};

struct walk_plan {
    enum { WALK_PLAN_UNMADE, WALK_PLAN_NONE, WALK_PLAN_MADE } state;
    enum walk_plan_array array;
    bool managed_dict;       /* where the version has it */
    bool visits_type, sized; /* `sized`: walk_plan_visit() says the size too */
    bool leaf;               /* its objects refer to nothing, and `own` tells their size */
    struct walk_own_size own;
    uint64_t size;              /* what is the same for all objects of it */
    uint32_t front, extent;     /* bytes that are looked at: in front of the object, and from its address on */
    uint32_t word_count, slots; /* the first `slots` words come before the type, the others after it */
    struct walk_plan_word {
        int32_t offset;
        bool mark; /* an extra edge */
    } * word;
    int32_t array_at; /* where the object says where its array is, from its address on; 0: it has none elsewhere */
    uint64_t values;  /* managed_dict, up to 3.12: how many there are */
};

/* Makes the plan of a type, or decides that there is none. False: no memory. */
bool walk_plan_make(struct walk_plan *plan, struct walk_python *python, const struct walk_pytype *type);
void walk_plan_deinit(struct walk_plan *plan);

/* Where the array of an object stands, or one of several; 0: it has none elsewhere, or is not there itself. */
static inline walk_addr walk_plan_array_at(const struct walk_plan *plan, const struct walk_python *python,
                                           walk_addr object)
{
    const uint8_t *view =
        plan->array_at ? walk_memory_view(python->memory, object + (uint64_t)plan->array_at, sizeof(uint64_t)) : NULL;
    return view ? walk_load_u64(view) & ~(uint64_t)7 : 0; /* the lowest bits are no part of it */
}

/*
 * An array that stands far from its object, which is not in the memory's window, and is left for later. All zero:
 * there is none.
 */
struct walk_plan_far {
    walk_addr at;
    uint32_t note;  /* what it is, for walk_plan_visit_far() */
    size_t targets; /* how many of the object's are in front of those that it has */
};

/* Of a target: the edge is an extra one. */
#define WALK_PLAN_MARK (UINT64_C(1) << 63)

/* A visit; who wants one sets the first members. */
struct walk_planned {
    uint64_t *start, *end; /* room for the targets */
    uint64_t words;        /* how many words of arrays may still be looked at, as of walk_refs_afford() */
    bool whole;            /* nothing is left for later */

    uint64_t *to;             /* behind the last target */
    uint64_t bits;            /* of all targets */
    uint64_t size;            /* of the object, if the plan is `sized` */
    struct walk_plan_far far; /* what is left */

    const struct walk_python *python;
    const uint8_t *view; /* of the object */
};

/*
 * Visits an object: its targets are those of its edges, in the order in which walk_visit_object() has them. False: it
 * does not go as planned.
 */
bool walk_plan_visit(const struct walk_plan *plan, const struct walk_python *python, const struct walk_pytype *type,
                     walk_addr object, struct walk_planned *visit);

/* Whether what was left for later has a part of the object's size: what walk_size_but_keys() leaves out. */
bool walk_plan_far_sizes(uint32_t note);

/* Visits what was left for later, likewise; `size` is that of its part. */
bool walk_plan_visit_far(const struct walk_python *python, walk_addr at, uint32_t note, struct walk_planned *visit);

#endif
