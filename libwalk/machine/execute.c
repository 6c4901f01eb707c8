/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: a block's ops one after the other, then on to the next block. */
#include "machine/execute.h"

#include "machine/link.h"
#include "machine/natives.h"
#include "machine/vector.h"

static inline void set_logic(struct walk_machine *machine, unsigned width, uint64_t result)
{
    machine->flags.from = WALK_FROM_LOGIC;
    machine->flags.sign = walk_width_sign(width);
    machine->flags.result = result;
}

static inline void set_arithmetic(struct walk_machine *machine, enum walk_flags_from from, unsigned width,
                                  uint64_t left, uint64_t right, uint64_t result)
{
    machine->flags.from = from;
    machine->flags.sign = walk_width_sign(width);
    machine->flags.left = left;
    machine->flags.right = right;
    machine->flags.result = result;
}

/* add, sub, cmp, and, or, xor, test */
static inline bool run_binary(struct walk_machine *machine, const struct walk_op *op, unsigned code)
{
    unsigned width = op->width;
    uint64_t left, right, result;
    if (!walk_op_right(machine, op, width, &right) || !walk_op_left(machine, op, &left))
        return false;
    switch (code) {
    case WALK_OP_ADD:
        result = (left + right) & walk_width_mask(width);
        if (!walk_op_put_left(machine, op, result))
            return false;
        set_arithmetic(machine, WALK_FROM_ADD, width, left, right, result);
        return true;
    case WALK_OP_SUB:
    case WALK_OP_CMP:
        result = (left - right) & walk_width_mask(width);
        if (code == WALK_OP_SUB && !walk_op_put_left(machine, op, result))
            return false;
        set_arithmetic(machine, WALK_FROM_SUB, width, left, right, result);
        return true;
    case WALK_OP_OR:
        result = left | right;
        break;
    case WALK_OP_XOR:
        result = left ^ right;
        break;
    default:
        result = left & right;
        break;
    }
    if (code != WALK_OP_TEST && !walk_op_put_left(machine, op, result))
        return false;
    set_logic(machine, width, result);
    return true;
}

static bool run_move(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    return walk_op_right(machine, op, op->width, &value) && walk_op_put_left(machine, op, value);
}

static bool run_extending_move(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    if (!walk_op_right(machine, op, op->detail, &value))
        return false;
    if (op->code == WALK_OP_MOVSX)
        value = (value ^ walk_width_sign(op->detail)) - walk_width_sign(op->detail);
    walk_register_put(machine, op->left, op->width, value);
    return true;
}

static bool run_push(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value = op->immediate;
    walk_addr at = machine->general[WALK_RSP] - op->width;
    if ((op->form != WALK_FORM_I && !walk_op_left(machine, op, &value)) ||
        !walk_space_write(&machine->space, at, op->width, value))
        return false;
    machine->general[WALK_RSP] = at;
    return true;
}

/* An address that is relative to RSP means the one after the pop. */
static bool run_pop(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    if (!walk_space_read(&machine->space, machine->general[WALK_RSP], op->width, &value))
        return false;
    machine->general[WALK_RSP] += op->width;
    return walk_op_put_left(machine, op, value);
}

static bool run_leave(struct walk_machine *machine)
{
    machine->general[WALK_RSP] = machine->general[WALK_RBP];
    return walk_machine_pop(machine, &machine->general[WALK_RBP]);
}

/* The source is read, and may fault, whatever the condition; 4 bytes clear the upper half even then. */
static bool run_conditional_move(struct walk_machine *machine, const struct walk_op *op)
{
    uint64_t value;
    if (!walk_op_right(machine, op, op->width, &value))
        return false;
    if (!walk_flags_condition(&machine->flags, op->detail))
        value = walk_register_get(machine, op->left, op->width);
    walk_register_put(machine, op->left, op->width, value);
    return true;
}

