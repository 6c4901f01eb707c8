/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_RING_H
#define WALK_OBJECTS_RING_H

#include "walk.h"

/*
 * A chain of links in damaged memory may run in a circle. Brent's algorithm: the mark moves at every power of two, so
 * that a circle is noticed before it was gone round three times. Begin with {0}.
 */
struct walk_ring {
    walk_addr mark; /* a link that was passed; 0: none yet */
    uint64_t steps, limit;
};

/* To be asked of every link of the chain, in order; true: it goes in a circle. */
static inline bool walk_ring_closed(struct walk_ring *ring, walk_addr link)
{
    if (link == ring->mark)
        return true;
    if (ring->steps++ == ring->limit) {
        ring->mark = link;
        ring->limit = 2 * ring->limit + 1;
    }
    return false;
}

#endif
