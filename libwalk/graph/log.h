/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_LOG_H
#define WALK_GRAPH_LOG_H

/*
 * What the visits of one worker told: a record per node and its edges, as keys, one after the other. What is visited in
 * one go is a block of it: blocks are what is turned into rows, in any order and by any worker.
 */

#include "graph/graph.h"

/* A key in a log: below WALK_KEY_END itself, else the position of an odd key. */
#define WALK_LOG_ODD (UINT64_C(1) << 55)
#define WALK_LOG_KEY (WALK_LOG_ODD - 1)

/* Of an edge, with its key. */
#define WALK_LOG_MARK (UINT64_C(1) << 63)
#define WALK_LOG_IF_KNOWN (UINT64_C(1) << 62)

struct walk_log_node {
    uint64_t key; /* of the node, and above it its flags; when it has rows, its id */
    uint32_t class;
    uint32_t edges;
};
#define WALK_LOG_FLAGS_SHIFT 56

struct walk_log_block {
    size_t node, nodes; /* in the log */
    size_t edge, edges;
};

struct walk_emitter {
    struct walk_log_node *node;
    uint64_t *edge;
    struct walk_log_block *block;
    size_t node_count, node_capacity, edge_count, edge_capacity, block_count, block_capacity;
    /* Keys that this worker was the first to come to, for the next round. */
    walk_addr *found;
    size_t found_count, found_capacity;
    /* Positions in this round's list whose visits are done later. */
    size_t *later;
    size_t later_count, later_capacity;
    bool no_memory;
    struct walk_error *error;
    unsigned worker;
    const struct walk_source *source;
    struct walk_index *index;
};

/* Turns the logs into the forward rows, classes and flags of a graph whose nodes are numbered, then into backward rows. */
struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   struct walk_emitter *emitters, unsigned count);

#endif
