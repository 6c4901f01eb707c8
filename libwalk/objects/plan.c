/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/plan.h"

#include <stdlib.h>

#include "objects/copy.h"
#include "objects/dict.h"
#include "objects/header.h"
#include "objects/ring.h"
#include "objects/size.h"
#include "objects/traverse.h"
#include "objects/visit.h"

/* A word of an object is 8 bytes here; how far from its address one may be. */
enum { WORD = 8, OFFSET_MAX = 1 << 20 };

/* ---- making ---- */

static bool add_word(struct walk_plan *plan, int64_t offset, bool mark)
{
    if (offset < 0 || offset > OFFSET_MAX)
        return false;
    plan->word[plan->word_count++] = (struct walk_plan_word){(int32_t)offset, mark};
    if ((uint64_t)offset + WORD > plan->extent)
        plan->extent = (uint32_t)offset + WORD;
    return true;
}

static enum walk_plan_array array_of(enum walk_kind_id kind, bool *other)
{
    *other = false;
    switch (kind) {
    case WALK_KIND_list:
        return WALK_PLAN_LIST;
    case WALK_KIND_tuple:
        return WALK_PLAN_TUPLE;
    case WALK_KIND_set:
    case WALK_KIND_frozenset:
        return WALK_PLAN_SET;
    case WALK_KIND_dict:
    case WALK_KIND_defaultdict:
    case WALK_KIND_frozendict:
        return WALK_PLAN_DICT;
    case WALK_KIND_odict:
        return WALK_PLAN_ODICT;
    case WALK_KIND_deque:
        return WALK_PLAN_DEQUE;
    default:
        *other = walk_visit_is_special(kind);
        return WALK_PLAN_NO_ARRAY;
    }
}

/* Whether words and an array are all that there is. A type that is atomic has neither. */
static bool is_plain(const struct walk_python *python, const struct walk_pytype *type)
{
    return python->word == WORD && (type->flags & WALK_TPFLAGS_HAVE_GC) && walk_python_has_table(python, type) &&
           type->kind != WALK_KIND_type && type->kind != WALK_KIND_module && !type->is_gc && !type->atomic &&
           !walk_traverse_wants_proof(python, type, 0) && !type->holding.count && !type->holding.visits &&
           !type->holding.holder && !type->member_count && !type->omits_dict && !type->omits_class;
}

static bool add_slots(struct walk_plan *plan, const struct walk_python *python, const struct walk_pytype *type)
{
    for (uint32_t i = 0; i < type->slot_count; i++) {
        const struct walk_slot *slot = &python->slots[type->first_slot + i];
        if (slot->after_items || !add_word(plan, slot->offset, false))
            return false;
    }
    return !type->adds_dict || type->managed_dict || add_word(plan, type->dictoffset, false);
}

static bool add_members(struct walk_plan *plan, const struct walk_kind *kind)
{
    for (size_t i = 0; i < kind->member_count; i++) {
        uint32_t flags = kind->members[i].flags;
        if (flags & WALK_EDGE_WEAK)
            continue;
        if ((flags & ~(uint32_t)WALK_EDGE_EXTRA) || !add_word(plan, kind->members[i].offset, flags != 0))
            return false;
    }
    return true;
}

/* False: values would be so far from the object that the type must be damaged. */
static bool plan_managed_dict(struct walk_plan *plan, const struct walk_python *python, const struct walk_pytype *type)
{
    struct walk_dict_keys keys;
    plan->managed_dict = true;
    plan->front = (uint32_t)(0 - walk_header_managed_dict(python, 0)) + (WALK_MINOR(python) == 11 ? WORD : 0);
    if (WALK_MINOR(python) <= 12 && type->cached_keys && walk_dict_keys_open(python, type->cached_keys, &keys))
        plan->values = keys.count;
    if (WALK_MINOR(python) < 13 || !(type->flags & WALK_TPFLAGS_INLINE_VALUES))
        return true;
    if (type->basicsize < 0 || type->basicsize > OFFSET_MAX)
        return false;
    uint32_t end = (uint32_t)type->basicsize + WALK_OFFSET(python->layout, dict_values, values);
    plan->extent = plan->extent > end ? plan->extent : end;
    return true;
}

