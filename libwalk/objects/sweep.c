/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed in a table. Who follows them in the memory waits for each object's bytes before it is
 * known where the next one is. So all memory is read once, in order of address and by several threads, and of
 * everything that looks like an object on a list three things are noted: where its link leads, its ob_type and its
 * size (sweep_look.c). The lists are then followed in these notes (sweep_follow.c), what is on them is counted, and
 * listed if somebody wants it (sweep_list.c).
 *
 * What was noted too much does no harm, since no list leads there. If a list leads to what was not noted, or to the
 * same place twice, nothing is believed, and the lists are followed in the memory: so the result is always the same.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "objects/header.h"
#include "objects/sweep.h"
#include "objects/tracked.h"

/* False: the lists are not what they are at other times, or there are too many. */
static bool read_heads(struct walk_sweep *sweep)
{
    struct walk_python *python = sweep->python;
    bool shared = walk_runtime_shares_collector(python->runtime);
    sweep->collector_count = shared ? 1 : python->interpreter_count;
    sweep->owner_count = sweep->collector_count + 2;
    if (sweep->collector_count * WALK_SWEEP_LISTS >= WALK_SWEEP_HEADS_MAX ||
        !(sweep->collectors = calloc(sweep->collector_count, sizeof *sweep->collectors)))
        return false;
    for (size_t i = 0; i < sweep->collector_count; i++) {
        walk_runtime_collector(python->runtime, python->interpreters[i].address, &sweep->collectors[i]);
        if (sweep->collectors[i].collecting)
            return false;
    }
    sweep->first_head = UINT64_MAX;
    for (size_t i = 0; i < sweep->collector_count * WALK_SWEEP_LISTS; i++) {
        walk_addr head = walk_sweep_head_at(sweep, i);
        if (head && head < sweep->first_head)
            sweep->first_head = head;
        if (head > sweep->last_head)
            sweep->last_head = head;
    }
    return true;
}

/* ---- what is on lists: its classes, and how large it is ---- */

/* False: not everything was looked at, or there are too many notes. */
static bool number_notes(struct walk_sweep *sweep)
{
    uint64_t count = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        if (sweep->workers[w].failed)
            return false;
    for (size_t i = 0; i < sweep->stream.span_count; i++) {
        sweep->parts[i].first = (uint32_t)count;
        count += sweep->parts[i].count;
    }
    sweep->count = (uint32_t)count;
    return count < WALK_SWEEP_HEADS;
}

enum { CACHED_CLASSES = 1 << 8 };
struct cached_class {
    walk_addr type;
    uint32_t number;
};

/* The number of a class of the worker, which has a tally then; WALK_NO_TYPE: out of memory. */
static uint32_t new_class(struct walk_sweep_worker *worker, walk_addr type)
{
    uint32_t class, capacity = worker->classes.capacity;
    if (!walk_classes_enter(&worker->classes, type, &class))
        return WALK_NO_TYPE;
    if (capacity == worker->classes.capacity)
        return class;
    struct walk_tally *tallies = realloc(worker->tallies, worker->classes.capacity * sizeof *tallies);
    if (!tallies)
        return WALK_NO_TYPE;
    memset(tallies + capacity, 0, (worker->classes.capacity - capacity) * sizeof *tallies);
    worker->tallies = tallies;
    return class;
}

/* The same, mostly out of a small cache. */
static inline uint32_t enter_class(struct walk_sweep_worker *worker, struct cached_class *cache, walk_addr type)
{
    struct cached_class *cached = &cache[(type >> 4 ^ type >> 12) % CACHED_CLASSES];
    if (cached->type != type)
        *cached = (struct cached_class){type, new_class(worker, type)};
    return cached->number;
}

/* What is missing in the size of nobody's objects, or of the permanent generation's, is not missed. */
static void classify_unread(const struct walk_sweep *sweep, struct walk_sweep_part *part)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->unread.count; i++) {
        struct walk_unread unread = part->unread.unread[i];
        const struct walk_sweep_note *note = &part->note[unread.at];
        unread.class = note->class;
        if (note->owner && note->owner <= sweep->collector_count)
            part->unread.unread[kept++] = unread;
    }
    part->unread.count = kept;
}

