/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure, in rounds: the nodes of a round are asked what they are, then visited, by all workers at once; what they
 * are the first to lead to is the next round. Neither the set of a round's nodes nor what is told of them depends on who
 * does what when.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/workers.h"
#include "graph/index.h"
#include "graph/log.h"

/* Nodes that a worker takes at a time; rounds of fewer are not worth a second thread. */
enum { CHUNK = 1 << 11 };

/* In place of a class. */
#define REFUSED UINT32_MAX
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
    walk_addr *refused; /* keys that are entered and will be taken out */
    size_t refused_count, refused_capacity;
    size_t visited, known;
    atomic_bool stop;
    bool interrupted;
};

/* The nodes that are asked and visited now. */
struct round {
    struct walk_builder *builder;
    const walk_addr *keys;
    size_t count;
    unsigned group;
    uint32_t *class;
    uint8_t *flags;
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

static bool push_key(walk_addr **keys, size_t *count, size_t *capacity, walk_addr key)
{
    if (*count == *capacity && !grow(keys, capacity, sizeof **keys, 1024))
        return false;
    (*keys)[(*count)++] = key;
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
        free(emitter->node);
        free(emitter->edge);
        free(emitter->block);
        free(emitter->found);
        free(emitter->later);
        walk_error_free(emitter->error);
    }
    for (size_t i = 0; i < builder->group_count; i++)
        free(builder->groups[i].keys);
    free(builder->emitters);
    free(builder->specials);
    free(builder->refused);
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
    if (builder->group_count == GROUPS_MAX || !(added->keys = malloc((count + 1) * sizeof *added->keys)))
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

static bool add_edge(struct walk_emitter *emitter, uint64_t edge)
{
    if (emitter->edge_count == emitter->edge_capacity &&
        !grow(&emitter->edge, &emitter->edge_capacity, sizeof *emitter->edge, 1 << 16)) {
        emitter->no_memory = true;
        return false;
    }
    emitter->edge[emitter->edge_count++] = edge;
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
    bool good = entry == WALK_ENTERED &&
                push_key(&emitter->found, &emitter->found_count, &emitter->found_capacity, key);
    emitter->no_memory |= !good;
    return good;
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

static void ask(struct round *round, unsigned worker, size_t at)
{
    const struct walk_source *source = &round->builder->source;
    uint32_t class = 0;
    uint8_t flags = 0;
    switch (source->admit(source->context, worker, round->keys[at], round->group, &class, &flags)) {
    case WALK_NO:
        round->class[at] = REFUSED;
        break;
    case WALK_YES:
        round->class[at] = class;
        round->flags[at] = flags;
        break;
    case WALK_LATER:
        atomic_fetch_add_explicit(&round->undecided, 1, memory_order_relaxed);
        break;
    }
}

static void ask_chunk(void *context, size_t task, unsigned worker)
{
    struct round *round = context;
    size_t end = (task + 1) * CHUNK < round->count ? (task + 1) * CHUNK : round->count;
    for (size_t at = task * CHUNK; at < end; at++)
        if (round->class[at] == UNASKED)
            ask(round, worker, at);
}

static void run_chunks(struct round *round, walk_task *task)
{
    walk_workers_run(round->builder->source.workers, (round->count + CHUNK - 1) / CHUNK, task, round);
}

/* Asks all of a round what they are, again and again while settle() makes that more of them can be told. */
static struct walk_error *ask_all(struct round *round)
{
    struct walk_builder *builder = round->builder;
    const struct walk_source *source = &builder->source;
    for (size_t at = 0; at < round->count; at++)
        round->class[at] = UNASKED;
    for (size_t before = SIZE_MAX, now; before; before = now) {
        atomic_store_explicit(&round->undecided, 0, memory_order_relaxed);
        run_chunks(round, ask_chunk);
        now = atomic_load_explicit(&round->undecided, memory_order_relaxed);
        if (now >= before)
            return walk_error_no_memory(); /* nothing else keeps it from being settled */
        struct walk_error *error = source->settle ? source->settle(source->context, now != 0) : NULL;
        if (error)
            return error;
    }
    for (size_t at = 0; at < round->count; at++) {
        if (round->class[at] != REFUSED)
            builder->known++;
        else if (!push_key(&builder->refused, &builder->refused_count, &builder->refused_capacity, round->keys[at]))
            return walk_error_no_memory();
    }
    return NULL;
}

static struct walk_log_block *begin_block(struct walk_emitter *emitter)
{
    if (emitter->block_count == emitter->block_capacity &&
        !grow(&emitter->block, &emitter->block_capacity, sizeof *emitter->block, 64)) {
        emitter->no_memory = true;
        return NULL;
    }
    emitter->block[emitter->block_count] =
        (struct walk_log_block){.node = emitter->node_count, .edge = emitter->edge_count};
    return &emitter->block[emitter->block_count++];
}

static void end_block(struct walk_emitter *emitter)
{
    struct walk_log_block *block = &emitter->block[emitter->block_count - 1];
    block->nodes = emitter->node_count - block->node;
    block->edges = emitter->edge_count - block->edge;
}

/* The key is one as it stands in logs, for `key` itself. */
static enum walk_answer visit(struct walk_emitter *emitter, unsigned worker, uint64_t logged, walk_addr key,
                              uint32_t class, uint8_t flags)
{
    const struct walk_source *source = emitter->source;
    size_t first = emitter->edge_count;
    enum walk_answer answer = WALK_YES;
    if (emitter->node_count == emitter->node_capacity &&
        !grow(&emitter->node, &emitter->node_capacity, sizeof *emitter->node, 1 << 14)) {
        emitter->no_memory = true;
        return WALK_NO;
    }
    emitter->error = source->visit(source->context, worker, key, class, &flags, emitter, &answer);
    size_t edges = emitter->edge_count - first;
    if (edges > UINT32_MAX)
        emitter->error = walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 edges of one object");
    if (answer == WALK_LATER)
        emitter->edge_count = first;
    else
        emitter->node[emitter->node_count++] =
            (struct walk_log_node){logged | (uint64_t)flags << WALK_LOG_FLAGS_SHIFT, class, (uint32_t)edges};
    return answer;
}

/* Only the thread that builds talks to the caller; it is worker 0. */
static void report(struct round *round, unsigned worker)
{
    struct walk_builder *builder = round->builder;
    const struct walk_source *source = &builder->source;
    size_t visited = builder->visited + atomic_load_explicit(&round->visited, memory_order_relaxed);
    if (worker == 0 && source->progress && !source->progress(source->progress_context, visited, builder->known)) {
        builder->interrupted = true;
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
    }
}

static bool failed(const struct walk_emitter *emitter) { return emitter->error || emitter->no_memory; }

static void visit_chunk(void *context, size_t task, unsigned worker)
{
    struct round *round = context;
    struct walk_builder *builder = round->builder;
    struct walk_emitter *emitter = &builder->emitters[worker];
    size_t end = (task + 1) * CHUNK < round->count ? (task + 1) * CHUNK : round->count;
    if (atomic_load_explicit(&builder->stop, memory_order_relaxed) || !begin_block(emitter))
        return;
    report(round, worker);
    for (size_t at = task * CHUNK; at < end && !failed(emitter); at++) {
        if (round->class[at] == REFUSED)
            continue;
        if (visit(emitter, worker, round->keys[at], round->keys[at], round->class[at], round->flags[at]) != WALK_LATER)
            continue;
        if (emitter->later_count == emitter->later_capacity &&
            !grow(&emitter->later, &emitter->later_capacity, sizeof *emitter->later, 64))
            emitter->no_memory = true;
        else
            emitter->later[emitter->later_count++] = at;
    }
    end_block(emitter);
    atomic_fetch_add_explicit(&round->visited, end - task * CHUNK, memory_order_relaxed);
    if (failed(emitter))
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
}

static int by_key(const void *a, const void *b, void *context)
{
    const walk_addr *keys = context;
    walk_addr x = keys[*(const size_t *)a], y = keys[*(const size_t *)b];
    return (x > y) - (x < y);
}

/* Those that were left for later, in the order of their keys. */
static void visit_later(struct round *round)
{
    struct walk_builder *builder = round->builder;
    struct walk_emitter *first = &builder->emitters[0];
    for (unsigned i = 1; i < builder->source.workers; i++) {
        struct walk_emitter *other = &builder->emitters[i];
        for (size_t l = 0; l < other->later_count; l++) {
            if (first->later_count == first->later_capacity &&
                !grow(&first->later, &first->later_capacity, sizeof *first->later, 64)) {
                first->no_memory = true;
                return;
            }
            first->later[first->later_count++] = other->later[l];
        }
        other->later_count = 0;
    }
    if (!first->later_count || !begin_block(first))
        return;
    qsort_r(first->later, first->later_count, sizeof *first->later, by_key, (void *)(uintptr_t)round->keys);
    for (size_t l = 0; l < first->later_count && !failed(first); l++) {
        size_t at = first->later[l];
        visit(first, WALK_ALONE, round->keys[at], round->keys[at], round->class[at], round->flags[at]);
    }
    first->later_count = 0;
    end_block(first);
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

static struct walk_error *go_round(struct walk_builder *builder, unsigned group, const walk_addr *keys, size_t count)
{
    struct round round = {.builder = builder, .keys = keys, .count = count, .group = group};
    round.class = malloc((count + 1) * sizeof *round.class);
    round.flags = malloc(count + 1);
    struct walk_error *error = round.class && round.flags ? ask_all(&round) : walk_error_no_memory();
    if (!error) {
        run_chunks(&round, visit_chunk);
        if (!atomic_load_explicit(&builder->stop, memory_order_relaxed))
            visit_later(&round);
        builder->visited += atomic_load_explicit(&round.visited, memory_order_relaxed);
        error = gather_errors(builder);
    }
    free(round.class);
    free(round.flags);
    return error;
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
    if (!begin_block(emitter))
        return walk_error_no_memory();
    for (size_t i = 0; i < builder->special_count && !failed(emitter); i++) {
        const struct special *special = &builder->specials[i];
        uint64_t logged = special->key;
        if (loggable(emitter, &logged))
            visit(emitter, WALK_ALONE, logged, special->key, special->class, special->flags);
    }
    end_block(emitter);
    return gather_errors(builder);
}

/* What all workers have found, as one list. */
static struct walk_error *gather_found(struct walk_builder *builder, walk_addr **keys, size_t *count)
{
    size_t total = 0;
    for (unsigned i = 0; i < builder->source.workers; i++)
        total += builder->emitters[i].found_count;
    walk_addr *all = malloc((total + 1) * sizeof *all);
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
        free(group->keys);
        group->keys = NULL;
    }
    if (!error)
        error = visit_specials(builder);
    while (!error && count) {
        walk_addr *keys = NULL;
        error = gather_found(builder, &keys, &count);
        if (!error)
            error = go_round(builder, 0, keys, count);
        free(keys);
    }
    return error;
}

struct walk_error *walk_builder_finish(struct walk_builder *builder)
{
    struct walk_graph *graph = builder->graph;
    struct walk_error *error = close_over(builder);
    for (size_t i = 0; i < builder->refused_count && !error; i++)
        walk_index_remove(&graph->index, builder->refused[i]);
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
