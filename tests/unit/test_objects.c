/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in memory that the test lays out itself: two invented builds, one like 3.8 and one like 3.12. */
#include <string.h>

#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/text.h"
#include "unit.h"

enum { BASE = 0x10000, SIZE = 1 << 16 };

/* Where a test's objects stand: `next` is the first free address. */
static struct {
    uint8_t bytes[SIZE];
    walk_addr next;
    struct walk_image image;
    struct walk_runtime runtime;
    struct walk_python python;
    walk_addr type_type, int_type, str_type, float_type, bytes_type, code_type;
} world;

static void put(walk_addr at, uint64_t value, size_t size) { memcpy(world.bytes + (at - BASE), &value, size); }

static walk_addr room(size_t size)
{
    walk_addr at = world.next;
    world.next += (size + 15) / 16 * 16;
    expect(world.next < BASE + SIZE);
    return at;
}

static walk_addr object(walk_addr type, size_t size)
{
    walk_addr at = room(size);
    put(at, 1, 8);
    put(at + 8, type, 8);
    return at;
}

#define SET(structure, field, at) world.runtime.layout.offset[WALK_FIELD_##structure##_##field] = (at)
#define SET_SIZE(structure, bytes) world.runtime.layout.size[WALK_STRUCT_##structure] = (bytes)

/* A static type; its flags say what it is a subclass of. */
static walk_addr make_type(uint64_t flags)
{
    walk_addr type = object(world.type_type, 0x100);
    put(type + 0x20, 16, 8);
    put(type + 0x40, flags, 8);
    return type;
}

static void lay_out_common(void)
{
    walk_layout_clear(&world.runtime.layout);
    SET_SIZE(object, 16);
    SET(object, ob_refcnt, 0);
    SET(object, ob_type, 8);
    SET(var_object, ob_size, 16);
    SET_SIZE(type, 0x100);
    SET(type, tp_name, 0x18);
    SET(type, tp_basicsize, 0x20);
    SET(type, tp_itemsize, 0x28);
    SET(type, tp_flags, 0x40);
    SET(type, tp_traverse, 0x48);
    SET(type, tp_base, 0x50);
    SET(type, tp_dict, 0x58);
    SET(type, tp_dictoffset, 0x60);
    SET(type, tp_weaklistoffset, 0x68);
    SET_SIZE(dict, 48);
    SET(dict, ma_used, 16);
    SET(dict, ma_keys, 32);
    SET(dict, ma_values, 40);
    SET(list, ob_item, 24);
    SET(tuple, ob_item, 24);
    SET(set, mask, 32);
    SET(set, table, 40);
    SET(float, ob_fval, 16);
    SET(bytes, ob_sval, 32);
    SET_SIZE(ascii, 40);
    SET_SIZE(compact, 56);
    SET(ascii, length, 16);
    SET(ascii, state, 32);
    SET(compact, utf8_length, 40);
    SET(code, co_firstlineno, 24);
}

static void lay_out_old(void)
{
    SET_SIZE(dict_keys, 40);
    SET(dict_keys, dk_refcnt, 0);
    SET(dict_keys, dk_size, 8);
    SET(dict_keys, dk_lookup, 16);
    SET(dict_keys, dk_nentries, 32);
    SET(dict_keys, dk_indices, 40);
    SET(int, ob_digit, 24);
    SET(code, co_lnotab, 32);
}

static void lay_out_new(void)
{
    SET_SIZE(dict_keys, 32);
    SET(dict_keys, dk_refcnt, 0);
    SET(dict_keys, dk_log2_size, 8);
    SET(dict_keys, dk_log2_index_bytes, 9);
    SET(dict_keys, dk_kind, 10);
    SET(dict_keys, dk_nentries, 24);
    SET(dict_keys, dk_indices, 32);
    SET(int, lv_tag, 16);
    SET(int, ob_digit, 24);
    SET(code, co_linetable, 32);
}

