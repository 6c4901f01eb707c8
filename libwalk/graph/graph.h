/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_GRAPH_H
#define WALK_GRAPH_GRAPH_H

/*
 * A frozen directed multigraph over 64-bit keys. Nodes are dense ids in the order of their discovery; edges are
 * compressed rows, forward in the order that they were found, backward sorted by holder. What a key means, and what a
 * node's class and flags are, only the caller knows.
 */

#include "bytes/error.h"

/* The highest bit of an edge's target marks an edge that the caller wants told apart ("extra"). */
#define WALK_EDGE_MARK UINT32_C(0x80000000)
#define WALK_EDGE_ID(edge) ((edge) & ~WALK_EDGE_MARK)

/* key -> id: open addressing; neighbours in memory are neighbours in the table. */
struct walk_index {
    walk_id *slot; /* id + 1; 0: free */
    size_t size;   /* a power of two */
};

struct walk_rows {
    uint64_t *start; /* node_count + 1 */
    uint32_t *edge;  /* WALK_EDGE_MARK | id */
};

struct walk_graph {
    walk_id node_count;
    size_t node_capacity;
    uint64_t edge_count;
    walk_addr *key;
    uint32_t *class; /* the caller's, e.g. the index of a type */
    uint8_t *flags;  /* the caller's */
    struct walk_index index;
    struct walk_rows forward, backward;
};

struct walk_builder;

/* Where a graph comes from. */
struct walk_source {
    void *context;
    /* Is this key a node, and of which class and flags? Asked once per key, unless it says no. */
    bool (*admit)(void *context, walk_addr key, uint32_t *class, uint8_t *flags);
    /* Calls walk_builder_edge() for everything that the node refers to. */
    struct walk_error *(*visit)(void *context, walk_id node, walk_addr key, uint32_t class, uint8_t flags,
                                struct walk_builder *builder);
    /* Now and then; false stops with WALK_ERROR_INTERRUPTED. May be NULL. */
    walk_progress *progress;
    void *progress_context;
};

/* Adds a node before the closure starts; a key that is there already keeps its class, and gets `flags` added. */
struct walk_error *walk_builder_node(struct walk_builder *builder, walk_addr key, uint32_t class, uint8_t flags);

/* An edge of the node that is being visited. False: the key is no node (and admit() does not make it one). */
bool walk_builder_edge(struct walk_builder *builder, walk_addr key, bool mark);

/* An edge that counts only if the key is a node when all is done. */
void walk_builder_edge_if_known(struct walk_builder *builder, walk_addr key, bool mark);

struct walk_error *walk_builder_open(struct walk_graph *graph, const struct walk_source *source,
                                     struct walk_builder **builder);
/* Visits every node, and every node found on the way; then makes the backward rows. Frees the builder in any case. */
struct walk_error *walk_builder_finish(struct walk_builder *builder);
void walk_builder_abort(struct walk_builder *builder);

/*
 * Makes the index and the backward rows of a graph whose nodes and forward rows were filled in by the caller. Errors:
 * FORMAT when two nodes have the same key.
 */
struct walk_error *walk_graph_complete(struct walk_graph *graph);
/* The backward rows (build.c). */
struct walk_error *walk_graph_reverse(struct walk_graph *graph);

void walk_graph_deinit(struct walk_graph *graph);

/* WALK_NO_ID when the key is no node. */
walk_id walk_graph_find(const struct walk_graph *graph, walk_addr key);

/* ---- searches (search.c) ---- */

enum walk_step {
    WALK_STEP_SKIP,   /* as if the edge were not there */
    WALK_STEP_TAKE,   /* take the node; go on from it */
    WALK_STEP_STOP,   /* take the node; do not go on from it */
    WALK_STEP_FINISH, /* take the node and end the search */
};

/* Judges one edge of a breadth first search: `from` was taken, `to` would be next. `mark`: WALK_EDGE_MARK of the edge.
 */
typedef enum walk_step walk_judge(void *context, walk_id from, walk_id to, bool mark);

struct walk_reach {
    size_t count;
    walk_id *id;      /* in the order of the search; id[0] is the start */
    uint32_t *depth;  /* edges from the start */
    uint32_t *parent; /* index in `id` of the node that it was reached from; 0 for the start */
};

/* Breadth first along `rows` from `start`, at most `limit` edges away. NULL judge: take every node. */
struct walk_error *walk_graph_search(const struct walk_graph *graph, const struct walk_rows *rows, walk_id start,
                                     uint32_t limit, walk_judge *judge, void *context, struct walk_reach *reach);
void walk_reach_deinit(struct walk_reach *reach);

#endif
