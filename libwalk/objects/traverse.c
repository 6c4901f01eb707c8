/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/traverse.h"

#include <stdlib.h>

#include "machine/machine.h"
#include "objects/header.h"

/*
 * Instructions. A traversal takes a dozen per referent; one that has a container of its own may take more than its
 * ob_size tells, and gets it from the pool, which ends what a damaged heap would have run for hours.
 */
enum { BUDGET = 100000, BUDGET_PER_ITEM = 200, ITEMS_MAX = 1 << 12, BUDGET_PER_WORD = 16 };
/* Seconds of all calls together, and half a second of one: between calls the user may interrupt. */
#define POOL_MAX (UINT64_C(1) << 32)
#define CALL_MAX (UINT64_C(1) << 28)
enum { REFERENTS_MAX = 1 << 26 };
/* The objects of each type that prove the tables; those that end in no time, one after the other, before it is given
 * up. */
enum { PROOFS = 4, VAIN = 16 };
/* A reference of `refs` that was visited. Only within this file. */
#define VISITED 0x80000000u
/* Not among what tp_traverse visits. */
#define NOT_SEEN (WALK_EDGE_EXTRA | WALK_EDGE_WEAK | WALK_REF_IF_KNOWN)

struct walk_traverser {
    struct walk_machine *machine; /* NULL: not opened yet, or it cannot be */
    char *problem;
    uint64_t pool; /* of instructions beyond the budget, and of those in vain */
    bool (*go_on)(void *context);
    void *context;
    /* Of a frozen python: the last function that took more than its budget, and how often in a row. */
    walk_addr slow;
    unsigned slow_count;
    /* For one object: the refs by target; of the first of each target, how many have been taken. */
    uint32_t *order, *taken;
    size_t capacity;
};

struct walk_error *walk_traverser_open(struct walk_python *python)
{
    struct walk_traverser *traverser = calloc(1, sizeof *traverser);
    if (!traverser)
        return walk_error_no_memory();
    uint64_t words = walk_memory_size(python->memory) / python->word;
    traverser->pool = words < POOL_MAX / BUDGET_PER_WORD ? words * BUDGET_PER_WORD : POOL_MAX;
    if (python->runtime->image->guess)
        traverser->problem = strdup("it was asked not to");
    python->traverser = traverser;
    return NULL;
}

void walk_traverser_close(struct walk_traverser *traverser)
{
    if (!traverser)
        return;
    walk_machine_close(traverser->machine);
    free(traverser->problem);
    free(traverser->order);
    free(traverser->taken);
    free(traverser);
}

void walk_traverser_watch(struct walk_traverser *traverser, bool (*go_on)(void *context), void *context)
{
    traverser->go_on = go_on;
    traverser->context = context;
}

const char *walk_traverser_problem(const struct walk_traverser *traverser) { return traverser->problem; }

static bool can_run(struct walk_python *python)
{
    struct walk_traverser *traverser = python->traverser;
    if (!traverser)
        return false;
    if (traverser->machine || traverser->problem)
        return traverser->machine != NULL;
    struct walk_error *error = walk_machine_open(python->runtime->image, &traverser->machine);
    if (error)
        traverser->problem = strdup(walk_error_message(error));
    walk_error_free(error);
    return traverser->machine != NULL;
}

void walk_traverser_prepare(struct walk_python *python) { (void)can_run(python); }

/*
 * Variables of the thread (3.12+: its thread state) are those of the thread that crashed, which a core has first, if it
 * is one of Python's; else of Python's first one: on x86-64 the thread register is pthread_self().
 */
static walk_addr thread_pointer(const struct walk_python *python)
{
    const struct walk_image *image = python->runtime->image;
    walk_addr crashed = image->lwp_count ? image->lwps[0].thread_pointer : 0;
    for (size_t i = 0; crashed && i < python->thread_count; i++)
        if (python->threads[i].ident == crashed)
            return crashed;
    return python->thread_count ? python->threads[python->thread_count - 1].ident : 0;
}

static void pay(struct walk_traverser *traverser, uint64_t instructions)
{
    traverser->pool -= instructions < traverser->pool ? instructions : traverser->pool;
}

/* What takes more than its budget is for the one whose pool it is. */
static void note_slow(struct walk_python *python, walk_addr function)
{
    struct walk_traverser *traverser = python->traverser;
    traverser->slow_count = traverser->slow == function ? traverser->slow_count + 1 : 1;
    traverser->slow = function;
    python->missed = true;
}

/* It is not even tried what would have been in vain again and again. */
static bool is_slow(struct walk_python *python, walk_addr function)
{
    const struct walk_traverser *traverser = python->traverser;
    bool slow = python->frozen && traverser->slow == function && traverser->slow_count >= VAIN;
    python->missed |= slow;
    return slow;
}

