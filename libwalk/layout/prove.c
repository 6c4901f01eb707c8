/* SPDX-License-Identifier: Apache-2.0 */
/* A layout is believed when the target's memory agrees with it in places that a wrong one would get wrong. */
#include "layout/debug_offsets.h"
#include "layout/proof.h"

#define F(structure, field) WALK_FIELD_##structure##_##field

/* tp_flags, Include/object.h */
#define HEAPTYPE (UINT64_C(1) << 9)
#define INLINE_VALUES (UINT64_C(1) << 2)

static enum walk_verdict fails(struct walk_proof *proof, const char *detail)
{
    proof->code = WALK_ERROR_LAYOUT;
    snprintf(proof->detail, sizeof proof->detail, "%s", detail);
    return WALK_FAILS;
}

/* What of samples is said of all: a few may be damaged. */
static enum walk_verdict most(unsigned good, unsigned bad)
{
    return good + bad == 0 ? WALK_UNASKED : bad * 4 > good + bad ? WALK_FAILS : WALK_HOLDS;
}

/* ---- the members without which nothing works; one that is not listed here is checked where it is used ---- */

static const enum walk_field required[] = {
    F(interp, next),
    F(interp, tstate_head),
    F(interp, modules),
    F(interp, sysdict),
    F(thread, next),
    F(thread, interp),
    F(thread, thread_id),
    F(object, ob_type),
    F(type, tp_name),
    F(type, tp_basicsize),
    F(type, tp_itemsize),
    F(type, tp_flags),
    F(type, tp_traverse),
    F(type, tp_base),
    F(type, tp_dict),
    F(type, tp_dictoffset),
    F(type, tp_mro),
    F(dict, ma_keys),
    F(dict, ma_values),
    F(dict, ma_used),
    F(list, ob_item),
    F(tuple, ob_item),
    F(set, table),
    F(set, mask),
    F(int, ob_digit),
    F(ascii, length),
    F(ascii, kind),
    F(code, co_name),
    F(code, co_filename),
    F(code, co_firstlineno),
    F(heap_type, ht_qualname),
    F(dict_keys, dk_nentries),
    F(dict_keys, dk_indices),
    F(var_object, ob_size),
};

/* Besides, in builds with a GIL and in free-threaded ones. */
static const enum walk_field required_gil[] = {F(gc_head, next), F(gc_head, prev), F(object, ob_refcnt)};
static const enum walk_field required_free_threaded[] = {
    F(object, ob_mutex),
    F(object, ob_ref_local),
    F(object, ob_ref_shared),
    F(thread_impl, heaps),
    F(thread_impl, tld),
    F(thread_impl, initialized),
    F(mi_heap, tld),
    F(mi_heap, pages),
    F(mi_heap, tag),
    F(mi_queue, first),
    F(mi_segment, slice_entries),
    F(mi_segment, slices),
    F(mi_page, slice_count),
    F(mi_page, tag),
    F(mi_page, debug_offset),
    F(mi_page, capacity),
    F(mi_page, free),
    F(mi_page, local_free),
    F(mi_page, thread_free),
    F(mi_page, next),
};

/* Besides, with the mimalloc of 3.13 and with that of 3.14.10. */
static const enum walk_field required_pool[] = {
    F(interp, abandoned),
    F(interp, abandoned_visited),
    F(mi_segment, abandoned_next),
    F(mi_page, xblock_size),
};
static const enum walk_field required_subproc[] = {
    F(mi_segment, subproc),
    F(mi_segment, thread_id),
    F(mi_page, block_size),
    F(mi_page, page_start),
};

static const struct {
    const enum walk_field *field;
    size_t count;
} required_lists[] = {
    {required, sizeof required / sizeof *required},
    {required_gil, sizeof required_gil / sizeof *required_gil},
    {required_free_threaded, sizeof required_free_threaded / sizeof *required_free_threaded},
    {required_pool, sizeof required_pool / sizeof *required_pool},
    {required_subproc, sizeof required_subproc / sizeof *required_subproc},
};

/* Whether the layout is one of a build that has all members of the list. */
static bool is_asked(const struct walk_layout *layout, const enum walk_field *list)
{
    bool free_threaded = WALK_FREE_THREADED(layout), subproc = WALK_HAS(layout, interp, subproc);
    return list == required || (list == required_gil && !free_threaded) ||
           (list == required_free_threaded && free_threaded) || (list == required_pool && free_threaded && !subproc) ||
           (list == required_subproc && free_threaded && subproc);
}

static enum walk_verdict has_required(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    (void)rule;
    bool free_threaded = WALK_FREE_THREADED(layout);
    for (size_t l = 0; l < sizeof required_lists / sizeof *required_lists; l++)
        for (size_t i = 0; i < required_lists[l].count && is_asked(layout, required_lists[l].field); i++)
            if (layout->offset[required_lists[l].field[i]] == WALK_ABSENT)
                return fails(proof, walk_field_table[required_lists[l].field[i]].id);
    if (free_threaded &&
        (!walk_layout_segment_slices(layout) || !walk_layout_heap_queues(layout) || !WALK_SIZE(layout, object)))
        return fails(proof, "the allocator's heaps");
    if (!free_threaded && !proof->runtime->generations && !WALK_HAS(layout, interp, gc) &&
        !WALK_HAS(layout, runtime, gc))
        return fails(proof, "the state of the collector");
    if (proof->runtime->runtime && !WALK_HAS(layout, runtime, interpreters_head))
        return fails(proof, "runtime_interpreters_head");
    return WALK_HOLDS;
}

/* ---- types ---- */

