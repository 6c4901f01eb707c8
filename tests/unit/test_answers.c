/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the public API, on random heaps in the memory of the test: lists, some tracked, some not, modules and
 * frames that hold some of them. What is expected is computed here from the same lists by brute force.
 */
#include <stddef.h>

#include "answers/heap.h"
#include "unit.h"
#include "world.h"

enum { VERSIONS = 6, LISTS = 60, ROW = 5, MODULES = 3 };
static const unsigned versions[VERSIONS] = {8, 11, 12, 13, 14, 15};

struct model {
    struct world world;
    struct walk_heap *heap;
    size_t count;
    walk_addr list[LISTS];
    size_t row[LISTS], to[LISTS][ROW]; /* list i holds list to[i][..] */
    bool tracked[LISTS];
    walk_addr module[MODULES], namespace[MODULES];
    size_t global[MODULES]; /* the list that the module holds as `data` */
    walk_addr name[MODULES];
};

static void make_modules(struct model *model, struct rng *rng)
{
    struct world *world = &model->world;
    static const char *const names[] = {"app", "app.jobs", "app.users"};
    walk_addr keys[MODULES], data = world_str(world, "data");
    for (int i = 0; i < MODULES; i++) {
        model->global[i] = rng_below(rng, model->count);
        model->namespace[i] = world_dict(world, WORLD_UNICODE, &data, &model->list[model->global[i]], 1);
        model->module[i] = world_object(world, world->module_type, WALK_SIZE(world->layout, module));
        PUT(world, model->module[i], module, md_dict, model->namespace[i]);
        keys[i] = model->name[i] = world_str(world, names[i]);
        PUT(world, model->module[i], module, md_name, keys[i]);
        world_track(world, model->namespace[i]);
        world_track(world, model->module[i]);
    }
    walk_addr modules = world_dict(world, WORLD_UNICODE, keys, model->module, MODULES);
    world_track(world, modules);
    PUT(world, world->interpreter, interp, modules, modules);
}

static void make_model(struct model *model, unsigned minor, uint64_t seed)
{
    struct rng rng = {seed};
    memset(model, 0, sizeof *model);
    world_init(&model->world, minor);
    model->count = 2 + rng_below(&rng, LISTS - 2);
    for (size_t i = 0; i < model->count; i++) {
        walk_addr nothing[ROW] = {0};
        model->row[i] = rng_below(&rng, ROW);
        model->list[i] = world_list(&model->world, nothing, model->row[i]);
        model->tracked[i] = rng_below(&rng, 4) != 0;
        if (model->tracked[i])
            world_track(&model->world, model->list[i]);
    }
    for (size_t i = 0; i < model->count; i++) {
        walk_addr items = world_get(&model->world, model->list[i] + WALK_OFFSET(model->world.layout, list, ob_item));
        for (size_t e = 0; e < model->row[i]; e++) {
            model->to[i][e] = rng_below(&rng, model->count);
            world_put(&model->world, items + 8 * e, model->list[model->to[i][e]]);
        }
    }
    make_modules(model, &rng);
    assert_good(world_open(&model->world));
    assert_good(walk_heap_build(&model->world.target, NULL, NULL, &model->heap));
}

static void end_model(struct model *model)
{
    walk_heap_destroy(model->heap);
    world_close(&model->world);
}

/* WALK_NO_ID for an untracked list that nothing holds. */
static walk_id id_of(const struct model *model, size_t list)
{
    walk_id id = WALK_NO_ID;
    struct walk_error *error = walk_heap_lookup(model->heap, model->list[list], &id);
    walk_error_free(error);
    return id;
}

static size_t list_of(const struct model *model, walk_id id)
{
    struct walk_node node;
    walk_heap_node(model->heap, id, &node);
    for (size_t i = 0; i < model->count; i++)
        if (model->list[i] == node.address)
            return i;
    return SIZE_MAX;
}

