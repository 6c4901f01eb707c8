/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_STREAM_H
#define WALK_BYTES_STREAM_H

/*
 * The bytes that the target could write to, from one end to the other, in spans. A core's are read from its file into a
 * buffer: the mapping would have to be entered page by page, which takes many times as long as the reading.
 *
 * Places number the granules of all spans: a place stands for an address, in 32 bits.
 */

#include "bytes/image.h"

enum { WALK_SPAN_BITS = 18, WALK_SPAN = 1 << WALK_SPAN_BITS }; /* bytes */

struct walk_span {
    const struct walk_segment *segment;
    walk_addr start;
    size_t size; /* at most WALK_SPAN */
};

/* The spans of one segment follow each other. */
struct walk_stretch {
    walk_addr start, end;
    size_t first_span;
};

#define WALK_NO_PLACE UINT32_MAX

struct walk_stream {
    const struct walk_image *image;
    struct walk_span *spans; /* in order of address */
    size_t span_count;
    struct walk_stretch *stretches;
    size_t stretch_count;
    uint32_t *segment_place; /* of each segment's first byte; WALK_NO_PLACE: the stream leaves it out */
    uint64_t bytes;
    unsigned granule_bits, place_bits; /* a granule is 1 << granule_bits bytes; a span has 1 << place_bits places */
};

/* `granule_bits`: a granule is at most 16 bytes. Segments that do not begin with a granule are left out. */
struct walk_error *walk_stream_open(struct walk_stream *stream, const struct walk_image *image, unsigned granule_bits);
void walk_stream_close(struct walk_stream *stream);

/* The place of the first byte of one of the image's segments; false: the stream leaves it out. */
static inline bool walk_stream_segment(const struct walk_stream *stream, const struct walk_segment *segment,
                                       uint32_t *place)
{
    *place = stream->segment_place[segment - stream->image->memory.segments];
    return *place != WALK_NO_PLACE;
}

/* False: there are more places than 32 bits can number. */
bool walk_stream_numbered(const struct walk_stream *stream);

/* Room for a span and its tail. Freed with walk_large_free(). */
uint8_t *walk_stream_buffer(const struct walk_stream *stream, size_t tail);

/*
 * The bytes of a span, and of what follows it in its segment at most `tail`: in `buffer` (of WALK_SPAN + tail bytes) or
 * elsewhere. NULL: they cannot be read. `got`: how many they are.
 */
const uint8_t *walk_stream_read(const struct walk_stream *stream, size_t span, size_t tail, uint8_t *buffer,
                                size_t *got);

/*
 * A few bytes, copied to `buffer`: where nothing else is read, this takes a tenth of the time that it takes to enter
 * the mapping. False: they are not there.
 */
bool walk_stream_peek(const struct walk_stream *stream, walk_addr address, size_t size, void *buffer, size_t *hint);

/* The bytes from an address of a span on, at most `size`, likewise; its segment may have fewer. */
const uint8_t *walk_stream_piece(const struct walk_stream *stream, size_t span, walk_addr start, size_t size,
                                 uint8_t *buffer, size_t *got);

/* For walk_stream_stretch(). */
const struct walk_stretch *walk_stream_find(const struct walk_stream *stream, walk_addr address, size_t *hint);

/* The stretch of an address; `hint` is where the last one was: any number to begin with. NULL: there is none. */
static inline const struct walk_stretch *walk_stream_stretch(const struct walk_stream *stream, walk_addr address,
                                                             size_t *hint)
{
    const struct walk_stretch *last = &stream->stretches[*hint < stream->stretch_count ? *hint : 0];
    return address - last->start < last->end - last->start ? last : walk_stream_find(stream, address, hint);
}

/* The place of an address in its stretch, which begins a granule. */
static inline uint32_t walk_stream_place(const struct walk_stream *stream, const struct walk_stretch *stretch,
                                         walk_addr address)
{
    return (uint32_t)((stretch->first_span << stream->place_bits) +
                      ((address - stretch->start) >> stream->granule_bits));
}

static inline size_t walk_stream_span(const struct walk_stream *stream, uint32_t place)
{
    return place >> stream->place_bits;
}

static inline walk_addr walk_stream_address(const struct walk_stream *stream, uint32_t place)
{
    uint32_t inside = place & ((1u << stream->place_bits) - 1);
    return stream->spans[place >> stream->place_bits].start + ((walk_addr)inside << stream->granule_bits);
}

#endif
