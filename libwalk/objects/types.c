/* SPDX-License-Identifier: Apache-2.0 */
/* Types, decided once: which visitor their objects get and what Python code added to it (__dict__, __slots__). */
#include <inttypes.h>
#include <stdlib.h>

#include "objects/dict.h"
#include "objects/header.h"
#include "objects/holders.h"
#include "objects/names.h"
#include "objects/omitted.h"
#include "objects/ring.h"
#include "objects/text.h"
#include "objects/tracked.h"

/* No chain of bases or of metatypes is longer in a sane process. */
enum { CHAIN_MAX = 512, META_MAX = 8, STATIC_TYPES_MAX = 512 };
/* T_OBJECT_EX, Include/structmember.h: what a name in __slots__ becomes; _Py_AFTER_ITEMS of 3.15, a flag. */
enum { MEMBER_OBJECT_EX = 16, MEMBER_AFTER_ITEMS = 16 };

/* ---- the table: address of the type object -> index ---- */

static void enter(struct walk_python *python, uint32_t index)
{
    size_t at = walk_python_type_slot(python, python->types[index].address);
    while (python->type_slots[at].type)
        at = (at + 1) & (python->type_slots_size - 1);
    python->type_slots[at] = (struct walk_type_slot){python->types[index].address, index};
}

static bool reserve(struct walk_python *python)
{
    if (python->type_count < python->type_capacity)
        return true;
    uint32_t capacity = python->type_capacity ? python->type_capacity * 2 : 512;
    struct walk_pytype *types = realloc(python->types, capacity * sizeof *types);
    if (!types)
        return false;
    python->types = types;
    struct walk_type_slot *slots = calloc((size_t)capacity * 4, sizeof *slots);
    if (!slots)
        return false;
    python->type_capacity = capacity; /* once there is room for all that goes with them */
    free(python->type_slots);
    python->type_slots = slots;
    python->type_slots_size = (size_t)capacity * 4;
    for (uint32_t i = 0; i < python->type_count; i++)
        enter(python, i);
    return true;
}

/* ---- is it a type? ---- */

static uint64_t flags_of(const struct walk_python *python, const uint8_t *view)
{
    return WALK_WORD(python, view, type, tp_flags);
}

/* A type object is one whose type is `type` or a subclass of it, and whose sizes make sense. */
static bool plausible(const struct walk_python *python, walk_addr type, int depth)
{
    const uint8_t *view = walk_memory_view(python->memory, type, WALK_SIZE(python->layout, type));
    if (!view || type % python->word)
        return false;
    int64_t basic = WALK_SWORD(python, view, type, tp_basicsize), item = WALK_SWORD(python, view, type, tp_itemsize);
    if (basic < 0 || basic > 1 << 24 || item < 0 || item > 1 << 24)
        return false;
    walk_addr meta = WALK_WORD(python, view, object, ob_type);
    if (meta == python->runtime->type_type)
        return true;
    const uint8_t *meta_view = walk_memory_view(python->memory, meta, WALK_SIZE(python->layout, type));
    return depth > 0 && meta_view && (flags_of(python, meta_view) & WALK_TPFLAGS_TYPE_SUBCLASS) &&
           plausible(python, meta, depth - 1);
}

bool walk_python_is_type(const struct walk_python *python, walk_addr type) { return plausible(python, type, META_MAX); }

/* ---- names ---- */

/* A heap type has its names in the heap: the bare one, and __module__ in its dict. */
static bool heap_type_name(const struct walk_python *python, walk_addr type, char *name, size_t size)
{
    char module[256];
    size_t length = 0;
    walk_addr module_name = walk_dict_get(python, walk_python_type_dict(python, type), "__module__");
    if (module_name && walk_text_str(python, module_name, module, sizeof module) && strcmp(module, "builtins") != 0)
        length = (size_t)snprintf(name, size, "%s.", module);
    name[length] = '\0';
    return walk_text_str(python, WALK_MEMBER(python, type, heap_type, ht_qualname), name + length, size - length) &&
           name[0];
}

