/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of the collector, followed in the notes of a sweep. A list is one chain, and each step waits for the memory
 * of the one before; so it is cut into segments, at any notes, and many segments are followed at the same time. Those
 * that are reached from a list's head, one after the other, are the list.
 *
 * A segment begins where the memory says that it is linked in both directions: what was noted too much leads into the
 * middle of others. A segment that runs into another one all the same ends nowhere, so its list is not whole.
 */
#include <stdlib.h>

#include "objects/sweep.h"

enum {
    SEGMENTS_MAX = 1 << 12,      /* a note has 16 bits for them */
    NOTES_PER_SEGMENT = 1 << 14, /* about; those next to each other are mostly near each other in the memory */
    LANES = 32                   /* segments that a worker follows at the same time */
};

/* A part of a list, from a note or a head on; all as links are. */
struct segment {
    uint32_t start;
    uint32_t first;  /* what comes behind that */
    uint32_t end;    /* the start of the next segment, or nowhere */
    uint32_t length; /* notes */
};

struct follow {
    const struct walk_sweep *sweep;
    struct segment *segment;
    uint32_t count;
    uint32_t heads;   /* the segments of heads are the first ones */
    atomic_uint next; /* the first that nobody has taken */
};

static inline void put_in_segment(struct walk_sweep_note *note, uint32_t segment)
{
    atomic_store_explicit(&note->segment, (uint16_t)segment, memory_order_relaxed);
}

static inline uint32_t segment_of(const struct walk_sweep_note *note)
{
    return atomic_load_explicit(&note->segment, memory_order_relaxed);
}

/* ---- where segments begin ---- */

struct links {
    walk_addr next, prev;
};

static bool read_links(const struct walk_sweep *sweep, walk_addr head, size_t *hint, struct links *links)
{
    const struct walk_python *python = sweep->python;
    uint8_t bytes[64];
    size_t size = WALK_SIZE(python->layout, gc_head);
    if (size > sizeof bytes || !walk_stream_peek(&sweep->stream, head, size, bytes, hint))
        return false;
    *links = (struct links){WALK_WORD(python, bytes, gc_head, next) & WALK_LINK_MASK,
                            WALK_WORD(python, bytes, gc_head, prev) & WALK_LINK_MASK};
    return true;
}

static bool is_linked(const struct walk_sweep *sweep, walk_addr head)
{
    struct links own, next, prev;
    size_t hint = 0;
    return read_links(sweep, head, &hint, &own) && read_links(sweep, own.next, &hint, &next) &&
           read_links(sweep, own.prev, &hint, &prev) && next.prev == head && prev.next == head;
}

/* False: a head cannot be read. */
static bool begin_at_heads(struct follow *follow)
{
    const struct walk_sweep *sweep = follow->sweep;
    size_t hint = 0;
    follow->heads = follow->count = (uint32_t)sweep->heads.count;
    for (size_t i = 0; i < follow->heads; i++) {
        walk_addr head = sweep->heads.at[i];
        struct links links;
        uint32_t itself = WALK_SWEEP_HEADS + (uint32_t)i;
        struct segment segment = {.start = itself, .first = itself};
        if (head && !read_links(sweep, head, &hint, &links))
            return false;
        if (head)
            segment.first = walk_sweep_place(sweep, links.next, &hint);
        follow->segment[i] = segment;
    }
    return true;
}

/* The place of a span's note. */
static uint32_t place_of(const struct walk_sweep *sweep, size_t span, uint32_t inside)
{
    uint32_t word = (uint32_t)((span + 1) * walk_sweep_words(sweep)) - 1;
    while (sweep->before[word] > inside)
        word--;
    uint64_t bits = sweep->bits[word];
    for (uint32_t left = inside - sweep->before[word]; left; left--)
        bits &= bits - 1;
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

/* One note in so many, any of them: those at the same place of every span may stand together in the lists. */
static void begin_at_notes(struct follow *follow)
{
    const struct walk_sweep *sweep = follow->sweep;
    uint32_t wanted = sweep->count / NOTES_PER_SEGMENT, left = SEGMENTS_MAX - follow->count;
    uint64_t distance = sweep->count / ((wanted < left ? wanted : left) + 1) + 1, any = 1, due = distance / 2;
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        const struct walk_sweep_part *part = &sweep->parts[span];
        while (due < (uint64_t)part->first + part->count && follow->count < SEGMENTS_MAX) {
            uint32_t inside = (uint32_t)(due - part->first), place = place_of(sweep, span, inside);
            any = any * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            due += 1 + (any >> 33) % (2 * distance);
            if (!is_linked(sweep, walk_stream_address(&sweep->stream, place)))
                continue;
            struct walk_sweep_note *note = &part->note[inside];
            follow->segment[follow->count++] = (struct segment){place, note->link, 0, 1};
            put_in_segment(note, follow->count);
        }
    }
}

