/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_GRAPH_H
#define WALK_GRAPH_GRAPH_H

/*
 * A frozen directed multigraph over 64-bit keys. Nodes are dense ids in the order of their keys; edges are compressed
 * rows, forward in the order that they were told of, backward sorted by holder. What a key means, and what a node's
 * class and flags are, only the caller knows. The graph is the same however many threads build it.
 */

#include <limits.h>

#include "bytes/error.h"

/* The highest bit of an edge's target marks an edge that the caller wants told apart ("extra"). */
#define WALK_EDGE_MARK UINT32_C(0x80000000)
#define WALK_EDGE_ID(edge) ((edge) & ~WALK_EDGE_MARK)

struct walk_region_table;
struct walk_region_list;
struct walk_word;
struct walk_numbered;

/* key -> id (index.h) */
struct walk_index {
    unsigned shift; /* log2 of what keys are multiples of */
    size_t tables;
    _Atomic(struct walk_region_table *) *table;
    struct walk_region_list *regions;
    struct walk_word **words;       /* of all regions, in the order in which they were made */
    uint32_t *hint;                 /* of every 64th id: its word, of those of all regions in their order */
    struct walk_numbered *numbered; /* the regions in the order of their keys, once ids are given */
    size_t numbered_count;
    walk_addr *odd; /* keys that are not in the tables, sorted */
    size_t odd_count;
    walk_id first_odd; /* their ids are the last ones */
};

struct walk_rows {
    uint32_t *start; /* node_count + 1; of walk_large_alloc(), as all that a graph owns */
    uint32_t *edge;  /* WALK_EDGE_MARK | id */
};

struct walk_graph {
    walk_id node_count;
    uint64_t edge_count, marked_count;
    uint32_t *class; /* the caller's, e.g. the index of a type */
    uint8_t *flags;  /* the caller's */
    struct walk_index index;
    struct walk_rows forward, backward;
};

/* ---- building (build.c, rows.c) ---- */

/*
 * LATER: a worker would have to change what the others read; ask again when settle() has been there. WAIT: a node which
 * may be visited only then. LEAF: a node that refers to nothing, and is not visited.
 */
enum walk_answer { WALK_NO, WALK_YES, WALK_WAIT, WALK_LATER, WALK_LEAF };

/* In place of a class: none. */
#define WALK_NO_CLASS UINT32_MAX

/* In place of a worker's number: no one else is at work, and the answer must not be WALK_LATER. */
#define WALK_ALONE UINT_MAX

/* Takes the edges of the node that is visited. */
struct walk_emitter;

/* Nodes that follow each other. */
struct walk_nodes {
    walk_addr origin; /* the key of node i is origin + (place[i] << shift) */
    unsigned shift;
    size_t count;
    const uint32_t *place;
    uint32_t *class; /* WALK_NO_CLASS: it is no node */
    uint8_t *flags;
    uint32_t *edges; /* how many each has */
};

static inline walk_addr walk_nodes_key(const struct walk_nodes *nodes, size_t i)
{
    return nodes->origin + ((walk_addr)nodes->place[i] << nodes->shift);
}

/* A part of a node's edges that is read at `at`, which may be far from all else that the node is read from. */
struct walk_far_part {
    walk_addr key;
    uint32_t class;
    walk_addr at;
    uint32_t note; /* the source's */
};

/*
 * Where a graph comes from. Workers have the numbers below `workers`; those of different numbers ask at the same time.
 * No answer may depend on which worker asks, nor on what was asked before, but for settle().
 */
struct walk_source {
    void *context;
    unsigned workers;
    struct walk_stock *stock; /* of what it is made; may be NULL */
    unsigned granule;         /* a power of two, of which nearly all keys are multiples */
    uint8_t flag_missing;     /* for nodes with edges to what is no node */
    /* Could this key be a node? Asked when an edge leads to where no key is near, until one says yes. May be NULL. */
    bool (*likely)(void *context, unsigned worker, walk_addr key);
    /*
     * Before some keys are asked and visited, in their order: `count` of them, the first and the last. Whether it is
     * worth a call of visit_some(). May be NULL: it is not.
     */
    bool (*approach)(void *context, unsigned worker, walk_addr first, walk_addr last, size_t count);
    /* Of which classes and flags are these keys, which are some of those of walk_builder_nodes() where they stand?
     * WALK_NO_CLASS: it is no node. */
    void (*tell)(void *context, unsigned worker, const walk_addr *keys, size_t count, uint32_t *class, uint8_t *flags);
    /* Is what an edge led to a node, and of which class and flags? */
    enum walk_answer (*admit)(void *context, unsigned worker, walk_addr key, uint32_t *class, uint8_t *flags);
    /* The same of nodes from the first one on, while each is a leaf: notes their classes and flags, and that they have
     * no edges. Returns how many; the next one is for admit(). May be NULL. */
    size_t (*admit_leaves)(void *context, unsigned worker, const struct walk_nodes *nodes);
    /* When all of a round are asked, by one thread. `again`: some have said WALK_LATER, and are asked again. May be
     * NULL. */
    struct walk_error *(*settle)(void *context, bool again);
    /* Calls walk_emit_edge() for everything that the node refers to; may add flags. WALK_LATER: all of it is dropped,
     * and the node is visited after settle(), if need be by one alone. */
    struct walk_error *(*visit)(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                struct walk_emitter *emitter, enum walk_answer *answer);
    /*
     * Visits nodes, none of which has been visited, from the first one on while that is as simple as mostly: writes
     * their edges, none of them odd, where walk_emit_room() says, gives them to walk_emit_edges() all at once, and
     * notes how many each has. Returns how many nodes it has visited; the next one is for visit(). May be NULL.
     */
    size_t (*visit_some)(void *context, unsigned worker, const struct walk_nodes *nodes, struct walk_emitter *emitter);
    /*
     * Calls walk_emit_edge() for a part of a node that visit() said is far (walk_emit_far()), or, which is then to be
     * said, for all of the node. Parts that are near to each other follow each other.
     */
    struct walk_error *(*visit_far)(void *context, unsigned worker, const struct walk_far_part *part, uint8_t *flags,
                                    struct walk_emitter *emitter, bool *whole);
    /* Now and then, by the thread that builds; false stops with WALK_ERROR_INTERRUPTED. May be NULL. */
    walk_progress *progress;
    void *progress_context;
};

