/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph/index.h"
#include "unit.h"

/* ---- a random multigraph as lists, the brute force that the graph is compared with ---- */

enum { NODES = 300, ROW = 12 };

struct plain {
    size_t nodes; /* keys 0 .. nodes - 1 are nodes when they are reached; the rest are refused */
    struct {
        uint32_t to; /* index of a key, may be refused */
        bool mark, late;
    } edge[NODES][ROW];
    size_t row[NODES];
    walk_addr key[2 * NODES];
    size_t roots;
    /* What the source was told to do, and did. */
    size_t visits, fail_at;
};

static void make_plain(struct plain *plain, struct rng *rng)
{
    memset(plain, 0, sizeof *plain);
    plain->nodes = 1 + rng_below(rng, NODES);
    plain->roots = 1 + rng_below(rng, plain->nodes);
    plain->fail_at = SIZE_MAX;
    for (size_t i = 0; i < 2 * NODES; i++)
        plain->key[i] = UINT64_C(0x7f0000000000) + i * 16 * (1 + rng_below(rng, 2)) + (i << 26);
    for (size_t i = 0; i < plain->nodes; i++) {
        plain->row[i] = rng_below(rng, ROW + 1);
        for (size_t e = 0; e < plain->row[i]; e++) {
            plain->edge[i][e].to = (uint32_t)rng_below(rng, plain->nodes + plain->nodes / 4);
            plain->edge[i][e].mark = rng_below(rng, 3) == 0;
            plain->edge[i][e].late = rng_below(rng, 5) == 0;
        }
    }
}

static size_t index_of(const struct plain *plain, walk_addr key)
{
    for (size_t i = 0; i < 2 * NODES; i++)
        if (plain->key[i] == key)
            return i;
    return SIZE_MAX;
}

static bool admit(void *context, walk_addr key, uint32_t *class, uint8_t *flags)
{
    const struct plain *plain = context;
    size_t index = index_of(plain, key);
    *class = (uint32_t)index + 7;
    *flags = (uint8_t)index;
    return index < plain->nodes;
}

static struct walk_error *visit(void *context, walk_id node, walk_addr key, uint32_t class, uint8_t flags,
                                struct walk_builder *builder)
{
    struct plain *plain = context;
    size_t index = index_of(plain, key);
    expect_eq(node, plain->visits);
    expect_eq(class, index + 7);
    expect_eq(flags, (uint8_t)index);
    if (plain->visits++ == plain->fail_at)
        return walk_error_new(WALK_ERROR_IMPLAUSIBLE, "told to fail");
    for (size_t e = 0; e < plain->row[index]; e++) {
        walk_addr to = plain->key[plain->edge[index][e].to];
        bool mark = plain->edge[index][e].mark;
        if (plain->edge[index][e].late)
            walk_builder_edge_if_known(builder, to, mark);
        else
            expect_eq(walk_builder_edge(builder, to, mark), plain->edge[index][e].to < plain->nodes);
    }
    return NULL;
}

static struct walk_error *build_with(struct plain *plain, struct walk_graph *graph, walk_progress *progress,
                                     void *context)
{
    struct walk_source source = {plain, admit, visit, progress, context};
    struct walk_builder *builder;
    assert_good(walk_builder_open(graph, &source, &builder));
    for (size_t i = 0; i < plain->roots; i++)
        assert_good(walk_builder_node(builder, plain->key[i], (uint32_t)i + 7, (uint8_t)i));
    return walk_builder_finish(builder);
}

static void build(struct plain *plain, struct walk_graph *graph) { assert_good(build_with(plain, graph, NULL, NULL)); }

/* ---- the index ---- */

static struct walk_error *visit_nothing(void *context, walk_id node, walk_addr key, uint32_t class, uint8_t flags,
                                        struct walk_builder *builder)
{
    (void)context, (void)node, (void)key, (void)class, (void)flags, (void)builder;
    return NULL;
}

static void build_of_keys(const walk_addr *keys, size_t count, struct walk_graph *graph)
{
    struct walk_source source = {NULL, NULL, visit_nothing, NULL, NULL};
    struct walk_builder *builder;
    assert_good(walk_builder_open(graph, &source, &builder));
    for (size_t i = 0; i < count; i++)
        assert_good(walk_builder_node(builder, keys[i], (uint32_t)i, 0));
    assert_good(walk_builder_finish(builder));
}

