/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SUBLISTS_FOLLOW_H
#define WALK_OBJECTS_SUBLISTS_FOLLOW_H

/*
 * Sublists, followed in lanes: while the memory of one lane's next object is on its way, the others go on. That is most
 * of the time of who follows a list: each address is known when the object before has come.
 *
 * Each step wants the object to point back to where the lane comes from. So two lanes never meet (whatever both came to
 * would point back to one of them), none goes in circles (it would come back to its start), and all steps together are
 * at most as many as there are objects.
 */

#include "bytes/bits.h"
#include "objects/header.h"
#include "objects/sublists.h"

enum { WALK_LANES = 16, WALK_LINE = 64 /* bytes that a processor fetches at once */ };

/* What several workers do with all sublists whose owner is one of these. */
struct walk_sublists_pass {
    struct walk_sublists *sublists;
    uint8_t first_owner, last_owner;
    atomic_uint next; /* the first sublist that nobody has taken */
};

/* Where the words are that are looked at, from a head on. */
struct walk_sublists_places {
    uint32_t next, prev, object, type, needed;
    bool refs; /* up to 3.7: the head says whether the object is tracked */
};

struct walk_lane {
    const struct walk_segment *segment; /* of the stream; NULL: none of it */
    uint32_t place;                     /* of the segment's first byte */
    const uint8_t *view;                /* of the object's head; NULL: it is not there */
    walk_addr at, from;
    uint64_t length;
    uint32_t number; /* of the sublist */
    bool starts;     /* it is at its splitter */
};

static inline struct walk_sublists_places walk_sublists_places(const struct walk_python *python)
{
    const struct walk_layout *layout = python->layout;
    uint32_t object = WALK_SIZE(layout, gc_head);
    return (struct walk_sublists_places){WALK_OFFSET(layout, gc_head, next),
                                         WALK_OFFSET(layout, gc_head, prev),
                                         object,
                                         object + WALK_OFFSET(layout, object, ob_type),
                                         object + WALK_SIZE(layout, object),
                                         WALK_HAS(layout, gc_head, refs)};
}

/* Moves a lane, and has the bytes come. */
WALK_INLINED void walk_lane_go(struct walk_lane *lane, struct walk_sublists_worker *worker, walk_addr to,
                               uint32_t needed)
{
    const struct walk_segment *segment = lane->segment;
    lane->at = to;
    if (!segment || to - segment->start >= segment->end - segment->start) {
        segment = walk_memory_segment(&worker->memory, to);
        if (segment && !walk_stream_segment(worker->stream, segment, &lane->place))
            segment = NULL;
        lane->segment = segment;
    }
    const uint8_t *view = segment && segment->end - to >= needed ? segment->data + (to - segment->start) : NULL;
    lane->view = view;
    if (!view)
        return;
    __builtin_prefetch(view);
    __builtin_prefetch(view + WALK_LINE - 1);
}

/* Gives the lane a sublist of the pass that nobody has; false: there is none. */
static inline bool walk_lane_begin(struct walk_lane *lane, struct walk_sublists_pass *pass,
                                   struct walk_sublists_worker *worker, const struct walk_sublists_places *at)
{
    const struct walk_splitters *splitters = &pass->sublists->splitters;
    for (;;) {
        uint32_t number = atomic_fetch_add_explicit(&pass->next, 1, memory_order_relaxed);
        if (number >= splitters->count)
            return false;
        const struct walk_sublist *sublist = &splitters->sublist[number];
        uint64_t link;
        bool starts = number >= pass->sublists->heads.count;
        if (sublist->owner < pass->first_owner || sublist->owner > pass->last_owner || !sublist->start ||
            !walk_memory_word(&worker->memory, sublist->start + (starts ? at->prev : at->next), &link))
            continue;
        *lane = (struct walk_lane){.number = number, .starts = starts};
        lane->from = starts ? link & WALK_LINK_MASK : sublist->start;
        walk_lane_go(lane, worker, starts ? sublist->start : link & WALK_LINK_MASK, at->needed);
        return true;
    }
}

/* Whether the lane has come to the end of its sublist, which is noted then. */
WALK_INLINED bool walk_lane_ends(struct walk_lane *lane, struct walk_splitters *splitters, unsigned word,
                                 const struct walk_sublists_places *at)
{
    uint32_t next = 0;
    if (lane->view && (walk_load_word(word, lane->view + at->prev) & WALK_LINK_MASK) == lane->from) {
        bool starts = lane->starts;
        lane->starts = false;
        if (starts || !walk_splitters_may_have(splitters, lane->at) ||
            !(next = walk_splitters_find(splitters, lane->at)))
            return false;
    }
    splitters->sublist[lane->number].length = lane->length;
    splitters->sublist[lane->number].next = next;
    return true;
}

/* What a lane has come to. */
struct walk_met_object {
    walk_addr address;
    const uint8_t *view;
    size_t room;    /* bytes from there on */
    walk_addr type; /* what it has in ob_type */
    uint32_t place; /* in the stream */
};

/* What is done with each object; it is inlined. False: the worker has failed. */
typedef bool walk_sublists_each(struct walk_sublists_worker *worker, const struct walk_met_object *object);

/* For walk_sublists_follow(). */
WALK_INLINED void walk_sublists_follow_words(struct walk_sublists_pass *pass, struct walk_sublists_worker *worker,
                                             unsigned word, walk_sublists_each *each)
{
    const struct walk_sublists_places at = walk_sublists_places(worker->python);
    const unsigned granule_bits = worker->stream->granule_bits;
    struct walk_splitters *splitters = &pass->sublists->splitters;
    struct walk_lane lanes[WALK_LANES];
    struct walk_lane *end = lanes;
    bool good = true;
    while (end < lanes + WALK_LANES && walk_lane_begin(end, pass, worker, &at))
        end++;
    while (end > lanes && good)
        for (struct walk_lane *lane = lanes; lane < end;) {
            if (walk_lane_ends(lane, splitters, word, &at)) {
                if (walk_lane_begin(lane, pass, worker, &at))
                    lane++;
                else
                    *lane = *--end;
                continue;
            }
            good &= !(lane->at & (((walk_addr)1 << granule_bits) - 1));
            if (at.refs && walk_header_refs_in(worker->python, lane->view) != WALK_REFS_REACHABLE)
                good = false;
            const walk_addr inside = lane->at + at.object - lane->segment->start;
            const struct walk_met_object object = {.address = lane->at + at.object,
                                                   .view = lane->view + at.object,
                                                   .room = lane->segment->end - lane->at - at.object,
                                                   .type = walk_load_word(word, lane->view + at.type),
                                                   .place = lane->place + (uint32_t)(inside >> granule_bits)};
            good &= each(worker, &object);
            lane->length++;
            lane->from = lane->at;
            walk_lane_go(lane, worker, walk_load_word(word, lane->view + at.next) & WALK_LINK_MASK, at.needed);
            lane++;
        }
    worker->failed |= !good;
}

/* One worker's part of a pass. */
WALK_INLINED void walk_sublists_follow(struct walk_sublists_pass *pass, struct walk_sublists_worker *worker,
                                       walk_sublists_each *each)
{
    if (worker->python->word == 8)
        walk_sublists_follow_words(pass, worker, 8, each);
    else
        walk_sublists_follow_words(pass, worker, 4, each);
}

#endif
