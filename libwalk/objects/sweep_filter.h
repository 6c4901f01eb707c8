/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SWEEP_FILTER_H
#define WALK_OBJECTS_SWEEP_FILTER_H

/*
 * What no collector's head with an object behind it has in its words. That rules nearly all places of the memory out,
 * and is asked of every one: most of the time of a sweep that is not spent on reading.
 */

#include <stddef.h>
#include <stdint.h>

#include "walk.h"

struct walk_filter {
    walk_addr low;              /* in front of all that is looked at; a multiple of words */
    uint64_t beyond;            /* bits behind all that */
    uint64_t link, type, count; /* bits that no link has, no address of a type, no count of references */
    size_t granule;             /* bytes */
    unsigned word;
    struct walk_filter_places { /* where the words stand that are looked at, from a head on */
        uint32_t next, prev, count, type;
    } places;
};

/*
 * Where heads may begin, from `*at` on granule by granule to `size`, or until there are nearly WALK_FILTER_FOUND of
 * them; `*at` becomes where to go on. Returns how many there are. Behind `size` are at least the bytes of a head and of
 * a bare object, but for one.
 */
enum { WALK_FILTER_FOUND = 1 << 7 };
typedef size_t walk_filter_go(const struct walk_filter *filter, const uint8_t *bytes, size_t *at, size_t size,
                              uint32_t found[WALK_FILTER_FOUND]);

/* Word by word; or several at once, by instructions that not all processors have. NULL: not here, or not such heads. */
enum walk_filter_way { WALK_FILTER_BY_WORD, WALK_FILTER_BY_AVX2, WALK_FILTER_BY_AVX512, WALK_FILTER_WAYS };
walk_filter_go *walk_filter_way(const struct walk_filter *filter, enum walk_filter_way way);

/* The fastest one. */
walk_filter_go *walk_filter_choose(const struct walk_filter *filter);

#endif
