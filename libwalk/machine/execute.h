/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_EXECUTE_H
#define WALK_MACHINE_EXECUTE_H

#include "machine/operands.h"

/* Runs from `pc` until the called function returns or something faults; the outcome but for the referents. */
void walk_machine_run(struct walk_machine *machine, walk_addr pc, struct walk_outcome *outcome);

/* The block of code at `pc`, decoded when it is met for the first time. NULL, and a fault: no memory. */
struct walk_block *walk_machine_block(struct walk_machine *machine, walk_addr pc);

/* Integer instructions that are not met all the time (integer.c); false: a fault. */
bool walk_integer_run(struct walk_machine *machine, const struct walk_op *op);

/* Of these: shifts and rotations (shifts.c); single bits (bits.c). */
bool walk_shift_run(struct walk_machine *machine, const struct walk_op *op);
bool walk_bits_run(struct walk_machine *machine, const struct walk_op *op);

/* movs, stos, lods, cmps, scas (strings.c); what they repeat is taken from the budget. */
bool walk_string_run(struct walk_machine *machine, const struct walk_op *op);

#endif
