/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects and bytes per class. Of many types each object has the same size, which costs nothing. Other objects are read
 * in order of address; the keys of dicts with them, if they are near, else after them, likewise: so hardly anything
 * that is anywhere in the memory is waited for.
 */
#include "objects/tally.h"

#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/stream.h"
#include "bytes/workers.h"
#include "objects/measure.h"
#include "objects/tracked.h"

/* How far from its address an object is looked at, most of the time; what is further is read all the same. */
enum { TAIL = 1 << 10 };
/* Fewer are not worth it to read all memory. */
enum { MANY = 1 << 14 };
/* Keys are read by pages of this size, of which a word has a bit for each of a span; so many between two are read too.
 */
enum { PAGE = WALK_SPAN / 64, GAP = 2 };

struct class
{
    enum walk_sizing needs;
    uint32_t type; /* WALK_NO_TYPE: none */
    uint64_t size; /* of each object, where that is the same for all */
};

/* In place of a span: keys that are in none. */
#define NO_SPAN UINT32_MAX

struct worker {
    _Alignas(WALK_APART) struct walk_memory memory; /* the target's, with the window of the span that is read */
    struct walk_python python;                      /* a copy with that memory, only read */
    uint8_t *buffer;
    struct walk_tally *tallies;
    struct walk_unread_list rest; /* dicts' keys that are still to be read; room for those of all dicts */
    size_t hint;
    bool failed;
};

struct tally {
    struct walk_python *python;
    struct walk_stream stream;
    const walk_addr *tracked; /* sorted */
    const uint32_t *class_of;
    size_t count;
    struct class *classes;
    size_t *span_first;       /* the first object of each span, and the number of all behind the last one */
    struct walk_unread *rest; /* all keys that are still to be read, in order of spans */
    size_t *rest_first;
    struct worker *workers;
    unsigned worker_count;
};

/* ---- classes ---- */

static struct class *open_classes(struct walk_python *python)
{
    struct class *classes = calloc((size_t)python->classes.count + 1, sizeof *classes);
    for (uint32_t i = 0; classes && i < python->classes.count; i++) {
        struct walk_size_keys keys;
        classes[i] = (struct class){.type = WALK_NO_TYPE};
        if (!python->classes.class[i].count || !walk_python_class_type(python, i, &classes[i].type))
            continue;
        classes[i].needs = walk_size_needs(&python->types[classes[i].type]);
        if (classes[i].needs == WALK_SIZE_TYPE)
            classes[i].size = walk_size_but_keys(python, 0, &python->types[classes[i].type], &keys);
    }
    return classes;
}

/* ---- one after the other ---- */

/* `every`: otherwise only those whose size nobody else may ask for. */
static void add_one_by_one(const struct tally *tally, bool every, struct walk_tally *tallies)
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct class *class = &tally->classes[tally->class_of[i]];
        if (!every && class->needs != WALK_SIZE_ALONE)
            continue;
        struct walk_tally *to = &tallies[tally->class_of[i]];
        to->count += every;
        if (class->type != WALK_NO_TYPE)
            to->size += class->needs == WALK_SIZE_TYPE
                            ? class->size
                            : walk_object_size(tally->python, tally->tracked[i], class->type);
    }
}

/* ---- by several, in order of address ---- */

/* Lets the worker's memory have some bytes of a span at hand; false: they cannot be read. */
static bool open_window(const struct tally *tally, struct worker *worker, size_t span, walk_addr start, size_t size)
{
    size_t got;
    const uint8_t *bytes = walk_stream_piece(&tally->stream, span, start, size, worker->buffer, &got);
    walk_memory_look_through(&worker->memory, (struct walk_piece){start, bytes ? got : 0, bytes});
    return bytes != NULL;
}

static uint32_t span_of(const struct tally *tally, struct worker *worker, walk_addr address)
{
    const struct walk_stretch *stretch = walk_stream_stretch(&tally->stream, address, &worker->hint);
    return stretch ? (uint32_t)(stretch->first_span + ((address - stretch->start) >> WALK_SPAN_BITS)) : NO_SPAN;
}

static void put_off(const struct tally *tally, struct worker *worker, const struct walk_size_keys *keys, uint32_t class)
{
    worker->rest.unread[worker->rest.count++] =
        (struct walk_unread){.dict = *keys, .class = class, .at = span_of(tally, worker, keys->keys)};
}

