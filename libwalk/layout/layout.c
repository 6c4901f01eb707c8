/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/layout.h"

const struct walk_struct_info walk_struct_table[WALK_STRUCT_COUNT] = {
#define STRUCT(id, names) {#id, names},
#define FIELD(structure, id, names)
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
};

const struct walk_field_info walk_field_table[WALK_FIELD_COUNT] = {
#define STRUCT(id, names)
#define FIELD(structure, id, names) {WALK_STRUCT_##structure, #structure "_" #id, names},
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
};

/* One entry of the array of slices is in excess (MI_SLICES_PER_SEGMENT + 1). */
uint64_t walk_layout_segment_slices(const struct walk_layout *layout)
{
    uint32_t size = WALK_SIZE(layout, mi_segment), slice = WALK_SIZE(layout, mi_page);
    if (!slice || !WALK_HAS(layout, mi_segment, slices) || size < WALK_OFFSET(layout, mi_segment, slices) + 2 * slice)
        return 0;
    uint64_t slices = (size - WALK_OFFSET(layout, mi_segment, slices)) / slice - 1;
    return slices & (slices - 1) ? 0 : slices;
}

/* They end with the heap, or before the member that stands behind them in 3.13. */
uint32_t walk_layout_heap_queues(const struct walk_layout *layout)
{
    uint32_t first = WALK_OFFSET(layout, mi_heap, pages), end = WALK_SIZE(layout, mi_heap);
    if (WALK_HAS(layout, mi_heap, delayed_free) && WALK_OFFSET(layout, mi_heap, delayed_free) > first)
        end = WALK_OFFSET(layout, mi_heap, delayed_free);
    return WALK_SIZE(layout, mi_queue) && end > first ? (end - first) / WALK_SIZE(layout, mi_queue) : 0;
}

void walk_layout_clear(struct walk_layout *layout)
{
    memset(layout, 0, sizeof *layout);
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        layout->offset[i] = WALK_ABSENT;
}
