/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_RNG_H
#define TESTS_FUZZ_RNG_H

#include <stdint.h>

/* splitmix64: a seed gives the same run everywhere. */
struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. limit - 1; 0 for a limit of 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t limit) { return limit ? rng_next(rng) % limit : 0; }

#endif