/* ---- following ---- */

struct lane {
    uint32_t segment; /* which one, + 1; 0: none */
    uint32_t at, length;
    struct walk_sweep_note *note; /* that of `at`, which is on its way; NULL: it is not known yet */
};

/* To what a link leads; where its note is, is on its way. */
static inline void aim(const struct walk_sweep *sweep, struct lane *lane, uint32_t link)
{
    lane->at = link;
    lane->note = NULL;
    if (link >= WALK_SWEEP_HEADS)
        return;
    __builtin_prefetch(&sweep->bits[link / 64]);
    __builtin_prefetch(&sweep->before[link / 64]);
}

static void end_lane(struct follow *follow, struct lane *lane, uint32_t end)
{
    struct segment *segment = &follow->segment[lane->segment - 1];
    segment->end = end;
    segment->length = lane->length;
    lane->segment = 0;
}

/* Gives the lane a segment that nobody has; false: there is none. */
static bool begin_lane(struct follow *follow, struct lane *lane)
{
    uint32_t taken = atomic_fetch_add_explicit(&follow->next, 1, memory_order_relaxed);
    if (taken >= follow->count)
        return false;
    lane->segment = taken + 1;
    lane->length = follow->segment[taken].length;
    aim(follow->sweep, lane, follow->segment[taken].first);
    return true;
}

/* Finds the note that the lane is at. */
static inline void arrive(struct follow *follow, struct lane *lane)
{
    if (lane->at < WALK_SWEEP_HEADS)
        lane->note = walk_sweep_note_at(follow->sweep, lane->at);
    if (lane->note)
        __builtin_prefetch(lane->note, 1);
    else
        end_lane(follow, lane, lane->at < WALK_SWEEP_HEADS ? WALK_SWEEP_NOWHERE : lane->at);
}

/* Takes the note, and goes on to what its link leads to. */
static inline void go_on(struct follow *follow, struct lane *lane)
{
    uint32_t met = segment_of(lane->note);
    if (met) {
        bool begins = follow->segment[met - 1].start == lane->at;
        end_lane(follow, lane, begins ? lane->at : WALK_SWEEP_NOWHERE);
        return;
    }
    put_in_segment(lane->note, lane->segment);
    lane->length++;
    aim(follow->sweep, lane, lane->note->link);
}

static void follow_some(void *context, size_t task, unsigned worker)
{
    struct follow *follow = context;
    struct lane lane[LANES] = {{0}};
    unsigned busy = LANES;
    (void)task;
    (void)worker;
    while (busy)
        for (unsigned i = 0; i < busy; i++) {
            if (lane[i].segment && lane[i].note)
                go_on(follow, &lane[i]);
            else if (lane[i].segment || begin_lane(follow, &lane[i]))
                arrive(follow, &lane[i]);
            else
                lane[i--] = lane[--busy];
        }
}

/* ---- lists of segments ---- */

/* False: it does not come back to its head. `length`: its notes are added. */
static bool own_list(const struct follow *follow, uint32_t head, uint64_t *length)
{
    const struct walk_sweep *sweep = follow->sweep;
    uint8_t owner = walk_heads_owner(&sweep->heads, head);
    for (uint32_t number = head + 1;;) {
        const struct segment *segment = &follow->segment[number - 1];
        if (sweep->owner[number])
            return false;
        sweep->owner[number] = owner;
        *length += segment->length;
        if (segment->end >= WALK_SWEEP_HEADS)
            return segment->end == follow->segment[head].start;
        number = segment_of(walk_sweep_note_at(sweep, segment->end));
    }
}

/*
 * False: not all lists are whole. No two of them share notes: of two segments that run into each other one ends
 * nowhere, or, where both came at the same time, both end at the same start, and a segment is met once.
 */
static bool own_all(const struct follow *follow, struct walk_sweep *sweep)
{
    uint64_t of[WALK_OWNERS_MAX] = {0};
    for (uint32_t head = 0; head < follow->heads; head++)
        if (!own_list(follow, head, &of[walk_heads_owner(&sweep->heads, head)]))
            return false;
    for (size_t owner = 0; owner < walk_heads_owners(&sweep->heads); owner++)
        sweep->on_lists += of[owner];
    sweep->all = of[1] == sweep->count;
    return true;
}

bool walk_sweep_follow(struct walk_sweep *sweep)
{
    struct follow follow = {.sweep = sweep, .segment = calloc(SEGMENTS_MAX, sizeof *follow.segment)};
    sweep->owner = calloc(SEGMENTS_MAX + 1, sizeof *sweep->owner);
    bool good = sweep->owner && follow.segment && begin_at_heads(&follow);
    if (good) {
        begin_at_notes(&follow);
        walk_workers_run(sweep->worker_count, sweep->worker_count, follow_some, &follow);
        good = own_all(&follow, sweep);
    }
    free(follow.segment);
    return good;
}
