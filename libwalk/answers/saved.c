/* SPDX-License-Identifier: Apache-2.0 */
/* What answers ask of single nodes, as a saved file has it. */
#include <inttypes.h>

#include "answers/saved.h"

static uint64_t size(const struct walk_heap *heap, walk_id id) { return heap->saved->size[id]; }

static int64_t refcount(const struct walk_heap *heap, walk_id id) { return heap->saved->refcount[id]; }

static void text(const struct walk_heap *heap, walk_id id, enum walk_text which, struct walk_text_out *out)
{
    const struct walk_saved *saved = heap->saved;
    uint32_t string = saved->value[id];
    if (which == WALK_TEXT_ANNOTATION && saved->annotation[id])
        string = saved->annotation[id];
    const char *usual = which == WALK_TEXT_ANNOTATION ? heap->tables.types[heap->graph.class[id]].name : "";
    walk_text_add(out, "%s", string ? walk_saved_string(saved, string) : usual);
}

static bool suspended(const struct walk_heap *heap, walk_id id)
{
    return (heap->saved->how[id] & SAVED_SUSPENDED) != 0;
}

static void visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    const struct walk_saved *saved = heap->saved;
    for (uint64_t i = saved->ref_start[id]; i < saved->ref_start[id + 1]; i++) {
        uint32_t bits = saved->ref_flags[i];
        walk_id target = saved->ref_target[i];
        uint32_t flags = (bits & (WALK_EDGE_EXTRA | WALK_EDGE_GUESS | WALK_EDGE_WEAK)) |
                         (bits & SAVED_IF_KNOWN ? WALK_REF_IF_KNOWN : 0);
        walk_refs_add(refs, target == WALK_NO_ID ? UINT64_MAX : walk_graph_key(&heap->graph, target), flags,
                      (enum walk_label)(saved->ref_label[i] >> SAVED_LABEL_SHIFT),
                      saved->ref_label[i] & SAVED_LABEL_MAX);
    }
    refs->guessed |= (saved->how[id] & SAVED_GUESSED) != 0;
    refs->run |= (saved->how[id] & SAVED_RUN) != 0;
}

static const char *nameless(const struct walk_ref *ref, const char *whole)
{
    switch (ref->label) {
    case WALK_LABEL_VALUE:
        return WALK_NAMELESS_VALUE;
    case WALK_LABEL_FIELD:
        return WALK_NAMELESS_FIELD;
    case WALK_LABEL_LOCAL:
        return strncmp(whole, "local '", 7) == 0 ? whole : WALK_NAMELESS_LOCAL;
    default:
        return whole;
    }
}

static void label(const struct walk_heap *heap, const struct walk_ref *ref, enum walk_label_style style,
                  struct walk_text_out *out)
{
    if (ref->label == WALK_LABEL_ITEM)
        walk_text_add(out, "item[%" PRIu64 "]", ref->argument);
    else if (ref->label == WALK_LABEL_STACK)
        walk_text_add(out, "stack[%" PRIu64 "]", ref->argument);
    else {
        const char *whole = walk_saved_string(heap->saved, (uint32_t)ref->argument);
        walk_text_add(out, "%s", style == WALK_LABEL_NAMELESS ? nameless(ref, whole) : whole);
    }
}

static const struct saved_frame *find_frame(const struct walk_saved *saved, walk_id id)
{
    size_t low = 0, high = SAVED_COUNT(saved, frame);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (saved->frame[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < SAVED_COUNT(saved, frame) && saved->frame[low].id == id ? &saved->frame[low] : NULL;
}

static struct walk_error *frame_place(const struct walk_heap *heap, walk_id id, struct walk_frame *place)
{
    const struct walk_saved *saved = heap->saved;
    const struct saved_frame *frame = find_frame(saved, id);
    if (!frame)
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, WALK_NO_FRAME, walk_graph_key(&heap->graph, id));
    *place = (struct walk_frame){walk_saved_string(saved, frame->function), walk_saved_string(saved, frame->file),
                                 frame->line};
    return NULL;
}

/* The label of a local is its bare name. */
static struct walk_error *locals(const struct walk_heap *heap, walk_id id, struct walk_refs *refs)
{
    const struct walk_saved *saved = heap->saved;
    const struct saved_frame *frame = find_frame(saved, id);
    if (!frame)
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, WALK_NO_FRAME, walk_graph_key(&heap->graph, id));
    uint32_t first = saved->local_start[frame - saved->frame];
    for (uint32_t i = first; i < first + frame->local_count; i++)
        walk_refs_add(refs, walk_graph_key(&heap->graph, saved->local[i].referent), 0, WALK_LABEL_LOCAL,
                      saved->local[i].name);
    return NULL;
}

static struct walk_error *garbage(const struct walk_heap *heap, size_t interpreter, uint8_t *found)
{
    const struct walk_saved *saved = heap->saved;
    const struct saved_garbage *item = saved->garbage;
    bool all = interpreter == WALK_ALL_INTERPRETERS || walk_heap_shares_collector(heap);
    for (size_t i = 0; i < SAVED_COUNT(saved, interpreter); i++)
        for (uint32_t left = saved->interpreter[i].garbage_count; left; left--, item++)
            if (all || i == interpreter)
                found[item->id] = (uint8_t)(WALK_FOUND | item->finalizers);
    return NULL;
}

static void uncollectable(const struct walk_heap *heap, uint8_t *found)
{
    for (uint64_t i = 0; i < SAVED_COUNT(heap->saved, uncollectable); i++)
        found[heap->saved->uncollectable[i]] = 1;
}

static struct walk_error *missing(const struct walk_heap *heap, walk_addr address)
{
    (void)heap;
    return walk_error_new(WALK_ERROR_NOT_FOUND, "0x%" PRIx64 " is no object of the saved heap", address);
}

const struct walk_facts walk_saved_facts = {
    .size = size,
    .refcount = refcount,
    .text = text,
    .suspended = suspended,
    .visit = visit,
    .label = label,
    .frame = frame_place,
    .locals = locals,
    .garbage = garbage,
    .uncollectable = uncollectable,
    .missing = missing,
};