/*
 * The words of the object that its array is read by; the first one says where it stands, but that of a tuple, whose
 * items are in it. False: this layout has not all of them.
 */
static bool plan_array(struct walk_plan *plan, const struct walk_python *python)
{
    static const struct {
        unsigned count;
        enum walk_field field[3];
    } arrays[] = {
        [WALK_PLAN_NO_ARRAY] = {0, {0}},
        [WALK_PLAN_LIST] = {3, {WALK_FIELD_list_ob_item, WALK_FIELD_var_object_ob_size, WALK_FIELD_list_allocated}},
        [WALK_PLAN_TUPLE] = {1, {WALK_FIELD_var_object_ob_size}},
        [WALK_PLAN_SET] = {2, {WALK_FIELD_set_table, WALK_FIELD_set_mask}},
        [WALK_PLAN_DICT] = {2, {WALK_FIELD_dict_ma_keys, WALK_FIELD_dict_ma_values}},
        [WALK_PLAN_ODICT] = {3, {WALK_FIELD_dict_ma_keys, WALK_FIELD_dict_ma_values, WALK_FIELD_odict_od_first}},
        [WALK_PLAN_DEQUE] = {3,
                             {WALK_FIELD_deque_leftblock, WALK_FIELD_deque_leftindex, WALK_FIELD_var_object_ob_size}}};
    for (unsigned i = 0; i < arrays[plan->array].count; i++) {
        int32_t offset = python->layout->offset[arrays[plan->array].field[i]];
        if (offset < 0 || offset > OFFSET_MAX)
            return false;
        plan->extent = plan->extent > (uint32_t)offset + WORD ? plan->extent : (uint32_t)offset + WORD;
    }
    if (plan->array != WALK_PLAN_NO_ARRAY && plan->array != WALK_PLAN_TUPLE)
        plan->array_at = python->layout->offset[arrays[plan->array].field[0]];
    else if (plan->managed_dict && WALK_MINOR(python) <= 12)
        plan->array_at = -(int32_t)plan->front; /* the values */
    return plan->array != WALK_PLAN_DEQUE ||
           (WALK_HAS(python->layout, deque_block, data) && WALK_HAS(python->layout, deque_block, rightlink));
}

static void plan_size(struct walk_plan *plan, const struct walk_pytype *type)
{
    bool fixed = plan->own.kind == WALK_OWN_FIXED;
    bool by_array = plan->array != WALK_PLAN_NO_ARRAY && plan->array < WALK_PLAN_ODICT &&
                    (plan->array != WALK_PLAN_TUPLE || type->itemsize == WORD) &&
                    (plan->array == WALK_PLAN_TUPLE || !type->itemsize);
    plan->sized = fixed || by_array;
    if (fixed)
        plan->size = plan->own.size;
    else if (by_array)
        plan->size = (uint64_t)type->basicsize + type->head;
}

bool walk_plan_make(struct walk_plan *plan, struct walk_python *python, const struct walk_pytype *type)
{
    const struct walk_kind *kind = &python->kinds.kind[type->kind];
    bool other;
    walk_plan_deinit(plan);
    *plan = (struct walk_plan){
        .state = WALK_PLAN_NONE, .array = array_of(type->kind, &other), .own = walk_own_size_of(python, type)};
    if (type->atomic) {
        plan->array = WALK_PLAN_NO_ARRAY;
        plan->leaf = plan->own.kind >= WALK_OWN_FIXED && !(type->flags & WALK_TPFLAGS_HAVE_GC);
        plan->state = WALK_PLAN_MADE;
        return true;
    }
    if (other || !is_plain(python, type))
        return true;
    plan->word = malloc((type->slot_count + kind->member_count + 1) * sizeof *plan->word);
    if (!plan->word)
        return false;
    plan->extent = WALK_SIZE(python->layout, object);
    if (!add_slots(plan, python, type))
        return true;
    plan->slots = plan->word_count;
    plan->visits_type = type->visits_type;
    if (!add_members(plan, kind))
        return true;
    if (type->managed_dict && !plan_managed_dict(plan, python, type))
        return true;
    if (!plan_array(plan, python))
        return true;
    plan_size(plan, type);
    plan->state = WALK_PLAN_MADE;
    return true;
}

