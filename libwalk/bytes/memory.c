/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A live target is read in chunks of this many bytes, from the start of the segment on; what could be read is known by
 * the page, so that a hole costs no more than itself. */
#define CHUNK ((size_t)64 << 10)
#define PAGE ((size_t)4 << 10)

void walk_memory_init(struct walk_memory *memory, unsigned word) { *memory = (struct walk_memory){.word = word}; }

void walk_memory_deinit(struct walk_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        struct walk_segment *segment = &memory->segments[i];
        if (segment->kind == WALK_SEGMENT_LAZY && segment->data)
            munmap(segment->data, segment->end - segment->start);
        free(segment->loaded);
    }
    free(memory->segments);
    *memory = (struct walk_memory){0};
}

struct walk_error *walk_memory_add(struct walk_memory *memory, const struct walk_segment *segment)
{
    if (segment->start >= segment->end)
        return NULL;
    if (memory->count == memory->capacity) {
        size_t capacity = memory->capacity ? memory->capacity * 2 : 256;
        struct walk_segment *segments = realloc(memory->segments, capacity * sizeof *segments);
        if (!segments)
            return walk_error_no_memory();
        memory->segments = segments;
        memory->capacity = capacity;
    }
    memory->segments[memory->count++] = *segment;
    return NULL;
}

static int by_start(const void *a, const void *b)
{
    const struct walk_segment *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* Neighbours whose bytes lie one behind the other are one segment: an object may straddle them. What may be done with
 * the bytes must be the same, or data behind code could be run. */
static bool joins(const struct walk_segment *left, const struct walk_segment *right)
{
    if (left->end != right->start || left->kind != right->kind || left->flags != right->flags)
        return false;
    return left->kind == WALK_SEGMENT_LAZY ||
           (left->kind == WALK_SEGMENT_SAVED && left->data + (left->end - left->start) == right->data);
}

struct walk_error *walk_memory_seal(struct walk_memory *memory)
{
    if (memory->count)
        qsort(memory->segments, memory->count, sizeof *memory->segments, by_start);
    size_t kept = 0;
    for (size_t i = 0; i < memory->count; i++) {
        struct walk_segment segment = memory->segments[i];
        struct walk_segment *last = kept ? &memory->segments[kept - 1] : NULL;
        if (last && segment.start < last->end)
            return walk_error_new(WALK_ERROR_FORMAT, "two segments overlap at 0x%" PRIx64, segment.start);
        if (last && joins(last, &segment))
            last->end = segment.end;
        else
            memory->segments[kept++] = segment;
    }
    memory->count = kept;
    memory->near.size = 0;
    return NULL;
}

struct walk_error *walk_memory_reserve(struct walk_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        struct walk_segment *segment = &memory->segments[i];
        if (segment->kind != WALK_SEGMENT_LAZY)
            continue;
        size_t size = segment->end - segment->start;
        void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED) {
            /* Nobody has that much address space: the segment's bytes count as not saved. */
            segment->kind = WALK_SEGMENT_NOT_SAVED;
            continue;
        }
        segment->data = data;
        segment->loaded = calloc(size / PAGE + 1, 1);
        if (!segment->loaded)
            return walk_error_no_memory();
    }
    return NULL;
}

static bool is_in(const struct walk_memory *memory, size_t segment, walk_addr address)
{
    return segment < memory->count && address >= memory->segments[segment].start &&
           address < memory->segments[segment].end;
}

const struct walk_segment *walk_memory_segment(struct walk_memory *memory, walk_addr address)
{
    enum { MEGABYTE_BITS = 20 };
    uint32_t *known = &memory->known[(address >> MEGABYTE_BITS) % WALK_MEMORY_KNOWN];
    if (is_in(memory, *known, address))
        return &memory->segments[*known];
    size_t low = 0, high = memory->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memory->segments[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == memory->count || memory->segments[low].start > address)
        return NULL;
    *known = (uint32_t)low; /* of more segments than that, a wrong one: it is looked at */
    return &memory->segments[low];
}

