/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_COUNTER_H
#define WALK_OBJECTS_COUNTER_H

/* What one of several workers counts of the tracked objects, by class; and what all of them have counted. */

#include "bytes/workers.h"
#include "objects/tally.h"

struct walk_counter {
    _Alignas(WALK_APART) struct walk_classes classes; /* counted there: what the permanent generations have */
    struct walk_tally *tallies;                       /* by class: what is in the others */
    uint32_t *number;                                 /* of its classes, among those of all */
};

/* The number of a class, which has a tally then; WALK_NO_TYPE: out of memory. */
uint32_t walk_counter_enter(struct walk_counter *counter, walk_addr type);

/* Forgets what was counted, not the classes. */
void walk_counter_reset(struct walk_counter *counter);
void walk_counter_deinit(struct walk_counter *counter);

/*
 * Adds what all have counted to the classes of `python`, and makes its census, with room for `lists` of what could not
 * be measured. False: out of memory.
 */
bool walk_counters_join(struct walk_counter *counters, unsigned count, struct walk_python *python, size_t lists);

#endif
