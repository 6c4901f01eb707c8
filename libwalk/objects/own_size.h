/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_OWN_SIZE_H
#define WALK_OBJECTS_OWN_SIZE_H

/*
 * The size of objects that one word of theirs tells, which nearly all of a heap are: what walk_object_size() says of
 * those of one type, decided once.
 */

#include "objects/python.h"

struct walk_own_size {
    enum walk_own_kind {
        WALK_OWN_NONE,
        WALK_OWN_KEYS,  /* `size`, and that of the keys of a dict, which these words do not tell */
        WALK_OWN_FIXED, /* as ITEMS, of no bytes: which of both an object is no processor can foresee */
        WALK_OWN_ITEMS,
        WALK_OWN_INT,
        WALK_OWN_STR
    } kind;
    uint32_t item;     /* bytes of an item */
    uint64_t size;     /* of an object, without its items */
    uint16_t extent;   /* bytes that are looked at, from the object's address on */
    uint16_t count_at; /* where it says how many items it has */
    struct {
        uint16_t state_at, wstr_at; /* wstr_at 0: there is none */
        uint8_t plain;              /* bits of the state: ASCII that stands behind its head */
    } str;
};

/* NONE: it is not as simple. */
struct walk_own_size walk_own_size_of(struct walk_python *python, const struct walk_pytype *type);

/* For walk_own_size_at(): of an int, whose digits must be there. */
bool walk_own_size_of_int(const struct walk_own_size *own, const struct walk_python *python, const uint8_t *view,
                          uint64_t *size);

/* For it too: whether its characters are all that a str has; as str_size() of size.c. */
static inline bool walk_own_str_is_plain(const struct walk_own_size *own, const uint8_t *view)
{
    return (view[own->str.state_at] & own->str.plain) == own->str.plain &&
           !(own->str.wstr_at && walk_load_u64(view + own->str.wstr_at));
}

/* Of the object whose bytes are at `view`, `room` of them. False: it is not as simple, or not there. */
static inline bool walk_own_size_at(const struct walk_own_size *own, const struct walk_python *python,
                                    const uint8_t *view, size_t room, uint64_t *size)
{
    *size = own->size;
    if (own->kind < WALK_OWN_FIXED || room < own->extent)
        return false;
    if (own->kind == WALK_OWN_INT)
        return walk_own_size_of_int(own, python, view, size);
    if (own->kind == WALK_OWN_STR && !walk_own_str_is_plain(own, view))
        return false;
    int64_t count = (int64_t)walk_load_u64(view + own->count_at);
    *size += (uint64_t)count * own->item;
    return count >= 0 || !own->item;
}

/* The same of an object in the memory; walk_object_size() knows what this does not. */
static inline bool walk_own_size(const struct walk_own_size *own, const struct walk_python *python, walk_addr object,
                                 uint64_t *size)
{
    const uint8_t *view = own->kind > WALK_OWN_FIXED ? walk_memory_view(python->memory, object, own->extent) : NULL;
    *size = own->size;
    return view ? walk_own_size_at(own, python, view, own->extent, size) : own->kind == WALK_OWN_FIXED;
}

#endif
