/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/index.h"

#include <stdlib.h>

void walk_index_enter(struct walk_graph *graph, walk_id id)
{
    struct walk_index *index = &graph->index;
    size_t at = walk_index_slot(index, graph->key[id]);
    while (index->slot[at])
        at = (at + 1) & (index->size - 1);
    index->slot[at] = id + 1;
}

/* At most half full. */
bool walk_index_reserve(struct walk_graph *graph)
{
    struct walk_index *index = &graph->index;
    if (index->size && (size_t)graph->node_count + 1 <= index->size / 2)
        return true;
    size_t size = index->size ? index->size * 2 : 1 << 16;
    walk_id *slot = calloc(size, sizeof *slot);
    if (!slot)
        return false;
    free(index->slot);
    *index = (struct walk_index){slot, size};
    for (walk_id id = 0; id < graph->node_count; id++)
        walk_index_enter(graph, id);
    return true;
}

walk_id walk_graph_find(const struct walk_graph *graph, walk_addr key)
{
    return graph->index.size ? walk_index_find(graph, key) : WALK_NO_ID;
}
