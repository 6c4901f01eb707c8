/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_DEBUG_MEMBERS_H
#define WALK_LAYOUT_DEBUG_MEMBERS_H

/*
 * What the members of a structure are called that only one function of an extension knows: from the debug information
 * of that function's file, if there is any.
 */

#include "layout/debug_file.h"

/*
 * Hands out the members (nested ones as "a.b", elements as "a[1]") of the structure of `size` bytes, beginning with a
 * PyObject, that the function at the file's address `pc` has a variable of; else of the only such structure in its
 * source file. The names live until `member` returns.
 */
void walk_debug_members(struct walk_debug_file *file, uint64_t pc, uint64_t size,
                        void (*member)(void *context, const char *name, uint64_t offset), void *context);

#endif
