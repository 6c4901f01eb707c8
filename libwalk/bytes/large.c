/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/large.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE ((size_t)64 << 10) /* no kernel has larger ones */

/* Below this to clear the rest of the huge page would take longer than the small ones. */
#define LARGE (WALK_SANITIZED ? SIZE_MAX : HUGE_PAGE / 8)

/* Stands in front of the memory. */
struct head {
    alignas(max_align_t) size_t pages; /* huge ones; 0: it is of malloc() */
    size_t moved;                      /* how many of them at most were moved here */
    struct walk_stock *stock;          /* NULL: none */
    uint8_t *settled;                  /* of each page: whether it is what it stays; NULL: all are */
    bool gap;                          /* the system has taken a page away */
    struct head *next;                 /* of what is kept */
};

/*
 * The system has each page that is moved as a mapping of its own, and parts what it is moved into. Of 65530 mappings,
 * which a process may have, a stock takes a quarter at most.
 */
enum { MOVED_MAX = 1 << 13 };
struct walk_stock {
    pthread_mutex_t lock;
    bool keeps, closed;
    size_t arrays;     /* of it, with those that are kept */
    size_t moved;      /* pages, of all of them */
    struct head *kept; /* what was freed last comes first */
};

static uint8_t *bytes_of(struct head *head) { return (uint8_t *)(head + 1); }
static struct head *head_of(void *memory) { return (struct head *)memory - 1; }

/* ---- from and to the kernel ---- */

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

static struct head *map_pages(struct walk_stock *stock, size_t pages)
{
    uint8_t *memory = map(PAGE + pages * HUGE_PAGE);
    if (!memory)
        return NULL;
    madvise(memory + PAGE, pages * HUGE_PAGE, MADV_HUGEPAGE); /* where there are none, small ones do */
    struct head *head = head_of(memory + PAGE);
    *head = (struct head){.pages = pages, .stock = stock};
    return head;
}

static void unmap(struct head *head) { munmap(bytes_of(head) - PAGE, PAGE + head->pages * HUGE_PAGE); }

/* ---- a stock: all with its lock ---- */

/* Of an array that is not kept. */
static void give_up(struct walk_stock *stock, struct head *head)
{
    stock->arrays--;
    stock->moved -= head->moved;
    unmap(head);
}

static void give_up_all(struct walk_stock *stock)
{
    while (stock->kept) {
        struct head *head = stock->kept;
        stock->kept = head->next;
        give_up(stock, head);
    }
}

/* An array of just so many pages that is kept; NULL: there is none. */
static struct head *take_whole(struct walk_stock *stock, size_t pages)
{
    for (struct head **at = &stock->kept; *at; at = &(*at)->next)
        if ((*at)->pages == pages) {
            struct head *head = *at;
            *at = head->next;
            return head;
        }
    return NULL;
}

/* The last page of what was kept last is not there any more. */
static void drop_page(struct walk_stock *stock)
{
    struct head *head = stock->kept;
    head->pages--;
    if (head->moved > head->pages) {
        head->moved--;
        stock->moved--;
    }
    if (!head->pages) {
        stock->kept = head->next;
        give_up(stock, head);
    }
}

/*
 * Lets a page of what is kept be that one, which nobody has touched. If the system does not move it, it may have taken
 * away what was there; false: there is a gap.
 */