static void set_up(unsigned minor)
{
    memset(&world, 0, sizeof world);
    world.next = BASE;
    walk_memory_init(&world.image.memory, 8);
    struct walk_segment all = {.start = BASE,
                               .end = BASE + SIZE,
                               .data = world.bytes,
                               .kind = WALK_SEGMENT_SAVED,
                               .flags = WALK_SEGMENT_WRITE};
    assert_good(walk_memory_add(&world.image.memory, &all));
    assert_good(walk_memory_seal(&world.image.memory));
    lay_out_common();
    if (minor < 11)
        lay_out_old();
    else
        lay_out_new();
    world.type_type = room(0x100);
    put(world.type_type, 1, 8);
    put(world.type_type + 8, world.type_type, 8);
    world.int_type = make_type(WALK_TPFLAGS_LONG_SUBCLASS);
    world.str_type = make_type(UINT64_C(1) << 28);
    world.float_type = make_type(0);
    world.bytes_type = make_type(0);
    world.code_type = make_type(0);
    world.runtime.image = &world.image;
    world.runtime.type_type = world.type_type;
    world.runtime.symbols.fd = -1;
    world.python = (struct walk_python){.runtime = &world.runtime,
                                        .layout = &world.runtime.layout,
                                        .memory = &world.image.memory,
                                        .word = 8,
                                        .version = 0x030000f0 | minor << 16,
                                        .str_type = world.str_type};
    assert_good(walk_kinds_init(&world.python.kinds, &world.runtime, world.python.version));
}

static void tear_down(void)
{
    walk_memory_deinit(&world.image.memory);
    walk_python_close(&world.python);
}

/* A type table entry of a kind, so that values can be asked for without a whole interpreter. */
static uint32_t as_kind(walk_addr type, enum walk_kind_id kind, const char *name)
{
    static struct walk_pytype types[1];
    types[0] = (struct walk_pytype){.address = type, .own_base = type, .kind = kind, .name = name};
    world.python.types = types;
    return 0;
}

static const char *value_of(walk_addr address, uint32_t type)
{
    static char text[1024];
    struct walk_text_out out;
    walk_text_init(&out, text, sizeof text);
    walk_text_value(&world.python, address, type, &out);
    world.python.types = NULL;
    return text;
}

#define expect_text(got, wanted) ck_assert_str_eq(got, wanted)

/* ---- values ---- */

