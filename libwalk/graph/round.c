/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round: what is discovered is entered, asked and visited, region by region. Nodes that must wait until all are asked
 * stand in a second block of their region; what not even then can be visited beside others, in a block of its own.
 */
#include <stdlib.h>

#include "bytes/workers.h"
#include "graph/builder.h"

/* In place of a class. */
#define UNASKED (UINT32_MAX - 1)

/* What the workers are at: some of the builder's blocks. */
struct now {
    struct walk_builder *builder;
    size_t first, count;
    atomic_size_t visited;
};

static struct walk_block *block_of(const struct now *now, size_t task)
{
    return &now->builder->blocks[now->first + task];
}

/* Rounds of fewer nodes are not worth a second thread; so often is it told how many are visited. */
enum { WORTH = 1 << 11 };

static void run(struct now *now, walk_task *task)
{
    size_t nodes = 0;
    for (size_t i = 0; i < now->count && nodes < WORTH; i++)
        nodes += block_of(now, i)->count;
    walk_workers_run(nodes < WORTH ? 1 : now->builder->source.workers, now->count, task, now);
}

/* ---- blocks ---- */

struct walk_block *walk_block_add(struct walk_builder *builder, struct walk_region *region, size_t count)
{
    if (count > UINT32_MAX ||
        (builder->block_count == builder->block_capacity &&
         !walk_array_grow(&builder->blocks, &builder->block_capacity, sizeof *builder->blocks, 256)))
        return NULL;
    struct walk_block *block = &builder->blocks[builder->block_count];
    size_t node = region ? sizeof *block->place : sizeof *block->key;
    node += sizeof *block->class + sizeof *block->edges + sizeof *block->flags;
    uint8_t *piece = walk_pages_take(&builder->pages, count * node);
    if (!piece)
        return NULL;
    builder->block_count++;
    *block = (struct walk_block){.region = region, .count = (uint32_t)count, .emitter = builder->emitters};
    if (region)
        block->place = (uint32_t *)(void *)piece;
    else
        block->key = (walk_addr *)(void *)piece;
    piece += count * (region ? sizeof *block->place : sizeof *block->key);
    block->class = (uint32_t *)(void *)piece;
    block->edges = block->class + count;
    block->flags = (uint8_t *)(block->edges + count);
    return block;
}

/* ---- asking ---- */

/* `count`: how many nodes of the block are asked or visited next. What the source says. */
static bool approach(const struct walk_builder *builder, unsigned worker, const struct walk_block *block,
                     uint32_t count)
{
    const struct walk_source *source = &builder->source;
    return source->approach && source->approach(source->context, worker, walk_block_key(builder, block, 0),
                                                walk_block_key(builder, block, block->count - 1), count);
}

/* Nodes of the block from `at` on, as many as are worth a call. */
static struct walk_nodes nodes_of(const struct walk_builder *builder, const struct walk_block *block, uint32_t at)
{
    uint32_t left = block->count - at;
    unsigned shift = builder->graph->index.shift;
    return (struct walk_nodes){.origin = block->region->first << shift,
                               .shift = shift,
                               .count = left < WORTH ? left : WORTH,
                               .place = block->place + at,
                               .class = block->class + at,
                               .flags = block->flags + at,
                               .edges = block->edges + at};
}

/* The node's edges are those from `first` to `end`. */
static void note(struct walk_emitter *emitter, const struct walk_block *block, uint32_t at, walk_addr key, size_t first,
                 size_t end)
{
    if (!emitter->seeking.on)
        return;
    const struct walk_known node = {key, block->class[at], block -> flags[at]};
    walk_seek_note(emitter, &node, first, end);
}

/* What is a node is left for later until it is visited; a leaf has nothing to visit. */
WALK_INLINED enum walk_answer ask(const struct now *now, unsigned worker, struct walk_block *block, uint32_t at,
                                  walk_addr key)
{
    struct walk_emitter *emitter = &now->builder->emitters[worker];
    const struct walk_source *source = emitter->source;
    uint32_t class = 0;
    uint8_t flags = 0;
    enum walk_answer answer = source->admit(source->context, worker, key, &class, &flags);
    block->class[at] = class;
    block->flags[at] = flags;
    if (answer == WALK_LEAF) {
        block->edges[at] = 0;
        note(emitter, block, at, key, 0, 0);
        return answer;
    }
    if (answer == WALK_NO || answer == WALK_LATER)
        block->class[at] = answer == WALK_NO ? WALK_NO_CLASS : UNASKED;
    block->edges[at] = WALK_BLOCK_LATER;
    block->unasked += answer == WALK_LATER;
    emitter->doubt |= answer == WALK_NO;
    block->later += answer == WALK_YES || answer == WALK_WAIT;
    return answer;
}

