/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/index.h"

#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"

struct walk_error *walk_index_init(struct walk_index *index, unsigned granule)
{
    *index = (struct walk_index){.shift = (unsigned)__builtin_ctz(granule)};
    index->tables = (size_t)1 << (WALK_KEY_BITS - WALK_REGION_BITS - WALK_TABLE_BITS - index->shift);
    index->table = calloc(index->tables, sizeof *index->table);
    return index->table ? NULL : walk_error_no_memory();
}

void walk_index_deinit(struct walk_index *index)
{
    for (size_t i = 0; index->table && i < index->tables; i++) {
        struct walk_region_table *table = atomic_load_explicit(&index->table[i], memory_order_relaxed);
        for (size_t r = 0; table && r < (size_t)1 << WALK_TABLE_BITS; r++)
            free(atomic_load_explicit(&table->region[r], memory_order_relaxed));
        free(table);
    }
    free(index->table);
    free(index->odd);
    *index = (struct walk_index){0};
}

/* ---- regions: whoever needs one first makes it; who comes second at the same time drops his ---- */

static struct walk_region_table *make_table(struct walk_index *index, size_t at)
{
    struct walk_region_table *made = calloc(1, sizeof *made), *there = NULL;
    if (!made || atomic_compare_exchange_strong_explicit(&index->table[at], &there, made, memory_order_acq_rel,
                                                         memory_order_acquire))
        return made;
    free(made);
    return there;
}

static struct walk_region *make_region(struct walk_index *index, uint64_t granule)
{
    size_t at = granule >> (WALK_REGION_BITS + WALK_TABLE_BITS);
    struct walk_region_table *table = atomic_load_explicit(&index->table[at], memory_order_acquire);
    if (!table && !(table = make_table(index, at)))
        return NULL;
    struct walk_region *made = calloc(1, sizeof *made), *there = NULL;
    at = granule >> WALK_REGION_BITS & ((1 << WALK_TABLE_BITS) - 1);
    if (!made || atomic_compare_exchange_strong_explicit(&table->region[at], &there, made, memory_order_acq_rel,
                                                         memory_order_acquire))
        return made;
    free(made);
    return there;
}

enum walk_entry walk_index_enter(struct walk_index *index, walk_addr key)
{
    uint64_t granule = walk_index_granule(index, key), bit = walk_granule_bit(granule);
    struct walk_region *region = walk_index_region(index, granule);
    if (!region && !(region = make_region(index, granule)))
        return WALK_ENTER_NO_MEMORY;
    uint64_t before = atomic_fetch_or_explicit(&region->bits[walk_granule_word(granule)], bit, memory_order_relaxed);
    return before & bit ? WALK_ENTERED_BEFORE : WALK_ENTERED;
}

void walk_index_remove(struct walk_index *index, walk_addr key)
{
    uint64_t granule = walk_index_granule(index, key);
    struct walk_region *region = walk_index_region(index, granule);
    if (region)
        atomic_fetch_and_explicit(&region->bits[walk_granule_word(granule)], ~walk_granule_bit(granule),
                                  memory_order_relaxed);
}

/* ---- odd keys ---- */

bool walk_index_enter_odd(struct walk_index *index, walk_addr key)
{
    if (!(index->odd_count & (index->odd_count - 1))) { /* full at every power of two */
        walk_addr *odd = realloc(index->odd, (index->odd_count ? 2 * index->odd_count : 1) * sizeof *odd);
        if (!odd)
            return false;
        index->odd = odd;
    }
    index->odd[index->odd_count++] = key;
    return true;
}

static int by_key(const void *a, const void *b)
{
    walk_addr x = *(const walk_addr *)a, y = *(const walk_addr *)b;
    return (x > y) - (x < y);
}

void walk_index_sort_odd(struct walk_index *index)
{
    size_t kept = 0;
    if (index->odd_count)
        qsort(index->odd, index->odd_count, sizeof *index->odd, by_key);
    for (size_t i = 0; i < index->odd_count; i++)
        if (!kept || index->odd[kept - 1] != index->odd[i])
            index->odd[kept++] = index->odd[i];
    index->odd_count = kept;
}

size_t walk_index_odd(const struct walk_index *index, walk_addr key)
{
    const walk_addr *found =
        index->odd_count ? bsearch(&key, index->odd, index->odd_count, sizeof *index->odd, by_key) : NULL;
    return found ? (size_t)(found - index->odd) : SIZE_MAX;
}

/* ---- all of them, in their order ---- */

