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

/* ---- a stock ---- */

/* The system has each page that is moved as a mapping of its own, of which a process may have 65530. */
enum { STOCK_MAX = 1 << 13 };

bool walk_stock_open(struct walk_stock *stock)
{
    *stock = (struct walk_stock){.count = 0};
    return pthread_mutex_init(&stock->lock, NULL) == 0;
}

void walk_stock_close(struct walk_stock *stock)
{
    for (size_t i = 0; i < stock->count; i++)
        munmap(stock->page[i], HUGE_PAGE);
    free(stock->page);
    pthread_mutex_destroy(&stock->lock);
    *stock = (struct walk_stock){.count = 0};
}

void walk_stock_limit(struct walk_stock *stock, uint64_t bytes)
{
    size_t pages = bytes / HUGE_PAGE < STOCK_MAX ? (size_t)(bytes / HUGE_PAGE) : STOCK_MAX;
    if (pages > stock->capacity) {
        uint8_t **page = realloc(stock->page, pages * sizeof *page);
        stock->page = page ? page : stock->page;
        stock->capacity = page ? pages : stock->capacity;
    }
    stock->limit = pages < stock->capacity ? pages : stock->capacity;
}

void walk_stock_give(struct walk_stock *stock, void *memory)
{
    union head *head = memory ? (union head *)memory - 1 : NULL;
    if (!stock || !head || !head->mapped) {
        walk_large_free(memory);
        return;
    }
    uint8_t *page = memory, *end = page + (head->mapped - PAGE);
    munmap(page - PAGE, PAGE);
    pthread_mutex_lock(&stock->lock);
    while (page < end && stock->count < stock->limit) {
        stock->page[stock->count++] = page;
        page += HUGE_PAGE;
    }
    pthread_mutex_unlock(&stock->lock);
    if (page < end)
        munmap(page, (size_t)(end - page));
}

/*
 * Moves pages of the stock to where nothing has been written yet. If the system does not move one, it may have taken
 * away what was there. False: there is a gap.
 */
static bool put_pages(struct walk_stock *stock, uint8_t *to, size_t size)
{
    for (; size && stock->count; to += HUGE_PAGE, size -= HUGE_PAGE) {
        uint8_t *page = stock->page[stock->count - 1];
        if (mremap(page, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
            return mmap(to, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
                   MAP_FAILED;
        stock->count--;
    }
    return true;
}

void *walk_stock_alloc(struct walk_stock *stock, size_t count, size_t item)
{
    uint8_t *memory = walk_large_alloc(count, item);
    const union head *head = memory ? (const union head *)(const void *)memory - 1 : NULL;
    if (!stock || !head || !head->mapped)
        return memory;
    pthread_mutex_lock(&stock->lock);
    bool whole = put_pages(stock, memory, head->mapped - PAGE);
    pthread_mutex_unlock(&stock->lock);
    if (whole)
        return memory;
    walk_large_free(memory);
    return NULL;
}