enum { ROUNDS = 12 };
#define EVERY_MODEL                                                                                                    \
    static struct model model;                                                                                         \
    for (uint64_t round = 0; round < ROUNDS; round++, end_model(&model))                                               \
        if (make_model(&model, versions[_i], round + 1), true)

/* ---- the heap ---- */

/* Reachable from what is tracked and from the modules: by brute force. */
static void reachable(const struct model *model, bool *there)
{
    for (size_t i = 0; i < model->count; i++)
        there[i] = model->tracked[i];
    for (int m = 0; m < MODULES; m++)
        there[model->global[m]] = true;
    for (size_t pass = 0; pass < model->count; pass++)
        for (size_t i = 0; i < model->count; i++)
            for (size_t e = 0; there[i] && e < model->row[i]; e++)
                there[model->to[i][e]] = true;
}

START_TEST(nodes_are_what_is_tracked_and_all_that_it_reaches)
{
    EVERY_MODEL
    {
        bool there[LISTS];
        reachable(&model, there);
        size_t tracked = MODULES * 2 + 1;
        for (size_t i = 0; i < model.count; i++) {
            walk_id id = id_of(&model, i);
            expect_eq(id != WALK_NO_ID, there[i]);
            tracked += model.tracked[i];
            if (id == WALK_NO_ID)
                continue;
            struct walk_node node;
            walk_heap_node(model.heap, id, &node);
            expect_eq(node.tracked, model.tracked[i]);
            expect_eq(node.address, model.list[i]);
            expect_eq(node.refcount, 1);
            expect(node.is_object && node.kind == WALK_OBJECT);
        }
        struct walk_heap_stats stats;
        walk_heap_stats(model.heap, &stats);
        expect_eq(stats.tracked, tracked);
        expect(stats.complete);
        expect_eq(stats.nodes, stats.objects + 1); /* and the interpreter */
    }
}
END_TEST

START_TEST(a_heap_is_the_same_with_any_number_of_workers)
{
    EVERY_MODEL
    {
        for (unsigned workers = 1; workers < 6; workers++) {
            const struct walk_graph *one = &model.heap->graph, *other;
            struct walk_heap *heap;
            model.world.target.image.workers = workers;
            assert_good(walk_heap_build(&model.world.target, NULL, NULL, &heap));
            other = &heap->graph;
            expect_eq(one->node_count, other->node_count);
            expect_eq(one->edge_count, other->edge_count);
            for (walk_id id = 0; id < one->node_count; id++) {
                expect_eq(walk_graph_key(one, id), walk_graph_key(other, id));
                expect_eq(one->class[id], other -> class[id]);
                expect_eq(one->flags[id], other->flags[id]);
                expect_eq(one->forward.start[id + 1], other->forward.start[id + 1]);
                expect_eq(one->backward.start[id + 1], other->backward.start[id + 1]);
            }
            for (uint64_t i = 0; i < one->edge_count; i++) {
                expect_eq(one->forward.edge[i], other->forward.edge[i]);
                expect_eq(one->backward.edge[i], other->backward.edge[i]);
            }
            expect_eq(heap->stats.objects, model.heap->stats.objects);
            expect_eq(heap->stats.tracked, model.heap->stats.tracked);
            walk_heap_destroy(heap);
        }
    }
}
END_TEST

START_TEST(types_count_their_objects_and_find_lists_them_by_address)
{
    EVERY_MODEL
    {
        bool there[LISTS];
        size_t lists = 0, tracked = 0, seen = 0;
        reachable(&model, there);
        for (size_t i = 0; i < model.count; i++) {
            lists += there[i];
            tracked += model.tracked[i];
        }
        for (uint32_t i = 0; i < walk_heap_type_count(model.heap); i++) {
            struct walk_type type;
            walk_heap_type(model.heap, i, &type);
            if (strcmp(type.name, "list") != 0)
                continue;
            expect_eq(type.objects, lists);
            expect_eq(type.tracked, tracked);
            seen++;
        }
        expect_eq(seen, lists != 0);
        struct walk_ids *ids;
        assert_good(walk_heap_find(model.heap, "list", WALK_ALL_INTERPRETERS, &ids));
        expect_eq(ids->count, lists);
        walk_addr last = 0;
        for (size_t i = 0; i < ids->count; i++) {
            struct walk_node node;
            walk_heap_node(model.heap, ids->id[i], &node);
            expect(node.address > last && list_of(&model, ids->id[i]) != SIZE_MAX);
            last = node.address;
        }
        walk_ids_free(ids);
        assert_good(walk_heap_find(model.heap, "no.such.Type", WALK_ALL_INTERPRETERS, &ids));
        expect_eq(ids->count, 0);
        walk_ids_free(ids);
    }
}
END_TEST

