/* SPDX-License-Identifier: Apache-2.0 */
/* From what the visits told to forward rows, strip by strip. */
#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/strips.h"

struct rows {
    struct walk_graph *graph;
    const struct walk_source *source;
    const struct walk_block *blocks;
    const struct walk_far_groups *far;
    bool doubt; /* any edge may be to what is no node */
    struct walk_strips strips;
    atomic_bool no_memory;
};

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
 * How many of `count` edges are to nodes. Those that count only if their key is a node are asked for one by one; all
 * others are there, unless something was refused.
 */
static uint32_t count_edges(const struct rows *rows, const struct walk_slabs *edges, size_t at, uint32_t count,
                            bool *missing)
{
    const struct walk_index *index = &rows->graph->index;
    uint32_t kept = count;
    for (size_t end = at + count; at < end; at++) {
        uint64_t edge = *walk_slabs_at(edges, at);
        if ((edge & WALK_LOG_FAR) || !(rows->doubt || (edge & WALK_LOG_IF_KNOWN)) ||
            walk_log_id(index, edge) != WALK_NO_ID)
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
    if (!rows->doubt && group->placed)
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
    if (rows->doubt || !block->placed)
        count = count_edges(rows, &block->emitter->edges, edge, count, missing);
    return count - (far != NULL);
}

/* Whether each edge of the block's nodes becomes one in a row. */
static bool is_simple(const struct rows *rows, const struct walk_block *block) { return !rows->doubt && block->placed; }

/* The place of a node of a block with a region becomes its id. */
static walk_id number(const struct walk_block *block, uint32_t at)
{
    uint32_t place = block->place[at];
    return block->place[at] = walk_word_id(&block->region->word[walk_granule_word(place)], place);
}

/* Numbers the nodes of a simple block; where their rows will start stands how long they are. */
static void number_simple(const struct rows *rows, const struct walk_block *block)
{
    uint32_t *length = rows->graph->forward.start;
    for (uint32_t at = 0; at < block->count; at++)
        if (!walk_block_leaves_out(block, at))
            length[number(block, at)] = block->edges[at];
}

/* The same of any other one. The sum of the lengths. */
static uint64_t count_block(const struct rows *rows, const struct walk_block *block)
{
    size_t edge = block->edge;
    uint64_t sum = 0;
    uint32_t next = 0;
    for (uint32_t at = 0; at < block->count; at++) {
        if (walk_block_leaves_out(block, at))
            continue;
        const struct walk_far *far = part_of(block, at, &next);
        bool missing = far && (far->node & WALK_FAR_MISSING);
        uint32_t length = count_near(rows, block, edge, at, far, &missing) + (far ? far->kept : 0);
        if (missing)
            block->flags[at] |= rows->source->flag_missing;
        edge += block->edges[at];
        rows->graph->forward.start[number(block, at)] = length;
        sum += length;
    }
    return sum;
}

/* The same of a loose node. */
static uint64_t count_loose(const struct rows *rows, const struct walk_loose *loose)
{
    const struct walk_block *block = loose->block;
    bool missing = false;
    uint32_t length = count_near(rows, block, loose->edge, loose->at, NULL, &missing);
    if (missing)
        block->flags[loose->at] |= rows->source->flag_missing;
    return rows->graph->forward.start[loose->id] = length;
}

/* How many edges a strip has. Of simple blocks that is known without a look at their nodes. */
static void count_strip(void *context, size_t task, unsigned worker)
{
    const struct rows *rows = context;
    struct walk_strip *strip = &rows->strips.strip[task];
    (void)worker;
    for (size_t i = strip->first_block; i < strip->end_block; i++) {
        const struct walk_block *block = rows->strips.block[i];
        strip->edges += is_simple(rows, block) ? block->end - block->edge : count_block(rows, block);
    }
    for (size_t i = strip->first_loose; i < strip->end_loose; i++)
        strip->edges += count_loose(rows, &rows->strips.loose[i]);
}

static bool sum_up(struct rows *rows)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < rows->strips.count; i++) {
        uint64_t edges = rows->strips.strip[i].edges;
        rows->strips.strip[i].edges = sum;
        sum += edges;
    }
    rows->graph->edge_count = sum;
    rows->graph->forward.start[rows->graph->node_count] = (uint32_t)sum;
    return sum <= UINT32_MAX;
}

