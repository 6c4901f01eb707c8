/* SPDX-License-Identifier: Apache-2.0 */
/* Every test runs for CPython 3.8, 3.11 to 3.15, and with words of 4 bytes for 3.11 and 3.13: see world.h. */
#include <stddef.h>

#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/plan.h"
#include "objects/size.h"
#include "objects/sweep_filter.h"
#include "objects/tally.h"
#include "objects/text.h"
#include "objects/tracked.h"
#include "unit.h"
#include "world.h"

enum { WIDE = 6, VERSIONS = 8, MANY = 40 };
static const unsigned versions[VERSIONS] = {8, 11, 12, 13, 14, 15, 11, 13};

/* Of each the lower half, as a word of 4 bytes, is too much, too. */
static const uint64_t hostile[] = {(UINT64_C(1) << 62) + (1 << 30),
                                   (UINT64_C(1) << 63) + (UINT64_C(1) << 31),
                                   UINT64_MAX,
                                   INT64_MAX,
                                   (UINT64_C(1) << 40) + (1 << 25),
                                   (UINT64_C(1) << 32) + (1 << 26),
                                   (UINT64_C(1) << 61) + (1 << 29) + 1,
                                   1 << 24};
enum { HOSTILE = sizeof hostile / sizeof *hostile };
/* Where nothing is mapped. */
#define NOWHERE UINT64_C(0x7eff0000)

/* ---- what an object refers to, against what it should ---- */

struct expected {
    walk_addr target;
    const char *label;
    uint32_t flags;
};

static uint32_t type_index(struct world *world, walk_addr object)
{
    uint32_t type = UINT32_MAX;
    ck_assert(walk_python_type_of(world_python(world), object, &type));
    return type;
}

static void visit(struct world *world, walk_addr object, struct walk_refs *refs)
{
    *refs = (struct walk_refs){0};
    walk_visit_object(world_python(world), object, type_index(world, object), refs);
}

/* What is planned for its type, if anything is, tells the same. */
static void check_plan(struct world *world, walk_addr object, const struct walk_refs *refs)
{
    enum { ROOM = 1 << 10, PROVEN = UINT8_MAX };
    struct walk_python *python = &world->target.python;
    uint32_t index = type_index(world, object);
    struct walk_pytype *type = &python->types[index];
    uint8_t proofs = type->proofs;
    struct walk_plan plan = {.state = WALK_PLAN_UNMADE};
    uint64_t targets[ROOM], size = 0;
    struct walk_planned planned = {.start = targets, .end = targets + ROOM, .words = UINT64_MAX, .whole = true};
    size_t at = 0;
    type->proofs = PROVEN;
    ck_assert(walk_plan_make(&plan, python, type));
    bool good = plan.state == WALK_PLAN_MADE && walk_plan_visit(&plan, python, type, object, &planned);
    size_t count = good ? (size_t)(planned.to - targets) : 0;
    for (size_t i = 0; good && i < refs->count; i++) {
        const struct walk_ref *ref = &refs->ref[i];
        if (ref->flags & WALK_EDGE_WEAK)
            continue;
        expect(at < count);
        expect_eq(targets[at++], ref->target | (ref->flags & WALK_EDGE_EXTRA ? WALK_PLAN_MARK : 0));
    }
    expect(at == count);
    if (good && plan.sized)
        expect_eq(planned.size, walk_object_size(python, object, index));
    struct walk_own_size own = walk_own_size_of(python, type);
    if (walk_own_size(&own, python, object, &size))
        expect_eq(size, walk_object_size(python, object, index));
    walk_plan_deinit(&plan);
    python->types[index].proofs = proofs;
}

static void check_refs(struct world *world, walk_addr object, const struct expected *expected, size_t count)
{
    struct walk_refs refs;
    visit(world, object, &refs);
    ck_assert(!refs.unreadable);
    for (size_t i = 0; i < refs.count && i < count; i++) {
        char label[256];
        struct walk_text_out out;
        walk_text_init(&out, label, sizeof label);
        walk_text_label(world_python(world), &refs.ref[i], &out);
        ck_assert_str_eq(label, expected[i].label);
        expect_eq(refs.ref[i].target, expected[i].target);
        expect_eq(refs.ref[i].flags & ~WALK_REF_HELD, expected[i].flags);
    }
    expect_eq(refs.count, count);
    check_plan(world, object, &refs);
    walk_refs_deinit(&refs);
}
#define CHECK_REFS(world, object, ...)                                                                                 \
    do {                                                                                                               \
        const struct expected list_[] = {__VA_ARGS__};                                                                 \
        check_refs(world, object, list_, sizeof list_ / sizeof *list_);                                                \
    } while (0)

/* Its references could not all be read, and there are at most `most`. */
static void check_unreadable(struct world *world, walk_addr object, size_t most)
{
    struct walk_refs refs;
    visit(world, object, &refs);
    ck_assert(refs.unreadable);
    expect(refs.count <= most);
    walk_refs_deinit(&refs);
}

static void check_value(struct world *world, walk_addr object, const char *value)
{
    char text[4096];
    struct walk_text_out out;
    walk_text_init(&out, text, sizeof text);
    walk_text_value(world_python(world), object, type_index(world, object), &out);
    ck_assert_str_eq(text, value);
}

static void check_annotation(struct world *world, walk_addr object, const char *annotation)
{
    char text[1024];
    struct walk_text_out out;
    walk_text_init(&out, text, sizeof text);
    walk_text_annotation(world_python(world), object, type_index(world, object), &out);
    ck_assert_str_eq(text, annotation);
}

static const char *type_name(struct world *world, walk_addr object)
{
    uint32_t index = type_index(world, object);
    return world_python(world)->types[index].name;
}

#define BEGIN                                                                                                          \
    struct world world;                                                                                                \
    (_i < WIDE ? world_init : world_init_narrow)(&world, versions[_i])
#define OPEN assert_good(world_open(&world))
#define OPEN_LISTED                                                                                                    \
    OPEN;                                                                                                              \
    ck_assert(walk_tracked_list(world_python(&world)))
#define END world_close(&world)

/* ---- opening ---- */

START_TEST(the_version_is_what_sys_says)
{
    BEGIN;
    OPEN;
    expect_eq(world_python(&world)->version, 0x030000f0u | world.minor << 16);
    ck_assert_str_eq(world_python(&world)->version_text, "3.x (test)");
    END;
}
END_TEST

/* With a layout that holds it is read as the newest that is known. */
START_TEST(a_version_that_is_not_known_yet_is_tried)
{
    BEGIN;
    walk_addr sysdict = world_get(&world, world.interpreter + WALK_OFFSET(world.layout, interp, sysdict));
    walk_addr entries = world_entries(&world, world_get(&world, sysdict + WALK_OFFSET(world.layout, dict, ma_keys)));
    world_put(&world, entries + (world.minor < 11 ? 2 : 1) * world.word, world_small_int(&world, 0x036300f0));
    OPEN;
    expect_eq(WALK_MINOR(world_python(&world)), 0x63);
    END;
}
END_TEST

START_TEST(a_version_that_cannot_be_read_is_unsupported)
{
    BEGIN;
    walk_addr sysdict = world_get(&world, world.interpreter + WALK_OFFSET(world.layout, interp, sysdict));
    walk_addr entries = world_entries(&world, world_get(&world, sysdict + WALK_OFFSET(world.layout, dict, ma_keys)));
    walk_addr value = entries + (world.minor < 11 ? 2 : 1) * world.word;
    world_put(&world, value, world_small_int(&world, 0x02071200));
    assert_error(world_open(&world), WALK_ERROR_UNSUPPORTED, "CPython 2.7");
    world_put(&world, value, world_small_int(&world, -5));
    assert_error(world_open(&world), WALK_ERROR_UNSUPPORTED, "can be read");
    world_put(&world, value, world_str(&world, "3.11"));
    assert_error(world_open(&world), WALK_ERROR_LAYOUT, "sys.hexversion");
    END;
}
END_TEST

/* ---- the collector's lists ---- */

static walk_addr make_tracked(struct world *world)
{
    walk_addr list = world_list(world, NULL, 0);
    world_track(world, list);
    return list;
}

START_TEST(interpreters_are_listed_from_the_main_one_on)
{
    BEGIN;
    walk_addr main = world.interpreter, a = make_tracked(&world);
    world_interpreter(&world);
    walk_addr second = world.interpreter, b = make_tracked(&world), c = make_tracked(&world);
    world_interpreter(&world);
    OPEN;
    const struct walk_python *python = world_python(&world);
    expect_eq(python->interpreter_count, 3);
    expect(python->interpreters[0].address == main && python->interpreters[1].address == second);
    expect(python->interpreters[0].number == 0 && python->interpreters[2].number == 2);
    expect_eq(python->tracked_count, 3);
    expect(python->tracked[0] == a && python->tracked[1] == b && python->tracked[2] == c);
    bool shared = world.minor == 8;
    expect_eq(python->interpreters[0].tracked_count, shared ? 0 : 1);
    expect_eq(python->interpreters[1].tracked_count, shared ? 0 : 2);
    expect_eq(python->interpreters[2].tracked_count, 0);
    END;
}
END_TEST

START_TEST(an_interpreter_holds_what_it_keeps_of_static_types)
{
    BEGIN;
    struct walk_refs refs = {0};
    world_interpreter(&world);
    walk_addr second = world.interpreter, dict = world_dict(&world, WORLD_UNICODE, NULL, NULL, 0);
    if (world.minor >= 12) {
        walk_addr state = second + WALK_OFFSET(world.layout, interp, static_types);
        PUT(&world, state, static_type, type, world.list);
        PUT(&world, state, static_type, dict, dict);
        PUT(&world, world.list, type, tp_subclasses, 1);
    }
    OPEN;
    walk_visit_interpreter(world_python(&world), second, &refs);
    expect_eq(refs.count, world.minor >= 12 ? 1 : 0);
    for (size_t i = 0; i < refs.count; i++) {
        char label[64];
        struct walk_text_out out;
        walk_text_init(&out, label, sizeof label);
        walk_text_label(world_python(&world), &refs.ref[i], &out);
        ck_assert_str_eq(label, ".types[list].__dict__");
        expect_eq(refs.ref[i].target, dict);
    }
    walk_refs_deinit(&refs);
    END;
}
END_TEST

static walk_addr head_of(struct world *world, walk_addr object) { return object - WALK_SIZE(world->layout, gc_head); }

START_TEST(tracked_objects_are_those_of_the_lists_in_order)
{
    BEGIN;
    walk_addr a = make_tracked(&world), b = make_tracked(&world), c = make_tracked(&world);
    OPEN;
    const struct walk_python *python = world_python(&world);
    expect_eq(python->tracked_count, 3);
    expect(python->tracked[0] == a && python->tracked[1] == b && python->tracked[2] == c);
    expect_eq(python->broken_lists, 0);
    END;
}
END_TEST

