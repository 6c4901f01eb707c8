/* SPDX-License-Identifier: Apache-2.0 */
/* Single bits: tested, counted, isolated. */
#include "machine/execute.h"

/* A bit number in a register counts from the memory operand on, in both directions. */
static bool test_bit(struct walk_machine *machine, const struct walk_op *op)
{
    unsigned bits = 8u * op->width;
    uint64_t left, number;
    walk_addr address = walk_op_address(machine, op);
    if (!walk_op_right(machine, op, op->width, &number))
        return false;
    if (op->form == WALK_FORM_MR)
        address += (uint64_t)((walk_sign_extend(number, op->width) >> __builtin_ctz(bits)) * op->width);
    bool in_memory = walk_op_left_is_memory(op);
    if (in_memory ? !walk_space_read(&machine->space, address, op->width, &left) : !walk_op_left(machine, op, &left))
        return false;
    uint64_t bit = UINT64_C(1) << (number & (bits - 1));
    uint64_t result = op->code == WALK_OP_BTS ? left | bit : op->code == WALK_OP_BTR ? left & ~bit : left ^ bit;
    if (op->code != WALK_OP_BT) {
        if (!in_memory)
            walk_register_put(machine, op->left, op->width, result);
        else if (!walk_space_write(&machine->space, address, op->width, result))
            return false;
    }
    walk_flags_change(&machine->flags, WALK_CARRY, walk_flag_if(left & bit, WALK_CARRY));
    return true;
}

/* bsf and bsr leave the destination alone when there is no bit, as all processors do. */
static bool scan_bits(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value, result;
    unsigned bits = 8u * op->width;
    if (!walk_op_right(machine, op, op->width, &value))
        return false;
    unsigned leading = value ? (unsigned)__builtin_clzll(value) - (64 - bits) : bits;
    unsigned trailing = value ? (unsigned)__builtin_ctzll(value) : bits;
    switch (op->code) {
    case WALK_OP_BSF:
    case WALK_OP_BSR:
        walk_flags_change(&machine->flags, WALK_ZERO, walk_flag_if(!value, WALK_ZERO));
        result = op->code == WALK_OP_BSF ? trailing : bits - 1 - leading;
        if (!value)
            return true;
        break;
    case WALK_OP_POPCNT:
        result = (unsigned)__builtin_popcountll(value);
        walk_flags_set(&machine->flags, walk_flag_if(!value, WALK_ZERO));
        break;
    default:
        result = op->code == WALK_OP_TZCNT ? trailing : leading;
        walk_flags_change(&machine->flags, WALK_CARRY | WALK_ZERO,
                          walk_flag_if(!value, WALK_CARRY) | walk_flag_if(!result, WALK_ZERO));
        break;
    }
    walk_register_put(machine, op->left, op->width, result);
    return true;
}

/* andn, blsi, blsr, blsmsk */
static bool combine_bits(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value, result;
    bool carry = false;
    if (!walk_op_right(machine, op, op->width, &value))
        return false;
    switch (op->code) {
    case WALK_OP_ANDN:
        result = ~walk_register_get(machine, op->third, op->width) & value;
        break;
    case WALK_OP_BLSI:
        result = value & (0 - value);
        carry = value != 0;
        break;
    case WALK_OP_BLSR:
        result = value & (value - 1);
        carry = value == 0;
        break;
    default:
        result = value ^ (value - 1);
        carry = value == 0;
        break;
    }
    result &= walk_width_mask(op->width);
    walk_register_put(machine, op->left, op->width, result);
    walk_flags_set(&machine->flags, walk_flags_of_result(result, op->width) | walk_flag_if(carry, WALK_CARRY));
    return true;
}

bool walk_bits_run(struct walk_machine *machine, const struct walk_op *op)
{
    switch (op->code) {
    case WALK_OP_BT:
    case WALK_OP_BTS:
    case WALK_OP_BTR:
    case WALK_OP_BTC:
        return test_bit(machine, op);
    case WALK_OP_ANDN:
    case WALK_OP_BLSI:
    case WALK_OP_BLSR:
    case WALK_OP_BLSMSK:
        return combine_bits(machine, op);
    default:
        return scan_bits(machine, op);
    }
}
