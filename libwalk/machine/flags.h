/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_FLAGS_H
#define WALK_MACHINE_FLAGS_H

/*
 * The status flags, lazily: an instruction leaves its operands and its result, and a flag is computed when something
 * asks for it. What sets flags otherwise leaves the bits themselves.
 */

#include "machine/op.h"

enum walk_flag {
    WALK_CARRY = 1,
    WALK_PARITY = 4,
    WALK_ADJUST = 0x10,
    WALK_ZERO = 0x40,
    WALK_SIGN = 0x80,
    WALK_DIRECTION = 0x400,
    WALK_OVERFLOW = 0x800,
    WALK_STATUS = WALK_CARRY | WALK_PARITY | WALK_ADJUST | WALK_ZERO | WALK_SIGN | WALK_OVERFLOW
};

enum walk_flags_from { WALK_FROM_BITS, WALK_FROM_LOGIC, WALK_FROM_ADD, WALK_FROM_SUB };

struct walk_flags {
    uint32_t from; /* enum walk_flags_from */
    uint32_t bits; /* FROM_BITS */
    uint64_t sign; /* the highest bit of the operands' width */
    uint64_t left, right, result;
};

/* The highest bit and all bits of an operand of `width` bytes, 1 to 8. */
static inline uint64_t walk_width_sign(unsigned width) { return UINT64_C(1) << (8 * width - 1); }
static inline uint64_t walk_width_mask(unsigned width) { return ~UINT64_C(0) >> (64 - 8 * width); }

/* A value of `width` bytes, its other bits 0, as a signed number. */
static inline int64_t walk_sign_extend(uint64_t value, unsigned width)
{
    return (int64_t)((value ^ walk_width_sign(width)) - walk_width_sign(width));
}

static inline bool walk_flags_carry(const struct walk_flags *f)
{
    switch (f->from) {
    case WALK_FROM_BITS:
        return f->bits & WALK_CARRY;
    case WALK_FROM_ADD:
        return f->result < f->left;
    case WALK_FROM_SUB:
        return f->left < f->right;
    default:
        return false;
    }
}

static inline bool walk_flags_overflow(const struct walk_flags *f)
{
    switch (f->from) {
    case WALK_FROM_BITS:
        return f->bits & WALK_OVERFLOW;
    case WALK_FROM_ADD:
        return (f->left ^ f->result) & (f->right ^ f->result) & f->sign;
    case WALK_FROM_SUB:
        return (f->left ^ f->right) & (f->left ^ f->result) & f->sign;
    default:
        return false;
    }
}

static inline bool walk_flags_zero(const struct walk_flags *f)
{
    return f->from == WALK_FROM_BITS ? (f->bits & WALK_ZERO) != 0 : f->result == 0;
}

static inline bool walk_flags_sign(const struct walk_flags *f)
{
    return f->from == WALK_FROM_BITS ? (f->bits & WALK_SIGN) != 0 : (f->result & f->sign) != 0;
}

static inline bool walk_parity(uint64_t result) { return !(__builtin_popcount((unsigned)result & 0xff) & 1); }

static inline bool walk_flags_parity(const struct walk_flags *f)
{
    return f->from == WALK_FROM_BITS ? (f->bits & WALK_PARITY) != 0 : walk_parity(f->result);
}

static inline bool walk_flags_adjust(const struct walk_flags *f)
{
    switch (f->from) {
    case WALK_FROM_BITS:
        return f->bits & WALK_ADJUST;
    case WALK_FROM_LOGIC:
        return false;
    default:
        return (f->left ^ f->right ^ f->result) & 0x10;
    }
}

/* The status flags where the processor has them. */
static inline uint32_t walk_flags_bits(const struct walk_flags *f)
{
    if (f->from == WALK_FROM_BITS)
        return f->bits;
    return (walk_flags_carry(f) ? WALK_CARRY : 0u) | (walk_flags_parity(f) ? WALK_PARITY : 0u) |
           (walk_flags_adjust(f) ? WALK_ADJUST : 0u) | (walk_flags_zero(f) ? WALK_ZERO : 0u) |
           (walk_flags_sign(f) ? WALK_SIGN : 0u) | (walk_flags_overflow(f) ? WALK_OVERFLOW : 0u);
}

static inline void walk_flags_set(struct walk_flags *f, uint32_t bits)
{
    f->from = WALK_FROM_BITS;
    f->bits = bits & WALK_STATUS;
}

/* Of the flags `changed` those in `bits` are set, the others of them cleared; the rest stays. */
static inline void walk_flags_change(struct walk_flags *f, uint32_t changed, uint32_t bits)
{
    walk_flags_set(f, (walk_flags_bits(f) & ~changed) | (bits & changed));
}

static inline uint32_t walk_flag_if(bool condition, uint32_t flag) { return condition ? flag : 0; }

/* Zero, sign and parity of a result. */
static inline uint32_t walk_flags_of_result(uint64_t result, unsigned width)
{
    return (result & walk_width_mask(width) ? 0u : WALK_ZERO) | (result & walk_width_sign(width) ? WALK_SIGN : 0u) |
           (walk_parity(result) ? WALK_PARITY : 0u);
}

static inline bool walk_flags_condition(const struct walk_flags *f, unsigned condition)
{
    bool holds;
    switch (condition >> 1) {
    case 0:
        holds = walk_flags_overflow(f);
        break;
    case 1:
        holds = walk_flags_carry(f);
        break;
    case 2:
        holds = walk_flags_zero(f);
        break;
    case 3:
        holds = walk_flags_carry(f) || walk_flags_zero(f);
        break;
    case 4:
        holds = walk_flags_sign(f);
        break;
    case 5:
        holds = walk_flags_parity(f);
        break;
    case 6:
        holds = walk_flags_sign(f) != walk_flags_overflow(f);
        break;
    default:
        holds = walk_flags_zero(f) || walk_flags_sign(f) != walk_flags_overflow(f);
        break;
    }
    return holds != (condition & 1);
}

#endif
