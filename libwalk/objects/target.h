/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TARGET_H
#define WALK_OBJECTS_TARGET_H

#include "objects/python.h"

struct walk_target {
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
