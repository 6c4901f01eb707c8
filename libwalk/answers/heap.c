/* SPDX-License-Identifier: Apache-2.0 */
/* Building a heap: the collector's lists, the interpreters, threads and frames are the start; the graph closes over
 * them. */
#include "answers/heap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "layout/cache.h"
#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/header.h"
#include "objects/size.h"
#include "objects/text.h"
#include "objects/traverse.h"

/* ---- what the graph asks ---- */

/*
 * While a collection runs some of the tracked objects are on lists whose heads are on the C stack: those that are found
 * otherwise are told by what is in front of them. Up to 3.7 that also tells that a collection runs.
 */
static bool is_on_hidden_list(const struct walk_python *python, walk_addr object, uint32_t type)
{
    return (python->collecting || WALK_HAS(python->layout, gc_head, refs)) &&
           walk_python_is_gc(python, &python->types[type], object) && walk_header_tracked(python, object);
}

static bool admit(void *context, walk_addr key, uint32_t *class, uint8_t *flags)
{
    struct walk_heap *heap = context;
    if (!walk_python_type_of(heap->python, key, class))
        return false;
    bool hidden = is_on_hidden_list(heap->python, key, *class);
    heap->stats.collecting |= hidden;
    *flags = WALK_OBJECT | (hidden ? WALK_NODE_TRACKED : 0);
    return true;
}

static const struct walk_pythread *thread_at(const struct walk_python *python, walk_addr address)
{
    for (size_t i = 0; i < python->thread_count; i++)
        if (python->threads[i].address == address)
            return &python->threads[i];
    return NULL;
}

static void visit_key(struct walk_python *python, walk_addr key, uint32_t class, enum walk_node_kind kind,
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

void walk_heap_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    visit_key(heap->python, heap->graph.key[id], heap->graph.class[id], walk_node_kind(heap, id), refs);
}

void walk_heap_limit(const struct walk_heap *heap, struct walk_refs *refs)
{
    refs->limited = true;
    refs->words = walk_memory_size(heap->python->memory) / heap->python->word * 4;
}

static bool reserve_types(struct walk_heap *heap, uint32_t count)
{
    if (count <= heap->type_capacity)
        return true;
    struct walk_type_stats *types = realloc(heap->types, (size_t)count * 2 * sizeof *types);
    if (!types)
        return false;
    memset(types + heap->type_capacity, 0, ((size_t)count * 2 - heap->type_capacity) * sizeof *types);
    heap->types = types;
    heap->type_capacity = count * 2;
    return true;
}

static struct walk_error *count_guess(struct walk_heap *heap, uint32_t class, const struct walk_refs *refs)
{
    if (!reserve_types(heap, class + 1))
        return walk_error_no_memory();
    struct walk_type_stats *type = &heap->types[class];
    if (!type->guessed++)
        type->fault = refs->fault;
    heap->stats.guessed_objects++;
    return NULL;
}

static struct walk_error *visit(void *context, walk_id id, walk_addr key, uint32_t class, uint8_t flags,
                                struct walk_builder *builder)
{
    struct walk_heap *heap = context;
    struct walk_refs *refs = &heap->scratch;
    refs->count = 0;
    refs->unreadable = refs->guessed = refs->run = false;
    refs->fault = (struct walk_traverse_fault){0};
    visit_key(heap->python, key, class, flags & WALK_NODE_KIND, refs);
    for (size_t i = 0; i < refs->count; i++) {
        const struct walk_ref *ref = &refs->ref[i];
        bool extra = (ref->flags & WALK_EDGE_EXTRA) != 0;
        if (ref->flags & WALK_EDGE_WEAK)
            continue;
        if (ref->flags & WALK_REF_IF_KNOWN)
            walk_builder_edge_if_known(builder, ref->target, extra);
        else if (!walk_builder_edge(builder, ref->target, extra))
            refs->unreadable = true;
        else
            heap->stats.guessed_edges += (ref->flags & WALK_EDGE_GUESS) != 0;
    }
    if (refs->unreadable)
        heap->graph.flags[id] |= WALK_NODE_UNREADABLE;
    if (refs->no_memory)
        return walk_error_no_memory();
    heap->stats.run_objects += refs->run;
    return refs->guessed ? count_guess(heap, class, refs) : NULL;
}

/* ---- the start ---- */

