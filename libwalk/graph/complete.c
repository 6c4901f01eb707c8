/* SPDX-License-Identifier: Apache-2.0 */
/* A graph from rows that are known already. */
#include "graph/index.h"

struct walk_error *walk_graph_complete(struct walk_graph *graph)
{
    walk_id count = graph->node_count;
    for (walk_id id = 0; id < count; id++) {
        graph->node_count = id;
        if (!walk_index_reserve(graph)) {
            graph->node_count = count;
            return walk_error_no_memory();
        }
        if (walk_index_find(graph, graph->key[id]) != WALK_NO_ID) {
            graph->node_count = count;
            return walk_error_new(WALK_ERROR_FORMAT, "two nodes with one address: save the heap again from its core");
        }
        walk_index_enter(graph, id);
    }
    graph->node_count = count;
    return walk_graph_reverse(graph);
}
