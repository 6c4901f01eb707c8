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

bool walk_emit_loggable(struct walk_emitter *emitter, walk_addr *key)
{
    if (!walk_index_is_odd(emitter->index, *key))
        return true;
    size_t odd = walk_index_odd(emitter->index, *key);
    *key = WALK_LOG_ODD | odd;
    return odd != SIZE_MAX;
}

static bool add_slab(struct walk_slabs *slabs, struct walk_stock *stock)
{
    if (slabs->slab_count == slabs->slab_capacity &&
        !walk_array_grow(&slabs->slab, &slabs->slab_capacity, sizeof *slabs->slab, 64))
        return false;
    return (slabs->slab[slabs->slab_count] = walk_large_alloc(stock, WALK_SLAB_EDGES, sizeof **slabs->slab)) &&
           ++slabs->slab_count;
}

void walk_slabs_deinit(struct walk_slabs *slabs)
{
    for (size_t i = 0; i < slabs->slab_count; i++)
        walk_large_free(slabs->slab[i]);
    free(slabs->slab);
    free(slabs->unused);
    *slabs = (struct walk_slabs){0};
}

bool walk_slabs_use_up(struct walk_slabs *slabs)
{
    slabs->unused = malloc((slabs->slab_count + 1) * sizeof *slabs->unused);
    for (size_t i = 0; slabs->unused && i < slabs->slab_count; i++) {
        size_t first = i << WALK_SLAB_BITS, left = first < slabs->count ? slabs->count - first : 0;
        atomic_init(&slabs->unused[i], (unsigned)(left < WALK_SLAB_EDGES ? left : WALK_SLAB_EDGES));
    }
    return slabs->unused != NULL;
}

void walk_slabs_used(struct walk_slabs *slabs, size_t first, size_t end)
{
    for (size_t count; first < end; first += count) {
        size_t slab = first >> WALK_SLAB_BITS, here = WALK_SLAB_EDGES - first % WALK_SLAB_EDGES;
        count = here < end - first ? here : end - first;
        if (atomic_fetch_sub_explicit(&slabs->unused[slab], (unsigned)count, memory_order_acq_rel) == count) {
            walk_large_free(slabs->slab[slab]);
            slabs->slab[slab] = NULL;
        }
    }
}

static inline void add_edge(struct walk_emitter *emitter, uint64_t edge)
{
    struct walk_slabs *edges = &emitter->edges;
    if (edges->count == edges->slab_count << WALK_SLAB_BITS && !add_slab(edges, emitter->source->stock))
        emitter->no_memory = true;
    else
        *walk_slabs_at(edges, edges->count++) = edge;
}

/* ---- what edges lead to ---- */

/* A region for a key that is near to no other one, if it may be that of a node. */
static struct walk_region *open_region(struct walk_emitter *emitter, uint64_t granule)
{
    const struct walk_source *source = emitter->source;
    if (source->likely && !source->likely(source->context, emitter->worker, granule << emitter->index->shift)) {
        emitter->doubt = true;
        return NULL;
    }
    struct walk_region *region = walk_index_need_region(emitter->index, granule);
    emitter->no_memory |= !region;
    return region;
}

/* The region of what an edge leads to, whose key becomes its place; NULL: it stays as it is, and leads to nothing. */
static inline struct walk_region *place(struct walk_emitter *emitter, struct walk_index *index, uint64_t *edge)
{
    uint64_t left = *edge, granule = walk_index_granule(index, left & WALK_LOG_KEY);
    if (left & (WALK_LOG_ODD | WALK_LOG_IF_KNOWN | WALK_LOG_FAR))
        return NULL;
    struct walk_region *region = walk_index_region(index, granule);
    if (!region && !(region = open_region(emitter, granule)))
        return NULL;
    *edge = walk_region_place(region, granule) | (left & WALK_LOG_MARK) | WALK_LOG_PLACED;
    return region;
}

