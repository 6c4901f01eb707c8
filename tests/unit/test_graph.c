/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <string.h>

#include "graph/index.h"
#include "unit.h"

/* ---- a random multigraph as lists, the brute force that the graph is compared with ---- */

enum { NODES = 300, ROW = 12, MISSING = 128 };

struct plain {
    size_t nodes; /* keys 0 .. nodes - 1 are nodes when they are reached; the rest are refused */
    struct {
        uint32_t to; /* index of a key, may be refused */
        bool mark, late;
    } edge[NODES][ROW];
    size_t row[NODES];
    walk_addr key[2 * NODES];
    size_t roots;
    unsigned workers;
    size_t fail_at; /* how many visits are good */
    /* Nodes of some classes are known only when all else of the round was asked, others are visited by one alone. */
    bool shy, taught[2 * NODES];
    bool spread; /* of some nodes a part is far */
    atomic_size_t far_visits, whole_visits;
    size_t settled, asked[2 * NODES]; /* how often, and the number of that after a node was asked */
    /* What the source was told to do, and did. Expectations are for one thread: others count what is wrong. */
    atomic_size_t visits, wrong, late_admissions, late_visits;
    atomic_bool wanted[2 * NODES];
    atomic_uint visited[2 * NODES];
};

static void make_plain(struct plain *plain, struct rng *rng)
{
    memset(plain, 0, sizeof *plain);
    plain->nodes = 1 + rng_below(rng, NODES);
    plain->roots = 1 + rng_below(rng, plain->nodes);
    plain->workers = 1;
    plain->fail_at = SIZE_MAX;
    for (size_t i = 0; i < 2 * NODES; i++)
        plain->key[i] = UINT64_C(0x7f0000000000) + i * 16 * (1 + rng_below(rng, 2)) + (i << 17);
    for (size_t i = 0; i < plain->nodes; i++) {
        plain->row[i] = rng_below(rng, ROW + 1);
        for (size_t e = 0; e < plain->row[i]; e++) {
            plain->edge[i][e].to = (uint32_t)rng_below(rng, plain->nodes + plain->nodes / 4);
            plain->edge[i][e].mark = rng_below(rng, 3) == 0;
            plain->edge[i][e].late = rng_below(rng, 5) == 0;
        }
    }
}

/* All edges are to what is a node if it is reached. */
static void refuse_nothing(struct plain *plain)
{
    for (size_t i = 0; i < plain->nodes; i++)
        for (size_t e = 0; e < plain->row[i]; e++)
            plain->edge[i][e].to %= (uint32_t)plain->nodes;
}