START_TEST(flags_in_the_low_bits_of_links_are_no_part_of_the_address)
{
    BEGIN;
    make_tracked(&world);
    struct walk_collector collector;
    walk_runtime_collector(&world.target.runtime, world.interpreter, &collector);
    /* A link between objects, one back to the head, and the head's own (3.14.0 to 3.14.4). */
    walk_addr heads[3] = {0, head_of(&world, make_tracked(&world)), collector.generation[0]};
    heads[0] = world_get(&world, heads[2] + WALK_OFFSET(world.layout, gc_head, next));
    for (int i = 0; i < 3; i++) {
        walk_addr link = heads[i] + WALK_OFFSET(world.layout, gc_head, next);
        world_put(&world, link, world_get(&world, link) | 3);
    }
    OPEN;
    expect_eq(world_python(&world)->tracked_count, 2);
    expect_eq(world_python(&world)->broken_lists, 0);
    END;
}
END_TEST

/* The list runs in a circle that leaves out its head: found, counted, and no object is lost. */
START_TEST(a_list_that_never_comes_back_to_its_head_ends_and_is_broken)
{
    BEGIN;
    walk_addr object[MANY];
    for (int i = 0; i < MANY; i++)
        object[i] = make_tracked(&world);
    /* The last but one points back to the tenth; the proof of the layout looks at the head's neighbours only. */
    PUT(&world, head_of(&world, object[MANY - 2]), gc_head, next, head_of(&world, object[10]));
    OPEN;
    const struct walk_python *python = world_python(&world);
    expect_eq(python->broken_lists, 1);
    expect(python->tracked_count >= MANY - 1 && python->tracked_count < 4 * MANY);
    for (int i = 0; i < MANY - 1; i++)
        expect_eq(python->tracked[i], object[i]);
    END;
}
END_TEST

START_TEST(a_list_that_leads_to_nowhere_ends_and_is_broken)
{
    BEGIN;
    walk_addr object[4];
    for (int i = 0; i < 4; i++)
        object[i] = make_tracked(&world);
    PUT(&world, head_of(&world, object[1]), gc_head, next, NOWHERE);
    OPEN;
    expect_eq(world_python(&world)->broken_lists, 1);
    expect(world_python(&world)->tracked_count <= 3);
    END;
}
END_TEST

/* ---- the same by a sweep, and by sublists ---- */

/* One of the two, by several workers. */
static void search_by(struct world *world, bool sublists, unsigned workers)
{
    world->target.image.search = sublists ? WALK_SEARCH_SUBLISTS : WALK_SEARCH_SWEEP;
    world->target.image.workers = workers;
}

static void expect_found_by(const struct walk_python *python, bool sublists)
{
    expect_eq(python->tracked_by, sublists ? WALK_BY_SUBLISTS : WALK_BY_SWEEP);
}

/* On a list: linked behind `previous`, as objects of a list whose head nobody knows. */
static walk_addr make_linked(struct world *world, walk_addr previous)
{
    walk_addr list = world_list(world, NULL, 0), head = head_of(world, list);
    PUT(world, head, gc_head, next, previous ? head_of(world, previous) : head);
    PUT(world, head, gc_head, prev, previous ? head_of(world, previous) : head);
    if (previous) {
        PUT(world, head_of(world, previous), gc_head, next, head);
        PUT(world, head_of(world, previous), gc_head, prev, head);
    }
    return list;
}

/* Objects and bytes of all classes. */
static struct walk_tally tally_all(struct walk_python *python)
{
    struct walk_tally *tallies = calloc((size_t)python->classes.count + 1, sizeof *tallies), all = {0};
    ck_assert(tallies != NULL);
    assert_good(walk_tally(python, tallies));
    for (uint32_t i = 0; i < python->classes.count; i++) {
        all.count += tallies[i].count;
        all.size += tallies[i].size;
    }
    free(tallies);
    return all;
}

/* So many are counted; then they are listed. */
static void expect_counted(struct walk_python *python, bool sublists, size_t count)
{
    expect_found_by(python, sublists);
    expect_eq(tally_all(python).count, count);
    ck_assert(walk_tracked_list(python));
}

/* Whatever was said to be asked first, and what is asked then. */
START_TEST(either_finds_what_is_on_the_lists_in_order_of_address)
{
    for (unsigned way = 0; way < 18; way++) {
        unsigned workers = 1u << way % 3;
        BEGIN;
        walk_addr first[MANY], second[MANY];
        for (int i = 0; i < MANY; i++)
            first[i] = make_tracked(&world);
        world_interpreter(&world);
        for (int i = 0; i < MANY; i++)
            second[i] = make_tracked(&world);
        search_by(&world, way % 2, workers);
        world.target.image.first = way / 6;
        OPEN;
        struct walk_python *python = world_python(&world);
        struct walk_tally all = tally_all(python);
        expect_eq(all.count, 2 * MANY);
        ck_assert(walk_tracked_list(python));
        uint32_t type;
        uint64_t size = 0;
        for (size_t i = 0; i < python->tracked_count; i++)
            if (walk_python_type_of(python, python->tracked[i], &type))
                size += walk_object_size(python, python->tracked[i], type);
        expect_eq(all.size, size);
        bool shared = world.minor == 8;
        expect_found_by(python, way % 2);
        expect_eq(python->tracked_count, 2 * MANY);
        for (int i = 0; i < MANY; i++)
            expect(python->tracked[i] == first[i] && python->tracked[MANY + i] == second[i]);
        expect_eq(python->interpreters[1].first_tracked, shared ? 0 : MANY);
        expect_eq(python->interpreters[1].tracked_count, shared ? 0 : MANY);
        for (int i = 0; i < 2 * MANY; i++)
            expect_eq(python->classes.class[python->tracked_class[i]].type, world.list);
        END;
    }
}
END_TEST

/* A word of a memory that is full of what might be links, types and counts. */
static uint64_t any_word(struct rng *rng, walk_addr low)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return rng_below(rng, UINT64_MAX);
    case 2:
        return low + rng_below(rng, 1 << 20) * 8 + rng_below(rng, 8);
    default:
        return low + rng_below(rng, 1 << 20) * 8;
    }
}

static size_t find_all(walk_filter_go *go, const struct walk_filter *filter, const uint8_t *bytes, size_t size,
                       uint32_t *places)
{
    uint32_t found[WALK_FILTER_FOUND];
    size_t all = 0;
    for (size_t at = 0; at < size;) {
        size_t before = at, count = go(filter, bytes, &at, size, found);
        ck_assert(at > before && count <= WALK_FILTER_FOUND);
        memcpy(places + all, found, count * sizeof *places);
        all += count;
    }
    return all;
}

/* Behind what is looked at are as many bytes as are promised, and none more. */
START_TEST(all_ways_to_rule_places_out_stop_at_the_same_ones)
{
    enum { BEHIND = 31, GRANULES = 1000 };
    struct rng rng = {7};
    const walk_addr low = 0x7f0000000000;
    const struct walk_filter filter = {.low = low,
                                       .beyond = ~UINT64_C(0xffffff),
                                       .link = 4,
                                       .type = 7,
                                       .count = UINT64_C(0xff) << 56,
                                       .granule = 16,
                                       .word = 8,
                                       .places = {0, 8, 16, 24}};
    walk_filter_go *plain = walk_filter_way(&filter, WALK_FILTER_BY_WORD);
    uint32_t places[GRANULES + 1], others[GRANULES + 1];
    size_t stops = 0;
    for (int round = 0; round < 2000; round++) {
        size_t granules = rng_below(&rng, GRANULES), size = granules * 16 + rng_below(&rng, 16);
        uint8_t *bytes = malloc(size + BEHIND);
        for (size_t at = 0; at < size + BEHIND; at += 8) {
            uint64_t word = any_word(&rng, low);
            memcpy(bytes + at, &word, size + BEHIND - at < 8 ? size + BEHIND - at : 8);
        }
        size_t expected = find_all(plain, &filter, bytes, size, places);
        for (enum walk_filter_way way = WALK_FILTER_BY_WORD; way < WALK_FILTER_WAYS; way++) {
            walk_filter_go *go = walk_filter_way(&filter, way);
            if (!go)
                continue;
            expect_eq(find_all(go, &filter, bytes, size, others), expected);
            expect(memcmp(others, places, expected * sizeof *places) == 0);
            stops += expected;
        }
        free(bytes);
    }
    expect(stops > 1000);
    expect(walk_filter_choose(&filter) != NULL);
}
END_TEST

START_TEST(what_is_set_aside_is_behind_the_rest_either_way)
{
    for (int sublists = 0; sublists < 2; sublists++) {
        BEGIN;
        struct walk_collector collector;
        walk_addr a = make_tracked(&world), aside = world_list(&world, NULL, 0), b = make_tracked(&world);
        walk_runtime_collector(&world.target.runtime, world.interpreter, &collector);
        PUT(&world, collector.permanent, gc_head, next, head_of(&world, aside));
        PUT(&world, collector.permanent, gc_head, prev, head_of(&world, aside));
        PUT(&world, head_of(&world, aside), gc_head, next, collector.permanent);
        PUT(&world, head_of(&world, aside), gc_head, prev, collector.permanent);
        search_by(&world, sublists, 2);
        OPEN;
        struct walk_python *python = world_python(&world);
        expect_counted(python, sublists, 2);
        expect_eq(python->permanent_count, 1);
        expect_eq(python->tracked_count, 3);
        expect(python->tracked[0] == a && python->tracked[1] == b && python->tracked[2] == aside);
        END;
    }
}
END_TEST

START_TEST(a_ring_that_no_list_leads_to_is_not_tracked)
{
    for (int sublists = 0; sublists < 2; sublists++) {
        BEGIN;
        walk_addr a = make_tracked(&world);
        make_linked(&world, make_linked(&world, 0));
        make_linked(&world, 0);
        search_by(&world, sublists, 2);
        OPEN;
        struct walk_python *python = world_python(&world);
        expect_counted(python, sublists, 1);
        expect_eq(python->tracked_count, 1);
        expect_eq(python->tracked[0], a);
        END;
    }
}
END_TEST

/* In the middle of a list: a link to nowhere, one that goes in a circle, one to an object that is freed. */
START_TEST(where_a_list_is_damaged_it_is_followed_in_the_memory)
{
    for (int way = 0; way < 6; way++) {
        int damage = way % 3;
        BEGIN;
        walk_addr object[MANY];
        for (int i = 0; i < MANY; i++)
            object[i] = make_tracked(&world);
        if (damage == 2)
            PUT(&world, object[MANY / 2], object, ob_refcnt, 0);
        else
            PUT(&world, head_of(&world, object[MANY / 2]), gc_head, next,
                damage ? head_of(&world, object[1]) : NOWHERE);
        search_by(&world, way >= 3, 2);
        OPEN_LISTED;
        const struct walk_python *python = world_python(&world);
        /* Who follows the list in the memory does not ask whether what is on it is alive. */
        expect_eq(python->tracked_by, way == 5 ? WALK_BY_SUBLISTS : WALK_BY_LISTS);
        expect_eq(python->broken_lists, damage == 2 ? 0 : 1);
        /* What is nowhere stands in front of them. */
        for (int i = 0; i <= MANY / 2; i++)
            expect_eq(python->tracked[i + (damage == 0)], object[i]);
        END;
    }
}
END_TEST

START_TEST(a_collector_at_work_is_told)
{
    BEGIN;
    walk_addr gc = WALK_HAS(world.layout, interp, gc)
                       ? world.interpreter + WALK_OFFSET(world.layout, interp, gc)
                       : world.target.runtime.runtime + WALK_OFFSET(world.layout, runtime, gc);
    PUT_INT(&world, gc, gc, collecting, 1);
    OPEN;
    ck_assert(world_python(&world)->collecting);
    END;
}
END_TEST