START_TEST(a_name_without_a_dot_matches_the_last_part_too)
{
    struct world world;
    struct walk_heap *heap;
    struct walk_ids *ids;
    world_init(&world, versions[_i]);
    walk_addr cls = world_class(&world, "Outer.Session", world.object, 16, 0, NULL);
    walk_addr instance = world_object(&world, cls, 16);
    world_track(&world, instance);
    assert_good(world_open(&world));
    assert_good(walk_heap_build(&world.target, NULL, NULL, &heap));
    static const struct {
        const char *name;
        size_t count;
    } cases[] = {{"app.Outer.Session", 1}, {"Session", 1}, {"Outer.Session", 0},
                 {"app.Session", 0},       {"session", 0}, {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_good(walk_heap_find(heap, cases[i].name, WALK_ALL_INTERPRETERS, &ids));
        ck_assert_msg(ids->count == cases[i].count, "%s: %zu", cases[i].name, ids->count);
        walk_ids_free(ids);
    }
    walk_heap_destroy(heap);
    world_close(&world);
}
END_TEST

START_TEST(a_look_up_says_why_there_is_no_node)
{
    static struct model model;
    walk_id id = 77;
    make_model(&model, versions[_i], 3);
    walk_addr loose = world_list(&model.world, NULL, 0);
    assert_error(walk_heap_lookup(model.heap, loose, &id), WALK_ERROR_NOT_FOUND, "looks like a list");
    assert_error(walk_heap_lookup(model.heap, 0x1234, &id), WALK_ERROR_UNMAPPED, "0x1234");
    assert_error(walk_heap_lookup(model.heap, UINT64_MAX, &id), WALK_ERROR_UNMAPPED, "0xffffffffffffffff");
    assert_error(walk_heap_lookup(model.heap, model.list[0] + 8, &id), WALK_ERROR_IMPLAUSIBLE, "not the address");
    expect_eq(id, 77);
    end_model(&model);
}
END_TEST

static bool say_no(void *context, size_t visited, size_t known)
{
    (void)context, (void)visited, (void)known;
    return false;
}

START_TEST(an_interrupted_build_is_an_error_and_leaves_nothing)
{
    struct world world;
    struct walk_heap *heap = NULL;
    world_init(&world, versions[_i]);
    assert_good(world_open(&world));
    assert_error(walk_heap_build(&world.target, say_no, NULL, &heap), WALK_ERROR_INTERRUPTED, "interrupted");
    ck_assert_ptr_null(heap);
    world_close(&world);
}
END_TEST

/* Lists that cannot be read are counted, and the heap is not complete. */
START_TEST(what_is_unreadable_is_counted)
{
    struct world world;
    struct walk_heap *heap;
    struct walk_heap_stats stats;
    world_init(&world, versions[_i]);
    for (int i = 0; i < 3; i++) {
        walk_addr list = world_list(&world, &world.none, 1);
        if (i)
            PUT(&world, list, list, ob_item, UINT64_C(0x7fff00000000));
        world_track(&world, list);
    }
    assert_good(world_open(&world));
    assert_good(walk_heap_build(&world.target, NULL, NULL, &heap));
    walk_heap_stats(heap, &stats);
    expect_eq(stats.unreadable, 2);
    expect(!stats.complete);
    walk_heap_destroy(heap);
    world_close(&world);
}
END_TEST

/* A type that is damaged says that values are in its objects, far behind them, in versions that know no such thing too.
 */
START_TEST(values_far_behind_an_object_are_not_looked_for)
{
    static const uint64_t sizes[] = {UINT64_C(1) << 40, UINT64_C(1) << 62, UINT64_C(1) << 30, 16};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world world;
        struct walk_heap *heap;
        world_init(&world, versions[_i]);
        walk_addr cls = world_class(&world, "Damaged", world.object, 16,
                                    WALK_TPFLAGS_MANAGED_DICT | WALK_TPFLAGS_INLINE_VALUES, NULL);
        for (int object = 0; object < 20; object++) /* the first ones are proofs */
            world_track(&world, world_object(&world, cls, 16));
        PUT(&world, cls, type, tp_basicsize, sizes[i]);
        assert_good(world_open(&world));
        assert_good(walk_heap_build(&world.target, NULL, NULL, &heap));
        walk_heap_destroy(heap);
        world_close(&world);
    }
}
END_TEST

