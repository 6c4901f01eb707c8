/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: Include/internal/pycore_frame.h, Objects/frameobject.c, Objects/genobject.c, Objects/codeobject.c. */
#include "objects/frames.h"

#include "objects/dict.h"

/* No function has more variables, and no frame a deeper stack. */
enum { SLOTS_MAX = 1 << 20 };
enum { CO_OPTIMIZED = 1, FAST_HIDDEN = 0x10, FAST_CELL = 0x40, FAST_FREE = 0x80 };

/* ---- code ---- */

static void set_part(const struct walk_python *python, struct walk_code_names *names, int part, walk_addr tuple)
{
    uint64_t count = WALK_MEMBER(python, tuple, var_object, ob_size);
    if (!tuple || count > SLOTS_MAX)
        return;
    names->part[part].items = tuple + WALK_OFFSET(python->layout, tuple, ob_item);
    names->part[part].count = count;
    names->count += count;
}

void walk_code_names(const struct walk_python *python, walk_addr code, struct walk_code_names *names)
{
    *names = (struct walk_code_names){0};
    if (WALK_HAS(python->layout, code, co_localsplusnames)) {
        set_part(python, names, 0, WALK_MEMBER(python, code, code, co_localsplusnames));
        walk_addr kinds = WALK_MEMBER(python, code, code, co_localspluskinds);
        names->kinds = kinds ? kinds + WALK_OFFSET(python->layout, bytes, ob_sval) : 0;
        names->cells_from = UINT64_MAX;
    } else {
        set_part(python, names, 0, WALK_MEMBER(python, code, code, co_varnames));
        names->cells_from = names->count;
        set_part(python, names, 1, WALK_MEMBER(python, code, code, co_cellvars));
        set_part(python, names, 2, WALK_MEMBER(python, code, code, co_freevars));
    }
}

walk_addr walk_code_name(const struct walk_python *python, const struct walk_code_names *names, uint64_t slot)
{
    for (int i = 0; i < 3; i++) {
        uint64_t name;
        if (slot < names->part[i].count)
            return walk_memory_word(python->memory, names->part[i].items + slot * python->word, &name) ? name : 0;
        slot -= names->part[i].count;
    }
    return 0;
}

static unsigned kind_of_slot(const struct walk_python *python, const struct walk_code_names *names, uint64_t slot)
{
    if (!names->kinds)
        return slot >= names->cells_from ? FAST_CELL : 0;
    const uint8_t *kind = walk_memory_view(python->memory, names->kinds + slot, 1);
    return kind ? *kind : 0;
}

/* ---- frames ---- */

static uint64_t count_slots(const struct walk_python *python, walk_addr code)
{
    struct walk_code_names names;
    if (WALK_HAS(python->layout, code, co_nlocalsplus))
        return (uint32_t)WALK_INT_MEMBER(python, code, code, co_nlocalsplus);
    walk_code_names(python, code, &names);
    /* co_nlocals and len(co_varnames) are the same; the other two are counted by their tuples. */
    return names.count;
}

static int64_t old_stack_count(const struct walk_python *python, walk_addr frame, walk_addr stack)
{
    if (WALK_HAS(python->layout, frame, f_stackdepth))
        return WALK_INT_MEMBER(python, frame, frame, f_stackdepth);
    walk_addr top = WALK_MEMBER(python, frame, frame, f_stacktop);
    return !top || top < stack ? -1 : (int64_t)((top - stack) / python->word);
}

