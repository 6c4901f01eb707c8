/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_LINK_H
#define WALK_MACHINE_LINK_H

/*
 * What the dynamic linker knows: which addresses are functions that are done in C, and what a function's name means
 * that the target has never called. A module's relocations are read when its code is met for the first time.
 */

#include "machine/operands.h"

struct walk_error *walk_link_init(struct walk_machine *machine);
void walk_link_deinit(struct walk_machine *machine);

/* The native that stands for the code at `pc` (enum walk_native), after the module of `pc` is known; NONE mostly. */
unsigned walk_link_native(struct walk_machine *machine, walk_addr pc);

/*
 * As _dl_runtime_resolve: the stack holds the link map of a module and the number of one of its lazily bound functions.
 * Takes both off; true: `*to` is the function. False: a fault.
 */
bool walk_link_resolve(struct walk_machine *machine, walk_addr *to);

#endif
