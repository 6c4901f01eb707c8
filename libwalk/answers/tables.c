/* SPDX-License-Identifier: Apache-2.0 */
/* What there are few of, types, threads, greenlets and interpreters, as the answers read it: from the memory. */
#include <stdlib.h>

#include "answers/heap.h"
#include "machine/machine.h"

static const char *const kind_names[] = {"object", "frame", "thread", "interpreter"};

static enum walk_role role_of(enum walk_kind_id kind)
{
    switch (kind) {
    case WALK_KIND_frame:
        return WALK_ROLE_FRAME;
    case WALK_KIND_generator:
    case WALK_KIND_coroutine:
    case WALK_KIND_async_generator:
        return WALK_ROLE_GENERATOR;
    default:
        return WALK_ROLE_NONE;
    }
}

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

static void fill_types(const struct walk_heap *heap, struct walk_type_facts *types)
{
    for (uint32_t i = 0; i < heap->type_count; i++) {
        const struct walk_pytype *type = &heap->python->types[i];
        const struct walk_traverse_fault *fault = &heap->types[i].fault;
        types[i] = (struct walk_type_facts){.address = type->address,
                                            .name = type->name,
                                            .fault = fault->kind ? walk_fault_name(fault->kind) : NULL,
                                            .fault_file = fault_file(heap, fault),
                                            .role = role_of(type->kind),
                                            .known = walk_python_has_table(heap->python, type)};
    }
    for (uint32_t kind = WALK_FRAME; kind <= WALK_INTERPRETER; kind++)
        types[heap->type_count + kind - WALK_FRAME] = (struct walk_type_facts){.name = kind_names[kind], .known = true};
}

static void fill_threads(const struct walk_heap *heap, struct walk_tables *tables)
{
    for (size_t i = 0; i < tables->thread_count; i++) {
        const struct walk_pythread *known = &heap->python->threads[i];
        walk_id id = walk_graph_find(&heap->graph, known->address);
        tables->threads[i] = (struct walk_thread){.id = id,
                                                  .address = known->address,
                                                  .interpreter = walk_graph_find(&heap->graph, known->interpreter),
                                                  .ident = known->ident,
                                                  .native_id = known->native_id,
                                                  .name = known->name,
                                                  .frame_count = heap->threads[i].count,
                                                  .frames = heap->threads[i].id,
                                                  .frames_complete = known->frames_complete};
        for (size_t f = known->first_frame; f < known->first_frame + known->frame_count; f++) {
            walk_id frame = walk_graph_find(&heap->graph, heap->python->stack_frames[f].node);
            if (frame != WALK_NO_ID)
                tables->on_stack[tables->on_stack_count++] = (struct walk_on_stack){frame, id};
        }
    }
}

static void fill_greenlets(const struct walk_heap *heap, struct walk_tables *tables)
{
    for (size_t i = 0; i < tables->greenlet_count; i++) {
        const struct walk_pygreenlet *known = &heap->python->greenlets[i];
        tables->greenlets[i] = (struct walk_greenlet){.id = walk_graph_find(&heap->graph, known->address),
                                                      .frame_count = heap->greenlets[i].count,
                                                      .frames = heap->greenlets[i].id,
                                                      .frames_complete = known->frames_complete};
    }
}

static void fill_interpreters(const struct walk_heap *heap, struct walk_tables *tables)
{
    const struct walk_python *python = heap->python;
    for (size_t i = 0; i < tables->interpreter_count; i++) {
        const struct walk_pyinterpreter *known = &python->interpreters[i];
        tables->interpreters[i] = (struct walk_interpreter){
            .id = walk_graph_find(&heap->graph, known->address),
            .address = known->address,
            .number = known->number,
            .has_collector = python->interpreter_count == 1 || !walk_runtime_shares_collector(python->runtime),
            .tracked = heap->interpreter ? heap->interpreter_tracked[i] : heap->stats.tracked};
    }
}

struct walk_error *walk_tables_fill(struct walk_heap *heap)
{
    const struct walk_python *python = heap->python;
    struct walk_tables *tables = &heap->tables;
    tables->types = calloc((size_t)heap->type_count + 3, sizeof *tables->types);
    tables->threads = calloc(python->thread_count + 1, sizeof *tables->threads);
    tables->greenlets = calloc(python->greenlet_count + 1, sizeof *tables->greenlets);
    tables->interpreters = calloc(python->interpreter_count + 1, sizeof *tables->interpreters);
    tables->disputes = calloc(python->dispute_count + 1, sizeof *tables->disputes);
    tables->on_stack = calloc(python->stack_frame_count + 1, sizeof *tables->on_stack);
    if (!tables->types || !tables->threads || !tables->greenlets || !tables->interpreters || !tables->disputes ||
        !tables->on_stack)
        return walk_error_no_memory();
    tables->thread_count = python->thread_count;
    tables->greenlet_count = python->greenlet_count;
    tables->interpreter_count = python->interpreter_count;
    tables->dispute_count = python->dispute_count;
    if (python->dispute_count)
        memcpy(tables->disputes, python->disputes, python->dispute_count * sizeof *tables->disputes);
    fill_types(heap, tables->types);
    fill_threads(heap, tables);
    fill_greenlets(heap, tables);
    fill_interpreters(heap, tables);
    return NULL;
}

void walk_tables_deinit(struct walk_tables *tables)
{
    free(tables->types);
    free(tables->threads);
    free(tables->greenlets);
    free(tables->interpreters);
    free(tables->disputes);
    free(tables->on_stack);
}
