/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_INDEX_H
#define WALK_GRAPH_INDEX_H

#include <stdatomic.h>

#include "bytes/bits.h"
#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/graph.h"

/*
 * key -> id: a bit per granule of the keys' space, and how many bits are set in front of each word of them. The space
 * is cut into regions of 2^17 granules (1 MB for keys that are multiples of 8); a table of two levels has those in
 * which keys are. What is discovered waits to be entered, so that it is the same whoever looks when. Any number of
 * threads may discover and look up at the same time; once ranks are given nothing changes.
 *
 * Keys that are no granules, or beyond the space, are odd: sorted, and behind all others. They are few.
 */
enum {
    WALK_REGION_BITS = 17,
    WALK_TABLE_BITS = 13,
    WALK_REGION_WORDS = 1 << (WALK_REGION_BITS - 6),
    WALK_SHELF_BITS = 6,
    WALK_SHELF = 1 << WALK_SHELF_BITS
};
#define WALK_KEY_END (UINT64_C(1) << WALK_KEY_BITS)

struct walk_word {
    _Atomic uint64_t bits; /* keys that are entered */
    union {
        _Atomic uint64_t found; /* keys that are discovered, and not entered yet */
        walk_id rank;           /* in the end: the id of the first key in this word or behind it */
    };
};

/*
 * Regions are numbered as they are made. A place is a granule in the order of their numbers: what is known by its place
 * is found without the table. The words of WALK_SHELF regions stand together: a huge page.
 */
struct walk_region {
    _Alignas(WALK_APART / 2) struct walk_word *word; /* workers write to regions that are next to each other */
    uint64_t first;                                  /* granule */
    uint64_t place;                                  /* of its first granule */
    _Atomic uint64_t touched; /* a bit per WALK_TOUCHED words: some of them have discovered keys */
    _Atomic uint32_t far;     /* parts of nodes that stand in it (far.c) */
};
enum { WALK_TOUCHED = WALK_REGION_WORDS / 64 };

/* A region, once there are ranks, and the id of its first key. */
struct walk_numbered {
    struct walk_region *region;
    uint64_t first;
};

struct walk_region_table {
    _Atomic(struct walk_region *) region[1 << WALK_TABLE_BITS];
};

static inline bool walk_index_is_odd(const struct walk_index *index, walk_addr key)
{
    return (key & ((UINT64_C(1) << index->shift) - 1)) || key >= WALK_KEY_END;
}

static inline uint64_t walk_index_granule(const struct walk_index *index, walk_addr key) { return key >> index->shift; }

static inline unsigned walk_granule_word(uint64_t granule) { return granule >> 6 & (WALK_REGION_WORDS - 1); }
static inline uint64_t walk_granule_bit(uint64_t granule) { return UINT64_C(1) << (granule & 63); }

/* The region of a granule; NULL: there is none. */
static inline struct walk_region *walk_index_region(const struct walk_index *index, uint64_t granule)
{
    struct walk_region_table *table =
        atomic_load_explicit(&index->table[granule >> (WALK_REGION_BITS + WALK_TABLE_BITS)], memory_order_acquire);
    size_t at = granule >> WALK_REGION_BITS & ((1 << WALK_TABLE_BITS) - 1);
    return table ? atomic_load_explicit(&table->region[at], memory_order_acquire) : NULL;
}

/* Whether a key of the word is entered or discovered. */
static inline bool walk_word_has(const struct walk_word *word, uint64_t granule)
{
    return ((atomic_load_explicit(&word->bits, memory_order_relaxed) |
             atomic_load_explicit(&word->found, memory_order_relaxed)) &
            walk_granule_bit(granule)) != 0;
}

static inline uint64_t walk_region_place(const struct walk_region *region, uint64_t granule)
{
    return region->place | (granule & ((1 << WALK_REGION_BITS) - 1));
}

/* The word of a place; not while regions are made. */
static inline const struct walk_word *walk_index_word(const struct walk_index *index, uint64_t place)
{
    const uint64_t shelf = WALK_SHELF * WALK_REGION_WORDS - 1;
    return &index->words[place >> (WALK_REGION_BITS + WALK_SHELF_BITS)][place >> 6 & shelf];
}

static inline bool walk_region_has(const struct walk_region *region, uint64_t granule)
{
    return walk_word_has(&region->word[walk_granule_word(granule)], granule);
}

