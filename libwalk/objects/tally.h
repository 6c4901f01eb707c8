/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TALLY_H
#define WALK_OBJECTS_TALLY_H

#include "objects/python.h"

/* Of the tracked objects of one class. */
struct walk_tally {
    size_t count;
    uint64_t size; /* bytes, of those whose ob_type is a type */
};

/*
 * Counts the tracked objects from `first` on, which are in order of address, by their class; `tallies` has
 * python->classes.count of them, and is added to.
 */
struct walk_error *walk_tally(struct walk_python *python, size_t first, size_t count, struct walk_tally *tallies);

#endif
