/* SPDX-License-Identifier: Apache-2.0 */
/* From the target's code to blocks. */
#include "machine/execute.h"
#include "machine/link.h"

enum { LONGEST_INSTRUCTION = 15 };

/* Decodes the instruction at `pc`; what cannot be fetched is a fault too. */
static void decode(struct walk_machine *machine, walk_addr pc, struct walk_op *op)
{
    uint8_t bytes[LONGEST_INSTRUCTION];
    size_t size = walk_space_fetch(&machine->space, pc, bytes, sizeof bytes);
    if (size)
        walk_op_decode(bytes, size, pc, op);
    if (!size || (size < sizeof bytes && op->code == WALK_OP_FAULT && op->detail == WALK_FAULT_UNDECODABLE))
        *op = (struct walk_op){
            .code = WALK_OP_FAULT, .detail = (uint8_t)machine->space.fault, .immediate = machine->space.fault_address};
    /* It faults when it is run, if it is. */
    walk_machine_fault(machine, WALK_FAULT_NONE, 0);
}

/* Up to the first op that ends a block; how many. */
static uint32_t decode_block(struct walk_machine *machine, walk_addr pc, struct walk_op *ops)
{
    walk_addr at = pc;
    for (uint32_t count = 0; count < WALK_BLOCK_OPS - 1; count++) {
        decode(machine, at, &ops[count]);
        ops[count].offset = (uint16_t)(at - pc);
        if (WALK_OP_ENDS_BLOCK(ops[count].code))
            return count + 1;
        at += ops[count].length;
    }
    ops[WALK_BLOCK_OPS - 1] = (struct walk_op){.code = WALK_OP_GO_ON, .offset = (uint16_t)(at - pc), .immediate = at};
    return WALK_BLOCK_OPS;
}

struct walk_block *walk_machine_block(struct walk_machine *machine, walk_addr pc)
{
    struct walk_block *block = walk_blocks_find(&machine->blocks, pc);
    if (block)
        return block;
    if (walk_blocks_full(&machine->blocks))
        walk_blocks_forget(&machine->blocks);
    struct walk_op *ops = walk_blocks_room(&machine->blocks);
    if (ops) {
        unsigned native = walk_link_native(machine, pc);
        uint32_t count = 1;
        if (native)
            *ops = (struct walk_op){.code = WALK_OP_NATIVE, .detail = (uint8_t)native};
        else
            count = decode_block(machine, pc, ops);
        block = walk_blocks_add(&machine->blocks, pc, count);
    }
    if (!block)
        walk_machine_fault(machine, WALK_FAULT_NO_MEMORY, 0);
    return block;
}
