/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds the new objects. Long-lived is what the baseline has too, and what lives as long as the process does:
 * modules and their namespaces, frames on stacks, threads, interpreters (in another process nothing else is
 * recognised). The way to a new object is a shortest one from there through new objects only; of several, step by step,
 * the one whose holder refers to the most new objects. All ways together are trees. The common holder of the new
 * objects of a tree is where they part: from the long-lived root on down as long as more than half of them are behind
 * one and the same node.
 */
#include <stdlib.h>

#include "answers/growth.h"

enum { NEAR = 1 }; /* edges from the long-lived */

static bool is_root(const struct walk_growth *growth, walk_id id)
{
    const uint8_t structural =
        WALK_NODE_MODULE | WALK_NODE_NAMESPACE | WALK_NODE_ON_STACK; /* frames of greenlets live as these do */
    uint8_t flags = growth->heap->graph.flags[id];
    return (growth->state[id] & WALK_GROWTH_MATCHED) || (flags & structural) || (flags & WALK_NODE_KIND) != WALK_OBJECT;
}

struct tracer {
    struct walk_growth *growth;
    const struct walk_graph *graph;
    uint32_t *fan;   /* how many new objects a node refers to */
    uint32_t *depth; /* 0: not reached */
};

static void count_fans(struct tracer *tracer)
{
    const struct walk_graph *graph = tracer->graph;
    for (walk_id id = 0; id < graph->node_count; id++)
        for (uint64_t i = graph->forward.start[id]; i < graph->forward.start[id + 1]; i++)
            tracer->fan[id] += (tracer->growth->state[WALK_EDGE_ID(graph->forward.edge[i])] & WALK_GROWTH_NEW) != 0;
}

/* An edge from a node that is reached, at `depth` - 1. */
static void offer(struct tracer *tracer, walk_id from, walk_id to, uint32_t depth)
{
    struct walk_growth *growth = tracer->growth;
    if (is_root(growth, to))
        return;
    if (!tracer->depth[to]) {
        tracer->depth[to] = depth;
        growth->via[to] = from;
        growth->order[growth->ordered++] = to;
    } else if (tracer->depth[to] == depth && tracer->fan[from] > tracer->fan[growth->via[to]]) {
        growth->via[to] = from;
    }
}

static void offer_all(struct tracer *tracer, walk_id from, uint32_t depth)
{
    const struct walk_rows *rows = &tracer->graph->forward;
    for (uint64_t i = rows->start[from]; i < rows->start[from + 1]; i++)
        offer(tracer, from, WALK_EDGE_ID(rows->edge[i]), depth);
}

/* Roots of the ways, too: a way is final when the next step begins. */
static void trace(struct tracer *tracer)
{
    struct walk_growth *growth = tracer->growth;
    count_fans(tracer);
    for (walk_id id = 0; id < tracer->graph->node_count; id++)
        if (is_root(growth, id))
            offer_all(tracer, id, NEAR);
    for (size_t at = 0; at < growth->ordered; at++)
        offer_all(tracer, growth->order[at], tracer->depth[growth->order[at]] + 1);
    for (size_t at = 0; at < growth->ordered; at++) {
        walk_id id = growth->order[at], via = growth->via[id];
        growth->root[id] = is_root(growth, via) ? via : growth->root[via];
    }
}

static struct walk_error *find_ways(struct walk_growth *growth)
{
    size_t nodes = growth->heap->graph.node_count;
    if (growth->traced)
        return NULL;
    struct tracer tracer = {growth, &growth->heap->graph, calloc(nodes + 1, sizeof(uint32_t)),
                            calloc(nodes + 1, sizeof(uint32_t))};
    growth->via = malloc((nodes + 1) * sizeof *growth->via);
    growth->root = malloc((nodes + 1) * sizeof *growth->root);
    growth->order = malloc((nodes + 1) * sizeof *growth->order);
    growth->traced = tracer.fan && tracer.depth && growth->via && growth->root && growth->order;
    if (growth->traced) {
        memset(growth->via, 0xff, nodes * sizeof *growth->via);
        memset(growth->root, 0xff, nodes * sizeof *growth->root);
        trace(&tracer);
    }
    free(tracer.fan);
    free(tracer.depth);
    return growth->traced ? NULL : walk_error_no_memory();
}

