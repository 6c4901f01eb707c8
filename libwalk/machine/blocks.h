/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_BLOCKS_H
#define WALK_MACHINE_BLOCKS_H

/*
 * Decoded code, kept from call to call: the target's code does not change. A block is a run of ops whose last one goes
 * on to other blocks. When more was decoded than there is room for, everything is forgotten at once.
 */

#include "machine/op.h"

enum {
    WALK_BLOCK_OPS = 64,
    WALK_BLOCKS_CHUNK = 1024,
    WALK_OPS_CHUNK = 8192,
    WALK_CHUNKS_MAX = 64 /* of each: 65 536 blocks, 524 288 ops */
};

struct walk_block {
    walk_addr pc;
    const struct walk_op *ops;
    uint32_t count;            /* ops; also what the block takes from the budget */
    walk_addr taken_pc;        /* where `taken` is: an indirect jump goes to many */
    struct walk_block *taken;  /* NULL: not gone there yet */
    struct walk_block *behind; /* the one after this one's last instruction; NULL: not gone there yet */
};

struct walk_blocks {
    struct walk_block **slots; /* hash table by pc, a power of two long, at most half full */
    size_t slot_count;
    size_t block_count, op_count; /* used, of all chunks */
    struct walk_block *block_chunk[WALK_CHUNKS_MAX];
    struct walk_op *op_chunk[WALK_CHUNKS_MAX];
    uint64_t generation; /* how often everything was forgotten */
};

void walk_blocks_init(struct walk_blocks *blocks);
void walk_blocks_deinit(struct walk_blocks *blocks);
void walk_blocks_forget(struct walk_blocks *blocks);

/* The block at exactly this address, or NULL. */
struct walk_block *walk_blocks_find(const struct walk_blocks *blocks, walk_addr pc);

/* Room for the ops of one block; NULL: no memory, or no room: forget. The ops are taken by walk_blocks_add(). */
struct walk_op *walk_blocks_room(struct walk_blocks *blocks);

/* A block of the `count` ops at walk_blocks_room(); NULL likewise. */
struct walk_block *walk_blocks_add(struct walk_blocks *blocks, walk_addr pc, uint32_t count);

/* True when no other block has room: memory is there, but it is time to forget. */
bool walk_blocks_full(const struct walk_blocks *blocks);

#endif
