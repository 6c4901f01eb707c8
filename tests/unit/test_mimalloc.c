/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free-threaded: what the collector tracks, found among the blocks of invented heaps, and of damaged ones. Every test
 * runs with the structures of 3.13, and (_i is 1) with those of 3.14.10's mimalloc.
 */
#include "unit.h"
#include "world.h"

/* A slice, a segment of WORLD_SLICES of them, and the heaps with objects. */
#define SLICE UINT64_C(65536)
#define SEGMENT (WORLD_SLICES * SLICE)
#define NOWHERE UINT64_C(0x7fff00000000)
enum { PLAIN = 2, WITH_DICT = 3, HEAPS = 4 };
enum { TRACKED = 1, FROZEN = 8 };

static walk_addr thread;

static uint8_t *member8(struct world *world, walk_addr structure, enum walk_field field)
{
    return world_at(world, structure + (uint32_t)world->layout->offset[field]);
}

static void move(struct walk_layout *layout, enum walk_field from, enum walk_field to)
{
    layout->offset[to] = layout->offset[from];
    layout->offset[from] = WALK_ABSENT;
}

/* Segments that no thread has are told by their members; pages say where their blocks are; queues end the heap. */
static void modernize(struct world *world)
{
    struct walk_layout *layout = world->layout;
    uint32_t page = WALK_SIZE(layout, mi_page), heap = WALK_SIZE(layout, mi_heap);
    uint32_t queues = walk_layout_heap_queues(layout) * WALK_SIZE(layout, mi_queue);
    move(layout, WALK_FIELD_interp_abandoned, WALK_FIELD_interp_subproc);
    layout->offset[WALK_FIELD_interp_abandoned_visited] = WALK_ABSENT;
    move(layout, WALK_FIELD_mi_segment_abandoned_next, WALK_FIELD_mi_segment_subproc);
    layout->offset[WALK_FIELD_mi_page_xblock_size] = WALK_ABSENT;
    layout->offset[WALK_FIELD_mi_page_block_size] = (int32_t)page;
    layout->offset[WALK_FIELD_mi_page_page_start] = (int32_t)page + 8;
    layout->size[WALK_STRUCT_mi_page] = page + 16;
    layout->size[WALK_STRUCT_mi_segment] += (WORLD_SLICES + 1) * 16;
    layout->offset[WALK_FIELD_mi_heap_delayed_free] = 8;
    layout->offset[WALK_FIELD_mi_heap_pages] = (int32_t)heap;
    layout->size[WALK_STRUCT_mi_heap] = heap + queues;
    layout->size[WALK_STRUCT_thread_impl] += HEAPS * queues;
    layout->offset[WALK_FIELD_thread_impl_tld] += (int32_t)(HEAPS * queues);
    layout->offset[WALK_FIELD_thread_impl_initialized] += (int32_t)(HEAPS * queues);
}

static void begin(struct world *world, bool modern)
{
    world_init_free_threaded(world);
    if (modern)
        modernize(world);
    thread = world_alloc(world, WALK_SIZE(world->layout, thread_impl));
    PUT(world, thread, thread, interp, world->interpreter);
    PUT(world, world->interpreter, interp, tstate_head, thread);
    PUT_INT(world, thread, thread_impl, initialized, 1);
    for (unsigned i = 0; i < HEAPS; i++) {
        walk_addr heap =
            thread + WALK_OFFSET(world->layout, thread_impl, heaps) + i * WALK_SIZE(world->layout, mi_heap);
        *member8(world, heap, WALK_FIELD_mi_heap_tag) = (uint8_t)i;
        PUT(world, heap, mi_heap, tld, thread + WALK_OFFSET(world->layout, thread_impl, tld));
    }
}
#define BEGIN                                                                                                          \
    struct world world;                                                                                                \
    begin(&world, _i)
#define OPEN assert_good(world_open(&world))
#define END world_close(&world)

static walk_addr queue_of(struct world *world, unsigned heap, unsigned queue)
{
    const struct walk_layout *layout = world->layout;
    return thread + WALK_OFFSET(layout, thread_impl, heaps) + heap * WALK_SIZE(layout, mi_heap) +
           WALK_OFFSET(layout, mi_heap, pages) + queue * WALK_SIZE(layout, mi_queue);
}

