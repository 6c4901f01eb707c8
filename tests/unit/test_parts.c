/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about parts of a heap: lists in the memory of the test, some of them tracked, the first one a global
 * variable of a module. What is expected is computed from the same lists by brute force.
 */
#include "answers/heap.h"
#include "unit.h"
#include "world.h"

enum { VERSIONS = 4, LISTS = 24, ROW = 3, ROUNDS = 10, FAR = 1000 };
static const unsigned versions[VERSIONS] = {8, 12, 13, 15};

struct model {
    struct world world;
    struct walk_heap *heap;
    size_t count;
    walk_addr list[LISTS], module, namespace;
    size_t row[LISTS], to[LISTS][ROW]; /* list i holds list to[i][..] */
    bool tracked[LISTS], outside[LISTS];
    walk_id id[LISTS]; /* WALK_NO_ID: an untracked list that nothing holds */
};

static void make_lists(struct model *model, struct rng *rng)
{
    struct world *world = &model->world;
    size_t holders[LISTS] = {0};
    for (size_t i = 0; i < model->count; i++) {
        walk_addr nothing[ROW] = {0};
        model->row[i] = rng_below(rng, ROW + 1);
        model->list[i] = world_list(world, nothing, model->row[i]);
        model->tracked[i] = rng_below(rng, 6) != 0;
        model->outside[i] = i == 0 || rng_below(rng, 8) == 0;
        if (model->tracked[i])
            world_track(world, model->list[i]);
    }
    for (size_t i = 0; i < model->count; i++) {
        walk_addr items = world_get(world, model->list[i] + WALK_OFFSET(world->layout, list, ob_item));
        for (size_t e = 0; e < model->row[i]; e++) {
            model->to[i][e] = rng_below(rng, model->count);
            holders[model->to[i][e]]++;
            world_put(world, items + 8 * e, model->list[model->to[i][e]]);
        }
    }
    for (size_t i = 0; i < model->count; i++)
        PUT(world, model->list[i], object, ob_refcnt, holders[i] + model->outside[i] + !model->tracked[i]);
}

static void make_module(struct model *model)
{
    struct world *world = &model->world;
    walk_addr data = world_str(world, "data"), name = world_str(world, "app");
    model->namespace = world_dict(world, WORLD_UNICODE, &data, &model->list[0], 1);
    model->module = world_object(world, world->module_type, WALK_SIZE(world->layout, module));
    PUT(world, model->module, module, md_dict, model->namespace);
    PUT(world, model->module, module, md_name, name);
    walk_addr modules = world_dict(world, WORLD_UNICODE, &name, &model->module, 1);
    world_track(world, model->namespace);
    world_track(world, model->module);
    world_track(world, modules);
    PUT(world, world->interpreter, interp, modules, modules);
}

static walk_id id_of(const struct model *model, walk_addr address)
{
    walk_id id = WALK_NO_ID;
    walk_error_free(walk_heap_lookup(model->heap, address, &id));
    return id;
}

static void make_model(struct model *model, unsigned minor, uint64_t seed)
{
    struct rng rng = {seed};
    memset(model, 0, sizeof *model);
    world_init(&model->world, minor);
    model->count = 2 + rng_below(&rng, LISTS - 2);
    make_lists(model, &rng);
    make_module(model);
    assert_good(world_open(&model->world));
    assert_good(walk_heap_build(&model->world.target, NULL, NULL, &model->heap));
    for (size_t i = 0; i < model->count; i++)
        model->id[i] = id_of(model, model->list[i]);
}

static void end_model(struct model *model)
{
    walk_heap_destroy(model->heap);
    world_close(&model->world);
}

#define EVERY_MODEL                                                                                                    \
    static struct model model;                                                                                         \
    for (uint64_t round = 0; round < ROUNDS; round++, end_model(&model))                                               \
        if (make_model(&model, versions[_i], round + 1), true)

