/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_SIZE_H
#define WALK_OBJECTS_SIZE_H

#include "objects/python.h"

/* What sys.getsizeof() returns, bytes: exact for builtin types; tp_basicsize and items for others. */
uint64_t walk_object_size(struct walk_python *python, walk_addr object, uint32_t type);

#endif
