/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a saved heap: a header, then for each section a head and a frame of zstd, which has the checksum of the
 * content. Lengths are claims: they are compared with each other, with the file and with this machine's memory before
 * anything is allocated for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "answers/saved.h"

static const char magic[8] = "PYHEAP\r\n";

struct file_head {
    char magic[8];
    uint32_t version, sections;
};

struct section_head {
    char tag[4];
    uint32_t item;   /* bytes */
    uint64_t count;  /* items */
    uint64_t stored; /* bytes that follow */
};

static const struct section {
    char tag[5];
    uint32_t item;
    size_t data, count; /* where in struct walk_saved */
} sections[] = {
#define SECTION(member, tag, item)                                                                                     \
    {tag, sizeof(item), offsetof(struct walk_saved, member), offsetof(struct walk_saved, member##_count_of)},
#include "answers/saved.def"
#undef SECTION
};
enum { SECTIONS = sizeof sections / sizeof *sections, LEVEL = 3 };

static void **data_of(const struct section *section, struct walk_saved *saved)
{
    return (void **)(void *)((char *)saved + section->data);
}

static uint64_t *count_of(const struct section *section, struct walk_saved *saved)
{
    return (uint64_t *)(void *)((char *)saved + section->count);
}

void walk_saved_free(struct walk_saved *saved)
{
    if (!saved)
        return;
    for (size_t i = 0; i < SECTIONS; i++)
        free(*data_of(&sections[i], saved));
    free(saved->ref_start);
    free(saved->local_start);
    free(saved->parts);
    free(saved->invariants);
    free(saved);
}

/* ---- writing ---- */

static struct walk_error *system_error(const char *what, const char *path)
{
    return walk_error_new(WALK_ERROR_SYSTEM, "cannot %s %s: %s", what, path, strerror(errno));
}

static bool write_all(FILE *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file) == size; }

static struct walk_error *write_section(FILE *file, ZSTD_CCtx *context, const struct section *section,
                                        const struct walk_saved *saved, const char *path)
{
    struct walk_saved *from = (struct walk_saved *)(uintptr_t)saved;
    uint64_t count = *count_of(section, from), size = count * section->item;
    size_t bound = ZSTD_compressBound(size);
    void *packed = malloc(bound);
    if (!packed)
        return walk_error_no_memory();
    size_t stored = ZSTD_compress2(context, packed, bound, *data_of(section, from), size);
    struct section_head head = {.item = section->item, .count = count, .stored = stored};
    memcpy(head.tag, section->tag, sizeof head.tag);
    bool packs = !ZSTD_isError(stored),
         good = packs && write_all(file, &head, sizeof head) && write_all(file, packed, stored);
    free(packed);
    if (good)
        return NULL;
    return packs ? system_error("write", path) : walk_error_no_memory();
}

static struct walk_error *write_sections(FILE *file, const struct walk_saved *saved, const char *path)
{
    struct file_head head = {.version = WALK_SAVED_VERSION, .sections = SECTIONS};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return walk_error_no_memory();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    memcpy(head.magic, magic, sizeof magic);
    struct walk_error *error = write_all(file, &head, sizeof head) ? NULL : system_error("write", path);
    for (size_t i = 0; i < SECTIONS && !error; i++)
        error = write_section(file, context, &sections[i], saved, path);
    ZSTD_freeCCtx(context);
    return error;
}

/*
 * Where a file is written that is to be called `path`: through links, and never in place of a device or a pipe, which
 * a renamed file would replace. Freed by the caller.
 */
static struct walk_error *find_place(const char *path, char **place)
{
    struct stat there;
    *place = NULL;
    if (lstat(path, &there) < 0) {
        *place = strdup(path);
        return *place ? NULL : walk_error_no_memory();
    }
    if (!(*place = realpath(path, NULL)) || stat(*place, &there) < 0)
        return system_error("write", path);
    return S_ISREG(there.st_mode) ? NULL
                                  : walk_error_new(WALK_ERROR_SYSTEM, "cannot write %s: it is no regular file", path);
}

/* For the user alone, and whole or not at all: it is renamed when it is written. */
static struct walk_error *write_whole(const struct walk_saved *saved, const char *path, const char *place, char *name)
{
    int descriptor = mkostemp(name, O_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file) {
        struct walk_error *error = system_error("write", path);
        if (descriptor >= 0)
            close(descriptor);
        return error;
    }
    struct walk_error *error = write_sections(file, saved, path);
    if (fclose(file) && !error)
        error = system_error("write", path);
    if (!error && rename(name, place) < 0)
        error = system_error("write", path);
    if (error)
        unlink(name);
    return error;
}

struct walk_error *walk_saved_write(const struct walk_saved *saved, const char *path)
{
    char *place, *name = NULL;
    struct walk_error *error = find_place(path, &place);
    if (!error && asprintf(&name, "%s.XXXXXX", place) < 0) {
        name = NULL;
        error = walk_error_no_memory();
    }
    if (!error)
        error = write_whole(saved, path, place, name);
    free(name);
    free(place);
    return error;
}

/* ---- reading ---- */

static struct walk_error *damaged(const char *path, const char *what)
{
    return walk_error_new(WALK_ERROR_FORMAT, "%s: a saved heap that is damaged (%s): save it again from its core", path,
                          what);
}

static const struct section *section_called(const char *tag)
{
    for (size_t i = 0; i < SECTIONS; i++)
        if (memcmp(sections[i].tag, tag, 4) == 0)
            return &sections[i];
    return NULL;
}

static uint64_t memory_of_machine(void) { return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE); }

