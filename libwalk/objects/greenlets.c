/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Greenlets (the package greenlet, and gevent on top of it): stacks of frames that are put aside. Sources of greenlet:
 * 0.4 and 1: src/greenlet/greenlet.h, greenlet.c; 2 and 3: TGreenlet.hpp, TPythonState.cpp, TStackState.cpp.
 */
#include <stdlib.h>

#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/ring.h"
#include "objects/tracked.h"

enum { CHAIN_MAX = 512, GREENLETS_MAX = 1 << 22 };

/* ---- which objects are greenlets ---- */

/* The type is static, so one for all interpreters. */
static walk_addr greenlet_type(struct walk_python *python)
{
    for (size_t i = 0; i < python->interpreter_count; i++) {
        walk_addr module = walk_python_module(python, python->interpreters[i].address, "greenlet");
        walk_addr type = module ? walk_dict_get(python, WALK_MEMBER(python, module, module, md_dict), "greenlet") : 0;
        uint32_t index;
        if (type && walk_python_type(python, type, &index))
            return type;
    }
    return 0;
}

static bool derives(const struct walk_python *python, walk_addr type, walk_addr base)
{
    struct walk_ring ring = {0};
    for (int i = 0; type && type != base && i < CHAIN_MAX && !walk_ring_closed(&ring, type); i++)
        type = WALK_MEMBER(python, type, type, tp_base);
    return type == base;
}

/* Of each class of the tracked objects: whether these are greenlets. NULL: out of memory. */
static bool *greenlet_classes(struct walk_python *python, walk_addr greenlet)
{
    bool *is_greenlet = calloc(python->classes.count + 1, sizeof *is_greenlet);
    uint32_t type;
    for (uint32_t i = 0; is_greenlet && i < python->classes.count; i++)
        is_greenlet[i] = python->classes.class[i].count && walk_python_class_type(python, i, &type) &&
                         derives(python, python->types[type].address, greenlet);
    return is_greenlet;
}

/* ---- where a greenlet keeps its frames ---- */

/*
 * A part of a greenlet's state: [stack_start, stack_stop, stack_copy, stack_saved, stack_prev, X, Y, …], the C stack
 * and what of it is copied to the heap, then Python's state, in which `top` is the innermost frame, a frame object.
 */
struct state {
    walk_addr stack, top;
};

/* The index of the word from `first` to `last` behind `address` that is `value`; -1: none is. */
static int find_word(const struct walk_python *python, walk_addr address, int first, int last, walk_addr value)
{
    for (int i = first; i <= last; i++) {
        uint64_t word;
        if (!walk_memory_word(python->memory, address + (uint64_t)i * python->word, &word))
            return -1;
        if (word == value)
            return i;
    }
    return -1;
}

/*
 * 2 and 3: weakreflist, dict, and a pointer to a C++ object. That points back to the greenlet: from 3.2 on right behind
 * its vtable, before that behind all that is read here.
 */
static bool find_outside(const struct walk_python *python, walk_addr object, struct state *state)
{
    enum { SELF_MAX = 40 };
    unsigned word = python->word;
    uint64_t outside;
    if (!walk_memory_word(python->memory, object + WALK_SIZE(python->layout, object) + 2 * word, &outside) ||
        !outside || outside % word)
        return false;
    int self = find_word(python, outside, 1, SELF_MAX, object);
    /* vtable, self; exc_info, exc_state; args, kwargs; the C stack; context, top_frame */
    state->stack = outside + (self == 1 ? 5 : 4) * word + WALK_SIZE(python->layout, err_stackitem);
    state->top = state->stack + 6 * word;
    return self == 1 || (self > 0 && outside + (unsigned)self * word > state->top);
}

/* 0.4 and 1: the object begins with the C stack; parent, run_info and top_frame follow. */
static void find_inside(const struct walk_python *python, walk_addr object, struct state *state)
{
    state->stack = object + WALK_SIZE(python->layout, object);
    state->top = state->stack + 7 * python->word;
}