/* Runs a block up to the op that ends it, which is returned; or to the one that faulted. */
static const struct walk_op *run_block(struct walk_machine *machine, const struct walk_block *block)
{
    uint64_t *general = machine->general;
    for (const struct walk_op *op = block->ops;; op++) {
        bool good = true;
        switch (op->code) {
        case WALK_OP_NOP:
            break;
        case WALK_OP_MOVE8:
            general[op->left] = general[op->right];
            break;
        case WALK_OP_LOAD8:
            good = walk_space_read(&machine->space,
                                   general[op->base] + (general[op->index] << op->scale) + op->displacement, 8,
                                   &general[op->left]);
            break;
        case WALK_OP_STORE8:
            good = walk_space_write(&machine->space,
                                    general[op->base] + (general[op->index] << op->scale) + op->displacement, 8,
                                    general[op->right]);
            break;
        case WALK_OP_PUSH8:
            good = walk_machine_push(machine, general[op->left]);
            break;
        case WALK_OP_POP8: {
            uint64_t value = 0;
            good = walk_machine_pop(machine, &value);
            general[op->left] = good ? value : general[op->left];
            break;
        }
        case WALK_OP_TEST8:
            set_logic(machine, 8, general[op->left] & general[op->right]);
            break;
        case WALK_OP_TEST4:
            set_logic(machine, 4, (uint32_t)(general[op->left] & general[op->right]));
            break;
        case WALK_OP_ADD8: {
            uint64_t left = general[op->left];
            general[op->left] = left + op->immediate;
            set_arithmetic(machine, WALK_FROM_ADD, 8, left, op->immediate, left + op->immediate);
            break;
        }
        case WALK_OP_SUB8: {
            uint64_t left = general[op->left];
            general[op->left] = left - op->immediate;
            set_arithmetic(machine, WALK_FROM_SUB, 8, left, op->immediate, left - op->immediate);
            break;
        }
        case WALK_OP_CMP8: {
            uint64_t left = general[op->left], right = general[op->right];
            set_arithmetic(machine, WALK_FROM_SUB, 8, left, right, left - right);
            break;
        }
        case WALK_OP_CMP8_I:
            set_arithmetic(machine, WALK_FROM_SUB, 8, general[op->left], op->immediate,
                           general[op->left] - op->immediate);
            break;
        case WALK_OP_LEA8:
            general[op->left] = general[op->base] + (general[op->index] << op->scale) + op->displacement;
            break;
        case WALK_OP_CLEAR:
            general[op->left] = 0;
            set_logic(machine, 4, 0);
            break;
        case WALK_OP_MOV:
            good = run_move(machine, op);
            break;
        case WALK_OP_MOVZX:
        case WALK_OP_MOVSX:
            good = run_extending_move(machine, op);
            break;
        case WALK_OP_LEA:
            walk_register_put(machine, op->left, op->width,
                              walk_op_address(machine, op) - (op->address & WALK_ADDRESS_FS ? machine->fs : 0));
            break;
        case WALK_OP_ADD:
            good = run_binary(machine, op, WALK_OP_ADD);
            break;
        case WALK_OP_SUB:
            good = run_binary(machine, op, WALK_OP_SUB);
            break;
        case WALK_OP_CMP:
            good = run_binary(machine, op, WALK_OP_CMP);
            break;
        case WALK_OP_TEST:
            good = run_binary(machine, op, WALK_OP_TEST);
            break;
        case WALK_OP_AND:
            good = run_binary(machine, op, WALK_OP_AND);
            break;
        case WALK_OP_OR:
            good = run_binary(machine, op, WALK_OP_OR);
            break;
        case WALK_OP_XOR:
            good = run_binary(machine, op, WALK_OP_XOR);
            break;
        case WALK_OP_PUSH:
            good = run_push(machine, op);
            break;
        case WALK_OP_POP:
            good = run_pop(machine, op);
            break;
        case WALK_OP_LEAVE:
            good = run_leave(machine);
            break;
        case WALK_OP_SETCC:
            good = walk_op_put_left(machine, op, walk_flags_condition(&machine->flags, op->detail));
            break;
        case WALK_OP_CMOVCC:
            good = run_conditional_move(machine, op);
            break;
        case WALK_OP_MOVS:
        case WALK_OP_STOS:
        case WALK_OP_LODS:
        case WALK_OP_CMPS:
        case WALK_OP_SCAS:
            good = walk_string_run(machine, op);
            break;
        case WALK_OP_VECTOR:
            good = walk_vector_run(machine, op);
            break;
        default:
            if (WALK_OP_ENDS_BLOCK(op->code))
                return op;
            good = walk_integer_run(machine, op);
            break;
        }
        if (!good)
            return op;
    }
}

/* ---- from block to block ---- */

static struct walk_block *look_up(struct walk_machine *machine, struct walk_block **known, walk_addr pc)
{
    uint64_t generation = machine->blocks.generation;
    struct walk_block *block = walk_machine_block(machine, pc);
    if (generation == machine->blocks.generation)
        *known = block;
    return block;
}

static inline struct walk_block *go(struct walk_machine *machine, struct walk_block **known, walk_addr pc)
{
    return *known ? *known : look_up(machine, known, pc);
}