/* The keys are in their order. */
static size_t index_of(const struct plain *plain, walk_addr key)
{
    size_t low = 0, high = 2 * NODES;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (plain->key[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < 2 * NODES && plain->key[low] == key ? low : SIZE_MAX;
}

/* Of the keys that are no nodes half are told at once, the others when they are asked. */
static bool likely(void *context, unsigned worker, walk_addr key)
{
    const struct plain *plain = context;
    size_t index = index_of(plain, key);
    (void)worker;
    return index < plain->nodes || index % 2 == 0;
}

static uint8_t flags_of(size_t index) { return index & (MISSING - 1); }

/* Roots at odd positions are told in a group. */
static bool is_told(const struct plain *plain, size_t index) { return index < plain->roots && index % 2; }

static void tell(void *context, unsigned worker, const walk_addr *keys, size_t count, uint32_t *class, uint8_t *flags)
{
    struct plain *plain = context;
    for (size_t i = 0; i < count; i++) {
        size_t index = index_of(plain, keys[i]);
        plain->asked[index] = plain->settled + 1;
        plain->wrong += worker >= plain->workers || !is_told(plain, index);
        class[i] = (uint32_t)index + 7;
        flags[i] = flags_of(index);
    }
}

static enum walk_answer admit(void *context, unsigned worker, walk_addr key, uint32_t *class, uint8_t *flags)
{
    struct plain *plain = context;
    size_t index = index_of(plain, key);
    plain->asked[index] = plain->settled + 1;
    plain->wrong += worker >= plain->workers || is_told(plain, index);
    if (plain->shy && index % 5 == 0 && !plain->taught[index]) {
        atomic_store(&plain->wanted[index], true);
        plain->late_admissions++;
        return WALK_LATER;
    }
    *class = (uint32_t)index + 7;
    *flags = flags_of(index);
    if (index >= plain->nodes)
        return WALK_NO;
    return plain->shy && index % 3 == 0 ? WALK_WAIT : WALK_YES;
}

static struct walk_error *settle(void *context, bool again)
{
    struct plain *plain = context;
    bool any = false;
    plain->settled += !again;
    for (size_t i = 0; i < 2 * NODES; i++)
        if (atomic_exchange(&plain->wanted[i], false))
            any = plain->taught[i] = true;
    expect_eq(again, any);
    return NULL;
}

static void emit_some(const struct plain *plain, struct walk_emitter *emitter, size_t index, size_t first, size_t end)
{
    for (size_t e = first; e < end; e++) {
        uint32_t to = plain->edge[index][e].to;
        bool mark = plain->edge[index][e].mark;
        if (plain->edge[index][e].late)
            walk_emit_edge_if_known(emitter, plain->key[to], mark);
        else
            walk_emit_edge(emitter, plain->key[to], mark);
    }
}

/* The part of a node that may be far: the edges from `first` on; what other node it is near to. */
struct far_away {
    size_t first, end, near;
};

static struct far_away far_of(const struct plain *plain, size_t index)
{
    struct far_away far = {.first = plain->row[index] * (index % 3) / 3, .near = (index * 7 + 3) % plain->nodes};
    far.end = far.first + (plain->row[index] - far.first) * (index % 4) / 3;
    far.end = far.end < plain->row[index] ? far.end : plain->row[index];
    return far;
}

static struct walk_error *visit_far(void *context, unsigned worker, const struct walk_far_part *part, uint8_t *flags,
                                    struct walk_emitter *emitter, bool *whole)
{
    struct plain *plain = context;
    size_t index = index_of(plain, part->key);
    struct far_away far = far_of(plain, index);
    plain->wrong += worker >= plain->workers || part->class != index + 7 || part->note != index ||
                    part->at != plain->key[far.near] || (*flags & (MISSING - 1)) != flags_of(index);
    *whole = index % 5 == 2;
    emit_some(plain, emitter, index, *whole ? 0 : far.first, *whole ? plain->row[index] : far.end);
    plain->far_visits++;
    plain->whole_visits += *whole;
    return NULL;
}

static struct walk_error *visit(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                struct walk_emitter *emitter, enum walk_answer *answer)
{
    struct plain *plain = context;
    size_t index = index_of(plain, key);
    plain->wrong += class != index + 7 || *flags != flags_of(index);
    plain->wrong += plain->shy && plain->asked[index] && index % 3 == 0 && plain->settled < plain->asked[index];
    struct far_away far = far_of(plain, index);
    if (plain->spread && index % 4 && walk_emit_takes_far(emitter, plain->key[far.near])) {
        emit_some(plain, emitter, index, 0, far.first);
        walk_emit_far(emitter, plain->key[far.near], (uint32_t)index);
        emit_some(plain, emitter, index, far.end, plain->row[index]);
    } else {
        emit_some(plain, emitter, index, 0, plain->row[index]);
    }
    if (plain->shy && index % 7 == 0 && worker != WALK_ALONE) {
        plain->late_visits++;
        *answer = WALK_LATER;
        return NULL;
    }
    plain->visited[index]++;
    return plain->visits++ == plain->fail_at ? walk_error_new(WALK_ERROR_IMPLAUSIBLE, "told to fail") : NULL;
}

/* Roots at even positions are told one by one, the others in a group. */
static struct walk_builder *open_builder(struct plain *plain, struct walk_graph *graph, walk_progress *progress,
                                         void *context)
{
    struct walk_source source = {.context = plain,
                                 .workers = plain->workers,
                                 .granule = 8,
                                 .flag_missing = MISSING,
                                 .likely = likely,
                                 .tell = tell,
                                 .admit = admit,
                                 .settle = settle,
                                 .visit = visit,
                                 .visit_far = plain->spread ? visit_far : NULL,
                                 .progress = progress,
                                 .progress_context = context};
    struct walk_builder *builder;
    walk_addr group[NODES];
    size_t count = 0, odd;
    assert_good(walk_builder_open(graph, &source, &builder));
    for (size_t i = 0; i < plain->roots; i++) {
        if (i % 2)
            group[count++] = plain->key[i];
        else
            assert_good(walk_builder_node(builder, plain->key[i], (uint32_t)i + 7, flags_of(i)));
    }
    assert_good(walk_builder_nodes(builder, group, count, &odd));
    expect_eq(odd, 0);
    return builder;
}

static struct walk_error *build_with(struct plain *plain, struct walk_graph *graph, walk_progress *progress,
                                     void *context)
{
    return walk_builder_finish(open_builder(plain, graph, progress, context));
}

static void build(struct plain *plain, struct walk_graph *graph)
{
    assert_good(build_with(plain, graph, NULL, NULL));
    expect_eq(plain->wrong, 0);
}

/* ---- the index ---- */

static struct walk_error *visit_nothing(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                        struct walk_emitter *emitter, enum walk_answer *answer)
{
    (void)context, (void)worker, (void)key, (void)class, (void)flags, (void)emitter, (void)answer;
    return NULL;
}

static void build_of_keys(const walk_addr *keys, size_t count, unsigned granule, struct walk_graph *graph)
{
    struct walk_source source = {.workers = 2, .granule = granule, .visit = visit_nothing};
    struct walk_builder *builder;
    assert_good(walk_builder_open(graph, &source, &builder));
    for (size_t i = 0; i < count; i++)
        assert_good(walk_builder_node(builder, keys[i], (uint32_t)i, 0));
    assert_good(walk_builder_finish(builder));
}

START_TEST(every_key_is_found_again_and_no_other)
{
    enum { MANY = 400000 };
    static const unsigned granules[] = {1, 4, 8, 16};
    walk_addr *keys = malloc(MANY * sizeof *keys);
    for (size_t g = 0; g < 4; g++) {
        struct walk_graph graph;
        for (size_t i = 0; i < MANY; i++)
            keys[i] = UINT64_C(0x7f1200000000) + i * 3 * granules[g];
        build_of_keys(keys, MANY, granules[g], &graph);
        expect_eq(graph.node_count, MANY);
        for (size_t i = 0; i < MANY; i++) {
            expect_eq(walk_graph_find(&graph, keys[i]), i);
            expect_eq(walk_graph_key(&graph, i), keys[i]);
            expect_eq(graph.class[i], i);
            expect_eq(walk_graph_find(&graph, keys[i] + granules[g]), WALK_NO_ID);
            expect_eq(walk_graph_find(&graph, keys[i] - 1), WALK_NO_ID);
        }
        walk_graph_deinit(&graph);
    }
    free(keys);
}
END_TEST

START_TEST(ids_are_in_the_order_of_keys_wherever_these_are)
{
    struct rng rng = {11};
    for (int round = 0; round < 20; round++) {
        enum { MANY = 500 };
        walk_addr keys[MANY];
        struct walk_graph graph;
        for (size_t i = 0; i < MANY; i++)
            keys[i] = rng_below(&rng, UINT64_C(1) << (10 + 37 * rng_below(&rng, 2))) & ~UINT64_C(7);
        build_of_keys(keys, MANY, 8, &graph);
        for (walk_id id = 1; id < graph.node_count; id++)
            expect(walk_graph_key(&graph, id - 1) < walk_graph_key(&graph, id));
        for (size_t i = 0; i < MANY; i++)
            expect_eq(walk_graph_key(&graph, walk_graph_find(&graph, keys[i])), keys[i]);
        walk_graph_deinit(&graph);
    }
}
END_TEST

/* Beyond the space of keys, and no multiples of what keys are. */
START_TEST(odd_keys_are_keys_like_all_others)
{
    walk_addr keys[] = {UINT64_MAX, 8, 9, UINT64_MAX - 1, 0, UINT64_C(1) << 63, UINT64_C(1) << 48, 9};
    walk_addr sorted[] = {0, 8, 9, UINT64_C(1) << 48, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
    struct walk_graph graph;
    build_of_keys(keys, 8, 8, &graph);
    expect_eq(graph.node_count, 7);
    for (walk_id i = 0; i < 7; i++) {
        expect_eq(walk_graph_find(&graph, sorted[i]), i);
        expect_eq(walk_graph_key(&graph, i), sorted[i]);
    }
    expect_eq(walk_graph_find(&graph, 16), WALK_NO_ID);
    expect_eq(walk_graph_find(&graph, 10), WALK_NO_ID);
    expect_eq(walk_graph_find(&graph, (UINT64_C(1) << 48) + 8), WALK_NO_ID);
    walk_graph_deinit(&graph);
}
END_TEST

static struct walk_error *visit_odd(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                    struct walk_emitter *emitter, enum walk_answer *answer)
{
    (void)context, (void)worker, (void)class, (void)flags, (void)answer;
    if (key == 9) {
        walk_emit_edge(emitter, 11, false);
        walk_emit_edge(emitter, UINT64_MAX, true);
        walk_emit_edge_if_known(emitter, 13, true);
        walk_emit_edge_if_known(emitter, 9, false);
    }
    return NULL;
}

START_TEST(edges_from_and_to_odd_keys_are_edges_and_none_makes_such_a_node)
{
    struct walk_source source = {.workers = 1, .granule = 8, .flag_missing = MISSING, .visit = visit_odd};
    struct walk_builder *builder;
    struct walk_graph graph;
    assert_good(walk_builder_open(&graph, &source, &builder));
    assert_good(walk_builder_node(builder, UINT64_MAX, 0, 0));
    assert_good(walk_builder_node(builder, 9, 0, 0));
    assert_good(walk_builder_finish(builder));
    expect_eq(graph.node_count, 2);
    expect_eq(graph.edge_count, 2);
    expect_eq(graph.forward.edge[0], 1 | WALK_EDGE_MARK);
    expect_eq(graph.forward.edge[1], 0);
    expect_eq(graph.backward.start[1], 1);
    expect_eq(graph.flags[0], MISSING);
    expect_eq(graph.flags[1], 0);
    walk_graph_deinit(&graph);
}
END_TEST

static void tell_all(void *context, unsigned worker, const walk_addr *keys, size_t count, uint32_t *class,
                     uint8_t *flags)
{
    (void)context, (void)worker;
    for (size_t i = 0; i < count; i++) {
        class[i] = (uint32_t)(keys[i] >> 8);
        flags[i] = 0;
    }
}

static void check_class(const struct walk_graph *graph, walk_id id)
{
    uint32_t class = (uint32_t)(walk_graph_key(graph, id) >> 8);
    expect_eq(graph->class[id], class);
}

/* Builds a graph of a group; returns how many are left out. */
static size_t build_group(const walk_addr *keys, size_t count, struct walk_graph *graph)
{
    struct walk_source source = {.workers = 2, .granule = 8, .tell = tell_all, .visit = visit_nothing};
    struct walk_builder *builder;
    size_t odd;
    assert_good(walk_builder_open(graph, &source, &builder));
    assert_good(walk_builder_nodes(builder, keys, count, &odd));
    assert_good(walk_builder_finish(builder));
    for (walk_id id = 0; id < graph->node_count; id++)
        check_class(graph, id);
    return odd;
}

START_TEST(odd_keys_of_a_group_are_counted_and_left_out)
{
    static const walk_addr keys[] = {9, 0x1000, 0x1008, 0x1009, 0x1010, UINT64_C(1) << 40, WALK_KEY_END, UINT64_MAX};
    struct walk_graph graph;
    expect_eq(build_group(keys, 2, &graph), 1);
    expect_eq(graph.node_count, 1);
    walk_graph_deinit(&graph);
    expect_eq(build_group(keys, 8, &graph), 4);
    expect_eq(graph.node_count, 4);
    expect_eq(walk_graph_key(&graph, 3), UINT64_C(1) << 40);
    walk_graph_deinit(&graph);
    expect_eq(build_group(keys + 6, 2, &graph), 2);
    expect_eq(graph.node_count, 0);
    walk_graph_deinit(&graph);
}
END_TEST

START_TEST(keys_of_a_group_count_once_and_those_out_of_order_do_no_harm)
{
    static const walk_addr twice[] = {0x1000, 0x1000, 0x1008, 0x2000, 0x2000};
    walk_addr mixed[300];
    struct walk_graph graph;
    struct rng rng = {3};
    expect_eq(build_group(twice, 5, &graph), 0);
    expect_eq(graph.node_count, 3);
    walk_graph_deinit(&graph);
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < 300; i++)
            mixed[i] = rng_below(&rng, UINT64_C(1) << (10 + rng_below(&rng, 50))) & ~UINT64_C(7);
        size_t odd = build_group(mixed, 300, &graph);
        expect(odd + graph.node_count <= 300);
        walk_graph_deinit(&graph);
    }
}
END_TEST

START_TEST(an_empty_graph_finds_nothing)
{
    struct walk_graph graph;
    build_of_keys(NULL, 0, 8, &graph);
    expect_eq(walk_graph_find(&graph, 0), WALK_NO_ID);
    expect_eq(graph.forward.start[0], 0);
    expect_eq(graph.backward.start[0], 0);
    walk_graph_deinit(&graph);
    expect_eq(walk_graph_find(&graph, 0), WALK_NO_ID);
}
END_TEST

/* ---- the builder ---- */

START_TEST(a_key_entered_twice_keeps_its_class_and_gathers_flags)
{
    struct walk_graph graph;
    struct walk_source source = {.workers = 1, .granule = 8, .visit = visit_nothing};
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

/* Forward rows: the edges to nodes, in the order that they were told of. */
static void check_forward(const struct plain *plain, const struct walk_graph *graph)
{
    uint64_t total = 0;
    for (walk_id id = 0; id < graph->node_count; id++) {
        size_t index = index_of(plain, walk_graph_key(graph, id));
        uint64_t at = graph->forward.start[id];
        bool missing = false;
        expect_eq(at, total);
        expect_eq(graph->class[id], index + 7);
        for (size_t e = 0; e < plain->row[index]; e++) {
            uint32_t index_to = plain->edge[index][e].to;
            walk_id to = walk_graph_find(graph, plain->key[index_to]);
            missing |= to == WALK_NO_ID && !plain->edge[index][e].late;
            if (to == WALK_NO_ID)
                continue;
            expect(at < graph->forward.start[id + 1]);
            expect_eq(graph->forward.edge[at], to | (plain->edge[index][e].mark ? WALK_EDGE_MARK : 0));
            at++;
        }
        expect_eq(at, graph->forward.start[id + 1]);
        expect_eq(graph->flags[id], flags_of(index) | (missing ? MISSING : 0));
        total = at;
    }
    expect_eq(total, graph->edge_count);
}

/* Exactly what is reached by edges that make nodes, each visited once. */
static void check_nodes(const struct plain *plain, const struct walk_graph *graph)
{
    static bool reached[NODES];
    size_t count = 0;
    for (size_t i = 0; i < NODES; i++)
        reached[i] = i < plain->roots;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < plain->nodes; i++)
            for (size_t e = 0; reached[i] && e < plain->row[i]; e++) {
                uint32_t to = plain->edge[i][e].to;
                if (to < plain->nodes && !plain->edge[i][e].late && !reached[to])
                    more = reached[to] = true;
            }
    }
    for (size_t i = 0; i < plain->nodes; i++) {
        count += reached[i];
        expect_eq(walk_graph_find(graph, plain->key[i]) != WALK_NO_ID, reached[i]);
        expect_eq(plain->visited[i], reached[i]);
    }
    expect_eq(graph->node_count, count);
    expect_eq(plain->visits, count);
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

START_TEST(rows_forward_and_backward_equal_brute_force_with_any_number_of_workers)
{
    struct rng rng = {3};
    static struct plain plain;
    size_t late_admissions = 0, late_visits = 0, far_visits = 0, whole_visits = 0;
    for (int round = 0; round < 120; round++) {
        struct walk_graph graph;
        make_plain(&plain, &rng);
        if (round % 2)
            refuse_nothing(&plain);
        plain.workers = 1 + (unsigned)round % 4;
        plain.shy = round % 3 == 0;
        plain.spread = round % 5 > 1;
        build(&plain, &graph);
        check_nodes(&plain, &graph);
        check_forward(&plain, &graph);
        check_backward(&graph);
        walk_graph_deinit(&graph);
        late_admissions += plain.late_admissions;
        late_visits += plain.late_visits;
        far_visits += plain.far_visits;
        whole_visits += plain.whole_visits;
    }
    expect(late_admissions > 100 && late_visits > 100);
    expect(far_visits > 400 && whole_visits > 100 && far_visits > 2 * whole_visits);
}
END_TEST

/* ---- who refers to one key ---- */

static void check_sought(const struct plain *plain, const struct walk_graph *graph, size_t index,
                         const struct walk_sought *sought)
{
    walk_id id = walk_graph_find(graph, plain->key[index]), last = WALK_NO_ID;
    size_t count = 0;
    expect_eq(sought->node.key, plain->key[index]);
    expect_eq(sought->found, id != WALK_NO_ID);
    if (!sought->found)
        return;
    expect_eq(sought->node.class, index + 7);
    for (uint64_t i = graph->backward.start[id]; i < graph->backward.start[id + 1]; i++) {
        walk_id holder = WALK_EDGE_ID(graph->backward.edge[i]);
        if (holder == last)
            continue;
        last = holder;
        expect(count < sought->count);
        expect_eq(sought->holder[count].key, walk_graph_key(graph, holder));
        expect_eq(sought->holder[count].class, graph->class[holder]);
        expect_eq(sought->holder[count].flags, graph->flags[holder] & ~MISSING);
        count++;
    }
    expect_eq(count, sought->count);
}

static bool has_missing(const struct walk_graph *graph)
{
    bool missing = false;
    for (walk_id id = 0; id < graph->node_count; id++)
        missing |= (graph->flags[id] & MISSING) != 0;
    return missing;
}

START_TEST(who_is_sought_has_the_holders_that_the_graph_knows)
{
    struct rng rng = {5};
    static struct plain fresh, plain;
    size_t certain = 0, holders = 0;
    for (int round = 0; round < 60; round++) {
        struct walk_graph graph, none;
        make_plain(&fresh, &rng);
        fresh.workers = 1 + (unsigned)round % 4;
        fresh.shy = round % 3 == 0;
        fresh.spread = round % 5 > 1;
        if (round % 2)
            refuse_nothing(&fresh);
        plain = fresh;
        build(&plain, &graph);
        for (int times = 0; times < 8; times++) {
            struct walk_sought sought;
            size_t index = rng_below(&rng, fresh.nodes + fresh.nodes / 8);
            plain = fresh;
            assert_good(walk_builder_seek(open_builder(&plain, &none, NULL, NULL), fresh.key[index], &sought));
            expect_eq(plain.wrong, 0);
            check_nodes(&plain, &graph);
            check_sought(&fresh, &graph, index, &sought);
            expect_eq(sought.certain, !has_missing(&graph));
            for (size_t i = 0; sought.certain && i < fresh.nodes; i++)
                expect_eq(walk_graph_has(&none, fresh.key[i]), walk_graph_find(&graph, fresh.key[i]) != WALK_NO_ID);
            certain += sought.certain;
            holders += sought.count;
            walk_sought_deinit(&sought);
            walk_graph_deinit(&none);
        }
        walk_graph_deinit(&graph);
    }
    expect(certain > 200 && certain < 480 && holders > 1000);
}
END_TEST

START_TEST(odd_keys_are_sought_like_all_others)
{
    struct walk_source source = {.workers = 1, .granule = 8, .flag_missing = MISSING, .visit = visit_odd};
    static const struct {
        walk_addr key;
        bool found;
    } cases[] = {{UINT64_MAX, true}, {9, true}, {11, false}, {13, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct walk_builder *builder;
        struct walk_graph graph;
        struct walk_sought sought;
        assert_good(walk_builder_open(&graph, &source, &builder));
        assert_good(walk_builder_node(builder, UINT64_MAX, 0, 0));
        assert_good(walk_builder_node(builder, 9, 0, 0));
        assert_good(walk_builder_seek(builder, cases[i].key, &sought));
        expect_eq(sought.found, cases[i].found);
        expect_eq(sought.count, cases[i].found);
        expect_eq(walk_graph_has(&graph, cases[i].key), cases[i].found);
        expect(!sought.certain); /* 9 refers to 11 */
        walk_sought_deinit(&sought);
        walk_graph_deinit(&graph);
    }
}
END_TEST

/* ---- a large graph, by a formula ---- */

enum { LARGE = 100000 };

static walk_addr large_key(uint64_t index) { return UINT64_C(0x500000000000) + index * 24; }

static bool large_likely(void *context, unsigned worker, walk_addr key)
{
    (void)context, (void)worker;
    return key < large_key(LARGE + 1000);
}

static bool large_class(walk_addr key, uint32_t *class)
{
    uint64_t index = (key - large_key(0)) / 24;
    *class = (uint32_t)index;
    return index < LARGE && index % 1001 != 1000;
}

static void large_tell(void *context, unsigned worker, const walk_addr *keys, size_t count, uint32_t *class,
                       uint8_t *flags)
{
    (void)context, (void)worker;
    for (size_t i = 0; i < count; i++) {
        flags[i] = 1;
        if (!large_class(keys[i], &class[i]))
            class[i] = WALK_NO_CLASS;
    }
}

static enum walk_answer large_admit(void *context, unsigned worker, walk_addr key, uint32_t *class, uint8_t *flags)
{
    (void)context, (void)worker;
    *flags = 0;
    return large_class(key, class) ? WALK_YES : WALK_NO;
}

enum { LARGE_ROW = 20000 };

/* Nodes that refer to something only if it is a node. */
static bool large_asks(uint32_t class) { return class % 4 == 3; }

static uint64_t large_count(uint32_t class, struct rng *rng) { return class % 10007 ? rng_below(rng, 8) : LARGE_ROW; }

/* Some are to odd keys, which are no nodes. */
struct large_edge {
    walk_addr key;
    bool mark;
};
static struct large_edge large_edge(struct rng *rng)
{
    walk_addr key = large_key(rng_below(rng, LARGE + 2000));
    bool mark = rng_below(rng, 2), odd = rng_below(rng, 64) == 0;
    return (struct large_edge){key + odd, mark};
}

/* All edges of a node at once, of every other one where they are kept, if there is room. */
static void large_emit_together(struct walk_emitter *emitter, uint32_t class)
{
    struct rng rng = {class + UINT64_C(1)};
    uint64_t aside[LARGE_ROW], bits = 0, count = large_count(class, &rng);
    uint64_t *room = class % 2 ? walk_emit_room(emitter, count) : NULL, *edges = room ? room : aside;
    for (uint64_t i = 0; i < count; i++) {
        struct large_edge edge = large_edge(&rng);
        edges[i] = edge.key | (edge.mark ? WALK_EMIT_MARK : 0);
        bits |= edges[i];
    }
    walk_emit_edges(emitter, edges, count, bits);
    if (large_asks(class))
        walk_emit_edge_if_known(emitter, large_key(rng_below(&rng, LARGE)), false);
}

/* Of the edges of a node those from `first` to `end`. */
static void large_emit(struct walk_emitter *emitter, uint32_t class, uint64_t first, uint64_t end)
{
    struct rng rng = {class + UINT64_C(1)};
    uint64_t count = large_count(class, &rng);
    for (uint64_t i = 0; i < count; i++) {
        struct large_edge edge = large_edge(&rng);
        if (i >= first && i < end)
            walk_emit_edge(emitter, edge.key, edge.mark);
    }
    if (end > count && first <= count && large_asks(class))
        walk_emit_edge_if_known(emitter, large_key(rng_below(&rng, LARGE)), false);
}

/*
 * How a large graph is told of: edge by edge; a node's edges at once; so that part of some nodes is far, and where that
 * is all of the node it is told once more.
 */
enum { LARGE_NEAR, LARGE_TOGETHER, LARGE_FAR };

static struct walk_error *large_visit_far(void *context, unsigned worker, const struct walk_far_part *part,
                                          uint8_t *flags, struct walk_emitter *emitter, bool *whole)
{
    (void)context, (void)worker, (void)flags;
    *whole = part->class % 11 == 0;
    large_emit(emitter, part->class, *whole ? 0 : 1, *whole ? UINT64_MAX : part->note);
    return NULL;
}

static struct walk_error *large_visit(void *context, unsigned worker, walk_addr key, uint32_t class, uint8_t *flags,
                                      struct walk_emitter *emitter, enum walk_answer *answer)
{
    const int *how = context;
    walk_addr at = large_key(class * UINT64_C(7919) % LARGE);
    (void)key, (void)flags;
    if (*how == LARGE_FAR && class % 3 && walk_emit_takes_far(emitter, at)) {
        large_emit(emitter, class, 0, 1);
        walk_emit_far(emitter, at, 1 + class % 5);
        large_emit(emitter, class, 1 + class % 5, UINT64_MAX);
    } else if (*how == LARGE_TOGETHER) {
        large_emit_together(emitter, class);
    } else {
        large_emit(emitter, class, 0, UINT64_MAX);
    }
    if (class % 97 == 0 && worker != WALK_ALONE)
        *answer = WALK_LATER;
    return NULL;
}

static bool large_approach(void *context, unsigned worker, walk_addr first, walk_addr last, size_t count)
{
    const int *how = context;
    (void)worker, (void)first, (void)last, (void)count;
    return *how == LARGE_TOGETHER;
}

static atomic_size_t admitted_together, visited_together, visited_wrongly;

/* Some nodes without edges. */
static size_t large_admit_leaves(void *context, unsigned worker, const struct walk_nodes *nodes)
{
    size_t at = 0;
    (void)context, (void)worker;
    for (uint32_t class; at < nodes->count && large_class(walk_nodes_key(nodes, at), &class); at++) {
        struct rng rng = {class + UINT64_C(1)};
        if (large_asks(class) || class % 97 == 0 || large_count(class, &rng))
            break;
        nodes->class[at] = class;
        nodes->flags[at] = 0;
        nodes->edges[at] = 0;
    }
    admitted_together += at;
    return at;
}

/* The edges of a node to `to`; NULL: it is for large_visit(). */
static uint64_t *large_simple(uint32_t class, uint64_t *to)
{
    struct rng rng = {class + UINT64_C(1)};
    uint64_t count = large_count(class, &rng), odd = 0;
    if (large_asks(class) || count == LARGE_ROW || class % 97 == 0)
        return NULL;
    for (uint64_t i = 0; i < count; i++) {
        struct large_edge edge = large_edge(&rng);
        odd |= edge.key & 7;
        *to++ = edge.key | (edge.mark ? WALK_EMIT_MARK : 0);
    }
    return odd ? NULL : to;
}

static size_t large_visit_some(void *context, unsigned worker, const struct walk_nodes *nodes,
                               struct walk_emitter *emitter)
{
    enum { ROOM = 1000, MOST = 8 };
    uint64_t *room = walk_emit_room(emitter, ROOM), *to = room, *end = NULL;
    size_t at = 0;
    (void)context, (void)worker;
    for (; room && at < nodes->count && to + MOST < room + ROOM; at++, to = end) {
        uint32_t class = nodes->class[at], known = 0;
        if (class == WALK_NO_CLASS || !(end = large_simple(class, to)))
            break;
        visited_wrongly += !large_class(walk_nodes_key(nodes, at), &known) || class != known || !nodes->flags[at];
        nodes->edges[at] = (uint32_t)(end - to);
    }
    if (at)
        walk_emit_edges(emitter, room, (size_t)(to - room), 0);
    visited_together += at;
    return at;
}

static void build_large(unsigned workers, int how, struct walk_graph *graph)
{
    struct walk_source source = {.context = &how,
                                 .workers = workers,
                                 .granule = 8,
                                 .flag_missing = MISSING,
                                 .likely = large_likely,
                                 .approach = large_approach,
                                 .visit_some = large_visit_some,
                                 .tell = large_tell,
                                 .admit = large_admit,
                                 .admit_leaves = large_admit_leaves,
                                 .visit = large_visit,
                                 .visit_far = large_visit_far};
    struct walk_builder *builder;
    static walk_addr keys[LARGE / 2];
    size_t odd;
    for (size_t i = 0; i < LARGE / 2; i++)
        keys[i] = large_key(i * 2 + i % 3 % 2);
    assert_good(walk_builder_open(graph, &source, &builder));
    assert_good(walk_builder_nodes(builder, keys, LARGE / 2, &odd));
    assert_good(walk_builder_finish(builder));
}

static void check_same(const struct walk_graph *a, const struct walk_graph *b)
{
    size_t nodes = a->node_count, edges = a->edge_count;
    expect_eq(a->node_count, b->node_count);
    expect_eq(a->edge_count, b->edge_count);
    expect_eq(a->marked_count, b->marked_count);
    for (walk_id id = 0; id < a->node_count; id++)
        expect_eq(walk_graph_key(a, id), walk_graph_key(b, id));
    expect(memcmp(a->class, b->class, nodes * sizeof *a->class) == 0);
    expect(memcmp(a->flags, b->flags, nodes) == 0);
    expect(memcmp(a->forward.start, b->forward.start, (nodes + 1) * sizeof *a->forward.start) == 0);
    expect(memcmp(a->forward.edge, b->forward.edge, edges * sizeof *a->forward.edge) == 0);
    expect(memcmp(a->backward.start, b->backward.start, (nodes + 1) * sizeof *a->backward.start) == 0);
    expect(memcmp(a->backward.edge, b->backward.edge, edges * sizeof *a->backward.edge) == 0);
}

/* Each edge, holder by holder, is the next one of its referent's row. */
static void check_reverse(const struct walk_graph *graph)
{
    static uint32_t next[LARGE];
    const struct walk_rows *forward = &graph->forward, *backward = &graph->backward;
    uint64_t marked = 0;
    memcpy(next, backward->start, graph->node_count * sizeof *next);
    for (walk_id id = 0; id < graph->node_count; id++)
        for (uint32_t i = forward->start[id]; i < forward->start[id + 1]; i++) {
            walk_id to = WALK_EDGE_ID(forward->edge[i]);
            expect(next[to] < backward->start[to + 1]);
            expect_eq(backward->edge[next[to]++], id | (forward->edge[i] & WALK_EDGE_MARK));
            marked += forward->edge[i] != to;
        }
    expect_eq(graph->marked_count, marked);
    for (walk_id id = 0; id < graph->node_count; id++)
        expect_eq(next[id], backward->start[id + 1]);
}

START_TEST(a_large_graph_is_the_same_with_any_number_of_workers)
{
    struct walk_graph one, other;
    build_large(1, LARGE_NEAR, &one);
    expect(one.node_count > LARGE / 2 && one.edge_count > 2 * (uint64_t)one.node_count);
    check_reverse(&one);
    for (unsigned workers = 1; workers < 9; workers *= 2)
        for (int how = LARGE_NEAR; how <= LARGE_FAR; how++) {
            build_large(workers, how, &other);
            check_same(&one, &other);
            walk_graph_deinit(&other);
        }
    expect(visited_together > LARGE / 4 && admitted_together > LARGE / 16);
    expect_eq(visited_wrongly, 0);
    walk_graph_deinit(&one);
}
END_TEST

START_TEST(a_refused_key_is_neither_node_nor_edge)
{
    static struct plain plain;
    struct walk_graph graph;
    memset(&plain, 0, sizeof plain);
    plain.fail_at = SIZE_MAX;
    plain.nodes = plain.roots = plain.workers = 1;
    for (size_t i = 2; i < 2 * NODES; i++)
        plain.key[i] = 0x3000 + 8 * i;
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
    plain.workers = 2;
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
    plain.roots = plain.nodes;
    assert_error(build_with(&plain, &graph, stop, &asked), WALK_ERROR_INTERRUPTED, "interrupted");
    expect_eq(asked, 1);
    ck_assert_ptr_null(graph.class);
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

START_TEST(an_error_of_any_worker_ends_the_build)
{
    struct rng rng = {7};
    static struct plain plain;
    for (int round = 0; round < 20; round++) {
        struct walk_graph graph;
        make_plain(&plain, &rng);
        plain.workers = 4;
        plain.fail_at = rng_below(&rng, plain.roots);
        assert_error(build_with(&plain, &graph, NULL, NULL), WALK_ERROR_IMPLAUSIBLE, "told to fail");
        ck_assert_ptr_null(graph.class);
    }
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
    uint32_t *start = malloc((LONG + 1) * sizeof *start);
    uint32_t *edge = malloc(LONG * sizeof *edge);
    for (size_t i = 0; i <= LONG; i++)
        start[i] = (uint32_t)(i < LONG ? i : LONG - 1);
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
    const TTest *const index_tests[] = {every_key_is_found_again_and_no_other,
                                        ids_are_in_the_order_of_keys_wherever_these_are,
                                        odd_keys_are_keys_like_all_others,
                                        edges_from_and_to_odd_keys_are_edges_and_none_makes_such_a_node,
                                        odd_keys_of_a_group_are_counted_and_left_out,
                                        keys_of_a_group_count_once_and_those_out_of_order_do_no_harm,
                                        an_empty_graph_finds_nothing,
                                        NULL};
    const TTest *const builder_tests[] = {a_key_entered_twice_keeps_its_class_and_gathers_flags,
                                          who_is_sought_has_the_holders_that_the_graph_knows,
                                          odd_keys_are_sought_like_all_others,
                                          rows_forward_and_backward_equal_brute_force_with_any_number_of_workers,
                                          a_large_graph_is_the_same_with_any_number_of_workers,
                                          a_refused_key_is_neither_node_nor_edge,
                                          a_late_edge_to_what_is_found_later_counts_and_one_to_what_never_is_does_not,
                                          progress_that_says_no_interrupts_and_leaves_nothing,
                                          an_error_of_a_visit_ends_the_build_with_that_error,
                                          an_error_of_any_worker_ends_the_build,
                                          NULL};
    const TTest *const search_tests[] = {a_search_equals_brute_force_for_every_limit_and_judge,
                                         finish_ends_the_search_with_the_node_that_was_asked_for,
                                         a_chain_of_a_million_nodes_is_searched_to_its_end, NULL};
    const struct unit_group groups[] = {
        {"index", index_tests, 0}, {"builder", builder_tests, 0}, {"search", search_tests, 0}};
    return unit_run("graph", groups, sizeof groups / sizeof *groups);
}
