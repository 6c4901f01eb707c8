/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct walk_error {
    enum walk_error_code code;
    char message[];
};

/* What there is when there is no memory to say it with. It is never written, never freed; its text is in
 * walk_error_message(). */
static const struct walk_error no_memory = {.code = WALK_ERROR_MEMORY};

struct walk_error *walk_error_no_memory(void) { return (struct walk_error *)&no_memory; }

/* Paths and names of the target are in messages: a message is one line, and no terminal obeys it. */
static void make_plain(char *message)
{
    for (unsigned char *c = (unsigned char *)message; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static struct walk_error *make(enum walk_error_code code, const char *format, va_list args, const char *tail)
{
    va_list again;
    va_copy(again, args);
    int head = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (head < 0)
        return walk_error_no_memory();
    size_t tail_length = tail ? strlen(tail) + 2 : 0;
    struct walk_error *error = malloc(sizeof *error + (size_t)head + tail_length + 1);
    if (!error)
        return walk_error_no_memory();
    error->code = code;
    vsnprintf(error->message, (size_t)head + 1, format, args);
    if (tail)
        sprintf(error->message + head, ": %s", tail);
    make_plain(error->message);
    return error;
}

struct walk_error *walk_error_new(enum walk_error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct walk_error *error = make(code, format, args, NULL);
    va_end(args);
    return error;
}

struct walk_error *walk_error_context(struct walk_error *error, const char *format, ...)
{
    if (!error || error == &no_memory)
        return error;
    va_list args;
    va_start(args, format);
    struct walk_error *outer = make(error->code, format, args, error->message);
    va_end(args);
    walk_error_free(error);
    return outer;
}

const char *walk_error_message(const struct walk_error *error)
{
    return error == &no_memory ? "out of memory" : error->message;
}

enum walk_error_code walk_error_code(const struct walk_error *error) { return error->code; }

void walk_error_free(struct walk_error *error)
{
    if (error != &no_memory)
        free(error);
}
