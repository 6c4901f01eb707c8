/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and frames, as people ask for them. */
#include "answers/heap.h"

size_t walk_heap_thread_count(const struct walk_heap *heap) { return heap->tables.thread_count; }

void walk_heap_thread(const struct walk_heap *heap, size_t index, struct walk_thread *thread)
{
    *thread = heap->tables.threads[index];
}

size_t walk_heap_greenlet_count(const struct walk_heap *heap) { return heap->tables.greenlet_count; }

void walk_heap_greenlet(const struct walk_heap *heap, size_t index, struct walk_greenlet *greenlet)
{
    *greenlet = heap->tables.greenlets[index];
}

struct walk_error *walk_heap_frame(const struct walk_heap *heap, walk_id id, struct walk_frame *frame)
{
    return heap->facts->frame(heap, id, frame);
}

struct walk_error *walk_heap_frame_locals(const struct walk_heap *heap, walk_id id, struct walk_edges **locals)
{
    struct walk_refs refs = {0};
    struct walk_edge_list *list = NULL;
    struct walk_error *error = heap->facts->locals(heap, id, &refs);
    if (error)
        return error;
    error = walk_edge_list_open(heap, &list);
    for (size_t i = 0; i < refs.count && !error; i++) {
        walk_id value = walk_graph_find(&heap->graph, refs.ref[i].target);
        if (value != WALK_NO_ID)
            error = walk_edge_list_add_named(list, id, value, &refs.ref[i], true);
    }
    walk_refs_deinit(&refs);
    return walk_edge_list_close(list, error, locals);
}
