/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

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
 * Huge pages of arrays that are done, kept to be parts of others while somebody works whose arrays come and go: what
 * the kernel gives it clears first, which takes longer than to use it, and where the host of a virtual machine has to
 * find it, thirty times as long. At first nothing is kept. Any number of threads may use a stock at the same time;
 * arrays of it may outlive it. In place of any stock NULL is one that keeps nothing.
 */
struct walk_stock;
struct walk_stock *walk_stock_open(void); /* NULL: no memory, which does no harm */
void walk_stock_close(struct walk_stock *stock);
/* From here on pages are kept; and no more, and those that are go back to the kernel. */
void walk_stock_keep(struct walk_stock *stock);
void walk_stock_let_go(struct walk_stock *stock);

/*
 * Memory for arrays that may have millions of items: what is large is asked for in huge pages, for to make the small
 * ones one by one takes longer than to fill them, and goes back to its stock, or the kernel, when it is freed. Nothing
 * is said of the bytes. NULL: no memory.
 */
void *walk_large_alloc(struct walk_stock *stock, size_t count, size_t item);
/* The same of no stock, with `count` items that are copied. */
void *walk_large_copy(const void *items, size_t count, size_t item);
void walk_large_free(void *memory);

/*
 * As walk_large_alloc(), of an array that is written bit by bit, while others are freed bit by bit: pages that are kept
 * become parts of it when walk_large_fill() says which bytes are about to be written: each of them, by whoever writes
 * it, before it is touched. False: no memory.
 */
void *walk_large_alloc_later(struct walk_stock *stock, size_t count, size_t item);
bool walk_large_fill(void *memory, size_t from, size_t to);

#endif
