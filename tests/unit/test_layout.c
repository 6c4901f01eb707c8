/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout/cache.h"
#include "layout/debug_offsets.h"
#include "layout/proof.h"
#include "layout/row.h"
#include "unit.h"
#include "world.h"

/* ---- the table of fields ---- */

START_TEST(every_structure_and_every_field_has_an_id_of_its_own)
{
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(walk_struct_table[i].id, walk_struct_table[j].id) == 0)
                ck_abort_msg("two structures %s", walk_struct_table[i].id);
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(walk_field_table[i].id, walk_field_table[j].id) == 0)
                ck_abort_msg("two fields %s", walk_field_table[i].id);
}
END_TEST

static bool good_names(const char *names)
{
    if (!*names || strchr(names, ' ') || strstr(names, "||") || names[0] == '|' || names[strlen(names) - 1] == '|')
        return false;
    const char *c = names;
    while (isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '|')
        c++;
    return !*c || strcmp(c, "()") == 0;
}

START_TEST(names_are_alternatives_of_identifiers)
{
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        ck_assert_msg(good_names(walk_struct_table[i].names), "%s", walk_struct_table[i].id);
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        ck_assert_msg(good_names(walk_field_table[i].names + walk_field_in_bits(i)), "%s", walk_field_table[i].id);
}
END_TEST

START_TEST(a_cleared_layout_has_nothing)
{
    struct walk_layout layout;
    memset(&layout, 1, sizeof layout);
    walk_layout_clear(&layout);
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        expect(layout.offset[i] == WALK_ABSENT);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        expect_eq(layout.size[i], 0);
}
END_TEST

/* ---- rows ---- */

/* Lines into a row of its own; NULL: they make no whole row. */
static struct walk_layout_row *parse(const char *lines)
{
    struct walk_layout_row *row = calloc(1, sizeof *row);
    struct walk_row_parser parser = {.row = row};
    ck_assert_ptr_nonnull(row);
    walk_layout_clear(&row->layout);
    bool good = true;
    for (const char *line = lines; *line && good;) {
        size_t length = strcspn(line, "\n");
        good = walk_row_parse_line(&parser, line, length);
        line += length + (line[length] == '\n');
    }
    if (good && walk_row_is_whole(&parser))
        return row;
    walk_layout_row_free(row);
    return NULL;
}

#define HEAD "row: 3.9.2 debug 70232042\nbuild-id: 7023204255\nversion: 030902f0\nword: 8\nruntime: 10\ntype: a0\n"

START_TEST(a_row_tells_offset_zero_from_absent)
{
    struct walk_layout_row *row = parse(HEAD "object 16 ob_refcnt=0 ob_type=8\ntypes: a0 type, b0 symtable entry\nend");
    ck_assert_ptr_nonnull(row);
    const struct walk_layout *layout = &row->layout;
    ck_assert(WALK_HAS(layout, object, ob_refcnt) && WALK_OFFSET(layout, object, ob_refcnt) == 0);
    expect_eq(WALK_OFFSET(layout, object, ob_type), 8);
    ck_assert(!WALK_HAS(layout, dict, ma_keys));
    expect_eq(WALK_SIZE(layout, object), 16);
    expect_eq(row->version, 0x030902f0);
    expect_eq(row->type_count, 2);
    ck_assert_str_eq(row->types[1].name, "symtable entry");
    walk_layout_row_free(row);
}
END_TEST

START_TEST(what_the_table_has_no_more_is_passed_over)
{
    struct walk_layout_row *row = parse(HEAD "nothing 8 a=0\nobject 16 ob_type=8 ob_nothing=0\nend");
    ck_assert_ptr_nonnull(row);
    expect_eq(WALK_OFFSET(&row->layout, object, ob_type), 8);
    walk_layout_row_free(row);
}
END_TEST

