/* SPDX-License-Identifier: Apache-2.0 */
/* What objects of extensions hold unseen by the collector, also damaged ones. */
#include "objects/text.h"
#include "unit.h"
#include "world.h"

/* The last with words of 4 bytes. */
enum { VERSIONS = 4, HELD_MAX = 16 };
static const unsigned versions[VERSIONS] = {8, 11, 13, 11};

/* Of each the lower half, as a word of 4 bytes, is too much, too. */
static const uint64_t hostile[] = {UINT64_MAX, INT64_MAX, (UINT64_C(1) << 62) + (1 << 30),
                                   (UINT64_C(1) << 40) + (1 << 25), 1 << 30};
enum { HOSTILE = sizeof hostile / sizeof *hostile };
#define NOWHERE UINT64_C(0x7eff0000)

#define BEGIN                                                                                                          \
    struct world world;                                                                                                \
    (_i < VERSIONS - 1 ? world_init : world_init_narrow)(&world, versions[_i]);                                        \
    const bool narrow = world.word == 4;                                                                               \
    (void)narrow
#define OPEN assert_good(world_open(&world))
#define END world_close(&world)

/* ---- a miniature numpy ---- */

static uint64_t head(const struct world *world) { return WALK_SIZE(world->layout, object); }

static walk_addr type_of(struct world *world, const char *name, uint64_t size)
{
    return world_static_type(world, NULL, name, world->object, head(world) + size, 0, 0, 0);
}

/* A member behind the bare object. */
static void put(struct world *world, walk_addr object, uint64_t offset, uint64_t value)
{
    world_put(world, object + head(world) + offset, value);
}

static void put_word(struct world *world, walk_addr object, unsigned index, uint64_t value)
{
    put(world, object, index * world->word, value);
}

enum { OBJECT = 17, VOID = 20, OWN_DATA = 4 };

/* A dtype of numpy 1 or 2 with objects. */
static walk_addr make_dtype(struct world *world, bool second, unsigned type_number, uint32_t item_size)
{
    bool narrow = world->word == 4;
    uint64_t size = second ? (narrow ? 60 : 104) : (narrow ? 48 : 80);
    walk_addr type = type_of(world, second ? "numpy.dtypes.ObjectDType" : "numpy.dtype[object_]", size);
    walk_addr dtype = world_object(world, type, head(world) + size), members = dtype + head(world);
    world_put_int(world, members + (narrow ? 8 : 12), type_number);
    world_put_int(world, members + (second ? (narrow ? 20 : 24) : (narrow ? 12 : 16)), item_size);
    if (second)
        world_put_int(world, members + (narrow ? 12 : 16), 1);
    else
        *world_at(world, members + (narrow ? 7 : 11)) = 1;
    return dtype;
}

static void set_fields(struct world *world, walk_addr dtype, walk_addr fields)
{
    put(world, dtype, world->word == 4 ? 24 : 32, fields);
}

struct shape {
    unsigned nd;
    int64_t dimension[4], stride[4];
};

static walk_addr make_array(struct world *world, walk_addr dtype, walk_addr data, const struct shape *shape)
{
    uint64_t size = 10 * world->word;
    walk_addr array = world_object(world, type_of(world, "numpy.ndarray", size), head(world) + size);
    walk_addr dimensions = world_alloc(world, 8 * world->word);
    for (unsigned i = 0; i < shape->nd; i++) {
        world_put(world, dimensions + i * world->word, (uint64_t)shape->dimension[i]);
        world_put(world, dimensions + (4 + i) * world->word, (uint64_t)shape->stride[i]);
    }
    put_word(world, array, 0, data);
    put_word(world, array, 1, shape->nd);
    put_word(world, array, 2, dimensions);
    put_word(world, array, 3, dimensions + 4 * world->word);
    put_word(world, array, 5, dtype);
    put_word(world, array, 6, OWN_DATA);
    return array;
}

static walk_addr words(struct world *world, const walk_addr *values, size_t count)
{
    walk_addr data = world_alloc(world, (count + 1) * world->word);
    for (size_t i = 0; i < count; i++)
        world_put(world, data + i * world->word, values[i]);
    return data;
}