START_TEST(every_key_is_found_again_after_the_index_has_grown)
{
    enum { MANY = 400000 };
    walk_addr *keys = malloc(MANY * sizeof *keys);
    struct walk_graph graph;
    for (size_t i = 0; i < MANY; i++)
        keys[i] = UINT64_C(0x7f1200000000) + i * 48;
    build_of_keys(keys, MANY, &graph);
    expect_eq(graph.node_count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        expect_eq(walk_graph_find(&graph, keys[i]), i);
        expect_eq(walk_graph_find(&graph, keys[i] + 16), WALK_NO_ID);
    }
    ck_assert_uint_ge(graph.index.size / 4 * 3, graph.node_count);
    walk_graph_deinit(&graph);
    free(keys);
}
END_TEST

/* Keys that fall into one slot: the low four bits are not hashed, and the table is a power of two. */
START_TEST(keys_that_collide_are_told_apart)
{
    enum { MANY = 2000 };
    walk_addr keys[MANY];
    struct walk_graph graph;
    struct walk_index index = {NULL, 1 << 16};
    size_t count = 0;
    keys[count++] = 0x7f0000000010;
    size_t slot = walk_index_slot(&index, keys[0]);
    for (walk_addr low = 1; low < 16 && count < MANY; low++)
        keys[count++] = keys[0] + low;
    for (walk_addr high = 1; count < MANY; high++)
        for (walk_addr middle = 0; middle < 1 << 16 && count < MANY; middle++) {
            walk_addr key = (UINT64_C(0x7f0) + high) << 36 | middle << 4;
            if (walk_index_slot(&index, key) == slot)
                keys[count++] = key;
        }
    build_of_keys(keys, MANY, &graph);
    expect_eq(graph.node_count, MANY);
    for (size_t i = 0; i < MANY; i++)
        expect_eq(walk_graph_find(&graph, keys[i]), i);
    walk_graph_deinit(&graph);
}
END_TEST

/* Objects of a few sizes in pools of 4 KB in arenas all over the address space, as CPython's allocator places them. */
START_TEST(look_ups_of_what_an_allocator_makes_take_few_steps)
{
    enum { ARENAS = 60, ARENA = 1 << 18, POOL = 1 << 12 };
    struct rng rng = {11};
    walk_addr *keys = malloc(ARENAS * (ARENA / 32) * sizeof *keys);
    size_t count = 0, steps = 0, longest = 0;
    struct walk_graph graph;
    for (int arena = 0; arena < ARENAS; arena++) {
        walk_addr start = UINT64_C(0x7f0000000000) + (rng_below(&rng, 1 << 14) << 20) + (rng_below(&rng, 4) << 18);
        for (walk_addr pool = start; pool < start + ARENA; pool += POOL) {
            uint64_t size = 32 + 16 * rng_below(&rng, 8);
            for (walk_addr at = pool + 48; at + size <= pool + POOL; at += size)
                keys[count++] = at + 16;
        }
    }
    build_of_keys(keys, count, &graph);
    for (walk_id id = 0; id < graph.node_count; id++) {
        size_t at = walk_index_slot(&graph.index, graph.key[id]), taken = 1;
        for (; graph.index.slot[at] != id + 1; at = (at + 1) & (graph.index.size - 1))
            taken++;
        steps += taken;
        longest = taken > longest ? taken : longest;
    }
    ck_assert_msg(steps < 3 * (size_t)graph.node_count && longest < 200, "%zu steps for %u keys, %zu for one", steps,
                  graph.node_count, longest);
    walk_graph_deinit(&graph);
    free(keys);
}
END_TEST

