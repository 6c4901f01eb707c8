/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure, in rounds: the nodes of a round are asked what they are, then visited, by all workers at once; what they
 * are the first to lead to is the next round. Neither the set of a round's nodes nor what is told of them depends on
 * who does what when.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/index.h"
#include "graph/log.h"

/* Nodes that a worker takes at a time; rounds of fewer are not worth a second thread. */
enum { CHUNK = 1 << 11 };

/* In place of a class. */
#define UNASKED (UINT32_MAX - 1)

struct special {
    walk_addr key;
    uint32_t class;
    uint8_t flags;
    size_t order;
};

struct group {
    unsigned number;
    walk_addr *keys;
    size_t count;
};
enum { GROUPS_MAX = 4 };

struct walk_builder {
    struct walk_graph *graph;
    struct walk_source source;
    struct walk_emitter *emitters; /* one per worker */
    struct special *specials;
    size_t special_count, special_capacity;
    struct group groups[GROUPS_MAX];
    size_t group_count;
    struct walk_round *rounds, **last_round;
    size_t refused, visited, known;
    atomic_bool stop;
    bool interrupted;
};

/* What is asked and visited now. */
struct now {
    struct walk_builder *builder;
    struct walk_round *round;
    unsigned group;
    atomic_size_t undecided;
    atomic_size_t visited;
};

static bool grow(void *array, size_t *capacity, size_t item, size_t first)
{
    size_t wanted = *capacity ? *capacity + *capacity / 2 : first;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, wanted * item);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

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
        !grow(&builder->specials, &builder->special_capacity, sizeof *builder->specials, 64))
        return walk_error_no_memory();
    size_t order = builder->special_count++;
    builder->specials[order] = (struct special){key, class, flags, order};
    return NULL;
}

