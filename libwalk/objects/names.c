/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/names.h"

#include <stdlib.h>

#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/text.h"

/*
 * Damaged dicts can claim any number of entries: how many are read of all namespaces, and of one type's; and how many
 * names are compared in all.
 */
enum { ENTRIES_MAX = 1 << 22, OFFERS_MAX = 1 << 12, COMPARED_MAX = 1 << 26, NAME_MAX_SIZE = 256, CANDIDATES_MAX = 64 };

/* A static type in the namespace of a module. */
struct binding {
    walk_addr type, module, name; /* both names are str objects; `module` is the key in sys.modules */
    size_t order;
};

struct known {
    walk_addr type;
    const char *name; /* NULL: it stays unknown */
};

struct walk_names {
    struct binding *binding; /* sorted by type; those of one type in the order of sys.modules */
    size_t binding_count, binding_capacity;
    struct known *role; /* of type_roles.def, as far as they are there */
    size_t role_count;
    struct known *asked; /* a hash table: a power of two long */
    size_t asked_count, asked_slots;
    uint64_t compared;
};

enum which { THE_TYPE, AN_OBJECT };
static const struct {
    const char *module, *name;
    enum which which;
    unsigned since;
    const char *type;
} roles[] = {
#define ROLE(module, name, which, since, type) {module, name, which, since, type},
#include "objects/type_roles.def"
#undef ROLE
};
enum { ROLES = sizeof roles / sizeof *roles };

/* What types of known builds offer; made by objects/make-type-names, sorted. A type may be in several minor versions.
 */
static const struct {
    uint32_t print;
    uint32_t minors; /* bit i: 3.i */
    const char *name;
} prints[] = {
#define PRINT(print, minors, name) {print, minors, name},
#include "objects/type_names.inc"
#undef PRINT
    {UINT32_MAX, 0, ""},
};
static const size_t print_count = sizeof prints / sizeof *prints - 1;

/* ---- what a type offers ---- */

/* tp_flags that say what a type is, not what became of it: no READY, no version tag, no abstractness. */
#define FLAGS_KEPT UINT64_C(0xff024fe0)

static uint32_t mix(uint32_t hash, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        hash = (hash ^ (value >> 8 * i & 0xff)) * 16777619; /* FNV-1a */
    return hash;
}

/* Every name counts the same wherever it stands in the dict. Fewer than these say nothing outside of CPython itself. */
enum { NAMES_FEW = 3 };

uint32_t walk_names_print(const struct walk_python *python, walk_addr type)
{
    struct walk_dict dict;
    char name[NAME_MAX_SIZE];
    const struct walk_module *module = python->runtime->module;
    walk_addr address = walk_python_type_dict(python, type), base = WALK_MEMBER(python, type, type, tp_base);
    if (!address || !walk_dict_open(python, address, &dict) || dict.keys.count > OFFERS_MAX)
        return 0;
    uint64_t sum = 0, count = 0;
    for (uint64_t i = 0; i < dict.keys.count; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &dict, i, &key, &value);
        if (!key || !value)
            continue;
        if (!walk_text_str(python, key, name, sizeof name))
            return 0;
        uint32_t hash = 2166136261;
        for (const char *c = name; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 16777619;
        sum += hash;
        count++;
    }
    if (count < NAMES_FEW && (type < module->start || type >= module->end))
        return 0;
    uint32_t hash = mix(2166136261, sum);
    hash = mix(hash, count);
    hash = mix(hash, WALK_MEMBER(python, type, type, tp_flags) & FLAGS_KEPT);
    hash = mix(hash, WALK_MEMBER(python, type, type, tp_basicsize));
    hash = mix(hash, WALK_MEMBER(python, type, type, tp_itemsize));
    hash = mix(hash, WALK_MEMBER(python, type, type, tp_dictoffset));
    hash = mix(hash, WALK_MEMBER(python, type, type, tp_weaklistoffset));
    return mix(hash, WALK_MEMBER(python, base, type, tp_basicsize)) | 1;
}

/* ---- where types are found ---- */

