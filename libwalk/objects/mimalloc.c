/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free-threaded builds: the collector keeps no lists. It asks the allocator for the blocks of two of each thread's
 * heaps, and for those that ended threads have left (Python/gc_free_threading.c, gc_visit_heaps_lock_held();
 * Objects/mimalloc/). An object says itself whether it is tracked, so a collection under way hides none.
 *
 * A heap has queues of pages. A page is one or more slices of a segment, cut into blocks of one size; what describes it
 * is in an array at the segment's begin.
 */
#include "objects/header.h"
#include "objects/ring.h"
#include "objects/tracked.h"

/* enum _Py_mimalloc_heap_id: objects that the collector manages, without and with two words in front of them. */
enum { HEAP_GC = 2, HEAP_GC_PRE = 3 };
/* ob_gc_bits, Include/internal/pycore_gc.h */
enum { FROZEN = 8 };
/* mi_page_t.capacity is 16 bits wide. */
enum { BLOCKS_MAX = 1 << 16 };
/* mi_page_t.xthread_free and the tag of a page: how wide. */
#define THREAD_FREE_MASK (~(uint64_t)3)
enum { TAG_WIDTH = 4 };

struct heaps {
    struct walk_python *python;
    struct walk_tracked *tracked;
    uint64_t slice_size, segment_size;
    uint64_t slices;      /* of a segment */
    uint64_t blocks_left; /* damaged queues may all lead to the same pages: they are rationed together */
    bool no_memory;
};

struct page {
    const uint8_t *view;
    walk_addr address, start; /* `start` of the first block */
    uint64_t block_size, capacity;
    uint64_t object_at; /* where in a block the object begins */
};

/* ---- blocks ---- */

/* Debug builds disguise the links between free blocks (mi_ptr_decode()). */
static walk_addr next_block(const struct walk_python *python, const struct page *page, uint64_t link)
{
    if (!WALK_HAS(python->layout, mi_page, keys))
        return link;
    const uint8_t *keys = page->view + WALK_OFFSET(python->layout, mi_page, keys);
    unsigned bits = 8 * python->word;
    uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX, rotate = walk_load_word(python->word, keys) % bits;
    uint64_t value = (link - walk_load_word(python->word, keys)) & mask;
    if (rotate)
        value = (value >> rotate | value << (bits - rotate)) & mask;
    value ^= walk_load_word(python->word, keys + python->word);
    return value == page->address ? 0 : value;
}

/* Marks the blocks of a list of free ones, one bit each; false when it leads elsewhere or in a circle. */
static bool mark_free(const struct walk_python *python, const struct page *page, walk_addr block, uint64_t *marks)
{
    for (uint64_t steps = 0; block; steps++) {
        uint64_t offset = block - page->start, index = offset / page->block_size, link;
        if (steps == page->capacity || offset % page->block_size || index >= page->capacity ||
            !walk_memory_word(python->memory, block, &link))
            return false;
        marks[index / 64] |= UINT64_C(1) << index % 64;
        block = next_block(python, page, link);
    }
    return true;
}

static void add_blocks(struct heaps *heaps, const struct page *page, const uint64_t *free_marks)
{
    struct walk_python *python = heaps->python;
    walk_addr object = page->start + page->object_at;
    for (uint64_t i = 0; i < page->capacity && !heaps->no_memory; i++, object += page->block_size) {
        if (free_marks[i / 64] >> i % 64 & 1 || !walk_header_tracked(python, object))
            continue;
        const uint8_t *bits =
            walk_memory_view(python->memory, object + WALK_OFFSET(python->layout, object, ob_gc_bits), 1);
        struct walk_found *found = *bits & FROZEN ? &heaps->tracked->permanent : &heaps->tracked->generations;
        heaps->no_memory = !walk_found_push(found, object);
    }
}

/* ---- pages ---- */

/* _mi_segment_page_start_from_slice(): pages of small blocks do not begin with their first slice. */
static uint64_t before_blocks(unsigned word, uint64_t block_size)
{
    if (block_size < word || block_size > 512)
        return 0;
    return block_size <= 64 ? 3 * block_size : block_size;
}

/* The blocks' size, and where the first one is. */
static void find_blocks(const struct heaps *heaps, walk_addr slices, struct page *page)
{
    const struct walk_layout *layout = heaps->python->layout;
    if (WALK_HAS(layout, mi_page, page_start)) {
        page->block_size = WALK_WORD(heaps->python, page->view, mi_page, block_size);
        page->start = WALK_WORD(heaps->python, page->view, mi_page, page_start);
        return;
    }
    page->block_size = walk_load_u32(page->view + WALK_OFFSET(layout, mi_page, xblock_size));
    page->start = slices + before_blocks(heaps->python->word, page->block_size);
}

