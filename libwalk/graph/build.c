/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure, in rounds: the nodes of a round are asked what they are and visited, by all workers at once; what they
 * are the first to lead to is the next round. Neither the set of a round's nodes nor what is told of them depends on
 * who does what when.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/builder.h"

/* ---- opening, and the nodes to begin with ---- */

struct walk_error *walk_builder_open(struct walk_graph *graph, const struct walk_source *source,
                                     struct walk_builder **result)
{
    *graph = (struct walk_graph){0};
    struct walk_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return walk_error_no_memory();
    builder->graph = graph;
    builder->source = *source;
    builder->pages.stock = source->stock;
    builder->emitters = walk_workers_state(source->workers, sizeof *builder->emitters);
    struct walk_error *error = walk_index_init(&graph->index, source->granule, source->stock);
    if (error || !builder->emitters) {
        walk_builder_abort(builder);
        return error ? error : walk_error_no_memory();
    }
    for (unsigned i = 0; i < source->workers; i++) {
        builder->emitters[i].worker = i;
        builder->emitters[i].source = &builder->source;
        builder->emitters[i].index = &graph->index;
        builder->emitters[i].far_pages.stock = source->stock;
    }
    *result = builder;
    return NULL;
}

static void free_parts(struct walk_builder *builder)
{
    for (unsigned i = 0; builder->emitters && i < builder->source.workers; i++) {
        walk_slabs_deinit(&builder->emitters[i].edges);
        walk_error_free(builder->emitters[i].error);
        free(builder->emitters[i].seeking.holder);
        walk_pages_deinit(&builder->emitters[i].far_pages);
    }
    free(builder->far.group);
    walk_pages_deinit(&builder->pages);
    free(builder->blocks);
    free(builder->emitters);
    free(builder->specials);
    builder->emitters = NULL;
    builder->far.group = NULL;
    builder->blocks = NULL;
    builder->specials = NULL;
}

void walk_builder_free(struct walk_builder *builder)
{
    free_parts(builder);
    free(builder);
}

void walk_builder_abort(struct walk_builder *builder)
{
    if (!builder)
        return;
    walk_graph_deinit(builder->graph);
    walk_builder_free(builder);
}

struct walk_error *walk_builder_node(struct walk_builder *builder, walk_addr key, uint32_t class, uint8_t flags)
{
    if (builder->special_count == builder->special_capacity &&
        !walk_array_grow(&builder->specials, &builder->special_capacity, sizeof *builder->specials, 64))
        return walk_error_no_memory();
    size_t order = builder->special_count++;
    builder->specials[order] = (struct walk_special){key, class, flags, order};
    return NULL;
}

/* ---- the closure ---- */

static int by_special(const void *a, const void *b)
{
    const struct walk_special *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Each once; those that were told without a class too are left to that. */
static struct walk_error *enter_specials(struct walk_builder *builder)
{
    struct walk_index *index = &builder->graph->index;
    size_t kept = 0;
    if (builder->special_count)
        qsort(builder->specials, builder->special_count, sizeof *builder->specials, by_special);
    for (size_t i = 0; i < builder->special_count; i++) {
        struct walk_special special = builder->specials[i];
        bool odd = walk_index_is_odd(index, special.key);
        if (kept && builder->specials[kept - 1].key == special.key) {
            builder->specials[kept - 1].flags |= special.flags;
            continue;
        }
        enum walk_entry entry = odd ? WALK_ENTERED : walk_index_enter(index, special.key);
        if (entry == WALK_ENTER_NO_MEMORY || (odd && !walk_index_enter_odd(index, special.key)))
            return walk_error_no_memory();
        if (entry == WALK_ENTERED)
            builder->specials[kept++] = special;
    }
    builder->special_count = kept;
    walk_index_sort_odd(index);
    return NULL;
}

static struct walk_error *visit_specials(struct walk_builder *builder)
{
    size_t count = builder->special_count;
    struct walk_block *block = walk_block_add(builder, NULL, count);
    if (!block)
        return walk_error_no_memory();
    for (size_t i = 0; i < count; i++) {
        block->key[i] = builder->specials[i].key;
        block->class[i] = builder->specials[i].class;
        block->flags[i] = builder->specials[i].flags;
    }
    block->later = block->count;
    return walk_round_go_alone(builder);
}

/* How a key stands in the log is known when all odd keys are entered. */
static void begin_seeking(struct walk_builder *builder, walk_addr key)
{
    builder->seeks = true;
    for (unsigned i = 0; i < builder->source.workers; i++) {
        struct walk_seeking *seeking = &builder->emitters[i].seeking;
        *seeking = (struct walk_seeking){.on = true, .node.key = key, .logged = key};
        if (!walk_emit_loggable(&builder->emitters[i], &seeking->logged))
            seeking->logged = WALK_LOG_NOTHING;
    }
}

struct walk_error *walk_builder_close(struct walk_builder *builder, const walk_addr *sought)
{
    struct walk_error *error = enter_specials(builder);
    if (!error && sought)
        begin_seeking(builder, *sought);
    if (!error)
        error = walk_round_go_told(builder);
    if (!error)
        error = visit_specials(builder);
    for (bool any = true; any && !error;)
        error = walk_round_go(builder, &any);
    return error;
}

/* Whether anything was refused that an edge may lead to. */
static bool is_in_doubt(const struct walk_builder *builder)
{
    bool doubt = false;
    for (unsigned i = 0; i < builder->source.workers; i++)
        doubt |= builder->emitters[i].doubt;
    return doubt;
}

/* What was entered because an edge led to it, or to begin with, and then was no node. */
static void remove_refused(struct walk_builder *builder)
{
    for (size_t i = 0; i < builder->block_count; i++) {
        const struct walk_block *block = &builder->blocks[i];
        for (uint32_t at = 0; block->region && at < block->count; at++)
            if (block->class[at] == WALK_NO_CLASS)
                walk_region_remove(block->region, block->place[at]);
    }
}

/* The log becomes rows, and goes as it does; so do the blocks, whose memory is for what is to come. */
static struct walk_error *build_rows(struct walk_builder *builder, bool doubt)
{
    bool good = true;
    for (unsigned i = 0; i < builder->source.workers; i++)
        good = good && walk_slabs_use_up(&builder->emitters[i].edges);
    struct walk_error *error = good ? walk_rows_build(builder->graph, &builder->source, builder->blocks,
                                                      builder->block_count, &builder->far, doubt)
                                    : walk_error_no_memory();
    free_parts(builder);
    return error;
}

struct walk_error *walk_builder_finish(struct walk_builder *builder)
{
    struct walk_graph *graph = builder->graph;
    struct walk_stock *stock = builder->source.stock;
    unsigned workers = builder->source.workers;
    struct walk_error *error = walk_builder_close(builder, NULL);
    bool doubt = is_in_doubt(builder);
    if (!error && doubt)
        remove_refused(builder);
    if (!error)
        error = walk_index_rank(graph, workers);
    if (!error)
        error = build_rows(builder, doubt);
    if (!error)
        error = walk_rows_reverse(graph, workers, stock);
    walk_builder_free(builder);
    if (error)
        walk_graph_deinit(graph);
    return error;
}

void walk_graph_deinit(struct walk_graph *graph)
{
    walk_large_free(graph->class);
    walk_large_free(graph->flags);
    walk_index_deinit(&graph->index);
    walk_large_free(graph->forward.start);
    walk_large_free(graph->forward.edge);
    walk_large_free(graph->backward.start);
    walk_large_free(graph->backward.edge);
    *graph = (struct walk_graph){0};
}
