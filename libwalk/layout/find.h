/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_FIND_H
#define WALK_LAYOUT_FIND_H

/* The steps of walk_runtime_find(), each in a file of its own: find.c, scan.c, choose.c. */

#include "layout/layout.h"

/* The last part of a path. */
const char *walk_base_name(const char *path);

/* The option `layout` of the image names sources that there are. Error: FORMAT. */
struct walk_error *walk_runtime_check_sources(const struct walk_image *image);

/* A module of a build that is built in: fills the whole of `runtime` from its row. False: there is none. */
bool walk_runtime_use_own_row(struct walk_runtime *runtime);

/*
 * Fills the module and PyType_Type, and where the interpreter's state is: by symbols, else by what the memory of the
 * modules looks like, as far as that says it without a layout. Error: NO_PYTHON, UNSUPPORTED.
 */
struct walk_error *walk_runtime_find_module(struct walk_runtime *runtime);

/* Says where the layout is from. */
void walk_runtime_from(struct walk_runtime *runtime, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills the layout from what fits of other builds' rows, of those that are wanted (probe.c). Error: LAYOUT. */
typedef bool walk_row_wanted(const struct walk_image *image, const struct walk_layout_row *row, const char *own);
struct walk_error *walk_runtime_probe(struct walk_runtime *runtime, walk_row_wanted *wanted);
/* Fills `runtime` likewise if the module's memory holds PyType_Type. */
void walk_runtime_scan_module(struct walk_runtime *runtime, const struct walk_module *module);

/* Finds the state by the layout that is to be proven, unless it is known without one (`located`). */
void walk_runtime_locate(struct walk_runtime *runtime);

/* Fills the layout, of which the memory then has been asked. Error: LAYOUT. */
struct walk_error *walk_runtime_choose_layout(struct walk_runtime *runtime);

#endif
