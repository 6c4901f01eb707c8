/* SPDX-License-Identifier: Apache-2.0 */
/* Ids: keys numbered in their order, once all of them are entered; from an id to its key, and back. */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
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

/* How many keys a region has stands for its first id, for now. */
static void count_region(void *context, size_t task, unsigned worker)
{
    const struct walk_index *index = context;
    struct walk_numbered *numbered = &index->numbered[task];
    (void)worker;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++)
        numbered->first +=
            walk_count_bits(atomic_load_explicit(&numbered->region->word[word].bits, memory_order_relaxed));
}

/* The id of the first key behind a word, of those of all regions; a word behind the last one has none. */
static walk_id rank_behind(const struct walk_index *index, uint64_t word)
{
    const struct walk_region *region = index->numbered[word / WALK_REGION_WORDS].region;
    const struct walk_word *at = &region->word[word % WALK_REGION_WORDS];
    return at->rank + walk_count_bits(atomic_load_explicit(&at->bits, memory_order_relaxed));
}

/* Hints are of ids that are multiples of HINT. */
enum { HINT = 64 };

static void number_region(void *context, size_t task, unsigned worker)
{
    const struct walk_index *index = context;
    struct walk_numbered *numbered = &index->numbered[task];
    uint64_t next = (numbered->first + HINT - 1) / HINT;
    walk_id id = (walk_id)numbered->first;
    (void)worker;
    for (size_t i = 0; i < WALK_REGION_WORDS; i++) {
        struct walk_word *word = &numbered->region->word[i];
        word->rank = id;
        id += walk_count_bits(atomic_load_explicit(&word->bits, memory_order_relaxed));
        for (; next * HINT < id; next++)
            index->hint[next] = (uint32_t)(task * WALK_REGION_WORDS + i);
    }
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
    if (index->numbered_count > UINT32_MAX / WALK_REGION_WORDS)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "objects all over more than 2 TB of memory");
    graph->node_count = (walk_id)count;
    index->hint = walk_large_alloc(NULL, index->first_odd / HINT + 2, sizeof *index->hint);
    if (!index->hint)
        return walk_error_no_memory();
    index->hint[(index->first_odd + HINT - 1) / HINT] = (uint32_t)(index->numbered_count * WALK_REGION_WORDS - 1);
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

walk_addr walk_graph_key(const struct walk_graph *graph, walk_id id)
{
    const struct walk_index *index = &graph->index;
    if (id >= index->first_odd)
        return index->odd[id - index->first_odd];
    uint32_t low = index->hint[id / HINT], high = index->hint[id / HINT + 1];
    while (low < high) { /* the first word with ids behind this one */
        uint32_t middle = low + (high - low) / 2;
        if (rank_behind(index, middle) > id)
            high = middle;
        else
            low = middle + 1;
    }
    const struct walk_region *region = index->numbered[low / WALK_REGION_WORDS].region;
    size_t word = low % WALK_REGION_WORDS;
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