static bool move_page(struct walk_stock *stock, struct head *to, size_t number)
{
    struct head *from = stock->kept;
    if (!from || stock->moved == MOVED_MAX)
        return true;
    uint8_t *page = bytes_of(from) + (from->pages - 1) * HUGE_PAGE, *place = bytes_of(to) + number * HUGE_PAGE;
    if (mremap(page, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED)
        return !(to->gap = mmap(place, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                                0) == MAP_FAILED);
    to->moved++;
    stock->moved++;
    drop_page(stock);
    return true;
}

/* `later`: its pages are moved when they are filled. */
static struct head *make(struct walk_stock *stock, size_t pages, bool later)
{
    struct head *head = take_whole(stock, pages);
    if (head || !(head = map_pages(stock, pages)))
        return head;
    stock->arrays++;
    if (later)
        head->settled = calloc(pages, 1); /* without it they are what the kernel gives */
    for (size_t i = 0; !later && i < pages; i++)
        if (!move_page(stock, head, i)) {
            give_up(stock, head);
            return NULL;
        }
    return head;
}

/* ---- stocks ---- */

struct walk_stock *walk_stock_open(void)
{
    struct walk_stock *stock = calloc(1, sizeof *stock);
    if (stock && pthread_mutex_init(&stock->lock, NULL) == 0)
        return stock;
    free(stock);
    return NULL;
}

static void lock(struct walk_stock *stock) { pthread_mutex_lock(&stock->lock); }

/* Who is the last to need it frees it. */
static void unlock(struct walk_stock *stock)
{
    bool over = stock->closed && !stock->arrays;
    pthread_mutex_unlock(&stock->lock);
    if (!over)
        return;
    pthread_mutex_destroy(&stock->lock);
    free(stock);
}

void walk_stock_keep(struct walk_stock *stock)
{
    if (!stock)
        return;
    lock(stock);
    stock->keeps = true;
    unlock(stock);
}

static void let_go(struct walk_stock *stock, bool closed)
{
    if (!stock)
        return;
    lock(stock);
    stock->keeps = false;
    stock->closed = closed;
    give_up_all(stock);
    unlock(stock);
}

void walk_stock_let_go(struct walk_stock *stock) { let_go(stock, false); }
void walk_stock_close(struct walk_stock *stock) { let_go(stock, true); }

/* ---- arrays ---- */

static void *alloc_little(size_t size)
{
    struct head *head = malloc(sizeof *head + size);
    if (!head)
        return NULL;
    head->pages = 0;
    return head + 1;
}

static void *alloc(struct walk_stock *stock, size_t count, size_t item, bool later)
{
    struct head *head;
    if (count > (SIZE_MAX - 2 * HUGE_PAGE) / item)
        return NULL;
    if (count * item < LARGE)
        return alloc_little(count * item);
    size_t pages = (count * item + HUGE_PAGE - 1) / HUGE_PAGE;
    if (stock) {
        lock(stock);
        head = make(stock, pages, later);
        unlock(stock);
    } else {
        head = map_pages(NULL, pages);
    }
    return head ? bytes_of(head) : NULL;
}

void *walk_large_alloc(struct walk_stock *stock, size_t count, size_t item) { return alloc(stock, count, item, false); }

void *walk_large_alloc_later(struct walk_stock *stock, size_t count, size_t item)
{
    return alloc(stock, count, item, true);
}

bool walk_large_fill(void *memory, size_t from, size_t to)
{
    struct head *head = head_of(memory);
    bool whole = true;
    if (!head->pages || !head->settled || from >= to)
        return true;
    lock(head->stock);
    for (size_t i = from / HUGE_PAGE; i <= (to - 1) / HUGE_PAGE && whole; i++) {
        whole = head->settled[i] || move_page(head->stock, head, i);
        head->settled[i] = whole;
    }
    unlock(head->stock);
    return whole;
}

void *walk_large_copy(const void *items, size_t count, size_t item)
{
    void *copy = walk_large_alloc(NULL, count + 1, item);
    if (copy && count)
        memcpy(copy, items, count * item);
    return copy;
}

void walk_large_free(void *memory)
{
    if (!memory)
        return;
    struct head *head = head_of(memory);
    if (!head->pages) {
        free(head);
        return;
    }
    struct walk_stock *stock = head->stock;
    free(head->settled);
    head->settled = NULL;
    if (!stock) {
        unmap(head);
        return;
    }
    lock(stock);
    if (stock->keeps && !head->gap) {
        head->next = stock->kept;
        stock->kept = head;
    } else {
        give_up(stock, head);
    }
    unlock(stock);
}