static void put_block_size(struct world *world, walk_addr page, uint32_t size)
{
    if (WALK_HAS(world->layout, mi_page, block_size))
        PUT(world, page, mi_page, block_size, size);
    else
        PUT_INT(world, page, mi_page, xblock_size, size);
}

static walk_addr make_segment(struct world *world)
{
    world->next = (world->next + SEGMENT) & ~(SEGMENT - 1);
    walk_addr segment = world->next;
    world->next += SEGMENT;
    PUT(world, segment, mi_segment, slice_entries, WORLD_SLICES);
    /* The first slice is the segment's own. */
    walk_addr slices = segment + WALK_OFFSET(world->layout, mi_segment, slices);
    for (unsigned i = 0; i < WORLD_SLICES; i++)
        PUT_INT(world, slices + i * WALK_SIZE(world->layout, mi_page), mi_page, slice_count, 1);
    put_block_size(world, slices, 1);
    PUT(world, segment, mi_segment, thread_id, 0x1000);
    return segment;
}

static bool is_modern(const struct world *world) { return WALK_HAS(world->layout, interp, subproc); }

#define SUBPROC WORLD_BASE
/* Segments that no thread has; `second` goes to the second list where there are two. */
static void abandon(struct world *world, walk_addr first, walk_addr second)
{
    const walk_addr segments[] = {first, second};
    if (!is_modern(world)) {
        PUT(world, world->interpreter, interp, abandoned, first | 0xfff); /* with a counter */
        PUT(world, world->interpreter, interp, abandoned_visited, second);
        return;
    }
    PUT(world, world->interpreter, interp, subproc, SUBPROC);
    for (int i = 0; i < 2; i++)
        if (segments[i]) {
            PUT(world, segments[i], mi_segment, subproc, SUBPROC);
            PUT(world, segments[i], mi_segment, thread_id, 0);
        }
}

static walk_addr page_at(struct world *world, walk_addr segment, unsigned slice)
{
    return segment + WALK_OFFSET(world->layout, mi_segment, slices) + slice * WALK_SIZE(world->layout, mi_page);
}

static walk_addr first_block(walk_addr segment, unsigned slice, uint32_t size)
{
    return segment + slice * SLICE + (size <= 64 ? 3 * size : size <= 512 ? size : 0);
}

/* A page of one slice with blocks of `size` bytes, on no queue. */
static walk_addr make_page(struct world *world, walk_addr segment, unsigned slice, unsigned heap, uint32_t size,
                           uint16_t capacity)
{
    walk_addr page = page_at(world, segment, slice);
    put_block_size(world, page, size);
    if (WALK_HAS(world->layout, mi_page, page_start))
        PUT(world, page, mi_page, page_start, first_block(segment, slice, size));
    memcpy(member8(world, page, WALK_FIELD_mi_page_capacity), &capacity, sizeof capacity);
    *member8(world, page, WALK_FIELD_mi_page_debug_offset) =
        (uint8_t)(WALK_OFFSET(world->layout, object, ob_type) + (heap == WITH_DICT ? 16 : 0));
    uint32_t bit = WALK_OFFSET(world->layout, mi_page, tag);
    *world_at(world, page + bit / 8) |= (uint8_t)(heap << bit % 8);
    return page;
}

static void enqueue(struct world *world, unsigned heap, walk_addr page)
{
    walk_addr queue = queue_of(world, heap, 5);
    PUT(world, page, mi_page, next, world_get(world, queue + WALK_OFFSET(world->layout, mi_queue, first)));
    PUT(world, queue, mi_queue, first, page);
}

static void make_object(struct world *world, walk_addr object, uint8_t bits)
{
    PUT_INT(world, object, object, ob_ref_local, 1);
    PUT(world, object, object, ob_type, world->list);
    *member8(world, object, WALK_FIELD_object_ob_gc_bits) = bits;
}

/* `count` tracked objects on a page of the plain heap; the address of the first. */
static walk_addr make_objects(struct world *world, walk_addr segment, unsigned slice, uint32_t size, uint16_t count,
                              walk_addr *page)
{
    *page = make_page(world, segment, slice, PLAIN, size, count);
    walk_addr first = first_block(segment, slice, size);
    for (unsigned i = 0; i < count; i++)
        make_object(world, first + i * size, TRACKED);
    return first;
}

