/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph of a heap: what the collector tracks, the interpreters, threads and frames are the start.
 */
#include <stdlib.h>

#include "answers/source.h"
#include "bytes/mapping.h"
#include "objects/tracked.h"
#include "objects/traverse.h"

/* ---- the start ---- */

/* Those of all objects of the start. False: out of memory. */
static bool learn_classes(struct walk_heap_source *source)
{
    struct walk_python *python = source->heap->python;
    source->class_type = malloc(((size_t)python->classes.count + 1) * sizeof *source->class_type);
    for (uint32_t i = 0; source->class_type && i < python->classes.count; i++)
        if (!python->classes.class[i].count || !walk_python_class_type(python, i, &source->class_type[i]))
            source->class_type[i] = WALK_NO_TYPE;
    return source->class_type != NULL;
}

/* Whether an object is a type of whose objects the collector tracks none. */
static bool has_untracked_objects(const struct walk_python *python, walk_addr object)
{
    return walk_python_ob_type(python, object) == python->runtime->type_type &&
           !(WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HAVE_GC);
}

/*
 * Makes the types known that most objects are of which the collector does not track: those of what some tracked objects
 * refer to, from one end of the memory to the other, and what builtins has of the kind. Others are learned when they
 * are met, and then all objects of theirs that have been met are asked once more.
 */
static struct walk_error *learn_common_types(struct walk_heap_source *source)
{
    enum { LOOKS = 1 << 5, WORDS = 1 << 6 /* of an array, or it is left out */, BUILTINS = 1 << 10 };
    struct walk_python *python = source->heap->python;
    struct walk_refs refs = {.unnamed = true, .limited = true};
    uint32_t type;
    for (size_t i = 0; i < LOOKS && python->tracked_count; i++) {
        size_t at = python->tracked_count * i / LOOKS;
        type = source->class_type[python->tracked_class[at]];
        refs.words = WORDS;
        if (type != WALK_NO_TYPE)
            walk_visit_by_tables(python, python->tracked[at], type, &refs);
    }
    walk_addr builtins = WALK_MEMBER(python, walk_python_main(python), interp, builtins);
    refs.words = BUILTINS;
    if (walk_python_type_of(python, builtins, &type))
        walk_visit_by_tables(python, builtins, type, &refs);
    for (size_t i = 0; i < refs.count; i++)
        if (walk_python_type_of(python, refs.ref[i].target, &type) && has_untracked_objects(python, refs.ref[i].target))
            (void)walk_python_type(python, refs.ref[i].target, &type);
    bool no_memory = refs.no_memory;
    walk_refs_deinit(&refs);
    return no_memory ? walk_error_no_memory() : walk_source_renew(source);
}

static struct walk_error *add_tracked(struct walk_heap_source *source, struct walk_builder *builder)
{
    const struct walk_python *python = source->heap->python;
    struct walk_error *error = NULL;
    for (size_t i = 0; i < walk_run_count(python) && !error; i++) {
        struct walk_run run = walk_run_of(python, i);
        size_t odd;
        error = walk_builder_nodes(builder, python->tracked + run.first, run.end - run.first, &odd);
        source->heap->stats.unreadable += odd;
    }
    return error;
}

