/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Below this the rest of the last huge page would be too much of the whole. */
enum { LEAST = WALK_HUGE_PAGE / 2 };

void *walk_large_new(size_t items, size_t size)
{
    void *array;
    if (items > (SIZE_MAX - WALK_HUGE_PAGE) / size)
        return NULL;
    size *= items;
    if (size < LEAST)
        return malloc(size ? size : 1);
    size = (size + WALK_HUGE_PAGE - 1) / WALK_HUGE_PAGE * WALK_HUGE_PAGE;
    if (posix_memalign(&array, WALK_HUGE_PAGE, size) != 0)
        return NULL;
    (void)madvise(array, size, MADV_HUGEPAGE); /* where there are none, there are small ones */
    return array;
}
