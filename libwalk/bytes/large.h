/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

#include <stddef.h>

/*
 * Memory for arrays that may have millions of items: what is large is asked for in huge pages, for to make the small
 * ones one by one takes longer than to fill them. As malloc() does, it says nothing of the bytes; freed with free().
 */
void *walk_large_alloc(size_t count, size_t item);

#endif
