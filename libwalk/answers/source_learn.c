/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers know, and who learns it: types that are new, the proofs of tables. */
#include <stdlib.h>
#include <string.h>

#include "answers/source.h"

static bool reserve_types(struct walk_source_worker *worker, uint32_t count)
{
    if (count <= worker->capacity)
        return true;
    uint32_t capacity = count * 2;
    struct walk_type_stats *types = realloc(worker->types, capacity * sizeof *types);
    if (types)
        worker->types = types;
    struct walk_lowest *samples = realloc(worker->samples, capacity * sizeof *samples);
    if (samples)
        worker->samples = samples;
    struct walk_plan *plans = realloc(worker->plans, capacity * sizeof *plans);
    if (plans)
        worker->plans = plans;
    if (!types || !samples || !plans)
        return false;
    memset(plans + worker->capacity, 0, (capacity - worker->capacity) * sizeof *plans);
    memset(types + worker->capacity, 0, (capacity - worker->capacity) * sizeof *types);
    memset(samples + worker->capacity, 0, (capacity - worker->capacity) * sizeof *samples);
    worker->capacity = capacity;
    return true;
}

/* They were made of what was known. */
void walk_source_forget_plans(struct walk_source_worker *worker)
{
    for (uint32_t i = 0; i < worker->capacity; i++)
        walk_plan_deinit(&worker->plans[i]);
}

/* Lets the forks know what the python has learned. */
struct walk_error *walk_source_renew(struct walk_heap_source *source)
{
    const struct walk_python *python = source->heap->python;
    if (python->type_count == source->type_count && python->slot_count == source->slot_count &&
        python->dispute_count == source->dispute_count)
        return NULL;
    source->type_count = python->type_count;
    source->slot_count = python->slot_count;
    source->dispute_count = python->dispute_count;
    for (unsigned i = 0; i < source->workers; i++) {
        walk_fork_renew(&source->worker[i]->fork, python);
        walk_source_forget_plans(source->worker[i]);
        if (!reserve_types(source->worker[i], python->type_count))
            return walk_error_no_memory();
    }
    return NULL;
}

static int by_address(const void *a, const void *b)
{
    walk_addr x = *(const walk_addr *)a, y = *(const walk_addr *)b;
    return (x > y) - (x < y);
}

/* Makes known the types that the workers have met, in the order of their addresses. */
static struct walk_error *learn_types(struct walk_heap_source *source)
{
    struct walk_python *python = source->heap->python;
    size_t total = 0, at = 0;
    uint32_t index;
    for (unsigned i = 0; i < source->workers; i++)
        total += source->worker[i]->unknown_count;
    walk_addr *types = malloc((total + 1) * sizeof *types);
    if (!types)
        return walk_error_no_memory();
    for (unsigned i = 0; i < source->workers; i++) {
        struct walk_source_worker *worker = source->worker[i];
        if (worker->unknown_count)
            memcpy(types + at, worker->unknown, worker->unknown_count * sizeof *types);
        at += worker->unknown_count;
        worker->unknown_count = 0;
    }
    qsort(types, total, sizeof *types, by_address);
    for (size_t i = 0; i < total; i++)
        if (i == 0 || types[i] != types[i - 1])
            (void)walk_python_type(python, types[i], &index);
    free(types);
    return NULL;
}

/* The lowest objects of the type, of those that any worker has noted. */
static struct walk_error *prove_type(struct walk_heap_source *source, uint32_t type)
{
    struct walk_lowest all = {.count = 0};
    struct walk_refs *refs = &source->worker[0]->refs;
    for (unsigned i = 0; i < source->workers; i++) {
        struct walk_lowest *samples = &source->worker[i]->samples[type];
        for (unsigned s = 0; s < samples->count; s++)
            walk_lowest_note(&all, samples->object[s]);
        samples->count = 0;
    }
    for (unsigned s = 0; s < all.count; s++) {
        refs->count = 0;
        refs->unreadable = false;
        walk_visit_object(source->heap->python, all.object[s], type, refs);
        if (refs->interrupted)
            return walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    }
    return NULL;
}

struct walk_error *walk_source_settle(void *context, bool again)
{
    struct walk_heap_source *source = context;
    bool sampled = false;
    for (unsigned i = 0; i < source->workers; i++) {
        if (source->worker[i]->no_memory)
            return walk_error_no_memory();
        sampled |= source->worker[i]->sampled;
        source->worker[i]->sampled &= again;
    }
    struct walk_error *error = again ? learn_types(source) : NULL;
    for (uint32_t type = 0; !again && sampled && !error && type < source->type_count; type++)
        error = prove_type(source, type);
    return error ? error : walk_source_renew(source);
}
