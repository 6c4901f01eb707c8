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

/* walk_counter_enter(), mostly out of a small cache. */
static inline uint32_t enter_class(struct walk_counter *counter, struct walk_cached_class *cache, walk_addr type)
{
    struct walk_cached_class *cached = walk_cached_class(cache, type);
    if (cached->type != type)
        *cached = (struct walk_cached_class){type, walk_counter_enter(counter, type)};
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
        if (note->owner && note->owner != walk_heads_permanent(&sweep->heads))
            part->unread.unread[kept++] = unread;
    }
    part->unread.count = kept;
}

/* False: out of memory. */
static bool classify_part(const struct walk_sweep *sweep, struct walk_counter *counter, struct walk_sweep_part *part,
                          struct walk_cached_class *cache)
{
    const walk_addr type_type = sweep->python->runtime->type_type;
    size_t of[WALK_OWNERS_MAX] = {0};
    for (uint32_t i = 0; i < part->count; i++) {
        struct walk_sweep_note *note = &part->note[i];
        uint8_t owner = walk_sweep_owner(sweep, part, i);
        note->owner = owner;
        of[owner]++;
        if (!owner)
            continue;
        part->types |= note->type == type_type;
        uint32_t class = enter_class(counter, cache, note->type);
        if (class == WALK_NO_TYPE)
            return false;
        note->class = class;
        if (owner == walk_heads_permanent(&sweep->heads)) {
            counter->classes.class[class].count++;
            continue;
        }
        counter->tallies[class].count++;
        counter->tallies[class].size += note->size;
    }
    memcpy(part->to, of, walk_heads_owners(&sweep->heads) * sizeof *part->to);
    classify_unread(sweep, part);
    return true;
}

/* Of the spans that one worker has noted. */
static void classify_parts(void *context, size_t noted_by, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[noted_by];
    struct walk_cached_class cache[WALK_CACHED_CLASSES] = {{0}}; /* 0 is no type's address */
    (void)number;
    for (size_t span = 0; span < sweep->stream.span_count && !worker->failed; span++)
        if (sweep->parts[span].worker == noted_by)
            worker->failed = !classify_part(sweep, &sweep->counters[noted_by], &sweep->parts[span], cache);
}

static bool classify(struct walk_sweep *sweep)
{
    const size_t owners = walk_heads_owners(&sweep->heads);
    sweep->to = calloc(sweep->stream.span_count * owners, sizeof *sweep->to);
    if (!sweep->to)
        return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        sweep->parts[span].to = sweep->to + span * owners;
    walk_workers_run(sweep->worker_count, sweep->worker_count, classify_parts, sweep);
    for (unsigned w = 0; w < sweep->worker_count; w++)
        if (sweep->workers[w].failed)
            return false;
    return true;
}

/* ---- the whole ---- */

static bool open_workers(struct walk_sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = walk_workers_state(sweep->worker_count, sizeof *sweep->workers);
    sweep->counters = walk_workers_state(sweep->worker_count, sizeof *sweep->counters);
    for (unsigned i = 0; sweep->workers && sweep->counters && i < sweep->worker_count; i++) {
        struct walk_sweep_worker *worker = &sweep->workers[i];
        worker->pages.stock = worker->unread.stock = sweep->stream.image->stock;
        if (!walk_measure_open(&sweep->workers[i].measure, sweep->measures) ||
            !(sweep->workers[i].buffer = walk_stream_buffer(&sweep->stream, sweep->needed + WALK_SWEEP_TAIL)))
            return false;
    }
    return sweep->workers && sweep->counters;
}

static bool open_sweep(struct walk_sweep *sweep)
{
    const struct walk_stream *stream = &sweep->stream;
    const struct walk_layout *layout = sweep->python->layout;
    if (!stream->span_count || !walk_stream_numbered(stream) || !walk_heads_read(&sweep->heads, sweep->python))
        return false;
    size_t places = stream->span_count << stream->place_bits;
    if (places > WALK_SWEEP_HEADS)
        return false;
    sweep->granule = 1u << stream->granule_bits;
    sweep->lowest = stream->stretches[0].start;
    sweep->highest = stream->stretches[stream->stretch_count - 1].end;
    sweep->needed = WALK_SIZE(layout, gc_head) + WALK_SIZE(layout, object);
    sweep->bits = walk_large_alloc(stream->image->stock, places / 64, sizeof *sweep->bits + sizeof *sweep->before);
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
    worker->buffer = NULL;
}

/* Lets go of what was needed until the lists were known. */
static void end_sweep(struct walk_sweep *sweep)
{
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        end_worker(&sweep->workers[i]);
    walk_measures_close(sweep->measures);
    walk_large_free(sweep->step);
    free(sweep->owner);
    sweep->measures = NULL;
    sweep->step = NULL;
    sweep->owner = NULL;
}

static void close_sweep(struct walk_sweep *sweep)
{
    end_sweep(sweep);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++) {
        walk_pages_deinit(&sweep->workers[i].pages);
        walk_pages_deinit(&sweep->workers[i].unread);
    }
    for (unsigned i = 0; sweep->counters && i < sweep->worker_count; i++)
        walk_counter_deinit(&sweep->counters[i]);
    free(sweep->counters);
    free(sweep->workers);
    walk_large_free(sweep->bits);
    free(sweep->parts);
    free(sweep->to);
    walk_stream_close(&sweep->stream);
    free(sweep);
}

static void close_unlisted(struct walk_unlisted *unlisted) { close_sweep((struct walk_sweep *)unlisted); }

static struct walk_sweep *new_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sweep *sweep = calloc(1, sizeof *sweep);
    if (!sweep)
        return NULL;
    sweep->unlisted = (struct walk_unlisted){walk_sweep_list, walk_sweep_types, close_unlisted};
    sweep->python = python;
    sweep->measures = walk_measures_open(python, sample, false);
    struct walk_error *error =
        walk_stream_open(&sweep->stream, python->runtime->image, walk_header_granule_bits(python));
    if (!error && open_sweep(sweep))
        return sweep;
    walk_error_free(error);
    close_sweep(sweep);
    return NULL;
}

bool walk_tracked_by_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sweep *sweep = new_sweep(python, sample);
    if (!sweep)
        return false;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, walk_sweep_look, sweep);
    if (!number_notes(sweep) || !walk_sweep_follow(sweep) || !classify(sweep) || !walk_sweep_count(sweep)) {
        close_sweep(sweep);
        walk_tracked_forget(python);
        return false;
    }
    end_sweep(sweep);
    python->census->subtype_traverse = sample->subtype_traverse;
    python->unlisted = &sweep->unlisted;
    return true;
}
