/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and types, as people ask for them. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/heap.h"
#include "machine/machine.h"
#include "objects/frames.h"
#include "objects/header.h"
#include "objects/size.h"
#include "objects/text.h"

static const char *const kind_names[] = {"object", "frame", "thread", "interpreter"};

static enum walk_kind_id kind_of(const struct walk_heap *heap, walk_id id)
{
    return walk_node_kind(heap, id) == WALK_OBJECT ? heap->python->types[heap->graph.class[id]].kind : WALK_KIND_NONE;
}

bool walk_node_is_frame(const struct walk_heap *heap, walk_id id)
{
    return walk_node_kind(heap, id) == WALK_FRAME || kind_of(heap, id) == WALK_KIND_frame;
}

bool walk_node_is_generator(const struct walk_heap *heap, walk_id id)
{
    enum walk_kind_id kind = kind_of(heap, id);
    return kind == WALK_KIND_generator || kind == WALK_KIND_coroutine || kind == WALK_KIND_async_generator;
}

struct walk_error *walk_heap_lookup(const struct walk_heap *heap, walk_addr address, walk_id *id)
{
    struct walk_python *python = heap->python;
    uint32_t type;
    walk_id found = walk_graph_find(&heap->graph, address);
    if (found != WALK_NO_ID) {
        *id = found;
        return NULL;
    }
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

void walk_heap_node(const struct walk_heap *heap, walk_id id, struct walk_node *node)
{
    const struct walk_graph *graph = &heap->graph;
    enum walk_node_kind kind = walk_node_kind(heap, id);
    bool object = kind == WALK_OBJECT;
    *node = (struct walk_node){.kind = walk_node_is_frame(heap, id) ? WALK_FRAME : kind,
                               .address = graph->key[id],
                               .type = object ? graph->class[id] : heap->type_count + (uint32_t)(kind - WALK_FRAME),
                               .tracked = walk_node_tracked(heap, id),
                               .is_object = object,
                               .size = object ? walk_object_size(heap->python, graph->key[id], graph->class[id]) : 0,
                               .refcount = object ? walk_header_refcount(heap->python, graph->key[id]) : -1,
                               .interpreter = walk_node_interpreter(heap, id)};
}

size_t walk_heap_type_count(const struct walk_heap *heap) { return (size_t)heap->type_count + 3; }

/* Why the file at the address of a fault is not used; NULL: it is, or there is none. */
static const char *fault_file(const struct walk_heap *heap, const struct walk_traverse_fault *fault)
{
    const struct walk_image *image = &heap->target->image;
    walk_addr at = fault->address ? fault->address : fault->pc;
    for (size_t i = 0; fault->kind && i < image->module_count; i++)
        if (at >= image->modules[i].start && at < image->modules[i].end && !image->modules[i].file)
            return image->modules[i].problem;
    return NULL;
}

void walk_heap_type(const struct walk_heap *heap, uint32_t index, struct walk_type *type)
{
    const struct walk_type_stats *stats = &heap->types[index];
    *type = (struct walk_type){.name = "",
                               .known = true,
                               .tracked = stats->tracked,
                               .objects = stats->objects,
                               .tracked_size = stats->tracked_size,
                               .size = stats->size};
    if (index < heap->type_count) {
        type->address = heap->python->types[index].address;
        type->name = heap->python->types[index].name;
        const struct walk_pytype *known = &heap->python->types[index];
        type->known = walk_python_has_table(heap->python, known);
        type->unreadable = stats->unreadable;
        type->guessed = stats->guessed;
        type->fault = stats->fault.kind ? walk_fault_name(stats->fault.kind) : NULL;
        type->fault_pc = stats->fault.pc;
        type->fault_instructions = stats->fault.instructions;
        type->fault_file = fault_file(heap, &stats->fault);
    } else {
        type->name = kind_names[WALK_FRAME + (index - heap->type_count)];
    }
}

size_t walk_heap_dispute_count(const struct walk_heap *heap) { return heap->python->dispute_count; }

void walk_heap_dispute(const struct walk_heap *heap, size_t index, struct walk_dispute *dispute)
{
    *dispute = heap->python->disputes[index];
}

/* ---- lists ---- */

static bool matches(const char *type, const char *name)
{
    if (strcmp(type, name) == 0)
        return true;
    const char *dot = strchr(name, '.') ? NULL : strrchr(type, '.');
    return dot && strcmp(dot + 1, name) == 0;
}

/* The objects of wanted types (a flag per type) that the interpreter's collector tracks, and for which `more` says yes.
 */
static struct walk_error *select_nodes(const struct walk_heap *heap, const uint8_t *wanted, size_t interpreter,
                                       bool (*more)(const struct walk_heap *heap, walk_id id), struct walk_ids **ids)
{
    const struct walk_graph *graph = &heap->graph;
    size_t count = 0;
    for (uint32_t i = 0; i < heap->type_count; i++)
        count += wanted[i] ? heap->types[i].objects : 0;
    struct walk_ids *found = malloc(sizeof *found + (count + 1) * sizeof *found->id);
    if (!found)
        return walk_error_no_memory();
    found->count = 0;
    for (walk_id id = 0; id < graph->node_count; id++)
        if (walk_node_kind(heap, id) == WALK_OBJECT && wanted[graph->class[id]] &&
            (interpreter == WALK_ALL_INTERPRETERS || walk_interpreter_tracks(heap, interpreter, id)) &&
            (!more || more(heap, id)))
            found->id[found->count++] = id;
    *ids = found;
    return NULL;
}

struct walk_error *walk_heap_find(const struct walk_heap *heap, const char *name, size_t interpreter,
                                  struct walk_ids **ids)
{
    uint8_t *wanted = calloc((size_t)heap->type_count + 1, 1);
    if (!wanted)
        return walk_error_no_memory();
    for (uint32_t i = 0; i < heap->type_count; i++)
        wanted[i] = matches(heap->python->types[i].name, name);
    struct walk_error *error = select_nodes(heap, wanted, interpreter, NULL, ids);
    free(wanted);
    return error;
}

static bool is_suspended(const struct walk_heap *heap, walk_id id)
{
    struct walk_frame_view view;
    walk_addr generator = heap->graph.key[id];
    return walk_frame_is_suspended(heap->python, generator) &&
           walk_frame_open(heap->python, walk_frame_of_generator(heap->python, generator), &view);
}

struct walk_error *walk_heap_suspended(const struct walk_heap *heap, struct walk_ids **ids)
{
    uint8_t *wanted = calloc((size_t)heap->type_count + 1, 1);
    if (!wanted)
        return walk_error_no_memory();
    for (uint32_t i = 0; i < heap->type_count; i++) {
        enum walk_kind_id kind = heap->python->types[i].kind;
        wanted[i] = kind == WALK_KIND_generator || kind == WALK_KIND_coroutine || kind == WALK_KIND_async_generator;
    }
    struct walk_error *error = select_nodes(heap, wanted, WALK_ALL_INTERPRETERS, is_suspended, ids);
    free(wanted);
    return error;
}

void walk_ids_free(struct walk_ids *ids) { free(ids); }

/* ---- text ---- */

static void annotate_frame(const struct walk_heap *heap, walk_id id, struct walk_text_out *out)
{
    struct walk_frame frame;
    struct walk_error *error = walk_heap_frame(heap, id, &frame);
    if (error) {
        walk_error_free(error);
        walk_text_add(out, "frame");
        return;
    }
    const char *slash = strrchr(frame.file, '/');
    walk_text_add(out, "frame %s:%d %s", slash ? slash + 1 : frame.file, frame.line, frame.function);
}

static void annotate_thread(const struct walk_heap *heap, walk_addr address, struct walk_text_out *out)
{
    const struct walk_python *python = heap->python;
    for (size_t i = 0; i < python->thread_count; i++)
        if (python->threads[i].address == address)
            walk_text_add(out, "thread \"%s\"", python->threads[i].name);
}

size_t walk_heap_text(const struct walk_heap *heap, walk_id id, enum walk_text which, char *buffer, size_t size)
{
    struct walk_text_out out;
    walk_addr key = heap->graph.key[id];
    enum walk_node_kind kind = walk_node_kind(heap, id);
    walk_text_init(&out, buffer, size);
    if (which == WALK_TEXT_VALUE) {
        if (kind == WALK_OBJECT)
            walk_text_value(heap->python, key, heap->graph.class[id], &out);
    } else if (walk_node_is_frame(heap, id)) {
        annotate_frame(heap, id, &out);
    } else if (kind == WALK_OBJECT) {
        walk_text_annotation(heap->python, key, heap->graph.class[id], &out);
    } else if (kind == WALK_THREAD) {
        annotate_thread(heap, key, &out);
    } else {
        walk_text_add(&out, "interpreter %" PRIu64, WALK_MEMBER(heap->python, key, interp, id));
    }
    return out.wanted;
}
