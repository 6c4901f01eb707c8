/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the visits told to forward rows, strip by strip: the nodes of a region have ids that follow each other,
 * and what is told of them stands in its blocks, one per round or two.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/log.h"

/* A node of a block without a region, which is one of few. */
struct loose {
    walk_id id;
    uint32_t block, at;
    size_t edge; /* where its edges begin in the log */
};

/* The rows of the nodes of one region; or of odd keys, behind all others. */
struct strip {
    const struct walk_region *region; /* NULL: of odd keys */
    walk_id first, end;
    size_t first_block, end_block; /* in rows.order */
    size_t first_loose, end_loose;
    uint64_t edges; /* how many; from sum_up() on: where they begin in the rows */
};

struct rows {
    struct walk_graph *graph;
    const struct walk_source *source;
    const struct walk_block *blocks;
    size_t block_count;
    const struct walk_far_groups *far;
    bool doubt;      /* any edge may be to what is no node */
    uint32_t *order; /* blocks, by the region and then as they are */
    size_t order_count;
    struct loose *loose; /* by id */
    size_t loose_count, loose_capacity;
    struct strip *strip;
    size_t strip_count;
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

/* Whether each edge of the block's nodes becomes one in a row. */
static bool is_simple(const struct rows *rows, const struct walk_block *block)
{
    return !rows->doubt && !block->if_known && !block->far_count;
}

/* Gives the nodes of a block their ids, and where their rows will start how long they are; the sum of these. */
static uint64_t count_block(const struct rows *rows, const struct walk_block *block)
{
    struct walk_graph *graph = rows->graph;
    size_t edge = block->edge;
    uint64_t sum = 0;
    uint32_t next = 0;
    bool simple = is_simple(rows, block);
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at))
            continue;
        walk_id id = set_id(&graph->index, block, at);
        uint32_t length = block->edges[at];
        if (!simple) {
            const struct walk_far *far = part_of(block, at, &next);
            bool missing = far && (far->node & WALK_FAR_MISSING);
            length = count_near(rows, block, edge, at, far, &missing) + (far ? far->kept : 0);
            if (missing)
                block->flags[at] |= rows->source->flag_missing;
            edge += block->edges[at];
        }
        graph->forward.start[id] = length;
        sum += length;
    }
    return sum;
}

/* ---- strips ---- */

/* Without their blocks and loose nodes. */
static bool add_strips(struct rows *rows)
{
    const struct walk_index *index = &rows->graph->index;
    size_t count = index->numbered_count;
    rows->strip = calloc(count + 1, sizeof *rows->strip);
    if (!rows->strip)
        return false;
    rows->strip_count = count + 1;
    for (size_t i = 0; i < count; i++)
        rows->strip[i] =
            (struct strip){.region = index->numbered[i].region, .first = (walk_id)index->numbered[i].first};
    rows->strip[count].first = index->first_odd;
    for (size_t i = 0; i < count; i++)
        rows->strip[i].end = rows->strip[i + 1].first;
    rows->strip[count].end = rows->graph->node_count;
    return true;
}

static bool add_loose(struct rows *rows, const struct walk_block *block)
{
    size_t edge = block->edge;
    for (uint32_t at = 0; at < block->count; at++) {
        if (is_elsewhere(block, at))
            continue;
        if (rows->loose_count == rows->loose_capacity &&
            !walk_array_grow(&rows->loose, &rows->loose_capacity, sizeof *rows->loose, 64))
            return false;
        rows->loose[rows->loose_count++] =
            (struct loose){node_id(block, at), (uint32_t)(block - rows->blocks), at, edge};
        edge += block->edges[at];
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    walk_id x = ((const struct loose *)a)->id, y = ((const struct loose *)b)->id;
    return (x > y) - (x < y);
}

static const struct walk_block *ordered(const struct rows *rows, size_t at) { return &rows->blocks[rows->order[at]]; }

static int by_region(const void *a, const void *b, void *context)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const struct walk_block *blocks = context;
    uint64_t first = blocks[x].region->first, second = blocks[y].region->first;
    return first != second ? (first > second) - (first < second) : (x > y) - (x < y);
}

/* Lists loose nodes, of which the lengths are counted, and all other blocks. False: no memory. */
static bool sort_blocks(struct rows *rows)
{
    rows->order = malloc((rows->block_count + 1) * sizeof *rows->order);
    for (size_t i = 0; rows->order && i < rows->block_count; i++) {
        const struct walk_block *block = &rows->blocks[i];
        if (block->region) {
            rows->order[rows->order_count++] = (uint32_t)i;
            continue;
        }
        (void)count_block(rows, block);
        if (!add_loose(rows, block))
            return false;
    }
    if (rows->loose_count)
        qsort(rows->loose, rows->loose_count, sizeof *rows->loose, by_id);
    if (rows->order_count)
        qsort_r(rows->order, rows->order_count, sizeof *rows->order, by_region, (void *)rows->blocks);
    return rows->order != NULL;
}

