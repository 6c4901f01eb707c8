/* SPDX-License-Identifier: Apache-2.0 */
/* What of a span looks like an object on a list, its size, and where its link leads: the notes of a sweep. */
#include <stdlib.h>

#include "objects/header.h"
#include "objects/sweep.h"
#include "objects/sweep_filter.h"

/* ---- what links lead to ---- */

/* WALK_SWEEP_NOWHERE: it is none. */
static __attribute__((noinline)) uint32_t find_head(const struct walk_sweep *sweep, walk_addr address)
{
    for (size_t i = 0; i < sweep->heads.count; i++)
        if (sweep->heads.at[i] == address)
            return WALK_SWEEP_HEADS + (uint32_t)i;
    return WALK_SWEEP_NOWHERE;
}

static inline uint32_t place_of(const struct walk_sweep *sweep, walk_addr address, size_t *hint)
{
    if (address - sweep->heads.first <= sweep->heads.last - sweep->heads.first) {
        uint32_t head = find_head(sweep, address);
        if (head != WALK_SWEEP_NOWHERE)
            return head;
    }
    const struct walk_stretch *stretch = walk_stream_stretch(&sweep->stream, address, hint);
    return stretch && !(address & (sweep->granule - 1)) ? walk_stream_place(&sweep->stream, stretch, address)
                                                        : WALK_SWEEP_NOWHERE;
}

uint32_t walk_sweep_place(const struct walk_sweep *sweep, walk_addr address, size_t *hint)
{
    return place_of(sweep, address, hint);
}

/* ---- what is ruled out ---- */

static struct walk_filter make_filter(const struct walk_sweep *sweep)
{
    const struct walk_layout *layout = sweep->python->layout;
    const uint32_t object = WALK_SIZE(layout, gc_head);
    const walk_addr low = sweep->lowest, size = sweep->highest - low;
    walk_addr heads = 0;
    for (size_t i = 0; i < sweep->heads.count; i++)
        heads |= sweep->heads.at[i];
    return (struct walk_filter){.low = low,
                                .beyond = ~(UINT64_MAX >> __builtin_clzll(size | 1)),
                                .link = (sweep->python->word - 1) & WALK_LINK_MASK & ~heads,
                                .type = sweep->python->word - 1,
                                .count = sweep->python->count.never,
                                .granule = sweep->granule,
                                .word = sweep->python->word,
                                .places = {WALK_OFFSET(layout, gc_head, next), WALK_OFFSET(layout, gc_head, prev),
                                           object + WALK_OFFSET(layout, object, ob_refcnt),
                                           object + WALK_OFFSET(layout, object, ob_type)}};
}

/* ---- notes ---- */

static void put_unread(struct walk_sweep_part *part, struct walk_unread unread)
{
    unread.at = part->count;
    part->unread.unread[part->unread.count++] = unread;
}

/* The class of a type that is measured; WALK_NO_TYPE: out of memory. */
static inline uint32_t class_of(const struct walk_measure *measure, struct walk_counter *counter, walk_addr type)
{
    struct walk_measured *known = walk_measure_slot(measure, type);
    if (!known->class) /* there it is + 1 */
        known->class = walk_counter_enter(counter, type) + 1;
    return known->class - 1;
}

/* Notes what a list may lead to. False: out of memory. */
static inline bool note(struct walk_sweep_worker *worker, struct walk_counter *counter, struct walk_sweep_part *part,
                        walk_addr type, walk_addr object, uint32_t link)
{
    struct walk_size_keys rest;
    uint32_t size = walk_measure_object(&worker->measure, type, object, &rest);
    struct walk_sweep_note *note = &part->note[part->count];
    if (size == WALK_UNSIZED) {
        *note = (struct walk_sweep_note){.link = link, .late = true, .type = type};
        put_unread(part, (struct walk_unread){.object = object});
        part->count++;
        return true;
    }
    uint32_t class = class_of(&worker->measure, counter, type);
    if (class == WALK_NO_TYPE)
        return false;
    counter->tallies[class].count++;
    counter->tallies[class].size += size;
    *note = (struct walk_sweep_note){.link = link, .class = class, .size = size};
    if (rest.keys)
        put_unread(part, (struct walk_unread){.dict = rest});
    part->count++;
    return true;
}

