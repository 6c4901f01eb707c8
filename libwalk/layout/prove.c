/* SPDX-License-Identifier: Apache-2.0 */
/* A layout is believed when the target's memory agrees with it in places that a wrong one would get wrong. */
#include <inttypes.h>

#include "layout/layout.h"

/* The members without which nothing works. A member that is not listed here is checked where it is used. */
static const enum walk_field required[] = {
    WALK_FIELD_interp_next,
    WALK_FIELD_interp_tstate_head,
    WALK_FIELD_interp_modules,
    WALK_FIELD_interp_sysdict,
    WALK_FIELD_thread_next,
    WALK_FIELD_thread_interp,
    WALK_FIELD_thread_thread_id,
    WALK_FIELD_object_ob_type,
    WALK_FIELD_var_object_ob_size,
    WALK_FIELD_type_tp_name,
    WALK_FIELD_type_tp_basicsize,
    WALK_FIELD_type_tp_itemsize,
    WALK_FIELD_type_tp_flags,
    WALK_FIELD_type_tp_traverse,
    WALK_FIELD_type_tp_base,
    WALK_FIELD_type_tp_dict,
    WALK_FIELD_type_tp_dictoffset,
    WALK_FIELD_type_tp_mro,
    WALK_FIELD_heap_type_ht_qualname,
    WALK_FIELD_dict_ma_keys,
    WALK_FIELD_dict_ma_values,
    WALK_FIELD_dict_ma_used,
    WALK_FIELD_dict_keys_dk_nentries,
    WALK_FIELD_dict_keys_dk_indices,
    WALK_FIELD_list_ob_item,
    WALK_FIELD_tuple_ob_item,
    WALK_FIELD_set_table,
    WALK_FIELD_set_mask,
    WALK_FIELD_int_ob_digit,
    WALK_FIELD_ascii_length,
    WALK_FIELD_ascii_kind,
    WALK_FIELD_code_co_name,
    WALK_FIELD_code_co_filename,
    WALK_FIELD_code_co_firstlineno,
};

/* Besides, in builds with a GIL and in free-threaded ones. */
static const enum walk_field required_gil[] = {
    WALK_FIELD_gc_head_next,
    WALK_FIELD_gc_head_prev,
    WALK_FIELD_object_ob_refcnt,
};
static const enum walk_field required_free_threaded[] = {
    WALK_FIELD_object_ob_mutex,
    WALK_FIELD_object_ob_ref_local,
    WALK_FIELD_object_ob_ref_shared,
    WALK_FIELD_thread_impl_heaps,
    WALK_FIELD_thread_impl_tld,
    WALK_FIELD_thread_impl_initialized,
    WALK_FIELD_mi_heap_tld,
    WALK_FIELD_mi_heap_pages,
    WALK_FIELD_mi_heap_tag,
    WALK_FIELD_mi_queue_first,
    WALK_FIELD_mi_segment_slice_entries,
    WALK_FIELD_mi_segment_slices,
    WALK_FIELD_mi_page_slice_count,
    WALK_FIELD_mi_page_tag,
    WALK_FIELD_mi_page_debug_offset,
    WALK_FIELD_mi_page_capacity,
    WALK_FIELD_mi_page_free,
    WALK_FIELD_mi_page_local_free,
    WALK_FIELD_mi_page_thread_free,
    WALK_FIELD_mi_page_next,
};

/* Besides, with the mimalloc of 3.13 and with that of 3.14.10. */
static const enum walk_field required_pool[] = {
    WALK_FIELD_interp_abandoned,
    WALK_FIELD_interp_abandoned_visited,
    WALK_FIELD_mi_segment_abandoned_next,
    WALK_FIELD_mi_page_xblock_size,
};
static const enum walk_field required_subproc[] = {
    WALK_FIELD_mi_segment_subproc,
    WALK_FIELD_mi_segment_thread_id,
    WALK_FIELD_mi_page_block_size,
    WALK_FIELD_mi_page_page_start,
};

