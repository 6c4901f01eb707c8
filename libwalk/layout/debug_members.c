/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/debug_members.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

/* Hostile debug information nests and repeats without end. */
enum { DEPTH = 4, ELEMENTS_MAX = 64, MEMBERS_MAX = 4096 };

/* ---- which structure ---- */

/* Whether the first member, or that of the first member, …, is a PyObject or a PyVarObject. */
static bool begins_with_object(Dwarf_Die *structure)
{
    Dwarf_Die inner = *structure, member, type;
    for (int depth = 0; depth < DEPTH; depth++) {
        const char *name = dwarf_diename(&inner);
        if (name && (strcmp(name, "_object") == 0 || strcmp(name, "PyObject") == 0 || strcmp(name, "PyVarObject") == 0))
            return true;
        if (dwarf_child(&inner, &member) != 0 || dwarf_tag(&member) != DW_TAG_member ||
            walk_debug_member_offset(&member) != 0 || !walk_debug_type(&member, &type) ||
            !walk_debug_structure(&type, &inner))
            return false;
    }
    return false;
}

static bool fits(Dwarf_Die *type, uint64_t size, Dwarf_Die *structure)
{
    return walk_debug_structure(type, structure) && dwarf_bytesize(structure) == (int)size &&
           begins_with_object(structure);
}

/* A variable or parameter that points to such a structure, in this scope or in one within it. */
static bool of_variable(Dwarf_Die *scope, uint64_t size, int depth, Dwarf_Die *structure)
{
    Dwarf_Die child, type, target;
    if (depth == 0 || dwarf_child(scope, &child) != 0)
        return false;
    do {
        int tag = dwarf_tag(&child);
        Dwarf_Attribute attribute;
        bool variable = tag == DW_TAG_variable || tag == DW_TAG_formal_parameter;
        if (variable && dwarf_formref_die(dwarf_attr_integrate(&child, DW_AT_type, &attribute), &type) &&
            dwarf_peel_type(&type, &type) == 0 && dwarf_tag(&type) == DW_TAG_pointer_type &&
            walk_debug_type(&type, &target) && fits(&target, size, structure))
            return true;
        bool scopes = tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine;
        if (scopes && of_variable(&child, size, depth - 1, structure))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* The only one of that size in the source file. */
static bool of_unit(Dwarf_Die *unit, uint64_t size, Dwarf_Die *structure)
{
    Dwarf_Die child, found;
    int count = 0;
    if (dwarf_child(unit, &child) != 0)
        return false;
    do {
        if (dwarf_tag(&child) == DW_TAG_structure_type && fits(&child, size, &found)) {
            *structure = found;
            count++;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return count == 1;
}

static bool find_structure(Dwarf_Die *unit, Dwarf_Addr pc, uint64_t size, Dwarf_Die *structure)
{
    Dwarf_Die *scopes = NULL;
    int count = dwarf_getscopes(unit, pc, &scopes);
    bool found = false;
    for (int i = 0; i < count && !found; i++)
        if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
            found = of_variable(&scopes[i], size, DEPTH, structure);
    free(scopes);
    return found || of_unit(unit, size, structure);
}

/* ---- its members ---- */

struct list {
    void (*member)(void *context, const char *name, uint64_t offset);
    void *context;
    int left;
};

static void list_members(struct list *list, Dwarf_Die *structure, const char *prefix, uint64_t base, int depth);

static void list_type(struct list *list, Dwarf_Die *type, const char *name, uint64_t offset, int depth)
{
    Dwarf_Die inner, element;
    char item[128];
    if (depth == 0 || list->left-- <= 0)
        return;
    if (walk_debug_structure(type, &inner)) {
        snprintf(item, sizeof item, "%s%s", name, *name ? "." : "");
        list_members(list, &inner, item, offset, depth - 1);
    } else if (dwarf_peel_type(type, &inner) == 0 && dwarf_tag(&inner) == DW_TAG_array_type &&
               walk_debug_type(&inner, &element)) {
        int whole = dwarf_bytesize(&inner), one = dwarf_bytesize(&element);
        for (int i = 0; one > 0 && i < whole / one && i < ELEMENTS_MAX; i++) {
            snprintf(item, sizeof item, "%s[%d]", name, i);
            list_type(list, &element, item, offset + (uint64_t)i * (uint64_t)one, depth - 1);
        }
    } else {
        list->member(list->context, name, offset);
    }
}

static void list_members(struct list *list, Dwarf_Die *structure, const char *prefix, uint64_t base, int depth)
{
    Dwarf_Die member, type;
    if (dwarf_child(structure, &member) != 0)
        return;
    do {
        const char *own = dwarf_tag(&member) == DW_TAG_member ? dwarf_diename(&member) : "";
        char name[128];
        if (dwarf_tag(&member) != DW_TAG_member || !walk_debug_type(&member, &type))
            continue;
        size_t length = (size_t)snprintf(name, sizeof name, "%s%s", prefix, own ? own : "");
        if (!own && length > 0 && length < sizeof name)
            name[length - 1] = '\0'; /* an unnamed union: its members are those of what it is in */
        list_type(list, &type, name, base + walk_debug_member_offset(&member) / 8, depth);
    } while (dwarf_siblingof(&member, &member) == 0);
}

void walk_debug_members(struct walk_debug_file *file, uint64_t pc, uint64_t size,
                        void (*member)(void *context, const char *name, uint64_t offset), void *context)
{
    Dwarf_Addr bias;
    Dwarf_Die structure;
    Dwarf_Die *unit = file->module ? dwfl_module_addrdie(file->module, pc, &bias) : NULL;
    struct list list = {member, context, MEMBERS_MAX};
    if (unit && size < INT32_MAX && find_structure(unit, pc - bias, size, &structure))
        list_members(&list, &structure, "", 0, DEPTH);
}
