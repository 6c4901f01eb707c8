/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are told many at once: they stand in order, so they are blocks as they are, and nobody is asked. */
#include <stdlib.h>

#include "bytes/workers.h"
#include "graph/builder.h"

struct told {
    struct walk_builder *builder;
    const walk_addr *keys;
    size_t first_block;      /* of the builder's */
    size_t *first, capacity; /* by block: its first key */
    atomic_size_t odd;
};

/* A region has no more. */
static const uint64_t REGION_SIZE = UINT64_C(1) << WALK_REGION_BITS;

/* Where the keys that are below `limit` end, which are those from `first` on; at least one is, at most all to `end`. */
static size_t end_below(const struct told *told, size_t first, size_t end, walk_addr limit)
{
    for (first++; first < end;) {
        size_t middle = first + (end - first) / 2;
        if (told->keys[middle] < limit)
            first = middle + 1;
        else
            end = middle;
    }
    return end;
}

/* A block for the keys from `first` to `end`, which are of one region. False: no memory. */
static bool add_block(struct told *told, uint64_t granule, size_t first, size_t end)
{
    struct walk_builder *builder = told->builder;
    size_t number = builder->block_count - told->first_block;
    struct walk_region *region = walk_index_need_region(&builder->graph->index, granule);
    if (!region || !walk_block_add(builder, region, end - first) ||
        (number == told->capacity && !walk_array_grow(&told->first, &told->capacity, sizeof *told->first, 256)))
        return false;
    told->first[number] = first;
    return true;
}

/* False: no memory. */
static bool add_blocks(struct told *told, size_t count)
{
    const struct walk_index *index = &told->builder->graph->index;
    uint64_t next = 0; /* granule behind the last block's region: no two of them have the same one */
    for (size_t first = 0, end; first < count; first = end) {
        uint64_t granule = walk_index_granule(index, told->keys[first]);
        end = first + 1;
        if (walk_index_is_odd(index, told->keys[first]) || granule < next) {
            told->odd++;
            continue;
        }
        next = (granule | (REGION_SIZE - 1)) + 1;
        end = end_below(told, first, count - first < REGION_SIZE ? count : first + REGION_SIZE, next << index->shift);
        if (!add_block(told, granule, first, end))
            return false;
    }
    return true;
}

static void keep(struct walk_block *block, uint32_t at, uint32_t of)
{
    block->class[at] = block->class[of];
    block->flags[at] = block->flags[of];
    block->edges[at] = WALK_BLOCK_LATER;
    block->later += block->class[at] != WALK_NO_CLASS;
}

static void fill_block(void *context, size_t task, unsigned worker)
{
    struct told *told = context;
    struct walk_builder *builder = told->builder;
    const struct walk_source *source = &builder->source;
    struct walk_block *block = &builder->blocks[told->first_block + task];
    const walk_addr *keys = told->keys + told->first[task];
    uint32_t kept = 0;
    size_t odd = 0;
    source->tell(source->context, worker, keys, block->count, block->class, block->flags);
    for (uint32_t i = 0; i < block->count; i++) {
        enum walk_entry entry = walk_region_put(&builder->graph->index, block->region, keys[i], &block->place[kept]);
        odd += entry == WALK_ENTER_ODD;
        if (entry == WALK_ENTERED)
            keep(block, kept++, i);
    }
    builder->emitters[worker].doubt |= block->later < kept;
    block->count = kept;
    atomic_fetch_add_explicit(&told->odd, odd, memory_order_relaxed);
}

struct walk_error *walk_builder_nodes(struct walk_builder *builder, const walk_addr *keys, size_t count, size_t *odd)
{
    struct told told = {.builder = builder, .keys = keys, .first_block = builder->block_count};
    bool good = add_blocks(&told, count);
    if (good)
        walk_workers_run(builder->source.workers, builder->block_count - told.first_block, fill_block, &told);
    free(told.first);
    *odd = atomic_load_explicit(&told.odd, memory_order_relaxed);
    return good ? NULL : walk_error_no_memory();
}
