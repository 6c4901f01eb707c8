/* SPDX-License-Identifier: Apache-2.0 */
/* What every object goes through: what Python code added to it, then its kind. Follows subtype_traverse(). */
#include "objects/visit.h"

#include <stdlib.h>

#include "objects/dict.h"
#include "objects/header.h"
#include "objects/holders.h"
#include "objects/omitted.h"
#include "objects/text.h"
#include "objects/traverse.h"

static walk_visitor *const visitors[WALK_KIND_COUNT] = {
    [WALK_KIND_dict] = walk_visit_dict,
    [WALK_KIND_defaultdict] = walk_visit_dict,
    [WALK_KIND_frozendict] = walk_visit_dict,
    [WALK_KIND_odict] = walk_visit_odict,
    [WALK_KIND_list] = walk_visit_list,
    [WALK_KIND_tuple] = walk_visit_tuple,
    [WALK_KIND_structseq] = walk_visit_structseq,
    [WALK_KIND_set] = walk_visit_set,
    [WALK_KIND_frozenset] = walk_visit_set,
    [WALK_KIND_deque] = walk_visit_deque,
    [WALK_KIND_lru_cache] = walk_visit_lru_cache,
    [WALK_KIND_type] = walk_visit_type,
    [WALK_KIND_module] = walk_visit_module,
    [WALK_KIND_frame] = walk_visit_frame,
    [WALK_KIND_generator] = walk_visit_generator,
    [WALK_KIND_coroutine] = walk_visit_generator,
    [WALK_KIND_async_generator] = walk_visit_generator,
    [WALK_KIND_hamt_bitmap] = walk_visit_hamt_bitmap,
    [WALK_KIND_hamt_collision] = walk_visit_hamt_collision,
    [WALK_KIND_hamt_array] = walk_visit_hamt_array,
    [WALK_KIND_teedata] = walk_visit_teedata,
    [WALK_KIND_template] = walk_visit_template,
    [WALK_KIND_code] = walk_visit_code,
    [WALK_KIND_capsule] = walk_visit_capsule,
    [WALK_KIND_methodcaller] = walk_visit_methodcaller,
};

bool walk_visit_is_special(enum walk_kind_id kind) { return visitors[kind] != NULL; }

void walk_refs_deinit(struct walk_refs *refs)
{
    free(refs->ref);
    *refs = (struct walk_refs){0};
}

bool walk_refs_grow(struct walk_refs *refs)
{
    size_t capacity = refs->capacity ? refs->capacity * 2 : 64;
    struct walk_ref *grown = realloc(refs->ref, capacity * sizeof *grown);
    if (!grown) {
        refs->no_memory = true;
        return false;
    }
    refs->ref = grown;
    refs->capacity = capacity;
    return true;
}

/* The bytes that the items of a variable-sized object fill. */
static uint64_t items_size(struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    uint64_t size = walk_text_var_size(python, object, false) * (uint64_t)type->itemsize;
    return (size + python->word - 1) / python->word * python->word;
}

static void visit_slot(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                       struct walk_slot slot, struct walk_refs *refs)
{
    uint64_t value, start = slot.after_items ? items_size(python, type, object) : 0;
    if (walk_memory_word(python->memory, object + start + (uint64_t)slot.offset, &value))
        walk_refs_add(refs, value, WALK_REF_HELD, WALK_LABEL_SLOT, slot.name);
    else
        refs->unreadable = true;
}

/* _PyObject_ComputedDictPointer(): a negative offset counts from the end of a variable-sized object. */
static walk_addr dict_pointer(const struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    int64_t offset = type->dictoffset;
    if (offset < 0) {
        bool is_int = (type->flags & WALK_TPFLAGS_LONG_SUBCLASS) != 0;
        uint64_t items = walk_text_var_size(python, object, is_int);
        uint64_t size = (uint64_t)type->basicsize + items * (uint64_t)type->itemsize;
        size = (size + python->word - 1) / python->word * python->word;
        offset += (int64_t)size;
    }
    return object + (uint64_t)offset;
}

void walk_visit_dict_pointer(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                             uint32_t flags, struct walk_refs *refs)
{
    uint64_t dict;
    if (walk_memory_word(python->memory, dict_pointer(python, type, object), &dict))
        walk_refs_add_text(refs, dict, flags, "__dict__");
    else
        refs->unreadable = true;
}

