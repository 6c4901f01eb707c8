/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/measure.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * Most of what looks like an object's type in a sweep is none, and stands where nothing else is read. So what is not
 * common is looked at when so many objects have had it; those before are UNSIZED.
 */
enum { MET = 8, MET_SLOTS = 1 << 10, FIRST_SLOTS = 1 << 9 };

/* What is met and not known; a slot is the last one's that came to it. */
struct walk_met {
    walk_addr type;
    uint32_t count;
};

struct walk_measures {
    pthread_mutex_t lock;
    struct walk_fork fork;             /* learns types */
    const struct walk_classes *common; /* NULL: all are worth a look */
};

/* ---- what is shared ---- */

struct walk_measures *walk_measures_open(const struct walk_python *python, const struct walk_sample *sample, bool every)
{
    struct walk_measures *all = calloc(1, sizeof *all);
    if (!all || pthread_mutex_init(&all->lock, NULL) != 0) {
        free(all);
        return NULL;
    }
    all->common = every ? NULL : &sample->classes;
    walk_fork_learning(&all->fork, python);
    all->fork.python.subtype_traverse = sample->subtype_traverse;
    return all;
}

void walk_measures_close(struct walk_measures *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    walk_fork_forget(&all->fork);
    free(all);
}

/* What stands in `type`, decided by the types that are learned for this; NULL: it is no type, or needs too much. */
static struct walk_pytype *learn(struct walk_measures *all, walk_addr type)
{
    struct walk_python *python = &all->fork.python;
    struct walk_pytype *copy = NULL;
    uint32_t index;
    pthread_mutex_lock(&all->lock);
    if (walk_python_type(python, type, &index) && walk_size_needs(&python->types[index]) != WALK_SIZE_ALONE &&
        (copy = malloc(sizeof *copy)))
        *copy = python->types[index];
    pthread_mutex_unlock(&all->lock);
    return copy;
}

/* ---- of one worker ---- */

static bool grow(struct walk_measure *measure)
{
    struct walk_measured *old = measure->types;
    uint32_t slots = measure->slots;
    struct walk_measured *types = calloc(slots ? slots * 2 : FIRST_SLOTS, sizeof *types);
    if (!types)
        return false;
    measure->types = types;
    measure->slots = slots ? slots * 2 : FIRST_SLOTS;
    for (uint32_t i = 0; i < slots; i++)
        if (old[i].address)
            *walk_measure_slot(measure, old[i].address) = old[i];
    free(old);
    return true;
}

bool walk_measure_open(struct walk_measure *measure, struct walk_measures *all)
{
    *measure = (struct walk_measure){.all = all, .met = calloc(MET_SLOTS, sizeof *measure->met)};
    walk_fork_reading(&measure->fork, &all->fork.python);
    return measure->met && grow(measure);
}

void walk_measure_close(struct walk_measure *measure)
{
    for (uint32_t i = 0; i < measure->slots; i++)
        free(measure->types[i].type);
    free(measure->types);
    free(measure->met);
    *measure = (struct walk_measure){0};
}

void walk_measure_aim(struct walk_measure *measure, walk_addr start, size_t size, const uint8_t *bytes)
{
    walk_memory_look_through(&measure->fork.image.memory, (struct walk_piece){start, size, bytes});
}

/* Whether the type is worth a look: it is common, or has come often. */
static bool is_worth(struct walk_measure *measure, walk_addr type)
{
    if (!measure->all->common)
        return true;
    struct walk_met *met = &measure->met[walk_measure_hash(type, MET_SLOTS)];
    uint32_t number;
    if (met->type != type)
        *met = (struct walk_met){.type = type};
    return ++met->count == MET || (met->count == 1 && walk_classes_find(measure->all->common, type, &number));
}

struct walk_measured *walk_measure_learn(struct walk_measure *measure, walk_addr type)
{
    if (!is_worth(measure, type) || (4 * (measure->count + 1) > measure->slots && !grow(measure)))
        return NULL;
    struct walk_measured *known = walk_measure_slot(measure, type);
    *known = (struct walk_measured){.address = type, .type = learn(measure->all, type)};
    measure->count++;
    if (known->type)
        known->own = walk_own_size_of(&measure->fork.python, known->type);
    return known;
}

/* Of an object whose type is not known, or whose own words do not tell all. */
uint32_t walk_measure_odd(struct walk_measure *measure, const struct walk_measured *known, walk_addr type,
                          walk_addr object, struct walk_size_keys *rest)
{
    const struct walk_python *python = &measure->fork.python;
    if (!known->address)
        known = walk_measure_learn(measure, type);
    if (!known || !known->type)
        return WALK_UNSIZED;
    uint64_t size = walk_size_but_keys(&measure->fork.python, object, known->type, rest);
    if (rest->keys && walk_memory_in_window(python->memory, rest->keys, 1)) {
        size += walk_size_of_keys(python, rest);
        rest->keys = 0;
    }
    if (size < WALK_UNSIZED)
        return (uint32_t)size;
    rest->keys = 0;
    return WALK_UNSIZED;
}
