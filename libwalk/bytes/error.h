/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_ERROR_H
#define WALK_BYTES_ERROR_H

#include "walk.h"

/* printf-like. Never returns NULL: without memory it is the static out-of-memory error. */
struct walk_error *walk_error_new(enum walk_error_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same error with "context: " in front of its message. NULL stays NULL, so calls can be wrapped. */
struct walk_error *walk_error_context(struct walk_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct walk_error *walk_error_no_memory(void);

#endif