static void check_tracked(struct world *world, const walk_addr *expected, size_t count)
{
    const struct walk_python *python = world_python(world);
    expect_eq(python->tracked_count, count);
    for (size_t i = 0; i < count; i++)
        expect_eq(python->tracked[i], expected[i]);
}

/* ---- what is found ---- */

START_TEST(tracked_blocks_are_found_and_others_are_not)
{
    static const uint32_t sizes[] = {48, 64, 80, 512, 640, 4096};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        BEGIN;
        walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, sizes[s], 8, &page);
        enqueue(&world, PLAIN, page);
        make_object(&world, first + 2 * sizes[s], 0);
        make_object(&world, first + 3 * sizes[s], (uint8_t)~TRACKED);
        OPEN;
        const walk_addr expected[] = {first,
                                      first + sizes[s],
                                      first + 4 * (walk_addr)sizes[s],
                                      first + 5 * (walk_addr)sizes[s],
                                      first + 6 * (walk_addr)sizes[s],
                                      first + 7 * (walk_addr)sizes[s]};
        check_tracked(&world, expected, 6);
        expect_eq(world_python(&world)->broken_lists, 0);
        END;
    }
}
END_TEST

START_TEST(objects_with_a_managed_dict_begin_two_words_behind_their_block)
{
    BEGIN;
    walk_addr segment = make_segment(&world), first = first_block(segment, 2, 96) + 16;
    enqueue(&world, WITH_DICT, make_page(&world, segment, 2, WITH_DICT, 96, 2));
    make_object(&world, first, TRACKED);
    make_object(&world, first + 96, TRACKED);
    OPEN;
    const walk_addr expected[] = {first, first + 96};
    check_tracked(&world, expected, 2);
    END;
}
END_TEST

START_TEST(blocks_on_any_list_of_free_ones_are_none)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 64, 9, &page);
    enqueue(&world, PLAIN, page);
    /* What a block held before is still in it, but for its first word. */
    PUT(&world, page, mi_page, free, first + 3 * 64);
    world_put(&world, first + 3 * 64, first);
    world_put(&world, first, 0);
    PUT(&world, page, mi_page, local_free, first + 5 * 64);
    PUT(&world, page, mi_page, thread_free, (first + 7 * 64) | 2);
    world_put(&world, first + 7 * 64, first + 8 * 64);
    OPEN;
    const walk_addr expected[] = {first + 64, first + 2 * 64, first + 4 * 64, first + 6 * 64};
    check_tracked(&world, expected, 4);
    expect_eq(world_python(&world)->broken_lists, 0);
    END;
}
END_TEST

static uint64_t disguise(uint64_t link, uint64_t end, const uint64_t keys[2])
{
    uint64_t value = (link ? link : end) ^ keys[1], rotate = keys[0] % 64;
    return (value << rotate | value >> (64 - rotate)) + keys[0];
}

START_TEST(disguised_links_of_debug_builds_are_followed)
{
    static const uint64_t keys[2] = {0xfedcba9876543211, 0x123456789abcdef0};
    BEGIN;
    /* The structure grows by two words. */
    uint32_t old = WALK_SIZE(world.layout, mi_page);
    world.layout->size[WALK_STRUCT_mi_page] = old + 16;
    world.layout->offset[WALK_FIELD_mi_page_keys] = (int32_t)old;
    world.layout->size[WALK_STRUCT_mi_segment] += (WORLD_SLICES + 1) * 16;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 64, 4, &page);
    enqueue(&world, PLAIN, page);
    world_put(&world, page + old, keys[0]);
    world_put(&world, page + old + 8, keys[1]);
    PUT(&world, page, mi_page, free, first);
    world_put(&world, first, disguise(first + 2 * 64, page, keys));
    world_put(&world, first + 2 * 64, disguise(0, page, keys));
    OPEN;
    const walk_addr expected[] = {first + 64, first + 3 * 64};
    check_tracked(&world, expected, 2);
    expect_eq(world_python(&world)->broken_lists, 0);
    END;
}
END_TEST

START_TEST(frozen_objects_are_the_permanent_generation)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 64, 3, &page);
    enqueue(&world, PLAIN, page);
    make_object(&world, first, TRACKED | FROZEN);
    OPEN;
    const walk_addr expected[] = {first + 64, first + 2 * 64, first};
    check_tracked(&world, expected, 3);
    expect_eq(world_python(&world)->permanent_count, 1);
    END;
}
END_TEST

