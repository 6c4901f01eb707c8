/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SIZE_H
#define WALK_OBJECTS_SIZE_H

#include "objects/dict.h"

/* What sys.getsizeof() returns, bytes: exact for builtin types; tp_basicsize and items for others. */
uint64_t walk_object_size(struct walk_python *python, walk_addr object, uint32_t type);

/*
 * What must be read for the size of an object of a type: nothing, the object (and a few others), the object and the
 * keys of a dict, or what only walk_object_size() does, which may learn of further types.
 */
enum walk_sizing { WALK_SIZE_TYPE, WALK_SIZE_OBJECT, WALK_SIZE_KEYS, WALK_SIZE_ALONE };
enum walk_sizing walk_size_needs(const struct walk_pytype *type);
/* Whether it is what object.__sizeof__ says, and what stands in front of the object. */
bool walk_size_is_plain(const struct walk_pytype *type);

/*
 * The same size in two parts, for who reads the memory in order of address: what the object says (of all but ALONE, and
 * `python` is only read), and what the keys of a dict say, opened or not.
 */
struct walk_size_keys {
    walk_addr keys, values; /* ma_keys and ma_values; keys 0: there is no second part */
};
uint64_t walk_size_but_keys(struct walk_python *python, walk_addr object, const struct walk_pytype *type,
                            struct walk_size_keys *keys);
uint64_t walk_size_of_dict(const struct walk_python *python, const struct walk_dict *opened);
uint64_t walk_size_of_keys(const struct walk_python *python, const struct walk_size_keys *dict);

#endif
