/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of random graphs, compared with what a matrix of who reaches whom says. */
#include <string.h>

#include "bytes/large.h"
#include "graph/members.h"
#include "unit.h"

enum { NODES = 40, ROW = 4, LOOPS = 300 };

struct random_part {
    struct walk_graph graph;
    bool edge[NODES][NODES]; /* of the part, by numbers */
    bool reach[NODES][NODES];
    size_t edges_into[NODES]; /* parallel ones counted */
    walk_id id[NODES];
    struct walk_members members;
};

static void make_rows(struct walk_graph *graph, struct rng *rng)
{
    walk_id count = graph->node_count;
    graph->forward.start = walk_large_alloc(NULL, (size_t)count + 1, sizeof *graph->forward.start);
    graph->forward.edge = walk_large_alloc(NULL, (size_t)count * ROW + 1, sizeof *graph->forward.edge);
    uint32_t at = 0;
    uint64_t density = 1 + rng_below(rng, ROW);
    for (walk_id i = 0; i < count; i++) {
        graph->forward.start[i] = at;
        for (uint64_t row = rng_below(rng, density + 1); row > 0; row--)
            graph->forward.edge[at++] = (uint32_t)rng_below(rng, count) | (rng_below(rng, 4) ? 0 : WALK_EDGE_MARK);
    }
    graph->forward.start[count] = at;
}

static bool is_edge(uint32_t edge, bool unmarked) { return !unmarked || !(edge & WALK_EDGE_MARK); }

/* The matrices, from the lists alone. */
static void make_matrices(struct random_part *part, bool unmarked)
{
    const struct walk_rows *rows = &part->graph.forward;
    walk_id count = part->members.count;
    for (walk_id i = 0; i < count; i++)
        for (walk_id j = 0; j < count; j++)
            for (uint64_t e = rows->start[part->id[i]]; e < rows->start[part->id[i] + 1]; e++)
                if (WALK_EDGE_ID(rows->edge[e]) == part->id[j] && is_edge(rows->edge[e], unmarked)) {
                    part->edge[i][j] = true;
                    part->edges_into[j]++;
                }
    memcpy(part->reach, part->edge, sizeof part->edge);
    for (walk_id k = 0; k < count; k++)
        for (walk_id i = 0; i < count; i++)
            for (walk_id j = 0; part->reach[i][k] && j < count; j++)
                part->reach[i][j] |= part->reach[k][j];
}

static void make_part(struct random_part *part, struct rng *rng)
{
    memset(part, 0, sizeof *part);
    part->graph.node_count = 1 + (walk_id)rng_below(rng, NODES);
    make_rows(&part->graph, rng);
    bool whole = rng_below(rng, 3) == 0, unmarked = rng_below(rng, 2);
    walk_id count = 0;
    for (walk_id i = 0; i < part->graph.node_count; i++)
        if (whole || rng_below(rng, 4))
            part->id[count++] = i;
    assert_good(walk_members_init(&part->members, &part->graph, whole ? NULL : part->id, count, unmarked));
    expect_eq(part->members.count, count);
    make_matrices(part, unmarked);
}

static void end_part(struct random_part *part)
{
    walk_members_deinit(&part->members);
    walk_graph_deinit(&part->graph);
}

#define PART                                                                                                           \
    struct rng rng = {(uint64_t)_i + 1};                                                                               \
    static struct random_part part;                                                                                    \
    make_part(&part, &rng);

/* ---- numbers ---- */

START_TEST(members_are_numbered_in_the_order_of_their_ids)
{
    PART walk_id next = 0;
    for (walk_id id = 0; id < part.graph.node_count; id++) {
        bool in = next < part.members.count && part.id[next] == id;
        expect_eq(walk_member_number(&part.members, id), in ? next : WALK_NO_ID);
        if (in)
            expect_eq(walk_member_id(&part.members, next++), id);
    }
    expect_eq(next, part.members.count);
    end_part(&part);
}
END_TEST

START_TEST(ids_that_do_not_ascend_are_refused)
{
    struct walk_graph graph = {.node_count = 9};
    struct walk_members members;
    static const walk_id twice[] = {1, 3, 3}, down[] = {4, 2}, outside[] = {8, 9};
    assert_error(walk_members_init(&members, &graph, twice, 3, false), WALK_ERROR_IMPLAUSIBLE, "ascending");
    assert_error(walk_members_init(&members, &graph, down, 2, false), WALK_ERROR_IMPLAUSIBLE, "ascending");
    assert_error(walk_members_init(&members, &graph, outside, 2, false), WALK_ERROR_IMPLAUSIBLE, "ascending");
    assert_good(walk_members_init(&members, &graph, twice, 0, false));
    expect_eq(members.count, 0);
    expect_eq(walk_member_number(&members, 1), WALK_NO_ID);
    walk_members_deinit(&members);
}
END_TEST

