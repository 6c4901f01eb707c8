/* SPDX-License-Identifier: Apache-2.0 */
/* Edges with their labels: recomputed from the holder, never stored in the graph. */
#include <stdlib.h>

#include "answers/heap.h"

/* Labels are kept in one block; while it grows an edge knows its label by offset, in `label_at`. */
struct walk_edge_list {
    const struct walk_heap *heap;
    struct walk_refs refs;
    struct walk_edge *edge;
    size_t *label_at;
    size_t count, capacity;
    char *labels;
    size_t labels_size, labels_capacity;
};

/* What the public handle really is: it owns the labels too. */
struct owned_edges {
    struct walk_edges edges;
    char *labels;
};

struct walk_error *walk_edge_list_open(const struct walk_heap *heap, struct walk_edge_list **list)
{
    *list = calloc(1, sizeof **list);
    if (!*list)
        return walk_error_no_memory();
    (*list)->heap = heap;
    walk_edge_list_renew(*list);
    return NULL;
}

void walk_edge_list_renew(struct walk_edge_list *list) { walk_heap_limit(list->heap, &list->refs); }

static bool reserve_edge(struct walk_edge_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity ? list->capacity * 2 : 64;
    struct walk_edge *edge = realloc(list->edge, capacity * sizeof *edge);
    if (edge)
        list->edge = edge;
    size_t *label_at = realloc(list->label_at, capacity * sizeof *label_at);
    if (label_at)
        list->label_at = label_at;
    if (!edge || !label_at)
        return false;
    list->capacity = capacity;
    return true;
}

static bool add_label(struct walk_edge_list *list, const char *label)
{
    size_t size = strlen(label) + 1;
    if (list->labels_size + size > list->labels_capacity) {
        size_t capacity = (list->labels_capacity + size) * 2;
        char *labels = realloc(list->labels, capacity);
        if (!labels)
            return false;
        list->labels = labels;
        list->labels_capacity = capacity;
    }
    memcpy(list->labels + list->labels_size, label, size);
    list->labels_size += size;
    return true;
}

/* A label is cut at a character, not in one. */
void walk_label_cut(char *label, size_t size)
{
    size_t length = strlen(label);
    if (length + 1 < size)
        return;
    while (length && ((unsigned char)label[length - 1] & 0xc0) == 0x80)
        length--;
    if (length && ((unsigned char)label[length - 1] & 0xc0) == 0xc0)
        length--;
    label[length] = '\0';
}

struct walk_error *walk_edge_list_add_named(struct walk_edge_list *list, walk_id holder, walk_id referent,
                                            const struct walk_ref *ref, bool bare)
{
    char label[WALK_LABEL_SIZE];
    struct walk_text_out out;
    walk_text_init(&out, label, sizeof label);
    list->heap->facts->label(list->heap, ref, bare ? WALK_LABEL_BARE : WALK_LABEL_WHOLE, &out);
    walk_label_cut(label, sizeof label);
    size_t at = list->labels_size;
    if (!reserve_edge(list) || !add_label(list, label))
        return walk_error_no_memory();
    list->label_at[list->count] = at;
    list->edge[list->count++] =
        (struct walk_edge){holder, referent, ref->flags & (WALK_EDGE_EXTRA | WALK_EDGE_GUESS | WALK_EDGE_WEAK), NULL};
    return NULL;
}

/* The references of a node; refs to what is no node get WALK_NO_ID by walk_graph_find(). */
static void visit(struct walk_edge_list *list, walk_id holder)
{
    list->refs.count = 0;
    walk_heap_visit(list->heap, holder, &list->refs);
}

struct walk_error *walk_edge_list_add(struct walk_edge_list *list, walk_id holder,
                                      bool (*wanted)(void *context, walk_id referent), void *context)
{
    struct walk_error *error = NULL;
    visit(list, holder);
    for (size_t i = 0; i < list->refs.count && !error; i++) {
        const struct walk_ref *ref = &list->refs.ref[i];
        walk_id referent = ref->flags & WALK_EDGE_WEAK ? WALK_NO_ID : walk_graph_find(&list->heap->graph, ref->target);
        if (referent != WALK_NO_ID && (!wanted || wanted(context, referent)))
            error = walk_edge_list_add_named(list, holder, referent, ref, false);
    }
    return error;
}

