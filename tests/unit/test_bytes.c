/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes/large.h"
#include "bytes/mapping.h"
#include "bytes/pages.h"
#include "bytes/window.h"
#include "bytes/workers.h"
#include "elf_writer.h"
#include "unit.h"

enum { KB = 1024, PAGE = 4096 };

static uint8_t pattern[64 * KB];

static void fill_pattern(void)
{
    struct rng rng = {1};
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)rng_next(&rng);
}

static void add(struct walk_memory *memory, walk_addr start, walk_addr end, enum walk_segment_kind kind, uint8_t *data)
{
    struct walk_segment segment = {.start = start, .end = end, .kind = kind, .data = data};
    assert_good(walk_memory_add(memory, &segment));
}

/* ---- errors ---- */

START_TEST(context_is_put_in_front_and_the_code_stays)
{
    struct walk_error *error = walk_error_new(WALK_ERROR_NOT_SAVED, "page %d", 7);
    error = walk_error_context(error, "keys");
    error = walk_error_context(error, "dict 0x%x", 0x10u);
    ck_assert_str_eq(walk_error_message(error), "dict 0x10: keys: page 7");
    expect_eq(walk_error_code(error), WALK_ERROR_NOT_SAVED);
    walk_error_free(error);
}
END_TEST

START_TEST(context_of_success_is_success) { ck_assert_ptr_null(walk_error_context(NULL, "no %s", "error")); }
END_TEST

START_TEST(out_of_memory_keeps_its_message_through_context_and_free)
{
    struct walk_error *error = walk_error_context(walk_error_no_memory(), "dict");
    ck_assert_str_eq(walk_error_message(error), "out of memory");
    walk_error_free(error);
    expect_eq(walk_error_code(walk_error_no_memory()), WALK_ERROR_MEMORY);
}
END_TEST

/* ---- the list of segments ---- */

START_TEST(empty_memory_has_nothing_and_says_so)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    assert_good(walk_memory_seal(&memory));
    ck_assert_ptr_null(walk_memory_segment(&memory, 0));
    ck_assert_ptr_null(walk_memory_view(&memory, 0, 0));
    expect_eq(walk_memory_available(&memory, 5, 100), 0);
    assert_error(walk_memory_explain(&memory, 0x1234, 8), WALK_ERROR_UNMAPPED, "0x1234 is not mapped");
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_segment_is_found_from_its_first_to_its_last_byte_only)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x1000, 0x2000, WALK_SEGMENT_SAVED, pattern);
    assert_good(walk_memory_seal(&memory));
    ck_assert_ptr_null(walk_memory_segment(&memory, 0xfff));
    ck_assert_ptr_nonnull(walk_memory_segment(&memory, 0x1000));
    ck_assert_ptr_nonnull(walk_memory_segment(&memory, 0x1fff));
    ck_assert_ptr_null(walk_memory_segment(&memory, 0x2000));
    ck_assert_ptr_eq(walk_memory_view(&memory, 0x1ffe, 2), pattern + 0xffe);
    ck_assert_ptr_null(walk_memory_view(&memory, 0x1ffe, 3));
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_view_of_any_size_never_reaches_beyond_its_segment)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x1000, 0x2000, WALK_SEGMENT_SAVED, pattern);
    add(&memory, UINT64_MAX - 0xfff, UINT64_MAX, WALK_SEGMENT_SAVED, pattern + 0x1000);
    assert_good(walk_memory_seal(&memory));
    for (int bits = 0; bits < 64; bits++) {
        size_t size = (size_t)1 << bits;
        expect_eq(walk_memory_view(&memory, 0x1000, size) != NULL, size <= 0x1000);
        expect_eq(walk_memory_view(&memory, 0x1800, size + 1) != NULL, size + 1 <= 0x800);
        expect_eq(walk_memory_view(&memory, UINT64_MAX - 1, size) != NULL, size <= 1);
    }
    ck_assert_ptr_null(walk_memory_view(&memory, 0x1001, SIZE_MAX));
    ck_assert_ptr_null(walk_memory_view(&memory, UINT64_MAX - 8, SIZE_MAX));
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(overlapping_segments_are_an_error_that_names_the_address)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x3000, 0x4000, WALK_SEGMENT_SAVED, pattern);
    add(&memory, 0x1000, 0x3001, WALK_SEGMENT_SAVED, pattern);
    assert_error(walk_memory_seal(&memory), WALK_ERROR_FORMAT, "0x3000");
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(empty_and_inverted_ranges_are_ignored)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x1000, 0x1000, WALK_SEGMENT_SAVED, pattern);
    add(&memory, 0x2000, 0x1000, WALK_SEGMENT_SAVED, pattern);
    assert_good(walk_memory_seal(&memory));
    expect_eq(memory.count, 0);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(neighbours_join_only_when_their_bytes_are_neighbours_too)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x2000, 0x3000, WALK_SEGMENT_SAVED, pattern + 0x1000);
    add(&memory, 0x1000, 0x2000, WALK_SEGMENT_SAVED, pattern);
    add(&memory, 0x3000, 0x4000, WALK_SEGMENT_SAVED, pattern + 0x4000);
    assert_good(walk_memory_seal(&memory));
    expect_eq(memory.count, 2);
    ck_assert_ptr_eq(walk_memory_view(&memory, 0x1ffc, 8), pattern + 0xffc);
    ck_assert_ptr_null(walk_memory_view(&memory, 0x2ffc, 8));
    ck_assert_ptr_eq(walk_memory_view(&memory, 0x3000, 8), pattern + 0x4000);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(neighbours_of_different_protection_do_not_join)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    for (unsigned i = 0; i < 3; i++) {
        struct walk_segment segment = {.start = 0x1000 + i * 0x1000,
                                       .end = 0x2000 + i * 0x1000,
                                       .kind = WALK_SEGMENT_SAVED,
                                       .data = pattern + i * 0x1000,
                                       .flags = i == 1 ? WALK_SEGMENT_EXEC : WALK_SEGMENT_WRITE};
        assert_good(walk_memory_add(&memory, &segment));
    }
    assert_good(walk_memory_seal(&memory));
    expect_eq(memory.count, 3);
    expect_eq(walk_memory_segment(&memory, 0x2fff)->flags, WALK_SEGMENT_EXEC);
    expect_eq(walk_memory_segment(&memory, 0x3000)->flags, WALK_SEGMENT_WRITE);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_saved_and_a_missing_neighbour_do_not_join)
{
    struct walk_memory memory;
    walk_memory_init(&memory, 8);
    add(&memory, 0x1000, 0x2000, WALK_SEGMENT_SAVED, pattern);
    add(&memory, 0x2000, 0x3000, WALK_SEGMENT_NOT_SAVED, NULL);
    assert_good(walk_memory_seal(&memory));
    ck_assert_ptr_null(walk_memory_view(&memory, 0x1fff, 2));
    ck_assert_ptr_null(walk_memory_view(&memory, 0x2000, 1));
    expect_eq(walk_memory_available(&memory, 0x1ff0, 100), 16);
    expect_eq(walk_memory_available(&memory, 0x2000, 100), 0);
    walk_memory_deinit(&memory);
}
END_TEST

