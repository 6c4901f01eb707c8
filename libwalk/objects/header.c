/* SPDX-License-Identifier: Apache-2.0 */
/* Include/object.h; Include/internal/pycore_object.h, pycore_gc.h and pycore_typeobject.h. */
#include "objects/header.h"

/* ---- the count ---- */

/* Free-threaded: what the owning thread counts and what the others count, the latter above two bits of state. */
static int64_t two_counts(const struct walk_python *python, const uint8_t *view)
{
    enum { SHARED_SHIFT = 2 };
    const struct walk_layout *layout = python->layout;
    uint32_t local = walk_load_u32(view + WALK_OFFSET(layout, object, ob_ref_local));
    int64_t shared = WALK_SWORD(python, view, object, ob_ref_shared);
    return local == UINT32_MAX ? UINT32_MAX : (int64_t)local + (shared >> SHARED_SHIFT);
}

/*
 * With words of 4 bytes a link is not much larger than a count can be: immortal ones (3.11: 999999999, then 1 << 30 and
 * more, 3.14: up to 7 << 28) are between the program's addresses and those of mapped memory.
 */
static bool plausible_count(const struct walk_python *python, uint32_t count)
{
    return count != 0 && (count >> 28 == 0 || (WALK_MINOR(python) >= 11 && count >> 28 >= 3 && count >> 31 == 0));
}

void walk_header_prepare(struct walk_python *python)
{
    if (WALK_FREE_THREADED(python->layout) || python->word == 4)
        return;
    python->count.never = WALK_MINOR(python) >= 14 ? UINT64_C(0xff00ff) << 40 : UINT64_C(0xffffff) << 40;
    python->count.some = WALK_MINOR(python) >= 12 ? UINT32_MAX : UINT64_MAX;
}

bool walk_header_plausible_odd(const struct walk_python *python, const uint8_t *view)
{
    enum { MUTEX_BITS = 3 }; /* locked, has waiters */
    if (WALK_FREE_THREADED(python->layout))
        return two_counts(python, view) > 0 && view[WALK_OFFSET(python->layout, object, ob_mutex)] <= MUTEX_BITS;
    return plausible_count(python, (uint32_t)WALK_WORD(python, view, object, ob_refcnt));
}

int64_t walk_header_refcount(const struct walk_python *python, walk_addr object)
{
    const uint8_t *view = walk_memory_view(python->memory, object, WALK_SIZE(python->layout, object));
    if (!view)
        return 0;
    if (WALK_FREE_THREADED(python->layout))
        return two_counts(python, view);
    uint64_t count = WALK_WORD(python, view, object, ob_refcnt);
    return WALK_MINOR(python) >= 12 && python->word == 8 ? (int64_t)(uint32_t)count : (int64_t)count;
}

/* ---- in front of the object ---- */

/* The collector's head is the nearest to the object, in builds that have one. */
static uint64_t collector_head(const struct walk_python *python)
{
    return WALK_FREE_THREADED(python->layout) ? 0 : WALK_SIZE(python->layout, gc_head);
}

/* _PyType_PreHeaderSize() since 3.11, the collector's head alone before. */
uint64_t walk_header_front(const struct walk_python *python, uint64_t flags)
{
    uint64_t preheader = WALK_MINOR(python) >= 12   ? WALK_TPFLAGS_MANAGED_DICT | WALK_TPFLAGS_MANAGED_WEAKREF
                         : WALK_MINOR(python) == 11 ? WALK_TPFLAGS_MANAGED_DICT
                                                    : 0;
    return (flags & WALK_TPFLAGS_HAVE_GC ? collector_head(python) : 0) + (flags & preheader ? 2 * python->word : 0);
}

walk_addr walk_header_managed_dict(const struct walk_python *python, walk_addr object)
{
    return object - collector_head(python) - python->word;
}

bool walk_header_linked(const struct walk_python *python, walk_addr object)
{
    const struct walk_layout *layout = python->layout;
    if (WALK_FREE_THREADED(layout) || WALK_MINOR(python) < 8)
        return true;
    walk_addr head = object - WALK_SIZE(layout, gc_head);
    uint64_t next, prev, back;
    if (!walk_memory_word(python->memory, head + WALK_OFFSET(layout, gc_head, next), &next) ||
        !walk_memory_word(python->memory, head + WALK_OFFSET(layout, gc_head, prev), &prev))
        return false;
    if (!(next & WALK_LINK_MASK))
        return !(prev & WALK_LINK_MASK);
    return walk_memory_word(python->memory, (next & WALK_LINK_MASK) + WALK_OFFSET(layout, gc_head, prev), &back) &&
           (python->collecting || (back & WALK_LINK_MASK) == head);
}

enum { REFS_SHIFT = 1 }; /* the lowest bit says that it was finalized */

int64_t walk_header_refs_in(const struct walk_python *python, const uint8_t *view)
{
    return WALK_SWORD(python, view, gc_head, refs) >> REFS_SHIFT;
}

int64_t walk_header_refs(const struct walk_python *python, walk_addr head)
{
    const uint8_t *view = walk_memory_view(python->memory, head, WALK_SIZE(python->layout, gc_head));
    return view ? walk_header_refs_in(python, view) : 0;
}

/* ob_gc_bits of free-threaded builds (Include/internal/pycore_gc.h); 0: unreadable. */
enum { BIT_TRACKED = 1, BIT_FINALIZED = 2, BIT_DEFERRED = 64 };
static unsigned gc_bits(const struct walk_python *python, walk_addr object)
{
    const uint8_t *bits = walk_memory_view(python->memory, object + WALK_OFFSET(python->layout, object, ob_gc_bits), 1);
    return bits ? *bits : 0;
}

bool walk_header_tracked(const struct walk_python *python, walk_addr object)
{
    const struct walk_layout *layout = python->layout;
    walk_addr head = object - WALK_SIZE(layout, gc_head);
    if (WALK_HAS(layout, gc_head, refs))
        return walk_header_refs(python, head) != WALK_REFS_UNTRACKED;
    if (!WALK_FREE_THREADED(layout))
        return WALK_MEMBER(python, head, gc_head, next) != 0;
    return (gc_bits(python, object) & BIT_TRACKED) != 0;
}

/* _PyGC_FINALIZED(): the lowest bit of gc_refs up to 3.7, of _gc_prev since. */
bool walk_header_finalized(const struct walk_python *python, walk_addr object)
{
    const struct walk_layout *layout = python->layout;
    if (WALK_FREE_THREADED(layout))
        return (gc_bits(python, object) & BIT_FINALIZED) != 0;
    walk_addr head = object - WALK_SIZE(layout, gc_head);
    return (WALK_HAS(layout, gc_head, refs) ? WALK_MEMBER(python, head, gc_head, refs)
                                            : WALK_MEMBER(python, head, gc_head, prev)) &
           1;
}

/* update_refs() of Python/gc_free_threading.c: one reference in 3.13, PY_SSIZE_T_MAX / 8 since 3.14. */
int64_t walk_header_collector_count(const struct walk_python *python, walk_addr object)
{
    int64_t count = walk_header_refcount(python, object), deferred = INT64_MAX / 8;
    if (!WALK_FREE_THREADED(python->layout) || !(gc_bits(python, object) & BIT_DEFERRED))
        return count;
    return count - (count >= deferred / 2 ? deferred : 1);
}
