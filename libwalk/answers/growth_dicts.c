/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New dicts that are the `__dict__` of a new object. Up to CPython 3.10 each instance of a class has one: these grow
 * with the class, and say nothing that it does not.
 */
#include "answers/growth.h"

/* The row of dicts, WALK_NO_ID if there are none. */
static uint32_t row_of_dicts(const struct walk_growth *growth)
{
    for (uint32_t i = 0; i < growth->names.count; i++)
        if (strcmp(growth->names.name[i], "dict") == 0)
            return i;
    return WALK_NO_ID;
}

static bool is_new_dict(const struct walk_growth *growth, walk_id id, uint32_t dicts)
{
    return (growth->state[id] & (WALK_GROWTH_WANTED | WALK_GROWTH_DICT)) == WALK_GROWTH_WANTED &&
           growth->names.of_now[growth->heap->graph.class[id]] == dicts;
}

static bool refers_to_one(const struct walk_growth *growth, walk_id id, uint32_t dicts)
{
    const struct walk_rows *rows = &growth->heap->graph.forward;
    for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++)
        if (is_new_dict(growth, WALK_EDGE_ID(rows->edge[i]), dicts))
            return true;
    return false;
}

static bool is_called_dict(const struct walk_heap *heap, const struct walk_ref *ref)
{
    char label[16];
    struct walk_text_out out;
    if (ref->label != WALK_LABEL_TEXT)
        return false;
    walk_text_init(&out, label, sizeof label);
    heap->facts->label(heap, ref, WALK_LABEL_WHOLE, &out);
    return strcmp(label, "__dict__") == 0;
}

static void count_dicts_of(struct walk_growth *growth, walk_id id, uint32_t dicts, struct walk_refs *refs)
{
    const struct walk_heap *heap = growth->heap;
    struct walk_growth_row *row = &growth->row[dicts];
    refs->count = 0;
    walk_heap_visit(heap, id, refs);
    for (size_t i = 0; i < refs->count; i++) {
        walk_id to = walk_graph_find(&heap->graph, refs->ref[i].target);
        if (to == WALK_NO_ID || !is_new_dict(growth, to, dicts) || !is_called_dict(heap, &refs->ref[i]))
            continue;
        growth->state[to] |= WALK_GROWTH_DICT;
        row->instance_dicts++;
        row->instance_dicts_size += heap->facts->size(heap, to);
    }
}

struct walk_error *walk_growth_count_dicts(struct walk_growth *growth)
{
    struct walk_refs refs = {0};
    uint32_t dicts = row_of_dicts(growth);
    if (dicts == WALK_NO_ID)
        return NULL;
    walk_heap_limit(growth->heap, &refs);
    for (walk_id id = 0; id < growth->heap->graph.node_count; id++)
        if ((growth->state[id] & WALK_GROWTH_WANTED) && refers_to_one(growth, id, dicts))
            count_dicts_of(growth, id, dicts, &refs);
    bool good = !refs.no_memory;
    walk_refs_deinit(&refs);
    return good ? NULL : walk_error_no_memory();
}
