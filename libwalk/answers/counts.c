/* SPDX-License-Identifier: Apache-2.0 */
/* How many tracked objects each type has: what can be said without a graph. */
#include <stdlib.h>

#include "answers/heap.h"
#include "bytes/large.h"
#include "objects/tally.h"

/* Adds what each class has to its type; types that are none are counted apart. */
static void add(struct walk_python *python, const struct walk_tally *tallies, struct walk_counts *counts)
{
    for (uint32_t i = 0; i < python->classes.count; i++) {
        uint32_t type;
        if (!tallies[i].count)
            continue;
        if (!walk_python_class_type(python, i, &type)) {
            counts->stats.unreadable += tallies[i].count;
            continue;
        }
        const struct walk_pytype *pytype = &python->types[type];
        counts->stats.tracked += tallies[i].count;
        counts->stats.unnamed_objects += pytype->naming == WALK_NAME_UNKNOWN ? tallies[i].count : 0;
        counts->type[counts->count++] =
            (struct walk_type_count){pytype->address, pytype->name, tallies[i].count, tallies[i].size};
    }
}

/* 3.6: whether a collection is under way is in a variable of its own, whose symbol may not be here. */
static bool may_hide(const struct walk_python *python)
{
    return python->collecting || (!python->runtime->runtime && !python->runtime->collecting);
}

static struct walk_error *count_memory(struct walk_target *target, struct walk_counts **result)
{
    struct walk_python *python = &target->python;
    size_t classes = (size_t)python->classes.count + 1;
    struct walk_tally *tallies = calloc(classes, sizeof *tallies);
    struct walk_counts *counts = calloc(1, sizeof *counts + classes * sizeof *counts->type);
    struct walk_error *error = tallies && counts ? NULL : walk_error_no_memory();
    if (!error)
        error = walk_tally(python, tallies);
    if (!error) {
        add(python, tallies, counts);
        counts->stats.collecting = may_hide(python);
        walk_target_stats(target, &counts->stats);
        *result = counts;
    } else {
        free(counts);
    }
    free(tallies);
    return error;
}

/* A saved heap has its graph, and need not be counted without. */
static struct walk_error *count_saved(struct walk_target *target, struct walk_counts **result)
{
    struct walk_heap *heap;
    struct walk_error *error = walk_heap_build(target, NULL, NULL, &heap);
    if (error)
        return error;
    struct walk_counts *counts = calloc(1, sizeof *counts + ((size_t)heap->type_count + 1) * sizeof *counts->type);
    if (counts) {
        counts->stats = heap->stats;
        for (uint32_t i = 0; i < heap->type_count; i++)
            if (heap->types[i].tracked)
                counts->type[counts->count++] =
                    (struct walk_type_count){heap->tables.types[i].address, heap->tables.types[i].name,
                                             heap->types[i].tracked, heap->types[i].tracked_size};
        *result = counts;
    }
    walk_heap_destroy(heap);
    return counts ? NULL : walk_error_no_memory();
}

struct walk_error *walk_target_counts(struct walk_target *target, struct walk_counts **counts)
{
    struct walk_error *error = target->saved ? count_saved(target, counts) : count_memory(target, counts);
    walk_stock_let_go(target->image.stock);
    return error;
}

void walk_counts_free(struct walk_counts *counts) { free(counts); }