/* False: out of memory. */
static bool classify_part(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                          struct walk_sweep_part *part, struct cached_class *cache)
{
    const walk_addr type_type = sweep->python->runtime->type_type;
    size_t of[WALK_SWEEP_OWNERS_MAX] = {0};
    for (uint32_t i = 0; i < part->count; i++) {
        struct walk_sweep_note *note = &part->note[i];
        uint8_t owner = walk_sweep_owner(sweep, part, i);
        note->owner = owner;
        of[owner]++;
        if (!owner)
            continue;
        part->types |= note->type == type_type;
        uint32_t class = enter_class(worker, cache, note->type);
        if (class == WALK_NO_TYPE)
            return false;
        note->class = class;
        worker->classes.class[class].count++;
        if (owner > sweep->collector_count)
            continue;
        worker->tallies[class].count++;
        worker->tallies[class].size += note->size;
    }
    memcpy(part->to, of, sweep->owner_count * sizeof *part->to);
    classify_unread(sweep, part);
    return true;
}

/* Of the spans that one worker has noted. */
static void classify_parts(void *context, size_t noted_by, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[noted_by];
    struct cached_class cache[CACHED_CLASSES] = {{0}}; /* 0 is no type's address */
    (void)number;
    for (size_t span = 0; span < sweep->stream.span_count && !worker->failed; span++)
        if (sweep->parts[span].worker == noted_by)
            worker->failed = !classify_part(sweep, worker, &sweep->parts[span], cache);
}

static int by_type(const void *a, const void *b)
{
    const struct walk_class *x = a, *y = b;
    return (x->type > y->type) - (x->type < y->type);
}

/* All that any worker met, in order of address: who met which first is not to be seen in them. */
static bool collect_classes(const struct walk_sweep *sweep, struct walk_classes *all)
{
    struct walk_classes met = {0};
    uint32_t number;
    bool good = true;
    for (unsigned w = 0; w < sweep->worker_count && good; w++)
        for (uint32_t i = 0; i < sweep->workers[w].classes.count && good; i++)
            good = walk_classes_enter(&met, sweep->workers[w].classes.class[i].type, &number);
    if (met.count)
        qsort(met.class, met.count, sizeof *met.class, by_type);
    for (uint32_t i = 0; i < met.count && good; i++)
        good = walk_classes_enter(all, met.class[i].type, &number);
    walk_classes_deinit(&met);
    return good;
}

static bool number_classes(struct walk_sweep_worker *worker, struct walk_classes *all)
{
    bool good = !worker->failed && (worker->number = calloc((size_t)worker->classes.count + 1, sizeof *worker->number));
    for (uint32_t i = 0; i < worker->classes.count && good; i++) {
        const struct walk_class *class = &worker->classes.class[i];
        good = walk_classes_enter(all, class->type, &worker->number[i]);
        if (good)
            all->class[worker->number[i]].count += class->count;
    }
    return good;
}

static bool classify(struct walk_sweep *sweep)
{
    sweep->to = calloc(sweep->stream.span_count * sweep->owner_count, sizeof *sweep->to);
    if (!sweep->to)
        return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        sweep->parts[span].to = sweep->to + span * sweep->owner_count;
    walk_workers_run(sweep->worker_count, sweep->worker_count, classify_parts, sweep);
    bool good = collect_classes(sweep, &sweep->python->classes);
    for (unsigned w = 0; w < sweep->worker_count && good; w++)
        good = number_classes(&sweep->workers[w], &sweep->python->classes);
    return good;
}

/* ---- the whole ---- */

static bool open_workers(struct walk_sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = walk_workers_state(sweep->worker_count, sizeof *sweep->workers);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        if (!walk_measure_open(&sweep->workers[i].measure, sweep->measures) ||
            !(sweep->workers[i].buffer = walk_stream_buffer(sweep->needed + WALK_SWEEP_TAIL)))
            return false;
    return sweep->workers != NULL;
}

