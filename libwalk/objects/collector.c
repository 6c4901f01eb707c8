/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the cyclic garbage collector (Modules/gcmodule.c, 3.13: Python/gc.c): three generations and, since 3.7,
 * a permanent one. */
#include "objects/header.h"
#include "objects/ring.h"
#include "objects/tracked.h"

/* Follows one list from its head. A damaged one may run in circles that leave out the head. False: out of memory. */
static bool follow(struct walk_python *python, walk_addr head, size_t most, struct walk_found *found, bool *closed)
{
    const struct walk_layout *layout = python->layout;
    uint32_t next_at = WALK_OFFSET(layout, gc_head, next), size = WALK_SIZE(layout, gc_head);
    walk_addr at = head;
    struct walk_ring ring = {0};
    bool old = WALK_HAS(layout, gc_head, refs);
    *closed = false;
    for (;;) {
        uint64_t next;
        if (!walk_memory_word(python->memory, at + next_at, &next))
            return true;
        at = next & WALK_LINK_MASK;
        if (at == head) {
            *closed = true;
            return true;
        }
        if (!at || walk_ring_closed(&ring, at) || found->count == most)
            return true;
        if (old && walk_header_refs(python, at) != WALK_REFS_REACHABLE)
            python->collecting = true;
        if (!walk_found_push(found, at + size))
            return false;
    }
}

static bool read_list(struct walk_python *python, walk_addr head, struct walk_tracked *tracked,
                      struct walk_found *found)
{
    bool closed;
    if (!follow(python, head, tracked->most, found, &closed))
        return false;
    tracked->stopped |= !closed && found->count == tracked->most;
    python->broken_lists += !closed;
    return true;
}

bool walk_tracked_on_lists(struct walk_python *python, struct walk_tracked *tracked)
{
    struct walk_collector collector;
    bool shared = walk_runtime_shares_collector(python->runtime) && python->interpreter_count > 1;
    size_t collectors = shared ? 1 : python->interpreter_count;
    bool good = true;
    for (size_t i = 0; i < collectors && good; i++) {
        struct walk_pyinterpreter *interpreter = &python->interpreters[i];
        walk_runtime_collector(python->runtime, interpreter->address, &collector);
        python->collecting |= collector.collecting;
        interpreter->first_tracked = tracked->generations.count;
        for (unsigned g = 0; g < 3 && good; g++)
            good = read_list(python, collector.generation[g], tracked, &tracked->generations);
        interpreter->tracked_count = shared ? 0 : tracked->generations.count - interpreter->first_tracked;
        if (good && collector.permanent)
            good = read_list(python, collector.permanent, tracked, &tracked->permanent);
    }
    return good;
}
