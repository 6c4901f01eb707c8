/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that objects hold and their tp_traverse leaves out, told by the counts of references: when the graph stands, a
 * word that is the address of an object is held if that object has a reference that nobody else accounts for. What is
 * not in the graph yet is counted too: objects that only such words lead to, and all that these refer to.
 */
#include <stdlib.h>

#include "answers/heap.h"
#include "objects/header.h"
#include "objects/omitted.h"

/* Counts from here on are those of immortal objects, which say nothing. */
#define IMMORTAL (INT64_C(1) << 28)
/* Words at the end of a variable-sized object that are looked at. */
enum { ITEMS_MAX = 1 << 12 };

/* An object that words lead to. */
struct counted {
    walk_addr address; /* 0: free */
    uint32_t type;
    int64_t referrers; /* beyond the edges of the graph */
};

struct candidate {
    struct walk_omitted_word word;
    walk_addr target;
};

struct search {
    struct walk_heap *heap;
    struct walk_refs refs;
    struct counted *slots; /* a hash table */
    size_t slot_count, used;
    walk_addr *hidden; /* objects that are not in the graph, in the order of their discovery */
    size_t hidden_count, hidden_capacity;
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    bool no_memory;
};

static bool grow(void *array, size_t *capacity, size_t count, size_t item)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? 2 * *capacity : 256;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, wanted * item);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

/* ---- what is counted ---- */

static struct counted *slot_of(const struct search *search, walk_addr address)
{
    size_t at = (size_t)((address >> 3) * 0x9e3779b97f4a7c15u >> 20) & (search->slot_count - 1);
    while (search->slots[at].address && search->slots[at].address != address)
        at = (at + 1) & (search->slot_count - 1);
    return &search->slots[at];
}

static bool reserve(struct search *search)
{
    if (2 * (search->used + 1) <= search->slot_count)
        return true;
    struct counted *old = search->slots;
    size_t old_count = search->slot_count;
    search->slot_count = old_count ? 2 * old_count : 1024;
    search->slots = calloc(search->slot_count, sizeof *search->slots);
    if (!search->slots) {
        search->slots = old;
        search->slot_count = old_count;
        return false;
    }
    for (size_t i = 0; i < old_count; i++)
        if (old[i].address)
            *slot_of(search, old[i].address) = old[i];
    free(old);
    return true;
}

/* The entry of an object, which is one to visit if the graph has it not; NULL: no object, or no memory. */
static struct counted *count_of(struct search *search, walk_addr address)
{
    uint32_t type;
    if (!reserve(search)) {
        search->no_memory = true;
        return NULL;
    }
    struct counted *found = slot_of(search, address);
    if (found->address)
        return found;
    if (!walk_python_guess_type_of(search->heap->python, address, &type))
        return NULL;
    *found = (struct counted){.address = address, .type = type};
    search->used++;
    if (walk_graph_find(&search->heap->graph, address) != WALK_NO_ID)
        return found;
    if (!grow(&search->hidden, &search->hidden_capacity, search->hidden_count, sizeof *search->hidden)) {
        search->no_memory = true;
        return NULL;
    }
    search->hidden[search->hidden_count++] = address;
    return found;
}

/* How many references nobody accounts for. */
static int64_t missing(const struct search *search, const struct counted *counted)
{
    const struct walk_graph *graph = &search->heap->graph;
    int64_t count = walk_header_refcount(search->heap->python, counted->address);
    walk_id id = walk_graph_find(graph, counted->address);
    if (count >= IMMORTAL)
        return 0;
    if (id != WALK_NO_ID)
        count -= (int64_t)(graph->backward.start[id + 1] - graph->backward.start[id]);
    return count - counted->referrers;
}

/* ---- the words ---- */

static bool has_ref(struct walk_refs *refs, walk_addr target)
{
    if (!walk_refs_afford(refs, refs->count))
        return true;
    for (size_t i = 0; i < refs->count; i++)
        if (refs->ref[i].target == target && !(refs->ref[i].flags & (WALK_EDGE_WEAK | WALK_REF_IF_KNOWN))) {
            refs->ref[i].target = 0; /* it is one word's */
            return true;
        }
    return false;
}

static void consider(struct search *search, walk_addr holder, uint32_t offset, walk_addr target)
{
    const struct counted *counted = target && target != holder ? count_of(search, target) : NULL;
    if (!counted || missing(search, counted) <= 0 || has_ref(&search->refs, target))
        return;
    if (!grow(&search->candidates, &search->candidate_capacity, search->candidate_count, sizeof *search->candidates))
        search->no_memory = true;
    else
        search->candidates[search->candidate_count++] = (struct candidate){{holder, offset}, target};
}

