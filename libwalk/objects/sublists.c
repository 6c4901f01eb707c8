/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed at many places at the same time: a list is cut at splitters, objects that are picked
 * anywhere in the memory (what is known as list ranking by sublists, after Helman and JaJa). A sublist ends where it
 * comes to another's start, and those that are reached from a list's head, one after the other, are the list. This is
 * for cores whose mapping is entered fast; only what is on the lists is looked at.
 *
 * Whatever looks like an object that is linked in both directions may be a splitter, if it is on a list or not: if
 * something is counted that no head leads to, all is counted again without. If a list does not come back to its head,
 * nothing is believed, and the lists are followed one by one.
 */
#include "objects/sublists.h"

#include <stdlib.h>

#include "bytes/large.h"
#include "objects/header.h"

enum {
    SPANS_PER_PROBE = 4, /* more splitters cost more than they help */
    PROBES_MIN = 1 << 6,
    PROBES_MAX = 1 << 12,
    PROBE = 1 << 12 /* bytes that are searched for a splitter */
};

/* ---- splitters ---- */

/* A number that is as good as any, for each `i`. */
static uint64_t any(uint64_t i)
{
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return i ^ i >> 27;
}

static bool read_links(const struct walk_python *python, struct walk_memory *memory, walk_addr head, walk_addr *next,
                       walk_addr *prev)
{
    const uint8_t *view = walk_memory_view(memory, head, WALK_SIZE(python->layout, gc_head));
    if (!view)
        return false;
    *next = WALK_WORD(python, view, gc_head, next) & WALK_LINK_MASK;
    *prev = WALK_WORD(python, view, gc_head, prev) & WALK_LINK_MASK;
    return true;
}

/* Whether its neighbours point to it. */
static bool is_linked(const struct walk_python *python, struct walk_memory *memory, walk_addr head)
{
    walk_addr next, prev, other;
    return read_links(python, memory, head, &next, &prev) && next && prev && !((next | prev) & (python->word - 1)) &&
           read_links(python, memory, next, &other, &next) && next == head &&
           read_links(python, memory, prev, &prev, &other) && prev == head;
}

static size_t count_probes(const struct walk_stream *stream)
{
    size_t probes = stream->span_count / SPANS_PER_PROBE;
    return probes < PROBES_MIN ? PROBES_MIN : probes > PROBES_MAX ? PROBES_MAX : probes;
}

/* A splitter from somewhere in a span; those at the same place of each may stand together in the lists. */
static void probe(void *context, size_t number, unsigned worker)
{
    struct walk_sublists *sublists = context;
    const struct walk_stream *stream = &sublists->stream;
    const struct walk_span *span = &stream->spans[number * stream->span_count / count_probes(stream)];
    const size_t granule = (size_t)1 << stream->granule_bits;
    walk_addr at = span->start + any(number) % span->size / granule * granule;
    for (walk_addr end = at + PROBE; at < end; at += granule)
        if (is_linked(sublists->python, &sublists->workers[worker].memory, at)) {
            sublists->splitters.sublist[sublists->heads.count + number].start = at;
            return;
        }
}