/* ---- a heap of what is around one object ---- */

static void expect_same_node(const struct walk_heap *one, walk_id a, const struct walk_heap *other, walk_id b)
{
    struct walk_node x, y;
    char text[64], wanted[64];
    walk_heap_node(one, a, &x);
    walk_heap_node(other, b, &y);
    walk_heap_text(one, a, WALK_TEXT_ANNOTATION, wanted, sizeof wanted);
    walk_heap_text(other, b, WALK_TEXT_ANNOTATION, text, sizeof text);
    ck_assert_str_eq(text, wanted);
    expect_eq(x.address, y.address);
    expect_eq(x.kind, y.kind);
    expect_eq(x.type, y.type);
    expect_eq(x.tracked, y.tracked);
    expect_eq(x.size, y.size);
    expect_eq(x.refcount, y.refcount);
}

static void expect_same_edges(const struct walk_heap *one, struct walk_edges *wanted, const struct walk_heap *other,
                              struct walk_edges *edges)
{
    expect_eq(edges->count, wanted->count);
    for (size_t i = 0; i < edges->count; i++) {
        expect_same_node(one, wanted->edge[i].holder, other, edges->edge[i].holder);
        expect_same_node(one, wanted->edge[i].referent, other, edges->edge[i].referent);
        expect_eq(edges->edge[i].flags, wanted->edge[i].flags);
        ck_assert_str_eq(edges->edge[i].label, wanted->edge[i].label);
    }
    walk_edges_free(wanted);
    walk_edges_free(edges);
}

static void expect_same_around(const struct model *model, const struct walk_heap *around, walk_id id)
{
    struct walk_edges *edges, *wanted;
    struct walk_heap_stats stats = around->stats, all = model->heap->stats;
    walk_id found;
    assert_good(walk_heap_lookup(around, walk_graph_key(&model->heap->graph, id), &found));
    assert_good(walk_heap_referents(model->heap, id, &wanted));
    assert_good(walk_heap_referents(around, found, &edges));
    expect_same_edges(model->heap, wanted, around, edges);
    assert_good(walk_heap_referrers(model->heap, id, &wanted));
    assert_good(walk_heap_referrers(around, found, &edges));
    expect_same_edges(model->heap, wanted, around, edges);
    all.edges = all.extra_edges = 0;
    expect(memcmp(&stats, &all, sizeof all) == 0);
}

enum { SOME = 8 };

START_TEST(what_is_around_a_node_is_what_the_whole_heap_says)
{
    EVERY_MODEL
    {
        walk_id nodes = model.heap->graph.node_count;
        for (walk_id id = (walk_id)(round % SOME); id < nodes; id += 1 + nodes / SOME) { /* others each round */
            struct walk_heap *around;
            bool whole = true;
            model.world.target.image.workers = 1 + id % 3;
            assert_good(walk_heap_build_around(&model.world.target, walk_graph_key(&model.heap->graph, id), NULL, NULL,
                                               &around, &whole));
            expect(!whole && around->graph.node_count <= nodes);
            expect_same_around(&model, around, id);
            walk_heap_destroy(around);
        }
    }
}
END_TEST

