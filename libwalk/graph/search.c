/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "graph/graph.h"

struct search {
    struct walk_reach *reach;
    size_t capacity;
    uint8_t *taken; /* one bit per node */
};

static bool take(struct search *search, walk_id id, uint32_t depth, uint32_t parent)
{
    struct walk_reach *reach = search->reach;
    if (reach->count == search->capacity) {
        size_t capacity = search->capacity ? search->capacity * 2 : 256;
        walk_id *ids = realloc(reach->id, capacity * sizeof *ids);
        if (ids)
            reach->id = ids;
        uint32_t *depths = realloc(reach->depth, capacity * sizeof *depths);
        if (depths)
            reach->depth = depths;
        uint32_t *parents = realloc(reach->parent, capacity * sizeof *parents);
        if (parents)
            reach->parent = parents;
        if (!ids || !depths || !parents)
            return false;
        search->capacity = capacity;
    }
    search->taken[id / 8] |= (uint8_t)(1u << id % 8);
    reach->id[reach->count] = id;
    reach->depth[reach->count] = depth;
    reach->parent[reach->count++] = parent;
    return true;
}

/* Nodes from which the search does not go on get this depth while it runs; it is taken off at the end. */
#define STOPPED UINT32_C(0x80000000)

static bool expand(struct search *search, const struct walk_rows *rows, uint32_t at, walk_judge *judge, void *context,
                   bool *finished)
{
    walk_id from = search->reach->id[at];
    uint32_t depth = search->reach->depth[at] + 1;
    for (uint64_t i = rows->start[from]; i < rows->start[from + 1] && !*finished; i++) {
        walk_id to = WALK_EDGE_ID(rows->edge[i]);
        if (search->taken[to / 8] >> to % 8 & 1)
            continue;
        enum walk_step step = judge ? judge(context, from, to, (rows->edge[i] & WALK_EDGE_MARK) != 0) : WALK_STEP_TAKE;
        if (step == WALK_STEP_SKIP)
            continue;
        if (!take(search, to, step == WALK_STEP_TAKE ? depth : depth | STOPPED, at))
            return false;
        *finished = step == WALK_STEP_FINISH;
    }
    return true;
}

struct walk_error *walk_graph_search(const struct walk_graph *graph, const struct walk_rows *rows, walk_id start,
                                     uint32_t limit, walk_judge *judge, void *context, struct walk_reach *reach)
{
    *reach = (struct walk_reach){0};
    struct search search = {.reach = reach, .taken = calloc((size_t)graph->node_count / 8 + 1, 1)};
    bool good = search.taken && take(&search, start, 0, 0), finished = false;
    for (uint32_t at = 0; good && !finished && at < reach->count; at++)
        if (reach->depth[at] < limit && !(reach->depth[at] & STOPPED))
            good = expand(&search, rows, at, judge, context, &finished);
    for (size_t i = 0; i < reach->count; i++)
        reach->depth[i] &= ~STOPPED;
    free(search.taken);
    if (good)
        return NULL;
    walk_reach_deinit(reach);
    return walk_error_no_memory();
}

void walk_reach_deinit(struct walk_reach *reach)
{
    free(reach->id);
    free(reach->depth);
    free(reach->parent);
    *reach = (struct walk_reach){0};
}
