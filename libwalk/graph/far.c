/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of nodes that stand far from them. When all nodes of a round are visited these parts are dealt to the regions
 * that they stand in, and visited region by region: so all that is read is read from one end to the other.
 */
#include <stdlib.h>

#include "graph/builder.h"

/* How many parts ahead are fetched. */
enum { AHEAD = 16 };

struct far {
    struct walk_builder *builder;
    size_t first_block, first_group; /* of the round */
    struct walk_far_place *place;    /* of all parts of the round, group by group */
};

static _Atomic uint32_t *counter_of(const struct walk_builder *builder, const struct walk_far *part)
{
    const struct walk_index *index = &builder->graph->index;
    return &walk_index_region(index, walk_index_granule(index, part->at))->far;
}

/* ---- dealing ---- */

static void count_parts(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    const struct walk_block *block = &far->builder->blocks[far->first_block + task];
    (void)worker;
    for (uint32_t i = 0; i < block->far_count; i++)
        atomic_fetch_add_explicit(counter_of(far->builder, &block->far[i]), 1, memory_order_relaxed);
}

/* In whichever order: nothing depends on it. */
static void deal_parts(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    size_t number = far->first_block + task;
    const struct walk_block *block = &far->builder->blocks[number];
    (void)worker;
    for (uint32_t i = 0; i < block->far_count; i++) {
        _Atomic uint32_t *next = counter_of(far->builder, &block->far[i]);
        far->place[atomic_fetch_add_explicit(next, 1, memory_order_relaxed)] =
            (struct walk_far_place){(uint32_t)number, i};
    }
}

static size_t count_all(const struct far *far)
{
    size_t count = 0;
    for (size_t i = far->first_block; i < far->builder->block_count; i++)
        count += far->builder->blocks[i].far_count;
    return count;
}

/* From here on a region's counter says where its next part goes. False: no memory. */
static bool add_groups(const struct far *far)
{
    struct walk_far_groups *groups = &far->builder->far;
    uint32_t count = 0;
    uint64_t at = 0;
    for (struct walk_region *region; (region = walk_index_next_region(&far->builder->graph->index, &at));
         at += UINT64_C(1) << WALK_REGION_BITS) {
        uint32_t here = atomic_load_explicit(&region->far, memory_order_relaxed);
        if (!here)
            continue;
        if (groups->count == groups->capacity &&
            !walk_array_grow(&groups->group, &groups->capacity, sizeof *groups->group, 256))
            return false;
        groups->group[groups->count++] =
            (struct walk_far_group){.region = region, .place = far->place + count, .count = here};
        atomic_store_explicit(&region->far, count, memory_order_relaxed);
        count += here;
    }
    return true;
}

/* For the next round. */
static void reset_counters(const struct far *far)
{
    const struct walk_far_groups *groups = &far->builder->far;
    for (size_t i = far->first_group; i < groups->count; i++)
        atomic_store_explicit(&groups->group[i].region->far, 0, memory_order_relaxed);
}

/* ---- visiting ---- */

WALK_PREFETCHER void fetch(const struct walk_builder *builder, const struct walk_far_group *group, size_t i)
{
    if (i + AHEAD < group->count)
        __builtin_prefetch(walk_far_at(builder->blocks, &group->place[i + AHEAD]));
}

/* Says what is visited next. */
static void approach(const struct walk_builder *builder, unsigned worker, const struct walk_far_group *group)
{
    const struct walk_source *source = &builder->source;
    walk_addr first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < group->count; i++) {
        fetch(builder, group, i);
        walk_addr at = walk_far_at(builder->blocks, &group->place[i])->at;
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    if (source->approach)
        (void)source->approach(source->context, worker, first, last, group->count);
}

static void visit(struct walk_builder *builder, unsigned worker, const struct walk_far_place *place)
{
    struct walk_emitter *emitter = &builder->emitters[worker];
    const struct walk_source *source = &builder->source;
    const struct walk_block *block = &builder->blocks[place->block];
    struct walk_far *far = walk_far_at(builder->blocks, place);
    size_t first = emitter->edges.count;
    uint32_t node = far->node;
    const struct walk_far_part part = {
        .key = walk_block_key(builder, block, node), .class = block->class[node], .at = far->at, .note = far->count};
    bool whole = false;
    emitter->missing = false;
    emitter->error = source->visit_far(source->context, worker, &part, &block->flags[node], emitter, &whole);
    block->flags[node] |= emitter->missing ? source->flag_missing : 0;
    far->kept = far->count = (uint32_t)(emitter->edges.count - first);
    far->node |= whole ? WALK_FAR_WHOLE : 0;
    if (emitter->seeking.on) {
        const struct walk_known known = {part.key, part.class, block->flags[node]};
        walk_seek_note(emitter, &known, first, emitter->edges.count);
    }
    walk_emit_lead_on_in_turn(emitter);
}

static void visit_group(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    struct walk_builder *builder = far->builder;
    struct walk_far_group *group = &builder->far.group[far->first_group + task];
    struct walk_emitter *emitter = group->emitter = &builder->emitters[worker];
    walk_round_report(builder, worker, builder->visited);
    if (!walk_round_goes_on(builder, worker))
        return;
    group->edge = emitter->edges.count;
    emitter->placed = true;
    approach(builder, worker, group);
    for (size_t i = 0; i < group->count && walk_round_goes_on(builder, worker); i++) {
        fetch(builder, group, i);
        visit(builder, worker, &group->place[i]);
    }
    walk_emit_lead_on(emitter);
    (void)walk_round_goes_on(builder, worker);
    group->end = emitter->edges.count;
    group->placed = emitter->placed;
}

struct walk_error *walk_far_visit(struct walk_builder *builder, size_t first)
{
    struct far far = {.builder = builder, .first_block = first, .first_group = builder->far.count};
    unsigned workers = builder->source.workers;
    size_t blocks = builder->block_count - first, count = count_all(&far);
    if (!count)
        return NULL;
    if (count > UINT32_MAX || !(far.place = walk_pages_take(&builder->pages, count * sizeof *far.place)))
        return walk_error_no_memory();
    walk_workers_run(workers, blocks, count_parts, &far);
    if (!add_groups(&far))
        return walk_error_no_memory();
    walk_workers_run(workers, blocks, deal_parts, &far);
    reset_counters(&far);
    walk_workers_run(workers, builder->far.count - far.first_group, visit_group, &far);
    return walk_round_errors(builder);
}
