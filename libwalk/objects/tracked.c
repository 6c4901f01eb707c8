/* SPDX-License-Identifier: Apache-2.0 */
/* Which way the tracked objects are looked for, and what is made of them. */
#include "objects/tracked.h"

#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/mapping.h"
#include "objects/tally.h"

static bool reserve(struct walk_found *found, size_t capacity)
{
    walk_addr *grown = realloc(found->address, capacity * sizeof *grown);
    if (!grown)
        return false;
    found->address = grown;
    found->capacity = capacity;
    return true;
}

bool walk_found_push(struct walk_found *found, walk_addr address)
{
    if (found->count == found->capacity && !reserve(found, found->capacity ? found->capacity * 2 : 4096))
        return false;
    found->address[found->count++] = address;
    return true;
}

/* ---- in order of address ---- */

/* One pass of a radix sort: by eleven bits. */
static void sort_by(const walk_addr *from, walk_addr *to, size_t count, unsigned shift)
{
    enum { BITS = 11, BUCKETS = 1 << BITS };
    size_t first[BUCKETS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        first[(from[i] >> shift) % BUCKETS + 1]++;
    for (size_t b = 1; b < BUCKETS; b++)
        first[b] += first[b - 1];
    for (size_t i = 0; i < count; i++)
        to[first[(from[i] >> shift) % BUCKETS]++] = from[i];
}

/* Six passes are 66 bits: of an even number the last one ends where the first one began. */
static bool sort(walk_addr *address, size_t count)
{
    enum { PASSES = 6, BITS = 11 };
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = address[i - 1] <= address[i];
    walk_addr *other = sorted ? NULL : malloc(count * sizeof *other);
    if (sorted || !other)
        return sorted;
    for (unsigned pass = 0; pass < PASSES; pass++)
        sort_by(pass % 2 ? other : address, pass % 2 ? address : other, count, pass * BITS);
    free(other);
    return true;
}

/* Moves what is new of a sorted range to `to`: a damaged list may have led to an object more than once. How many. */
static size_t unique(const walk_addr *address, size_t count, walk_addr *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!i || address[i] != to[kept - 1])
            to[kept++] = address[i];
    return kept;
}

static bool sort_found(struct walk_found *found)
{
    if (!sort(found->address, found->count))
        return false;
    found->count = unique(found->address, found->count, found->address);
    return true;
}

/* Those of each interpreter by themselves, where each has a collector. */
static bool sort_generations(struct walk_python *python, struct walk_found *found)
{
    size_t kept = 0;
    if (walk_runtime_shares_collector(python->runtime) && python->interpreter_count > 1)
        return sort_found(found);
    for (size_t i = 0; i < python->interpreter_count; i++) {
        struct walk_pyinterpreter *interpreter = &python->interpreters[i];
        walk_addr *first = found->address + interpreter->first_tracked;
        if (!sort(first, interpreter->tracked_count))
            return false;
        interpreter->first_tracked = kept;
        interpreter->tracked_count = unique(first, interpreter->tracked_count, found->address + kept);
        kept += interpreter->tracked_count;
    }
    found->count = kept;
    return true;
}

/* ---- one after the other, in the memory ---- */

/* False: out of memory. `met`: what they have in ob_type, as it is met; each object gets its number there. */
static bool meet(struct walk_python *python, struct walk_classes *met)
{
    for (size_t i = 0; i < python->tracked_count; i++) {
        uint32_t *number = &python->tracked_class[i];
        if (!walk_classes_enter(met, walk_python_ob_type(python, python->tracked[i]), number))
            return false;
        met->class[*number].count++;
    }
    return true;
}

/* In the order that all ways have, which is not that in which they are met. */
static bool classify(struct walk_python *python)
{
    struct walk_classes met = {0};
    python->tracked_class =
        walk_large_alloc(python->runtime->image->stock, python->tracked_count + 1, sizeof *python->tracked_class);
    bool good = python->tracked_class && meet(python, &met) && walk_classes_enter_all(&python->classes, &met);
    for (uint32_t i = 0; i < met.count && good; i++) {
        (void)walk_classes_find(&python->classes, met.class[i].type, &met.class[i].index);
        python->classes.class[met.class[i].index].count += met.class[i].count;
    }
    for (size_t i = 0; i < python->tracked_count && good; i++)
        python->tracked_class[i] = met.class[python->tracked_class[i]].index;
    walk_classes_deinit(&met);
    return good;
}

/* Takes over what `tracked` has. */
static bool take(struct walk_python *python, struct walk_tracked *tracked)
{
    struct walk_found *all = &tracked->generations, *permanent = &tracked->permanent;
    bool good = sort_generations(python, all) && sort_found(permanent);
    if (good && permanent->count)
        good = reserve(all, all->count + permanent->count);
    if (good && permanent->count) {
        memcpy(all->address + all->count, permanent->address, permanent->count * sizeof *permanent->address);
        all->count += permanent->count;
    }
    python->tracked = walk_large_copy(all->address, all->count, sizeof *all->address);
    python->tracked_count = all->count;
    python->permanent_count = permanent->count;
    free(all->address);
    free(permanent->address);
    return good && python->tracked && classify(python);
}

