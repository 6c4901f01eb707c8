/* SPDX-License-Identifier: Apache-2.0 */
/* Chains, paths and cycles: a breadth first search that ends at the first goal. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/parts.h"

struct chase {
    const struct walk_heap *heap;
    struct walk_members members;
    enum walk_direction direction;
    uint32_t max_depth;
    bool (*is_goal)(const struct chase *chase, walk_id id);
    walk_id node;                   /* a goal: this one */
    uint8_t node_flags;             /* a goal: one of these */
    uint8_t *types, *ignored_types; /* a goal: of a type with a flag here; never entered */
    struct walk_members ignored;    /* never entered, unless there are none */
    bool guesses;                   /* follow stale words of value stacks too */
    struct walk_refs refs;          /* of one holder at a time */
};

/* ---- goals ---- */

static bool is_node(const struct chase *chase, walk_id id) { return id == chase->node; }

static bool has_flags(const struct chase *chase, walk_id id)
{
    return (chase->heap->graph.flags[id] & chase->node_flags) != 0;
}

static bool has_type(const struct chase *chase, walk_id id) { return chase->types[walk_node_type(chase->heap, id)]; }

/* The cycle is closed by an edge back to the node. */
static bool refers_to_node(const struct chase *chase, walk_id id)
{
    const struct walk_rows *rows = &chase->heap->graph.forward;
    for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++)
        if (WALK_EDGE_ID(rows->edge[i]) == chase->node &&
            walk_member_along(&chase->members, rows->edge[i]) != WALK_NO_ID)
            return true;
    return false;
}

/* ---- the search ---- */

/* The best reference of the part from `holder` to `referent`: a variable by name first, a guess last. NULL: none. */
static const struct walk_ref *best_ref(struct chase *chase, walk_id holder, walk_id referent)
{
    walk_addr target = walk_graph_key(&chase->heap->graph, referent);
    const struct walk_ref *best = NULL;
    chase->refs.count = 0;
    walk_heap_visit(chase->heap, holder, &chase->refs);
    for (size_t i = 0; i < chase->refs.count; i++) {
        const struct walk_ref *ref = &chase->refs.ref[i];
        if (ref->target != target || (ref->flags & WALK_EDGE_WEAK) ||
            (chase->members.unmarked && (ref->flags & WALK_EDGE_EXTRA)))
            continue;
        if (!best || (best->flags & WALK_EDGE_GUESS) || ref->label == WALK_LABEL_LOCAL)
            best = ref;
        if (best->label == WALK_LABEL_LOCAL)
            break;
    }
    return best;
}

/* Words above the known depth of a value stack, which frames on stacks alone have. */
static bool is_stale(struct chase *chase, walk_id holder, walk_id referent)
{
    if (chase->guesses || !(chase->heap->graph.flags[holder] & (WALK_NODE_ON_STACK | WALK_NODE_ASIDE)))
        return false;
    const struct walk_ref *ref = best_ref(chase, holder, referent);
    return !ref || (ref->flags & WALK_REF_IF_KNOWN);
}

static bool is_ignored(const struct chase *chase, walk_id id)
{
    return (chase->ignored_types && chase->ignored_types[walk_node_type(chase->heap, id)]) ||
           (chase->ignored.count && walk_member_number(&chase->ignored, id) != WALK_NO_ID);
}

static enum walk_step follow(void *context, walk_id from, walk_id to, bool mark)
{
    struct chase *chase = context;
    bool down = chase->direction == WALK_DESCENDANTS;
    if ((mark && chase->members.unmarked) || walk_member_number(&chase->members, to) == WALK_NO_ID ||
        is_ignored(chase, to) || (mark && is_stale(chase, down ? from : to, down ? to : from)))
        return WALK_STEP_SKIP;
    return chase->is_goal(chase, to) ? WALK_STEP_FINISH : WALK_STEP_TAKE;
}

