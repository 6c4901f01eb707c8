/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/debug_file.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* The structure behind typedefs and qualifiers; false for declarations and everything else. */
bool walk_debug_structure(Dwarf_Die *type, Dwarf_Die *structure)
{
    if (dwarf_peel_type(type, structure) != 0)
        return false;
    int tag = dwarf_tag(structure);
    return (tag == DW_TAG_structure_type || tag == DW_TAG_union_type) && !dwarf_hasattr(structure, DW_AT_declaration);
}

bool walk_debug_type(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_formref_die(dwarf_attr(die, DW_AT_type, &attribute), type) != NULL;
}

static bool number_of(Dwarf_Die *die, unsigned name, Dwarf_Word *number)
{
    Dwarf_Attribute attribute;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), number) == 0;
}

/*
 * Where a member begins, in bits. Of a bit-field DWARF 5 says that itself; before, it says how far the field is from
 * the most significant end of the unit (byte_size) that holds it. Members of a union may say nothing.
 */
uint64_t walk_debug_member_offset(Dwarf_Die *member)
{
    Dwarf_Word offset, unit, width, from_top;
    if (number_of(member, DW_AT_data_bit_offset, &offset))
        return offset;
    if (!number_of(member, DW_AT_data_member_location, &offset))
        offset = 0;
    offset *= 8;
    if (number_of(member, DW_AT_bit_offset, &from_top) && number_of(member, DW_AT_bit_size, &width) &&
        number_of(member, DW_AT_byte_size, &unit))
        offset += unit * 8 - width - from_top;
    return offset;
}

bool walk_debug_file_open(struct walk_debug_file *file, const char *name, const char *debug_dirs)
{
    *file = (struct walk_debug_file){.path = (char *)(uintptr_t)(debug_dirs ? debug_dirs : ":.debug:/usr/lib/debug")};
    file->callbacks = (Dwfl_Callbacks){.find_elf = dwfl_build_id_find_elf,
                                       .find_debuginfo = dwfl_standard_find_debuginfo,
                                       .section_address = dwfl_offline_section_address,
                                       .debuginfo_path = &file->path};
    file->dwfl = dwfl_begin(&file->callbacks);
    if (!file->dwfl)
        return false;
    dwfl_report_begin(file->dwfl);
    file->module = dwfl_report_elf(file->dwfl, name, name, -1, 0, true);
    dwfl_report_end(file->dwfl, NULL, NULL);
    return file->module != NULL;
}

void walk_debug_file_close(struct walk_debug_file *file) { dwfl_end(file->dwfl); }