/* ---- types ---- */

START_TEST(types_are_named_by_module_and_qualname_builtins_bare)
{
    static const char *const no_slots[] = {NULL};
    BEGIN;
    walk_addr cls = world_class(&world, "Outer.Session", world.object, 16, 0, no_slots);
    walk_addr instance = world_object(&world, cls, 16);
    walk_addr deque = world_object(&world, world.deque, 64);
    OPEN;
    ck_assert_str_eq(type_name(&world, instance), "app.Outer.Session");
    ck_assert_str_eq(type_name(&world, world.none), "NoneType");
    ck_assert_str_eq(type_name(&world, deque), "collections.deque");
    ck_assert_str_eq(type_name(&world, cls), "type");
    END;
}
END_TEST

START_TEST(an_object_must_have_a_count_an_alignment_and_a_type)
{
    BEGIN;
    walk_addr list = world_list(&world, NULL, 0), no_type = world_alloc(&world, 32);
    uint32_t type;
    PUT(&world, no_type, object, ob_refcnt, 1);
    PUT(&world, no_type, object, ob_type, list);
    OPEN;
    struct walk_python *python = world_python(&world);
    ck_assert(walk_python_type_of(python, list, &type));
    ck_assert(!walk_python_type_of(python, list + world.word / 2, &type));
    ck_assert(!walk_python_type_of(python, no_type, &type));
    ck_assert(!walk_python_type_of(python, NOWHERE, &type));
    ck_assert(!walk_python_type_of(python, 0, &type));
    ck_assert(!walk_python_type_of(python, UINT64_MAX - 7, &type));
    ck_assert(!walk_python_type_of(python, WORLD_BASE + WORLD_SIZE - 8, &type));
    PUT(&world, list, object, ob_refcnt, 0);
    ck_assert(!walk_python_type_of(python, list, &type));
    PUT(&world, list, object, ob_refcnt, world.word == 8 ? UINT64_C(0x7f0000001230) : 0xf7001230);
    ck_assert(!walk_python_type_of(python, list, &type));
    END;
}
END_TEST

START_TEST(a_type_needs_sane_sizes)
{
    BEGIN;
    static const enum walk_field fields[] = {WALK_FIELD_type_tp_basicsize, WALK_FIELD_type_tp_itemsize};
    walk_addr cls = world_class(&world, "Bad", world.object, 16, 0, NULL);
    uint32_t type;
    OPEN;
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < HOSTILE - 1; i++) {
            walk_addr at = cls + (uint32_t)world.layout->offset[fields[f]];
            uint64_t old = world_get(&world, at);
            world_put(&world, at, hostile[i]);
            ck_assert(!walk_python_type(world_python(&world), cls, &type));
            world_put(&world, at, old);
        }
    ck_assert(walk_python_type(world_python(&world), cls, &type));
    END;
}
END_TEST

START_TEST(metatypes_that_run_in_a_circle_are_no_types)
{
    BEGIN;
    walk_addr a = world_class(&world, "A", world.type, 2000, WALK_TPFLAGS_TYPE_SUBCLASS, NULL);
    walk_addr b = world_class(&world, "B", world.type, 2000, WALK_TPFLAGS_TYPE_SUBCLASS, NULL);
    walk_addr good = world_class(&world, "Good", world.object, 16, 0, NULL);
    walk_addr meta = world_class(&world, "Meta", world.type, 2000, WALK_TPFLAGS_TYPE_SUBCLASS, NULL);
    uint32_t type;
    PUT(&world, a, object, ob_type, b);
    PUT(&world, b, object, ob_type, a);
    PUT(&world, good, object, ob_type, meta);
    OPEN;
    ck_assert(!walk_python_type(world_python(&world), a, &type));
    ck_assert(!walk_python_type(world_python(&world), b, &type));
    ck_assert(walk_python_type(world_python(&world), good, &type));
    END;
}
END_TEST

START_TEST(bases_that_run_in_a_circle_end)
{
    enum { SLOTS = 64 };
    const char *slots[SLOTS + 1] = {NULL};
    for (int i = 0; i < SLOTS; i++)
        slots[i] = "x";
    BEGIN;
    walk_addr a = world_class(&world, "A", world.object, 24, 0, slots), b = world_class(&world, "B", a, 32, 0, slots);
    PUT(&world, a, type, tp_base, b);
    walk_addr instance = world_object(&world, b, 1024);
    OPEN;
    struct walk_refs refs;
    visit(&world, instance, &refs);
    expect(world_python(&world)->slot_count < 10000);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

START_TEST(a_base_that_is_not_there_does_no_harm)
{
    static const walk_addr bases[] = {0, 8, NOWHERE, UINT64_MAX - 7, WORLD_BASE + WORLD_SIZE - 8};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        BEGIN;
        walk_addr cls = world_class(&world, "Orphan", world.object, 24, 0, NULL);
        walk_addr instance = world_object(&world, cls, 24);
        PUT(&world, cls, type, tp_base, bases[i]);
        OPEN;
        struct walk_refs refs;
        visit(&world, instance, &refs);
        ck_assert_str_eq(type_name(&world, instance), "app.Orphan");
        walk_refs_deinit(&refs);
        END;
    }
}
END_TEST

/* Up to 3.8 and since 3.9 alike: a class of Python code whose base is static visits its type. */
START_TEST(slots_of_the_class_and_of_its_bases_are_visited_by_name)
{
    static const char *const first[] = {"a", "b", NULL}, *const second[] = {"c", NULL};
    BEGIN;
    const unsigned word = world.word;
    walk_addr base = world_class(&world, "Base", world.object, 4 * word, 0, first);
    walk_addr cls = world_class(&world, "Derived", base, 5 * word, 0, second);
    walk_addr x = world_str(&world, "x"), y = world_str(&world, "y"), instance = world_object(&world, cls, 40);
    world_put(&world, instance + 2 * word, x);
    world_put(&world, instance + 3 * word, 0);
    world_put(&world, instance + 4 * word, y);
    OPEN;
    CHECK_REFS(&world, instance, {y, ".c", 0}, {x, ".a", 0}, {cls, "__class__", 0});
    END;
}
END_TEST

START_TEST(a_hostile_number_of_slots_is_no_slot)
{
    for (size_t i = 0; i < HOSTILE; i++) {
        BEGIN;
        walk_addr cls = world_class(&world, "Bad", world.object, 16, 0, NULL);
        walk_addr instance = world_object(&world, cls, 16);
        PUT(&world, cls, var_object, ob_size, hostile[i]);
        OPEN;
        CHECK_REFS(&world, instance, {cls, "__class__", 0});
        END;
    }
}
END_TEST

START_TEST(a_name_without_end_or_out_of_memory_is_replaced)
{
    BEGIN;
    walk_addr none[3], type[3];
    walk_addr names[3] = {NOWHERE, WORLD_BASE + WORLD_SIZE - 4, 0};
    memcpy(world_at(&world, WORLD_BASE + WORLD_SIZE - 4), "endl", 4);
    for (int i = 0; i < 3; i++) {
        type[i] = world_static_type(&world, NULL, "x", world.object, 16, 0, 0, 0);
        PUT(&world, type[i], type, tp_name, names[i]);
        none[i] = world_object(&world, type[i], 16);
    }
    OPEN;
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "type@0x%llx", (unsigned long long)type[i]);
        ck_assert_str_eq(type_name(&world, none[i]), name);
    }
    END;
}
END_TEST

/* ---- dicts ---- */

START_TEST(a_general_dict_visits_values_and_keys)
{
    BEGIN;
    walk_addr key = world_small_int(&world, 7), name = world_str(&world, "k"), value = world_list(&world, NULL, 0);
    walk_addr keys[] = {key, name, key}, values[] = {value, 0, name};
    walk_addr dict = world_dict(&world, WORLD_GENERAL, keys, values, 3);
    OPEN;
    CHECK_REFS(&world, dict, {value, "value[7]", 0}, {key, "key", 0}, {name, "value[7]", 0}, {key, "key", 0});
    END;
}
END_TEST

START_TEST(keys_of_a_dict_of_str_are_extra)
{
    BEGIN;
    walk_addr key = world_str(&world, "it's"), value = world_list(&world, NULL, 0);
    walk_addr dict = world_dict(&world, WORLD_UNICODE, &key, &value, 1);
    OPEN;
    CHECK_REFS(&world, dict, {value, "value[\"it's\"]", 0}, {key, "key", WALK_EDGE_EXTRA});
    END;
}
END_TEST

START_TEST(a_split_dict_takes_its_values_from_its_array)
{
    BEGIN;
    walk_addr keys[] = {world_str(&world, "a"), world_str(&world, "b"), world_str(&world, "c")};
    walk_addr values[] = {world.none, 0, keys[0]};
    walk_addr dict = world_dict(&world, WORLD_SPLIT, keys, values, 3);
    OPEN;
    CHECK_REFS(&world, dict, {world.none, "value['a']", 0}, {keys[0], "key", WALK_EDGE_EXTRA},
               {keys[0], "value['c']", 0}, {keys[2], "key", WALK_EDGE_EXTRA});
    END;
}
END_TEST

/* 3.13+: the values stand in an instance, which visits either them or the dict (fields_core.def). */
START_TEST(embedded_values_are_extra_for_the_dict_unless_it_is_visited)
{
    BEGIN;
    walk_addr key = world_str(&world, "a"), dict = world_dict(&world, WORLD_SPLIT, &key, &world.none, 1);
    if (WALK_HAS(world.layout, dict_values, embedded)) {
        walk_addr values = world_get(&world, dict + WALK_OFFSET(world.layout, dict, ma_values));
        *world_at(&world, values + WALK_OFFSET(world.layout, dict_values, embedded)) = 1;
        OPEN;
        world.layout->offset[WALK_FIELD_visit_managed_dict_dict] = WALK_ABSENT;
        CHECK_REFS(&world, dict, {world.none, "value['a']", WALK_EDGE_EXTRA}, {key, "key", WALK_EDGE_EXTRA});
        world.layout->offset[WALK_FIELD_visit_managed_dict_dict] = 0;
        CHECK_REFS(&world, dict, {world.none, "value['a']", 0}, {key, "key", WALK_EDGE_EXTRA});
    }
    END;
}
END_TEST

START_TEST(a_dict_of_a_thousand_entries_is_read_to_the_last)
{
    enum { COUNT = 1000 };
    BEGIN;
    static walk_addr keys[COUNT], values[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof text, "k%d", i);
        keys[i] = world_str(&world, text);
        values[i] = world_small_int(&world, i);
    }
    walk_addr dict = world_dict(&world, WORLD_UNICODE, keys, values, COUNT);
    OPEN;
    struct walk_refs refs;
    visit(&world, dict, &refs);
    expect_eq(refs.count, 2 * COUNT);
    expect_eq(refs.ref[2 * COUNT - 2].target, values[COUNT - 1]);
    expect_eq(walk_dict_get(world_python(&world), dict, "k999"), values[999]);
    expect_eq(walk_dict_get(world_python(&world), dict, "k1000"), 0);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

