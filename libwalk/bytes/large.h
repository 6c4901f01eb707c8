/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_LARGE_H
#define WALK_BYTES_LARGE_H

/*
 * Arrays of megabytes. Most of what it costs to fill them for the first time are the page faults, above all where this
 * process is in a virtual machine: they are put on huge pages where the system has some to give.
 */

#include <stddef.h>

enum { WALK_HUGE_PAGE = 2 << 20 };

/* Uninitialised; to be freed by free(). NULL: no memory. Never for 0 bytes. */
void *walk_large_new(size_t items, size_t size);

#endif