/* Static types whose tp_basicsize must be what the layout says of their structure. */
static const struct {
    const char *symbol, *name;
    enum walk_struct structure;
} basic[] = {
    {"PyType_Type", "type", WALK_STRUCT_heap_type}, {"PyDict_Type", "dict", WALK_STRUCT_dict},
    {"PyList_Type", "list", WALK_STRUCT_list},      {"PySet_Type", "set", WALK_STRUCT_set},
    {"PyFloat_Type", "float", WALK_STRUCT_float},   {"PyModule_Type", "module", WALK_STRUCT_module},
    {"PyUnicode_Type", "str", WALK_STRUCT_unicode}, {"PyBaseObject_Type", "object", WALK_STRUCT_object},
};

static struct walk_error *disproved(const char *what)
{
    return walk_error_new(WALK_ERROR_LAYOUT, "the layout does not fit this process: %s", what);
}

static struct walk_error *prove_types(const struct walk_runtime *runtime)
{
    const struct walk_layout *layout = &runtime->layout;
    struct walk_memory *memory = &runtime->image->memory;
    uint64_t type, size;
    if (!walk_memory_word(memory, runtime->type_type + WALK_OFFSET(layout, object, ob_type), &type))
        return walk_error_context(walk_memory_explain(memory, runtime->type_type, 8), "PyType_Type");
    if (type != runtime->type_type)
        return disproved("the type of type is not type");
    for (size_t i = 0; i < sizeof basic / sizeof *basic; i++) {
        walk_addr address = walk_runtime_static_type(runtime, basic[i].symbol, basic[i].name);
        if (!address || !layout->size[basic[i].structure])
            continue;
        if (!walk_memory_word(memory, address + WALK_OFFSET(layout, type, tp_basicsize), &size) ||
            size != layout->size[basic[i].structure])
            return walk_error_context(disproved("its tp_basicsize is not the structure's size"), "%s", basic[i].symbol);
        if (!walk_memory_word(memory, address + WALK_OFFSET(layout, object, ob_type), &type) ||
            type != runtime->type_type)
            return walk_error_context(disproved("its type is not type"), "%s", basic[i].symbol);
    }
    return NULL;
}

/* A list head h is one when h->next->prev and h->prev->next are h, flags masked off. */
static bool ring_closes(struct walk_memory *memory, const struct walk_layout *layout, walk_addr head)
{
    uint64_t next, prev, back, forth;
    uint32_t next_at = WALK_OFFSET(layout, gc_head, next), prev_at = WALK_OFFSET(layout, gc_head, prev);
    const uint64_t mask = ~(uint64_t)3;
    return walk_memory_word(memory, head + next_at, &next) && walk_memory_word(memory, head + prev_at, &prev) &&
           walk_memory_word(memory, (next & mask) + prev_at, &back) &&
           walk_memory_word(memory, (prev & mask) + next_at, &forth) && (back & mask) == head && (forth & mask) == head;
}

static struct walk_error *prove_lists(const struct walk_runtime *runtime, walk_addr interpreter)
{
    struct walk_collector collector;
    walk_runtime_collector(runtime, interpreter, &collector);
    for (unsigned i = 0; i < 3 && !collector.collecting; i++)
        if (!ring_closes(&runtime->image->memory, &runtime->layout, collector.generation[i]))
            return disproved("a list of the collector does not close");
    return NULL;
}

/*
 * Free-threaded: the four heaps of a thread are numbered, and all point to what the thread has for them. One that has
 * not begun to run has none of that.
 */