static void ask_again(void *context, size_t task, unsigned worker)
{
    struct now *now = context;
    struct walk_block *block = block_of(now, task);
    uint32_t left = block->unasked;
    size_t leaves = 0;
    if (left)
        (void)approach(now->builder, worker, block, left);
    block->unasked = 0;
    for (uint32_t at = 0; left && at < block->count; at++)
        if (block->class[at] == UNASKED) {
            leaves += ask(now, worker, block, at, walk_block_key(now->builder, block, at)) == WALK_LEAF;
            left--;
        }
    atomic_fetch_add_explicit(&now->visited, leaves, memory_order_relaxed);
}

static size_t unasked(const struct now *now)
{
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        count += block_of(now, i)->unasked;
    return count;
}

/* Asks again and again while settle() makes that more can be told. */
static struct walk_error *settle(struct now *now)
{
    const struct walk_source *source = &now->builder->source;
    size_t left = unasked(now), before;
    do {
        struct walk_error *error = source->settle ? source->settle(source->context, left != 0) : NULL;
        if (error || !left)
            return error;
        before = left;
        run(now, ask_again);
        left = unasked(now);
    } while (left < before);
    return walk_error_no_memory(); /* nothing else keeps it from being settled */
}

/* ---- visiting ---- */

/* `key` is that of node `at` of the block, as it is. */
WALK_INLINED void visit(struct walk_emitter *emitter, unsigned worker, struct walk_block *block, uint32_t at,
                        walk_addr key)
{
    const struct walk_source *source = emitter->source;
    size_t first = emitter->edges.count;
    uint32_t far_count = emitter->far_count;
    enum walk_answer answer = WALK_YES;
    uint8_t flags = block->flags[at];
    emitter->missing = false;
    emitter->node = at;
    emitter->error = source->visit(source->context, worker, key, block->class[at], &flags, emitter, &answer);
    size_t edges = emitter->edges.count - first;
    if (edges >= WALK_BLOCK_LATER && !emitter->error)
        emitter->error = walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 2^32 edges of one object");
    if (answer == WALK_LATER) {
        emitter->edges.count = first;
        emitter->far_count = far_count;
        emitter->led = emitter->led < first ? emitter->led : first;
        return;
    }
    block->flags[at] = flags | (emitter->missing ? source->flag_missing : 0);
    block->edges[at] = (uint32_t)edges;
    block->later--;
    note(emitter, block, at, key, first, emitter->edges.count);
    walk_emit_lead_on_in_turn(emitter);
}

void walk_round_report(struct walk_builder *builder, unsigned worker, size_t visited)
{
    const struct walk_source *source = &builder->source;
    if (worker == 0 && source->progress && !source->progress(source->progress_context, visited, builder->known)) {
        builder->interrupted = true;
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
    }
}

/* `more` nodes have been visited. */
static void report(struct now *now, unsigned worker, size_t more)
{
    size_t before = atomic_fetch_add_explicit(&now->visited, more, memory_order_relaxed);
    walk_round_report(now->builder, worker, now->builder->visited + before + more);
}

static bool failed(const struct walk_emitter *emitter) { return emitter->error || emitter->no_memory; }

bool walk_round_goes_on(struct walk_builder *builder, unsigned worker)
{
    if (failed(&builder->emitters[worker]))
        atomic_store_explicit(&builder->stop, true, memory_order_relaxed);
    return !atomic_load_explicit(&builder->stop, memory_order_relaxed);
}

/* Each node of the block may have a part that is far. */
static void open_far(struct walk_emitter *emitter, const struct walk_block *block)
{
    emitter->far = walk_pages_take(&emitter->far_pages, block->count * sizeof *emitter->far);
    emitter->far_count = 0;
    emitter->no_memory |= !emitter->far;
}

static void close_far(struct walk_emitter *emitter, struct walk_block *block)
{
    if (!emitter->far)
        return;
    walk_pages_give_back(&emitter->far_pages, block->count * sizeof *emitter->far,
                         emitter->far_count * sizeof *emitter->far);
    block->far = emitter->far;
    block->far_count = emitter->far_count;
    emitter->far = NULL;
}

/* False: the building has failed, or is to be. `several`: what approach() says. */
static bool begin_block(struct now *now, struct walk_block *block, unsigned worker, bool *several)
{
    struct walk_builder *builder = now->builder;
    const struct walk_source *source = &builder->source;
    if (atomic_load_explicit(&builder->stop, memory_order_relaxed))
        return false;
    report(now, worker, 0);
    block->emitter = &builder->emitters[worker];
    block->emitter->placed = true;
    block->edge = block->emitter->edges.count;
    if (source->visit_far)
        open_far(block->emitter, block);
    *several = approach(builder, worker, block, block->count);
    return true;
}

