/* SPDX-License-Identifier: Apache-2.0 */
/* From what the visits told to rows: keys become ids, forward rows are laid out, backward rows are sorted. */
#include <stdlib.h>
#include <string.h>

#include "bytes/workers.h"
#include "graph/index.h"
#include "graph/log.h"

struct rows {
    struct walk_graph *graph;
    const struct walk_source *source;
    struct block {
        struct walk_emitter *emitter;
        struct walk_log_block *log;
    } *block;
    size_t block_count;
};

static walk_id id_of(const struct walk_index *index, uint64_t logged)
{
    uint64_t key = logged & (WALK_LOG_KEY | WALK_LOG_ODD);
    return key & WALK_LOG_ODD ? index->first_odd + (walk_id)(key & WALK_LOG_KEY) : walk_index_id(index, key);
}

/* ---- keys become ids, where they stand ---- */

/* The ids are half as wide as the keys, so that none is written over before it is read. Returns how many there are. */
static uint32_t translate(const struct walk_index *index, const char *edges, uint32_t count, char *ids, bool *missing)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t edge;
        memcpy(&edge, edges + i * sizeof edge, sizeof edge);
        uint32_t id = id_of(index, edge);
        if (id == WALK_NO_ID) {
            *missing |= !(edge & WALK_LOG_IF_KNOWN);
            continue;
        }
        id |= edge & WALK_LOG_MARK ? WALK_EDGE_MARK : 0;
        memcpy(ids + kept++ * sizeof id, &id, sizeof id);
    }
    return kept;
}

static void translate_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    struct walk_graph *graph = rows->graph;
    struct walk_log_block *log = rows->block[task].log;
    char *edges = (char *)(rows->block[task].emitter->edge + log->edge), *ids = edges;
    (void)worker;
    for (size_t i = 0; i < log->nodes; i++) {
        struct walk_log_node *node = &rows->block[task].emitter->node[log->node + i];
        bool missing = false;
        walk_id id = id_of(&graph->index, node->key);
        uint32_t count = node->edges;
        node->edges = translate(&graph->index, edges, count, ids, &missing);
        graph->class[id] = node->class;
        graph->flags[id] = (uint8_t)(node->key >> WALK_LOG_FLAGS_SHIFT) | (missing ? rows->source->flag_missing : 0);
        graph->forward.start[id + 1] = node->edges;
        node->key = id;
        edges += count * sizeof(uint64_t);
        ids += node->edges * sizeof(uint32_t);
    }
}

static void copy_block(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    const struct walk_rows *forward = &rows->graph->forward;
    const struct walk_log_block *log = rows->block[task].log;
    const char *ids = (const char *)(rows->block[task].emitter->edge + log->edge);
    (void)worker;
    for (size_t i = 0; i < log->nodes; i++) {
        const struct walk_log_node *node = &rows->block[task].emitter->node[log->node + i];
        if (node->edges)
            memcpy(forward->edge + forward->start[node->key], ids, node->edges * sizeof *forward->edge);
        ids += node->edges * sizeof *forward->edge;
    }
}

static void add_up(uint64_t *start, size_t count)
{
    start[0] = 0;
    for (size_t i = 0; i < count; i++)
        start[i + 1] += start[i];
}

static bool list_blocks(struct rows *rows, struct walk_emitter *emitters, unsigned count)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += emitters[i].block_count;
    rows->block = malloc((total + 1) * sizeof *rows->block);
    for (unsigned i = 0; rows->block && i < count; i++)
        for (size_t b = 0; b < emitters[i].block_count; b++)
            rows->block[rows->block_count++] = (struct block){&emitters[i], &emitters[i].block[b]};
    return rows->block != NULL;
}

static struct walk_error *make_forward(struct rows *rows)
{
    struct walk_graph *graph = rows->graph;
    size_t nodes = graph->node_count;
    graph->class = malloc((nodes + 1) * sizeof *graph->class);
    graph->flags = malloc(nodes + 1);
    graph->forward.start = malloc((nodes + 1) * sizeof *graph->forward.start);
    if (!graph->class || !graph->flags || !graph->forward.start)
        return walk_error_no_memory();
    walk_workers_run(rows->source->workers, rows->block_count, translate_block, rows);
    add_up(graph->forward.start, nodes);
    graph->edge_count = graph->forward.start[nodes];
    graph->forward.edge = malloc((graph->edge_count + 1) * sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(rows->source->workers, rows->block_count, copy_block, rows);
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

static struct walk_error *make_backward(struct walk_graph *graph, unsigned workers)
{
    size_t nodes = graph->node_count;
    struct reversal reversal = {.graph = graph, .parts = workers < 4 ? workers : 4};
    walk_id begin[5];
    reversal.begin = begin;
    reversal.count = calloc(nodes * reversal.parts + 1, sizeof *reversal.count);
    graph->backward.start = malloc((nodes + 1) * sizeof *graph->backward.start);
    graph->backward.edge = malloc((graph->edge_count + 1) * sizeof *graph->backward.edge);
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

struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   struct walk_emitter *emitters, unsigned count)
{
    struct rows rows = {.graph = graph, .source = source};
    struct walk_error *error = list_blocks(&rows, emitters, count) ? make_forward(&rows) : walk_error_no_memory();
    free(rows.block);
    for (unsigned i = 0; i < count && !error; i++) {
        free(emitters[i].edge);
        free(emitters[i].node);
        emitters[i].edge = NULL;
        emitters[i].node = NULL;
    }
    return error ? error : make_backward(graph, source->workers);
}
