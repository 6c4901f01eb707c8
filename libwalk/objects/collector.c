/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the cyclic garbage collector (Modules/gcmodule.c, 3.13: Python/gc.c): three generations and, since 3.7,
 * a permanent one. */
#include <stdlib.h>

#include "objects/python.h"
#include "objects/ring.h"

enum { GENERATIONS = 3 };
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

static walk_addr gc_state(const struct walk_python *python, walk_addr interpreter)
{
    const struct walk_layout *layout = python->layout;
    return WALK_HAS(layout, interp, gc) ? interpreter + WALK_OFFSET(layout, interp, gc)
                                        : python->runtime->runtime + WALK_OFFSET(layout, runtime, gc);
}

static struct walk_error *read_state(struct walk_python *python, walk_addr gc, bool permanent, struct growing *list)
{
    const struct walk_layout *layout = python->layout;
    python->collecting |= WALK_INT_MEMBER(python, gc, gc, collecting) != 0;
    for (unsigned i = 0; i < GENERATIONS; i++) {
        walk_addr head = gc + WALK_OFFSET(layout, gc, generations) + i * WALK_SIZE(layout, gc_generation);
        bool closed = true;
        if (permanent)
            head = gc + WALK_OFFSET(layout, gc, permanent_generation);
        if (!follow(python, head, list, &closed))
            return walk_error_no_memory();
        python->broken_lists += !closed;
        if (permanent)
            break;
    }
    return NULL;
}

struct walk_error *walk_python_read_lists(struct walk_python *python)
{
    struct growing list = {0};
    /* Up to 3.8 there is one collector for all interpreters. */
    size_t states = WALK_HAS(python->layout, interp, gc) ? python->interpreter_count : 1;
    size_t others = 0;
    struct walk_error *error = NULL;
    for (int permanent = 0; permanent < 2 && !error; permanent++) {
        if (permanent && !WALK_HAS(python->layout, gc, permanent_generation))
            break;
        for (size_t i = 0; i < states && !error; i++)
            error = read_state(python, gc_state(python, python->interpreters[i]), permanent, &list);
        if (!permanent)
            others = list.count;
    }
    python->tracked = list.address;
    python->tracked_count = list.count;
    python->permanent_count = list.count - others;
    return error;
}
