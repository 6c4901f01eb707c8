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

void walk_layout_clear(struct walk_layout *layout)
{
    memset(layout, 0, sizeof *layout);
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        layout->offset[i] = WALK_ABSENT;
}