static bool open_old(const struct walk_python *python, walk_addr frame, struct walk_frame_view *view)
{
    /* f_lasti counts bytes up to 3.9 and code units of two bytes in 3.10. */
    int lasti = WALK_INT_MEMBER(python, frame, frame, f_lasti), unit = WALK_MINOR(python) >= 10 ? 2 : 1;
    view->code = WALK_MEMBER(python, frame, frame, f_code);
    view->f_locals = WALK_MEMBER(python, frame, frame, f_locals);
    view->f_globals = WALK_MEMBER(python, frame, frame, f_globals);
    view->slots = frame + WALK_OFFSET(python->layout, frame, f_localsplus);
    view->stack = WALK_MEMBER(python, frame, frame, f_valuestack);
    view->stack_count = old_stack_count(python, frame, view->stack);
    view->lasti = lasti < 0 ? -1 : (int64_t)lasti * unit;
    return view->code != 0;
}

/* 3.14+: a pointer to the top of the stack, NULL while the frame executes. In slots, the variables included. */
static int64_t pointed_count(const struct walk_python *python, walk_addr slots, walk_addr top)
{
    return !top || top < slots || top - slots > (uint64_t)SLOTS_MAX * python->word
               ? -1
               : (int64_t)((top - slots) / python->word);
}

/*
 * Where the bytecode is that a frame runs: in the code object, or (free-threaded, 3.14+) a copy that the frame's thread
 * specializes for itself, the first of which is the code object's own.
 */
static walk_addr bytecode(const struct walk_python *python, const uint8_t *frame, walk_addr code)
{
    const struct walk_layout *layout = python->layout;
    walk_addr own = code + WALK_OFFSET(layout, code, co_code_adaptive);
    if (!WALK_HAS(layout, iframe, tlbc_index) || !WALK_HAS(layout, code_array, entries))
        return own;
    uint32_t index = walk_load_u32(frame + WALK_OFFSET(layout, iframe, tlbc_index));
    walk_addr copies = WALK_MEMBER(python, code, code, co_tlbc);
    uint64_t copy;
    if (!copies || index >= WALK_MEMBER(python, copies, code_array, size) ||
        !walk_memory_word(python->memory,
                          copies + WALK_OFFSET(layout, code_array, entries) + (uint64_t)index * python->word, &copy))
        return own;
    return copy ? copy : own;
}

static bool open_new(const struct walk_python *python, walk_addr frame, struct walk_frame_view *view)
{
    const struct walk_layout *layout = python->layout;
    const uint8_t *raw = walk_memory_view(python->memory, frame, WALK_OFFSET(layout, iframe, localsplus));
    if (!raw)
        return false;
    view->code = walk_frame_slot(python, WALK_WORD(python, raw, iframe, executable));
    view->f_locals = WALK_WORD(python, raw, iframe, locals);
    view->f_globals = WALK_WORD(python, raw, iframe, globals);
    view->slots = frame + WALK_OFFSET(layout, iframe, localsplus);
    view->owner = (int8_t)raw[WALK_OFFSET(layout, iframe, owner)];
    view->lasti = (int64_t)(WALK_WORD(python, raw, iframe, instr_ptr) - bytecode(python, raw, view->code));
    if (WALK_HAS(layout, iframe, stacktop))
        view->stack_count = (int32_t)walk_load_u32(raw + WALK_OFFSET(layout, iframe, stacktop));
    else
        view->stack_count = pointed_count(python, view->slots, WALK_WORD(python, raw, iframe, stackpointer));
    return view->code != 0;
}

bool walk_frame_open(struct walk_python *python, walk_addr frame, struct walk_frame_view *view)
{
    bool new = WALK_HAS(python->layout, iframe, localsplus);
    *view = (struct walk_frame_view){.address = frame};
    /* Of a build that is not known the structure may not be proven. */
    if (!frame || !(new ? WALK_SIZE(python->layout, iframe) : WALK_SIZE(python->layout, frame)))
        return false;
    if (!(new ? open_new(python, frame, view) : open_old(python, frame, view)))
        return false;
    uint32_t type;
    if (!walk_python_type_of(python, view->code, &type) || python->types[type].kind != WALK_KIND_code)
        return false;
    view->slot_count = count_slots(python, view->code);
    view->stack_size = (uint32_t)WALK_INT_MEMBER(python, view->code, code, co_stacksize);
    if (view->slot_count > SLOTS_MAX || view->stack_size > SLOTS_MAX)
        return false;
    if (new) {
        /* stacktop counts the variables too, and is -1 or 0 while the frame executes. */
        view->stack = view->slots + view->slot_count * python->word;
        view->stack_count =
            view->stack_count < (int64_t)view->slot_count ? -1 : view->stack_count - (int64_t)view->slot_count;
    }
    if (view->stack_count > (int64_t)view->stack_size)
        view->stack_count = -1;
    return true;
}