/* Frames that are objects are found through their threads; those that are none must be known before the closure. */
struct walk_error *walk_heap_add_others(const struct walk_python *python, struct walk_builder *builder)
{
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

static struct walk_error *open_builder(struct walk_heap_source *source, walk_progress *progress, void *context,
                                       struct walk_builder **builder)
{
    const struct walk_image *image = source->heap->python->runtime->image;
    struct walk_source asked = {.context = source,
                                .workers = source->workers,
                                .stock = image->stock,
                                .granule = source->heap->python->word,
                                .flag_missing = WALK_NODE_UNREADABLE,
                                .likely = walk_source_likely,
                                .approach = walk_source_approach,
                                .tell = walk_source_tell,
                                .admit = walk_source_admit,
                                .admit_leaves = walk_source_admit_leaves,
                                .settle = walk_source_settle,
                                .visit = walk_source_visit,
                                .visit_some = walk_source_visit_some,
                                .visit_far = walk_source_visit_far,
                                .progress = progress,
                                .progress_context = context};
    struct walk_error *error = learn_common_types(source);
    if (!error)
        error = walk_builder_open(&source->heap->graph, &asked, builder);
    if (error)
        return error;
    error = add_tracked(source, *builder);
    if (!error)
        error = walk_heap_add_others(source->heap->python, *builder);
    if (error)
        walk_builder_abort(*builder);
    return error;
}

/* ---- all of it ---- */

static void close_source(struct walk_heap_source *source)
{
    for (unsigned i = 0; source->worker && i < source->workers && source->worker[i]; i++) {
        struct walk_source_worker *worker = source->worker[i];
        walk_fork_close(&worker->fork);
        walk_window_close(&worker->window);
        walk_refs_deinit(&worker->refs);
        free(worker->types);
        free(worker->samples);
        walk_source_forget_plans(worker);
        free(worker->plans);
        free(worker->edges);
        free(worker->behind);
        free(worker->unknown);
        free(worker);
    }
    free(source->worker);
    free(source->class_type);
}

static struct walk_error *open_source(struct walk_heap_source *source, struct walk_heap *heap, unsigned workers)
{
    *source =
        (struct walk_heap_source){.heap = heap, .workers = workers, .worker = calloc(workers, sizeof *source->worker)};
    struct walk_error *error = source->worker ? NULL : walk_error_no_memory();
    struct walk_image *image = heap->python->runtime->image;
    source->mapped = walk_mapping_pays(image, WALK_MOST_FOR_GRAPH);
    walk_traverser_prepare(heap->python);
    walk_python_name_threads(heap->python);
    walk_signals_find(heap->python);
    walk_faulthandler_find(heap->python);
    if (!error && (!walk_tracked_list(heap->python) || !learn_classes(source)))
        return walk_error_no_memory();
    for (unsigned i = 0; i < workers && !error; i++) {
        struct walk_source_worker *worker = source->worker[i] = walk_workers_state(1, sizeof *worker);
        if (!worker)
            return walk_error_no_memory();
        worker->edges = malloc(WALK_PLANNED_EDGES * sizeof *worker->edges);
        worker->behind = malloc(WALK_PLANNED_EDGES * sizeof *worker->behind);
        if (!worker->edges || !worker->behind ||
            !walk_window_open(&worker->window, image, image->core.data && !source->mapped))
            return walk_error_no_memory();
        walk_heap_limit(heap, &worker->refs);
        worker->refs.unnamed = true;
        error = walk_fork_open(&worker->fork, heap->python);
    }
    return error ? error : walk_source_renew(source);
}

/* Whether several workers together have looked at more words than one may. */
static bool is_exhausted(const struct walk_heap_source *source)
{
    uint64_t words = 0;
    bool exhausted = false;
    struct walk_refs all = {0};
    walk_heap_limit(source->heap, &all);
    for (unsigned i = 0; i < source->workers; i++) {
        words += all.words - source->worker[i]->refs.words;
        exhausted |= source->worker[i]->refs.exhausted;
    }
    return source->workers > 1 && (exhausted || words > all.words);
}

/* Adds up what the workers have counted. */
static struct walk_error *gather(const struct walk_heap_source *source)
{
    struct walk_heap *heap = source->heap;
    struct walk_heap_stats *stats = &heap->stats;
    heap->type_count = heap->python->type_count;
    heap->types = calloc((size_t)heap->type_count + 3, sizeof *heap->types);
    if (!heap->types)
        return walk_error_no_memory();
    for (unsigned i = 0; i < source->workers; i++) {
        const struct walk_source_worker *worker = source->worker[i];
        stats->unreadable += worker->unreadable;
        stats->guessed_edges += worker->guessed_edges;
        stats->run_objects += worker->run_objects;
        stats->collecting |= worker->collecting;
        for (uint32_t t = 0; t < heap->type_count && t < worker->capacity; t++) {
            struct walk_type_stats *type = &heap->types[t];
            const struct walk_type_stats *more = &worker->types[t];
            if (more->guessed && (!type->guessed || more->fault_at < type->fault_at)) {
                type->fault = more->fault;
                type->fault_at = more->fault_at;
            }
            type->guessed += more->guessed;
            type->objects += more->objects;
            type->size += more->size;
            type->tracked += more->tracked;
            type->tracked_size += more->tracked_size;
        }
        for (unsigned kind = WALK_FRAME; kind < 3 + WALK_FRAME; kind++) {
            heap->types[heap->type_count + kind - WALK_FRAME].objects += worker->special[kind];
            stats->nodes += worker->special[kind];
        }
    }
    for (uint32_t t = 0; t < heap->type_count; t++) {
        stats->objects += heap->types[t].objects;
        stats->tracked += heap->types[t].tracked;
        stats->guessed_objects += heap->types[t].guessed;
        if (heap->python->types[t].naming == WALK_NAME_UNKNOWN)
            stats->unnamed_objects += heap->types[t].objects;
    }
    stats->nodes += stats->objects;
    return NULL;
}

/* With `sought`, only who refers to that is found out. */
static struct walk_error *build_with(struct walk_heap *heap, unsigned workers, walk_progress *progress, void *context,
                                     struct walk_sought *sought, bool *exhausted)
{
    struct walk_heap_source source;
    struct walk_builder *builder;
    struct walk_error *error = open_source(&source, heap, workers);
    if (!error)
        error = open_builder(&source, progress, context, &builder);
    if (!error)
        error = sought ? walk_builder_seek(builder, sought->node.key, sought) : walk_builder_finish(builder);
    *exhausted = !error && is_exhausted(&source);
    if (!error && !*exhausted)
        error = gather(&source);
    close_source(&source);
    return error;
}

static unsigned workers_of(const struct walk_heap *heap)
{
    struct walk_memory fork;
    return walk_memory_fork(heap->python->memory, &fork) ? heap->python->runtime->image->workers : 1;
}

struct walk_error *walk_heap_build_graph(struct walk_heap *heap, walk_progress *progress, void *context)
{
    bool exhausted;
    struct walk_error *error = build_with(heap, workers_of(heap), progress, context, NULL, &exhausted);
    if (error || !exhausted)
        return error;
    /* The heap is damaged. Whose turn it was when there was no more must not show: one does it all. */
    walk_graph_deinit(&heap->graph);
    heap->stats = (struct walk_heap_stats){0};
    return build_with(heap, 1, progress, context, NULL, &exhausted);
}

struct walk_error *walk_heap_seek(struct walk_heap *heap, walk_progress *progress, void *context,
                                  struct walk_sought *sought)
{
    bool exhausted;
    struct walk_error *error = build_with(heap, workers_of(heap), progress, context, sought, &exhausted);
    sought->certain &= !exhausted && !heap->stats.unreadable;
    return error;
}