/* ---- components ---- */

static bool together(const struct random_part *part, walk_id i, walk_id j)
{
    return i == j || (part->reach[i][j] && part->reach[j][i]);
}

START_TEST(components_are_those_that_reach_each_other)
{
    PART struct walk_partition partition;
    walk_id of[NODES];
    assert_good(walk_members_partition(&part.members, &partition));
    expect_eq(partition.start[0], 0);
    expect_eq(partition.start[partition.count], part.members.count);
    memset(of, 0xff, sizeof of);
    for (walk_id c = 0; c < partition.count; c++) {
        expect(partition.start[c] < partition.start[c + 1]);
        for (uint64_t i = partition.start[c]; i < partition.start[c + 1]; i++) {
            expect(i == partition.start[c] || partition.number[i - 1] < partition.number[i]);
            expect_eq(of[partition.number[i]], WALK_NO_ID);
            of[partition.number[i]] = c;
        }
    }
    for (walk_id i = 0; i < part.members.count; i++)
        for (walk_id j = 0; j < part.members.count; j++)
            expect_eq(of[i] == of[j], together(&part, i, j));
    for (walk_id c = 0; c < partition.count; c++) {
        bool cyclic = false, entered = false;
        for (walk_id i = 0; i < part.members.count; i++)
            for (walk_id j = 0; j < part.members.count; j++) {
                cyclic |= part.edge[i][j] && of[i] == c && of[j] == c;
                entered |= part.edge[i][j] && of[i] != c && of[j] == c;
            }
        expect_eq(partition.cyclic[c], cyclic);
        expect_eq(partition.entered[c], entered);
    }
    walk_partition_deinit(&partition);
    end_part(&part);
}
END_TEST

/* Recursion would end here: one path through a million nodes, closed to a ring or not. */
START_TEST(a_long_path_needs_no_stack)
{
    enum { MANY = 1000000 };
    struct walk_graph graph = {.node_count = MANY};
    struct walk_members members;
    struct walk_partition partition;
    graph.forward.start = walk_large_alloc(NULL, MANY + 1, sizeof *graph.forward.start);
    graph.forward.edge = walk_large_alloc(NULL, MANY, sizeof *graph.forward.edge);
    for (uint32_t i = 0; i < MANY; i++) {
        graph.forward.start[i] = i;
        graph.forward.edge[i] = (i + 1) % MANY;
    }
    graph.forward.start[MANY] = MANY;
    assert_good(walk_members_init(&members, &graph, NULL, 0, false));
    assert_good(walk_members_partition(&members, &partition));
    expect_eq(partition.count, 1);
    expect(partition.cyclic[0] && !partition.entered[0]);
    walk_partition_deinit(&partition);
    graph.forward.edge[MANY - 1] |= WALK_EDGE_MARK;
    members.unmarked = true;
    assert_good(walk_members_partition(&members, &partition));
    expect_eq(partition.count, MANY);
    walk_partition_deinit(&partition);
    walk_graph_deinit(&graph);
}
END_TEST

/* ---- what nothing holds ---- */

START_TEST(unheld_is_what_no_reference_from_outside_leads_to)
{
    PART int64_t held[NODES];
    uint8_t unheld[NODES + 1];
    bool outside[NODES];
    size_t count, wanted = 0;
    for (walk_id i = 0; i < part.members.count; i++) {
        outside[i] = rng_below(&rng, 6) == 0;
        held[i] = (int64_t)part.edges_into[i] + (outside[i] ? 1 + (int64_t)rng_below(&rng, 3) : 0);
    }
    assert_good(walk_members_unheld(&part.members, held, unheld, &count));
    for (walk_id i = 0; i < part.members.count; i++) {
        bool alive = outside[i];
        for (walk_id j = 0; j < part.members.count; j++)
            alive |= outside[j] && part.reach[j][i];
        expect_eq(unheld[i], !alive);
        wanted += !alive;
    }
    expect_eq(count, wanted);
    end_part(&part);
}
END_TEST

int main(void)
{
    const TTest *const random_tests[] = {members_are_numbered_in_the_order_of_their_ids,
                                         components_are_those_that_reach_each_other,
                                         unheld_is_what_no_reference_from_outside_leads_to, NULL};
    const TTest *const single_tests[] = {ids_that_do_not_ascend_are_refused, a_long_path_needs_no_stack, NULL};
    const struct unit_group groups[] = {{"random parts", random_tests, LOOPS}, {"parts", single_tests, 0}};
    return unit_run("members", groups, sizeof groups / sizeof *groups);
}