START_TEST(a_dict_whose_keys_lie_is_unreadable)
{
    BEGIN;
    walk_addr key = world_str(&world, "a"), dict = world_dict(&world, WORLD_UNICODE, &key, &world.none, 1);
    walk_addr keys = world_get(&world, dict + WALK_OFFSET(world.layout, dict, ma_keys));
    OPEN;
    for (size_t i = 0; i < HOSTILE; i++) {
        PUT(&world, keys, dict_keys, dk_nentries, hostile[i]);
        check_unreadable(&world, dict, 0);
        PUT(&world, keys, dict_keys, dk_nentries, 1);
        if (WALK_HAS(world.layout, dict_keys, dk_size)) {
            PUT(&world, keys, dict_keys, dk_size, hostile[i]);
            check_unreadable(&world, dict, 0);
            PUT(&world, keys, dict_keys, dk_size, 8);
        }
    }
    for (unsigned log2 = 30; WALK_HAS(world.layout, dict_keys, dk_log2_size) && log2 < 256; log2 += 5) {
        uint8_t *index = world_at(&world, keys + WALK_OFFSET(world.layout, dict_keys, dk_log2_index_bytes));
        *index = (uint8_t)log2;
        check_unreadable(&world, dict, 0);
        *index = 3;
    }
    PUT(&world, dict, dict, ma_keys, NOWHERE);
    check_unreadable(&world, dict, 0);
    PUT(&world, dict, dict, ma_keys, keys);
    PUT(&world, dict, dict, ma_values, NOWHERE);
    check_unreadable(&world, dict, 0);
    END;
}
END_TEST

/* ---- sequences ---- */

START_TEST(items_are_visited_in_order_and_null_is_none)
{
    BEGIN;
    walk_addr a = world_str(&world, "a"), items[] = {a, 0, world.none, a};
    walk_addr list = world_list(&world, items, 4), tuple = world_tuple(&world, items, 4);
    OPEN;
    CHECK_REFS(&world, list, {a, "item[0]", 0}, {world.none, "item[2]", 0}, {a, "item[3]", 0});
    CHECK_REFS(&world, tuple, {a, "item[0]", 0}, {world.none, "item[2]", 0}, {a, "item[3]", 0});
    check_annotation(&world, list, "list[4]");
    check_annotation(&world, tuple, "tuple[4]");
    END;
}
END_TEST

START_TEST(an_empty_sequence_is_readable)
{
    BEGIN;
    walk_addr list = world_list(&world, NULL, 0), tuple = world_tuple(&world, NULL, 0);
    OPEN;
    check_refs(&world, list, NULL, 0);
    check_refs(&world, tuple, NULL, 0);
    END;
}
END_TEST

START_TEST(a_sequence_of_hostile_length_is_unreadable)
{
    BEGIN;
    walk_addr items[] = {world.none}, list = world_list(&world, items, 1), tuple = world_tuple(&world, items, 1);
    OPEN;
    for (size_t i = 0; i < HOSTILE; i++) {
        PUT(&world, list, var_object, ob_size, hostile[i]);
        PUT(&world, tuple, var_object, ob_size, hostile[i]);
        check_unreadable(&world, list, 0);
        check_unreadable(&world, tuple, 0);
    }
    PUT(&world, list, var_object, ob_size, 1);
    PUT(&world, list, list, ob_item, NOWHERE);
    check_unreadable(&world, list, 0);
    END;
}
END_TEST

