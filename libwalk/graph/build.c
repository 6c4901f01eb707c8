/* SPDX-License-Identifier: Apache-2.0 */
/* The closure: visit every node in the order of discovery, so that row i is finished before row i + 1 begins. */
#include <stdlib.h>
#include <string.h>

#include "graph/index.h"

enum { PROGRESS_EVERY = 1 << 16 };

struct late_edge {
    walk_id holder;
    bool mark;
    walk_addr key;
};

struct walk_builder {
    struct walk_graph *graph;
    struct walk_source source;
    walk_id visiting;
    size_t edge_capacity;
    struct late_edge *late; /* in the order of their holders */
    size_t late_count, late_capacity;
    bool no_memory, too_many;
};

static bool grow(void **array, size_t *capacity, size_t item, size_t first)
{
    size_t wanted = *capacity ? *capacity + *capacity / 2 : first;
    void *grown = realloc(*array, wanted * item);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

/* The arrays of the nodes grow together; `start` has one item more. */
static bool reserve_node(struct walk_graph *graph)
{
    if (graph->node_count < graph->node_capacity)
        return true;
    size_t capacity = graph->node_capacity ? graph->node_capacity + graph->node_capacity / 2 : 1 << 16;
    walk_addr *key = realloc(graph->key, capacity * sizeof *key);
    if (key)
        graph->key = key;
    uint32_t *class = realloc(graph->class, capacity * sizeof *class);
    if (class)
        graph->class = class;
    uint8_t *flags = realloc(graph->flags, capacity);
    if (flags)
        graph->flags = flags;
    uint64_t *start = realloc(graph->forward.start, (capacity + 1) * sizeof *start);
    if (start)
        graph->forward.start = start;
    if (!key || !class || !flags || !start)
        return false;
    graph->node_capacity = capacity;
    return true;
}

static walk_id add_node(struct walk_builder *builder, walk_addr key, uint32_t class, uint8_t flags)
{
    struct walk_graph *graph = builder->graph;
    if (graph->node_count == WALK_EDGE_MARK - 1) {
        builder->too_many = true;
        return WALK_NO_ID;
    }
    if (!reserve_node(graph) || !walk_index_reserve(graph)) {
        builder->no_memory = true;
        return WALK_NO_ID;
    }
    walk_id id = graph->node_count++;
    graph->key[id] = key;
    graph->class[id] = class;
    graph->flags[id] = flags;
    walk_index_enter(graph, id);
    return id;
}

struct walk_error *walk_builder_node(struct walk_builder *builder, walk_addr key, uint32_t class, uint8_t flags)
{
    walk_id id = walk_graph_find(builder->graph, key);
    if (id != WALK_NO_ID)
        builder->graph->flags[id] |= flags;
    else if (add_node(builder, key, class, flags) == WALK_NO_ID)
        return walk_error_no_memory();
    return NULL;
}

bool walk_builder_edge(struct walk_builder *builder, walk_addr key, bool mark)
{
    struct walk_graph *graph = builder->graph;
    walk_id id = walk_index_find(graph, key);
    if (id == WALK_NO_ID) {
        uint32_t class;
        uint8_t flags;
        if (!builder->source.admit(builder->source.context, key, &class, &flags))
            return false;
        id = add_node(builder, key, class, flags);
        if (id == WALK_NO_ID)
            return false;
    }
    if (graph->edge_count == builder->edge_capacity &&
        !grow((void **)&graph->forward.edge, &builder->edge_capacity, sizeof *graph->forward.edge, 1 << 18)) {
        builder->no_memory = true;
        return false;
    }
    graph->forward.edge[graph->edge_count++] = id | (mark ? WALK_EDGE_MARK : 0);
    return true;
}

void walk_builder_edge_if_known(struct walk_builder *builder, walk_addr key, bool mark)
{
    if (builder->late_count == builder->late_capacity &&
        !grow((void **)&builder->late, &builder->late_capacity, sizeof *builder->late, 256)) {
        builder->no_memory = true;
        return;
    }
    builder->late[builder->late_count++] = (struct late_edge){builder->visiting, mark, key};
}

struct walk_error *walk_builder_open(struct walk_graph *graph, const struct walk_source *source,
                                     struct walk_builder **result)
{
    *graph = (struct walk_graph){0};
    struct walk_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return walk_error_no_memory();
    builder->graph = graph;
    builder->source = *source;
    if (!walk_index_reserve(graph) || !reserve_node(graph)) {
        walk_builder_abort(builder);
        return walk_error_no_memory();
    }
    *result = builder;
    return NULL;
}

void walk_builder_abort(struct walk_builder *builder)
{
    if (!builder)
        return;
    walk_graph_deinit(builder->graph);
    free(builder->late);
    free(builder);
}

static struct walk_error *close_over(struct walk_builder *builder)
{
    struct walk_graph *graph = builder->graph;
    const struct walk_source *source = &builder->source;
    for (walk_id id = 0; id < graph->node_count; id++) {
        builder->visiting = id;
        graph->forward.start[id] = graph->edge_count;
        struct walk_error *error =
            source->visit(source->context, id, graph->key[id], graph->class[id], graph -> flags[id], builder);
        if (error)
            return error;
        if (builder->no_memory)
            return walk_error_no_memory();
        if (builder->too_many)
            return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^31 objects");
        if (id % PROGRESS_EVERY == 0 && source->progress &&
            !source->progress(source->progress_context, id, graph->node_count))
            return walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    }
    graph->forward.start[graph->node_count] = graph->edge_count;
    return NULL;
}

/* Puts the late edges behind their holders' rows: rows move up from the last one on. */
static struct walk_error *merge_late(struct walk_builder *builder)
{
    struct walk_graph *graph = builder->graph;
    size_t kept = 0;
    for (size_t i = 0; i < builder->late_count; i++)
        if (walk_graph_find(graph, builder->late[i].key) != WALK_NO_ID)
            builder->late[kept++] = builder->late[i];
    if (!kept)
        return NULL;
    uint32_t *edge = realloc(graph->forward.edge, (graph->edge_count + kept) * sizeof *edge);
    if (!edge)
        return walk_error_no_memory();
    graph->forward.edge = edge;
    uint64_t end = graph->edge_count, to = end + kept;
    graph->edge_count = to;
    for (walk_id id = graph->node_count; id-- > 0;) {
        uint64_t start = graph->forward.start[id];
        graph->forward.start[id + 1] = to;
        for (; kept && builder->late[kept - 1].holder == id; kept--)
            edge[--to] = walk_graph_find(graph, builder->late[kept - 1].key) |
                         (builder->late[kept - 1].mark ? WALK_EDGE_MARK : 0);
        memmove(edge + to - (end - start), edge + start, (end - start) * sizeof *edge);
        to -= end - start;
        end = start;
    }
    return NULL;
}

/* Counting sort of the edges by their referent. */
struct walk_error *walk_graph_reverse(struct walk_graph *graph)
{
    uint64_t *start = calloc((size_t)graph->node_count + 2, sizeof *start);
    uint32_t *edge = malloc((graph->edge_count + 1) * sizeof *edge);
    if (!start || !edge) {
        free(start);
        free(edge);
        return walk_error_no_memory();
    }
    /* start[i + 2] counts row i; after the sum start[i + 1] is where row i begins, and at the end where it ends. */
    for (uint64_t i = 0; i < graph->edge_count; i++)
        start[(size_t)WALK_EDGE_ID(graph->forward.edge[i]) + 2]++;
    for (size_t i = 2; i < (size_t)graph->node_count + 2; i++)
        start[i] += start[i - 1];
    for (walk_id id = 0; id < graph->node_count; id++) {
        for (uint64_t i = graph->forward.start[id]; i < graph->forward.start[id + 1]; i++) {
            uint32_t target = graph->forward.edge[i];
            edge[start[WALK_EDGE_ID(target) + 1]++] = id | (target & WALK_EDGE_MARK);
        }
    }
    graph->backward = (struct walk_rows){start, edge};
    return NULL;
}

struct walk_error *walk_builder_finish(struct walk_builder *builder)
{
    struct walk_error *error = close_over(builder);
    if (!error)
        error = merge_late(builder);
    if (!error)
        error = walk_graph_reverse(builder->graph);
    if (error) {
        walk_builder_abort(builder);
        return error;
    }
    free(builder->late);
    free(builder);
    return NULL;
}

void walk_graph_deinit(struct walk_graph *graph)
{
    free(graph->key);
    free(graph->class);
    free(graph->flags);
    free(graph->index.slot);
    free(graph->forward.start);
    free(graph->forward.edge);
    free(graph->backward.start);
    free(graph->backward.edge);
    *graph = (struct walk_graph){0};
}