void walk_plan_deinit(struct walk_plan *plan)
{
    free(plan->word);
    *plan = (struct walk_plan){.state = WALK_PLAN_UNMADE};
}

/* ---- visiting ---- */

/* What is left for later; a note has it and how many it has of them. */
enum far_kind { FAR_WORDS, FAR_SET, FAR_DICT };
enum { FAR_KIND_BITS = 2 };

static inline void add(struct walk_planned *visit, walk_addr target, uint64_t mark)
{
    *visit->to = target | mark;
    visit->to += target != 0;
    visit->bits |= target;
}

static inline bool has_room(const struct walk_planned *visit, uint64_t count)
{
    return count <= visit->words && count < (uint64_t)(visit->end - visit->to);
}

/* Whether an array could be left for later, since it is not in the window. */
static inline bool is_outside(const struct walk_planned *visit, walk_addr at)
{
    const struct walk_memory *memory = visit->python->memory;
    return memory->window.size && !walk_memory_in_window(memory, at, 1);
}

/*
 * Whether an array that is outside is left for later. One per object: where there are two, the second one is visited as
 * it is. `size`: bytes that are there, if it is.
 */
static bool leave(struct walk_planned *visit, enum far_kind kind, walk_addr at, uint64_t count, uint64_t size)
{
    if (visit->whole || visit->far.at || !walk_memory_view(visit->python->memory, at, size))
        return false;
    visit->far.at = at;
    visit->far.note = (uint32_t)(count << FAR_KIND_BITS) | kind;
    visit->far.targets = (size_t)(visit->to - visit->start);
    return true;
}

/* Words that stand beside each other; those that are 0 are none. */
static bool add_array(struct walk_planned *visit, walk_addr items, uint64_t count, uint64_t mark)
{
    if (!count)
        return true;
    if (!has_room(visit, count))
        return false;
    if (!mark && is_outside(visit, items) && leave(visit, FAR_WORDS, items, count, count * WORD))
        return true;
    const uint8_t *view = walk_memory_view(visit->python->memory, items, count * WORD);
    if (!view)
        return false;
    visit->words -= count;
    for (uint64_t i = 0; i < count; i++)
        add(visit, walk_load_u64(view + i * WORD), mark);
    return true;
}

static inline void add_words(struct walk_planned *visit, const struct walk_plan *plan, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        add(visit, walk_load_u64(visit->view + plan->word[i].offset), plan->word[i].mark ? WALK_PLAN_MARK : 0);
}

/* As visit_managed_dict() of visit.c. */
static bool add_managed_dict(struct walk_planned *visit, const struct walk_plan *plan, const struct walk_pytype *type,
                             walk_addr object)
{
    const struct walk_python *python = visit->python;
    const uint8_t *at = visit->view + (int64_t)walk_header_managed_dict(python, 0);
    walk_addr dict = walk_load_u64(at);
    if (WALK_MINOR(python) == 11) {
        walk_addr values = walk_load_u64(at - WORD);
        if (values && !add_array(visit, values, plan->values, 0))
            return false;
        add(visit, dict, 0);
        return true;
    }
    if (WALK_MINOR(python) == 12) {
        if (dict & 1)
            return add_array(visit, dict + 1, plan->values, 0);
        add(visit, dict, 0);
        return true;
    }
    bool dict_first = dict && walk_python_visits_managed_dict(python), seen = false;
    if (type->flags & WALK_TPFLAGS_INLINE_VALUES) {
        const uint8_t *values = visit->view + type->basicsize;
        seen = values[WALK_OFFSET(python->layout, dict_values, valid)];
        uint8_t capacity = values[WALK_OFFSET(python->layout, dict_values, capacity)];
        walk_addr items = object + (uint64_t)type->basicsize + WALK_OFFSET(python->layout, dict_values, values);
        if (seen && !add_array(visit, items, capacity, dict_first ? WALK_PLAN_MARK : 0))
            return false;
    }
    add(visit, dict, seen && !dict_first ? WALK_PLAN_MARK : 0);
    return true;
}

