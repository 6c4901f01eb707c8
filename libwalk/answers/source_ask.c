/* SPDX-License-Identifier: Apache-2.0 */
/* What a key is: whether there is an object, and of which type. */
#include <stdlib.h>
#include <string.h>

#include "answers/source.h"
#include "objects/header.h"
#include "objects/traverse.h"

_Static_assert(WALK_NO_TYPE == WALK_NO_CLASS, "a node's class is its type");

/*
 * While a collection runs some of the tracked objects are on lists whose heads are on the C stack: those that are found
 * otherwise are told by what is in front of them. Up to 3.7 that also tells that a collection runs.
 */
static bool is_on_hidden_list(const struct walk_python *python, walk_addr object, uint32_t type)
{
    return (python->collecting || WALK_HAS(python->layout, gc_head, refs)) &&
           walk_python_is_gc(python, &python->types[type], object) && walk_header_tracked(python, object);
}

static uint8_t object_flags(bool tracked) { return WALK_OBJECT | (tracked ? WALK_NODE_TRACKED : 0); }

bool walk_source_likely(void *context, unsigned number, walk_addr key)
{
    const struct walk_heap_source *source = context;
    return walk_python_is_likely(&source->worker[number]->fork.python, key);
}

static void note_unknown(struct walk_source_worker *worker, walk_addr type)
{
    size_t count = worker->unknown_count;
    for (size_t i = count; i > 0 && count - i < 16; i--)
        if (worker->unknown[i - 1] == type)
            return;
    if (count == worker->unknown_capacity) {
        size_t capacity = count ? 2 * count : 64;
        walk_addr *unknown = realloc(worker->unknown, capacity * sizeof *unknown);
        worker->no_memory |= !unknown;
        if (!unknown)
            return;
        worker->unknown = unknown;
        worker->unknown_capacity = capacity;
    }
    worker->unknown[worker->unknown_count++] = type;
}

/* Whether it is one of the lowest ones. */
static bool takes(const struct walk_lowest *samples, walk_addr object)
{
    return samples->count < WALK_LOWEST || object < samples->object[WALK_LOWEST - 1];
}

void walk_lowest_note(struct walk_lowest *samples, walk_addr object)
{
    if (!takes(samples, object))
        return;
    unsigned at = samples->count < WALK_LOWEST ? samples->count : WALK_LOWEST - 1;
    for (; at > 0 && samples->object[at - 1] > object; at--)
        samples->object[at] = samples->object[at - 1];
    samples->object[at] = object;
    samples->count += samples->count < WALK_LOWEST;
}

size_t walk_run_count(const struct walk_python *python) { return python->interpreter_count + 2; }

struct walk_run walk_run_of(const struct walk_python *python, size_t number)
{
    size_t first = 0, permanent_from = python->tracked_count - python->permanent_count;
    if (number == python->interpreter_count + 1)
        return (struct walk_run){permanent_from, python->tracked_count};
    for (size_t i = 0; i < number; i++)
        first += python->interpreters[i].tracked_count;
    if (number == python->interpreter_count)
        return (struct walk_run){first, permanent_from};
    return (struct walk_run){first, first + python->interpreters[number].tracked_count};
}

/* The first of a run that is not below the key. */
static size_t find_in_run(const struct walk_python *python, struct walk_run run, walk_addr key)
{
    while (run.first < run.end) {
        size_t middle = run.first + (run.end - run.first) / 2;
        if (python->tracked[middle] < key)
            run.first = middle + 1;
        else
            run.end = middle;
    }
    return run.first;
}

bool walk_heap_know(struct walk_python *python, struct walk_known *object)
{
    bool told = false, permanent = false;
    for (size_t i = 0; i < walk_run_count(python) && !told; i++) {
        struct walk_run run = walk_run_of(python, i);
        size_t at = find_in_run(python, run, object->key);
        told = at < run.end && python->tracked[at] == object->key;
        permanent = i == walk_run_count(python) - 1;
    }
    if (told ? !walk_python_type(python, walk_python_ob_type(python, object->key), &object->class)
             : !walk_python_type_of(python, object->key, &object->class))
        return false;
    object->flags = object_flags(told ? !permanent : is_on_hidden_list(python, object->key, object->class));
    return true;
}