static void add_object(const struct tally *tally, struct worker *worker, size_t object)
{
    uint32_t number = tally->class_of[object];
    const struct class *class = &tally->classes[number];
    struct walk_tally *to = &worker->tallies[number];
    struct walk_size_keys keys;
    to->count++;
    to->size += class->size;
    if (class->needs != WALK_SIZE_OBJECT && class->needs != WALK_SIZE_KEYS)
        return;
    to->size += walk_size_but_keys(&worker->python, tally->tracked[object], &tally->python->types[class->type], &keys);
    if (keys.keys - worker->memory.window.start < worker->memory.window.size)
        to->size += walk_size_of_keys(&worker->python, &keys);
    else if (keys.keys)
        put_off(tally, worker, &keys, number);
}

static void add_span(void *context, size_t span, unsigned number)
{
    const struct tally *tally = context;
    struct worker *worker = &tally->workers[number];
    size_t first = tally->span_first[span], end = tally->span_first[span + 1];
    bool reads = false;
    for (size_t i = first; i < end && !reads; i++)
        reads = tally->classes[tally->class_of[i]].needs != WALK_SIZE_TYPE;
    if (worker->failed || (reads && !open_window(tally, worker, span, tally->stream.spans[span].start,
                                                 tally->stream.spans[span].size + TAIL)))
        worker->failed = true;
    for (size_t i = first; i < end && !worker->failed; i++)
        add_object(tally, worker, i);
}

/* The bits of the pages of a span that keys stand on. */
static uint64_t pages_of_keys(const struct tally *tally, size_t span, size_t first, size_t end)
{
    uint64_t pages = 0;
    for (size_t i = first; i < end; i++)
        pages |= UINT64_C(1) << ((tally->rest[i].dict.keys - tally->stream.spans[span].start) / PAGE);
    return pages;
}

/* Takes the first pages that are worth one read out of them; returns how many there are from page `*from` on. */
static unsigned take_run(uint64_t *pages, unsigned *from)
{
    unsigned end = *from = (unsigned)__builtin_ctzll(*pages);
    uint64_t rest = *pages >> end;
    while (rest && (unsigned)__builtin_ctzll(rest) <= GAP) {
        unsigned step = (unsigned)__builtin_ctzll(rest) + 1;
        end += step;
        rest = step < 64 ? rest >> step : 0;
    }
    *pages = end < 64 ? rest << end : 0;
    return end - *from;
}

/* Hardly any page has keys: only those are read. */
static void add_keys(void *context, size_t span, unsigned number)
{
    const struct tally *tally = context;
    struct worker *worker = &tally->workers[number];
    size_t first = tally->rest_first[span], end = tally->rest_first[span + 1];
    unsigned from, count;
    for (uint64_t pages = pages_of_keys(tally, span, first, end); pages && !worker->failed;) {
        count = take_run(&pages, &from);
        walk_addr start = tally->stream.spans[span].start + (walk_addr)from * PAGE;
        worker->failed = !open_window(tally, worker, span, start, (size_t)count * PAGE + TAIL);
        for (size_t i = first; i < end && !worker->failed; i++)
            if (tally->rest[i].dict.keys - start < (walk_addr)count * PAGE)
                worker->tallies[tally->rest[i].class].size += walk_size_of_keys(&worker->python, &tally->rest[i].dict);
    }
}

/* Where the objects of each span begin. False: some are in no span. */
static bool find_spans(struct tally *tally)
{
    const struct walk_stream *stream = &tally->stream;
    size_t object = 0;
    tally->span_first = calloc(stream->span_count + 1, sizeof *tally->span_first);
    if (!tally->span_first)
        return false;
    for (size_t span = 0; span < stream->span_count; span++) {
        walk_addr start = stream->spans[span].start, end = start + stream->spans[span].size;
        tally->span_first[span] = object;
        if (object < tally->count && tally->tracked[object] < start)
            return false;
        while (object < tally->count && tally->tracked[object] < end)
            object++;
    }
    tally->span_first[stream->span_count] = object;
    return object == tally->count;
}