/* How many edges down from one list to another, through lists that are `in`; FAR: no way. */
static void distances(const struct model *model, const bool *in, size_t from, unsigned *distance)
{
    for (size_t i = 0; i < model->count; i++)
        distance[i] = i == from ? 0 : FAR;
    for (size_t pass = 0; pass < model->count; pass++)
        for (size_t i = 0; i < model->count; i++)
            for (size_t e = 0; in[i] && distance[i] < FAR && e < model->row[i]; e++)
                if (in[model->to[i][e]] && distance[i] + 1 < distance[model->to[i][e]])
                    distance[model->to[i][e]] = distance[i] + 1;
}

static void there(const struct model *model, bool *in)
{
    for (size_t i = 0; i < model->count; i++)
        in[i] = model->id[i] != WALK_NO_ID;
}

/* The lists that are `in`, as a part. */
static struct walk_heap_part part_of(const struct model *model, const bool *in, walk_id *ids)
{
    size_t count = 0;
    for (walk_id id = 0; id < model->heap->graph.node_count; id++)
        for (size_t i = 0; i < model->count; i++)
            if (model->id[i] == id && in[i])
                ids[count++] = id;
    return (struct walk_heap_part){ids, count, true};
}

/* Some of the lists that are there, the given one among them. */
static void choose(const struct model *model, struct rng *rng, size_t with, bool *in)
{
    there(model, in);
    for (size_t i = 0; i < model->count; i++)
        in[i] = in[i] && (i == with || rng_below(rng, 4) != 0);
}

/* Each list of each model. `in` and `ids` are for a part of it. */
#define EVERY_START                                                                                                    \
    struct rng rng = {99};                                                                                             \
    bool in[LISTS];                                                                                                    \
    walk_id ids[LISTS];                                                                                                \
    EVERY_MODEL for (size_t start = 0; start < model.count; start++) if (model.id[start] != WALK_NO_ID)

/* ---- parts ---- */

static bool has(const struct walk_ids *ids, walk_id id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->id[i] == id)
            return true;
    return false;
}

START_TEST(within_is_what_is_no_farther)
{
    EVERY_START
    {
        choose(&model, &rng, start, in);
        const struct walk_heap_part part = part_of(&model, in, ids);
        for (uint32_t generations = 0; generations < 4; generations++) {
            struct walk_ids *down, *up;
            assert_good(
                walk_heap_part_within(model.heap, &part, &model.id[start], 1, WALK_DESCENDANTS, generations, &down));
            assert_good(
                walk_heap_part_within(model.heap, &part, &model.id[start], 1, WALK_ANCESTORS, generations, &up));
            unsigned distance[LISTS], back[LISTS];
            distances(&model, in, start, distance);
            for (size_t i = 0; i < model.count; i++) {
                if (!in[i])
                    continue;
                distances(&model, in, i, back);
                expect_eq(has(down, model.id[i]), distance[i] <= generations);
                expect_eq(has(up, model.id[i]), back[start] <= generations);
            }
            walk_ids_free(down);
            walk_ids_free(up);
        }
    }
}
END_TEST

START_TEST(edges_of_a_part_are_those_between_its_nodes)
{
    EVERY_START
    {
        choose(&model, &rng, start, in);
        const struct walk_heap_part part = part_of(&model, in, ids);
        struct walk_edges *all, *out, *into;
        size_t wanted = 0, from = 0, to = 0, count;
        for (size_t i = 0; i < model.count; i++)
            for (size_t e = 0; in[i] && e < model.row[i]; e++) {
                wanted += in[model.to[i][e]];
                from += in[model.to[i][e]] && i == start;
                to += model.to[i][e] == start;
            }
        assert_good(walk_heap_part_edge_count(model.heap, &part, &count));
        assert_good(walk_heap_part_edges(model.heap, &part, WALK_NO_ID, WALK_NO_ID, &all));
        assert_good(walk_heap_part_edges(model.heap, &part, model.id[start], WALK_NO_ID, &out));
        assert_good(walk_heap_part_edges(model.heap, &part, WALK_NO_ID, model.id[start], &into));
        expect_eq(count, wanted);
        expect_eq(all->count, wanted);
        expect_eq(out->count, from);
        expect_eq(into->count, to);
        for (size_t e = 0; e < into->count; e++)
            expect(into->edge[e].referent == model.id[start] && strncmp(into->edge[e].label, "item[", 5) == 0);
        walk_edges_free(all);
        walk_edges_free(out);
        walk_edges_free(into);
    }
}
END_TEST