static bool find_state(const struct walk_python *python, walk_addr object, walk_addr greenlet, struct state *state)
{
    uint64_t words =
        (WALK_MEMBER(python, greenlet, type, tp_basicsize) - WALK_SIZE(python->layout, object)) / python->word;
    if (words <= 3)
        return words == 3 && find_outside(python, object, state);
    find_inside(python, object, state);
    return words > 7;
}

/* The C stack grows down from stack_stop to stack_start; its innermost part is what was copied. */
static bool read_spill(const struct walk_python *python, walk_addr stack, struct walk_spill *spill, bool *is_main)
{
    uint64_t start, stop, copy, saved;
    if (!walk_memory_word(python->memory, stack, &start) ||
        !walk_memory_word(python->memory, stack + python->word, &stop) ||
        !walk_memory_word(python->memory, stack + 2 * python->word, &copy) ||
        !walk_memory_word(python->memory, stack + 3 * python->word, &saved))
        return false;
    *spill = (struct walk_spill){start, saved, copy};
    *is_main = stop == (python->word == 8 ? UINT64_MAX : UINT32_MAX); /* its stack begins before greenlet came */
    return start <= stop && saved <= stop - start && (saved == 0 || copy != 0);
}

/* The innermost frame of a greenlet that is suspended; 0: it has not begun, runs, or has ended, or is not as expected.
 */
static walk_addr top_frame(struct walk_python *python, walk_addr object, walk_addr greenlet, struct walk_spill *spill,
                           bool *is_main)
{
    struct state state;
    uint64_t top;
    uint32_t type;
    if (!find_state(python, object, greenlet, &state) || !walk_memory_word(python->memory, state.top, &top) || !top ||
        !read_spill(python, state.stack, spill, is_main) || !walk_python_type_of(python, top, &type) ||
        python->types[type].kind != WALK_KIND_frame)
        return 0;
    return walk_frame_of_object(python, top);
}

/* ---- all of them ---- */

static struct walk_error *add(struct walk_python *python, walk_addr object, walk_addr greenlet)
{
    struct walk_spill spill;
    struct walk_pygreenlet found = {.address = object};
    walk_addr top = top_frame(python, object, greenlet, &spill, &found.is_main);
    if (!top)
        return NULL;
    if ((python->greenlet_count & (python->greenlet_count - 1)) == 0) {
        size_t capacity = python->greenlet_count ? python->greenlet_count * 2 : 1;
        struct walk_pygreenlet *grown = realloc(python->greenlets, capacity * sizeof *grown);
        if (!grown)
            return walk_error_no_memory();
        python->greenlets = grown;
    }
    struct walk_error *error =
        walk_python_read_stack(python, top, &spill, &found.first_frame, &found.frame_count, &found.frames_complete);
    if (found.frame_count)
        python->greenlets[python->greenlet_count++] = found;
    return error;
}

static int by_address(const void *a, const void *b)
{
    const struct walk_pygreenlet *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

struct walk_error *walk_python_read_greenlets(struct walk_python *python)
{
    walk_addr greenlet = greenlet_type(python);
    struct walk_error *error = NULL;
    bool *is_greenlet = greenlet ? greenlet_classes(python, greenlet) : NULL;
    if (greenlet && (!is_greenlet || !walk_tracked_list(python))) {
        free(is_greenlet);
        return walk_error_no_memory();
    }
    for (size_t i = 0; greenlet && i < python->tracked_count && python->greenlet_count < GREENLETS_MAX && !error; i++)
        if (is_greenlet[python->tracked_class[i]])
            error = add(python, python->tracked[i], greenlet);
    free(is_greenlet);
    if (python->greenlet_count)
        qsort(python->greenlets, python->greenlet_count, sizeof *python->greenlets, by_address);
    return error;
}

const struct walk_pygreenlet *walk_python_greenlet(const struct walk_python *python, walk_addr object)
{
    const struct walk_pygreenlet key = {.address = object};
    return python->greenlet_count
               ? bsearch(&key, python->greenlets, python->greenlet_count, sizeof *python->greenlets, by_address)
               : NULL;
}
