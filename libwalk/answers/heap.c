/* SPDX-License-Identifier: Apache-2.0 */
/* A heap: its graph, and what is known of the nodes besides. */
#include "answers/heap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bytes/large.h"
#include "layout/cache.h"
#include "objects/dict.h"
#include "objects/traverse.h"

static bool go_on(void *context)
{
    const struct walk_watch *watch = context;
    return watch->progress(watch->context, 0, watch->heap->graph.node_count);
}

void walk_heap_watch(struct walk_watch *watch)
{
    walk_traverser_watch(watch->heap->python->traverser, watch->progress ? go_on : NULL, watch);
}

void walk_heap_unwatch(struct walk_heap *heap) { walk_traverser_watch(heap->python->traverser, NULL, NULL); }

struct walk_heap *walk_heap_new(struct walk_target *target)
{
    struct walk_heap *heap = calloc(1, sizeof *heap);
    if (!heap)
        return NULL;
    heap->target = target;
    heap->python = &target->python;
    heap->facts = &walk_live_facts;
    heap->word_limit = walk_word_limit(heap->python);
    return heap;
}

static void forget_graph(struct walk_heap *heap)
{
    walk_graph_deinit(&heap->graph);
    free(heap->types);
    heap->types = NULL;
    heap->stats = (struct walk_heap_stats){0};
}

/*
 * What a tp_traverse leaves out shows only when all else is counted; then the graph is built once more, with it. What
 * that finds may leave out something itself.
 */
static struct walk_error *build_whole_graph(struct walk_heap *heap, walk_progress *progress, void *context)
{
    enum { ROUNDS = 4 };
    struct walk_error *error = walk_heap_build_graph(heap, progress, context);
    for (int round = 0; round < ROUNDS && !error; round++) {
        size_t count;
        error = walk_heap_take_omitted(heap, &count);
        if (error || !count)
            return error;
        forget_graph(heap);
        error = walk_heap_build_graph(heap, progress, context);
    }
    return error;
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

/* The first node from `id` on whose flags say so, which are few; node_count: there is none. */
static walk_id next_unreadable(const struct walk_graph *graph, walk_id id)
{
    const uint64_t any = UINT64_C(0x0101010101010101) * WALK_NODE_UNREADABLE;
    while (graph->node_count - id >= sizeof any && !(walk_load_u64(graph->flags + id) & any))
        id += sizeof any;
    while (id < graph->node_count && !(graph->flags[id] & WALK_NODE_UNREADABLE))
        id++;
    return id;
}

/* What is not known before the graph stands: an edge may turn out to lead to what is no node. */
static void count_unreadable(struct walk_heap *heap)
{
    const struct walk_graph *graph = &heap->graph;
    for (walk_id id = 0; (id = next_unreadable(graph, id)) < graph->node_count; id++) {
        heap->stats.unreadable++;
        if (walk_node_kind(heap, id) == WALK_OBJECT)
            heap->types[graph->class[id]].unreadable++;
    }
}

static void finish_stats(struct walk_heap *heap)
{
    struct walk_heap_stats *stats = &heap->stats;
    count_unreadable(heap);
    for (uint32_t i = 0; i < heap->type_count; i++)
        stats->recovered_types += heap->types[i].objects && heap->python->types[i].naming == WALK_NAME_RECOVERED;
    walk_target_stats(heap->target, stats);
}

struct walk_error *walk_heap_describe(struct walk_heap *heap)
{
    for (size_t i = 0; i < heap->python->interpreter_count; i++)
        mark_modules(heap, heap->python->interpreters[i].address);
    struct walk_error *error = list_frames(heap);
    if (!error)
        error = walk_interpreter_find(heap);
    if (!error)
        error = walk_tables_fill(heap);
    finish_stats(heap);
    return error;
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

static struct walk_error *build(struct walk_target *target, walk_progress *progress, void *context,
                                struct walk_heap **result)
{
    struct walk_heap *heap = walk_heap_new(target);
    if (!heap)
        return walk_error_no_memory();
    struct walk_watch watch = {heap, progress, context};
    walk_heap_watch(&watch);
    struct walk_error *error = build_whole_graph(heap, progress, context);
    walk_heap_unwatch(heap);
    if (!error)
        error = walk_heap_describe(heap);
    if (error) {
        walk_heap_destroy(heap);
        return error;
    }
    heap->stats.edges = heap->graph.edge_count;
    heap->stats.extra_edges = heap->graph.marked_count;
    remember(heap);
    *result = heap;
    return NULL;
}

struct walk_error *walk_heap_build(struct walk_target *target, walk_progress *progress, void *context,
                                   struct walk_heap **result)
{
    if (target->facts && target->facts->heap)
        return target->facts->heap(target, result);
    walk_stock_keep(target->image.stock);
    struct walk_error *error = build(target, progress, context, result);
    walk_stock_let_go(target->image.stock);
    return error;
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
    walk_tables_deinit(&heap->tables);
    free(heap->interpreter);
    free(heap->interpreter_tracked);
    free(heap->types);
    walk_graph_deinit(&heap->graph);
    free(heap);
}

void walk_heap_stats(const struct walk_heap *heap, struct walk_heap_stats *stats) { *stats = heap->stats; }