/* The words of an object that none of its references is. */
static void consider_words(struct search *search, walk_addr object, uint32_t index)
{
    struct walk_python *python = search->heap->python;
    const struct walk_pytype type = python->types[index];
    struct walk_refs *refs = &search->refs;
    refs->count = 0;
    refs->run = false;
    walk_visit_object(python, object, index, refs);
    if (!refs->run || refs->unreadable)
        return;
    uint64_t size = (uint64_t)type.own_basicsize, start = type.guess_from;
    if (type.itemsize > 0 && type.own_base == type.address) {
        uint64_t items = WALK_MEMBER(python, object, var_object, ob_size);
        size += (items < ITEMS_MAX ? items : ITEMS_MAX) * (uint64_t)type.itemsize;
    }
    size = walk_memory_available(python->memory, object, size);
    const uint8_t *view = walk_memory_view(python->memory, object, size);
    /* Before 3.8 whether the type is held is the allocator's affair. */
    if ((type.flags & WALK_TPFLAGS_HEAPTYPE) && WALK_MINOR(python) < 8)
        consider(search, object, (uint32_t)WALK_OFFSET(python->layout, object, ob_type), type.address);
    for (uint64_t at = start; view && at + python->word <= size; at += python->word) {
        walk_addr target = walk_load_word(python->word, view + at);
        if ((int64_t)at != type.weaklistoffset)
            consider(search, object, (uint32_t)at, target);
    }
}

/* What the hidden objects refer to is accounted for by them, and may be hidden itself. */
static void visit_hidden(struct search *search)
{
    struct walk_refs *refs = &search->refs;
    for (size_t i = 0; i < search->hidden_count && !search->no_memory; i++) {
        walk_addr object = search->hidden[i];
        refs->count = 0;
        walk_visit_object(search->heap->python, object, slot_of(search, object)->type, refs);
        for (size_t r = 0; r < refs->count; r++) {
            struct counted *counted = refs->ref[r].flags & (WALK_EDGE_WEAK | WALK_REF_IF_KNOWN)
                                          ? NULL
                                          : count_of(search, refs->ref[r].target);
            if (counted)
                counted->referrers++;
        }
    }
}

/* The candidates whose objects have references left over: as many words as there are. */
static struct walk_error *take(struct search *search, size_t *count)
{
    struct walk_omitted_word *words = malloc((search->candidate_count + 1) * sizeof *words);
    if (!words)
        return walk_error_no_memory();
    *count = 0;
    for (size_t i = 0; i < search->candidate_count; i++) {
        struct counted *counted = slot_of(search, search->candidates[i].target);
        if (missing(search, counted) <= 0)
            continue;
        counted->referrers++;
        words[(*count)++] = search->candidates[i].word;
    }
    bool good = !*count || walk_omitted_take(search->heap->python, words, *count);
    free(words);
    return good ? NULL : walk_error_no_memory();
}

/* ---- all of it ---- */

/* Of each type, whether its objects' words are looked at; NULL: of none, or (`*no_memory`) no memory. */
static bool *find_types(const struct walk_heap *heap, bool *no_memory)
{
    const struct walk_python *python = heap->python;
    bool *wanted = calloc(python->type_count + 1, sizeof *wanted), any = false;
    *no_memory = !wanted;
    for (uint32_t i = 0; wanted && i < python->type_count; i++)
        any |= wanted[i] = walk_omitted_may(python, &python->types[i]);
    if (any)
        return wanted;
    free(wanted);
    return NULL;
}

struct walk_error *walk_heap_take_omitted(struct walk_heap *heap, size_t *count)
{
    const struct walk_graph *graph = &heap->graph;
    struct search search = {.heap = heap};
    struct walk_error *error = NULL;
    bool no_memory;
    bool *wanted = find_types(heap, &no_memory);
    uint32_t type_count = heap->python->type_count;
    *count = 0;
    if (!wanted)
        return no_memory ? walk_error_no_memory() : NULL;
    walk_heap_limit(heap, &search.refs);
    search.refs.unnamed = true;
    for (walk_id id = 0; id < graph->node_count && !search.no_memory && !search.refs.interrupted; id++)
        if (walk_node_kind(heap, id) == WALK_OBJECT && graph->class[id] < type_count && wanted[graph->class[id]])
            consider_words(&search, walk_graph_key(graph, id), graph->class[id]);
    visit_hidden(&search);
    if (search.no_memory || search.refs.no_memory)
        error = walk_error_no_memory();
    else if (search.refs.interrupted)
        error = walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    else if (search.candidate_count)
        error = take(&search, count);
    walk_refs_deinit(&search.refs);
    free(search.slots);
    free(search.hidden);
    free(search.candidates);
    free(wanted);
    return error;
}