START_TEST(around_nothing_is_a_heap_that_says_why)
{
    static struct model model;
    struct walk_heap *around;
    bool whole;
    walk_id id;
    make_model(&model, versions[_i], 3);
    walk_addr loose = world_list(&model.world, NULL, 0);
    assert_good(walk_heap_build_around(&model.world.target, loose, NULL, NULL, &around, &whole));
    expect(!whole);
    assert_error(walk_heap_lookup(around, loose, &id), WALK_ERROR_NOT_FOUND, "looks like a list");
    walk_heap_destroy(around);
    assert_error(walk_heap_build_around(&model.world.target, loose, say_no, NULL, &around, &whole),
                 WALK_ERROR_INTERRUPTED, "interrupted");
    ck_assert_ptr_null(around);
    end_model(&model);
}
END_TEST

/* Who refers to what is none, only the whole heap knows. */
START_TEST(around_an_object_of_a_damaged_heap_is_the_whole_heap)
{
    struct world world;
    struct walk_heap *heap;
    bool whole = false;
    world_init(&world, versions[_i]);
    walk_addr list = world_list(&world, (walk_addr[]){world.none, 0x1230}, 2);
    world_track(&world, list);
    assert_good(world_open(&world));
    assert_good(walk_heap_build_around(&world.target, list, NULL, NULL, &heap, &whole));
    expect(whole && !heap->stats.complete);
    expect_eq(heap->stats.unreadable, 1);
    walk_heap_destroy(heap);
    world_close(&world);
}
END_TEST

/* ---- edges ---- */

START_TEST(referents_are_the_items_in_order_and_referrers_the_other_way_round)
{
    EVERY_MODEL for (size_t i = 0; i < model.count; i++)
    {
        walk_id id = id_of(&model, i);
        struct walk_edges *edges;
        if (id == WALK_NO_ID)
            continue;
        assert_good(walk_heap_referents(model.heap, id, &edges));
        expect_eq(edges->count, model.row[i]);
        for (size_t e = 0; e < edges->count; e++) {
            char label[32];
            snprintf(label, sizeof label, "item[%zu]", e);
            expect(edges->edge[e].holder == id && edges->edge[e].flags == 0);
            expect(strcmp(edges->edge[e].label, label) == 0);
            expect_eq(list_of(&model, edges->edge[e].referent), model.to[i][e]);
        }
        walk_edges_free(edges);
        size_t holders = 0, from_lists = 0;
        for (size_t h = 0; h < model.count; h++)
            for (size_t e = 0; id_of(&model, h) != WALK_NO_ID && e < model.row[h]; e++)
                holders += model.to[h][e] == i;
        assert_good(walk_heap_referrers(model.heap, id, &edges));
        for (size_t e = 0; e < edges->count; e++) {
            size_t holder = list_of(&model, edges->edge[e].holder);
            expect_eq(edges->edge[e].referent, id);
            if (holder == SIZE_MAX) {
                expect(strcmp(edges->edge[e].label, "value['data']") == 0);
                continue;
            }
            size_t item = strtoul(edges->edge[e].label + 5, NULL, 10);
            expect_eq(model.to[holder][item], i);
            from_lists++;
        }
        expect_eq(from_lists, holders);
        walk_edges_free(edges);
    }
}
END_TEST

/* ---- ancestors and descendants ---- */

static bool is_tracked(const struct walk_heap *heap, walk_id id)
{
    struct walk_node node;
    walk_heap_node(heap, id, &node);
    return node.tracked;
}

/*
 * Distances by relaxation over all edges. Among tracked nodes only references that the collector sees are followed, and
 * a tracked node is entered only from a tracked one or from the start, unless everything is asked for.
 */