/* ---- weights: new objects behind each node ---- */

struct weights {
    struct walk_total *behind; /* itself, if it counts, and all that is reached through it */
    walk_id *heaviest;         /* of the nodes reached directly from it; WALK_NO_ID: none */
    struct walk_total alone;   /* to which no way leads */
};

static bool counts(const struct walk_growth *growth, walk_id id, uint32_t type)
{
    return (growth->state[id] & WALK_GROWTH_WANTED) &&
           (type == WALK_ALL_TYPES || growth->names.of_now[growth->heap->graph.class[id]] == type);
}

static void weigh(const struct walk_growth *growth, uint32_t type, struct weights *weights)
{
    const struct walk_heap *heap = growth->heap;
    for (walk_id id = 0; id < heap->graph.node_count; id++) {
        if (!counts(growth, id, type))
            continue;
        struct walk_total *total =
            growth->via[id] == WALK_NO_ID && !is_root(growth, id) ? &weights->alone : &weights->behind[id];
        total->objects++;
        total->size += heap->facts->size(heap, id);
    }
    for (size_t at = growth->ordered; at-- > 0;) {
        walk_id id = growth->order[at], via = growth->via[id], heaviest = weights->heaviest[via];
        const struct walk_total *behind = &weights->behind[id];
        weights->behind[via].objects += behind->objects;
        weights->behind[via].size += behind->size;
        if (behind->objects && (heaviest == WALK_NO_ID || behind->objects >= weights->behind[heaviest].objects))
            weights->heaviest[via] = id;
    }
}

/* A link of a chain: behind it there are more like it, one after the other. None of them holds the rest in common. */
static bool is_link(const struct walk_growth *growth, const struct weights *weights, walk_id id)
{
    const uint32_t *class = growth->heap->graph.class;
    unsigned likes = 0;
    walk_id at = weights->heaviest[id];
    for (int step = 0; step < 6 && at != WALK_NO_ID; step++, at = weights->heaviest[at])
        likes += class[at] == class[id];
    return likes >= 2;
}

/* Where the ways from `root` part. With a type, none of its objects is taken for the holder of the others. */
static walk_id parting(const struct walk_growth *growth, const struct weights *weights, walk_id root, uint32_t type)
{
    walk_id at = root;
    for (;;) {
        walk_id next = weights->heaviest[at];
        size_t behind = weights->behind[at].objects;
        if (next == WALK_NO_ID || behind < 2 || weights->behind[next].objects * 2 <= behind)
            return at;
        if (type != WALK_ALL_TYPES && counts(growth, next, type))
            return at;
        /* Nothing parts behind the last one: it is one of them, with what it has. */
        if (weights->heaviest[next] == WALK_NO_ID || is_link(growth, weights, next))
            return at;
        at = next;
    }
}

/* ---- groups ---- */

struct groups {
    struct walk_growth_holder *group;
    size_t count, capacity;
};

static bool add_group(struct groups *groups, walk_id holder, walk_id root, struct walk_total total)
{
    if (groups->count == groups->capacity) {
        size_t capacity = groups->capacity ? groups->capacity * 2 : 64;
        struct walk_growth_holder *group = realloc(groups->group, capacity * sizeof *group);
        if (!group)
            return false;
        groups->group = group;
        groups->capacity = capacity;
    }
    groups->group[groups->count++] = (struct walk_growth_holder){
        .holder = holder, .long_lived = root, .objects = total.objects, .size = total.size, .type = WALK_ALL_TYPES};
    return true;
}

