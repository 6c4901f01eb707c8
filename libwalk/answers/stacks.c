/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and frames, as people ask for them. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/heap.h"
#include "objects/frames.h"
#include "objects/text.h"

size_t walk_heap_thread_count(const struct walk_heap *heap) { return heap->python->thread_count; }

void walk_heap_thread(const struct walk_heap *heap, size_t index, struct walk_thread *thread)
{
    const struct walk_pythread *known = &heap->python->threads[index];
    *thread = (struct walk_thread){.id = walk_graph_find(&heap->graph, known->address),
                                   .address = known->address,
                                   .interpreter = walk_graph_find(&heap->graph, known->interpreter),
                                   .ident = known->ident,
                                   .native_id = known->native_id,
                                   .name = known->name,
                                   .frame_count = heap->threads[index].count,
                                   .frames = heap->threads[index].id,
                                   .frames_complete = known->frames_complete};
}

size_t walk_heap_greenlet_count(const struct walk_heap *heap) { return heap->python->greenlet_count; }

void walk_heap_greenlet(const struct walk_heap *heap, size_t index, struct walk_greenlet *greenlet)
{
    const struct walk_pygreenlet *known = &heap->python->greenlets[index];
    *greenlet = (struct walk_greenlet){.id = walk_graph_find(&heap->graph, known->address),
                                       .frame_count = heap->greenlets[index].count,
                                       .frames = heap->greenlets[index].id,
                                       .frames_complete = known->frames_complete};
}

/* Opens the frame behind a node: a frame object, a frame without one, a generator that has one. */
static struct walk_error *open_frame(const struct walk_heap *heap, walk_id id, struct walk_frame_view *view,
                                     walk_addr *object)
{
    walk_addr address = heap->graph.key[id], frame = 0;
    *object = 0;
    if (walk_node_is_generator(heap, id)) {
        frame = walk_frame_of_generator(heap->python, address);
    } else if (walk_node_kind(heap, id) == WALK_FRAME) {
        frame = address;
    } else if (walk_node_is_frame(heap, id)) {
        *object = address;
        frame = walk_frame_of_object(heap->python, address);
    }
    if (!frame)
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "0x%" PRIx64 " is no frame, and has none", address);
    if (!walk_frame_open(heap->python, frame, view))
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "the frame 0x%" PRIx64 " cannot be read", frame);
    return NULL;
}

struct walk_error *walk_heap_frame(const struct walk_heap *heap, walk_id id, struct walk_frame *frame)
{
    struct walk_python *python = heap->python;
    struct walk_frame_view view;
    walk_addr object;
    struct walk_error *error = open_frame(heap, id, &view, &object);
    if (error)
        return error;
    char function[512] = "?", file[4096] = "?";
    walk_addr name = WALK_MEMBER(python, view.code, code, co_qualname);
    walk_text_str(python, name ? name : WALK_MEMBER(python, view.code, code, co_name), function, sizeof function);
    walk_text_str(python, WALK_MEMBER(python, view.code, code, co_filename), file, sizeof file);
    struct walk_frame found = {walk_python_keep(python, function), walk_python_keep(python, file),
                               walk_frame_line(python, &view, object)};
    if (!found.function || !found.file)
        return walk_error_no_memory();
    *frame = found;
    return NULL;
}

struct walk_error *walk_heap_frame_locals(const struct walk_heap *heap, walk_id id, struct walk_edges **locals)
{
    struct walk_frame_view view;
    walk_addr object;
    struct walk_error *error = open_frame(heap, id, &view, &object);
    if (error)
        return error;
    struct walk_refs refs = {0};
    struct walk_edge_list *list = NULL;
    walk_frame_locals(heap->python, &view, &refs);
    error = walk_edge_list_open(heap, &list);
    for (size_t i = 0; i < refs.count && !error; i++) {
        walk_id value = walk_graph_find(&heap->graph, refs.ref[i].target);
        if (value != WALK_NO_ID)
            error = walk_edge_list_add_named(list, id, value, &refs.ref[i], true);
    }
    walk_refs_deinit(&refs);
    return walk_edge_list_close(list, error, locals);
}
