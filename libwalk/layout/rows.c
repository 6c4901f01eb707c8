/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/layout.h"

#define ROW_FIELD(id, offset) [WALK_FIELD_##id] = (offset) + 1
#define ROW_SIZE(id, bytes) [WALK_STRUCT_##id] = (bytes)

const struct walk_layout_row walk_layout_rows[] = {
#include "layout/rows.inc"
    {0},
};
const size_t walk_layout_row_count = sizeof walk_layout_rows / sizeof *walk_layout_rows - 1;

void walk_layout_from_row(const struct walk_layout_row *row, struct walk_layout *layout)
{
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        layout->offset[i] = row->offset_plus_one[i] ? row->offset_plus_one[i] - 1 : WALK_ABSENT;
    memcpy(layout->size, row->size, sizeof layout->size);
}