START_TEST(lines_that_make_no_sense_make_no_row)
{
    static const char *const bad[] = {
        HEAD,                                    /* no end */
        "row: x\nend",                           /* no head */
        HEAD "object 16 ob_type=17\nend",        /* behind its structure */
        HEAD "object 0 ob_type=0\nend",          /* without a size */
        HEAD "object 99999999999999999999\nend", /* larger than anything */
        HEAD "object 16 ob_type\nend",           /* a member without an offset */
        HEAD "object 16 ob_type=-8\nend",        /* in front of its structure */
        HEAD "object 16 ob_type=8 \nend",        /* something behind */
        HEAD "object -x\nend",                   /* something behind */
        HEAD "types: b0 a, a0 b\nend",           /* not sorted */
        HEAD "types: a0 a, a0 b\nend",           /* twice */
        HEAD "types: a0 \nend",                  /* without a name */
        HEAD "types: a0 a\x1b[0m\nend",          /* not printable */
        HEAD "types: a0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nend", /* long */
        HEAD "like: 3.9.2 f902f8a5\nend", /* for built-in rows only */
        HEAD "word: 3\nend",
        HEAD "build-id: 70232042g\nend",
        HEAD "end\nobject 16\n", /* behind the end */
        HEAD "\nend",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!parse(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(members_of_every_row_are_inside_of_their_structures)
{
    struct walk_layout_row *row;
    for (size_t r = 0; (row = walk_layout_row_open(r)) || r == 0; r++) {
        ck_assert_ptr_nonnull(row);
        for (int i = 0; i < WALK_FIELD_COUNT; i++) {
            uint32_t size = row->layout.size[walk_field_table[i].structure] * (walk_field_in_bits(i) ? 8 : 1);
            /* A flexible array begins at the end. */
            if (row->layout.offset[i] != WALK_ABSENT &&
                (row->layout.offset[i] < 0 || (uint32_t)row->layout.offset[i] > size))
                ck_abort_msg("%s: %s", row->name, walk_field_table[i].id);
        }
        walk_layout_row_free(row);
    }
}
END_TEST

START_TEST(every_row_names_one_build_and_its_types_are_sorted)
{
    char known[64][65];
    struct walk_layout_row *row;
    for (size_t r = 0; (row = walk_layout_row_open(r)); r++) {
        struct walk_layout_row *found = walk_layout_row_find(row->build_id);
        ck_assert(r < 64 && found && strcmp(found->name, row->name) == 0);
        walk_layout_row_free(found);
        ck_assert_msg(strlen(row->build_id) >= 16, "%s", row->name);
        ck_assert(row->version >> 24 == 3 && (row->word == 4 || row->word == 8));
        for (size_t other = 0; other < r; other++)
            ck_assert_str_ne(row->build_id, known[other]);
        strcpy(known[r], row->build_id);
        for (size_t i = 1; i < row->type_count; i++)
            expect(row->types[i - 1].offset < row->types[i].offset);
        walk_layout_row_free(row);
    }
}
END_TEST

/* ---- _Py_DebugOffsets ---- */

/* Where a row says that the words are, what the row says that they are. */
static const struct {
    enum walk_field word;
    int field, structure;
} words[] = {
#define OFFSET(structure, field, name)                                                                                 \
    {WALK_FIELD_debug_offsets_##structure##_##field, WALK_FIELD_##structure##_##field, -1},
#define SIZE(structure, name) {WALK_FIELD_debug_offsets_##structure##_size, -1, WALK_STRUCT_##structure},
#include "layout/debug_offsets.def"
#undef OFFSET
#undef SIZE
};
enum { WORDS = sizeof words / sizeof *words, TABLE = 2048 };

struct table {
    uint8_t bytes[TABLE];
    struct walk_memory memory;
    struct walk_layout said;
};

static void put(struct table *table, int32_t at, uint64_t value) { memcpy(table->bytes + at, &value, sizeof value); }

static void make_table(struct table *table, const struct walk_layout_row *row)
{
    memset(table, 0, sizeof *table);
    walk_memory_init(&table->memory, row->word);
    struct walk_segment segment = {
        .start = 0x1000, .end = 0x1000 + TABLE, .data = table->bytes, .kind = WALK_SEGMENT_SAVED};
    ck_assert(!walk_memory_add(&table->memory, &segment) && !walk_memory_seal(&table->memory));
    memcpy(table->bytes, "xdebugpy", 8);
    put(table, 8, row->version);
    put(table, 16, WALK_FREE_THREADED(&row->layout));
    for (int i = 0; i < WORDS; i++) {
        int32_t at = row->layout.offset[words[i].word];
        if (at != WALK_ABSENT)
            put(table, at,
                words[i].field >= 0 ? (uint64_t)row->layout.offset[words[i].field]
                                    : row->layout.size[words[i].structure]);
    }
}

static bool read_table(struct table *table, const struct walk_layout_row *row)
{
    return walk_debug_offsets_read(&table->memory, 0x1000, &row->layout, &table->said);
}

START_TEST(what_a_build_says_of_itself_is_what_its_row_says)
{
    struct walk_layout_row *row;
    unsigned tables = 0;
    for (size_t r = 0; (row = walk_layout_row_open(r)); r++) {
        struct table table;
        make_table(&table, row);
        ck_assert_msg(read_table(&table, row) == (row->version >= 0x030d0000), "%s", row->name);
        for (int i = 0; i < WORDS && row->version >= 0x030d0000; i++) {
            if (row->layout.offset[words[i].word] == WALK_ABSENT)
                continue;
            tables++;
            if (words[i].field >= 0)
                expect_eq(table.said.offset[words[i].field], row->layout.offset[words[i].field]);
            else
                expect_eq(table.said.size[words[i].structure], row->layout.size[words[i].structure]);
        }
        walk_memory_deinit(&table.memory);
        walk_layout_row_free(row);
    }
    ck_assert_msg(tables > 200, "%u", tables);
}
END_TEST

START_TEST(a_table_that_makes_no_sense_says_nothing)
{
    struct walk_layout_row *row;
    for (size_t r = 0; (row = walk_layout_row_open(r)); r++) {
        struct table table;
        if (row->version < 0x030d0000) {
            walk_layout_row_free(row);
            continue;
        }
        const struct {
            int32_t at;
            uint64_t value;
        } bad[] = {
            {0, 0},                                                                    /* the cookie */
            {8, 0},                                                                    /* the version */
            {8, UINT64_C(0x1030d0000)},                                                /* two of them */
            {16, 2},                                                                   /* free-threaded or not */
            {row->layout.offset[WALK_FIELD_debug_offsets_interp_modules], 1 << 30},    /* far away */
            {row->layout.offset[WALK_FIELD_debug_offsets_interp_modules], UINT64_MAX}, /* farther */
            {row->layout.offset[WALK_FIELD_debug_offsets_thread_interp], 1 << 20},     /* behind its structure */
            {row->layout.offset[WALK_FIELD_debug_offsets_object_ob_type], 0},          /* not where a header ends */
            {row->layout.offset[WALK_FIELD_debug_offsets_list_size], row->word},       /* smaller than a header */
            {row->layout.offset[WALK_FIELD_debug_offsets_var_object_ob_size], 0},
        };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            make_table(&table, row);
            put(&table, bad[i].at, bad[i].value);
            ck_assert_msg(!read_table(&table, row), "%s: %zu", row->name, i);
            walk_memory_deinit(&table.memory);
        }
        make_table(&table, row);
        ck_assert(!walk_debug_offsets_read(&table.memory, 0, &row->layout, &table.said));
        ck_assert(!walk_debug_offsets_read(&table.memory, 0x1000 + TABLE - 16, &row->layout, &table.said));
        struct rng rng = {r};
        for (int i = 0; i < 200; i++) { /* never more than a refusal */
            put(&table, (int32_t)rng_below(&rng, TABLE - 8), rng_next(&rng) >> rng_below(&rng, 64));
            read_table(&table, row);
        }
        walk_memory_deinit(&table.memory);
        walk_layout_row_free(row);
    }
}
END_TEST

/* The words of another minor version stand elsewhere. */
START_TEST(a_table_in_the_order_of_another_version_is_refused)
{
    struct walk_layout_row *row, *other;
    for (size_t r = 0; (row = walk_layout_row_open(r)); r++) {
        for (size_t o = 0; (other = walk_layout_row_open(o)); o++) {
            struct table table;
            make_table(&table, row);
            if (row->version >= 0x030d0000 && other->version >> 16 != row->version >> 16)
                ck_assert_msg(!read_table(&table, other), "%s by %s", row->name, other->name);
            walk_memory_deinit(&table.memory);
            walk_layout_row_free(other);
        }
        walk_layout_row_free(row);
    }
}
END_TEST

/* ---- the cache ---- */

/* A folder of the test's own, which the cache is in. */
static void with_cache(char *folder)
{
    strcpy(folder, "/tmp/walk-cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("LIBWALK_CACHE", folder, 1);
}

static void without_cache(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert(system(command) == 0);
    setenv("LIBWALK_CACHE", "", 1);
}

START_TEST(what_was_remembered_comes_back)
{
    char folder[64];
    struct walk_layout_row *row, *again;
    with_cache(folder);
    for (size_t r = 0; (row = walk_layout_row_open(r)); r++) {
        ck_assert_ptr_null(walk_cache_read(row->build_id));
        walk_cache_write(row);
        walk_cache_write(row);
        again = walk_cache_read(row->build_id);
        ck_assert_ptr_nonnull(again);
        ck_assert_str_eq(row->name, again->name);
        ck_assert(memcmp(&row->layout, &again->layout, sizeof row->layout) == 0);
        expect_eq(row->type_count, again->type_count);
        for (size_t i = 0; i < row->type_count; i++)
            expect(row->types[i].offset == again->types[i].offset &&
                   strcmp(row->types[i].name, again->types[i].name) == 0);
        walk_layout_row_free(again);
        walk_layout_row_free(row);
    }
    without_cache(folder);
}
END_TEST

START_TEST(a_damaged_memory_is_none)
{
    char folder[64], path[160];
    struct walk_layout_row *row = walk_layout_row_open(0), *again;
    with_cache(folder);
    walk_cache_write(row);
    snprintf(path, sizeof path, "%s/%s", folder, row->build_id);
    struct stat status;
    ck_assert(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1), *copy = malloc(size + 1);
    FILE *file = fopen(path, "r");
    ck_assert(bytes && copy && file && fread(bytes, 1, size, file) == size);
    fclose(file);
    struct rng rng = {(uint64_t)_i + 1};
    for (int i = 0; i < 300; i++) {
        memcpy(copy, bytes, size);
        size_t length = i % 3 ? size : rng_below(&rng, size);
        for (int b = 0; b < 1 + i % 4; b++)
            copy[rng_below(&rng, size)] = (char)rng_below(&rng, 256);
        ck_assert((file = fopen(path, "w")) && fwrite(copy, 1, length, file) == length && fclose(file) == 0);
        again = walk_cache_read(row->build_id); /* mostly NULL; never outside of bounds */
        walk_layout_row_free(again);
    }
    /* Another version of the table of fields, another build, what is no regular file. */
    static const char *const others[] = {"libwalk layout 1 0000000000000000\n", "libwalk layout 2 ", ""};
    for (size_t i = 0; i < 3; i++) {
        ck_assert((file = fopen(path, "w")) && fputs(others[i], file) >= 0);
        fwrite(bytes + 34, 1, size - 34, file);
        fclose(file);
        ck_assert_ptr_null(walk_cache_read(row->build_id));
    }
    unlink(path);
    ck_assert(mkfifo(path, 0600) == 0);
    ck_assert_ptr_null(walk_cache_read(row->build_id));
    ck_assert_ptr_null(walk_cache_read("../../etc/passwd"));
    free(bytes);
    free(copy);
    walk_layout_row_free(row);
    without_cache(folder);
}
END_TEST

START_TEST(a_cache_that_cannot_be_written_or_is_off_is_no_error)
{
    char folder[64];
    struct walk_layout_row *row = walk_layout_row_open(0);
    static const char *const nowhere[] = {"", "/proc/no/such", "relative", "/dev/null"};
    for (size_t i = 0; i < 4; i++) {
        setenv("LIBWALK_CACHE", nowhere[i], 1);
        walk_cache_write(row);
        ck_assert_ptr_null(walk_cache_read(row->build_id));
    }
    with_cache(folder);
    setenv("XDG_CACHE_HOME", folder, 1);
    unsetenv("LIBWALK_CACHE");
    walk_cache_write(row);
    struct walk_layout_row *again = walk_cache_read(row->build_id);
    ck_assert_ptr_nonnull(again);
    walk_layout_row_free(again);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", folder, 1);
    walk_cache_write(row);
    again = walk_cache_read(row->build_id);
    ck_assert_ptr_nonnull(again);
    walk_layout_row_free(again);
    walk_layout_row_free(row);
    without_cache(folder);
}
END_TEST

/* ---- DWARF ---- */

static const char program[] =
    "#include <stddef.h>\n"
    "typedef struct _object { union { long ob_refcnt; int ob_refcnt_split[2]; }; struct _typeobject *ob_type; } "
    "PyObject;\n"
    "typedef struct { PyObject ob_base; long ob_size; } PyVarObject;\n"
    "typedef struct _typeobject { PyVarObject ob_base; const char *tp_name; long tp_basicsize, tp_itemsize; } "
    "PyTypeObject;\n"
    "struct pythreads { int count; void *head; };\n"
    "struct _is { struct _is *next; struct pythreads threads; struct { int pad; struct { PyObject *modules; } imports; "
    "}; "
    "};\n"
    "typedef struct _is PyInterpreterState;\n"
    "typedef struct { PyObject ob_base; long fill, used; long mask; void *table; } PySetObject;\n"
    "typedef struct { PyObject ob_base; long length, hash; struct { unsigned interned : 2, kind : 3, compact : 1; } "
    "state; "
    "} PyASCIIObject;\n"
    "struct _hidden; struct _hidden *only_declared;\n"
    "typedef struct { char first; unsigned flag : 3; PyObject *ma_keys; } PyDictObject;\n"
    "PyTypeObject type; PyInterpreterState interp; PySetObject set; PyASCIIObject ascii; PyVarObject var; PyDictObject "
    "dict;\n"
    "size_t want[] = { offsetof(PyObject, ob_refcnt), offsetof(PyObject, ob_type), offsetof(PyVarObject, ob_size),\n"
    "  offsetof(PyTypeObject, tp_itemsize), offsetof(PyInterpreterState, threads.head),\n"
    "  offsetof(PyInterpreterState, imports.modules), offsetof(PySetObject, table), offsetof(PyASCIIObject, state),\n"
    "  offsetof(PyDictObject, ma_keys) };\n";

/* Compiles C from a string into a shared object; false: there is no compiler. */
static bool compile(const char *text, const char *options, char *path)
{
    char command[512];
    snprintf(path, 64, "/tmp/walk-layout-XXXXXX");
    int file = mkstemp(path);
    ck_assert(file >= 0);
    close(file);
    snprintf(command, sizeof command, "cc -x c -shared -fPIC %s -o %s - 2>/dev/null", options, path);
    FILE *pipe = popen(command, "w");
    ck_assert_ptr_nonnull(pipe);
    fputs(text, pipe);
    return pclose(pipe) == 0;
}

static void check_program(const char *options)
{
    char path[64];
    struct walk_layout layout;
    ck_assert(compile(program, options, path));
    assert_good(walk_layout_from_dwarf(path, NULL, &layout));
    expect_eq(WALK_OFFSET(&layout, object, ob_refcnt), 0); /* in an anonymous union */
    expect_eq(WALK_OFFSET(&layout, object, ob_type), 8);
    expect_eq(WALK_OFFSET(&layout, var_object, ob_size), 16);
    expect_eq(WALK_OFFSET(&layout, type, tp_name), 24);
    expect_eq(WALK_OFFSET(&layout, type, tp_itemsize), 40);
    expect_eq(WALK_OFFSET(&layout, interp, tstate_head), 16); /* threads.head */
    expect_eq(WALK_OFFSET(&layout, interp, modules), 32);     /* imports.modules in an anonymous structure */
    expect_eq(WALK_OFFSET(&layout, set, table), 40);          /* a typedef of a structure without a tag */
    expect_eq(WALK_OFFSET(&layout, ascii, kind), 8 * 32 + 2); /* bit-fields: in bits */
    expect_eq(WALK_OFFSET(&layout, ascii, compact), 8 * 32 + 5);
    expect_eq(WALK_OFFSET(&layout, dict, ma_keys), 8); /* behind a bit-field */
    expect_eq(WALK_SIZE(&layout, type), 48);
    expect_eq(WALK_SIZE(&layout, set), 48);
    ck_assert(!WALK_HAS(&layout, type, tp_flags));
    ck_assert(!WALK_HAS(&layout, interp, sysdict));
    ck_assert(!WALK_HAS(&layout, list, ob_item));
    expect_eq(WALK_SIZE(&layout, list), 0);
    unlink(path);
}

START_TEST(offsets_are_those_of_the_compiler)
{
    check_program("-g -gdwarf-5");
    check_program("-g -gdwarf-4");
    check_program("-g -O2 -gdwarf-4");
}
END_TEST

/* A function has members too: its variables, also where it was inlined. Those of inner blocks do not count. */
START_TEST(a_function_has_its_variables)
{
    static const char head[] = "typedef struct { void *ob_type; } PyTypeObject; typedef struct { int id; } "
                               "PyInterpreterState;\nPyTypeObject type; PyInterpreterState interp; int use(void *);\n"
                               "int PyObject_VisitManagedDict(void *obj) { ";
    static const struct {
        const char *options, *body;
        bool has;
    } cases[] = {
        {"-g", "void *dict = &obj; return use(dict); }", true},
        {"-g -O2",
         "void *dict = *(void **)obj; return use(dict); }\nint call(void *obj) { return "
         "PyObject_VisitManagedDict(obj); }",
         true},
        {"-g", "void *values = &obj; return use(values); }", false},
        {"-g", "if (obj) { void *dict = &obj; return use(dict); } return 0; }", false},
        {"-g", "return use(obj); } int other(void *obj) { void *dict = obj; return use(dict); }", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[64], text[1024];
        struct walk_layout layout;
        snprintf(text, sizeof text, "%s%s\n", head, cases[i].body);
        ck_assert(compile(text, cases[i].options, path));
        assert_good(walk_layout_from_dwarf(path, NULL, &layout));
        ck_assert_msg(WALK_HAS(&layout, visit_managed_dict, dict) == cases[i].has, "%s", cases[i].body);
        unlink(path);
    }
}
END_TEST

/* Two types of one name: the one that has more of the members is meant. */
START_TEST(of_two_types_of_a_name_the_fuller_one_is_taken)
{
    static const char two[] =
        "typedef struct { void *ob_type; } PyObject; typedef struct { char *tp_name; } PyTypeObject; "
        "typedef struct { void *next; } PyInterpreterState; struct pad;\n"
        "PyObject o; PyTypeObject t; PyInterpreterState i;\n"
        "void f(void) { typedef struct { long tp_name; } PyTypeObject; static PyTypeObject inner; inner.tp_name = 1; "
        "}\n"
        "typedef struct _typeobject { long pad; char *tp_name; long tp_basicsize; } full; full g;\n";
    char path[64];
    struct walk_layout layout;
    ck_assert(compile(two, "-g", path));
    assert_good(walk_layout_from_dwarf(path, NULL, &layout));
    expect_eq(WALK_OFFSET(&layout, type, tp_name), 8);
    expect_eq(WALK_OFFSET(&layout, type, tp_basicsize), 16);
    unlink(path);
}
END_TEST

START_TEST(files_without_the_right_debug_information_are_errors)
{
    char path[64];
    struct walk_layout layout;
    ck_assert(compile("int x;", "-g0", path));
    assert_error(walk_layout_from_dwarf(path, NULL, &layout), WALK_ERROR_LAYOUT, "no debug information");
    unlink(path);
    ck_assert(compile("struct s { int a; } x;", "-g", path));
    assert_error(walk_layout_from_dwarf(path, NULL, &layout), WALK_ERROR_LAYOUT, "does not describe CPython");
    unlink(path);
    assert_error(walk_layout_from_dwarf("/no/such/file", NULL, &layout), WALK_ERROR_LAYOUT, "/no/such/file");
    assert_error(walk_layout_from_dwarf("/etc/passwd", NULL, &layout), WALK_ERROR_LAYOUT, "/etc/passwd");
}
END_TEST

/* ---- the proof: memory that fits, and one thing wrong at a time ---- */

static const unsigned versions[] = {8, 11, 12, 13, 14, 15};
enum { VERSIONS = 6 };
#define NOWHERE UINT64_C(0x7fff00000000)

static struct walk_error *prove(struct world *world)
{
    world->target.runtime.symbols.count = world->symbol_count;
    return walk_layout_prove(&world->target.runtime);
}
#define BEGIN                                                                                                          \
    struct world world;                                                                                                \
    world_init(&world, versions[_i])
#define END world_close(&world)

START_TEST(memory_that_fits_is_proven)
{
    BEGIN;
    assert_good(prove(&world));
    END;
}
END_TEST

START_TEST(a_required_member_that_is_absent_is_named)
{
    static const enum walk_field some[] = {
        WALK_FIELD_interp_next,  WALK_FIELD_interp_sysdict, WALK_FIELD_thread_interp,
        WALK_FIELD_gc_head_prev, WALK_FIELD_object_ob_type, WALK_FIELD_type_tp_base,
        WALK_FIELD_dict_ma_keys, WALK_FIELD_set_mask,       WALK_FIELD_heap_type_ht_qualname};
    BEGIN;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        int32_t old = world.layout->offset[some[i]];
        world.layout->offset[some[i]] = WALK_ABSENT;
        assert_error(prove(&world), WALK_ERROR_LAYOUT, walk_field_table[some[i]].id);
        world.layout->offset[some[i]] = old;
    }
    END;
}
END_TEST

START_TEST(types_that_do_not_fit_are_named)
{
    static const char *const symbols[] = {"PyType_Type",  "PyDict_Type",   "PyList_Type",    "PySet_Type",
                                          "PyFloat_Type", "PyModule_Type", "PyUnicode_Type", "PyBaseObject_Type"};
    BEGIN;
    assert_good(prove(&world));
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        walk_addr type = walk_symbols_find(&world.target.runtime.symbols, symbols[i]);
        ck_assert(type != 0);
        walk_addr size = type + WALK_OFFSET(world.layout, type, tp_basicsize);
        uint64_t old = world_get(&world, size);
        world_put(&world, size, old + 8);
        assert_error(prove(&world), WALK_ERROR_LAYOUT, symbols[i]);
        world_put(&world, size, old);
        PUT(&world, type, object, ob_type, world.none);
        assert_error(prove(&world), WALK_ERROR_LAYOUT, i ? symbols[i] : "the type of type is type");
        PUT(&world, type, object, ob_type, world.type);
    }
    world.target.runtime.type_type = NOWHERE;
    assert_error(prove(&world), WALK_ERROR_UNMAPPED, "PyType_Type");
    END;
}
END_TEST

START_TEST(a_thread_must_point_back_to_its_interpreter)
{
    BEGIN;
    walk_addr thread = world_alloc(&world, WALK_SIZE(world.layout, thread));
    PUT(&world, world.interpreter, interp, tstate_head, thread);
    assert_error(prove(&world), WALK_ERROR_LAYOUT, "point back");
    PUT(&world, thread, thread, interp, world.interpreter);
    assert_good(prove(&world));
    PUT(&world, world.interpreter, interp, tstate_head, NOWHERE);
    assert_error(prove(&world), WALK_ERROR_LAYOUT, "point back");
    END;
}
END_TEST

START_TEST(the_collectors_lists_must_close_unless_it_is_at_work)
{
    BEGIN;
    struct walk_collector collector;
    walk_runtime_collector(&world.target.runtime, world.interpreter, &collector);
    for (int i = 0; i < 3; i++) {
        walk_addr head = collector.generation[i];
        static const walk_addr bad[] = {0, NOWHERE, WORLD_BASE};
        for (size_t b = 0; b < 3; b++) {
            PUT(&world, head, gc_head, prev, bad[b]);
            assert_error(prove(&world), WALK_ERROR_LAYOUT, "lists of the collector close");
        }
        walk_addr state = WALK_HAS(world.layout, interp, gc)
                              ? world.interpreter + WALK_OFFSET(world.layout, interp, gc)
                              : world.target.runtime.runtime + WALK_OFFSET(world.layout, runtime, gc);
        PUT_INT(&world, state, gc, collecting, 1);
        assert_good(prove(&world));
        PUT_INT(&world, state, gc, collecting, 0);
        PUT(&world, head, gc_head, prev, head);
        assert_good(prove(&world));
    }
    END;
}
END_TEST

START_TEST(interpreters_must_be_there_and_must_end)
{
    BEGIN;
    PUT(&world, world.interpreter, interp, next, world.interpreter);
    assert_error(prove(&world), WALK_ERROR_LAYOUT, "and an end");
    PUT(&world, world.interpreter, interp, next, NOWHERE);
    assert_error(prove(&world), WALK_ERROR_LAYOUT, "cannot be read");
    PUT(&world, world.target.runtime.runtime, runtime, interpreters_head, 0);
    assert_error(prove(&world), WALK_ERROR_NO_PYTHON, "no interpreter");
    END;
}
END_TEST

/* ---- the list of invariants ---- */

static enum walk_verdict ask(struct world *world, const char *words)
{
    struct walk_verdicts verdicts;
    world->target.runtime.symbols.count = world->symbol_count;
    walk_runtime_ask_all(&world->target.runtime, &verdicts);
    for (size_t i = 0; i < walk_rule_count; i++)
        if (strcmp(walk_rules[i].words, words) == 0)
            return verdicts.of[i];
    ck_abort_msg("no invariant %s", words);
}

START_TEST(every_invariant_has_words_of_its_own_and_suspects)
{
    for (size_t i = 0; i < walk_rule_count; i++) {
        const struct walk_rule *rule = &walk_rules[i];
        ck_assert(rule->words && *rule->words && rule->check);
        ck_assert(rule->suspects <= sizeof rule->suspect / sizeof *rule->suspect);
        for (size_t j = 0; j < i; j++)
            if (strcmp(rule->words, walk_rules[j].words) == 0)
                ck_abort_msg("twice: %s", rule->words);
    }
}
END_TEST

START_TEST(an_invariant_fails_when_what_it_asks_is_otherwise)
{
    BEGIN;
    walk_addr name = world_str(&world, "f"), code = world_object(&world, world.code, WALK_SIZE(world.layout, code));
    walk_addr globals = world_dict(&world, WORLD_UNICODE, &name, &name, 1);
    walk_addr function = world_object(&world, world.function, WALK_SIZE(world.layout, function));
    PUT(&world, function, function, func_code, code);
    PUT(&world, function, function, func_globals, globals);
    world_track(&world, function);
    ck_assert_int_eq(ask(&world, "function.func_code points to code"), WALK_HOLDS);
    ck_assert_int_eq(ask(&world, "function.func_globals points to dict"), WALK_HOLDS);
    ck_assert_int_eq(ask(&world, "generator.gi_name points to unicode"), WALK_UNASKED);
    PUT(&world, function, function, func_code, globals);
    ck_assert_int_eq(ask(&world, "function.func_code points to code"), WALK_FAILS);
    PUT(&world, function, function, func_code, 0);
    ck_assert_int_eq(ask(&world, "function.func_code points to code"), WALK_FAILS);
    PUT(&world, function, function, func_globals, NOWHERE);
    ck_assert_int_eq(ask(&world, "function.func_globals points to dict"), WALK_FAILS);
    ck_assert_int_eq(ask(&world, "an interpreter has a thread"), WALK_FAILS);
    world.layout->offset[WALK_FIELD_function_func_code] = WALK_ABSENT;
    ck_assert_int_eq(ask(&world, "function.func_code points to code"), WALK_UNASKED);
    END;
}
END_TEST

int main(void)
{
    const TTest *const table_tests[] = {every_structure_and_every_field_has_an_id_of_its_own,
                                        names_are_alternatives_of_identifiers, a_cleared_layout_has_nothing,
                                        every_invariant_has_words_of_its_own_and_suspects, NULL};
    const TTest *const row_tests[] = {a_row_tells_offset_zero_from_absent,
                                      what_the_table_has_no_more_is_passed_over,
                                      lines_that_make_no_sense_make_no_row,
                                      members_of_every_row_are_inside_of_their_structures,
                                      every_row_names_one_build_and_its_types_are_sorted,
                                      NULL};
    const TTest *const debug_tests[] = {what_a_build_says_of_itself_is_what_its_row_says,
                                        a_table_that_makes_no_sense_says_nothing,
                                        a_table_in_the_order_of_another_version_is_refused, NULL};
    const TTest *const cache_tests[] = {what_was_remembered_comes_back, a_damaged_memory_is_none,
                                        a_cache_that_cannot_be_written_or_is_off_is_no_error, NULL};
    const TTest *const dwarf_tests[] = {offsets_are_those_of_the_compiler, a_function_has_its_variables,
                                        of_two_types_of_a_name_the_fuller_one_is_taken,
                                        files_without_the_right_debug_information_are_errors, NULL};
    const TTest *const proof_tests[] = {memory_that_fits_is_proven,
                                        a_required_member_that_is_absent_is_named,
                                        types_that_do_not_fit_are_named,
                                        a_thread_must_point_back_to_its_interpreter,
                                        the_collectors_lists_must_close_unless_it_is_at_work,
                                        interpreters_must_be_there_and_must_end,
                                        an_invariant_fails_when_what_it_asks_is_otherwise,
                                        NULL};
    const struct unit_group groups[] = {
        {"table", table_tests, 0}, {"rows", row_tests, 0},    {"_Py_DebugOffsets", debug_tests, 0},
        {"cache", cache_tests, 0}, {"DWARF", dwarf_tests, 0}, {"proof", proof_tests, VERSIONS}};
    return unit_run("layout", groups, sizeof groups / sizeof *groups);
}