/* Counting sort of the keys in some lists, by their spans; those in none are added here. False: out of memory. */
static bool sort_rest(struct tally *tally, const struct walk_unread_list *lists, size_t list_count)
{
    size_t spans = tally->stream.span_count, sum = 0;
    size_t *next = calloc(spans + 1, sizeof *next);
    struct worker *worker = &tally->workers[0];
    tally->rest_first = calloc(spans + 1, sizeof *tally->rest_first);
    for (size_t list = 0; list < list_count && next; list++)
        for (size_t i = 0; i < lists[list].count; i++)
            if (lists[list].unread[i].dict.keys && lists[list].unread[i].at != NO_SPAN)
                next[lists[list].unread[i].at + 1]++;
    for (size_t span = 0; span <= spans && next && tally->rest_first; span++)
        next[span] = tally->rest_first[span] = sum += next[span];
    tally->rest = walk_large_alloc(tally->stream.image->stock, sum + 1, sizeof *tally->rest);
    bool good = next && tally->rest_first && tally->rest;
    for (size_t list = 0; list < list_count && good; list++)
        for (size_t i = 0; i < lists[list].count; i++) {
            const struct walk_unread *unread = &lists[list].unread[i];
            if (unread->dict.keys && unread->at == NO_SPAN)
                worker->tallies[unread->class].size += walk_size_of_keys(&worker->python, &unread->dict);
            else if (unread->dict.keys)
                tally->rest[next[unread->at]++] = *unread;
        }
    free(next);
    return good;
}

static size_t count_with_keys(const struct tally *tally)
{
    size_t count = 0;
    for (uint32_t i = 0; i < tally->python->classes.count; i++)
        count += tally->classes[i].needs == WALK_SIZE_KEYS ? tally->python->classes.class[i].count : 0;
    return count;
}

/* `most`: as many keys may be put off by each. */
static bool open_workers(struct tally *tally, size_t most)
{
    struct walk_python *python = tally->python;
    tally->worker_count = tally->stream.image->workers ? tally->stream.image->workers : 1;
    tally->workers = walk_workers_state(tally->worker_count, sizeof *tally->workers);
    for (unsigned i = 0; tally->workers && i < tally->worker_count; i++) {
        struct worker *worker = &tally->workers[i];
        worker->python = *python;
        worker->python.memory = &worker->memory;
        worker->buffer = walk_stream_buffer(&tally->stream, TAIL);
        worker->rest.unread = walk_large_alloc(tally->stream.image->stock, most + 1, sizeof *worker->rest.unread);
        worker->tallies = calloc((size_t)python->classes.count + 1, sizeof *worker->tallies);
        if (!walk_memory_fork(python->memory, &worker->memory) || !worker->buffer || !worker->tallies ||
            !worker->rest.unread)
            return false;
    }
    return tally->workers != NULL;
}

static bool any_failed(const struct tally *tally)
{
    for (unsigned i = 0; i < tally->worker_count; i++)
        if (tally->workers[i].failed)
            return true;
    return false;
}

/* Reads the keys in some lists, and gathers what the workers have. False: nothing was added. */
static bool finish(struct tally *tally, const struct walk_unread_list *lists, size_t list_count,
                   struct walk_tally *tallies)
{
    if (!sort_rest(tally, lists, list_count))
        return false;
    walk_workers_run(tally->worker_count, tally->stream.span_count, add_keys, tally);
    if (any_failed(tally))
        return false;
    for (unsigned w = 0; w < tally->worker_count; w++) {
        for (uint32_t i = 0; i < tally->python->classes.count; i++) {
            tallies[i].count += tally->workers[w].tallies[i].count;
            tallies[i].size += tally->workers[w].tallies[i].size;
        }
    }
    return true;
}

/* False: nothing was added. */
static bool add_in_order(struct tally *tally, struct walk_tally *tallies)
{
    if (tally->count < MANY || !open_workers(tally, count_with_keys(tally)) || !find_spans(tally))
        return false;
    walk_workers_run(tally->worker_count, tally->stream.span_count, add_span, tally);
    struct walk_unread_list *lists = any_failed(tally) ? NULL : calloc(tally->worker_count, sizeof *lists);
    for (unsigned i = 0; lists && i < tally->worker_count; i++)
        lists[i] = tally->workers[i].rest;
    bool good = lists && finish(tally, lists, tally->worker_count, tallies);
    free(lists);
    if (good)
        add_one_by_one(tally, false, tallies);
    return good;
}