/* tp_name of a static type is "module.name", in the read-only data of the file. */
static enum walk_naming name_of(struct walk_python *python, walk_addr type, char *name, size_t size)
{
    const char *known;
    enum walk_naming naming = WALK_NAMED;
    if ((WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE) && heap_type_name(python, type, name, size))
        return naming;
    if ((known = walk_runtime_type_name(python->runtime, type))) {
        snprintf(name, size, "%s", known);
    } else if (!walk_text_c_string(python, WALK_MEMBER(python, type, type, tp_name), name, size)) {
        known = walk_names_recover(python, type);
        naming = known ? WALK_NAME_RECOVERED : WALK_NAME_UNKNOWN;
        if (known)
            snprintf(name, size, "%s", known);
        else
            snprintf(name, size, "type@0x%" PRIx64, type);
    }
    if (strncmp(name, "builtins.", 9) == 0)
        memmove(name, name + 9, strlen(name + 9) + 1);
    return naming;
}

/* ---- what Python code adds: __slots__ ---- */

bool walk_python_add_slot(struct walk_python *python, struct walk_slot slot)
{
    if (python->slot_count == python->slot_capacity) {
        uint32_t capacity = python->slot_capacity ? python->slot_capacity * 2 : 256;
        struct walk_slot *slots = realloc(python->slots, capacity * sizeof *slots);
        if (!slots)
            return false;
        python->slots = slots;
        python->slot_capacity = capacity;
    }
    python->slots[python->slot_count++] = slot;
    return true;
}

/* The PyMemberDefs of a heap type stand behind it, at its metatype's tp_basicsize, ob_size of them. */
static void add_slots(struct walk_python *python, walk_addr type, struct walk_pytype *info)
{
    const struct walk_layout *layout = python->layout;
    walk_addr meta = walk_python_ob_type(python, type);
    uint64_t count = WALK_MEMBER(python, type, var_object, ob_size);
    uint32_t stride = WALK_SIZE(layout, member_def);
    /* Each fills a word of the object. */
    if (!count || !stride || info->slot_count + count > (uint64_t)info->basicsize / python->word)
        return;
    const uint8_t *view =
        walk_memory_view(python->memory, type + WALK_MEMBER(python, meta, type, tp_basicsize), count * stride);
    for (uint64_t i = 0; view && i < count; i++, view += stride) {
        if (walk_load_u32(view + WALK_OFFSET(layout, member_def, type)) != MEMBER_OBJECT_EX)
            continue;
        uint32_t flags = walk_load_u32(view + WALK_OFFSET(layout, member_def, flags));
        struct walk_slot slot = {.offset = WALK_SWORD(python, view, member_def, offset),
                                 .after_items = WALK_MINOR(python) >= 15 && (flags & MEMBER_AFTER_ITEMS),
                                 .name = WALK_WORD(python, view, member_def, name)};
        if (!walk_python_add_slot(python, slot))
            return;
        info->slot_count++;
    }
}

/* ---- which kind ---- */

/*
 * A class of the same name in another extension is not it: the size must be the structure's. Of CPython's own types a
 * few allocate less than their structure (frames and generators, by what their code needs).
 */
static bool has_size_of(const struct walk_python *python, walk_addr type, enum walk_kind_id kind)
{
    const struct walk_module *module = python->runtime->module;
    uint64_t size = python->layout->size[python->kinds.kind[kind].structure];
    uint64_t basic = WALK_MEMBER(python, type, type, tp_basicsize);
    bool own = type >= module->start && type < module->end &&
               !(WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE);
    return own || !size || (basic <= size && size - basic <= 2 * python->word);
}

static enum walk_kind_id kind_of(struct walk_python *python, walk_addr type)
{
    const struct walk_layout *layout = python->layout;
    uint64_t basic = WALK_MEMBER(python, type, type, tp_basicsize),
             items = WALK_MEMBER(python, type, type, tp_itemsize);
    char name[WALK_NAME_MAX];
    enum walk_kind_id kind = walk_kinds_by_address(&python->kinds, type);
    bool by_name = kind == WALK_KIND_NONE, fits = true;
    if (by_name) {
        if (name_of(python, type, name, sizeof name) == WALK_NAME_UNKNOWN)
            return walk_names_kind(python, type);
        kind = walk_kinds_by_name(&python->kinds, name);
        fits = has_size_of(python, type, kind);
    }
    enum walk_struct structure = python->kinds.kind[kind].structure;
    /* Nor is one of which another version has another structure. Coroutines have more than a generator. */
    if (python->runtime->other_version && structure != WALK_STRUCT_generator)
        fits &= walk_layout_fits(layout, python->word, structure, basic, items);
    return fits ? kind : WALK_KIND_NONE;
}

