/* SPDX-License-Identifier: Apache-2.0 */
/* Moves, logic, comparisons and shuffles of SSE2 and a little beyond: what compilers make of loops over pointers. */
#include "machine/vector.h"

/* All 16 bytes of the right operand. All but one kind of instruction want memory aligned. */
static bool get_right(struct walk_machine *machine, const struct walk_op *op, union walk_vector *value)
{
    if (op->form == WALK_FORM_RR || op->form == WALK_FORM_MR) {
        *value = machine->vector[op->right];
        return true;
    }
    walk_addr address = walk_op_address(machine, op);
    if (op->detail != WALK_VECTOR_MOVE && address % 16)
        return walk_machine_fault(machine, WALK_FAULT_MISALIGNED, address);
    return walk_space_read_any(&machine->space, address, value, sizeof *value);
}

/* ---- moves ---- */

static bool move_all(struct walk_machine *machine, const struct walk_op *op)
{
    walk_addr address = walk_op_address(machine, op);
    if (op->form != WALK_FORM_MR)
        return get_right(machine, op, &machine->vector[op->left]);
    if (op->detail == WALK_VECTOR_MOVE_ALIGNED && address % 16)
        return walk_machine_fault(machine, WALK_FAULT_MISALIGNED, address);
    return walk_space_write_any(&machine->space, address, &machine->vector[op->right], 16);
}

/* Moves 4 or 8 bytes between memory or a register and a part of a register. */
static bool move_part(struct walk_machine *machine, const struct walk_op *op)
{
    unsigned width = op->detail == WALK_VECTOR_MOVE_LOW4 || op->detail == WALK_VECTOR_MERGE_LOW4 ? 4 : 8;
    unsigned at = op->detail == WALK_VECTOR_MERGE_HIGH8;
    uint64_t value = op->form == WALK_FORM_RM ? 0 : machine->vector[op->right].u8[at];
    union walk_vector *left = &machine->vector[op->left];
    if (op->form == WALK_FORM_MR)
        return walk_space_write(&machine->space, walk_op_address(machine, op), width, value);
    if (op->form == WALK_FORM_RM && !walk_space_read(&machine->space, walk_op_address(machine, op), width, &value))
        return false;
    if (op->detail == WALK_VECTOR_MOVE_LOW4 || op->detail == WALK_VECTOR_MOVE_LOW8)
        *left = (union walk_vector){{0}};
    if (width == 4)
        left->u4[0] = (uint32_t)value;
    else
        left->u8[at] = value;
    return true;
}

static bool move_general(struct walk_machine *machine, const struct walk_op *op)
{
    if (op->detail == WALK_VECTOR_TO_GENERAL) {
        walk_register_put(machine, op->left, op->width, machine->vector[op->right].u8[0]);
        return true;
    }
    machine->vector[op->left] = (union walk_vector){{0}};
    machine->vector[op->left].u8[0] = walk_register_get(machine, op->right, op->width);
    return true;
}

static bool move_half(struct walk_machine *machine, const struct walk_op *op)
{
    union walk_vector *left = &machine->vector[op->left], *right = &machine->vector[op->right];
    if (op->detail == WALK_VECTOR_HIGH_TO_LOW)
        left->u8[0] = right->u8[1];
    else
        left->u8[1] = right->u8[0];
    return true;
}

/* ---- one element and a general register or memory ---- */

static unsigned element_width(unsigned detail, unsigned first)
{
    return 1u << (detail - first); /* …1, …2, …4, …8 stand in this order */
}

static bool extract(struct walk_machine *machine, const struct walk_op *op)
{
    unsigned width = element_width(op->detail, WALK_VECTOR_EXTRACT1), at = op->immediate & (16 / width - 1);
    uint64_t value = 0;
    memcpy(&value, &machine->vector[op->right].u1[at * width], width);
    if (op->form == WALK_FORM_MR)
        return walk_space_write(&machine->space, walk_op_address(machine, op), width, value);
    walk_register_put(machine, op->left, 8, value);
    return true;
}