/* Many lists that all claim one huge array: who visits all of them looks at no more words than he can afford. */
START_TEST(arrays_are_not_read_beyond_the_limit)
{
    BEGIN;
    walk_addr items[MANY], list = 0;
    for (int i = 0; i < MANY; i++)
        items[i] = world.none;
    list = world_list(&world, items, MANY);
    OPEN;
    struct walk_refs refs = {.limited = true, .words = 3 * MANY};
    for (int i = 0; i < 10; i++)
        walk_visit_object(world_python(&world), list, type_index(&world, list), &refs);
    expect_eq(refs.count, 3 * MANY);
    ck_assert(refs.unreadable);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

/* ---- sets ---- */

static walk_addr make_set(struct world *world, const walk_addr *keys, const int64_t *hashes, size_t slots)
{
    walk_addr set = world_object(world, world->set, WALK_SIZE(world->layout, set)),
              table = world_alloc(world, 2 * world->word * slots);
    PUT(world, set, set, mask, slots - 1);
    PUT(world, set, set, table, table);
    for (size_t i = 0; i < slots; i++) {
        world_put(world, table + 2 * i * world->word, keys[i]);
        world_put(world, table + (2 * i + 1) * world->word, (uint64_t)hashes[i]);
    }
    return set;
}

START_TEST(a_set_visits_its_elements_but_no_dummies)
{
    BEGIN;
    walk_addr a = world_str(&world, "a"), dummy = world_object(&world, world.object, 16);
    const walk_addr keys[] = {a, dummy, 0, world.none};
    const int64_t hashes[] = {5, -1, 0, 0};
    walk_addr set = make_set(&world, keys, hashes, 4);
    OPEN;
    CHECK_REFS(&world, set, {a, "element", 0}, {world.none, "element", 0});
    END;
}
END_TEST

START_TEST(a_set_of_hostile_size_is_unreadable)
{
    BEGIN;
    const walk_addr keys[] = {world.none, world.none};
    const int64_t hashes[] = {1, 2};
    walk_addr set = make_set(&world, keys, hashes, 2);
    OPEN;
    for (size_t i = 0; i < HOSTILE; i++) {
        if (hostile[i] == UINT64_MAX)
            continue; /* that is an empty table */
        PUT(&world, set, set, mask, hostile[i]);
        check_unreadable(&world, set, 0);
    }
    PUT(&world, set, set, mask, 1);
    PUT(&world, set, set, table, NOWHERE);
    check_unreadable(&world, set, 0);
    END;
}
END_TEST

/* ---- linked containers ---- */

static walk_addr make_odict(struct world *world, walk_addr *nodes, size_t count)
{
    walk_addr key = world_str(world, "k");
    walk_addr dict = world_object(world, world->odict, WALK_SIZE(world->layout, odict));
    PUT(world, dict, dict, ma_keys, world_keys(world, WORLD_GENERAL, &key, &world->none, 1));
    PUT(world, dict, dict, ma_used, count);
    for (size_t i = 0; i < count; i++)
        nodes[i] = world_alloc(world, WALK_SIZE(world->layout, odict_node));
    for (size_t i = 0; i < count; i++) {
        PUT(world, nodes[i], odict_node, key, key);
        PUT(world, nodes[i], odict_node, next, i + 1 < count ? nodes[i + 1] : 0);
    }
    PUT(world, dict, odict, od_first, nodes[0]);
    return dict;
}

START_TEST(an_ordered_dict_visits_its_keys_by_its_nodes_too)
{
    BEGIN;
    walk_addr nodes[1], dict = make_odict(&world, nodes, 1);
    walk_addr key = world_get(&world, nodes[0] + WALK_OFFSET(world.layout, odict_node, key));
    OPEN;
    CHECK_REFS(&world, dict, {key, "key", 0}, {world.none, "value['k']", 0}, {key, "key", 0});
    END;
}
END_TEST

START_TEST(nodes_of_an_ordered_dict_in_a_circle_end_and_are_unreadable)
{
    for (size_t back = 0; back < MANY; back += 3)
        for (size_t i = 0; i < HOSTILE; i++) {
            BEGIN;
            walk_addr nodes[MANY], dict = make_odict(&world, nodes, MANY);
            PUT(&world, nodes[MANY - 1], odict_node, next, nodes[back]);
            PUT(&world, dict, dict, ma_used, hostile[i]);
            OPEN;
            check_unreadable(&world, dict, 4 * MANY);
            END;
        }
}
END_TEST

enum { BLOCK = 64 };

static walk_addr make_deque(struct world *world, walk_addr *blocks, size_t count, uint64_t first, uint64_t length)
{
    walk_addr deque = world_object(world, world->deque, WALK_SIZE(world->layout, deque));
    for (size_t i = 0; i < count; i++) {
        blocks[i] = world_alloc(world, WALK_SIZE(world->layout, deque_block));
        for (size_t n = 0; n < BLOCK; n++)
            world_put(world, blocks[i] + WALK_OFFSET(world->layout, deque_block, data) + world->word * n, world->none);
        if (i)
            PUT(world, blocks[i - 1], deque_block, rightlink, blocks[i]);
    }
    PUT(world, deque, var_object, ob_size, length);
    PUT(world, deque, deque, leftblock, blocks[0]);
    PUT(world, deque, deque, leftindex, first);
    return deque;
}

START_TEST(a_deque_is_read_from_block_to_block)
{
    BEGIN;
    walk_addr blocks[3], deque = make_deque(&world, blocks, 3, 60, 4 + BLOCK + 1);
    OPEN;
    struct walk_refs refs;
    visit(&world, deque, &refs);
    ck_assert(!refs.unreadable);
    /* Since 3.12 it visits its type, too. */
    expect_eq(refs.count, 4 + BLOCK + 1 + (world.minor >= 12));
    expect_eq(refs.ref[refs.count - 1].argument, 4 + BLOCK);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

START_TEST(blocks_of_a_deque_in_a_circle_end_and_are_unreadable)
{
    for (size_t back = 0; back < 5; back++)
        for (size_t i = 0; i < HOSTILE; i++) {
            BEGIN;
            walk_addr blocks[5], deque = make_deque(&world, blocks, 5, 0, hostile[i]);
            PUT(&world, blocks[4], deque_block, rightlink, blocks[back]);
            OPEN;
            check_unreadable(&world, deque, 4 * 5 * BLOCK);
            END;
        }
}
END_TEST

START_TEST(a_deque_with_an_index_beyond_its_block_is_unreadable)
{
    BEGIN;
    walk_addr blocks[1], deque = make_deque(&world, blocks, 1, BLOCK, 3);
    OPEN;
    check_unreadable(&world, deque, 1);
    for (size_t i = 0; i < HOSTILE; i++) {
        PUT(&world, deque, deque, leftindex, hostile[i]);
        check_unreadable(&world, deque, 1);
    }
    END;
}
END_TEST

/* The ring of links begins and ends in the cache object itself. */
START_TEST(links_of_a_cache_in_a_circle_without_it_end_and_are_unreadable)
{
    BEGIN;
    const struct walk_layout *layout = world.layout;
    walk_addr type = world_static_type(&world, NULL, "functools._lru_cache_wrapper", world.object,
                                       WALK_SIZE(layout, lru_cache), 0, WALK_TPFLAGS_HAVE_GC, WORLD_BASE + 0x777);
    walk_addr cache = world_object(&world, type, WALK_SIZE(layout, lru_cache)), links[MANY];
    walk_addr root = cache + WALK_OFFSET(layout, lru_cache, root), at = root;
    for (int i = 0; i < MANY; i++) {
        links[i] = world_object(&world, world.object, WALK_SIZE(layout, lru_elem));
        PUT(&world, links[i], lru_elem, key, world.none);
        PUT(&world, links[i], lru_elem, result, world.none);
        PUT(&world, at, lru_elem, next, links[i]);
        at = links[i];
    }
    PUT(&world, at, lru_elem, next, root);
    OPEN;
    struct walk_refs refs;
    visit(&world, cache, &refs);
    ck_assert(!refs.unreadable);
    expect(refs.count >= 2 * MANY);
    walk_refs_deinit(&refs);
    PUT(&world, at, lru_elem, next, links[MANY / 2]);
    check_unreadable(&world, cache, 3 * 4 * MANY);
    END;
}
END_TEST

/* ---- instances ---- */

START_TEST(a_dict_at_an_offset_is_visited)
{
    BEGIN;
    walk_addr cls = world_class(&world, "Plain", world.object, 32, 0, NULL);
    PUT(&world, cls, type, tp_dictoffset, 16);
    walk_addr instance = world_object(&world, cls, 32), dict = world_dict(&world, WORLD_UNICODE, NULL, NULL, 0);
    world_put(&world, instance + 16, dict);
    OPEN;
    CHECK_REFS(&world, instance, {dict, "__dict__", 0}, {cls, "__class__", 0});
    END;
}
END_TEST

/* Behind the items of a subclass of tuple, rounded up: a negative offset counts from there. */
START_TEST(a_dict_at_a_negative_offset_is_behind_the_items)
{
    BEGIN;
    uint32_t items = WALK_OFFSET(world.layout, tuple, ob_item);
    walk_addr cls = world_class(&world, "Point", world.tuple, items + world.word, 0, NULL);
    PUT(&world, cls, type, tp_itemsize, world.word);
    PUT(&world, cls, type, tp_dictoffset, -(uint64_t)world.word);
    walk_addr point = world_object(&world, cls, 64), dict = world_dict(&world, WORLD_UNICODE, NULL, NULL, 0);
    PUT(&world, point, var_object, ob_size, 2);
    world_put(&world, point + items, world.none);
    world_put(&world, point + items + world.word, world.none);
    world_put(&world, point + items + 2 * world.word, dict);
    OPEN;
    CHECK_REFS(&world, point, {dict, "__dict__", 0}, {cls, "__class__", 0}, {world.none, "item[0]", 0},
               {world.none, "item[1]", 0});
    for (size_t i = 0; i < HOSTILE; i++) {
        PUT(&world, point, var_object, ob_size, hostile[i]);
        check_unreadable(&world, point, 8);
    }
    END;
}
END_TEST

static walk_addr class_with_managed_dict(struct world *world, const walk_addr *keys, size_t count, uint64_t flags)
{
    walk_addr cls =
        world_class(world, "Session", world->object, 2 * world->word, WALK_TPFLAGS_MANAGED_DICT | flags, NULL);
    PUT(world, cls, heap_type, ht_cached_keys, world_keys(world, WORLD_SPLIT, keys, keys, count));
    return cls;
}

/* 3.11: a word for the dict and one for the values; 3.12: one for both, values marked; 3.13: values in the object. */
START_TEST(inline_values_are_visited_by_their_names)
{
    BEGIN;
    if (world.minor >= 11) {
        const struct walk_layout *layout = world.layout;
        walk_addr keys[] = {world_str(&world, "job"), world_str(&world, "user")};
        walk_addr cls = class_with_managed_dict(&world, keys, 2, WALK_TPFLAGS_INLINE_VALUES);
        walk_addr a = world_list(&world, NULL, 0), instance = world_object(&world, cls, 256), values = 0;
        if (world.minor < 13) {
            values = world_alloc(&world, 64);
            world_put(&world, instance - (world.minor == 11 ? 4 : 3) * world.word, values - (world.minor == 12));
        } else {
            walk_addr head = instance + 2 * world.word;
            *world_at(&world, head + WALK_OFFSET(layout, dict_values, valid)) = 1;
            *world_at(&world, head + WALK_OFFSET(layout, dict_values, capacity)) = 2;
            values = head + WALK_OFFSET(layout, dict_values, values);
        }
        world_put(&world, values, a);
        world_put(&world, values + world.word, world.none);
        OPEN;
        CHECK_REFS(&world, instance, {a, ".job", 0}, {world.none, ".user", 0}, {cls, "__class__", 0});
    }
    END;
}
END_TEST

/* 3.13+: both are held, and which of them is visited depends on the build (fields_core.def). */
START_TEST(of_inline_values_and_their_dict_one_is_visited)
{
    BEGIN;
    if (world.minor >= 13) {
        walk_addr key = world_str(&world, "job");
        walk_addr cls = class_with_managed_dict(&world, &key, 1, WALK_TPFLAGS_INLINE_VALUES);
        walk_addr instance = world_object(&world, cls, 256), dict = world_dict(&world, WORLD_UNICODE, NULL, NULL, 0);
        world_put(&world, instance - 3 * world.word, dict);
        *world_at(&world, instance + 2 * world.word + WALK_OFFSET(world.layout, dict_values, valid)) = 1;
        *world_at(&world, instance + 2 * world.word + WALK_OFFSET(world.layout, dict_values, capacity)) = 1;
        world_put(&world, instance + 2 * world.word + WALK_OFFSET(world.layout, dict_values, values), world.none);
        OPEN;
        world.layout->offset[WALK_FIELD_visit_managed_dict_dict] = WALK_ABSENT;
        CHECK_REFS(&world, instance, {world.none, ".job", 0}, {dict, "__dict__", WALK_EDGE_EXTRA},
                   {cls, "__class__", 0});
        world.layout->offset[WALK_FIELD_visit_managed_dict_dict] = 0;
        CHECK_REFS(&world, instance, {world.none, ".job", WALK_EDGE_EXTRA}, {dict, "__dict__", 0},
                   {cls, "__class__", 0});
    }
    END;
}
END_TEST

/* 3.15, a subclass of tuple: the slots stand behind the items. */
START_TEST(slots_behind_the_items_are_visited)
{
    static const char *const slots[] = {"job", NULL};
    BEGIN;
    uint32_t items = WALK_OFFSET(world.layout, tuple, ob_item);
    walk_addr cls = world_class(&world, "Point", world.tuple, items + world.word, 0, slots);
    PUT(&world, cls, type, tp_itemsize, world.word);
    walk_addr member = cls + world_get(&world, world.type + WALK_OFFSET(world.layout, type, tp_basicsize));
    PUT(&world, member, member_def, offset, items);
    PUT_INT(&world, member, member_def, flags, 0x10);
    walk_addr point = world_object(&world, cls, 64), a = world_list(&world, NULL, 0);
    PUT(&world, point, var_object, ob_size, 2);
    world_put(&world, point + items, world.none);
    world_put(&world, point + items + world.word, world.none);
    world_put(&world, point + items + 2 * world.word, a);
    OPEN;
    if (world.minor >= 15)
        CHECK_REFS(&world, point, {a, ".job", 0}, {cls, "__class__", 0}, {world.none, "item[0]", 0},
                   {world.none, "item[1]", 0});
    END;
}
END_TEST

START_TEST(a_managed_dict_that_was_made_is_visited)
{
    BEGIN;
    if (world.minor >= 11) {
        walk_addr key = world_str(&world, "job");
        walk_addr cls = class_with_managed_dict(&world, &key, 1, 0);
        walk_addr instance = world_object(&world, cls, 256), dict = world_dict(&world, WORLD_UNICODE, NULL, NULL, 0);
        world_put(&world, instance - 3 * world.word, dict);
        OPEN;
        CHECK_REFS(&world, instance, {dict, "__dict__", 0}, {cls, "__class__", 0});
    }
    END;
}
END_TEST

/* A type with a traverse that nobody knows: every word that is an object's address, marked as a guess. */
START_TEST(references_of_an_unknown_type_are_guessed)
{
    BEGIN;
    walk_addr type =
        world_static_type(&world, NULL, "ext.Thing", world.object, 48, 0, WALK_TPFLAGS_HAVE_GC, WORLD_BASE + 0x888);
    walk_addr thing = world_object(&world, type, 48), list = world_list(&world, NULL, 0);
    world_put(&world, thing + 16, 12345);
    world_put(&world, thing + 24, list);
    world_put(&world, thing + 32, thing);
    world_put(&world, thing + 40, world.none);
    OPEN;
    CHECK_REFS(&world, thing, {list, "+0x18", WALK_EDGE_GUESS}, {world.none, "+0x28", WALK_EDGE_GUESS});
    END;
}
END_TEST

/* ---- values: what CPython prints ---- */

#include "data_values.inc"
#define COUNT(array) (sizeof(array) / sizeof *(array))

START_TEST(floats_are_printed_as_repr_does)
{
    BEGIN;
    walk_addr object[COUNT(floats)];
    for (size_t i = 0; i < COUNT(floats); i++) {
        object[i] = world_object(&world, world.floating, WALK_SIZE(world.layout, float));
        memcpy(world_at(&world, object[i] + WALK_OFFSET(world.layout, float, ob_fval)), &floats[i].bits, 8);
    }
    OPEN;
    for (size_t i = 0; i < COUNT(floats); i++)
        check_value(&world, object[i], floats[i].repr);
    END;
}
END_TEST

START_TEST(complex_numbers_are_printed_as_repr_does)
{
    BEGIN;
    walk_addr object[COUNT(complexes)];
    for (size_t i = 0; i < COUNT(complexes); i++) {
        object[i] = world_object(&world, world.complex_type, WALK_SIZE(world.layout, complex));
        uint8_t *cval = world_at(&world, object[i] + WALK_OFFSET(world.layout, complex, cval));
        memcpy(cval, &complexes[i].real, 8);
        memcpy(cval + 8, &complexes[i].imaginary, 8);
    }
    OPEN;
    for (size_t i = 0; i < COUNT(complexes); i++)
        check_value(&world, object[i], complexes[i].repr);
    END;
}
END_TEST

START_TEST(ints_are_printed_as_repr_does)
{
    BEGIN;
    walk_addr object[COUNT(ints)];
    for (size_t i = 0; i < COUNT(ints); i++)
        object[i] = world_int(&world, ints[i].negative, ints[i].digit, ints[i].count);
    OPEN;
    for (size_t i = 0; i < COUNT(ints); i++)
        check_value(&world, object[i], ints[i].repr);
    END;
}
END_TEST

START_TEST(small_ints_are_read_or_refused_never_cut)
{
    static const int64_t values[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN + 1};
    static const uint32_t two_to_64[] = {0, 0, 16}, all_bits[] = {0x3fffffff, 0x3fffffff, 15};
    BEGIN;
    walk_addr object[COUNT(values)];
    int64_t value;
    for (size_t i = 0; i < COUNT(values); i++)
        object[i] = world_small_int(&world, values[i]);
    walk_addr large = world_int(&world, false, two_to_64, 3), identifier = world_int(&world, false, all_bits, 3);
    walk_addr most_negative = world_small_int(&world, INT64_MIN);
    OPEN;
    for (size_t i = 0; i < COUNT(values); i++) {
        ck_assert(walk_text_small_int(world_python(&world), object[i], &value));
        ck_assert(value == values[i]);
    }
    ck_assert(walk_text_small_int(world_python(&world), most_negative, &value) && value == INT64_MIN);
    ck_assert(!walk_text_small_int(world_python(&world), large, &value));
    ck_assert(walk_text_small_int(world_python(&world), identifier, &value) && (uint64_t)value == UINT64_MAX);
    ck_assert(!walk_text_small_int(world_python(&world), world.none, &value));
    END;
}
END_TEST

/* Up to 3.11 digits have 15 bits by default where words have 4 bytes: tp_itemsize tells. */
START_TEST(ints_of_short_digits_are_read_too)
{
    static const uint16_t digits[] = {0x7fff, 0x7fff, 0x7fff, 0x7fff, 0xf};
    static const char *const reprs[] = {
        "0", "32767", "1073741823", "35184372088831", "1152921504606846975", "18446744073709551615"};
    BEGIN;
    walk_addr object[6];
    PUT(&world, world.integer, type, tp_itemsize, 2);
    PUT(&world, world.boolean, type, tp_itemsize, 2);
    for (unsigned count = 0; count < 6; count++) {
        object[count] = world_int(&world, false, NULL, 0);
        world_alloc(&world, sizeof digits);
        if (WALK_HAS(world.layout, int, lv_tag))
            PUT(&world, object[count], int, lv_tag, count ? count << 3 : 1);
        else
            PUT(&world, object[count], var_object, ob_size, count);
        memcpy(world_at(&world, object[count] + WALK_OFFSET(world.layout, int, ob_digit)), digits, 2 * count);
    }
    walk_addr sysdict = world_get(&world, world.interpreter + WALK_OFFSET(world.layout, interp, sysdict));
    walk_addr entries = world_entries(&world, world_get(&world, sysdict + WALK_OFFSET(world.layout, dict, ma_keys)));
    walk_addr version = world_get(&world, entries + (world.minor < 11 ? 2 : 1) * world.word);
    const uint16_t hexversion[] = {0x00f0, (uint16_t)(0x0600 | world.minor << 1)};
    memcpy(world_at(&world, version + WALK_OFFSET(world.layout, int, ob_digit)), hexversion, sizeof hexversion);
    if (WALK_HAS(world.layout, int, lv_tag))
        PUT(&world, version, int, lv_tag, 2 << 3);
    else
        PUT(&world, version, var_object, ob_size, 2);
    OPEN;
    expect_eq(world_python(&world)->version, 0x030000f0u | world.minor << 16);
    for (unsigned count = 0; count < 6; count++) {
        int64_t value;
        check_value(&world, object[count], reprs[count]);
        ck_assert(walk_text_small_int(world_python(&world), object[count], &value));
        expect_eq((uint64_t)value, strtoull(reprs[count], NULL, 10));
    }
    END;
}
END_TEST

/* list.sort() says that the list has allocated -1 items; what list.__sizeof__() makes of it wraps as a size_t does. */
START_TEST(sizes_wrap_as_those_of_the_target)
{
    BEGIN;
    walk_addr list = world_list(&world, NULL, 0);
    PUT(&world, list, list, allocated, UINT64_MAX);
    OPEN;
    uint64_t size = walk_object_size(world_python(&world), list, type_index(&world, list));
    expect_eq(size, WALK_SIZE(world.layout, list) + WALK_SIZE(world.layout, gc_head) - world.word);
    END;
}
END_TEST

START_TEST(an_int_of_hostile_length_is_not_read)
{
    BEGIN;
    walk_addr number = world_small_int(&world, 5);
    bool tag = WALK_HAS(world.layout, int, lv_tag);
    OPEN;
    for (size_t i = 0; i < HOSTILE; i++) {
        char text[256];
        struct walk_text_out out;
        int64_t value;
        if (tag)
            PUT(&world, number, int, lv_tag, hostile[i] << 3);
        else
            PUT(&world, number, var_object, ob_size, hostile[i]);
        if (tag && hostile[i] << 3 >> 3 != hostile[i])
            continue; /* the tag has only 61 bits for it */
        walk_text_init(&out, text, sizeof text);
        walk_text_value(world_python(&world), number, type_index(&world, number), &out);
        /* That is one digit, of a negative number. */
        bool minus_one = hostile[i] == UINT64_MAX || (world.word == 4 && (uint32_t)hostile[i] == UINT32_MAX);
        ck_assert(!walk_text_small_int(world_python(&world), number, &value) || minus_one);
        walk_text_var_size(world_python(&world), number, true);
        walk_text_var_size(world_python(&world), number, false);
    }
    END;
}
END_TEST

START_TEST(strs_are_printed_as_repr_does_in_every_form)
{
    BEGIN;
    walk_addr object[COUNT(strs)], loose[COUNT(strs)];
    for (size_t i = 0; i < COUNT(strs); i++) {
        object[i] = world_wide_str(&world, strs[i].kind, strs[i].character, strs[i].length, true);
        loose[i] = world_wide_str(&world, strs[i].kind, strs[i].character, strs[i].length, false);
    }
    OPEN;
    for (size_t i = 0; i < COUNT(strs); i++) {
        check_value(&world, object[i], strs[i].repr);
        check_value(&world, loose[i], strs[i].repr);
    }
    END;
}
END_TEST

START_TEST(a_str_that_is_not_ready_is_read_by_its_wchar_form)
{
    BEGIN;
    if (WALK_HAS(world.layout, ascii, wstr)) {
        static const uint32_t text[] = {'o', 'l', 0x20ac};
        walk_addr str = world_object(&world, world.str, WALK_SIZE(world.layout, unicode)),
                  wide = world_alloc(&world, 16);
        for (size_t i = 0; i < 3; i++)
            world_put_int(&world, wide + 4 * i, text[i]);
        PUT(&world, str, ascii, wstr, wide);
        PUT(&world, str, compact, wstr_length, 3);
        OPEN;
        check_value(&world, str, "'ol\xe2\x82\xac'");
    }
    END;
}
END_TEST

START_TEST(a_long_str_is_cut_and_says_so)
{
    BEGIN;
    uint32_t text[300];
    for (size_t i = 0; i < 300; i++)
        text[i] = 'x';
    walk_addr str = world_wide_str(&world, 1, text, 300, true);
    char shown[512], part[20];
    OPEN;
    snprintf(shown, sizeof shown, "'%.*s\xe2\x80\xa6'", 120,
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
             "xxxxxxxxxxxxxxxx");
    check_value(&world, str, shown);
    ck_assert(walk_text_str(world_python(&world), str, part, sizeof part));
    expect(strlen(part) < sizeof part);
    END;
}
END_TEST

START_TEST(a_str_of_hostile_length_or_kind_is_not_read)
{
    BEGIN;
    walk_addr str = world_str(&world, "abc");
    char text[256];
    OPEN;
    for (size_t i = 0; i < HOSTILE - 1; i++) {
        PUT(&world, str, ascii, length, hostile[i]);
        walk_text_str(world_python(&world), str, text, sizeof text);
        expect(strlen(text) < sizeof text);
        ck_assert(!walk_text_equals(world_python(&world), str, "abc"));
    }
    PUT(&world, str, ascii, length, 3);
    ck_assert(walk_text_equals(world_python(&world), str, "abc"));
    for (uint32_t state = 0; state < 256; state++) {
        *world_at(&world, str + WALK_OFFSET(world.layout, ascii, kind) / 8) = (uint8_t)state;
        if (walk_text_str(world_python(&world), str, text, sizeof text))
            expect(strlen(text) < sizeof text);
    }
    END;
}
END_TEST

START_TEST(bytes_none_and_bools_are_printed_as_repr_does)
{
    static const uint8_t raw[] = {'a', '\'', 0, 0xff, '\n', '\\'}, both[] = {'\'', '"'};
    BEGIN;
    walk_addr some = world_bytes(&world, raw, sizeof raw), empty = world_bytes(&world, raw, 0);
    walk_addr quotes = world_bytes(&world, both, 2), one = world_small_int(&world, 1),
              zero = world_small_int(&world, 0);
    PUT(&world, one, object, ob_type, world.boolean);
    PUT(&world, zero, object, ob_type, world.boolean);
    OPEN;
    check_value(&world, some, "b\"a'\\x00\\xff\\n\\\\\"");
    check_value(&world, empty, "b''");
    check_value(&world, quotes, "b'\\'\"'");
    check_value(&world, world.none, "None");
    check_value(&world, one, "True");
    check_value(&world, zero, "False");
    for (size_t i = 0; i < HOSTILE; i++) {
        char text[1024];
        struct walk_text_out out;
        PUT(&world, some, var_object, ob_size, hostile[i]);
        walk_text_init(&out, text, sizeof text);
        walk_text_value(world_python(&world), some, type_index(&world, some), &out);
        expect(strlen(text) < sizeof text);
    }
    END;
}
END_TEST

START_TEST(a_text_that_does_not_fit_tells_how_long_it_would_be)
{
    BEGIN;
    walk_addr str = world_str(&world, "hello");
    OPEN;
    for (size_t size = 0; size < 12; size++) {
        char text[16] = "untouched......";
        struct walk_text_out out;
        walk_text_init(&out, text, size);
        walk_text_value(world_python(&world), str, type_index(&world, str), &out);
        expect_eq(out.wanted, 7);
        expect(size == 0 ? text[0] == 'u' : strlen(text) == (size <= 7 ? size - 1 : 7));
        expect(strncmp(text, "'hello'", size ? strlen(text) : 0) == 0);
    }
    END;
}
END_TEST

/* ---- lines: tables that the interpreters made ---- */

#include "data_lines.inc"

static const struct {
    unsigned minor;
    const uint8_t *table;
    size_t size;
    const int16_t *lines;
    size_t count;
    int first;
} line_tables[] = {
#define LINES(minor)                                                                                                   \
    {                                                                                                                  \
        minor, table_3_##minor, sizeof table_3_##minor, lines_3_##minor, COUNT(lines_3_##minor), FIRST_3_##minor       \
    }
    LINES(8), LINES(9), LINES(10), LINES(11), LINES(12), LINES(13),
};

static void check_lines(struct world *world, size_t index)
{
    walk_addr code = world_object(world, world->code, WALK_SIZE(world->layout, code));
    walk_addr table = world_bytes(world, line_tables[index].table, line_tables[index].size);
    if (WALK_HAS(world->layout, code, co_linetable))
        PUT(world, code, code, co_linetable, table);
    else
        PUT(world, code, code, co_lnotab, table);
    PUT_INT(world, code, code, co_firstlineno, (uint32_t)line_tables[index].first);
    world_python(world)->version = 0x030000f0 | line_tables[index].minor << 16;
    struct walk_frame_view view = {.code = code, .lasti = -1};
    ck_assert_int_eq(walk_frame_line(world_python(world), &view, 0), line_tables[index].first);
    for (size_t i = 0; i < line_tables[index].count; i++) {
        view.lasti = (int64_t)i * 2;
        int line = walk_frame_line(world_python(world), &view, 0);
        ck_assert_msg(line == line_tables[index].lines[i], "3.%u at %zu: %d, not %d", line_tables[index].minor, i * 2,
                      line, line_tables[index].lines[i]);
    }
}

/* 3.8 stands for lnotab and reads that of 3.9 too; 3.11 has the member of 3.10. */
START_TEST(lines_are_those_of_the_interpreter)
{
    BEGIN;
    OPEN;
    for (size_t i = 0; i < COUNT(line_tables); i++)
        if (line_tables[i].minor == world.minor || (world.minor == 8 && line_tables[i].minor == 9) ||
            (world.minor == 11 && line_tables[i].minor == 10))
            check_lines(&world, i);
    END;
}
END_TEST

START_TEST(a_line_table_of_any_bytes_does_no_harm)
{
    BEGIN;
    struct rng rng = {9};
    uint8_t bytes[200];
    walk_addr code = world_object(&world, world.code, WALK_SIZE(world.layout, code));
    walk_addr table = world_bytes(&world, bytes, sizeof bytes);
    if (WALK_HAS(world.layout, code, co_linetable))
        PUT(&world, code, code, co_linetable, table);
    else
        PUT(&world, code, code, co_lnotab, table);
    OPEN;
    for (int round = 0; round < 2000; round++) {
        uint8_t *data = world_at(&world, table + WALK_OFFSET(world.layout, bytes, ob_sval));
        for (size_t i = 0; i < sizeof bytes; i++)
            data[i] = (uint8_t)rng_next(&rng);
        PUT_INT(&world, code, code, co_firstlineno, round & 1 ? INT32_MAX : (uint32_t)INT32_MIN);
        struct walk_frame_view view = {.code = code, .lasti = (int64_t)rng_below(&rng, 2000)};
        walk_frame_line(world_python(&world), &view, 0);
    }
    for (size_t i = 0; i < HOSTILE; i++) {
        struct walk_frame_view view = {.code = code, .lasti = INT64_MAX};
        PUT(&world, table, var_object, ob_size, hostile[i]);
        ck_assert_int_eq(walk_frame_line(world_python(&world), &view, 0), 0);
    }
    END;
}
END_TEST

/* ---- threads and frames ---- */

static walk_addr add_thread(struct world *world, walk_addr next)
{
    walk_addr thread = world_alloc(world, WALK_SIZE(world->layout, thread));
    PUT(world, thread, thread, interp, world->interpreter);
    PUT(world, thread, thread, thread_id, 0x1000 + thread % 0x1000);
    PUT(world, thread, thread, next, next);
    PUT(world, world->interpreter, interp, tstate_head, thread);
    return thread;
}

/* A frame with two variables, x and y; the value of x is None. */
static walk_addr add_frame(struct world *world, walk_addr back)
{
    const struct walk_layout *layout = world->layout;
    walk_addr code = world_object(world, world->code, WALK_SIZE(layout, code) + 64);
    walk_addr names[] = {world_str(world, "x"), world_str(world, "y")}, varnames = world_tuple(world, names, 2);
    walk_addr empty = world_tuple(world, NULL, 0);
    static const uint8_t kinds[] = {0x20, 0x20};
    PUT(world, code, code, co_name, world_str(world, "work"));
    PUT(world, code, code, co_filename, world_str(world, "app.py"));
    PUT_INT(world, code, code, co_stacksize, 1);
    PUT_INT(world, code, code, co_flags, 1);
    if (!WALK_HAS(layout, iframe, localsplus)) {
        PUT(world, code, code, co_varnames, varnames);
        PUT(world, code, code, co_cellvars, empty);
        PUT(world, code, code, co_freevars, empty);
        walk_addr frame = world_object(world, world->frame, WALK_SIZE(layout, frame) + 64);
        walk_addr slots = frame + WALK_OFFSET(layout, frame, f_localsplus);
        PUT(world, frame, frame, f_back, back);
        PUT(world, frame, frame, f_code, code);
        PUT(world, frame, frame, f_valuestack, slots + 16);
        PUT_INT(world, frame, frame, f_lasti, (uint32_t)-1);
        world_put(world, slots, world->none);
        return frame;
    }
    PUT_INT(world, code, code, co_nlocalsplus, 2);
    PUT(world, code, code, co_localsplusnames, varnames);
    PUT(world, code, code, co_localspluskinds, world_bytes(world, kinds, 2));
    walk_addr frame = world_alloc(world, WALK_OFFSET(layout, iframe, localsplus) + 64);
    PUT(world, frame, iframe, executable, code);
    PUT(world, frame, iframe, previous, back);
    PUT(world, frame, iframe, instr_ptr, code + WALK_OFFSET(layout, code, co_code_adaptive));
    world_put(world, frame + WALK_OFFSET(layout, iframe, localsplus), world->none);
    return frame;
}

static void set_top(struct world *world, walk_addr thread, walk_addr frame)
{
    const struct walk_layout *layout = world->layout;
    if (WALK_HAS(layout, thread, current_frame)) {
        PUT(world, thread, thread, current_frame, frame);
    } else if (WALK_HAS(layout, thread, frame)) {
        PUT(world, thread, thread, frame, frame);
    } else {
        walk_addr cframe = world_alloc(world, 64);
        PUT(world, thread, thread, cframe, cframe);
        PUT(world, cframe, cframe, current_frame, frame);
    }
}

START_TEST(a_stack_is_followed_from_the_innermost_frame_out)
{
    BEGIN;
    walk_addr thread = add_thread(&world, 0), outer = add_frame(&world, 0), inner = add_frame(&world, outer);
    set_top(&world, thread, inner);
    OPEN;
    const struct walk_python *python = world_python(&world);
    expect_eq(python->thread_count, 1);
    expect_eq(python->threads[0].frame_count, 2);
    ck_assert(python->threads[0].frames_complete);
    expect_eq(python->stack_frames[0].iframe, inner);
    expect_eq(python->stack_frames[1].iframe, outer);
    expect_eq(python->stack_frames[0].previous, outer);
    expect_eq(walk_python_on_stack(python, outer)->iframe, outer);
    ck_assert_ptr_null(walk_python_on_stack(python, thread));
    END;
}
END_TEST

START_TEST(locals_have_the_names_of_the_code)
{
    BEGIN;
    walk_addr thread = add_thread(&world, 0), frame = add_frame(&world, 0);
    set_top(&world, thread, frame);
    OPEN;
    struct walk_frame_view view;
    struct walk_refs refs = {0};
    char name[32];
    ck_assert(walk_frame_open(world_python(&world), frame, &view));
    expect_eq(view.slot_count, 2);
    walk_frame_locals(world_python(&world), &view, &refs);
    expect_eq(refs.count, 1);
    expect_eq(refs.ref[0].target, world.none);
    ck_assert(walk_text_str(world_python(&world), refs.ref[0].argument, name, sizeof name));
    ck_assert_str_eq(name, "x");
    walk_refs_deinit(&refs);
    END;
}
END_TEST

START_TEST(frames_in_a_circle_end_and_the_stack_is_incomplete)
{
    BEGIN;
    walk_addr thread = add_thread(&world, 0), frame[MANY];
    for (int i = 0; i < MANY; i++)
        frame[i] = add_frame(&world, i ? frame[i - 1] : 0);
    bool new = WALK_HAS(world.layout, iframe, localsplus);
    world_put(&world,
              frame[0] + (new ? WALK_OFFSET(world.layout, iframe, previous) : WALK_OFFSET(world.layout, frame, f_back)),
              frame[MANY / 2]);
    set_top(&world, thread, frame[MANY - 1]);
    OPEN;
    const struct walk_python *python = world_python(&world);
    ck_assert(!python->threads[0].frames_complete);
    expect(python->stack_frame_count >= MANY && python->stack_frame_count < 4 * MANY);
    END;
}
END_TEST

START_TEST(threads_in_a_circle_end)
{
    BEGIN;
    walk_addr first = add_thread(&world, 0), last = 0;
    for (int i = 0; i < MANY; i++)
        last = add_thread(&world, last ? last : first);
    PUT(&world, first, thread, next, last);
    OPEN;
    expect(world_python(&world)->thread_count > MANY && world_python(&world)->thread_count < 4 * MANY);
    END;
}
END_TEST

/* FRAME_CREATED to FRAME_CLEARED, Include/internal/pycore_frame.h. */
START_TEST(a_generator_is_suspended_until_it_ends)
{
    static const struct {
        int8_t state;
        unsigned since, until;
        bool suspended;
    } cases[] = {{-3, 13, 14, true}, {-2, 11, 14, true}, {-1, 11, 14, true}, {0, 11, 14, false},
                 {1, 11, 14, false}, {4, 11, 14, false}, {0, 15, 15, true},  {1, 15, 15, true},
                 {3, 15, 15, true},  {4, 15, 15, false}, {5, 15, 15, false}};
    BEGIN;
    walk_addr generator = world_object(&world, world.generator, WALK_SIZE(world.layout, generator) + 256);
    bool new = WALK_HAS(world.layout, generator, gi_iframe);
    if (!new)
        PUT(&world, generator, generator, gi_frame, add_frame(&world, 0));
    OPEN;
    for (size_t i = 0; new &&i < sizeof cases / sizeof *cases; i++) {
        *world_at(&world, generator + WALK_OFFSET(world.layout, generator, gi_frame_state)) = (uint8_t)cases[i].state;
        if (world.minor >= cases[i].since && world.minor <= cases[i].until)
            ck_assert_int_eq(walk_frame_is_suspended(world_python(&world), generator), cases[i].suspended);
    }
    if (!new) {
        ck_assert(walk_frame_is_suspended(world_python(&world), generator));
        PUT(&world, generator, generator, gi_frame, 0);
        ck_assert(!walk_frame_is_suspended(world_python(&world), generator));
    }
    END;
}
END_TEST

/* ---- greenlets ---- */

/* Where a greenlet of the test keeps what is read of it. */
struct greenlet {
    walk_addr object, self, stack, top;
};

/* 0.4 and 1 have it in the object; 2 and 3 behind a pointer, 3.2 and later (`late`) with the way back in front. */
static struct greenlet add_greenlet(struct world *world, bool outside, bool late)
{
    uint64_t head = WALK_SIZE(world->layout, object), exc = WALK_SIZE(world->layout, err_stackitem);
    walk_addr type =
        world_static_type(world, NULL, "greenlet.greenlet", world->object, head + (outside ? 3 : 15) * world->word, 0,
                          WALK_TPFLAGS_HAVE_GC, world->subtype_traverse + 40);
    walk_addr module = world_object(world, world->module_type, WALK_SIZE(world->layout, module));
    walk_addr name = world_str(world, "greenlet"), names = world_dict(world, WORLD_UNICODE, &name, &type, 1);
    PUT(world, module, module, md_dict, names);
    PUT(world, world->interpreter, interp, modules, world_dict(world, WORLD_UNICODE, &name, &module, 1));
    struct greenlet found = {.object = world_object(world, type, head + 15 * world->word)};
    world_track(world, found.object);
    if (!outside) {
        found.stack = found.object + head;
        found.top = found.stack + 7 * world->word;
        return found;
    }
    walk_addr state = world_alloc(world, 400);
    world_put(world, found.object + head + 2 * world->word, state);
    found.stack = state + (late ? 5 : 4) * world->word + exc;
    found.top = found.stack + 6 * world->word;
    found.self = late ? state + world->word : found.top + 10 * world->word;
    world_put(world, found.self, found.object);
    return found;
}

/* The innermost frame is an object. */
static walk_addr add_top(struct world *world, walk_addr frame)
{
    if (!WALK_HAS(world->layout, frame, f_frame))
        return frame;
    walk_addr object = world_object(world, world->frame, WALK_SIZE(world->layout, frame));
    PUT(world, object, frame, f_frame, frame);
    PUT(world, frame, iframe, frame_obj, object);
    return object;
}

START_TEST(a_greenlet_keeps_its_frames_in_one_of_three_places)
{
    for (int shape = 0; shape < 3; shape++) {
        BEGIN;
        struct greenlet greenlet = add_greenlet(&world, shape > 0, shape > 1);
        walk_addr outer = add_frame(&world, 0), inner = add_frame(&world, outer), top = add_top(&world, inner);
        world_put(&world, greenlet.stack, NOWHERE);
        world_put(&world, greenlet.stack + world.word, shape ? NOWHERE + 4096 : UINT64_MAX);
        world_put(&world, greenlet.top, top);
        OPEN;
        struct walk_python *python = world_python(&world);
        expect_eq(python->greenlet_count, 1);
        const struct walk_pygreenlet *found = walk_python_greenlet(python, greenlet.object);
        ck_assert_ptr_nonnull(found);
        expect_eq(found->frame_count, 2);
        ck_assert(found->frames_complete && found->is_main == (shape == 0));
        expect_eq(python->stack_frames[found->first_frame].node, top);
        expect_eq(walk_python_on_stack(python, outer)->iframe, outer);
        ck_assert_ptr_null(walk_python_greenlet(python, top));
        struct walk_refs refs;
        visit(&world, greenlet.object, &refs);
        size_t at = 0;
        while (at < refs.count && !(refs.ref[at].flags & WALK_EDGE_EXTRA))
            at++;
        ck_assert_uint_lt(at, refs.count);
        ck_assert_str_eq(refs.ref[at].text, "gr_frame");
        expect_eq(refs.ref[at].target, top);
        walk_refs_deinit(&refs);
        END;
    }
}
END_TEST

/* 3.12+: the frames of C code, which the others are linked through. */
START_TEST(frames_on_the_c_stack_are_read_where_they_were_copied_to)
{
    BEGIN;
    struct greenlet greenlet = add_greenlet(&world, true, true);
    walk_addr outer = add_frame(&world, 0), inner = add_frame(&world, outer), copy = world_alloc(&world, 256);
    world_put(&world, greenlet.stack, NOWHERE);
    world_put(&world, greenlet.stack + world.word, NOWHERE + 4096);
    world_put(&world, greenlet.stack + 2 * world.word, copy);
    world_put(&world, greenlet.stack + 3 * world.word, 256);
    world_put(&world, greenlet.top, add_top(&world, inner));
    if (world.minor >= 12) {
        walk_addr shim = copy + 64;
        PUT(&world, shim, iframe, previous, outer);
        *world_at(&world, shim + WALK_OFFSET(world.layout, iframe, owner)) = 3;
        PUT(&world, inner, iframe, previous, NOWHERE + 64);
    }
    OPEN;
    const struct walk_pygreenlet *found = walk_python_greenlet(world_python(&world), greenlet.object);
    ck_assert_ptr_nonnull(found);
    expect_eq(found->frame_count, 2);
    ck_assert(found->frames_complete);
    END;
}
END_TEST

START_TEST(a_greenlet_of_hostile_state_has_no_frames)
{
    enum { NOT_A_FRAME, NO_WAY_BACK, STACK_UPSIDE_DOWN, MORE_SAVED_THAN_THERE_IS, SAVED_NOWHERE, CASES };
    for (int hostile_state = 0; hostile_state < CASES; hostile_state++) {
        BEGIN;
        struct greenlet greenlet = add_greenlet(&world, true, true);
        world_put(&world, greenlet.stack, NOWHERE);
        world_put(&world, greenlet.stack + world.word, NOWHERE + 4096);
        world_put(&world, greenlet.top, add_top(&world, add_frame(&world, 0)));
        if (hostile_state == NOT_A_FRAME)
            world_put(&world, greenlet.top, world.none);
        else if (hostile_state == NO_WAY_BACK)
            world_put(&world, greenlet.self, 0);
        else if (hostile_state == STACK_UPSIDE_DOWN)
            world_put(&world, greenlet.stack + world.word, NOWHERE - 8);
        else
            world_put(&world, greenlet.stack + 3 * world.word, hostile_state == SAVED_NOWHERE ? 16 : hostile[_i]);
        OPEN;
        expect_eq(world_python(&world)->greenlet_count, 0);
        END;
    }
}
END_TEST

START_TEST(a_frame_of_hostile_counts_is_no_frame)
{
    BEGIN;
    walk_addr thread = add_thread(&world, 0), frame = add_frame(&world, 0);
    bool new = WALK_HAS(world.layout, iframe, localsplus);
    walk_addr code = world_get(&world, frame + (new ? WALK_OFFSET(world.layout, iframe, executable)
                                                    : WALK_OFFSET(world.layout, frame, f_code)));
    set_top(&world, thread, frame);
    OPEN;
    struct walk_frame_view view;
    ck_assert(walk_frame_open(world_python(&world), frame, &view));
    static const uint32_t counts[] = {UINT32_MAX, INT32_MAX, (uint32_t)INT32_MIN, 1u << 30, 1u << 21};
    for (size_t i = 0; i < COUNT(counts); i++) {
        PUT_INT(&world, code, code, co_stacksize, counts[i]);
        ck_assert(!walk_frame_open(world_python(&world), frame, &view));
    }
    PUT_INT(&world, code, code, co_stacksize, 1);
    if (new) {
        PUT_INT(&world, code, code, co_nlocalsplus, UINT32_MAX);
        ck_assert(!walk_frame_open(world_python(&world), frame, &view));
    }
    for (walk_addr bad = 0; bad < 3; bad++) {
        static const walk_addr codes[] = {0, NOWHERE, WORLD_BASE};
        world_put(&world,
                  frame +
                      (new ? WALK_OFFSET(world.layout, iframe, executable) : WALK_OFFSET(world.layout, frame, f_code)),
                  codes[bad]);
        ck_assert(!walk_frame_open(world_python(&world), frame, &view));
    }
    END;
}
END_TEST

int main(void)
{
    const TTest *const open_tests[] = {the_version_is_what_sys_says, a_version_that_cannot_be_read_is_unsupported,
                                       a_version_that_is_not_known_yet_is_tried, NULL};
    const TTest *const collector_tests[] = {tracked_objects_are_those_of_the_lists_in_order,
                                            interpreters_are_listed_from_the_main_one_on,
                                            an_interpreter_holds_what_it_keeps_of_static_types,
                                            flags_in_the_low_bits_of_links_are_no_part_of_the_address,
                                            a_list_that_never_comes_back_to_its_head_ends_and_is_broken,
                                            a_list_that_leads_to_nowhere_ends_and_is_broken,
                                            either_finds_what_is_on_the_lists_in_order_of_address,
                                            all_ways_to_rule_places_out_stop_at_the_same_ones,
                                            what_is_set_aside_is_behind_the_rest_either_way,
                                            a_ring_that_no_list_leads_to_is_not_tracked,
                                            where_a_list_is_damaged_it_is_followed_in_the_memory,
                                            a_collector_at_work_is_told,
                                            NULL};
    const TTest *const type_tests[] = {types_are_named_by_module_and_qualname_builtins_bare,
                                       an_object_must_have_a_count_an_alignment_and_a_type,
                                       a_type_needs_sane_sizes,
                                       metatypes_that_run_in_a_circle_are_no_types,
                                       bases_that_run_in_a_circle_end,
                                       a_base_that_is_not_there_does_no_harm,
                                       slots_of_the_class_and_of_its_bases_are_visited_by_name,
                                       a_hostile_number_of_slots_is_no_slot,
                                       a_name_without_end_or_out_of_memory_is_replaced,
                                       NULL};
    const TTest *const dict_tests[] = {a_general_dict_visits_values_and_keys,
                                       keys_of_a_dict_of_str_are_extra,
                                       a_split_dict_takes_its_values_from_its_array,
                                       embedded_values_are_extra_for_the_dict_unless_it_is_visited,
                                       a_dict_of_a_thousand_entries_is_read_to_the_last,
                                       a_dict_whose_keys_lie_is_unreadable,
                                       NULL};
    const TTest *const container_tests[] = {items_are_visited_in_order_and_null_is_none,
                                            an_empty_sequence_is_readable,
                                            a_sequence_of_hostile_length_is_unreadable,
                                            arrays_are_not_read_beyond_the_limit,
                                            a_set_visits_its_elements_but_no_dummies,
                                            a_set_of_hostile_size_is_unreadable,
                                            an_ordered_dict_visits_its_keys_by_its_nodes_too,
                                            nodes_of_an_ordered_dict_in_a_circle_end_and_are_unreadable,
                                            a_deque_is_read_from_block_to_block,
                                            blocks_of_a_deque_in_a_circle_end_and_are_unreadable,
                                            a_deque_with_an_index_beyond_its_block_is_unreadable,
                                            links_of_a_cache_in_a_circle_without_it_end_and_are_unreadable,
                                            NULL};
    const TTest *const instance_tests[] = {a_dict_at_an_offset_is_visited,
                                           a_dict_at_a_negative_offset_is_behind_the_items,
                                           inline_values_are_visited_by_their_names,
                                           a_managed_dict_that_was_made_is_visited,
                                           of_inline_values_and_their_dict_one_is_visited,
                                           slots_behind_the_items_are_visited,
                                           references_of_an_unknown_type_are_guessed,
                                           NULL};
    const TTest *const value_tests[] = {floats_are_printed_as_repr_does,
                                        complex_numbers_are_printed_as_repr_does,
                                        ints_are_printed_as_repr_does,
                                        small_ints_are_read_or_refused_never_cut,
                                        ints_of_short_digits_are_read_too,
                                        sizes_wrap_as_those_of_the_target,
                                        an_int_of_hostile_length_is_not_read,
                                        strs_are_printed_as_repr_does_in_every_form,
                                        a_str_that_is_not_ready_is_read_by_its_wchar_form,
                                        a_long_str_is_cut_and_says_so,
                                        a_str_of_hostile_length_or_kind_is_not_read,
                                        bytes_none_and_bools_are_printed_as_repr_does,
                                        a_text_that_does_not_fit_tells_how_long_it_would_be,
                                        NULL};
    const TTest *const frame_tests[] = {lines_are_those_of_the_interpreter,
                                        a_line_table_of_any_bytes_does_no_harm,
                                        a_stack_is_followed_from_the_innermost_frame_out,
                                        locals_have_the_names_of_the_code,
                                        frames_in_a_circle_end_and_the_stack_is_incomplete,
                                        threads_in_a_circle_end,
                                        a_frame_of_hostile_counts_is_no_frame,
                                        a_generator_is_suspended_until_it_ends,
                                        a_greenlet_keeps_its_frames_in_one_of_three_places,
                                        frames_on_the_c_stack_are_read_where_they_were_copied_to,
                                        a_greenlet_of_hostile_state_has_no_frames,
                                        NULL};
    const struct unit_group groups[] = {
        {"opening", open_tests, VERSIONS},         {"collector", collector_tests, VERSIONS},
        {"types", type_tests, VERSIONS},           {"dicts", dict_tests, VERSIONS},
        {"containers", container_tests, VERSIONS}, {"instances", instance_tests, VERSIONS},
        {"values", value_tests, VERSIONS},         {"frames", frame_tests, VERSIONS}};
    return unit_run("objects", groups, sizeof groups / sizeof *groups);
}
