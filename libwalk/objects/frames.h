/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_FRAMES_H
#define WALK_OBJECTS_FRAMES_H

/* A frame the same way for all versions: PyFrameObject up to 3.10, _PyInterpreterFrame since 3.11. */

#include "objects/visit.h"

/* The names of a code object's variables: slot i of a frame is variable i. */
struct walk_code_names {
    struct {
        walk_addr items;
        uint64_t count;
    } part[3]; /* since 3.11 one tuple; before co_varnames, co_cellvars, co_freevars */
    uint64_t count;
    uint64_t cells_from; /* up to 3.10: slots from here on hold cells */
    walk_addr kinds; /* since 3.11: bytes, one per slot: CO_FAST_CELL 0x40, CO_FAST_FREE 0x80, CO_FAST_HIDDEN 0x10 */
};
void walk_code_names(const struct walk_python *python, walk_addr code, struct walk_code_names *names);
walk_addr walk_code_name(const struct walk_python *python, const struct walk_code_names *names, uint64_t slot);

struct walk_frame_view {
    walk_addr address; /* of the interpreter's frame, or of the frame object up to 3.10 */
    walk_addr code;
    walk_addr f_locals; /* the namespace of code that has no fast locals, or NULL */
    walk_addr f_globals;
    walk_addr slots; /* address of the variables' slots */
    uint64_t slot_count;
    walk_addr stack;     /* address of the value stack */
    int64_t stack_count; /* values on it; -1: not known, the frame is executing */
    uint64_t stack_size; /* how many fit */
    int64_t lasti;       /* offset of the last instruction in the bytecode, bytes; negative: not started */
    int owner;           /* since 3.11 */
};

/*
 * What a slot of a frame refers to. Since 3.14 it is a tagged reference (Include/internal/pycore_stackref.h): the
 * lowest bits 00 own it, 01 borrow it, 11 are a small int, 10 a C pointer; the word 1 is NULL. 0: nothing.
 */
static inline walk_addr walk_frame_slot(const struct walk_python *python, uint64_t word)
{
    if (WALK_MINOR(python) < 14)
        return word;
    return word & 2 ? 0 : word & ~(uint64_t)1;
}

/* False: no plausible frame there. */
bool walk_frame_open(struct walk_python *python, walk_addr frame, struct walk_frame_view *view);

/* The interpreter's frame of a frame object; the object itself up to 3.10. */
walk_addr walk_frame_of_object(const struct walk_python *python, walk_addr frame_object);

/* The frame of a generator that has one and is not on a stack's way to its end; 0: finished. */
walk_addr walk_frame_of_generator(const struct walk_python *python, walk_addr generator);

/* A generator that can be resumed: not begun, or suspended. */
bool walk_frame_is_suspended(const struct walk_python *python, walk_addr generator);

/* The current line, as frame.f_lineno has it; 0: unknown. `frame_object` may be 0. */
int walk_frame_line(const struct walk_python *python, const struct walk_frame_view *view, walk_addr frame_object);

/*
 * The bound locals: for code with fast locals the slots, cells followed to their content; else the namespace dict. The
 * labels are WALK_LABEL_LOCAL.
 */
void walk_frame_locals(struct walk_python *python, const struct walk_frame_view *view, struct walk_refs *refs);

#endif
