/* SPDX-License-Identifier: Apache-2.0 */
/* What is whose, where there are several interpreters. */
#include <stdlib.h>

#include "answers/heap.h"

bool walk_interpreter_tracks(const struct walk_heap *heap, size_t index, walk_id id)
{
    return heap->interpreter ? heap->interpreter[id] == index + 1 : walk_node_tracked(heap, id);
}

struct walk_error *walk_interpreter_find(struct walk_heap *heap)
{
    const struct walk_python *python = heap->python;
    if (python->interpreter_count == 1)
        return NULL;
    heap->interpreter = calloc((size_t)heap->graph.node_count + 1, sizeof *heap->interpreter);
    heap->interpreter_tracked = calloc(python->interpreter_count, sizeof *heap->interpreter_tracked);
    if (!heap->interpreter || !heap->interpreter_tracked)
        return walk_error_no_memory();
    for (size_t of = 0; of < python->interpreter_count; of++) {
        const walk_addr *tracked = python->tracked + python->interpreters[of].first_tracked;
        for (size_t i = 0; i < python->interpreters[of].tracked_count; i++) {
            walk_id id = walk_graph_find(&heap->graph, tracked[i]);
            if (id == WALK_NO_ID || heap->interpreter[id])
                continue;
            heap->interpreter[id] = (uint32_t)of + 1;
            heap->interpreter_tracked[of]++;
        }
    }
    return NULL;
}

/* Threads are few, and asked for one by one. */
static walk_id interpreter_of_thread(const struct walk_heap *heap, walk_id id)
{
    const struct walk_tables *tables = &heap->tables;
    for (size_t i = 0; i < tables->thread_count; i++)
        if (tables->threads[i].id == id)
            return tables->threads[i].interpreter;
    return WALK_NO_ID;
}

walk_id walk_node_interpreter(const struct walk_heap *heap, walk_id id)
{
    if (walk_node_kind(heap, id) == WALK_THREAD)
        return interpreter_of_thread(heap, id);
    if (!walk_node_tracked(heap, id))
        return WALK_NO_ID;
    if (!heap->interpreter)
        return heap->tables.interpreters[0].id;
    return heap->interpreter[id] ? heap->tables.interpreters[heap->interpreter[id] - 1].id : WALK_NO_ID;
}

bool walk_heap_shares_collector(const struct walk_heap *heap)
{
    return heap->tables.interpreter_count == 1 || !heap->tables.interpreters[0].has_collector;
}

size_t walk_heap_interpreter_count(const struct walk_heap *heap) { return heap->tables.interpreter_count; }

void walk_heap_interpreter(const struct walk_heap *heap, size_t index, struct walk_interpreter *interpreter)
{
    *interpreter = heap->tables.interpreters[index];
}

void walk_heap_interpreter_totals(const struct walk_heap *heap, size_t index, struct walk_total *totals)
{
    const struct walk_graph *graph = &heap->graph;
    memset(totals, 0, walk_heap_type_count(heap) * sizeof *totals);
    for (walk_id id = 0; id < graph->node_count; id++) {
        if (!walk_interpreter_tracks(heap, index, id))
            continue;
        totals[graph->class[id]].objects++;
        totals[graph->class[id]].size += heap->facts->size(heap, id);
    }
}
