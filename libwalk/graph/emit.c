/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "graph/log.h"

bool walk_array_grow(void *array, size_t *capacity, size_t item, size_t first)
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

/* ---- edges ---- */

bool walk_emit_loggable(const struct walk_index *index, walk_addr key, uint64_t *to)
{
    *to = walk_index_granule(index, key);
    if (!walk_index_is_odd(index, key))
        return true;
    size_t odd = walk_index_odd(index, key);
    *to = WALK_LOG_ODD | odd;
    return odd != SIZE_MAX;
}

static bool add_slab(struct walk_slabs *slabs)
{
    if (slabs->slab_count == slabs->slab_capacity &&
        !walk_array_grow(&slabs->slab, &slabs->slab_capacity, sizeof *slabs->slab, 64))
        return false;
    return (slabs->slab[slabs->slab_count] = walk_large_alloc(1, sizeof **slabs->slab)) && ++slabs->slab_count;
}

void walk_slabs_deinit(struct walk_slabs *slabs)
{
    for (size_t i = 0; i < slabs->slab_count; i++)
        walk_large_free(slabs->slab[i]);
    free(slabs->slab);
    *slabs = (struct walk_slabs){0};
}

static inline void add_edge(struct walk_emitter *emitter, uint64_t edge)
{
    struct walk_slabs *edges = &emitter->edges;
    if (edges->count == edges->slab_count << WALK_SLAB_BITS && !add_slab(edges)) {
        emitter->no_memory = true;
        return;
    }
    struct walk_piece *piece = walk_slabs_piece(edges, edges->count);
    size_t at = edges->count++ & ((1 << WALK_PIECE_BITS) - 1);
    piece->low[at] = (uint32_t)edge;
    piece->high[at] = (uint16_t)(edge >> 32);
}

/* ---- what edges lead to ---- */

/* Of a key that is not known yet; if it is no node, that is found out when edges become rows. */
static void discover(struct walk_emitter *emitter, struct walk_region *region, walk_addr key)
{
    const struct walk_source *source = emitter->source;
    if (region || !source->likely || source->likely(source->context, emitter->worker, key))
        emitter->no_memory |= walk_index_discover(emitter->index, region, key) == WALK_ENTER_NO_MEMORY;
}

void walk_emit_lead_on(struct walk_emitter *emitter)
{
    enum { AHEAD = 16 };
    const struct walk_slabs *edges = &emitter->edges;
    const struct walk_index *index = emitter->index;
    for (size_t at = emitter->led; at < edges->count; at++) {
        uint64_t edge = walk_slabs_edge(edges, at), granule = edge & WALK_LOG_TO;
        if (at + AHEAD < edges->count)
            walk_index_foresee(index, walk_slabs_edge(edges, at + AHEAD) & WALK_LOG_TO);
        if (edge & (WALK_LOG_ODD | WALK_LOG_IF_KNOWN))
            continue;
        struct walk_region *region = walk_index_region(index, granule);
        if (!region || !walk_region_has(region, granule))
            discover(emitter, region, granule << index->shift);
    }
    emitter->led = edges->count;
}

/* ---- what a visit tells ---- */

void walk_emit_edge(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    uint64_t to;
    if (walk_emit_loggable(emitter->index, key, &to))
        add_edge(emitter, to | (mark ? WALK_LOG_MARK : 0));
    else
        emitter->missing = true;
}

void walk_emit_edges(struct walk_emitter *emitter, const uint64_t *edge, size_t count)
{
    for (size_t i = 0; i < count; i++)
        walk_emit_edge(emitter, edge[i] & ~WALK_EMIT_MARK, (edge[i] & WALK_EMIT_MARK) != 0);
}

void walk_emit_edge_if_known(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    uint64_t to;
    if (walk_emit_loggable(emitter->index, key, &to))
        add_edge(emitter, to | WALK_LOG_IF_KNOWN | (mark ? WALK_LOG_MARK : 0));
}
