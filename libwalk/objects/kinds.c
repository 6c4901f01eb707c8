/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/kinds.h"

#include <stdlib.h>

#include "bytes/alternatives.h"

#define V(major, minor) ((major) << 8 | (minor))
#define ANY 0
#define SEEN 0
#define EXTRA WALK_EDGE_EXTRA
#define WEAK WALK_EDGE_WEAK

static const struct {
    const char *symbols, *names;
    enum walk_struct structure;
} kind_table[WALK_KIND_COUNT] = {
    [WALK_KIND_NONE] = {NULL, "", 0},
#define KIND(id, symbols, names, structure) [WALK_KIND_##id] = {symbols, names, WALK_STRUCT_##structure},
#define REF(kind, structure, field, label, flag, since, until)
#include "objects/kinds.def"
#undef KIND
#undef REF
};

static const struct {
    enum walk_kind_id kind;
    enum walk_field field;
    const char *label;
    uint32_t flags;
    unsigned since, until; /* V(major, minor); 0: no bound */
} ref_table[] = {
#define KIND(id, symbols, names, structure)
#define REF(kind, structure, field, label, flag, since, until)                                                         \
    {WALK_KIND_##kind, WALK_FIELD_##structure##_##field, label, flag, since, until},
#include "objects/kinds.def"
#undef KIND
#undef REF
};
enum { REFS = sizeof ref_table / sizeof *ref_table };

static bool in_build(size_t ref, const struct walk_layout *layout, unsigned version)
{
    return layout->offset[ref_table[ref].field] != WALK_ABSENT && version >= ref_table[ref].since &&
           (!ref_table[ref].until || version < ref_table[ref].until);
}

/* The rows of one kind need not stand together in the table, so it is read once per kind; it is small. */
static void fill_members(struct walk_kinds *kinds, const struct walk_layout *layout, unsigned version)
{
    struct walk_member *next = kinds->members;
    for (int id = 0; id < WALK_KIND_COUNT; id++) {
        struct walk_kind *kind = &kinds->kind[id];
        *kind = (struct walk_kind){.names = kind_table[id].names,
                                   .symbols = kind_table[id].symbols,
                                   .structure = kind_table[id].structure,
                                   .members = next};
        if (!layout->size[kind->structure]) {
            /* Not in this build: a type of that name is something else (typing.TypeVar before 3.12). */
            kind->names = "";
            kind->symbols = NULL;
            continue;
        }
        for (size_t i = 0; i < REFS; i++) {
            if ((int)ref_table[i].kind != id || !in_build(i, layout, version))
                continue;
            *next++ = (struct walk_member){(uint32_t)layout->offset[ref_table[i].field], ref_table[i].flags,
                                           ref_table[i].label};
            kind->member_count++;
        }
    }
}

static int by_type(const void *a, const void *b)
{
    const struct walk_kind_type *x = a, *y = b;
    return (x->type > y->type) - (x->type < y->type);
}

/* Copies one alternative of "a|b|c" and returns the next, or NULL. */
static const char *next_alternative(const char *names, char *name, size_t size)
{
    size_t length = strcspn(names, "|"), copied = length < size ? length : size - 1;
    memcpy(name, names, copied);
    name[copied] = '\0';
    return names[length] ? names + length + 1 : NULL;
}

struct walk_error *walk_kinds_init(struct walk_kinds *kinds, const struct walk_runtime *runtime, uint32_t version)
{
    *kinds = (struct walk_kinds){0};
    kinds->members = calloc(REFS, sizeof *kinds->members);
    kinds->by_address = calloc(WALK_KIND_COUNT, sizeof *kinds->by_address);
    if (!kinds->members || !kinds->by_address) {
        walk_kinds_deinit(kinds);
        return walk_error_no_memory();
    }
    fill_members(kinds, &runtime->layout, V(version >> 24, (version >> 16) & 0xff));
    for (int id = 1; id < WALK_KIND_COUNT; id++) {
        walk_addr type = 0;
        char symbol[96], name[96];
        for (const char *rest = kinds->kind[id].symbols; rest && !type;) {
            rest = next_alternative(rest, symbol, sizeof symbol);
            type = walk_symbols_find(&runtime->symbols, symbol);
        }
        for (const char *rest = kinds->kind[id].names; rest && *rest && !type;) {
            rest = next_alternative(rest, name, sizeof name);
            type = walk_runtime_static_type(runtime, NULL, name);
        }
        if (type)
            kinds->by_address[kinds->by_address_count++] = (struct walk_kind_type){type, (enum walk_kind_id)id};
    }
    qsort(kinds->by_address, kinds->by_address_count, sizeof *kinds->by_address, by_type);
    return NULL;
}

void walk_kinds_deinit(struct walk_kinds *kinds)
{
    free(kinds->members);
    free(kinds->by_address);
    kinds->members = NULL;
    kinds->by_address = NULL;
}

enum walk_kind_id walk_kinds_by_address(const struct walk_kinds *kinds, walk_addr type)
{
    struct walk_kind_type key = {.type = type};
    const struct walk_kind_type *found = bsearch(&key, kinds->by_address, kinds->by_address_count, sizeof key, by_type);
    return found ? found->kind : WALK_KIND_NONE;
}

enum walk_kind_id walk_kinds_by_name(const struct walk_kinds *kinds, const char *name)
{
    size_t length = strlen(name);
    if (strchr(name, '|'))
        return WALK_KIND_NONE;
    for (int id = 1; id < WALK_KIND_COUNT; id++)
        if (walk_is_alternative(kinds->kind[id].names, name, length))
            return (enum walk_kind_id)id;
    return WALK_KIND_NONE;
}