START_TEST(extreme_keys_are_keys_like_all_others)
{
    walk_addr keys[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    struct walk_graph graph;
    build_of_keys(keys, 5, &graph);
    for (walk_id i = 0; i < 5; i++)
        expect_eq(walk_graph_find(&graph, keys[i]), i);
    expect_eq(walk_graph_find(&graph, 2), WALK_NO_ID);
    walk_graph_deinit(&graph);
}
END_TEST

START_TEST(an_empty_graph_finds_nothing)
{
    struct walk_graph graph;
    build_of_keys(NULL, 0, &graph);
    expect_eq(walk_graph_find(&graph, 0), WALK_NO_ID);
    expect_eq(graph.forward.start[0], 0);
    walk_graph_deinit(&graph);
    expect_eq(walk_graph_find(&graph, 0), WALK_NO_ID);
}
END_TEST

/* ---- the builder ---- */

START_TEST(a_key_entered_twice_keeps_its_class_and_gathers_flags)
{
    struct walk_graph graph;
    struct walk_source source = {NULL, NULL, visit_nothing, NULL, NULL};
    struct walk_builder *builder;
    assert_good(walk_builder_open(&graph, &source, &builder));
    assert_good(walk_builder_node(builder, 0x1000, 3, 1));
    assert_good(walk_builder_node(builder, 0x1000, 9, 4));
    assert_good(walk_builder_finish(builder));
    expect_eq(graph.node_count, 1);
    expect_eq(graph.class[0], 3);
    expect_eq(graph.flags[0], 5);
    walk_graph_deinit(&graph);
}
END_TEST

/* Forward rows: the edges in the order that they were found, then the late ones whose key became a node. */
static void check_forward(const struct plain *plain, const struct walk_graph *graph)
{
    uint64_t total = 0;
    for (walk_id id = 0; id < graph->node_count; id++) {
        size_t index = index_of(plain, graph->key[id]);
        uint64_t at = graph->forward.start[id];
        expect_eq(at, total);
        for (int late = 0; late < 2; late++)
            for (size_t e = 0; e < plain->row[index]; e++) {
                walk_id to = walk_graph_find(graph, plain->key[plain->edge[index][e].to]);
                if (plain->edge[index][e].late != (late == 1) || to == WALK_NO_ID)
                    continue;
                expect(at < graph->forward.start[id + 1]);
                expect_eq(graph->forward.edge[at], to | (plain->edge[index][e].mark ? WALK_EDGE_MARK : 0));
                at++;
            }
        expect_eq(at, graph->forward.start[id + 1]);
        total = at;
    }
    expect_eq(total, graph->edge_count);
}

/* Backward rows: every forward edge once, by holder, with its mark. */
static void check_backward(const struct walk_graph *graph)
{
    const struct walk_rows *forward = &graph->forward, *backward = &graph->backward;
    uint64_t total = 0;
    for (walk_id to = 0; to < graph->node_count; to++) {
        uint64_t at = backward->start[to];
        expect_eq(at, total);
        for (walk_id from = 0; from < graph->node_count; from++)
            for (uint64_t i = forward->start[from]; i < forward->start[from + 1]; i++)
                if (WALK_EDGE_ID(forward->edge[i]) == to) {
                    expect_eq(backward->edge[at], from | (forward->edge[i] & WALK_EDGE_MARK));
                    at++;
                }
        expect_eq(at, backward->start[to + 1]);
        total = at;
    }
    expect_eq(total, graph->edge_count);
}

START_TEST(rows_forward_and_backward_equal_brute_force)
{
    struct rng rng = {3};
    static struct plain plain;
    for (int round = 0; round < 60; round++) {
        struct walk_graph graph;
        make_plain(&plain, &rng);
        build(&plain, &graph);
        expect_eq(plain.visits, graph.node_count);
        check_forward(&plain, &graph);
        check_backward(&graph);
        walk_graph_deinit(&graph);
    }
}
END_TEST

START_TEST(a_refused_key_is_neither_node_nor_edge)
{
    static struct plain plain;
    struct walk_graph graph;
    memset(&plain, 0, sizeof plain);
    plain.fail_at = SIZE_MAX;
    plain.nodes = plain.roots = 1;
    plain.key[0] = 0x1000;
    plain.key[1] = 0x2000;
    plain.row[0] = 2;
    plain.edge[0][0].to = 1;
    plain.edge[0][1].to = 0;
    build(&plain, &graph);
    expect_eq(graph.node_count, 1);
    expect_eq(graph.edge_count, 1);
    walk_graph_deinit(&graph);
}
END_TEST

START_TEST(a_late_edge_to_what_is_found_later_counts_and_one_to_what_never_is_does_not)
{
    static struct plain plain;
    struct walk_graph graph;
    memset(&plain, 0, sizeof plain);
    plain.fail_at = SIZE_MAX;
    plain.nodes = 4;
    plain.roots = 2;
    for (size_t i = 0; i < 2 * NODES; i++)
        plain.key[i] = 0x1000 + 16 * i;
    plain.row[0] = 2; /* 0 -> 2 late, 0 -> 3 late; 1 -> 2 */
    plain.edge[0][0].to = 2;
    plain.edge[0][0].late = plain.edge[0][0].mark = true;
    plain.edge[0][1].to = 3;
    plain.edge[0][1].late = true;
    plain.row[1] = 1;
    plain.edge[1][0].to = 2;
    build(&plain, &graph);
    expect_eq(graph.node_count, 3);
    expect_eq(graph.edge_count, 2);
    expect_eq(graph.forward.edge[0], 2 | WALK_EDGE_MARK);
    expect_eq(graph.forward.edge[1], 2);
    expect_eq(graph.backward.start[2], 0);
    expect_eq(graph.backward.start[3], 2);
    walk_graph_deinit(&graph);
}
END_TEST

static bool stop(void *context, size_t visited, size_t known)
{
    expect(visited <= known);
    return ++*(size_t *)context == 0;
}

START_TEST(progress_that_says_no_interrupts_and_leaves_nothing)
{
    struct rng rng = {4};
    static struct plain plain;
    struct walk_graph graph;
    size_t asked = 0;
    make_plain(&plain, &rng);
    assert_error(build_with(&plain, &graph, stop, &asked), WALK_ERROR_INTERRUPTED, "interrupted");
    expect_eq(asked, 1);
    ck_assert_ptr_null(graph.key);
}
END_TEST

START_TEST(an_error_of_a_visit_ends_the_build_with_that_error)
{
    struct rng rng = {5};
    static struct plain plain;
    struct walk_graph graph;
    make_plain(&plain, &rng);
    plain.fail_at = plain.roots - 1;
    assert_error(build_with(&plain, &graph, NULL, NULL), WALK_ERROR_IMPLAUSIBLE, "told to fail");
    expect_eq(plain.visits, plain.roots);
}
END_TEST

/* ---- searches ---- */

/* Judges by a table: what to do with a node. */
struct verdicts {
    enum walk_step step[NODES];
    bool by_mark; /* marked edges are skipped */
};

static enum walk_step judge(void *context, walk_id from, walk_id to, bool mark)
{
    const struct verdicts *verdicts = context;
    (void)from;
    return verdicts->by_mark && mark ? WALK_STEP_SKIP : verdicts->step[to];
}

/* Bellman and Ford: the distance of every node, through nodes that are taken and gone on from. */
static void distances(const struct walk_graph *graph, const struct walk_rows *rows, walk_id start, uint32_t limit,
                      const struct verdicts *verdicts, uint32_t *distance)
{
    for (walk_id id = 0; id < graph->node_count; id++)
        distance[id] = UINT32_MAX;
    distance[start] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (walk_id from = 0; from < graph->node_count; from++) {
            if (distance[from] >= limit || (from != start && verdicts && verdicts->step[from] != WALK_STEP_TAKE))
                continue;
            for (uint64_t i = rows->start[from]; i < rows->start[from + 1]; i++) {
                walk_id to = WALK_EDGE_ID(rows->edge[i]);
                if (verdicts &&
                    (verdicts->step[to] == WALK_STEP_SKIP || (verdicts->by_mark && (rows->edge[i] & WALK_EDGE_MARK))))
                    continue;
                if (distance[from] + 1 < distance[to]) {
                    distance[to] = distance[from] + 1;
                    changed = true;
                }
            }
        }
    }
}

