/* SPDX-License-Identifier: Apache-2.0 */
/* Ancestors and descendants: refcycle's, plus the nodes that the collector does not see. */
#include <stdlib.h>

#include "answers/heap.h"

struct within {
    const struct walk_heap *heap;
    walk_id start;
    walk_id *left_out; /* tracked nodes behind edges that were not followed; may repeat */
    size_t count, capacity;
    bool no_memory;
};

static void leave_out(struct within *within, walk_id id)
{
    if (within->count == within->capacity) {
        size_t capacity = within->capacity ? within->capacity * 2 : 64;
        walk_id *grown = realloc(within->left_out, capacity * sizeof *grown);
        if (!grown) {
            within->no_memory = true;
            return;
        }
        within->left_out = grown;
        within->capacity = capacity;
    }
    within->left_out[within->count++] = id;
}

/* A tracked node is entered only the way that gc.get_referents would lead: from a tracked node, or from the start. */
static enum walk_step collector_sees(void *context, walk_id from, walk_id to, bool mark)
{
    struct within *within = context;
    if (!walk_node_tracked(within->heap, to))
        return WALK_STEP_TAKE;
    if (!mark && (from == within->start || walk_node_tracked(within->heap, from)))
        return WALK_STEP_TAKE;
    leave_out(within, to);
    return WALK_STEP_SKIP;
}

static int by_id(const void *a, const void *b)
{
    walk_id x = *(const walk_id *)a, y = *(const walk_id *)b;
    return (x > y) - (x < y);
}

/* `context` is a bit per node: that of those in the subgraph is set. */
static bool is_member(void *context, walk_id id)
{
    const uint8_t *members = context;
    return members[id / 8] >> id % 8 & 1;
}

static uint8_t *make_members(const struct walk_heap *heap, const walk_id *id, size_t count)
{
    uint8_t *members = calloc((size_t)heap->graph.node_count / 8 + 1, 1);
    for (size_t i = 0; members && i < count; i++)
        members[id[i] / 8] |= (uint8_t)(1u << id[i] % 8);
    return members;
}

static size_t count_beyond(struct within *within, uint8_t *members)
{
    size_t beyond = 0;
    if (within->count)
        qsort(within->left_out, within->count, sizeof *within->left_out, by_id);
    for (size_t i = 0; i < within->count; i++)
        if ((i == 0 || within->left_out[i] != within->left_out[i - 1]) && !is_member(members, within->left_out[i]))
            beyond++;
    return beyond;
}

/* A node's edges within the subgraph. Of many nodes few of their edges are, and only few addresses are compared. */
static struct walk_error *add_edges_of(struct walk_edge_list *list, const struct walk_rows *rows, walk_id holder,
                                       uint8_t *members)
{
    walk_id to[WALK_EDGE_LIST_FEW];
    size_t count = 0;
    for (uint32_t i = rows->start[holder]; i < rows->start[holder + 1]; i++) {
        walk_id id = WALK_EDGE_ID(rows->edge[i]);
        if (!is_member(members, id))
            continue;
        size_t at = 0;
        while (at < count && to[at] != id)
            at++;
        if (at == WALK_EDGE_LIST_FEW)
            return walk_edge_list_add(list, holder, is_member, members);
        to[at] = id;
        count = at == count ? count + 1 : count;
    }
    return count ? walk_edge_list_add_to(list, holder, to, count) : NULL;
}

struct walk_error *walk_heap_subgraph_edges(const struct walk_heap *heap, const struct walk_subgraph *subgraph,
                                            struct walk_edges **edges)
{
    struct walk_edge_list *list = NULL;
    uint8_t *members = make_members(heap, subgraph->id, subgraph->count);
    struct walk_error *error = members ? walk_edge_list_open(heap, &list) : walk_error_no_memory();
    for (size_t i = 0; i < subgraph->count && !error; i++)
        error = add_edges_of(list, &heap->graph.forward, subgraph->id[i], members);
    free(members);
    return walk_edge_list_close(list, error, edges);
}

static struct walk_error *make_subgraph(struct within *within, struct walk_reach *reach, struct walk_subgraph **result)
{
    struct walk_subgraph *subgraph = calloc(1, sizeof *subgraph);
    uint8_t *members = within->count ? make_members(within->heap, reach->id, reach->count) : NULL;
    bool good = subgraph && !within->no_memory && (members || !within->count);
    if (good) {
        subgraph->beyond = count_beyond(within, members);
        subgraph->count = reach->count;
        subgraph->id = reach->id;
        subgraph->depth = reach->depth;
        reach->id = NULL;
        reach->depth = NULL;
        *result = subgraph;
    } else {
        free(subgraph);
    }
    free(members);
    return good ? NULL : walk_error_no_memory();
}

struct walk_error *walk_heap_within(const struct walk_heap *heap, walk_id start, enum walk_direction direction,
                                    uint32_t generations, bool everything, struct walk_subgraph **subgraph)
{
    struct within within = {.heap = heap, .start = start};
    struct walk_reach reach;
    const struct walk_rows *rows = direction == WALK_ANCESTORS ? &heap->graph.backward : &heap->graph.forward;
    bool all = everything || walk_node_kind(heap, start) != WALK_OBJECT;
    struct walk_error *error =
        walk_graph_search(&heap->graph, rows, start, generations, all ? NULL : collector_sees, &within, &reach);
    if (!error) {
        error = make_subgraph(&within, &reach, subgraph);
        walk_reach_deinit(&reach);
    }
    free(within.left_out);
    return error;
}

void walk_subgraph_free(struct walk_subgraph *subgraph)
{
    if (!subgraph)
        return;
    free(subgraph->id);
    free(subgraph->depth);
    free(subgraph);
}