static bool add_list(struct walk_planned *visit)
{
    const struct walk_python *python = visit->python;
    visit->size += WALK_WORD(python, visit->view, list, allocated) * WORD;
    return add_array(visit, WALK_WORD(python, visit->view, list, ob_item),
                     WALK_WORD(python, visit->view, var_object, ob_size), 0);
}

static bool add_tuple(struct walk_planned *visit, walk_addr object)
{
    const struct walk_python *python = visit->python;
    uint64_t count = WALK_WORD(python, visit->view, var_object, ob_size);
    visit->size += count * WORD;
    return add_array(visit, object + WALK_OFFSET(python->layout, tuple, ob_item), count, 0);
}

/* Of a set: a key and its hash. */
enum { ENTRY = 2 * WORD };

static bool add_entries(struct walk_planned *visit, walk_addr table, uint64_t slots)
{
    const uint8_t *view = walk_memory_view(visit->python->memory, table, slots * ENTRY);
    if (!view)
        return false;
    visit->words -= slots;
    for (uint64_t i = 0; i < slots; i++) {
        walk_addr key = walk_load_u64(view + i * ENTRY);
        add(visit, walk_load_u64(view + i * ENTRY + WORD) != UINT64_MAX ? key : 0, 0);
    }
    return true;
}

/* As walk_visit_set(). */
static bool add_set(struct walk_planned *visit, walk_addr object)
{
    const struct walk_python *python = visit->python;
    walk_addr table = WALK_WORD(python, visit->view, set, table);
    uint64_t slots = WALK_WORD(python, visit->view, set, mask) + 1;
    if (!has_room(visit, slots) || !slots)
        return false;
    if (table != object + WALK_OFFSET(python->layout, set, smalltable))
        visit->size += slots * ENTRY;
    return (is_outside(visit, table) && leave(visit, FAR_SET, table, slots, slots * ENTRY)) ||
           add_entries(visit, table, slots);
}

/* As walk_visit_dict(). `values`: 0: they are in the keys. */
static bool add_keys(struct walk_planned *visit, walk_addr keys, walk_addr values)
{
    const struct walk_python *python = visit->python;
    struct walk_dict dict;
    if (!walk_dict_open_keys(python, keys, values, &dict) || !has_room(visit, 2 * dict.keys.count))
        return false;
    visit->words -= dict.keys.count;
    uint64_t key_mark = dict.keys.general ? 0 : WALK_PLAN_MARK;
    uint64_t value_mark = dict.embedded && !walk_python_visits_managed_dict(python) ? WALK_PLAN_MARK : 0;
    for (uint64_t i = 0; i < dict.keys.count; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &dict, i, &key, &value);
        add(visit, value, value_mark);
        add(visit, value ? key : 0, key_mark);
    }
    visit->size += walk_size_of_dict(python, &dict);
    return true;
}

/* Where the values stand elsewhere the keys are shared by many: they are at hand anyway. */
static bool add_dict(struct walk_planned *visit)
{
    const struct walk_python *python = visit->python;
    walk_addr keys = WALK_WORD(python, visit->view, dict, ma_keys);
    walk_addr values = WALK_WORD(python, visit->view, dict, ma_values);
    if (!values && is_outside(visit, keys) && leave(visit, FAR_DICT, keys, 0, WALK_SIZE(python->layout, dict_keys)))
        return true;
    return add_keys(visit, keys, values);
}

