/* SPDX-License-Identifier: Apache-2.0 */
/* Paths from roots, and from the local variables of frames, to an object: breadth first from the object upwards. */
#include <stdlib.h>

#include "answers/heap.h"

struct ends {
    const struct walk_heap *heap;
    struct walk_refs refs;
    size_t wanted; /* how many roots are enough; 0: all */
    bool guesses;  /* follow stale words of value stacks too: only when nothing else leads to a root */
};

/* The best reference from `holder` to `referent` that can be relied on: what kind of label it has; -1: only guesses. */
static int sure_label(struct ends *ends, walk_id holder, walk_id referent)
{
    walk_addr target = walk_graph_key(&ends->heap->graph, referent);
    int label = -1;
    ends->refs.count = 0;
    walk_heap_visit(ends->heap, holder, &ends->refs);
    for (size_t i = 0; i < ends->refs.count; i++) {
        const struct walk_ref *ref = &ends->refs.ref[i];
        if (ref->target == target && !(ref->flags & (WALK_REF_IF_KNOWN | WALK_EDGE_WEAK)) && label != WALK_LABEL_LOCAL)
            label = (int)ref->label;
    }
    return label;
}

/* ---- roots ---- */

/* Of several roots at one distance the one that says most is shown: a module, a frame, a thread, an interpreter. */
static int rank(const struct walk_heap *heap, walk_id id)
{
    uint8_t flags = heap->graph.flags[id];
    if (flags & WALK_NODE_MODULE)
        return 1;
    if (flags & WALK_NODE_ON_STACK)
        return 2;
    enum walk_node_kind kind = flags & WALK_NODE_KIND;
    return kind == WALK_THREAD ? 3 : kind == WALK_INTERPRETER ? 4 : 0;
}

static enum walk_step up_to_root(void *context, walk_id from, walk_id to, bool mark)
{
    struct ends *ends = context;
    bool on_stack = (ends->heap->graph.flags[to] & (WALK_NODE_ON_STACK | WALK_NODE_ASIDE)) != 0;
    if (mark && on_stack && !ends->guesses && sure_label(ends, to, from) < 0)
        return WALK_STEP_SKIP;
    if (!rank(ends->heap, to))
        return WALK_STEP_TAKE;
    return ends->wanted && --ends->wanted == 0 ? WALK_STEP_FINISH : WALK_STEP_STOP;
}

/* ---- locals ---- */

/* A generator that runs is not asked: its frame is on a stack. */
static bool has_locals(const struct walk_heap *heap, walk_id id)
{
    return walk_node_is_frame(heap, id) || (walk_node_is_generator(heap, id) && heap->facts->suspended(heap, id));
}

/* Modules and their namespaces hold nearly everything: what is reached through them says nothing about a variable. */
static enum walk_step up_to_local(void *context, walk_id from, walk_id to, bool mark)
{
    struct ends *ends = context;
    (void)mark;
    if (ends->heap->graph.flags[to] & (WALK_NODE_MODULE | WALK_NODE_NAMESPACE))
        return WALK_STEP_SKIP;
    if (!walk_node_is_frame(ends->heap, to) && !walk_node_is_generator(ends->heap, to))
        return WALK_STEP_TAKE;
    int label = sure_label(ends, to, from);
    bool variable = label == WALK_LABEL_LOCAL || label == WALK_LABEL_STACK;
    return variable && has_locals(ends->heap, to) ? WALK_STEP_STOP : WALK_STEP_SKIP;
}

/* ---- from a search to paths ---- */

walk_id walk_thread_of_frame(const struct walk_heap *heap, walk_id frame)
{
    const struct walk_tables *tables = &heap->tables;
    for (size_t i = 0; i < tables->on_stack_count; i++)
        if (tables->on_stack[i].frame == frame)
            return tables->on_stack[i].thread;
    return WALK_NO_ID;
}

/* The ends of a search, as indices into its result, nearest and most telling first. */
static struct walk_error *choose_ends(const struct walk_heap *heap, const struct walk_reach *reach, bool locals,
                                      size_t limit, uint32_t **ends, size_t *count)
{
    *ends = malloc((reach->count + 1) * sizeof **ends);
    if (!*ends)
        return walk_error_no_memory();
    *count = 0;
    uint32_t deepest = reach->count ? reach->depth[reach->count - 1] : 0;
    size_t at = 0;
    for (uint32_t depth = 0; depth <= deepest && *count < limit; depth++) {
        size_t next = at;
        while (next < reach->count && reach->depth[next] == depth)
            next++;
        for (int wanted = 1; wanted <= 4; wanted++)
            for (size_t i = at; i < next && *count < limit; i++) {
                walk_id id = reach->id[i];
                if (locals ? wanted == 1 && i > 0 && has_locals(heap, id) : rank(heap, id) == wanted)
                    (*ends)[(*count)++] = (uint32_t)i;
            }
        at = next;
    }
    return NULL;
}

