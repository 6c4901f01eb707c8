/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/pages.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>

#include "bytes/large.h"

struct walk_page {
    struct walk_page *before;
    uint8_t *bytes;
};

enum { PAGE = 2 << 20, ALIGNMENT = alignof(max_align_t) };

static bool add_page(struct walk_pages *pages, size_t size)
{
    struct walk_page *page = malloc(sizeof *page);
    if (!page || !(page->bytes = walk_large_alloc(size, 1))) {
        free(page);
        return false;
    }
    page->before = pages->last;
    pages->last = page;
    pages->at = page->bytes;
    pages->left = size;
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

void walk_pages_deinit(struct walk_pages *pages)
{
    for (struct walk_page *page = pages->last, *before; page; page = before) {
        before = page->before;
        walk_large_free(page->bytes);
        free(page);
    }
    *pages = (struct walk_pages){0};
}
