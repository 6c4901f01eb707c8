/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/window.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "bytes/large.h"

/*
 * Bytes of the window, in front of what is aimed at (heads of the collector and more), and behind it. A page that is
 * entered costs as much as eight that are read.
 */
enum { SIZE = 2 << 20, FRONT = 1 << 8, TAIL = 1 << 14, PER_LOOK = 8 << 12 };

/* ---- whether there are any ---- */

/* What is entered and what is read to find out: so many pieces of either, all over the core. */
enum { PIECES = 9, PIECE = 64 << 10, PAGE = 4 << 10 };

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t time_to_enter(const uint8_t *data)
{
    uint64_t start = nanoseconds();
    for (size_t at = 0; at < PIECE; at += PAGE)
        (void)*(const volatile uint8_t *)(data + at);
    return nanoseconds() - start;
}

static uint64_t time_to_read(const struct walk_image *image, uint64_t offset, uint8_t *buffer)
{
    uint64_t start = nanoseconds();
    return walk_image_read_core(image, offset, buffer, PIECE) ? nanoseconds() - start : UINT64_MAX;
}

static int by_length(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/*
 * A graph reads most of a core four times, but enters it once, and is slower afterwards, for the processor knows
 * mapped pages less well than a buffer: it is mapped if that takes less than two readings. To count types, little but
 * the tracked objects is entered, if at all, and hardly anything else takes time. So what is entered in less than three
 * readings is mapped. Of what is read the best time counts and of what is entered the usual one.
 */
static bool is_entered_fast(const struct walk_image *image)
{
    uint8_t buffer[PIECE];
    uint64_t enter[PIECES], read = UINT64_MAX;
    const size_t distance = image->core.size / (2 * PIECES + 1) / PIECE * PIECE;
    if (!distance)
        return false;
    for (size_t i = 0; i < PIECES; i++) {
        uint64_t took = time_to_read(image, distance * (2 * i + 1), buffer);
        read = took < read ? took : read;
        enter[i] = time_to_enter(image->core.data + distance * (2 * i + 2));
    }
    qsort(enter, PIECES, sizeof *enter, by_length);
    return enter[PIECES / 2] / 3 < read;
}

/*
 * Whether nearly all of the core is in the system's cache, by a few of its pages: in the order of lists others would
 * come from the disk one by one. To whom the system does not tell it, it says that all are.
 */
static bool is_in_memory(const struct walk_image *image)
{
    enum { PLACES = 1 << 6, PAGES = PIECE / PAGE, MOST_MISSING = PLACES * PAGES / 16 };
    size_t distance = image->core.size / PLACES / PIECE * PIECE, missing = 0;
    for (size_t i = 0; i < PLACES; i++) {
        unsigned char there[PAGES];
        if (mincore((void *)(uintptr_t)(image->core.data + i * distance), distance ? PIECE : PAGE, there) != 0)
            return true;
        for (size_t page = 0; page < (distance ? PAGES : 1); page++)
            missing += !(there[page] & 1);
    }
    return missing <= MOST_MISSING;
}

void walk_window_choose(struct walk_image *image)
{
    if (image->reading == WALK_READING_ANY && image->core.data)
        image->reading = is_in_memory(image) && is_entered_fast(image) ? WALK_READING_MAPPING : WALK_READING_WINDOWS;
}

/* ---- one ---- */

static bool has_windows(const struct walk_image *image)
{
    return image->core.data && image->reading != WALK_READING_MAPPING;
}

bool walk_window_open(struct walk_window *window, const struct walk_image *image)
{
    *window = (struct walk_window){.next = UINT64_MAX};
    if (has_windows(image))
        window->buffer = walk_large_alloc(image->stock, SIZE, 1);
    return window->buffer || !has_windows(image);
}

void walk_window_close(struct walk_window *window)
{
    walk_large_free(window->buffer);
    *window = (struct walk_window){0};
}

void walk_window_aim(struct walk_window *window, struct walk_image *image, walk_addr first, walk_addr last,
                     size_t count)
{
    bool worth = has_windows(image) && (last - first) / PER_LOOK <= count;
    image->memory.window.size = 0;
    window->first = first;
    window->next = worth ? first : UINT64_MAX;
    window->last = last;
}

void walk_window_move(struct walk_window *window, struct walk_image *image, walk_addr address)
{
    struct walk_memory *memory = &image->memory;
    if (window->first)
        address = window->first;
    window->first = 0;
    const struct walk_segment *segment = walk_memory_segment(memory, address);
    memory->window.size = 0;
    window->next = address + SIZE / 2;
    if (!segment || segment->kind != WALK_SEGMENT_SAVED)
        return;
    walk_addr start = address - segment->start < FRONT ? segment->start : address - FRONT;
    bool all = window->last - start < SIZE - TAIL;
    walk_addr end = all ? window->last + TAIL : start + SIZE;
    const uint8_t *data = segment->data + (start - segment->start);
    window->next = all ? UINT64_MAX : end - TAIL;
    if (end >= segment->end)
        end = window->next = segment->end;
    uint64_t offset;
    if (!walk_image_in_core(image, data, &offset) || !walk_image_read_core(image, offset, window->buffer, end - start))
        return;
    memory->window.start = start;
    memory->window.size = end - start;
    memory->window.data = window->buffer;
}

bool walk_window_peek(struct walk_image *image, walk_addr address, size_t size, void *buffer)
{
    struct walk_memory *memory = &image->memory;
    const uint8_t *view = walk_memory_view(memory, address, size);
    uint64_t offset;
    if (!view)
        return false;
    if (memory->window.size && !walk_memory_in_window(memory, address, size) &&
        walk_image_in_core(image, view, &offset))
        return walk_image_read_core(image, offset, buffer, size);
    memcpy(buffer, view, size);
    return true;
}