static bool insert(struct walk_machine *machine, const struct walk_op *op)
{
    unsigned width = element_width(op->detail, WALK_VECTOR_INSERT1), at = op->immediate & (16 / width - 1);
    uint64_t value;
    if (!walk_op_right(machine, op, width, &value))
        return false;
    memcpy(&machine->vector[op->left].u1[at * width], &value, width);
    return true;
}

static bool mask(struct walk_machine *machine, const struct walk_op *op)
{
    const union walk_vector *right = &machine->vector[op->right];
    unsigned width = op->detail == WALK_VECTOR_MASK1 ? 1 : op->detail == WALK_VECTOR_MASK4 ? 4 : 8;
    uint64_t bits = 0;
    for (unsigned i = 0; i < 16 / width; i++)
        bits |= (uint64_t)(right->u1[(i + 1) * width - 1] >> 7) << i;
    walk_register_put(machine, op->left, 8, bits);
    return true;
}

/* ---- element by element ---- */

#define EACH(member, count, expression)                                                                                \
    for (unsigned i = 0; i < (count); i++)                                                                             \
        r.member[i] = (expression);                                                                                    \
    break
#define A(member) a->member[i]
#define B(member) b->member[i]

static union walk_vector combine(unsigned detail, const union walk_vector *a, const union walk_vector *b)
{
    union walk_vector r = {{0}};
    switch (detail) {
    case WALK_VECTOR_AND:
        EACH(u8, 2, A(u8) & B(u8));
    case WALK_VECTOR_ANDN:
        EACH(u8, 2, ~A(u8) & B(u8));
    case WALK_VECTOR_OR:
        EACH(u8, 2, A(u8) | B(u8));
    case WALK_VECTOR_XOR:
        EACH(u8, 2, A(u8) ^ B(u8));
    case WALK_VECTOR_EQ1:
        EACH(u1, 16, A(u1) == B(u1) ? UINT8_MAX : 0);
    case WALK_VECTOR_EQ2:
        EACH(u2, 8, A(u2) == B(u2) ? UINT16_MAX : 0);
    case WALK_VECTOR_EQ4:
        EACH(u4, 4, A(u4) == B(u4) ? UINT32_MAX : 0);
    case WALK_VECTOR_EQ8:
        EACH(u8, 2, A(u8) == B(u8) ? UINT64_MAX : 0);
    case WALK_VECTOR_GT1:
        EACH(u1, 16, (int8_t)A(u1) > (int8_t)B(u1) ? UINT8_MAX : 0);
    case WALK_VECTOR_GT2:
        EACH(u2, 8, (int16_t)A(u2) > (int16_t)B(u2) ? UINT16_MAX : 0);
    case WALK_VECTOR_GT4:
        EACH(u4, 4, (int32_t)A(u4) > (int32_t)B(u4) ? UINT32_MAX : 0);
    case WALK_VECTOR_GT8:
        EACH(u8, 2, (int64_t)A(u8) > (int64_t)B(u8) ? UINT64_MAX : 0);
    case WALK_VECTOR_ADD1:
        EACH(u1, 16, (uint8_t)(A(u1) + B(u1)));
    case WALK_VECTOR_ADD2:
        EACH(u2, 8, (uint16_t)(A(u2) + B(u2)));
    case WALK_VECTOR_ADD4:
        EACH(u4, 4, A(u4) + B(u4));
    case WALK_VECTOR_ADD8:
        EACH(u8, 2, A(u8) + B(u8));
    case WALK_VECTOR_SUB1:
        EACH(u1, 16, (uint8_t)(A(u1) - B(u1)));
    case WALK_VECTOR_SUB2:
        EACH(u2, 8, (uint16_t)(A(u2) - B(u2)));
    case WALK_VECTOR_SUB4:
        EACH(u4, 4, A(u4) - B(u4));
    case WALK_VECTOR_SUB8:
        EACH(u8, 2, A(u8) - B(u8));
    case WALK_VECTOR_MINU1:
        EACH(u1, 16, A(u1) < B(u1) ? A(u1) : B(u1));
    case WALK_VECTOR_MAXU1:
        EACH(u1, 16, A(u1) > B(u1) ? A(u1) : B(u1));
    case WALK_VECTOR_MINS2:
        EACH(u2, 8, (int16_t)A(u2) < (int16_t)B(u2) ? A(u2) : B(u2));
    case WALK_VECTOR_MAXS2:
        EACH(u2, 8, (int16_t)A(u2) > (int16_t)B(u2) ? A(u2) : B(u2));
    case WALK_VECTOR_SHUFFLE1:
        EACH(u1, 16, B(u1) & 0x80 ? 0 : a->u1[B(u1) & 15]);
    default: {
        /* The low or high halves, an element from the left, one from the right, … */
        bool high = detail >= WALK_VECTOR_HIGH1;
        unsigned width = element_width(detail, high ? WALK_VECTOR_HIGH1 : WALK_VECTOR_LOW1);
        for (unsigned i = 0; i < 8 / width; i++) {
            memcpy(&r.u1[2 * i * width], &a->u1[(high ? 8 : 0) + i * width], width);
            memcpy(&r.u1[(2 * i + 1) * width], &b->u1[(high ? 8 : 0) + i * width], width);
        }
        break;
    }
    }
    return r;
}

