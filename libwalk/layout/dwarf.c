/* SPDX-License-Identifier: Apache-2.0 */
/* The field table answered by DWARF: one pass over the top-level types of every compilation unit. */
#include <dwarf.h>
#include <stdlib.h>

#include "layout/debug_file.h"
#include "layout/layout.h"

/* ---- names of the table: alternatives separated by '|' ---- */

/* The length of the first alternative; *next is the one after it or NULL. */
static size_t first_alternative(const char *names, const char **next)
{
    size_t length = strcspn(names, "|");
    *next = names[length] ? names + length + 1 : NULL;
    return length;
}

/* Which structure a DWARF name may be: a small hash table, name -> structure. */
enum { SLOTS = 2048 };
struct wanted {
    struct {
        const char *name;
        size_t length;
        int structure;
    } slot[SLOTS];
};

static size_t hash(const char *name, size_t length)
{
    size_t value = 5381;
    for (size_t i = 0; i < length; i++)
        value = value * 33 ^ (unsigned char)name[i];
    return value % SLOTS;
}

static void wanted_init(struct wanted *wanted)
{
    memset(wanted, 0, sizeof *wanted);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++) {
        for (const char *name = walk_struct_table[i].names, *next; name; name = next) {
            size_t length = first_alternative(name, &next), at = hash(name, length);
            while (wanted->slot[at].name)
                at = (at + 1) % SLOTS;
            wanted->slot[at].name = name;
            wanted->slot[at].length = length;
            wanted->slot[at].structure = i;
        }
    }
}

/* Several table entries may ask for one DWARF name: `at` goes on from the last answer. -1: no more. */
static int wanted_next(const struct wanted *wanted, const char *name, size_t length, size_t *at)
{
    for (; wanted->slot[*at].name; *at = (*at + 1) % SLOTS) {
        if (wanted->slot[*at].length == length && memcmp(wanted->slot[*at].name, name, length) == 0) {
            int structure = wanted->slot[*at].structure;
            *at = (*at + 1) % SLOTS;
            return structure;
        }
    }
    return -1;
}

/* ---- members ---- */

/* Members nest a few levels (an anonymous union in a structure): this bounds hostile DWARF. */
enum { DEPTH = 6 };

/* Finds the path `name` ("a.b") in a structure and in its unnamed members; adds to *offset, in bits. */
static bool find_member(Dwarf_Die *structure, const char *name, size_t length, int depth, uint64_t *offset)
{
    size_t head = 0;
    while (head < length && name[head] != '.')
        head++;
    Dwarf_Die member;
    if (depth == 0 || dwarf_child(structure, &member) != 0)
        return false;
    do {
        if (dwarf_tag(&member) != DW_TAG_member)
            continue;
        const char *own = dwarf_diename(&member);
        bool named = own && strlen(own) == head && memcmp(own, name, head) == 0;
        Dwarf_Die type, inner;
        if (own && !named)
            continue;
        uint64_t at = walk_debug_member_offset(&member);
        if (named && head == length) {
            *offset += at;
            return true;
        }
        size_t skip = named ? head + 1 : 0;
        uint64_t below = *offset + at;
        if (walk_debug_type(&member, &type) && walk_debug_structure(&type, &inner) &&
            find_member(&inner, name + skip, length - skip, depth - 1, &below)) {
            *offset = below;
            return true;
        }
    } while (dwarf_siblingof(&member, &member) == 0);
    return false;
}

