/* SPDX-License-Identifier: Apache-2.0 */
/* From what the visits told to forward rows. */
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/log.h"

struct rows {
    struct walk_graph *graph;
    const struct walk_source *source;
    const struct walk_block *blocks;
    size_t block_count;
    const struct walk_far_groups *far;
    bool doubt; /* any edge may be to what is no node */
    atomic_bool no_memory;
};

static walk_id id_of(const struct walk_index *index, uint64_t logged)
{
    uint64_t key = logged & (WALK_LOG_KEY | WALK_LOG_ODD);
    if (logged & WALK_LOG_PLACED)
        return walk_word_id(walk_index_word(index, key), key);
    return key & WALK_LOG_ODD ? index->first_odd + (walk_id)(key & WALK_LOG_KEY) : walk_index_id(index, key);
}

/* Nodes of a block that are none, or stand in a later one. */
static bool is_elsewhere(const struct walk_block *block, uint32_t at)
{
    return block->class[at] == WALK_NO_CLASS || block->edges[at] == WALK_BLOCK_LATER;
}

static walk_id set_id(const struct walk_index *index, const struct walk_block *block, uint32_t at)
{
    if (block->region)
        return block->place[at] = walk_region_id(block->region, block->place[at]);
    return (walk_id)(block->key[at] = id_of(index, block->key[at]));
}

static walk_id node_id(const struct walk_block *block, uint32_t at)
{
    return block->region ? block->place[at] : (walk_id)block->key[at];
}

/* ---- parts that are far ---- */

/* The part of the block's node `at`, if it has one; `next` is where that of the nodes in front of it left off. */
static struct walk_far *part_of(const struct walk_block *block, uint32_t at, uint32_t *next)
{
    bool there = *next < block->far_count && (block->far[*next].node & WALK_FAR_NODE) == at;
    return there ? &block->far[(*next)++] : NULL;
}

static bool is_whole(const struct walk_far *far) { return far && (far->node & WALK_FAR_WHOLE); }

/* ---- how long rows are ---- */

/*
 * How many of `count` edges are to nodes. Those that count only if their key is a node (`if_known`: there are some) are
 * asked for one by one; all others are there, unless something was refused.
 */
static uint32_t count_edges(const struct rows *rows, const struct walk_slabs *edges, size_t at, uint32_t count,
                            bool *missing)
{
    const struct walk_index *index = &rows->graph->index;
    uint32_t kept = count;
    for (size_t end = at + count; at < end; at++) {
        uint64_t edge = *walk_slabs_at(edges, at);
        if ((edge & WALK_LOG_FAR) || !(rows->doubt || (edge & WALK_LOG_IF_KNOWN)) || id_of(index, edge) != WALK_NO_ID)
            continue;
        *missing |= !(edge & WALK_LOG_IF_KNOWN);
        kept--;
    }
    return kept;
}

static void count_group(void *context, size_t task, unsigned worker)
{
    const struct rows *rows = context;
    const struct walk_far_group *group = &rows->far->group[task];
    size_t edge = group->edge;
    (void)worker;
    if (!rows->doubt && !group->if_known)
        return;
    for (size_t i = 0; i < group->count; i++) {
        struct walk_far *far = walk_far_at(rows->blocks, &group->place[i]);
        bool missing = false;
        far->kept = count_edges(rows, &group->emitter->edges, edge, far->count, &missing);
        far->node |= missing ? WALK_FAR_MISSING : 0;
        edge += far->count;
    }
}

/* What is told of a node where it stands: where its part is far one edge stands for that. */
static uint32_t count_near(const struct rows *rows, const struct walk_block *block, size_t edge, uint32_t at,
                           const struct walk_far *far, bool *missing)
{
    uint32_t count = block->edges[at];
    if (is_whole(far))
        return 0;
    if (rows->doubt || block->if_known)
        count = count_edges(rows, &block->emitter->edges, edge, count, missing);
    return count - (far != NULL);
}

/* From here on the block knows the ids of its nodes. */
static void count_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    struct walk_graph *graph = rows->graph;
    const struct walk_block *block = &rows->blocks[task];
    size_t edge = block->edge;
    uint32_t next = 0;
    (void)worker;
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at))
            continue;
        const struct walk_far *far = part_of(block, at, &next);
        bool missing = far && (far->node & WALK_FAR_MISSING);
        walk_id id = set_id(&graph->index, block, at);
        graph->forward.start[id] = count_near(rows, block, edge, at, far, &missing) + (far ? far->kept : 0);
        if (missing)
            block->flags[at] |= rows->source->flag_missing;
        edge += block->edges[at];
    }
}

bool walk_rows_sum(struct walk_rows *rows, walk_id count)
{
    uint64_t sum = 0;
    for (walk_id id = 0; id < count; id++) {
        uint32_t length = rows->start[id];
        rows->start[id] = (uint32_t)sum;
        sum += length;
    }
    rows->start[count] = (uint32_t)sum;
    return sum <= UINT32_MAX;
}

/* ---- keys become ids, and are laid out ---- */

/* In a log, in place of an edge whose key was looked up and is no node. */
#define NONE UINT64_MAX

/* What stands in the log in place of an edge from then on: what stands in a row, NONE, or WALK_LOG_FAR. */
static inline uint64_t looked_up(const struct walk_index *index, uint64_t edge)
{
    uint64_t place = edge & WALK_LOG_KEY;
    if (edge & WALK_LOG_FAR)
        return WALK_LOG_FAR;
    walk_id id = edge & WALK_LOG_PLACED ? walk_word_id(walk_index_word(index, place), place) : id_of(index, edge);
    return id == WALK_NO_ID ? NONE : id | (edge & WALK_LOG_MARK ? WALK_EDGE_MARK : 0);
}

