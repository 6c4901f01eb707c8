/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits CORE          how fast the tracked objects of a core can be counted by type at all
 * limits --heads CORE  what a reader needs to follow the lists: offset of next, size of a head, offset of ob_type,
 * heads
 *
 * Limit A follows the collector's lists: the address of each object is known when the one before it was loaded. Limit B
 * has the same objects' addresses already, in their order, and prefetches. Both only count ob_type. Neither has to
 * prove that what it reads is an object. Each is timed twice: beginning without the core's pages in this process (they
 * are in the system's cache, and come as they are touched), and when they are there.
 *
 * Only the target and the heads of the lists are the library's.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "objects/heads.h"
#include "objects/target.h"

enum { TYPES = 1 << 16, AHEAD = 16 };
#define LINK_MASK (~(uint64_t)3) /* flags of the collector are in the low bits */

struct count {
    uint64_t type, count;
};

struct reader {
    const struct walk_memory *memory;
    const struct walk_segment *last; /* where the last address was */
    uint64_t next_at, head_size, type_at;
    walk_addr *heads;
    size_t head_count;
    struct count *types; /* a hash table */
};

static void die(const char *reason)
{
    fprintf(stderr, "limits: %s\n", reason);
    exit(1);
}

static void *zeroed(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (!block)
        die("out of memory");
    return block;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const struct walk_segment *segment_of(const struct walk_memory *memory, walk_addr address)
{
    for (size_t i = 0; i < memory->count; i++)
        if (address >= memory->segments[i].start && address < memory->segments[i].end && memory->segments[i].data)
            return &memory->segments[i];
    die("a list leads out of the core");
    return NULL;
}

static inline const uint8_t *bytes_at(struct reader *reader, walk_addr address)
{
    if (address - reader->last->start >= reader->last->end - reader->last->start)
        reader->last = segment_of(reader->memory, address);
    return reader->last->data + (address - reader->last->start);
}

static inline uint64_t word_at(struct reader *reader, walk_addr address)
{
    return walk_load_u64(bytes_at(reader, address));
}

static inline void add(struct reader *reader, uint64_t type)
{
    size_t slot = (type >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48;
    while (reader->types[slot].type != type && reader->types[slot].type)
        slot = (slot + 1) % TYPES;
    reader->types[slot].type = type;
    reader->types[slot].count++;
}

static size_t follow_lists(struct reader *reader)
{
    size_t count = 0;
    for (size_t i = 0; i < reader->head_count; i++) {
        walk_addr head = reader->heads[i];
        for (walk_addr at = head; (at = word_at(reader, at + reader->next_at) & LINK_MASK) != head; count++)
            add(reader, word_at(reader, at + reader->head_size + reader->type_at));
    }
    return count;
}

static void collect_lists(struct reader *reader, walk_addr *objects)
{
    for (size_t i = 0; i < reader->head_count; i++) {
        walk_addr head = reader->heads[i];
        for (walk_addr at = head; (at = word_at(reader, at + reader->next_at) & LINK_MASK) != head;)
            *objects++ = at + reader->head_size;
    }
}

static size_t sweep(struct reader *reader, const walk_addr *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(bytes_at(reader, objects[i + AHEAD] + reader->type_at));
        add(reader, word_at(reader, objects[i] + reader->type_at));
    }
    return count;
}

static int by_address(const void *one, const void *other)
{
    const walk_addr *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

/* Takes the core's pages out of this process; they stay in the system's cache. */
static void drop_pages(const struct walk_memory *memory)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < memory->count; i++) {
        const struct walk_segment *segment = &memory->segments[i];
        uintptr_t start = ((uintptr_t)segment->data + page - 1) & ~(page - 1);
        uintptr_t end = ((uintptr_t)segment->data + (segment->end - segment->start)) & ~(page - 1);
        if (segment->data && end > start)
            madvise((void *)start, end - start, MADV_DONTNEED);
    }
}

