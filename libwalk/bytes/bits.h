/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_BITS_H
#define WALK_BYTES_BITS_H

#include <stdint.h>

/* Not every x86-64 has an instruction for it, and the compiler's own would be a call. */
static inline unsigned walk_count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(bits * UINT64_C(0x0101010101010101) >> 56);
}

#endif
