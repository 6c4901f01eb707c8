/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_LEAF_H
#define WALK_OBJECTS_LEAF_H

/*
 * Objects that refer to nothing, which more than half of a heap are: what walk_object_size() says of those of one type,
 * decided once.
 */

#include "objects/python.h"

struct walk_leaf {
    enum walk_leaf_kind { WALK_LEAF_NONE, WALK_LEAF_FIXED, WALK_LEAF_ITEMS, WALK_LEAF_INT, WALK_LEAF_STR } kind;
    uint64_t size;     /* of an object, without its items */
    uint64_t item;     /* of an item */
    uint32_t extent;   /* bytes that are looked at, from the object's address on */
    uint32_t count_at; /* where it says how many items it has */
    struct {
        uint32_t state_at, wstr_at; /* wstr_at 0: there is none */
        uint8_t plain;              /* bits of the state: ASCII that stands behind its head */
    } str;
};

/* NONE: it is not as simple. */
struct walk_leaf walk_leaf_of(struct walk_python *python, const struct walk_pytype *type);

/* False: it is not as simple, or not there; walk_object_size() knows. */
bool walk_leaf_size(const struct walk_leaf *leaf, const struct walk_python *python, walk_addr object, uint64_t *size);

#endif
