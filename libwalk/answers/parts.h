/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_PARTS_H
#define WALK_ANSWERS_PARTS_H

/* What the answers about parts of a heap share. */

#include "answers/heap.h"
#include "graph/members.h"

/* `part` may be NULL. */
struct walk_error *walk_part_open(const struct walk_heap *heap, const struct walk_heap_part *part,
                                  struct walk_members *members);

/* Room for `count` ids; the list says 0. NULL: no memory. */
struct walk_ids *walk_ids_new(size_t count);

/* Adds a flag for each of walk_heap_type_count() types that is called `name`, as in walk_heap_find(). */
void walk_types_called(const struct walk_heap *heap, const char *name, uint8_t *wanted);

/* The index of a node's type, and its bytes. */
uint32_t walk_node_type(const struct walk_heap *heap, walk_id id);
uint64_t walk_node_size(const struct walk_heap *heap, walk_id id);

#endif
