/* SPDX-License-Identifier: Apache-2.0 */
/* The table of members, the rows made from DWARF, and DWARF itself: of a file that the test compiles. */
#include <string.h>
#include <unistd.h>

#include "layout/layout.h"
#include "unit.h"

/* ---- the table ---- */

START_TEST(every_member_and_structure_has_a_name_of_its_own)
{
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(walk_field_table[i].id, walk_field_table[j].id);
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(walk_struct_table[i].id, walk_struct_table[j].id);
}
END_TEST

START_TEST(a_cleared_layout_has_nothing)
{
    static struct walk_layout layout;
    memset(&layout, 0x55, sizeof layout);
    walk_layout_clear(&layout);
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        expect_eq(layout.offset[i], WALK_ABSENT);
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        expect_eq(layout.size[i], 0);
}
END_TEST

/* ---- rows ---- */

START_TEST(every_row_is_of_one_build_and_describes_its_basic_structures)
{
    static struct walk_layout layout;
    expect(walk_layout_row_count > 0);
    for (size_t i = 0; i < walk_layout_row_count; i++) {
        const struct walk_layout_row *row = &walk_layout_rows[i];
        expect_eq(strlen(row->build_id), 40);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(row->build_id, walk_layout_rows[j].build_id);
        walk_layout_from_row(row, &layout);
        expect_eq(WALK_SIZE(&layout, object), 2 * (uint32_t)row->pointer);
        expect_eq(WALK_OFFSET(&layout, object, ob_type), row->pointer);
        expect(WALK_SIZE(&layout, type) && WALK_SIZE(&layout, interp) && WALK_SIZE(&layout, gc_head));
        expect(WALK_HAS(&layout, dict_keys, dk_lookup) != WALK_HAS(&layout, dict_keys, dk_kind));
        expect(WALK_HAS(&layout, thread, frame) != WALK_HAS(&layout, iframe, localsplus));
    }
}
END_TEST

START_TEST(no_member_of_a_row_stands_outside_of_its_structure)
{
    static struct walk_layout layout;
    for (size_t i = 0; i < walk_layout_row_count; i++) {
        walk_layout_from_row(&walk_layout_rows[i], &layout);
        for (size_t f = 0; f < WALK_FIELD_COUNT; f++) {
            uint32_t size = layout.size[walk_field_table[f].structure];
            if (layout.offset[f] != WALK_ABSENT)
                /* A flexible array begins at the end. */
                ck_assert_msg((uint32_t)layout.offset[f] <= size, "%s: %s at %d of %u", walk_layout_rows[i].name,
                              walk_field_table[f].id, layout.offset[f], size);
        }
    }
}
END_TEST

START_TEST(the_types_of_a_row_are_sorted_and_named_once)
{
    for (size_t i = 0; i < walk_layout_row_count; i++) {
        const struct walk_layout_row *row = &walk_layout_rows[i];
        expect(row->type_count > 100);
        for (size_t t = 1; t < row->type_count; t++)
            expect(row->types[t].offset > row->types[t - 1].offset);
        for (size_t t = 0; t < row->type_count; t++)
            ck_assert_msg(*row->types[t].name && !strchr(row->types[t].name, '@'), "%s", row->types[t].name);
    }
}
END_TEST

/* ---- DWARF ---- */

/* What a build might look like: members in unnamed unions, behind typedefs, bit fields, and names that changed. */
static const char source[] =
    "typedef struct _object { union { long ob_refcnt; int half[2]; }; void *ob_type; } PyObject;\n"
    "typedef struct { PyObject ob_base; long ob_size; } PyVarObject;\n"
    "struct declared_only;\n"
    "typedef struct _typeobject { PyVarObject ob_base; const char *tp_name; long gap[16];\n"
    "  struct declared_only *tp_base; } PyTypeObject;\n"
    "struct threads { void *unused, *head; };\n"
    "typedef struct _is { struct _is *next; struct threads threads;\n"
    "  struct { int a; struct { void *search_path; } inner; } other; } PyInterpreterState;\n"
    "typedef struct _heaptypeobject { PyTypeObject ht_type; void *ht_name; } PyHeapTypeObject;\n"
    "struct _longobject { PyVarObject ob_base; unsigned ob_digit[1]; };\n"
    "typedef struct _longobject PyLongObject;\n"
    "PyInterpreterState interp; PyHeapTypeObject heap; PyLongObject number;\n";

static void compile(char *path)
{
    char text[512], command[1200];
    snprintf(text, sizeof text, "%s.c", path);
    FILE *file = fopen(text, "w");
    ck_assert_ptr_nonnull(file);
    fputs(source, file);
    fclose(file);
    snprintf(command, sizeof command, "cc -g -shared -fPIC -o '%s' '%s'", path, text);
    expect_eq(system(command), 0);
    unlink(text);
}

START_TEST(members_are_found_through_unions_typedefs_and_former_names)
{
    static struct walk_layout layout;
    char path[] = "/tmp/test_layout.XXXXXX";
    int fd = mkstemp(path);
    expect(fd >= 0);
    close(fd);
    compile(path);
    assert_good(walk_layout_from_dwarf(path, NULL, &layout));
    unlink(path);
    expect_eq(WALK_SIZE(&layout, object), 16);
    expect_eq(WALK_OFFSET(&layout, object, ob_refcnt), 0); /* in an unnamed union */
    expect_eq(WALK_OFFSET(&layout, object, ob_type), 8);
    expect_eq(WALK_OFFSET(&layout, type, tp_name), 24);
    expect_eq(WALK_OFFSET(&layout, type, tp_base), 24 + 8 + 128);
    expect_eq(WALK_OFFSET(&layout, interp, tstate_head), 16); /* threads.head, not tstate_head */
    expect_eq(WALK_OFFSET(&layout, heap_type, ht_name), WALK_SIZE(&layout, type));
    expect_eq(WALK_OFFSET(&layout, int, ob_digit), 24); /* by structure tag, without long_value */
    expect(!WALK_HAS(&layout, type, tp_dict));
    expect(!WALK_HAS(&layout, interp, codec_search_path));
    expect_eq(WALK_SIZE(&layout, dict), 0);
}
END_TEST

START_TEST(a_file_without_debug_information_is_an_error_that_says_so)
{
    static struct walk_layout layout;
    assert_error(walk_layout_from_dwarf("/dev/null", NULL, &layout), WALK_ERROR_LAYOUT, "/dev/null");
}
END_TEST

int main(void)
{
    const TTest *const table[] = {every_member_and_structure_has_a_name_of_its_own, a_cleared_layout_has_nothing, NULL};
    const TTest *const rows[] = {every_row_is_of_one_build_and_describes_its_basic_structures,
                                 no_member_of_a_row_stands_outside_of_its_structure,
                                 the_types_of_a_row_are_sorted_and_named_once, NULL};
    const TTest *const dwarf[] = {members_are_found_through_unions_typedefs_and_former_names,
                                  a_file_without_debug_information_is_an_error_that_says_so, NULL};
    const struct unit_group groups[] = {{"table", table}, {"rows", rows}, {"dwarf", dwarf}};
    return unit_run("layout", groups, sizeof groups / sizeof *groups);
}