struct input {
    const uint8_t *at;
    uint64_t left;
    uint64_t allocated, affordable;
    const char *path;
};

static const void *take(struct input *input, uint64_t size)
{
    if (size > input->left)
        return NULL;
    const void *taken = input->at;
    input->at += size;
    input->left -= size;
    return taken;
}

static struct walk_error *read_section(struct input *input, struct walk_saved *saved)
{
    struct section_head head;
    const void *bytes = take(input, sizeof head);
    if (!bytes)
        return damaged(input->path, "it is shorter than it should be");
    memcpy(&head, bytes, sizeof head);
    const struct section *section = section_called(head.tag);
    const void *packed = take(input, head.stored);
    if (!packed)
        return damaged(input->path, "it is shorter than it should be");
    if (!section || *data_of(section, saved) || head.item != section->item)
        return damaged(input->path, "a section that should not be there");
    if (head.count > (UINT64_C(1) << 40) || ZSTD_getFrameContentSize(packed, head.stored) != head.count * head.item)
        return damaged(input->path, "a section of another length than it says");
    uint64_t size = head.count * head.item;
    input->allocated += size;
    if (input->allocated > input->affordable)
        return walk_error_new(WALK_ERROR_MEMORY, "%s: needs more memory than this machine has: load it on a larger one",
                              input->path);
    void *data = malloc(size + 1);
    if (!data)
        return walk_error_no_memory();
    *data_of(section, saved) = data;
    *count_of(section, saved) = head.count;
    size_t got = ZSTD_decompress(data, size, packed, head.stored);
    return ZSTD_isError(got) || got != size ? damaged(input->path, "a section with a wrong checksum") : NULL;
}

static struct walk_error *read_sections(struct input *input, struct walk_saved *saved)
{
    struct file_head head;
    const void *bytes = take(input, sizeof head);
    if (!bytes || memcmp(bytes, magic, sizeof magic) != 0)
        return walk_error_new(WALK_ERROR_FORMAT, "%s: not a saved heap: py-heap-save makes them of a core",
                              input->path);
    memcpy(&head, bytes, sizeof head);
    if (head.version != WALK_SAVED_VERSION)
        return walk_error_new(WALK_ERROR_UNSUPPORTED,
                              "%s: a saved heap of format %" PRIu32
                              ", this is for format %d: save it again from its core",
                              input->path, head.version, WALK_SAVED_VERSION);
    if (head.sections != SECTIONS)
        return damaged(input->path, "a wrong number of sections");
    for (size_t i = 0; i < SECTIONS; i++) {
        struct walk_error *error = read_section(input, saved);
        if (error)
            return error;
    }
    return input->left ? damaged(input->path, "it is longer than it should be") : NULL;
}

struct walk_error *walk_saved_read(const char *path, struct walk_saved **result)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &status) < 0) {
        struct walk_error *error = system_error("open", path);
        if (file >= 0)
            close(file);
        return error;
    }
    size_t size = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
    uint8_t *bytes = size ? malloc(size) : NULL; /* not a mapping: the file may be cut meanwhile */
    struct walk_saved *saved = calloc(1, sizeof *saved);
    struct walk_error *error = saved && (bytes || !size) ? NULL : walk_error_no_memory();
    for (size_t done = 0; done < size && !error;) {
        ssize_t got = read(file, bytes + done, size - done);
        if (got < 0)
            error = system_error("read", path);
        else if (got == 0)
            size = done;
        done += got > 0 ? (size_t)got : 0;
    }
    close(file);
    struct input input = {bytes, size, size, memory_of_machine(), path};
    if (!error)
        error = read_sections(&input, saved);
    free(bytes);
    if (error)
        walk_saved_free(saved);
    else
        *result = saved;
    return error;
}

bool walk_target_is_saved(const char *path)
{
    char begins[sizeof magic];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is = file >= 0 && read(file, begins, sizeof begins) == (ssize_t)sizeof begins &&
              memcmp(begins, magic, sizeof magic) == 0;
    if (file >= 0)
        close(file);
    return is;
}