/* Both limits must count the same: the types that the first has counted are kept. */
static void same_types(struct reader *reader, struct count *first)
{
    if (memcmp(reader->types, first, TYPES * sizeof *first) == 0)
        return;
    for (size_t i = 0; i < TYPES; i++) {
        size_t slot = 0;
        while (slot < TYPES && first[slot].type != reader->types[i].type)
            slot++;
        if (reader->types[i].type && (slot == TYPES || first[slot].count != reader->types[i].count))
            die("the limits differ in what they count");
    }
}

static double begin(struct reader *reader, bool mapped)
{
    memset(reader->types, 0, TYPES * sizeof *reader->types);
    if (!mapped)
        drop_pages(reader->memory);
    return seconds();
}

/* So much of what was touched is mapped by huge pages: as the system's cache has it. */
static void print_huge(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    unsigned long kilobytes = 0;
    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "FilePmdMapped: %lu kB", &kilobytes);
    if (file)
        fclose(file);
    printf("huge\t%lu\n", kilobytes << 10);
}

static void measure(struct reader *reader)
{
    static const char *const states[] = {"touched", "mapped"};
    struct count *first = zeroed(TYPES, sizeof *first);
    size_t count = 0;
    for (unsigned i = 0; i < 2; i++) {
        double start = begin(reader, i == 1);
        count = follow_lists(reader);
        printf("A\t%s\t%.6f\n", states[i], seconds() - start);
    }
    printf("objects\t%zu\n", count);
    memcpy(first, reader->types, TYPES * sizeof *first);

    walk_addr *objects = zeroed(count + 1, sizeof *objects);
    collect_lists(reader, objects);
    qsort(objects, count, sizeof *objects, by_address);
    for (unsigned i = 0; i < 2; i++) {
        double start = begin(reader, i == 1);
        sweep(reader, objects, count);
        printf("B\t%s\t%.6f\n", states[i], seconds() - start);
    }
    same_types(reader, first);
    print_huge();
    free(objects);
    free(first);
}

static void find_heads(struct reader *reader, const struct walk_python *python)
{
    struct walk_heads heads;
    if (!walk_heads_read(&heads, python))
        die("the collector is at work, or there are too many interpreters");
    reader->heads = zeroed(heads.count, sizeof *reader->heads);
    for (size_t i = 0; i < heads.count; i++)
        if (heads.at[i])
            reader->heads[reader->head_count++] = heads.at[i];
}

static void print_heads(const struct reader *reader)
{
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64, reader->next_at, reader->head_size, reader->type_at);
    for (size_t i = 0; i < reader->head_count; i++)
        printf(" %" PRIu64, reader->heads[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    struct walk_options options = {.sysroot = getenv("WALK_SYSROOT"), .debug_dirs = getenv("WALK_DEBUG_DIRS")};
    struct walk_target *target;
    bool only_heads = argc == 3 && strcmp(argv[1], "--heads") == 0;
    if (argc != 2 && !only_heads)
        die("usage: limits [--heads] CORE");
    struct walk_error *error = walk_target_open_core(argv[argc - 1], &options, &target);
    if (error)
        die(walk_error_message(error));
    const struct walk_layout *layout = &target->runtime.layout;
    if (target->python.word != 8 || WALK_FREE_THREADED(layout))
        die("only cores of 64 bits with lists of the collector have these limits");

    struct reader reader = {.memory = &target->image.memory,
                            .last = target->image.memory.segments,
                            .next_at = WALK_OFFSET(layout, gc_head, next),
                            .head_size = WALK_SIZE(layout, gc_head),
                            .type_at = WALK_OFFSET(layout, object, ob_type),
                            .types = zeroed(TYPES, sizeof *reader.types)};
    find_heads(&reader, &target->python);
    if (only_heads)
        print_heads(&reader);
    else
        measure(&reader);
    free(reader.heads);
    free(reader.types);
    walk_target_close(target);
    return 0;
}
