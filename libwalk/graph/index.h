/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_INDEX_H
#define WALK_GRAPH_INDEX_H

#include "graph/graph.h"

/*
 * Keys are addresses of blocks of 16 bytes and more: what stands in the same 256 bytes is in the same 16 slots, which
 * are one line of the cache; these are scattered. (Larger neighbourhoods pile up: with whole megabytes a look-up took
 * 100 steps on average in a heap of 130 000 objects.)
 */
static inline size_t walk_index_slot(const struct walk_index *index, walk_addr key)
{
    /* The highest bits of the product are the best mixed ones: log2(size) - 4 of them. */
    int shift = __builtin_clzll(index->size) + 5;
    return (size_t)(((key >> 8) * UINT64_C(0x9e3779b97f4a7c15) >> shift) << 4 | (key >> 4 & 15));
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
