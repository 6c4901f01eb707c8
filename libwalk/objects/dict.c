/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/dict.h"

#include "objects/text.h"

/* 2^40 entries are more than any process has. */
#define ENTRIES_MAX ((uint64_t)1 << 40)

uint64_t walk_dict_usable(uint64_t size) { return (size << 1) / 3; }

/* Bytes per index by the size of the table, up to 3.10 (DK_IXSIZE). */
static uint64_t index_width(uint64_t size)
{
    return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

bool walk_dict_keys_open(const struct walk_python *python, walk_addr keys, struct walk_dict_keys *opened)
{
    const struct walk_layout *layout = python->layout;
    const uint8_t *view = walk_memory_view(python->memory, keys, WALK_SIZE(layout, dict_keys));
    if (!view)
        return false;
    unsigned word = python->word;
    *opened = (struct walk_dict_keys){.refcount = WALK_WORD(python, view, dict_keys, dk_refcnt),
                                      .count = WALK_WORD(python, view, dict_keys, dk_nentries)};
    bool with_hash = true;
    if (WALK_HAS(layout, dict_keys, dk_kind)) {
        uint8_t log2_size = view[WALK_OFFSET(layout, dict_keys, dk_log2_size)];
        uint8_t log2_index = view[WALK_OFFSET(layout, dict_keys, dk_log2_index_bytes)];
        if (log2_size > 48 || log2_index > 50)
            return false;
        opened->size = (uint64_t)1 << log2_size;
        opened->index_bytes = (uint64_t)1 << log2_index;
        opened->general = with_hash = view[WALK_OFFSET(layout, dict_keys, dk_kind)] == 0;
    } else {
        opened->size = WALK_WORD(python, view, dict_keys, dk_size);
        opened->general = WALK_WORD(python, view, dict_keys, dk_lookup) == python->lookdict;
        if (opened->size > ENTRIES_MAX)
            return false;
        opened->index_bytes = opened->size * index_width(opened->size);
    }
    if (opened->count > opened->size)
        return false;
    opened->key_at = with_hash ? word : 0;
    opened->value_at = opened->key_at + word;
    opened->stride = opened->value_at + word;
    opened->entries =
        walk_memory_view(python->memory, keys + WALK_OFFSET(layout, dict_keys, dk_indices) + opened->index_bytes,
                         opened->count * opened->stride);
    return opened->entries != NULL;
}

bool walk_dict_open_keys(const struct walk_python *python, walk_addr keys, walk_addr values, struct walk_dict *opened)
{
    const struct walk_layout *layout = python->layout;
    *opened = (struct walk_dict){.keys_address = keys};
    if (!walk_dict_keys_open(python, keys, &opened->keys))
        return false;
    if (!values)
        return true;
    uint32_t at = WALK_HAS(layout, dict_values, values) ? WALK_OFFSET(layout, dict_values, values) : 0;
    if (WALK_HAS(layout, dict_values, embedded)) {
        const uint8_t *flag = walk_memory_view(python->memory, values + WALK_OFFSET(layout, dict_values, embedded), 1);
        opened->embedded = flag && *flag;
    }
    opened->values = walk_memory_view(python->memory, values + at, opened->keys.count * python->word);
    return opened->values != NULL;
}

bool walk_dict_open(const struct walk_python *python, walk_addr dict, struct walk_dict *opened)
{
    const uint8_t *view = walk_memory_view(python->memory, dict, WALK_SIZE(python->layout, dict));
    return view && walk_dict_open_keys(python, WALK_WORD(python, view, dict, ma_keys),
                                       WALK_WORD(python, view, dict, ma_values), opened);
}

walk_addr walk_dict_get(const struct walk_python *python, walk_addr dict, const char *key)
{
    struct walk_dict opened;
    if (!dict || !walk_dict_open(python, dict, &opened))
        return 0;
    for (uint64_t i = 0; i < opened.keys.count; i++) {
        walk_addr name, value;
        walk_dict_entry(python, &opened, i, &name, &value);
        if (name && value && walk_text_equals(python, name, key))
            return value;
    }
    return 0;
}

uint64_t walk_dict_keys_size(const struct walk_python *python, const struct walk_dict_keys *keys)
{
    return WALK_SIZE(python->layout, dict_keys) + keys->index_bytes + walk_dict_usable(keys->size) * keys->stride;
}