static void run(struct walk_python *python, walk_addr function, walk_addr object, uint64_t items,
                struct walk_outcome *outcome)
{
    struct walk_traverser *traverser = python->traverser;
    struct walk_call call = {.function = function,
                             .argument = {object, WALK_MACHINE_VISIT},
                             .thread_pointer = thread_pointer(python),
                             .budget = BUDGET + BUDGET_PER_ITEM * (items < ITEMS_MAX ? items : ITEMS_MAX),
                             .most_referents = REFERENTS_MAX,
                             .go_on = traverser->go_on,
                             .context = traverser->context};
    walk_machine_call(traverser->machine, &call, outcome);
    if (outcome->fault != WALK_FAULT_BUDGET)
        return;
    if (python->frozen) {
        note_slow(python, function);
        return;
    }
    pay(traverser, outcome->instructions);
    if (traverser->pool <= call.budget)
        return;
    call.budget = traverser->pool < CALL_MAX ? traverser->pool : CALL_MAX;
    walk_machine_call(traverser->machine, &call, outcome);
    pay(traverser, outcome->instructions);
}

/* One that never ends is not waited for with every object of the type. */
static bool is_in_vain(const struct walk_pytype *type, struct walk_outcome *outcome)
{
    *outcome = (struct walk_outcome){.fault = WALK_FAULT_BUDGET, .pc = type->traverse};
    return type->vain >= VAIN;
}

static void count_vain(struct walk_python *python, const struct walk_pytype *type, bool vain)
{
    if (vain || type->vain)
        python->types[walk_python_index(python, type)].vain = vain ? (uint8_t)(type->vain + 1) : 0;
}

static bool traverse(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_outcome *outcome)
{
    if (!type->traverse || !can_run(python))
        return false;
    if (is_in_vain(type, outcome) || is_slow(python, type->traverse))
        return true;
    run(python, type->traverse, object, type->itemsize ? WALK_MEMBER(python, object, var_object, ob_size) : 0, outcome);
    if (!python->frozen)
        count_vain(python, type, outcome->fault == WALK_FAULT_BUDGET);
    return true;
}

bool walk_traverse_is_gc(struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    struct walk_outcome outcome;
    if (!can_run(python))
        return true;
    run(python, type->is_gc, object, 0, &outcome);
    return outcome.fault || (int32_t)outcome.result;
}

/* ---- which reference of the tables is which of the visited ---- */

/* By target; those that are seen before the extra ones; else as they are. */
static int compare(const void *a, const void *b, void *context)
{
    const struct walk_ref *refs = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (refs[i].target != refs[j].target)
        return refs[i].target < refs[j].target ? -1 : 1;
    unsigned x = (refs[i].flags & NOT_SEEN) != 0, y = (refs[j].flags & NOT_SEEN) != 0;
    return x != y ? (int)x - (int)y : (i > j) - (i < j);
}

static bool reserve(struct walk_traverser *traverser, size_t count)
{
    if (count <= traverser->capacity)
        return true;
    size_t capacity = count < 256 ? 256 : count * 2;
    uint32_t *order = realloc(traverser->order, capacity * sizeof *order);
    if (order)
        traverser->order = order;
    uint32_t *taken = realloc(traverser->taken, capacity * sizeof *taken);
    if (taken)
        traverser->taken = taken;
    if (order && taken)
        traverser->capacity = capacity;
    return order && taken;
}

static bool sort(struct walk_traverser *traverser, struct walk_ref *refs, size_t count)
{
    if (!reserve(traverser, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        traverser->order[i] = (uint32_t)i;
        traverser->taken[i] = 0;
    }
    if (count)
        qsort_r(traverser->order, count, sizeof *traverser->order, compare, refs);
    return true;
}

/* The next reference to `target` that is not taken yet; NULL: none. */
static struct walk_ref *take(const struct walk_traverser *traverser, struct walk_ref *refs, size_t count,
                             walk_addr target)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (refs[traverser->order[middle]].target < target)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count)
        return NULL;
    size_t next = low + traverser->taken[low];
    if (next >= count || refs[traverser->order[next]].target != target)
        return NULL;
    traverser->taken[low]++;
    return &refs[traverser->order[next]];
}

/* ---- names of what no table knows ---- */

/* Names a visited reference by the word of the object that it is; `*at` goes on from the one before. */
static void add_by_word(struct walk_python *python, const struct walk_pytype *type, const uint8_t *view, size_t size,
                        walk_addr target, uint64_t *at, struct walk_refs *refs)
{
    unsigned word = python->word;
    if (target == type->address) {
        walk_refs_add_text(refs, target, VISITED, "__class__");
        return;
    }
    for (uint64_t tried = 0; view && tried + word <= size; tried += word, *at += word) {
        if (*at + word > size)
            *at = 0;
        if (walk_load_word(word, view + *at) != target)
            continue;
        if ((int64_t)*at == type->dictoffset)
            walk_refs_add_text(refs, target, VISITED, "__dict__");
        else
            walk_refs_add(refs, target, VISITED, WALK_LABEL_WORD, WALK_WORD_OF(walk_python_index(python, type), *at));
        *at += word;
        return;
    }
    walk_refs_add_text(refs, target, VISITED, "visited");
}

