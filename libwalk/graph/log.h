/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_LOG_H
#define WALK_GRAPH_LOG_H

/*
 * What visits told, until it becomes rows. The edges of a worker are one sequence, in slabs that never move: keys, or
 * places (index.h) of those that have led on to what they are to. What is visited in one go is a block, whose edges
 * stand together: blocks become rows in any order, by any worker.
 */

#include "bytes/pages.h"
#include "bytes/workers.h"
#include "graph/index.h"

/* A key in a log: below WALK_KEY_END itself, else the position of an odd key. */
#define WALK_LOG_ODD (UINT64_C(1) << 55)
#define WALK_LOG_KEY (WALK_LOG_ODD - 1)

/* Of an edge, with its key. */
#define WALK_LOG_MARK (UINT64_C(1) << 63)
#define WALK_LOG_IF_KNOWN (UINT64_C(1) << 62)

/* In place of an edge: here come those of the node's part that stands far from it. */
#define WALK_LOG_FAR (UINT64_C(1) << 61)

/* Of an edge that has led on to a key that may be a node: what stands there is no key, but the place of it. */
#define WALK_LOG_PLACED (UINT64_C(1) << 60)

/* Edges of a slab: a huge page. */
enum { WALK_SLAB_BITS = 18, WALK_SLAB_EDGES = 1 << WALK_SLAB_BITS };

struct walk_slabs {
    uint64_t **slab;
    size_t slab_count, slab_capacity;
    size_t count;        /* of edges */
    atomic_uint *unused; /* of each slab, when edges become rows: how many have not */
};

static inline uint64_t *walk_slabs_at(const struct walk_slabs *slabs, size_t at)
{
    return &slabs->slab[at >> WALK_SLAB_BITS][at & (WALK_SLAB_EDGES - 1)];
}

/* The edges of [at, end) that stand beside each other from `at` on; `count`: how many. */
static inline uint64_t *walk_slabs_stretch(const struct walk_slabs *slabs, size_t at, size_t end, size_t *count)
{
    size_t here = WALK_SLAB_EDGES - at % WALK_SLAB_EDGES, left = end - at;
    *count = here < left ? here : left;
    return walk_slabs_at(slabs, at);
}

/* So many edges are gone through together: the words of the index are fetched for all of them, then looked at. */
enum { WALK_LOG_AHEAD = 64 };

/* As walk_slabs_stretch(), at most so many. */
static inline uint64_t *walk_log_ahead(const struct walk_slabs *slabs, size_t at, size_t end, size_t *count)
{
    uint64_t *edge = walk_slabs_stretch(slabs, at, end, count);
    *count = *count < WALK_LOG_AHEAD ? *count : WALK_LOG_AHEAD;
    return edge;
}

/*
 * A part of a node's edges that is told of when all of the node's round are visited, since it is read far from the node
 * (far.c). In the log of the node WALK_LOG_FAR stands in its place.
 */
struct walk_far {
    union {
        walk_addr at; /* where it is read, until then */
        struct {
            uint32_t kept; /* edges that are to nodes */
            uint32_t to;   /* where they go in the forward rows */
        };
    };
    uint32_t node;  /* of the block, and WALK_FAR_* */
    uint32_t count; /* of edges in the log; until then: the source's note */
};
#define WALK_FAR_WHOLE UINT32_C(0x80000000)   /* it is all of the node's edges: what else is told of them is void */
#define WALK_FAR_MISSING UINT32_C(0x40000000) /* some are to what is no node */
#define WALK_FAR_NODE UINT32_C(0x3fffffff)

/* The parts of a round that stand in one region; their edges stand together. */
struct walk_far_group {
    struct walk_region *region;
    struct walk_far_place {
        uint32_t block, far;
    } * place;
    size_t count;
    struct walk_emitter *emitter;
    size_t edge, end; /* in the emitter's slabs */
    bool placed;      /* all of these stand as places */
};

struct walk_far_groups {
    struct walk_far_group *group;
    size_t count, capacity;
};