/* ---- keys become ids, and are laid out ---- */

/* The edges of a simple block, which are all placed, and each one in a row. */
struct places {
    const struct walk_index *index;
    const struct walk_slabs *edges;
    const uint64_t *next, *last; /* of those that stand beside each other */
    size_t at, end;              /* those behind the last one */
};

static inline const struct walk_word *word_of(const struct walk_index *index, uint64_t edge)
{
    return walk_index_word(index, edge & WALK_LOG_KEY);
}

/* There are some behind the last one. */
static void go_on(struct places *places)
{
    size_t count;
    places->next = walk_slabs_stretch(places->edges, places->at, places->end, &count);
    places->last = places->next + count - 1;
    places->at += count;
    for (size_t i = 0; i < WALK_LOG_AHEAD && i < count; i++)
        __builtin_prefetch(word_of(places->index, places->next[i]));
}

/* The next edges, to where they stand in rows. */
static void lay_out_places(struct places *places, uint32_t *to, const uint32_t *end)
{
    for (; to < end; to++) {
        if (!places->next || places->next > places->last)
            go_on(places);
        uint64_t edge = *places->next;
        const uint64_t *later =
            places->last - places->next > WALK_LOG_AHEAD ? places->next + WALK_LOG_AHEAD : places->last;
        __builtin_prefetch(word_of(places->index, *later));
        places->next++;
        *to = walk_word_id(word_of(places->index, edge), edge) | (edge & WALK_LOG_MARK ? WALK_EDGE_MARK : 0);
    }
}

/* Rows mostly follow each other, and are laid out as one: how long each is no processor can foresee. */
static void lay_out_simple(const struct rows *rows, const struct walk_block *block)
{
    struct places places = {
        .index = &rows->graph->index, .edges = &block->emitter->edges, .at = block->edge, .end = block->end};
    const uint32_t *start = rows->graph->forward.start;
    uint32_t *class = rows->graph->class, *edge = rows->graph->forward.edge, first = 0, end = 0;
    uint8_t *flags = rows->graph->flags;
    for (uint32_t at = 0; at < block->count; at++) {
        if (walk_block_leaves_out(block, at))
            continue;
        walk_id id = block->place[at];
        class[id] = block->class[at];
        flags[id] = block->flags[at];
        if (start[id] != end && block->edges[at]) {
            lay_out_places(&places, edge + first, edge + end);
            first = end = start[id];
        }
        end += block->edges[at];
    }
    lay_out_places(&places, edge + first, edge + end);
}

/* In place of an edge: its key is no node; here come those of the part that is far. */
#define NONE WALK_EDGE_ID(UINT32_MAX)
#define FAR UINT32_MAX

/* Goes through any part of a log. */
struct reader {
    const struct walk_index *index;
    const struct walk_slabs *edges;
    size_t at, end; /* what has not been looked up */
    size_t next, count;
    uint32_t edge[WALK_LOG_AHEAD]; /* what stands in a row, NONE or FAR */
};