/* An edge of the node that is being visited. If it is to what is no node, there is none, and the node is flagged. */
void walk_emit_edge(struct walk_emitter *emitter, walk_addr key, bool mark);

/* Keys below are no odd ones, if they are multiples of the granule. */
enum { WALK_KEY_BITS = 48 /* of user space: 47 on x86-64, 48 on aarch64 */ };

/*
 * Several edges, in order: their keys, those of marked ones with WALK_EMIT_MARK. `bits`: those of all of them, and
 * maybe more. They may have been written where walk_emit_room() says, which is where they are kept.
 */
#define WALK_EMIT_MARK (UINT64_C(1) << 63)
void walk_emit_edges(struct walk_emitter *emitter, const uint64_t *edge, size_t count, uint64_t bits);
/* Room for `count` edges; NULL: there is none just now. */
uint64_t *walk_emit_room(const struct walk_emitter *emitter, size_t count);

/* An edge that counts only if the key is a node when all is done. */
void walk_emit_edge_if_known(struct walk_emitter *emitter, walk_addr key, bool mark);

/*
 * Here are the edges of a part that is visited later, when what is near to `at` is: to read all over the memory takes
 * many times as long. At most one per node. It may be said only if walk_emit_takes_far().
 */
bool walk_emit_takes_far(const struct walk_emitter *emitter, walk_addr at);
void walk_emit_far(struct walk_emitter *emitter, walk_addr at, uint32_t note);

struct walk_builder;
struct walk_error *walk_builder_open(struct walk_graph *graph, const struct walk_source *source,
                                     struct walk_builder **builder);
/* Adds a node of a class that is known. A key that is there already keeps its class, and gets `flags` added. */
struct walk_error *walk_builder_node(struct walk_builder *builder, walk_addr key, uint32_t class, uint8_t flags);
/*
 * Adds keys of which tell() knows the classes: those that are nodes, and not there yet. They are to be in ascending
 * order; those that are not, and odd ones (no multiples of the granule), are left out, and counted (told.c).
 */
struct walk_error *walk_builder_nodes(struct walk_builder *builder, const walk_addr *keys, size_t count, size_t *odd);
/* Visits every node, and every node found on the way; then makes the backward rows. Frees the builder in any case. */
struct walk_error *walk_builder_finish(struct walk_builder *builder);
void walk_builder_abort(struct walk_builder *builder);

/* ---- who refers to one key, without a graph (seek.c) ---- */

struct walk_known {
    walk_addr key;
    uint32_t class;
    uint8_t flags;
};

struct walk_sought {
    struct walk_known node;
    bool found;                /* else it is no node, and only its key is there */
    struct walk_known *holder; /* the nodes that refer to it, each once, in the order of their keys */
    size_t count;
    /*
     * False: a node has the flag `flag_missing`, or what an edge may lead to was refused: then only a graph can tell
     * which nodes refer to what is none.
     */
    bool certain;
};

/*
 * In place of walk_builder_finish(): visits the same nodes and keeps no edges, which takes less memory and time. Of the
 * graph there is walk_graph_has() in the end, and nothing else. Frees the builder in any case.
 */
struct walk_error *walk_builder_seek(struct walk_builder *builder, walk_addr key, struct walk_sought *sought);
void walk_sought_deinit(struct walk_sought *sought);
/* Whether the key is a node. Of a graph whose nodes have ids: walk_graph_find(). */
bool walk_graph_has(const struct walk_graph *graph, walk_addr key);

/*
 * Makes the index of a graph of `node_count` nodes, whose keys these are, multiples of `granule` but for odd ones
 * (complete.c). Errors: FORMAT when they are not in the order that a builder gives them.
 */
struct walk_error *walk_graph_index(struct walk_graph *graph, unsigned granule, const walk_addr *key);
/* The same, and the backward rows of a graph whose forward rows are there. */
struct walk_error *walk_graph_complete(struct walk_graph *graph, unsigned granule, const walk_addr *key);

/* Turns the lengths of `count` rows into where each starts, the first one at `first`; where the next one would. */
uint32_t walk_rows_start(uint32_t *start, walk_id count, uint32_t first);

void walk_graph_deinit(struct walk_graph *graph);

/*
 * The key of a node; those of all, in their order. There is no array of them: they are made of the index. To go on from
 * a key to the next one is fast, to get one anywhere takes a few times as long as from an array.
 */
walk_addr walk_graph_key(const struct walk_graph *graph, walk_id id);
void walk_graph_keys(const struct walk_graph *graph, walk_addr *key);

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