/* Says how many nodes have been visited since it was said, if that is time. False: the building is to be stopped. */
static bool go_on(struct now *now, unsigned worker, size_t *visited)
{
    if (*visited >= WORTH) {
        report(now, worker, *visited);
        *visited = 0;
    }
    return walk_round_goes_on(now->builder, worker);
}

static void end_block(struct now *now, struct walk_block *block, unsigned worker, size_t visited)
{
    close_far(block->emitter, block);
    block->end = block->emitter->edges.count;
    walk_emit_lead_on(&now->builder->emitters[worker]);
    block->placed = block->emitter->placed;
    atomic_fetch_add_explicit(&now->visited, visited, memory_order_relaxed);
    (void)walk_round_goes_on(now->builder, worker);
}

/* How many nodes of the block from `at` on the source has told to be leaves. */
static uint32_t admit_leaves(const struct now *now, unsigned worker, struct walk_block *block, uint32_t at)
{
    const struct walk_source *source = &now->builder->source;
    struct walk_emitter *emitter = &now->builder->emitters[worker];
    const struct walk_nodes nodes = nodes_of(now->builder, block, at);
    uint32_t count = (uint32_t)source->admit_leaves(source->context, worker, &nodes);
    for (uint32_t i = at; emitter->seeking.on && i < at + count; i++)
        note(emitter, block, i, walk_block_key(now->builder, block, i), 0, 0);
    return count;
}

static void ask_and_visit(void *context, size_t task, unsigned worker)
{
    struct now *now = context;
    const struct walk_builder *builder = now->builder;
    struct walk_block *block = block_of(now, task);
    size_t visited = 0;
    bool several;
    if (!begin_block(now, block, worker, &several))
        return;
    for (uint32_t at = 0; at < block->count && go_on(now, worker, &visited);) {
        uint32_t leaves = builder->source.admit_leaves ? admit_leaves(now, worker, block, at) : 0;
        at += leaves;
        visited += leaves;
        if (leaves == WORTH || at == block->count)
            continue;
        walk_addr key = walk_block_key(builder, block, at);
        enum walk_answer answer = ask(now, worker, block, at, key);
        if (answer == WALK_YES)
            visit(&builder->emitters[worker], worker, block, at, key);
        visited += answer == WALK_YES || answer == WALK_LEAF;
        at++;
    }
    end_block(now, block, worker, visited);
}

static bool is_later(const struct walk_block *block, uint32_t at)
{
    return block->class[at] != WALK_NO_CLASS && block->edges[at] == WALK_BLOCK_LATER;
}

/* How many nodes of the block from `at` on the source has visited together, since that was simple. */
static uint32_t visit_some(const struct now *now, unsigned worker, struct walk_block *block, uint32_t at)
{
    const struct walk_source *source = &now->builder->source;
    struct walk_emitter *emitter = &now->builder->emitters[worker];
    const struct walk_nodes nodes = nodes_of(now->builder, block, at);
    size_t first = emitter->edges.count;
    uint32_t count = (uint32_t)source->visit_some(source->context, worker, &nodes, emitter);
    block->later -= count;
    for (uint32_t i = at; emitter->seeking.on && i < at + count; first += block->edges[i++])
        note(emitter, block, i, walk_block_key(now->builder, block, i), first, first + block->edges[i]);
    walk_emit_lead_on_in_turn(emitter);
    return count;
}

static void visit_later(void *context, size_t task, unsigned worker)
{
    struct now *now = context;
    const struct walk_builder *builder = now->builder;
    struct walk_block *block = block_of(now, task);
    struct walk_emitter *emitter = &builder->emitters[worker];
    size_t visited = 0;
    bool several;
    if (!block->later || !begin_block(now, block, worker, &several))
        return;
    several = several && builder->source.visit_some;
    for (uint32_t at = 0; at < block->count && go_on(now, worker, &visited);) {
        uint32_t some = several ? visit_some(now, worker, block, at) : 0;
        at += some;
        visited += some;
        if (some == WORTH || at == block->count)
            continue;
        if (is_later(block, at)) {
            visit(emitter, worker, block, at, walk_block_key(builder, block, at));
            visited++;
        }
        at++;
    }
    end_block(now, block, worker, visited);
}

struct walk_error *walk_round_errors(struct walk_builder *builder)
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

struct walk_error *walk_round_go_alone(struct walk_builder *builder)
{
    struct walk_block *block = &builder->blocks[builder->block_count - 1];
    struct walk_emitter *emitter = &builder->emitters[0];
    block->emitter = emitter;
    block->edge = emitter->edges.count;
    block->placed = false; /* or not: there are few */
    for (uint32_t at = 0; at < block->count && !failed(emitter); at++) {
        walk_addr key = block->key[at];
        walk_emit_loggable(emitter, &block->key[at]);
        visit(emitter, WALK_ALONE, block, at, key);
    }
    block->end = emitter->edges.count;
    walk_emit_lead_on(emitter);
    builder->visited += block->count;
    return walk_round_errors(builder);
}

