/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/mapping.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* What is entered and what is read to find out: so many pieces of either, all over the core. */
enum { PIECES = 7, PIECE = 64 << 10, PAGE = 4 << 10 };

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
 * How many readings of a piece it takes to enter it, next to one that is entered: the first one of a table of pages
 * takes more, or, where the system's cache has huge pages, enters all that is measured here. Of what is read the best
 * time counts and of what is entered the usual one. Infinite: the core is so small that it does not matter.
 */
static double readings_to_enter(const struct walk_image *image)
{
    uint8_t buffer[PIECE];
    uint64_t enter[PIECES], read = UINT64_MAX;
    const size_t distance = image->core.size / (2 * PIECES + 1) / PIECE * PIECE;
    if (distance < 2 * PIECE)
        return INFINITY;
    for (size_t i = 0; i < PIECES; i++) {
        const uint8_t *piece = image->core.data + distance * (2 * i + 2);
        uint64_t took = time_to_read(image, distance * (2 * i + 1), buffer);
        read = took < read ? took : read;
        (void)time_to_enter(piece);
        enter[i] = time_to_enter(piece + PIECE);
    }
    qsort(enter, PIECES, sizeof *enter, by_length);
    return (double)enter[PIECES / 2] / ((double)read + 1);
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

bool walk_mapping_pays(struct walk_image *image, unsigned reads)
{
    if (image->reading != WALK_READING_ANY || !image->core.data)
        return image->reading == WALK_READING_MAPPING;
    if (!image->core.entering) {
        image->core.on_disk = !is_in_memory(image);
        image->core.entering = image->core.on_disk ? 0 : readings_to_enter(image);
    }
    return !image->core.on_disk && image->core.entering < reads;
}

void walk_mapping_fetch(const struct walk_image *image, const uint8_t *data, size_t size)
{
    if (!image->core.on_disk || !size)
        return;
    (void)*(const volatile uint8_t *)data;
    (void)*(const volatile uint8_t *)(data + size - 1);
}
