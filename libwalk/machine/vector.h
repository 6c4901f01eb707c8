/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_VECTOR_H
#define WALK_MACHINE_VECTOR_H

#include "machine/operands.h"

enum walk_vector_op {
#define V(id) WALK_VECTOR_##id,
#include "machine/vectors.def"
    WALK_VECTOR_COUNT
};

/* Runs a WALK_OP_VECTOR; false: a fault. */
bool walk_vector_run(struct walk_machine *machine, const struct walk_op *op);

#endif
