/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/stream.h"

#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/mapping.h"

/* Whether its bytes can be read in any order by any thread. */
static bool is_streamed(const struct walk_segment *segment, unsigned granule_bits)
{
    return segment->kind == WALK_SEGMENT_SAVED && (segment->flags & WALK_SEGMENT_WRITE) &&
           segment->start % ((walk_addr)1 << granule_bits) == 0;
}

static void add_segment(struct walk_stream *stream, const struct walk_segment *segment)
{
    stream->stretches[stream->stretch_count++] =
        (struct walk_stretch){segment->start, segment->end, stream->span_count};
    stream->bytes += segment->end - segment->start;
    for (walk_addr at = segment->start; at < segment->end; at += WALK_SPAN)
        stream->spans[stream->span_count++] = (struct walk_span){
            segment, at, segment->end - at < WALK_SPAN ? (size_t)(segment->end - at) : (size_t)WALK_SPAN};
}

struct walk_error *walk_stream_open(struct walk_stream *stream, const struct walk_image *image, unsigned granule_bits)
{
    const struct walk_memory *memory = &image->memory;
    size_t spans = 0, stretches = 0;
    for (size_t i = 0; i < memory->count; i++) {
        if (!is_streamed(&memory->segments[i], granule_bits))
            continue;
        spans += (memory->segments[i].end - memory->segments[i].start + WALK_SPAN - 1) / WALK_SPAN;
        stretches++;
    }
    *stream = (struct walk_stream){
        .image = image, .granule_bits = granule_bits, .place_bits = (unsigned)WALK_SPAN_BITS - granule_bits};
    stream->spans = calloc(spans + 1, sizeof *stream->spans);
    stream->stretches = calloc(stretches + 1, sizeof *stream->stretches);
    stream->segment_place = calloc(memory->count + 1, sizeof *stream->segment_place);
    if (!stream->spans || !stream->stretches || !stream->segment_place) {
        walk_stream_close(stream);
        return walk_error_no_memory();
    }
    for (size_t i = 0; i < memory->count; i++) {
        bool streamed = is_streamed(&memory->segments[i], granule_bits);
        stream->segment_place[i] = streamed ? (uint32_t)(stream->span_count << stream->place_bits) : WALK_NO_PLACE;
        if (streamed)
            add_segment(stream, &memory->segments[i]);
    }
    return NULL;
}

void walk_stream_close(struct walk_stream *stream)
{
    free(stream->spans);
    free(stream->stretches);
    free(stream->segment_place);
    *stream = (struct walk_stream){0};
}

bool walk_stream_numbered(const struct walk_stream *stream)
{
    return stream->span_count <= UINT32_MAX >> stream->place_bits;
}

uint8_t *walk_stream_buffer(const struct walk_stream *stream, size_t tail)
{
    return walk_large_alloc(stream->image->stock, WALK_SPAN + tail, 1);
}

bool walk_stream_peek(const struct walk_stream *stream, walk_addr address, size_t size, void *buffer, size_t *hint)
{
    const struct walk_stretch *stretch = walk_stream_stretch(stream, address, hint);
    uint64_t offset;
    if (!stretch || size > stretch->end - address)
        return false;
    const struct walk_segment *segment = stream->spans[stretch->first_span].segment;
    const uint8_t *data = segment->data + (address - segment->start);
    if (walk_image_in_core(stream->image, data, &offset))
        return walk_image_read_core(stream->image, offset, buffer, size);
    memcpy(buffer, data, size);
    return true;
}

const uint8_t *walk_stream_piece(const struct walk_stream *stream, size_t span, walk_addr start, size_t size,
                                 uint8_t *buffer, size_t *got)
{
    const struct walk_segment *segment = stream->spans[span].segment;
    const uint8_t *data = segment->data + (start - segment->start);
    uint64_t offset;
    *got = segment->end - start < size ? (size_t)(segment->end - start) : size;
    if (!walk_image_in_core(stream->image, data, &offset))
        return data;
    walk_mapping_fetch(stream->image, data, *got);
    return walk_image_read_core(stream->image, offset, buffer, *got) ? buffer : NULL;
}

const uint8_t *walk_stream_read(const struct walk_stream *stream, size_t index, size_t tail, uint8_t *buffer,
                                size_t *got)
{
    const struct walk_span *span = &stream->spans[index];
    return walk_stream_piece(stream, index, span->start, span->size + tail, buffer, got);
}

const struct walk_stretch *walk_stream_find(const struct walk_stream *stream, walk_addr address, size_t *hint)
{
    size_t low = 0, high = stream->stretch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stream->stretches[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stream->stretch_count || stream->stretches[low].start > address)
        return NULL;
    *hint = low;
    return &stream->stretches[low];
}
