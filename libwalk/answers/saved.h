/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_SAVED_H
#define WALK_ANSWERS_SAVED_H

/*
 * A heap in a file: a header, then each section compressed, with a checksum (saved_file.c). In memory a section is an
 * array of what the file has, little-endian and without padding, so nothing is converted.
 */

#include "answers/heap.h"

enum { WALK_SAVED_VERSION = 1 };

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "saved heaps are little-endian; on this machine they would have to be converted"
#endif

/* Of stats, in the order of the file; a new one is appended. Nodes, objects, edges and sizes are counted anew. */
/* clang-format off */
#define WALK_SAVED_STATS(X) \
    X(permanent) X(guessed_edges) X(guessed_objects) X(run_objects) X(unreadable) X(recovered_types) \
    X(unnamed_objects) X(broken_lists) X(broken_stacks) X(collecting) X(truncated) X(unknown_layout) X(complete)
/* clang-format on */

struct saved_info {
    uint32_t hexversion, word;
    uint32_t nameless;       /* 1: without values */
    uint32_t core_truncated; /* struct walk_target_info.truncated */
    uint32_t version_text, python_path, build_id, build, file_problem, layout_source, run_problem,
        tracked_by; /* strings */
#define X(name) uint64_t name;
    WALK_SAVED_STATS(X)
#undef X
};

struct saved_part {
    uint64_t count;
    uint32_t source, structures; /* strings */
};

struct saved_target_file {
    uint32_t path, problem; /* strings; it is used: 0 */
    uint32_t has_build_id, has_code;
};

struct saved_invariant {
    uint32_t words, verdict; /* string, enum walk_verdict */
};

struct saved_type {
    uint64_t address, guessed, fault_pc, fault_instructions;
    uint32_t name, fault, fault_file; /* strings; none: 0 */
    uint32_t known, role, zero;       /* enum walk_role */
};

struct saved_dispute {
    uint64_t object;
    uint32_t type, zero;
};

struct saved_interpreter {
    uint64_t address;
    int64_t number;
    uint32_t id, has_collector;
    uint64_t tracked;       /* how many nodes its collector tracks */
    uint32_t garbage_count; /* of garbage, behind that of the one before; where all share a collector, the first's */
    uint32_t zero;
};

struct saved_garbage {
    uint32_t id, finalizers; /* WALK_FOUND_FINALIZERS */
};

struct saved_thread {
    uint64_t address, ident, native_id;
    uint32_t id, interpreter; /* nodes */
    uint32_t name;
    uint32_t frame_count; /* of stack, behind those of the thread before */
    uint32_t frames_complete, zero;
};

struct saved_greenlet {
    uint32_t id, frame_count, frames_complete; /* frames behind those of the threads */
};

struct saved_on_stack {
    uint32_t frame, thread;
};

struct saved_frame {
    uint32_t id;
    uint32_t function, file; /* strings */
    int32_t line;
    uint32_t local_count;
};

struct saved_local {
    uint32_t referent, name;
};

enum saved_how { SAVED_GUESSED = 1, SAVED_RUN = 2, SAVED_SUSPENDED = 4 };

enum { SAVED_IF_KNOWN = 8 };

/* A label: its kind and a number (item, stack) or a string (all the others). */
enum { SAVED_LABEL_SHIFT = 26, SAVED_LABEL_MAX = (1 << 26) - 1 };

struct walk_saved {
#define SECTION(member, tag, item)                                                                                     \
    item *member;                                                                                                      \
    uint64_t member##_count_of;
#include "answers/saved.def"
#undef SECTION
    uint64_t *ref_start;   /* node count + 1: sums of ref_count */
    uint32_t *local_start; /* of each frame */
    struct walk_layout_part *parts;
    struct walk_invariant *invariants;
};

/* How many items a section has. */
#define SAVED_COUNT(saved, member) ((saved)->member##_count_of)

void walk_saved_free(struct walk_saved *saved);

/* saved_file.c. Errors of reading: SYSTEM, FORMAT, MEMORY. What is read is as the file says: load.c checks it. */
struct walk_error *walk_saved_write(const struct walk_saved *saved, const char *path);
struct walk_error *walk_saved_read(const char *path, struct walk_saved **saved);

static inline const char *walk_saved_string(const struct walk_saved *saved, uint32_t string)
{
    return saved->text + saved->string[string];
}

/* Whether a label of this kind has a number, not a string. */
static inline bool walk_saved_label_is_number(uint32_t kind)
{
    return kind == WALK_LABEL_ITEM || kind == WALK_LABEL_STACK;
}

#endif