static struct walk_error *add_path(const struct walk_heap *heap, const struct walk_reach *reach, uint32_t end,
                                   struct walk_edge_list *list, struct walk_path *path)
{
    struct walk_error *error = NULL;
    *path = (struct walk_path){.root = reach->id[end], .thread = walk_thread_of_frame(heap, reach->id[end])};
    walk_edge_list_renew(list);
    for (uint32_t at = end; at != 0 && !error; at = reach->parent[at], path->count++)
        error = walk_edge_list_add_first(list, reach->id[at], reach->id[reach->parent[at]]);
    return error;
}

static struct walk_error *make_paths(const struct walk_heap *heap, const struct walk_reach *reach, bool locals,
                                     size_t limit, struct walk_paths **result)
{
    uint32_t *ends = NULL;
    size_t count = 0;
    struct walk_edge_list *list = NULL;
    struct walk_paths *paths = NULL;
    struct walk_error *error = choose_ends(heap, reach, locals, limit, &ends, &count);
    if (!error)
        error = walk_edge_list_open(heap, &list);
    if (!error && (!(paths = calloc(1, sizeof *paths)) || !(paths->path = calloc(count + 1, sizeof *paths->path))))
        error = walk_error_no_memory();
    for (size_t i = 0; i < count && !error; i++)
        error = add_path(heap, reach, ends[i], list, &paths->path[paths->count++]);
    free(ends);
    struct walk_edges *edges = NULL;
    error = walk_edge_list_close(list, error, &edges);
    if (error) {
        walk_paths_free(paths);
        return error;
    }
    paths->edges = edges;
    for (size_t i = 0, at = 0; i < count; at += paths->path[i++].count)
        paths->path[i].edge = edges->edge + at;
    *result = paths;
    return NULL;
}

void walk_paths_free(struct walk_paths *paths)
{
    if (!paths)
        return;
    free(paths->path);
    walk_edges_free(paths->edges);
    free(paths);
}

/* The roots that lead to `id`: as far away as the last of the nearest `limit`, to choose the most telling of them. */
static struct walk_error *search_roots(struct ends *ends, walk_id id, size_t limit, struct walk_reach *reach)
{
    const struct walk_graph *graph = &ends->heap->graph;
    uint32_t distance = rank(ends->heap, id) ? 0 : WALK_ALL_GENERATIONS;
    if (distance) {
        ends->wanted = limit;
        struct walk_error *error = walk_graph_search(graph, &graph->backward, id, distance, up_to_root, ends, reach);
        if (error || ends->wanted)
            return error; /* there are not as many */
        distance = reach->depth[reach->count - 1];
        walk_reach_deinit(reach);
    }
    ends->wanted = 0;
    return walk_graph_search(graph, &graph->backward, id, distance, up_to_root, ends, reach);
}

struct walk_error *walk_heap_why(const struct walk_heap *heap, walk_id id, size_t limit, struct walk_paths **result)
{
    struct ends ends = {.heap = heap};
    struct walk_error *error = NULL;
    struct walk_paths *paths = NULL;
    limit = limit ? limit : 1;
    do {
        struct walk_reach reach;
        walk_paths_free(paths);
        paths = NULL;
        error = search_roots(&ends, id, limit, &reach);
        if (!error) {
            error = make_paths(heap, &reach, false, limit, &paths);
            walk_reach_deinit(&reach);
        }
        ends.guesses = !ends.guesses;
    } while (!error && paths->count == 0 && ends.guesses);
    walk_refs_deinit(&ends.refs);
    if (!error)
        *result = paths;
    return error;
}

struct walk_error *walk_heap_locals(const struct walk_heap *heap, walk_id id, uint32_t distance, size_t limit,
                                    struct walk_paths **paths)
{
    struct ends ends = {.heap = heap};
    struct walk_reach reach;
    uint32_t edges = distance == WALK_ALL_GENERATIONS ? distance : distance + 1;
    struct walk_error *error =
        walk_graph_search(&heap->graph, &heap->graph.backward, id, edges, up_to_local, &ends, &reach);
    walk_refs_deinit(&ends.refs);
    if (error)
        return error;
    error = make_paths(heap, &reach, true, limit, paths);
    walk_reach_deinit(&reach);
    return error;
}