/* The id of a key of the word that is entered, once there are ranks: one less than are up to it. */
static inline walk_id walk_word_id(const struct walk_word *word, uint64_t granule)
{
    uint64_t bits = atomic_load_explicit(&word->bits, memory_order_relaxed);
    return word->rank + walk_count_bits(bits << (~granule & 63)) - 1;
}

/* The same of any key of the word; WALK_NO_ID: it is not entered. */
static inline walk_id walk_word_find(const struct walk_word *word, uint64_t granule)
{
    uint64_t bits = atomic_load_explicit(&word->bits, memory_order_relaxed);
    return bits & walk_granule_bit(granule) ? walk_word_id(word, granule) : WALK_NO_ID;
}

/* The same of a key that is not odd. */
static inline walk_id walk_index_id(const struct walk_index *index, walk_addr key)
{
    uint64_t granule = walk_index_granule(index, key);
    const struct walk_region *region = walk_index_region(index, granule);
    return region ? walk_word_find(&region->word[walk_granule_word(granule)], granule) : WALK_NO_ID;
}

enum walk_entry { WALK_ENTERED, WALK_ENTERED_BEFORE, WALK_ENTER_ODD, WALK_ENTER_NO_MEMORY };

/* `granule`: a power of two, of which keys are multiples. `stock`, here and below, may be NULL. */
struct walk_error *walk_index_init(struct walk_index *index, unsigned granule, struct walk_stock *stock);
void walk_index_deinit(struct walk_index *index);

/* Enters a key that is not odd, unless it is there or discovered. For one thread alone. */
enum walk_entry walk_index_enter(struct walk_index *index, walk_addr key);
/* For walk_index_discover(): some keys of the region are discovered for the first time. */
void walk_index_list_region(struct walk_index *index, struct walk_region *region);

/* Discovers a key of the region, unless it is there. `place`: that of it, with any other bits in front. */
static inline void walk_index_discover(struct walk_index *index, struct walk_region *region, uint64_t place)
{
    uint64_t bit = walk_granule_bit(place), touched = UINT64_C(1) << walk_granule_word(place) / WALK_TOUCHED;
    struct walk_word *word = &region->word[walk_granule_word(place)];
    if (walk_word_has(word, place) || (atomic_fetch_or_explicit(&word->found, bit, memory_order_relaxed) & bit))
        return;
    if (!(atomic_load_explicit(&region->touched, memory_order_relaxed) & touched) &&
        !atomic_fetch_or_explicit(&region->touched, touched, memory_order_relaxed))
        walk_index_list_region(index, region);
}

/* The region of a granule, which is made if need be. NULL: no memory. */
struct walk_region *walk_index_need_region(struct walk_index *index, uint64_t granule);

/* The first region from granule `*at` on, which becomes that of its first granule; NULL: no more. */
struct walk_region *walk_index_next_region(const struct walk_index *index, uint64_t *at);

/* The regions that have discovered keys, in their order. The list is the index's, and changes with the next discovery.
 */
struct walk_region **walk_index_discovered(struct walk_index *index, size_t *count);
/* How many keys of a region are discovered. */
uint32_t walk_region_count(const struct walk_region *region);
/* Enters all of them; `place` gets their granules, counted from the region's first one. */
void walk_region_enter(struct walk_region *region, uint32_t *place);
/* Enters one that was not discovered; `place` gets its granule likewise. WALK_ENTER_ODD: it is none of the region. */
static inline enum walk_entry walk_region_put(const struct walk_index *index, struct walk_region *region, walk_addr key,
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
/* Takes a key that is entered out again. */
void walk_region_remove(struct walk_region *region, uint32_t place);

/* Enters an odd key, before anything is looked up. False: no memory. */
bool walk_index_enter_odd(struct walk_index *index, walk_addr key);
/* To be called when all odd keys are entered: sorts them, each once. */
void walk_index_sort_odd(struct walk_index *index);
/* The position of an odd key among them; SIZE_MAX: it is not there. */
size_t walk_index_odd(const struct walk_index *index, walk_addr key);

/* Numbers the keys in their order: sets the graph's node_count. Errors: UNSUPPORTED, MEMORY. */
struct walk_error *walk_index_rank(struct walk_graph *graph, unsigned workers);

#endif
