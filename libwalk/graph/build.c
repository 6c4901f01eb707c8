/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure, in rounds: the nodes of a round are asked what they are, then visited, by all workers at once; what they
 * are the first to lead to is the next round. Neither the set of a round's nodes nor what is told of them depends on
 * who does what when.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "graph/builder.h"
#include "graph/index.h"

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
    builder->last_round = &builder->rounds;
    builder->emitters = calloc(source->workers, sizeof *builder->emitters);
    struct walk_error *error = walk_index_init(&graph->index, source->granule);
    if (error || !builder->emitters) {
        walk_builder_abort(builder);
        return error ? error : walk_error_no_memory();
    }
    for (unsigned i = 0; i < source->workers; i++) {
        builder->emitters[i].worker = i;
        builder->emitters[i].source = &builder->source;
        builder->emitters[i].index = &graph->index;
    }
    *result = builder;
    return NULL;
}

static void free_builder(struct walk_builder *builder)
{
    for (unsigned i = 0; builder->emitters && i < builder->source.workers; i++) {
        struct walk_emitter *emitter = &builder->emitters[i];
        walk_slabs_deinit(&emitter->edges);
        free(emitter->block);
        free(emitter->found);
        free(emitter->later);
        walk_error_free(emitter->error);
    }
    for (size_t i = 0; i < builder->group_count; i++)
        free(builder->groups[i].keys);
    for (struct walk_round *round = builder->rounds, *next; round; round = next) {
        next = round->next;
        free(round->keys);
        free(round->class);
        free(round->edges);
        free(round->flags);
        free(round);
    }
    free(builder->emitters);
    free(builder->specials);
    free(builder);
}

void walk_builder_abort(struct walk_builder *builder)
{
    if (!builder)
        return;
    walk_graph_deinit(builder->graph);
    free_builder(builder);
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

struct walk_error *walk_builder_nodes(struct walk_builder *builder, unsigned group, const walk_addr *keys, size_t count,
                                      size_t *odd)
{
    struct walk_index *index = &builder->graph->index;
    struct walk_group *added = &builder->groups[builder->group_count];
    *odd = 0;
    if (builder->group_count == WALK_GROUPS_MAX || !(added->keys = walk_large_alloc(count + 1, sizeof *added->keys)))
        return walk_error_no_memory();
    *added = (struct walk_group){.number = group, .keys = added->keys};
    builder->group_count++;
    for (size_t i = 0; i < count; i++) {
        enum walk_entry entry = WALK_ENTERED_BEFORE;
        if (walk_index_is_odd(index, keys[i]))
            (*odd)++;
        else if ((entry = walk_index_enter(index, keys[i])) == WALK_ENTER_NO_MEMORY)
            return walk_error_no_memory();
        if (entry == WALK_ENTERED)
            added->keys[added->count++] = keys[i];
    }
    /* Those of the first group are all there are: in the order of memory they are visited faster. */
    if (builder->group_count == 1)
        walk_index_list(index, added->keys, added->count);
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

/* Each once; those that are in a group leave their flags to it. */
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
    struct walk_round *round = walk_round_add(builder, count);
    if (!round || !(round->keys = malloc((count + 1) * sizeof *round->keys)))
        return walk_error_no_memory();
    for (size_t i = 0; i < count; i++) {
        round->keys[i] = builder->specials[i].key;
        round->class[i] = builder->specials[i].class;
        round->flags[i] = builder->specials[i].flags;
    }
    return walk_round_go_alone(builder, round);
}

/* What all workers have found, as one list. */
static struct walk_error *gather_found(struct walk_builder *builder, walk_addr **keys, size_t *count)
{
    size_t total = 0;
    for (unsigned i = 0; i < builder->source.workers; i++)
        total += builder->emitters[i].found_count;
    walk_addr *all = walk_large_alloc(total + 1, sizeof *all);
    if (!all)
        return walk_error_no_memory();
    *keys = all;
    *count = total;
    for (unsigned i = 0; i < builder->source.workers; i++) {
        struct walk_emitter *emitter = &builder->emitters[i];
        if (emitter->found_count)
            memcpy(all, emitter->found, emitter->found_count * sizeof *all);
        all += emitter->found_count;
        emitter->found_count = 0;
    }
    return NULL;
}

static struct walk_error *close_over(struct walk_builder *builder)
{
    size_t count = 1;
    struct walk_error *error = enter_specials(builder);
    for (size_t i = 0; i < builder->group_count && !error; i++) {
        struct walk_group *group = &builder->groups[i];
        error = walk_round_go(builder, group->number, group->keys, group->count);
        group->keys = NULL;
    }
    if (!error)
        error = visit_specials(builder);
    while (!error && count) {
        walk_addr *keys = NULL;
        error = gather_found(builder, &keys, &count);
        if (!error && count)
            error = walk_round_go(builder, 0, keys, count);
        else
            free(keys);
    }
    return error;
}

/* What was entered because an edge led to it, or to begin with, and then was no node. */
static void remove_refused(struct walk_builder *builder)
{
    for (const struct walk_round *round = builder->rounds; round && builder->refused; round = round->next)
        for (size_t at = 0; at < round->count; at++)
            if (round->class[at] == WALK_ROUND_REFUSED)
                walk_index_remove(&builder->graph->index, round->keys[at]);
}

struct walk_error *walk_builder_finish(struct walk_builder *builder)
{
    struct walk_graph *graph = builder->graph;
    unsigned workers = builder->source.workers;
    struct walk_error *error = close_over(builder);
    remove_refused(builder);
    if (!error)
        error = walk_index_rank(graph, workers);
    if (!error)
        error = walk_rows_build(graph, &builder->source, builder->emitters, workers);
    free_builder(builder); /* of as much memory as the backward rows are made in */
    if (!error)
        error = walk_rows_reverse(graph, workers);
    if (error)
        walk_graph_deinit(graph);
    return error;
}

void walk_graph_deinit(struct walk_graph *graph)
{
    free(graph->key);
    free(graph->class);
    free(graph->flags);
    walk_index_deinit(&graph->index);
    free(graph->forward.start);
    free(graph->forward.edge);
    free(graph->backward.start);
    free(graph->backward.edge);
    *graph = (struct walk_graph){0};
}