/* Ids are given in the order of the lists: where each interpreter's end is all that must be known of them. */
static struct walk_error *add_tracked(struct walk_heap *heap, struct walk_builder *builder)
{
    struct walk_python *python = heap->python;
    size_t permanent_from = python->tracked_count - python->permanent_count, of = 0;
    heap->tracked_end = calloc(python->interpreter_count, sizeof *heap->tracked_end);
    if (!heap->tracked_end)
        return walk_error_no_memory();
    for (size_t i = 0; i <= python->tracked_count; i++) {
        for (; of < python->interpreter_count &&
               i >= python->interpreters[of].first_tracked + python->interpreters[of].tracked_count;
             of++)
            heap->tracked_end[of] = heap->graph.node_count;
        if (i == python->tracked_count)
            break;
        uint32_t type;
        if (!walk_python_type(python, walk_python_ob_type(python, python->tracked[i]), &type)) {
            heap->stats.unreadable++;
            continue;
        }
        struct walk_error *error =
            walk_builder_node(builder, python->tracked[i], type, i < permanent_from ? WALK_NODE_TRACKED : 0);
        if (error)
            return error;
    }
    return NULL;
}

/* Frames that are objects are found through their threads; those that are none must be known before the closure. */
static struct walk_error *add_others(struct walk_heap *heap, struct walk_builder *builder)
{
    const struct walk_python *python = heap->python;
    struct walk_error *error = NULL;
    for (size_t i = 0; i < python->interpreter_count && !error; i++)
        error = walk_builder_node(builder, python->interpreters[i].address, 0, WALK_INTERPRETER);
    for (size_t i = 0; i < python->thread_count && !error; i++)
        error = walk_builder_node(builder, python->threads[i].address, 0, WALK_THREAD);
    for (size_t i = 0; i < python->stack_frame_count && !error; i++)
        if (!python->stack_frames[i].is_object)
            error = walk_builder_node(builder, python->stack_frames[i].node, 0, WALK_FRAME);
    return error;
}

static struct walk_error *build_graph(struct walk_heap *heap, walk_progress *progress, void *context)
{
    struct walk_source source = {heap, admit, visit, progress, context};
    walk_heap_limit(heap, &heap->scratch);
    heap->scratch.unnamed = true;
    struct walk_builder *builder;
    struct walk_error *error = walk_builder_open(&heap->graph, &source, &builder);
    if (error)
        return error;
    error = add_tracked(heap, builder);
    if (!error)
        error = add_others(heap, builder);
    if (error) {
        walk_builder_abort(builder);
        return error;
    }
    return walk_builder_finish(builder);
}

/* ---- what is known of the nodes when the graph stands ---- */

static void mark(struct walk_heap *heap, walk_addr key, uint8_t flag)
{
    walk_id id = key ? walk_graph_find(&heap->graph, key) : WALK_NO_ID;
    if (id != WALK_NO_ID)
        heap->graph.flags[id] |= flag;
}

static void mark_modules(struct walk_heap *heap, walk_addr interpreter)
{
    struct walk_python *python = heap->python;
    struct walk_dict modules;
    walk_addr dict = WALK_MEMBER(python, interpreter, interp, modules);
    if (!dict || !walk_dict_open(python, dict, &modules))
        return;
    for (uint64_t i = 0; i < modules.keys.count; i++) {
        walk_addr key, module;
        uint32_t type;
        walk_dict_entry(python, &modules, i, &key, &module);
        if (!module || !walk_python_type_of(python, module, &type) || python->types[type].kind != WALK_KIND_module)
            continue;
        mark(heap, module, WALK_NODE_MODULE);
        mark(heap, WALK_MEMBER(python, module, module, md_dict), WALK_NODE_NAMESPACE);
    }
}

static struct walk_error *list_stack(struct walk_heap *heap, size_t first, size_t count, uint8_t flag,
                                     struct walk_frame_ids *frames)
{
    frames->id = calloc(count + 1, sizeof *frames->id);
    if (!frames->id)
        return walk_error_no_memory();
    for (size_t i = first; i < first + count; i++) {
        const struct walk_stack_frame *frame = &heap->python->stack_frames[i];
        walk_id id = walk_graph_find(&heap->graph, frame->node);
        if (id == WALK_NO_ID)
            continue;
        heap->graph.flags[id] |= flag;
        if (frame->complete)
            frames->id[frames->count++] = id;
    }
    return NULL;
}

