/* SPDX-License-Identifier: Apache-2.0 */
/* Strongly connected components: Tarjan's algorithm with its stacks in arrays, every edge looked at once. */
#include <stdlib.h>

#include "graph/members.h"

struct tarjan {
    const struct walk_members *members;
    const struct walk_rows *rows;
    uint32_t *order;    /* when the node was entered, from 1 on; 0: not yet */
    uint32_t *low;      /* the earliest node that is known to be reached from it and waits */
    uint64_t *next;     /* the next edge of its row */
    walk_id *path;      /* from the root to the node that is looked at */
    walk_id *waiting;   /* entered, and in no component yet */
    walk_id *component; /* WALK_NO_ID: none yet */
    walk_id path_count, waiting_count, component_count;
    uint32_t entered;
};

static void enter(struct tarjan *tarjan, walk_id node)
{
    tarjan->order[node] = tarjan->low[node] = ++tarjan->entered;
    tarjan->next[node] = tarjan->rows->start[walk_member_id(tarjan->members, node)];
    tarjan->path[tarjan->path_count++] = tarjan->waiting[tarjan->waiting_count++] = node;
}

static void lower(struct tarjan *tarjan, walk_id node, uint32_t order)
{
    if (order < tarjan->low[node])
        tarjan->low[node] = order;
}

/* Follows edges until one leads to a node that was not entered. False: there is none. */
static bool descend(struct tarjan *tarjan, walk_id node)
{
    uint64_t end = tarjan->rows->start[walk_member_id(tarjan->members, node) + 1];
    while (tarjan->next[node] < end) {
        walk_id to = walk_member_along(tarjan->members, tarjan->rows->edge[tarjan->next[node]++]);
        if (to == WALK_NO_ID)
            continue;
        if (!tarjan->order[to]) {
            enter(tarjan, to);
            return true;
        }
        if (tarjan->component[to] == WALK_NO_ID)
            lower(tarjan, node, tarjan->order[to]);
    }
    return false;
}

/* Leaves the last node of the path; if it is the first of its component, that is complete. */
static void leave(struct tarjan *tarjan, walk_id node)
{
    tarjan->path_count--;
    if (tarjan->path_count)
        lower(tarjan, tarjan->path[tarjan->path_count - 1], tarjan->low[node]);
    if (tarjan->low[node] != tarjan->order[node])
        return;
    walk_id member;
    do {
        member = tarjan->waiting[--tarjan->waiting_count];
        tarjan->component[member] = tarjan->component_count;
    } while (member != node);
    tarjan->component_count++;
}

static void search(struct tarjan *tarjan)
{
    for (walk_id root = 0; root < tarjan->members->count; root++) {
        if (tarjan->order[root])
            continue;
        enter(tarjan, root);
        while (tarjan->path_count) {
            walk_id node = tarjan->path[tarjan->path_count - 1];
            if (!descend(tarjan, node))
                leave(tarjan, node);
        }
    }
}

static bool make_tarjan(struct tarjan *tarjan, const struct walk_members *members)
{
    size_t count = (size_t)members->count + 1;
    *tarjan = (struct tarjan){.members = members,
                              .rows = &members->graph->forward,
                              .order = calloc(count, sizeof *tarjan->order),
                              .low = malloc(count * sizeof *tarjan->low),
                              .next = malloc(count * sizeof *tarjan->next),
                              .path = malloc(count * sizeof *tarjan->path),
                              .waiting = malloc(count * sizeof *tarjan->waiting),
                              .component = malloc(count * sizeof *tarjan->component)};
    for (size_t i = 0; tarjan->component && i < count; i++)
        tarjan->component[i] = WALK_NO_ID;
    return tarjan->order && tarjan->low && tarjan->next && tarjan->path && tarjan->waiting && tarjan->component;
}

static void free_tarjan(struct tarjan *tarjan)
{
    free(tarjan->order);
    free(tarjan->low);
    free(tarjan->next);
    free(tarjan->path);
    free(tarjan->waiting);
    free(tarjan->component);
}

/* Counting sort of the numbers by their component. */
static void list_members(struct walk_partition *partition, const walk_id *component, walk_id count)
{
    uint64_t *start = partition->start;
    for (walk_id i = 0; i < count; i++)
        start[component[i] + 1]++;
    for (walk_id i = 0; i < partition->count; i++)
        start[i + 1] += start[i];
    for (walk_id i = 0; i < count; i++)
        partition->number[start[component[i]]++] = i;
    for (walk_id i = partition->count; i > 0; i--)
        start[i] = start[i - 1];
    start[0] = 0;
}

/* An edge within a component closes a cycle, whatever the component's size. */
static void mark_edges(struct walk_partition *partition, const struct walk_members *members, const walk_id *component)
{
    const struct walk_rows *rows = &members->graph->forward;
    for (walk_id from = 0; from < members->count; from++) {
        walk_id id = walk_member_id(members, from);
        for (uint64_t i = rows->start[id]; i < rows->start[id + 1]; i++) {
            walk_id to = walk_member_along(members, rows->edge[i]);
            if (to != WALK_NO_ID)
                (component[from] == component[to] ? partition->cyclic : partition->entered)[component[to]] = 1;
        }
    }
}

static struct walk_error *make_partition(const struct tarjan *tarjan, struct walk_partition *partition)
{
    size_t count = tarjan->component_count;
    *partition =
        (struct walk_partition){.count = tarjan->component_count,
                                .start = calloc(count + 1, sizeof *partition->start),
                                .number = malloc(((size_t)tarjan->members->count + 1) * sizeof *partition->number),
                                .cyclic = calloc(count + 1, 1),
                                .entered = calloc(count + 1, 1)};
    if (!partition->start || !partition->number || !partition->cyclic || !partition->entered) {
        walk_partition_deinit(partition);
        return walk_error_no_memory();
    }
    list_members(partition, tarjan->component, tarjan->members->count);
    mark_edges(partition, tarjan->members, tarjan->component);
    return NULL;
}

struct walk_error *walk_members_partition(const struct walk_members *members, struct walk_partition *partition)
{
    struct tarjan tarjan;
    struct walk_error *error = NULL;
    if (make_tarjan(&tarjan, members)) {
        search(&tarjan);
        error = make_partition(&tarjan, partition);
    } else {
        error = walk_error_no_memory();
    }
    free_tarjan(&tarjan);
    return error;
}

void walk_partition_deinit(struct walk_partition *partition)
{
    free(partition->start);
    free(partition->number);
    free(partition->cyclic);
    free(partition->entered);
    *partition = (struct walk_partition){0};
}