/* Of [at, end), where they stand. */
static void look_up(const struct walk_index *index, const struct walk_slabs *edges, size_t at, size_t end)
{
    for (size_t count; at < end; at += count) {
        uint64_t *edge = walk_log_ahead(edges, at, end, &count);
        for (size_t i = 0; i < count; i++)
            __builtin_prefetch(edge[i] & WALK_LOG_PLACED ? walk_index_word(index, edge[i] & WALK_LOG_KEY) : NULL);
        for (size_t i = 0; i < count; i++)
            edge[i] = looked_up(index, edge[i]);
    }
}

/* To `to` on in the rows. */
static void lay_out(const struct rows *rows, const struct walk_slabs *edges, size_t at, size_t end, uint32_t to,
                    struct walk_far *far)
{
    uint32_t *row = rows->graph->forward.edge;
    for (size_t count; at < end; at += count) {
        const uint64_t *edge = walk_slabs_stretch(edges, at, end, &count);
        for (size_t i = 0; i < count; i++)
            if (edge[i] == WALK_LOG_FAR) {
                far->to = to;
                to += far->kept;
            } else if (edge[i] != NONE) {
                row[to++] = (uint32_t)edge[i];
            }
    }
}

static size_t end_of_edges(const struct walk_block *block)
{
    size_t end = block->edge;
    for (uint32_t at = 0; at < block->count; at++)
        end += is_elsewhere(block, at) ? 0 : block->edges[at];
    return end;
}

/* What is laid out of the nodes first … last, which is made of what is left of the log. */
static bool fill(struct rows *rows, walk_id first, walk_id last)
{
    struct walk_graph *graph = rows->graph;
    const uint32_t *start = graph->forward.start;
    bool whole = walk_large_fill(graph->class, first * sizeof *graph->class, (last + 1) * sizeof *graph->class) &&
                 walk_large_fill(graph->flags, first * sizeof *graph->flags, (last + 1) * sizeof *graph->flags) &&
                 walk_large_fill(graph->forward.edge, start[first] * sizeof *graph->forward.edge,
                                 start[last + 1] * sizeof *graph->forward.edge);
    if (!whole)
        atomic_store_explicit(&rows->no_memory, true, memory_order_relaxed);
    return whole;
}

/* The nodes of a region have ids that are near to each other; any others are few. */
static bool fill_block(struct rows *rows, const struct walk_block *block)
{
    walk_id first = WALK_NO_ID, last = 0;
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at))
            continue;
        walk_id id = node_id(block, at);
        if (!block->region && !fill(rows, id, id))
            return false;
        first = id < first ? id : first;
        last = id > last ? id : last;
    }
    return !block->region || first == WALK_NO_ID || fill(rows, first, last);
}

/* Classes and flags come with the edges: memory is taken for them while that of the log is given back. */
static void lay_out_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    struct walk_graph *graph = rows->graph;
    const struct walk_block *block = &rows->blocks[task];
    size_t edge = block->edge, end = end_of_edges(block);
    uint32_t next = 0;
    (void)worker;
    if (!fill_block(rows, block))
        return;
    look_up(&graph->index, &block->emitter->edges, edge, end);
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at))
            continue;
        walk_id id = node_id(block, at);
        graph->class[id] = block->class[at];
        graph->flags[id] = block->flags[at];
        if (!block->edges[at])
            continue;
        struct walk_far *far = part_of(block, at, &next);
        uint32_t to = graph->forward.start[id];
        if (is_whole(far))
            far->to = to;
        else
            lay_out(rows, &block->emitter->edges, edge, edge + block->edges[at], to, far);
        edge += block->edges[at];
    }
    walk_slabs_used(&block->emitter->edges, block->edge, end);
}

/* When what is near is laid out, it is known where this goes. */
static void lay_out_group(void *context, size_t task, unsigned worker)
{
    enum { AHEAD = 16 };
    const struct rows *rows = context;
    const struct walk_far_group *group = &rows->far->group[task];
    size_t edge = group->edge;
    (void)worker;
    look_up(&rows->graph->index, &group->emitter->edges, edge, group->end);
    for (size_t i = 0; i < group->count; i++) {
        if (i + AHEAD < group->count)
            __builtin_prefetch(walk_far_at(rows->blocks, &group->place[i + AHEAD]));
        const struct walk_far *far = walk_far_at(rows->blocks, &group->place[i]);
        lay_out(rows, &group->emitter->edges, edge, edge + far->count, far->to, NULL);
        edge += far->count;
    }
    walk_slabs_used(&group->emitter->edges, group->edge, group->end);
}

struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count, const struct walk_far_groups *far,
                                   bool doubt)
{
    struct rows rows = {
        .graph = graph, .source = source, .blocks = blocks, .block_count = count, .far = far, .doubt = doubt};
    struct walk_stock *stock = source->stock;
    size_t nodes = graph->node_count;
    graph->class = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->class);
    graph->flags = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->flags);
    graph->forward.start = walk_large_alloc(stock, nodes + 1, sizeof *graph->forward.start);
    if (!graph->class || !graph->flags || !graph->forward.start)
        return walk_error_no_memory();
    walk_workers_run(source->workers, far->count, count_group, &rows);
    walk_workers_run(source->workers, count, count_block, &rows);
    if (!walk_rows_sum(&graph->forward, graph->node_count))
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 references");
    graph->edge_count = graph->forward.start[nodes];
    graph->forward.edge = walk_large_alloc_later(stock, graph->edge_count + 1, sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(source->workers, count, lay_out_block, &rows);
    if (!rows.no_memory)
        walk_workers_run(source->workers, far->count, lay_out_group, &rows);
    return rows.no_memory ? walk_error_no_memory() : NULL;
}
