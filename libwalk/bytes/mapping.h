/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_MAPPING_H
#define WALK_BYTES_MAPPING_H

/*
 * Whether a core's bytes are looked at where the file is mapped, or are read from the file. A page of the mapping takes
 * time when it is touched first, more than to read it on some machines, less on others, and then no more.
 */

#include "bytes/image.h"

/*
 * What entering may take, in readings of the same bytes, so that the whole is faster. Counts read most bytes once. A
 * graph reads them five times, but where pages are small the processor knows those of a mapping less well than a
 * buffer: at four readings a graph of 1 GB was a sixth slower in the mapping, one of 270 MB a tenth faster.
 */
enum { WALK_READS_OF_COUNTS = 1, WALK_READS_OF_GRAPH = 2 };

/*
 * Whether to enter the mapping takes less than `reads` readings, if the options do not say it. It is measured when it
 * is asked for the first time with the core in the system's cache, and is asked before the image is forked for other
 * threads. False: or most of the core is on the disk, or there is none.
 */
bool walk_mapping_pays(struct walk_image *image, unsigned reads);

/*
 * Bytes of a core that are read next, at most a huge page. If most of it was on the disk when it was asked whether its
 * mapping pays, the system brings them in huge pages where the file system has these, which reading does not see to:
 * who maps the core later enters it in a twentieth of the time.
 */
void walk_mapping_fetch(const struct walk_image *image, const uint8_t *data, size_t size);

#endif
