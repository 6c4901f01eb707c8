/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/builder.h"

/* Nodes that a worker takes at a time; rounds of fewer are not worth a second thread. */
enum { CHUNK = 1 << 11 };

/* In place of a class. */
#define UNASKED (UINT32_MAX - 1)

/* What is asked and visited now. */
struct now {
    struct walk_builder *builder;
    struct walk_round *round;
    unsigned group;
    atomic_size_t undecided;
    atomic_size_t visited;
};

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
        !walk_array_grow(&emitter->block, &emitter->block_capacity, sizeof *emitter->block, 64)) {
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
        !walk_array_grow(&emitter->later, &emitter->later_capacity, sizeof *emitter->later, 64)) {
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

struct walk_round *walk_round_add(struct walk_builder *builder, size_t count)
{
    struct walk_round *round = calloc(1, sizeof *round);
    if (!round)
        return NULL;
    round->count = count;
    round->class = walk_large_alloc(count + 1, sizeof *round->class);
    round->edges = walk_large_alloc(count + 1, sizeof *round->edges);
    round->flags = walk_large_alloc(count + 1, sizeof *round->flags);
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

struct walk_error *walk_round_go_alone(struct walk_builder *builder, struct walk_round *round)
{
    struct walk_emitter *emitter = &builder->emitters[0];
    if (!add_block(emitter, (struct walk_log_block){.round = round, .count = round->count}))
        return walk_error_no_memory();
    for (size_t i = 0; i < round->count && !failed(emitter); i++) {
        walk_addr key = round->keys[i];
        walk_emit_loggable(emitter, &round->keys[i]);
        visit(emitter, WALK_ALONE, round, i, key);
    }
    return gather_errors(builder);
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
    struct walk_round *from = now->round, *round = walk_round_add(builder, count);
    if (!round || !(round->keys = malloc(count * sizeof *round->keys)))
        return walk_error_no_memory();
    qsort_r(first->later, count, sizeof *first->later, by_key, from->keys);
    for (size_t i = 0; i < count; i++) {
        size_t at = first->later[i];
        round->keys[i] = from->keys[at];
        round->class[i] = from->class[at];
        round->flags[i] = from->flags[at];
    }
    first->later_count = 0;
    return walk_round_go_alone(builder, round);
}

struct walk_error *walk_round_go(struct walk_builder *builder, unsigned group, walk_addr *keys, size_t count)
{
    struct now now = {.builder = builder, .group = group, .round = walk_round_add(builder, count)};
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