/* False: what stands there is no page that could hold objects. */
static bool open_page(const struct heaps *heaps, walk_addr address, struct page *page)
{
    const struct walk_layout *layout = heaps->python->layout;
    walk_addr segment = address & ~(heaps->segment_size - 1);
    uint64_t offset = address - segment - WALK_OFFSET(layout, mi_segment, slices);
    uint64_t index = offset / WALK_SIZE(layout, mi_page);
    const uint8_t *view = walk_memory_view(heaps->python->memory, address, WALK_SIZE(layout, mi_page));
    if (!view || offset % WALK_SIZE(layout, mi_page) || index >= heaps->slices)
        return false;
    *page = (struct page){
        .view = view, .address = address, .capacity = walk_load_u16(view + WALK_OFFSET(layout, mi_page, capacity))};
    walk_addr slices = segment + index * heaps->slice_size;
    find_blocks(heaps, slices, page);
    /* What mimalloc may not overwrite when it fills freed blocks ends with ob_type's begin (tstate_mimalloc_bind()). */
    page->object_at = (uint64_t)view[WALK_OFFSET(layout, mi_page, debug_offset)] - WALK_OFFSET(layout, object, ob_type);
    if (page->object_at % heaps->python->word || page->object_at > page->block_size ||
        page->block_size - page->object_at < WALK_SIZE(layout, object))
        return false;
    /* A page of one huge block is as large as that, whatever its slices say. */
    uint64_t room = walk_load_u32(view + WALK_OFFSET(layout, mi_page, slice_count)) * heaps->slice_size;
    uint64_t before = page->start - slices;
    return page->capacity <= 1 || (before <= room && page->block_size <= (room - before) / page->capacity);
}

static void visit_page(struct heaps *heaps, walk_addr address)
{
    struct walk_python *python = heaps->python;
    struct page page;
    uint64_t marks[BLOCKS_MAX / 64];
    if (!open_page(heaps, address, &page) || page.capacity >= heaps->blocks_left) {
        python->broken_lists++;
        return;
    }
    heaps->blocks_left -= page.capacity + 1;
    memset(marks, 0, (page.capacity + 63) / 64 * sizeof *marks);
    /* Three lists: to be used next, freed by the page's thread, freed by other threads. */
    bool good = mark_free(python, &page, WALK_WORD(python, page.view, mi_page, free), marks) &&
                mark_free(python, &page, WALK_WORD(python, page.view, mi_page, local_free), marks) &&
                mark_free(python, &page, WALK_WORD(python, page.view, mi_page, thread_free) & THREAD_FREE_MASK, marks);
    python->broken_lists += !good;
    add_blocks(heaps, &page, marks);
}

/* ---- the heaps of a thread ---- */

static void visit_heap(struct heaps *heaps, walk_addr heap)
{
    struct walk_python *python = heaps->python;
    const struct walk_layout *layout = python->layout;
    walk_addr queue = heap + WALK_OFFSET(layout, mi_heap, pages);
    uint32_t count = walk_layout_heap_queues(layout);
    for (uint32_t i = 0; i < count; i++, queue += WALK_SIZE(layout, mi_queue)) {
        walk_addr page = WALK_MEMBER(python, queue, mi_queue, first);
        struct walk_ring ring = {0};
        while (page && !heaps->no_memory) {
            if (!heaps->blocks_left || walk_ring_closed(&ring, page)) {
                python->broken_lists++;
                break;
            }
            visit_page(heaps, page);
            page = WALK_MEMBER(python, page, mi_page, next);
        }
    }
}

static void visit_threads(struct heaps *heaps, walk_addr interpreter)
{
    struct walk_python *python = heaps->python;
    walk_addr thread = WALK_MEMBER(python, interpreter, interp, tstate_head);
    struct walk_ring ring = {0};
    for (; thread && !heaps->no_memory; thread = WALK_MEMBER(python, thread, thread, next)) {
        if (walk_ring_closed(&ring, thread)) {
            python->broken_lists++;
            return;
        }
        if (!WALK_INT_MEMBER(python, thread, thread_impl, initialized))
            continue; /* has not begun to run */
        walk_addr first = thread + WALK_OFFSET(python->layout, thread_impl, heaps);
        visit_heap(heaps, first + HEAP_GC * WALK_SIZE(python->layout, mi_heap));
        visit_heap(heaps, first + HEAP_GC_PRE * WALK_SIZE(python->layout, mi_heap));
    }
}