static bool is_static_type(const struct walk_python *python, walk_addr object)
{
    walk_addr meta = object % python->word == 0 ? walk_python_ob_type(python, object) : 0;
    return meta && meta % python->word == 0 &&
           (WALK_MEMBER(python, meta, type, tp_flags) & WALK_TPFLAGS_TYPE_SUBCLASS) &&
           walk_memory_view(python->memory, object, WALK_SIZE(python->layout, type)) &&
           !(WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE);
}

static bool add_binding(struct walk_names *names, struct binding binding)
{
    if (names->binding_count == names->binding_capacity) {
        size_t capacity = names->binding_capacity ? names->binding_capacity * 2 : 512;
        struct binding *grown = realloc(names->binding, capacity * sizeof *grown);
        if (!grown)
            return false;
        names->binding = grown;
        names->binding_capacity = capacity;
    }
    binding.order = names->binding_count;
    names->binding[names->binding_count++] = binding;
    return true;
}

/* The namespace of what sys.modules has: of modules and of objects of classes made from module. */
static walk_addr namespace_of(const struct walk_python *python, walk_addr module, walk_addr module_type)
{
    walk_addr type = walk_python_ob_type(python, module);
    if (type != module_type && WALK_MEMBER(python, type, type, tp_base) != module_type)
        return 0;
    return WALK_MEMBER(python, module, module, md_dict);
}

static void add_bindings(struct walk_python *python, struct walk_names *names)
{
    walk_addr main = walk_python_main(python);
    walk_addr sys = walk_python_module(python, main, "sys"), module_type = walk_python_ob_type(python, sys);
    struct walk_dict modules, namespace;
    uint64_t left = ENTRIES_MAX;
    if (!sys || !module_type || !walk_dict_open(python, WALK_MEMBER(python, main, interp, modules), &modules))
        return;
    for (uint64_t m = 0; m < modules.keys.count && left; m++) {
        walk_addr module_name, module, name, value;
        walk_dict_entry(python, &modules, m, &module_name, &module);
        walk_addr dict = module_name && module ? namespace_of(python, module, module_type) : 0;
        if (!dict || !walk_dict_open(python, dict, &namespace))
            continue;
        for (uint64_t i = 0; i < namespace.keys.count && left; i++, left--) {
            walk_dict_entry(python, &namespace, i, &name, &value);
            if (name && value && is_static_type(python, value) &&
                !add_binding(names, (struct binding){.type = value, .module = module_name, .name = name}))
                return;
        }
    }
}

/* "str.join": a name in the namespace, then one in the type's. */
static walk_addr find_in(struct walk_python *python, walk_addr namespace, const char *name)
{
    char first[64];
    const char *dot = strchr(name, '.');
    if (!dot)
        return walk_dict_get(python, namespace, name);
    snprintf(first, sizeof first, "%.*s", (int)(dot - name), name);
    walk_addr type = walk_dict_get(python, namespace, first);
    return type ? walk_dict_get(python, walk_python_type_dict(python, type), dot + 1) : 0;
}

static void add_roles(struct walk_python *python, struct walk_names *names)
{
    walk_addr main = walk_python_main(python), module = 0;
    for (size_t i = 0; names->role && i < ROLES; i++) {
        if (i == 0 || strcmp(roles[i].module, roles[i - 1].module) != 0)
            module = walk_python_module(python, main, roles[i].module);
        walk_addr type = find_in(python, WALK_MEMBER(python, module, module, md_dict), roles[i].name);
        if (type && roles[i].which == AN_OBJECT)
            type = walk_python_ob_type(python, type);
        if (type && roles[i].since <= WALK_MINOR(python))
            names->role[names->role_count++] = (struct known){type, roles[i].type};
    }
}

static int by_type(const void *a, const void *b)
{
    const struct binding *x = a, *y = b;
    if (x->type != y->type)
        return (x->type > y->type) - (x->type < y->type);
    return (x->order > y->order) - (x->order < y->order);
}

