/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter in a module's writable data, without symbols. */
#include <string.h>

#include "layout/find.h"
#include "unit.h"

enum { SIZE = 1 << 16, BASE = 0x500000, TYPE = 0x4000, OBJECT = 0x5000, LIST = 0x6000 };

/* A module all of which is writable data. */
struct scene {
    unsigned word, head; /* bytes of a word; words in front of ob_type */
    uint8_t bytes[SIZE];
    struct walk_image image;
    struct walk_module module;
    struct walk_runtime runtime;
};

static void put(struct scene *scene, uint64_t at, uint64_t value) { memcpy(scene->bytes + at, &value, scene->word); }

/* Member `index`, in words behind ob_type. */
static void put_member(struct scene *scene, uint64_t at, unsigned index, uint64_t value)
{
    put(scene, at + (scene->head + index) * scene->word, value);
}

/* PyTypeObject behind ob_type: ob_size, tp_name, tp_basicsize 3, tp_itemsize 4, …, tp_flags 20, …, tp_base 31. */
static void put_type(struct scene *scene, uint64_t at, uint64_t basicsize, uint64_t itemsize, uint64_t flags,
                     uint64_t base)
{
    put_member(scene, at, 0, BASE + TYPE);
    put_member(scene, at, 3, basicsize);
    put_member(scene, at, 4, itemsize);
    put_member(scene, at, 20, flags | 1 << 12);
    put_member(scene, at, 31, base);
}

static void set(struct scene *scene, unsigned word, unsigned head)
{
    memset(scene, 0, sizeof *scene);
    scene->word = word;
    scene->head = head;
    put_type(scene, TYPE, 100 * word, 5 * word, UINT64_C(1) << 31, BASE + OBJECT);
    put_type(scene, OBJECT, (head + 1) * word, 0, 0, 0);
    put_type(scene, LIST, 5 * word, 0, 1 << 25, BASE + OBJECT);
    scene->module = (struct walk_module){.path = "/x/python", .start = BASE, .end = BASE + SIZE};
    scene->image.modules = &scene->module;
    scene->image.module_count = 1;
    walk_memory_init(&scene->image.memory, word);
    struct walk_segment segment = {.start = BASE,
                                   .end = BASE + SIZE,
                                   .data = scene->bytes,
                                   .kind = WALK_SEGMENT_SAVED,
                                   .flags = WALK_SEGMENT_WRITE};
    assert_good(walk_memory_add(&scene->image.memory, &segment));
    assert_good(walk_memory_seal(&scene->image.memory));
    scene->runtime = (struct walk_runtime){.image = &scene->image, .symbols = {.fd = -1}};
}

static void clear(struct scene *scene) { walk_memory_deinit(&scene->image.memory); }

/* ---- PyType_Type ---- */

START_TEST(the_type_of_types_is_found_whatever_its_head)
{
    static struct scene scene;
    set(&scene, _i % 2 ? 4 : 8, 1 + (unsigned)_i / 2);
    walk_runtime_scan_module(&scene.runtime, &scene.module);
    expect(scene.runtime.module == &scene.module);
    expect_eq(scene.runtime.type_type, BASE + TYPE);
    expect_eq(walk_runtime_static_type(&scene.runtime, NULL, "object"), BASE + OBJECT);
    expect_eq(walk_runtime_static_type(&scene.runtime, "PyList_Type", "list"), BASE + LIST);
    expect_eq(walk_runtime_static_type(&scene.runtime, NULL, "tuple"), 0);
    clear(&scene);
}
END_TEST

/* What makes PyType_Type, spoilt one by one. */
START_TEST(what_is_no_type_of_types_is_not_taken_for_it)
{
    static struct scene scene;
    set(&scene, 8, 1);
    switch (_i) {
    case 0: /* it is not its own type */
        put_member(&scene, TYPE, 0, BASE + LIST);
        break;
    case 1: /* no subclass of type */
        put_member(&scene, TYPE, 20, 1 << 12);
        break;
    case 2: /* a class made by Python code: a metaclass of itself */
        put_member(&scene, TYPE, 20, UINT64_C(1) << 31 | 1 << 12 | 1 << 9);
        break;
    case 3: /* too small */
        put_member(&scene, TYPE, 3, 64);
        break;
    case 4: /* slots behind it that are no member definitions */
        put_member(&scene, TYPE, 4, 48);
        break;
    case 5: /* a base outside of all memory */
        put_member(&scene, TYPE, 31, 0x1000);
        break;
    case 6: /* a base that has a base */
        put_member(&scene, OBJECT, 31, BASE + LIST);
        break;
    case 7: /* a base that is no empty object */
        put_member(&scene, OBJECT, 3, 64);
        break;
    default: /* data that is not writable */
        scene.image.memory.segments[0].flags = 0;
    }
    walk_runtime_scan_module(&scene.runtime, &scene.module);
    ck_assert_ptr_null(scene.runtime.module);
    clear(&scene);
}
END_TEST