START_TEST(what_ended_threads_have_left_is_found)
{
    BEGIN;
    walk_addr page, one = make_segment(&world), two = make_segment(&world), three = make_segment(&world);
    walk_addr a = make_objects(&world, one, 1, 64, 1, &page), b = make_objects(&world, two, 3, 128, 1, &page);
    walk_addr c = make_objects(&world, three, 2, 64, 1, &page);
    /* Of a heap without such objects, though it looks like one. */
    make_objects(&world, one, 2, 64, 1, &page);
    make_page(&world, one, 2, 1, 64, 1);
    *member8(&world, page, WALK_FIELD_object_ob_gc_bits) = 0;
    uint32_t bit = WALK_OFFSET(world.layout, mi_page, tag);
    *world_at(&world, page + bit / 8) = (uint8_t)(1u << bit % 8);
    abandon(&world, one, three);
    if (is_modern(&world))
        abandon(&world, two, 0);
    else
        PUT(&world, one, mi_segment, abandoned_next, two);
    /* A segment that a thread has is not looked at, nor one of somebody else. */
    walk_addr four = make_segment(&world), five = make_segment(&world);
    make_objects(&world, four, 1, 64, 1, &page);
    make_objects(&world, five, 1, 64, 1, &page);
    if (is_modern(&world)) {
        PUT(&world, four, mi_segment, subproc, SUBPROC);
        PUT(&world, five, mi_segment, subproc, SUBPROC + 8);
        PUT(&world, five, mi_segment, thread_id, 0);
    }
    OPEN;
    const walk_addr expected[] = {a, b, c};
    check_tracked(&world, expected, 3);
    expect_eq(world_python(&world)->broken_lists, 0);
    END;
}
END_TEST

START_TEST(one_huge_block_needs_not_fit_into_its_slices)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 1 << 20, 1, &page);
    enqueue(&world, PLAIN, page);
    OPEN;
    check_tracked(&world, &first, 1);
    expect_eq(world_python(&world)->broken_lists, 0);
    END;
}
END_TEST

START_TEST(a_thread_that_has_not_begun_has_no_heaps)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world);
    make_objects(&world, segment, 1, 64, 3, &page);
    enqueue(&world, PLAIN, page);
    PUT_INT(&world, thread, thread_impl, initialized, 0);
    assert_error(world_open(&world), WALK_ERROR_LAYOUT, "heap of a thread");
    memset(world_at(&world, thread + WALK_OFFSET(world.layout, thread_impl, heaps)), 0,
           HEAPS * WALK_SIZE(world.layout, mi_heap));
    enqueue(&world, PLAIN, page);
    OPEN;
    check_tracked(&world, NULL, 0);
    END;
}
END_TEST

/* ---- what is damaged ---- */

START_TEST(a_list_of_free_blocks_that_never_ends_or_leads_elsewhere_is_broken)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 64, 8, &page);
    const walk_addr bad[] = {first + 64, first + 1, first + 8 * 64, first - 64, NOWHERE, page};
    enqueue(&world, PLAIN, page);
    PUT(&world, page, mi_page, free, first + 64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        world_put(&world, first + 64, bad[i]);
        OPEN;
        expect_eq(world_python(&world)->broken_lists, 1);
        expect_eq(world_python(&world)->tracked_count, 7);
        walk_python_close(world_python(&world));
    }
    END;
}
END_TEST

START_TEST(a_page_that_cannot_be_one_is_broken_and_holds_nothing)
{
    static const uint32_t sizes[] = {0, 1, 8, 31, 1 << 16, UINT32_MAX};
    BEGIN;
    walk_addr page, segment = make_segment(&world);
    make_objects(&world, segment, 1, 64, 8, &page);
    enqueue(&world, PLAIN, page);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_block_size(&world, page, sizes[i]);
        OPEN;
        expect_eq(world_python(&world)->broken_lists, 1);
        expect_eq(world_python(&world)->tracked_count, 0);
        walk_python_close(world_python(&world));
    }
    put_block_size(&world, page, 64);
    static const uint8_t offsets[] = {0, 23, 25, 64, 255};
    for (size_t i = 0; i < sizeof offsets; i++) {
        *member8(&world, page, WALK_FIELD_mi_page_debug_offset) = offsets[i];
        OPEN;
        expect_eq(world_python(&world)->broken_lists, 1);
        expect_eq(world_python(&world)->tracked_count, 0);
        walk_python_close(world_python(&world));
    }
    /* Not in a segment's array of pages. */
    const walk_addr bad[] = {page + 8, page_at(&world, segment, WORLD_SLICES), segment, NOWHERE, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        PUT(&world, queue_of(&world, PLAIN, 5), mi_queue, first, bad[i]);
        OPEN;
        expect(world_python(&world)->broken_lists >= 1);
        expect_eq(world_python(&world)->tracked_count, 0);
        walk_python_close(world_python(&world));
    }
    END;
}
END_TEST

