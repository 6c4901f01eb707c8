/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_MAPPING_H
#define WALK_BYTES_MAPPING_H

/*
 * Whether a core's bytes are looked at where the file is mapped, or are read from the file. A page of the mapping takes
 * time when it is touched first, more than to read it on some machines, less on others, and then no more.
 */

#include "bytes/image.h"

/*
 * At most so many readings of the same bytes may entering take, so that the whole is faster. Counts read most bytes
 * once. A graph reads them five times, but where pages are small the processor knows those of a mapping less well than
 * a buffer: at four readings a graph of 1 GB was a sixth slower in the mapping, one of 270 MB a tenth faster.
 */
enum { WALK_MOST_FOR_COUNTS = 1, WALK_MOST_FOR_GRAPH = 2 };

/*
 * Whether to enter the mapping takes less than `most` readings, if the options do not say it. It is measured when it is
 * asked for the first time with nearly all of the core in the system's cache, which is to be before much of it is
 * entered, and before the image is forked for other threads. False: or not nearly all is there, or there is no core.
 */
bool walk_mapping_pays(struct walk_image *image, unsigned most);

/*
 * Bytes of a core that are read next, at most a huge page. If not nearly all of it was in the system's cache when it
 * was asked whether its mapping pays, they are brought there in huge pages where the file system has these, which
 * reading does not see to: who maps the core later enters it in a twentieth of the time. What cannot be read is left
 * alone.
 */
void walk_mapping_fetch(const struct walk_image *image, const uint8_t *data, size_t size);

#endif
