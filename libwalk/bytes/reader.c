/* SPDX-License-Identifier: Apache-2.0 */
/* Memory served by the caller. */
#include <stdlib.h>

#include "bytes/image.h"

static size_t read_through(void *context, walk_addr address, void *buffer, size_t size)
{
    const struct walk_reader *reader = context;
    size_t got = reader->read(reader->context, address, buffer, size);
    return got < size ? got : size;
}

static struct walk_error *copy_mappings(struct walk_image *image, const struct walk_reader *reader)
{
    size_t strings = 0, files = 0;
    for (size_t i = 0; i < reader->mapping_count; i++)
        strings += reader->mappings[i].path ? strlen(reader->mappings[i].path) + 1 : 0;
    image->strings = malloc(strings + 1);
    image->mappings = calloc(reader->mapping_count + 1, sizeof *image->mappings);
    if (!image->strings || !image->mappings)
        return walk_error_no_memory();
    char *next = image->strings;
    for (size_t i = 0; i < reader->mapping_count; i++) {
        const struct walk_mapping *mapping = &reader->mappings[i];
        struct walk_segment segment = {
            .start = mapping->start, .end = mapping->end, .kind = WALK_SEGMENT_LAZY, .flags = WALK_SEGMENT_WRITE};
        struct walk_error *error = walk_memory_add(&image->memory, &segment);
        if (error)
            return error;
        if (!mapping->path || mapping->path[0] != '/')
            continue;
        strcpy(next, mapping->path);
        image->mappings[files++] = (struct walk_file_mapping){mapping->start, mapping->end, mapping->offset, next};
        next += strlen(next) + 1;
    }
    image->mapping_count = files;
    return NULL;
}

struct walk_error *walk_image_open_reader(const struct walk_reader *reader, const struct walk_options *options,
                                          struct walk_image *image)
{
    if (reader->word != 4 && reader->word != 8)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "a target with %u-byte pointers", reader->word);
    struct walk_error *error = walk_image_init(image, reader->word, options);
    /* The callback lives in `image`, so the image must not move from here on: see walk_target_open_reader(). */
    image->reader = *reader;
    image->memory.fill = read_through;
    image->memory.fill_context = &image->reader;
    if (!error)
        error = copy_mappings(image, reader);
    if (!error)
        error = walk_memory_seal(&image->memory);
    if (!error)
        error = walk_memory_reserve(&image->memory);
    if (!error)
        error = walk_image_find_modules(image);
    if (error)
        walk_image_close(image);
    return error;
}
