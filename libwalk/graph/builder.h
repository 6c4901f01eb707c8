/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_BUILDER_H
#define WALK_GRAPH_BUILDER_H

/* What building a graph keeps (build.c) while it goes from round to round (round.c). */

#include "bytes/pages.h"
#include "graph/log.h"

/* A node that was told with its class. */
struct walk_special {
    walk_addr key;
    uint32_t class;
    uint8_t flags;
    size_t order;
};

struct walk_builder {
    struct walk_graph *graph;
    struct walk_source source;
    struct walk_emitter *emitters; /* one per worker */
    struct walk_special *specials;
    size_t special_count, special_capacity;
    struct walk_block *blocks;
    size_t block_count, block_capacity;
    struct walk_pages pages; /* what is in the blocks */
    struct walk_far_groups far;
    size_t visited, known;
    atomic_bool stop;
    bool interrupted;
    bool seeks; /* no edges are kept, nor is a block when its round is over */
};

/* The key of a node of a block that has a region. */
static inline walk_addr walk_block_key(const struct walk_builder *builder, const struct walk_block *block, uint32_t at)
{
    return (block->region->first + block->place[at]) << builder->graph->index.shift;
}

/* Visits every node, and every node found on the way; with `sought`, whoever refers to that key is noted (seek.c). */
struct walk_error *walk_builder_close(struct walk_builder *builder, const walk_addr *sought);
void walk_builder_free(struct walk_builder *builder);

/* Of a node that has been visited: its edges are those from `first` to `end`. */
void walk_seek_note(struct walk_emitter *emitter, const struct walk_known *node, size_t first, size_t end);

/* A block of `count` nodes, which are to be filled in; NULL: no memory. Blocks move when there are more. */
struct walk_block *walk_block_add(struct walk_builder *builder, struct walk_region *region, size_t count);

/* Visits what walk_builder_nodes() got, the builder's only blocks yet. */
struct walk_error *walk_round_go_told(struct walk_builder *builder);
/* Asks and visits what is discovered; false in `any` when there was nothing. */
struct walk_error *walk_round_go(struct walk_builder *builder, bool *any);

/* Visits the parts of nodes that stand far from them, of the blocks from `first` on (far.c). */
struct walk_error *walk_far_visit(struct walk_builder *builder, size_t first);

/* Only the thread that builds talks to the caller; it is worker 0. `visited`: how many nodes are. */
void walk_round_report(struct walk_builder *builder, unsigned worker, size_t visited);
/* What went wrong for any worker. */
struct walk_error *walk_round_errors(struct walk_builder *builder);
/* False: the building has failed, for this worker or another one, or is to be stopped. */
bool walk_round_goes_on(struct walk_builder *builder, unsigned worker);

/* Visits all nodes of the last block, whose classes and flags are there, by one alone. */
struct walk_error *walk_round_go_alone(struct walk_builder *builder);

#endif
