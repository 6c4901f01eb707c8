/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_HEADER_H
#define WALK_OBJECTS_HEADER_H

/*
 * What every object begins with, and what stands in front of it: its count of references, the collector's mark, the
 * place of its __dict__. Free-threaded builds have all three elsewhere than builds with a GIL.
 */

#include "objects/python.h"

/* _gc_next and _gc_prev of the collector's head keep flags in their low bits, while and after a collection. */
#define WALK_LINK_MASK (~(uint64_t)3)

/*
 * Sets python->count, of builds that have one count of 8 bytes. A freed block's first word is a link or 0: no count.
 * 3.12+ keeps the count in the low 32 bits (immortal objects set their sign bit); extensions built for older versions
 * count on into the high half for None and its like. 3.14+: 16 bits of that half are flags, of which there are few.
 */
void walk_header_prepare(struct walk_python *python);

/* The allocator aligns objects to 8 bytes up to 3.7 and with words of 4 bytes, else to 16. */
static inline unsigned walk_header_granule_bits(const struct walk_python *python)
{
    return python->word == 4 || WALK_HAS(python->layout, gc_head, refs) ? 3 : 4;
}

/* For walk_header_plausible(). */
bool walk_header_plausible_odd(const struct walk_python *python, const uint8_t *view);

/* Whether a header can be that of a living object; `view` is of a whole PyObject. */
static inline bool walk_header_plausible(const struct walk_python *python, const uint8_t *view)
{
    if (!python->count.some)
        return walk_header_plausible_odd(python, view);
    uint64_t count = walk_load_u64(view + WALK_OFFSET(python->layout, object, ob_refcnt));
    return !(count & python->count.never) && (count & python->count.some);
}

/* The count of references; that of immortal objects is a huge one. */
int64_t walk_header_refcount(const struct walk_python *python, walk_addr object);

/* Bytes in front of the objects of a type with these tp_flags, as sys.getsizeof() adds them. */
uint64_t walk_header_front(const struct walk_python *python, uint64_t flags);

/* The address of the word for the __dict__ of an object with WALK_TPFLAGS_MANAGED_DICT. */
walk_addr walk_header_managed_dict(const struct walk_python *python, walk_addr object);

/*
 * False when what stands in front of the object can be no collector's head: asked of what may be no object at all. The
 * type must be one with WALK_TPFLAGS_HAVE_GC.
 */
bool walk_header_linked(const struct walk_python *python, walk_addr object);

/*
 * Up to 3.7: gc_refs of the collector's head (Include/objimpl.h). What is tracked has REACHABLE, but while a collection
 * is under way. `next` of what never was is not set.
 */
enum { WALK_REFS_UNTRACKED = -2, WALK_REFS_REACHABLE = -3 };
int64_t walk_header_refs(const struct walk_python *python, walk_addr head);
/* The same of a head whose bytes are at `view`. */
int64_t walk_header_refs_in(const struct walk_python *python, const uint8_t *view);

/* True when the collector tracks the object, which must be of a type with WALK_TPFLAGS_HAVE_GC. */
bool walk_header_tracked(const struct walk_python *python, walk_addr object);

/* True when the collector has called the object's finalizer, which it does once. Of a type with HAVE_GC. */
bool walk_header_finalized(const struct walk_python *python, walk_addr object);

/*
 * The references that the collector begins with when it looks for garbage: the count, without what a free-threaded
 * build adds to objects that it counts late ("deferred").
 */
int64_t walk_header_collector_count(const struct walk_python *python, walk_addr object);

#endif