static bool has_edge(const struct walk_rows *rows, walk_id from, walk_id to)
{
    for (uint64_t i = rows->start[from]; i < rows->start[from + 1]; i++)
        if (WALK_EDGE_ID(rows->edge[i]) == to)
            return true;
    return false;
}

static void check_reach(const struct walk_graph *graph, const struct walk_rows *rows, const struct walk_reach *reach,
                        const uint32_t *distance)
{
    size_t reached = 0;
    bool seen[NODES] = {false};
    for (walk_id id = 0; id < graph->node_count; id++)
        reached += distance[id] != UINT32_MAX;
    expect_eq(reach->count, reached);
    for (size_t i = 0; i < reach->count; i++) {
        walk_id id = reach->id[i];
        expect(!seen[id]);
        seen[id] = true;
        expect_eq(reach->depth[i], distance[id]);
        expect(i == 0 || reach->depth[i] >= reach->depth[i - 1]);
        if (i == 0)
            continue;
        expect(reach->parent[i] < i);
        expect_eq(reach->depth[reach->parent[i]] + 1, reach->depth[i]);
        expect(has_edge(rows, reach->id[reach->parent[i]], id));
    }
}

START_TEST(a_search_equals_brute_force_for_every_limit_and_judge)
{
    struct rng rng = {6};
    static struct plain plain;
    static const uint32_t limits[] = {0, 1, 2, 3, 7, UINT32_MAX};
    for (int round = 0; round < 40; round++) {
        struct walk_graph graph;
        make_plain(&plain, &rng);
        build(&plain, &graph);
        for (int i = 0; i < 24; i++) {
            struct verdicts verdicts = {.by_mark = rng_below(&rng, 2)};
            for (size_t n = 0; n < NODES; n++)
                verdicts.step[n] = rng_below(&rng, 3) ? WALK_STEP_TAKE : (enum walk_step)rng_below(&rng, 3);
            const struct walk_rows *rows = i & 1 ? &graph.forward : &graph.backward;
            const struct verdicts *chosen = i % 3 ? &verdicts : NULL;
            walk_id start = (walk_id)rng_below(&rng, graph.node_count);
            uint32_t limit = limits[rng_below(&rng, 6)], distance[NODES];
            struct walk_reach reach;
            distances(&graph, rows, start, limit, chosen, distance);
            assert_good(walk_graph_search(&graph, rows, start, limit, chosen ? judge : NULL, &verdicts, &reach));
            check_reach(&graph, rows, &reach, distance);
            walk_reach_deinit(&reach);
        }
        walk_graph_deinit(&graph);
    }
}
END_TEST

