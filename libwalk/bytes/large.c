/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
/* Below this the rest of the last huge page would be too much of the whole. */
#define LARGE (HUGE_PAGE / 2)

static void *large(size_t size)
{
    void *memory;
    size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    if (posix_memalign(&memory, HUGE_PAGE, size) != 0)
        return NULL;
    madvise(memory, size, MADV_HUGEPAGE); /* where there are none, small ones do */
    return memory;
}

void *walk_large_new(size_t count, size_t item)
{
    if (count > (SIZE_MAX - HUGE_PAGE) / item)
        return NULL;
    return count * item < LARGE ? malloc(count ? count * item : 1) : large(count * item);
}

void *walk_large_alloc(size_t count, size_t item)
{
    void *memory = walk_large_new(count, item);
    if (memory)
        memset(memory, 0, count * item);
    return memory;
}