/*
 * The kind of the first base with a traverse of its own. A type that inherits its tp_traverse (exceptions, bool) is
 * visited as the base that it inherits from; a type without any holds what its nearest known base holds. Of a type with
 * an unknown traverse the part that a known base laid out is exact, and what stands behind it is guessed.
 */
static void find_kind(struct walk_python *python, struct walk_pytype *info)
{
    walk_addr type = info->own_base;
    uint64_t traverse = info->flags & WALK_TPFLAGS_HAVE_GC ? WALK_MEMBER(python, type, type, tp_traverse) : 0;
    char name[512];
    info->kind = WALK_KIND_NONE;
    struct walk_ring ring = {0};
    for (int i = 0; type && i < CHAIN_MAX && !walk_ring_closed(&ring, type); i++) {
        walk_addr base = WALK_MEMBER(python, type, type, tp_base);
        uint64_t basic = WALK_MEMBER(python, type, type, tp_basicsize);
        info->kind = kind_of(python, type);
        if (info->kind == WALK_KIND_NONE && base == python->tuple_type &&
            WALK_MEMBER(python, base, type, tp_traverse) != traverse)
            info->kind = WALK_KIND_structseq;
        if (info->kind != WALK_KIND_NONE) {
            info->guess_from = info->no_table ? basic : 0;
            info->known_base = type;
            return;
        }
        if (!info->holding.holder && name_of(python, type, name, sizeof name) != WALK_NAME_UNKNOWN)
            walk_holder_find(python, name, basic, &info->holding);
        info->no_table |= traverse ? WALK_MEMBER(python, base, type, tp_traverse) != traverse
                                   : !info->holding.holder && WALK_MEMBER(python, base, type, tp_basicsize) != basic;
        type = base;
    }
    info->no_table = true;
    info->guess_from = WALK_SIZE(python->layout, object);
}

static bool is_atomic(const struct walk_python *python, const struct walk_pytype *info)
{
    if ((info->flags & WALK_TPFLAGS_HEAPTYPE) || info->holding.count || info->holding.visits || info->member_count)
        return false;
    switch (info->kind) {
    case WALK_KIND_none:
    case WALK_KIND_ellipsis:
    case WALK_KIND_not_implemented:
    case WALK_KIND_int:
    case WALK_KIND_bool:
    case WALK_KIND_float:
    case WALK_KIND_complex:
    case WALK_KIND_str:
    case WALK_KIND_bytes:
    case WALK_KIND_bytearray:
    case WALK_KIND_object:
        return info->own_base == info->address && !info->no_table && python->kinds.kind[info->kind].member_count == 0;
    default:
        return false;
    }
}

/*
 * A structseq has more fields than ob_size counts: its type's dict says how many, or (3.13+) the room that its
 * tp_basicsize has for hidden ones (Objects/structseq.c, REAL_SIZE).
 */
static uint64_t structseq_fields(const struct walk_python *python, walk_addr type)
{
    int64_t fields;
    walk_addr number = walk_dict_get(python, walk_python_type_dict(python, type), "n_fields");
    return number && walk_text_small_int(python, number, &fields) && fields >= 0 && fields < 1 << 16 ? (uint64_t)fields
                                                                                                     : 0;
}

/* Follows subtype_traverse() of Objects/typeobject.c: what it visits for the objects of this type. */
static void decide(struct walk_python *python, struct walk_pytype *info)
{
    walk_addr type = info->address;
    info->first_slot = python->slot_count;
    for (int i = 0; i < CHAIN_MAX && WALK_MEMBER(python, type, type, tp_traverse) == python->subtype_traverse &&
                    python->subtype_traverse;
         i++) {
        add_slots(python, type, info);
        type = WALK_MEMBER(python, type, type, tp_base);
    }
    uint64_t own_flags = WALK_MEMBER(python, type, type, tp_flags);
    uint64_t traverse = WALK_MEMBER(python, type, type, tp_traverse);
    bool by_subtype = type != info->address;
    info->own_base = type;
    /* No base is larger than what derives from it; a damaged one may say so. */
    uint64_t own_basicsize = WALK_MEMBER(python, type, type, tp_basicsize);
    info->own_basicsize = own_basicsize < (uint64_t)info->basicsize ? (int64_t)own_basicsize : info->basicsize;
    find_kind(python, info);
    /* Up to 3.8 always; since 3.9 the traverse of a base on the heap visits the type itself. */
    info->visits_type = by_subtype && (info->flags & WALK_TPFLAGS_HEAPTYPE) &&
                        (WALK_MINOR(python) < 9 || !traverse || !(own_flags & WALK_TPFLAGS_HEAPTYPE));
    info->managed_dict = WALK_MINOR(python) >= 11 && (info->flags & WALK_TPFLAGS_MANAGED_DICT);
    info->adds_dict = !info->managed_dict && info->dictoffset && by_subtype &&
                      info->dictoffset != walk_python_dictoffset(python, type);
    walk_omitted_decide(python, info);
    if (info->kind == WALK_KIND_structseq)
        info->fields = structseq_fields(python, type);
    info->atomic = is_atomic(python, info);
}

