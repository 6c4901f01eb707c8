/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes/large.h"
#include "bytes/process.h"
#include "bytes/workers.h"

struct walk_mapped_file {
    void *data;
    size_t size;
};

static struct walk_error *copy(const char *text, char **result)
{
    *result = NULL;
    if (text && *text && !(*result = strdup(text)))
        return walk_error_no_memory();
    return NULL;
}

/* Which of some words it is, from 1 on; 0: none was given, or another one, of which `error` says the `advice`. */
static unsigned one_of(const char *word, const char *const *words, const char *advice, struct walk_error **error)
{
    for (unsigned i = 0; word && words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return i + 1;
    if (word && !*error)
        *error = walk_error_new(WALK_ERROR_UNSUPPORTED, "%s", advice);
    return 0;
}

struct walk_error *walk_image_init(struct walk_image *image, unsigned word, const struct walk_options *options)
{
    static const struct walk_options defaults;
    static const char *const searches[] = {"lists", "sweep", "sublists", NULL};
    static const char *const readings[] = {"windows", "mapping", NULL};
    static const char *const firsts[] = {"counts", "graph", NULL};
    if (!options)
        options = &defaults;
    *image = (struct walk_image){0};
    walk_memory_init(&image->memory, word);
    image->stock = walk_stock_open();
    image->guess = options->guess;
    image->workers = walk_workers_count(options->threads);
    struct walk_error *error = copy(options->sysroot, &image->sysroot);
    if (!error)
        error = copy(options->executable, &image->executable);
    if (!error)
        error = copy(options->debug_dirs, &image->debug_dirs);
    if (!error)
        error = copy(options->layout, &image->layout);
    image->search = one_of(options->tracked, searches,
                           "tracked objects are looked for by \"lists\", \"sweep\" or \"sublists\"", &error);
    image->reading =
        one_of(options->reading, readings, "a core's bytes are read by \"windows\" or by \"mapping\"", &error);
    image->first = one_of(options->first, firsts, "what is asked first is \"counts\" or \"graph\"", &error);
    return error;
}

/* What the workers let go of, piece by piece. */
enum { PIECE = 32 << 20 };

static void let_go(void *context, size_t piece, unsigned worker)
{
    const struct walk_image *image = context;
    size_t start = piece * PIECE, left = image->core.size - start;
    (void)worker;
    (void)madvise((void *)(uintptr_t)(image->core.data + start), left < PIECE ? left : PIECE, MADV_DONTNEED);
}

/* To take millions of pages out of a mapping takes long, and unmapping has one thread do it. */
static void let_go_of_core(struct walk_image *image)
{
    if (image->core.data && image->core.size > PIECE && image->workers > 1)
        walk_workers_run(image->workers, (image->core.size + PIECE - 1) / PIECE, let_go, image);
}

void walk_image_close(struct walk_image *image)
{
    let_go_of_core(image);
    walk_memory_deinit(&image->memory);
    for (size_t i = 0; i < image->module_count; i++) {
        free(image->modules[i].file);
        free(image->modules[i].problem);
    }
    free(image->modules);
    free(image->mappings);
    free(image->strings);
    free(image->lwps);
    free(image->sysroot);
    free(image->executable);
    free(image->debug_dirs);
    free(image->layout);
    for (size_t i = 0; i < image->mapped_count; i++)
        munmap(image->mapped[i].data, image->mapped[i].size);
    free(image->mapped);
    if (image->core.data)
        close(image->core.fd);
    walk_process_reader_free(image->process);
    walk_stock_close(image->stock);
    *image = (struct walk_image){0};
}

/* Maps it and leaves it open. */
static struct walk_error *map_open(struct walk_image *image, const char *path, const uint8_t **data, size_t *size,
                                   int *descriptor)
{
    struct walk_mapped_file *mapped = realloc(image->mapped, (image->mapped_count + 1) * sizeof *mapped);
    if (!mapped)
        return walk_error_no_memory();
    image->mapped = mapped;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return walk_error_new(WALK_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    struct stat status;
    struct walk_error *error = NULL;
    if (fstat(fd, &status) < 0)
        error = walk_error_new(WALK_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        error = walk_error_new(WALK_ERROR_FORMAT, "%s: not a regular file", path);
    else if (status.st_size == 0)
        error = walk_error_new(WALK_ERROR_FORMAT, "%s: the file is empty", path);
    if (!error) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
        if (bytes == MAP_FAILED) {
            error = walk_error_new(WALK_ERROR_SYSTEM, "%s: cannot map: %s", path, strerror(errno));
        } else {
            image->mapped[image->mapped_count++] = (struct walk_mapped_file){bytes, (size_t)status.st_size};
            *data = bytes;
            *size = (size_t)status.st_size;
        }
    }
    if (error)
        close(fd);
    else
        *descriptor = fd;
    return error;
}

struct walk_error *walk_image_map_file(struct walk_image *image, const char *path, const uint8_t **data, size_t *size)
{
    int fd;
    struct walk_error *error = map_open(image, path, data, size, &fd);
    if (!error)
        close(fd);
    return error;
}

struct walk_error *walk_image_map_core(struct walk_image *image, const char *path, const uint8_t **data, size_t *size)
{
    int fd;
    struct walk_error *error = map_open(image, path, data, size, &fd);
    if (!error) {
        image->core.data = *data;
        image->core.size = *size;
        image->core.fd = fd;
        /* What comes from the disk shall come in huge pages, if the file system has them: they are entered at once. */
        (void)madvise((void *)(uintptr_t)*data, *size, MADV_HUGEPAGE);
    }
    return error;
}

bool walk_image_in_core(const struct walk_image *image, const uint8_t *data, uint64_t *offset)
{
    *offset = (uint64_t)(data - image->core.data);
    return image->core.data && data >= image->core.data && data < image->core.data + image->core.size;
}

bool walk_image_read_core(const struct walk_image *image, uint64_t offset, uint8_t *buffer, size_t size)
{
    while (size) {
        ssize_t got = pread(image->core.fd, buffer, size, (off_t)offset);
        if (got <= 0)
            return false;
        buffer += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

void walk_build_id_format(const uint8_t *id, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[id[i] >> 4];
        hex[2 * i + 1] = digits[id[i] & 15];
    }
    hex[2 * size] = '\0';
}
