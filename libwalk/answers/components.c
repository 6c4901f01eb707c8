/* SPDX-License-Identifier: Apache-2.0 */
/* Strongly connected components, with their bytes, the largest first. */
#include <stdlib.h>

#include "answers/parts.h"

/* What the public handle really is: it owns the ids too. */
struct owned_components {
    struct walk_components components;
    walk_id *ids;
};

static int by_size(const void *a, const void *b)
{
    const struct walk_component *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->ids[0] > y->ids[0]) - (x->ids[0] < y->ids[0]);
}

static struct walk_component component(const struct walk_heap *heap, const struct walk_partition *partition, walk_id at,
                                       const walk_id *ids)
{
    struct walk_component made = {.ids = ids + partition->start[at],
                                  .count = partition->start[at + 1] - partition->start[at],
                                  .cyclic = partition->cyclic[at],
                                  .source = !partition->entered[at]};
    for (size_t i = 0; i < made.count; i++)
        made.size += walk_node_size(heap, made.ids[i]);
    return made;
}

/* Their ids stand in one array, as the partition has them. */
static struct walk_error *make(const struct walk_heap *heap, const struct walk_members *members,
                               const struct walk_partition *partition, bool singletons, struct walk_components **result)
{
    size_t count = 0;
    for (walk_id i = 0; i < partition->count; i++)
        count += singletons || partition->cyclic[i];
    struct owned_components *owned = calloc(1, sizeof *owned);
    struct walk_component *made = malloc((count + 1) * sizeof *made);
    walk_id *ids = malloc(((size_t)members->count + 1) * sizeof *ids);
    if (!owned || !made || !ids) {
        free(owned);
        free(made);
        free(ids);
        return walk_error_no_memory();
    }
    for (walk_id i = 0; i < members->count; i++)
        ids[i] = walk_member_id(members, partition->number[i]);
    *owned = (struct owned_components){{0, made}, ids};
    for (walk_id i = 0; i < partition->count; i++)
        if (singletons || partition->cyclic[i])
            made[owned->components.count++] = component(heap, partition, i, ids);
    qsort(made, count, sizeof *made, by_size);
    *result = &owned->components;
    return NULL;
}

struct walk_error *walk_heap_components(const struct walk_heap *heap, const struct walk_heap_part *part,
                                        bool singletons, struct walk_components **components)
{
    struct walk_members members;
    struct walk_partition partition;
    struct walk_error *error = walk_part_open(heap, part, &members);
    if (error)
        return error;
    error = walk_members_partition(&members, &partition);
    if (!error) {
        error = make(heap, &members, &partition, singletons, components);
        walk_partition_deinit(&partition);
    }
    walk_members_deinit(&members);
    return error;
}

void walk_components_free(struct walk_components *components)
{
    if (!components)
        return;
    struct owned_components *owned = (struct owned_components *)components;
    free(owned->components.component);
    free(owned->ids);
    free(owned);
}
