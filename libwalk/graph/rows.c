/* SPDX-License-Identifier: Apache-2.0 */
/* From what the visits told to rows: keys become ids, forward rows are laid out, backward rows are sorted. */
#include <stdlib.h>
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

/* Returns how many of the edges are there. */
static uint32_t translate(const struct walk_index *index, const struct walk_slabs *edges, size_t at, uint32_t count,
                          bool *missing)
{
    uint32_t kept = 0;
    for (size_t end = at + count; at < end; at++) {
        uint64_t *edge = walk_slabs_at(edges, at);
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

static void translate_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    struct walk_graph *graph = rows->graph;
    const struct walk_block *block = &rows->blocks[task];
    size_t edge = block->edge;
    (void)worker;
    for (uint32_t at = 0; at < block->count; at++) {
        bool missing = false;
        if (is_elsewhere(block, at))
            continue;
        walk_id id = node_id(&graph->index, block, at);
        graph->forward.start[id + 1] =
            translate(&graph->index, &block->emitter->edges, edge, block->edges[at], &missing);
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

static void add_up(uint64_t *start, size_t count)
{
    start[0] = 0;
    for (size_t i = 0; i < count; i++)
        start[i + 1] += start[i];
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
    add_up(graph->forward.start, nodes);
    graph->edge_count = graph->forward.start[nodes];
    graph->forward.edge = walk_large_alloc(graph->edge_count + 1, sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(source->workers, count, copy_block, &rows);
    return NULL;
}

/* ---- backward: a counting sort by referent ---- */

/*
 * The holders are cut into parts of consecutive ones, of about as many edges each. Every part counts for itself, so
 * that within a row its edges stand behind those of the part before, and in their order.
 */
struct reversal {
    struct walk_graph *graph;
    unsigned parts;
    walk_id *begin;  /* parts + 1 */
    uint32_t *count; /* per part and node; then where the part's next edge goes within the row */
};

static void count_part(void *context, size_t part, unsigned worker)
{
    struct reversal *reversal = context;
    const struct walk_rows *forward = &reversal->graph->forward;
    uint32_t *count = reversal->count + part * (size_t)reversal->graph->node_count;
    (void)worker;
    memset(count, 0, reversal->graph->node_count * sizeof *count);
    for (uint64_t i = forward->start[reversal->begin[part]]; i < forward->start[reversal->begin[part + 1]]; i++)
        count[WALK_EDGE_ID(forward->edge[i])]++;
}

static void place_part(void *context, size_t part, unsigned worker)
{
    struct reversal *reversal = context;
    const struct walk_rows *forward = &reversal->graph->forward, *backward = &reversal->graph->backward;
    uint32_t *next = reversal->count + part * (size_t)reversal->graph->node_count;
    (void)worker;
    for (walk_id id = reversal->begin[part]; id < reversal->begin[part + 1]; id++)
        for (uint64_t i = forward->start[id]; i < forward->start[id + 1]; i++) {
            walk_id to = WALK_EDGE_ID(forward->edge[i]);
            backward->edge[backward->start[to] + next[to]++] = id | (forward->edge[i] & WALK_EDGE_MARK);
        }
}

static void sum_parts(struct reversal *reversal)
{
    size_t nodes = reversal->graph->node_count;
    uint64_t *start = reversal->graph->backward.start;
    start[0] = 0;
    for (size_t id = 0; id < nodes; id++) {
        uint32_t before = 0;
        for (unsigned part = 0; part < reversal->parts; part++) {
            uint32_t *count = &reversal->count[part * nodes + id], own = *count;
            *count = before;
            before += own;
        }
        start[id + 1] = start[id] + before;
    }
}

/* The first holder whose edges begin at or behind `edge`. */
static walk_id holder_from(const struct walk_graph *graph, uint64_t edge)
{
    walk_id low = 0, high = graph->node_count;
    while (low < high) {
        walk_id middle = low + (high - low) / 2;
        if (graph->forward.start[middle] < edge)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers)
{
    size_t nodes = graph->node_count;
    struct reversal reversal = {.graph = graph, .parts = workers < 4 ? workers : 4};
    walk_id begin[5];
    reversal.begin = begin;
    reversal.count = walk_large_alloc(nodes * reversal.parts + 1, sizeof *reversal.count);
    graph->backward.start = walk_large_alloc(nodes + 1, sizeof *graph->backward.start);
    graph->backward.edge = walk_large_alloc(graph->edge_count + 1, sizeof *graph->backward.edge);
    if (!reversal.count || !graph->backward.start || !graph->backward.edge) {
        free(reversal.count);
        return walk_error_no_memory();
    }
    for (unsigned part = 0; part <= reversal.parts; part++)
        begin[part] = holder_from(graph, graph->edge_count / reversal.parts * part);
    begin[reversal.parts] = graph->node_count;
    walk_workers_run(workers, reversal.parts, count_part, &reversal);
    sum_parts(&reversal);
    walk_workers_run(workers, reversal.parts, place_part, &reversal);
    free(reversal.count);
    return NULL;
}
