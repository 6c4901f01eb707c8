/* SPDX-License-Identifier: Apache-2.0 */
/* Shifts and rotations. */
#include "machine/execute.h"

__extension__ typedef unsigned __int128 wide;

/* What a shift or a rotation leaves: the result, the last bit that went out, the overflow as for a count of 1. */
struct shifted {
    uint64_t result;
    bool carry, overflow;
};

static struct shifted shift(unsigned code, uint64_t left, unsigned count, unsigned width)
{
    unsigned bits = 8 * width;
    uint64_t sign = walk_width_sign(width), mask = walk_width_mask(width);
    struct shifted s = {0};
    if (code == WALK_OP_SHL) {
        s.result = count < bits ? left << count & mask : 0;
        s.carry = count <= bits && (left >> (bits - count) & 1);
        s.overflow = ((s.result & sign) != 0) != s.carry;
    } else if (code == WALK_OP_SHR) {
        s.result = count < bits ? left >> count : 0;
        s.carry = count <= bits && (left >> (count - 1) & 1);
        s.overflow = left & sign;
    } else {
        int64_t extended = walk_sign_extend(left, width);
        s.result = (uint64_t)(extended >> (count < 63 ? count : 63)) & mask;
        s.carry = extended >> (count - 1 < 63 ? count - 1 : 63) & 1;
    }
    return s;
}

static struct shifted rotate(unsigned code, uint64_t left, unsigned count, unsigned width)
{
    unsigned bits = 8 * width, by = count % bits;
    uint64_t sign = walk_width_sign(width), mask = walk_width_mask(width);
    struct shifted s = {.result = left};
    if (code == WALK_OP_ROR)
        by = (bits - by) % bits;
    if (by)
        s.result = (left << by | left >> (bits - by)) & mask;
    s.carry = code == WALK_OP_ROL ? s.result & 1 : (s.result & sign) != 0;
    s.overflow = code == WALK_OP_ROL ? ((s.result & sign) != 0) != s.carry
                                     : ((s.result & sign) != 0) != ((s.result & sign >> 1) != 0);
    return s;
}

/* Bit by bit: the carry is one of the bits that go round. */
static struct shifted rotate_through_carry(unsigned code, uint64_t left, unsigned count, unsigned width, bool carry)
{
    uint64_t sign = walk_width_sign(width), mask = walk_width_mask(width);
    struct shifted s = {.result = left, .carry = carry};
    for (unsigned by = count % (8 * width + 1); by; by--) {
        bool out = code == WALK_OP_RCL ? (s.result & sign) != 0 : s.result & 1;
        s.result = code == WALK_OP_RCL ? (s.result << 1 | s.carry) & mask : s.result >> 1 | (s.carry ? sign : 0);
        s.carry = out;
    }
    s.overflow = code == WALK_OP_RCL ? ((s.result & sign) != 0) != s.carry
                                     : ((s.result & sign) != 0) != ((s.result & sign >> 1) != 0);
    return s;
}

static bool shift_or_rotate(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, count;
    struct shifted s;
    if (!walk_op_right(machine, op, 1, &count) || !walk_op_left(machine, op, &left))
        return false;
    count &= op->width == 8 ? 63 : 31;
    if (!count) /* the flags stay; a register of 4 bytes loses its upper half */
        return walk_op_put_left(machine, op, left);
    bool rotates = op->code != WALK_OP_SHL && op->code != WALK_OP_SHR && op->code != WALK_OP_SAR;
    if (op->code == WALK_OP_RCL || op->code == WALK_OP_RCR)
        s = rotate_through_carry(op->code, left, (unsigned)count, op->width, walk_flags_carry(&machine->flags));
    else if (rotates)
        s = rotate(op->code, left, (unsigned)count, op->width);
    else
        s = shift(op->code, left, (unsigned)count, op->width);
    if (!walk_op_put_left(machine, op, s.result))
        return false;
    uint32_t bits = walk_flag_if(s.carry, WALK_CARRY) | walk_flag_if(s.overflow, WALK_OVERFLOW);
    if (rotates)
        walk_flags_change(&machine->flags, WALK_CARRY | WALK_OVERFLOW, bits);
    else
        walk_flags_set(&machine->flags, bits | walk_flags_of_result(s.result, op->width));
    return true;
}

/* shld, shrd: bits of the right register come in. With 2 bytes and a count above 16 the result is undefined. */
static bool shift_double(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right = walk_register_get(machine, op->right, op->width);
    unsigned bits = 8u * op->width;
    uint64_t count = (op->detail ? op->immediate : machine->general[WALK_RCX]) & (op->width == 8 ? 63 : 31);
    if (!walk_op_left(machine, op, &left))
        return false;
    if (!count || count > bits)
        return walk_op_put_left(machine, op, left);
    wide both = op->code == WALK_OP_SHLD ? (wide)left << bits | right : (wide)right << bits | left;
    uint64_t result = (uint64_t)(op->code == WALK_OP_SHLD ? both << count >> bits : both >> count);
    bool carry = op->code == WALK_OP_SHLD ? left >> (bits - count) & 1 : left >> (count - 1) & 1;
    result &= walk_width_mask(op->width);
    if (!walk_op_put_left(machine, op, result))
        return false;
    walk_flags_set(&machine->flags, walk_flags_of_result(result, op->width) | walk_flag_if(carry, WALK_CARRY) |
                                        walk_flag_if((left ^ result) & walk_width_sign(op->width), WALK_OVERFLOW));
    return true;
}

/* shlx, shrx, sarx, rorx: no flags. */
static bool shift_without_flags(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    if (!walk_op_right(machine, op, op->width, &value))
        return false;
    unsigned bits = 8u * op->width;
    unsigned count = (unsigned)(op->code == WALK_OP_RORX ? op->immediate : machine->general[op->third]) & (bits - 1);
    if (op->code == WALK_OP_SHLX)
        value <<= count;
    else if (op->code == WALK_OP_SHRX)
        value >>= count;
    else if (op->code == WALK_OP_SARX)
        value = (uint64_t)(walk_sign_extend(value, op->width) >> count);
    else if (count)
        value = value >> count | value << (bits - count);
    walk_register_put(machine, op->left, op->width, value);
    return true;
}

bool walk_shift_run(struct walk_machine *machine, const struct walk_op *op)
{
    switch (op->code) {
    case WALK_OP_SHLD:
    case WALK_OP_SHRD:
        return shift_double(machine, op);
    case WALK_OP_SHLX:
    case WALK_OP_SHRX:
    case WALK_OP_SARX:
    case WALK_OP_RORX:
        return shift_without_flags(machine, op);
    default:
        return shift_or_rotate(machine, op);
    }
}
