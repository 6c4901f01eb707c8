/* SPDX-License-Identifier: Apache-2.0 */
/* What is whose, where there are several interpreters. */
#include "answers/heap.h"

void walk_interpreter_nodes(const struct walk_heap *heap, size_t index, walk_id *begin, walk_id *end)
{
    *begin = index ? heap->tracked_end[index - 1] : 0;
    *end = heap->tracked_end[index];
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
    size_t low = 0, high = heap->tables.interpreter_count;
    if (walk_node_kind(heap, id) == WALK_THREAD)
        return interpreter_of_thread(heap, id);
    if (!walk_node_tracked(heap, id))
        return WALK_NO_ID;
    /* The first whose nodes end behind this one. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->tracked_end[middle] > id)
            high = middle;
        else
            low = middle + 1;
    }
    return low < heap->tables.interpreter_count ? heap->tables.interpreters[low].id : WALK_NO_ID;
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
    walk_id begin, end;
    memset(totals, 0, walk_heap_type_count(heap) * sizeof *totals);
    walk_interpreter_nodes(heap, index, &begin, &end);
    for (walk_id id = begin; id < end; id++) {
        totals[graph->class[id]].objects++;
        totals[graph->class[id]].size += heap->facts->size(heap, id);
    }
}
