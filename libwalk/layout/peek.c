/* SPDX-License-Identifier: Apache-2.0 */
/* Enough of CPython's objects to ask whether a layout fits them: no more than a few reads each, all of them bounded. */
#include "layout/proof.h"

/* No chain of bases that the proof follows is longer. */
enum { BASES_MAX = 16 };

bool walk_peek(const struct walk_proof *proof, walk_addr structure, enum walk_field field, uint64_t *value)
{
    int32_t offset = proof->layout->offset[field];
    return structure && offset != WALK_ABSENT &&
           walk_memory_word(proof->memory, structure + (walk_addr)(uint32_t)offset, value);
}

bool walk_peek_int(const struct walk_proof *proof, walk_addr structure, enum walk_field field, int32_t *value)
{
    int32_t offset = proof->layout->offset[field];
    const uint8_t *view = structure && offset != WALK_ABSENT
                              ? walk_memory_view(proof->memory, structure + (walk_addr)(uint32_t)offset, 4)
                              : NULL;
    *value = view ? (int32_t)walk_load_u32(view) : 0;
    return view != NULL;
}

bool walk_peek_bits(const struct walk_proof *proof, walk_addr structure, enum walk_field field, unsigned width,
                    unsigned *value)
{
    int32_t bit = proof->layout->offset[field];
    const uint8_t *view = structure && bit != WALK_ABSENT
                              ? walk_memory_view(proof->memory, structure + (walk_addr)((uint32_t)bit / 8), 1)
                              : NULL;
    *value = view ? *view >> bit % 8 & ((1u << width) - 1) : 0;
    return view != NULL;
}

static bool derives_from(const struct walk_proof *proof, walk_addr type, walk_addr base)
{
    for (int i = 0; type && i < BASES_MAX; i++) {
        if (type == base)
            return true;
        if (!PEEK(proof, type, type, tp_base, &type))
            return false;
    }
    return false;
}

bool walk_peek_is_a(const struct walk_proof *proof, walk_addr object, walk_addr type)
{
    uint64_t own;
    return object % proof->memory->word == 0 && PEEK(proof, object, object, ob_type, &own) &&
           derives_from(proof, own, type);
}

bool walk_peek_is_object(const struct walk_proof *proof, walk_addr object)
{
    uint64_t type, meta;
    return object % proof->memory->word == 0 && PEEK(proof, object, object, ob_type, &type) &&
           PEEK(proof, type, object, ob_type, &meta) && derives_from(proof, meta, proof->runtime->type_type);
}

bool walk_peek_equals(const struct walk_proof *proof, walk_addr str, const char *text)
{
    uint64_t length;
    size_t wanted = strlen(text);
    if (!PEEK(proof, str, ascii, length, &length) || length != wanted)
        return false;
    const uint8_t *data = walk_memory_view(proof->memory, str + WALK_SIZE(proof->layout, ascii), wanted);
    return data && memcmp(data, text, wanted) == 0;
}

/* Bytes per index by the size of the table, up to 3.10 (Objects/dictobject.c, DK_IXSIZE). */
static uint64_t index_width(uint64_t size)
{
    return size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
}

bool walk_peek_dict(const struct walk_proof *proof, walk_addr dict, struct walk_peek_dict *opened)
{
    const struct walk_layout *layout = proof->layout;
    unsigned word = proof->memory->word;
    uint64_t keys, values, index_bytes;
    bool with_hash = true;
    *opened = (struct walk_peek_dict){0};
    if (!PEEK(proof, dict, dict, ma_keys, &keys) || !PEEK(proof, dict, dict, ma_values, &values) ||
        !PEEK(proof, keys, dict_keys, dk_nentries, &opened->count) ||
        !PEEK(proof, keys, dict_keys, dk_usable, &opened->usable))
        return false;
    if (WALK_HAS(layout, dict_keys, dk_kind)) {
        const uint8_t *view = walk_memory_view(proof->memory, keys, WALK_SIZE(layout, dict_keys));
        if (!view)
            return false;
        uint8_t log2_size = view[WALK_OFFSET(layout, dict_keys, dk_log2_size)];
        uint8_t log2_index = view[WALK_OFFSET(layout, dict_keys, dk_log2_index_bytes)];
        uint8_t kind = view[WALK_OFFSET(layout, dict_keys, dk_kind)];
        if (log2_size > 40 || log2_index > 43 || kind > 2)
            return false;
        opened->size = (uint64_t)1 << log2_size;
        index_bytes = (uint64_t)1 << log2_index;
        with_hash = kind == 0;
    } else {
        if (!PEEK(proof, keys, dict_keys, dk_size, &opened->size) || opened->size >> 40)
            return false;
        index_bytes = opened->size * index_width(opened->size);
    }
    if (opened->count > opened->size)
        return false;
    opened->key_at = with_hash ? word : 0;
    opened->stride = opened->key_at + 2 * word;
    opened->entries = walk_memory_view(proof->memory, keys + WALK_OFFSET(layout, dict_keys, dk_indices) + index_bytes,
                                       opened->count * opened->stride);
    if (values) {
        uint32_t at = WALK_HAS(layout, dict_values, values) ? WALK_OFFSET(layout, dict_values, values) : 0;
        opened->values = walk_memory_view(proof->memory, values + at, opened->count * word);
    }
    return opened->entries && (!values || opened->values);
}

void walk_peek_entry(const struct walk_proof *proof, const struct walk_peek_dict *dict, uint64_t i, walk_addr *key,
                     walk_addr *value)
{
    unsigned word = proof->memory->word;
    const uint8_t *entry = dict->entries + i * dict->stride + dict->key_at;
    *key = walk_load_word(word, entry);
    *value = walk_load_word(word, dict->values ? dict->values + i * word : entry + word);
}

walk_addr walk_peek_get(const struct walk_proof *proof, walk_addr dict, const char *key)
{
    enum { ENTRIES_MAX = 1 << 16 };
    struct walk_peek_dict opened;
    if (!walk_peek_dict(proof, dict, &opened) || opened.count > ENTRIES_MAX)
        return 0;
    for (uint64_t i = 0; i < opened.count; i++) {
        walk_addr name, value;
        walk_peek_entry(proof, &opened, i, &name, &value);
        if (name && value && walk_peek_equals(proof, name, key))
            return value;
    }
    return 0;
}