static bool open_sweep(struct walk_sweep *sweep)
{
    const struct walk_stream *stream = &sweep->stream;
    const struct walk_layout *layout = sweep->python->layout;
    if (!stream->span_count || !walk_stream_numbered(stream) || !read_heads(sweep))
        return false;
    size_t places = stream->span_count << stream->place_bits;
    if (places > WALK_SWEEP_HEADS)
        return false;
    sweep->granule = 1u << stream->granule_bits;
    sweep->lowest = stream->stretches[0].start;
    sweep->highest = stream->stretches[stream->stretch_count - 1].end;
    sweep->needed = WALK_SIZE(layout, gc_head) + WALK_SIZE(layout, object);
    sweep->bits = walk_large_alloc(places / 64, sizeof *sweep->bits + sizeof *sweep->before);
    if (!sweep->bits)
        return false;
    memset(sweep->bits, 0, places / 64 * sizeof *sweep->bits);
    sweep->before = (uint16_t *)(sweep->bits + places / 64);
    sweep->parts = calloc(stream->span_count, sizeof *sweep->parts);
    return sweep->parts && sweep->measures && open_workers(sweep);
}

static void end_worker(struct walk_sweep_worker *worker)
{
    walk_large_free(worker->buffer);
    walk_measure_close(&worker->measure);
    free(worker->tallies);
    walk_classes_deinit(&worker->classes);
    worker->buffer = NULL;
    worker->tallies = NULL;
}

void walk_sweep_end(struct walk_sweep *sweep)
{
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        end_worker(&sweep->workers[i]);
    walk_measures_close(sweep->measures);
    free(sweep->collectors);
    walk_large_free(sweep->step);
    free(sweep->owner);
    sweep->measures = NULL;
    sweep->collectors = NULL;
    sweep->step = NULL;
    sweep->owner = NULL;
}

void walk_sweep_close(struct walk_sweep *sweep)
{
    if (!sweep)
        return;
    walk_sweep_end(sweep);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++) {
        walk_pages_deinit(&sweep->workers[i].pages);
        walk_pages_deinit(&sweep->workers[i].unread);
        free(sweep->workers[i].number);
    }
    free(sweep->workers);
    walk_large_free(sweep->bits);
    free(sweep->parts);
    free(sweep->to);
    walk_stream_close(&sweep->stream);
    free(sweep);
}

/* The allocator aligns to 8 bytes up to 3.7 and with words of 4 bytes, else to 16. */
static unsigned granule_bits(const struct walk_python *python)
{
    return python->word == 4 || WALK_HAS(python->layout, gc_head, refs) ? 3 : 4;
}

static struct walk_sweep *new_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sweep *sweep = calloc(1, sizeof *sweep);
    if (!sweep)
        return NULL;
    sweep->python = python;
    sweep->measures = walk_measures_open(python, sample);
    struct walk_error *error = walk_stream_open(&sweep->stream, python->runtime->image, granule_bits(python));
    if (!error && open_sweep(sweep))
        return sweep;
    walk_error_free(error);
    walk_sweep_close(sweep);
    return NULL;
}

static void forget(struct walk_python *python)
{
    walk_census_free(python->census);
    walk_classes_deinit(&python->classes);
    python->census = NULL;
    python->tracked_count = python->permanent_count = 0;
}

bool walk_tracked_by_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sweep *sweep = new_sweep(python, sample);
    if (!sweep)
        return false;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, walk_sweep_look, sweep);
    if (!number_notes(sweep) || !walk_sweep_follow(sweep) || !classify(sweep) || !walk_sweep_count(sweep)) {
        walk_sweep_close(sweep);
        forget(python);
        return false;
    }
    walk_sweep_end(sweep);
    python->census->subtype_traverse = sample->subtype_traverse;
    python->unlisted = sweep;
    return true;
}
