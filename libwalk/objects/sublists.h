/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SUBLISTS_H
#define WALK_OBJECTS_SUBLISTS_H

/*
 * The collector's lists cut into sublists (sublists.c), many of which are followed at the same time, in the mapping of
 * a core (sublists_follow.h); what is counted on the way (sublists_count.c), and listed later (sublists_list.c).
 */

#include <stdatomic.h>

#include "bytes/stream.h"
#include "objects/counter.h"
#include "objects/heads.h"
#include "objects/measure.h"
#include "objects/tracked.h"

/* A part of a list. */
struct walk_sublist {
    walk_addr start; /* a list's head; or a splitter: the head of an object, which is the first of it */
    uint64_t length; /* objects */
    uint32_t next;   /* which sublist begins where it ends, + 1; 0: it does not come to one */
    uint8_t owner;   /* as in heads.h; 0: it is not known yet, or it is on no list */
};

/* Which sublists there are: those of all heads first. Known by what they start with, in a hash table. */
struct walk_splitters {
    struct walk_sublist *sublist;
    uint32_t count;
    uint32_t *slot; /* number + 1 */
    unsigned slot_bits;
    uint64_t *filter; /* a bit for each value of the hash's first bits: whether any start has it */
};

/* What a dict's keys add to the size of a class' objects, once they have come. */
struct walk_late {
    struct walk_size_keys keys;
    uint32_t class;
};
enum { WALK_LATE = 16 };

struct walk_sublists_worker {
    _Alignas(WALK_APART) struct walk_memory memory;
    const struct walk_python *python;
    struct walk_counter *counter;
    struct walk_measure measure;
    struct walk_late late[WALK_LATE];
    unsigned late_at;
    struct walk_found types; /* those of the objects that are types */
    struct walk_found alone; /* those whose size is to be asked otherwise */
    const struct walk_stream *stream;
    walk_addr type_type; /* address of `type` */
    uint64_t *marks;     /* where it has met objects: a bit per place; NULL: nothing is marked */
    bool failed;         /* no memory, or what is followed cannot be believed */
};

struct walk_sublists {
    struct walk_unlisted unlisted;
    struct walk_python *python;
    enum walk_first first;
    struct walk_stream stream;
    struct walk_heads heads;
    struct walk_splitters splitters;
    struct walk_measures *measures;
    struct walk_sublists_worker *workers;
    struct walk_counter *counters; /* of each worker */
    unsigned worker_count;
    uint64_t *marks; /* of all markers, one after the other; NULL: there are none yet */
    size_t words;    /* of one marker's */
    unsigned marker_count;
    uint8_t marked; /* the only owner who has objects, and they are marked; 0: that is not so */
};

/* So many workers mark at most: the marks of each take 1/128 of the memory that is looked at. */
enum { WALK_MARKERS_MAX = 8 };

/* ---- starts ---- */

enum { WALK_FILTER_BITS = 16 };

static inline uint64_t walk_splitters_hash(walk_addr address) { return (address >> 3) * UINT64_C(0x9e3779b97f4a7c15); }

static inline bool walk_splitters_may_have(const struct walk_splitters *splitters, walk_addr address)
{
    uint64_t bit = walk_splitters_hash(address) >> (64 - WALK_FILTER_BITS);
    return splitters->filter[bit / 64] >> bit % 64 & 1;
}

/* The number of the sublist that starts there, + 1; 0: none does. */
static inline uint32_t walk_splitters_find(const struct walk_splitters *splitters, walk_addr address)
{
    size_t mask = ((size_t)1 << splitters->slot_bits) - 1;
    size_t at = walk_splitters_hash(address) >> (64 - splitters->slot_bits);
    while (splitters->slot[at] && splitters->sublist[splitters->slot[at] - 1].start != address)
        at = (at + 1) & mask;
    return splitters->slot[at];
}

/* ---- passes: what is done with each object of the sublists of some owners ---- */

/*
 * Counts, measures if there is to be a census, marks if there are marks. What is in the permanent generations is only
 * counted, alone.
 */
void walk_sublists_count(struct walk_sublists *sublists, uint8_t first_owner, uint8_t last_owner);
/* Forgets all of that. */
void walk_sublists_recount(struct walk_sublists *sublists);
/* What was counted becomes what `python` has. False: out of memory. */
bool walk_sublists_join(struct walk_sublists *sublists);

/* Adds what each owner has to `of`. */
void walk_sublists_owned(const struct walk_sublists *sublists, size_t *of);

/* Gives the markers marks, all clear. False: no memory. */
bool walk_sublists_clear_marks(struct walk_sublists *sublists);

static inline void walk_sublists_mark(struct walk_sublists_worker *worker, uint32_t place)
{
    worker->marks[place / 64] |= UINT64_C(1) << place % 64;
}

/* For walk_unlisted. */
bool walk_sublists_list(struct walk_unlisted *unlisted);
void walk_sublists_types(const struct walk_unlisted *unlisted, void (*each)(void *context, walk_addr type),
                         void *context);

#endif