START_TEST(finish_ends_the_search_with_the_node_that_was_asked_for)
{
    struct rng rng = {8};
    static struct plain plain;
    int finished = 0;
    for (int round = 0; round < 40; round++) {
        struct walk_graph graph;
        make_plain(&plain, &rng);
        build(&plain, &graph);
        walk_id start = (walk_id)rng_below(&rng, graph.node_count), wanted = (walk_id)rng_below(&rng, graph.node_count);
        struct verdicts verdicts;
        uint32_t distance[NODES];
        memset(&verdicts, 0, sizeof verdicts);
        for (size_t n = 0; n < NODES; n++)
            verdicts.step[n] = n == wanted ? WALK_STEP_FINISH : WALK_STEP_TAKE;
        struct walk_reach reach;
        distances(&graph, &graph.forward, start, UINT32_MAX, NULL, distance);
        assert_good(walk_graph_search(&graph, &graph.forward, start, UINT32_MAX, judge, &verdicts, &reach));
        if (wanted != start && distance[wanted] != UINT32_MAX) {
            expect_eq(reach.id[reach.count - 1], wanted);
            expect_eq(reach.depth[reach.count - 1], distance[wanted]);
            finished++;
        }
        walk_reach_deinit(&reach);
        walk_graph_deinit(&graph);
    }
    ck_assert_int_gt(finished, 5);
}
END_TEST

/* A chain as long as a recursion would never survive. */
START_TEST(a_chain_of_a_million_nodes_is_searched_to_its_end)
{
    enum { LONG = 1000000 };
    struct walk_graph graph = {.node_count = LONG, .edge_count = LONG - 1};
    uint64_t *start = malloc((LONG + 1) * sizeof *start);
    uint32_t *edge = malloc(LONG * sizeof *edge);
    for (size_t i = 0; i <= LONG; i++)
        start[i] = i < LONG ? i : LONG - 1;
    for (uint32_t i = 0; i < LONG - 1; i++)
        edge[i] = i + 1;
    struct walk_rows rows = {start, edge};
    struct walk_reach reach;
    assert_good(walk_graph_search(&graph, &rows, 0, UINT32_MAX, NULL, NULL, &reach));
    expect_eq(reach.count, LONG);
    expect_eq(reach.depth[LONG - 1], LONG - 1);
    walk_reach_deinit(&reach);
    free(start);
    free(edge);
}
END_TEST

int main(void)
{
    const TTest *const index_tests[] = {every_key_is_found_again_after_the_index_has_grown,
                                        keys_that_collide_are_told_apart,
                                        look_ups_of_what_an_allocator_makes_take_few_steps,
                                        extreme_keys_are_keys_like_all_others,
                                        an_empty_graph_finds_nothing,
                                        NULL};
    const TTest *const builder_tests[] = {a_key_entered_twice_keeps_its_class_and_gathers_flags,
                                          rows_forward_and_backward_equal_brute_force,
                                          a_refused_key_is_neither_node_nor_edge,
                                          a_late_edge_to_what_is_found_later_counts_and_one_to_what_never_is_does_not,
                                          progress_that_says_no_interrupts_and_leaves_nothing,
                                          an_error_of_a_visit_ends_the_build_with_that_error,
                                          NULL};
    const TTest *const search_tests[] = {a_search_equals_brute_force_for_every_limit_and_judge,
                                         finish_ends_the_search_with_the_node_that_was_asked_for,
                                         a_chain_of_a_million_nodes_is_searched_to_its_end, NULL};
    const struct unit_group groups[] = {
        {"index", index_tests, 0}, {"builder", builder_tests, 0}, {"search", search_tests, 0}};
    return unit_run("graph", groups, sizeof groups / sizeof *groups);
}
