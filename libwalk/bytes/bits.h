/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_BITS_H
#define WALK_BYTES_BITS_H

#include <stdint.h>

/* In place of "static inline", for what is done with each of many objects, if the compiler takes it for too large. */
#define WALK_INLINED static inline __attribute__((always_inline))

/*
 * The same, for functions that do no more than prefetch: GCC takes them for such that do nothing, and leaves their
 * calls out, unless they are inlined before it looks.
 */
#define WALK_PREFETCHER WALK_INLINED

/* Not every x86-64 has the instruction, so the compiler does not use it; what it makes instead is a call. */
static inline unsigned walk_count_bits(uint64_t bits)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("popcnt")) {
        __asm__("popcnt %1, %0" : "=r"(bits) : "r"(bits) : "cc");
        return (unsigned)bits;
    }
#endif
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(bits * UINT64_C(0x0101010101010101) >> 56);
}

#endif
