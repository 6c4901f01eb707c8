/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/sweep_filter.h"

#include <stdbool.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "bytes/memory.h"

/*
 * Whether a head with an object behind it may begin at `view`: four words, each of which rules most memory out, and
 * which does so cannot be foreseen. So all are looked at before a branch is taken.
 */
static inline bool may_begin(const struct walk_filter *filter, const uint8_t *view, struct walk_filter_places at,
                             unsigned word)
{
    walk_addr type = walk_load_word(word, view + at.type) - filter->low;
    walk_addr links =
        (walk_load_word(word, view + at.next) - filter->low) | (walk_load_word(word, view + at.prev) - filter->low);
    uint64_t count = walk_load_word(word, view + at.count);
    uint64_t wrong = ((links | type) & filter->beyond) | (links & filter->link) | (type & filter->type);
    return !(wrong | (count & filter->count)) && count;
}

static size_t go_by_word(const struct walk_filter *filter, const uint8_t *bytes, size_t at, size_t size)
{
    if (filter->word == 8)
        while (at < size && !may_begin(filter, bytes + at, filter->places, 8))
            at += filter->granule;
    else
        while (at < size && !may_begin(filter, bytes + at, filter->places, 4))
            at += filter->granule;
    return at;
}

#ifdef __x86_64__
/* Where the four words stand beside each other, as they do since 3.8: next, prev, the count, the type. */
enum { GRANULE = 16, COUNT_AT = 16 };

static bool is_vector(const struct walk_filter *filter)
{
    const struct walk_filter_places vector = {0, 8, COUNT_AT, 24};
    return memcmp(&filter->places, &vector, sizeof vector) == 0 && filter->word == 8 && filter->granule == GRANULE;
}

/* By comparing, since compilers make more of _mm256_testz_si256() than a jump. */
static inline __attribute__((target("avx2"))) bool may_begin_at(const uint8_t *view, __m256i lows, __m256i wrong)
{
    __m256i words = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)view), lows);
    __m256i right = _mm256_cmpeq_epi64(_mm256_and_si256(words, wrong), _mm256_setzero_si256());
    return _mm256_movemask_epi8(right) == -1 && walk_load_u64(view + COUNT_AT);
}

static __attribute__((target("avx2"))) size_t go_by_avx2(const struct walk_filter *filter, const uint8_t *bytes,
                                                         size_t at, size_t size)
{
    const long long low = (long long)filter->low, link = (long long)(filter->beyond | filter->link);
    const __m256i lows = _mm256_setr_epi64x(low, low, 0, low);
    const __m256i wrong =
        _mm256_setr_epi64x(link, link, (long long)filter->count, (long long)(filter->beyond | filter->type));
    for (; at + 4 * GRANULE <= size; at += 4 * GRANULE) {
        if (may_begin_at(bytes + at, lows, wrong))
            return at;
        if (may_begin_at(bytes + at + GRANULE, lows, wrong))
            return at + GRANULE;
        if (may_begin_at(bytes + at + 2 * GRANULE, lows, wrong))
            return at + 2 * GRANULE;
        if (may_begin_at(bytes + at + 3 * GRANULE, lows, wrong))
            return at + 3 * GRANULE;
    }
    while (at < size && !may_begin_at(bytes + at, lows, wrong))
        at += GRANULE;
    return at;
}

/* Four granules at once: of each the two links, and the second word of the next granule, which is the type. */
static __attribute__((target("avx512f"))) size_t go_by_avx512(const struct walk_filter *filter, const uint8_t *bytes,
                                                              size_t at, size_t size)
{
    enum { TOGETHER = 64, FIRST_WORDS = 0x55, SECOND_WORDS = 0xaa };
    const __m512i low = _mm512_set1_epi64((long long)filter->low);
    const __m512i link = _mm512_set1_epi64((long long)(filter->beyond | filter->link));
    const __m512i type = _mm512_set1_epi64((long long)(filter->beyond | filter->type));
    for (; at + TOGETHER <= size; at += TOGETHER) {
        __m512i words = _mm512_sub_epi64(_mm512_loadu_si512(bytes + at), low);
        __m512i next = _mm512_sub_epi64(_mm512_loadu_si512(bytes + at + GRANULE), low);
        unsigned wrong = _mm512_test_epi64_mask(words, link) | (_mm512_test_epi64_mask(next, type) & SECOND_WORDS);
        for (unsigned good = ~(wrong | wrong >> 1) & FIRST_WORDS; good; good &= good - 1) {
            size_t found = at + (size_t)__builtin_ctz(good) * 8;
            uint64_t count = walk_load_u64(bytes + found + COUNT_AT);
            if (count && !(count & filter->count))
                return found;
        }
    }
    return go_by_avx2(filter, bytes, at, size);
}
#endif

walk_filter_go *walk_filter_way(const struct walk_filter *filter, enum walk_filter_way way)
{
    if (way == WALK_FILTER_BY_WORD)
        return go_by_word;
#ifdef __x86_64__
    if (way == WALK_FILTER_BY_AVX2 && is_vector(filter) && __builtin_cpu_supports("avx2"))
        return go_by_avx2;
    if (way == WALK_FILTER_BY_AVX512 && is_vector(filter) && __builtin_cpu_supports("avx512f"))
        return go_by_avx512;
#endif
    return NULL;
}

walk_filter_go *walk_filter_choose(const struct walk_filter *filter)
{
    enum walk_filter_way way = WALK_FILTER_WAYS - 1;
    while (!walk_filter_way(filter, way))
        way--;
    return walk_filter_way(filter, way);
}
