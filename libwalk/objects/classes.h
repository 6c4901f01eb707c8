/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_CLASSES_H
#define WALK_OBJECTS_CLASSES_H

/* What objects have in ob_type, each address once: numbered in the order in which they were met. */

#include "walk.h"

struct walk_class {
    walk_addr type; /* 0: of objects that are unreadable */
    size_t count;   /* objects */
    uint32_t index; /* whoever has the list uses it as it likes; in walk_python: of the type, or WALK_NO_TYPE */
};

struct walk_classes {
    struct walk_class *class;
    uint32_t count, capacity;
    uint32_t *slot; /* hash table: number + 1 */
    size_t slots;   /* a power of two, or 0 */
};

#define WALK_NO_TYPE UINT32_MAX

void walk_classes_deinit(struct walk_classes *classes);

/* False: there is no class of that type. */
bool walk_classes_find(const struct walk_classes *classes, walk_addr type, uint32_t *number);

/* The number of a type's class, which is made if there is none. False: out of memory. */
bool walk_classes_enter(struct walk_classes *classes, walk_addr type, uint32_t *number);

/* Makes those of `met` that there are not yet, in order of their types' addresses. False: out of memory. */
bool walk_classes_enter_all(struct walk_classes *classes, const struct walk_classes *met);

/* Numbers that were asked for of late; all zero is empty. */
enum { WALK_CACHED_CLASSES = 1 << 8 };
struct walk_cached_class {
    walk_addr type;
    uint32_t number;
};

/* The only place where a type can be: it may be another one's. */
static inline struct walk_cached_class *walk_cached_class(struct walk_cached_class *cache, walk_addr type)
{
    return &cache[(type >> 4 ^ type >> 12) % WALK_CACHED_CLASSES];
}

#endif
