/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is around one object, without a graph of all: everything is visited once, and only who refers to the object is
 * kept. Those, what it refers to, the threads and the frames are a small graph, of which is asked as of a whole one.
 */
#include <stdlib.h>

#include "answers/heap.h"
#include "bytes/large.h"
#include "objects/omitted.h"

struct around {
    struct walk_heap *heap;
    struct walk_graph all; /* walk_graph_has() alone */
    struct walk_sought sought;
    struct walk_refs refs;
};

/* ---- whether it can be told ---- */

/* Words that a tp_traverse leaves out are found by counting all edges (omitted.c). */
static bool may_omit(const struct walk_python *python)
{
    for (uint32_t i = 0; i < python->type_count; i++)
        if (walk_omitted_may(python, &python->types[i]))
            return true;
    return false;
}

/* Before everything is visited: what the types of the tracked objects tell. */
static bool may_tell(struct walk_python *python)
{
    uint32_t type;
    if (python->interpreter_count > 1) /* which object is whose is counted in the graph */
        return false;
    for (uint32_t i = 0; i < python->classes.count; i++)
        if (python->classes.class[i].count)
            (void)walk_python_class_type(python, i, &type);
    return !may_omit(python);
}

/* ---- the small graph ---- */

static struct walk_error *visit(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                struct walk_emitter *emitter, enum walk_answer *answer)
{
    struct around *around = context;
    struct walk_refs *refs = &around->refs;
    (void)worker, (void)answer;
    refs->count = 0;
    walk_heap_visit_key(around->heap->python, key, class, *flags & WALK_NODE_KIND, refs);
    for (size_t i = 0; i < refs->count; i++)
        if (!(refs->ref[i].flags & WALK_EDGE_WEAK))
            walk_emit_edge_if_known(emitter, refs->ref[i].target, (refs->ref[i].flags & WALK_EDGE_EXTRA) != 0);
    if (refs->interrupted)
        return walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    return refs->no_memory ? walk_error_no_memory() : NULL;
}

/* Nodes that are no objects are there already. */
static struct walk_error *add_object(const struct around *around, struct walk_builder *builder, walk_addr key)
{
    struct walk_known object = {.key = key};
    if (!walk_graph_has(&around->all, key) || !walk_heap_know(around->heap->python, &object))
        return NULL;
    return walk_builder_node(builder, key, object.class, object.flags);
}

/* Weak ones too, if they are nodes. */
static struct walk_error *add_referents(struct around *around, struct walk_builder *builder)
{
    const struct walk_known *node = &around->sought.node;
    struct walk_refs *refs = &around->refs;
    struct walk_error *error = NULL;
    refs->count = 0;
    walk_heap_visit_key(around->heap->python, node->key, node->class, node->flags & WALK_NODE_KIND, refs);
    if (refs->no_memory)
        return walk_error_no_memory();
    for (size_t i = 0; i < refs->count && !error; i++)
        error = add_object(around, builder, refs->ref[i].target);
    return error;
}

static struct walk_error *add_nodes(struct around *around, struct walk_builder *builder)
{
    const struct walk_python *python = around->heap->python;
    const struct walk_sought *sought = &around->sought;
    struct walk_error *error = walk_heap_add_others(python, builder);
    for (size_t i = 0; i < sought->count && !error; i++)
        error = walk_builder_node(builder, sought->holder[i].key, sought->holder[i].class, sought->holder[i].flags);
    if (!error && sought->found)
        error = walk_builder_node(builder, sought->node.key, sought->node.class, sought->node.flags);
    if (!error && sought->found)
        error = add_referents(around, builder);
    for (size_t i = 0; i < python->stack_frame_count && !error; i++)
        error = add_object(around, builder, python->stack_frames[i].node);
    return error;
}

static struct walk_error *build_small(struct around *around)
{
    struct walk_source source = {
        .context = around, .workers = 1, .granule = around->heap->python->word, .visit = visit};
    struct walk_builder *builder;
    struct walk_error *error = walk_builder_open(&around->heap->graph, &source, &builder);
    if (error)
        return error;
    walk_heap_limit(around->heap, &around->refs);
    error = add_nodes(around, builder);
    if (error) {
        walk_builder_abort(builder);
        return error;
    }
    return walk_builder_finish(builder);
}

/* ---- the whole ---- */

/* `*told`: it is known; else there is no heap, and nothing went wrong. */
static struct walk_error *look_around(struct around *around, walk_progress *progress, void *context, bool *told)
{
    struct walk_heap *heap = around->heap;
    struct walk_watch watch = {heap, progress, context};
    walk_heap_watch(&watch);
    struct walk_error *error = walk_heap_seek(heap, progress, context, &around->sought);
    around->all = heap->graph;
    heap->graph = (struct walk_graph){0};
    *told = !error && around->sought.certain && !may_omit(heap->python);
    if (*told)
        error = build_small(around);
    walk_heap_unwatch(heap);
    if (*told && !error)
        error = walk_heap_describe(heap);
    return error;
}

static struct walk_error *try_around(struct walk_target *target, walk_addr address, walk_progress *progress,
                                     void *context, struct walk_heap **result)
{
    struct around around = {.heap = walk_heap_new(target), .sought.node.key = address};
    bool told = false;
    if (!around.heap)
        return walk_error_no_memory();
    struct walk_error *error = look_around(&around, progress, context, &told);
    walk_graph_deinit(&around.all);
    walk_sought_deinit(&around.sought);
    walk_refs_deinit(&around.refs);
    if (told && !error) {
        *result = around.heap;
    } else {
        walk_heap_destroy(around.heap);
    }
    return error;
}

struct walk_error *walk_heap_build_around(struct walk_target *target, walk_addr address, walk_progress *progress,
                                          void *context, struct walk_heap **heap, bool *whole)
{
    struct walk_error *error = NULL;
    *heap = NULL;
    if (!target->saved && may_tell(&target->python))
        error = try_around(target, address, progress, context, heap);
    *whole = !error && !*heap;
    if (*whole)
        error = walk_heap_build(target, progress, context, heap);
    walk_stock_let_go(target->image.stock);
    return error;
}