/* ---- what a sweep has measured ---- */

/* In which spans the keys of a list are. */
static void place_list(void *context, size_t list, unsigned number)
{
    const struct tally *tally = context;
    const struct walk_unread_list *all = &tally->python->census->lists[list];
    for (size_t i = 0; i < all->count; i++)
        all->unread[i].at = span_of(tally, &tally->workers[number], all->unread[i].dict.keys);
}

/* Of objects all of whose size is missing. */
static void add_unread_objects(const struct tally *tally, const struct walk_unread_list *list)
{
    struct walk_python *python = tally->python;
    for (size_t i = 0; i < list->count; i++) {
        const struct walk_unread *unread = &list->unread[i];
        uint32_t type = tally->classes[unread->class].type;
        if (!unread->no_keys && type != WALK_NO_TYPE)
            tally->workers[0].tallies[unread->class].size += walk_object_size(python, unread->object, type);
    }
}

/* False: nothing was added. */
static bool add_census(struct tally *tally, struct walk_tally *tallies)
{
    struct walk_python *python = tally->python;
    const struct walk_census *census = python->census;
    if (!open_workers(tally, 0))
        return false;
    memcpy(tally->workers[0].tallies, census->tallies, python->classes.count * sizeof *census->tallies);
    for (size_t i = 0; i < census->list_count; i++)
        add_unread_objects(tally, &census->lists[i]);
    walk_workers_run(tally->worker_count, census->list_count, place_list, tally);
    return finish(tally, census->lists, census->list_count, tallies);
}

void walk_census_free(struct walk_census *census)
{
    if (!census)
        return;
    for (unsigned i = 0; i < census->page_count; i++)
        walk_pages_deinit(&census->pages[i]);
    free(census->pages);
    free(census->lists);
    free(census->tallies);
    free(census);
}

/* ---- the whole ---- */

static void close_tally(struct tally *tally)
{
    for (unsigned i = 0; tally->workers && i < tally->worker_count; i++) {
        walk_large_free(tally->workers[i].buffer);
        free(tally->workers[i].tallies);
        walk_large_free(tally->workers[i].rest.unread);
    }
    free(tally->workers);
    free(tally->classes);
    free(tally->span_first);
    walk_large_free(tally->rest);
    free(tally->rest_first);
    walk_stream_close(&tally->stream);
}

static struct walk_error *open_tally(struct tally *tally, struct walk_python *python, size_t first, size_t count)
{
    enum { GRANULE_BITS = 3 };
    *tally = (struct tally){.python = python,
                            .tracked = python->tracked + first,
                            .class_of = python->tracked_class + first,
                            .count = count,
                            .classes = open_classes(python)};
    struct walk_error *error = walk_stream_open(&tally->stream, python->runtime->image, GRANULE_BITS);
    return error || tally->classes ? error : walk_error_no_memory();
}

/* Of some of the tracked objects, which are in order of address. */
static struct walk_error *add_some(struct walk_python *python, size_t first, size_t count, struct walk_tally *tallies)
{
    struct tally tally;
    struct walk_error *error = open_tally(&tally, python, first, count);
    if (!error && !add_in_order(&tally, tallies))
        add_one_by_one(&tally, true, tallies);
    close_tally(&tally);
    return error;
}

/* Of all, if a sweep has measured them. False: nothing was added. */
static bool add_measured(struct walk_python *python, struct walk_tally *tallies)
{
    struct tally tally;
    if (!python->census)
        return false;
    struct walk_error *error = open_tally(&tally, python, 0, 0);
    bool good = !error && add_census(&tally, tallies);
    close_tally(&tally);
    walk_error_free(error);
    return good;
}

struct walk_error *walk_tally(struct walk_python *python, struct walk_tally *tallies)
{
    size_t first = 0, end = python->tracked_count - python->permanent_count;
    struct walk_error *error = NULL;
    if (add_measured(python, tallies))
        return NULL;
    if (!walk_tracked_list(python))
        return walk_error_no_memory();
    for (size_t i = 0; i < python->interpreter_count && !error; i++) {
        size_t count = python->interpreters[i].tracked_count;
        error = add_some(python, first, count, tallies);
        first += count;
    }
    if (!error && first < end) /* all share one collector */
        error = add_some(python, first, end - first, tallies);
    return error;
}
