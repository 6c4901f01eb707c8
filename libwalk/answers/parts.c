/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a heap: what is in them, per type, by name, within a distance. */
#include "answers/parts.h"

#include <stdlib.h>
#include <string.h>

struct walk_error *walk_part_open(const struct walk_heap *heap, const struct walk_heap_part *part,
                                  struct walk_members *members)
{
    static const struct walk_heap_part whole = {0};
    const struct walk_heap_part *which = part ? part : &whole;
    return walk_members_init(members, &heap->graph, which->ids, which->count, which->seen);
}

struct walk_ids *walk_ids_new(size_t count)
{
    struct walk_ids *ids = malloc(sizeof *ids + (count + 1) * sizeof *ids->id);
    if (ids)
        ids->count = 0;
    return ids;
}

void walk_types_called(const struct walk_heap *heap, const char *name, uint8_t *wanted)
{
    struct walk_type type;
    for (uint32_t i = 0; i < walk_heap_type_count(heap); i++) {
        walk_heap_type(heap, i, &type);
        wanted[i] |= walk_type_is_called(type.name, name);
    }
}

uint32_t walk_node_type(const struct walk_heap *heap, walk_id id)
{
    enum walk_node_kind kind = walk_node_kind(heap, id);
    return kind == WALK_OBJECT ? heap->graph.class[id] : heap->type_count + (uint32_t)(kind - WALK_FRAME);
}

uint64_t walk_node_size(const struct walk_heap *heap, walk_id id)
{
    struct walk_node node;
    walk_heap_node(heap, id, &node);
    return node.size;
}

/* ---- lists ---- */

/* Where all interpreters share a collector none has objects of its own, nor has what hides from its list. */
struct walk_error *walk_heap_tracked(const struct walk_heap *heap, size_t interpreter, struct walk_ids **result)
{
    struct walk_ids *ids = walk_ids_new(heap->stats.tracked);
    if (!ids)
        return walk_error_no_memory();
    bool all = interpreter == WALK_ALL_INTERPRETERS;
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        if (walk_node_tracked(heap, id) && (all || walk_interpreter_tracks(heap, interpreter, id)))
            ids->id[ids->count++] = id;
    *result = ids;
    return NULL;
}

struct walk_error *walk_heap_part_find(const struct walk_heap *heap, const struct walk_heap_part *part,
                                       const char *name, struct walk_ids **result)
{
    struct walk_members members;
    struct walk_error *error = walk_part_open(heap, part, &members);
    if (error)
        return error;
    uint8_t *wanted = calloc(walk_heap_type_count(heap), 1);
    struct walk_ids *ids = walk_ids_new(members.count);
    if (wanted && ids) {
        walk_types_called(heap, name, wanted);
        for (walk_id i = 0; i < members.count; i++) {
            walk_id id = walk_member_id(&members, i);
            if (wanted[walk_node_type(heap, id)])
                ids->id[ids->count++] = id;
        }
        *result = ids;
    } else {
        free(ids);
        error = walk_error_no_memory();
    }
    free(wanted);
    walk_members_deinit(&members);
    return error;
}

struct walk_error *walk_heap_part_totals(const struct walk_heap *heap, const struct walk_heap_part *part,
                                         struct walk_total *totals)
{
    struct walk_members members;
    struct walk_error *error = walk_part_open(heap, part, &members);
    if (error)
        return error;
    memset(totals, 0, walk_heap_type_count(heap) * sizeof *totals);
    for (walk_id i = 0; i < members.count; i++) {
        walk_id id = walk_member_id(&members, i);
        struct walk_total *total = &totals[walk_node_type(heap, id)];
        total->objects++;
        total->size += walk_node_size(heap, id);
    }
    walk_members_deinit(&members);
    return NULL;
}

/* ---- reach ---- */

/* A breadth first search from many nodes: a queue of numbers, which holds each once. */
struct spread {
    const struct walk_members *members;
    const struct walk_rows *rows;
    walk_id *queue;
    uint8_t *taken; /* a byte per number */
    walk_id count;
};

static void take(struct spread *spread, walk_id number)
{
    if (spread->taken[number])
        return;
    spread->taken[number] = 1;
    spread->queue[spread->count++] = number;
}

static void spread_out(struct spread *spread, uint32_t generations)
{
    walk_id at = 0;
    for (uint32_t depth = 0; depth < generations && at < spread->count; depth++) {
        for (walk_id end = spread->count; at < end; at++) {
            walk_id id = walk_member_id(spread->members, spread->queue[at]);
            for (uint64_t i = spread->rows->start[id]; i < spread->rows->start[id + 1]; i++) {
                walk_id to = walk_member_along(spread->members, spread->rows->edge[i]);
                if (to != WALK_NO_ID)
                    take(spread, to);
            }
        }
    }
}

static struct walk_error *start_from(struct spread *spread, const walk_id *start, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        walk_id number =
            start[i] < spread->members->graph->node_count ? walk_member_number(spread->members, start[i]) : WALK_NO_ID;
        if (number == WALK_NO_ID)
            return walk_error_new(WALK_ERROR_NOT_FOUND, "an object that is not in this part of the heap");
        take(spread, number);
    }
    return NULL;
}

static struct walk_error *list_taken(const struct spread *spread, struct walk_ids **result)
{
    struct walk_ids *ids = walk_ids_new(spread->count);
    if (!ids)
        return walk_error_no_memory();
    for (walk_id i = 0; i < spread->members->count; i++)
        if (spread->taken[i])
            ids->id[ids->count++] = walk_member_id(spread->members, i);
    *result = ids;
    return NULL;
}

struct walk_error *walk_heap_part_within(const struct walk_heap *heap, const struct walk_heap_part *part,
                                         const walk_id *start, size_t count, enum walk_direction direction,
                                         uint32_t generations, struct walk_ids **ids)
{
    struct walk_members members;
    struct walk_error *error = walk_part_open(heap, part, &members);
    if (error)
        return error;
    struct spread spread = {.members = &members,
                            .rows = direction == WALK_ANCESTORS ? &heap->graph.backward : &heap->graph.forward,
                            .queue = malloc(((size_t)members.count + 1) * sizeof *spread.queue),
                            .taken = calloc((size_t)members.count + 1, 1)};
    error = spread.queue && spread.taken ? start_from(&spread, start, count) : walk_error_no_memory();
    if (!error) {
        spread_out(&spread, generations);
        error = list_taken(&spread, ids);
    }
    free(spread.queue);
    free(spread.taken);
    walk_members_deinit(&members);
    return error;
}

/* ---- two lists ---- */

/* Those of `first` that are (or are not) in `second`. */
static struct walk_error *compare(const walk_id *first, size_t first_count, const walk_id *second, size_t second_count,
                                  bool both, struct walk_ids **result)
{
    struct walk_ids *ids = walk_ids_new(first_count);
    if (!ids)
        return walk_error_no_memory();
    for (size_t i = 0, j = 0; i < first_count; i++) {
        while (j < second_count && second[j] < first[i])
            j++;
        if ((j < second_count && second[j] == first[i]) == both)
            ids->id[ids->count++] = first[i];
    }
    *result = ids;
    return NULL;
}

struct walk_error *walk_ids_common(const walk_id *first, size_t first_count, const walk_id *second, size_t second_count,
                                   struct walk_ids **ids)
{
    return compare(first, first_count, second, second_count, true, ids);
}

struct walk_error *walk_ids_without(const walk_id *first, size_t first_count, const walk_id *second,
                                    size_t second_count, struct walk_ids **ids)
{
    return compare(first, first_count, second, second_count, false, ids);
}
