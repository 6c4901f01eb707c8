/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_INDEX_H
#define WALK_GRAPH_INDEX_H

#include "graph/graph.h"

/*
 * Keys are addresses of blocks of 16 bytes and more: within a megabyte neighbours stay neighbours, megabytes are
 * scattered.
 */
static inline size_t walk_index_slot(const struct walk_index *index, walk_addr key)
{
    return (size_t)((key >> 4) + (key >> 20) * UINT64_C(0x9e3779b97f4a7c15)) & (index->size - 1);
}

static inline walk_id walk_index_find(const struct walk_graph *graph, walk_addr key)
{
    const struct walk_index *index = &graph->index;
    for (size_t at = walk_index_slot(index, key); index->slot[at]; at = (at + 1) & (index->size - 1))
        if (graph->key[index->slot[at] - 1] == key)
            return index->slot[at] - 1;
    return WALK_NO_ID;
}

/* Makes room for one more key; false: no memory. */
bool walk_index_reserve(struct walk_graph *graph);
/* Enters a key that is not there. */
void walk_index_enter(struct walk_graph *graph, walk_id id);

#endif