/* The nodes from the first holder down to the last referent, in `nodes`, which has room for one more. */
static struct walk_error *list_nodes(const struct chase *chase, const struct walk_reach *reach, walk_id **nodes,
                                     size_t *count)
{
    uint32_t end = (uint32_t)reach->count - 1;
    *count = (size_t)reach->depth[end] + 1;
    *nodes = malloc((*count + 1) * sizeof **nodes);
    if (!*nodes)
        return walk_error_no_memory();
    bool down = chase->direction == WALK_DESCENDANTS;
    uint32_t at = end;
    for (size_t i = 0; i < *count; i++, at = reach->parent[at])
        (*nodes)[down ? *count - 1 - i : i] = reach->id[at];
    return NULL;
}

/* Finds the nearest goal. NOT_FOUND is an empty list. */
static struct walk_error *search(struct chase *chase, walk_id start, walk_id **nodes, size_t *count)
{
    const struct walk_graph *graph = &chase->heap->graph;
    const struct walk_rows *rows = chase->direction == WALK_ANCESTORS ? &graph->backward : &graph->forward;
    uint32_t limit = chase->is_goal(chase, start) ? 0 : chase->max_depth;
    struct walk_reach reach;
    *count = 0;
    walk_heap_limit(chase->heap, &chase->refs);
    struct walk_error *error = walk_graph_search(graph, rows, start, limit, follow, chase, &reach);
    if (error)
        return error;
    if (chase->is_goal(chase, reach.id[reach.count - 1]))
        error = list_nodes(chase, &reach, nodes, count);
    walk_reach_deinit(&reach);
    return error;
}

/* ---- from nodes to a path ---- */

static struct walk_error *add_edges(struct chase *chase, const walk_id *nodes, size_t count,
                                    struct walk_edge_list *list)
{
    struct walk_error *error = NULL;
    walk_heap_limit(chase->heap, &chase->refs);
    for (size_t i = 1; i < count && !error; i++) {
        const struct walk_ref *ref = best_ref(chase, nodes[i - 1], nodes[i]);
        error = ref ? walk_edge_list_add_named(list, nodes[i - 1], nodes[i], ref, false)
                    : walk_error_new(WALK_ERROR_IMPLAUSIBLE, "the target has changed since the heap was read");
    }
    return error;
}

static struct walk_error *make_path(struct chase *chase, const walk_id *nodes, size_t count, struct walk_paths **result)
{
    struct walk_edge_list *list = NULL;
    struct walk_paths *paths = calloc(1, sizeof *paths);
    if (!paths || !(paths->path = calloc(1, sizeof *paths->path))) {
        free(paths);
        return walk_error_no_memory();
    }
    struct walk_error *error = walk_edge_list_open(chase->heap, &list);
    if (!error)
        error = add_edges(chase, nodes, count, list);
    error = walk_edge_list_close(list, error, &paths->edges);
    if (error) {
        walk_paths_free(paths);
        return error;
    }
    paths->count = 1;
    *paths->path =
        (struct walk_path){nodes[0], walk_thread_of_frame(chase->heap, nodes[0]), count - 1, paths->edges->edge};
    *result = paths;
    return NULL;
}

/* Without stale words first. With `closed` the path goes back to its start by one edge more. */
static struct walk_error *run(struct chase *chase, walk_id start, bool closed, struct walk_paths **paths)
{
    walk_id *nodes = NULL;
    size_t count = 0;
    struct walk_error *error = search(chase, start, &nodes, &count);
    if (!error && !count) {
        chase->guesses = true;
        error = search(chase, start, &nodes, &count);
    }
    if (!error && count) {
        if (closed)
            nodes[count++] = start;
        error = make_path(chase, nodes, count, paths);
    } else if (!error) {
        error = walk_error_new(WALK_ERROR_NOT_FOUND, "no path found");
    }
    free(nodes);
    return error;
}