START_TEST(floats_read_as_python_writes_them)
{
    static const struct {
        double value;
        const char *text;
    } table[] = {{0.0, "0.0"},
                 {-0.0, "-0.0"},
                 {1.0, "1.0"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {1e16, "1e+16"},
                 {1e15, "1000000000000000.0"},
                 {123456.789, "123456.789"},
                 {1e-4, "0.0001"},
                 {1e-5, "1e-05"},
                 {1.5e300, "1.5e+300"},
                 {5e-324, "5e-324"},
                 {-2.5, "-2.5"},
                 {100.0, "100.0"},
                 {0.5, "0.5"},
                 {0.05, "0.05"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    set_up(8);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        walk_addr address = object(world.float_type, 24);
        memcpy(world.bytes + (address - BASE) + 16, &table[i].value, 8);
        expect_text(value_of(address, as_kind(world.float_type, WALK_KIND_float, "float")), table[i].text);
    }
    tear_down();
}
END_TEST

static walk_addr make_int(bool negative, size_t count, const uint32_t *digits)
{
    walk_addr address = object(world.int_type, 24 + 4 * count);
    bool tagged = WALK_HAS(&world.runtime.layout, int, lv_tag);
    put(address + 16, tagged ? count << 3 | (count == 0 ? 1 : negative ? 2 : 0) : (negative ? -count : count), 8);
    for (size_t i = 0; i < count; i++)
        put(address + 24 + 4 * i, digits[i], 4);
    return address;
}

START_TEST(ints_read_in_decimal_whatever_their_form)
{
    static const uint32_t one[] = {1}, big[] = {0, 1}, huge[] = {0x3fffffff, 0x3fffffff, 0x3fffffff},
                          billion[] = {1000000000};
    for (unsigned minor = 8; minor <= 12; minor += 4) {
        set_up(minor);
        static const struct {
            bool negative;
            size_t count;
            const uint32_t *digits;
            const char *text;
        } table[] = {{false, 0, NULL, "0"},
                     {false, 1, one, "1"},
                     {true, 1, one, "-1"},
                     {false, 2, big, "1073741824"},
                     {false, 1, billion, "1000000000"},
                     {true, 3, huge, "-1237940039285380274899124223"}};
        for (size_t i = 0; i < sizeof table / sizeof *table; i++)
            expect_text(value_of(make_int(table[i].negative, table[i].count, table[i].digits),
                                 as_kind(world.int_type, WALK_KIND_int, "int")),
                        table[i].text);
        tear_down();
    }
}
END_TEST

START_TEST(an_int_that_claims_more_digits_than_there_are_has_no_value)
{
    set_up(8);
    walk_addr address = make_int(false, 1, (const uint32_t[]){7});
    put(address + 16, 40, 8); /* 40 digits: at the end of the segment they are not there */
    walk_addr last = BASE + SIZE - 32;
    memcpy(world.bytes + SIZE - 32, world.bytes + (address - BASE), 28);
    expect_text(value_of(last, as_kind(world.int_type, WALK_KIND_int, "int")), "");
    put(address + 16, UINT64_C(1) << 62, 8);
    expect_text(value_of(address, as_kind(world.int_type, WALK_KIND_int, "int")), "");
    tear_down();
}
END_TEST

/* A compact str of 3.12's form: state is kind << 2 | compact << 5 | ascii << 6. */
static walk_addr make_str(unsigned kind, bool ascii, size_t length, const uint32_t *characters)
{
    size_t head = ascii ? 40 : 56;
    walk_addr address = object(world.str_type, head + (length + 1) * kind);
    put(address + 16, length, 8);
    put(address + 32, kind << 2 | 1u << 5 | (ascii ? 1u << 6 : 0), 4);
    for (size_t i = 0; i < length; i++)
        put(address + head + i * kind, characters[i], kind);
    return address;
}

static walk_addr make_ascii(const char *text)
{
    uint32_t characters[256];
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        characters[i] = (unsigned char)text[i];
    return make_str(1, true, length, characters);
}

START_TEST(strs_of_every_width_read_as_utf_8_and_hide_controls)
{
    set_up(12);
    uint32_t str = as_kind(world.str_type, WALK_KIND_str, "str");
    expect_text(value_of(make_ascii("it's"), str), "\"it's\"");
    str = as_kind(world.str_type, WALK_KIND_str, "str");
    expect_text(value_of(make_ascii("a'b\"c\n\x1b[0m\\"), str), "'a\\'b\"c\\n\\x1b[0m\\\\'");
    str = as_kind(world.str_type, WALK_KIND_str, "str");
    expect_text(value_of(make_str(1, false, 2, (const uint32_t[]){0xe9, 0x9b}), str), "'\xc3\xa9\\x9b'");
    str = as_kind(world.str_type, WALK_KIND_str, "str");
    expect_text(value_of(make_str(2, false, 3, (const uint32_t[]){0x20ac, 0xd800, 0x202e}), str),
                "'\xe2\x82\xac\\ud800\\u202e'");
    str = as_kind(world.str_type, WALK_KIND_str, "str");
    expect_text(value_of(make_str(4, false, 1, (const uint32_t[]){0x1f600}), str), "'\xf0\x9f\x98\x80'");
    tear_down();
}
END_TEST

START_TEST(only_a_str_equals_a_text)
{
    set_up(12);
    walk_addr name = make_ascii("name");
    expect(walk_text_equals(&world.python, name, "name"));
    expect(!walk_text_equals(&world.python, name, "names"));
    expect(!walk_text_equals(&world.python, make_int(false, 0, NULL), "name"));
    expect(!walk_text_equals(&world.python, 8, "name"));
    tear_down();
}
END_TEST

/* ---- dicts ---- */

/* A combined dict of (key, value) pairs; a value of 0 is a deleted entry. */
static walk_addr make_dict(bool general, size_t count, const walk_addr (*pairs)[2])
{
    bool new = WALK_HAS(&world.runtime.layout, dict_keys, dk_kind);
    size_t head = new ? 32 : 40, hash = general || !new ? 8 : 0, stride = hash + 16;
    walk_addr dict = object(world.type_type, 48), keys = room(head + 8 + 8 * stride);
    put(dict + 32, keys, 8);
    put(keys, 1, 8);
    if (new) {
        put(keys + 8, 3, 1);
        put(keys + 9, 3, 1);
        put(keys + 10, general ? 0 : 1, 1);
        put(keys + 24, count, 8);
    } else {
        put(keys + 8, 8, 8);
        put(keys + 16, general ? 0x1234 : 0x5678, 8);
        put(keys + 32, count, 8);
    }
    for (size_t i = 0; i < count; i++) {
        put(keys + head + 8 + i * stride + hash, pairs[i][0], 8);
        put(keys + head + 8 + i * stride + hash + 8, pairs[i][1], 8);
    }
    world.python.lookdict = 0x1234;
    return dict;
}

static size_t count_flags(const struct walk_refs *refs, enum walk_label label, uint32_t flags)
{
    size_t count = 0;
    for (size_t i = 0; i < refs->count; i++)
        count += refs->ref[i].label == label && refs->ref[i].flags == flags;
    return count;
}

START_TEST(keys_are_seen_only_in_a_dict_whose_keys_are_not_all_str)
{
    for (unsigned minor = 8; minor <= 12; minor += 4)
        for (int general = 0; general < 2; general++) {
            set_up(minor);
            walk_addr one = make_int(false, 0, NULL), two = make_ascii("two");
            const walk_addr pairs[][2] = {{two, one}, {one, 0}, {two, two}};
            struct walk_refs refs = {0};
            walk_visit_dict(&world.python, NULL, make_dict(general, 3, pairs), &refs);
            expect(!refs.unreadable);
            expect_eq(refs.count, 4);
            expect_eq(count_flags(&refs, WALK_LABEL_VALUE, 0), 2);
            expect_eq(count_flags(&refs, WALK_LABEL_KEY, general ? 0 : WALK_EDGE_EXTRA), 2);
            walk_refs_deinit(&refs);
            tear_down();
        }
}
END_TEST

START_TEST(a_dict_with_impossible_numbers_is_unreadable)
{
    static const uint64_t hostile[] = {9, UINT64_C(1) << 32, UINT64_C(1) << 62, UINT64_MAX};
    for (unsigned minor = 8; minor <= 12; minor += 4)
        for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
            set_up(minor);
            walk_addr dict = make_dict(true, 0, NULL);
            walk_addr keys = WALK_MEMBER(&world.python, dict, dict, ma_keys);
            put(keys + (minor < 11 ? 32 : 24), hostile[i], 8);
            struct walk_refs refs = {0};
            walk_visit_dict(&world.python, NULL, dict, &refs);
            expect(refs.unreadable);
            expect_eq(refs.count, 0);
            walk_refs_deinit(&refs);
            tear_down();
        }
}
END_TEST

START_TEST(a_key_is_found_by_its_text)
{
    set_up(12);
    walk_addr one = make_int(false, 0, NULL);
    const walk_addr pairs[][2] = {{make_ascii("a"), one}, {make_ascii("b"), 0}};
    walk_addr dict = make_dict(false, 2, pairs);
    expect_eq(walk_dict_get(&world.python, dict, "a"), one);
    expect_eq(walk_dict_get(&world.python, dict, "b"), 0);
    expect_eq(walk_dict_get(&world.python, dict, "c"), 0);
    tear_down();
}
END_TEST

/* ---- sequences ---- */

START_TEST(a_list_with_an_impossible_length_is_unreadable)
{
    static const uint64_t hostile[] = {1, UINT64_C(1) << 41, UINT64_C(1) << 61, UINT64_MAX};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        set_up(8);
        walk_addr list = object(world.type_type, 40);
        put(list + 16, hostile[i], 8);
        put(list + 24, BASE + SIZE, 8); /* nothing is there */
        struct walk_refs refs = {0};
        walk_visit_list(&world.python, NULL, list, &refs);
        expect(refs.unreadable);
        expect_eq(refs.count, 0);
        walk_refs_deinit(&refs);
        tear_down();
    }
}
END_TEST