struct walk_error *walk_builder_nodes(struct walk_builder *builder, unsigned group, const walk_addr *keys, size_t count,
                                      size_t *odd)
{
    struct walk_index *index = &builder->graph->index;
    struct group *added = &builder->groups[builder->group_count];
    *odd = 0;
    if (builder->group_count == GROUPS_MAX || !(added->keys = walk_large_new(count + 1, sizeof *added->keys)))
        return walk_error_no_memory();
    *added = (struct group){.number = group, .keys = added->keys};
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

/* ---- what visits tell ---- */

/* The key as it stands in the log; false: it cannot be a node. */
static bool loggable(struct walk_emitter *emitter, walk_addr *key)
{
    if (!walk_index_is_odd(emitter->index, *key))
        return true;
    size_t odd = walk_index_odd(emitter->index, *key);
    *key = WALK_LOG_ODD | odd;
    return odd != SIZE_MAX;
}

static bool add_slab(struct walk_slabs *slabs)
{
    if (slabs->slab_count == slabs->slab_capacity &&
        !grow(&slabs->slab, &slabs->slab_capacity, sizeof *slabs->slab, 64))
        return false;
    return (slabs->slab[slabs->slab_count] = walk_large_new(WALK_SLAB_EDGES, sizeof **slabs->slab)) &&
           ++slabs->slab_count;
}

void walk_slabs_deinit(struct walk_slabs *slabs)
{
    for (size_t i = 0; i < slabs->slab_count; i++)
        free(slabs->slab[i]);
    free(slabs->slab);
    *slabs = (struct walk_slabs){0};
}

static bool add_edge(struct walk_emitter *emitter, uint64_t edge)
{
    struct walk_slabs *edges = &emitter->edges;
    if (edges->count == edges->slab_count << WALK_SLAB_BITS && !add_slab(edges)) {
        emitter->no_memory = true;
        return false;
    }
    *walk_slabs_at(edges, edges->count++) = edge;
    return true;
}

/* Of a key that is not entered yet, as far as is known here. */
static bool discover(struct walk_emitter *emitter, walk_addr key)
{
    const struct walk_source *source = emitter->source;
    if (!source->likely(source->context, emitter->worker, key))
        return false;
    enum walk_entry entry = walk_index_enter(emitter->index, key);
    if (entry == WALK_ENTERED_BEFORE)
        return true;
    if (entry == WALK_ENTER_NO_MEMORY ||
        (emitter->found_count == emitter->found_capacity &&
         !grow(&emitter->found, &emitter->found_capacity, sizeof *emitter->found, 1024))) {
        emitter->no_memory = true;
        return false;
    }
    emitter->found[emitter->found_count++] = key;
    return true;
}

bool walk_emit_edge(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    if (!loggable(emitter, &key))
        return false;
    if (!(key & WALK_LOG_ODD) && !walk_index_has(emitter->index, key) && !discover(emitter, key))
        return false;
    return add_edge(emitter, key | (mark ? WALK_LOG_MARK : 0));
}

void walk_emit_edge_if_known(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    if (loggable(emitter, &key))
        add_edge(emitter, key | WALK_LOG_IF_KNOWN | (mark ? WALK_LOG_MARK : 0));
}

/* ---- a round ---- */

static void ask(struct now *now, unsigned worker, size_t at)
{
    const struct walk_source *source = &now->builder->source;
    struct walk_round *round = now->round;
    uint32_t class = 0;
    uint8_t flags = 0;
    switch (source->admit(source->context, worker, round->keys[at], now->group, &class, &flags)) {
    case WALK_NO:
        round->class[at] = WALK_ROUND_REFUSED;
        break;
    case WALK_YES:
        round->class[at] = class;
        round->flags[at] = flags;
        break;
    case WALK_LATER:
        atomic_fetch_add_explicit(&now->undecided, 1, memory_order_relaxed);
        break;
    }
}

static size_t chunk_end(const struct walk_round *round, size_t task)
{
    return (task + 1) * CHUNK < round->count ? (task + 1) * CHUNK : round->count;
}

static void ask_chunk(void *context, size_t task, unsigned worker)
{
    struct now *now = context;
    for (size_t at = task * CHUNK; at < chunk_end(now->round, task); at++)
        if (now->round->class[at] == UNASKED)
            ask(now, worker, at);
}

static void run_chunks(struct now *now, walk_task *task)
{
    walk_workers_run(now->builder->source.workers, (now->round->count + CHUNK - 1) / CHUNK, task, now);
}

/* Asks all of a round what they are, again and again while settle() makes that more of them can be told. */
static struct walk_error *ask_all(struct now *now)
{
    struct walk_builder *builder = now->builder;
    const struct walk_source *source = &builder->source;
    struct walk_round *round = now->round;
    for (size_t at = 0; at < round->count; at++)
        round->class[at] = UNASKED;
    for (size_t before = SIZE_MAX, left; before; before = left) {
        atomic_store_explicit(&now->undecided, 0, memory_order_relaxed);
        run_chunks(now, ask_chunk);
        left = atomic_load_explicit(&now->undecided, memory_order_relaxed);
        if (left >= before)
            return walk_error_no_memory(); /* nothing else keeps it from being settled */
        struct walk_error *error = source->settle ? source->settle(source->context, left != 0) : NULL;
        if (error)
            return error;
    }
    for (size_t at = 0; at < round->count; at++)
        builder->refused += round->class[at] == WALK_ROUND_REFUSED;
    builder->known += round->count;
    return NULL;
}

static bool add_block(struct walk_emitter *emitter, struct walk_log_block block)
{
    if (emitter->block_count == emitter->block_capacity &&
        !grow(&emitter->block, &emitter->block_capacity, sizeof *emitter->block, 64)) {
        emitter->no_memory = true;
        return false;
    }
    block.edge = emitter->edges.count;
    emitter->block[emitter->block_count++] = block;
    return true;
}

static bool push_later(struct walk_emitter *emitter, size_t at)
{
    if (emitter->later_count == emitter->later_capacity &&
        !grow(&emitter->later, &emitter->later_capacity, sizeof *emitter->later, 64)) {
        emitter->no_memory = true;
        return false;
    }
    emitter->later[emitter->later_count++] = at;
    return true;
}

/* `key` is that of position `at` in the round, as it is. */
static void visit(struct walk_emitter *emitter, unsigned worker, struct walk_round *round, size_t at, walk_addr key)
{
    const struct walk_source *source = emitter->source;
    size_t first = emitter->edges.count;
    enum walk_answer answer = WALK_YES;
    emitter->error =
        source->visit(source->context, worker, key, round->class[at], &round -> flags[at], emitter, &answer);
    size_t edges = emitter->edges.count - first;
    if (edges >= WALK_ROUND_LATER && !emitter->error)
        emitter->error = walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 edges of one object");
    round->edges[at] = (uint32_t)edges;
    if (answer != WALK_LATER)
        return;
    emitter->edges.count = first;
    round->edges[at] = WALK_ROUND_LATER;
    push_later(emitter, at);
}

/* Only the thread that builds talks to the caller; it is worker 0. */
static void report(struct now *now, unsigned worker)
{
    struct walk_builder *builder = now->builder;
    const struct walk_source *source = &builder->source;
    size_t visited = builder->visited + atomic_load_explicit(&now->visited, memory_order_relaxed);
    if (worker == 0 && source->progress && !source->progress(source->progress_context, visited, builder->known)) {
        builder->interrupted = true;
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
    }
}

static bool failed(const struct walk_emitter *emitter) { return emitter->error || emitter->no_memory; }

static void visit_chunk(void *context, size_t task, unsigned worker)
{
    struct now *now = context;
    struct walk_builder *builder = now->builder;
    struct walk_round *round = now->round;
    struct walk_emitter *emitter = &builder->emitters[worker];
    size_t first = task * CHUNK, end = chunk_end(round, task);
    if (atomic_load_explicit(&builder->stop, memory_order_relaxed) ||
        !add_block(emitter, (struct walk_log_block){.round = round, .first = first, .count = end - first}))
        return;
    report(now, worker);
    for (size_t at = first; at < end && !failed(emitter); at++)
        if (round->class[at] != WALK_ROUND_REFUSED)
            visit(emitter, worker, round, at, round->keys[at]);
    atomic_fetch_add_explicit(&now->visited, end - first, memory_order_relaxed);
    if (failed(emitter))
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
}

static struct walk_round *add_round(struct walk_builder *builder, size_t count)
{
    struct walk_round *round = calloc(1, sizeof *round);
    if (!round)
        return NULL;
    round->count = count;
    round->class = walk_large_new(count + 1, sizeof *round->class);
    round->edges = walk_large_new(count + 1, sizeof *round->edges);
    round->flags = walk_large_new(count + 1, sizeof *round->flags);
    *builder->last_round = round;
    builder->last_round = &round->next;
    return round->class && round->edges && round->flags ? round : NULL;
}

static int by_key(const void *a, const void *b, void *context)
{
    const walk_addr *keys = context;
    walk_addr x = keys[*(const size_t *)a], y = keys[*(const size_t *)b];
    return (x > y) - (x < y);
}

/* Those that all workers have left for later, as a round of its own that one goes, in the order of their keys. */
static struct walk_error *visit_later(struct now *now)
{
    struct walk_builder *builder = now->builder;
    struct walk_emitter *first = &builder->emitters[0];
    for (unsigned i = 1; i < builder->source.workers; i++) {
        struct walk_emitter *other = &builder->emitters[i];
        for (size_t l = 0; l < other->later_count; l++)
            if (!push_later(first, other->later[l]))
                return walk_error_no_memory();
        other->later_count = 0;
    }
    size_t count = first->later_count;
    if (!count)
        return NULL;
    struct walk_round *from = now->round, *round = add_round(builder, count);
    if (!round || !(round->keys = malloc(count * sizeof *round->keys)) ||
        !add_block(first, (struct walk_log_block){.round = round, .count = count}))
        return walk_error_no_memory();
    qsort_r(first->later, count, sizeof *first->later, by_key, from->keys);
    for (size_t i = 0; i < count && !failed(first); i++) {
        size_t at = first->later[i];
        round->keys[i] = from->keys[at];
        round->class[i] = from->class[at];
        round->flags[i] = from->flags[at];
        visit(first, WALK_ALONE, round, i, round->keys[i]);
    }
    first->later_count = 0;
    return NULL;
}

/* What went wrong for any worker. */
static struct walk_error *gather_errors(struct walk_builder *builder)
{
    struct walk_error *error = NULL;
    bool no_memory = false;
    for (unsigned i = 0; i < builder->source.workers; i++) {
        struct walk_emitter *emitter = &builder->emitters[i];
        no_memory |= emitter->no_memory;
        if (!error) {
            error = emitter->error;
            emitter->error = NULL;
        }
    }
    if (!error && no_memory)
        error = walk_error_no_memory();
    if (!error && builder->interrupted)
        error = walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    return error;
}

/* Takes over the keys. */
static struct walk_error *go_round(struct walk_builder *builder, unsigned group, walk_addr *keys, size_t count)
{
    struct now now = {.builder = builder, .group = group, .round = add_round(builder, count)};
    if (!now.round) {
        free(keys);
        return walk_error_no_memory();
    }
    now.round->keys = keys;
    struct walk_error *error = ask_all(&now);
    if (error)
        return error;
    run_chunks(&now, visit_chunk);
    if (!atomic_load_explicit(&builder->stop, memory_order_relaxed))
        error = visit_later(&now);
    builder->visited += atomic_load_explicit(&now.visited, memory_order_relaxed);
    return error ? error : gather_errors(builder);
}

/* ---- the closure ---- */

static int by_special(const void *a, const void *b)
{
    const struct special *x = a, *y = b;
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
        struct special special = builder->specials[i];
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
    struct walk_emitter *emitter = &builder->emitters[0];
    size_t count = builder->special_count;
    struct walk_round *round = add_round(builder, count);
    if (!round || !(round->keys = malloc((count + 1) * sizeof *round->keys)) ||
        !add_block(emitter, (struct walk_log_block){.round = round, .count = count}))
        return walk_error_no_memory();
    for (size_t i = 0; i < count && !failed(emitter); i++) {
        const struct special *special = &builder->specials[i];
        round->keys[i] = special->key;
        loggable(emitter, &round->keys[i]);
        round->class[i] = special->class;
        round->flags[i] = special->flags;
        visit(emitter, WALK_ALONE, round, i, special->key);
    }
    return gather_errors(builder);
}

/* What all workers have found, as one list. */
static struct walk_error *gather_found(struct walk_builder *builder, walk_addr **keys, size_t *count)
{
    size_t total = 0;
    for (unsigned i = 0; i < builder->source.workers; i++)
        total += builder->emitters[i].found_count;
    walk_addr *all = walk_large_new(total + 1, sizeof *all);
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
        struct group *group = &builder->groups[i];
        error = go_round(builder, group->number, group->keys, group->count);
        group->keys = NULL;
    }
    if (!error)
        error = visit_specials(builder);
    while (!error && count) {
        walk_addr *keys = NULL;
        error = gather_found(builder, &keys, &count);
        if (!error && count)
            error = go_round(builder, 0, keys, count);
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
    struct walk_error *error = close_over(builder);
    remove_refused(builder);
    if (!error)
        error = walk_index_rank(graph, builder->source.workers);
    if (!error)
        error = walk_rows_build(graph, &builder->source, builder->emitters, builder->source.workers);
    if (error)
        walk_builder_abort(builder);
    else
        free_builder(builder);
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
