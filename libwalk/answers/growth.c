/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth: counts per type against an earlier heap, and the objects that are new since. A type is known by its name, for
 * in another process of the same program it is at another address. An object is known by its address and its type: one
 * that took the place of another of the same type passes for it.
 */
#include "answers/growth.h"

#include <stdlib.h>

#include "bytes/large.h"

/* ---- what is kept of a heap ---- */

static bool copy_nodes(const struct walk_graph *graph, struct walk_graph *kept)
{
    size_t nodes = graph->node_count;
    *kept = (struct walk_graph){.node_count = graph->node_count};
    kept->class = walk_large_copy(graph->class, nodes, sizeof *graph->class);
    kept->flags = walk_large_copy(graph->flags, nodes, sizeof *graph->flags);
    return kept->class && kept->flags;
}

static bool copy_types(const struct walk_heap *heap, struct walk_baseline *kept)
{
    size_t count = heap->type_count;
    kept->name = calloc(count + 1, sizeof *kept->name);
    kept->tracked = calloc(count + 1, sizeof *kept->tracked);
    kept->all = calloc(count + 1, sizeof *kept->all);
    if (!kept->name || !kept->tracked || !kept->all)
        return false;
    kept->type_count = heap->type_count;
    for (size_t i = 0; i < count; i++) {
        const struct walk_type_stats *stats = &heap->types[i];
        kept->tracked[i] = (struct walk_total){stats->tracked, stats->tracked_size};
        kept->all[i] = (struct walk_total){stats->objects, stats->size};
        kept->name[i] = strdup(heap->tables.types[i].name);
        if (!kept->name[i])
            return false;
    }
    return true;
}

static struct walk_error *copy_index(const struct walk_graph *graph, struct walk_graph *kept)
{
    walk_addr *key = walk_large_alloc(NULL, (size_t)graph->node_count + 1, sizeof *key);
    if (!key)
        return walk_error_no_memory();
    walk_graph_keys(graph, key);
    struct walk_error *error = walk_graph_index(kept, 1u << graph->index.shift, key);
    walk_large_free(key);
    return error;
}

struct walk_error *walk_heap_baseline(const struct walk_heap *heap, struct walk_baseline **result)
{
    struct walk_baseline *kept = calloc(1, sizeof *kept);
    struct walk_error *error = NULL;
    if (!kept || !copy_nodes(&heap->graph, &kept->graph) || !copy_types(heap, kept))
        error = walk_error_no_memory();
    if (!error)
        error = copy_index(&heap->graph, &kept->graph);
    if (error)
        walk_baseline_free(kept);
    else
        *result = kept;
    return error;
}

void walk_baseline_free(struct walk_baseline *baseline)
{
    if (!baseline)
        return;
    walk_graph_deinit(&baseline->graph);
    for (uint32_t i = 0; i < baseline->type_count; i++)
        free(baseline->name[i]);
    free(baseline->name);
    free(baseline->tracked);
    free(baseline->all);
    free(baseline);
}

/* ---- names ---- */

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static uint32_t row_of(const struct walk_name_rows *names, const char *name)
{
    const char **found = bsearch(&name, names->name, names->count, sizeof *names->name, by_name);
    return (uint32_t)(found - names->name);
}

static void drop_repeated(struct walk_name_rows *names)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < names->count; i++)
        if (!kept || strcmp(names->name[i], names->name[kept - 1]) != 0)
            names->name[kept++] = names->name[i];
    names->count = kept;
}

static bool number_types(const struct walk_name_rows *names, const struct walk_baseline *baseline, uint32_t **of)
{
    if (!baseline)
        return true;
    *of = malloc(((size_t)baseline->type_count + 1) * sizeof **of);
    for (uint32_t i = 0; *of && i < baseline->type_count; i++)
        (*of)[i] = row_of(names, baseline->name[i]);
    return *of != NULL;
}

/* The names stay those of the heap and of the baselines. */
static bool collect_names(struct walk_growth *growth, const struct walk_baseline *first,
                          const struct walk_baseline *second)
{
    const struct walk_heap *heap = growth->heap;
    struct walk_name_rows *names = &growth->names;
    size_t most = (size_t)heap->type_count + first->type_count + (second ? second->type_count : 0);
    names->name = malloc((most + 1) * sizeof *names->name);
    names->of_now = malloc(((size_t)heap->type_count + 1) * sizeof *names->of_now);
    if (!names->name || !names->of_now)
        return false;
    for (uint32_t i = 0; i < heap->type_count; i++)
        names->name[names->count++] = heap->tables.types[i].name;
    for (uint32_t i = 0; i < first->type_count; i++)
        names->name[names->count++] = first->name[i];
    for (uint32_t i = 0; second && i < second->type_count; i++)
        names->name[names->count++] = second->name[i];
    qsort(names->name, names->count, sizeof *names->name, by_name);
    drop_repeated(names);
    for (uint32_t i = 0; i < heap->type_count; i++)
        names->of_now[i] = row_of(names, heap->tables.types[i].name);
    return number_types(names, first, &names->of_first) && number_types(names, second, &names->of_second);
}

