/* SPDX-License-Identifier: Apache-2.0 */
/* What a full collection would find, with its finalizers (collection.c, saved.c), and what it would leave alive. */
#include <stdlib.h>

#include "answers/parts.h"

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

static struct walk_error *make(const struct walk_heap *heap, const uint8_t *found, struct walk_garbage **result)
{
    struct walk_garbage *garbage = calloc(1, sizeof *garbage);
    size_t total = 0;
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        total += found[id] != 0;
    if (!garbage || !(garbage->id = malloc((total + 1) * sizeof *garbage->id)) ||
        !(garbage->flags = malloc(total + 1))) {
        walk_garbage_free(garbage);
        return walk_error_no_memory();
    }
    for (walk_id id = 0; id < heap->graph.node_count; id++) {
        if (!found[id])
            continue;
        garbage->flags[garbage->count] = found[id] & (uint8_t)~WALK_FOUND;
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
    uint8_t *found = calloc((size_t)heap->graph.node_count + 1, 1);
    if (!found)
        return walk_error_no_memory();
    struct walk_error *error = heap->facts->garbage(heap, interpreter, found);
    if (!error)
        error = make(heap, found, garbage);
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