walk_addr walk_frame_of_object(const struct walk_python *python, walk_addr frame_object)
{
    return WALK_HAS(python->layout, frame, f_frame) ? WALK_MEMBER(python, frame_object, frame, f_frame) : frame_object;
}

walk_addr walk_frame_of_generator(const struct walk_python *python, walk_addr generator)
{
    const struct walk_layout *layout = python->layout;
    if (!WALK_HAS(layout, generator, gi_iframe))
        return WALK_MEMBER(python, generator, generator, gi_frame);
    const uint8_t *state =
        walk_memory_view(python->memory, generator + WALK_OFFSET(layout, generator, gi_frame_state), 1);
    /* FRAME_CLEARED is 4, and 5 since 3.15; up to 3.12 every state below it has a frame (gen_traverse). */
    int cleared = WALK_MINOR(python) >= 15 ? 5 : 4;
    if (!state || (int8_t)*state == cleared || (WALK_MINOR(python) <= 12 && (int8_t)*state > cleared))
        return 0;
    return generator + WALK_OFFSET(layout, generator, gi_iframe);
}

bool walk_frame_is_suspended(const struct walk_python *python, walk_addr generator)
{
    const struct walk_layout *layout = python->layout;
    walk_addr frame = walk_frame_of_generator(python, generator);
    if (!frame || walk_python_on_stack(python, frame))
        return false;
    if (!WALK_HAS(layout, generator, gi_iframe))
        return true;
    /* FRAME_EXECUTING is 0, and 4 since 3.15. FRAME_COMPLETED, where there still is one, is above it. */
    const uint8_t *state =
        walk_memory_view(python->memory, generator + WALK_OFFSET(layout, generator, gi_frame_state), 1);
    return state && (int8_t)*state < (WALK_MINOR(python) >= 15 ? 4 : 0);
}

/* ---- locals ---- */

/* The value of a slot that frame.f_locals would show, which does not show cells; 0: none. False: unreadable. */
static bool slot_local(struct walk_python *python, const struct walk_frame_view *view, uint64_t slot, unsigned kind,
                       walk_addr *value)
{
    uint64_t word;
    uint32_t type;
    *value = 0;
    if (!walk_memory_word(python->memory, view->slots + slot * python->word, &word))
        return false;
    walk_addr object = walk_frame_slot(python, word);
    if (!object || !walk_python_type_of(python, object, &type))
        return true;
    /* An argument that is a cell is the bare value until MAKE_CELL has run. */
    if ((kind & (FAST_CELL | FAST_FREE)) && python->types[type].kind == WALK_KIND_cell)
        object = WALK_MEMBER(python, object, cell, ob_ref);
    *value = object;
    return true;
}

/* Of the slots that have one of these kinds (0: of all). */
static void add_slot_locals(struct walk_python *python, const struct walk_frame_view *view, unsigned kinds,
                            struct walk_refs *refs)
{
    struct walk_code_names names;
    walk_code_names(python, view->code, &names);
    for (uint64_t i = 0; i < view->slot_count; i++) {
        walk_addr value;
        unsigned kind = kind_of_slot(python, &names, i);
        if (kinds && !(kind & kinds))
            continue;
        if (!slot_local(python, view, i, kind, &value)) {
            refs->unreadable = true;
            return;
        }
        walk_refs_add(refs, value, 0, WALK_LABEL_LOCAL, walk_code_name(python, &names, i));
    }
}