/* ---- _PyRuntime ---- */

START_TEST(the_cookie_is_the_runtime_if_a_version_follows)
{
    static struct scene scene;
    set(&scene, 8, 1);
    memcpy(scene.bytes + 0x1000, "xdebugpy", 8); /* a copy of the word alone */
    memcpy(scene.bytes + 0x2000, "xdebugpy", 8);
    put(&scene, 0x2008, 0x030d05f0);
    walk_runtime_scan_module(&scene.runtime, &scene.module);
    expect_eq(scene.runtime.runtime, BASE + 0x2000);
    expect(scene.runtime.located);
    clear(&scene);
}
END_TEST

/* An interpreter at `at` with one thread right behind its members. */
static void put_interpreter(struct scene *scene, uint64_t at, uint64_t next)
{
    const struct walk_layout *layout = &scene->runtime.layout;
    put(scene, at + WALK_OFFSET(layout, interp, next), next);
    put(scene, at + WALK_OFFSET(layout, interp, tstate_head), BASE + at + 0x400);
    put(scene, at + 0x400 + WALK_OFFSET(layout, thread, interp), BASE + at);
}

/* CPython 3.11's layout, of a scene that has found its types. */
static void begin(struct scene *scene)
{
    struct walk_layout_row *row;
    bool found = false;
    set(scene, 8, 1);
    walk_runtime_scan_module(&scene->runtime, &scene->module);
    for (size_t i = 0; !found && (row = walk_layout_row_open(i)); i++) {
        found = row->word == 8 && row->version >> 16 == 0x30b;
        scene->runtime.layout = row->layout;
        walk_layout_row_free(row);
    }
    expect(found && !scene->runtime.located);
}

START_TEST(the_list_of_interpreters_is_found_by_its_shape)
{
    static struct scene scene;
    begin(&scene);
    uint64_t at = 0x8000, list = at + WALK_OFFSET(&scene.runtime.layout, runtime, interpreters_head);
    put_interpreter(&scene, 0xa000, BASE + 0xb000);
    put_interpreter(&scene, 0xb000, 0);
    put(&scene, 0x100, BASE + 0xa000); /* no main behind it */
    put(&scene, 0x200, BASE + 0xa000); /* nor here, but the newest again */
    put(&scene, 0x208, BASE + 0xa000);
    put(&scene, 0x210, 2);
    put(&scene, 0x300, BASE + 0xa000); /* no number behind them */
    put(&scene, 0x308, BASE + 0xb000);
    put(&scene, list, BASE + 0xa000);
    put(&scene, list + 8, BASE + 0xb000);
    put(&scene, list + 16, 2);
    walk_runtime_locate(&scene.runtime);
    expect_eq(scene.runtime.runtime, BASE + at);
    clear(&scene);
}
END_TEST

START_TEST(interpreters_whose_threads_do_not_point_back_are_none)
{
    static struct scene scene;
    begin(&scene);
    put_interpreter(&scene, 0xa000, 0);
    put(&scene, 0xa400 + WALK_OFFSET(&scene.runtime.layout, thread, interp), BASE + 0xb000);
    put(&scene, 0x300, BASE + 0xa000);
    put(&scene, 0x308, BASE + 0xa000);
    put(&scene, 0x310, 1);
    walk_runtime_locate(&scene.runtime);
    expect_eq(scene.runtime.runtime, 0);
    clear(&scene);
}
END_TEST

/* Each word begins a circle of interpreters: every one would be followed to the bound. */
START_TEST(circles_of_interpreters_end)
{
    static struct scene scene;
    begin(&scene);
    put_interpreter(&scene, 0xa000, BASE + 0xa000);
    for (uint64_t at = 0; at < 0x4000; at += 8)
        put(&scene, at, BASE + 0xa000);
    for (uint64_t at = 0xc000; at < SIZE; at += 8)
        put(&scene, at, BASE + 0xa000);
    walk_runtime_locate(&scene.runtime);
    expect_eq(scene.runtime.runtime, 0);
    clear(&scene);
}
END_TEST

int main(void)
{
    const TTest *const types[] = {the_type_of_types_is_found_whatever_its_head, NULL};
    const TTest *const spoilt[] = {what_is_no_type_of_types_is_not_taken_for_it, NULL};
    const TTest *const states[] = {
        the_cookie_is_the_runtime_if_a_version_follows, the_list_of_interpreters_is_found_by_its_shape,
        interpreters_whose_threads_do_not_point_back_are_none, circles_of_interpreters_end, NULL};
    const struct unit_group groups[] = {
        {"PyType_Type", types, 8}, {"what is not PyType_Type", spoilt, 9}, {"_PyRuntime", states, 0}};
    return unit_run("scan", groups, sizeof groups / sizeof *groups);
}
