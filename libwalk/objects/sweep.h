/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SWEEP_H
#define WALK_OBJECTS_SWEEP_H

/* What a sweep (sweep.c) keeps: its notes (sweep_look.c), and the lists in them (sweep_follow.c). */

#include <stdatomic.h>

#include "bytes/bits.h"
#include "bytes/pages.h"
#include "bytes/stream.h"
#include "bytes/workers.h"
#include "objects/counter.h"
#include "objects/header.h"
#include "objects/heads.h"
#include "objects/measure.h"
#include "objects/tracked.h"

/* What a link leads to: a place, the head of a list (from WALK_SWEEP_HEADS on), or nothing that is known. */
#define WALK_SWEEP_NOWHERE UINT32_MAX
#define WALK_SWEEP_HEADS (UINT32_MAX - WALK_HEADS_MAX)

struct walk_sweep_note {
    union {
        walk_addr type; /* ob_type */
        uint32_t class; /* of what is on a list: the worker's number for it */
    };
    union {
        uint32_t link;  /* a place */
        uint32_t owner; /* when the lists are followed, as walk_sweep_owner() has it */
    };
    uint32_t size; /* as walk_measure_object() has it */
};

/*
 * A note, where lists are followed, in one word: in the lower bits what its link leads to, in the upper ones in which
 * segment of a list it is, + 1; 0: in none. Notes are known by number, which is in order of address; behind them come
 * the heads, and then what is nowhere.
 */
typedef _Atomic uint32_t walk_sweep_step;

/* The notes of one span. */
struct walk_sweep_part {
    struct walk_sweep_note *note;   /* in a page of its worker */
    uint32_t count, first;          /* `first`: how many are in front of the span */
    unsigned worker;                /* who numbered their classes */
    bool types;                     /* some are types */
    struct walk_unread_list unread; /* what is missing in their sizes: in another page; `at`: of which note */
    size_t *to;                     /* of each owner: how many of its objects are here; then: where they go */
};

struct walk_sweep_worker {
    _Alignas(WALK_APART) uint8_t *buffer;
    struct walk_pages pages;  /* of notes */
    struct walk_pages unread; /* what is missing in their sizes */
    struct walk_measure measure;
    size_t next_hint, prev_hint;
    bool failed;
};

struct walk_sweep {
    struct walk_unlisted unlisted;
    struct walk_python *python;
    struct walk_stream stream;
    unsigned granule;          /* bytes */
    walk_addr lowest, highest; /* of all stretches */
    size_t needed;             /* bytes from a head to the end of what is looked at */
    struct walk_heads heads;
    uint64_t *bits;                /* per place: whether there is a note of it */
    uint16_t *before;              /* behind them, per word of them: how many are in front of it in its span */
    struct walk_sweep_part *parts; /* per span */
    size_t *to;                    /* of all parts */
    struct walk_measures *measures;
    struct walk_sweep_worker *workers;
    struct walk_counter *counters; /* of each worker, of its notes that are on lists */
    unsigned worker_count;
    uint32_t count; /* of all notes */
    walk_sweep_step *step;
    unsigned next_bits; /* of a step */
    uint8_t *owner;     /* by number of segment: 0: no list; 1 + the collector's; the last one: the permanent lists' */
};

static inline size_t walk_sweep_words(const struct walk_sweep *sweep)
{
    return (size_t)1 << (sweep->stream.place_bits - 6);
}

/*
 * What is on lists (sweep_list.c): counts it, and takes the census; the objects themselves are listed when somebody
 * wants them. False: out of memory.
 */
bool walk_sweep_count(struct walk_sweep *sweep);
bool walk_sweep_list(struct walk_unlisted *unlisted);
/* Those of them that are types. */
void walk_sweep_types(const struct walk_unlisted *unlisted, void (*each)(void *context, walk_addr type), void *context);

/* What is read behind a span, for objects that begin in it. */
enum { WALK_SWEEP_TAIL = 1 << 10 };

/* Notes what is in a span: a walk_task whose context is the sweep. Who cannot has `failed`. */
void walk_sweep_look(void *context, size_t span, unsigned worker);

/* What an address is as a link; `hint` as that of walk_stream_stretch(). */
uint32_t walk_sweep_place(const struct walk_sweep *sweep, walk_addr address, size_t *hint);

/* Sets `step` and `owner`. False: the lists are not whole in the notes. */
bool walk_sweep_follow(struct walk_sweep *sweep);

/* The segment that note `number` is in, + 1; 0: in none. */
static inline uint32_t walk_sweep_segment(const struct walk_sweep *sweep, uint32_t number)
{
    return atomic_load_explicit(&sweep->step[number], memory_order_relaxed) >> sweep->next_bits;
}

/* Whose the note is that is number `i` of its part; 0: nobody's. */
static inline uint8_t walk_sweep_owner(const struct walk_sweep *sweep, const struct walk_sweep_part *part, uint32_t i)
{
    return sweep->owner[walk_sweep_segment(sweep, part->first + i)];
}

#endif