/* Random segments, added in random order, against a map of bytes. */
START_TEST(lookups_agree_with_a_map_of_every_byte)
{
    enum { SPACE = 4096, ROUNDS = 50 };
    struct rng rng = {42};
    for (int round = 0; round < ROUNDS; round++) {
        static uint8_t there[SPACE], bytes[SPACE];
        struct walk_segment segments[64];
        size_t count = 0;
        memset(there, 0, sizeof there);
        for (walk_addr at = rng_below(&rng, 60); at < SPACE - 130 && count < 64; at += 1 + rng_below(&rng, 70)) {
            walk_addr end = at + 1 + rng_below(&rng, 120);
            bool saved = rng_below(&rng, 4) != 0;
            segments[count++] = (struct walk_segment){.start = at,
                                                      .end = end,
                                                      .kind = saved ? WALK_SEGMENT_SAVED : WALK_SEGMENT_NOT_SAVED,
                                                      .data = saved ? bytes + at : NULL};
            memset(there + at, saved ? 1 : 2, end - at);
            at = end;
        }
        struct walk_memory memory;
        walk_memory_init(&memory, 8);
        for (size_t left = count; left; left--) {
            size_t pick = rng_below(&rng, left);
            assert_good(walk_memory_add(&memory, &segments[pick]));
            segments[pick] = segments[left - 1];
        }
        assert_good(walk_memory_seal(&memory));
        for (int i = 0; i < 3000; i++) {
            walk_addr at = rng_below(&rng, SPACE);
            size_t size = 1 + rng_below(&rng, 200), run = 0;
            while (run < size && at + run < SPACE && there[at + run] == 1)
                run++;
            const uint8_t *view = walk_memory_view(&memory, at, size);
            ck_assert_ptr_eq(view, run == size ? bytes + at : NULL);
            expect_eq(walk_memory_available(&memory, at, size), run);
            expect_eq(walk_memory_segment(&memory, at) != NULL, there[at] != 0);
            if (run == size)
                continue;
            struct walk_error *error = walk_memory_explain(&memory, at, size);
            expect_eq(walk_error_code(error),
                      at + run < SPACE && there[at + run] == 2 ? WALK_ERROR_NOT_SAVED : WALK_ERROR_UNMAPPED);
            char missing[32];
            snprintf(missing, sizeof missing, "0x%" PRIx64 " ", at + run);
            ck_assert_msg(strstr(walk_error_message(error), missing) != NULL, "%s", walk_error_message(error));
            walk_error_free(error);
        }
        walk_memory_deinit(&memory);
    }
}
END_TEST

START_TEST(words_are_little_endian_and_signs_are_extended)
{
    static const uint8_t bytes[] = {0xfe, 0xff, 0xff, 0xff, 0x01, 0x02, 0x03, 0x84};
    expect_eq(walk_load_word(4, bytes), UINT64_C(0xfffffffe));
    expect_eq(walk_load_sword(4, bytes), -2);
    expect_eq(walk_load_word(8, bytes), UINT64_C(0x84030201fffffffe));
    expect(walk_load_sword(8, bytes) < 0);
    expect_eq(walk_load_u16(bytes), 0xfffe);
}
END_TEST

/* ---- memory that is read when it is needed ---- */

/* Serves [BASE, BASE + size) out of `bytes`, but for the hole. */
struct served {
    walk_addr base, hole, hole_end;
    size_t size, calls, bytes_asked;
    const uint8_t *bytes;
};

static size_t serve(void *context, walk_addr address, void *buffer, size_t size)
{
    struct served *served = context;
    served->calls++;
    served->bytes_asked += size;
    expect(address >= served->base && address + size <= served->base + served->size);
    size_t got = size;
    if (served->hole_end > address && served->hole < address + size)
        got = served->hole > address ? served->hole - address : 0;
    memcpy(buffer, served->bytes + (address - served->base), got);
    return got;
}

static void open_served(struct walk_memory *memory, struct served *served)
{
    walk_memory_init(memory, 8);
    memory->fill = serve;
    memory->fill_context = served;
    add(memory, served->base, served->base + served->size, WALK_SEGMENT_LAZY, NULL);
    assert_good(walk_memory_seal(memory));
    assert_good(walk_memory_reserve(memory));
}

