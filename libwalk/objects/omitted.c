/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/omitted.h"

#include <stdlib.h>

#include "objects/text.h"

/* No type has more of them. */
enum { BASES_MAX = 64, MEMBERS_MAX = 256 };
/* Include/structmember.h */
enum { T_OBJECT = 6, T_OBJECT_EX = 16 };

/* ---- once per type ---- */

bool walk_is_code_of_cpython(const struct walk_python *python, walk_addr code)
{
    const struct walk_image *image = python->runtime->image;
    for (size_t i = 0; i < image->module_count; i++) {
        const struct walk_module *module = &image->modules[i];
        if (code >= module->start && code < module->end)
            return module == python->runtime->module || strstr(module->path, "/lib-dynload/");
    }
    return false;
}

static bool is_known(const struct walk_python *python, const struct walk_pytype *info, int64_t offset)
{
    for (uint32_t i = info->first_slot; i < python->slot_count; i++)
        if (python->slots[i].offset == offset && !python->slots[i].after_items)
            return true;
    return offset == info->dictoffset || offset == info->weaklistoffset;
}

static bool is_word_of_object(const struct walk_python *python, const struct walk_pytype *info, int64_t offset)
{
    return offset >= (int64_t)WALK_SIZE(python->layout, object) && offset % (int64_t)python->word == 0 &&
           offset + (int64_t)python->word <= info->basicsize;
}

static void add_member(struct walk_python *python, struct walk_pytype *info, int64_t offset, walk_addr name)
{
    if (!is_word_of_object(python, info, offset) || is_known(python, info, offset))
        return;
    if (walk_python_add_slot(python, (struct walk_slot){.offset = offset, .name = name}))
        info->member_count++;
}

/* `python_code`: a class made by Python code, of which subtype_traverse() visits all members but those of T_OBJECT. */
static void add_members(struct walk_python *python, struct walk_pytype *info, walk_addr type, bool python_code)
{
    uint32_t stride = WALK_SIZE(python->layout, member_def);
    walk_addr members = WALK_MEMBER(python, type, type, tp_members);
    for (int i = 0; members && stride && i < MEMBERS_MAX; i++, members += stride) {
        const uint8_t *view = walk_memory_view(python->memory, members, stride);
        walk_addr name = view ? WALK_WORD(python, view, member_def, name) : 0;
        if (!name)
            return;
        uint32_t kind = walk_load_u32(view + WALK_OFFSET(python->layout, member_def, type));
        if (kind == T_OBJECT || (kind == T_OBJECT_EX && !python_code))
            add_member(python, info, WALK_SWORD(python, view, member_def, offset), name);
    }
}

/* tp_traverse of a heap type visits the type where the kind's table says so, or subtype_traverse() does. */
static bool has_class(const struct walk_python *python, const struct walk_pytype *info)
{
    const struct walk_kind *kind = &python->kinds.kind[info->kind];
    for (size_t i = 0; i < kind->member_count; i++)
        if (kind->members[i].offset == WALK_OFFSET(python->layout, object, ob_type))
            return true;
    return info->visits_type;
}

void walk_omitted_decide(struct walk_python *python, struct walk_pytype *info)
{
    bool python_code = true;
    walk_addr type = info->address, traverse = WALK_MEMBER(python, info->own_base, type, tp_traverse);
    /* A few members of CPython's own are borrowed (sqlite3's exceptions); what else it leaves out, holders.def says. */
    bool own = info->no_table && traverse && walk_is_code_of_cpython(python, traverse);
    info->first_member = python->slot_count;
    /* A holder's table has all of its members. */
    for (int i = 0; type && type != info->known_base && !info->holding.holder && !own && i < BASES_MAX; i++) {
        python_code &= type != info->own_base;
        add_members(python, info, type, python_code);
        type = WALK_MEMBER(python, type, type, tp_base);
    }
    bool c_type = info->known_base != info->own_base && (info->flags & WALK_TPFLAGS_HAVE_GC);
    /* A metatype of C has the tp_dict of `type` as __dict__: that is in the tables of the known base. */
    bool known_dict = info->known_base && walk_python_dictoffset(python, info->known_base) == info->dictoffset;
    info->omits_dict =
        c_type && info->no_table && info->dictoffset && !known_dict && !info->managed_dict && !info->adds_dict;
    /* PyObject_Init() counts it since 3.8 (bpo-35810). */
    info->omits_class =
        c_type && WALK_MINOR(python) >= 8 && (info->flags & WALK_TPFLAGS_HEAPTYPE) && !has_class(python, info);
}

/* ---- what is certain ---- */

void walk_visit_omitted(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                        struct walk_refs *refs)
{
    /* What the tables do not know may be visited; what they do not say of a known tp_traverse is not. */
    uint32_t flags = type->no_table ? WALK_REF_HELD : WALK_EDGE_EXTRA;
    for (uint32_t i = 0; i < type->member_count; i++) {
        const struct walk_slot *member = &python->slots[type->first_member + i];
        uint64_t value;
        if (walk_memory_word(python->memory, object + (uint64_t)member->offset, &value))
            walk_refs_add(refs, value, flags, WALK_LABEL_SLOT, member->name);
        else
            refs->unreadable = true;
    }
    if (type->omits_dict)
        walk_visit_dict_pointer(python, type, object, flags, refs);
    if (type->omits_class)
        walk_refs_add_text(refs, type->address, flags, "__class__");
}

/* ---- the words that were taken ---- */

/* Free-threaded builds do not count all references (deferred ones). */
bool walk_omitted_may(const struct walk_python *python, const struct walk_pytype *type)
{
    return type->no_table && (type->flags & WALK_TPFLAGS_HAVE_GC) && !WALK_FREE_THREADED(python->layout) &&
           !walk_is_code_of_cpython(python, WALK_MEMBER(python, type->own_base, type, tp_traverse));
}

static int compare(const void *a, const void *b)
{
    const struct walk_omitted_word *x = a, *y = b;
    if (x->holder != y->holder)
        return x->holder < y->holder ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

bool walk_omitted_take(struct walk_python *python, const struct walk_omitted_word *words, size_t count)
{
    struct walk_omitted_word *taken = realloc(python->taken, (python->taken_count + count) * sizeof *taken);
    if (!taken)
        return false;
    memcpy(taken + python->taken_count, words, count * sizeof *taken);
    python->taken = taken;
    python->taken_count += count;
    qsort(taken, python->taken_count, sizeof *taken, compare);
    return true;
}

void walk_visit_taken(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    size_t low = 0, high = python->taken_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (python->taken[middle].holder < object)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < python->taken_count && python->taken[low].holder == object; low++) {
        uint64_t target, offset = python->taken[low].offset;
        const uint32_t flags = WALK_EDGE_EXTRA | WALK_EDGE_GUESS;
        if (!walk_memory_word(python->memory, object + offset, &target))
            continue;
        if (offset == WALK_OFFSET(python->layout, object, ob_type))
            walk_refs_add_text(refs, target, flags, "__class__");
        else
            walk_refs_add(refs, target, flags, WALK_LABEL_WORD, WALK_WORD_OF(walk_python_index(python, type), offset));
    }
}
