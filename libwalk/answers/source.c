/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the graph is made from: what the collector tracks, the interpreters, threads and frames are the start; objects
 * are asked what they refer to by several workers, each with a fork of the python. What changes what all of them know
 * (a type that is new, the proof of a table) is done between, by one.
 */
#include <stdlib.h>
#include <string.h>

#include "answers/heap.h"
#include "bytes/window.h"
#include "bytes/workers.h"
#include "objects/fork.h"
#include "objects/header.h"
#include "objects/plan.h"
#include "objects/size.h"
#include "objects/tracked.h"
#include "objects/traverse.h"

/* What a planned visit has room for; larger objects are visited otherwise. */
enum { PLANNED_EDGES = 1 << 12 };
_Static_assert(WALK_PLAN_MARK == WALK_EMIT_MARK, "what a plan tells is emitted as it is");

/* Objects of each type that are visited first, for the proofs of its tables (traverse.c). */
enum { SAMPLES = 4 };

struct samples {
    walk_addr object[SAMPLES]; /* the lowest ones, sorted */
    unsigned count;
};

struct worker {
    _Alignas(WALK_APART) struct walk_fork fork;
    struct walk_refs refs;
    struct walk_type_stats *types; /* of nodes by class, and one each for frames, threads, interpreters */
    struct samples *samples;       /* by class */
    struct walk_plan *plans;       /* by class */
    uint32_t capacity;             /* of these */
    uint64_t *edges;               /* of the object that is visited as planned */
    size_t special[WALK_NODE_KIND + 1];
    size_t unreadable, guessed_edges, run_objects;
    bool collecting;
    bool sampled; /* since the last proofs */
    struct walk_window window;
    size_t *at;         /* in each run of tracked objects: the first one that was not asked */
    walk_addr *unknown; /* types that were met for the first time */
    size_t unknown_count, unknown_capacity;
    bool no_memory;
};

struct run {
    size_t first, end; /* in python.tracked */
};

struct source {
    struct walk_heap *heap;
    struct worker **worker; /* one by one on the heap: they are written to all the time */
    unsigned workers;
    uint32_t *class_type;            /* by class of the tracked objects; WALK_NO_TYPE: none */
    struct run *runs;                /* of the tracked objects: those of each are in order */
    size_t run_count;                /* the last one is of what is permanent */
    uint32_t type_count, slot_count; /* as the forks know them */
    size_t dispute_count;
};

/* ---- what nodes refer to ---- */

static const struct walk_pythread *thread_at(const struct walk_python *python, walk_addr address)
{
    for (size_t i = 0; i < python->thread_count; i++)
        if (python->threads[i].address == address)
            return &python->threads[i];
    return NULL;
}

void walk_heap_visit_key(struct walk_python *python, walk_addr key, uint32_t class, enum walk_node_kind kind,
                         struct walk_refs *refs)
{
    const struct walk_stack_frame *frame;
    switch (kind) {
    case WALK_OBJECT:
        walk_visit_object(python, key, class, refs);
        break;
    case WALK_FRAME:
        frame = walk_python_on_stack(python, key);
        if (frame)
            walk_visit_stack_frame(python, frame, refs);
        break;
    case WALK_THREAD:
        walk_visit_thread(python, thread_at(python, key), refs);
        break;
    case WALK_INTERPRETER:
        walk_visit_interpreter(python, key, refs);
        break;
    }
}

void walk_live_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    walk_heap_visit_key(heap->python, heap->graph.key[id], heap->graph.class[id], walk_node_kind(heap, id), refs);
}

void walk_heap_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    heap->facts->visit(heap, id, refs);
}

uint64_t walk_word_limit(const struct walk_python *python)
{
    return walk_memory_size(python->memory) / python->word * 4;
}

void walk_heap_limit(const struct walk_heap *heap, struct walk_refs *refs)
{
    refs->limited = heap->word_limit != 0;
    refs->exhausted = false;
    refs->words = heap->word_limit;
}

/* ---- what a key is ---- */

/*
 * While a collection runs some of the tracked objects are on lists whose heads are on the C stack: those that are found
 * otherwise are told by what is in front of them. Up to 3.7 that also tells that a collection runs.
 */
static bool is_on_hidden_list(const struct walk_python *python, walk_addr object, uint32_t type)
{
    return (python->collecting || WALK_HAS(python->layout, gc_head, refs)) &&
           walk_python_is_gc(python, &python->types[type], object) && walk_header_tracked(python, object);
}

