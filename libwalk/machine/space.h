/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_SPACE_H
#define WALK_MACHINE_SPACE_H

/*
 * What a call sees as memory: its private stack, the lines that it has written elsewhere (the overlay), and behind them
 * the target, read-only. Each call starts with a stack of zeros and an empty overlay.
 */

#include "bytes/image.h"
#include "machine/machine.h"

enum {
    WALK_STACK_SIZE = 256 << 10,
    WALK_THREAD_SIZE = 8 << 10, /* for threads without a thread pointer; it points into the middle */
    WALK_PRIVATE_SIZE = WALK_STACK_SIZE + WALK_THREAD_SIZE,
    WALK_GUARD_SIZE = 1 << 20, /* below the stack: what is touched there is an overflow */
    WALK_LINE = 64,            /* bytes */
    WALK_LINES_MAX = 512,
    WALK_LINE_SLOTS = 4 * WALK_LINES_MAX,
    WALK_CACHED_SEGMENTS = 64
};

/* Bytes that a call has written over the target's. */
struct walk_line {
    walk_addr address; /* a multiple of WALK_LINE */
    uint64_t written;  /* a bit per byte */
    uint32_t slot;     /* where it is found */
    uint8_t bytes[WALK_LINE];
};

struct walk_space {
    struct walk_memory *memory;
    uint8_t *private;        /* the stack, behind it the zeros around the thread pointer */
    walk_addr private_start; /* where no segment is */
    size_t lowest, highest;  /* what was written of it: offsets */
    size_t line_count;
    struct walk_line *lines;       /* WALK_LINES_MAX of them */
    uint16_t *line_slots;          /* hash table: index + 1 */
    struct walk_code_range *texts; /* sorted by start */
    size_t text_count;
    const struct walk_segment *cached[WALK_CACHED_SEGMENTS];
    enum walk_fault fault; /* why an access failed, and where */
    walk_addr fault_address;
};

/* Code of an ELF file: not all images know what is executable. */
struct walk_code_range {
    walk_addr start, end;
};

struct walk_error *walk_space_init(struct walk_space *space, struct walk_image *image);
void walk_space_deinit(struct walk_space *space);

/* Forgets all that was written. */
void walk_space_reset(struct walk_space *space);

/* Where the stack of a call begins (grows down from), a multiple of 16. */
static inline walk_addr walk_space_stack(const struct walk_space *space)
{
    return space->private_start + WALK_STACK_SIZE - 256;
}

/* The pointer of a thread that has none. */
static inline walk_addr walk_space_thread(const struct walk_space *space)
{
    return space->private_start + WALK_STACK_SIZE + WALK_THREAD_SIZE / 2;
}

/* Copies code; how many of the `size` bytes there are. 0: a fault. */
size_t walk_space_fetch(struct walk_space *space, walk_addr pc, uint8_t *bytes, size_t size);

/* The ways that are always right: across segments, through the overlay. */
bool walk_space_read_any(struct walk_space *space, walk_addr address, void *bytes, size_t size);
bool walk_space_write_any(struct walk_space *space, walk_addr address, const void *bytes, size_t size);

/* A pointer to bytes that can be read, or NULL when it takes walk_space_read_any(). */
static inline const uint8_t *walk_space_view(struct walk_space *space, walk_addr address, size_t size)
{
    uint64_t offset = address - space->private_start;
    if (offset < WALK_PRIVATE_SIZE - 16)
        return space->private + offset;
    if (!space->line_count && walk_memory_in_window(space->memory, address, size))
        return space->memory->window.data + (address - space->memory->window.start);
    const struct walk_segment *segment = space->cached[address >> 20 & (WALK_CACHED_SEGMENTS - 1)];
    if (!segment || space->line_count || address < segment->start || address >= segment->end ||
        size > segment->end - address)
        return NULL;
    return segment->data + (address - segment->start);
}

/* Reads 1, 2, 4 or 8 bytes; false: a fault. */
static inline bool walk_space_read(struct walk_space *space, walk_addr address, unsigned width, uint64_t *value)
{
    uint64_t word = 0;
    const uint8_t *view = walk_space_view(space, address, width);
    if (!view) {
        if (!walk_space_read_any(space, address, &word, width))
            return false;
        *value = word;
        return true;
    }
    switch (width) {
    case 8:
        *value = walk_load_u64(view);
        return true;
    case 4:
        *value = walk_load_u32(view);
        return true;
    case 2:
        *value = walk_load_u16(view);
        return true;
    default:
        *value = *view;
        return true;
    }
}

/* Bytes of the stack that may be written, or NULL when it takes walk_space_write_any(). */
static inline uint8_t *walk_space_private(struct walk_space *space, walk_addr address, size_t size)
{
    uint64_t offset = address - space->private_start;
    if (offset >= WALK_PRIVATE_SIZE - 16)
        return NULL;
    if (offset < space->lowest)
        space->lowest = offset;
    if (offset + size > space->highest)
        space->highest = offset + size;
    return space->private + offset;
}

/* Writes the low 1, 2, 4 or 8 bytes of a value; false: a fault. */
static inline bool walk_space_write(struct walk_space *space, walk_addr address, unsigned width, uint64_t value)
{
    uint8_t *bytes = walk_space_private(space, address, width);
    if (!bytes)
        return walk_space_write_any(space, address, &value, width);
    switch (width) {
    case 8:
        memcpy(bytes, &value, 8);
        break;
    case 4:
        memcpy(bytes, &value, 4);
        break;
    case 2:
        memcpy(bytes, &value, 2);
        break;
    default:
        *bytes = (uint8_t)value;
        break;
    }
    return true;
}

#endif
