/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/pages.h"
#include "bytes/workers.h"

/* What is changed once per region, under a lock. */
struct walk_region_list {
    pthread_mutex_t lock;
    struct walk_stock *stock;
    size_t count;               /* of regions */
    struct walk_region **shelf; /* of each as many as WALK_SHELF */
    size_t shelves;
    struct walk_region **discovered; /* room for all of them */
    size_t discovered_count;
};

struct walk_error *walk_index_init(struct walk_index *index, unsigned granule, struct walk_stock *stock)
{
    *index = (struct walk_index){.shift = (unsigned)__builtin_ctz(granule)};
    index->tables = (size_t)1 << (WALK_KEY_BITS - WALK_REGION_BITS - WALK_TABLE_BITS - index->shift);
    index->table = calloc(index->tables, sizeof *index->table);
    index->regions = calloc(1, sizeof *index->regions);
    if (!index->table || !index->regions || pthread_mutex_init(&index->regions->lock, NULL) != 0) {
        free(index->table);
        free(index->regions);
        *index = (struct walk_index){0};
        return walk_error_no_memory();
    }
    index->regions->stock = stock;
    return NULL;
}

void walk_index_deinit(struct walk_index *index)
{
    for (size_t i = 0; index->table && i < index->tables; i++)
        free(atomic_load_explicit(&index->table[i], memory_order_relaxed));
    for (size_t i = 0; index->regions && i < index->regions->shelves; i++) {
        walk_large_free(index->words[i]);
        free(index->regions->shelf[i]);
    }
    if (index->regions) {
        pthread_mutex_destroy(&index->regions->lock);
        free(index->regions->shelf);
        free(index->regions->discovered);
    }
    free(index->regions);
    free(index->words);
    free(index->numbered);
    free(index->table);
    free(index->odd);
    *index = (struct walk_index){0};
}

/* ---- regions ---- */

/* One pointer more; the array has room for a power of two of them. False: no memory. */
static bool make_room(void *array, size_t count)
{
    void *old, *grown;
    if (count & (count - 1))
        return true;
    memcpy(&old, array, sizeof old);
    if (!(grown = realloc(old, (count ? 2 * count : 1) * sizeof old)))
        return false;
    memcpy(array, &grown, sizeof grown);
    return true;
}

static bool add_shelf(struct walk_index *index)
{
    struct walk_region_list *list = index->regions;
    size_t at = list->shelves;
    if (!make_room(&index->words, at) || !make_room(&list->shelf, at) ||
        !(list->shelf[at] = walk_workers_state(WALK_SHELF, sizeof **list->shelf)))
        return false;
    index->words[at] = walk_large_alloc(list->stock, WALK_SHELF * WALK_REGION_WORDS, sizeof **index->words);
    if (index->words[at])
        list->shelves++;
    else
        free(list->shelf[at]);
    return index->words[at] != NULL;
}

static struct walk_region *new_region(struct walk_index *index, uint64_t first)
{
    struct walk_region_list *list = index->regions;
    size_t shelf = list->count / WALK_SHELF, at = list->count % WALK_SHELF;
    if (!make_room(&list->discovered, list->count) || (shelf == list->shelves && !add_shelf(index)))
        return NULL;
    struct walk_region *region = &list->shelf[shelf][at];
    region->word = index->words[shelf] + at * WALK_REGION_WORDS;
    memset(region->word, 0, WALK_REGION_WORDS * sizeof *region->word);
    region->first = first;
    region->place = (uint64_t)list->count++ << WALK_REGION_BITS;
    return region;
}

/* Under the lock; who looks a region up without it sees it whole, or not at all. */
static struct walk_region *make_region(struct walk_index *index, uint64_t granule)
{
    struct walk_region *region = walk_index_region(index, granule);
    if (region)
        return region;
    size_t at = granule >> (WALK_REGION_BITS + WALK_TABLE_BITS);
    struct walk_region_table *table = atomic_load_explicit(&index->table[at], memory_order_relaxed);
    if (!table) {
        if (!(table = calloc(1, sizeof *table)))
            return NULL;
        atomic_store_explicit(&index->table[at], table, memory_order_release);
    }
    const uint64_t size = UINT64_C(1) << WALK_REGION_BITS;
    region = new_region(index, granule & ~(size - 1));
    if (region)
        atomic_store_explicit(&table->region[granule >> WALK_REGION_BITS & ((1 << WALK_TABLE_BITS) - 1)], region,
                              memory_order_release);
    return region;
}

struct walk_region *walk_index_need_region(struct walk_index *index, uint64_t granule)
{
    struct walk_region *region = walk_index_region(index, granule);
    if (region)
        return region;
    pthread_mutex_lock(&index->regions->lock);
    region = make_region(index, granule);
    pthread_mutex_unlock(&index->regions->lock);
    return region;
}

