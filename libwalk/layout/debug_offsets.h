/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_DEBUG_OFFSETS_H
#define WALK_LAYOUT_DEBUG_OFFSETS_H

/* _Py_DebugOffsets (3.13+): what the target says of its own layout. Bytes of the target: hostile until checked. */

#include "layout/layout.h"

struct walk_debug_offsets {
    uint32_t version; /* PY_VERSION_HEX; 0: there is no table at _PyRuntime */
    bool free_threaded;
};

/* What every minor version has at the same place. */
void walk_debug_offsets_head(struct walk_memory *memory, walk_addr runtime, struct walk_debug_offsets *head);

/*
 * Reads the words in the order that `order` knows into `said`, which has nothing else. False: there is no table, its
 * order is not known, or its words make no sense in it; then `said` is not to be used.
 */
bool walk_debug_offsets_read(struct walk_memory *memory, walk_addr runtime, const struct walk_layout *order,
                             struct walk_layout *said);

#endif
