/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TARGET_H
#define WALK_OBJECTS_TARGET_H

#include "objects/python.h"

struct walk_heap;
struct walk_saved;

/* What a target says of itself: from its memory (target.c), or as a saved file has it (answers/load.c). */
struct walk_target_facts {
    void (*info)(const struct walk_target *target, struct walk_target_info *info);
    size_t (*file_count)(const struct walk_target *target);
    void (*file)(const struct walk_target *target, size_t index, struct walk_file *file);
    size_t (*part_count)(const struct walk_target *target);
    void (*part)(const struct walk_target *target, size_t index, struct walk_layout_part *part);
    size_t (*invariant_count)(const struct walk_target *target);
    void (*invariant)(struct walk_target *target, size_t index, struct walk_invariant *invariant);
    void (*close)(struct walk_target *target);
    /* The heap, where it need not be built; NULL: it must. */
    struct walk_error *(*heap)(struct walk_target *target, struct walk_heap **heap);
};

struct walk_target {
    const struct walk_target_facts *facts; /* NULL (in tests): of the memory */
    struct walk_saved *saved;              /* all that a saved file has; NULL: memory, as follows */
    struct walk_image image;
    struct walk_runtime runtime;
    struct walk_python python;
    char build_id[65];
    char build[32];
    char python_path[4096], file_problem[4096 + 256]; /* fit for a terminal */
};

/* Of the stats what is known before there is a graph; the rest stays as it is. */
void walk_target_stats(const struct walk_target *target, struct walk_heap_stats *stats);

#endif
