/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * Huge pages of arrays that are done, kept to be parts of others: what the kernel gives it clears first, which takes
 * longer than to use it. Any number of threads may give. All zero is a stock that keeps nothing.
 */
struct walk_stock {
    pthread_mutex_t lock;
    uint8_t **page;
    size_t count, capacity;
    size_t limit; /* pages that are kept at most */
};

bool walk_stock_open(struct walk_stock *stock);
void walk_stock_close(struct walk_stock *stock);
/* To keep at most so many bytes, from here on; what is kept already stays. */
void walk_stock_limit(struct walk_stock *stock, uint64_t bytes);

/* As walk_large_alloc() and walk_large_free(), which NULL stands for. */
void *walk_stock_alloc(struct walk_stock *stock, size_t count, size_t item);
void walk_stock_give(struct walk_stock *stock, void *memory);

#endif