static enum walk_verdict type_of_type(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t type;
    (void)rule;
    if (!PEEK(proof, proof->runtime->type_type, object, ob_type, &type)) {
        fails(proof, "PyType_Type");
        proof->code = WALK_ERROR_UNMAPPED;
        return WALK_FAILS;
    }
    return type == proof->runtime->type_type ? WALK_HOLDS : fails(proof, "");
}

/* 3.11 to 3.13 declare the interpreter's frame at the end of these as one word. */
static bool ends_with_frame(const struct walk_layout *layout, enum walk_struct structure, uint64_t basic, unsigned word)
{
    bool may = structure == WALK_STRUCT_frame || structure == WALK_STRUCT_generator ||
               structure == WALK_STRUCT_coroutine || structure == WALK_STRUCT_async_generator;
    return may && WALK_HAS(layout, iframe, localsplus) &&
           basic == layout->size[structure] - word + WALK_OFFSET(layout, iframe, localsplus);
}

/* tp_basicsize does not count the items at the end of a structure, of which C has declared one or none; but of type
 * and, up to 3.10, of frame it is sizeof. */
bool walk_layout_fits(const struct walk_layout *layout, unsigned word, enum walk_struct structure, uint64_t basicsize,
                      uint64_t itemsize)
{
    uint64_t size = layout->size[structure];
    bool whole = structure == WALK_STRUCT_heap_type || structure == WALK_STRUCT_frame;
    return basicsize == size || ends_with_frame(layout, structure, basicsize, word) ||
           (itemsize && !whole && basicsize < size && size - basicsize <= 2 * word);
}

static enum walk_verdict size_of_class(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t basic, items, meta, size = proof->layout->size[rule->target];
    walk_addr type = proof->class[rule->target];
    if (!type || !size)
        return WALK_UNASKED;
    if (!PEEK(proof, type, object, ob_type, &meta) || meta != proof->runtime->type_type)
        return fails(proof, rule->symbol);
    if (!PEEK(proof, type, type, tp_basicsize, &basic) || !PEEK(proof, type, type, tp_itemsize, &items))
        return fails(proof, rule->symbol);
    return walk_layout_fits(proof->layout, proof->memory->word, rule->target, basic, items)
               ? WALK_HOLDS
               : fails(proof, rule->symbol);
}

/* ---- interpreters, threads, the collector ---- */

/* Interpreters, and their threads, are gathered where the lists are proven. */
static enum walk_verdict interpreters_end(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { INTERPRETERS_MAX = 10000 };
    walk_addr interpreter = 0;
    unsigned count = 0;
    (void)rule;
    proof->interpreters = 0;
    while ((interpreter = walk_runtime_next_interpreter(proof->runtime, interpreter))) {
        if (++count > INTERPRETERS_MAX)
            return fails(proof, "");
        if (proof->interpreters < WALK_PROOF_THREADS)
            proof->interpreter[proof->interpreters++] = interpreter;
    }
    if (count)
        return WALK_HOLDS;
    fails(proof, "");
    proof->code = WALK_ERROR_NO_PYTHON;
    return WALK_FAILS;
}

static enum walk_verdict threads_point_back(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { THREADS_MAX = 100000 };
    (void)rule;
    proof->threads = 0;
    for (unsigned i = 0; i < proof->interpreters; i++) {
        uint64_t thread, owner;
        unsigned count = 0;
        if (!PEEK(proof, proof->interpreter[i], interp, tstate_head, &thread))
            return fails(proof, "an interpreter's state cannot be read");
        while (thread && count++ < THREADS_MAX) {
            if (!PEEK(proof, thread, thread, interp, &owner) || owner != proof->interpreter[i])
                return fails(proof, "");
            if (count == 1 && PEEK(proof, thread, thread, prev, &owner) && owner)
                return fails(proof, "the first thread is not the first");
            if (proof->threads < WALK_PROOF_THREADS)
                proof->thread[proof->threads++] = thread;
            if (!PEEK(proof, thread, thread, next, &thread))
                break;
        }
    }
    return proof->interpreters ? WALK_HOLDS : fails(proof, "there is no interpreter");
}

/* Python/pystate.c puts new interpreters in front of the list. */
static enum walk_verdict main_is_last(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t main;
    (void)rule;
    if (!proof->interpreters || proof->interpreters == WALK_PROOF_THREADS || !proof->runtime->runtime ||
        !PEEK(proof, proof->runtime->runtime, runtime, interpreters_main, &main))
        return WALK_UNASKED;
    return main == proof->interpreter[proof->interpreters - 1] ? WALK_HOLDS : fails(proof, "");
}

static enum walk_verdict has_thread(struct walk_proof *proof, const struct walk_rule *rule)
{
    (void)rule;
    return !proof->interpreters ? WALK_UNASKED : proof->threads ? WALK_HOLDS : fails(proof, "");
}

/* A list head h is one when h->next->prev and h->prev->next are h, flags masked off. */
static bool ring_closes(const struct walk_proof *proof, walk_addr head)
{
    uint64_t next, prev, back, forth;
    const uint64_t mask = ~(uint64_t)3;
    return PEEK(proof, head, gc_head, next, &next) && PEEK(proof, head, gc_head, prev, &prev) &&
           PEEK(proof, next & mask, gc_head, prev, &back) && PEEK(proof, prev & mask, gc_head, next, &forth) &&
           (back & mask) == head && (forth & mask) == head;
}