/* ---- keys ---- */

enum walk_entry walk_index_enter(struct walk_index *index, walk_addr key)
{
    uint64_t granule = walk_index_granule(index, key);
    struct walk_region *region = walk_index_need_region(index, granule);
    if (!region)
        return WALK_ENTER_NO_MEMORY;
    if (walk_region_has(region, granule))
        return WALK_ENTERED_BEFORE;
    region->word[walk_granule_word(granule)].bits |= walk_granule_bit(granule);
    return WALK_ENTERED;
}

static void list_region(struct walk_region_list *list, struct walk_region *region)
{
    pthread_mutex_lock(&list->lock);
    list->discovered[list->discovered_count++] = region; /* once: there is room */
    pthread_mutex_unlock(&list->lock);
}

void walk_index_discover(struct walk_index *index, struct walk_region *region, uint64_t granule)
{
    uint64_t bit = walk_granule_bit(granule), touched = UINT64_C(1) << walk_granule_word(granule) / WALK_TOUCHED;
    struct walk_word *word = &region->word[walk_granule_word(granule)];
    if (walk_word_has(word, granule) || (atomic_fetch_or_explicit(&word->found, bit, memory_order_relaxed) & bit))
        return;
    if (!(atomic_load_explicit(&region->touched, memory_order_relaxed) & touched) &&
        !atomic_fetch_or_explicit(&region->touched, touched, memory_order_relaxed))
        list_region(index->regions, region);
}

static int by_first(const void *a, const void *b)
{
    const struct walk_region *x = *(struct walk_region *const *)a, *y = *(struct walk_region *const *)b;
    return (x->first > y->first) - (x->first < y->first);
}

struct walk_region **walk_index_discovered(struct walk_index *index, size_t *count)
{
    struct walk_region_list *list = index->regions;
    *count = list->discovered_count;
    list->discovered_count = 0;
    if (*count)
        qsort(list->discovered, *count, sizeof(struct walk_region *), by_first);
    return list->discovered;
}

uint32_t walk_region_count(const struct walk_region *region)
{
    uint32_t count = 0;
    for (uint64_t left = atomic_load_explicit(&region->touched, memory_order_relaxed); left; left &= left - 1) {
        const struct walk_word *word = &region->word[__builtin_ctzll(left) * WALK_TOUCHED];
        for (int i = 0; i < WALK_TOUCHED; i++)
            count += walk_count_bits(atomic_load_explicit(&word[i].found, memory_order_relaxed));
    }
    return count;
}

/* The discovered keys of a word; what is behind the places that are written. */
static uint32_t *enter_word(struct walk_word *word, uint32_t first, uint32_t *place)
{
    uint64_t found = atomic_load_explicit(&word->found, memory_order_relaxed);
    uint64_t bits = atomic_load_explicit(&word->bits, memory_order_relaxed);
    atomic_store_explicit(&word->bits, bits | found, memory_order_relaxed);
    atomic_store_explicit(&word->found, 0, memory_order_relaxed);
    for (; found; found &= found - 1)
        *place++ = first + (uint32_t)__builtin_ctzll(found);
    return place;
}

void walk_region_enter(struct walk_region *region, uint32_t *place)
{
    for (uint64_t left = atomic_load_explicit(&region->touched, memory_order_relaxed); left; left &= left - 1) {
        uint32_t first = (uint32_t)__builtin_ctzll(left) * WALK_TOUCHED;
        for (uint32_t i = first; i < first + WALK_TOUCHED; i++)
            place = enter_word(&region->word[i], i * 64, place);
    }
    atomic_store_explicit(&region->touched, 0, memory_order_relaxed);
}

enum walk_entry walk_region_put(const struct walk_index *index, struct walk_region *region, walk_addr key,
                                uint32_t *place)
{
    uint64_t granule = walk_index_granule(index, key), inside = granule - region->first;
    if (walk_index_is_odd(index, key) || inside >> WALK_REGION_BITS)
        return WALK_ENTER_ODD;
    struct walk_word *word = &region->word[inside >> 6];
    uint64_t bit = UINT64_C(1) << (inside & 63), bits = atomic_load_explicit(&word->bits, memory_order_relaxed);
    if (bits & bit)
        return WALK_ENTERED_BEFORE;
    atomic_store_explicit(&word->bits, bits | bit, memory_order_relaxed);
    *place = (uint32_t)inside;
    return WALK_ENTERED;
}

void walk_region_remove(struct walk_region *region, uint32_t place)
{
    region->word[place >> 6].bits &= ~(UINT64_C(1) << (place & 63));
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

struct walk_region *walk_index_next_region(const struct walk_index *index, uint64_t *at)
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