/* The next region from granule `*at` on, which becomes that of its first granule; NULL: no more. */
static struct walk_region *next_region(const struct walk_index *index, uint64_t *at)
{
    const uint64_t region_size = UINT64_C(1) << WALK_REGION_BITS, table_size = region_size << WALK_TABLE_BITS;
    while (*at / table_size < index->tables) {
        struct walk_region *region = walk_index_region(index, *at);
        if (region)
            return region;
        bool table = atomic_load_explicit(&index->table[*at / table_size], memory_order_relaxed) != NULL;
        *at += table ? region_size : table_size;
    }
    return NULL;
}

/* Writes the keys of a region, of which there are at most `most`. */
static size_t list_region(const struct walk_index *index, const struct walk_region *region, uint64_t first,
                          walk_addr *keys, size_t most)
{
    size_t count = 0;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++)
        for (uint64_t bits = atomic_load_explicit(&region->bits[word], memory_order_relaxed); bits && count < most;
             bits &= bits - 1)
            keys[count++] = (first + word * 64 + (uint64_t)__builtin_ctzll(bits)) << index->shift;
    return count;
}

size_t walk_index_list(const struct walk_index *index, walk_addr *keys, size_t most)
{
    size_t count = 0;
    uint64_t at = 0;
    for (struct walk_region *region; (region = next_region(index, &at)); at += UINT64_C(1) << WALK_REGION_BITS)
        count += list_region(index, region, at, keys + count, most - count);
    return count;
}

/* ---- ranks ---- */

struct ranking {
    struct walk_graph *graph;
    size_t count, capacity;
    struct numbered_region {
        struct walk_region *region;
        uint64_t first_granule;
        uint64_t first_id;
        uint32_t keys;
    } * regions;
};

static bool collect_regions(struct ranking *ranking)
{
    uint64_t at = 0;
    for (struct walk_region *region; (region = next_region(&ranking->graph->index, &at));
         at += UINT64_C(1) << WALK_REGION_BITS) {
        if (ranking->count == ranking->capacity) {
            size_t capacity = ranking->capacity ? 2 * ranking->capacity : 256;
            struct numbered_region *regions = realloc(ranking->regions, capacity * sizeof *regions);
            if (!regions)
                return false;
            ranking->regions = regions;
            ranking->capacity = capacity;
        }
        ranking->regions[ranking->count++] = (struct numbered_region){.region = region, .first_granule = at};
    }
    return true;
}

static void count_region(void *context, size_t task, unsigned worker)
{
    struct ranking *ranking = context;
    struct numbered_region *numbered = &ranking->regions[task];
    (void)worker;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++) {
        numbered->region->rank[word] = numbered->keys; /* within the region, for now */
        numbered->keys += walk_count_bits(atomic_load_explicit(&numbered->region->bits[word], memory_order_relaxed));
    }
}

static void number_region(void *context, size_t task, unsigned worker)
{
    struct ranking *ranking = context;
    struct numbered_region *numbered = &ranking->regions[task];
    (void)worker;
    for (size_t word = 0; word < WALK_REGION_WORDS; word++)
        numbered->region->rank[word] += (walk_id)numbered->first_id;
    list_region(&ranking->graph->index, numbered->region, numbered->first_granule,
                ranking->graph->key + numbered->first_id, numbered->keys);
}

static struct walk_error *number_all(struct ranking *ranking, unsigned workers)
{
    struct walk_graph *graph = ranking->graph;
    struct walk_index *index = &graph->index;
    uint64_t count = 0;
    if (!collect_regions(ranking))
        return walk_error_no_memory();
    walk_workers_run(workers, ranking->count, count_region, ranking);
    for (size_t i = 0; i < ranking->count; i++) {
        ranking->regions[i].first_id = count;
        count += ranking->regions[i].keys;
    }
    index->first_odd = (walk_id)count;
    count += index->odd_count;
    if (count >= WALK_EDGE_MARK)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^31 objects");
    graph->key = walk_large_alloc(count + 1, sizeof *graph->key);
    if (!graph->key)
        return walk_error_no_memory();
    graph->node_count = (walk_id)count;
    walk_workers_run(workers, ranking->count, number_region, ranking);
    if (index->odd_count)
        memcpy(graph->key + index->first_odd, index->odd, index->odd_count * sizeof *index->odd);
    return NULL;
}

struct walk_error *walk_index_rank(struct walk_graph *graph, unsigned workers)
{
    struct ranking ranking = {.graph = graph};
    struct walk_error *error = number_all(&ranking, workers);
    free(ranking.regions);
    return error;
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