static void deal(struct rows *rows)
{
    size_t block = 0, loose = 0;
    for (size_t i = 0; i < rows->strip_count; i++) {
        struct strip *strip = &rows->strip[i];
        strip->first_block = block;
        while (block < rows->order_count && ordered(rows, block)->region == strip->region)
            block++;
        strip->end_block = block;
        strip->first_loose = loose;
        while (loose < rows->loose_count && rows->loose[loose].id < strip->end)
            loose++;
        strip->end_loose = loose;
    }
}

/* How many edges a strip has. Of simple blocks that is known without a look at their nodes. */
static void count_strip(void *context, size_t task, unsigned worker)
{
    const struct rows *rows = context;
    struct strip *strip = &rows->strip[task];
    (void)worker;
    for (size_t i = strip->first_block; i < strip->end_block; i++) {
        const struct walk_block *block = ordered(rows, i);
        strip->edges += is_simple(rows, block) ? block->end - block->edge : count_block(rows, block);
    }
    for (size_t i = strip->first_loose; i < strip->end_loose; i++)
        strip->edges += rows->graph->forward.start[rows->loose[i].id];
}

static bool sum_up(struct rows *rows)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < rows->strip_count; i++) {
        uint64_t edges = rows->strip[i].edges;
        rows->strip[i].edges = sum;
        sum += edges;
    }
    rows->graph->edge_count = sum;
    rows->graph->forward.start[rows->graph->node_count] = (uint32_t)sum;
    return sum <= UINT32_MAX;
}

/* ---- keys become ids, and are laid out ---- */

/* In place of an edge: its key is no node; here come those of the part that is far. */
#define NONE WALK_EDGE_ID(UINT32_MAX)
#define FAR UINT32_MAX

/* Goes through a part of a log. */
struct reader {
    const struct walk_index *index;
    const struct walk_slabs *edges;
    size_t at, end; /* what has not been looked up */
    bool simple;    /* each is one in a row */
    size_t next, count;
    uint32_t edge[WALK_LOG_AHEAD]; /* what stands in a row, NONE or FAR */
};

static inline uint32_t looked_up(const struct walk_index *index, uint64_t edge)
{
    uint64_t place = edge & WALK_LOG_KEY;
    if (edge & WALK_LOG_FAR)
        return FAR;
    walk_id id = edge & WALK_LOG_PLACED ? walk_word_id(walk_index_word(index, place), place) : id_of(index, edge);
    return id == WALK_NO_ID ? NONE : id | (edge & WALK_LOG_MARK ? WALK_EDGE_MARK : 0);
}

/* There is something left to look up. */
static void look_up(struct reader *reader)
{
    const struct walk_index *index = reader->index;
    const uint64_t *edge = walk_log_ahead(reader->edges, reader->at, reader->end, &reader->count);
    for (size_t i = 0; i < reader->count; i++)
        __builtin_prefetch(edge[i] & WALK_LOG_PLACED ? walk_index_word(index, edge[i] & WALK_LOG_KEY) : NULL);
    for (size_t i = 0; i < reader->count; i++)
        reader->edge[i] = looked_up(index, edge[i]);
    reader->at += reader->count;
    reader->next = 0;
}

static inline uint32_t read_edge(struct reader *reader)
{
    if (reader->next == reader->count)
        look_up(reader);
    return reader->edge[reader->next++];
}

/* The next `count` edges, to `to` on in the rows. */
static inline void lay_out(struct reader *reader, uint32_t count, uint32_t *row, uint32_t to, struct walk_far *far)
{
    if (reader->simple && count <= reader->count - reader->next) {
        for (uint32_t i = 0; i < count; i++)
            row[to + i] = reader->edge[reader->next + i];
        reader->next += count;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t edge = read_edge(reader);
        if (edge == FAR) {
            far->to = to;
            to += far->kept;
        } else if (edge != NONE) {
            row[to++] = edge;
        }
    }
}

/* What is told of a node where it stands. The part of its edges that is far is laid out when it is known where to. */
static inline void lay_out_node(const struct rows *rows, const struct walk_block *block, uint32_t at, walk_id id,
                                struct reader *reader, uint32_t *next)
{
    struct walk_graph *graph = rows->graph;
    uint32_t count = block->edges[at], to = graph->forward.start[id];
    graph->class[id] = block->class[at];
    graph->flags[id] = block->flags[at];
    if (!count)
        return;
    struct walk_far *far = part_of(block, at, next);
    if (!is_whole(far)) {
        lay_out(reader, count, graph->forward.edge, to, far);
        return;
    }
    far->to = to;
    while (count--)
        (void)read_edge(reader);
}

static void lay_out_block(const struct rows *rows, const struct walk_block *block)
{
    struct reader reader = {.index = &rows->graph->index,
                            .edges = &block->emitter->edges,
                            .at = block->edge,
                            .end = block->end,
                            .simple = is_simple(rows, block)};
    uint32_t next = 0;
    for (uint32_t at = 0; at < block->count; at++)
        if (!is_elsewhere(block, at))
            lay_out_node(rows, block, at, node_id(block, at), &reader, &next);
    walk_slabs_used(&block->emitter->edges, block->edge, block->end);
}