static enum walk_verdict lists_close(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_collector collector;
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && !WALK_FREE_THREADED(proof->layout); i++) {
        walk_runtime_collector(proof->runtime, proof->interpreter[i], &collector);
        unsigned closed = 0;
        for (unsigned g = 0; g < 3; g++)
            closed += ring_closes(proof, collector.generation[g]);
        /* A collection under way takes the list that it collects apart, and only that. */
        if (closed < 3 && !(collector.collecting && closed > 0))
            return fails(proof, "");
        /* The permanent generation may follow: three lists from the second one on would close too. */
        if (ring_closes(proof, collector.generation[0] - WALK_SIZE(proof->layout, gc_generation)))
            return fails(proof, "");
        asked |= closed == 3;
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

static enum walk_verdict permanent_closes(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_collector collector;
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && !WALK_FREE_THREADED(proof->layout); i++) {
        walk_runtime_collector(proof->runtime, proof->interpreter[i], &collector);
        asked |= collector.permanent != 0;
        if (collector.permanent && !ring_closes(proof, collector.permanent))
            return fails(proof, "");
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/* The flag is 0 or 1, so a word that is something else is not the flag. */
static enum walk_verdict collecting_is_flag(struct walk_proof *proof, const struct walk_rule *rule)
{
    bool asked = false;
    int32_t flag;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && WALK_HAS(proof->layout, interp, gc); i++) {
        walk_addr state = proof->interpreter[i] + WALK_OFFSET(proof->layout, interp, gc);
        asked = true;
        if (!walk_peek_int(proof, state, F(gc, collecting), &flag) || flag < 0 || flag > 1)
            return fails(proof, "");
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/*
 * Free-threaded: the four heaps of a thread are numbered, and all point to what the thread has for them. One that has
 * not begun to run has none of that.
 */
static bool has_heaps(const struct walk_proof *proof, walk_addr thread)
{
    enum { HEAPS = 4 };
    const struct walk_layout *layout = proof->layout;
    int32_t initialized;
    if (!walk_peek_int(proof, thread, F(thread_impl, initialized), &initialized) || initialized < 0 || initialized > 1)
        return false;
    for (unsigned i = 0; i < HEAPS; i++) {
        walk_addr heap = thread + WALK_OFFSET(layout, thread_impl, heaps) + i * WALK_SIZE(layout, mi_heap);
        const uint8_t *tag = walk_memory_view(proof->memory, heap + WALK_OFFSET(layout, mi_heap, tag), 1);
        uint64_t tld;
        if (!tag || *tag != (initialized ? i : 0) || !PEEK(proof, heap, mi_heap, tld, &tld) ||
            tld != (initialized ? thread + WALK_OFFSET(layout, thread_impl, tld) : 0))
            return false;
    }
    return true;
}

/* Of the newest thread of each interpreter: those of others may be damaged. */
static enum walk_verdict threads_have_heaps(struct walk_proof *proof, const struct walk_rule *rule)
{
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && WALK_FREE_THREADED(proof->layout); i++) {
        uint64_t thread;
        if (!PEEK(proof, proof->interpreter[i], interp, tstate_head, &thread) || !thread)
            continue;
        if (!has_heaps(proof, thread))
            return fails(proof, "a heap of a thread is not one");
        asked = true;
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/* ---- samples ---- */

static void sample(struct walk_proof *proof, enum walk_struct structure, walk_addr address)
{
    struct walk_samples *samples = &proof->samples[structure];
    for (unsigned i = 0; i < samples->count; i++)
        if (samples->address[i] == address)
            return;
    if (samples->count < WALK_SAMPLES)
        samples->address[samples->count++] = address;
}

/* Structures that begin others. */
static const enum walk_struct beginnings[][2] = {
    {WALK_STRUCT_method_descr, WALK_STRUCT_descr},  {WALK_STRUCT_member_descr, WALK_STRUCT_descr},
    {WALK_STRUCT_getset_descr, WALK_STRUCT_descr},  {WALK_STRUCT_wrapper_descr, WALK_STRUCT_descr},
    {WALK_STRUCT_coroutine, WALK_STRUCT_generator},
};

static void sample_type(struct walk_proof *proof, walk_addr type)
{
    uint64_t flags;
    if (!PEEK(proof, type, type, tp_flags, &flags))
        return;
    sample(proof, WALK_STRUCT_type, type);
    if (flags & HEAPTYPE)
        sample(proof, WALK_STRUCT_heap_type, type);
}

static void sample_object(struct walk_proof *proof, walk_addr object)
{
    uint64_t type, flags;
    if (object % proof->memory->word || !PEEK(proof, object, object, ob_type, &type))
        return;
    if (type == proof->runtime->type_type) {
        sample_type(proof, object);
        return;
    }
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (proof->class[i] == type && type) {
            sample(proof, (enum walk_struct)i, object);
            for (size_t b = 0; b < sizeof beginnings / sizeof *beginnings; b++)
                if ((int)beginnings[b][0] == i)
                    sample(proof, beginnings[b][1], object);
            return;
        }
    /* An instance with its values within: known by its type's flag. */
    if (proof->samples[WALK_STRUCT_dict_values].count < WALK_SAMPLES && PEEK(proof, type, type, tp_flags, &flags) &&
        (flags & INLINE_VALUES) && (flags & HEAPTYPE))
        sample(proof, WALK_STRUCT_dict_values, object);
}

static void sample_values(struct walk_proof *proof, walk_addr dict, bool of_modules)
{
    enum { VALUES_MAX = 64 };
    struct walk_peek_dict opened;
    if (!walk_peek_dict(proof, dict, &opened))
        return;
    for (uint64_t i = 0; i < opened.count && i < VALUES_MAX; i++) {
        walk_addr key, value;
        uint64_t inner;
        walk_peek_entry(proof, &opened, i, &key, &value);
        if (!value)
            continue;
        sample_object(proof, value);
        if (of_modules && PEEK(proof, value, module, md_dict, &inner))
            sample_values(proof, inner, false);
    }
}

/* Some of the objects on the lists of the collector, with the links of a list that is proven to close. */
static void sample_lists(struct walk_proof *proof, walk_addr interpreter)
{
    enum { OBJECTS_MAX = 2000 };
    struct walk_collector collector;
    walk_runtime_collector(proof->runtime, interpreter, &collector);
    for (unsigned g = 0; g < 3 && !WALK_FREE_THREADED(proof->layout); g++) {
        uint64_t at = collector.generation[g];
        if (!ring_closes(proof, at))
            continue;
        for (unsigned i = 0; i < OBJECTS_MAX; i++) {
            if (!PEEK(proof, at, gc_head, next, &at) || (at &= ~(uint64_t)3) == collector.generation[g])
                break;
            sample_object(proof, at + WALK_SIZE(proof->layout, gc_head));
        }
    }
}

static void take_samples(struct walk_proof *proof)
{
    if (proof->taken)
        return;
    proof->taken = true;
    for (unsigned i = 0; i < proof->interpreters && i < WALK_SAMPLES; i++) {
        uint64_t modules;
        sample(proof, WALK_STRUCT_interp, proof->interpreter[i]);
        if (PEEK(proof, proof->interpreter[i], interp, modules, &modules))
            sample_values(proof, modules, true);
        sample_lists(proof, proof->interpreter[i]);
    }
    for (unsigned i = 0; i < proof->threads; i++)
        sample(proof, WALK_STRUCT_thread, proof->thread[i]);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (proof->class[i])
            sample(proof, WALK_STRUCT_type, proof->class[i]);
}

/* ---- pointers ---- */

static enum walk_verdict points_to(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum walk_field field = rule->suspect[0];
    walk_addr class = proof->class[rule->target];
    bool any = rule->target == WALK_STRUCT_object;
    unsigned good = 0, bad = 0;
    if (proof->layout->offset[field] == WALK_ABSENT || (!class && !any))
        return WALK_UNASKED;
    take_samples(proof);
    const struct walk_samples *samples = &proof->samples[walk_field_table[field].structure];
    for (unsigned i = 0; i < samples->count; i++) {
        uint64_t value;
        if (!walk_peek(proof, samples->address[i], field, &value) || (!value && rule->must))
            bad++;
        else if (value && !(any ? walk_peek_is_object(proof, value) : walk_peek_is_a(proof, value, class)))
            bad++;
        else if (value) {
            good++;
            sample_object(proof, value); /* of functions their code, and so on */
        }
    }
    return most(good, bad);
}

/* ---- what the objects hold ---- */

static walk_addr main_interpreter(const struct walk_proof *proof)
{
    return proof->interpreters ? proof->interpreter[proof->interpreters - 1] : 0;
}

static walk_addr of_sys(const struct walk_proof *proof, const char *name)
{
    uint64_t sysdict;
    return PEEK(proof, main_interpreter(proof), interp, sysdict, &sysdict) ? walk_peek_get(proof, sysdict, name) : 0;
}

/* USABLE_FRACTION of Objects/dictobject.c: what is used and what is free of a table are two thirds of it. */
static enum walk_verdict dict_tables(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_dict].count; i++) {
        struct walk_peek_dict dict;
        uint64_t used;
        walk_addr address = proof->samples[WALK_STRUCT_dict].address[i];
        bool fits = walk_peek_dict(proof, address, &dict) && PEEK(proof, address, dict, ma_used, &used) &&
                    used <= dict.count && (dict.size << 1) / 3 == dict.count + dict.usable;
        /* The shared keys of empty dicts have no room. */
        fits |= dict.size == 1 && dict.count == 0;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

/* sys.modules is what the interpreter's member says, and its keys are str. */
static enum walk_verdict sys_modules(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_peek_dict dict;
    uint64_t modules;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!main_interpreter(proof))
        return WALK_UNASKED;
    if (!PEEK(proof, main_interpreter(proof), interp, modules, &modules) || !walk_peek_dict(proof, modules, &dict))
        return fails(proof, "");
    for (uint64_t i = 0; i < dict.count && i < 256; i++) {
        walk_addr key, value;
        walk_peek_entry(proof, &dict, i, &key, &value);
        bool fits = !key || !value || walk_peek_is_a(proof, key, proof->class[WALK_STRUCT_unicode]);
        good += fits;
        bad += !fits;
    }
    walk_addr named = of_sys(proof, "modules");
    return named && named != modules ? fails(proof, "") : most(good, bad);
}

static enum walk_verdict sys_has(struct walk_proof *proof, const struct walk_rule *rule)
{
    (void)rule;
    return !main_interpreter(proof)                                  ? WALK_UNASKED
           : of_sys(proof, "hexversion") && of_sys(proof, "maxsize") ? WALK_HOLDS
                                                                     : fails(proof, "");
}

/* A dict that the main interpreter's member points to has a key; that what it points to is a dict is asked elsewhere.
 */
static enum walk_verdict dict_has(struct walk_proof *proof, const struct walk_rule *rule, const char *key)
{
    uint64_t dict;
    if (!walk_peek(proof, main_interpreter(proof), rule->suspect[0], &dict) || !dict)
        return WALK_UNASKED;
    return walk_peek_get(proof, dict, key) ? WALK_HOLDS : fails(proof, "");
}

static enum walk_verdict has_len(struct walk_proof *proof, const struct walk_rule *rule)
{
    return dict_has(proof, rule, "len");
}

static enum walk_verdict has_displayhook(struct walk_proof *proof, const struct walk_rule *rule)
{
    return dict_has(proof, rule, "displayhook");
}

/* sys.maxsize: 2^63 - 1 or 2^31 - 1, in digits of 30 bits. */
static enum walk_verdict maxsize(struct walk_proof *proof, const struct walk_rule *rule)
{
    walk_addr number = of_sys(proof, "maxsize");
    unsigned count = proof->memory->word == 8 ? 3 : 2;
    (void)rule;
    if (!number)
        return WALK_UNASKED;
    const uint8_t *digits =
        walk_memory_view(proof->memory, number + WALK_OFFSET(proof->layout, int, ob_digit), (size_t)4 * count);
    uint64_t tag;
    bool counted = WALK_HAS(proof->layout, int, lv_tag)
                       ? PEEK(proof, number, int, lv_tag, &tag) && tag >> 3 == count && (tag & 3) == 0
                       : PEEK(proof, number, var_object, ob_size, &tag) && tag == count;
    for (unsigned i = 0; digits && i < count; i++)
        counted &= walk_load_u32(digits + (size_t)4 * i) == (i + 1 < count ? 0x3fffffffu : count == 3 ? 7u : 1u);
    return digits && counted ? WALK_HOLDS : fails(proof, "");
}

/* sys.float_info.max, the first of a tuple. */
static enum walk_verdict float_max(struct walk_proof *proof, const struct walk_rule *rule)
{
    walk_addr info = of_sys(proof, "float_info");
    uint64_t item;
    (void)rule;
    if (!info || !WALK_HAS(proof->layout, float, ob_fval))
        return WALK_UNASKED;
    const uint8_t *value = PEEK(proof, info, tuple, ob_item, &item)
                               ? walk_memory_view(proof->memory, item + WALK_OFFSET(proof->layout, float, ob_fval), 8)
                               : NULL;
    return value && walk_load_u64(value) == UINT64_C(0x7fefffffffffffff) ? WALK_HOLDS : fails(proof, "");
}

static enum walk_verdict mro_begins(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_type].count; i++) {
        walk_addr type = proof->samples[WALK_STRUCT_type].address[i];
        uint64_t mro, count, first;
        if (!PEEK(proof, type, type, tp_mro, &mro) || !mro)
            continue;
        bool fits = PEEK(proof, mro, var_object, ob_size, &count) && count >= 1 && count < 1024 &&
                    PEEK(proof, mro, tuple, ob_item, &first) && first == type;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

static enum walk_verdict list_room(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_list].count; i++) {
        walk_addr list = proof->samples[WALK_STRUCT_list].address[i];
        uint64_t size, allocated, items, item;
        bool fits = PEEK(proof, list, var_object, ob_size, &size) && PEEK(proof, list, list, allocated, &allocated) &&
                    PEEK(proof, list, list, ob_item, &items) && size <= allocated && allocated >> 40 == 0 &&
                    (items != 0) == (allocated != 0) &&
                    (!size || (walk_memory_word(proof->memory, items, &item) && walk_peek_is_object(proof, item)));
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

static enum walk_verdict set_tables(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_set].count; i++) {
        walk_addr set = proof->samples[WALK_STRUCT_set].address[i];
        uint64_t used, fill, mask, table;
        bool fits = PEEK(proof, set, set, used, &used) && PEEK(proof, set, set, fill, &fill) &&
                    PEEK(proof, set, set, mask, &mask) && PEEK(proof, set, set, table, &table) && used <= fill &&
                    fill <= mask && ((mask + 1) & mask) == 0 && mask >= 7 && mask >> 36 == 0 &&
                    (mask > 7 || table == set + WALK_OFFSET(proof->layout, set, smalltable)) &&
                    walk_memory_view(proof->memory, table, 2 * proof->memory->word * (mask + 1)) != NULL;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

/* A str and a bytes end with a NUL behind their characters. */
static enum walk_verdict str_ends(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_unicode].count; i++) {
        walk_addr str = proof->samples[WALK_STRUCT_unicode].address[i];
        uint64_t length;
        unsigned kind, compact, ascii;
        if (!PEEK(proof, str, ascii, length, &length) || length > 1 << 20 ||
            !walk_peek_bits(proof, str, F(ascii, kind), 3, &kind) ||
            !walk_peek_bits(proof, str, F(ascii, compact), 1, &compact) ||
            !walk_peek_bits(proof, str, F(ascii, ascii), 1, &ascii)) {
            bad++;
            continue;
        }
        if (kind != 1 || !compact || !ascii)
            continue;
        const uint8_t *data = walk_memory_view(proof->memory, str + WALK_SIZE(proof->layout, ascii), length + 1);
        bool fits = data && data[length] == 0 && !memchr(data, 0, length);
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

static enum walk_verdict bytes_end(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_bytes].count; i++) {
        walk_addr bytes = proof->samples[WALK_STRUCT_bytes].address[i];
        uint64_t size;
        const uint8_t *data =
            PEEK(proof, bytes, var_object, ob_size, &size) && size < 1 << 24
                ? walk_memory_view(proof->memory, bytes + WALK_OFFSET(proof->layout, bytes, ob_sval), size + 1)
                : NULL;
        good += data && data[size] == 0;
        bad += !(data && data[size] == 0);
    }
    return most(good, bad);
}

static enum walk_verdict code_numbers(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_code].count; i++) {
        walk_addr code = proof->samples[WALK_STRUCT_code].address[i];
        int32_t line, arguments, flags;
        bool fits = walk_peek_int(proof, code, F(code, co_firstlineno), &line) && line >= 0 && line < 1 << 24 &&
                    walk_peek_int(proof, code, F(code, co_argcount), &arguments) && arguments >= 0 &&
                    arguments < 1 << 12 && walk_peek_int(proof, code, F(code, co_flags), &flags) && flags >= 0;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

/* 3.11+: of kind 2 (DICT_KEYS_SPLIT), with at most 30 entries (SHARED_KEYS_MAX_SIZE). */
static enum walk_verdict shared_keys(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_heap_type].count && WALK_HAS(proof->layout, dict_keys, dk_kind);
         i++) {
        uint64_t keys, count;
        if (!PEEK(proof, proof->samples[WALK_STRUCT_heap_type].address[i], heap_type, ht_cached_keys, &keys) || !keys)
            continue;
        const uint8_t *kind = walk_memory_view(proof->memory, keys + WALK_OFFSET(proof->layout, dict_keys, dk_kind), 1);
        bool fits = kind && *kind == 2 && PEEK(proof, keys, dict_keys, dk_nentries, &count) && count <= 30;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

/* ---- static types' state (3.12+), instances with their values within (3.13+) ---- */

static enum walk_verdict static_types(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!WALK_HAS(layout, interp, static_types) || !WALK_HAS(layout, static_type, type) || !main_interpreter(proof))
        return WALK_UNASKED;
    walk_addr states = main_interpreter(proof) + WALK_OFFSET(layout, interp, static_types);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++) {
        uint64_t index, type;
        if (!proof->class[i] || !PEEK(proof, proof->class[i], type, tp_subclasses, &index) || index - 1 >= 512)
            continue;
        bool fits = PEEK(proof, states + (index - 1) * WALK_SIZE(layout, static_type), static_type, type, &type) &&
                    type == proof->class[i];
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

static enum walk_verdict inline_values(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!WALK_HAS(layout, dict_values, embedded))
        return WALK_UNASKED;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_dict_values].count; i++) {
        walk_addr object = proof->samples[WALK_STRUCT_dict_values].address[i];
        uint64_t type, size;
        if (!PEEK(proof, object, object, ob_type, &type) || !PEEK(proof, type, type, tp_basicsize, &size))
            continue;
        const uint8_t *view = walk_memory_view(proof->memory, object + size, WALK_SIZE(layout, dict_values));
        bool fits = view && view[WALK_OFFSET(layout, dict_values, capacity)] != 0 &&
                    view[WALK_OFFSET(layout, dict_values, embedded)] == 1 &&
                    view[WALK_OFFSET(layout, dict_values, valid)] <= 1;
        good += fits;
        bad += !fits;
    }
    return most(good, bad);
}

