/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_CACHE_H
#define WALK_LAYOUT_CACHE_H

/*
 * What was read of builds before, one file per build-id in $LIBWALK_CACHE, else $XDG_CACHE_HOME/libwalk, else
 * ~/.cache/libwalk; an empty LIBWALK_CACHE is no cache. The first line has the version of the format and of the table
 * of fields; a file with another one is as good as none. Nothing here is an error: what cannot be read or written is
 * not remembered. What is read was written by nobody knows whom, and must be proven like any layout.
 */

#include "layout/layout.h"

/* NULL: nothing is remembered of this build. Free with walk_layout_row_free(). */
struct walk_layout_row *walk_cache_read(const char *build_id);

void walk_cache_write(const struct walk_layout_row *row);

#endif
