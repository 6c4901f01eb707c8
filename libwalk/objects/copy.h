/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_COPY_H
#define WALK_OBJECTS_COPY_H

/* A small structure of the target, copied: a link of a chain, which may stand anywhere (walk_window_peek()). */

#include "bytes/window.h"
#include "objects/python.h"

enum { WALK_COPY_MAX = 128 };
struct walk_copy {
    uint32_t size; /* 0: it cannot be read, or has more than WALK_COPY_MAX bytes */
    uint8_t bytes[WALK_COPY_MAX];
};

/* `size`: of the structure. */
static inline void walk_copy_read(const struct walk_python *python, walk_addr address, uint32_t size,
                                  struct walk_copy *copy)
{
    bool good = size <= WALK_COPY_MAX && walk_window_peek(python->runtime->image, address, size, copy->bytes);
    copy->size = good ? size : 0;
}

/* A word member; 0 when it is absent or could not be read, as walk_python_member() has it. */
static inline uint64_t walk_copy_word(const struct walk_python *python, const struct walk_copy *copy,
                                      enum walk_field field)
{
    int32_t offset = python->layout->offset[field];
    if (offset == WALK_ABSENT || copy->size < python->word || (uint32_t)offset > copy->size - python->word)
        return 0;
    return walk_load_word(python->word, copy->bytes + offset);
}
#define WALK_COPIED(python, copy, structure, field) walk_copy_word(python, copy, WALK_FIELD_##structure##_##field)

#endif
