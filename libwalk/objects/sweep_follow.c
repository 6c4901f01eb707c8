/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of the collector, followed in the notes of a sweep. A list is one chain, and each step waits for the memory
 * of the one before; so it is cut into segments, at any notes, and many segments are followed at the same time. Those
 * that are reached from a list's head, one after the other, are the list.
 *
 * A segment begins where the memory says that it is linked in both directions: what was noted too much leads into the
 * middle of others. Where two segments run into each other all the same, there are more steps than notes.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "objects/sweep.h"

enum {
    SEGMENTS_MAX = 1 << 12,      /* if a step has room for as many */
    NOTES_PER_SEGMENT = 1 << 14, /* about; those next to each other are mostly near each other in the memory */
    LANES = 16                   /* segments that a worker follows at the same time */
};

/* A part of a list, from a note or a head on. */
struct segment {
    uint32_t start;  /* as in a step: a note or a head */
    uint32_t first;  /* what comes behind that */
    uint32_t end;    /* the start of the next segment, or nowhere */
    uint32_t length; /* notes */
};

struct follow {
    const struct walk_sweep *sweep;
    struct segment *segment;
    uint32_t count, most;
    uint32_t heads;   /* the segments of heads are the first ones */
    atomic_uint next; /* the first that nobody has taken */
};

/* ---- steps ---- */

/* Behind the numbers of the notes. */
static inline uint32_t head_step(const struct walk_sweep *sweep, uint32_t head) { return sweep->count + head; }
static inline uint32_t nowhere(const struct walk_sweep *sweep) { return head_step(sweep, WALK_HEADS_MAX); }

/* `next`: what the note's link leads to. */
static inline void put_in_segment(const struct walk_sweep *sweep, uint32_t number, uint32_t next, uint32_t segment)
{
    atomic_store_explicit(&sweep->step[number], next | segment << sweep->next_bits, memory_order_relaxed);
}

static bool open_steps(struct walk_sweep *sweep)
{
    sweep->next_bits = 1;
    while (sweep->next_bits < 32 && nowhere(sweep) >> sweep->next_bits)
        sweep->next_bits++;
    sweep->step = walk_large_alloc(sweep->stream.image->stock, (size_t)sweep->count + 1, sizeof *sweep->step);
    return sweep->step && sweep->next_bits < 32;
}

/* What a link leads to, as a step has it. */
static inline uint32_t number_of(const struct walk_sweep *sweep, uint32_t link)
{
    if (link >= WALK_SWEEP_HEADS)
        return head_step(sweep, link - WALK_SWEEP_HEADS);
    uint64_t word = sweep->bits[link / 64], bit = UINT64_C(1) << link % 64;
    if (!(word & bit))
        return nowhere(sweep);
    return sweep->parts[walk_stream_span(&sweep->stream, link)].first + sweep->before[link / 64] +
           walk_count_bits(word & (bit - 1));
}

static void number_part(void *context, size_t span, unsigned worker)
{
    const struct walk_sweep *sweep = ((const struct follow *)context)->sweep;
    const struct walk_sweep_part *part = &sweep->parts[span];
    (void)worker;
    for (uint32_t i = 0; i < part->count; i++)
        put_in_segment(sweep, part->first + i, number_of(sweep, part->note[i].link), 0);
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

/* False: a head cannot be read, or there are too many. */
static bool begin_at_heads(struct follow *follow)
{
    const struct walk_sweep *sweep = follow->sweep;
    size_t hint = 0;
    follow->heads = follow->count = (uint32_t)sweep->heads.count;
    if (follow->heads > follow->most)
        return false;
    for (size_t i = 0; i < follow->heads; i++) {
        walk_addr head = sweep->heads.at[i];
        struct links links;
        uint32_t step = head_step(sweep, (uint32_t)i);
        struct segment segment = {.start = step, .first = step};
        if (head && !read_links(sweep, head, &hint, &links))
            return false;
        if (head)
            segment.first = number_of(sweep, walk_sweep_place(sweep, links.next, &hint));
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
    uint32_t wanted = sweep->count / NOTES_PER_SEGMENT, left = follow->most - follow->count;
    uint64_t distance = sweep->count / ((wanted < left ? wanted : left) + 1) + 1, any = 1, due = distance / 2;
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        const struct walk_sweep_part *part = &sweep->parts[span];
        while (due < (uint64_t)part->first + part->count && follow->count < follow->most) {
            uint32_t number = (uint32_t)due, place = place_of(sweep, span, number - part->first);
            any = any * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            due += 1 + (any >> 33) % (2 * distance);
            if (!is_linked(sweep, walk_stream_address(&sweep->stream, place)))
                continue;
            uint32_t next = atomic_load_explicit(&sweep->step[number], memory_order_relaxed);
            follow->segment[follow->count++] = (struct segment){number, next, 0, 1};
            put_in_segment(sweep, number, next, follow->count);
        }
    }
}

/* ---- following ---- */

struct lane {
    uint32_t segment; /* which one, + 1; 0: none */
    uint32_t at, length;
};

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
    *lane = (struct lane){taken + 1, follow->segment[taken].first, follow->segment[taken].length};
    return true;
}

/* To what the lane's link leads. */
static inline void go(struct follow *follow, struct lane *lane)
{
    const struct walk_sweep *sweep = follow->sweep;
    if (lane->at >= sweep->count) {
        end_lane(follow, lane, lane->at);
        return;
    }
    uint32_t step = atomic_load_explicit(&sweep->step[lane->at], memory_order_relaxed);
    uint32_t met = step >> sweep->next_bits;
    if (met) {
        bool begins = follow->segment[met - 1].start == lane->at;
        end_lane(follow, lane, begins ? lane->at : nowhere(sweep));
        return;
    }
    put_in_segment(sweep, lane->at, step, lane->segment);
    lane->length++;
    lane->at = step;
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
            if (lane[i].segment || begin_lane(follow, &lane[i]))
                go(follow, &lane[i]);
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
        if (segment->end >= sweep->count)
            return segment->end == follow->segment[head].start;
        number = walk_sweep_segment(sweep, segment->end);
    }
}

/* False: not all lists are whole, or two of them share notes. */
static bool own_all(const struct follow *follow)
{
    const struct walk_sweep *sweep = follow->sweep;
    uint64_t steps = 0, notes = 0;
    for (uint32_t head = 0; head < follow->heads; head++)
        if (!own_list(follow, head, &steps))
            return false;
    for (uint32_t i = 0; i < sweep->count; i++)
        notes += sweep->owner[walk_sweep_segment(sweep, i)] != 0;
    return steps == notes;
}

bool walk_sweep_follow(struct walk_sweep *sweep)
{
    struct follow follow = {.sweep = sweep, .segment = calloc(SEGMENTS_MAX, sizeof *follow.segment)};
    sweep->owner = calloc(SEGMENTS_MAX + 1, sizeof *sweep->owner);
    bool good = sweep->owner && follow.segment && open_steps(sweep);
    if (good) {
        uint32_t room = UINT32_MAX >> sweep->next_bits;
        follow.most = room < SEGMENTS_MAX ? room : SEGMENTS_MAX;
        walk_workers_run(sweep->worker_count, sweep->stream.span_count, number_part, &follow);
        good = begin_at_heads(&follow);
    }
    if (good) {
        begin_at_notes(&follow);
        walk_workers_run(sweep->worker_count, sweep->worker_count, follow_some, &follow);
        good = own_all(&follow);
    }
    free(follow.segment);
    return good;
}