/* Whether a list may lead to it; `link`: where its link leads. */
static inline bool looks_tracked(const struct walk_sweep *sweep, struct walk_sweep_worker *worker, const uint8_t *view,
                                 struct walk_filter_places at, uint32_t *link)
{
    const struct walk_layout *layout = sweep->python->layout;
    unsigned word = sweep->python->word;
    if (!walk_header_plausible(sweep->python, view + WALK_SIZE(layout, gc_head)))
        return false;
    if (WALK_HAS(layout, gc_head, refs) && walk_header_refs_in(sweep->python, view) != WALK_REFS_REACHABLE)
        return false;
    walk_addr next = walk_load_word(word, view + at.next) & WALK_LINK_MASK;
    walk_addr prev = walk_load_word(word, view + at.prev) & WALK_LINK_MASK;
    *link = place_of(sweep, next, &worker->next_hint);
    return *link != WALK_SWEEP_NOWHERE && place_of(sweep, prev, &worker->prev_hint) != WALK_SWEEP_NOWHERE;
}

static struct walk_sweep_part look_through(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                                           struct walk_sweep_part part, const uint8_t *bytes, size_t size,
                                           walk_addr start, uint64_t *bits)
{
    const struct walk_filter filter = make_filter(sweep);
    walk_filter_go *go = walk_filter_choose(&filter);
    const unsigned granule_bits = sweep->stream.granule_bits, word = sweep->python->word;
    const uint32_t head = WALK_SIZE(sweep->python->layout, gc_head);
    const walk_addr type_type = sweep->python->runtime->type_type;
    struct walk_counter *counter = &sweep->counters[part.worker];
    uint32_t found[WALK_FILTER_FOUND], link;
    for (size_t at = 0; at < size;) {
        size_t count = go(&filter, bytes, &at, size, found);
        for (size_t i = 0; i < count; i++) {
            const uint8_t *view = bytes + found[i];
            uint32_t place = found[i] >> granule_bits;
            if (!looks_tracked(sweep, worker, view, filter.places, &link))
                continue;
            walk_addr type = walk_load_word(word, view + filter.places.type);
            worker->failed |= !note(worker, counter, &part, type, start + found[i] + head, link);
            part.types |= type == type_type;
            bits[place / 64] |= UINT64_C(1) << place % 64;
        }
    }
    return part;
}

static void count_before(const struct walk_sweep *sweep, size_t span)
{
    size_t first = span * walk_sweep_words(sweep);
    unsigned count = 0;
    for (size_t i = first; i < first + walk_sweep_words(sweep); i++) {
        sweep->before[i] = (uint16_t)count;
        count += walk_count_bits(sweep->bits[i]);
    }
}

void walk_sweep_look(void *context, size_t span, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[number];
    struct walk_sweep_part part = {.worker = number};
    uint64_t *bits = sweep->bits + span * walk_sweep_words(sweep);
    walk_addr start = sweep->stream.spans[span].start;
    size_t got, size;
    const uint8_t *bytes =
        worker->failed ? NULL
                       : walk_stream_read(&sweep->stream, span, sweep->needed + WALK_SWEEP_TAIL, worker->buffer, &got);
    /* There may be a note per place. */
    size_t room = sizeof *part.note << sweep->stream.place_bits;
    size_t unread_room = sizeof *part.unread.unread << sweep->stream.place_bits;
    if (!bytes || !(part.note = walk_pages_take(&worker->pages, room)) ||
        !(part.unread.unread = walk_pages_take(&worker->unread, unread_room))) {
        worker->failed = true;
        return;
    }
    walk_measure_aim(&worker->measure, start, got, bytes);
    size = got < sweep->needed ? 0 : got - sweep->needed + 1;
    if (size > sweep->stream.spans[span].size)
        size = sweep->stream.spans[span].size;
    part = look_through(sweep, worker, part, bytes, size, start, bits);
    walk_pages_give_back(&worker->pages, room, part.count * sizeof *part.note);
    walk_pages_give_back(&worker->unread, unread_room, part.unread.count * sizeof *part.unread.unread);
    sweep->parts[span] = part;
    count_before(sweep, span);
}