/* ---- what is held ---- */

static void visit(struct world *world, walk_addr object, struct walk_refs *refs)
{
    uint32_t type = UINT32_MAX;
    ck_assert(walk_python_type_of(world_python(world), object, &type));
    *refs = (struct walk_refs){0};
    walk_visit_object(world_python(world), object, type, refs);
}

/* All, as "label=index of the target in `known`, …". */
static void check_held(struct world *world, walk_addr object, const walk_addr *known, const char *expected)
{
    struct walk_refs refs;
    char text[1024] = "";
    size_t length = 0;
    visit(world, object, &refs);
    ck_assert(!refs.unreadable && !refs.guessed);
    for (size_t i = 0; i < refs.count && length < sizeof text - 300; i++) {
        char label[256];
        struct walk_text_out out;
        int target = 0;
        walk_text_init(&out, label, sizeof label);
        walk_text_label(world_python(world), &refs.ref[i], &out);
        while (target < HELD_MAX && known[target] != refs.ref[i].target)
            target++;
        length += (size_t)sprintf(text + length, "%s%s=%d", i ? ", " : "", label, target);
        expect_eq(refs.ref[i].flags, WALK_EDGE_EXTRA);
    }
    ck_assert_str_eq(text, expected);
    walk_refs_deinit(&refs);
}

static void check_damaged(struct world *world, walk_addr object, size_t most)
{
    struct walk_refs refs;
    visit(world, object, &refs);
    ck_assert(refs.unreadable);
    expect(refs.count <= most);
    walk_refs_deinit(&refs);
}

/* ---- members ---- */

START_TEST(a_time_holds_its_zone_only_if_it_is_aware)
{
    BEGIN;
    walk_addr type = type_of(&world, "datetime.datetime", narrow ? 20 : 32), known[HELD_MAX] = {world.none};
    walk_addr moment = world_object(&world, type, head(&world) + 32);
    put(&world, moment, narrow ? 16 : 24, world.none);
    OPEN;
    check_held(&world, moment, known, "");
    *world_at(&world, moment + head(&world) + world.word) = 1;
    check_held(&world, moment, known, "tzinfo=0");
    END;
}
END_TEST