START_TEST(lists_are_compared_as_sets)
{
    static const walk_id first[] = {1, 2, 5, 9}, second[] = {0, 2, 3, 9, 11};
    struct walk_ids *common, *without;
    assert_good(walk_ids_common(first, 4, second, 5, &common));
    assert_good(walk_ids_without(first, 4, second, 5, &without));
    expect(common->count == 2 && common->id[0] == 2 && common->id[1] == 9);
    expect(without->count == 2 && without->id[0] == 1 && without->id[1] == 5);
    walk_ids_free(common);
    walk_ids_free(without);
    assert_good(walk_ids_without(first, 4, NULL, 0, &without));
    expect_eq(without->count, 4);
    walk_ids_free(without);
}
END_TEST

START_TEST(what_is_not_in_a_part_is_not_found)
{
    static struct model model;
    make_model(&model, versions[_i], 3);
    struct walk_heap_part part = {&model.id[0], 1, true};
    walk_id other = id_of(&model, model.module);
    struct walk_ids *ids;
    struct walk_edges *edges;
    struct walk_paths *paths;
    assert_error(walk_heap_part_within(model.heap, &part, &other, 1, WALK_ANCESTORS, 1, &ids), WALK_ERROR_NOT_FOUND,
                 "not in this part");
    assert_error(walk_heap_part_edges(model.heap, &part, other, WALK_NO_ID, &edges), WALK_ERROR_NOT_FOUND,
                 "not in this part");
    assert_error(walk_heap_path(model.heap, &part, other, model.id[0], &paths), WALK_ERROR_NOT_FOUND,
                 "not in this part");
    end_model(&model);
}
END_TEST

/* ---- chains ---- */

/* The path leads from one node down to the other, each edge from where the one before it ended. */
static void expect_path(const struct walk_paths *paths, walk_id from, walk_id to, size_t length)
{
    expect_eq(paths->count, 1);
    const struct walk_path *path = paths->path;
    expect_eq(path->count, length);
    expect_eq(path->root, from);
    walk_id at = from;
    for (size_t i = 0; i < path->count; i++) {
        expect_eq(path->edge[i].holder, at);
        at = path->edge[i].referent;
    }
    expect_eq(at, to);
}

/* With a length of FAR and more there must be none. */
static void expect_found(struct walk_error *error, struct walk_paths **paths, walk_id from, walk_id to, size_t length)
{
    if (length >= FAR) {
        assert_error(error, WALK_ERROR_NOT_FOUND, "no path");
        return;
    }
    assert_good(error);
    expect_path(*paths, from, to, length);
    walk_paths_free(*paths);
}

START_TEST(a_path_is_as_long_as_the_distance)
{
    EVERY_START
    {
        choose(&model, &rng, start, in);
        const struct walk_heap_part part = part_of(&model, in, ids);
        unsigned distance[LISTS];
        distances(&model, in, start, distance);
        for (size_t end = 0; end < model.count; end++) {
            struct walk_paths *paths = NULL;
            if (in[end])
                expect_found(walk_heap_path(model.heap, &part, model.id[start], model.id[end], &paths), &paths,
                             model.id[start], model.id[end], distance[end]);
        }
    }
}
END_TEST

START_TEST(a_cycle_is_a_shortest_way_back)
{
    EVERY_START
    {
        choose(&model, &rng, start, in);
        const struct walk_heap_part part = part_of(&model, in, ids);
        unsigned distance[LISTS], shortest = FAR;
        distances(&model, in, start, distance);
        for (size_t i = 0; i < model.count; i++)
            for (size_t e = 0; in[i] && e < model.row[i]; e++)
                if (model.to[i][e] == start && distance[i] + 1 < shortest)
                    shortest = distance[i] + 1;
        struct walk_paths *paths = NULL;
        expect_found(walk_heap_cycle(model.heap, &part, model.id[start], &paths), &paths, model.id[start],
                     model.id[start], shortest);
    }
}
END_TEST