/* ---- threads and frames ---- */

/* pthread_self() is the thread register, on the machines of which the core has it. Ended threads have states too. */
static enum walk_verdict thread_ids(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_image *image = proof->runtime->image;
    bool known = false, found = false;
    (void)rule;
    for (size_t i = 0; i < image->lwp_count; i++)
        known |= image->lwps[i].thread_pointer != 0;
    for (unsigned i = 0; i < proof->threads; i++) {
        uint64_t id;
        if (!PEEK(proof, proof->thread[i], thread, thread_id, &id))
            id = 0;
        for (size_t l = 0; l < image->lwp_count && id; l++)
            found |= image->lwps[l].thread_pointer == id;
    }
    return !known || !proof->threads ? WALK_UNASKED : found ? WALK_HOLDS : fails(proof, "");
}

static enum walk_verdict native_ids(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_image *image = proof->runtime->image;
    bool found = false;
    (void)rule;
    for (unsigned i = 0; i < proof->threads; i++) {
        uint64_t id;
        if (!PEEK(proof, proof->thread[i], thread, native_thread_id, &id))
            return WALK_UNASKED;
        for (size_t l = 0; l < image->lwp_count; l++)
            found |= image->lwps[l].tid == id;
    }
    /* In a container the process and who wrote its core may count differently. */
    return found ? WALK_HOLDS : WALK_UNASKED;
}