/* ---- by an immediate ---- */

static union walk_vector shuffle(unsigned detail, const union walk_vector *a, const union walk_vector *b, unsigned how)
{
    union walk_vector r = *b;
    for (unsigned i = 0; i < 4; i++) {
        unsigned from = how >> 2 * i & 3;
        if (detail == WALK_VECTOR_SHUFFLE4)
            r.u4[i] = b->u4[from];
        else if (detail == WALK_VECTOR_SHUFFLE_LOW2)
            r.u2[i] = b->u2[from];
        else if (detail == WALK_VECTOR_SHUFFLE_HIGH2)
            r.u2[4 + i] = b->u2[4 + from];
        else
            r.u4[i] = i < 2 ? a->u4[from] : b->u4[from];
    }
    if (detail == WALK_VECTOR_SELECT8) {
        r.u8[0] = a->u8[how & 1];
        r.u8[1] = b->u8[how >> 1 & 1];
    }
    return r;
}

static union walk_vector shift_bytes(bool to_left, const union walk_vector *a, uint64_t count)
{
    union walk_vector r = {{0}};
    for (unsigned i = 0; i < 16 && count < 16; i++) {
        if (to_left && i >= count)
            r.u1[i] = a->u1[i - count];
        else if (!to_left && i + count < 16)
            r.u1[i] = a->u1[i + count];
    }
    return r;
}

static union walk_vector shift_elements(unsigned detail, const union walk_vector *a, uint64_t count)
{
    union walk_vector r = {{0}};
    unsigned by = count < 64 ? (unsigned)count : 64;
    switch (detail) {
    case WALK_VECTOR_SHL2:
        EACH(u2, 8, by < 16 ? (uint16_t)(A(u2) << by) : 0);
    case WALK_VECTOR_SHL4:
        EACH(u4, 4, by < 32 ? A(u4) << by : 0);
    case WALK_VECTOR_SHL8:
        EACH(u8, 2, by < 64 ? A(u8) << by : 0);
    case WALK_VECTOR_SHR2:
        EACH(u2, 8, by < 16 ? (uint16_t)(A(u2) >> by) : 0);
    case WALK_VECTOR_SHR4:
        EACH(u4, 4, by < 32 ? A(u4) >> by : 0);
    case WALK_VECTOR_SHR8:
        EACH(u8, 2, by < 64 ? A(u8) >> by : 0);
    case WALK_VECTOR_SAR2:
        EACH(u2, 8, (uint16_t)((int16_t)A(u2) >> (by < 16 ? by : 15)));
    default:
        EACH(u4, 4, (uint32_t)((int32_t)A(u4) >> (by < 32 ? by : 31)));
    }
    return r;
}

