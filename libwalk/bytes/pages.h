/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_PAGES_H
#define WALK_BYTES_PAGES_H

#include "bytes/large.h"

/*
 * Memory that is given out in pieces and freed all at once: pieces of one kind share huge pages. All zero but for the
 * stock is empty.
 */
struct walk_pages {
    struct walk_stock *stock; /* may be NULL */
    struct walk_page *last, *spare;
    uint8_t *at; /* where the next piece begins */
    size_t left; /* bytes */
};

/* Aligned for anything; says nothing of the bytes. NULL: no memory. */
void *walk_pages_take(struct walk_pages *pages, size_t size);
/* Of the piece that was taken last, of `taken` bytes, only the first `used` are needed. */
void walk_pages_give_back(struct walk_pages *pages, size_t taken, size_t used);
/* No piece is needed any more; the memory is for the next ones. */
void walk_pages_clear(struct walk_pages *pages);
void walk_pages_deinit(struct walk_pages *pages);

#endif