static bool is_code(const struct walk_proof *proof, walk_addr object)
{
    return walk_peek_is_a(proof, object, proof->class[WALK_STRUCT_code]);
}

/* The instruction that a frame is at is one of its code, or the word in front of the first. */
static bool is_within(const struct walk_proof *proof, walk_addr iframe, walk_addr code)
{
    uint64_t at, count;
    if (!WALK_HAS(proof->layout, code, co_code_adaptive) || !WALK_HAS(proof->layout, iframe, instr_ptr))
        return true;
    walk_addr first = code + WALK_OFFSET(proof->layout, code, co_code_adaptive);
    return PEEK(proof, iframe, iframe, instr_ptr, &at) && PEEK(proof, code, var_object, ob_size, &count) &&
           at + 2 >= first && (count >> 32 || at <= first + 2 * count);
}

/* The frames of each thread are frames of code: 3.11+ the interpreter's frames, before that objects. */
static enum walk_verdict stacks_have_code(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { FRAMES_MAX = 64 };
    const struct walk_layout *layout = proof->layout;
    bool new = WALK_HAS(layout, iframe, executable);
    unsigned good = 0, bad = 0;
    (void)rule;
    for (unsigned i = 0; i < proof->threads && proof->class[WALK_STRUCT_code]; i++) {
        uint64_t at = 0, code;
        if (!new)
            PEEK(proof, proof->thread[i], thread, frame, &at);
        else if (WALK_HAS(layout, thread, current_frame))
            PEEK(proof, proof->thread[i], thread, current_frame, &at);
        else if (PEEK(proof, proof->thread[i], thread, cframe, &at))
            PEEK(proof, at, cframe, current_frame, &at);
        for (unsigned f = 0; at && f < FRAMES_MAX; f++) {
            bool fits = new ? PEEK(proof, at, iframe, executable, &code) : PEEK(proof, at, frame, f_code, &code);
            code &= ~(uint64_t)3; /* a tagged reference since 3.14 */
            if (fits && is_code(proof, code) && (!new || is_within(proof, at, code))) {
                good++;
                sample(proof, new ? WALK_STRUCT_iframe : WALK_STRUCT_frame, at);
            } else if (!fits || !new || (code && !walk_peek_is_object(proof, code))) {
                bad++; /* a shim of C code has None or another object, or NULL */
            }
            if (!fits || !(new ? PEEK(proof, at, iframe, previous, &at) : PEEK(proof, at, frame, f_back, &at)))
                break;
        }
    }
    return good + bad ? most(good, bad) : WALK_UNASKED;
}