/* ---- what ended threads have left ---- */

/* mi_segment_visit_pages(): the first slices are the segment's own. A slice that is not used has no block size. */
static void visit_segment(struct heaps *heaps, walk_addr segment)
{
    struct walk_python *python = heaps->python;
    const struct walk_layout *layout = python->layout;
    uint64_t entries = WALK_MEMBER(python, segment, mi_segment, slice_entries), size = WALK_SIZE(layout, mi_page);
    walk_addr slices = segment + WALK_OFFSET(layout, mi_segment, slices);
    for (uint64_t i = 0; i < entries && !heaps->no_memory;) {
        const uint8_t *view = i < heaps->slices ? walk_memory_view(python->memory, slices + i * size, size) : NULL;
        uint64_t count = view ? walk_load_u32(view + WALK_OFFSET(layout, mi_page, slice_count)) : 0;
        if (!count || !heaps->blocks_left) {
            python->broken_lists++;
            return;
        }
        struct page page = {.view = view};
        find_blocks(heaps, 0, &page);
        unsigned tag = walk_load_bits(view, WALK_OFFSET(layout, mi_page, tag), TAG_WIDTH);
        if (i && page.block_size && (tag == HEAP_GC || tag == HEAP_GC_PRE))
            visit_page(heaps, slices + i * size);
        i += count;
    }
}

/* In 3.13 (and 3.14.7) there are two lists of them. `list`: a segment, in whose low bits a counter may stand. */
static void visit_pool(struct heaps *heaps, walk_addr list)
{
    struct walk_python *python = heaps->python;
    walk_addr segment = list & ~(heaps->segment_size - 1);
    struct walk_ring ring = {0};
    while (segment && !heaps->no_memory) {
        if (!heaps->blocks_left || walk_ring_closed(&ring, segment)) {
            python->broken_lists++;
            return;
        }
        heaps->blocks_left--;
        visit_segment(heaps, segment);
        segment = WALK_MEMBER(python, segment, mi_segment, abandoned_next);
    }
}

/*
 * In 3.14.10 arenas have a bit for each of theirs, behind variables that have no symbol in a stripped build. But a
 * segment says whose it is, and that no thread has it; and it is where segments can be.
 */
static void visit_segments(struct heaps *heaps, walk_addr subproc)
{
    struct walk_python *python = heaps->python;
    const struct walk_memory *memory = python->memory;
    for (size_t i = 0; i < memory->count && subproc; i++) {
        walk_addr start = memory->segments[i].start, end = memory->segments[i].end;
        walk_addr segment = (start + heaps->segment_size - 1) & ~(heaps->segment_size - 1);
        if (memory->segments[i].kind == WALK_SEGMENT_NOT_SAVED || !(memory->segments[i].flags & WALK_SEGMENT_WRITE))
            continue;
        for (; segment >= start && segment < end && !heaps->no_memory; segment += heaps->segment_size) {
            uint64_t thread;
            if (WALK_MEMBER(python, segment, mi_segment, subproc) == subproc &&
                walk_memory_word(python->memory, segment + WALK_OFFSET(python->layout, mi_segment, thread_id),
                                 &thread) &&
                !thread)
                visit_segment(heaps, segment);
        }
    }
}

bool walk_tracked_in_heaps(struct walk_python *python, struct walk_tracked *tracked)
{
    const struct walk_layout *layout = python->layout;
    struct heaps heaps = {.python = python,
                          .tracked = tracked,
                          .slices = walk_layout_segment_slices(layout),
                          .slice_size = (uint64_t)python->word << 13, /* MI_SEGMENT_SLICE_SIZE */
                          .blocks_left = walk_memory_size(python->memory) / WALK_SIZE(layout, object) + 1};
    heaps.segment_size = heaps.slices * heaps.slice_size;
    for (size_t i = 0; i < python->interpreter_count; i++) {
        struct walk_pyinterpreter *interpreter = &python->interpreters[i];
        interpreter->first_tracked = tracked->generations.count;
        visit_threads(&heaps, interpreter->address);
        visit_pool(&heaps, WALK_MEMBER(python, interpreter->address, interp, abandoned));
        visit_pool(&heaps, WALK_MEMBER(python, interpreter->address, interp, abandoned_visited));
        visit_segments(&heaps, WALK_MEMBER(python, interpreter->address, interp, subproc));
        interpreter->tracked_count = tracked->generations.count - interpreter->first_tracked;
    }
    return !heaps.no_memory;
}
