/* SPDX-License-Identifier: Apache-2.0 */
/* Integer instructions that are not met all the time. */
#include "machine/execute.h"

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 signed_wide;

/* ---- carries, increments, complements ---- */

static bool add_or_subtract_with_carry(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right, mask = walk_width_mask(op->width), sign = walk_width_sign(op->width);
    if (!walk_op_right(machine, op, op->width, &right) || !walk_op_left(machine, op, &left))
        return false;
    bool carry = walk_flags_carry(&machine->flags), adds = op->code == WALK_OP_ADC;
    uint64_t result = (adds ? left + right + carry : left - right - carry) & mask;
    if (!walk_op_put_left(machine, op, result))
        return false;
    bool carries = adds ? result < left || (carry && result == left) : left < right || (carry && left == right);
    uint64_t overflows = (adds ? (left ^ result) & (right ^ result) : (left ^ right) & (left ^ result)) & sign;
    walk_flags_set(&machine->flags, walk_flags_of_result(result, op->width) | walk_flag_if(carries, WALK_CARRY) |
                                        walk_flag_if(overflows != 0, WALK_OVERFLOW) |
                                        walk_flag_if((left ^ right ^ result) & 0x10, WALK_ADJUST));
    return true;
}

/* The carry stays. */
static bool step(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, sign = walk_width_sign(op->width);
    if (!walk_op_left(machine, op, &left))
        return false;
    uint64_t result = (op->code == WALK_OP_INC ? left + 1 : left - 1) & walk_width_mask(op->width);
    if (!walk_op_put_left(machine, op, result))
        return false;
    bool overflows = op->code == WALK_OP_INC ? result == sign : left == sign;
    walk_flags_change(&machine->flags, WALK_STATUS & ~(uint32_t)WALK_CARRY,
                      walk_flags_of_result(result, op->width) | walk_flag_if(overflows, WALK_OVERFLOW) |
                          walk_flag_if((left ^ result) & 0x10, WALK_ADJUST));
    return true;
}

static bool negate(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left;
    if (!walk_op_left(machine, op, &left))
        return false;
    uint64_t result = (op->code == WALK_OP_NOT ? ~left : 0 - left) & walk_width_mask(op->width);
    if (!walk_op_put_left(machine, op, result))
        return false;
    if (op->code == WALK_OP_NEG)
        machine->flags = (struct walk_flags){
            .from = WALK_FROM_SUB, .sign = walk_width_sign(op->width), .right = left, .result = result};
    return true;
}

/* ---- multiplication and division ---- */

/* Carry and overflow: the product needs more than the width. The other flags are undefined. */
static void set_product_flags(struct walk_machine *machine, bool lost, uint64_t result, unsigned width)
{
    walk_flags_set(&machine->flags,
                   walk_flag_if(lost, WALK_CARRY | WALK_OVERFLOW) | walk_flags_of_result(result, width));
}

static bool multiply(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right;
    if (!walk_op_right(machine, op, op->width, &right))
        return false;
    left = op->detail ? op->immediate : walk_register_get(machine, op->left, op->width);
    signed_wide product = (signed_wide)walk_sign_extend(left & walk_width_mask(op->width), op->width) *
                          walk_sign_extend(right, op->width);
    uint64_t result = (uint64_t)product & walk_width_mask(op->width);
    walk_register_put(machine, op->left, op->width, result);
    set_product_flags(machine, walk_sign_extend(result, op->width) != product, result, op->width);
    return true;
}

/* RDX:RAX, or AX for bytes. */
static wide get_wide(const struct walk_machine *machine, unsigned width)
{
    if (width == 1)
        return walk_register_get(machine, WALK_RAX, 2);
    return (wide)walk_register_get(machine, WALK_RDX, width) << 8 * width | walk_register_get(machine, WALK_RAX, width);
}

static void put_wide(struct walk_machine *machine, unsigned width, uint64_t low, uint64_t high)
{
    if (width == 1) {
        walk_register_put(machine, WALK_RAX, 2, (low & 0xff) | (high & 0xff) << 8);
        return;
    }
    walk_register_put(machine, WALK_RAX, width, low);
    walk_register_put(machine, WALK_RDX, width, high);
}