START_TEST(lazy_bytes_are_those_of_the_callback_and_are_read_once)
{
    struct served served = {.base = 0x10000, .size = sizeof pattern, .bytes = pattern};
    struct walk_memory memory;
    fill_pattern();
    open_served(&memory, &served);
    expect_eq(served.calls, 0);
    for (int round = 0; round < 2; round++)
        for (size_t at = 0; at + 16 <= sizeof pattern; at += 1001) {
            const uint8_t *view = walk_memory_view(&memory, served.base + at, 16);
            ck_assert_ptr_nonnull(view);
            ck_assert_mem_eq(view, pattern + at, 16);
        }
    ck_assert_mem_eq(walk_memory_view(&memory, served.base, sizeof pattern), pattern, sizeof pattern);
    expect_eq(served.bytes_asked, sizeof pattern);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_view_stays_where_it_is_while_more_is_read)
{
    struct served served = {.base = 0x10000, .size = sizeof pattern, .bytes = pattern};
    struct walk_memory memory;
    fill_pattern();
    open_served(&memory, &served);
    const uint8_t *first = walk_memory_view(&memory, served.base + 8, 8);
    walk_memory_view(&memory, served.base, sizeof pattern);
    ck_assert_ptr_eq(walk_memory_view(&memory, served.base + 8, 8), first);
    ck_assert_mem_eq(first, pattern + 8, 8);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_hole_costs_only_the_pages_that_it_is_in)
{
    struct served served = {.base = 0x10000,
                            .size = sizeof pattern,
                            .bytes = pattern,
                            .hole = 0x10000 + 5 * PAGE + 100,
                            .hole_end = 0x10000 + 7 * PAGE};
    struct walk_memory memory;
    fill_pattern();
    open_served(&memory, &served);
    ck_assert_ptr_nonnull(walk_memory_view(&memory, served.base, 5 * PAGE));
    ck_assert_ptr_null(walk_memory_view(&memory, served.base, 5 * PAGE + 101));
    ck_assert_ptr_null(walk_memory_view(&memory, served.base + 6 * PAGE, 8));
    const uint8_t *behind = walk_memory_view(&memory, served.base + 7 * PAGE, 9 * PAGE);
    ck_assert_ptr_nonnull(behind);
    ck_assert_mem_eq(behind, pattern + 7 * PAGE, 9 * PAGE);
    expect_eq(walk_memory_available(&memory, served.base + PAGE, sizeof pattern), 4 * PAGE);
    assert_error(walk_memory_explain(&memory, served.base + 6 * PAGE, 8), WALK_ERROR_SYSTEM, "0x16000");
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_failed_page_is_not_asked_for_again)
{
    struct served served = {.base = 0x10000,
                            .size = sizeof pattern,
                            .bytes = pattern,
                            .hole = 0x10000,
                            .hole_end = 0x10000 + sizeof pattern};
    struct walk_memory memory;
    open_served(&memory, &served);
    ck_assert_ptr_null(walk_memory_view(&memory, served.base + 8, 8));
    size_t calls = served.calls;
    ck_assert_ptr_null(walk_memory_view(&memory, served.base + 16, 8));
    expect_eq(served.calls, calls);
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(the_last_page_of_an_odd_mapping_can_be_read)
{
    struct served served = {.base = 0x10000, .size = 2 * PAGE + 123, .bytes = pattern};
    struct walk_memory memory;
    fill_pattern();
    open_served(&memory, &served);
    ck_assert_mem_eq(walk_memory_view(&memory, served.base + 2 * PAGE, 123), pattern + 2 * PAGE, 123);
    ck_assert_ptr_null(walk_memory_view(&memory, served.base + 2 * PAGE, 124));
    walk_memory_deinit(&memory);
}
END_TEST

START_TEST(a_mapping_larger_than_the_address_space_is_not_saved)
{
    struct served served = {.base = 0x10000, .size = SIZE_MAX / 2, .bytes = pattern};
    struct walk_memory memory;
    open_served(&memory, &served);
    ck_assert_ptr_null(walk_memory_view(&memory, served.base, 8));
    expect_eq(served.calls, 0);
    walk_memory_deinit(&memory);
}
END_TEST

/* ---- images served by a callback ---- */

START_TEST(an_image_of_a_reader_copies_its_mappings)
{
    struct served served = {.base = 0x10000, .size = sizeof pattern, .bytes = pattern};
    char path[] = "/no/such/file";
    struct walk_mapping mappings[] = {{0x10000, 0x12000, 0, path}, {0x12000, 0x10000 + sizeof pattern, 0, NULL}};
    struct walk_reader reader = {serve, &served, mappings, 2, 8};
    struct walk_image image;
    fill_pattern();
    assert_good(walk_image_open_reader(&reader, NULL, &image));
    memset(path, 'x', sizeof path - 1);
    memset(mappings, 0, sizeof mappings);
    expect_eq(image.mapping_count, 1);
    ck_assert_str_eq(image.mappings[0].path, "/no/such/file");
    ck_assert_mem_eq(walk_memory_view(&image.memory, 0x11ff0, 32), pattern + 0x1ff0, 32);
    walk_image_close(&image);
}
END_TEST

START_TEST(a_reader_with_odd_pointers_is_unsupported)
{
    struct walk_reader reader = {.read = serve, .word = 3};
    struct walk_image image = {0};
    assert_error(walk_image_open_reader(&reader, NULL, &image), WALK_ERROR_UNSUPPORTED, "3-byte");
}
END_TEST

START_TEST(ways_that_nobody_knows_are_refused_with_those_that_there_are)
{
    struct walk_reader reader = {.read = serve, .word = 8};
    const struct walk_options searched = {.tracked = "window"}, read = {.reading = "lists"}, first = {.first = "types"},
                              known = {.reading = "mapping", .first = "graph"};
    struct walk_image image = {0};
    assert_error(walk_image_open_reader(&reader, &searched, &image), WALK_ERROR_UNSUPPORTED,
                 "by \"lists\", \"sweep\" or \"sublists\"");
    assert_error(walk_image_open_reader(&reader, &read, &image), WALK_ERROR_UNSUPPORTED,
                 "by \"windows\" or by \"mapping\"");
    assert_error(walk_image_open_reader(&reader, &first, &image), WALK_ERROR_UNSUPPORTED, "\"counts\" or \"graph\"");
    assert_good(walk_image_open_reader(&reader, &known, &image));
    expect_eq(image.reading, WALK_READING_MAPPING);
    expect_eq(image.first, WALK_FIRST_GRAPH);
    walk_image_close(&image);
}
END_TEST

/* ---- cores ---- */

static struct walk_error *open_bytes(const uint8_t *bytes, size_t size, struct walk_image *image)
{
    char path[64];
    elf_save(bytes, size, path);
    struct walk_error *error = walk_image_open_core(path, NULL, image);
    unlink(path);
    return error;
}

static const struct elf_load loads[] = {{0x10000, 2 * PAGE, 2 * PAGE, pattern, PF_R | PF_W},
                                        {0x20000, 3 * PAGE, PAGE, pattern + 2 * PAGE, PF_R},
                                        {0x30000, PAGE, 0, NULL, PF_R | PF_X}};
static const struct elf_file_mapping mappings[] = {{0x20000, 0x23000, 0, "/no/such/python3.11"},
                                                   {0x30000, 0x31000, 0x3000, "/no/such/python3.11"}};
static const struct elf_thread threads[] = {{4711, UINT64_C(0x7f0011223344)}, {4712, 5}};

static struct elf_spec core_spec(unsigned word)
{
    fill_pattern();
    return (struct elf_spec){.word = word,
                             .type = ET_CORE,
                             .loads = loads,
                             .load_count = 3,
                             .mappings = mappings,
                             .mapping_count = 2,
                             .threads = threads,
                             .thread_count = 2};
}

static void check_core(unsigned word)
{
    struct elf_spec spec = core_spec(word);
    struct elf_bytes core = elf_write(&spec);
    struct walk_image image;
    assert_good(open_bytes(core.bytes, core.size, &image));
    expect_eq(image.memory.word, word);
    expect(!image.truncated);
    ck_assert_mem_eq(walk_memory_view(&image.memory, 0x10000, 2 * PAGE), pattern, 2 * PAGE);
    ck_assert_mem_eq(walk_memory_view(&image.memory, 0x20000, PAGE), pattern + 2 * PAGE, PAGE);
    ck_assert_ptr_null(walk_memory_view(&image.memory, 0x20ff8, 16));
    assert_error(walk_memory_explain(&image.memory, 0x20ff8, 16), WALK_ERROR_NOT_SAVED, "0x21000");
    assert_error(walk_memory_explain(&image.memory, 0x30008, 8), WALK_ERROR_NOT_SAVED, "0x30008");
    assert_error(walk_memory_explain(&image.memory, 0x40000, 8), WALK_ERROR_UNMAPPED, "0x40000");
    expect_eq(walk_memory_segment(&image.memory, 0x10000)->flags, WALK_SEGMENT_WRITE);
    expect_eq(walk_memory_segment(&image.memory, 0x30000)->flags, WALK_SEGMENT_EXEC);
    expect_eq(image.mapping_count, 2);
    expect_eq(image.mappings[1].offset, 0x3000);
    ck_assert_str_eq(image.mappings[1].path, "/no/such/python3.11");
    expect_eq(image.lwp_count, 2);
    expect_eq(image.lwps[0].tid, 4711);
    expect_eq(image.lwps[0].thread_pointer, word == 8 ? UINT64_C(0x7f0011223344) : 0x11223344);
    expect_eq(image.lwps[1].thread_pointer, 5);
    walk_image_close(&image);
    free(core.bytes);
}

START_TEST(a_core_of_64_bits_is_read_to_the_last_member) { check_core(8); }
END_TEST

START_TEST(a_core_of_32_bits_is_read_to_the_last_member) { check_core(4); }
END_TEST

/* Every length: what is opened says that it is truncated and holds only true bytes. */
START_TEST(a_core_cut_at_any_length_is_refused_or_marked_truncated)
{
    for (unsigned word = 4; word <= 8; word += 4) {
        struct elf_spec spec = core_spec(word);
        struct elf_bytes core = elf_write(&spec);
        size_t opened = 0;
        for (size_t size = 0; size < core.size; size += size < 2500 ? 1 : 97) {
            struct walk_image image;
            struct walk_error *error = open_bytes(core.bytes, size, &image);
            walk_error_free(error);
            if (error)
                continue;
            opened++;
            ck_assert_msg(image.truncated, "cut at %zu of %zu", size, core.size);
            size_t there = walk_memory_available(&image.memory, 0x10000, 2 * PAGE);
            expect(there == 0 || memcmp(walk_memory_view(&image.memory, 0x10000, there), pattern, there) == 0);
            walk_image_close(&image);
        }
        ck_assert_uint_gt(opened, 50);
        free(core.bytes);
    }
}
END_TEST

/* Every byte of headers and notes, with three values each: no crash, and whatever opens has only real bytes. */
START_TEST(a_core_with_any_byte_of_its_head_changed_does_no_harm)
{
    static const uint8_t values[] = {0, 0xff, 0x80};
    for (unsigned word = 4; word <= 8; word += 4) {
        struct elf_spec spec = core_spec(word);
        struct elf_bytes core = elf_write(&spec);
        for (size_t at = 0; at < core.size - 3 * PAGE; at++)
            for (size_t v = 0; v < sizeof values; v++) {
                struct walk_image image;
                uint8_t old = core.bytes[at];
                core.bytes[at] = values[v];
                struct walk_error *error = open_bytes(core.bytes, core.size, &image);
                core.bytes[at] = old;
                walk_error_free(error);
                if (error)
                    continue;
                uint64_t sum = 0;
                for (size_t i = 0; i < image.memory.count; i++) {
                    const struct walk_segment *segment = &image.memory.segments[i];
                    for (walk_addr a = segment->start; segment->kind == WALK_SEGMENT_SAVED && a < segment->end; a++)
                        sum += *walk_memory_view(&image.memory, a, 1);
                }
                expect(sum < UINT64_MAX);
                walk_image_close(&image);
            }
        free(core.bytes);
    }
}
END_TEST

START_TEST(what_is_no_core_is_refused_with_a_reason)
{
    struct walk_image image;
    struct elf_spec spec = core_spec(8);
    spec.type = ET_DYN;
    struct elf_bytes file = elf_write(&spec);
    assert_error(open_bytes(file.bytes, file.size, &image), WALK_ERROR_FORMAT, "not a core");
    free(file.bytes);
    spec = core_spec(8);
    spec.big_endian = true;
    file = elf_write(&spec);
    struct walk_error *error = open_bytes(file.bytes, file.size, &image);
    ck_assert_ptr_nonnull(error);
    walk_error_free(error);
    free(file.bytes);
    static const uint8_t s390x[64] = {0x7f,
                                      'E',
                                      'L',
                                      'F',
                                      ELFCLASS64,
                                      ELFDATA2MSB,
                                      EV_CURRENT,
                                      [17] = ET_CORE,
                                      [19] = EM_S390,
                                      [23] = EV_CURRENT,
                                      [53] = 64,
                                      [55] = 56};
    assert_error(open_bytes(s390x, sizeof s390x, &image), WALK_ERROR_UNSUPPORTED, "big-endian");
    assert_error(open_bytes(NULL, 0, &image), WALK_ERROR_FORMAT, "empty");
    static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_error(open_bytes(gzip, sizeof gzip, &image), WALK_ERROR_FORMAT, "unpacked first");
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    assert_error(open_bytes(zstd, sizeof zstd, &image), WALK_ERROR_FORMAT, "unpacked first");
    assert_error(walk_image_open_core("/tmp", NULL, &image), WALK_ERROR_FORMAT, "not a regular file");
    assert_error(walk_image_open_core("/no/such/core", NULL, &image), WALK_ERROR_SYSTEM, "No such file");
}
END_TEST

START_TEST(a_segment_that_wraps_around_is_refused)
{
    struct walk_image image;
    struct elf_spec spec = core_spec(8);
    struct elf_load load = {UINT64_MAX - 0xfff, 0x2000, PAGE, pattern, PF_R};
    spec.loads = &load;
    spec.load_count = 1;
    struct elf_bytes core = elf_write(&spec);
    assert_error(open_bytes(core.bytes, core.size, &image), WALK_ERROR_FORMAT, "wraps around");
    free(core.bytes);
}
END_TEST

START_TEST(a_note_of_files_with_a_huge_count_is_refused)
{
    struct walk_image image;
    struct elf_spec spec = core_spec(8);
    spec.thread_count = 0;
    struct elf_bytes core = elf_write(&spec);
    static const uint64_t counts[] = {
        3, 4, 20, 100, 1000, UINT64_C(1) << 32, UINT64_C(1) << 61, UINT64_MAX / 24, UINT64_MAX};
    for (size_t i = 1; i < sizeof counts / sizeof *counts; i++) {
        memcpy(core.bytes + core.note_at + 12 + 8, &counts[i], 8);
        assert_error(open_bytes(core.bytes, core.size, &image), WALK_ERROR_FORMAT, "mapped files is damaged");
    }
    free(core.bytes);
}
END_TEST

START_TEST(an_inverted_file_mapping_is_ignored)
{
    struct walk_image image;
    struct elf_spec spec = core_spec(8);
    struct elf_file_mapping some[] = {{0x23000, 0x20000, 0, "/a"}, {0x20000, 0x23000, 0, "/b"}};
    spec.mappings = some;
    struct elf_bytes core = elf_write(&spec);
    assert_good(open_bytes(core.bytes, core.size, &image));
    expect_eq(image.mapping_count, 1);
    ck_assert_str_eq(image.mappings[0].path, "/b");
    walk_image_close(&image);
    free(core.bytes);
}
END_TEST

/* ---- the files that were mapped ---- */

static const uint8_t this_build[] = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* A shared object of three pages: its head, and two that are not in the core. Returns its path. */
static struct elf_bytes write_module(const uint8_t *build_id, char *path)
{
    struct elf_load load = {0, 2 * PAGE, 2 * PAGE, pattern, PF_R};
    struct elf_spec spec = {
        .word = 8, .type = ET_DYN, .loads = &load, .load_count = 1, .build_id = build_id, .build_id_size = 20};
    struct elf_bytes module = elf_write(&spec);
    module.bytes = realloc(module.bytes, 3 * PAGE);
    memcpy(module.bytes + PAGE, pattern + 8 * PAGE, 2 * PAGE);
    module.size = 3 * PAGE;
    elf_save(module.bytes, module.size, path);
    return module;
}

/* A core that has the module's first page and names the file. */
static struct walk_error *open_with_module(const struct elf_bytes *module, const char *path, struct walk_image *image)
{
    struct elf_load load = {0x50000, 3 * PAGE, PAGE, module->bytes, PF_R};
    struct elf_file_mapping mapping = {0x50000, 0x53000, 0, path};
    struct elf_spec spec = {
        .word = 8, .type = ET_CORE, .loads = &load, .load_count = 1, .mappings = &mapping, .mapping_count = 1};
    struct elf_bytes core = elf_write(&spec);
    struct walk_error *error = open_bytes(core.bytes, core.size, image);
    free(core.bytes);
    return error;
}

START_TEST(pages_that_are_not_saved_come_from_the_file_of_the_same_build)
{
    char path[64];
    struct walk_image image;
    fill_pattern();
    struct elf_bytes module = write_module(this_build, path);
    assert_good(open_with_module(&module, path, &image));
    expect_eq(image.module_count, 1);
    expect_eq(image.modules[0].build_id_size, 20);
    ck_assert_mem_eq(image.modules[0].build_id, this_build, 20);
    ck_assert_str_eq(image.modules[0].file, path);
    ck_assert_mem_eq(walk_memory_view(&image.memory, 0x51000, 2 * PAGE), pattern + 8 * PAGE, 2 * PAGE);
    walk_image_close(&image);
    unlink(path);
    free(module.bytes);
}
END_TEST

START_TEST(a_file_of_another_build_is_never_read)
{
    char path[64], wrong[64];
    struct walk_image image;
    uint8_t other[20];
    fill_pattern();
    memcpy(other, this_build, sizeof other);
    other[19] ^= 1;
    struct elf_bytes module = write_module(this_build, path), impostor = write_module(other, wrong);
    assert_good(open_with_module(&module, wrong, &image));
    ck_assert_ptr_null(image.modules[0].file);
    ck_assert_ptr_nonnull(strstr(image.modules[0].problem, "another build"));
    ck_assert_ptr_nonnull(strstr(image.modules[0].problem, "deadbeef0102030405060708090a0b0c0d0e0f10"));
    ck_assert_ptr_nonnull(strstr(image.modules[0].problem, "deadbeef0102030405060708090a0b0c0d0e0f11"));
    ck_assert_ptr_null(walk_memory_view(&image.memory, 0x51000, 1));
    walk_image_close(&image);
    unlink(path);
    unlink(wrong);
    free(module.bytes);
    free(impostor.bytes);
}
END_TEST

START_TEST(a_file_that_is_shorter_than_its_mapping_backs_only_what_it_has)
{
    char path[64];
    struct walk_image image;
    fill_pattern();
    struct elf_bytes module = write_module(this_build, path);
    expect_eq(truncate(path, 2 * PAGE), 0);
    assert_good(open_with_module(&module, path, &image));
    ck_assert_mem_eq(walk_memory_view(&image.memory, 0x51000, PAGE), pattern + 8 * PAGE, PAGE);
    ck_assert_ptr_null(walk_memory_view(&image.memory, 0x52000, 1));
    walk_image_close(&image);
    unlink(path);
    free(module.bytes);
}
END_TEST

START_TEST(a_missing_file_is_a_problem_that_names_it)
{
    char path[64];
    struct walk_image image;
    fill_pattern();
    struct elf_bytes module = write_module(this_build, path);
    assert_good(open_with_module(&module, "/no/such/libpython3.11.so", &image));
    ck_assert_ptr_null(image.modules[0].file);
    ck_assert_str_eq(image.modules[0].problem, "/no/such/libpython3.11.so was not found");
    walk_image_close(&image);
    unlink(path);
    free(module.bytes);
}
END_TEST

/* A hostile core may name a pipe: opening it would wait for a writer for ever. */
START_TEST(a_pipe_that_the_core_names_is_not_opened)
{
    char path[64], pipe[80];
    struct walk_image image;
    fill_pattern();
    struct elf_bytes module = write_module(this_build, path);
    snprintf(pipe, sizeof pipe, "%s.pipe", path);
    expect_eq(mkfifo(pipe, 0600), 0);
    alarm(10);
    assert_good(open_with_module(&module, pipe, &image));
    ck_assert_ptr_null(image.modules[0].file);
    walk_image_close(&image);
    unlink(pipe);
    unlink(path);
    free(module.bytes);
}
END_TEST

START_TEST(the_head_of_a_mapped_module_may_hold_anything)
{
    char path[64];
    fill_pattern();
    struct elf_bytes module = write_module(this_build, path);
    struct rng rng = {7};
    for (int i = 0; i < 3000; i++) {
        struct walk_image image;
        size_t at = 4 + rng_below(&rng, 300);
        uint8_t old = module.bytes[at];
        module.bytes[at] = (uint8_t)rng_next(&rng);
        struct walk_error *error = open_with_module(&module, path, &image);
        module.bytes[at] = old;
        walk_error_free(error);
        if (!error)
            walk_image_close(&image);
    }
    unlink(path);
    free(module.bytes);
}
END_TEST

/* ---- files that the core does not name ---- */

/* The executable at 0x400000, a library at 0x50000000, and between them what the dynamic linker has written. */
enum { EXE = 0x400000, LIBRARY = 0x50000000, HEAP = 0x10000000, DYNAMIC_AT = 0x80, R_DEBUG = 0x100, LINKS = 0x200 };

struct linked {
    unsigned word, machine;
    char paths[2][64];
    struct elf_bytes files[2];
    uint8_t data[2][PAGE], heap[PAGE]; /* as they are in memory */
};

static void put_words(uint8_t *at, unsigned word, const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(at + i * word, &values[i], word);
}

/* Two pages of text and headers, then one of data that begins with the dynamic section. */
static void write_linked(struct linked *linked, int which)
{
    unsigned word = linked->word;
    walk_addr base = which ? 0 : EXE;
    const struct elf_load parts[] = {{base, 2 * PAGE, 2 * PAGE, NULL, PF_R | PF_X},
                                     {base + 2 * PAGE, PAGE, PAGE, NULL, PF_R | PF_W}};
    const struct elf_load dynamic = {base + 2 * PAGE + DYNAMIC_AT, 10 * word, 10 * word, NULL, PF_R | PF_W};
    const struct elf_spec spec = {.word = word,
                                  .type = which ? ET_DYN : ET_EXEC,
                                  .machine = linked->machine,
                                  .loads = parts,
                                  .load_count = 2,
                                  .offsets = (const uint64_t[]){0, 2 * PAGE},
                                  .dynamic = &dynamic,
                                  .dynamic_offset = 2 * PAGE + DYNAMIC_AT};
    struct elf_bytes *file = &linked->files[which];
    *file = elf_write(&spec);
    size_t head = file->size;
    file->bytes = realloc(file->bytes, 3 * PAGE);
    memcpy(file->bytes + head, pattern + which, 3 * PAGE - head);
    memcpy(file->bytes + PAGE + 16, "libunit.so.1", 13);
    const uint64_t entries[] = {DT_STRTAB, PAGE, DT_STRSZ, 100, DT_SONAME, 16, DT_DEBUG, 0, DT_NULL, 0};
    put_words(file->bytes + 2 * PAGE + DYNAMIC_AT, word, entries, 10);
    file->size = 3 * PAGE;
    elf_save(file->bytes, file->size, linked->paths[which]);
    memcpy(linked->data[which], file->bytes + 2 * PAGE, PAGE);
}

static void init_linked(struct linked *linked, unsigned word, unsigned machine)
{
    *linked = (struct linked){.word = word, .machine = machine};
    fill_pattern();
    write_linked(linked, 0);
    write_linked(linked, 1);
    /* As in memory: DT_DEBUG of the executable, and the addresses of the library, moved. */
    put_words(linked->data[0] + DYNAMIC_AT + 7 * word, word, (const uint64_t[]){HEAP + R_DEBUG}, 1);
    put_words(linked->data[1] + DYNAMIC_AT + word, word, (const uint64_t[]){LIBRARY + PAGE}, 1);
    memcpy(linked->heap, linked->paths[0], 64);
    memcpy(linked->heap + 64, linked->paths[1], 64);
    put_words(linked->heap + R_DEBUG, word, (const uint64_t[]){1, HEAP + LINKS}, 2);
    put_words(linked->heap + LINKS, word, (const uint64_t[]){0, HEAP + 63, EXE, HEAP + LINKS + 64, 0}, 5);
    put_words(linked->heap + LINKS + 64, word,
              (const uint64_t[]){LIBRARY, HEAP + 64, LIBRARY, HEAP + LINKS, HEAP + LINKS}, 5);
}

static void free_linked(struct linked *linked)
{
    for (int i = 0; i < 2; i++) {
        unlink(linked->paths[i]);
        free(linked->files[i].bytes);
    }
}

/* `text`: which of the two have their first page in the core. */
static struct elf_bytes write_linked_core(const struct linked *linked, unsigned text)
{
    const struct elf_load parts[] = {
        {EXE, 2 * PAGE, text & 1 ? PAGE : 0, linked->files[0].bytes, PF_R | PF_X},
        {EXE + 2 * PAGE, PAGE, PAGE, linked->data[0], PF_R | PF_W},
        {HEAP, PAGE, PAGE, linked->heap, PF_R | PF_W},
        {LIBRARY, 2 * PAGE, text & 2 ? PAGE : 0, linked->files[1].bytes, PF_R | PF_X},
        {LIBRARY + 2 * PAGE, PAGE, PAGE, linked->data[1], PF_R | PF_W},
    };
    const uint64_t auxv[][2] = {{AT_PHDR, EXE + 64}, {AT_EXECFN, HEAP}, {AT_NULL, 0}};
    const struct elf_spec spec = {.word = linked->word,
                                  .type = ET_CORE,
                                  .machine = linked->machine,
                                  .loads = parts,
                                  .load_count = 5,
                                  .auxv = auxv,
                                  .auxv_count = 3};
    return elf_write(&spec);
}

static struct walk_error *open_linked(const struct linked *linked, unsigned text, struct walk_image *image)
{
    struct elf_bytes core = write_linked_core(linked, text);
    struct walk_error *error = open_bytes(core.bytes, core.size, image);
    free(core.bytes);
    return error;
}

START_TEST(files_that_the_core_does_not_name_are_on_the_list_of_the_dynamic_linker)
{
    struct linked linked;
    struct walk_image image;
    for (unsigned word = 4; word <= 8; word += 4)
        for (unsigned text = 0; text < 4; text++) {
            init_linked(&linked, word, word == 8 ? EM_AARCH64 : 0);
            assert_good(open_linked(&linked, text, &image));
            expect_eq(image.module_count, 2);
            for (int i = 0; i < 2; i++) {
                walk_addr base = i ? LIBRARY : EXE;
                ck_assert_str_eq(image.modules[i].path, linked.paths[i]);
                ck_assert_str_eq(image.modules[i].file, linked.paths[i]);
                expect_eq(image.modules[i].start, base);
                expect_eq(image.modules[i].end, base + 3 * PAGE);
                ck_assert_mem_eq(walk_memory_view(&image.memory, base + PAGE, PAGE), linked.files[i].bytes + PAGE,
                                 PAGE);
                ck_assert_mem_eq(walk_memory_view(&image.memory, base + 2 * PAGE, PAGE), linked.data[i], PAGE);
            }
            walk_image_close(&image);
            free_linked(&linked);
        }
}
END_TEST

START_TEST(without_a_build_id_the_dynamic_section_tells_another_build)
{
    struct linked linked;
    struct walk_image image;
    init_linked(&linked, 8, EM_AARCH64);
    linked.data[1][DYNAMIC_AT + 24]++; /* DT_STRSZ */
    assert_good(open_linked(&linked, 0, &image));
    expect_eq(image.module_count, 2);
    ck_assert_str_eq(image.modules[0].file, linked.paths[0]);
    ck_assert_ptr_null(image.modules[1].file);
    ck_assert_ptr_nonnull(strstr(image.modules[1].problem, "its dynamic section is not the one in memory"));
    ck_assert_ptr_null(walk_memory_view(&image.memory, LIBRARY + PAGE, 1));
    walk_image_close(&image);
    free_linked(&linked);
}
END_TEST

START_TEST(a_file_of_another_machine_is_refused)
{
    struct linked linked;
    struct walk_image image;
    init_linked(&linked, 8, EM_X86_64);
    linked.machine = EM_AARCH64;
    assert_good(open_linked(&linked, 0, &image));
    expect_eq(image.module_count, 1);
    ck_assert_ptr_null(image.modules[0].file);
    ck_assert_ptr_nonnull(strstr(image.modules[0].problem, "for another machine than the target's (x86-64)"));
    walk_image_close(&image);
    free_linked(&linked);
}
END_TEST

START_TEST(files_on_no_list_are_found_by_their_headers_in_memory)
{
    struct linked linked;
    struct walk_image image;
    init_linked(&linked, 8, EM_AARCH64);
    memset(linked.heap + R_DEBUG, 0, 16);
    /* The name is in the page of the text that is not saved, so it is not known, unless it is elsewhere. */
    assert_good(open_linked(&linked, 2, &image));
    expect_eq(image.module_count, 2);
    ck_assert_str_eq(image.modules[1].path, "[ELF file at 0x50000000]");
    expect_eq(image.modules[1].end, LIBRARY + 3 * PAGE);
    walk_image_close(&image);
    memcpy(linked.data[1] + 0x400, "libunit.so.1", 13);
    put_words(linked.data[1] + DYNAMIC_AT + 8, 8, (const uint64_t[]){2 * PAGE + 0x400 - 16}, 1);
    assert_good(open_linked(&linked, 2, &image));
    ck_assert_str_eq(image.modules[1].path, "libunit.so.1");
    walk_image_close(&image);
    free_linked(&linked);
}
END_TEST

/* Every byte that the search follows: notes, dynamic section, list, headers in memory. */
START_TEST(a_list_of_the_dynamic_linker_may_hold_anything)
{
    struct linked linked;
    struct rng rng = {11};
    init_linked(&linked, 8, EM_AARCH64);
    struct elf_bytes core = write_linked_core(&linked, 3);
    for (int i = 0; i < 6000; i++) {
        struct walk_image image;
        size_t first[] = {0,
                          core.size - 5 * PAGE,
                          core.size - 4 * PAGE,
                          core.size - 3 * PAGE,
                          core.size - 2 * PAGE,
                          core.size - PAGE};
        size_t at = first[rng_below(&rng, 6)] + rng_below(&rng, 0x300);
        uint8_t old = core.bytes[at];
        core.bytes[at] = (uint8_t)rng_next(&rng);
        struct walk_error *error = open_bytes(core.bytes, core.size, &image);
        core.bytes[at] = old;
        walk_error_free(error);
        if (!error)
            walk_image_close(&image);
    }
    free(core.bytes);
    free_linked(&linked);
}
END_TEST

/* ---- windows ---- */

enum { WINDOW_PART = 3 << 20 };

/* Two segments that touch but do not join, and one far away. */
static struct elf_bytes write_large_core(uint8_t *bytes)
{
    struct rng rng = {17};
    for (size_t i = 0; i < 2 * WINDOW_PART; i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    const struct elf_load parts[] = {{0x10000000, WINDOW_PART, WINDOW_PART, bytes, PF_R | PF_W},
                                     {0x10000000 + WINDOW_PART, PAGE, PAGE, bytes + WINDOW_PART, PF_R},
                                     {0x50000000, PAGE, PAGE, bytes + WINDOW_PART + PAGE, PF_R | PF_W}};
    struct elf_spec spec = {.word = 8, .type = ET_CORE, .loads = parts, .load_count = 3};
    return elf_write(&spec);
}

static void expect_bytes(struct walk_memory *memory, walk_addr address, const uint8_t *bytes, size_t size)
{
    const uint8_t *view = walk_memory_view(memory, address, size);
    expect(view && memcmp(view, bytes, size) == 0);
}

/* Such a core, and a window on it. */
struct windowed {
    uint8_t *bytes;
    struct elf_bytes core;
    struct walk_image image;
    struct walk_window window;
};

static void open_windowed(struct windowed *w)
{
    w->bytes = malloc(2 * WINDOW_PART);
    w->core = write_large_core(w->bytes);
    assert_good(open_bytes(w->core.bytes, w->core.size, &w->image));
    ck_assert(walk_window_open(&w->window, &w->image, true));
}

static void close_windowed(struct windowed *w)
{
    walk_window_close(&w->window);
    walk_image_close(&w->image);
    free(w->core.bytes);
    free(w->bytes);
}

/* Windows are moved on, over ends of segments and from one to the next; what is seen is what is there. */
START_TEST(through_a_window_the_same_bytes_are_seen)
{
    struct windowed w;
    struct rng rng = {4};
    open_windowed(&w);
    struct walk_memory *memory = &w.image.memory;
    size_t moves = 0;
    for (int round = 0; round < 60; round++) {
        walk_addr first = 0x10000000 + rng_below(&rng, WINDOW_PART), end = 0x10000000 + WINDOW_PART + PAGE;
        const uint8_t *data = NULL;
        walk_window_aim(&w.window, &w.image, first, end - 8, 1 + rng_below(&rng, 200));
        for (walk_addr at = first; at + 8 <= end; at += 1 + rng_below(&rng, 1 << 17)) {
            size_t offset = at - 0x10000000, left = end - at;
            walk_window_follow(&w.window, &w.image, at);
            moves += data != memory->window.data || memory->window.start > at;
            data = memory->window.data;
            if (offset < WINDOW_PART && left - PAGE < 4000) /* no view reaches over the end of a segment */
                left -= PAGE;
            expect_bytes(memory, at, w.bytes + offset, left < 4000 ? left : 4000);
            expect_bytes(memory, 0x50000000, w.bytes + WINDOW_PART + PAGE, PAGE);
        }
        expect(!walk_memory_view(memory, end - 8, 9));
    }
    expect(moves > 40);
    /* Few things far from each other are not worth it, and at addresses where nothing is there is none. */
    walk_window_aim(&w.window, &w.image, 0x10000000, 0x50000000, 3);
    walk_window_follow(&w.window, &w.image, 0x10000000);
    expect_eq(memory->window.size, 0);
    walk_window_aim(&w.window, &w.image, 0x7000, 0x7008, 2);
    walk_window_follow(&w.window, &w.image, 0x7000);
    expect_eq(memory->window.size, 0);
    close_windowed(&w);
}
END_TEST

/* Things near each other need not be in order: the window begins with the first one. */
START_TEST(a_window_has_all_that_it_is_aimed_at_in_any_order)
{
    struct windowed w;
    struct rng rng = {6};
    open_windowed(&w);
    struct walk_memory *memory = &w.image.memory;
    for (int round = 0; round < 20; round++) {
        walk_addr first = 0x10000000 + rng_below(&rng, WINDOW_PART - (1 << 20)), last = first + (1 << 20) - 8;
        walk_window_aim(&w.window, &w.image, first, last, 200);
        for (int i = 0; i < 50; i++) {
            walk_addr at = first + rng_below(&rng, last - first);
            uint8_t copy[16];
            walk_window_follow(&w.window, &w.image, at);
            expect(walk_memory_in_window(memory, at, 8));
            expect(walk_memory_view(memory, at, 8) == memory->window.data + (at - memory->window.start));
            expect_bytes(memory, at, w.bytes + (at - 0x10000000), 8);
            expect(walk_window_peek(&w.image, at, 8, copy) && memcmp(copy, w.bytes + (at - 0x10000000), 8) == 0);
            at = 0x10000000 + rng_below(&rng, WINDOW_PART - sizeof copy);
            expect(walk_window_peek(&w.image, at, sizeof copy, copy) &&
                   memcmp(copy, w.bytes + (at - 0x10000000), sizeof copy) == 0);
            expect(!walk_window_peek(&w.image, 0x50000000 + PAGE - 8, sizeof copy, copy));
            expect(!walk_window_peek(&w.image, 0x20000000, 1, copy));
        }
    }
    close_windowed(&w);
}
END_TEST

/* What is not wanted shows nothing, and the bytes are there all the same. */
START_TEST(a_window_that_is_not_wanted_is_never_moved)
{
    struct windowed w;
    open_windowed(&w);
    walk_window_close(&w.window);
    ck_assert(walk_window_open(&w.window, &w.image, false));
    walk_window_aim(&w.window, &w.image, 0x10000000, 0x10000000 + (1 << 20), 200);
    walk_window_follow(&w.window, &w.image, 0x10000000);
    expect_eq(w.image.memory.window.size, 0);
    expect_bytes(&w.image.memory, 0x10000000, w.bytes, 4000);
    close_windowed(&w);
}
END_TEST

/* ---- mappings ---- */

/* How long it takes to enter them is measured once, and compared each time; what was chosen otherwise stays. */
START_TEST(whether_a_mapping_pays_is_measured_once)
{
    struct windowed w;
    open_windowed(&w);
    (void)walk_mapping_pays(&w.image, 1);
    expect(w.image.core.entering > 0);
    expect(walk_mapping_pays(&w.image, UINT_MAX) || w.image.core.entering > UINT_MAX);
    expect(!walk_mapping_pays(&w.image, 0));
    w.image.core.entering = 2.5;
    expect(walk_mapping_pays(&w.image, 3));
    expect(!walk_mapping_pays(&w.image, 2));
    w.image.core.on_disk = true; /* as it was: what is known of it now holds */
    expect(!walk_mapping_pays(&w.image, 3));
    w.image.core.entering = 0;
    (void)walk_mapping_pays(&w.image, 3);
    expect(!w.image.core.on_disk && w.image.core.entering > 0);
    w.image.reading = WALK_READING_WINDOWS;
    expect(!walk_mapping_pays(&w.image, 3));
    w.image.reading = WALK_READING_MAPPING;
    expect(walk_mapping_pays(&w.image, 2));
    close_windowed(&w);
}
END_TEST

/* How many of the core's pages are in the system's cache. */
static size_t count_cached(const struct walk_image *image)
{
    static unsigned char there[4 * WINDOW_PART / PAGE];
    size_t cached = 0, pages = (image->core.size + PAGE - 1) / PAGE;
    ck_assert(pages <= sizeof there && mincore((void *)(uintptr_t)image->core.data, image->core.size, there) == 0);
    for (size_t i = 0; i < pages; i++)
        cached += there[i] & 1;
    return cached;
}

/* Where the system does not take it out of its cache (a file system in memory), it stays there. */
START_TEST(what_is_on_the_disk_is_fetched_and_then_measured)
{
    struct windowed w;
    open_windowed(&w);
    walk_mapping_fetch(&w.image, w.image.core.data, w.image.core.size);
    ck_assert(madvise((void *)(uintptr_t)w.image.core.data, w.image.core.size, MADV_DONTNEED) == 0);
    ck_assert(fsync(w.image.core.fd) == 0 && posix_fadvise(w.image.core.fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    size_t cached = count_cached(&w.image), page = (size_t)sysconf(_SC_PAGESIZE);
    if (cached < w.image.core.size / PAGE / 2) {
        expect(!walk_mapping_pays(&w.image, UINT_MAX));
        expect(w.image.core.on_disk && !w.image.core.entering);
        for (size_t at = 0; at < w.image.core.size; at += page)
            walk_mapping_fetch(&w.image, w.image.core.data + at, 1);
        expect(count_cached(&w.image) > cached);
    }
    (void)walk_mapping_pays(&w.image, 1);
    expect(!w.image.core.on_disk && w.image.core.entering > 0);
    close_windowed(&w);
}
END_TEST

START_TEST(a_mapping_pays_neither_of_a_small_core_nor_without_one)
{
    static const uint8_t zeros[PAGE];
    const struct elf_load part = {0x10000000, PAGE, PAGE, zeros, PF_R | PF_W};
    struct elf_spec spec = {.word = 8, .type = ET_CORE, .loads = &part, .load_count = 1};
    struct elf_bytes core = elf_write(&spec);
    struct walk_image image;
    assert_good(open_bytes(core.bytes, core.size, &image));
    expect(!walk_mapping_pays(&image, UINT_MAX));
    walk_image_close(&image);
    free(core.bytes);
    struct walk_reader reader = {.read = serve, .word = 8};
    assert_good(walk_image_open_reader(&reader, NULL, &image));
    expect(!walk_mapping_pays(&image, UINT_MAX));
    image.reading = WALK_READING_MAPPING;
    expect(!walk_mapping_pays(&image, UINT_MAX));
    walk_image_close(&image);
}
END_TEST

START_TEST(pieces_of_pages_do_not_overlap_before_and_after_they_are_cleared)
{
    enum { PIECES = 2000 };
    struct walk_pages pages = {0};
    struct rng rng = {9};
    static uint8_t *piece[PIECES];
    static size_t size[PIECES];
    for (size_t round = 0; round < 3; round++, walk_pages_clear(&pages)) {
        for (size_t i = 0; i < PIECES; i++) {
            size[i] = rng_below(&rng, i % 500 ? 5000 : 3 << 20);
            piece[i] = walk_pages_take(&pages, size[i]);
            expect(piece[i] && (uintptr_t)piece[i] % 16 == 0);
            memset(piece[i], (int)(i + round), size[i]);
        }
        for (size_t i = 0; i < PIECES; i++)
            for (size_t at = 0; at < size[i]; at++)
                expect_eq(piece[i][at], (uint8_t)(i + round));
    }
    walk_pages_deinit(&pages);
    ck_assert_ptr_null(walk_pages_take(&pages, SIZE_MAX));
}
END_TEST

/* An array all of whose bytes are `byte`. */
static uint8_t *make_array(struct walk_stock *stock, size_t size, uint8_t byte)
{
    uint8_t *array = walk_large_alloc(stock, size, 1);
    ck_assert(array != NULL);
    return memset(array, byte, size);
}

static void expect_all(const uint8_t *array, size_t size, uint8_t byte)
{
    for (size_t i = 0; i < size; i++)
        expect_eq(array[i], byte);
}

/* What the kernel gives is all zero. */
START_TEST(arrays_are_made_of_what_is_kept_and_of_nothing_else)
{
    enum { SIZE = 9 << 20, LESS = 5 << 20, MORE = 30 << 20, LITTLE = 1 << 10 };
    struct walk_stock *stock = walk_stock_open();
    uint8_t *other = make_array(stock, SIZE, 1);
    walk_large_free(make_array(stock, SIZE, 9));
    walk_stock_keep(stock);
    walk_large_free(make_array(stock, SIZE, 7));
    uint8_t *memory = walk_large_alloc(stock, LESS, 1), *more = walk_large_alloc(stock, MORE, 1);
    expect(WALK_SANITIZED || (memory[0] == 7 && memory[LESS - 1] == 7));
    expect(WALK_SANITIZED || more[0] == 7);
    memset(memory, 2, LESS);
    memset(more, 3, MORE);
    walk_large_free(make_array(stock, LITTLE, 4));
    expect_all(other, SIZE, 1);
    expect_all(memory, LESS, 2);
    expect_all(more, MORE, 3);
    walk_large_free(memory);
    walk_large_free(more);
    walk_stock_let_go(stock);
    memory = walk_large_alloc(stock, LESS, 1);
    if (!WALK_SANITIZED)
        expect_all(memory, LESS, 0);
    walk_stock_keep(stock);
    walk_large_free(memory);
    walk_stock_close(stock);
    expect_all(other, SIZE, 1); /* it outlives the stock */
    walk_large_free(other);
}
END_TEST

enum { FILL_PARTS = 97, FILL_PART = (1 << 18) + 3001 };

struct filled {
    uint8_t *array, *old[FILL_PARTS];
};

static void fill_part(void *context, size_t part, unsigned worker)
{
    struct filled *filled = context;
    size_t from = part * FILL_PART;
    (void)worker;
    expect(walk_large_fill(filled->array, from, from + FILL_PART));
    memset(filled->array + from, (int)part, FILL_PART);
    walk_large_free(filled->old[part]);
}

/* By several, whose parts share pages. */
START_TEST(an_array_is_filled_while_others_are_freed)
{
    struct filled filled;
    struct walk_stock *stock = walk_stock_open();
    walk_stock_keep(stock);
    for (size_t i = 0; i < FILL_PARTS; i++)
        filled.old[i] = make_array(stock, (size_t)(i % 3 + 1) << 20, 0xff);
    filled.array = walk_large_alloc_later(stock, FILL_PARTS, FILL_PART);
    ck_assert(filled.array != NULL);
    expect(walk_large_fill(filled.array, 1, 1));
    walk_workers_run(4, FILL_PARTS, fill_part, &filled);
    for (size_t i = 0; i < FILL_PARTS; i++)
        expect_all(filled.array + i * FILL_PART, FILL_PART, (uint8_t)i);
    expect(WALK_SANITIZED || filled.array[FILL_PARTS * FILL_PART] == 0xff); /* the rest of a page that was another's */
    walk_large_free(filled.array);
    uint8_t *little = walk_large_alloc_later(stock, 1, 1);
    ck_assert(little && walk_large_fill(little, 0, 1));
    walk_large_free(little);
    walk_stock_close(stock);
    walk_stock_keep(NULL);
    walk_stock_let_go(NULL);
    walk_stock_close(NULL);
}
END_TEST

START_TEST(large_memory_is_all_there_and_goes_back)
{
    static const size_t sizes[] = {0, 1, 4096, (256 << 10) - 1, 256 << 10, (2 << 20) + 1, 9 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *memory = walk_large_alloc(NULL, sizes[i], 1), *copy;
        expect(memory && (uintptr_t)memory % 16 == 0);
        memset(memory, 7, sizes[i]);
        copy = walk_large_copy(memory, sizes[i], 1);
        expect(copy && memcmp(copy, memory, sizes[i]) == 0);
        walk_large_free(memory);
        walk_large_free(copy);
    }
    ck_assert_ptr_null(walk_large_alloc(NULL, SIZE_MAX / 4, 8));
    walk_large_free(NULL);
}
END_TEST

int main(void)
{
    const TTest *const error_tests[] = {context_is_put_in_front_and_the_code_stays, context_of_success_is_success,
                                        out_of_memory_keeps_its_message_through_context_and_free, NULL};
    const TTest *const segment_tests[] = {empty_memory_has_nothing_and_says_so,
                                          a_segment_is_found_from_its_first_to_its_last_byte_only,
                                          a_view_of_any_size_never_reaches_beyond_its_segment,
                                          overlapping_segments_are_an_error_that_names_the_address,
                                          empty_and_inverted_ranges_are_ignored,
                                          neighbours_join_only_when_their_bytes_are_neighbours_too,
                                          neighbours_of_different_protection_do_not_join,
                                          a_saved_and_a_missing_neighbour_do_not_join,
                                          lookups_agree_with_a_map_of_every_byte,
                                          words_are_little_endian_and_signs_are_extended,
                                          NULL};
    const TTest *const lazy_tests[] = {lazy_bytes_are_those_of_the_callback_and_are_read_once,
                                       a_view_stays_where_it_is_while_more_is_read,
                                       a_hole_costs_only_the_pages_that_it_is_in,
                                       a_failed_page_is_not_asked_for_again,
                                       the_last_page_of_an_odd_mapping_can_be_read,
                                       a_mapping_larger_than_the_address_space_is_not_saved,
                                       an_image_of_a_reader_copies_its_mappings,
                                       a_reader_with_odd_pointers_is_unsupported,
                                       ways_that_nobody_knows_are_refused_with_those_that_there_are,
                                       NULL};
    const TTest *const core_tests[] = {a_core_of_64_bits_is_read_to_the_last_member,
                                       a_core_of_32_bits_is_read_to_the_last_member,
                                       a_core_cut_at_any_length_is_refused_or_marked_truncated,
                                       a_core_with_any_byte_of_its_head_changed_does_no_harm,
                                       what_is_no_core_is_refused_with_a_reason,
                                       a_segment_that_wraps_around_is_refused,
                                       a_note_of_files_with_a_huge_count_is_refused,
                                       an_inverted_file_mapping_is_ignored,
                                       NULL};
    const TTest *const file_tests[] = {pages_that_are_not_saved_come_from_the_file_of_the_same_build,
                                       a_file_of_another_build_is_never_read,
                                       a_file_that_is_shorter_than_its_mapping_backs_only_what_it_has,
                                       a_missing_file_is_a_problem_that_names_it,
                                       a_pipe_that_the_core_names_is_not_opened,
                                       the_head_of_a_mapped_module_may_hold_anything,
                                       NULL};

    const TTest *const linked_tests[] = {files_that_the_core_does_not_name_are_on_the_list_of_the_dynamic_linker,
                                         without_a_build_id_the_dynamic_section_tells_another_build,
                                         a_file_of_another_machine_is_refused,
                                         files_on_no_list_are_found_by_their_headers_in_memory,
                                         a_list_of_the_dynamic_linker_may_hold_anything,
                                         NULL};

    const TTest *const window_tests[] = {through_a_window_the_same_bytes_are_seen,
                                         a_window_that_is_not_wanted_is_never_moved,
                                         a_window_has_all_that_it_is_aimed_at_in_any_order,
                                         pieces_of_pages_do_not_overlap_before_and_after_they_are_cleared,
                                         arrays_are_made_of_what_is_kept_and_of_nothing_else,
                                         an_array_is_filled_while_others_are_freed,
                                         large_memory_is_all_there_and_goes_back,
                                         NULL};

    const TTest *const mapping_tests[] = {whether_a_mapping_pays_is_measured_once,
                                          what_is_on_the_disk_is_fetched_and_then_measured,
                                          a_mapping_pays_neither_of_a_small_core_nor_without_one, NULL};

    const struct unit_group groups[] = {{"errors", error_tests, 0},       {"segments", segment_tests, 0},
                                        {"lazy segments", lazy_tests, 0}, {"cores", core_tests, 0},
                                        {"mapped files", file_tests, 0},  {"files without a name", linked_tests, 0},
                                        {"windows", window_tests, 0},     {"mappings", mapping_tests, 0}};
    return unit_run("bytes", groups, sizeof groups / sizeof *groups);
}