static bool shift(struct walk_machine *machine, const struct walk_op *op)
{
    union walk_vector right, *left = &machine->vector[op->left];
    uint64_t count = op->immediate & 0xff;
    if (op->form != WALK_FORM_RI) {
        if (!get_right(machine, op, &right))
            return false;
        count = right.u8[0];
    }
    if (op->detail == WALK_VECTOR_LEFT_BYTES || op->detail == WALK_VECTOR_RIGHT_BYTES)
        *left = shift_bytes(op->detail == WALK_VECTOR_LEFT_BYTES, left, count);
    else
        *left = shift_elements(op->detail, left, count);
    return true;
}

/* ---- ---- */

static bool test(struct walk_machine *machine, const struct walk_op *op)
{
    union walk_vector right;
    const union walk_vector *left = &machine->vector[op->left];
    if (!get_right(machine, op, &right))
        return false;
    bool zero = !(left->u8[0] & right.u8[0]) && !(left->u8[1] & right.u8[1]);
    bool carry = !(~left->u8[0] & right.u8[0]) && !(~left->u8[1] & right.u8[1]);
    walk_flags_set(&machine->flags, (zero ? WALK_ZERO : 0u) | (carry ? WALK_CARRY : 0u));
    return true;
}

static bool run_elements(struct walk_machine *machine, const struct walk_op *op)
{
    union walk_vector right, *left = &machine->vector[op->left];
    if (!get_right(machine, op, &right))
        return false;
    bool shuffles = op->detail >= WALK_VECTOR_SHUFFLE4 && op->detail <= WALK_VECTOR_SELECT8;
    *left = shuffles ? shuffle(op->detail, left, &right, (unsigned)op->immediate) : combine(op->detail, left, &right);
    return true;
}

bool walk_vector_run(struct walk_machine *machine, const struct walk_op *op)
{
    switch (op->detail) {
    case WALK_VECTOR_MOVE:
    case WALK_VECTOR_MOVE_ALIGNED:
        return move_all(machine, op);
    case WALK_VECTOR_MOVE_LOW4:
    case WALK_VECTOR_MOVE_LOW8:
    case WALK_VECTOR_MERGE_LOW4:
    case WALK_VECTOR_MERGE_LOW8:
    case WALK_VECTOR_MERGE_HIGH8:
        return move_part(machine, op);
    case WALK_VECTOR_FROM_GENERAL:
    case WALK_VECTOR_TO_GENERAL:
        return move_general(machine, op);
    case WALK_VECTOR_HIGH_TO_LOW:
    case WALK_VECTOR_LOW_TO_HIGH:
        return move_half(machine, op);
    case WALK_VECTOR_EXTRACT1:
    case WALK_VECTOR_EXTRACT2:
    case WALK_VECTOR_EXTRACT4:
    case WALK_VECTOR_EXTRACT8:
        return extract(machine, op);
    case WALK_VECTOR_INSERT1:
    case WALK_VECTOR_INSERT2:
    case WALK_VECTOR_INSERT4:
    case WALK_VECTOR_INSERT8:
        return insert(machine, op);
    case WALK_VECTOR_MASK1:
    case WALK_VECTOR_MASK4:
    case WALK_VECTOR_MASK8:
        return mask(machine, op);
    case WALK_VECTOR_LEFT_BYTES:
    case WALK_VECTOR_RIGHT_BYTES:
    case WALK_VECTOR_SHL2:
    case WALK_VECTOR_SHL4:
    case WALK_VECTOR_SHL8:
    case WALK_VECTOR_SHR2:
    case WALK_VECTOR_SHR4:
    case WALK_VECTOR_SHR8:
    case WALK_VECTOR_SAR2:
    case WALK_VECTOR_SAR4:
        return shift(machine, op);
    case WALK_VECTOR_TEST:
        return test(machine, op);
    default:
        return run_elements(machine, op);
    }
}