static bool multiply_wide(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t right, left = walk_register_get(machine, WALK_RAX, op->width);
    if (!walk_op_left(machine, op, &right))
        return false;
    wide product = op->code == WALK_OP_MUL_WIDE
                       ? (wide)left * right
                       : (wide)((signed_wide)walk_sign_extend(left, op->width) * walk_sign_extend(right, op->width));
    uint64_t low = (uint64_t)product & walk_width_mask(op->width);
    uint64_t high = (uint64_t)(product >> 8 * op->width) & walk_width_mask(op->width);
    uint64_t no_more =
        op->code == WALK_OP_MUL_WIDE || !(low & walk_width_sign(op->width)) ? 0 : walk_width_mask(op->width);
    put_wide(machine, op->width, low, high);
    set_product_flags(machine, high != no_more, low, op->width);
    return true;
}

static bool divide(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t divisor;
    wide dividend = get_wide(machine, op->width);
    if (!walk_op_left(machine, op, &divisor))
        return false;
    if (!divisor || dividend / divisor > walk_width_mask(op->width))
        return walk_machine_fault(machine, WALK_FAULT_DIVIDE, 0);
    put_wide(machine, op->width, (uint64_t)(dividend / divisor), (uint64_t)(dividend % divisor));
    return true;
}

static bool divide_signed(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    if (!walk_op_left(machine, op, &value))
        return false;
    unsigned unused = 128 - 16u * op->width;
    wide negative = get_wide(machine, op->width) << unused;
    signed_wide dividend = (signed_wide)negative >> unused, divisor = walk_sign_extend(value, op->width);
    /* The smallest number by -1 has no quotient in any width. */
    if (!divisor || (divisor == -1 && dividend == (signed_wide)((wide)1 << 127)))
        return walk_machine_fault(machine, WALK_FAULT_DIVIDE, 0);
    signed_wide quotient = dividend / divisor;
    if (quotient != walk_sign_extend((uint64_t)quotient & walk_width_mask(op->width), op->width))
        return walk_machine_fault(machine, WALK_FAULT_DIVIDE, 0);
    put_wide(machine, op->width, (uint64_t)quotient, (uint64_t)(dividend % divisor));
    return true;
}

static void extend(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t low = walk_register_get(machine, WALK_RAX, op->width / 2u);
    walk_register_put(machine, WALK_RAX, op->width, (uint64_t)walk_sign_extend(low, op->width / 2u));
}

static void extend_wide(struct walk_machine *machine, const struct walk_op *op)
{
    bool negative = machine->general[WALK_RAX] & walk_width_sign(op->width);
    walk_register_put(machine, WALK_RDX, op->width, negative ? ~UINT64_C(0) : 0);
}

static void swap_bytes(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value = machine->general[op->left];
    uint64_t swapped = op->width == 8   ? __builtin_bswap64(value)
                       : op->width == 4 ? __builtin_bswap32((uint32_t)value)
                                        : 0;
    walk_register_put(machine, op->left, op->width, swapped); /* of 2 bytes it is undefined */
}

/* ---- exchanges: only this thread is there, so they are all locked ---- */

static bool exchange(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right;
    bool from_memory = op->form == WALK_FORM_RM;
    if (!walk_op_right(machine, op, op->width, &right) || !walk_op_left(machine, op, &left))
        return false;
    if (from_memory) { /* written first: if that faults, nothing has changed */
        if (!walk_space_write(&machine->space, walk_op_address(machine, op), op->width, left))
            return false;
        walk_register_put(machine, op->left, op->width, right);
        return true;
    }
    if (walk_op_left_is_memory(op) && !walk_op_put_left(machine, op, right))
        return false;
    walk_register_put(machine, op->right, op->width, left);
    if (!walk_op_left_is_memory(op))
        walk_register_put(machine, op->left, op->width, right);
    return true;
}

static bool exchange_and_add(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right;
    if (!walk_op_right(machine, op, op->width, &right) || !walk_op_left(machine, op, &left))
        return false;
    uint64_t result = (left + right) & walk_width_mask(op->width);
    if (walk_op_left_is_memory(op) && !walk_op_put_left(machine, op, result))
        return false;
    walk_register_put(machine, op->right, op->width, left);
    if (!walk_op_left_is_memory(op))
        walk_register_put(machine, op->left, op->width, result);
    machine->flags = (struct walk_flags){
        .from = WALK_FROM_ADD, .sign = walk_width_sign(op->width), .left = left, .right = right, .result = result};
    return true;
}

static bool compare_and_exchange(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t left, right, expected = walk_register_get(machine, WALK_RAX, op->width);
    if (!walk_op_right(machine, op, op->width, &right) || !walk_op_left(machine, op, &left))
        return false;
    bool equal = left == expected;
    /* What is not exchanged is written back, so it must be writable; a register then keeps its upper half. */
    if ((equal || walk_op_left_is_memory(op)) && !walk_op_put_left(machine, op, equal ? right : left))
        return false;
    if (!equal)
        walk_register_put(machine, WALK_RAX, op->width, left);
    machine->flags = (struct walk_flags){.from = WALK_FROM_SUB,
                                         .sign = walk_width_sign(op->width),
                                         .left = expected,
                                         .right = left,
                                         .result = (expected - left) & walk_width_mask(op->width)};
    return true;
}