START_TEST(a_chain_ends_at_the_nearest_goal_and_no_deeper_than_asked)
{
    EVERY_START
    {
        unsigned distance[LISTS];
        walk_id module = id_of(&model, model.module), namespace = id_of(&model, model.namespace);
        there(&model, in);
        (void)ids, (void)rng;
        distances(&model, in, 0, distance);
        struct walk_chain chain = {.direction = WALK_ANCESTORS, .goal = WALK_GOAL_MODULE, .max_depth = 20};
        unsigned length = distance[start] + 2;
        struct walk_paths *paths = NULL;
        expect_found(walk_heap_chain(model.heap, NULL, model.id[start], &chain, &paths), &paths, module,
                     model.id[start], length);
        chain.max_depth = length - 1;
        expect_found(walk_heap_chain(model.heap, NULL, model.id[start], &chain, &paths), &paths, module,
                     model.id[start], FAR);
        chain = (struct walk_chain){.goal = WALK_GOAL_TYPE, .type = "dict", .max_depth = 20};
        expect_found(walk_heap_chain(model.heap, NULL, model.id[start], &chain, &paths), &paths, namespace,
                     model.id[start], length - 1);
        /* And from the module down. */
        chain = (struct walk_chain){
            .direction = WALK_DESCENDANTS, .goal = WALK_GOAL_NODE, .node = model.id[start], .max_depth = 20};
        expect_found(walk_heap_chain(model.heap, NULL, module, &chain, &paths), &paths, module, model.id[start],
                     length);
        /* No way around what is ignored. */
        static const char *const ignored[] = {"dict"};
        chain.ignored_types = ignored;
        chain.ignored_type_count = 1;
        expect_found(walk_heap_chain(model.heap, NULL, module, &chain, &paths), &paths, module, model.id[start], FAR);
        chain.ignored_type_count = 0;
        chain.ignored = &namespace;
        chain.ignored_count = 1;
        expect_found(walk_heap_chain(model.heap, NULL, module, &chain, &paths), &paths, module, model.id[start], FAR);
        /* There are no frames; the start may be the goal itself. */
        chain = (struct walk_chain){.goal = WALK_GOAL_FRAME, .max_depth = 20};
        expect_found(walk_heap_chain(model.heap, NULL, model.id[start], &chain, &paths), &paths, 0, 0, FAR);
        chain = (struct walk_chain){.goal = WALK_GOAL_TYPE, .type = "list", .max_depth = 0};
        expect_found(walk_heap_chain(model.heap, NULL, model.id[start], &chain, &paths), &paths, model.id[start],
                     model.id[start], 0);
    }
}
END_TEST

/* ---- components ---- */

START_TEST(components_come_with_their_bytes_the_largest_first)
{
    EVERY_MODEL
    {
        bool in[LISTS];
        walk_id ids[LISTS];
        there(&model, in);
        const struct walk_heap_part part = part_of(&model, in, ids);
        struct walk_components *all, *cycles;
        assert_good(walk_heap_components(model.heap, &part, true, &all));
        assert_good(walk_heap_components(model.heap, &part, false, &cycles));
        size_t nodes = 0, cyclic = 0;
        for (size_t c = 0; c < all->count; c++) {
            const struct walk_component *component = &all->component[c];
            uint64_t size = 0;
            for (size_t i = 0; i < component->count; i++) {
                struct walk_node node;
                walk_heap_node(model.heap, component->ids[i], &node);
                size += node.size;
            }
            expect_eq(component->size, size);
            expect(c == 0 || component->count < component[-1].count ||
                   (component->count == component[-1].count && component->size <= component[-1].size));
            expect(component->cyclic || component->count == 1);
            if (component->cyclic)
                expect(cycles->component[cyclic].ids[0] == component->ids[0] &&
                       cycles->component[cyclic].source == component->source);
            cyclic += component->cyclic;
            nodes += component->count;
        }
        expect_eq(nodes, part.count);
        expect_eq(cyclic, cycles->count);
        walk_components_free(all);
        walk_components_free(cycles);
    }
}
END_TEST

/* ---- garbage and leaks ---- */