START_TEST(more_blocks_than_its_slices_have_room_for_are_broken)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world);
    make_objects(&world, segment, 1, 64, 8, &page);
    enqueue(&world, PLAIN, page);
    uint16_t most = (SLICE - 3 * 64) / 64, capacity = most;
    memcpy(member8(&world, page, WALK_FIELD_mi_page_capacity), &capacity, sizeof capacity);
    OPEN;
    expect_eq(world_python(&world)->broken_lists, 0);
    expect_eq(world_python(&world)->tracked_count, 8);
    walk_python_close(world_python(&world));
    for (unsigned more = most + 1u; more <= UINT16_MAX; more += 9973) {
        capacity = (uint16_t)more;
        memcpy(member8(&world, page, WALK_FIELD_mi_page_capacity), &capacity, sizeof capacity);
        OPEN;
        expect_eq(world_python(&world)->broken_lists, 1);
        expect_eq(world_python(&world)->tracked_count, 0);
        walk_python_close(world_python(&world));
    }
    END;
}
END_TEST

START_TEST(queues_and_lists_that_run_in_circles_end)
{
    BEGIN;
    walk_addr a, b, one = make_segment(&world), two = make_segment(&world);
    make_objects(&world, one, 1, 64, 4, &a);
    make_objects(&world, one, 2, 64, 4, &b);
    enqueue(&world, PLAIN, a);
    enqueue(&world, PLAIN, b);
    PUT(&world, a, mi_page, next, b);
    if (!is_modern(&world)) {
        abandon(&world, two, 0);
        PUT(&world, two, mi_segment, abandoned_next, two);
    }
    OPEN;
    expect_eq(world_python(&world)->broken_lists, is_modern(&world) ? 1 : 2);
    expect(world_python(&world)->tracked_count >= 8 && world_python(&world)->tracked_count <= 3 * 8);
    END;
}
END_TEST

/* Every queue of both heaps leads to the same page with as many blocks as fit: no more are visited than memory has. */
START_TEST(pages_that_are_reached_again_and_again_are_rationed)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world);
    make_objects(&world, segment, 1, 64, (SLICE - 3 * 64) / 64, &page);
    uint32_t queues = walk_layout_heap_queues(world.layout);
    for (unsigned heap = PLAIN; heap <= WITH_DICT; heap++)
        for (unsigned i = 0; i < queues; i++)
            PUT(&world, queue_of(&world, heap, i), mi_queue, first, page);
    for (int i = 0; i < 8; i++) {
        walk_addr more = world_alloc(&world, WALK_SIZE(world.layout, thread_impl));
        memcpy(world_at(&world, more), world_at(&world, thread), WALK_SIZE(world.layout, thread_impl));
        PUT(&world, thread, thread, next, more);
    }
    OPEN;
    expect(world_python(&world)->broken_lists > 0);
    expect(world_python(&world)->tracked_count <= WORLD_SIZE / 32 + 1);
    END;
}
END_TEST

START_TEST(slices_of_an_abandoned_segment_that_lead_nowhere_are_broken)
{
    BEGIN;
    walk_addr page, segment = make_segment(&world), first = make_objects(&world, segment, 1, 64, 1, &page);
    abandon(&world, segment, 0);
    PUT_INT(&world, page_at(&world, segment, 2), mi_page, slice_count, 0);
    OPEN;
    check_tracked(&world, &first, 1);
    expect_eq(world_python(&world)->broken_lists, 1);
    walk_python_close(world_python(&world));
    PUT_INT(&world, page_at(&world, segment, 2), mi_page, slice_count, UINT32_MAX);
    PUT(&world, segment, mi_segment, slice_entries, UINT64_MAX);
    OPEN;
    check_tracked(&world, &first, 1);
    expect_eq(world_python(&world)->broken_lists, 1);
    walk_python_close(world_python(&world));
    if (is_modern(&world))
        PUT(&world, world.interpreter, interp, subproc, NOWHERE);
    else
        PUT(&world, world.interpreter, interp, abandoned, NOWHERE);
    OPEN;
    check_tracked(&world, NULL, 0);
    END;
}
END_TEST

