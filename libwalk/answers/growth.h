/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_GROWTH_H
#define WALK_ANSWERS_GROWTH_H

/* From one heap to another: what a heap is compared with, and which of its nodes are new. */

#include "answers/heap.h"

/* What is kept of a heap: where its nodes were, of which types. */
struct walk_baseline {
    struct walk_graph graph; /* keys, classes, flags and the index; no edges */
    uint32_t type_count;     /* without the types of nodes that are no objects */
    char **name;             /* of each type; owned, as the heap may be gone */
    struct walk_total *tracked, *all;
};

/* A row per name of a type, of whichever heap. */
struct walk_name_rows {
    uint32_t count;
    const char **name;  /* sorted */
    uint32_t *of_now;   /* type of the heap -> row */
    uint32_t *of_first; /* type of the baseline -> row */
    uint32_t *of_second;
};

/* WALK_NODE_… bits of walk_growth.state. */
enum { WALK_GROWTH_NEW = 1, WALK_GROWTH_WANTED = 2, WALK_GROWTH_MATCHED = 4, WALK_GROWTH_DICT = 8 };

struct walk_growth {
    const struct walk_heap *heap;
    struct walk_name_rows names;
    struct walk_growth_row *row; /* names.count */
    uint8_t *state;              /* of each node */
    size_t matched;              /* tracked objects that are no new ones */
    /* The way from what is long-lived to each new node (growth_holders.c); made when first asked for. */
    walk_id *via;   /* the node in front, WALK_NO_ID: nothing leads here */
    walk_id *root;  /* where that way begins */
    walk_id *order; /* new nodes, in the order of the distance */
    size_t ordered;
    bool traced;
};

/* Fills in the instance_dicts of the row of dicts (growth_dicts.c). */
struct walk_error *walk_growth_count_dicts(struct walk_growth *growth);

#endif
