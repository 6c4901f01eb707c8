/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

#include <stddef.h>

/* Whether a sanitizer watches what is written behind the end: then all memory is that of malloc(), each piece alone. */
#ifdef __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define WALK_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WALK_SANITIZED 1
#endif
#ifndef WALK_SANITIZED
#define WALK_SANITIZED 0
#endif

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