static void lay_out_loose(const struct rows *rows, const struct loose *loose)
{
    const struct walk_block *block = &rows->blocks[loose->block];
    size_t end = loose->edge + block->edges[loose->at];
    struct reader reader = {
        .index = &rows->graph->index, .edges = &block->emitter->edges, .at = loose->edge, .end = end};
    uint32_t next = 0;
    lay_out_node(rows, block, loose->at, loose->id, &reader, &next);
    walk_slabs_used(&block->emitter->edges, loose->edge, end);
}

/* What is laid out of the strip is made of what is left of the log. */
static bool fill(struct rows *rows, const struct strip *strip, uint64_t edges)
{
    struct walk_graph *graph = rows->graph;
    walk_id first = strip->first, end = strip->end;
    bool whole = walk_large_fill(graph->class, first * sizeof *graph->class, end * sizeof *graph->class) &&
                 walk_large_fill(graph->flags, first * sizeof *graph->flags, end * sizeof *graph->flags) &&
                 walk_large_fill(graph->forward.edge, strip->edges * sizeof *graph->forward.edge,
                                 (strip->edges + edges) * sizeof *graph->forward.edge);
    if (!whole)
        atomic_store_explicit(&rows->no_memory, true, memory_order_relaxed);
    return whole;
}

/* Lengths become starts; how many edges there are. */
static uint64_t start_rows(const struct rows *rows, const struct strip *strip)
{
    uint32_t *start = rows->graph->forward.start;
    uint64_t sum = strip->edges;
    for (walk_id id = strip->first; id < strip->end; id++) {
        uint32_t length = start[id];
        start[id] = (uint32_t)sum;
        sum += length;
    }
    return sum - strip->edges;
}

/* Classes and flags come with the edges: memory is taken for them while that of the log is given back. */
static void lay_out_strip(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    const struct strip *strip = &rows->strip[task];
    (void)worker;
    if (strip->first == strip->end)
        return;
    for (size_t i = strip->first_block; i < strip->end_block; i++)
        if (is_simple(rows, ordered(rows, i)))
            (void)count_block(rows, ordered(rows, i));
    if (!fill(rows, strip, start_rows(rows, strip)))
        return;
    for (size_t i = strip->first_block; i < strip->end_block; i++)
        lay_out_block(rows, ordered(rows, i));
    for (size_t i = strip->first_loose; i < strip->end_loose; i++)
        lay_out_loose(rows, &rows->loose[i]);
}

/* When what is near is laid out, it is known where this goes. */
static void lay_out_group(void *context, size_t task, unsigned worker)
{
    enum { AHEAD = 16 };
    const struct rows *rows = context;
    const struct walk_far_group *group = &rows->far->group[task];
    struct reader reader = {
        .index = &rows->graph->index, .edges = &group->emitter->edges, .at = group->edge, .end = group->end};
    (void)worker;
    for (size_t i = 0; i < group->count; i++) {
        if (i + AHEAD < group->count)
            __builtin_prefetch(walk_far_at(rows->blocks, &group->place[i + AHEAD]));
        const struct walk_far *far = walk_far_at(rows->blocks, &group->place[i]);
        lay_out(&reader, far->count, rows->graph->forward.edge, far->to, NULL);
    }
    walk_slabs_used(&group->emitter->edges, group->edge, group->end);
}

/* ---- the whole ---- */

static bool open_rows(struct rows *rows)
{
    struct walk_graph *graph = rows->graph;
    struct walk_stock *stock = rows->source->stock;
    size_t nodes = graph->node_count;
    graph->class = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->class);
    graph->flags = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->flags);
    graph->forward.start = walk_large_alloc(stock, nodes + 1, sizeof *graph->forward.start);
    return graph->class && graph->flags && graph->forward.start;
}

static struct walk_error *build(struct rows *rows)
{
    struct walk_graph *graph = rows->graph;
    const struct walk_source *source = rows->source;
    if (!open_rows(rows))
        return walk_error_no_memory();
    walk_workers_run(source->workers, rows->far->count, count_group, rows);
    if (!add_strips(rows) || !sort_blocks(rows))
        return walk_error_no_memory();
    deal(rows);
    walk_workers_run(source->workers, rows->strip_count, count_strip, rows);
    if (!sum_up(rows))
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 references");
    graph->forward.edge = walk_large_alloc_later(source->stock, graph->edge_count + 1, sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(source->workers, rows->strip_count, lay_out_strip, rows);
    if (!rows->no_memory)
        walk_workers_run(source->workers, rows->far->count, lay_out_group, rows);
    return rows->no_memory ? walk_error_no_memory() : NULL;
}

struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count, const struct walk_far_groups *far,
                                   bool doubt)
{
    struct rows rows = {
        .graph = graph, .source = source, .blocks = blocks, .block_count = count, .far = far, .doubt = doubt};
    struct walk_error *error = build(&rows);
    free(rows.order);
    free(rows.loose);
    free(rows.strip);
    return error;
}
