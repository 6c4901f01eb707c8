/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_UNCOUNTED_H
#define WALK_OBJECTS_UNCOUNTED_H

/*
 * References that are none in any count. Since 3.14 a word of a frame may borrow an object that something else keeps
 * alive: a variable of the same frame, or in free-threaded builds the collector, which looks at the stacks of threads
 * (Include/internal/pycore_stackref.h).
 */

#include "objects/frames.h"

/*
 * Adds what a generator, coroutine or frame object shows to the collector without counting it (_PyGC_VisitStackRef()
 * in Python/gc.c and gc_free_threading.c). Flags and labels are empty.
 */
void walk_uncounted_of_object(struct walk_python *python, uint32_t type, walk_addr object, struct walk_refs *refs);

/* Adds what the stacks keep alive without counting it: gc_visit_thread_stacks(). */
void walk_uncounted_of_stacks(struct walk_python *python, struct walk_refs *refs);

#endif
