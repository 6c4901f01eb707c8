/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_GRAPH_MEMBERS_H
#define WALK_GRAPH_MEMBERS_H

/*
 * Some nodes of a graph and the edges between them, as a graph of its own. Its nodes are numbered in the order of their
 * ids: what an algorithm keeps of each costs by the part, not by the whole.
 */

#include "graph/graph.h"

struct walk_members {
    const struct walk_graph *graph;
    walk_id count;
    const walk_id *id; /* borrowed, ascending; NULL: every node */
    uint64_t *bits;    /* a bit per node; NULL with `id` */
    uint32_t *before;  /* per word of `bits`: members in the words in front of it */
    bool unmarked;     /* edges with WALK_EDGE_MARK are not in it */
};

/* `id` must stay as long as the members. Errors: MEMORY; IMPLAUSIBLE when it is not ascending or not of this graph. */
struct walk_error *walk_members_init(struct walk_members *members, const struct walk_graph *graph, const walk_id *id,
                                     size_t count, bool unmarked);
void walk_members_deinit(struct walk_members *members);

static inline walk_id walk_member_id(const struct walk_members *members, walk_id number)
{
    return members->id ? members->id[number] : number;
}

/* The number of a node; WALK_NO_ID: it is not in. */
static inline walk_id walk_member_number(const struct walk_members *members, walk_id id)
{
    if (!members->bits)
        return id;
    uint64_t word = members->bits[id / 64], bit = UINT64_C(1) << id % 64;
    return word & bit ? members->before[id / 64] + (walk_id)__builtin_popcountll(word & (bit - 1)) : WALK_NO_ID;
}

/* The number of the node that an edge (of the graph's rows) leads to; WALK_NO_ID: node or edge is not in. */
static inline walk_id walk_member_along(const struct walk_members *members, uint32_t edge)
{
    return members->unmarked && (edge & WALK_EDGE_MARK) ? WALK_NO_ID : walk_member_number(members, WALK_EDGE_ID(edge));
}

/* ---- components.c ---- */

/* The strongly connected components, as compressed rows of numbers, ascending within each. */
struct walk_partition {
    walk_id count;
    uint64_t *start;  /* count + 1 */
    walk_id *number;  /* members->count */
    uint8_t *cyclic;  /* more than one node, or one that refers to itself */
    uint8_t *entered; /* an edge leads into it from another one */
};
struct walk_error *walk_members_partition(const struct walk_members *members, struct walk_partition *partition);
void walk_partition_deinit(struct walk_partition *partition);

/* ---- unheld.c ---- */

/*
 * `held` has for each number how many references there are to it, from wherever. Takes off those within the part, and
 * then everything that what is left leads to: unheld[number] says that nothing outside of the part keeps it alive.
 */
struct walk_error *walk_members_unheld(const struct walk_members *members, int64_t *held, uint8_t *unheld,
                                       size_t *count);

#endif
