/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
/* Below this the rest of the last huge page would be too much of the whole. */
#define LARGE (HUGE_PAGE / 4)

void *walk_large_alloc(size_t count, size_t item)
{
    if (count > (SIZE_MAX - HUGE_PAGE) / item)
        return NULL;
    size_t size = (count * item + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    if (count * item < LARGE)
        return malloc(count ? count * item : 1);
    void *memory = aligned_alloc(HUGE_PAGE, size);
    if (!memory)
        return NULL;
    madvise(memory, size, MADV_HUGEPAGE); /* where there are none, small ones do */
    return memory;
}
