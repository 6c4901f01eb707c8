/* SPDX-License-Identifier: Apache-2.0 */
/* What an object refers to, and its size, as the graph and the statistics of types have it. */
#include <stdlib.h>
#include <string.h>

#include "answers/source.h"
#include "objects/size.h"

_Static_assert(WALK_PLAN_MARK == WALK_EMIT_MARK, "what a plan tells is emitted as it is");

static void count_guess(struct walk_type_stats *type, walk_addr key, const struct walk_refs *refs)
{
    if (!type->guessed++ || key < type->fault_at) {
        type->fault = refs->fault;
        type->fault_at = key;
    }
}

static void count_object(struct walk_source_worker *worker, walk_addr key, uint32_t class, uint8_t flags, uint64_t size)
{
    struct walk_type_stats *type = &worker->types[class];
    walk_source_count(worker, class, flags, 1, size);
    worker->run_objects += worker->refs.run;
    if (worker->refs.guessed)
        count_guess(type, key, &worker->refs);
}

static void emit(struct walk_source_worker *worker, struct walk_emitter *emitter, uint8_t *flags)
{
    struct walk_refs *refs = &worker->refs;
    for (size_t i = 0; i < refs->count; i++) {
        const struct walk_ref *ref = &refs->ref[i];
        bool extra = (ref->flags & WALK_EDGE_EXTRA) != 0;
        if (ref->flags & WALK_EDGE_WEAK)
            continue;
        if (ref->flags & WALK_REF_IF_KNOWN) {
            walk_emit_edge_if_known(emitter, ref->target, extra);
            continue;
        }
        walk_emit_edge(emitter, ref->target, extra);
        worker->guessed_edges += (ref->flags & WALK_EDGE_GUESS) != 0;
    }
    if (refs->unreadable)
        *flags |= WALK_NODE_UNREADABLE;
}

/* The size of an object but for what is left for later. */
static uint64_t near_size(struct walk_python *python, walk_addr key, uint32_t class, const struct walk_plan_far *far)
{
    struct walk_size_keys keys;
    return far->at && walk_plan_far_sizes(far->note) ? walk_size_but_keys(python, key, &python->types[class], &keys)
                                                     : walk_object_size(python, key, class);
}

/* How many words of arrays planned visits may still look at. */
static inline uint64_t words_left(const struct walk_source_worker *worker)
{
    return worker->refs.limited ? worker->refs.words : UINT64_MAX;
}

/* `left`: what words_left() is from now on. */
static inline void leave_words(struct walk_source_worker *worker, uint64_t left)
{
    if (worker->refs.limited)
        worker->refs.words = left;
}

/* Targets go where edges are kept, if there is room. */
static inline void plan_visit(struct walk_planned *visit, const struct walk_source_worker *worker,
                              const struct walk_emitter *emitter)
{
    uint64_t *room = walk_emit_room(emitter, WALK_PLANNED_EDGES);
    visit->start = room ? room : worker->edges;
    visit->end = visit->start + WALK_PLANNED_EDGES;
    visit->words = words_left(worker);
    visit->whole = false;
}

/* Something is far. */
static void emit_with_far(struct walk_source_worker *worker, struct walk_emitter *emitter,
                          const struct walk_planned *visit)
{
    const struct walk_plan_far *far = &visit->far;
    size_t behind = (size_t)(visit->to - visit->start) - far->targets;
    if (behind) /* the mark of what is far is written there */
        memcpy(worker->behind, visit->start + far->targets, behind * sizeof *worker->behind);
    walk_emit_edges(emitter, visit->start, far->targets, visit->bits);
    walk_emit_far(emitter, far->at, far->note);
    if (behind)
        walk_emit_edges(emitter, worker->behind, behind, visit->bits);
}

static inline void emit_planned(struct walk_source_worker *worker, struct walk_emitter *emitter,
                                const struct walk_planned *visit)
{
    leave_words(worker, visit->words);
    if (visit->far.at)
        emit_with_far(worker, emitter, visit);
    else
        walk_emit_edges(emitter, visit->start, (size_t)(visit->to - visit->start), visit->bits);
}