/* ---- what is proven ---- */

START_TEST(heaps_must_be_numbered_and_be_their_threads)
{
    BEGIN;
    world.target.runtime.symbols.count = world.symbol_count;
    assert_good(walk_layout_prove(&world.target.runtime));
    for (unsigned i = 0; i < HEAPS; i++) {
        walk_addr heap = thread + WALK_OFFSET(world.layout, thread_impl, heaps) + i * WALK_SIZE(world.layout, mi_heap);
        *member8(&world, heap, WALK_FIELD_mi_heap_tag) ^= 1;
        assert_error(walk_layout_prove(&world.target.runtime), WALK_ERROR_LAYOUT, "heap of a thread");
        *member8(&world, heap, WALK_FIELD_mi_heap_tag) ^= 1;
        PUT(&world, heap, mi_heap, tld, thread);
        assert_error(walk_layout_prove(&world.target.runtime), WALK_ERROR_LAYOUT, "heap of a thread");
        PUT(&world, heap, mi_heap, tld, thread + WALK_OFFSET(world.layout, thread_impl, tld));
    }
    assert_good(walk_layout_prove(&world.target.runtime));
    END;
}
END_TEST

START_TEST(a_layout_without_the_allocator_or_with_an_odd_one_is_refused)
{
    BEGIN;
    const enum walk_field some[] = {is_modern(&world) ? WALK_FIELD_mi_segment_subproc : WALK_FIELD_interp_abandoned,
                                    is_modern(&world) ? WALK_FIELD_mi_page_page_start : WALK_FIELD_mi_page_xblock_size,
                                    WALK_FIELD_mi_heap_pages, WALK_FIELD_mi_page_tag, WALK_FIELD_object_ob_ref_shared};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        int32_t old = world.layout->offset[some[i]];
        world.layout->offset[some[i]] = WALK_ABSENT;
        assert_error(walk_layout_prove(&world.target.runtime), WALK_ERROR_LAYOUT, walk_field_table[some[i]].id);
        world.layout->offset[some[i]] = old;
    }
    world.layout->size[WALK_STRUCT_mi_segment] -= WALK_SIZE(world.layout, mi_page);
    assert_error(walk_layout_prove(&world.target.runtime), WALK_ERROR_LAYOUT, "allocator");
    world.layout->size[WALK_STRUCT_mi_page] = 0;
    assert_error(walk_layout_prove(&world.target.runtime), WALK_ERROR_LAYOUT, "allocator");
    END;
}
END_TEST

int main(void)
{
    const TTest *const found_tests[] = {tracked_blocks_are_found_and_others_are_not,
                                        objects_with_a_managed_dict_begin_two_words_behind_their_block,
                                        blocks_on_any_list_of_free_ones_are_none,
                                        disguised_links_of_debug_builds_are_followed,
                                        frozen_objects_are_the_permanent_generation,
                                        what_ended_threads_have_left_is_found,
                                        one_huge_block_needs_not_fit_into_its_slices,
                                        a_thread_that_has_not_begun_has_no_heaps,
                                        NULL};
    const TTest *const damage_tests[] = {a_list_of_free_blocks_that_never_ends_or_leads_elsewhere_is_broken,
                                         a_page_that_cannot_be_one_is_broken_and_holds_nothing,
                                         more_blocks_than_its_slices_have_room_for_are_broken,
                                         queues_and_lists_that_run_in_circles_end,
                                         pages_that_are_reached_again_and_again_are_rationed,
                                         slices_of_an_abandoned_segment_that_lead_nowhere_are_broken,
                                         NULL};
    const TTest *const proof_tests[] = {heaps_must_be_numbered_and_be_their_threads,
                                        a_layout_without_the_allocator_or_with_an_odd_one_is_refused, NULL};
    const struct unit_group groups[] = {
        {"found", found_tests, 2}, {"damage", damage_tests, 2}, {"proof", proof_tests, 2}};
    return unit_run("mimalloc", groups, sizeof groups / sizeof *groups);
}