/* ---- flags ---- */

static void run_flag(struct walk_machine *machine, const struct walk_op *op)
{
    if (op->detail >= 3)
        machine->backwards = op->detail == 4;
    else
        walk_flags_change(&machine->flags, WALK_CARRY,
                          walk_flag_if(op->detail == 2 ? !walk_flags_carry(&machine->flags) : op->detail, WALK_CARRY));
}

/* The bits that are always so in the flags of a program: 1 (bit 1), interrupts enabled (bit 9). */
enum { ALWAYS_LOW = 2, ALWAYS = 0x202 };

static bool run_flags_register(struct walk_machine *machine, const struct walk_op *op)
{
    uint32_t status = walk_flags_bits(&machine->flags);
    uint64_t value;
    switch (op->code) {
    case WALK_OP_LAHF:
        walk_register_put(machine, WALK_HIGH_BYTE + WALK_RAX, 1, (status & 0xff) | ALWAYS_LOW);
        return true;
    case WALK_OP_SAHF:
        walk_flags_change(&machine->flags, WALK_STATUS & 0xff,
                          (uint32_t)walk_register_get(machine, WALK_HIGH_BYTE + WALK_RAX, 1));
        return true;
    case WALK_OP_PUSHF:
        return walk_machine_push(machine, status | walk_flag_if(machine->backwards, WALK_DIRECTION) | ALWAYS);
    default:
        if (!walk_machine_pop(machine, &value))
            return false;
        machine->backwards = value & WALK_DIRECTION;
        walk_flags_set(&machine->flags, (uint32_t)value);
        return true;
    }
}

bool walk_integer_run(struct walk_machine *machine, const struct walk_op *op)
{
    switch (op->code) {
    case WALK_OP_ADC:
    case WALK_OP_SBB:
        return add_or_subtract_with_carry(machine, op);
    case WALK_OP_INC:
    case WALK_OP_DEC:
        return step(machine, op);
    case WALK_OP_NEG:
    case WALK_OP_NOT:
        return negate(machine, op);
    case WALK_OP_SHL:
    case WALK_OP_SHR:
    case WALK_OP_SAR:
    case WALK_OP_ROL:
    case WALK_OP_ROR:
    case WALK_OP_RCL:
    case WALK_OP_RCR:
    case WALK_OP_SHLD:
    case WALK_OP_SHRD:
    case WALK_OP_SHLX:
    case WALK_OP_SHRX:
    case WALK_OP_SARX:
    case WALK_OP_RORX:
        return walk_shift_run(machine, op);
    case WALK_OP_IMUL:
        return multiply(machine, op);
    case WALK_OP_MUL_WIDE:
    case WALK_OP_IMUL_WIDE:
        return multiply_wide(machine, op);
    case WALK_OP_DIV:
        return divide(machine, op);
    case WALK_OP_IDIV:
        return divide_signed(machine, op);
    case WALK_OP_EXTEND:
        extend(machine, op);
        return true;
    case WALK_OP_EXTEND_WIDE:
        extend_wide(machine, op);
        return true;
    case WALK_OP_BT:
    case WALK_OP_BTS:
    case WALK_OP_BTR:
    case WALK_OP_BTC:
    case WALK_OP_BSF:
    case WALK_OP_BSR:
    case WALK_OP_TZCNT:
    case WALK_OP_LZCNT:
    case WALK_OP_POPCNT:
    case WALK_OP_ANDN:
    case WALK_OP_BLSI:
    case WALK_OP_BLSR:
    case WALK_OP_BLSMSK:
        return walk_bits_run(machine, op);
    case WALK_OP_BSWAP:
        swap_bytes(machine, op);
        return true;
    case WALK_OP_XCHG:
        return exchange(machine, op);
    case WALK_OP_XADD:
        return exchange_and_add(machine, op);
    case WALK_OP_CMPXCHG:
        return compare_and_exchange(machine, op);
    case WALK_OP_FLAG:
        run_flag(machine, op);
        return true;
    case WALK_OP_LAHF:
    case WALK_OP_SAHF:
    case WALK_OP_PUSHF:
    case WALK_OP_POPF:
        return run_flags_register(machine, op);
    default:
        return walk_machine_fault(machine, WALK_FAULT_UNIMPLEMENTED, 0);
    }
}