static void distances(const struct walk_heap *heap, walk_id start, enum walk_direction direction, uint32_t limit,
                      bool everything, uint32_t *distance)
{
    const struct walk_rows *rows = direction == WALK_ANCESTORS ? &heap->graph.backward : &heap->graph.forward;
    walk_id nodes = heap->graph.node_count;
    for (walk_id id = 0; id < nodes; id++)
        distance[id] = UINT32_MAX;
    distance[start] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (walk_id from = 0; from < nodes; from++)
            for (uint64_t i = rows->start[from]; distance[from] < limit && i < rows->start[from + 1]; i++) {
                walk_id to = WALK_EDGE_ID(rows->edge[i]);
                bool seen = !(rows->edge[i] & WALK_EDGE_MARK) && (from == start || is_tracked(heap, from));
                if ((!everything && is_tracked(heap, to) && !seen) || distance[from] + 1 >= distance[to])
                    continue;
                distance[to] = distance[from] + 1;
                changed = true;
            }
    }
}

START_TEST(ancestors_and_descendants_equal_brute_force)
{
    static const uint32_t limits[] = {0, 1, 2, 3, WALK_ALL_GENERATIONS};
    EVERY_MODEL for (size_t n = 0; n < 20; n++)
    {
        walk_id nodes = model.heap->graph.node_count, start = (walk_id)(n * 37 % nodes);
        struct walk_node node;
        walk_heap_node(model.heap, start, &node);
        enum walk_direction direction = n & 1 ? WALK_ANCESTORS : WALK_DESCENDANTS;
        uint32_t limit = limits[n % 5], *distance = malloc(nodes * sizeof *distance);
        bool everything = n % 3 == 0;
        struct walk_subgraph *subgraph;
        struct walk_edges *among;
        distances(model.heap, start, direction, limit, everything || !node.is_object, distance);
        assert_good(walk_heap_within(model.heap, start, direction, limit, everything, &subgraph));
        size_t reached = 0, edges = 0;
        for (walk_id id = 0; id < nodes; id++)
            reached += distance[id] != UINT32_MAX;
        expect_eq(subgraph->count, reached);
        for (size_t i = 0; i < subgraph->count; i++)
            expect_eq(subgraph->depth[i], distance[subgraph->id[i]]);
        for (walk_id from = 0; from < nodes; from++)
            for (uint64_t i = model.heap->graph.forward.start[from]; i < model.heap->graph.forward.start[from + 1]; i++)
                edges += distance[from] != UINT32_MAX &&
                         distance[WALK_EDGE_ID(model.heap->graph.forward.edge[i])] != UINT32_MAX;
        assert_good(walk_heap_subgraph_edges(model.heap, subgraph, &among));
        expect_eq(among->count, edges);
        walk_edges_free(among);
        walk_subgraph_free(subgraph);
        free(distance);
    }
}
END_TEST

/* ---- paths ---- */

/* How far from a module a list is: its namespace holds one, lists hold lists. */
static size_t depth_below_modules(const struct model *model, size_t wanted)
{
    size_t depth[LISTS];
    for (size_t i = 0; i < model->count; i++)
        depth[i] = SIZE_MAX;
    for (int m = 0; m < MODULES; m++)
        depth[model->global[m]] = 2;
    for (size_t pass = 0; pass < model->count; pass++)
        for (size_t i = 0; i < model->count; i++)
            for (size_t e = 0; depth[i] != SIZE_MAX && e < model->row[i]; e++)
                if (depth[i] + 1 < depth[model->to[i][e]])
                    depth[model->to[i][e]] = depth[i] + 1;
    return depth[wanted];
}

