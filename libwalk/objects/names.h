/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_NAMES_H
#define WALK_OBJECTS_NAMES_H

/*
 * What static types are called when the file that has their names is not here: from the namespaces that they are found
 * in, and by what they offer, which is the same in all builds of a version.
 */

#include "objects/python.h"

/* NULL: it stays unknown. */
const char *walk_names_recover(struct walk_python *python, walk_addr type);

/* The kind of all types that it may be, if these are laid out alike; WALK_KIND_NONE: they are not. */
enum walk_kind_id walk_names_kind(struct walk_python *python, walk_addr type);

/*
 * A hash of what a type offers: the names in its __dict__, its sizes, its base's. Several types may have the same. 0:
 * its __dict__ cannot be read.
 */
uint32_t walk_names_print(const struct walk_python *python, walk_addr type);

void walk_names_close(struct walk_names *names);

#endif