/* An indirect jump goes where it went the last time, or it looks. */
static struct walk_block *go_to(struct walk_machine *machine, struct walk_block *from, walk_addr pc)
{
    if (from->taken_pc != pc || !from->taken) {
        from->taken = NULL;
        from->taken_pc = pc;
    }
    return go(machine, &from->taken, pc);
}

static inline struct walk_block *go_behind(struct walk_machine *machine, struct walk_block *from,
                                           const struct walk_op *op)
{
    return go(machine, &from->behind, from->pc + op->offset + op->length);
}

static inline struct walk_block *go_if(struct walk_machine *machine, struct walk_block *from, const struct walk_op *op,
                                       bool condition)
{
    return condition ? go(machine, &from->taken, op->immediate) : go_behind(machine, from, op);
}

/* A call of visit, which is every other one, is over at once. */
static struct walk_block *call(struct walk_machine *machine, struct walk_block *from, const struct walk_op *op,
                               walk_addr pc)
{
    if (pc == WALK_MACHINE_VISIT)
        return walk_native_visit(machine) ? go_behind(machine, from, op) : NULL;
    if (!walk_machine_push(machine, from->pc + op->offset + op->length))
        return NULL;
    return go_to(machine, from, pc);
}

static struct walk_block *loop(struct walk_machine *machine, struct walk_block *from, const struct walk_op *op)
{
    bool zero = walk_flags_zero(&machine->flags);
    uint64_t count = walk_register_get(machine, WALK_RCX, op->width) - 1;
    walk_register_put(machine, WALK_RCX, op->width, count);
    bool more = (count & walk_width_mask(op->width)) != 0;
    return go_if(machine, from, op, more && (op->detail == 0 || zero == (op->detail == 1)));
}

/* The block after `from`, which ended with `op`; NULL: a fault, or the call has returned. */
static struct walk_block *follow(struct walk_machine *machine, struct walk_block *from, const struct walk_op *op)
{
    uint64_t to;
    switch (op->code) {
    case WALK_OP_JZ:
        return go_if(machine, from, op, walk_flags_zero(&machine->flags));
    case WALK_OP_JNZ:
        return go_if(machine, from, op, !walk_flags_zero(&machine->flags));
    case WALK_OP_JCC:
        return go_if(machine, from, op, walk_flags_condition(&machine->flags, op->detail));
    case WALK_OP_JMP:
    case WALK_OP_GO_ON:
        return go(machine, &from->taken, op->immediate);
    case WALK_OP_CALL:
        return call(machine, from, op, op->immediate);
    case WALK_OP_CALL_TO:
        return walk_op_left(machine, op, &to) ? call(machine, from, op, to) : NULL;
    case WALK_OP_JMP_TO:
        return walk_op_left(machine, op, &to) ? go_to(machine, from, to) : NULL;
    case WALK_OP_RET:
        if (!walk_machine_pop(machine, &to))
            return NULL;
        machine->general[WALK_RSP] += op->immediate & 0xffff;
        return go_to(machine, from, to);
    case WALK_OP_JRCXZ:
        return go_if(machine, from, op, walk_register_get(machine, WALK_RCX, op->width) == 0);
    case WALK_OP_LOOP:
        return loop(machine, from, op);
    case WALK_OP_NATIVE:
        return walk_native_run(machine, op->detail, &to) ? go_to(machine, from, to) : NULL;
    default:
        walk_machine_fault(machine, op->detail, op->immediate);
        return NULL;
    }
}

void walk_machine_run(struct walk_machine *machine, walk_addr pc, struct walk_outcome *outcome)
{
    uint64_t budget = machine->left + machine->later, not_run = 0;
    struct walk_block *block = walk_machine_block(machine, pc);
    while (block) {
        const struct walk_op *first = block->ops, *op = first;
        uint32_t count = block->count;
        pc = block->pc;
        if (!walk_machine_afford(machine, count))
            break;
        machine->left -= count;
        op = run_block(machine, block);
        block = WALK_OP_ENDS_BLOCK(op->code) ? follow(machine, block, op) : NULL;
        if (!block) {
            pc += op->offset;
            not_run = count - (uint64_t)(op - first) - 1;
        }
    }
    *outcome = (struct walk_outcome){.fault = machine->space.fault,
                                     .pc = pc,
                                     .address = machine->space.fault_address,
                                     .instructions = budget - machine->left - machine->later - not_run,
                                     .result = machine->general[WALK_RAX]};
}