/* The inline values of 3.11 and 3.12: `count` words named by the type's cached keys. */
static void visit_values(struct walk_python *python, const struct walk_pytype *type, walk_addr values, uint64_t count,
                         uint32_t flags, struct walk_refs *refs)
{
    struct walk_dict_keys keys = {0};
    bool named = type->cached_keys && walk_dict_keys_open(python, type->cached_keys, &keys);
    if (count == UINT64_MAX)
        count = keys.count;
    const uint8_t *view = walk_memory_view(python->memory, values, count * python->word);
    if (!view) {
        refs->unreadable = true;
        return;
    }
    if (!walk_refs_afford(refs, count))
        return;
    for (uint64_t i = 0; i < count; i++) {
        walk_addr value = walk_load_word(python->word, view + i * python->word);
        walk_addr name =
            named && i < keys.count ? walk_load_word(python->word, keys.entries + i * keys.stride + keys.key_at) : 0;
        walk_refs_add(refs, value, flags, WALK_LABEL_ATTR, name);
    }
}

/* 3.13+: the values stand in the object, behind its basic part (Include/internal/pycore_object.h). */
static bool visit_inline_values(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                                uint32_t flags, struct walk_refs *refs)
{
    const struct walk_layout *layout = python->layout;
    walk_addr values = object + (uint64_t)type->basicsize;
    const uint8_t *view = walk_memory_view(python->memory, values, WALK_OFFSET(layout, dict_values, values));
    if (!view) {
        refs->unreadable = true;
        return true;
    }
    if (!view[WALK_OFFSET(layout, dict_values, valid)])
        return false;
    visit_values(python, type, values + WALK_OFFSET(layout, dict_values, values),
                 view[WALK_OFFSET(layout, dict_values, capacity)], flags, refs);
    return true;
}

static void visit_managed_dict(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                               struct walk_refs *refs)
{
    walk_addr at = walk_header_managed_dict(python, object);
    uint64_t dict = 0, values = 0;
    if (!walk_memory_word(python->memory, at, &dict) ||
        (WALK_MINOR(python) == 11 && !walk_memory_word(python->memory, at - python->word, &values))) {
        refs->unreadable = true;
        return;
    }
    if (WALK_MINOR(python) == 11) {
        if (values)
            visit_values(python, type, values, UINT64_MAX, WALK_REF_HELD, refs);
        walk_refs_add_text(refs, dict, WALK_REF_HELD, "__dict__");
    } else if (WALK_MINOR(python) == 12) {
        /* One word for both: values are marked by their lowest bit. */
        if (dict & 1)
            visit_values(python, type, dict + 1, UINT64_MAX, WALK_REF_HELD, refs);
        else
            walk_refs_add_text(refs, dict, WALK_REF_HELD, "__dict__");
    } else {
        /* Both are held; one of them is visited. */
        bool dict_first = dict && walk_python_visits_managed_dict(python);
        bool seen = (type->flags & WALK_TPFLAGS_INLINE_VALUES) &&
                    visit_inline_values(python, type, object, dict_first ? WALK_EDGE_EXTRA : WALK_REF_HELD, refs);
        walk_refs_add_text(refs, dict, seen && !dict_first ? WALK_EDGE_EXTRA : WALK_REF_HELD, "__dict__");
    }
}

static void visit_members(struct walk_python *python, const struct walk_kind *kind, walk_addr object,
                          struct walk_refs *refs)
{
    for (size_t i = 0; i < kind->member_count; i++) {
        uint64_t value;
        if (walk_memory_word(python->memory, object + kind->members[i].offset, &value))
            walk_refs_add_text(refs, value, kind->members[i].flags, kind->members[i].label);
        else
            refs->unreadable = true;
    }
}

/*
 * A type without a table: every word of the object's own part that is the address of a plausible object. The links of
 * weak references and the __dict__ are left to their own rules.
 */
