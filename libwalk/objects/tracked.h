/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TRACKED_H
#define WALK_OBJECTS_TRACKED_H

/* How the objects are found that the collector tracks: on its lists, or among the blocks of the allocator. */

#include "objects/measure.h"

struct walk_found {
    walk_addr *address;
    size_t count, capacity;
};

struct walk_tracked {
    struct walk_found generations, permanent; /* permanent: set aside by gc.freeze() */
    size_t most;                              /* objects: whoever finds more stops */
    bool stopped;
};

/* False: out of memory. */
bool walk_found_push(struct walk_found *found, walk_addr address);

/*
 * Each adds what it finds, each object once in undamaged memory, and counts in python->broken_lists what could not be
 * followed to its end. False: out of memory.
 */
bool walk_tracked_on_lists(struct walk_python *python, struct walk_tracked *tracked); /* collector.c */
bool walk_tracked_in_heaps(struct walk_python *python, struct walk_tracked *tracked); /* mimalloc.c */

/* What walk_python.tracked is to be made of, when somebody wants it: the first member of what does it. */
struct walk_unlisted {
    bool (*list)(struct walk_unlisted *unlisted); /* fills it, and tracked_class; false: no memory */
    void (*types)(const struct walk_unlisted *unlisted, void (*each)(void *context, walk_addr type), void *context);
    void (*close)(struct walk_unlisted *unlisted);
};

/* Makes walk_python.tracked, if it is not there yet. False: no memory. */
bool walk_tracked_list(struct walk_python *python);
/* The tracked objects whose class is type itself, in any order; nothing need be listed for that. */
void walk_tracked_types(const struct walk_python *python, void (*each)(void *context, walk_addr type), void *context);

/*
 * Each finds what walk_tracked_on_lists() finds, and sets all that walk_python has of tracked objects. False: the lists
 * must be followed one by one; nothing is set that would be in the way.
 */
bool walk_tracked_by_sweep(struct walk_python *python, const struct walk_sample *sample);    /* sweep.c */
bool walk_tracked_by_sublists(struct walk_python *python, const struct walk_sample *sample); /* sublists.c */
/* What the two have set is taken back. */
void walk_tracked_forget(struct walk_python *python);

#endif