static uint8_t object_flags(const struct walk_python *python, walk_addr object, uint32_t type, bool told,
                            bool permanent)
{
    bool tracked = told ? !permanent : is_on_hidden_list(python, object, type);
    return WALK_OBJECT | (tracked ? WALK_NODE_TRACKED : 0);
}

static bool likely(void *context, unsigned number, walk_addr key)
{
    const struct source *source = context;
    return walk_python_is_likely(&source->worker[number]->fork.python, key);
}

static void note_unknown(struct worker *worker, walk_addr type)
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

/* Keeps the lowest ones. */
static void note_sample(struct samples *samples, walk_addr object)
{
    unsigned at = samples->count;
    if (at == SAMPLES && samples->object[--at] <= object)
        return;
    for (; at > 0 && samples->object[at - 1] > object; at--)
        samples->object[at] = samples->object[at - 1];
    samples->object[at] = object;
    samples->count += samples->count < SAMPLES;
}

/* The objects of each interpreter, then what no interpreter has of its own, then what is permanent. */
static size_t count_runs(const struct walk_python *python) { return python->interpreter_count + 2; }

static struct run run_of(const struct walk_python *python, size_t number)
{
    size_t first = 0, permanent_from = python->tracked_count - python->permanent_count;
    if (number == python->interpreter_count + 1)
        return (struct run){permanent_from, python->tracked_count};
    for (size_t i = 0; i < number; i++)
        first += python->interpreters[i].tracked_count;
    if (number == python->interpreter_count)
        return (struct run){first, permanent_from};
    return (struct run){first, first + python->interpreters[number].tracked_count};
}

/* False: out of memory. */
static bool find_runs(struct source *source)
{
    const struct walk_python *python = source->heap->python;
    source->run_count = count_runs(python);
    source->runs = malloc(source->run_count * sizeof *source->runs);
    for (size_t i = 0; source->runs && i < source->run_count; i++)
        source->runs[i] = run_of(python, i);
    return source->runs != NULL;
}

/* The first of a run that is not below the key. */
static size_t find_in_run(const struct walk_python *python, struct run run, walk_addr key)
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
    for (size_t i = 0; i < count_runs(python) && !told; i++) {
        struct run run = run_of(python, i);
        size_t at = find_in_run(python, run, object->key);
        told = at < run.end && python->tracked[at] == object->key;
        permanent = i == count_runs(python) - 1;
    }
    if (told ? !walk_python_type(python, walk_python_ob_type(python, object->key), &object->class)
             : !walk_python_type_of(python, object->key, &object->class))
        return false;
    object->flags = object_flags(python, object->key, object->class, told, permanent);
    return true;
}

static void approach(void *context, unsigned number, walk_addr first, walk_addr last, size_t count)
{
    const struct source *source = context;
    struct worker *worker = source->worker[number];
    for (size_t i = 0; i < source->run_count; i++)
        worker->at[i] = find_in_run(source->heap->python, source->runs[i], first);
    walk_window_aim(&worker->window, &worker->fork.image, first, last, count);
}

/*
 * The type of an object that is told as tracked, as it was met when they were looked for, so that it is not read again.
 * They are asked in order.
 */
static bool tracked_type(const struct source *source, struct worker *worker, walk_addr key, uint32_t *class,
                         bool *permanent)
{
    const struct walk_python *python = source->heap->python;
    for (size_t i = 0; i < source->run_count; i++) {
        size_t at = worker->at[i];
        while (at < source->runs[i].end && python->tracked[at] < key)
            at++;
        worker->at[i] = at;
        if (at == source->runs[i].end || python->tracked[at] != key)
            continue;
        *permanent = i == source->run_count - 1;
        *class = source->class_type[python->tracked_class[at]];
        return *class != WALK_NO_TYPE;
    }
    return false;
}