/* ---- the answer ---- */

/*
 * Some modules visit what is free already: _asyncio up to 3.12.1 its list of futures' iterators to be used again, whose
 * counts are 0.
 */
static bool is_freed(struct walk_python *python, walk_addr object)
{
    uint32_t type;
    return !walk_python_type_of(python, object, &type) && walk_header_refcount(python, object) == 0 &&
           walk_python_type(python, walk_python_ob_type(python, object), &type);
}

/* What of the tables is visited, or held all the same, stays in its order. */
static void drop_unvisited(struct walk_refs *refs, size_t first)
{
    size_t kept = first;
    for (size_t i = first; i < refs->count; i++) {
        struct walk_ref ref = refs->ref[i];
        if (ref.flags & VISITED)
            ref.flags &= ~(VISITED | NOT_SEEN);
        else if (ref.flags & WALK_REF_HELD)
            ref.flags |= WALK_EDGE_EXTRA;
        else if (!(ref.flags & NOT_SEEN))
            continue;
        refs->ref[kept++] = ref;
    }
    refs->count = kept;
}

static bool settle(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                   const struct walk_outcome *outcome, struct walk_refs *refs, size_t first)
{
    size_t known = refs->count - first;
    size_t size = refs->unnamed ? 0 : walk_memory_available(python->memory, object, (size_t)type->basicsize);
    const uint8_t *view = walk_memory_view(python->memory, object, size);
    uint64_t at = WALK_SIZE(python->layout, object);
    if (!sort(python->traverser, refs->ref + first, known)) {
        refs->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < outcome->referent_count; i++) {
        walk_addr target = outcome->referents[i];
        struct walk_ref *ref = take(python->traverser, refs->ref + first, known, target);
        if (ref)
            ref->flags |= VISITED;
        else if (type->kind == WALK_KIND_module && is_freed(python, target))
            continue;
        else if (refs->unnamed)
            walk_refs_add_text(refs, target, VISITED, "visited");
        else
            add_by_word(python, type, view, size, target, &at, refs);
    }
    drop_unvisited(refs, first);
    refs->run = true;
    return true;
}

static void note_fault(struct walk_refs *refs, const struct walk_outcome *outcome)
{
    refs->fault = (struct walk_traverse_fault){outcome->fault, outcome->pc, outcome->address, outcome->instructions};
    refs->interrupted |= outcome->fault == WALK_FAULT_INTERRUPTED;
}

bool walk_traverse_object(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs, size_t first)
{
    struct walk_outcome outcome;
    if (!traverse(python, type, object, &outcome))
        return false;
    if (outcome.fault)
        note_fault(refs, &outcome);
    return !outcome.fault && settle(python, type, object, &outcome, refs, first);
}

/* Whether the two are the same multiset. */
static bool agrees(struct walk_traverser *traverser, struct walk_refs *refs, size_t first,
                   const struct walk_outcome *outcome)
{
    size_t known = refs->count - first, seen = 0;
    for (size_t i = first; i < refs->count; i++)
        seen += !(refs->ref[i].flags & NOT_SEEN);
    if (seen != outcome->referent_count)
        return false;
    for (size_t i = 0; i < outcome->referent_count; i++) {
        const struct walk_ref *ref = take(traverser, refs->ref + first, known, outcome->referents[i]);
        if (!ref || (ref->flags & NOT_SEEN))
            return false;
    }
    return true;
}

static bool dispute(struct walk_python *python, uint32_t type, walk_addr object)
{
    struct walk_dispute *grown = realloc(python->disputes, (python->dispute_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    python->disputes = grown;
    grown[python->dispute_count++] = (struct walk_dispute){type, object};
    struct walk_pytype *known = &python->types[type];
    known->disputed = true;
    if (known->own_base == known->address)
        python->kinds.kind[known->kind].disputed = true;
    return true;
}

bool walk_traverse_wants_proof(const struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    return type->proofs < PROOFS && type->kind != WALK_KIND_module && walk_python_has_table(python, type) &&
           walk_python_is_gc(python, type, object);
}

void walk_traverse_prove(struct walk_python *python, uint32_t index, walk_addr object, struct walk_refs *refs,
                         size_t first)
{
    struct walk_outcome outcome;
    if (python->types[index].proofs >= PROOFS)
        return;
    if (python->frozen) {
        python->missed = true;
        return;
    }
    const struct walk_pytype type = python->types[index];
    python->types[index].proofs++;
    if (refs->unreadable || !traverse(python, &type, object, &outcome))
        return;
    refs->interrupted |= outcome.fault == WALK_FAULT_INTERRUPTED;
    if (outcome.fault)
        return;
    if (!sort(python->traverser, refs->ref + first, refs->count - first)) {
        refs->no_memory = true;
        return;
    }
    if (!agrees(python->traverser, refs, first, &outcome) &&
        !(dispute(python, index, object) && settle(python, &type, object, &outcome, refs, first)))
        refs->no_memory = true;
}