/* As many as are followed before the memory is swept: a small part of what it takes to sweep that much memory. */
static size_t few(struct walk_python *python)
{
    enum { LEAST = 1 << 12, BYTES_PER_OBJECT = 1 << 16 };
    uint64_t most = walk_memory_size(python->memory) / BYTES_PER_OBJECT;
    return most < LEAST ? LEAST : (size_t)most;
}

/* What can be told of all objects by a few of them. False: out of memory. */
static bool take_sample(const struct walk_python *python, const struct walk_found *found, struct walk_sample *sample)
{
    struct walk_python few = *python;
    few.tracked = found->address;
    few.tracked_count = found->count;
    struct walk_error *error = classify(&few) ? walk_python_learn_traverse(&few) : walk_error_no_memory();
    walk_large_free(few.tracked_class);
    sample->classes = few.classes;
    sample->subtype_traverse = few.subtype_traverse;
    walk_error_free(error);
    return !error;
}

/* False: out of memory. `stopped`: there are more than `most`, of which a sample was taken, and nothing is set. */
static bool one_by_one(struct walk_python *python, size_t most, bool *stopped, struct walk_sample *sample)
{
    struct walk_tracked tracked = {.most = most};
    bool free_threaded = WALK_FREE_THREADED(python->layout);
    bool good = free_threaded ? walk_tracked_in_heaps(python, &tracked) : walk_tracked_on_lists(python, &tracked);
    python->tracked_by = free_threaded ? WALK_BY_ALLOCATOR : WALK_BY_LISTS;
    *stopped = tracked.stopped;
    if (good && !tracked.stopped)
        return take(python, &tracked);
    good = good && take_sample(python, &tracked.generations, sample);
    free(tracked.generations.address);
    free(tracked.permanent.address);
    python->broken_lists = 0;
    return good;
}

/*
 * Which way is faster than one by one: a sweep, or to follow the lists at many places, where the mapping is not entered
 * slowly. Of whom nobody says that a graph is wanted first only counts may be.
 */
static bool is_swept(struct walk_image *image)
{
    unsigned most = image->first == WALK_FIRST_GRAPH ? WALK_MOST_FOR_GRAPH : WALK_MOST_FOR_COUNTS;
    return image->search == WALK_SEARCH_ANY ? !walk_mapping_pays(image, most) : image->search == WALK_SEARCH_SWEEP;
}

static bool many_at_once(struct walk_python *python, bool sweep, const struct walk_sample *sample)
{
    python->tracked_by = sweep ? WALK_BY_SWEEP : WALK_BY_SUBLISTS;
    return sweep ? walk_tracked_by_sweep(python, sample) : walk_tracked_by_sublists(python, sample);
}

struct walk_error *walk_python_find_tracked(struct walk_python *python)
{
    struct walk_image *image = python->runtime->image;
    struct walk_memory fork;
    bool can = !WALK_FREE_THREADED(python->layout) && image->search != WALK_SEARCH_LISTS &&
               walk_memory_fork(python->memory, &fork);
    struct walk_sample sample = {.subtype_traverse = 0};
    bool stopped = true, good = true, sweep = can && is_swept(image); /* measured before the first ones enter pages */
    if (can && image->search == WALK_SEARCH_ANY)
        good = one_by_one(python, few(python), &stopped, &sample);
    if (good && stopped && !(can && many_at_once(python, sweep, &sample)))
        good = one_by_one(python, SIZE_MAX, &stopped, &sample);
    walk_classes_deinit(&sample.classes);
    return good ? NULL : walk_error_no_memory();
}

void walk_tracked_forget(struct walk_python *python)
{
    walk_census_free(python->census);
    walk_classes_deinit(&python->classes);
    python->census = NULL;
    python->tracked_count = python->permanent_count = 0;
}

static bool list(struct walk_python *python)
{
    struct walk_stock *stock = python->runtime->image->stock;
    python->tracked = walk_large_alloc(stock, python->tracked_count + 1, sizeof *python->tracked);
    python->tracked_class = walk_large_alloc(stock, python->tracked_count + 1, sizeof *python->tracked_class);
    return python->tracked && python->tracked_class && python->unlisted->list(python->unlisted);
}

bool walk_tracked_list(struct walk_python *python)
{
    if (!python->unlisted)
        return true;
    if (!list(python)) { /* whoever asks again has it tried again */
        walk_large_free(python->tracked);
        walk_large_free(python->tracked_class);
        python->tracked = NULL;
        python->tracked_class = NULL;
        return false;
    }
    python->unlisted->close(python->unlisted);
    python->unlisted = NULL;
    return true;
}

void walk_tracked_types(const struct walk_python *python, void (*each)(void *context, walk_addr type), void *context)
{
    uint32_t types;
    if (python->unlisted)
        python->unlisted->types(python->unlisted, each, context);
    else if (walk_classes_find(&python->classes, python->runtime->type_type, &types))
        for (size_t i = 0; i < python->tracked_count; i++)
            if (python->tracked_class[i] == types)
                each(context, python->tracked[i]);
}
