/* SPDX-License-Identifier: Apache-2.0 */
/* movs, stos, lods, cmps, scas, once or repeated. */
#include "machine/execute.h"

static bool run_once(struct walk_machine *machine, const struct walk_op *op)
{
    struct walk_space *space = &machine->space;
    uint64_t *source = &machine->general[WALK_RSI], *target = &machine->general[WALK_RDI];
    uint64_t step = machine->backwards ? -(uint64_t)op->width : op->width;
    bool reads = op->code != WALK_OP_STOS && op->code != WALK_OP_SCAS, uses_target = op->code != WALK_OP_LODS;
    uint64_t left = walk_register_get(machine, WALK_RAX, op->width), right;
    if (reads && !walk_space_read(space, *source, op->width, &left))
        return false;
    if (op->code == WALK_OP_LODS) {
        walk_register_put(machine, WALK_RAX, op->width, left);
    } else if (op->code == WALK_OP_MOVS || op->code == WALK_OP_STOS) {
        if (!walk_space_write(space, *target, op->width, left))
            return false;
    } else {
        if (!walk_space_read(space, *target, op->width, &right))
            return false;
        machine->flags = (struct walk_flags){.from = WALK_FROM_SUB,
                                             .sign = walk_width_sign(op->width),
                                             .left = left,
                                             .right = right,
                                             .result = (left - right) & walk_width_mask(op->width)};
    }
    *source += reads ? step : 0;
    *target += uses_target ? step : 0;
    return true;
}

bool walk_string_run(struct walk_machine *machine, const struct walk_op *op)
{
    bool compares = op->code == WALK_OP_CMPS || op->code == WALK_OP_SCAS;
    uint64_t *count = &machine->general[WALK_RCX];
    if (op->detail == WALK_REPEAT_NONE)
        return run_once(machine, op);
    while (*count) {
        if (!walk_machine_afford(machine, 1))
            return false;
        machine->left--;
        if (!run_once(machine, op))
            return false;
        --*count;
        if (compares && walk_flags_zero(&machine->flags) != (op->detail == WALK_REPEAT_WHILE_EQUAL))
            break;
    }
    return true;
}
