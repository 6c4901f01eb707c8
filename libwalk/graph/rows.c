/* SPDX-License-Identifier: Apache-2.0 */
/* From what the visits told to rows: keys become ids, forward rows are laid out, backward rows are sorted. */
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/log.h"

struct rows {
    struct walk_graph *graph;
    const struct walk_source *source;
    const struct walk_block *blocks;
    size_t block_count;
};

static walk_id id_of(const struct walk_index *index, uint64_t logged)
{
    uint64_t key = logged & (WALK_LOG_KEY | WALK_LOG_ODD);
    return key & WALK_LOG_ODD ? index->first_odd + (walk_id)(key & WALK_LOG_KEY) : walk_index_id(index, key);
}

/* ---- keys become ids, where they stand ---- */

/* In place of an id. */
#define DROPPED UINT64_MAX

/* Returns how many of the edges are there. Those in front of `foreseen_end` are this worker's too. */
static uint32_t translate(const struct walk_index *index, const struct walk_slabs *edges, size_t at, uint32_t count,
                          size_t foreseen_end, bool *missing)
{
    enum { AHEAD = 16 };
    uint32_t kept = 0;
    for (size_t end = at + count; at < end; at++) {
        uint64_t *edge = walk_slabs_at(edges, at);
        if (at + AHEAD < foreseen_end)
            walk_index_foresee(index, *walk_slabs_at(edges, at + AHEAD) & (WALK_KEY_END - 1));
        walk_id id = id_of(index, *edge);
        *missing |= id == WALK_NO_ID && !(*edge & WALK_LOG_IF_KNOWN);
        kept += id != WALK_NO_ID;
        *edge = id == WALK_NO_ID ? DROPPED : id | (*edge & WALK_LOG_MARK ? WALK_EDGE_MARK : 0);
    }
    return kept;
}

/* Nodes of a block that are none, or stand in a later one. */
static bool is_elsewhere(const struct walk_block *block, uint32_t at)
{
    return block->class[at] == WALK_BLOCK_REFUSED || block->edges[at] == WALK_BLOCK_LATER;
}

static walk_id node_id(const struct walk_index *index, const struct walk_block *block, uint32_t at)
{
    return block->region ? walk_region_id(block->region, block->place[at]) : id_of(index, block->key[at]);
}

static size_t end_of_edges(const struct walk_block *block)
{
    size_t end = block->edge;
    for (uint32_t at = 0; at < block->count; at++)
        end += is_elsewhere(block, at) ? 0 : block->edges[at];
    return end;
}

static void translate_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    struct walk_graph *graph = rows->graph;
    const struct walk_block *block = &rows->blocks[task];
    size_t edge = block->edge, end = end_of_edges(block);
    (void)worker;
    for (uint32_t at = 0; at < block->count; at++) {
        bool missing = false;
        if (is_elsewhere(block, at))
            continue;
        walk_id id = node_id(&graph->index, block, at);
        graph->forward.start[id] =
            translate(&graph->index, &block->emitter->edges, edge, block->edges[at], end, &missing);
        graph->class[id] = block->class[at];
        graph->flags[id] = block->flags[at] | (missing ? rows->source->flag_missing : 0);
        edge += block->edges[at];
    }
}

static void copy_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    const struct walk_rows *forward = &rows->graph->forward;
    const struct walk_block *block = &rows->blocks[task];
    size_t edge = block->edge;
    (void)worker;
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at) || !block->edges[at])
            continue;
        uint32_t *to = forward->edge + forward->start[node_id(&rows->graph->index, block, at)];
        for (size_t end = edge + block->edges[at]; edge < end; edge++) {
            uint64_t id = *walk_slabs_at(&block->emitter->edges, edge);
            if (id != DROPPED)
                *to++ = (uint32_t)id;
        }
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

struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count)
{
    struct rows rows = {.graph = graph, .source = source, .blocks = blocks, .block_count = count};
    size_t nodes = graph->node_count;
    graph->class = walk_large_alloc(nodes + 1, sizeof *graph->class);
    graph->flags = walk_large_alloc(nodes + 1, sizeof *graph->flags);
    graph->forward.start = walk_large_alloc(nodes + 1, sizeof *graph->forward.start);
    if (!graph->class || !graph->flags || !graph->forward.start)
        return walk_error_no_memory();
    walk_workers_run(source->workers, count, translate_block, &rows);
    if (!walk_rows_sum(&graph->forward, graph->node_count))
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 references");
    graph->edge_count = graph->forward.start[nodes];
    graph->forward.edge = walk_large_alloc(graph->edge_count + 1, sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(source->workers, count, copy_block, &rows);
    return NULL;
}

/* ---- backward: a counting sort by referent ---- */

/*
 * The referents are cut into ranges, each of which one worker looks for in all forward rows: so no two write to the
 * same row, and its edges stand in the order of their holders.
 */
struct reversal {
    struct walk_graph *graph;
    unsigned ranges;
};

struct range {
    walk_id first, size;
};

static struct range range_of(const struct reversal *reversal, size_t number)
{
    uint64_t nodes = reversal->graph->node_count;
    walk_id first = (walk_id)(nodes * number / reversal->ranges);
    return (struct range){first, (walk_id)(nodes * (number + 1) / reversal->ranges) - first};
}

static void count_range(void *context, size_t number, unsigned worker)
{
    const struct reversal *reversal = context;
    const struct walk_graph *graph = reversal->graph;
    struct range range = range_of(reversal, number);
    uint32_t *count = graph->backward.start, elsewhere = 0;
    (void)worker;
    memset(count + range.first, 0, range.size * sizeof *count);
    for (uint64_t i = 0; i < graph->edge_count; i++) {
        walk_id to = WALK_EDGE_ID(graph->forward.edge[i]);
        uint32_t *counted =
            to - range.first < range.size ? &count[to] : &elsewhere; /* no branch: half would be wrong */
        ++*counted;
    }
}

/* Where rows start moves on to where they end. */
static void place_range(void *context, size_t number, unsigned worker)
{
    const struct reversal *reversal = context;
    const struct walk_rows *forward = &reversal->graph->forward, *backward = &reversal->graph->backward;
    struct range range = range_of(reversal, number);
    (void)worker;
    for (walk_id id = 0; id < reversal->graph->node_count; id++)
        for (uint32_t i = forward->start[id]; i < forward->start[id + 1]; i++) {
            walk_id to = WALK_EDGE_ID(forward->edge[i]);
            if (to - range.first < range.size)
                backward->edge[backward->start[to]++] = id | (forward->edge[i] & WALK_EDGE_MARK);
        }
}

struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers)
{
    size_t nodes = graph->node_count;
    struct reversal reversal = {.graph = graph, .ranges = workers};
    struct walk_rows *backward = &graph->backward;
    backward->start = walk_large_alloc(nodes + 1, sizeof *backward->start);
    backward->edge = walk_large_alloc(graph->edge_count + 1, sizeof *backward->edge);
    if (!backward->start || !backward->edge)
        return walk_error_no_memory();
    walk_workers_run(workers, reversal.ranges, count_range, &reversal);
    walk_rows_sum(backward, graph->node_count);
    walk_workers_run(workers, reversal.ranges, place_range, &reversal);
    memmove(backward->start + 1, backward->start, nodes * sizeof *backward->start);
    backward->start[0] = 0;
    return NULL;
}
