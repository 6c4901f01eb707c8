/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_NATIVES_H
#define WALK_MACHINE_NATIVES_H

/*
 * Functions that are done in C instead of run: what the machine gives a call (visit, the return address), what the
 * dynamic linker does on a first call, and those of the C library that resolve to code for vectors of any width.
 */

#include "machine/operands.h"

enum walk_native {
#define N(id, names) WALK_NATIVE_##id,
#include "machine/natives.def"
    WALK_NATIVE_COUNT
};

/* An address that means the native, whatever the target has. */
#define WALK_MACHINE_NATIVE(native) (WALK_MACHINE_BASE + 0x10 * (unsigned)(native))

/* Where a called function returns to. */
#define WALK_MACHINE_RETURN WALK_MACHINE_NATIVE(WALK_NATIVE_RETURN)
_Static_assert(WALK_MACHINE_VISIT == WALK_MACHINE_NATIVE(WALK_NATIVE_VISIT), "machine.h says where it is");

/* Which characters names of natives begin with: of the thousands of names that a module binds few do. */
enum { WALK_CHARACTERS = 256 };
void walk_natives_begin(bool begins[WALK_CHARACTERS]);

/* The function of the C library called `name`; NONE. */
enum walk_native walk_native_by_name(const char *name);

/* Runs one. True: go on at `*to`; false: a fault or, without one, the end of the call. */
bool walk_native_run(struct walk_machine *machine, enum walk_native native, walk_addr *to);

/* Notes RDI as a referent; false: a fault. */
bool walk_native_visit(struct walk_machine *machine);

#endif
