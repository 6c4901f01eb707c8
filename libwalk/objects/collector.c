/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the cyclic garbage collector (Modules/gcmodule.c, 3.13: Python/gc.c): three generations and, since 3.7,
 * a permanent one. */
#include <stdlib.h>

#include "objects/python.h"
#include "objects/ring.h"

/* _gc_next and _gc_prev keep flags in their low bits while and after a collection. */
#define LINK_MASK (~(uint64_t)3)

struct growing {
    walk_addr *address;
    size_t count, capacity;
};

static bool push(struct growing *list, walk_addr address)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4096;
        walk_addr *grown = realloc(list->address, capacity * sizeof *grown);
        if (!grown)
            return false;
        list->address = grown;
        list->capacity = capacity;
    }
    list->address[list->count++] = address;
    return true;
}

/* Follows one list from its head. A damaged one may run in circles that leave out the head. False: out of memory. */
static bool follow(struct walk_python *python, walk_addr head, struct growing *list, bool *closed)
{
    const struct walk_layout *layout = python->layout;
    uint32_t next_at = WALK_OFFSET(layout, gc_head, next), size = WALK_SIZE(layout, gc_head);
    walk_addr at = head;
    struct walk_ring ring = {0};
    *closed = false;
    for (;;) {
        uint64_t next;
        if (!walk_memory_word(python->memory, at + next_at, &next))
            return true;
        at = next & LINK_MASK;
        if (at == head) {
            *closed = true;
            return true;
        }
        if (!at || walk_ring_closed(&ring, at))
            return true;
        if (!push(list, at + size))
            return false;
    }
}

static bool read_list(struct walk_python *python, walk_addr head, struct growing *list)
{
    bool closed;
    if (!follow(python, head, list, &closed))
        return false;
    python->broken_lists += !closed;
    return true;
}

struct walk_error *walk_python_read_lists(struct walk_python *python)
{
    struct growing list = {0};
    struct walk_collector collector;
    size_t collectors = walk_runtime_shares_collector(python->runtime) ? 1 : python->interpreter_count;
    bool good = true;
    for (size_t i = 0; i < collectors; i++) {
        walk_runtime_collector(python->runtime, python->interpreters[i], &collector);
        python->collecting |= collector.collecting;
        for (unsigned g = 0; g < 3 && good; g++)
            good = read_list(python, collector.generation[g], &list);
    }
    size_t others = list.count;
    for (size_t i = 0; i < collectors && good; i++) {
        walk_runtime_collector(python->runtime, python->interpreters[i], &collector);
        if (collector.permanent)
            good = read_list(python, collector.permanent, &list);
    }
    python->tracked = list.address;
    python->tracked_count = list.count;
    python->permanent_count = list.count - others;
    return good ? NULL : walk_error_no_memory();
}
