/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a full collection would find: the collector's own algorithm (deduce_unreachable() of Modules/gcmodule.c, since
 * 3.13 Python/gc.c). Of the count of each object that it tracks it takes off the references that it sees from others;
 * where some are left, something else holds the object, and it and all that it leads to is alive.
 */
#include <stdlib.h>

#include "answers/parts.h"
#include "objects/dict.h"
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
        walk_uncounted_of_object(python, graph->class[id], graph -> key[id], &refs);
        add_back(collection, &refs);
    }
    bool good = !refs.no_memory;
    walk_refs_deinit(&refs);
    return good ? NULL : walk_error_no_memory();
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
        collection->held[i] =
            walk_header_collector_count(heap->python, heap->graph.key[walk_member_id(&collection->members, i)]);
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

/* Adds what the collector of one interpreter would find, or the one that all share, to the flags of the nodes. */
static struct walk_error *collect_of(const struct walk_heap *heap, size_t interpreter, uint8_t *found, size_t *total)
{
    struct collection collection = {.heap = heap};
    size_t count = 0;
    struct walk_error *error = walk_heap_tracked(heap, interpreter, &collection.tracked);
    if (!error)
        error = collect(&collection, &count);
    for (walk_id i = 0; i < collection.members.count && !error; i++)
        if (collection.unheld[i])
            found[walk_member_id(&collection.members, i)] = 1;
    *total += count;
    end(&collection);
    return error;
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
        flags |=
            WALK_GARBAGE_FINALIZER | (walk_header_finalized(python, heap->graph.key[id]) ? WALK_GARBAGE_FINALIZED : 0);
    return flags;
}

/* move_legacy_finalizer_reachable(): what a legacy finalizer may still use is not touched. */
static struct walk_error *mark_kept(const struct walk_heap *heap, struct walk_garbage *garbage)
{
    const struct walk_heap_part part = {garbage->id, garbage->count, true};
    struct walk_ids *legacy = walk_ids_new(garbage->count), *kept = NULL;
    if (!legacy)
        return walk_error_no_memory();
    for (size_t i = 0; i < garbage->count; i++)
        if (garbage->flags[i] & WALK_GARBAGE_LEGACY)
            legacy->id[legacy->count++] = garbage->id[i];
    struct walk_error *error = NULL;
    if (legacy->count)
        error = walk_heap_part_within(heap, &part, legacy->id, legacy->count, WALK_DESCENDANTS, WALK_ALL_GENERATIONS,
                                      &kept);
    for (size_t i = 0, at = 0; kept && i < kept->count; i++) {
        while (garbage->id[at] != kept->id[i])
            at++;
        garbage->flags[at] |= WALK_GARBAGE_KEPT;
    }
    walk_ids_free(legacy);
    walk_ids_free(kept);
    return error;
}

/* ---- the answer ---- */

static struct walk_error *make(const struct walk_heap *heap, const uint8_t *found, size_t total,
                               struct walk_garbage **result)
{
    struct walk_garbage *garbage = calloc(1, sizeof *garbage);
    if (!garbage || !(garbage->id = malloc((total + 1) * sizeof *garbage->id)) ||
        !(garbage->flags = malloc(total + 1))) {
        walk_garbage_free(garbage);
        return walk_error_no_memory();
    }
    for (walk_id id = 0; id < heap->graph.node_count; id++) {
        if (!found[id])
            continue;
        garbage->flags[garbage->count] = finalizer_of(heap, id);
        garbage->id[garbage->count++] = id;
    }
    garbage->exact = heap->stats.complete && !heap->stats.guessed_objects;
    struct walk_error *error = mark_kept(heap, garbage);
    if (error)
        walk_garbage_free(garbage);
    else
        *result = garbage;
    return error;
}

struct walk_error *walk_heap_garbage(const struct walk_heap *heap, size_t interpreter, struct walk_garbage **garbage)
{
    size_t count = walk_heap_interpreter_count(heap), total = 0;
    bool shared = count == 1 || walk_runtime_shares_collector(heap->python->runtime);
    uint8_t *found = calloc((size_t)heap->graph.node_count + 1, 1);
    struct walk_error *error = NULL;
    if (!found)
        return walk_error_no_memory();
    if (shared)
        error = collect_of(heap, WALK_ALL_INTERPRETERS, found, &total);
    for (size_t i = 0; i < count && !shared && !error; i++)
        if (interpreter == WALK_ALL_INTERPRETERS || interpreter == i)
            error = collect_of(heap, i, found, &total);
    if (!error)
        error = make(heap, found, total, garbage);
    free(found);
    return error;
}

void walk_garbage_free(struct walk_garbage *garbage)
{
    if (!garbage)
        return;
    free(garbage->id);
    free(garbage->flags);
    free(garbage);
}