/* Of edges that stand together, at most WALK_LOG_AHEAD. What turns out to be no node does when edges become rows. */
static void lead_on(struct walk_emitter *emitter, uint64_t *edge, size_t count)
{
    struct walk_index *index = emitter->index;
    struct walk_region *region[WALK_LOG_AHEAD];
    uint8_t new[WALK_LOG_AHEAD];
    size_t new_count = 0;
    bool placed = true;
    for (size_t i = 0; i < count; i++) {
        region[i] = place(emitter, index, &edge[i]);
        placed &= region[i] != NULL;
        if (region[i])
            __builtin_prefetch(&region[i]->word[walk_granule_word(edge[i])]);
    }
    emitter->placed &= placed;
    for (size_t i = 0; i < count; i++) { /* no branch: of every third edge or so nobody can foresee it */
        new[new_count] = (uint8_t)i;
        new_count += region[i] && !walk_region_has(region[i], edge[i]);
    }
    for (size_t i = 0; i < new_count; i++)
        walk_index_discover(index, region[new[i]], edge[new[i]]);
}

void walk_emit_lead_on(struct walk_emitter *emitter)
{
    struct walk_slabs *edges = &emitter->edges;
    for (size_t at = emitter->led, count; at < edges->count; at += count) {
        uint64_t *edge = walk_log_ahead(edges, at, edges->count, &count);
        lead_on(emitter, edge, count);
    }
    if (emitter->seeking.on)
        edges->count = 0;
    emitter->led = edges->count;
}

void walk_emit_lead_on_in_turn(struct walk_emitter *emitter)
{
    enum { TOGETHER = 1 << 12 };
    if (emitter->edges.count - emitter->led >= TOGETHER)
        walk_emit_lead_on(emitter);
}

/* ---- what a visit tells ---- */

void walk_emit_edge(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    if (walk_emit_loggable(emitter, &key))
        add_edge(emitter, key | (mark ? WALK_LOG_MARK : 0));
    else
        emitter->missing = true;
}

_Static_assert(WALK_EMIT_MARK == WALK_LOG_MARK, "several edges are copied as they are");

static inline uint64_t *room_for(const struct walk_slabs *edges, size_t count)
{
    size_t inside = edges->count % WALK_SLAB_EDGES;
    bool open = edges->count < edges->slab_count << WALK_SLAB_BITS;
    return open && count <= WALK_SLAB_EDGES - inside ? walk_slabs_at(edges, edges->count) : NULL;
}

uint64_t *walk_emit_room(const struct walk_emitter *emitter, size_t count) { return room_for(&emitter->edges, count); }

/* One by one nothing is written in front of what is still to be read: an odd edge may be none. */
static void emit_one_by_one(struct walk_emitter *emitter, const uint64_t *edge, size_t count)
{
    for (size_t i = 0; i < count; i++)
        walk_emit_edge(emitter, edge[i] & ~WALK_EMIT_MARK, (edge[i] & WALK_EMIT_MARK) != 0);
}

void walk_emit_edges(struct walk_emitter *emitter, const uint64_t *edge, size_t count, uint64_t bits)
{
    uint64_t *room = room_for(&emitter->edges, count);
    if (!room || walk_index_is_odd(emitter->index, bits & ~WALK_LOG_MARK)) {
        emit_one_by_one(emitter, edge, count);
        return;
    }
    if (edge != room)
        memcpy(room, edge, count * sizeof *edge);
    emitter->edges.count += count;
}

void walk_emit_edge_if_known(struct walk_emitter *emitter, walk_addr key, bool mark)
{
    if (walk_emit_loggable(emitter, &key))
        add_edge(emitter, key | WALK_LOG_IF_KNOWN | (mark ? WALK_LOG_MARK : 0));
}

bool walk_emit_takes_far(const struct walk_emitter *emitter, walk_addr at)
{
    return emitter->far && !walk_index_is_odd(emitter->index, at) &&
           walk_index_region(emitter->index, walk_index_granule(emitter->index, at));
}

void walk_emit_far(struct walk_emitter *emitter, walk_addr at, uint32_t note)
{
    emitter->far[emitter->far_count++] = (struct walk_far){.at = at, .node = emitter->node, .count = note};
    add_edge(emitter, WALK_LOG_FAR);
}
