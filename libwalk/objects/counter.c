/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/counter.h"

#include <stdlib.h>

uint32_t walk_counter_enter(struct walk_counter *counter, walk_addr type)
{
    uint32_t class, capacity = counter->classes.capacity;
    if (!walk_classes_enter(&counter->classes, type, &class))
        return WALK_NO_TYPE;
    if (capacity == counter->classes.capacity)
        return class;
    struct walk_tally *tallies = realloc(counter->tallies, counter->classes.capacity * sizeof *tallies);
    if (!tallies)
        return WALK_NO_TYPE;
    memset(tallies + capacity, 0, (counter->classes.capacity - capacity) * sizeof *tallies);
    counter->tallies = tallies;
    return class;
}

void walk_counter_reset(struct walk_counter *counter)
{
    for (uint32_t i = 0; i < counter->classes.count; i++) {
        counter->classes.class[i].count = 0;
        counter->tallies[i] = (struct walk_tally){0};
    }
}

void walk_counter_deinit(struct walk_counter *counter)
{
    walk_classes_deinit(&counter->classes);
    free(counter->tallies);
    free(counter->number);
    *counter = (struct walk_counter){.tallies = NULL};
}

static bool has_any(const struct walk_counter *counter, uint32_t class)
{
    return counter->classes.class[class].count || counter->tallies[class].count;
}

/* What any of them has counted, in order of address: who met which first is not to be seen in them. */
static bool collect_classes(const struct walk_counter *counters, unsigned count, struct walk_classes *all)
{
    struct walk_classes met = {0};
    uint32_t number;
    bool good = true;
    for (unsigned c = 0; c < count && good; c++)
        for (uint32_t i = 0; i < counters[c].classes.count && good; i++)
            good = !has_any(&counters[c], i) || walk_classes_enter(&met, counters[c].classes.class[i].type, &number);
    good = good && walk_classes_enter_all(all, &met);
    walk_classes_deinit(&met);
    return good;
}

static bool open_census(struct walk_python *python, size_t lists, unsigned pages)
{
    struct walk_census *census = python->census = calloc(1, sizeof *census);
    if (!census)
        return false;
    census->tallies = calloc((size_t)python->classes.count + 1, sizeof *census->tallies);
    census->lists = calloc(lists + 1, sizeof *census->lists);
    census->pages = calloc(pages, sizeof *census->pages);
    return census->tallies && census->lists && census->pages;
}

/* Its classes that have any are among those of all. */
static bool add(struct walk_counter *counter, struct walk_python *python)
{
    counter->number = calloc((size_t)counter->classes.count + 1, sizeof *counter->number);
    for (uint32_t i = 0; counter->number && i < counter->classes.count; i++) {
        const struct walk_tally *tally = &counter->tallies[i];
        uint32_t *number = &counter->number[i];
        if (!walk_classes_find(&python->classes, counter->classes.class[i].type, number))
            continue;
        python->classes.class[*number].count += counter->classes.class[i].count + tally->count;
        python->census->tallies[*number].count += tally->count;
        python->census->tallies[*number].size += tally->size;
    }
    return counter->number != NULL;
}

bool walk_counters_join(struct walk_counter *counters, unsigned count, struct walk_python *python, size_t lists)
{
    bool good = collect_classes(counters, count, &python->classes) && open_census(python, lists, count);
    for (unsigned i = 0; i < count && good; i++)
        good = add(&counters[i], python);
    return good;
}