/* Alive is what a count says that no tracked list holds, and what tracked lists lead to from there. */
static void alive(const struct model *model, bool *living)
{
    for (size_t i = 0; i < model->count; i++)
        living[i] = model->outside[i] || !model->tracked[i];
    for (size_t i = 0; i < model->count; i++)
        for (size_t e = 0; !model->tracked[i] && e < model->row[i]; e++)
            living[model->to[i][e]] = true;
    for (size_t pass = 0; pass < model->count; pass++)
        for (size_t i = 0; i < model->count; i++)
            for (size_t e = 0; living[i] && model->tracked[i] && e < model->row[i]; e++)
                if (model->tracked[model->to[i][e]])
                    living[model->to[i][e]] = true;
}

START_TEST(garbage_is_what_no_count_explains)
{
    EVERY_MODEL
    {
        bool living[LISTS];
        size_t wanted = 0;
        struct walk_garbage *garbage;
        alive(&model, living);
        assert_good(walk_heap_garbage(model.heap, WALK_ALL_INTERPRETERS, &garbage));
        for (size_t i = 0; i < model.count; i++) {
            bool found = false;
            for (size_t g = 0; g < garbage->count; g++)
                found |= garbage->id[g] == model.id[i];
            expect_eq(found, !living[i]);
            wanted += !living[i];
        }
        expect_eq(garbage->count, wanted);
        expect(garbage->exact);
        for (size_t g = 0; g < garbage->count; g++)
            expect_eq(garbage->flags[g], 0);
        walk_garbage_free(garbage);
    }
}
END_TEST

/* Two rings, each of two objects; the second begins with one that has a finalizer of a kind, and leads to a third. */
START_TEST(finalizers_are_told_apart)
{
    struct world world;
    struct walk_heap *heap;
    struct walk_garbage *garbage;
    world_init(&world, versions[_i]);
    static const char *const slots[] = {"one", "two", NULL};
    walk_addr classes[3], objects[4];
    for (int i = 0; i < 3; i++)
        classes[i] = world_class(&world, "Job", world.object, 32, WALK_TPFLAGS_HAVE_GC, slots);
    PUT(&world, classes[1], type, tp_finalize, 1);
    PUT(&world, classes[2], type, tp_del, 1);
    walk_addr first = WALK_SIZE(world.layout, object);
    for (int i = 0; i < 4; i++) {
        objects[i] = world_object(&world, classes[i == 3 ? 0 : i], 32);
        world_track(&world, objects[i]);
    }
    /* 0 <-> 1; 2 <-> 2, 2 -> 3 */
    world_put(&world, objects[0] + first, objects[1]);
    world_put(&world, objects[1] + first, objects[0]);
    world_put(&world, objects[2] + first, objects[2]);
    world_put(&world, objects[2] + first + 8, objects[3]);
    assert_good(world_open(&world));
    assert_good(walk_heap_build(&world.target, NULL, NULL, &heap));
    assert_good(walk_heap_garbage(heap, WALK_ALL_INTERPRETERS, &garbage));
    static const uint8_t wanted[] = {0, WALK_GARBAGE_FINALIZER, WALK_GARBAGE_LEGACY | WALK_GARBAGE_KEPT,
                                     WALK_GARBAGE_KEPT};
    size_t seen = 0;
    for (size_t g = 0; g < garbage->count; g++) {
        struct walk_node node;
        walk_heap_node(heap, garbage->id[g], &node);
        for (int i = 0; i < 4; i++)
            if (node.address == objects[i]) {
                expect_eq(garbage->flags[g], wanted[i]);
                seen++;
            }
    }
    expect_eq(seen, 4);
    walk_garbage_free(garbage);
    walk_heap_destroy(heap);
    world_close(&world);
}
END_TEST

/*
 * 3.15: a suspended generator has a list as its variable, and once more, borrowed, on its stack: one reference, that is
 * counted, of the two that the collector sees. With `held` somebody else has the list too.
 */
