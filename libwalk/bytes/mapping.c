/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/mapping.h"

#include <math.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* since Linux 5.14; no older one has huge pages in its cache of files */
#endif

/* What is entered and what is read to find out: so many pieces of either, all over the core. */
enum { PIECES = 7, PIECE = 64 << 10, PAGE = 4 << 10 /* or larger */ };

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

/*
 * How many readings of a piece it takes to enter it, next to one that is entered: the first one of a table of pages
 * takes more. Pages of the system's cache are of several sizes, and a large one is entered whole; so of what is entered
 * the mean counts, without the longest time, and of what is read the shortest. Infinite: the core is so small that it
 * does not matter.
 */
static double readings_to_enter(const struct walk_image *image)
{
    uint8_t buffer[PIECE];
    uint64_t read = UINT64_MAX, longest = 0, sum = 0;
    const size_t distance = image->core.size / (2 * PIECES + 1) / PIECE * PIECE;
    if (distance < 2 * PIECE)
        return INFINITY;
    for (size_t i = 0; i < PIECES; i++) {
        const uint8_t *piece = image->core.data + distance * (2 * i + 2);
        uint64_t took = time_to_read(image, distance * (2 * i + 1), buffer);
        read = took < read ? took : read;
        (void)time_to_enter(piece);
        took = time_to_enter(piece + PIECE);
        longest = took > longest ? took : longest;
        sum += took;
    }
    return (double)(sum - longest) / (PIECES - 1) / ((double)read + 1);
}

/*
 * Whether nearly all of the core is in the system's cache, by a few of its pages: in the order of lists others would
 * come from the disk one by one. To whom the system does not tell it, it says that all are.
 */
static bool is_in_memory(const struct walk_image *image)
{
    enum { PLACES = 1 << 6, PAGES = PIECE / PAGE };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = page < PIECE ? PIECE / page : 1;
    const size_t distance = image->core.size / PLACES / PIECE * PIECE, looked = distance ? pages : 1;
    size_t missing = 0;
    for (size_t i = 0; i < PLACES; i++) {
        unsigned char there[PAGES];
        if (mincore((void *)(uintptr_t)(image->core.data + i * distance), looked * page, there) != 0)
            return true;
        for (size_t at = 0; at < looked; at++)
            missing += !(there[at] & 1);
    }
    return missing <= PLACES * looked / 16;
}

bool walk_mapping_pays(struct walk_image *image, unsigned most)
{
    if (image->reading != WALK_READING_ANY || !image->core.data)
        return image->reading == WALK_READING_MAPPING && image->core.data;
    if (!image->core.entering) {
        image->core.on_disk = !is_in_memory(image);
        image->core.entering = image->core.on_disk ? 0 : readings_to_enter(image);
    }
    return !image->core.on_disk && image->core.entering < most;
}

static void fetch_page(const uint8_t *data)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)madvise((void *)((uintptr_t)data & ~(page - 1)), page, MADV_POPULATE_READ);
}

void walk_mapping_fetch(const struct walk_image *image, const uint8_t *data, size_t size)
{
    if (!image->core.on_disk || !size)
        return;
    fetch_page(data);
    fetch_page(data + size - 1);
}
