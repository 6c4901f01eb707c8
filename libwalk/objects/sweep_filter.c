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

static inline size_t go_by_words(const struct walk_filter *filter, const uint8_t *bytes, size_t *at, size_t size,
                                 size_t count, uint32_t *found, unsigned word)
{
    for (; *at < size && count < WALK_FILTER_FOUND; *at += filter->granule) {
        found[count] = (uint32_t)*at;
        count += may_begin(filter, bytes + *at, filter->places, word);
    }
    return count;
}

static size_t go_by_word(const struct walk_filter *filter, const uint8_t *bytes, size_t *at, size_t size,
                         uint32_t *found)
{
    return filter->word == 8 ? go_by_words(filter, bytes, at, size, 0, found, 8)
                             : go_by_words(filter, bytes, at, size, 0, found, 4);
}

#ifdef __x86_64__
/* Where the four words stand beside each other, as they do since 3.8: next, prev, the count, the type. */
enum { GRANULE = 16, COUNT_AT = 16 };

static bool is_vector(const struct walk_filter *filter)
{
    const struct walk_filter_places vector = {0, 8, COUNT_AT, 24};
    return memcmp(&filter->places, &vector, sizeof vector) == 0 && filter->word == 8 && filter->granule == GRANULE;
}

/* Granules that are looked at in one go; of what is left behind the last of them each is. */
enum { TOGETHER = 4 * GRANULE, FOUND = WALK_FILTER_FOUND - 4 };

/* By comparing, since compilers make more of _mm256_testz_si256() than a jump. */
static inline __attribute__((target("avx2"))) bool may_begin_at(const uint8_t *view, __m256i lows, __m256i wrong)
{
    __m256i words = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)view), lows);
    __m256i right = _mm256_cmpeq_epi64(_mm256_and_si256(words, wrong), _mm256_setzero_si256());
    return _mm256_movemask_epi8(right) == -1 && walk_load_u64(view + COUNT_AT);
}

static __attribute__((target("avx2"))) size_t go_by_avx2(const struct walk_filter *filter, const uint8_t *bytes,
                                                         size_t *from, size_t size, uint32_t *found)
{
    const long long low = (long long)filter->low, link = (long long)(filter->beyond | filter->link);
    const __m256i lows = _mm256_setr_epi64x(low, low, 0, low);
    const __m256i wrong =
        _mm256_setr_epi64x(link, link, (long long)filter->count, (long long)(filter->beyond | filter->type));
    size_t at = *from, count = 0;
    for (; at + TOGETHER <= size && count <= FOUND; at += TOGETHER) {
        if (may_begin_at(bytes + at, lows, wrong))
            found[count++] = (uint32_t)at;
        if (may_begin_at(bytes + at + GRANULE, lows, wrong))
            found[count++] = (uint32_t)at + GRANULE;
        if (may_begin_at(bytes + at + 2 * GRANULE, lows, wrong))
            found[count++] = (uint32_t)at + 2 * GRANULE;
        if (may_begin_at(bytes + at + 3 * GRANULE, lows, wrong))
            found[count++] = (uint32_t)at + 3 * GRANULE;
    }
    *from = at;
    return at + TOGETHER <= size ? count : go_by_words(filter, bytes, from, size, count, found, 8);
}

/* Of each granule the two links, and the second word of the next granule, which is the type. */
static __attribute__((target("avx512f"))) size_t go_by_avx512(const struct walk_filter *filter, const uint8_t *bytes,
                                                              size_t *from, size_t size, uint32_t *found)
{
    enum { FIRST_WORDS = 0x55, SECOND_WORDS = 0xaa };
    const __m512i low = _mm512_set1_epi64((long long)filter->low);
    const __m512i link = _mm512_set1_epi64((long long)(filter->beyond | filter->link));
    const __m512i type = _mm512_set1_epi64((long long)(filter->beyond | filter->type));
    size_t at = *from, count = 0;
    for (; at + TOGETHER <= size && count <= FOUND; at += TOGETHER) {
        __m512i words = _mm512_sub_epi64(_mm512_loadu_si512(bytes + at), low);
        __m512i next = _mm512_sub_epi64(_mm512_loadu_si512(bytes + at + GRANULE), low);
        unsigned wrong = _mm512_test_epi64_mask(words, link) | (_mm512_test_epi64_mask(next, type) & SECOND_WORDS);
        for (unsigned good = ~(wrong | wrong >> 1) & FIRST_WORDS; good; good &= good - 1) {
            size_t here = at + (size_t)__builtin_ctz(good) * 8;
            uint64_t refs = walk_load_u64(bytes + here + COUNT_AT);
            found[count] = (uint32_t)here;
            count += refs && !(refs & filter->count);
        }
    }
    *from = at;
    return at + TOGETHER <= size ? count : go_by_words(filter, bytes, from, size, count, found, 8);
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
