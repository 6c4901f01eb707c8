/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/strips.h"

#include <stdlib.h>

/* Without their blocks and loose nodes. */
static bool add_strips(struct walk_strips *strips, const struct walk_graph *graph)
{
    const struct walk_index *index = &graph->index;
    size_t count = index->numbered_count;
    struct walk_strip *strip = strips->strip = calloc(count + 1, sizeof *strip);
    if (!strip)
        return false;
    strips->count = count + 1;
    for (size_t i = 0; i < count; i++)
        strip[i] = (struct walk_strip){.region = index->numbered[i].region, .first = (walk_id)index->numbered[i].first};
    strip[count].first = index->first_odd;
    for (size_t i = 0; i < count; i++)
        strip[i].end = strip[i + 1].first;
    strip[count].end = graph->node_count;
    return true;
}

static bool add_loose(struct walk_strips *strips, const struct walk_index *index, const struct walk_block *block)
{
    size_t edge = block->edge;
    for (uint32_t at = 0; at < block->count; at++) {
        if (walk_block_leaves_out(block, at))
            continue;
        if (strips->loose_count == strips->loose_capacity &&
            !walk_array_grow(&strips->loose, &strips->loose_capacity, sizeof *strips->loose, 64))
            return false;
        strips->loose[strips->loose_count++] =
            (struct walk_loose){.block = block, .at = at, .id = walk_log_id(index, block->key[at]), .edge = edge};
        edge += block->edges[at];
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    walk_id x = ((const struct walk_loose *)a)->id, y = ((const struct walk_loose *)b)->id;
    return (x > y) - (x < y);
}

static int by_region(const void *a, const void *b)
{
    const struct walk_block *x = *(const struct walk_block *const *)a, *y = *(const struct walk_block *const *)b;
    uint64_t first = x->region->first, second = y->region->first;
    return first != second ? (first > second) - (first < second) : (x > y) - (x < y);
}

static bool sort_blocks(struct walk_strips *strips, const struct walk_index *index, const struct walk_block *blocks,
                        size_t count)
{
    strips->block = malloc((count + 1) * sizeof *strips->block);
    if (!strips->block)
        return false;
    for (size_t i = 0; i < count; i++)
        if (blocks[i].region)
            strips->block[strips->block_count++] = &blocks[i];
        else if (!add_loose(strips, index, &blocks[i]))
            return false;
    if (strips->loose_count)
        qsort(strips->loose, strips->loose_count, sizeof *strips->loose, by_id);
    if (strips->block_count)
        qsort(strips->block, strips->block_count, sizeof *strips->block, by_region);
    return true;
}

static void deal(struct walk_strips *strips)
{
    size_t block = 0, loose = 0;
    for (size_t i = 0; i < strips->count; i++) {
        struct walk_strip *strip = &strips->strip[i];
        strip->first_block = block;
        while (block < strips->block_count && strips->block[block]->region == strip->region)
            block++;
        strip->end_block = block;
        strip->first_loose = loose;
        while (loose < strips->loose_count && strips->loose[loose].id < strip->end)
            loose++;
        strip->end_loose = loose;
    }
}

bool walk_strips_open(struct walk_strips *strips, const struct walk_graph *graph, const struct walk_block *blocks,
                      size_t count)
{
    *strips = (struct walk_strips){0};
    if (!add_strips(strips, graph) || !sort_blocks(strips, &graph->index, blocks, count))
        return false;
    deal(strips);
    return true;
}

void walk_strips_close(struct walk_strips *strips)
{
    free(strips->strip);
    free(strips->block);
    free(strips->loose);
    *strips = (struct walk_strips){0};
}