/*
 * 3.12+: the variables of a comprehension that runs as a part of a module's or a class' code are in slots that are
 * hidden from its namespace (PEP 709). True when `name`, or any for 0, has a value.
 */
static bool is_hidden_local(struct walk_python *python, const struct walk_frame_view *view, walk_addr name)
{
    struct walk_code_names names;
    walk_code_names(python, view->code, &names);
    for (uint64_t i = 0; names.kinds && i < view->slot_count; i++) {
        walk_addr value;
        unsigned kind = kind_of_slot(python, &names, i);
        if ((kind & FAST_HIDDEN) && (!name || walk_code_name(python, &names, i) == name) &&
            slot_local(python, view, i, kind, &value) && value)
            return true;
    }
    return false;
}

/* The namespace of a module's or a class' code, but for the names that `view` hides. */
static void add_namespace_locals(struct walk_python *python, const struct walk_frame_view *view, bool hides,
                                 struct walk_refs *refs)
{
    struct walk_dict dict;
    if (!walk_dict_open(python, view->f_locals, &dict)) {
        refs->unreadable = true;
        return;
    }
    for (uint64_t i = 0; i < dict.keys.count; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &dict, i, &key, &value);
        if (!hides || !is_hidden_local(python, view, key))
            walk_refs_add(refs, value, 0, WALK_LABEL_LOCAL, key);
    }
}

static bool is_variable(const struct walk_python *python, const struct walk_code_names *names, walk_addr name)
{
    for (uint64_t i = 0; i < names->count; i++)
        if (walk_code_name(python, names, i) == name)
            return true;
    return false;
}

/* What was put into frame.f_locals under names that are no variables of the code: they stay there. */
static void add_other_locals(struct walk_python *python, const struct walk_frame_view *view, walk_addr namespace,
                             struct walk_refs *refs)
{
    struct walk_dict dict;
    struct walk_code_names names;
    if (!walk_dict_open(python, namespace, &dict)) {
        refs->unreadable = true;
        return;
    }
    walk_code_names(python, view->code, &names);
    if (!walk_refs_afford(refs, dict.keys.count))
        return;
    for (uint64_t i = 0; i < dict.keys.count; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &dict, i, &key, &value);
        if (!is_variable(python, &names, key))
            walk_refs_add(refs, value, 0, WALK_LABEL_LOCAL, key);
    }
}

static bool is_dict(struct walk_python *python, walk_addr object)
{
    uint32_t type;
    if (!object || !walk_python_type_of(python, object, &type))
        return false;
    enum walk_kind_id kind = python->types[type].kind;
    return kind == WALK_KIND_dict || kind == WALK_KIND_odict || kind == WALK_KIND_defaultdict;
}

/* frame.f_locals: fast locals up to 3.12 are copied to a dict that is kept, since 3.13 the frame has the others. */
void walk_frame_locals(struct walk_python *python, const struct walk_frame_view *view, struct walk_refs *refs)
{
    bool optimized = WALK_INT_MEMBER(python, view->code, code, co_flags) & CO_OPTIMIZED;
    bool hides = !optimized && is_hidden_local(python, view, 0);
    /* Since 3.13 what is hidden hides the namespace. */
    if (!optimized && is_dict(python, view->f_locals) && (!hides || WALK_MINOR(python) < 13)) {
        add_namespace_locals(python, view, hides, refs);
        if (hides)
            add_slot_locals(python, view, FAST_HIDDEN, refs);
        return;
    }
    walk_addr object = WALK_MEMBER(python, view->address, iframe, frame_obj), others = view->f_locals;
    if (WALK_HAS(python->layout, frame, f_extra_locals))
        others = WALK_MEMBER(python, object, frame, f_extra_locals);
    add_slot_locals(python, view, 0, refs);
    if (is_dict(python, others))
        add_other_locals(python, view, others, refs);
}