/* Of one that is not known yet. */
static __attribute__((noinline)) bool learn(struct walk_python *python, walk_addr type, uint32_t *index)
{
    if (!walk_python_is_type(python, type))
        return false;
    if (python->frozen) {
        python->missed = true;
        return false;
    }
    if (!reserve(python))
        return false;
    const uint8_t *view = walk_memory_view(python->memory, type, WALK_SIZE(python->layout, type));
    struct walk_pytype info = {.address = type,
                               .metatype = WALK_WORD(python, view, object, ob_type),
                               .basicsize = WALK_SWORD(python, view, type, tp_basicsize),
                               .itemsize = WALK_SWORD(python, view, type, tp_itemsize),
                               .dictoffset = WALK_SWORD(python, view, type, tp_dictoffset),
                               .weaklistoffset = WALK_SWORD(python, view, type, tp_weaklistoffset),
                               .flags = flags_of(python, view),
                               .traverse = WALK_WORD(python, view, type, tp_traverse),
                               .base = WALK_WORD(python, view, type, tp_base),
                               .is_gc = WALK_WORD(python, view, type, tp_is_gc)};
    if (info.is_gc == WALK_MEMBER(python, python->runtime->type_type, type, tp_is_gc))
        info.is_gc = 0;
    if (info.flags & WALK_TPFLAGS_HEAPTYPE)
        info.cached_keys = WALK_MEMBER(python, type, heap_type, ht_cached_keys);
    info.head = walk_header_front(python, info.flags);
    char name[WALK_NAME_MAX];
    info.naming = name_of(python, type, name, sizeof name);
    if (!(info.name = walk_python_keep(python, name)))
        return false;
    decide(python, &info);
    *index = python->type_count++;
    python->types[*index] = info;
    enter(python, *index);
    return true;
}

bool walk_python_type(struct walk_python *python, walk_addr type, uint32_t *index)
{
    return walk_python_known_type(python, type, index) || learn(python, type, index);
}

bool walk_python_class_type(struct walk_python *python, uint32_t class, uint32_t *index)
{
    return walk_python_type(python, python->classes.class[class].type, index);
}

bool walk_python_is_likely(const struct walk_python *python, walk_addr address)
{
    const uint8_t *view = address & (python->word - 1)
                              ? NULL
                              : walk_memory_view(python->memory, address, WALK_SIZE(python->layout, object));
    return view && walk_header_plausible(python, view);
}

bool walk_python_type_of(struct walk_python *python, walk_addr address, uint32_t *index)
{
    if (address & (python->word - 1))
        return false;
    const uint8_t *view = walk_memory_view(python->memory, address, WALK_SIZE(python->layout, object));
    return view && walk_header_plausible(python, view) &&
           walk_python_type(python, WALK_WORD(python, view, object, ob_type), index);
}

/*
 * 3.12+: a static builtin type's tp_dict is NULL and tp_subclasses is 1 + its index in an array of each interpreter;
 * since 3.13 static types of extensions have an array of their own (Objects/typeobject.c,
 * managed_static_type_state_get()).
 */
static walk_addr static_state(const struct walk_python *python, walk_addr interpreter, walk_addr type)
{
    static const enum walk_field arrays[] = {WALK_FIELD_interp_static_types, WALK_FIELD_interp_static_ext_types};
    const struct walk_layout *layout = python->layout;
    uint64_t index = WALK_MEMBER(python, type, type, tp_subclasses) - 1;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && index < STATIC_TYPES_MAX; i++) {
        if (layout->offset[arrays[i]] == WALK_ABSENT)
            continue;
        walk_addr state = interpreter + (uint32_t)layout->offset[arrays[i]] + index * WALK_SIZE(layout, static_type);
        if (WALK_MEMBER(python, state, static_type, type) == type)
            return state;
    }
    return 0;
}

