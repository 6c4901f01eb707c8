/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_STRIPS_H
#define WALK_GRAPH_STRIPS_H

/*
 * The nodes of a graph in strips: those of a region, whose ids follow each other. What is told of them stands in the
 * region's blocks, one per round or two.
 */

#include "graph/log.h"

/* A node of a block without a region, which is one of few. */
struct walk_loose {
    const struct walk_block *block;
    uint32_t at;
    walk_id id;
    size_t edge; /* where its edges begin, of the block's emitter's */
};

struct walk_strip {
    const struct walk_region *region; /* NULL: of odd keys, behind all others */
    walk_id first, end;
    size_t first_block, end_block; /* of walk_strips.block */
    size_t first_loose, end_loose;
    uint64_t edges; /* whoever has the strips uses it as it likes */
};

struct walk_strips {
    struct walk_strip *strip;
    size_t count;
    const struct walk_block **block; /* those with a region, strip by strip and then as they are */
    size_t block_count;
    struct walk_loose *loose; /* by id */
    size_t loose_count, loose_capacity;
};

/* Of a graph whose nodes are numbered. False: no memory. Closed in any case. */
bool walk_strips_open(struct walk_strips *strips, const struct walk_graph *graph, const struct walk_block *blocks,
                      size_t count);
void walk_strips_close(struct walk_strips *strips);

#endif
