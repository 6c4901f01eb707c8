/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_MEASURE_H
#define WALK_OBJECTS_MEASURE_H

/*
 * Sizes of objects as a sweep passes them by, whose bytes are at hand then and never again. What their types are is
 * learned for this alone: in which order they are met must not be seen in a python's own table of types, nor is it
 * known yet which of them are types at all.
 */

#include "objects/fork.h"
#include "objects/own_size.h"
#include "objects/size.h"

/* What is known from a few tracked objects. */
struct walk_sample {
    struct walk_classes classes;
    walk_addr subtype_traverse; /* 0: not known */
};

/* What the measures of several workers share. */
struct walk_measures;

/*
 * NULL: no memory. Both must stay. `every`: whatever is met is on a list, and its type is worth a look; otherwise it
 * must be common in the sample, or come often.
 */
struct walk_measures *walk_measures_open(const struct walk_python *python, const struct walk_sample *sample,
                                         bool every);
void walk_measures_close(struct walk_measures *all);

/* What a worker knows of a type. */
struct walk_measured {
    walk_addr address;        /* 0: the slot is free */
    struct walk_pytype *type; /* a copy, since the table moves; NULL: its objects are UNSIZED */
    struct walk_own_size own;
    uint32_t class; /* whoever has the measure uses it as it likes */
};

/* Of one worker. */
struct walk_measure {
    struct walk_measures *all;
    struct walk_fork fork;
    struct walk_measured *types; /* a hash table of what is known of types */
    uint32_t count, slots;
    struct walk_met *met; /* of types that are not known */
};

/* False: no memory. To be closed in any case. */
bool walk_measure_open(struct walk_measure *measure, struct walk_measures *all);
void walk_measure_close(struct walk_measure *measure);

/* Objects of these bytes are next. */
void walk_measure_aim(struct walk_measure *measure, walk_addr start, size_t size, const uint8_t *bytes);

/* In place of a size: it must be asked otherwise. */
#define WALK_UNSIZED UINT32_MAX

static inline size_t walk_measure_hash(walk_addr type, size_t slots)
{
    return (size_t)((type >> 3) * 0x9e3779b97f4a7c15u >> 20) & (slots - 1);
}

/* Where a type is, or the free slot where it belongs. */
static inline struct walk_measured *walk_measure_slot(const struct walk_measure *measure, walk_addr type)
{
    size_t at = walk_measure_hash(type, measure->slots);
    while (measure->types[at].address && measure->types[at].address != type)
        at = (at + 1) & (measure->slots - 1);
    return &measure->types[at];
}

/* Makes a type known. NULL: it is not worth it, or there is no memory. */
struct walk_measured *walk_measure_learn(struct walk_measure *measure, walk_addr type);

/* For walk_measure_object(), and for whoever has made the type known. */
uint32_t walk_measure_odd(struct walk_measure *measure, const struct walk_measured *known, walk_addr type,
                          walk_addr object, struct walk_size_keys *rest);

/*
 * The size of what has `type` in ob_type, bytes; `rest`: what its keys add is still to be read, since they are not at
 * hand (keys 0: nothing is).
 */
static inline uint32_t walk_measure_object(struct walk_measure *measure, walk_addr type, walk_addr object,
                                           struct walk_size_keys *rest)
{
    const struct walk_measured *known = walk_measure_slot(measure, type);
    uint64_t size;
    rest->keys = 0;
    if (walk_own_size(&known->own, &measure->fork.python, object, &size) && size < WALK_UNSIZED)
        return (uint32_t)size;
    return walk_measure_odd(measure, known, type, object, rest);
}

#endif
