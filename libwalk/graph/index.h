/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_INDEX_H
#define WALK_GRAPH_INDEX_H

#include "graph/graph.h"

/*
 * Keys are addresses of blocks of 16 bytes and more. Neighbours within 256 bytes are neighbours in the table (16 slots
 * of 4 bytes: a cache line); the groups of 16 are scattered, so that long runs of objects in memory, which are the
 * rule, do not become long runs of full slots, which linear probing would have to walk through.
 */
static inline size_t walk_index_slot(const struct walk_index *index, walk_addr key)
{
    uint64_t group = (key >> 8) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(group >> 28 << 4 | (key >> 4 & 15)) & (index->size - 1);
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