START_TEST(a_set_leaves_out_free_and_deleted_entries)
{
    set_up(8);
    walk_addr set = object(world.type_type, 64), table = room(4 * 16), one = make_int(false, 0, NULL);
    put(set + 32, 3, 8);
    put(set + 40, table, 8);
    put(table, one, 8);
    put(table + 8, 77, 8);
    put(table + 16, one, 8); /* the dummy: any object, with a hash of -1 */
    put(table + 24, UINT64_MAX, 8);
    struct walk_refs refs = {0};
    walk_visit_set(&world.python, NULL, set, &refs);
    expect_eq(refs.count, 1);
    expect_eq(refs.ref[0].target, one);
    walk_refs_deinit(&refs);
    tear_down();
}
END_TEST

/* ---- lines: tables and lines as the compilers of 3.8, 3.10 and 3.12 made them for one function ---- */

struct lines {
    unsigned minor;
    size_t size;
    const uint8_t *table;
    struct {
        int start, end, line;
    } range[20];
};

static const uint8_t table_3_8[] = {0, 1,   2, 1, 2, 255, 4, 2, 8, 1,   4, 1, 2, 1,   4, 1,
                                    2, 255, 6, 4, 2, 1,   2, 1, 2, 255, 8, 4, 2, 127, 0, 28};