static struct walk_error *prove_heaps(const struct walk_runtime *runtime, walk_addr thread)
{
    enum { HEAPS = 4 };
    const struct walk_layout *layout = &runtime->layout;
    struct walk_memory *memory = &runtime->image->memory;
    const uint8_t *flag = walk_memory_view(memory, thread + WALK_OFFSET(layout, thread_impl, initialized), 4);
    bool initialized = flag && walk_load_u32(flag) == 1;
    if (flag && walk_load_u32(flag) > 1)
        return disproved("a thread's heaps are neither made nor not");
    for (unsigned i = 0; i < HEAPS; i++) {
        walk_addr heap = thread + WALK_OFFSET(layout, thread_impl, heaps) + i * WALK_SIZE(layout, mi_heap);
        const uint8_t *tag = walk_memory_view(memory, heap + WALK_OFFSET(layout, mi_heap, tag), 1);
        uint64_t tld;
        if (!tag || *tag != (initialized ? i : 0) ||
            !walk_memory_word(memory, heap + WALK_OFFSET(layout, mi_heap, tld), &tld) ||
            tld != (initialized ? thread + WALK_OFFSET(layout, thread_impl, tld) : 0))
            return disproved("a heap of a thread is not one");
    }
    return NULL;
}

static struct walk_error *prove_interpreter(const struct walk_runtime *runtime, walk_addr interpreter)
{
    const struct walk_layout *layout = &runtime->layout;
    struct walk_memory *memory = &runtime->image->memory;
    uint64_t thread, owner;
    if (!walk_memory_word(memory, interpreter + WALK_OFFSET(layout, interp, tstate_head), &thread))
        return disproved("an interpreter's state cannot be read");
    if (thread &&
        (!walk_memory_word(memory, thread + WALK_OFFSET(layout, thread, interp), &owner) || owner != interpreter))
        return disproved("a thread does not point back to its interpreter");
    if (!WALK_FREE_THREADED(layout))
        return prove_lists(runtime, interpreter);
    return thread ? prove_heaps(runtime, thread) : NULL;
}

static struct walk_error *prove_members(const struct walk_layout *layout, const enum walk_field *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (layout->offset[wanted[i]] == WALK_ABSENT)
            return walk_error_new(WALK_ERROR_LAYOUT, "the layout has no member %s", walk_field_table[wanted[i]].id);
    return NULL;
}
#define PROVE_MEMBERS(layout, list) prove_members(layout, list, sizeof(list) / sizeof *(list))

/* What is there in this kind of build. */
static struct walk_error *prove_complete(const struct walk_runtime *runtime)
{
    const struct walk_layout *layout = &runtime->layout;
    struct walk_error *error = PROVE_MEMBERS(layout, required);
    if (error)
        return error;
    if (runtime->runtime && !WALK_HAS(layout, runtime, interpreters_head))
        return walk_error_new(WALK_ERROR_LAYOUT, "the layout has no list of interpreters");
    if (WALK_FREE_THREADED(layout)) {
        error = PROVE_MEMBERS(layout, required_free_threaded);
        if (!error)
            error = WALK_HAS(layout, interp, subproc) ? PROVE_MEMBERS(layout, required_subproc)
                                                      : PROVE_MEMBERS(layout, required_pool);
        if (!error &&
            (!walk_layout_segment_slices(layout) || !walk_layout_heap_queues(layout) || !WALK_SIZE(layout, object)))
            error = walk_error_new(WALK_ERROR_LAYOUT, "the layout does not describe the allocator's heaps");
        return error;
    }
    error = PROVE_MEMBERS(layout, required_gil);
    if (!error && !runtime->generations && !WALK_HAS(layout, interp, gc) && !WALK_HAS(layout, runtime, gc))
        error = walk_error_new(WALK_ERROR_LAYOUT, "the layout has no state of the collector");
    return error;
}

struct walk_error *walk_layout_prove(const struct walk_runtime *runtime)
{
    struct walk_error *error = prove_complete(runtime);
    walk_addr interpreter = 0;
    size_t count = 0;
    if (!error)
        error = prove_types(runtime);
    while (!error && (interpreter = walk_runtime_next_interpreter(runtime, interpreter))) {
        error = prove_interpreter(runtime, interpreter);
        if (++count > 10000)
            error = disproved("the list of interpreters does not end");
    }
    if (!error && !count)
        error =
            walk_error_new(WALK_ERROR_NO_PYTHON, "the process has no interpreter: not started yet, or already ended");
    return error;
}