static struct walk_error *make_groups(const struct walk_growth *growth, const struct weights *weights, uint32_t type,
                                      struct groups *groups)
{
    bool good = true;
    for (walk_id id = 0; id < growth->heap->graph.node_count && good; id++) {
        struct walk_total all = weights->behind[id];
        if (!is_root(growth, id) || !all.objects)
            continue;
        walk_id holder = parting(growth, weights, id, type);
        struct walk_total there = weights->behind[holder];
        good = add_group(groups, holder, id, there);
        if (good && there.objects < all.objects)
            good = add_group(groups, id, id, (struct walk_total){all.objects - there.objects, all.size - there.size});
    }
    if (good && weights->alone.objects)
        good = add_group(groups, WALK_NO_ID, WALK_NO_ID, weights->alone);
    return good ? NULL : walk_error_no_memory();
}

static int by_weight(const void *a, const void *b)
{
    const struct walk_growth_holder *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects < y->objects ? 1 : -1;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->holder > y->holder) - (x->holder < y->holder);
}

/* A new object that a holder refers to on the way: its type, and what is behind it. */
struct child {
    walk_id holder;
    uint32_t type;
    size_t behind;
};

static int by_holder(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    if (x->holder != y->holder)
        return x->holder < y->holder ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

/* Of the types that the holder's children have, the one with the most behind it. */
static void choose_type(struct walk_growth_holder *group, const struct child *child, size_t count)
{
    size_t best = 0;
    for (size_t i = 0; i < count;) {
        size_t from = i, behind = 0;
        for (; i < count && child[i].type == child[from].type; i++)
            behind += child[i].behind;
        if (behind <= best)
            continue;
        best = behind;
        group->type = child[from].type;
        group->direct = i - from;
    }
}

static struct walk_error *name_groups(const struct walk_growth *growth, const struct weights *weights,
                                      struct groups *groups)
{
    size_t count = 0;
    struct child *children = malloc((growth->ordered + 1) * sizeof *children);
    if (!children)
        return walk_error_no_memory();
    for (size_t at = 0; at < growth->ordered; at++) {
        walk_id id = growth->order[at];
        if (weights->behind[id].objects && walk_node_kind(growth->heap, id) == WALK_OBJECT)
            children[count++] = (struct child){growth->via[id], growth->names.of_now[growth->heap->graph.class[id]],
                                               weights->behind[id].objects};
    }
    qsort(children, count, sizeof *children, by_holder);
    for (size_t i = 0; i < groups->count; i++) {
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (children[middle].holder < groups->group[i].holder)
                low = middle + 1;
            else
                high = middle;
        }
        for (high = low; high < count && children[high].holder == groups->group[i].holder;)
            high++;
        choose_type(&groups->group[i], children + low, high - low);
    }
    free(children);
    return NULL;
}

struct walk_error *walk_growth_holders(struct walk_growth *growth, uint32_t type, struct walk_growth_holders **result)
{
    size_t nodes = growth->heap->graph.node_count;
    struct weights weights = {0};
    struct groups groups = {0};
    struct walk_growth_holders *holders = NULL;
    struct walk_error *error = find_ways(growth);
    if (!error) {
        weights.behind = calloc(nodes + 1, sizeof *weights.behind);
        weights.heaviest = malloc((nodes + 1) * sizeof *weights.heaviest);
        holders = calloc(1, sizeof *holders);
        if (!weights.behind || !weights.heaviest || !holders)
            error = walk_error_no_memory();
    }
    if (!error) {
        memset(weights.heaviest, 0xff, nodes * sizeof *weights.heaviest);
        weigh(growth, type, &weights);
        error = make_groups(growth, &weights, type, &groups);
    }
    if (!error)
        error = name_groups(growth, &weights, &groups);
    free(weights.behind);
    free(weights.heaviest);
    if (error) {
        free(groups.group);
        free(holders);
        return error;
    }
    if (groups.count)
        qsort(groups.group, groups.count, sizeof *groups.group, by_weight);
    *holders = (struct walk_growth_holders){groups.count, groups.group};
    *result = holders;
    return NULL;
}

void walk_growth_holders_free(struct walk_growth_holders *holders)
{
    if (!holders)
        return;
    free(holders->holder);
    free(holders);
}
