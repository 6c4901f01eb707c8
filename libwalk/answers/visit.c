/* SPDX-License-Identifier: Apache-2.0 */
/* What a node refers to, whatever kind of node it is. */
#include "answers/heap.h"

static const struct walk_pythread *thread_at(const struct walk_python *python, walk_addr address)
{
    for (size_t i = 0; i < python->thread_count; i++)
        if (python->threads[i].address == address)
            return &python->threads[i];
    return NULL;
}

void walk_heap_visit_key(struct walk_python *python, walk_addr key, uint32_t class, enum walk_node_kind kind,
                         struct walk_refs *refs)
{
    const struct walk_stack_frame *frame;
    switch (kind) {
    case WALK_OBJECT:
        walk_visit_object(python, key, class, refs);
        break;
    case WALK_FRAME:
        frame = walk_python_on_stack(python, key);
        if (frame)
            walk_visit_stack_frame(python, frame, refs);
        break;
    case WALK_THREAD:
        walk_visit_thread(python, thread_at(python, key), refs);
        break;
    case WALK_INTERPRETER:
        walk_visit_interpreter(python, key, refs);
        break;
    }
}

void walk_live_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    walk_heap_visit_key(heap->python, walk_graph_key(&heap->graph, id), heap->graph.class[id], walk_node_kind(heap, id),
                        refs);
}

void walk_heap_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    heap->facts->visit(heap, id, refs);
}

uint64_t walk_word_limit(const struct walk_python *python)
{
    return walk_memory_size(python->memory) / python->word * 4;
}

void walk_heap_limit(const struct walk_heap *heap, struct walk_refs *refs)
{
    refs->limited = heap->word_limit != 0;
    refs->exhausted = false;
    refs->words = heap->word_limit;
}