/* 3.11+: the frame of a generator is within it. */
static enum walk_verdict generators_have_code(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_generator].count && WALK_HAS(layout, generator, gi_iframe);
         i++) {
        uint64_t code;
        walk_addr frame = proof->samples[WALK_STRUCT_generator].address[i] + WALK_OFFSET(layout, generator, gi_iframe);
        bool fits = PEEK(proof, frame, iframe, executable, &code) &&
                    (!(code & ~(uint64_t)3) || walk_peek_is_object(proof, code & ~(uint64_t)3));
        good += fits && is_code(proof, code & ~(uint64_t)3);
        bad += !fits;
    }
    return most(good, bad);
}

/* ---- what the target says of itself ---- */

static enum walk_verdict agrees_with_debug_offsets(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_layout said;
    (void)rule;
    if (!walk_debug_offsets_read(proof->memory, proof->runtime->runtime, proof->layout, &said))
        return WALK_UNASKED;
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        if (said.offset[i] != WALK_ABSENT && said.offset[i] != proof->layout->offset[i])
            return fails(proof, walk_field_table[i].id);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (said.size[i] && said.size[i] != proof->layout->size[i])
            return fails(proof, walk_struct_table[i].id);
    return WALK_HOLDS;
}

/* ---- the list: what is asked first is what the others stand on ---- */

