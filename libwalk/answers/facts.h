/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_FACTS_H
#define WALK_ANSWERS_FACTS_H

/*
 * What answers need besides the graph, wherever a heap is from: the memory of a target (live.c, tables.c) or a saved
 * file (saved.c, load.c). No answer asks which of the two it is.
 */

#include "objects/text.h"

enum walk_label_style {
    WALK_LABEL_WHOLE,   /* value['name'] */
    WALK_LABEL_BARE,    /* name: of a local variable */
    WALK_LABEL_NAMELESS /* value[…]: without what is data of the program */
};

#define WALK_NAMELESS_VALUE "value[\u2026]"
#define WALK_NAMELESS_FIELD "item[\u2026]"
#define WALK_NAMELESS_LOCAL "local \u2026"
#define WALK_NO_FRAME "0x%" PRIx64 " is no frame, and has none"

enum {
    WALK_FOUND = 128,
    WALK_FOUND_FINALIZERS = WALK_GARBAGE_FINALIZER | WALK_GARBAGE_FINALIZED | WALK_GARBAGE_LEGACY
};

/* Asked of single nodes, when somebody wants to know. */
struct walk_facts {
    /* Of objects. */
    uint64_t (*size)(const struct walk_heap *heap, walk_id id);
    int64_t (*refcount)(const struct walk_heap *heap, walk_id id);
    void (*text)(const struct walk_heap *heap, walk_id id, enum walk_text which, struct walk_text_out *out);
    /* Of generators: a frame that can go on. */
    bool (*suspended)(const struct walk_heap *heap, walk_id id);
    /* Of all nodes. Refs are appended; the targets are addresses, their labels are for label(). */
    void (*visit)(const struct walk_heap *heap, walk_id id, struct walk_refs *refs);
    void (*label)(const struct walk_heap *heap, const struct walk_ref *ref, enum walk_label_style style,
                  struct walk_text_out *out);
    /* Errors: IMPLAUSIBLE when the node is no frame. */
    struct walk_error *(*frame)(const struct walk_heap *heap, walk_id id, struct walk_frame *frame);
    struct walk_error *(*locals)(const struct walk_heap *heap, walk_id id, struct walk_refs *refs);
    /*
     * Of the whole heap: a byte per node that is not 0 for what a full collection of one interpreter, or of all, would
     * find (WALK_FOUND and the finalizers of enum walk_garbage_flags), and for what is in gc.garbage.
     */
    struct walk_error *(*garbage)(const struct walk_heap *heap, size_t interpreter, uint8_t *found);
    void (*uncollectable)(const struct walk_heap *heap, uint8_t *found);
    /* Why there is no node at an address. */
    struct walk_error *(*missing)(const struct walk_heap *heap, walk_addr address);
};
extern const struct walk_facts walk_live_facts, walk_saved_facts;

enum walk_role { WALK_ROLE_NONE, WALK_ROLE_FRAME, WALK_ROLE_GENERATOR };

struct walk_type_facts {
    walk_addr address; /* 0 for the types of nodes that are no objects */
    const char *name;
    const char *fault;      /* NULL: nothing went wrong, or was run */
    const char *fault_file; /* why the file where it went wrong is not used; NULL: it is, or there is none */
    enum walk_role role;
    bool known;
};

/* A frame on the stack of a thread, listed or not yet begun. */
struct walk_on_stack {
    walk_id frame, thread;
};

/* Strings are owned elsewhere: by walk_python, or by the file. */
struct walk_tables {
    struct walk_type_facts *types; /* as walk_heap.types */
    struct walk_thread *threads;
    struct walk_greenlet *greenlets;
    struct walk_interpreter *interpreters;
    struct walk_dispute *disputes;
    struct walk_on_stack *on_stack; /* in the order of the threads */
    size_t thread_count, greenlet_count, interpreter_count, dispute_count, on_stack_count;
};

/* Fills heap->tables from heap->python, when the graph stands. */
struct walk_error *walk_tables_fill(struct walk_heap *heap);
void walk_tables_deinit(struct walk_tables *tables);

#endif
