/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_WINDOW_H
#define WALK_BYTES_WINDOW_H

/*
 * A stretch of the target's memory that one thread has in a buffer of its own and goes through from one end to the
 * other. A core's bytes are read into it from the file: on some machines to enter the mapping page by page takes many
 * times as long. On others it takes less than to read them once, and windows are not wanted (bytes/mapping.h).
 */

#include "bytes/image.h"

struct walk_window {
    uint8_t *buffer;
    walk_addr first; /* where it begins when it is moved for the first time; 0: it has been */
    walk_addr next;  /* from here on the window is to be moved; UINT64_MAX: it is not wanted */
    walk_addr last;  /* what is looked at last begins here */
};

/* If it is not `wanted` it never shows anything. False: no memory. Closed in any case, also if all of it is zero. */
bool walk_window_open(struct walk_window *window, const struct walk_image *image, bool wanted);
void walk_window_close(struct walk_window *window);

/* Says that `count` things from `first` to `last` are looked at next. */
void walk_window_aim(struct walk_window *window, struct walk_image *image, walk_addr first, walk_addr last,
                     size_t count);

/* For walk_window_follow(). */
void walk_window_move(struct walk_window *window, struct walk_image *image, walk_addr address);

/*
 * Makes the image's memory have what stands at `address` and behind it at hand. To be called in their order, or in any
 * order where they are no further than 1 MB from each other.
 */
static inline void walk_window_follow(struct walk_window *window, struct walk_image *image, walk_addr address)
{
    if (address >= window->next)
        walk_window_move(window, image, address);
}

/*
 * A few bytes, copied. While there is a window what is outside of it is read from the file, which for so few takes less
 * than to enter the mapping. False: they are not there.
 */
bool walk_window_peek(struct walk_image *image, walk_addr address, size_t size, void *buffer);

#endif
