/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
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
    walk_large_free(index->hint);
    free(index->table);
    free(index->odd);
    *index = (struct walk_index){0};
}

/* ---- regions ---- */

/* For one item more; the array has room for a power of two of them. False: no memory. */
static bool make_room(void *array, size_t count, size_t item)
{
    void *old, *grown;
    if (count & (count - 1))
        return true;
    memcpy(&old, array, sizeof old);
    if (!(grown = realloc(old, (count ? 2 * count : 1) * item)))
        return false;
    memcpy(array, &grown, sizeof grown);
    return true;
}

static bool add_shelf(struct walk_index *index)
{
    struct walk_region_list *list = index->regions;
    size_t at = list->shelves;
    if (!make_room(&index->words, at, sizeof *index->words) || !make_room(&list->shelf, at, sizeof *list->shelf) ||
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
    if (!make_room(&list->discovered, list->count, sizeof *list->discovered) ||
        (shelf == list->shelves && !add_shelf(index)))
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

void walk_index_list_region(struct walk_index *index, struct walk_region *region)
{
    struct walk_region_list *list = index->regions;
    pthread_mutex_lock(&list->lock);
    list->discovered[list->discovered_count++] = region; /* once: there is room */
    pthread_mutex_unlock(&list->lock);
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

void walk_region_remove(struct walk_region *region, uint32_t place)
{
    region->word[place >> 6].bits &= ~(UINT64_C(1) << (place & 63));
}

/* ---- odd keys ---- */

bool walk_index_enter_odd(struct walk_index *index, walk_addr key)
{
    if (!make_room(&index->odd, index->odd_count, sizeof *index->odd))
        return false;
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
