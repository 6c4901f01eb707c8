/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_DEBUG_FILE_H
#define WALK_LAYOUT_DEBUG_FILE_H

/* The debug information of an ELF file, its own or that of its separate debug file. */

#include <elfutils/libdwfl.h>

#include "bytes/error.h"

struct walk_debug_file {
    Dwfl_Callbacks callbacks;
    char *path; /* where to look; libdwfl keeps pointers to this and the member above while it is open */
    Dwfl *dwfl;
    Dwfl_Module *module;
};

/* False: the file is no ELF file. Close it in any case. `debug_dirs` (':' between; NULL: the usual places) must stay.
 */
bool walk_debug_file_open(struct walk_debug_file *file, const char *name, const char *debug_dirs);
void walk_debug_file_close(struct walk_debug_file *file);

/* The structure behind typedefs and qualifiers; false for declarations and everything else. */
bool walk_debug_structure(Dwarf_Die *type, Dwarf_Die *structure);

/* The type of a member, a variable or a typedef. */
bool walk_debug_type(Dwarf_Die *die, Dwarf_Die *type);

/* Where a member begins in its structure, in bits. */
uint64_t walk_debug_member_offset(Dwarf_Die *member);

#endif