#define ESSENTIAL true
#define OTHER false
#define MUST true
#define MAY false

const struct walk_rule walk_rules[] = {
    {.words = "the members without which nothing works are there", .check = has_required, .essential = true},
    {.words = "the type of type is type",
     .check = type_of_type,
     .essential = true,
     .suspects = 1,
     .suspect = {F(object, ob_type)}},
#define CLASS(structure, symbol_, name_, essential_)                                                                   \
    {.words = "tp_basicsize of " name_ " is its structure's size",                                                     \
     .check = size_of_class,                                                                                           \
     .essential = (essential_),                                                                                        \
     .target = WALK_STRUCT_##structure,                                                                                \
     .symbol = (symbol_),                                                                                              \
     .name = (name_)},
#define POINTER(structure, field, class, must_)
#include "layout/invariants.def"
#undef CLASS
#undef POINTER
    {.words = "the list of interpreters has one, and an end", .check = interpreters_end, .essential = true},
    {.words = "the last interpreter is the main one",
     .check = main_is_last,
     .suspects = 2,
     .suspect = {F(interp, next), F(runtime, interpreters_main)}},
    {.words = "threads point back to their interpreter",
     .check = threads_point_back,
     .essential = true,
     .suspects = 5,
     .suspect = {F(interp, tstate_head), F(thread, interp), F(thread, next), F(runtime, interpreters_head),
                 F(thread, prev)}},
    {.words = "an interpreter has a thread", .check = has_thread, .suspects = 1, .suspect = {F(interp, tstate_head)}},
    {.words = "the lists of the collector close",
     .check = lists_close,
     .essential = true,
     .suspects = 4,
     .suspect = {F(gc, generations), F(interp, gc), F(gc_head, next), F(runtime, gc)}},
    {.words = "threads have the heaps of the allocator",
     .check = threads_have_heaps,
     .essential = true,
     .suspects = 2,
     .suspect = {F(thread_impl, heaps), F(mi_heap, tag)}},
    {.words = "the list of the permanent generation closes",
     .check = permanent_closes,
     .suspects = 2,
     .suspect = {F(gc, permanent_generation), F(interp, gc)}},
    {.words = "the collector is at work or not",
     .check = collecting_is_flag,
     .suspects = 2,
     .suspect = {F(gc, collecting), F(interp, gc)}},
    {.words = "sys has hexversion and maxsize",
     .check = sys_has,
     .suspects = 4,
     .suspect = {F(interp, sysdict), F(dict, ma_keys), F(dict_keys, dk_indices), F(ascii, length)}},
    {.words = "interp.modules is sys.modules, with str as keys",
     .check = sys_modules,
     .suspects = 1,
     .suspect = {F(interp, modules)}},
    {.words = "builtins has len", .check = has_len, .suspects = 1, .suspect = {F(interp, builtins)}},
    {.words = "the copy of builtins has len", .check = has_len, .suspects = 1, .suspect = {F(interp, builtins_copy)}},
    {.words = "the copy of sys has displayhook",
     .check = has_displayhook,
     .suspects = 1,
     .suspect = {F(interp, sysdict_copy)}},
    {.words = "sys.maxsize is what it is", .check = maxsize, .suspects = 1, .suspect = {F(int, ob_digit)}},
    {.words = "sys.float_info.max is what it is",
     .check = float_max,
     .suspects = 2,
     .suspect = {F(tuple, ob_item), F(float, ob_fval)}},
    {.words = "an mro begins with its type",
     .check = mro_begins,
     .suspects = 2,
     .suspect = {F(tuple, ob_item), F(type, tp_mro)}},
    {.words = "the tables of dicts are two thirds usable",
     .check = dict_tables,
     .suspects = 2,
     .suspect = {F(dict_keys, dk_nentries), F(dict, ma_keys)}},
    {.words = "lists have room for their items", .check = list_room, .suspects = 1, .suspect = {F(list, ob_item)}},
    {.words = "the tables of sets are a power of two", .check = set_tables, .suspects = 1, .suspect = {F(set, table)}},
#define CLASS(structure, symbol, name, essential)
#define POINTER(structure, field, class, must_)                                                                        \
    {.words = #structure "." #field " points to " #class,                                                              \
     .check = points_to,                                                                                               \
     .suspects = 1,                                                                                                    \
     .suspect = {F(structure, field)},                                                                                 \
     .target = WALK_STRUCT_##class,                                                                                    \
     .weak = !(must_),                                                                                                 \
     .must = (must_)},
#include "layout/invariants.def"
#undef CLASS
#undef POINTER
    {.words = "str objects end with a NUL",
     .check = str_ends,
     .suspects = 2,
     .suspect = {F(ascii, kind), F(ascii, length)}},
    {.words = "bytes objects end with a NUL", .check = bytes_end, .suspects = 1, .suspect = {F(bytes, ob_sval)}},
    {.words = "numbers of code objects are small",
     .check = code_numbers,
     .suspects = 1,
     .suspect = {F(code, co_flags)}},
    {.words = "static types have their state in the interpreter",
     .check = static_types,
     .suspects = 2,
     .suspect = {F(interp, static_types), F(static_type, type)}},
    {.words = "instances have their values within",
     .check = inline_values,
     .suspects = 1,
     .suspect = {F(dict_values, embedded)}},
    {.words = "a thread's identifier is a thread register",
     .check = thread_ids,
     .suspects = 1,
     .suspect = {F(thread, thread_id)}},
    {.words = "a thread's native identifier is a thread of the system",
     .check = native_ids,
     .suspects = 1,
     .suspect = {F(thread, native_thread_id)}},
    {.words = "the keys that instances share are str",
     .check = shared_keys,
     .suspects = 1,
     .suspect = {F(heap_type, ht_cached_keys)}},
    {.words = "the frames of threads have code",
     .check = stacks_have_code,
     .suspects = 4,
     .suspect = {F(thread, current_frame), F(iframe, executable), F(frame, f_code), F(code, co_code_adaptive)}},
    {.words = "the frames of generators have code",
     .check = generators_have_code,
     .suspects = 2,
     .suspect = {F(generator, gi_iframe), F(iframe, executable)}},
    {.words = "_Py_DebugOffsets says the same", .check = agrees_with_debug_offsets},
};
const size_t walk_rule_count = sizeof walk_rules / sizeof *walk_rules;
_Static_assert(sizeof walk_rules / sizeof *walk_rules <= WALK_RULES_MAX, "WALK_RULES_MAX");

