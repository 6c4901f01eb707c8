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

/* How far from its address an object is looked at, most of the time; what is further is read all the same. */
enum { TAIL = 1 << 10 };
/* Fewer are not worth it to read all memory. */
enum { MANY = 1 << 14 };
/* So many keys are worth it to read a span; fewer are looked at in the mapping. */
enum { WORTH = 1 << 4 };

struct class
{
    enum walk_sizing needs;
    uint32_t type; /* WALK_NO_TYPE: none */
    uint64_t size; /* of each object, where that is the same for all */
};

/* A dict's keys that are still to be read. */
struct rest {
    struct walk_size_keys keys;
    uint32_t class;
    uint32_t span; /* NO_SPAN: in none */
};
#define NO_SPAN UINT32_MAX

struct worker {
    _Alignas(WALK_APART) struct walk_memory memory; /* the target's, with the window of the span that is read */
    struct walk_python python;                      /* a copy with that memory, only read */
    uint8_t *buffer;
    struct walk_tally *tallies;
    struct rest *rest; /* room for one of each object that may have some */
    size_t rest_count, hint;
    bool failed;
};

struct tally {
    struct walk_python *python;
    struct walk_stream stream;
    const walk_addr *tracked; /* sorted */
    const uint32_t *class_of;
    const uint32_t *size_of; /* NULL: nothing was measured when they were found */
    size_t first, count;     /* `first`: of python->tracked */
    struct class *classes;
    size_t *span_first; /* the first object of each span, and the number of all behind the last one */
    struct rest *rest;  /* of all workers, in order of spans */
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

/* Whether its size is known from when it was found. */
static bool is_sized(const struct tally *tally, size_t object)
{
    return tally->size_of && tally->size_of[object] != WALK_UNSIZED;
}

/* ---- one after the other ---- */

/* `every`: otherwise only those whose size nobody else may ask for. */
static void add_one_by_one(const struct tally *tally, bool every, struct walk_tally *tallies)
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct class *class = &tally->classes[tally->class_of[i]];
        if (!every && (class->needs != WALK_SIZE_ALONE || is_sized(tally, i)))
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

/* Whether its bytes must be read for its size. */
static bool reads(const struct tally *tally, size_t object)
{
    enum walk_sizing needs = tally->classes[tally->class_of[object]].needs;
    return (needs == WALK_SIZE_OBJECT || needs == WALK_SIZE_KEYS) && !is_sized(tally, object);
}

/* Lets the worker's memory have a span at hand; false: it cannot be read. */
static bool open_window(const struct tally *tally, struct worker *worker, size_t span)
{
    size_t got;
    const uint8_t *bytes = walk_stream_read(&tally->stream, span, TAIL, worker->buffer, &got);
    worker->memory.window.start = tally->stream.spans[span].start;
    worker->memory.window.size = bytes ? got : 0;
    worker->memory.window.data = bytes;
    return bytes != NULL;
}

static void put_off(const struct tally *tally, struct worker *worker, const struct walk_size_keys *keys, uint32_t class)
{
    const struct walk_stretch *stretch = walk_stream_stretch(&tally->stream, keys->keys, &worker->hint);
    uint32_t span =
        stretch ? (uint32_t)(stretch->first_span + ((keys->keys - stretch->start) >> WALK_SPAN_BITS)) : NO_SPAN;
    worker->rest[worker->rest_count++] = (struct rest){*keys, class, span};
}

static void add_object(const struct tally *tally, struct worker *worker, size_t object)
{
    uint32_t number = tally->class_of[object];
    const struct class *class = &tally->classes[number];
    struct walk_tally *to = &worker->tallies[number];
    struct walk_size_keys keys;
    to->count++;
    if (is_sized(tally, object)) {
        to->size += tally->size_of[object];
        return;
    }
    to->size += class->size;
    if (!reads(tally, object))
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
    size_t read = 0;
    for (size_t i = first; i < end && read < WORTH; i++)
        read += reads(tally, i);
    worker->memory.window.size = 0;
    if (worker->failed || (read == WORTH && !open_window(tally, worker, span)))
        worker->failed = true;
    for (size_t i = first; i < end && !worker->failed; i++)
        add_object(tally, worker, i);
}

/* Those that were not at hand when the objects were found. */
static void put_off_far(struct tally *tally)
{
    const struct walk_python *python = tally->python;
    struct worker *worker = &tally->workers[0];
    for (size_t i = 0; tally->size_of && i < python->far_keys_count; i++) {
        size_t object = python->far_keys[i].object - tally->first;
        if (object < tally->count && tally->classes[tally->class_of[object]].needs == WALK_SIZE_KEYS)
            put_off(tally, worker, &python->far_keys[i].keys, tally->class_of[object]);
    }
}

static void add_keys(void *context, size_t span, unsigned number)
{
    const struct tally *tally = context;
    struct worker *worker = &tally->workers[number];
    size_t first = tally->rest_first[span], end = tally->rest_first[span + 1];
    if (first == end)
        return;
    worker->memory.window.size = 0;
    if (end - first >= WORTH)
        worker->failed |= !open_window(tally, worker, span);
    for (size_t i = first; i < end && !worker->failed; i++)
        worker->tallies[tally->rest[i].class].size += walk_size_of_keys(&worker->python, &tally->rest[i].keys);
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

/* Counting sort of what was put off; what is in no span is added here. False: out of memory. */
static bool sort_rest(struct tally *tally)
{
    size_t spans = tally->stream.span_count, sum = 0;
    size_t *next = calloc(spans + 1, sizeof *next);
    tally->rest_first = calloc(spans + 1, sizeof *tally->rest_first);
    for (unsigned w = 0; w < tally->worker_count && next; w++)
        for (size_t i = 0; i < tally->workers[w].rest_count; i++)
            if (tally->workers[w].rest[i].span != NO_SPAN)
                next[tally->workers[w].rest[i].span + 1]++;
    for (size_t span = 0; span <= spans && next && tally->rest_first; span++)
        next[span] = tally->rest_first[span] = sum += next[span];
    tally->rest = walk_large_alloc(sum + 1, sizeof *tally->rest);
    bool good = next && tally->rest_first && tally->rest;
    for (unsigned w = 0; w < tally->worker_count && good; w++) {
        struct worker *worker = &tally->workers[w];
        for (size_t i = 0; i < worker->rest_count; i++) {
            const struct rest *rest = &worker->rest[i];
            if (rest->span == NO_SPAN)
                worker->tallies[rest->class].size += walk_size_of_keys(&worker->python, &rest->keys);
            else
                tally->rest[next[rest->span]++] = *rest;
        }
    }
    free(next);
    return good;
}

static bool open_workers(struct tally *tally)
{
    struct walk_python *python = tally->python;
    size_t most = 1;
    for (uint32_t i = 0; i < python->classes.count; i++)
        most += tally->classes[i].needs == WALK_SIZE_KEYS ? python->classes.class[i].count : 0;
    tally->worker_count = tally->stream.image->workers ? tally->stream.image->workers : 1;
    tally->workers = walk_workers_state(tally->worker_count, sizeof *tally->workers);
    for (unsigned i = 0; tally->workers && i < tally->worker_count; i++) {
        struct worker *worker = &tally->workers[i];
        worker->python = *python;
        worker->python.memory = &worker->memory;
        worker->buffer = walk_stream_buffer(TAIL);
        worker->rest = walk_large_alloc(most, sizeof *worker->rest);
        worker->tallies = calloc((size_t)python->classes.count + 1, sizeof *worker->tallies);
        if (!walk_memory_fork(python->memory, &worker->memory) || !worker->buffer || !worker->tallies || !worker->rest)
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

/* False: nothing was added. */
static bool add_in_order(struct tally *tally, struct walk_tally *tallies)
{
    size_t spans = tally->stream.span_count;
    if (tally->count < MANY || !open_workers(tally) || !find_spans(tally))
        return false;
    put_off_far(tally);
    walk_workers_run(tally->worker_count, spans, add_span, tally);
    if (any_failed(tally) || !sort_rest(tally))
        return false;
    walk_workers_run(tally->worker_count, spans, add_keys, tally);
    if (any_failed(tally))
        return false;
    for (unsigned w = 0; w < tally->worker_count; w++) {
        for (uint32_t i = 0; i < tally->python->classes.count; i++) {
            tallies[i].count += tally->workers[w].tallies[i].count;
            tallies[i].size += tally->workers[w].tallies[i].size;
        }
    }
    add_one_by_one(tally, false, tallies);
    return true;
}

static void close_tally(struct tally *tally)
{
    for (unsigned i = 0; tally->workers && i < tally->worker_count; i++) {
        walk_large_free(tally->workers[i].buffer);
        free(tally->workers[i].tallies);
        walk_large_free(tally->workers[i].rest);
    }
    free(tally->workers);
    free(tally->classes);
    free(tally->span_first);
    walk_large_free(tally->rest);
    free(tally->rest_first);
    walk_stream_close(&tally->stream);
}

struct walk_error *walk_tally(struct walk_python *python, size_t first, size_t count, struct walk_tally *tallies)
{
    enum { GRANULE_BITS = 3 };
    struct tally tally = {.python = python,
                          .tracked = python->tracked + first,
                          .class_of = python->tracked_class + first,
                          .size_of = python->tracked_size ? python->tracked_size + first : NULL,
                          .first = first,
                          .count = count,
                          .classes = open_classes(python)};
    struct walk_error *error = walk_stream_open(&tally.stream, python->runtime->image, GRANULE_BITS);
    if (!error && !tally.classes)
        error = walk_error_no_memory();
    if (!error && !add_in_order(&tally, tallies))
        add_one_by_one(&tally, true, tallies);
    close_tally(&tally);
    return error;
}