/* ---- the questions ---- */

static struct walk_error *open_chase(struct chase *chase, const struct walk_heap *heap,
                                     const struct walk_heap_part *part, walk_id start)
{
    *chase = (struct chase){.heap = heap, .direction = WALK_DESCENDANTS, .max_depth = WALK_ALL_GENERATIONS};
    struct walk_error *error = walk_part_open(heap, part, &chase->members);
    if (!error && (start >= heap->graph.node_count || walk_member_number(&chase->members, start) == WALK_NO_ID)) {
        walk_members_deinit(&chase->members);
        error = walk_error_new(WALK_ERROR_NOT_FOUND, "0x%" PRIx64 " is not in this part of the heap",
                               start < heap->graph.node_count ? walk_graph_key(&heap->graph, start) : 0);
    }
    return error;
}

static void close_chase(struct chase *chase)
{
    free(chase->types);
    free(chase->ignored_types);
    walk_members_deinit(&chase->ignored);
    walk_members_deinit(&chase->members);
    walk_refs_deinit(&chase->refs);
}

static struct walk_error *set_ignored(struct chase *chase, const struct walk_chain *chain)
{
    const struct walk_heap *heap = chase->heap;
    if (chain->ignored_type_count) {
        chase->ignored_types = calloc(walk_heap_type_count(heap), 1);
        if (!chase->ignored_types)
            return walk_error_no_memory();
    }
    for (size_t i = 0; i < chain->ignored_type_count; i++)
        walk_types_called(heap, chain->ignored_types[i], chase->ignored_types);
    return chain->ignored && chain->ignored_count
               ? walk_members_init(&chase->ignored, &heap->graph, chain->ignored, chain->ignored_count, false)
               : NULL;
}

static struct walk_error *set_goal(struct chase *chase, const struct walk_chain *chain)
{
    chase->node = chain->node;
    switch (chain->goal) {
    case WALK_GOAL_TYPE:
        chase->is_goal = has_type;
        chase->types = calloc(walk_heap_type_count(chase->heap), 1);
        if (!chase->types)
            return walk_error_no_memory();
        walk_types_called(chase->heap, chain->type, chase->types);
        break;
    case WALK_GOAL_MODULE:
    case WALK_GOAL_FRAME:
        chase->is_goal = has_flags;
        chase->node_flags = chain->goal == WALK_GOAL_MODULE ? WALK_NODE_MODULE : WALK_NODE_ON_STACK | WALK_NODE_ASIDE;
        break;
    case WALK_GOAL_NODE:
        chase->is_goal = is_node;
        break;
    }
    return NULL;
}

struct walk_error *walk_heap_chain(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id start,
                                   const struct walk_chain *chain, struct walk_paths **paths)
{
    struct chase chase;
    struct walk_error *error = open_chase(&chase, heap, part, start);
    if (error)
        return error;
    chase.direction = chain->direction;
    chase.max_depth = chain->max_depth;
    error = set_goal(&chase, chain);
    if (!error)
        error = set_ignored(&chase, chain);
    if (!error)
        error = run(&chase, start, false, paths);
    close_chase(&chase);
    return error;
}

struct walk_error *walk_heap_path(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id from,
                                  walk_id to, struct walk_paths **paths)
{
    struct chase chase;
    struct walk_error *error = open_chase(&chase, heap, part, from);
    if (error)
        return error;
    chase.is_goal = is_node;
    chase.node = to;
    error = run(&chase, from, false, paths);
    close_chase(&chase);
    return error;
}

struct walk_error *walk_heap_cycle(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id id,
                                   struct walk_paths **paths)
{
    struct chase chase;
    struct walk_error *error = open_chase(&chase, heap, part, id);
    if (error)
        return error;
    chase.is_goal = refers_to_node;
    chase.node = id;
    error = run(&chase, id, true, paths);
    close_chase(&chase);
    return error;
}
