/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/window.h"

#include "bytes/large.h"

/*
 * Bytes of the window, in front of what is aimed at (heads of the collector and more), and behind it. A page that is
 * entered costs as much as eight that are read.
 */
enum { SIZE = 2 << 20, FRONT = 1 << 8, TAIL = 1 << 14, PER_LOOK = 8 << 12 };

bool walk_window_open(struct walk_window *window, const struct walk_image *image, bool wanted)
{
    *window = (struct walk_window){.next = UINT64_MAX};
    if (wanted)
        window->buffer = walk_large_alloc(image->stock, SIZE, 1);
    return window->buffer || !wanted;
}

void walk_window_close(struct walk_window *window)
{
    walk_large_free(window->buffer);
    *window = (struct walk_window){0};
}

void walk_window_aim(struct walk_window *window, struct walk_image *image, walk_addr first, walk_addr last,
                     size_t count)
{
    bool worth = window->buffer && (last - first) / PER_LOOK <= count;
    walk_memory_look_through(&image->memory, (struct walk_piece){0});
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
    walk_memory_look_through(memory, (struct walk_piece){0});
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
    walk_memory_look_through(memory, (struct walk_piece){start, end - start, window->buffer});
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
