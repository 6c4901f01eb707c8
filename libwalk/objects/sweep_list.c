/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep has found on the lists: how much that is, and, when somebody wants them, the objects. */
#include <stdlib.h>

#include "objects/sweep.h"

/* ---- counting ---- */

/* Where each owner's objects go; sets what is known of them. */
static void lay_out(struct walk_sweep *sweep)
{
    size_t sum = 0, of[WALK_OWNERS_MAX] = {0};
    for (size_t owner = 1; owner < walk_heads_owners(&sweep->heads); owner++)
        for (size_t span = 0; span < sweep->stream.span_count; span++) {
            size_t count = sweep->parts[span].to[owner];
            sweep->parts[span].to[owner] = sum;
            sum += count;
            of[owner] += count;
        }
    walk_heads_share_out(&sweep->heads, of, sweep->python);
}

/* What could not be measured goes into the census. */
static void take_unread(struct walk_sweep *sweep)
{
    struct walk_census *census = sweep->python->census;
    for (unsigned w = 0; w < sweep->worker_count; w++) {
        census->pages[census->page_count++] = sweep->workers[w].unread;
        sweep->workers[w].unread = (struct walk_pages){0};
    }
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        const struct walk_sweep_part *part = &sweep->parts[span];
        for (size_t i = 0; i < part->unread.count; i++)
            part->unread.unread[i].class = sweep->counters[part->worker].number[part->unread.unread[i].class];
        census->lists[census->list_count++] = part->unread;
    }
}

bool walk_sweep_count(struct walk_sweep *sweep)
{
    lay_out(sweep);
    if (!walk_counters_join(sweep->counters, sweep->worker_count, sweep->python, sweep->stream.span_count))
        return false;
    take_unread(sweep);
    return true;
}

/* ---- listing ---- */

/* What is done with each object of a span; `owner` is not 0. */
typedef void each(void *context, const struct walk_sweep_part *part, const struct walk_sweep_note *note,
                  walk_addr object);

static inline void visit_span(const struct walk_sweep *sweep, size_t span, each *each, void *context)
{
    const struct walk_sweep_part *part = &sweep->parts[span];
    uint32_t head = WALK_SIZE(sweep->python->layout, gc_head), i = 0;
    size_t first = span * walk_sweep_words(sweep);
    for (size_t word = first; word < first + walk_sweep_words(sweep); word++)
        for (uint64_t bits = sweep->bits[word]; bits; bits &= bits - 1, i++) {
            uint32_t place = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            if (walk_sweep_owner(sweep, &part->note[i]))
                each(context, part, &part->note[i], walk_stream_address(&sweep->stream, place) + head);
        }
}

static inline uint32_t class_of(const struct walk_sweep *sweep, const struct walk_sweep_part *part,
                                const struct walk_sweep_note *note)
{
    return sweep->counters[part->worker].number[note->class];
}

static inline void put(void *context, const struct walk_sweep_part *part, const struct walk_sweep_note *note,
                       walk_addr object)
{
    const struct walk_sweep *sweep = context;
    size_t to = part->to[walk_sweep_owner(sweep, note)]++;
    sweep->python->tracked[to] = object;
    sweep->python->tracked_class[to] = class_of(sweep, part, note);
}

static void list_span(void *context, size_t span, unsigned number)
{
    (void)number;
    visit_span(context, span, put, context);
}

bool walk_sweep_list(struct walk_unlisted *unlisted)
{
    struct walk_sweep *sweep = (struct walk_sweep *)unlisted;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, list_span, sweep);
    return true;
}

/* ---- types ---- */

struct types {
    const struct walk_sweep *sweep;
    void (*each)(void *context, walk_addr type);
    void *context;
};

static void take_type(void *context, const struct walk_sweep_part *part, const struct walk_sweep_note *note,
                      walk_addr object)
{
    const struct types *types = context;
    const struct walk_python *python = types->sweep->python;
    if (python->classes.class[class_of(types->sweep, part, note)].type == python->runtime->type_type)
        types->each(types->context, object);
}

void walk_sweep_types(const struct walk_unlisted *unlisted, void (*each)(void *context, walk_addr type), void *context)
{
    const struct walk_sweep *sweep = (const struct walk_sweep *)unlisted;
    struct types types = {sweep, each, context};
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        if (sweep->parts[span].types)
            visit_span(sweep, span, take_type, &types);
}
