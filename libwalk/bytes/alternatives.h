/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_ALTERNATIVES_H
#define WALK_BYTES_ALTERNATIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Whether a name, which has no '|', is one of "a|b|c" (NULL: there are none). Compared where they stand: every type
 * that is met asks that of every kind, every function that is bound of every native.
 */
static inline bool walk_is_alternative(const char *alternatives, const char *name, size_t length)
{
    for (; alternatives; alternatives = strchr(alternatives, '|')) {
        alternatives += *alternatives == '|';
        if (*alternatives == *name && strncmp(alternatives, name, length) == 0 &&
            (!alternatives[length] || alternatives[length] == '|'))
            return true;
    }
    return false;
}

#endif
