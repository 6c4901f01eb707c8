/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_LOG_H
#define WALK_GRAPH_LOG_H

/*
 * What visits told, until it becomes rows. The edges of a worker are one sequence, as keys, in slabs that never move.
 * What is visited in one go is a block, whose edges stand together: blocks become rows in any order, by any worker.
 */

#include "bytes/workers.h"
#include "graph/index.h"

/* What an edge is to, in a log: a granule; with the first of these bits the position of an odd key. */
#define WALK_LOG_ODD (UINT64_C(1) << WALK_GRANULE_BITS)
#define WALK_LOG_TO (WALK_LOG_ODD - 1)
#define WALK_LOG_IF_KNOWN (WALK_LOG_ODD << 1)
#define WALK_LOG_MARK (WALK_LOG_ODD << 2)

/* Edges take 48 bits: there are more of them than of anything else, and memory that is new costs more than all else. */
enum { WALK_PIECE_BITS = 12, WALK_SLAB_BITS = 20 };
struct walk_slab {
    struct walk_piece {
        uint32_t low[1 << WALK_PIECE_BITS]; /* in the end what stands in a row */
        uint16_t high[1 << WALK_PIECE_BITS];
    } piece[1 << (WALK_SLAB_BITS - WALK_PIECE_BITS)];
};
_Static_assert(WALK_GRANULE_BITS + 3 == 48, "an edge of a log is of 48 bits");

struct walk_slabs {
    struct walk_slab **slab;
    size_t slab_count, slab_capacity;
    size_t count; /* of edges */
};

static inline struct walk_piece *walk_slabs_piece(const struct walk_slabs *slabs, size_t at)
{
    size_t piece = at >> WALK_PIECE_BITS & ((1 << (WALK_SLAB_BITS - WALK_PIECE_BITS)) - 1);
    return &slabs->slab[at >> WALK_SLAB_BITS]->piece[piece];
}

static inline uint64_t walk_slabs_edge(const struct walk_slabs *slabs, size_t at)
{
    const struct walk_piece *piece = walk_slabs_piece(slabs, at);
    at &= (1 << WALK_PIECE_BITS) - 1;
    return piece->low[at] | (uint64_t)piece->high[at] << 32;
}

static inline uint32_t *walk_slabs_low(const struct walk_slabs *slabs, size_t at)
{
    return &walk_slabs_piece(slabs, at)->low[at & ((1 << WALK_PIECE_BITS) - 1)];
}

/* Nodes of one region, in their order; or any nodes. */
struct walk_block {
    struct walk_region *region; /* NULL: `to` says what they are */
    union {
        uint32_t *place; /* granules from the region's first one */
        uint64_t *to;    /* keys; when they are visited, as edges to them stand in a log */
    };
    uint32_t *class; /* WALK_BLOCK_REFUSED: it is no node */
    uint32_t *edges; /* how many of them; WALK_BLOCK_LATER: the node stands in a later block once more */
    uint8_t *flags;
    uint32_t count;
    uint32_t unasked, later; /* how many nodes */
    const struct walk_emitter *emitter;
    size_t edge; /* where their edges begin in the emitter's slabs */
};
#define WALK_BLOCK_REFUSED UINT32_MAX
#define WALK_BLOCK_LATER UINT32_MAX

struct walk_emitter {
    _Alignas(WALK_APART) struct walk_slabs edges;
    size_t led;   /* edges up to here have led on to what they are to */
    bool missing; /* an edge of the node that is visited is to what is no node */
    bool no_memory;
    struct walk_error *error;
    unsigned worker;
    const struct walk_source *source;
    struct walk_index *index;
};

/* Makes room for more items of an array, which is empty at first; `array` is where the pointer is. */
bool walk_array_grow(void *array, size_t *capacity, size_t item, size_t first);

/* What stands for a key in a log; false: it cannot be a node. */
bool walk_emit_loggable(const struct walk_index *index, walk_addr key, uint64_t *to);
/* Makes the keys that edges lead to discovered: many at once, as each of them is waited for. */
void walk_emit_lead_on(struct walk_emitter *emitter);
void walk_slabs_deinit(struct walk_slabs *slabs);

/* Turns blocks into the forward rows, classes and flags of a graph whose nodes are numbered. */
struct walk_error *walk_rows_build(struct walk_graph *graph, const struct walk_source *source,
                                   const struct walk_block *blocks, size_t count);
/* The backward rows, from the forward ones (reverse.c). */
struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers);

#endif