START_TEST(why_is_a_shortest_path_from_a_module)
{
    EVERY_MODEL for (size_t i = 0; i < model.count; i++)
    {
        walk_id id = id_of(&model, i);
        struct walk_paths *paths;
        if (id == WALK_NO_ID)
            continue;
        size_t depth = depth_below_modules(&model, i);
        assert_good(walk_heap_why(model.heap, id, 1, &paths));
        expect_eq(paths->count, depth != SIZE_MAX);
        if (paths->count) {
            const struct walk_path *path = &paths->path[0];
            expect_eq(path->count, depth);
            expect(model.heap->graph.flags[path->root] & WALK_NODE_MODULE);
            expect_eq(path->thread, WALK_NO_ID);
            walk_id at = path->root;
            for (size_t e = 0; e < path->count; at = path->edge[e++].referent)
                expect_eq(path->edge[e].holder, at);
            expect_eq(at, id);
            expect(strcmp(path->edge[0].label, "__dict__") == 0);
            expect(strcmp(path->edge[1].label, "value['data']") == 0);
        }
        walk_paths_free(paths);
        assert_good(walk_heap_why(model.heap, id, 100, &paths));
        /* Whatever holds a list does so through a module: no path goes on to the interpreter behind it. */
        for (size_t a = 0; a < paths->count; a++)
            expect(model.heap->graph.flags[paths->path[a].root] & WALK_NODE_MODULE);
        for (size_t a = 0; a < paths->count; a++)
            for (size_t b = 0; b < a; b++)
                expect(paths->path[a].root != paths->path[b].root && paths->path[a].count >= paths->path[b].count);
        walk_paths_free(paths);
    }
}
END_TEST

START_TEST(the_text_of_a_node_is_its_annotation)
{
    static struct model model;
    char text[64];
    make_model(&model, versions[_i], 5);
    for (size_t i = 0; i < model.count; i++) {
        char wanted[32];
        walk_id id = id_of(&model, i);
        if (id == WALK_NO_ID)
            continue;
        snprintf(wanted, sizeof wanted, "list[%zu]", model.row[i]);
        expect_eq(walk_heap_text(model.heap, id, WALK_TEXT_ANNOTATION, text, sizeof text), strlen(wanted));
        expect(strcmp(text, wanted) == 0);
        expect_eq(walk_heap_text(model.heap, id, WALK_TEXT_VALUE, text, sizeof text), 0);
        expect(walk_heap_text(model.heap, id, WALK_TEXT_ANNOTATION, text, 3) == strlen(wanted) && strlen(text) == 2);
    }
    walk_id id;
    assert_good(walk_heap_lookup(model.heap, model.module[1], &id));
    walk_heap_text(model.heap, id, WALK_TEXT_ANNOTATION, text, sizeof text);
    ck_assert_str_eq(text, "module app.jobs");
    end_model(&model);
}
END_TEST

int main(void)
{
    const TTest *const heap_tests[] = {nodes_are_what_is_tracked_and_all_that_it_reaches,
                                       a_heap_is_the_same_with_any_number_of_workers,
                                       types_count_their_objects_and_find_lists_them_by_address,
                                       a_name_without_a_dot_matches_the_last_part_too,
                                       a_look_up_says_why_there_is_no_node,
                                       an_interrupted_build_is_an_error_and_leaves_nothing,
                                       what_is_unreadable_is_counted,
                                       values_far_behind_an_object_are_not_looked_for,
                                       NULL};
    const TTest *const around_tests[] = {what_is_around_a_node_is_what_the_whole_heap_says,
                                         around_nothing_is_a_heap_that_says_why,
                                         around_an_object_of_a_damaged_heap_is_the_whole_heap, NULL};
    const TTest *const edge_tests[] = {referents_are_the_items_in_order_and_referrers_the_other_way_round, NULL};
    const TTest *const graph_tests[] = {ancestors_and_descendants_equal_brute_force,
                                        why_is_a_shortest_path_from_a_module, the_text_of_a_node_is_its_annotation,
                                        NULL};
    const struct unit_group groups[] = {{"heap", heap_tests, VERSIONS},
                                        {"around", around_tests, VERSIONS},
                                        {"edges", edge_tests, VERSIONS},
                                        {"graph", graph_tests, VERSIONS}};
    return unit_run("answers", groups, sizeof groups / sizeof *groups);
}
