/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_SOURCE_H
#define WALK_ANSWERS_SOURCE_H

/*
 * What the graph of a heap is made from: a struct walk_source whose context is a struct walk_heap_source (source.c).
 * Objects are asked by several workers, each with a fork of the python: what they are (source_ask.c), then what they
 * refer to (source_visit.c). What changes what all of them know is learned between, by one (source_learn.c).
 */

#include "answers/heap.h"
#include "bytes/bits.h"
#include "bytes/window.h"
#include "bytes/workers.h"
#include "objects/fork.h"
#include "objects/plan.h"

/* What a planned visit has room for; larger objects are visited otherwise. */
enum { WALK_PLANNED_EDGES = 1 << 12 };

/* Objects of each type that are visited first, for the proofs of its tables (traverse.c). */
enum { WALK_LOWEST = 4 };

struct walk_lowest {
    walk_addr object[WALK_LOWEST]; /* the lowest ones, sorted */
    unsigned count;
};

struct walk_source_worker {
    _Alignas(WALK_APART) struct walk_fork fork;
    struct walk_refs refs;
    struct walk_type_stats *types; /* of nodes by class, and one each for frames, threads, interpreters */
    struct walk_lowest *samples;   /* by class */
    struct walk_plan *plans;       /* by class */
    uint32_t capacity;             /* of these */
    uint64_t *edges;               /* those of a planned visit, if there is no room where edges are kept */
    uint64_t *behind;              /* those behind what is far */
    size_t special[WALK_NODE_KIND + 1];
    size_t unreadable, guessed_edges, run_objects;
    bool collecting;
    bool sampled; /* since the last proofs */
    struct walk_window window;
    walk_addr *unknown; /* types that were met for the first time */
    size_t unknown_count, unknown_capacity;
    bool no_memory;
};

struct walk_heap_source {
    struct walk_heap *heap;
    struct walk_source_worker **worker; /* one by one on the heap: they are written to all the time */
    unsigned workers;
    bool mapped;          /* a core is looked at where it is mapped, not through the windows of the workers */
    uint32_t *class_type; /* by class of the tracked objects; WALK_NO_TYPE: none */
    uint32_t type_count, slot_count; /* as the forks know them */
    size_t dispute_count;
};

/* Keeps the lowest objects (source_ask.c). */
void walk_lowest_note(struct walk_lowest *samples, walk_addr object);

/*
 * The python's tracked objects are in several runs, each of which is in order: the objects of each interpreter, then
 * what no interpreter has of its own, then what is permanent.
 */
struct walk_run {
    size_t first, end; /* in python.tracked */
};
size_t walk_run_count(const struct walk_python *python);
struct walk_run walk_run_of(const struct walk_python *python, size_t number);

/* Lets the forks know what the python has learned (source_learn.c). */
struct walk_error *walk_source_renew(struct walk_heap_source *source);
/* Forgets how objects are visited as planned: the plans were made of what was known. */
void walk_source_forget_plans(struct walk_source_worker *worker);

/* `objects` of them more; numbers that are taken back from another worker's wrap around until all are added up. */
static inline void walk_source_count(struct walk_source_worker *worker, uint32_t class, uint8_t flags, size_t objects,
                                     uint64_t size)
{
    struct walk_type_stats *type = &worker->types[class];
    type->objects += objects;
    type->size += size;
    if (flags & WALK_NODE_TRACKED) {
        type->tracked += objects;
        type->tracked_size += size;
    }
}

/*
 * Counts an object that is not tracked, whose bytes are at `view`, `room` of them, if by its type's plan it refers to
 * nothing and one word tells its size.
 */
static inline bool walk_source_count_leaf(struct walk_source_worker *worker, const uint8_t *view, size_t room,
                                          uint32_t class)
{
    const struct walk_plan *plan = &worker->plans[class];
    uint64_t size;
    if (!plan->leaf || !walk_own_size_at(&plan->own, &worker->fork.python, view, room, &size))
        return false;
    walk_source_count(worker, class, WALK_OBJECT, 1, size);
    return true;
}

/* Fetches what stands at an address, which is two lines for most. */
WALK_PREFETCHER void walk_source_fetch_at(const struct walk_source_worker *worker, walk_addr address)
{
    enum { LINE = 64 };
    const uint8_t *view = walk_memory_view(worker->fork.python.memory, address, 1);
    if (!view)
        return;
    __builtin_prefetch(view);
    __builtin_prefetch(view + LINE);
}

/* Fetches the object that comes soon after that one. */
WALK_PREFETCHER void walk_source_fetch(const struct walk_source_worker *worker, const struct walk_nodes *nodes,
                                       size_t at)
{
    enum { AHEAD = 16 };
    if (at + AHEAD < nodes->count)
        walk_source_fetch_at(worker, walk_nodes_key(nodes, at + AHEAD));
}

/* Those of struct walk_source; the context is a struct walk_heap_source. */
bool walk_source_likely(void *context, unsigned number, walk_addr key);
bool walk_source_approach(void *context, unsigned number, walk_addr first, walk_addr last, size_t count);
size_t walk_source_visit_some(void *context, unsigned number, const struct walk_nodes *nodes,
                              struct walk_emitter *emitter);
void walk_source_tell(void *context, unsigned number, const walk_addr *keys, size_t count, uint32_t *class,
                      uint8_t *flags);
enum walk_answer walk_source_admit(void *context, unsigned number, walk_addr key, uint32_t *class, uint8_t *flags);
size_t walk_source_admit_leaves(void *context, unsigned number, const struct walk_nodes *nodes);
struct walk_error *walk_source_settle(void *context, bool again);
struct walk_error *walk_source_visit(void *context, unsigned number, walk_addr key, uint32_t class, uint8_t *flags,
                                     struct walk_emitter *emitter, enum walk_answer *answer);
struct walk_error *walk_source_visit_far(void *context, unsigned number, const struct walk_far_part *part,
                                         uint8_t *flags, struct walk_emitter *emitter, bool *whole);

#endif
