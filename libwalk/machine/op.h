/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_OP_H
#define WALK_MACHINE_OP_H

/*
 * Instructions as the machine runs them: 32 bytes each, all that decoding has to say already said. Zydis decodes;
 * nothing else knows Zydis.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walk.h"

/* Numbers of registers, as the instructions have them. */
enum walk_register {
    WALK_RAX,
    WALK_RCX,
    WALK_RDX,
    WALK_RBX,
    WALK_RSP,
    WALK_RBP,
    WALK_RSI,
    WALK_RDI,
    WALK_R8,
    WALK_R15 = 15,
    WALK_NO_REGISTER,   /* always 0: what is added when an address has no base or no index */
    WALK_REGISTERS,     /* how many there are room for */
    WALK_HIGH_BYTE = 32 /* AH, CH, DH, BH: WALK_HIGH_BYTE + number; only where the width is 1 */
};

/* Where the operands are: the left one is the destination, the right one the source. */
enum walk_form {
    WALK_FORM_NONE,
    WALK_FORM_R,  /* left */
    WALK_FORM_M,  /* left */
    WALK_FORM_I,  /* immediate */
    WALK_FORM_RR, /* register, register */
    WALK_FORM_RM,
    WALK_FORM_RI,
    WALK_FORM_MR,
    WALK_FORM_MI
};

enum walk_op_code {
#define OP(id) WALK_OP_##id,
#include "machine/ops.def"
    WALK_OP_COUNT
};
#define WALK_OP_ENDS_BLOCK(code) ((code) >= WALK_OP_JZ)

/* What a segment prefix and an address-size prefix make of an address. */
enum walk_address_flags { WALK_ADDRESS_FS = 1, WALK_ADDRESS_32 = 2 };

enum walk_repeat { WALK_REPEAT_NONE, WALK_REPEAT, WALK_REPEAT_WHILE_EQUAL, WALK_REPEAT_WHILE_UNEQUAL };

struct walk_op {
    uint8_t code;               /* enum walk_op_code */
    uint8_t form;               /* enum walk_form */
    uint8_t width;              /* of the left operand and, mostly, of the right one: 1, 2, 4, 8, 16 bytes */
    uint8_t detail;             /* condition; width of the right operand; enum walk_repeat; … */
    uint8_t left, right;        /* registers */
    uint8_t third;              /* register */
    uint8_t base, index, scale; /* of the memory operand: registers, bits to shift */
    uint8_t address;            /* enum walk_address_flags */
    uint8_t length;             /* of the instruction, bytes */
    uint16_t offset;            /* of the instruction from the start of its block, bytes */
    uint16_t unused;
    uint64_t displacement; /* RIP is in it already */
    uint64_t immediate;    /* sign-extended; of a jump or call its target */
};

/* The condition's number, as in the instructions: 0 overflow, 1 not overflow, 2 below, … 15 greater. */
enum walk_condition { WALK_IF_OVERFLOW, WALK_IF_BELOW = 2, WALK_IF_ZERO = 4, WALK_IF_SIGN = 8 };

/*
 * Decodes what `size` bytes (15 are always enough) at `bytes` are at `pc`. What cannot be run is a WALK_OP_FAULT. The
 * offset in the block is left 0.
 */
void walk_op_decode(const uint8_t *bytes, size_t size, walk_addr pc, struct walk_op *op);

#endif
