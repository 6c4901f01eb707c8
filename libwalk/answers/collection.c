/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a full collection would find, from the memory: the collector's own algorithm (deduce_unreachable() of
 * Modules/gcmodule.c, since 3.13 Python/gc.c). Of the count of each object that it tracks it takes off the references
 * that it sees from others; where some are left, something else holds the object, and it and all that it leads to is
 * alive.
 */
#include <stdlib.h>

#include "answers/parts.h"
#include "objects/header.h"
#include "objects/uncounted.h"

struct collection {
    const struct walk_heap *heap;
    struct walk_ids *tracked;
    struct walk_members members; /* these, with the edges that the collector sees */
    int64_t *held;               /* per member: references that are not from within */
    uint8_t *unheld;
};

/* ---- references that are in no count: the edges are taken off, so they are added first ---- */

static void add_back(struct collection *collection, const struct walk_refs *refs)
{
    for (size_t i = 0; i < refs->count; i++) {
        walk_id id = walk_graph_find(&collection->heap->graph, refs->ref[i].target);
        walk_id number = id == WALK_NO_ID ? WALK_NO_ID : walk_member_number(&collection->members, id);
        if (number != WALK_NO_ID)
            collection->held[number]++;
    }
}

static struct walk_error *add_uncounted(struct collection *collection)
{
    const struct walk_graph *graph = &collection->heap->graph;
    struct walk_python *python = collection->heap->python;
    struct walk_refs refs = {0};
    walk_heap_limit(collection->heap, &refs);
    walk_uncounted_of_stacks(python, &refs);
    add_back(collection, &refs);
    for (walk_id i = 0; i < collection->members.count; i++) {
        walk_id id = walk_member_id(&collection->members, i);
        if (!walk_node_is_generator(collection->heap, id) && !walk_node_is_frame(collection->heap, id))
            continue;
        refs.count = 0;
        walk_uncounted_of_object(python, graph->class[id], walk_graph_key(graph, id), &refs);
        add_back(collection, &refs);
    }
    bool good = !refs.no_memory;
    walk_refs_deinit(&refs);
    return good ? NULL : walk_error_no_memory();
}

/* ---- finalizers ---- */

static uint8_t finalizer_of(const struct walk_heap *heap, walk_id id)
{
    const struct walk_python *python = heap->python;
    walk_addr type = python->types[heap->graph.class[id]].address;
    uint8_t flags = 0;
    if (WALK_MEMBER(python, type, type, tp_del))
        flags |= WALK_GARBAGE_LEGACY;
    if (WALK_MEMBER(python, type, type, tp_finalize))
        flags |= WALK_GARBAGE_FINALIZER |
                 (walk_header_finalized(python, walk_graph_key(&heap->graph, id)) ? WALK_GARBAGE_FINALIZED : 0);
    return flags;
}

/* ---- one collector ---- */

static struct walk_error *collect(struct collection *collection, size_t *count)
{
    const struct walk_heap *heap = collection->heap;
    struct walk_error *error = walk_members_init(&collection->members, &heap->graph, collection->tracked->id,
                                                 collection->tracked->count, true);
    if (error)
        return error;
    collection->held = malloc(((size_t)collection->members.count + 1) * sizeof *collection->held);
    collection->unheld = malloc((size_t)collection->members.count + 1);
    if (!collection->held || !collection->unheld)
        return walk_error_no_memory();
    for (walk_id i = 0; i < collection->members.count; i++)
        collection->held[i] = walk_header_collector_count(
            heap->python, walk_graph_key(&heap->graph, walk_member_id(&collection->members, i)));
    error = add_uncounted(collection);
    return error ? error : walk_members_unheld(&collection->members, collection->held, collection->unheld, count);
}

static void end(struct collection *collection)
{
    walk_members_deinit(&collection->members);
    free(collection->held);
    free(collection->unheld);
    walk_ids_free(collection->tracked);
}

/* Notes what the collector of one interpreter would find, or the one that all share. */
static struct walk_error *collect_of(const struct walk_heap *heap, size_t interpreter, uint8_t *found)
{
    struct collection collection = {.heap = heap};
    size_t count = 0;
    struct walk_error *error = walk_heap_tracked(heap, interpreter, &collection.tracked);
    if (!error)
        error = collect(&collection, &count);
    for (walk_id i = 0; i < collection.members.count && !error; i++) {
        walk_id id = walk_member_id(&collection.members, i);
        if (collection.unheld[i])
            found[id] = WALK_FOUND | finalizer_of(heap, id);
    }
    end(&collection);
    return error;
}

struct walk_error *walk_live_garbage(const struct walk_heap *heap, size_t interpreter, uint8_t *found)
{
    size_t count = walk_heap_interpreter_count(heap);
    struct walk_error *error = NULL;
    if (walk_heap_shares_collector(heap))
        return collect_of(heap, WALK_ALL_INTERPRETERS, found);
    for (size_t i = 0; i < count && !error; i++)
        if (interpreter == WALK_ALL_INTERPRETERS || interpreter == i)
            error = collect_of(heap, i, found);
    return error;
}
