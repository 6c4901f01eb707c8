/* SPDX-License-Identifier: Apache-2.0 */
/* The edges of a part of a heap, with their labels. */
#include "answers/parts.h"

struct part_edges {
    const struct walk_heap *heap;
    struct walk_members members;
    struct walk_refs refs; /* of one holder at a time */
    struct walk_edge_list *list;
};

/* Is this reference of a member an edge of the part, and to whom? WALK_NO_ID: it is not. */
static walk_id referent_of(const struct part_edges *edges, const struct walk_ref *ref)
{
    if ((ref->flags & WALK_EDGE_WEAK) || (edges->members.unmarked && (ref->flags & WALK_EDGE_EXTRA)))
        return WALK_NO_ID;
    walk_id id = walk_graph_find(&edges->heap->graph, ref->target);
    return id == WALK_NO_ID || walk_member_number(&edges->members, id) == WALK_NO_ID ? WALK_NO_ID : id;
}

/* Those of one holder; with a `referent` only those to it. */
static struct walk_error *add_holder(struct part_edges *edges, walk_id holder, walk_id referent)
{
    struct walk_error *error = NULL;
    edges->refs.count = 0;
    walk_heap_visit(edges->heap, holder, &edges->refs);
    if (edges->refs.no_memory)
        return walk_error_no_memory();
    for (size_t i = 0; i < edges->refs.count && !error; i++) {
        walk_id id = referent_of(edges, &edges->refs.ref[i]);
        if (id != WALK_NO_ID && (referent == WALK_NO_ID || id == referent))
            error = walk_edge_list_add_named(edges->list, holder, id, &edges->refs.ref[i], false);
    }
    return error;
}

/* A backward row is sorted by holder: parallel edges stand together, and one visit finds them all. */
static struct walk_error *add_referent(struct part_edges *edges, walk_id referent)
{
    const struct walk_rows *rows = &edges->heap->graph.backward;
    struct walk_error *error = NULL;
    walk_id last = WALK_NO_ID;
    for (uint64_t i = rows->start[referent]; i < rows->start[referent + 1] && !error; i++) {
        walk_id holder = WALK_EDGE_ID(rows->edge[i]);
        if (holder != last && walk_member_along(&edges->members, rows->edge[i]) != WALK_NO_ID) {
            error = add_holder(edges, holder, referent);
            last = holder;
        }
    }
    return error;
}

static bool is_member(const struct part_edges *edges, walk_id id)
{
    return id < edges->heap->graph.node_count && walk_member_number(&edges->members, id) != WALK_NO_ID;
}

static struct walk_error *add_wanted(struct part_edges *edges, walk_id holder, walk_id referent)
{
    struct walk_error *error = NULL;
    if ((holder != WALK_NO_ID && !is_member(edges, holder)) || (referent != WALK_NO_ID && !is_member(edges, referent)))
        return walk_error_new(WALK_ERROR_NOT_FOUND, "an object that is not in this part of the heap");
    if (holder != WALK_NO_ID)
        return add_holder(edges, holder, referent);
    if (referent != WALK_NO_ID)
        return add_referent(edges, referent);
    for (walk_id i = 0; i < edges->members.count && !error; i++)
        error = add_holder(edges, walk_member_id(&edges->members, i), WALK_NO_ID);
    return error;
}

struct walk_error *walk_heap_part_edges(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id holder,
                                        walk_id referent, struct walk_edges **result)
{
    struct part_edges edges = {.heap = heap};
    struct walk_error *error = walk_part_open(heap, part, &edges.members);
    if (error)
        return error;
    walk_heap_limit(heap, &edges.refs);
    error = walk_edge_list_open(heap, &edges.list);
    if (!error)
        error = add_wanted(&edges, holder, referent);
    error = walk_edge_list_close(edges.list, error, result);
    walk_refs_deinit(&edges.refs);
    walk_members_deinit(&edges.members);
    return error;
}

struct walk_error *walk_heap_part_edge_count(const struct walk_heap *heap, const struct walk_heap_part *part,
                                             size_t *count)
{
    struct walk_members members;
    struct walk_error *error = walk_part_open(heap, part, &members);
    if (error)
        return error;
    const struct walk_rows *rows = &heap->graph.forward;
    size_t found = 0;
    for (walk_id i = 0; i < members.count; i++) {
        walk_id id = walk_member_id(&members, i);
        for (uint64_t e = rows->start[id]; e < rows->start[id + 1]; e++)
            found += walk_member_along(&members, rows->edge[e]) != WALK_NO_ID;
    }
    walk_members_deinit(&members);
    *count = found;
    return NULL;
}
