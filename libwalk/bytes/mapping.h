/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_MAPPING_H
#define WALK_BYTES_MAPPING_H

/*
 * Whether a core's bytes are looked at where the file is mapped, or are read from the file. A page of the mapping takes
 * time when it is touched first, more than to read it on some machines, less on others, and then no more.
 */

#include "bytes/image.h"

/* Most bytes are read so many times, or it takes as long as to read all of them so many times. */
enum {
    WALK_READS_OF_COUNTS = 1, /* once; the lists lead to little but what is tracked, each page in its own time */
    WALK_READS_OF_GRAPH = 5   /* that many */
};

/*
 * Whether to enter the mapping takes less than `reads` readings, if the options do not say it. It is measured when it
 * is asked for the first time, which is before the image is forked for other threads. False: or there is no core.
 */
bool walk_mapping_pays(struct walk_image *image, unsigned reads);

#endif