static inline uint32_t looked_up(const struct walk_index *index, uint64_t edge)
{
    if (edge & WALK_LOG_FAR)
        return FAR;
    walk_id id = walk_log_id(index, edge);
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

static void lay_out_any(const struct rows *rows, const struct walk_block *block)
{
    struct reader reader = {
        .index = &rows->graph->index, .edges = &block->emitter->edges, .at = block->edge, .end = block->end};
    uint32_t next = 0;
    for (uint32_t at = 0; at < block->count; at++)
        if (!walk_block_leaves_out(block, at))
            lay_out_node(rows, block, at, block->place[at], &reader, &next);
}

static void lay_out_block(const struct rows *rows, const struct walk_block *block)
{
    if (is_simple(rows, block))
        lay_out_simple(rows, block);
    else
        lay_out_any(rows, block);
    walk_slabs_used(&block->emitter->edges, block->edge, block->end);
}

static void lay_out_loose(const struct rows *rows, const struct walk_loose *loose)
{
    const struct walk_block *block = loose->block;
    size_t end = loose->edge + block->edges[loose->at];
    struct reader reader = {
        .index = &rows->graph->index, .edges = &block->emitter->edges, .at = loose->edge, .end = end};
    uint32_t next = 0;
    lay_out_node(rows, block, loose->at, loose->id, &reader, &next);
    walk_slabs_used(&block->emitter->edges, loose->edge, end);
}

/* What is laid out of the strip is made of what is left of the log. */
static bool fill(struct rows *rows, const struct walk_strip *strip, uint64_t end_of_edges)
{
    struct walk_graph *graph = rows->graph;
    walk_id first = strip->first, end = strip->end;
    bool whole = walk_large_fill(graph->class, first * sizeof *graph->class, end * sizeof *graph->class) &&
                 walk_large_fill(graph->flags, first * sizeof *graph->flags, end * sizeof *graph->flags) &&
                 walk_large_fill(graph->forward.edge, strip->edges * sizeof *graph->forward.edge,
                                 end_of_edges * sizeof *graph->forward.edge);
    if (!whole)
        atomic_store_explicit(&rows->no_memory, true, memory_order_relaxed);
    return whole;
}

uint32_t walk_rows_start(uint32_t *start, walk_id count, uint32_t first)
{
    for (walk_id i = 0; i < count; i++) {
        uint32_t length = start[i];
        start[i] = first;
        first += length;
    }
    return first;
}

/* Classes and flags come with the edges: memory is taken for them while that of the log is given back. */
static void lay_out_strip(void *context, size_t task, unsigned worker)
{
    struct rows *rows = context;
    const struct walk_strip *strip = &rows->strips.strip[task];
    (void)worker;
    if (strip->first == strip->end)
        return;
    for (size_t i = strip->first_block; i < strip->end_block; i++)
        if (is_simple(rows, rows->strips.block[i]))
            number_simple(rows, rows->strips.block[i]);
    uint32_t *start = rows->graph->forward.start + strip->first;
    if (!fill(rows, strip, walk_rows_start(start, strip->end - strip->first, (uint32_t)strip->edges)))
        return;
    for (size_t i = strip->first_block; i < strip->end_block; i++)
        lay_out_block(rows, rows->strips.block[i]);
    for (size_t i = strip->first_loose; i < strip->end_loose; i++)
        lay_out_loose(rows, &rows->strips.loose[i]);
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

static bool open_rows(struct rows *rows, size_t block_count)
{
    struct walk_graph *graph = rows->graph;
    struct walk_stock *stock = rows->source->stock;
    size_t nodes = graph->node_count;
    graph->class = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->class);
    graph->flags = walk_large_alloc_later(stock, nodes + 1, sizeof *graph->flags);
    graph->forward.start = walk_large_alloc(stock, nodes + 1, sizeof *graph->forward.start);
    return graph->class && graph->flags && graph->forward.start &&
           walk_strips_open(&rows->strips, graph, rows->blocks, block_count);
}

static struct walk_error *build(struct rows *rows, size_t block_count)
{
    struct walk_graph *graph = rows->graph;
    const struct walk_source *source = rows->source;
    if (!open_rows(rows, block_count))
        return walk_error_no_memory();
    walk_workers_run(source->workers, rows->far->count, count_group, rows);
    walk_workers_run(source->workers, rows->strips.count, count_strip, rows);
    if (!sum_up(rows))
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 references");
    graph->forward.edge = walk_large_alloc_later(source->stock, graph->edge_count + 1, sizeof *graph->forward.edge);
    if (!graph->forward.edge)
        return walk_error_no_memory();
    walk_workers_run(source->workers, rows->strips.count, lay_out_strip, rows);
    if (!rows->no_memory)
        walk_workers_run(source->workers, rows->far->count, lay_out_group, rows);
    return rows->no_memory ? walk_error_no_memory() : NULL;
}

struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count, const struct walk_far_groups *far,
                                   bool doubt)
{
    struct rows rows = {.graph = graph, .source = source, .blocks = blocks, .far = far, .doubt = doubt};
    struct walk_error *error = build(&rows, count);
    walk_strips_close(&rows.strips);
    return error;
}
