/* SPDX-License-Identifier: Apache-2.0 */
/* What answers ask of single nodes, read from the memory of the target. */
#include <inttypes.h>

#include "answers/heap.h"
#include "objects/frames.h"
#include "objects/header.h"
#include "objects/size.h"

static uint64_t size(const struct walk_heap *heap, walk_id id)
{
    return walk_object_size(heap->python, walk_graph_key(&heap->graph, id), heap->graph.class[id]);
}

static int64_t refcount(const struct walk_heap *heap, walk_id id)
{
    return walk_header_refcount(heap->python, walk_graph_key(&heap->graph, id));
}

static void text(const struct walk_heap *heap, walk_id id, enum walk_text which, struct walk_text_out *out)
{
    walk_addr object = walk_graph_key(&heap->graph, id);
    if (which == WALK_TEXT_VALUE)
        walk_text_value(heap->python, object, heap->graph.class[id], out);
    else
        walk_text_annotation(heap->python, object, heap->graph.class[id], out);
}

static bool suspended(const struct walk_heap *heap, walk_id id)
{
    struct walk_frame_view view;
    walk_addr generator = walk_graph_key(&heap->graph, id);
    return walk_frame_is_suspended(heap->python, generator) &&
           walk_frame_open(heap->python, walk_frame_of_generator(heap->python, generator), &view);
}

static void nameless_label(const struct walk_heap *heap, const struct walk_ref *ref, struct walk_text_out *out)
{
    char name[8];
    if (ref->label == WALK_LABEL_VALUE)
        walk_text_add(out, WALK_NAMELESS_VALUE);
    else if (ref->label == WALK_LABEL_FIELD)
        walk_text_add(out, WALK_NAMELESS_FIELD);
    else if (ref->label == WALK_LABEL_LOCAL && !walk_text_str(heap->python, ref->argument, name, sizeof name))
        walk_text_add(out, WALK_NAMELESS_LOCAL);
    else
        walk_text_label(heap->python, ref, out);
}

static void label(const struct walk_heap *heap, const struct walk_ref *ref, enum walk_label_style style,
                  struct walk_text_out *out)
{
    char name[512];
    switch (style) {
    case WALK_LABEL_WHOLE:
        walk_text_label(heap->python, ref, out);
        break;
    case WALK_LABEL_NAMELESS:
        nameless_label(heap, ref, out);
        break;
    case WALK_LABEL_BARE:
        walk_text_add(out, "%s", walk_text_str(heap->python, ref->argument, name, sizeof name) ? name : "?");
        break;
    }
}

/* Opens the frame behind a node: a frame object, a frame without one, a generator that has one. */
static struct walk_error *open_frame(const struct walk_heap *heap, walk_id id, struct walk_frame_view *view,
                                     walk_addr *object)
{
    walk_addr address = walk_graph_key(&heap->graph, id), frame = 0;
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
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, WALK_NO_FRAME, address);
    if (!walk_frame_open(heap->python, frame, view))
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "the frame 0x%" PRIx64 " cannot be read", frame);
    return NULL;
}

static struct walk_error *frame_place(const struct walk_heap *heap, walk_id id, struct walk_frame *frame)
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

static struct walk_error *locals(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    struct walk_frame_view view;
    walk_addr object;
    struct walk_error *error = open_frame(heap, id, &view, &object);
    if (!error)
        walk_frame_locals(heap->python, &view, refs);
    return error;
}

static struct walk_error *missing(const struct walk_heap *heap, walk_addr address)
{
    struct walk_python *python = heap->python;
    uint32_t type;
    if (!walk_memory_view(python->memory, address, WALK_SIZE(python->layout, object)))
        return walk_error_context(walk_memory_explain(python->memory, address, WALK_SIZE(python->layout, object)),
                                  "no object at 0x%" PRIx64, address);
    if (walk_python_type_of(python, address, &type))
        return walk_error_new(WALK_ERROR_NOT_FOUND,
                              "0x%" PRIx64 " looks like a %s, but the collector does not track it and nothing known "
                              "refers to it",
                              address, python->types[type].name);
    return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "0x%" PRIx64 " is not the address of a Python object", address);
}

const struct walk_facts walk_live_facts = {
    .size = size,
    .refcount = refcount,
    .text = text,
    .suspended = suspended,
    .visit = walk_live_visit,
    .label = label,
    .frame = frame_place,
    .locals = locals,
    .garbage = walk_live_garbage,
    .uncollectable = walk_live_uncollectable,
    .missing = missing,
};