/* Reads from a page that was not tried up to the end of its chunk; what was there before stays as it is. */
static void load_from(struct walk_memory *memory, const struct walk_segment *segment, size_t page)
{
    size_t size = segment->end - segment->start, offset = page * PAGE, end = (offset / CHUNK + 1) * CHUNK;
    size_t last = page;
    while ((last + 1) * PAGE < end && (last + 1) * PAGE < size && !segment->loaded[last + 1])
        last++;
    end = (last + 1) * PAGE < size ? (last + 1) * PAGE : size;
    size_t got = memory->fill(memory->fill_context, segment->start + offset, segment->data + offset, end - offset);
    for (; page <= last; page++) {
        size_t page_end = (page + 1) * PAGE < size ? (page + 1) * PAGE : size;
        segment->loaded[page] = page_end - offset <= got ? 1 : 2;
        if (segment->loaded[page] == 2)
            break;
    }
}

/* Makes sure that the pages of [address, address + size) are in the buffer of a LAZY segment. */
static bool load(struct walk_memory *memory, const struct walk_segment *segment, walk_addr address, size_t size)
{
    size_t first = (address - segment->start) / PAGE, last = (address + size - 1 - segment->start) / PAGE;
    for (size_t page = first; page <= last; page++) {
        if (!segment->loaded[page])
            load_from(memory, segment, page);
        if (segment->loaded[page] != 1)
            return false;
    }
    return true;
}

const uint8_t *walk_memory_find(struct walk_memory *memory, walk_addr address, size_t size)
{
    const struct walk_segment *segment = walk_memory_segment(memory, address);
    if (!segment || size > segment->end - address || segment->kind == WALK_SEGMENT_NOT_SAVED)
        return NULL;
    if (segment->kind == WALK_SEGMENT_LAZY && size && !load(memory, segment, address, size))
        return NULL;
    if (segment->kind == WALK_SEGMENT_SAVED && !memory->window.size)
        memory->near = (struct walk_piece){segment->start, segment->end - segment->start, segment->data};
    return segment->data + (address - segment->start);
}

size_t walk_memory_available(struct walk_memory *memory, walk_addr address, size_t limit)
{
    const struct walk_segment *segment = walk_memory_segment(memory, address);
    if (!segment || segment->kind == WALK_SEGMENT_NOT_SAVED)
        return 0;
    size_t size = segment->end - address < limit ? segment->end - address : limit;
    if (segment->kind != WALK_SEGMENT_LAZY)
        return size;
    size_t good = 0;
    while (good < size) {
        size_t step = PAGE - (address + good - segment->start) % PAGE;
        if (step > size - good)
            step = size - good;
        if (!load(memory, segment, address + good, step))
            break;
        good += step;
    }
    return good;
}

uint64_t walk_memory_size(const struct walk_memory *memory)
{
    uint64_t size = 0;
    for (size_t i = 0; i < memory->count; i++)
        if (memory->segments[i].kind != WALK_SEGMENT_NOT_SAVED)
            size += memory->segments[i].end - memory->segments[i].start;
    return size;
}

bool walk_memory_fork(const struct walk_memory *memory, struct walk_memory *fork)
{
    for (size_t i = 0; i < memory->count; i++)
        if (memory->segments[i].kind == WALK_SEGMENT_LAZY)
            return false;
    *fork = *memory;
    return true;
}

struct walk_error *walk_memory_explain(struct walk_memory *memory, walk_addr address, size_t size)
{
    walk_addr missing = address + walk_memory_available(memory, address, size);
    const struct walk_segment *segment = walk_memory_segment(memory, missing);
    if (!segment)
        return walk_error_new(WALK_ERROR_UNMAPPED, "0x%" PRIx64 " is not mapped in the target", missing);
    if (segment->kind == WALK_SEGMENT_LAZY)
        return walk_error_new(WALK_ERROR_SYSTEM, "0x%" PRIx64 " could not be read from the process", missing);
    return walk_error_new(WALK_ERROR_NOT_SAVED, "0x%" PRIx64 " is not saved in the core, nor in a file that was found",
                          missing);
}
