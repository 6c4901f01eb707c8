/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_DICT_H
#define WALK_OBJECTS_DICT_H

/* The shape of a dict's tables, the same for all versions once it is opened. Source: Objects/dictobject.c. */

#include "objects/python.h"

struct walk_dict_keys {
    const uint8_t *entries; /* view of `count` entries */
    uint64_t count;         /* entries in use, deleted ones included (dk_nentries) */
    uint32_t stride;        /* bytes per entry: (hash, key, value), or (key, value) since 3.11 for str keys */
    uint32_t key_at, value_at;
    bool general;         /* keys that are not all str: tp_traverse visits the keys too */
    uint64_t size;        /* slots of the hash table (DK_SIZE) */
    uint64_t index_bytes; /* of the whole index table */
    uint64_t refcount;
};

struct walk_dict {
    struct walk_dict_keys keys;
    const uint8_t *values; /* of a split dict: one word per entry; NULL: in the entries */
    bool embedded;         /* 3.13+: the values are inside of an instance */
    walk_addr keys_address;
};

/* False: not readable or not plausible. */
bool walk_dict_keys_open(const struct walk_python *python, walk_addr keys, struct walk_dict_keys *opened);
bool walk_dict_open_keys(const struct walk_python *python, walk_addr keys, walk_addr values, struct walk_dict *opened);
bool walk_dict_open(const struct walk_python *python, walk_addr dict, struct walk_dict *opened);

/* The key and value of entry `i`; value 0: the entry is free. */
static inline void walk_dict_entry(const struct walk_python *python, const struct walk_dict *dict, uint64_t i,
                                   walk_addr *key, walk_addr *value)
{
    const uint8_t *entry = dict->keys.entries + i * dict->keys.stride;
    *key = walk_load_word(python->word, entry + dict->keys.key_at);
    *value = dict->values ? walk_load_word(python->word, dict->values + i * python->word)
                          : walk_load_word(python->word, entry + dict->keys.value_at);
}

/* The value of a str key; 0: not there. */
walk_addr walk_dict_get(const struct walk_python *python, walk_addr dict, const char *key);

/* sizeof of the keys object (_PyDict_KeysSize), bytes. */
uint64_t walk_dict_keys_size(const struct walk_python *python, const struct walk_dict_keys *keys);

/* How many entries fit (USABLE_FRACTION). */
uint64_t walk_dict_usable(uint64_t size);

#endif