/* False: there is no plan, or it is not as planned; nothing has been done. */
static bool visit_as_planned(struct walk_source_worker *worker, walk_addr key, uint32_t class, uint8_t flags,
                             struct walk_emitter *emitter)
{
    struct walk_python *python = &worker->fork.python;
    struct walk_plan *plan = &worker->plans[class];
    struct walk_planned visit;
    uint64_t size;
    if (plan->state == WALK_PLAN_UNMADE && !walk_plan_make(plan, python, &python->types[class]))
        return false;
    if (plan->state == WALK_PLAN_NONE)
        return false;
    if (plan->leaf && walk_own_size(&plan->own, python, key, &size)) {
        walk_source_count(worker, class, flags, 1, size);
        return true;
    }
    plan_visit(&visit, worker, emitter);
    bool good = walk_plan_visit(plan, python, &python->types[class], key, &visit);
    if (good && visit.far.at && !walk_emit_takes_far(emitter, visit.far.at)) {
        plan_visit(&visit, worker, emitter);
        visit.whole = true;
        good = walk_plan_visit(plan, python, &python->types[class], key, &visit);
    }
    python->missed = false;
    if (good && !plan->sized)
        visit.size = near_size(python, key, class, &visit.far);
    if (!good || python->missed) /* of what the size needs a type is new */
        return false;
    walk_source_count(worker, class, flags, 1, visit.size);
    emit_planned(worker, emitter, &visit);
    return true;
}

/* ---- many objects, one after the other ---- */

/* Fetches the array of an object that comes soon. */
WALK_PREFETCHER void fetch_array(const struct walk_source_worker *worker, const struct walk_nodes *nodes, size_t at)
{
    enum { AHEAD = 8 };
    const struct walk_python *python = &worker->fork.python;
    if (at + AHEAD >= nodes->count || nodes->class[at + AHEAD] == WALK_NO_CLASS)
        return;
    const struct walk_plan *plan = &worker->plans[nodes->class[at + AHEAD]];
    walk_addr array = walk_plan_array_at(plan, python, walk_nodes_key(nodes, at + AHEAD));
    if (array)
        walk_source_fetch_at(worker, array);
}

/*
 * Visits an object if it goes as planned, which tells its size too, with nothing that is far or odd: then its targets
 * stand from visit->start to visit->to.
 */
WALK_INLINED bool visit_simple(const struct walk_source_worker *worker, walk_addr key, uint32_t class,
                               struct walk_planned *visit)
{
    const struct walk_python *python = &worker->fork.python;
    const struct walk_plan *plan = class == WALK_NO_CLASS ? NULL : &worker->plans[class];
    return plan && plan->state == WALK_PLAN_MADE && plan->sized && !plan->leaf &&
           walk_plan_visit(plan, python, &python->types[class], key, visit) && !visit->far.at &&
           !(visit->bits & (python->word - 1)) && !(visit->bits >> WALK_KEY_BITS);
}

size_t walk_source_visit_some(void *context, unsigned number, const struct walk_nodes *nodes,
                              struct walk_emitter *emitter)
{
    const struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    uint64_t *room = walk_emit_room(emitter, (size_t)2 * WALK_PLANNED_EDGES), *to = room;
    struct walk_planned visit = {.words = words_left(worker)};
    size_t at = 0;
    for (; room && at < nodes->count && to < room + WALK_PLANNED_EDGES; at++) {
        uint32_t class = nodes->class[at];
        uint64_t words = visit.words;
        walk_source_fetch(worker, nodes, at);
        fetch_array(worker, nodes, at);
        visit.start = to;
        visit.end = to + WALK_PLANNED_EDGES;
        if ((nodes->flags[at] & WALK_NODE_KIND) != WALK_OBJECT ||
            !visit_simple(worker, walk_nodes_key(nodes, at), class, &visit)) {
            visit.words = words;
            break;
        }
        nodes->edges[at] = (uint32_t)(visit.to - to);
        to = visit.to;
        walk_source_count(worker, class, nodes->flags[at], 1, visit.size);
    }
    leave_words(worker, visit.words);
    if (to != room)
        walk_emit_edges(emitter, room, (size_t)(to - room), 0);
    return at;
}