/* A class of that name which is another structure is guessed. */
START_TEST(a_name_alone_is_no_proof)
{
    BEGIN;
    walk_addr type = type_of(&world, "datetime.timezone", 3 * world.word);
    walk_addr zone = world_object(&world, type, head(&world) + 3 * world.word);
    struct walk_refs refs;
    put_word(&world, zone, 2, world.none);
    OPEN;
    visit(&world, zone, &refs);
    ck_assert(refs.guessed);
    expect_eq(refs.count, 1);
    expect_eq(refs.ref[0].flags, WALK_EDGE_GUESS | WALK_EDGE_EXTRA);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

/* A type on the heap is held, since 3.8, by objects that the collector does not see. */
START_TEST(an_object_holds_its_type_on_the_heap)
{
    BEGIN;
    walk_addr cls =
        world_class(&world, "Number", world.integer,
                    world_get(&world, world.integer + WALK_OFFSET(world.layout, type, tp_basicsize)), 0, NULL);
    PUT(&world, cls, type, tp_traverse, 0);
    PUT(&world, cls, type, tp_flags, WALK_TPFLAGS_HEAPTYPE | WALK_TPFLAGS_LONG_SUBCLASS);
    walk_addr number = world_object(&world, cls, WALK_SIZE(world.layout, int)), known[HELD_MAX] = {cls};
    OPEN;
    check_held(&world, number, known, "__class__=0");
    END;
}
END_TEST

START_TEST(a_time_zone_of_hostile_length_is_unreadable)
{
    BEGIN;
    walk_addr zone =
        world_object(&world, type_of(&world, "zoneinfo.ZoneInfo", 24 * world.word), head(&world) + 24 * world.word);
    walk_addr known[HELD_MAX] = {world.none, world_str(&world, "UTC")};
    const walk_addr transitions[] = {world.none, 0, known[1], 7, 0, world.none, known[1], 7};
    put_word(&world, zone, 4, 2);
    put_word(&world, zone, 16, known[1]);
    put_word(&world, zone, 22, words(&world, transitions, 8));
    OPEN;
    check_held(&world, zone, known, ".tzname=1, .utcoff=0, .tzname=1, .dstoff=0, .tzname=1");
    put_word(&world, zone, 22, NOWHERE);
    check_damaged(&world, zone, 1);
    for (size_t i = 0; i < HOSTILE; i++) {
        put_word(&world, zone, 4, hostile[i]);
        check_damaged(&world, zone, 1);
    }
    END;
}
END_TEST

/* ---- arrays ---- */

START_TEST(an_array_holds_the_items_that_it_owns)
{
    BEGIN;
    walk_addr known[HELD_MAX] = {world.none, world_str(&world, "a"), world_str(&world, "b")};
    walk_addr items = words(&world, (const walk_addr[]){known[0], known[1], known[2], 0}, 4);
    int64_t word = world.word;
    for (int second = 0; second < 2; second++)
        known[3 + second] = make_dtype(&world, second, OBJECT, world.word);
    walk_addr arrays[2];
    for (int second = 0; second < 2; second++)
        arrays[second] = make_array(&world, known[3 + second], items + 2 * world.word,
                                    &(struct shape){2, {2, 2}, {-2 * word, word}});
    OPEN;
    check_held(&world, arrays[0], known, "dtype=3, item[0]=2, item[2]=0, item[3]=1");
    check_held(&world, arrays[1], known, "dtype=4, item[0]=2, item[2]=0, item[3]=1");
    put_word(&world, arrays[0], 6, 0);
    put_word(&world, arrays[0], 4, arrays[1]);
    known[5] = arrays[1];
    check_held(&world, arrays[0], known, "base=5, dtype=3");
    END;
}
END_TEST

START_TEST(an_array_of_hostile_shape_is_unreadable)
{
    BEGIN;
    int64_t word = world.word;
    walk_addr dtype = make_dtype(&world, false, OBJECT, world.word);
    walk_addr items = words(&world, (const walk_addr[]){world.none, world.none, world.none, world.none}, 4);
    walk_addr array = make_array(&world, dtype, items, &(struct shape){2, {2, 2}, {2 * word, word}});
    walk_addr dimensions = world_get(&world, array + head(&world) + 2 * world.word);
    OPEN;
    for (size_t i = 0; i < HOSTILE; i++) {
        world_put(&world, dimensions, hostile[i]);
        check_damaged(&world, array, 1);
        world_put(&world, dimensions, 2);
        put_word(&world, array, 1, hostile[i]);
        check_damaged(&world, array, 1);
        put_word(&world, array, 1, 2);
    }
    for (size_t i = 0; i < HOSTILE; i++) { /* strides that lead away */
        world_put(&world, dimensions + 4 * world.word, hostile[i]);
        check_damaged(&world, array, 1);
    }
    put_word(&world, array, 1, 65); /* more dimensions than any numpy has */
    check_damaged(&world, array, 1);
    put_word(&world, array, 1, 2);
    const int64_t on_top[] = {0, word, -word};
    for (size_t i = 0; i < 3; i++) { /* items on top of each other */
        world_put(&world, dimensions + 4 * world.word, (uint64_t)on_top[i]);
        check_damaged(&world, array, 1);
    }
    world_put(&world, dimensions + 4 * world.word, (uint64_t)(2 * word));
    put_word(&world, array, 2, NOWHERE);
    check_damaged(&world, array, 1);
    put_word(&world, array, 2, dimensions);
    put_word(&world, array, 0, NOWHERE);
    check_damaged(&world, array, 1);
    put_word(&world, array, 5, NOWHERE);
    struct walk_refs refs;
    visit(&world, array, &refs); /* whatever its items are */
    expect_eq(refs.count, 1);
    walk_refs_deinit(&refs);
    END;
}
END_TEST

/* ---- structured dtypes ---- */

static walk_addr field(struct world *world, walk_addr dtype, int64_t offset, walk_addr title)
{
    const walk_addr items[] = {dtype, world_small_int(world, offset), title};
    return world_tuple(world, items, title ? 3 : 2);
}

START_TEST(fields_are_found_once_each)
{
    BEGIN;
    walk_addr known[HELD_MAX] = {world.none, world_str(&world, "x"), world_str(&world, "y")};
    walk_addr object = make_dtype(&world, false, OBJECT, world.word);
    walk_addr inner = make_dtype(&world, false, VOID, 2 * world.word);
    walk_addr outer = make_dtype(&world, false, VOID, 3 * world.word);
    walk_addr keys[] = {world_str(&world, "name"), world_str(&world, "title"), world_str(&world, "pair")};
    /* A title is a second key of the same field; the pair is a subarray. */
    walk_addr named = field(&world, object, 0, keys[1]);
    const walk_addr values[] = {named, named, field(&world, inner, world.word, 0)};
    put(&world, inner, narrow ? 20 : 24, words(&world, &object, 1));
    known[3] = world_dict(&world, WORLD_UNICODE, keys, values, 3);
    set_fields(&world, outer, known[3]);
    known[4] = outer;
    const walk_addr items[] = {known[0], known[1], known[2], known[1], 0, known[0]};
    int64_t stride = 3 * (int64_t)world.word;
    walk_addr array = make_array(&world, outer, words(&world, items, 6), &(struct shape){1, {2}, {stride}});
    OPEN;
    check_held(&world, array, known,
               "dtype=4, item[0]['name']=0, item[0]['pair']=1, item[0]['pair']=2, item[1]['name']=1, "
               "item[1]['pair']=0");
    check_held(&world, outer, known, "fields=3");
    END;
}
END_TEST

START_TEST(a_dtype_within_itself_or_beyond_its_size_is_unreadable)
{
    BEGIN;
    walk_addr object = make_dtype(&world, false, OBJECT, world.word);
    walk_addr dtype = make_dtype(&world, false, VOID, 2 * world.word), key = world_str(&world, "name");
    walk_addr itself = field(&world, dtype, 0, 0), beyond = field(&world, object, 2 * world.word, 0),
              before = field(&world, object, -1, 0), bad = world_tuple(&world, &object, 1);
    const walk_addr fields[] = {itself, beyond, before, bad, object, NOWHERE};
    walk_addr dicts[6];
    for (size_t i = 0; i < 6; i++)
        dicts[i] = world_dict(&world, WORLD_UNICODE, &key, &fields[i], 1);
    const walk_addr items[] = {world.none, world.none};
    walk_addr array = make_array(&world, dtype, words(&world, items, 2), &(struct shape){0, {0}, {0}});
    OPEN;
    for (size_t i = 0; i < 6; i++) {
        set_fields(&world, dtype, dicts[i]);
        check_damaged(&world, array, 1);
    }
    set_fields(&world, dtype, NOWHERE);
    check_damaged(&world, array, 1);
    set_fields(&world, dtype, 0);
    put(&world, dtype, narrow ? 20 : 24, NOWHERE);
    check_damaged(&world, array, 1);
    put(&world, dtype, narrow ? 20 : 24, words(&world, &dtype, 1)); /* a subarray of itself */
    check_damaged(&world, array, 1);
    END;
}
END_TEST

int main(void)
{
    const TTest *const members[] = {a_time_holds_its_zone_only_if_it_is_aware, a_name_alone_is_no_proof,
                                    an_object_holds_its_type_on_the_heap, a_time_zone_of_hostile_length_is_unreadable,
                                    NULL};
    const TTest *const arrays[] = {an_array_holds_the_items_that_it_owns, an_array_of_hostile_shape_is_unreadable,
                                   fields_are_found_once_each, a_dtype_within_itself_or_beyond_its_size_is_unreadable,
                                   NULL};
    const struct unit_group groups[] = {{"members", members, VERSIONS}, {"arrays", arrays, VERSIONS}};
    return unit_run("holders", groups, sizeof groups / sizeof *groups);
}
