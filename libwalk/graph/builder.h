/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_BUILDER_H
#define WALK_GRAPH_BUILDER_H

/* What building a graph keeps (build.c) while it goes from round to round (round.c). */

#include <stdatomic.h>

#include "graph/log.h"

/* A node that was told with its class. */
struct walk_special {
    walk_addr key;
    uint32_t class;
    uint8_t flags;
    size_t order;
};

/* Nodes that admit() is asked of. */
struct walk_group {
    unsigned number;
    walk_addr *keys;
    size_t count;
};
enum { WALK_GROUPS_MAX = 4 };

struct walk_builder {
    struct walk_graph *graph;
    struct walk_source source;
    struct walk_emitter *emitters; /* one per worker */
    struct walk_special *specials;
    size_t special_count, special_capacity;
    struct walk_group groups[WALK_GROUPS_MAX];
    size_t group_count;
    struct walk_round *rounds, **last_round;
    size_t refused, visited, known;
    atomic_bool stop;
    bool interrupted;
};

/* A round of `count` nodes, whose keys are not there yet; NULL: no memory. */
struct walk_round *walk_round_add(struct walk_builder *builder, size_t count);

/* Asks all of a round what they are, and visits those that are nodes. Takes over the keys. */
struct walk_error *walk_round_go(struct walk_builder *builder, unsigned group, walk_addr *keys, size_t count);

/* Visits all of a round whose keys, classes and flags are there, by one alone. */
struct walk_error *walk_round_go_alone(struct walk_builder *builder, struct walk_round *round);

#endif