bool walk_layout_requires(enum walk_field field)
{
    for (size_t l = 0; l < sizeof required_lists / sizeof *required_lists; l++)
        for (size_t i = 0; i < required_lists[l].count; i++)
            if (required_lists[l].field[i] == field)
                return true;
    return false;
}

enum walk_verdict walk_proof_ask_one(struct walk_proof *proof, const struct walk_runtime *runtime, size_t rule)
{
    proof->runtime = runtime;
    proof->layout = &runtime->layout;
    proof->taken = false;
    proof->interpreters = proof->threads = 0;
    memset(proof->samples, 0, sizeof proof->samples);
    if (interpreters_end(proof, NULL) == WALK_HOLDS)
        threads_point_back(proof, NULL);
    return walk_proof_ask(proof, rule);
}

void walk_proof_begin(struct walk_proof *proof, const struct walk_runtime *runtime)
{
    *proof = (struct walk_proof){.runtime = runtime, .layout = &runtime->layout, .memory = &runtime->image->memory};
    for (size_t i = 0; i < walk_rule_count; i++)
        if (walk_rules[i].symbol)
            proof->class[walk_rules[i].target] =
                walk_runtime_static_type(runtime, walk_rules[i].symbol, walk_rules[i].name);
}

enum walk_verdict walk_proof_ask(struct walk_proof *proof, size_t rule)
{
    proof->detail[0] = '\0';
    return walk_rules[rule].check(proof, &walk_rules[rule]);
}

void walk_runtime_ask_all(const struct walk_runtime *runtime, struct walk_verdicts *verdicts)
{
    struct walk_proof proof;
    walk_proof_begin(&proof, runtime);
    *verdicts = (struct walk_verdicts){0};
    for (size_t i = 0; i < walk_rule_count; i++) {
        enum walk_verdict verdict = walk_proof_ask(&proof, i);
        verdicts->of[i] = (uint8_t)verdict;
        verdicts->held += verdict == WALK_HOLDS;
        verdicts->held_weakly += verdict == WALK_HOLDS && walk_rules[i].weak;
        verdicts->failed += verdict == WALK_FAILS;
        verdicts->essential_failed += verdict == WALK_FAILS && walk_rules[i].essential;
    }
}

struct walk_error *walk_layout_prove(const struct walk_runtime *runtime)
{
    struct walk_proof proof;
    walk_proof_begin(&proof, runtime);
    for (size_t i = 0; i < walk_rule_count; i++) {
        const struct walk_rule *rule = &walk_rules[i];
        if (!rule->essential || walk_proof_ask(&proof, i) != WALK_FAILS)
            continue;
        if (proof.code == WALK_ERROR_NO_PYTHON)
            return walk_error_new(WALK_ERROR_NO_PYTHON,
                                  "the process has no interpreter: not started yet, or already ended");
        struct walk_error *error =
            walk_error_new(proof.code, "the layout does not fit this process: it is not so that %s", rule->words);
        return *proof.detail ? walk_error_context(error, "%s", proof.detail) : error;
    }
    return NULL;
}