static size_t garbage_of_generator(bool held)
{
    enum { SUSPENDED = 1, BORROWED = 1 };
    struct world world;
    struct walk_heap *heap;
    struct walk_garbage *garbage;
    world_init(&world, 15);
    const struct walk_layout *layout = world.layout;
    walk_addr code = world_object(&world, world.code, WALK_SIZE(layout, code) + 64);
    walk_addr generator = world_object(&world, world.generator, WALK_SIZE(layout, generator) + 256);
    walk_addr frame = generator + WALK_OFFSET(layout, generator, gi_iframe);
    walk_addr slot = frame + WALK_OFFSET(layout, iframe, localsplus);
    walk_addr list = world_list(&world, &generator, 1);
    PUT_INT(&world, code, code, co_nlocalsplus, 1);
    PUT_INT(&world, code, code, co_stacksize, 2);
    PUT(&world, frame, iframe, executable, code);
    PUT(&world, frame, iframe, instr_ptr, code + WALK_OFFSET(layout, code, co_code_adaptive));
    PUT(&world, frame, iframe, stackpointer, slot + 16);
    *world_at(&world, frame + WALK_OFFSET(layout, iframe, owner)) = 1;
    *world_at(&world, generator + WALK_OFFSET(layout, generator, gi_frame_state)) = SUSPENDED;
    world_put(&world, slot, list);
    world_put(&world, slot + 8, list | BORROWED);
    PUT(&world, list, object, ob_refcnt, 1 + held);
    world_track(&world, generator);
    world_track(&world, list);
    assert_good(world_open(&world));
    assert_good(walk_heap_build(&world.target, NULL, NULL, &heap));
    assert_good(walk_heap_garbage(heap, WALK_ALL_INTERPRETERS, &garbage));
    size_t count = garbage->count;
    walk_garbage_free(garbage);
    walk_heap_destroy(heap);
    world_close(&world);
    return count;
}

START_TEST(what_a_frame_borrows_is_in_no_count)
{
    expect_eq(garbage_of_generator(false), 2);
    expect_eq(garbage_of_generator(true), 0);
}
END_TEST

START_TEST(leaks_are_tracked_and_held_by_nothing)
{
    EVERY_MODEL
    {
        struct walk_ids *leaks, *strict;
        assert_good(walk_heap_leaks(model.heap, false, &leaks));
        assert_good(walk_heap_leaks(model.heap, true, &strict));
        for (size_t i = 0; i < model.count; i++) {
            bool held = i == 0, held_by_tracked = i == 0;
            for (size_t j = 0; j < model.count; j++)
                for (size_t e = 0; e < model.row[j]; e++) {
                    held |= model.to[j][e] == i && model.id[j] != WALK_NO_ID;
                    held_by_tracked |= model.to[j][e] == i && model.tracked[j];
                }
            if (model.id[i] == WALK_NO_ID)
                continue;
            expect_eq(has(leaks, model.id[i]), model.tracked[i] && !held_by_tracked);
            expect_eq(has(strict, model.id[i]), model.tracked[i] && !held);
        }
        walk_ids_free(leaks);
        walk_ids_free(strict);
    }
}
END_TEST

int main(void)
{
    const TTest *const part_tests[] = {within_is_what_is_no_farther, edges_of_a_part_are_those_between_its_nodes,
                                       lists_are_compared_as_sets, what_is_not_in_a_part_is_not_found, NULL};
    const TTest *const chain_tests[] = {a_path_is_as_long_as_the_distance, a_cycle_is_a_shortest_way_back,
                                        a_chain_ends_at_the_nearest_goal_and_no_deeper_than_asked, NULL};
    const TTest *const garbage_tests[] = {components_come_with_their_bytes_the_largest_first,
                                          garbage_is_what_no_count_explains, finalizers_are_told_apart,
                                          leaks_are_tracked_and_held_by_nothing, NULL};
    const TTest *const single_tests[] = {what_a_frame_borrows_is_in_no_count, NULL};
    const struct unit_group groups[] = {{"borrowed", single_tests, 0},
                                        {"parts", part_tests, VERSIONS},
                                        {"chains", chain_tests, VERSIONS},
                                        {"garbage", garbage_tests, VERSIONS}};
    return unit_run("parts", groups, sizeof groups / sizeof *groups);
}
