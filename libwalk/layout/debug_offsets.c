/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/debug_offsets.h"

/* Larger than any structure: the runtime of 3.12 has 460 KB. */
#define SIZE_LIMIT ((uint64_t)16 << 20)

static const struct {
    enum walk_field word;
    int field, structure; /* -1: the other one it is */
} words[] = {
#define OFFSET(structure, field, name)                                                                                 \
    {WALK_FIELD_debug_offsets_##structure##_##field, WALK_FIELD_##structure##_##field, -1},
#define SIZE(structure, name) {WALK_FIELD_debug_offsets_##structure##_size, -1, WALK_STRUCT_##structure},
#include "layout/debug_offsets.def"
#undef OFFSET
#undef SIZE
};
enum { WORDS = sizeof words / sizeof *words };

void walk_debug_offsets_head(struct walk_memory *memory, walk_addr runtime, struct walk_debug_offsets *head)
{
    const uint8_t *view = runtime ? walk_memory_view(memory, runtime, 24) : NULL;
    *head = (struct walk_debug_offsets){0};
    /* cookie, version, free_threaded */
    if (!view || memcmp(view, "xdebugpy", 8) != 0)
        return;
    uint64_t version = walk_load_u64(view + 8), free_threaded = walk_load_u64(view + 16);
    if (version >> 24 != 3 || free_threaded > 1)
        return;
    head->version = (uint32_t)version;
    head->free_threaded = free_threaded != 0;
}

/* Members stand in structures that have room for them, and the header of an object in front of what is behind it. */
static bool makes_sense(const struct walk_layout *said, unsigned word)
{
    for (int i = 0; i < WORDS; i++) {
        if (words[i].field < 0)
            continue;
        int32_t offset = said->offset[words[i].field];
        uint32_t size = said->size[walk_field_table[words[i].field].structure];
        if (offset != WALK_ABSENT && size && (uint32_t)offset > size)
            return false;
    }
    static const enum walk_struct objects[] = {WALK_STRUCT_type,  WALK_STRUCT_tuple, WALK_STRUCT_list,
                                               WALK_STRUCT_dict,  WALK_STRUCT_float, WALK_STRUCT_int,
                                               WALK_STRUCT_bytes, WALK_STRUCT_code};
    uint32_t head = WALK_SIZE(said, object);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (said->size[objects[i]] <= head)
            return false;
    return WALK_HAS(said, object, ob_type) && WALK_OFFSET(said, object, ob_type) + word == head && head <= 8 * word &&
           WALK_OFFSET(said, var_object, ob_size) == head && WALK_OFFSET(said, type, tp_name) == head + word;
}

bool walk_debug_offsets_read(struct walk_memory *memory, walk_addr runtime, const struct walk_layout *order,
                             struct walk_layout *said)
{
    struct walk_debug_offsets head;
    walk_debug_offsets_head(memory, runtime, &head);
    uint32_t size = WALK_SIZE(order, debug_offsets);
    const uint8_t *view = head.version && size ? walk_memory_view(memory, runtime, size) : NULL;
    walk_layout_clear(said);
    for (int i = 0; view && i < WORDS; i++) {
        int32_t at = order->offset[words[i].word];
        if (at == WALK_ABSENT)
            continue;
        uint64_t value = (uint32_t)at + 8 <= size ? walk_load_u64(view + at) : SIZE_LIMIT;
        if (value >= SIZE_LIMIT)
            return false;
        if (words[i].field >= 0)
            said->offset[words[i].field] = (int32_t)value;
        else
            said->size[words[i].structure] = (uint32_t)value;
    }
    return view && makes_sense(said, memory->word);
}
