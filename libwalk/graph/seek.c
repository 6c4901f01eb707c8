/* SPDX-License-Identifier: Apache-2.0 */
/* Who refers to one key: the closure as for a graph, but of all its edges none is kept. */
#include <stdlib.h>

#include "graph/builder.h"

static bool leads_to(const struct walk_slabs *edges, size_t first, size_t end, uint64_t logged)
{
    bool found = false;
    for (size_t at = first, count; at < end && !found; at += count) {
        const uint64_t *edge = walk_slabs_stretch(edges, at, end, &count);
        for (size_t i = 0; i < count; i++)
            found |= (edge[i] & (WALK_LOG_ODD | WALK_LOG_KEY | WALK_LOG_FAR)) == logged;
    }
    return found;
}

void walk_seek_note(struct walk_emitter *emitter, const struct walk_known *node, size_t first, size_t end)
{
    struct walk_seeking *seeking = &emitter->seeking;
    seeking->flagged |= (node->flags & emitter->source->flag_missing) != 0;
    if (node->key == seeking->node.key) {
        seeking->node = *node;
        seeking->found = true;
    }
    if (!leads_to(&emitter->edges, first, end, seeking->logged))
        return;
    if (seeking->count == seeking->capacity &&
        !walk_array_grow(&seeking->holder, &seeking->capacity, sizeof *seeking->holder, 16))
        emitter->no_memory = true;
    else
        seeking->holder[seeking->count++] = *node;
}

static int by_key(const void *a, const void *b)
{
    walk_addr x = ((const struct walk_known *)a)->key, y = ((const struct walk_known *)b)->key;
    return (x > y) - (x < y);
}

/* Who refers to the key in what is near and in what is far has been noted twice. */
static void drop_doubles(struct walk_sought *sought)
{
    size_t kept = 0;
    for (size_t i = 0; i < sought->count; i++)
        if (!kept || sought->holder[kept - 1].key != sought->holder[i].key)
            sought->holder[kept++] = sought->holder[i];
    sought->count = kept;
}

static struct walk_error *gather(const struct walk_builder *builder, struct walk_sought *sought)
{
    size_t count = 0;
    for (unsigned i = 0; i < builder->source.workers; i++)
        count += builder->emitters[i].seeking.count;
    sought->holder = malloc((count + 1) * sizeof *sought->holder);
    if (!sought->holder)
        return walk_error_no_memory();
    for (unsigned i = 0; i < builder->source.workers; i++) {
        const struct walk_seeking *seeking = &builder->emitters[i].seeking;
        for (size_t at = 0; at < seeking->count; at++)
            sought->holder[sought->count++] = seeking->holder[at];
        sought->certain &= !seeking->flagged && !builder->emitters[i].doubt;
        if (seeking->found)
            sought->node = seeking->node;
        sought->found |= seeking->found;
    }
    qsort(sought->holder, count, sizeof *sought->holder, by_key);
    drop_doubles(sought);
    return NULL;
}

struct walk_error *walk_builder_seek(struct walk_builder *builder, walk_addr key, struct walk_sought *sought)
{
    struct walk_graph *graph = builder->graph;
    *sought = (struct walk_sought){.node.key = key, .certain = true};
    struct walk_error *error = walk_builder_close(builder, &key);
    if (!error)
        error = gather(builder, sought);
    walk_builder_free(builder);
    if (error)
        walk_graph_deinit(graph);
    return error;
}

void walk_sought_deinit(struct walk_sought *sought)
{
    free(sought->holder);
    *sought = (struct walk_sought){0};
}