struct walk_error *walk_edge_list_add_to(struct walk_edge_list *list, walk_id holder, const walk_id *to, size_t count)
{
    struct walk_error *error = NULL;
    walk_addr key[WALK_EDGE_LIST_FEW];
    for (size_t i = 0; i < count; i++)
        key[i] = walk_graph_key(&list->heap->graph, to[i]);
    visit(list, holder);
    for (size_t i = 0; i < list->refs.count && !error; i++) {
        const struct walk_ref *ref = &list->refs.ref[i];
        size_t at = 0;
        while (at < count && key[at] != ref->target)
            at++;
        if (at < count && !(ref->flags & WALK_EDGE_WEAK))
            error = walk_edge_list_add_named(list, holder, to[at], ref, false);
    }
    return error;
}

struct walk_error *walk_edge_list_add_first(struct walk_edge_list *list, walk_id holder, walk_id referent)
{
    walk_addr target = walk_graph_key(&list->heap->graph, referent);
    const struct walk_ref *best = NULL;
    visit(list, holder);
    for (size_t i = 0; i < list->refs.count; i++) {
        const struct walk_ref *ref = &list->refs.ref[i];
        if (ref->target != target || (ref->flags & WALK_EDGE_WEAK))
            continue;
        /* A variable's name says more than its place on the stack, and anything more than a guess. */
        if (!best || ref->label == WALK_LABEL_LOCAL || (best->flags & WALK_EDGE_GUESS))
            best = ref;
        if (ref->label == WALK_LABEL_LOCAL)
            break;
    }
    return best ? walk_edge_list_add_named(list, holder, referent, best, false)
                : walk_error_new(WALK_ERROR_IMPLAUSIBLE, "the target has changed since the heap was read");
}

struct walk_error *walk_edge_list_add_with_weak(struct walk_edge_list *list, walk_id holder)
{
    struct walk_error *error = NULL;
    visit(list, holder);
    for (size_t i = 0; i < list->refs.count && !error; i++) {
        const struct walk_ref *ref = &list->refs.ref[i];
        walk_id referent = walk_graph_find(&list->heap->graph, ref->target);
        if (referent == WALK_NO_ID && (ref->flags & WALK_REF_IF_KNOWN))
            continue;
        error = walk_edge_list_add_named(list, holder, referent, ref, false);
    }
    return error;
}

struct walk_error *walk_edge_list_close(struct walk_edge_list *list, struct walk_error *error,
                                        struct walk_edges **result)
{
    struct owned_edges *owned = error || !list ? NULL : malloc(sizeof *owned);
    if (list) {
        if (owned) {
            for (size_t i = 0; i < list->count; i++)
                list->edge[i].label = list->labels + list->label_at[i];
            *owned = (struct owned_edges){{list->count, list->edge, list->refs.guessed, list->refs.run}, list->labels};
            *result = &owned->edges;
        } else {
            free(list->edge);
            free(list->labels);
        }
        walk_refs_deinit(&list->refs);
        free(list->label_at);
        free(list);
    }
    return error || owned ? error : walk_error_no_memory();
}

void walk_edges_free(struct walk_edges *edges)
{
    if (!edges)
        return;
    struct owned_edges *owned = (struct owned_edges *)edges;
    free(owned->edges.edge);
    free(owned->labels);
    free(owned);
}

struct walk_error *walk_heap_referents(const struct walk_heap *heap, walk_id id, struct walk_edges **edges)
{
    struct walk_edge_list *list = NULL;
    struct walk_error *error = walk_edge_list_open(heap, &list);
    if (!error)
        error = walk_edge_list_add_with_weak(list, id);
    return walk_edge_list_close(list, error, edges);
}

struct walk_error *walk_heap_referrers(const struct walk_heap *heap, walk_id id, struct walk_edges **edges)
{
    const struct walk_rows *rows = &heap->graph.backward;
    struct walk_edge_list *list = NULL;
    struct walk_error *error = walk_edge_list_open(heap, &list);
    walk_id last = WALK_NO_ID;
    for (uint64_t i = rows->start[id]; i < rows->start[id + 1] && !error; i++) {
        walk_id holder = WALK_EDGE_ID(rows->edge[i]);
        /* A row is sorted by holder: parallel edges stand together, and one visit finds them all. */
        if (holder != last)
            error = walk_edge_list_add_to(list, holder, &id, 1);
        last = holder;
    }
    return walk_edge_list_close(list, error, edges);
}