static void enter(struct walk_splitters *splitters, uint32_t number)
{
    uint64_t hash = walk_splitters_hash(splitters->sublist[number].start);
    size_t mask = ((size_t)1 << splitters->slot_bits) - 1, at = hash >> (64 - splitters->slot_bits);
    uint64_t bit = hash >> (64 - WALK_FILTER_BITS);
    while (splitters->slot[at])
        at = (at + 1) & mask;
    splitters->slot[at] = number + 1;
    splitters->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Other things are linked in both directions too: stacks of threads are. */
static bool is_object(const struct walk_python *python, walk_addr head)
{
    walk_addr object = head + WALK_SIZE(python->layout, gc_head);
    return walk_python_is_likely(python, object) && walk_python_is_type(python, walk_python_ob_type(python, object));
}

/* Heads first: a splitter may be one of them, or there twice. */
static void enter_all(struct walk_sublists *sublists, uint32_t probes)
{
    struct walk_splitters *splitters = &sublists->splitters;
    for (uint32_t i = 0; i < sublists->heads.count; i++) {
        walk_addr head = sublists->heads.at[i];
        splitters->sublist[i].start = head;
        if (head && !walk_splitters_find(splitters, head))
            enter(splitters, i);
    }
    splitters->count = (uint32_t)sublists->heads.count;
    for (uint32_t i = splitters->count; i < sublists->heads.count + probes; i++) {
        walk_addr start = splitters->sublist[i].start;
        splitters->sublist[i].start = 0;
        if (!start || walk_splitters_find(splitters, start) || !is_object(sublists->python, start))
            continue;
        splitters->sublist[splitters->count].start = start;
        enter(splitters, splitters->count++);
    }
}

static bool split(struct walk_sublists *sublists)
{
    struct walk_splitters *splitters = &sublists->splitters;
    size_t probes = count_probes(&sublists->stream), most = sublists->heads.count + probes;
    splitters->slot_bits = 8;
    while (most * 4 >> splitters->slot_bits)
        splitters->slot_bits++;
    splitters->sublist = calloc(most, sizeof *splitters->sublist);
    splitters->slot = calloc((size_t)1 << splitters->slot_bits, sizeof *splitters->slot);
    splitters->filter = calloc((1 << WALK_FILTER_BITS) / 64, sizeof *splitters->filter);
    if (!splitters->sublist || !splitters->slot || !splitters->filter)
        return false;
    walk_workers_run(sublists->worker_count, probes, probe, sublists);
    enter_all(sublists, (uint32_t)probes);
    return true;
}

/* ---- whose they are ---- */

/* Gives what a list has to its owner. False: it does not come back to its head. */
static bool own_list(struct walk_sublists *sublists, uint32_t head)
{
    struct walk_sublist *sublist = sublists->splitters.sublist;
    uint8_t owner = walk_heads_owner(&sublists->heads, head);
    for (uint32_t number = head;;) {
        if (sublist[number].owner)
            return false;
        sublist[number].owner = owner;
        if (!sublist[number].next || sublist[number].next == head + 1)
            return sublist[number].next != 0;
        number = sublist[number].next - 1;
    }
}

void walk_sublists_owned(const struct walk_sublists *sublists, size_t *of)
{
    for (uint32_t i = 0; i < sublists->splitters.count; i++)
        of[sublists->splitters.sublist[i].owner] += sublists->splitters.sublist[i].length;
}

/* The only owner who has anything; 0: there are several, or something is on no list. */
static uint8_t only_owner(const struct walk_sublists *sublists, const size_t *of)
{
    uint8_t only = 0;
    for (size_t owner = 0; owner < walk_heads_owners(&sublists->heads); owner++) {
        if (of[owner] && (only || !owner))
            return 0;
        if (of[owner])
            only = (uint8_t)owner;
    }
    return only;
}

static bool any_failed(const struct walk_sublists *sublists)
{
    for (unsigned i = 0; i < sublists->worker_count; i++)
        if (sublists->workers[i].failed)
            return true;
    return false;
}

/* What was counted as if all were to be counted, which it mostly is, becomes what is to be counted. */
static void recount(struct walk_sublists *sublists, const size_t *of)
{
    const uint8_t permanent = walk_heads_permanent(&sublists->heads);
    if (!of[0] && !of[permanent])
        return;
    walk_sublists_recount(sublists);
    walk_sublists_count(sublists, 1, permanent - 1);
    walk_sublists_count(sublists, permanent, permanent);
}

/* False: no memory, or the lists cannot be believed. */
static bool follow(struct walk_sublists *sublists)
{
    size_t of[WALK_OWNERS_MAX] = {0};
    walk_sublists_count(sublists, 0, 0);
    if (any_failed(sublists))
        return false;
    for (uint32_t head = 0; head < sublists->heads.count; head++)
        if (sublists->heads.at[head] && !own_list(sublists, head))
            return false;
    walk_sublists_owned(sublists, of);
    recount(sublists, of);
    sublists->marked = sublists->marks ? only_owner(sublists, of) : 0;
    walk_heads_share_out(&sublists->heads, of, sublists->python);
    return !any_failed(sublists) && walk_sublists_join(sublists);
}

/* ---- the whole ---- */

static bool open_workers(struct walk_sublists *sublists)
{
    const struct walk_python *python = sublists->python;
    sublists->worker_count = python->runtime->image->workers ? python->runtime->image->workers : 1;
    sublists->marker_count = sublists->worker_count < WALK_MARKERS_MAX ? sublists->worker_count : WALK_MARKERS_MAX;
    sublists->workers = walk_workers_state(sublists->worker_count, sizeof *sublists->workers);
    sublists->counters = walk_workers_state(sublists->worker_count, sizeof *sublists->counters);
    for (unsigned i = 0; sublists->workers && sublists->counters && i < sublists->worker_count; i++) {
        struct walk_sublists_worker *worker = &sublists->workers[i];
        worker->python = python;
        worker->counter = &sublists->counters[i];
        worker->stream = &sublists->stream;
        worker->type_type = python->runtime->type_type;
        if (!walk_memory_fork(python->memory, &worker->memory) ||
            !walk_measure_open(&worker->measure, sublists->measures))
            return false;
    }
    return sublists->workers && sublists->counters;
}

/* Lets go of what was needed until all was counted. */
static void end_sublists(struct walk_sublists *sublists)
{
    for (unsigned i = 0; sublists->workers && i < sublists->worker_count; i++) {
        walk_measure_close(&sublists->workers[i].measure);
        free(sublists->workers[i].alone.address);
        sublists->workers[i].alone.address = NULL;
    }
    walk_measures_close(sublists->measures);
    sublists->measures = NULL;
}

static void close_unlisted(struct walk_unlisted *unlisted)
{
    struct walk_sublists *sublists = (struct walk_sublists *)unlisted;
    end_sublists(sublists);
    for (unsigned i = 0; sublists->workers && i < sublists->worker_count; i++)
        free(sublists->workers[i].types.address);
    for (unsigned i = 0; sublists->counters && i < sublists->worker_count; i++)
        walk_counter_deinit(&sublists->counters[i]);
    free(sublists->workers);
    free(sublists->counters);
    walk_large_free(sublists->marks);
    free(sublists->splitters.sublist);
    free(sublists->splitters.slot);
    free(sublists->splitters.filter);
    walk_stream_close(&sublists->stream);
    free(sublists);
}

void walk_sublists_types(const struct walk_unlisted *unlisted, void (*each)(void *context, walk_addr type),
                         void *context)
{
    const struct walk_sublists *sublists = (const struct walk_sublists *)unlisted;
    for (unsigned w = 0; w < sublists->worker_count; w++)
        for (size_t i = 0; i < sublists->workers[w].types.count; i++)
            each(context, sublists->workers[w].types.address[i]);
}

static bool open_sublists(struct walk_sublists *sublists, const struct walk_sample *sample)
{
    struct walk_python *python = sublists->python;
    struct walk_error *error =
        walk_stream_open(&sublists->stream, python->runtime->image, walk_header_granule_bits(python));
    walk_error_free(error);
    return !error && sublists->stream.span_count && walk_stream_numbered(&sublists->stream) &&
           walk_heads_read(&sublists->heads, python) &&
           (sublists->measures = walk_measures_open(python, sample, true)) && open_workers(sublists) &&
           (sublists->first == WALK_FIRST_COUNTS || walk_sublists_clear_marks(sublists));
}

bool walk_tracked_by_sublists(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sublists *sublists = calloc(1, sizeof *sublists);
    if (!sublists)
        return false;
    sublists->unlisted = (struct walk_unlisted){walk_sublists_list, walk_sublists_types, close_unlisted};
    sublists->python = python;
    sublists->first = python->runtime->image->first;
    if (!open_sublists(sublists, sample) || !split(sublists) || !follow(sublists)) {
        close_unlisted(&sublists->unlisted);
        walk_tracked_forget(python);
        return false;
    }
    end_sublists(sublists);
    if (python->census)
        python->census->subtype_traverse = sample->subtype_traverse;
    python->unlisted = &sublists->unlisted;
    return true;
}