static const uint8_t table_3_10[] = {2, 1, 2, 1, 4, 255, 8, 2,   4, 1, 2, 1,   4, 1,  2, 1,   6, 255,
                                     2, 4, 2, 1, 2, 1,   6, 255, 2, 4, 0, 127, 4, 28, 0, 129, 2, 228};
static const uint8_t table_3_12[] = {128, 0,   216, 9,  10, 216, 9,   10,  240, 3,   1,   9,  12, 128, 65, 224, 13,  14,
                                     242, 0,   5,   5,  10, 136, 1,   217, 11,  12,  216, 12, 20, 216, 8,  9,   143, 8,
                                     137, 8,   216, 12, 13, 245, 3,   2,   9,   10,  240, 7,  5,  5,   10, 240, 14,  5,
                                     5,   13,  220, 8,  9,  216, 10,  11,  244, 3,   2,   9,  10, 240, 8,  0,   9,   13,
                                     240, 118, 4,   0,  12, 13,  128, 72,  248, 240, 119, 4,  0,  9,   13, 250};
static const struct lines line_tables[] = {
    {8,
     sizeof table_3_8,
     table_3_8,
     {{0, 2, 2},
      {2, 4, 3},
      {4, 8, 2},
      {8, 16, 4},
      {16, 20, 5},
      {20, 22, 6},
      {22, 26, 7},
      {26, 28, 8},
      {28, 34, 7},
      {34, 36, 11},
      {36, 38, 12},
      {38, 40, 13},
      {40, 48, 12},
      {48, 50, 16},
      {50, 54, 171}}},
    {10,
     sizeof table_3_10,
     table_3_10,
     {{0, 2, 2},
      {2, 4, 3},
      {4, 8, 2},
      {8, 16, 4},
      {16, 20, 5},
      {20, 22, 6},
      {22, 26, 7},
      {26, 28, 8},
      {28, 34, 7},
      {34, 36, 11},
      {36, 38, 12},
      {38, 40, 13},
      {40, 46, 12},
      {46, 48, 16},
      {48, 52, 171},
      {52, 54, 16}}},
    {12, sizeof table_3_12, table_3_12, {{0, 2, 1},    {2, 4, 2},     {4, 6, 3},    {6, 10, 2},   {10, 20, 4},
                                         {20, 24, 5},  {24, 26, 6},   {26, 48, 7},  {48, 50, 8},  {50, 62, 7},
                                         {62, 64, 4},  {64, 66, 11},  {66, 76, 12}, {76, 78, 13}, {78, 88, 12},
                                         {88, 90, 16}, {90, 94, 171}, {94, 96, 0},  {96, 98, 16}, {98, 104, 0}}},
};

static struct walk_frame_view make_frame(size_t size, const uint8_t *table)
{
    walk_addr code = object(world.code_type, 64), bytes = object(world.bytes_type, 32 + size);
    put(code + 24, 1, 4);
    put(code + 32, bytes, 8);
    put(bytes + 16, size, 8);
    memcpy(world.bytes + (bytes + 32 - BASE), table, size);
    return (struct walk_frame_view){.code = code};
}

START_TEST(every_instruction_has_the_line_that_its_compiler_gave_it)
{
    for (size_t t = 0; t < sizeof line_tables / sizeof *line_tables; t++) {
        set_up(line_tables[t].minor);
        struct walk_frame_view frame = make_frame(line_tables[t].size, line_tables[t].table);
        if (line_tables[t].minor == 10)
            world.runtime.layout.offset[WALK_FIELD_code_co_linetable] = 32;
        for (size_t r = 0; r < 20 && line_tables[t].range[r].end; r++)
            for (frame.lasti = line_tables[t].range[r].start; frame.lasti < line_tables[t].range[r].end;
                 frame.lasti += 2)
                expect_eq(walk_frame_line(&world.python, &frame, 0), line_tables[t].range[r].line);
        tear_down();
    }
}
END_TEST

