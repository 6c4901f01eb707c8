/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that nothing refers to. */
#include <stdlib.h>

#include "answers/parts.h"

/* A holder counts when the collector sees the edge and tracks the holder; for the stricter question all of them do. */
static bool has_holder(const struct walk_heap *heap, walk_id id, bool any)
{
    const struct walk_rows *rows = &heap->graph.backward;
    if (any)
        return rows->start[id] < rows->start[id + 1];
    for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++)
        if (!(rows->edge[i] & WALK_EDGE_MARK) && walk_node_tracked(heap, rows->edge[i]))
            return true;
    return false;
}

struct walk_error *walk_heap_leaks(const struct walk_heap *heap, bool any_holder, struct walk_ids **result)
{
    struct walk_ids *ids = walk_ids_new(heap->stats.tracked);
    if (!ids)
        return walk_error_no_memory();
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        if (walk_node_tracked(heap, id) && !has_holder(heap, id, any_holder))
            ids->id[ids->count++] = id;
    *result = ids;
    return NULL;
}
