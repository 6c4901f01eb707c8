/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/large.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE ((size_t)64 << 10) /* no kernel has larger ones */

/* Below this the rest of the last huge page would be too much of the whole. */
#define LARGE (WALK_SANITIZED ? SIZE_MAX : HUGE_PAGE / 4)

/* Stands in front of the memory. */
union head {
    size_t mapped; /* bytes from PAGE in front of the memory on; 0: it is of malloc() */
    max_align_t align;
};

/* Its second page is the first one of a huge page; NULL: no memory. */
static uint8_t *map(size_t size)
{
    size_t room = size + HUGE_PAGE;
    uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (before)
        munmap(memory, before);
    munmap(memory + before + size, room - before - size);
    return memory + before;
}

void *walk_large_alloc(size_t count, size_t item)
{
    if (count > (SIZE_MAX - 2 * HUGE_PAGE) / item)
        return NULL;
    size_t size = count * item;
    union head *head;
    if (size < LARGE) {
        head = malloc(sizeof *head + size);
        if (!head)
            return NULL;
        head->mapped = 0;
        return head + 1;
    }
    size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uint8_t *memory = map(PAGE + size);
    if (!memory)
        return NULL;
    madvise(memory + PAGE, size, MADV_HUGEPAGE); /* where there are none, small ones do */
    head = (union head *)(void *)(memory + PAGE) - 1;
    head->mapped = PAGE + size;
    return memory + PAGE;
}

void *walk_large_copy(const void *items, size_t count, size_t item)
{
    void *copy = walk_large_alloc(count + 1, item);
    if (copy && count)
        memcpy(copy, items, count * item);
    return copy;
}

void walk_large_free(void *memory)
{
    if (!memory)
        return;
    union head *head = (union head *)memory - 1;
    if (head->mapped)
        munmap((uint8_t *)memory - PAGE, head->mapped);
    else
        free(head);
}