/* Nodes of one region, in their order; or any nodes. */
struct walk_block {
    struct walk_region *region; /* NULL: `key` says what they are */
    union {
        uint32_t *place; /* granules from the region's first one */
        walk_addr *key;  /* as they stand in a log */
        /* Of places, when edges become rows: the nodes' ids. */
    };
    uint32_t *class; /* WALK_NO_CLASS: it is no node */
    uint32_t *edges; /* how many of them; WALK_BLOCK_LATER: the node stands in a later block once more */
    uint8_t *flags;
    uint32_t count;
    uint32_t unasked, later; /* how many nodes */
    struct walk_emitter *emitter;
    size_t edge, end; /* their edges, in the emitter's slabs */
    bool placed;      /* all of these stand as places */
    struct walk_far *far;
    uint32_t far_count; /* in the order of their nodes */
};
#define WALK_BLOCK_LATER UINT32_MAX

/* Nodes of a block that are none, or stand in a later one. */
static inline bool walk_block_leaves_out(const struct walk_block *block, uint32_t at)
{
    return block->class[at] == WALK_NO_CLASS || block->edges[at] == WALK_BLOCK_LATER;
}

/* The id of what a key in a log, or a place, stands for; WALK_NO_ID: it is no node. */
static inline walk_id walk_log_id(const struct walk_index *index, uint64_t edge)
{
    uint64_t key = edge & WALK_LOG_KEY;
    if (edge & WALK_LOG_PLACED)
        return walk_word_find(walk_index_word(index, key), key);
    return edge & WALK_LOG_ODD ? index->first_odd + (walk_id)key : walk_index_id(index, key);
}

static inline struct walk_far *walk_far_at(const struct walk_block *blocks, const struct walk_far_place *place)
{
    return &blocks[place->block].far[place->far];
}

/* In place of a key in a log: none. */
#define WALK_LOG_NOTHING (WALK_LOG_ODD | WALK_LOG_KEY)

/* When no edges are kept but it is asked who refers to one key (seek.c). */
struct walk_seeking {
    bool on;
    bool flagged; /* a node has the flag for what is missing */
    bool found;
    struct walk_known node;
    uint64_t logged; /* its key as it stands in a log */
    struct walk_known *holder;
    size_t count, capacity;
};

struct walk_emitter {
    _Alignas(WALK_APART) struct walk_slabs edges;
    size_t led; /* edges up to here have led on to what they are to */
    struct walk_seeking seeking;
    struct walk_pages far_pages;
    struct walk_far *far; /* of the block that is visited, room for a part of each node; NULL: it is not to have any */
    uint32_t far_count;
    uint32_t node; /* of the block */
    bool missing;  /* an edge of the node that is visited is to what is no node */
    bool placed;   /* as that of the block that is visited */
    bool doubt;    /* something was refused that an edge may lead to */
    bool no_memory;
    struct walk_error *error;
    unsigned worker;
    const struct walk_source *source;
    struct walk_index *index;
};

/* Makes room for more items of an array, which is empty at first; `array` is where the pointer is. */
bool walk_array_grow(void *array, size_t *capacity, size_t item, size_t first);

/* Turns a key into what stands for it in the log; false: it cannot be a node. */
bool walk_emit_loggable(struct walk_emitter *emitter, walk_addr *key);
/*
 * Makes the keys that edges lead to discovered: many at once, as each of them is waited for. Then they are dropped, if
 * none are kept.
 */
void walk_emit_lead_on(struct walk_emitter *emitter);
/* The same, if that is worth it. */
void walk_emit_lead_on_in_turn(struct walk_emitter *emitter);
void walk_slabs_deinit(struct walk_slabs *slabs);
/* From here on slabs are freed when all their edges are used, each of which is once. False: no memory. */
bool walk_slabs_use_up(struct walk_slabs *slabs);
void walk_slabs_used(struct walk_slabs *slabs, size_t first, size_t end);

/*
 * Turns blocks into the forward rows, classes and flags of a graph whose nodes are numbered. `doubt`: what an edge
 * leads to may be no node, even if it is not said of that edge.
 */
struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count, const struct walk_far_groups *far,
                                   bool doubt);
/* The backward rows, and how many edges are marked, from the forward ones (reverse.c). `stock` may be NULL. */
struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers, struct walk_stock *stock);

#endif
