/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_OPERANDS_H
#define WALK_MACHINE_OPERANDS_H

/* The machine's registers, and how ops get at their operands. Everything that can fault returns false then. */

#include "machine/blocks.h"
#include "machine/flags.h"
#include "machine/space.h"

union walk_vector {
    uint8_t u1[16];
    uint16_t u2[8];
    uint32_t u4[4];
    uint64_t u8[2];
};

struct walk_machine {
    uint64_t general[WALK_REGISTERS]; /* [WALK_NO_REGISTER] is 0 */
    struct walk_flags flags;
    bool backwards; /* the direction flag */
    uint64_t fs;
    uint64_t left, later; /* of the budget: of this slice, and of all that follow */
    bool (*go_on)(void *context);
    void *context;
    struct walk_space space;
    union walk_vector vector[16];
    struct walk_blocks blocks;
    struct walk_image *image;
    struct walk_linkage *linkages; /* one per module of the image */
    struct walk_native_at *natives;
    size_t native_count;
    walk_addr *referents;
    size_t referent_count, referent_capacity, most_referents;
};

/* A fault that is not of a memory access. */
static inline bool walk_machine_fault(struct walk_machine *machine, enum walk_fault fault, walk_addr address)
{
    machine->space.fault = fault;
    machine->space.fault_address = address;
    return false;
}

/* Goes on to the next slice of the budget; false: a fault, there are not `count` instructions left, or nobody wants
 * them. */
bool walk_machine_refill(struct walk_machine *machine, uint64_t count);

static inline bool walk_machine_afford(struct walk_machine *machine, uint64_t count)
{
    return machine->left >= count || walk_machine_refill(machine, count);
}

static inline walk_addr walk_op_address(const struct walk_machine *machine, const struct walk_op *op)
{
    walk_addr address = machine->general[op->base] + (machine->general[op->index] << op->scale) + op->displacement;
    if (op->address) {
        if (op->address & WALK_ADDRESS_32)
            address = (uint32_t)address;
        if (op->address & WALK_ADDRESS_FS)
            address += machine->fs;
    }
    return address;
}

static inline uint64_t walk_register_get(const struct walk_machine *machine, unsigned number, unsigned width)
{
    switch (width) {
    case 8:
        return machine->general[number];
    case 4:
        return (uint32_t)machine->general[number];
    case 2:
        return (uint16_t)machine->general[number];
    default:
        return number < WALK_HIGH_BYTE ? (uint8_t)machine->general[number]
                                       : (uint8_t)(machine->general[number - WALK_HIGH_BYTE] >> 8);
    }
}

/* As the processor does: 4 bytes clear the upper half, 1 and 2 leave the rest. */
static inline void walk_register_put(struct walk_machine *machine, unsigned number, unsigned width, uint64_t value)
{
    switch (width) {
    case 8:
        machine->general[number] = value;
        break;
    case 4:
        machine->general[number] = (uint32_t)value;
        break;
    case 2:
        machine->general[number] = (machine->general[number] & ~UINT64_C(0xffff)) | (uint16_t)value;
        break;
    default:
        if (number < WALK_HIGH_BYTE) {
            machine->general[number] = (machine->general[number] & ~UINT64_C(0xff)) | (uint8_t)value;
        } else {
            number -= WALK_HIGH_BYTE;
            machine->general[number] = (machine->general[number] & ~UINT64_C(0xff00)) | (uint64_t)(uint8_t)value << 8;
        }
        break;
    }
}

/* The right operand, of `width` bytes; an immediate is cut to them. */
static inline bool walk_op_right(struct walk_machine *machine, const struct walk_op *op, unsigned width,
                                 uint64_t *value)
{
    switch (op->form) {
    case WALK_FORM_RR:
    case WALK_FORM_MR:
        *value = walk_register_get(machine, op->right, width);
        return true;
    case WALK_FORM_RM:
        return walk_space_read(&machine->space, walk_op_address(machine, op), width, value);
    default:
        *value = op->immediate & walk_width_mask(width);
        return true;
    }
}

static inline bool walk_op_left_is_memory(const struct walk_op *op)
{
    return op->form == WALK_FORM_M || op->form == WALK_FORM_MR || op->form == WALK_FORM_MI;
}

static inline bool walk_op_left(struct walk_machine *machine, const struct walk_op *op, uint64_t *value)
{
    if (walk_op_left_is_memory(op))
        return walk_space_read(&machine->space, walk_op_address(machine, op), op->width, value);
    *value = walk_register_get(machine, op->left, op->width);
    return true;
}

static inline bool walk_op_put_left(struct walk_machine *machine, const struct walk_op *op, uint64_t value)
{
    if (walk_op_left_is_memory(op))
        return walk_space_write(&machine->space, walk_op_address(machine, op), op->width, value);
    walk_register_put(machine, op->left, op->width, value);
    return true;
}

static inline bool walk_machine_push(struct walk_machine *machine, uint64_t value)
{
    walk_addr at = machine->general[WALK_RSP] - 8;
    if (!walk_space_write(&machine->space, at, 8, value))
        return false;
    machine->general[WALK_RSP] = at;
    return true;
}

static inline bool walk_machine_pop(struct walk_machine *machine, uint64_t *value)
{
    if (!walk_space_read(&machine->space, machine->general[WALK_RSP], 8, value))
        return false;
    machine->general[WALK_RSP] += 8;
    return true;
}

#endif
