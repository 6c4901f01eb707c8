/* SPDX-License-Identifier: Apache-2.0 */
/* Ids: keys numbered in their order, once all of them are entered; from an id to its key, and back. */
#include <stdlib.h>
#include <string.h>

#include "bytes/workers.h"
#include "graph/log.h"

/* ---- ranks ---- */

static bool number_regions(struct walk_index *index)
{
    size_t capacity = 0;
    uint64_t at = 0;
    for (struct walk_region *region; (region = walk_index_next_region(index, &at));
         at += UINT64_C(1) << WALK_REGION_BITS) {
        if (index->numbered_count == capacity &&
            !walk_array_grow(&index->numbered, &capacity, sizeof *index->numbered, 256))
            return false;
        index->numbered[index->numbered_count++] = (struct walk_numbered){.region = region};
    }
    return true;
}

/* Ranks within the region, for now; how many keys it has stands for its first id. */
static void count_region(void *context, size_t task, unsigned worker)
{
    const struct walk_index *index = context;
    struct walk_numbered *numbered = &index->numbered[task];
    (void)worker;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++) {
        numbered->region->word[word].rank = (walk_id)numbered->first;
        numbered->first +=
            walk_count_bits(atomic_load_explicit(&numbered->region->word[word].bits, memory_order_relaxed));
    }
}

static void number_region(void *context, size_t task, unsigned worker)
{
    const struct walk_index *index = context;
    struct walk_numbered *numbered = &index->numbered[task];
    (void)worker;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++)
        numbered->region->word[word].rank += (walk_id)numbered->first;
}

struct walk_error *walk_index_rank(struct walk_graph *graph, unsigned workers)
{
    struct walk_index *index = &graph->index;
    uint64_t count = 0;
    if (!number_regions(index))
        return walk_error_no_memory();
    walk_workers_run(workers, index->numbered_count, count_region, index);
    for (size_t i = 0; i < index->numbered_count; i++) {
        uint64_t keys = index->numbered[i].first;
        index->numbered[i].first = count;
        count += keys;
    }
    index->first_odd = (walk_id)count;
    count += index->odd_count;
    if (count >= WALK_EDGE_MARK)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^31 objects");
    graph->node_count = (walk_id)count;
    walk_workers_run(workers, index->numbered_count, number_region, index);
    return NULL;
}

/* ---- from ids to keys ---- */

static walk_addr key_at(const struct walk_index *index, const struct walk_region *region, size_t word, uint64_t bits)
{
    return (region->first + word * 64 + (uint64_t)__builtin_ctzll(bits)) << index->shift;
}

void walk_graph_keys(const struct walk_graph *graph, walk_addr *key)
{
    const struct walk_index *index = &graph->index;
    for (size_t i = 0; i < index->numbered_count; i++) {
        const struct walk_region *region = index->numbered[i].region;
        for (size_t word = 0; word < WALK_REGION_WORDS; word++)
            for (uint64_t bits = atomic_load_explicit(&region->word[word].bits, memory_order_relaxed); bits;
                 bits &= bits - 1)
                *key++ = key_at(index, region, word, bits);
    }
    if (index->odd_count)
        memcpy(key, index->odd, index->odd_count * sizeof *key);
}

/* The last region that begins at the id or before; those that have no keys begin where the next one does. */
static const struct walk_region *region_of(const struct walk_index *index, walk_id id)
{
    size_t low = 0, high = index->numbered_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->numbered[middle].first <= id)
            low = middle;
        else
            high = middle;
    }
    return index->numbered[low].region;
}

/* Likewise. */
static size_t word_of(const struct walk_region *region, walk_id id)
{
    size_t low = 0, high = WALK_REGION_WORDS;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (region->word[middle].rank <= id)
            low = middle;
        else
            high = middle;
    }
    return low;
}

walk_addr walk_graph_key(const struct walk_graph *graph, walk_id id)
{
    const struct walk_index *index = &graph->index;
    if (id >= index->first_odd)
        return index->odd[id - index->first_odd];
    const struct walk_region *region = region_of(index, id);
    size_t word = word_of(region, id);
    uint64_t bits = atomic_load_explicit(&region->word[word].bits, memory_order_relaxed);
    for (walk_id in_front = id - region->word[word].rank; in_front; in_front--)
        bits &= bits - 1;
    return key_at(index, region, word, bits);
}

/* ---- from keys to ids ---- */

bool walk_graph_has(const struct walk_graph *graph, walk_addr key)
{
    const struct walk_index *index = &graph->index;
    if (walk_index_is_odd(index, key))
        return walk_index_odd(index, key) != SIZE_MAX;
    uint64_t granule = walk_index_granule(index, key);
    const struct walk_region *region = walk_index_region(index, granule);
    return region && walk_region_has(region, granule);
}

walk_id walk_graph_find(const struct walk_graph *graph, walk_addr key)
{
    const struct walk_index *index = &graph->index;
    if (!index->table)
        return WALK_NO_ID;
    if (!walk_index_is_odd(index, key))
        return walk_index_id(index, key);
    size_t odd = walk_index_odd(index, key);
    return odd == SIZE_MAX ? WALK_NO_ID : index->first_odd + (walk_id)odd;
}