START_TEST(a_cut_line_table_gives_no_wrong_memory_and_no_crash)
{
    for (size_t t = 0; t < sizeof line_tables / sizeof *line_tables; t++)
        for (size_t size = 0; size < line_tables[t].size; size++) {
            set_up(line_tables[t].minor);
            struct walk_frame_view frame = make_frame(size, line_tables[t].table);
            for (frame.lasti = -2; frame.lasti < 120; frame.lasti += 2)
                expect(walk_frame_line(&world.python, &frame, 0) >= 0);
            tear_down();
        }
}
END_TEST

/* ---- types ---- */

START_TEST(what_is_no_type_is_not_taken_for_one)
{
    uint32_t index;
    set_up(12);
    expect(!walk_python_type(&world.python, 0, &index));
    expect(!walk_python_type(&world.python, world.str_type + 4, &index));
    expect(!walk_python_type(&world.python, make_ascii("text"), &index));
    walk_addr liar = make_type(0);
    put(liar + 0x20, UINT64_C(1) << 40, 8); /* objects of a terabyte */
    expect(!walk_python_type(&world.python, liar, &index));
    /* Metatypes in a circle that never reaches type. */
    walk_addr left = make_type(WALK_TPFLAGS_TYPE_SUBCLASS), right = make_type(WALK_TPFLAGS_TYPE_SUBCLASS);
    put(left + 8, right, 8);
    put(right + 8, left, 8);
    expect(!walk_python_type(&world.python, left, &index));
    expect(walk_python_type(&world.python, world.str_type, &index));
    tear_down();
}
END_TEST

START_TEST(a_circle_of_bases_ends)
{
    uint32_t index;
    set_up(12);
    walk_addr left = make_type(0), right = make_type(0);
    world.python.subtype_traverse = 0x4242;
    put(left + 0x48, 0x4242, 8);
    put(right + 0x48, 0x4242, 8);
    put(left + 0x50, right, 8);
    put(right + 0x50, left, 8);
    expect(walk_python_type(&world.python, left, &index));
    tear_down();
}
END_TEST

START_TEST(a_freed_block_is_no_object)
{
    uint32_t index;
    for (unsigned minor = 8; minor <= 12; minor += 4) {
        set_up(minor);
        walk_addr living = object(world.float_type, 24), freed = object(world.float_type, 24);
        put(freed, 0x7f0012345678, 8); /* the link to the next free block */
        expect(walk_python_type_of(&world.python, living, &index));
        expect(!walk_python_type_of(&world.python, freed, &index));
        put(freed, 0, 8);
        expect(!walk_python_type_of(&world.python, freed, &index));
        expect(!walk_python_type_of(&world.python, living + 4, &index));
        tear_down();
    }
}
END_TEST

int main(void)
{
    const TTest *const values[] = {floats_read_as_python_writes_them,
                                   ints_read_in_decimal_whatever_their_form,
                                   an_int_that_claims_more_digits_than_there_are_has_no_value,
                                   strs_of_every_width_read_as_utf_8_and_hide_controls,
                                   only_a_str_equals_a_text,
                                   NULL};
    const TTest *const containers[] = {keys_are_seen_only_in_a_dict_whose_keys_are_not_all_str,
                                       a_dict_with_impossible_numbers_is_unreadable,
                                       a_key_is_found_by_its_text,
                                       a_list_with_an_impossible_length_is_unreadable,
                                       a_set_leaves_out_free_and_deleted_entries,
                                       NULL};
    const TTest *const lines[] = {every_instruction_has_the_line_that_its_compiler_gave_it,
                                  a_cut_line_table_gives_no_wrong_memory_and_no_crash, NULL};
    const TTest *const types[] = {what_is_no_type_is_not_taken_for_one, a_circle_of_bases_ends,
                                  a_freed_block_is_no_object, NULL};
    const struct unit_group groups[] = {
        {"values", values}, {"containers", containers}, {"lines", lines}, {"types", types}};
    return unit_run("objects", groups, sizeof groups / sizeof *groups);
}
