/* SPDX-License-Identifier: Apache-2.0 */
/* The members without which nothing works; one that is not listed here is checked where it is used. */
#include "layout/rules.h"

#define F(structure, field) WALK_FIELD_##structure##_##field

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

enum walk_verdict walk_rule_has_required(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    (void)rule;
    bool free_threaded = WALK_FREE_THREADED(layout);
    for (size_t l = 0; l < sizeof required_lists / sizeof *required_lists; l++)
        for (size_t i = 0; i < required_lists[l].count && is_asked(layout, required_lists[l].field); i++)
            if (layout->offset[required_lists[l].field[i]] == WALK_ABSENT)
                return walk_proof_fails(proof, walk_field_table[required_lists[l].field[i]].id);
    if (free_threaded &&
        (!walk_layout_segment_slices(layout) || !walk_layout_heap_queues(layout) || !WALK_SIZE(layout, object)))
        return walk_proof_fails(proof, "the allocator's heaps");
    if (!free_threaded && !proof->runtime->generations && !WALK_HAS(layout, interp, gc) &&
        !WALK_HAS(layout, runtime, gc))
        return walk_proof_fails(proof, "the state of the collector");
    if (proof->runtime->runtime && !WALK_HAS(layout, runtime, interpreters_head))
        return walk_proof_fails(proof, "runtime_interpreters_head");
    return WALK_HOLDS;
}

bool walk_layout_requires(enum walk_field field)
{
    for (size_t l = 0; l < sizeof required_lists / sizeof *required_lists; l++)
        for (size_t i = 0; i < required_lists[l].count; i++)
            if (required_lists[l].field[i] == field)
                return true;
    return false;
}