bool walk_source_approach(void *context, unsigned number, walk_addr first, walk_addr last, size_t count)
{
    const struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    walk_window_aim(&worker->window, &worker->fork.image, first, last, count);
    return source->mapped;
}

/* Whether it is needed for a proof: then it is visited when all are asked. */
static bool is_sample(struct walk_source_worker *worker, walk_addr object, uint32_t type)
{
    const struct walk_python *python = &worker->fork.python;
    if (!walk_traverse_wants_proof(python, &python->types[type], object))
        return false;
    walk_lowest_note(&worker->samples[type], object);
    worker->sampled = true;
    return true;
}

/* Nothing is read: their types were met when they were looked for. */
void walk_source_tell(void *context, unsigned number, const walk_addr *keys, size_t count, uint32_t *class,
                      uint8_t *flags)
{
    const struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    const struct walk_python *python = source->heap->python;
    size_t first = (size_t)(keys - python->tracked);
    bool permanent = first >= python->tracked_count - python->permanent_count;
    memset(flags, object_flags(!permanent), count);
    for (size_t i = 0; i < count; i++) {
        class[i] = source->class_type[python->tracked_class[first + i]];
        if (class[i] == WALK_NO_TYPE)
            worker->unreadable++;
        else if (takes(&worker->samples[class[i]], keys[i]))
            (void)is_sample(worker, keys[i], class[i]);
    }
}

/* As walk_python_type_of(), of an object whose bytes are at `view`, and a type that is known. */
static inline bool has_known_type(const struct walk_python *python, const uint8_t *view, walk_addr key, uint32_t *class)
{
    return view && !(key & (python->word - 1)) && walk_header_plausible(python, view) &&
           walk_python_known_type(python, WALK_WORD(python, view, object, ob_type), class);
}

/* Bytes of an object, or more, that tell what a leaf is. */
enum { ROOM = 64 };

size_t walk_source_admit_leaves(void *context, unsigned number, const struct walk_nodes *nodes)
{
    const struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    struct walk_python *python = &worker->fork.python;
    size_t at = 0;
    for (uint32_t class; at < nodes->count; at++) {
        walk_addr key = walk_nodes_key(nodes, at);
        walk_source_fetch(worker, nodes, at);
        walk_window_follow(&worker->window, &worker->fork.image, key);
        const uint8_t *view = walk_memory_view(python->memory, key, ROOM);
        if (!has_known_type(python, view, key, &class) || !walk_source_count_leaf(worker, view, ROOM, class))
            break;
        nodes->class[at] = class;
        nodes->flags[at] = object_flags(false);
        nodes->edges[at] = 0;
    }
    return at;
}

enum walk_answer walk_source_admit(void *context, unsigned number, walk_addr key, uint32_t *class, uint8_t *flags)
{
    struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    struct walk_python *python = &worker->fork.python;
    walk_window_follow(&worker->window, &worker->fork.image, key);
    *flags = object_flags(false);
    const uint8_t *view = walk_memory_view(python->memory, key, ROOM);
    bool known = has_known_type(python, view, key, class);
    if (known && walk_source_count_leaf(worker, view, ROOM, *class))
        return WALK_LEAF;
    python->missed = false;
    if (!known && !walk_python_type_of(python, key, class)) {
        if (!python->missed)
            return WALK_NO;
        note_unknown(worker, walk_python_ob_type(python, key));
        return WALK_LATER;
    }
    bool tracked = is_on_hidden_list(python, key, *class);
    *flags = object_flags(tracked);
    worker->collecting |= tracked;
    return is_sample(worker, key, *class) ? WALK_WAIT : WALK_YES;
}
