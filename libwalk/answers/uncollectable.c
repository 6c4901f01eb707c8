/* SPDX-License-Identifier: Apache-2.0 */
/* What is in gc.garbage: since 3.9 a list of the interpreter's, before a variable that only the module names. */
#include <stdlib.h>

#include "answers/parts.h"
#include "objects/dict.h"

static walk_addr list_of(const struct walk_python *python, walk_addr interpreter)
{
    if (WALK_HAS(python->layout, interp, gc_garbage))
        return WALK_MEMBER(python, interpreter, interp, gc_garbage);
    walk_addr module = walk_dict_get(python, WALK_MEMBER(python, interpreter, interp, modules), "gc");
    return module ? walk_dict_get(python, WALK_MEMBER(python, module, module, md_dict), "garbage") : 0;
}

/* The collector sees what a list holds: these are its items. */
static void mark_items(const struct walk_heap *heap, walk_addr list, uint8_t *found)
{
    const struct walk_rows *rows = &heap->graph.forward;
    walk_id id = list ? walk_graph_find(&heap->graph, list) : WALK_NO_ID;
    if (id == WALK_NO_ID || walk_node_kind(heap, id) != WALK_OBJECT ||
        heap->python->types[heap->graph.class[id]].kind != WALK_KIND_list)
        return;
    for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++)
        found[WALK_EDGE_ID(rows->edge[i])] = 1;
}

static struct walk_error *list_marked(const uint8_t *found, walk_id count, struct walk_ids **result)
{
    size_t marked = 0;
    for (walk_id id = 0; id < count; id++)
        marked += found[id];
    struct walk_ids *ids = walk_ids_new(marked);
    if (!ids)
        return walk_error_no_memory();
    for (walk_id id = 0; id < count; id++)
        if (found[id])
            ids->id[ids->count++] = id;
    *result = ids;
    return NULL;
}

void walk_live_uncollectable(const struct walk_heap *heap, uint8_t *found)
{
    const struct walk_python *python = heap->python;
    for (size_t i = 0; i < python->interpreter_count; i++)
        mark_items(heap, list_of(python, python->interpreters[i].address), found);
}

struct walk_error *walk_heap_uncollectable(const struct walk_heap *heap, struct walk_ids **ids)
{
    uint8_t *found = calloc((size_t)heap->graph.node_count + 1, 1);
    if (!found)
        return walk_error_no_memory();
    heap->facts->uncollectable(heap, found);
    struct walk_error *error = list_marked(found, heap->graph.node_count, ids);
    free(found);
    return error;
}
