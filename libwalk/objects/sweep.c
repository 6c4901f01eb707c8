/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed in a table. Who follows them in the memory waits for each object's bytes before it is
 * known where the next one is. So all memory is read once, in order of address and by several threads, and of
 * everything that looks like an object on a list it is noted where its link leads, and its type and size are counted
 * (sweep_look.c). The lists are then followed in these notes (sweep_follow.c). What is on none of them is taken out of
 * the count again, and the rest is listed if somebody wants it (sweep_list.c).
 *
 * What was noted too much does no harm, since no list leads there. If a list leads to what was not noted, or to the
 * same place twice, nothing is believed, and the lists are followed in the memory: so the result is always the same.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "objects/header.h"
#include "objects/sweep.h"

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

/* ---- what is counted that is on no list, or is not counted yet ---- */

static bool is_permanent(const struct walk_sweep *sweep, uint8_t owner)
{
    return owner == walk_heads_permanent(&sweep->heads);
}

/* Takes out of the count what is on no list, or is permanent, which is counted by itself. */
static void sort_out_notes(const struct walk_sweep *sweep, struct walk_counter *counter, struct walk_sweep_part *part)
{
    for (uint32_t i = 0; i < part->count; i++) {
        const struct walk_sweep_note *note = &part->note[i];
        uint8_t owner = walk_sweep_owner(sweep, note);
        part->to[owner]++;
        if ((owner && !is_permanent(sweep, owner)) || note->late)
            continue;
        counter->tallies[note->class].count--;
        counter->tallies[note->class].size -= note->size;
        counter->classes.class[note->class].count += owner != 0;
    }
}

/* False: out of memory. */
static bool count_late(const struct walk_sweep *sweep, struct walk_counter *counter, struct walk_sweep_note *note,
                       uint8_t owner)
{
    uint32_t class = walk_counter_enter(counter, note->type);
    if (class == WALK_NO_TYPE)
        return false;
    note->late = false;
    note->class = class;
    note->size = 0;
    if (is_permanent(sweep, owner))
        counter->classes.class[class].count++;
    else
        counter->tallies[class].count++;
    return true;
}

/* What is missing in the size of nobody's objects, or of the permanent generation's, is not missed. */
static bool sort_out_unread(const struct walk_sweep *sweep, struct walk_counter *counter, struct walk_sweep_part *part)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->unread.count; i++) {
        struct walk_unread unread = part->unread.unread[i];
        struct walk_sweep_note *note = &part->note[unread.at];
        uint8_t owner = walk_sweep_owner(sweep, note);
        if (owner && note->late && !count_late(sweep, counter, note, owner))
            return false;
        unread.class = note->class;
        if (owner && !is_permanent(sweep, owner))
            part->unread.unread[kept++] = unread;
    }
    part->unread.count = kept;
    return true;
}

/* Of the spans that one worker has noted. */
static void sort_out_parts(void *context, size_t noted_by, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[noted_by];
    struct walk_counter *counter = &sweep->counters[noted_by];
    (void)number;
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        struct walk_sweep_part *part = &sweep->parts[span];
        if (part->worker != noted_by)
            continue;
        if (sweep->all)
            part->to[1] = part->count;
        else
            sort_out_notes(sweep, counter, part);
        worker->failed |= !sort_out_unread(sweep, counter, part);
    }
}

/* Two segments that ran into each other at the same time may have marked notes in turns. False: so, or no memory. */
static bool are_sorted_out(const struct walk_sweep *sweep)
{
    uint64_t marked = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        if (sweep->workers[w].failed)
            return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        marked += sweep->parts[span].count - sweep->parts[span].to[0];
    return marked == sweep->on_lists;
}

/* Makes what was counted what is on lists. False: it is not known what that is, or there is no memory. */
static bool sort_out(struct walk_sweep *sweep)
{
    const size_t owners = walk_heads_owners(&sweep->heads);
    sweep->to = calloc(sweep->stream.span_count * owners, sizeof *sweep->to);
    if (!sweep->to)
        return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        sweep->parts[span].to = sweep->to + span * owners;
    walk_workers_run(sweep->worker_count, sweep->worker_count, sort_out_parts, sweep);
    return are_sorted_out(sweep);
}

/* ---- the whole ---- */

static bool open_worker(const struct walk_sweep *sweep, struct walk_sweep_worker *worker)
{
    worker->pages.stock = worker->unread.stock = sweep->stream.image->stock;
    worker->buffer = walk_stream_buffer(&sweep->stream, sweep->needed + WALK_SWEEP_TAIL);
    return worker->buffer && walk_measure_open(&worker->measure, sweep->measures);
}

static bool open_workers(struct walk_sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = walk_workers_state(sweep->worker_count, sizeof *sweep->workers);
    sweep->counters = walk_workers_state(sweep->worker_count, sizeof *sweep->counters);
    for (unsigned i = 0; sweep->workers && sweep->counters && i < sweep->worker_count; i++)
        if (!open_worker(sweep, &sweep->workers[i]))
            return false;
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
    sweep->measures = NULL;
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
    free(sweep->owner);
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
    if (!number_notes(sweep) || !walk_sweep_follow(sweep) || !sort_out(sweep) || !walk_sweep_count(sweep)) {
        close_sweep(sweep);
        walk_tracked_forget(python);
        return false;
    }
    end_sweep(sweep);
    python->census->subtype_traverse = sample->subtype_traverse;
    python->unlisted = &sweep->unlisted;
    return true;
}
