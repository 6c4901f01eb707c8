/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 4096 };

void walk_blocks_init(struct walk_blocks *blocks) { *blocks = (struct walk_blocks){0}; }

void walk_blocks_deinit(struct walk_blocks *blocks)
{
    for (size_t i = 0; i < WALK_CHUNKS_MAX; i++) {
        free(blocks->block_chunk[i]);
        free(blocks->op_chunk[i]);
    }
    free(blocks->slots);
    *blocks = (struct walk_blocks){0};
}

void walk_blocks_forget(struct walk_blocks *blocks)
{
    if (blocks->slots)
        memset(blocks->slots, 0, blocks->slot_count * sizeof *blocks->slots);
    blocks->block_count = blocks->op_count = 0;
    blocks->generation++;
}

static size_t slot_of(const struct walk_blocks *blocks, walk_addr pc)
{
    return (size_t)(pc * 0x9e3779b97f4a7c15u >> 32) & (blocks->slot_count - 1);
}

struct walk_block *walk_blocks_find(const struct walk_blocks *blocks, walk_addr pc)
{
    if (!blocks->slot_count)
        return NULL;
    size_t at = slot_of(blocks, pc);
    while (blocks->slots[at] && blocks->slots[at]->pc != pc)
        at = (at + 1) & (blocks->slot_count - 1);
    return blocks->slots[at];
}

static void enter(struct walk_blocks *blocks, struct walk_block *block)
{
    size_t at = slot_of(blocks, block->pc);
    while (blocks->slots[at])
        at = (at + 1) & (blocks->slot_count - 1);
    blocks->slots[at] = block;
}

static struct walk_block *block_at(const struct walk_blocks *blocks, size_t index)
{
    return &blocks->block_chunk[index / WALK_BLOCKS_CHUNK][index % WALK_BLOCKS_CHUNK];
}

static bool reserve_slots(struct walk_blocks *blocks)
{
    if (2 * (blocks->block_count + 1) <= blocks->slot_count)
        return true;
    size_t count = blocks->slot_count ? 2 * blocks->slot_count : FIRST_SLOTS;
    struct walk_block **slots = calloc(count, sizeof(struct walk_block *));
    if (!slots)
        return false;
    free(blocks->slots);
    blocks->slots = slots;
    blocks->slot_count = count;
    for (size_t i = 0; i < blocks->block_count; i++)
        enter(blocks, block_at(blocks, i));
    return true;
}

/* Where the ops of the next block go: a block's ops are all in one chunk. */
static size_t next_op(const struct walk_blocks *blocks)
{
    size_t left = WALK_OPS_CHUNK - blocks->op_count % WALK_OPS_CHUNK;
    return left < WALK_BLOCK_OPS ? blocks->op_count + left : blocks->op_count;
}

bool walk_blocks_full(const struct walk_blocks *blocks)
{
    return next_op(blocks) / WALK_OPS_CHUNK >= WALK_CHUNKS_MAX ||
           blocks->block_count / WALK_BLOCKS_CHUNK >= WALK_CHUNKS_MAX;
}

struct walk_op *walk_blocks_room(struct walk_blocks *blocks)
{
    size_t at = next_op(blocks), chunk = at / WALK_OPS_CHUNK;
    if (walk_blocks_full(blocks))
        return NULL;
    if (!blocks->op_chunk[chunk])
        blocks->op_chunk[chunk] = calloc(WALK_OPS_CHUNK, sizeof **blocks->op_chunk);
    return blocks->op_chunk[chunk] ? &blocks->op_chunk[chunk][at % WALK_OPS_CHUNK] : NULL;
}

struct walk_block *walk_blocks_add(struct walk_blocks *blocks, walk_addr pc, uint32_t count)
{
    const struct walk_op *ops = walk_blocks_room(blocks);
    size_t chunk = blocks->block_count / WALK_BLOCKS_CHUNK;
    if (!ops || !reserve_slots(blocks))
        return NULL;
    if (!blocks->block_chunk[chunk])
        blocks->block_chunk[chunk] = calloc(WALK_BLOCKS_CHUNK, sizeof **blocks->block_chunk);
    if (!blocks->block_chunk[chunk])
        return NULL;
    blocks->op_count = next_op(blocks) + count;
    struct walk_block *block = block_at(blocks, blocks->block_count++);
    *block = (struct walk_block){.pc = pc, .ops = ops, .count = count};
    enter(blocks, block);
    return block;
}
