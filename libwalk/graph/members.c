/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/members.h"

#include <stdlib.h>

static bool is_ascending(const struct walk_graph *graph, const walk_id *id, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (id[i] >= graph->node_count || (i && id[i] <= id[i - 1]))
            return false;
    return true;
}

static struct walk_error *set_bits(struct walk_members *members)
{
    size_t words = members->graph->node_count / 64 + 1;
    members->bits = calloc(words, sizeof *members->bits);
    members->before = malloc(words * sizeof *members->before);
    if (!members->bits || !members->before) {
        walk_members_deinit(members);
        return walk_error_no_memory();
    }
    for (walk_id i = 0; i < members->count; i++)
        members->bits[members->id[i] / 64] |= UINT64_C(1) << members->id[i] % 64;
    uint32_t before = 0;
    for (size_t i = 0; i < words; i++) {
        members->before[i] = before;
        before += (uint32_t)__builtin_popcountll(members->bits[i]);
    }
    return NULL;
}

struct walk_error *walk_members_init(struct walk_members *members, const struct walk_graph *graph, const walk_id *id,
                                     size_t count, bool unmarked)
{
    *members = (struct walk_members){.graph = graph, .count = graph->node_count, .unmarked = unmarked};
    if (!id)
        return NULL;
    if (!is_ascending(graph, id, count))
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "a list of nodes that is not ascending, or not of this heap");
    members->id = id;
    members->count = (walk_id)count;
    return set_bits(members);
}

void walk_members_deinit(struct walk_members *members)
{
    free(members->bits);
    free(members->before);
    *members = (struct walk_members){0};
}