/* ---- what is new ---- */

/* Whether a baseline has a node of this kind, or an object of this type, at the address. */
static bool has_node(const struct walk_baseline *baseline, const uint32_t *rows, const struct walk_growth *growth,
                     walk_id id)
{
    const struct walk_graph *graph = &growth->heap->graph;
    walk_id there = walk_graph_find(&baseline->graph, walk_graph_key(graph, id));
    if (there == WALK_NO_ID)
        return false;
    uint8_t kind = graph->flags[id] & WALK_NODE_KIND;
    if ((baseline->graph.flags[there] & WALK_NODE_KIND) != kind)
        return false;
    return kind != WALK_OBJECT || rows[baseline->graph.class[there]] == growth->names.of_now[graph->class[id]];
}

static void judge_nodes(struct walk_growth *growth, const struct walk_baseline *first,
                        const struct walk_baseline *second, bool everything)
{
    const struct walk_heap *heap = growth->heap;
    const struct walk_name_rows *names = &growth->names;
    for (walk_id id = 0; id < heap->graph.node_count; id++) {
        if (has_node(first, names->of_first, growth, id)) {
            growth->state[id] = WALK_GROWTH_MATCHED;
            growth->matched += walk_node_tracked(heap, id);
            continue;
        }
        growth->state[id] = WALK_GROWTH_NEW;
        if (walk_node_kind(heap, id) != WALK_OBJECT || !(everything || walk_node_tracked(heap, id)) ||
            (second && !has_node(second, names->of_second, growth, id)))
            continue;
        growth->state[id] |= WALK_GROWTH_WANTED;
        struct walk_growth_row *row = &growth->row[names->of_now[heap->graph.class[id]]];
        row->new_objects++;
        row->new_size += heap->facts->size(heap, id);
    }
}

static void count_types(struct walk_growth *growth, const struct walk_baseline *first, bool everything)
{
    const struct walk_heap *heap = growth->heap;
    for (uint32_t i = 0; i < growth->names.count; i++)
        growth->row[i].type = growth->names.name[i];
    for (uint32_t i = 0; i < heap->type_count; i++) {
        struct walk_growth_row *row = &growth->row[growth->names.of_now[i]];
        const struct walk_type_stats *stats = &heap->types[i];
        row->objects += everything ? stats->objects : stats->tracked;
        row->size += everything ? stats->size : stats->tracked_size;
    }
    for (uint32_t i = 0; i < first->type_count; i++) {
        struct walk_growth_row *row = &growth->row[growth->names.of_first[i]];
        const struct walk_total *total = everything ? &first->all[i] : &first->tracked[i];
        row->old_objects += total->objects;
        row->old_size += total->size;
    }
}

struct walk_error *walk_heap_growth(const struct walk_heap *heap, const struct walk_baseline *first,
                                    const struct walk_baseline *second, bool everything, struct walk_growth **result)
{
    struct walk_growth *growth = calloc(1, sizeof *growth);
    if (!growth)
        return walk_error_no_memory();
    growth->heap = heap;
    growth->state = calloc((size_t)heap->graph.node_count + 1, 1);
    if (!growth->state || !collect_names(growth, first, second) ||
        !(growth->row = calloc((size_t)growth->names.count + 1, sizeof *growth->row))) {
        walk_growth_free(growth);
        return walk_error_no_memory();
    }
    count_types(growth, first, everything);
    judge_nodes(growth, first, second, everything);
    struct walk_error *error = walk_growth_count_dicts(growth);
    if (error) {
        walk_growth_free(growth);
        return error;
    }
    *result = growth;
    return NULL;
}

void walk_growth_free(struct walk_growth *growth)
{
    if (!growth)
        return;
    free(growth->names.name);
    free(growth->names.of_now);
    free(growth->names.of_first);
    free(growth->names.of_second);
    free(growth->row);
    free(growth->state);
    free(growth->via);
    free(growth->root);
    free(growth->order);
    free(growth);
}

size_t walk_growth_type_count(const struct walk_growth *growth) { return growth->names.count; }

void walk_growth_type(const struct walk_growth *growth, size_t index, struct walk_growth_row *row)
{
    *row = growth->row[index];
}

size_t walk_growth_matched(const struct walk_growth *growth) { return growth->matched; }

struct walk_error *walk_growth_new(const struct walk_growth *growth, size_t index, struct walk_ids **ids)
{
    const struct walk_heap *heap = growth->heap;
    struct walk_ids *found = malloc(sizeof *found + (growth->row[index].new_objects + 1) * sizeof *found->id);
    if (!found)
        return walk_error_no_memory();
    found->count = 0;
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        if ((growth->state[id] & WALK_GROWTH_WANTED) && growth->names.of_now[heap->graph.class[id]] == index)
            found->id[found->count++] = id;
    *ids = found;
    return NULL;
}