/* As walk_visit_odict(). Nodes stand anywhere, each for itself. */
static bool add_odict(struct walk_planned *visit)
{
    const struct walk_python *python = visit->python;
    walk_addr node = WALK_WORD(python, visit->view, odict, od_first);
    struct walk_ring ring = {0};
    struct walk_copy copy;
    while (node) {
        walk_copy_read(python, node, WALK_SIZE(python->layout, odict_node), &copy);
        walk_addr key = WALK_COPIED(python, &copy, odict_node, key);
        if (!has_room(visit, 1) || !key || walk_ring_closed(&ring, node))
            return false;
        --visit->words;
        add(visit, key, 0);
        node = WALK_COPIED(python, &copy, odict_node, next);
    }
    return add_dict(visit);
}

/* As walk_visit_deque(). */
static bool add_deque(struct walk_planned *visit)
{
    const struct walk_python *python = visit->python;
    const struct walk_layout *layout = python->layout;
    uint32_t data = WALK_OFFSET(layout, deque_block, data);
    uint64_t length = WALK_WORD(python, visit->view, var_object, ob_size);
    uint64_t first = WALK_WORD(python, visit->view, deque, leftindex);
    uint64_t per_block = (WALK_OFFSET(layout, deque_block, rightlink) - data) / WORD;
    if (first >= per_block || length > per_block - first)
        return false;
    return add_array(visit, WALK_WORD(python, visit->view, deque, leftblock) + data + first * WORD, length, 0);
}

static bool add_items(struct walk_planned *visit, const struct walk_plan *plan, walk_addr object)
{
    switch (plan->array) {
    case WALK_PLAN_LIST:
        return add_list(visit);
    case WALK_PLAN_TUPLE:
        return add_tuple(visit, object);
    case WALK_PLAN_SET:
        return add_set(visit, object);
    case WALK_PLAN_DICT:
        return add_dict(visit);
    case WALK_PLAN_ODICT:
        return add_odict(visit);
    case WALK_PLAN_DEQUE:
        return add_deque(visit);
    case WALK_PLAN_NO_ARRAY:
        break;
    }
    return true;
}

static void begin(struct walk_planned *visit, const struct walk_python *python)
{
    visit->python = python;
    visit->to = visit->start;
    visit->bits = visit->size = 0;
    visit->far = (struct walk_plan_far){0};
}

bool walk_plan_visit(const struct walk_plan *plan, const struct walk_python *python, const struct walk_pytype *type,
                     walk_addr object, struct walk_planned *visit)
{
    const uint8_t *view = walk_memory_view(python->memory, object - plan->front, plan->front + plan->extent);
    begin(visit, python);
    if (!view || !has_room(visit, plan->word_count + 2))
        return false;
    visit->view = view + plan->front;
    visit->size = plan->size;
    add_words(visit, plan, 0, plan->slots);
    if (plan->managed_dict && (!add_managed_dict(visit, plan, type, object) || !has_room(visit, 1)))
        return false;
    if (plan->visits_type)
        add(visit, type->address, 0);
    if (!has_room(visit, plan->word_count))
        return false;
    add_words(visit, plan, plan->slots, plan->word_count);
    return add_items(visit, plan, object) && !(visit->bits & WALK_PLAN_MARK);
}

static enum far_kind far_kind(uint32_t note) { return note & ((1 << FAR_KIND_BITS) - 1); }

bool walk_plan_far_sizes(uint32_t note) { return far_kind(note) == FAR_DICT; }

bool walk_plan_visit_far(const struct walk_python *python, walk_addr at, uint32_t note, struct walk_planned *visit)
{
    uint64_t count = note >> FAR_KIND_BITS;
    bool good = false;
    begin(visit, python);
    visit->whole = true;
    switch (far_kind(note)) {
    case FAR_WORDS:
        good = add_array(visit, at, count, 0);
        break;
    case FAR_SET:
        good = has_room(visit, count) && add_entries(visit, at, count);
        break;
    case FAR_DICT:
        good = add_keys(visit, at, 0);
        break;
    }
    return good && !(visit->bits & WALK_PLAN_MARK);
}
