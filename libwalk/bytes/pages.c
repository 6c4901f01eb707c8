/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/pages.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>

struct walk_page {
    struct walk_page *before;
    uint8_t *bytes;
    size_t size;
};

enum { PAGE = 2 << 20, ALIGNMENT = alignof(max_align_t) };

static struct walk_page *new_page(struct walk_stock *stock, size_t size)
{
    struct walk_page *page = malloc(sizeof *page);
    if (!page || !(page->bytes = walk_large_alloc(stock, size, 1))) {
        free(page);
        return NULL;
    }
    page->size = size;
    return page;
}

static void move(struct walk_page **from, struct walk_page **to)
{
    struct walk_page *page = *from;
    *from = page->before;
    page->before = *to;
    *to = page;
}

static bool add_page(struct walk_pages *pages, size_t size)
{
    struct walk_page *made = NULL;
    struct walk_page **from = pages->spare && pages->spare->size >= size ? &pages->spare : &made;
    if (from == &made && !(made = new_page(pages->stock, size)))
        return false;
    if (made)
        made->before = NULL;
    move(from, &pages->last);
    pages->at = pages->last->bytes;
    pages->left = pages->last->size;
    return true;
}

/* As pieces follow each other. */
static size_t rounded(size_t size) { return (size + !size + ALIGNMENT - 1) & ~((size_t)ALIGNMENT - 1); }

void *walk_pages_take(struct walk_pages *pages, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = rounded(size);
    if (size > pages->left && !add_page(pages, size < PAGE && !WALK_SANITIZED ? PAGE : size))
        return NULL;
    void *piece = pages->at;
    pages->at += size;
    pages->left -= size;
    return piece;
}

void walk_pages_give_back(struct walk_pages *pages, size_t taken, size_t used)
{
    size_t back = rounded(taken) - rounded(used);
    pages->at -= back;
    pages->left += back;
}

void walk_pages_clear(struct walk_pages *pages)
{
    while (pages->last)
        move(&pages->last, &pages->spare);
    pages->left = 0;
}

void walk_pages_deinit(struct walk_pages *pages)
{
    walk_pages_clear(pages);
    for (struct walk_page *page = pages->spare, *before; page; page = before) {
        before = page->before;
        walk_large_free(page->bytes);
        free(page);
    }
    *pages = (struct walk_pages){0};
}
