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
    uint32_t link;            /* where its link leads */
    _Atomic uint16_t segment; /* of a list, + 1, that it is in; 0: it is in none */
    bool late;                /* it could not be measured, and is counted when it is known whether it is on a list */
    union {
        walk_addr type; /* `late`: ob_type, which may be anything */
        struct {
            uint32_t class; /* the worker's number for that */
            uint32_t size;  /* as walk_measure_object() has it */
        };
    };
};

/* The notes of one span. */
struct walk_sweep_part {
    struct walk_sweep_note *note;   /* in a page of its worker */
    uint32_t count, first;          /* `first`: how many are in front of the span */
    unsigned worker;                /* who noted them, and numbered their classes */
    bool types;                     /* some may be types */
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
    struct walk_counter *counters; /* of each worker, of its notes; in the end, of those that are on lists */
    unsigned worker_count;
    uint32_t count;    /* of all notes */
    uint64_t on_lists; /* so many of them */
    bool all;          /* all of them are the first owner's */
    uint8_t *owner;    /* by a note's segment, as walk_heads_owner() has it; 0: no list */
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

/* Sets `on_lists`, `all` and `owner`. False: the lists are not whole in the notes. */
bool walk_sweep_follow(struct walk_sweep *sweep);

/* The note of a place; NULL: there is none. */
static inline struct walk_sweep_note *walk_sweep_note_at(const struct walk_sweep *sweep, uint32_t place)
{
    uint64_t word = sweep->bits[place / 64], bit = UINT64_C(1) << place % 64;
    if (!(word & bit))
        return NULL;
    return sweep->parts[walk_stream_span(&sweep->stream, place)].note + sweep->before[place / 64] +
           walk_count_bits(word & (bit - 1));
}

/* Whose a note is; 0: nobody's. */
static inline uint8_t walk_sweep_owner(const struct walk_sweep *sweep, const struct walk_sweep_note *note)
{
    return sweep->all ? 1 : sweep->owner[atomic_load_explicit(&note->segment, memory_order_relaxed)];
}

#endif