/* ---- one of them ---- */

/* As walk_visit_object() has it. */
static struct walk_error *visit_as_it_is(struct walk_source_worker *worker, struct walk_python *python, walk_addr key,
                                         uint32_t class, uint8_t *flags, struct walk_emitter *emitter,
                                         enum walk_answer *answer)
{
    struct walk_refs *refs = &worker->refs;
    enum walk_node_kind kind = *flags & WALK_NODE_KIND;
    uint64_t size = 0;
    refs->count = 0;
    refs->unreadable = refs->guessed = refs->run = false;
    refs->fault = (struct walk_traverse_fault){0};
    python->missed = false;
    walk_heap_visit_key(python, key, class, kind, refs);
    if (kind == WALK_OBJECT)
        size = walk_object_size(python, key, class);
    if (refs->no_memory)
        return walk_error_no_memory();
    if (refs->interrupted)
        return walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    if (python->missed) {
        *answer = WALK_LATER;
        return NULL;
    }
    if (kind == WALK_OBJECT)
        count_object(worker, key, class, *flags, size);
    else
        worker->special[kind]++;
    emit(worker, emitter, flags);
    return NULL;
}

struct walk_error *walk_source_visit(void *context, unsigned number, walk_addr key, uint32_t class, uint8_t *flags,
                                     struct walk_emitter *emitter, enum walk_answer *answer)
{
    struct walk_heap_source *source = context;
    if (number == WALK_ALONE) {
        struct walk_error *error =
            visit_as_it_is(source->worker[0], source->heap->python, key, class, flags, emitter, answer);
        return error ? error : walk_source_renew(source);
    }
    struct walk_source_worker *worker = source->worker[number];
    walk_window_follow(&worker->window, &worker->fork.image, key);
    if ((*flags & WALK_NODE_KIND) == WALK_OBJECT && visit_as_planned(worker, key, class, *flags, emitter))
        return NULL;
    return visit_as_it_is(worker, &worker->fork.python, key, class, flags, emitter, answer);
}

/* An array that is not as planned: the object is not as planned either, and is counted once more. */
static struct walk_error *visit_far_as_it_is(struct walk_source_worker *worker, const struct walk_far_part *part,
                                             uint8_t *flags, struct walk_emitter *emitter)
{
    enum walk_answer answer = WALK_YES;
    struct walk_python *python = &worker->fork.python;
    const struct walk_plan_far far = {.at = part->at, .note = part->note};
    walk_source_count(worker, part->class, *flags, (size_t)-1, 0 - near_size(python, part->key, part->class, &far));
    struct walk_error *error = visit_as_it_is(worker, python, part->key, part->class, flags, emitter, &answer);
    if (answer == WALK_LATER) /* it has a plan: there is nothing that it would have to wait for */
        *flags |= WALK_NODE_UNREADABLE;
    return error;
}

struct walk_error *walk_source_visit_far(void *context, unsigned number, const struct walk_far_part *part,
                                         uint8_t *flags, struct walk_emitter *emitter, bool *whole)
{
    const struct walk_heap_source *source = context;
    struct walk_source_worker *worker = source->worker[number];
    struct walk_planned visit;
    plan_visit(&visit, worker, emitter);
    walk_window_follow(&worker->window, &worker->fork.image, part->at);
    *whole = !walk_plan_visit_far(&worker->fork.python, part->at, part->note, &visit);
    if (*whole)
        return visit_far_as_it_is(worker, part, flags, emitter);
    walk_source_count(worker, part->class, *flags, 0, visit.size);
    emit_planned(worker, emitter, &visit);
    return NULL;
}