/* The main interpreter's answer, where each has its own. */
walk_addr walk_python_type_dict(const struct walk_python *python, walk_addr type)
{
    walk_addr dict = WALK_MEMBER(python, type, type, tp_dict);
    return dict ? dict : WALK_MEMBER(python, static_state(python, walk_python_main(python), type), static_type, dict);
}

walk_addr walk_python_type_subclasses(const struct walk_python *python, walk_addr type)
{
    walk_addr state = static_state(python, walk_python_main(python), type);
    return state ? WALK_MEMBER(python, state, static_type, subclasses) : WALK_MEMBER(python, type, type, tp_subclasses);
}

bool walk_python_static_type(const struct walk_python *python, walk_addr interpreter, size_t index, bool extension,
                             struct walk_static_type *found)
{
    const struct walk_layout *layout = python->layout;
    int32_t array = layout->offset[extension ? WALK_FIELD_interp_static_ext_types : WALK_FIELD_interp_static_types];
    if (array == WALK_ABSENT || index >= STATIC_TYPES_MAX)
        return false;
    walk_addr state = interpreter + (uint32_t)array + index * WALK_SIZE(layout, static_type);
    *found = (struct walk_static_type){.type = WALK_MEMBER(python, state, static_type, type),
                                       .dict = WALK_MEMBER(python, state, static_type, dict),
                                       .subclasses = WALK_MEMBER(python, state, static_type, subclasses)};
    return WALK_MEMBER(python, found->type, type, tp_subclasses) == index + 1;
}

bool walk_python_is_gc(const struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    if (!(type->flags & WALK_TPFLAGS_HAVE_GC))
        return false;
    return type->kind != WALK_KIND_type || (WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE);
}

bool walk_python_guess_type_of(struct walk_python *python, walk_addr word, uint32_t *index)
{
    return walk_python_type_of(python, word, index) &&
           (!walk_python_is_gc(python, &python->types[*index], word) || walk_header_linked(python, word));
}

/* ---- subtype_traverse ---- */

/* Types that have voted, and what they voted for. */
enum { VOTERS = 1 << 12, CANDIDATES = 256 };
struct election {
    const struct walk_python *python;
    walk_addr voter[VOTERS]; /* a hash table */
    size_t voter_count;
    struct {
        walk_addr traverse;
        size_t votes;
    } candidate[CANDIDATES];
    size_t count, best;
};

/* False: it has voted before, or there is no room for more. */
static bool register_voter(struct election *election, walk_addr type)
{
    if (2 * election->voter_count >= VOTERS)
        return false;
    size_t at = (size_t)((type >> 3) * 0x9e3779b97f4a7c15u >> 20) % VOTERS;
    while (election->voter[at] && election->voter[at] != type)
        at = (at + 1) % VOTERS;
    if (election->voter[at] == type)
        return false;
    election->voter[at] = type;
    election->voter_count++;
    return true;
}

static void vote(void *context, walk_addr type)
{
    struct election *election = context;
    const struct walk_python *python = election->python;
    if (!register_voter(election, type) || !(WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE))
        return;
    walk_addr traverse = WALK_MEMBER(python, type, type, tp_traverse);
    size_t at = 0;
    while (at < election->count && election->candidate[at].traverse != traverse)
        at++;
    if (at == election->count && (at == CANDIDATES || !traverse))
        return;
    if (at == election->count)
        election->candidate[election->count++].traverse = traverse;
    if (++election->candidate[at].votes > election->candidate[election->best].votes)
        election->best = at;
}

/*
 * Nearly every heap type that the collector manages is a class that Python code made, and these share one tp_traverse.
 * It is a static function without a symbol in a stripped build, so it is elected: by the heap types among the tracked
 * objects and by the types of these. (Free-threaded builds of 3.13 untrack all classes when the first thread is made.)
 */
struct walk_error *walk_python_learn_traverse(struct walk_python *python)
{
    struct election *election = calloc(1, sizeof *election);
    if (!election)
        return walk_error_no_memory();
    election->python = python;
    for (uint32_t i = 0; i < python->classes.count; i++)
        if (python->classes.class[i].count && python->classes.class[i].type)
            vote(election, python->classes.class[i].type);
    walk_tracked_types(python, vote, election);
    python->subtype_traverse = election->count ? election->candidate[election->best].traverse : 0;
    free(election);
    return NULL;
}
