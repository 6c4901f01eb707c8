/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_MEMBERS_H
#define WALK_OBJECTS_MEMBERS_H

/*
 * What the words of objects are called whose type no table knows: by tp_members, or else by the debug information of
 * the file that has the tp_traverse. Looked up when the first label of a type is shown.
 */

#include "objects/python.h"

struct walk_members;
void walk_members_close(struct walk_members *members);

/* The name of the word at `offset` in objects of the type with this index; NULL: it has none that is known. */
const char *walk_member_name(struct walk_python *python, uint32_t type, uint64_t offset);

#endif
