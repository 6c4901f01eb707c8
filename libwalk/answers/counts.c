/* SPDX-License-Identifier: Apache-2.0 */
/* How many tracked objects each type has: what can be said without a graph. */
#include <stdlib.h>

#include "objects/tally.h"
#include "objects/target.h"

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

struct walk_error *walk_target_counts(struct walk_target *target, struct walk_counts **result)
{
    struct walk_python *python = &target->python;
    size_t classes = (size_t)python->classes.count + 1, first = 0;
    struct walk_tally *tallies = calloc(classes, sizeof *tallies);
    struct walk_counts *counts = calloc(1, sizeof *counts + classes * sizeof *counts->type);
    struct walk_error *error = tallies && counts ? NULL : walk_error_no_memory();
    for (size_t i = 0; i < python->interpreter_count && !error; i++) {
        size_t count = python->interpreters[i].tracked_count;
        error = walk_tally(python, first, count, tallies);
        first += count;
    }
    if (!error && first < python->tracked_count - python->permanent_count) /* all share one collector */
        error = walk_tally(python, first, python->tracked_count - python->permanent_count - first, tallies);
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

void walk_counts_free(struct walk_counts *counts) { free(counts); }