/* A variable of a function's outermost block: it has no offset, but says which function this is. */
static bool find_variable(Dwarf_Die *function, const char *name, size_t length)
{
    Dwarf_Die child;
    if (dwarf_child(function, &child) != 0)
        return false;
    do {
        const char *own = dwarf_tag(&child) == DW_TAG_variable ? dwarf_diename(&child) : NULL;
        if (own && strlen(own) == length && memcmp(own, name, length) == 0)
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

static int32_t find_field(Dwarf_Die *die, const char *names)
{
    bool function = dwarf_tag(die) == DW_TAG_subprogram;
    bool bits = *names == ':';
    uint64_t unit = bits ? 1 : 8;
    for (const char *name = names + bits, *next; name; name = next) {
        size_t length = first_alternative(name, &next);
        uint64_t offset = 0;
        if (function ? find_variable(die, name, length)
                     : find_member(die, name, length, DEPTH, &offset) && offset / unit < INT32_MAX)
            return (int32_t)(offset / unit);
    }
    return WALK_ABSENT;
}

/* ---- structures ---- */

/* What has been found: of several types with one name the one with most of the wanted members is taken. */
struct search {
    struct wanted wanted;
    struct walk_layout *layout;
    int found[WALK_STRUCT_COUNT]; /* how many fields */
    int fields[WALK_STRUCT_COUNT];
};

static void take(struct search *search, int structure, Dwarf_Die *die)
{
    int32_t offset[WALK_FIELD_COUNT];
    int found = 0;
    for (int i = 0; i < WALK_FIELD_COUNT; i++) {
        if ((int)walk_field_table[i].structure != structure)
            continue;
        offset[i] = find_field(die, walk_field_table[i].names);
        found += offset[i] != WALK_ABSENT;
    }
    int size = dwarf_tag(die) == DW_TAG_subprogram ? 1 : dwarf_bytesize(die);
    if (size <= 0 || (search->layout->size[structure] && found <= search->found[structure]))
        return;
    search->found[structure] = found;
    search->layout->size[structure] = (uint32_t)size;
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        if ((int)walk_field_table[i].structure == structure)
            search->layout->offset[i] = offset[i];
}

/* The table's name of a type or, with () behind it, of a function. NULL: of nothing that the table could ask for. */
static const char *name_in_table(Dwarf_Die *die, char *buffer, size_t size)
{
    int tag = dwarf_tag(die);
    const char *name = dwarf_diename(die);
    if (tag == DW_TAG_typedef || tag == DW_TAG_structure_type)
        return name;
    if (tag != DW_TAG_subprogram || !name)
        return NULL;
    return (size_t)snprintf(buffer, size, "%s()", name) < size ? buffer : NULL;
}

static void look_at(struct search *search, Dwarf_Die *die)
{
    char buffer[64];
    const char *name = name_in_table(die, buffer, sizeof buffer);
    if (!name)
        return;
    size_t length = strlen(name), at = hash(name, length);
    for (int structure; (structure = wanted_next(&search->wanted, name, length, &at)) >= 0;) {
        Dwarf_Die definition;
        if (search->found[structure] == search->fields[structure] && search->layout->size[structure])
            continue;
        if (dwarf_tag(die) == DW_TAG_subprogram)
            take(search, structure, die);
        else if (walk_debug_structure(die, &definition))
            take(search, structure, &definition);
    }
}

static void look_at_units(struct search *search, Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die root, die;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &root, NULL) == 0) {
        if (dwarf_child(&root, &die) != 0)
            continue;
        do
            look_at(search, &die);
        while (dwarf_siblingof(&die, &die) == 0);
    }
}

struct walk_error *walk_layout_from_dwarf(const char *name, const char *debug_dirs, struct walk_layout *layout)
{
    struct walk_debug_file file;
    struct search *search = calloc(1, sizeof *search);
    if (!search)
        return walk_error_no_memory();
    struct walk_error *error = NULL;
    Dwarf_Addr bias;
    Dwarf *dwarf = NULL;
    if (!walk_debug_file_open(&file, name, debug_dirs))
        error = walk_error_new(WALK_ERROR_LAYOUT, "%s: %s", name, dwfl_errmsg(-1));
    else if (!(dwarf = dwfl_module_getdwarf(file.module, &bias)))
        error = walk_error_new(WALK_ERROR_LAYOUT, "%s has no debug information, and none was found for it", name);
    if (!error) {
        walk_layout_clear(layout);
        search->layout = layout;
        wanted_init(&search->wanted);
        for (int i = 0; i < WALK_FIELD_COUNT; i++)
            search->fields[walk_field_table[i].structure]++;
        look_at_units(search, dwarf);
        if (!WALK_SIZE(layout, type) || !WALK_SIZE(layout, interp))
            error = walk_error_new(WALK_ERROR_LAYOUT, "%s: its debug information does not describe CPython", name);
    }
    free(search);
    walk_debug_file_close(&file);
    return error;
}
