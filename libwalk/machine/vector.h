/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_VECTOR_H
#define WALK_MACHINE_VECTOR_H

#include "machine/operands.h"

/* V(id): what an instruction on vector registers does. A number at the end is the width of the elements in bytes. */
#define WALK_VECTOR_OPS                                                                                                \
    V(MOVE)         /* all bytes, from and to any address */                                                           \
    V(MOVE_ALIGNED) /* all bytes */                                                                                    \
    V(MOVE_LOW4)    /* the low bytes; a register's others become 0 */                                                  \
    V(MOVE_LOW8)                                                                                                       \
    V(MERGE_LOW4) /* the low bytes; a register keeps its others */                                                     \
    V(MERGE_LOW8)                                                                                                      \
    V(MERGE_HIGH8) /* memory and the high half of a register */                                                        \
    V(HIGH_TO_LOW)                                                                                                     \
    V(LOW_TO_HIGH)                                                                                                     \
    V(FROM_GENERAL) /* of a general register, 4 or 8 bytes; the others become 0 */                                     \
    V(TO_GENERAL)                                                                                                      \
    V(AND)                                                                                                             \
    V(ANDN)                                                                                                            \
    V(OR)                                                                                                              \
    V(XOR)                                                                                                             \
    V(EQ1)                                                                                                             \
    V(EQ2)                                                                                                             \
    V(EQ4)                                                                                                             \
    V(EQ8)                                                                                                             \
    V(GT1)                                                                                                             \
    V(GT2)                                                                                                             \
    V(GT4)                                                                                                             \
    V(GT8)                                                                                                             \
    V(ADD1)                                                                                                            \
    V(ADD2)                                                                                                            \
    V(ADD4)                                                                                                            \
    V(ADD8)                                                                                                            \
    V(SUB1)                                                                                                            \
    V(SUB2)                                                                                                            \
    V(SUB4)                                                                                                            \
    V(SUB8)                                                                                                            \
    V(MINU1)                                                                                                           \
    V(MAXU1)                                                                                                           \
    V(MINS2)                                                                                                           \
    V(MAXS2)                                                                                                           \
    V(LOW1) /* the low halves, element by element from left and right */                                               \
    V(LOW2)                                                                                                            \
    V(LOW4)                                                                                                            \
    V(LOW8)                                                                                                            \
    V(HIGH1)                                                                                                           \
    V(HIGH2)                                                                                                           \
    V(HIGH4)                                                                                                           \
    V(HIGH8)                                                                                                           \
    V(SHUFFLE1) /* pshufb */                                                                                           \
    V(SHUFFLE4) /* pshufd */                                                                                           \
    V(SHUFFLE_LOW2)                                                                                                    \
    V(SHUFFLE_HIGH2)                                                                                                   \
    V(SELECT4)    /* shufps */                                                                                         \
    V(SELECT8)    /* shufpd */                                                                                         \
    V(LEFT_BYTES) /* pslldq */                                                                                         \
    V(RIGHT_BYTES)                                                                                                     \
    V(SHL2)                                                                                                            \
    V(SHL4)                                                                                                            \
    V(SHL8)                                                                                                            \
    V(SHR2)                                                                                                            \
    V(SHR4)                                                                                                            \
    V(SHR8)                                                                                                            \
    V(SAR2)                                                                                                            \
    V(SAR4)                                                                                                            \
    V(MASK1) /* the sign bits of the elements, into a general register */                                              \
    V(MASK4)                                                                                                           \
    V(MASK8)                                                                                                           \
    V(EXTRACT1) /* one element, to a general register or memory */                                                     \
    V(EXTRACT2)                                                                                                        \
    V(EXTRACT4)                                                                                                        \
    V(EXTRACT8)                                                                                                        \
    V(INSERT1)                                                                                                         \
    V(INSERT2)                                                                                                         \
    V(INSERT4)                                                                                                         \
    V(INSERT8)                                                                                                         \
    V(TEST) /* ptest */

enum walk_vector_op {
#define V(id) WALK_VECTOR_##id,
    WALK_VECTOR_OPS
#undef V
        WALK_VECTOR_COUNT
};

/* Runs a WALK_OP_VECTOR; false: a fault. */
bool walk_vector_run(struct walk_machine *machine, const struct walk_op *op);

#endif
