/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_MEMORY_H
#define WALK_BYTES_MEMORY_H

/*
 * The target's memory as a sorted list of segments. Bytes are handed out as pointers: into the mapped core, into the
 * mapped file that backs a read-only segment, or into a buffer that is filled, chunk by chunk, on first use (live
 * processes, callbacks). Views stay valid until the memory is closed, or has another window.
 */

#include <string.h>

#include "bytes/error.h"

enum walk_segment_kind {
    WALK_SEGMENT_SAVED,    /* `data` holds all bytes */
    WALK_SEGMENT_LAZY,     /* `data` is filled on demand */
    WALK_SEGMENT_NOT_SAVED /* mapped in the target; its bytes are nowhere */
};

enum walk_segment_flags { WALK_SEGMENT_WRITE = 1, WALK_SEGMENT_EXEC = 2 };

struct walk_segment {
    walk_addr start, end; /* [start, end), disjoint from the other segments */
    uint8_t *data;
    enum walk_segment_kind kind;
    unsigned flags;
    uint8_t *loaded; /* LAZY: one byte per page: 0 not tried, 1 there, 2 unreadable */
};

/* Bytes of the target that stand beside each other. */
struct walk_piece {
    walk_addr start;
    size_t size;
    const uint8_t *data;
};

enum { WALK_MEMORY_KNOWN = 64 };

struct walk_memory {
    struct walk_segment *segments;
    size_t count, capacity;
    unsigned word; /* 4 or 8 */
    /* LAZY segments only. */
    size_t (*fill)(void *context, walk_addr address, void *buffer, size_t size);
    void *fill_context;
    uint32_t known[WALK_MEMORY_KNOWN]; /* the segments that were found last, by megabyte: accesses cluster */
    /* Bytes that are at hand a second time, and looked at first (bytes/window.h, bytes/stream.h); size 0: none. */
    struct walk_piece window;
    struct walk_piece near; /* the window, or else the last SAVED segment */
};

void walk_memory_init(struct walk_memory *memory, unsigned word);
void walk_memory_deinit(struct walk_memory *memory);

/* Segments are added in any order; walk_memory_seal() sorts, checks and joins them. Empty ranges are ignored. */
struct walk_error *walk_memory_add(struct walk_memory *memory, const struct walk_segment *segment);
struct walk_error *walk_memory_seal(struct walk_memory *memory);

/* Gives every LAZY segment its (not yet populated) buffer. Call after seal. */
struct walk_error *walk_memory_reserve(struct walk_memory *memory);

/* The segment that holds `address`, or NULL. */
const struct walk_segment *walk_memory_segment(struct walk_memory *memory, walk_addr address);

/* walk_memory_view() of what is not near. */
const uint8_t *walk_memory_find(struct walk_memory *memory, walk_addr address, size_t size);

static inline bool walk_piece_has(const struct walk_piece *piece, walk_addr address, size_t size)
{
    walk_addr inside = address - piece->start;
    return inside < piece->size && size <= piece->size - inside;
}

static inline bool walk_memory_in_window(const struct walk_memory *memory, walk_addr address, size_t size)
{
    return walk_piece_has(&memory->window, address, size);
}

/* Gives it another window, or none, if that has no bytes. */
static inline void walk_memory_look_through(struct walk_memory *memory, struct walk_piece window)
{
    memory->window = memory->near = window;
}

/* `size` bytes at `address`, or NULL when any of them is not there. Mostly they are where the last ones were. */
static inline const uint8_t *walk_memory_view(struct walk_memory *memory, walk_addr address, size_t size)
{
    if (walk_piece_has(&memory->near, address, size))
        return memory->near.data + (address - memory->near.start);
    return walk_memory_find(memory, address, size);
}

/* How many bytes can be viewed at `address` without a hole; at most `limit`. */
size_t walk_memory_available(struct walk_memory *memory, walk_addr address, size_t limit);

/* How many bytes can be viewed at all, if every LAZY one turns out to be readable. */
uint64_t walk_memory_size(const struct walk_memory *memory);

/*
 * The same segments for another thread, as long as `memory` stays as it is; there is nothing to free. False: the bytes
 * are read when they are asked for (a live target, a callback), which is for one thread.
 */
bool walk_memory_fork(const struct walk_memory *memory, struct walk_memory *fork);

/* Why a view failed: UNMAPPED or NOT_SAVED, naming the first address that is missing. */
struct walk_error *walk_memory_explain(struct walk_memory *memory, walk_addr address, size_t size);

/* ---- loads: little-endian targets, unaligned views ---- */

static inline uint32_t walk_load_u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint64_t walk_load_u64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint16_t walk_load_u16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

/* A pointer, size_t or Py_ssize_t of the target; the signed one is sign-extended. */
static inline uint64_t walk_load_word(unsigned word, const uint8_t *p)
{
    return word == 8 ? walk_load_u64(p) : walk_load_u32(p);
}

static inline int64_t walk_load_sword(unsigned word, const uint8_t *p)
{
    return word == 8 ? (int64_t)walk_load_u64(p) : (int32_t)walk_load_u32(p);
}

/* A bit-field of at most 8 bits that begins `bit` bits behind `p`. */
static inline unsigned walk_load_bits(const uint8_t *p, uint32_t bit, unsigned width)
{
    unsigned shift = bit % 8, value = p[bit / 8];
    if (shift + width > 8)
        value |= (unsigned)p[bit / 8 + 1] << 8;
    return value >> shift & ((1u << width) - 1);
}

/* Reads a word; false when it is not there. */
static inline bool walk_memory_word(struct walk_memory *memory, walk_addr address, uint64_t *value)
{
    const uint8_t *p = walk_memory_view(memory, address, memory->word);
    if (!p)
        return false;
    *value = walk_load_word(memory->word, p);
    return true;
}

#endif
