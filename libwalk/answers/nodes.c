/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and types, as people ask for them. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/heap.h"

static enum walk_role role_of(const struct walk_heap *heap, walk_id id)
{
    return walk_node_kind(heap, id) == WALK_OBJECT ? heap->tables.types[heap->graph.class[id]].role : WALK_ROLE_NONE;
}

bool walk_node_is_frame(const struct walk_heap *heap, walk_id id)
{
    return walk_node_kind(heap, id) == WALK_FRAME || role_of(heap, id) == WALK_ROLE_FRAME;
}

bool walk_node_is_generator(const struct walk_heap *heap, walk_id id)
{
    return role_of(heap, id) == WALK_ROLE_GENERATOR;
}

struct walk_error *walk_heap_lookup(const struct walk_heap *heap, walk_addr address, walk_id *id)
{
    walk_id found = walk_graph_find(&heap->graph, address);
    if (found == WALK_NO_ID)
        return heap->facts->missing(heap, address);
    *id = found;
    return NULL;
}

void walk_heap_node(const struct walk_heap *heap, walk_id id, struct walk_node *node)
{
    const struct walk_graph *graph = &heap->graph;
    enum walk_node_kind kind = walk_node_kind(heap, id);
    bool object = kind == WALK_OBJECT;
    *node = (struct walk_node){.kind = walk_node_is_frame(heap, id) ? WALK_FRAME : kind,
                               .address = walk_graph_key(graph, id),
                               .type = object ? graph->class[id] : heap->type_count + (uint32_t)(kind - WALK_FRAME),
                               .tracked = walk_node_tracked(heap, id),
                               .is_object = object,
                               .size = object ? heap->facts->size(heap, id) : 0,
                               .refcount = object ? heap->facts->refcount(heap, id) : -1,
                               .interpreter = walk_node_interpreter(heap, id)};
}

size_t walk_heap_type_count(const struct walk_heap *heap) { return (size_t)heap->type_count + 3; }

void walk_heap_type(const struct walk_heap *heap, uint32_t index, struct walk_type *type)
{
    const struct walk_type_stats *stats = &heap->types[index];
    const struct walk_type_facts *facts = &heap->tables.types[index];
    *type = (struct walk_type){.address = facts->address,
                               .name = facts->name,
                               .known = facts->known,
                               .tracked = stats->tracked,
                               .objects = stats->objects,
                               .tracked_size = stats->tracked_size,
                               .size = stats->size,
                               .unreadable = stats->unreadable,
                               .guessed = stats->guessed,
                               .fault = facts->fault,
                               .fault_file = facts->fault_file,
                               .fault_pc = stats->fault.pc,
                               .fault_instructions = stats->fault.instructions};
}

size_t walk_heap_dispute_count(const struct walk_heap *heap) { return heap->tables.dispute_count; }

void walk_heap_dispute(const struct walk_heap *heap, size_t index, struct walk_dispute *dispute)
{
    *dispute = heap->tables.disputes[index];
}

/* ---- lists ---- */

bool walk_type_is_called(const char *type, const char *name)
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
        wanted[i] = walk_type_is_called(heap->tables.types[i].name, name);
    struct walk_error *error = select_nodes(heap, wanted, interpreter, NULL, ids);
    free(wanted);
    return error;
}

struct walk_error *walk_heap_suspended(const struct walk_heap *heap, struct walk_ids **ids)
{
    uint8_t *wanted = calloc((size_t)heap->type_count + 1, 1);
    if (!wanted)
        return walk_error_no_memory();
    for (uint32_t i = 0; i < heap->type_count; i++)
        wanted[i] = heap->tables.types[i].role == WALK_ROLE_GENERATOR;
    struct walk_error *error = select_nodes(heap, wanted, WALK_ALL_INTERPRETERS, heap->facts->suspended, ids);
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
    const struct walk_tables *tables = &heap->tables;
    for (size_t i = 0; i < tables->thread_count; i++)
        if (tables->threads[i].address == address)
            walk_text_add(out, "thread \"%s\"", tables->threads[i].name);
}

static void annotate_interpreter(const struct walk_heap *heap, walk_addr address, struct walk_text_out *out)
{
    const struct walk_tables *tables = &heap->tables;
    for (size_t i = 0; i < tables->interpreter_count; i++)
        if (tables->interpreters[i].address == address)
            walk_text_add(out, "interpreter %" PRId64, tables->interpreters[i].number);
}

size_t walk_heap_text(const struct walk_heap *heap, walk_id id, enum walk_text which, char *buffer, size_t size)
{
    struct walk_text_out out;
    walk_addr key = walk_graph_key(&heap->graph, id);
    enum walk_node_kind kind = walk_node_kind(heap, id);
    walk_text_init(&out, buffer, size);
    if (which == WALK_TEXT_VALUE) {
        if (kind == WALK_OBJECT)
            heap->facts->text(heap, id, which, &out);
    } else if (walk_node_is_frame(heap, id)) {
        annotate_frame(heap, id, &out);
    } else if (kind == WALK_OBJECT) {
        heap->facts->text(heap, id, which, &out);
    } else if (kind == WALK_THREAD) {
        annotate_thread(heap, key, &out);
    } else {
        annotate_interpreter(heap, key, &out);
    }
    return out.wanted;
}
