/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_HEADS_H
#define WALK_OBJECTS_HEADS_H

/* Where the lists of the collectors begin, and whose they are. */

#include "objects/python.h"

/* Of each collector: three generations and the permanent one. */
enum { WALK_LISTS = 4, WALK_HEADS_MAX = 1 << 8, WALK_OWNERS_MAX = WALK_HEADS_MAX / WALK_LISTS + 2 };

struct walk_heads {
    walk_addr at[WALK_HEADS_MAX]; /* 0: this version has no such list */
    size_t count, collector_count;
    walk_addr first, last; /* by address */
};

/* False: a collector is at work, so that the lists are not what they are at other times; or there are too many. */
bool walk_heads_read(struct walk_heads *heads, const struct walk_python *python);

/* Objects belong to owners by number: 0 is nobody, then come the collectors, then all permanent generations. */
static inline size_t walk_heads_owners(const struct walk_heads *heads) { return heads->collector_count + 2; }
static inline uint8_t walk_heads_permanent(const struct walk_heads *heads)
{
    return (uint8_t)(heads->collector_count + 1);
}
static inline uint8_t walk_heads_owner(const struct walk_heads *heads, size_t head)
{
    return head % WALK_LISTS < WALK_LISTS - 1 ? (uint8_t)(1 + head / WALK_LISTS) : walk_heads_permanent(heads);
}

/* Sets what `python` and its interpreters have, but for the objects themselves; `count`: of each owner. */
void walk_heads_share_out(const struct walk_heads *heads, const size_t *count, struct walk_python *python);

#endif
