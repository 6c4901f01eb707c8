/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_STRINGS_H
#define WALK_ANSWERS_STRINGS_H

/* Many strings, each once, numbered in the order that they came in; number 0 is the empty one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk_strings {
    char *text; /* each with its NUL */
    size_t size, capacity;
    uint32_t *start;
    uint32_t count, start_capacity;
    uint32_t *slot; /* hash table of numbers + 1; a power of two long, at most half full */
    size_t slots;
    bool failed; /* no memory, or more than 4 GB of text: numbers are 0 from then on */
};

void walk_strings_deinit(struct walk_strings *strings);
uint32_t walk_strings_number(struct walk_strings *strings, const char *text);

#endif