static enum walk_answer admit(void *context, unsigned number, walk_addr key, bool told, uint32_t *class, uint8_t *flags)
{
    struct source *source = context;
    struct worker *worker = source->worker[number];
    struct walk_python *python = &worker->fork.python;
    bool permanent = false;
    python->missed = false;
    bool known = told && tracked_type(source, worker, key, class, &permanent);
    if (!known) {
        walk_window_follow(&worker->window, &worker->fork.image, key);
        known = told ? walk_python_type(python, walk_python_ob_type(python, key), class)
                     : walk_python_type_of(python, key, class);
    }
    if (python->missed) {
        note_unknown(worker, walk_python_ob_type(python, key));
        return WALK_LATER;
    }
    if (!known) {
        worker->unreadable += told;
        return WALK_NO;
    }
    *flags = object_flags(python, key, *class, told, permanent);
    worker->collecting |= !told && (*flags & WALK_NODE_TRACKED);
    if (!walk_traverse_wants_proof(python, &python->types[*class], key))
        return WALK_YES;
    note_sample(&worker->samples[*class], key);
    worker->sampled = true;
    return WALK_WAIT;
}

/* ---- between ---- */

static bool reserve_types(struct worker *worker, uint32_t count)
{
    if (count <= worker->capacity)
        return true;
    uint32_t capacity = count * 2;
    struct walk_type_stats *types = realloc(worker->types, capacity * sizeof *types);
    if (types)
        worker->types = types;
    struct samples *samples = realloc(worker->samples, capacity * sizeof *samples);
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
static void forget_plans(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->capacity; i++)
        walk_plan_deinit(&worker->plans[i]);
}