static struct walk_error *list_frames(struct walk_heap *heap)
{
    const struct walk_python *python = heap->python;
    struct walk_error *error = NULL;
    heap->threads = calloc(python->thread_count + 1, sizeof *heap->threads);
    heap->greenlets = calloc(python->greenlet_count + 1, sizeof *heap->greenlets);
    if (!heap->threads || !heap->greenlets)
        return walk_error_no_memory();
    for (size_t i = 0; i < python->thread_count && !error; i++)
        error = list_stack(heap, python->threads[i].first_frame, python->threads[i].frame_count, WALK_NODE_ON_STACK,
                           &heap->threads[i]);
    for (size_t i = 0; i < python->greenlet_count && !error; i++)
        error = list_stack(heap, python->greenlets[i].first_frame, python->greenlets[i].frame_count,
                           python->greenlets[i].is_main ? WALK_NODE_ON_STACK : WALK_NODE_ASIDE, &heap->greenlets[i]);
    return error;
}

static struct walk_error *count_types(struct walk_heap *heap)
{
    const struct walk_graph *graph = &heap->graph;
    heap->type_count = heap->python->type_count;
    if (!reserve_types(heap, heap->type_count + 3))
        return walk_error_no_memory();
    const struct walk_pytype *pytypes = heap->python->types;
    for (walk_id id = 0; id < graph->node_count; id++) {
        enum walk_node_kind kind = walk_node_kind(heap, id);
        heap->stats.unreadable += (graph->flags[id] & WALK_NODE_UNREADABLE) != 0;
        if (kind != WALK_OBJECT) {
            heap->types[heap->type_count + kind - WALK_FRAME].objects++;
            continue;
        }
        struct walk_type_stats *type = &heap->types[graph->class[id]];
        uint64_t size = walk_object_size(heap->python, graph->key[id], graph->class[id]);
        heap->stats.objects++;
        type->objects++;
        type->unreadable += (graph->flags[id] & WALK_NODE_UNREADABLE) != 0;
        type->size += size;
        heap->stats.unnamed_objects += pytypes[graph->class[id]].naming == WALK_NAME_UNKNOWN;
        if (!walk_node_tracked(heap, id))
            continue;
        heap->stats.tracked++;
        type->tracked++;
        type->tracked_size += size;
    }
    return NULL;
}

static void finish_stats(struct walk_heap *heap)
{
    struct walk_heap_stats *stats = &heap->stats;
    const struct walk_graph *graph = &heap->graph;
    for (uint64_t i = 0; i < graph->edge_count; i++)
        stats->extra_edges += (graph->forward.edge[i] & WALK_EDGE_MARK) != 0;
    for (uint32_t i = 0; i < heap->type_count; i++)
        stats->recovered_types += heap->types[i].objects && heap->python->types[i].naming == WALK_NAME_RECOVERED;
    stats->nodes = graph->node_count;
    stats->edges = graph->edge_count;
    walk_target_stats(heap->target, stats);
}

/* A damaged heap may name types that are none: of such a target nothing is remembered. */
static void remember(const struct walk_heap *heap)
{
    struct walk_layout_row *row;
    const struct walk_heap_stats *stats = &heap->stats;
    if (!heap->target->runtime.remember || stats->unreadable > stats->objects / 1000 || stats->broken_lists)
        return;
    struct walk_error *error = walk_heap_row(heap, &row);
    if (!error) {
        walk_cache_write(row);
        walk_layout_row_free(row);
    }
    walk_error_free(error);
}

struct walk_error *walk_heap_build(struct walk_target *target, walk_progress *progress, void *context,
                                   struct walk_heap **result)
{
    struct walk_heap *heap = calloc(1, sizeof *heap);
    if (!heap)
        return walk_error_no_memory();
    heap->target = target;
    heap->python = &target->python;
    struct walk_error *error = build_graph(heap, progress, context);
    if (!error) {
        for (size_t i = 0; i < heap->python->interpreter_count; i++)
            mark_modules(heap, heap->python->interpreters[i].address);
        error = list_frames(heap);
    }
    if (!error)
        error = count_types(heap);
    if (error) {
        walk_heap_destroy(heap);
        return error;
    }
    finish_stats(heap);
    remember(heap);
    *result = heap;
    return NULL;
}

void walk_heap_destroy(struct walk_heap *heap)
{
    if (!heap)
        return;
    for (size_t i = 0; heap->threads && i < heap->python->thread_count; i++)
        free(heap->threads[i].id);
    for (size_t i = 0; heap->greenlets && i < heap->python->greenlet_count; i++)
        free(heap->greenlets[i].id);
    free(heap->threads);
    free(heap->greenlets);
    free(heap->tracked_end);
    free(heap->types);
    walk_refs_deinit(&heap->scratch);
    walk_graph_deinit(&heap->graph);
    free(heap);
}

void walk_heap_stats(const struct walk_heap *heap, struct walk_heap_stats *stats) { *stats = heap->stats; }