static void guess(struct walk_python *python, const struct walk_pytype *type, walk_addr object, struct walk_refs *refs)
{
    unsigned word = python->word;
    uint64_t start = type->guess_from, end = (uint64_t)type->own_basicsize;
    if (type->itemsize > 0 && type->own_base == type->address && type->kind == WALK_KIND_object)
        end += walk_text_var_size(python, object, false) * (uint64_t)type->itemsize;
    uint32_t flags = WALK_EDGE_GUESS;
    if (start >= end && !walk_python_is_gc(python, type, object)) /* a static type of a metatype that adds nothing */
        return;
    refs->guessed = true;
    size_t there = walk_memory_available(python->memory, object, (size_t)end);
    const uint8_t *view = walk_memory_view(python->memory, object, there);
    refs->unreadable |= there < end;
    if (!walk_refs_afford(refs, there / word))
        return;
    for (uint64_t at = start; view && at + word <= there; at += word) {
        walk_addr target = walk_load_word(word, view + at);
        uint32_t index;
        if ((int64_t)at == type->weaklistoffset || !target || target == object)
            continue;
        if (!walk_python_guess_type_of(python, target, &index))
            continue;
        if ((int64_t)at == type->dictoffset)
            walk_refs_add_text(refs, target, flags, "__dict__");
        else
            walk_refs_add(refs, target, flags, WALK_LABEL_WORD, WALK_WORD_OF(walk_python_index(python, type), at));
    }
    /* Since 3.9 the tp_traverse of a heap type visits the type. */
    if (WALK_MINOR(python) >= 9 && (type->flags & WALK_TPFLAGS_HEAPTYPE) && (type->flags & WALK_TPFLAGS_HAVE_GC) &&
        !type->visits_type && type->kind != WALK_KIND_type)
        walk_refs_add_text(refs, type->address, flags, "__class__");
}

/*
 * An object of a heap type holds its type since 3.8 (PyObject_Init(), bpo-35810). Those that the collector never sees
 * have no tp_traverse that visits it.
 */
static bool holds_type(const struct walk_python *python, const struct walk_pytype *type)
{
    return WALK_MINOR(python) >= 8 && (type->flags & WALK_TPFLAGS_HEAPTYPE) && !(type->flags & WALK_TPFLAGS_HAVE_GC);
}

/* What the tables know. */
static void visit_by_tables(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                            struct walk_refs *refs)
{
    for (uint32_t i = 0; i < type->slot_count; i++)
        visit_slot(python, type, object, python->slots[type->first_slot + i], refs);
    if (type->managed_dict)
        visit_managed_dict(python, type, object, refs);
    else if (type->adds_dict)
        walk_visit_dict_pointer(python, type, object, WALK_REF_HELD, refs);
    if (type->visits_type)
        walk_refs_add_text(refs, type->address, 0, "__class__");
    else if (holds_type(python, type))
        walk_refs_add_text(refs, type->address, WALK_EDGE_EXTRA, "__class__");
    visit_members(python, &python->kinds.kind[type->kind], object, refs);
    if (visitors[type->kind])
        visitors[type->kind](python, type, object, refs);
    const struct walk_pygreenlet *greenlet = type->no_table ? walk_python_greenlet(python, object) : NULL;
    if (greenlet)
        walk_refs_add_text(refs, python->stack_frames[greenlet->first_frame].node, WALK_EDGE_EXTRA, "gr_frame");
}

void walk_visit_by_tables(struct walk_python *python, walk_addr object, uint32_t index, struct walk_refs *refs)
{
    struct walk_pytype type = python->types[index]; /* a copy: to visit may make new types known */
    if (!type.atomic)
        visit_by_tables(python, &type, object, refs);
}

void walk_visit_object(struct walk_python *python, walk_addr object, uint32_t index, struct walk_refs *refs)
{
    /* A copy where visiting may make new types known, which moves the table. */
    struct walk_pytype copy;
    const struct walk_pytype *type = &python->types[index];
    size_t first = refs->count;
    if (type->atomic)
        return;
    if (!python->frozen) {
        copy = *type;
        type = &copy;
    }
    visit_by_tables(python, type, object, refs);
    size_t known = refs->count;
    walk_visit_holder(python, type, object, refs);
    walk_visit_omitted(python, type, object, refs);
    bool has_gc = walk_python_is_gc(python, type, object);
    /* What is not for the collector, by its type's own word, still holds what its tp_traverse visits. */
    bool seen = has_gc && (!type->is_gc || walk_traverse_is_gc(python, type, object));
    /* What a module's state refers to, each module's own m_traverse says. */
    if (seen && walk_python_has_table(python, type) && type->kind != WALK_KIND_module)
        walk_traverse_prove(python, index, object, refs, first);
    else if (!(has_gc && walk_traverse_object(python, type, object, refs, first)) && type->no_table &&
             (seen || !type->holding.holder)) {
        refs->count = known; /* what a tp_traverse leaves out is not known without it */
        guess(python, type, object, refs);
    }
    if (!refs->run && type->kind == WALK_KIND_module)
        walk_visit_guess_state(python, object, refs, first);
    if (refs->run && python->taken_count)
        walk_visit_taken(python, type, object, refs);
    for (size_t i = first; i < refs->count && !seen; i++)
        refs->ref[i].flags |= WALK_EDGE_EXTRA;
}