/* Lets the forks know what the python has learned. */
static struct walk_error *renew(struct source *source)
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
        forget_plans(source->worker[i]);
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
static struct walk_error *learn_types(struct source *source)
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
        struct worker *worker = source->worker[i];
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
static struct walk_error *prove_type(struct source *source, uint32_t type)
{
    struct samples all = {.count = 0};
    struct walk_refs *refs = &source->worker[0]->refs;
    for (unsigned i = 0; i < source->workers; i++) {
        struct samples *samples = &source->worker[i]->samples[type];
        for (unsigned s = 0; s < samples->count; s++)
            note_sample(&all, samples->object[s]);
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

static struct walk_error *settle(void *context, bool again)
{
    struct source *source = context;
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
    return error ? error : renew(source);
}

/* ---- visits ---- */

static void count_guess(struct walk_type_stats *type, walk_addr key, const struct walk_refs *refs)
{
    if (!type->guessed++ || key < type->fault_at) {
        type->fault = refs->fault;
        type->fault_at = key;
    }
}

/* `objects` of them more; numbers that are taken back from another worker's wrap around until all are added up. */
static void count_size(struct worker *worker, uint32_t class, uint8_t flags, size_t objects, uint64_t size)
{
    struct walk_type_stats *type = &worker->types[class];
    type->objects += objects;
    type->size += size;
    if (flags & WALK_NODE_TRACKED) {
        type->tracked += objects;
        type->tracked_size += size;
    }
}

static void count_object(struct worker *worker, walk_addr key, uint32_t class, uint8_t flags, uint64_t size)
{
    struct walk_type_stats *type = &worker->types[class];
    count_size(worker, class, flags, 1, size);
    worker->run_objects += worker->refs.run;
    if (worker->refs.guessed)
        count_guess(type, key, &worker->refs);
}

static void emit(struct worker *worker, struct walk_emitter *emitter, uint8_t *flags)
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

/* False: there is no plan, or it is not as planned; nothing has been done. */
static bool visit_as_planned(struct worker *worker, walk_addr key, uint32_t class, uint8_t flags,
                             struct walk_emitter *emitter)
{
    struct walk_python *python = &worker->fork.python;
    struct walk_plan *plan = &worker->plans[class];
    struct walk_refs *refs = &worker->refs;
    struct walk_plan_far far;
    uint64_t words = refs->limited ? refs->words : UINT64_MAX, size;
    if (plan->state == WALK_PLAN_UNMADE && !walk_plan_make(plan, python, &python->types[class]))
        return false;
    if (plan->state == WALK_PLAN_NONE)
        return false;
    if (plan->nothing) {
        refs->guessed = refs->run = false;
        count_object(worker, key, class, flags, plan->size);
        return true;
    }
    size_t count =
        walk_plan_visit(plan, python, &python->types[class], key, worker->edges, PLANNED_EDGES, &words, &size, &far);
    if (count != WALK_PLAN_FAILED && far.at && !walk_emit_takes_far(emitter, far.at)) {
        far.at = 0;
        count = walk_plan_visit(plan, python, &python->types[class], key, worker->edges, PLANNED_EDGES, &words, &size,
                                NULL);
    }
    if (count == WALK_PLAN_FAILED)
        return false;
    python->missed = false;
    if (!plan->sized)
        size = near_size(python, key, class, &far);
    if (python->missed) /* of what the size needs a type is new */
        return false;
    refs->words = refs->limited ? words : refs->words;
    refs->guessed = refs->run = false;
    count_object(worker, key, class, flags, size);
    size_t before = far.at ? far.targets : count;
    walk_emit_edges(emitter, worker->edges, before);
    if (far.at)
        walk_emit_far(emitter, far.at, far.note);
    walk_emit_edges(emitter, worker->edges + before, count - before);
    return true;
}

/* As walk_visit_object() has it. */
static struct walk_error *visit_as_it_is(struct worker *worker, struct walk_python *python, walk_addr key,
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

static struct walk_error *visit(void *context, unsigned number, walk_addr key, uint32_t class, uint8_t *flags,
                                struct walk_emitter *emitter, enum walk_answer *answer)
{
    struct source *source = context;
    if (number == WALK_ALONE) {
        struct walk_error *error =
            visit_as_it_is(source->worker[0], source->heap->python, key, class, flags, emitter, answer);
        return error ? error : renew(source);
    }
    struct worker *worker = source->worker[number];
    walk_window_follow(&worker->window, &worker->fork.image, key);
    if ((*flags & WALK_NODE_KIND) == WALK_OBJECT && visit_as_planned(worker, key, class, *flags, emitter))
        return NULL;
    return visit_as_it_is(worker, &worker->fork.python, key, class, flags, emitter, answer);
}

/* An array that is not as planned: the object is not as planned either, and is counted once more. */
static struct walk_error *visit_far_as_it_is(struct worker *worker, const struct walk_far_part *part, uint8_t *flags,
                                             struct walk_emitter *emitter)
{
    enum walk_answer answer = WALK_YES;
    struct walk_python *python = &worker->fork.python;
    const struct walk_plan_far far = {.at = part->at, .note = part->note};
    count_size(worker, part->class, *flags, (size_t)-1, 0 - near_size(python, part->key, part->class, &far));
    struct walk_error *error = visit_as_it_is(worker, python, part->key, part->class, flags, emitter, &answer);
    if (answer == WALK_LATER) /* it has a plan: there is nothing that it would have to wait for */
        *flags |= WALK_NODE_UNREADABLE;
    return error;
}

static struct walk_error *visit_far(void *context, unsigned number, const struct walk_far_part *part, uint8_t *flags,
                                    struct walk_emitter *emitter, bool *whole)
{
    const struct source *source = context;
    struct worker *worker = source->worker[number];
    struct walk_refs *refs = &worker->refs;
    uint64_t words = refs->limited ? refs->words : UINT64_MAX, size;
    walk_window_follow(&worker->window, &worker->fork.image, part->at);
    size_t count =
        walk_plan_visit_far(&worker->fork.python, part->at, part->note, worker->edges, PLANNED_EDGES, &words, &size);
    *whole = count == WALK_PLAN_FAILED;
    if (*whole)
        return visit_far_as_it_is(worker, part, flags, emitter);
    refs->words = refs->limited ? words : refs->words;
    count_size(worker, part->class, *flags, 0, size);
    walk_emit_edges(emitter, worker->edges, count);
    return NULL;
}

/* ---- the start ---- */

/* Those of all objects of the start. False: out of memory. */
static bool learn_classes(struct source *source)
{
    struct walk_python *python = source->heap->python;
    source->class_type = malloc(((size_t)python->classes.count + 1) * sizeof *source->class_type);
    for (uint32_t i = 0; source->class_type && i < python->classes.count; i++)
        if (!python->classes.class[i].count || !walk_python_class_type(python, i, &source->class_type[i]))
            source->class_type[i] = WALK_NO_TYPE;
    return source->class_type != NULL;
}

/*
 * Makes the types known that most objects are of which the collector does not track: those of what some tracked objects
 * refer to, from one end of the memory to the other. Others are learned when they are met.
 */
static struct walk_error *learn_common_types(struct source *source)
{
    enum { LOOKS = 1 << 5, WORDS = 1 << 6 /* of an array, or it is left out */ };
    struct walk_python *python = source->heap->python;
    struct walk_refs refs = {.unnamed = true, .limited = true};
    uint32_t type;
    for (size_t i = 0; i < LOOKS && python->tracked_count; i++) {
        size_t at = python->tracked_count * i / LOOKS;
        type = source->class_type[python->tracked_class[at]];
        refs.words = WORDS;
        if (type != WALK_NO_TYPE)
            walk_visit_by_tables(python, python->tracked[at], type, &refs);
    }
    for (size_t i = 0; i < refs.count; i++)
        (void)walk_python_type_of(python, refs.ref[i].target, &type);
    bool no_memory = refs.no_memory;
    walk_refs_deinit(&refs);
    return no_memory ? walk_error_no_memory() : renew(source);
}

static struct walk_error *add_tracked(struct source *source, struct walk_builder *builder)
{
    const struct walk_python *python = source->heap->python;
    size_t odd;
    struct walk_error *error = walk_builder_nodes(builder, python->tracked, python->tracked_count, &odd);
    source->heap->stats.unreadable += odd;
    return error;
}

/* Frames that are objects are found through their threads; those that are none must be known before the closure. */
struct walk_error *walk_heap_add_others(const struct walk_python *python, struct walk_builder *builder)
{
    struct walk_error *error = NULL;
    for (size_t i = 0; i < python->interpreter_count && !error; i++)
        error = walk_builder_node(builder, python->interpreters[i].address, 0, WALK_INTERPRETER);
    for (size_t i = 0; i < python->thread_count && !error; i++)
        error = walk_builder_node(builder, python->threads[i].address, 0, WALK_THREAD);
    for (size_t i = 0; i < python->stack_frame_count && !error; i++)
        if (!python->stack_frames[i].is_object)
            error = walk_builder_node(builder, python->stack_frames[i].node, 0, WALK_FRAME);
    return error;
}

static struct walk_error *open_builder(struct source *source, walk_progress *progress, void *context,
                                       struct walk_builder **builder)
{
    struct walk_source asked = {.context = source,
                                .workers = source->workers,
                                .granule = source->heap->python->word,
                                .flag_missing = WALK_NODE_UNREADABLE,
                                .likely = likely,
                                .approach = approach,
                                .admit = admit,
                                .settle = settle,
                                .visit = visit,
                                .visit_far = visit_far,
                                .progress = progress,
                                .progress_context = context};
    struct walk_error *error = learn_common_types(source);
    if (!error)
        error = walk_builder_open(&source->heap->graph, &asked, builder);
    if (error)
        return error;
    error = add_tracked(source, *builder);
    if (!error)
        error = walk_heap_add_others(source->heap->python, *builder);
    if (error)
        walk_builder_abort(*builder);
    return error;
}

/* ---- all of it ---- */

static void close_source(struct source *source)
{
    for (unsigned i = 0; source->worker && i < source->workers && source->worker[i]; i++) {
        struct worker *worker = source->worker[i];
        walk_fork_close(&worker->fork);
        walk_window_close(&worker->window);
        walk_refs_deinit(&worker->refs);
        free(worker->at);
        free(worker->types);
        free(worker->samples);
        forget_plans(worker);
        free(worker->plans);
        free(worker->edges);
        free(worker->unknown);
        free(worker);
    }
    free(source->worker);
    free(source->class_type);
    free(source->runs);
}

static struct walk_error *open_source(struct source *source, struct walk_heap *heap, unsigned workers)
{
    *source = (struct source){.heap = heap, .workers = workers, .worker = calloc(workers, sizeof *source->worker)};
    struct walk_error *error = source->worker ? NULL : walk_error_no_memory();
    walk_traverser_prepare(heap->python);
    if (!error && (!walk_tracked_list(heap->python) || !learn_classes(source) || !find_runs(source)))
        return walk_error_no_memory();
    for (unsigned i = 0; i < workers && !error; i++) {
        struct worker *worker = source->worker[i] = walk_workers_state(1, sizeof *worker);
        if (!worker)
            return walk_error_no_memory();
        worker->at = malloc(source->run_count * sizeof *worker->at);
        worker->edges = malloc(PLANNED_EDGES * sizeof *worker->edges);
        if (!worker->at || !worker->edges || !walk_window_open(&worker->window))
            return walk_error_no_memory();
        walk_heap_limit(heap, &worker->refs);
        worker->refs.unnamed = true;
        error = walk_fork_open(&worker->fork, heap->python);
    }
    return error ? error : renew(source);
}

/* Whether several workers together have looked at more words than one may. */
static bool is_exhausted(const struct source *source)
{
    uint64_t words = 0;
    bool exhausted = false;
    struct walk_refs all = {0};
    walk_heap_limit(source->heap, &all);
    for (unsigned i = 0; i < source->workers; i++) {
        words += all.words - source->worker[i]->refs.words;
        exhausted |= source->worker[i]->refs.exhausted;
    }
    return source->workers > 1 && (exhausted || words > all.words);
}

/* Adds up what the workers have counted. */
static struct walk_error *gather(const struct source *source)
{
    struct walk_heap *heap = source->heap;
    struct walk_heap_stats *stats = &heap->stats;
    heap->type_count = heap->python->type_count;
    heap->types = calloc((size_t)heap->type_count + 3, sizeof *heap->types);
    if (!heap->types)
        return walk_error_no_memory();
    for (unsigned i = 0; i < source->workers; i++) {
        const struct worker *worker = source->worker[i];
        stats->unreadable += worker->unreadable;
        stats->guessed_edges += worker->guessed_edges;
        stats->run_objects += worker->run_objects;
        stats->collecting |= worker->collecting;
        for (uint32_t t = 0; t < heap->type_count && t < worker->capacity; t++) {
            struct walk_type_stats *type = &heap->types[t];
            const struct walk_type_stats *more = &worker->types[t];
            if (more->guessed && (!type->guessed || more->fault_at < type->fault_at)) {
                type->fault = more->fault;
                type->fault_at = more->fault_at;
            }
            type->guessed += more->guessed;
            type->objects += more->objects;
            type->size += more->size;
            type->tracked += more->tracked;
            type->tracked_size += more->tracked_size;
        }
        for (unsigned kind = WALK_FRAME; kind < 3 + WALK_FRAME; kind++) {
            heap->types[heap->type_count + kind - WALK_FRAME].objects += worker->special[kind];
            stats->nodes += worker->special[kind];
        }
    }
    for (uint32_t t = 0; t < heap->type_count; t++) {
        stats->objects += heap->types[t].objects;
        stats->tracked += heap->types[t].tracked;
        stats->guessed_objects += heap->types[t].guessed;
        if (heap->python->types[t].naming == WALK_NAME_UNKNOWN)
            stats->unnamed_objects += heap->types[t].objects;
    }
    stats->nodes += stats->objects;
    return NULL;
}

/* With `sought`, only who refers to that is found out. */
static struct walk_error *build_with(struct walk_heap *heap, unsigned workers, walk_progress *progress, void *context,
                                     struct walk_sought *sought, bool *exhausted)
{
    struct source source;
    struct walk_builder *builder;
    struct walk_error *error = open_source(&source, heap, workers);
    if (!error)
        error = open_builder(&source, progress, context, &builder);
    if (!error)
        error = sought ? walk_builder_seek(builder, sought->node.key, sought) : walk_builder_finish(builder);
    *exhausted = !error && is_exhausted(&source);
    if (!error && !*exhausted)
        error = gather(&source);
    close_source(&source);
    return error;
}

static unsigned workers_of(const struct walk_heap *heap)
{
    struct walk_memory fork;
    return walk_memory_fork(heap->python->memory, &fork) ? heap->python->runtime->image->workers : 1;
}

struct walk_error *walk_heap_build_graph(struct walk_heap *heap, walk_progress *progress, void *context)
{
    bool exhausted;
    struct walk_error *error = build_with(heap, workers_of(heap), progress, context, NULL, &exhausted);
    if (error || !exhausted)
        return error;
    /* The heap is damaged. Whose turn it was when there was no more must not show: one does it all. */
    walk_graph_deinit(&heap->graph);
    heap->stats = (struct walk_heap_stats){0};
    return build_with(heap, 1, progress, context, NULL, &exhausted);
}

struct walk_error *walk_heap_seek(struct walk_heap *heap, walk_progress *progress, void *context,
                                  struct walk_sought *sought)
{
    bool exhausted;
    struct walk_error *error = build_with(heap, workers_of(heap), progress, context, sought, &exhausted);
    sought->certain &= !exhausted && !heap->stats.unreadable;
    return error;
}