/* The first binding of a type; they go on as long as the type is the same. */
static const struct binding *first_binding(const struct walk_names *names, walk_addr type)
{
    size_t low = 0, high = names->binding_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->binding[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->binding_count && names->binding[low].type == type ? &names->binding[low] : NULL;
}

static const struct binding *next_binding(const struct walk_names *names, const struct binding *binding)
{
    const struct binding *next = binding + 1;
    return next < names->binding + names->binding_count && next->type == binding->type ? next : NULL;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static bool is_bound_as(const struct walk_python *python, walk_addr type, const char *name)
{
    const struct walk_names *names = python->names;
    for (const struct binding *b = first_binding(names, type); b; b = next_binding(names, b))
        if (walk_text_equals(python, b->name, name) && !walk_text_equals(python, b->module, "__main__"))
            return true;
    return false;
}

/* ---- by what it offers ---- */

static size_t first_print(uint32_t print)
{
    size_t low = 0, high = print_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (prints[middle].print < print)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The types that offer that: in this minor version, else in the nearest one. */
static size_t candidates(const struct walk_python *python, uint32_t print, const char **names)
{
    size_t count = 0;
    for (unsigned distance = 0; print && !count && distance <= WALK_NEWEST; distance++) {
        unsigned minor = WALK_MINOR(python);
        uint32_t wanted = (minor + distance < 32 ? UINT32_C(1) << (minor + distance) : 0) |
                          (minor >= distance && minor < 32 + distance ? UINT32_C(1) << (minor - distance) : 0);
        for (size_t i = first_print(print); i < print_count && prints[i].print == print && count < CANDIDATES_MAX; i++)
            if (prints[i].minors & wanted)
                names[count++] = prints[i].name;
    }
    return count;
}

static const char *role_of(const struct walk_names *names, walk_addr type)
{
    for (size_t i = 0; i < names->role_count; i++)
        if (names->role[i].type == type)
            return names->role[i].name;
    return NULL;
}

/* Another type, which offers the same (or whatever, if `print` is 0), is found under that name. */
static bool is_another(const struct walk_python *python, walk_addr type, uint32_t print, const char *name)
{
    const struct walk_names *names = python->names;
    for (size_t i = 0; i < names->role_count; i++)
        if (names->role[i].type != type && strcmp(names->role[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < names->binding_count && python->names->compared++ < COMPARED_MAX; i++)
        if (names->binding[i].type != type && walk_text_equals(python, names->binding[i].name, last_part(name)) &&
            !role_of(names, names->binding[i].type)) {
            python->names->compared += OFFERS_MAX / 16;
            if (!print || walk_names_print(python, names->binding[i].type) == print)
                return true;
        }
    return false;
}

/* A type of a library is none of CPython's core, whose names have no module. */
static size_t of_libraries(const struct walk_python *python, walk_addr type, const char **names, size_t count)
{
    const struct walk_module *module = python->runtime->module;
    size_t left = 0;
    if (type >= module->start && type < module->end)
        return count;
    for (size_t i = 0; i < count; i++)
        if (strchr(names[i], '.'))
            names[left++] = names[i];
    return left ? left : count;
}

/* What the type may be called: as it is found somewhere, else as no other type is. */
static size_t by_offer(const struct walk_python *python, walk_addr type, const char **names)
{
    const char *name[CANDIDATES_MAX];
    uint32_t print = walk_names_print(python, type);
    size_t count = of_libraries(python, type, name, candidates(python, print, name)), left = 0;
    for (size_t i = 0; i < count && count > 1; i++)
        if (is_bound_as(python, type, last_part(name[i]))) {
            names[0] = name[i];
            return 1;
        }
    /* A library's type may offer what a type of CPython's core offers in some version: that is found elsewhere. */
    const struct walk_module *module = python->runtime->module;
    bool of_library = type < module->start || type >= module->end;
    for (size_t i = 0; i < count; i++) {
        bool bare = of_library && !strchr(name[i], '.');
        if ((count == 1 && !bare) || !is_another(python, type, bare ? 0 : print, name[i]))
            names[left++] = name[i];
    }
    return left;
}

static bool same_members(const struct walk_kind *a, const struct walk_kind *b)
{
    bool same = a->member_count == b->member_count;
    for (size_t i = 0; i < a->member_count && same; i++)
        same = a->members[i].offset == b->members[i].offset && a->members[i].flags == b->members[i].flags;
    return same;
}

enum walk_kind_id walk_names_kind(struct walk_python *python, walk_addr type)
{
    const char *name[CANDIDATES_MAX];
    const struct walk_kind *kinds = python->kinds.kind;
    size_t count = python->names ? by_offer(python, type, name) : 0;
    enum walk_kind_id first = count ? walk_kinds_by_name(&python->kinds, name[0]) : WALK_KIND_NONE;
    for (size_t i = 1; i < count && first != WALK_KIND_NONE; i++) {
        enum walk_kind_id kind = walk_kinds_by_name(&python->kinds, name[i]);
        bool alike = kind != WALK_KIND_NONE &&
                     python->layout->size[kinds[kind].structure] == python->layout->size[kinds[first].structure] &&
                     same_members(&kinds[kind], &kinds[first]);
        if (!alike)
            first = WALK_KIND_NONE;
    }
    return first;
}

/* ---- by where it is found ---- */

/* Packages have their C types in a module with an underscore, and show them where they are to be used. */
static unsigned reserve_of(const char *module)
{
    unsigned parts = 1, private = module[0] == '_';
    for (const char *c = module; *c; c++) {
        parts += *c == '.';
        private += *c == '.' && c[1] == '_';
    }
    return private * 100 + parts;
}

static const char *by_binding(struct walk_python *python, walk_addr type)
{
    char module[NAME_MAX_SIZE], name[NAME_MAX_SIZE], whole[2 * NAME_MAX_SIZE + 2] = "";
    unsigned least = UINT32_MAX;
    const struct walk_names *names = python->names;
    for (const struct binding *b = first_binding(names, type); b; b = next_binding(names, b)) {
        if (!walk_text_str(python, b->module, module, sizeof module) ||
            !walk_text_str(python, b->name, name, sizeof name) || strcmp(module, "__main__") == 0)
            continue;
        bool bare = strcmp(module, "builtins") == 0 || strcmp(module, "_collections_abc") == 0;
        unsigned reserve = bare ? 0 : reserve_of(module) + 100 * (name[0] == '_');
        if (reserve >= least)
            continue;
        least = reserve;
        snprintf(whole, sizeof whole, "%s%s%s", bare ? "" : module, bare ? "" : ".", name);
    }
    return *whole ? walk_python_keep(python, whole) : NULL;
}

/* ---- all of it ---- */

static struct walk_names *open_names(struct walk_python *python)
{
    struct walk_names *names = calloc(1, sizeof *names);
    if (!names)
        return NULL;
    names->role = calloc(ROLES, sizeof *names->role);
    if (python->interpreter_count) {
        add_bindings(python, names);
        add_roles(python, names);
    }
    if (names->binding_count)
        qsort(names->binding, names->binding_count, sizeof *names->binding, by_type);
    return names;
}

/* What offers what a known type offers is not called as it happens to be found. */
static const char *recover(struct walk_python *python, walk_addr type)
{
    const char *name[CANDIDATES_MAX], *role = role_of(python->names, type);
    size_t count = candidates(python, walk_names_print(python, type), name);
    bool possible = count == 0;
    for (size_t i = 0; role && i < count; i++)
        possible |= strcmp(name[i], role) == 0;
    if (role && possible)
        return role;
    if (!count)
        return by_binding(python, type);
    return by_offer(python, type, name) == 1 ? name[0] : NULL;
}

static struct known *slot_of(struct known *slots, size_t count, walk_addr type)
{
    size_t at = (size_t)((type >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (count - 1);
    while (slots[at].type && slots[at].type != type)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool reserve_slot(struct walk_names *names)
{
    if (2 * names->asked_count < names->asked_slots)
        return true;
    size_t slots = names->asked_slots ? names->asked_slots * 2 : 512;
    struct known *grown = calloc(slots, sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; i < names->asked_slots; i++)
        if (names->asked[i].type)
            *slot_of(grown, slots, names->asked[i].type) = names->asked[i];
    free(names->asked);
    names->asked = grown;
    names->asked_slots = slots;
    return true;
}

const char *walk_names_recover(struct walk_python *python, walk_addr type)
{
    if (!python->names && !(python->names = open_names(python)))
        return NULL;
    if (!type || !reserve_slot(python->names))
        return NULL;
    struct known *known = slot_of(python->names->asked, python->names->asked_slots, type);
    if (!known->type) {
        *known = (struct known){type, recover(python, type)};
        python->names->asked_count++;
    }
    return known->name;
}

void walk_names_close(struct walk_names *names)
{
    if (!names)
        return;
    free(names->binding);
    free(names->role);
    free(names->asked);
    free(names);
}
