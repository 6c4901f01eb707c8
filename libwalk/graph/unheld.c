/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps nothing but itself alive: references that are not from within are what holds a part. */
#include <stdlib.h>
#include <string.h>

#include "graph/members.h"

static void take_off_inner(const struct walk_members *members, int64_t *held)
{
    const struct walk_rows *rows = &members->graph->forward;
    for (walk_id from = 0; from < members->count; from++) {
        walk_id id = walk_member_id(members, from);
        for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++) {
            walk_id to = walk_member_along(members, rows->edge[i]);
            if (to != WALK_NO_ID)
                held[to]--;
        }
    }
}

/* Takes one node and everything that it leads to out of `unheld`. `stack` has room for every node. */
static size_t release(const struct walk_members *members, walk_id root, uint8_t *unheld, walk_id *stack)
{
    const struct walk_rows *rows = &members->graph->forward;
    size_t depth = 0, released = 0;
    stack[depth++] = root;
    unheld[root] = 0;
    while (depth) {
        walk_id id = walk_member_id(members, stack[--depth]);
        released++;
        for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++) {
            walk_id to = walk_member_along(members, rows->edge[i]);
            if (to == WALK_NO_ID || !unheld[to])
                continue;
            unheld[to] = 0;
            stack[depth++] = to;
        }
    }
    return released;
}

struct walk_error *walk_members_unheld(const struct walk_members *members, int64_t *held, uint8_t *unheld,
                                       size_t *count)
{
    walk_id *stack = malloc(((size_t)members->count + 1) * sizeof *stack);
    if (!stack)
        return walk_error_no_memory();
    memset(unheld, 1, members->count);
    *count = members->count;
    take_off_inner(members, held);
    for (walk_id i = 0; i < members->count; i++)
        if (unheld[i] && held[i] > 0)
            *count -= release(members, i, unheld, stack);
    free(stack);
    return NULL;
}
