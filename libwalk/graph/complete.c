/* SPDX-License-Identifier: Apache-2.0 */
/* A graph whose nodes, or nodes and rows, are known already. */
#include <string.h>

#include "bytes/large.h"
#include "graph/index.h"
#include "graph/log.h"

static struct walk_error *enter(struct walk_index *index, walk_addr key)
{
    if (walk_index_is_odd(index, key))
        return walk_index_enter_odd(index, key) ? NULL : walk_error_no_memory();
    return walk_index_enter(index, key) == WALK_ENTER_NO_MEMORY ? walk_error_no_memory() : NULL;
}

/* Whether the nodes have these keys in this order. */
static struct walk_error *check_order(const struct walk_graph *graph, const struct walk_graph *ranked,
                                      const walk_addr *key)
{
    walk_addr *sorted = walk_large_alloc(NULL, (size_t)ranked->node_count + 1, sizeof *sorted);
    if (!sorted)
        return walk_error_no_memory();
    walk_graph_keys(ranked, sorted);
    bool same = ranked->node_count == graph->node_count && memcmp(sorted, key, graph->node_count * sizeof *key) == 0;
    walk_large_free(sorted);
    return same
               ? NULL
               : walk_error_new(WALK_ERROR_FORMAT,
                                "its nodes are not in the order of their addresses: save the heap again from its core");
}

struct walk_error *walk_graph_index(struct walk_graph *graph, unsigned granule, const walk_addr *key)
{
    struct walk_graph ranked = {0};
    struct walk_error *error = walk_index_init(&ranked.index, granule, NULL);
    for (walk_id id = 0; id < graph->node_count && !error; id++)
        error = enter(&ranked.index, key[id]);
    if (!error) {
        walk_index_sort_odd(&ranked.index);
        error = walk_index_rank(&ranked, 1);
    }
    if (!error)
        error = check_order(graph, &ranked, key);
    if (error)
        walk_index_deinit(&ranked.index);
    else
        graph->index = ranked.index;
    return error;
}

struct walk_error *walk_graph_complete(struct walk_graph *graph, unsigned granule, const walk_addr *key)
{
    struct walk_error *error = walk_graph_index(graph, granule, key);
    return error ? error : walk_rows_reverse(graph, 1, NULL);
}
