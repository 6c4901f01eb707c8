/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of nodes that stand far from them. When all nodes of a round are visited these parts are dealt to the regions
 * that they stand in, and visited region by region: so all that is read is read from one end to the other.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "graph/builder.h"

/* How many parts ahead are fetched, and after how many it is asked whether to stop. */
enum { AHEAD = 16, TURN = 1 << 10 };

struct far {
    struct walk_builder *builder;
    size_t first_block;
};

static struct walk_far *part_at(const struct walk_builder *builder, size_t i)
{
    const struct walk_far_place *place = &builder->far.order[i];
    return &builder->blocks[place->block].far[place->far];
}

static struct walk_region *region_of(const struct walk_builder *builder, const struct walk_far *part)
{
    const struct walk_index *index = &builder->graph->index;
    return walk_index_region(index, walk_index_granule(index, part->at));
}

/* ---- dealing ---- */

static void count_parts(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    const struct walk_block *block = &far->builder->blocks[far->first_block + task];
    (void)worker;
    for (uint32_t i = 0; i < block->far_count; i++)
        atomic_fetch_add_explicit(&region_of(far->builder, &block->far[i])->far, 1, memory_order_relaxed);
}

/* In whichever order: nothing depends on it. */
static void deal_parts(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    struct walk_builder *builder = far->builder;
    size_t number = far->first_block + task;
    const struct walk_block *block = &builder->blocks[number];
    (void)worker;
    for (uint32_t i = 0; i < block->far_count; i++) {
        _Atomic uint32_t *next = &region_of(builder, &block->far[i])->far;
        builder->far.order[atomic_fetch_add_explicit(next, 1, memory_order_relaxed)] =
            (struct walk_far_place){(uint32_t)number, i};
    }
}

/* False: no memory. */
static bool open_groups(struct walk_builder *builder)
{
    struct walk_far_parts *parts = &builder->far;
    size_t capacity = 0, count = 0;
    uint64_t at = 0;
    for (struct walk_region *region; (region = walk_index_next_region(&builder->graph->index, &at));
         at += UINT64_C(1) << WALK_REGION_BITS) {
        uint32_t here = atomic_load_explicit(&region->far, memory_order_relaxed);
        if (!here)
            continue;
        if (parts->group_count == capacity && !walk_array_grow(&parts->groups, &capacity, sizeof *parts->groups, 256))
            return false;
        parts->groups[parts->group_count++] = (struct walk_far_group){.region = region, .first = count, .count = here};
        atomic_store_explicit(&region->far, (uint32_t)count, memory_order_relaxed);
        count += here;
    }
    parts->order = walk_large_alloc(count + 1, sizeof *parts->order);
    return parts->order != NULL;
}

void walk_far_deinit(struct walk_builder *builder)
{
    free(builder->far.groups);
    walk_large_free(builder->far.order);
    builder->far = (struct walk_far_parts){0};
}

/* ---- visiting ---- */

static void fetch(const struct walk_builder *builder, const struct walk_far_group *group, size_t i)
{
    if (i + AHEAD < group->first + group->count)
        __builtin_prefetch(part_at(builder, i + AHEAD));
}

/* Says what is visited next. */
static void approach(const struct walk_builder *builder, unsigned worker, const struct walk_far_group *group)
{
    const struct walk_source *source = &builder->source;
    walk_addr first = UINT64_MAX, last = 0;
    for (size_t i = group->first; i < group->first + group->count; i++) {
        fetch(builder, group, i);
        walk_addr at = part_at(builder, i)->at;
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    if (source->approach)
        source->approach(source->context, worker, first, last, group->count);
}

static void visit(struct walk_builder *builder, unsigned worker, struct walk_far *far, const struct walk_block *block)
{
    struct walk_emitter *emitter = &builder->emitters[worker];
    const struct walk_source *source = &builder->source;
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
        walk_seek_note(emitter, &known, first);
    }
}

static void visit_group(void *context, size_t task, unsigned worker)
{
    const struct far *far = context;
    struct walk_builder *builder = far->builder;
    struct walk_far_group *group = &builder->far.groups[task];
    struct walk_emitter *emitter = &builder->emitters[worker];
    group->emitter = emitter;
    group->edge = emitter->edges.count;
    emitter->if_known = false;
    if (!atomic_load_explicit(&builder->stop, memory_order_relaxed))
        approach(builder, worker, group);
    for (size_t i = group->first; i < group->first + group->count; i++) {
        if (walk_emitter_failed(emitter))
            atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
        if (atomic_load_explicit(&builder->stop, memory_order_relaxed))
            return;
        if ((i - group->first) % TURN == 0)
            walk_round_report(builder, worker, builder->visited);
        fetch(builder, group, i);
        visit(builder, worker, part_at(builder, i), &builder->blocks[builder->far.order[i].block]);
        if (emitter->edges.count - emitter->led >= TURN)
            walk_emit_lead_on(emitter);
    }
    walk_emit_lead_on(emitter);
    group->end = emitter->edges.count;
    group->if_known = emitter->if_known;
}

struct walk_error *walk_far_visit(struct walk_builder *builder, size_t first)
{
    struct far far = {.builder = builder, .first_block = first};
    unsigned workers = builder->source.workers;
    size_t blocks = builder->block_count - first;
    walk_workers_run(workers, blocks, count_parts, &far);
    if (!open_groups(builder))
        return walk_error_no_memory();
    if (!builder->far.group_count)
        return NULL;
    walk_workers_run(workers, blocks, deal_parts, &far);
    walk_workers_run(workers, builder->far.group_count, visit_group, &far);
    return walk_round_errors(builder);
}
