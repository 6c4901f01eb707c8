/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

#include <stddef.h>

/*
 * Memory for arrays that may have millions of items: what is large is asked for in huge pages, for to make the small
 * ones one by one takes longer than to fill them, and goes back to the kernel when it is freed. Nothing is said of the
 * bytes. NULL: no memory.
 */
void *walk_large_alloc(size_t count, size_t item);
/* The same, with `count` items that are copied. */
void *walk_large_copy(const void *items, size_t count, size_t item);
void walk_large_free(void *memory);

#endif
