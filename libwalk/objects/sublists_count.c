/* SPDX-License-Identifier: Apache-2.0 */
/* What each worker counts and measures of the objects on its sublists. */
#include <stdlib.h>

#include "objects/sublists_follow.h"

/* ---- one object ---- */

/* A type is met for the first time. NULL: no memory. */
static const struct walk_measured *meet(struct walk_sublists_worker *worker, walk_addr type)
{
    uint32_t class = type ? walk_counter_enter(worker->counter, type) : WALK_NO_TYPE;
    struct walk_measured *known = class == WALK_NO_TYPE ? NULL : walk_measure_learn(&worker->measure, type);
    if (known)
        known->class = class;
    return known;
}

static void add_late(struct walk_sublists_worker *worker, struct walk_late *late)
{
    if (late->keys.keys)
        worker->counter->tallies[late->class].size += walk_size_of_keys(&worker->measure.fork.python, &late->keys);
    late->keys.keys = 0;
}

/* Has the keys come, and adds those that came to it WALK_LATE calls ago. */
static void put_late(struct walk_sublists_worker *worker, const struct walk_size_keys *keys, uint32_t class)
{
    struct walk_late *late = &worker->late[worker->late_at++ % WALK_LATE];
    add_late(worker, late);
    const size_t size = WALK_SIZE(worker->python->layout, dict_keys);
    const uint8_t *view = walk_memory_view(worker->measure.fork.python.memory, keys->keys, size);
    *late = (struct walk_late){*keys, class};
    if (!view)
        return;
    __builtin_prefetch(view);
    __builtin_prefetch(view + size - 1);
}

/* Adds the size of an object which no word of its own tells, whose bytes are at `view`, `room` of them. False: no
 * memory. */
static bool measure_odd(struct walk_sublists_worker *worker, const struct walk_measured *known, walk_addr object,
                        const uint8_t *view, size_t room)
{
    struct walk_size_keys rest = {0};
    if (known->own.kind == WALK_OWN_KEYS && room >= WALK_SIZE(worker->python->layout, dict)) {
        worker->counter->tallies[known->class].size += known->own.size;
        rest = (struct walk_size_keys){WALK_WORD(worker->python, view, dict, ma_keys),
                                       WALK_WORD(worker->python, view, dict, ma_values)};
        put_late(worker, &rest, known->class);
        return true;
    }
    uint32_t class = known->class, size = walk_measure_odd(&worker->measure, known, known->address, object, &rest);
    if (rest.keys)
        put_late(worker, &rest, class);
    if (size == WALK_UNSIZED)
        return walk_found_push(&worker->alone, object);
    worker->counter->tallies[class].size += size;
    return true;
}

/* The class of an object; NULL: no memory. */
WALK_INLINED const struct walk_measured *class_of(struct walk_sublists_worker *worker,
                                                  const struct walk_met_object *object)
{
    const struct walk_measured *known = walk_measure_slot(&worker->measure, object->type);
    if (!known->address && !(known = meet(worker, object->type)))
        return NULL;
    if (object->type == worker->type_type && !walk_found_push(&worker->types, object->address))
        return NULL;
    return known;
}

WALK_INLINED bool count(struct walk_sublists_worker *worker, const struct walk_met_object *object)
{
    const struct walk_measured *known = class_of(worker, object);
    uint64_t size;
    if (!known)
        return false;
    struct walk_tally *tally = &worker->counter->tallies[known->class];
    tally->count++;
    if (!walk_own_size_at(&known->own, worker->python, object->view, object->room, &size))
        return measure_odd(worker, known, object->address, object->view, object->room);
    tally->size += size;
    return true;
}

WALK_INLINED bool count_and_mark(struct walk_sublists_worker *worker, const struct walk_met_object *object)
{
    walk_sublists_mark(worker, object->place);
    return count(worker, object);
}

/* With marks only. */
WALK_INLINED bool only_mark(struct walk_sublists_worker *worker, const struct walk_met_object *object)
{
    const struct walk_measured *known = class_of(worker, object);
    walk_sublists_mark(worker, object->place);
    if (known)
        worker->counter->tallies[known->class].count++;
    return known != NULL;
}

/* What is in the permanent generations is not measured. */
WALK_INLINED bool count_permanent(struct walk_sublists_worker *worker, const struct walk_met_object *object)
{
    const struct walk_measured *known = class_of(worker, object);
    if (known)
        worker->counter->classes.class[known->class].count++;
    return known != NULL;
}

/* ---- all of them ---- */

static void count_some(void *context, size_t task, unsigned number)
{
    struct walk_sublists_pass *pass = context;
    struct walk_sublists_worker *worker = &pass->sublists->workers[number];
    (void)task;
    if (pass->first_owner == walk_heads_permanent(&pass->sublists->heads))
        walk_sublists_follow(pass, worker, count_permanent);
    else if (pass->sublists->first == WALK_FIRST_COUNTS)
        walk_sublists_follow(pass, worker, count);
    else if (pass->sublists->first == WALK_FIRST_GRAPH)
        walk_sublists_follow(pass, worker, only_mark);
    else
        walk_sublists_follow(pass, worker, count_and_mark);
    for (unsigned i = 0; i < WALK_LATE; i++)
        add_late(worker, &worker->late[i]);
}

void walk_sublists_count(struct walk_sublists *sublists, uint8_t first_owner, uint8_t last_owner)
{
    struct walk_sublists_pass pass = {.sublists = sublists, .first_owner = first_owner, .last_owner = last_owner};
    unsigned workers = sublists->marks ? sublists->marker_count : sublists->worker_count;
    walk_workers_run(workers, workers, count_some, &pass);
}

void walk_sublists_recount(struct walk_sublists *sublists)
{
    for (unsigned i = 0; i < sublists->worker_count; i++) {
        walk_counter_reset(&sublists->counters[i]);
        sublists->workers[i].types.count = sublists->workers[i].alone.count = 0;
    }
}

/* ---- together ---- */

/* What could not be measured, in one list. False: out of memory. */
static bool take_alone(struct walk_sublists *sublists)
{
    struct walk_python *python = sublists->python;
    struct walk_census *census = python->census;
    struct walk_unread_list *list = &census->lists[0];
    size_t count = 0;
    for (unsigned i = 0; i < sublists->worker_count; i++)
        count += sublists->workers[i].alone.count;
    census->pages[0].stock = sublists->stream.image->stock;
    list->unread = walk_pages_take(&census->pages[0], (count + 1) * sizeof *list->unread);
    census->page_count = census->list_count = 1;
    for (unsigned w = 0; w < sublists->worker_count && list->unread; w++)
        for (size_t i = 0; i < sublists->workers[w].alone.count; i++) {
            struct walk_unread unread = {.object = sublists->workers[w].alone.address[i]};
            if (walk_classes_find(&python->classes, walk_python_ob_type(python, unread.object), &unread.class))
                list->unread[list->count++] = unread;
        }
    return list->unread != NULL;
}

bool walk_sublists_join(struct walk_sublists *sublists)
{
    struct walk_python *python = sublists->python;
    if (!walk_counters_join(sublists->counters, sublists->worker_count, python, 1))
        return false;
    if (sublists->first != WALK_FIRST_GRAPH)
        return take_alone(sublists);
    walk_census_free(python->census); /* nothing is measured in it */
    python->census = NULL;
    return true;
}