/* ---- what was left for later ---- */

static size_t count_later(const struct now *now)
{
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        count += block_of(now, i)->later;
    return count;
}

static void copy_node(struct walk_block *to, uint32_t at, const struct walk_block *from, uint32_t of)
{
    to->class[at] = from->class[of];
    to->flags[at] = from->flags[of];
    to->edges[at] = WALK_BLOCK_LATER;
    to->later++;
}

/* Moves the nodes of a block that are left to a second one: the edges of the others stand together. */
static bool add_rest(struct walk_builder *builder, size_t number)
{
    struct walk_block *rest = walk_block_add(builder, builder->blocks[number].region, builder->blocks[number].later);
    struct walk_block *block = &builder->blocks[number];
    if (!rest)
        return false;
    for (uint32_t of = 0, at = 0; of < block->count; of++)
        if (is_later(block, of)) {
            rest->place[at] = block->place[of];
            copy_node(rest, at++, block, of);
        }
    block->later = 0;
    return true;
}

static struct walk_error *add_rests(struct now *now)
{
    struct walk_builder *builder = now->builder;
    for (size_t i = now->first; i < now->first + now->count; i++)
        if (builder->blocks[i].later && !add_rest(builder, i))
            return walk_error_no_memory();
    now->count = builder->block_count - now->first;
    return NULL;
}

/* In the order of the blocks, whoever did what when. */
static struct walk_error *visit_alone(struct now *now)
{
    struct walk_builder *builder = now->builder;
    size_t count = count_later(now);
    uint32_t at = 0;
    if (!count)
        return NULL;
    struct walk_block *alone = walk_block_add(builder, NULL, count);
    if (!alone)
        return walk_error_no_memory();
    for (size_t i = 0; i < now->count; i++) {
        const struct walk_block *block = block_of(now, i);
        for (uint32_t of = 0; block->later && of < block->count; of++)
            if (is_later(block, of)) {
                alone->key[at] = walk_block_key(builder, block, of);
                copy_node(alone, at++, block, of);
            }
    }
    return walk_round_go_alone(builder);
}

/* ---- the whole ---- */

static void enter_block(void *context, size_t task, unsigned worker)
{
    const struct now *now = context;
    const struct walk_block *block = block_of(now, task);
    (void)worker;
    walk_region_enter(block->region, block->place);
}

/* The blocks of a round. */
static struct walk_error *open_round(struct now *now)
{
    struct walk_builder *builder = now->builder;
    if (builder->seeks) {
        builder->block_count = builder->far.count = 0;
        walk_pages_clear(&builder->pages);
        for (unsigned i = 0; i < builder->source.workers; i++)
            walk_pages_clear(&builder->emitters[i].far_pages);
    }
    struct walk_region **regions = walk_index_discovered(&builder->graph->index, &now->count);
    now->first = builder->block_count;
    for (size_t i = 0; i < now->count; i++) {
        struct walk_block *block = walk_block_add(builder, regions[i], walk_region_count(regions[i]));
        if (!block)
            return walk_error_no_memory();
        builder->known += block->count;
    }
    run(now, enter_block);
    return NULL;
}

/* Whatever is left for later, beside others and then alone; then what is far. */
static struct walk_error *visit_rest(struct now *now)
{
    struct walk_builder *builder = now->builder;
    if (count_later(now))
        run(now, visit_later);
    struct walk_error *error = walk_round_errors(builder);
    if (!error)
        error = visit_alone(now);
    builder->visited += atomic_load_explicit(&now->visited, memory_order_relaxed);
    return error ? error : walk_far_visit(builder, now->first);
}

struct walk_error *walk_round_go_told(struct walk_builder *builder)
{
    struct now now = {.builder = builder, .count = builder->block_count};
    for (size_t i = 0; i < now.count; i++)
        builder->known += builder->blocks[i].count;
    struct walk_error *error = settle(&now);
    return error ? error : visit_rest(&now);
}

struct walk_error *walk_round_go(struct walk_builder *builder, bool *any)
{
    struct now now = {.builder = builder};
    struct walk_error *error = open_round(&now);
    *any = now.count != 0;
    if (error || !now.count)
        return error;
    run(&now, ask_and_visit);
    error = walk_round_errors(builder);
    if (!error)
        error = settle(&now);
    if (!error)
        error = add_rests(&now);
    return error ? error : visit_rest(&now);
}
