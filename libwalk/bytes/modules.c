/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF files mapped into the target, found again on this machine and checked by build-id. */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes/image.h"
#include "bytes/process.h"

#define BUILD_ID_MAX 32
/* The ELF header, program headers and notes of a file are in its first bytes. */
#define HEAD ((size_t)64 << 10)

static size_t copy_build_id(Elf *elf, uint8_t *id)
{
    const void *bytes;
    ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &bytes) : 0;
    if (size <= 0 || size > BUILD_ID_MAX)
        return 0;
    memcpy(id, bytes, (size_t)size);
    return (size_t)size;
}

/* The build-id in the target's memory; 0 bytes when page 0 of the module is not there or holds none. */
static size_t build_id_in_memory(struct walk_image *image, const struct walk_module *module, uint8_t *id)
{
    size_t size = walk_memory_available(&image->memory, module->start, HEAD);
    const uint8_t *view = walk_memory_view(&image->memory, module->start, size);
    if (!view || size < sizeof(Elf64_Ehdr) || memcmp(view, ELFMAG, SELFMAG) != 0)
        return 0;
    uint8_t *head = malloc(size);
    if (!head)
        return 0;
    memcpy(head, view, size);
    /* There are no section headers in memory: libelf must not look for them. */
    if (head[EI_CLASS] == ELFCLASS64) {
        Elf64_Ehdr *header = (Elf64_Ehdr *)head;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    } else {
        Elf32_Ehdr *header = (Elf32_Ehdr *)head;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    }
    Elf *elf = elf_memory((char *)head, size);
    size_t id_size = copy_build_id(elf, id);
    elf_end(elf);
    free(head);
    return id_size;
}

/* The path is what the target says: it may name a pipe, which must not block, or a device, which must stay alone. */
static int open_regular(const char *path)
{
    struct stat status;
    int fd = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static size_t build_id_in_file(const char *path, uint8_t *id, bool *is_elf)
{
    *is_elf = false;
    int fd = open_regular(path);
    if (fd < 0)
        return 0;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    *is_elf = elf && elf_kind(elf) == ELF_K_ELF;
    size_t size = *is_elf ? copy_build_id(elf, id) : 0;
    elf_end(elf);
    close(fd);
    return size;
}

static struct walk_error *say(struct walk_module *module, const char *format, const char *a, const char *b)
{
    free(module->problem);
    if (asprintf(&module->problem, format, a, b) < 0) {
        module->problem = NULL;
        return walk_error_no_memory();
    }
    return NULL;
}

/* Takes `path` as the module's file if it is there and its build-id is the target's. */
static struct walk_error *try_file(struct walk_module *module, const char *path)
{
    uint8_t id[BUILD_ID_MAX];
    bool is_elf;
    if (module->file || access(path, R_OK) != 0)
        return NULL;
    size_t size = build_id_in_file(path, id, &is_elf);
    if (!is_elf)
        return NULL;
    if (module->build_id_size && (size != module->build_id_size || memcmp(id, module->build_id, size) != 0)) {
        char theirs[2 * BUILD_ID_MAX + 1], ours[2 * BUILD_ID_MAX + 1], text[PATH_MAX + 128];
        walk_build_id_format(module->build_id, module->build_id_size, theirs);
        walk_build_id_format(id, size, ours);
        snprintf(text, sizeof text, "%s is another build (build-id %s)", path, size ? ours : "missing");
        return say(module, "%s; the target ran build-id %s", text, theirs);
    }
    module->file = strdup(path);
    return module->file ? NULL : walk_error_no_memory();
}

static struct walk_error *find_file(struct walk_image *image, struct walk_module *module, bool is_executable)
{
    char path[PATH_MAX + 64];
    struct walk_error *error = NULL;
    if (is_executable && image->executable)
        error = try_file(module, image->executable);
    if (!error && image->process) {
        int pid = walk_process_reader_pid(image->process);
        snprintf(path, sizeof path, "/proc/%d/root%s", pid, module->path);
        error = try_file(module, path);
    }
    if (!error && image->sysroot) {
        snprintf(path, sizeof path, "%s%s", image->sysroot, module->path);
        error = try_file(module, path);
    }
    if (!error)
        error = try_file(module, module->path);
    if (!error && !module->file && !module->problem)
        error = say(module, "%s was not found%s", module->path, "");
    return error;
}

/* Consecutive mappings of one path, the first with offset 0, are a module when ELF's magic is there or cannot be read.
 */
static struct walk_error *group(struct walk_image *image)
{
    image->modules = calloc(image->mapping_count + 1, sizeof *image->modules);
    if (!image->modules)
        return walk_error_no_memory();
    for (size_t i = 0; i < image->mapping_count; i++) {
        const struct walk_file_mapping *mapping = &image->mappings[i];
        struct walk_module *last = image->module_count ? &image->modules[image->module_count - 1] : NULL;
        if (mapping->offset == 0) {
            const uint8_t *magic = walk_memory_view(&image->memory, mapping->start, SELFMAG);
            if (!magic || memcmp(magic, ELFMAG, SELFMAG) == 0)
                image->modules[image->module_count++] =
                    (struct walk_module){.path = mapping->path, .start = mapping->start, .end = mapping->end};
        } else if (last && strcmp(last->path, mapping->path) == 0) {
            last->end = mapping->end;
        }
    }
    return NULL;
}

struct walk_error *walk_image_find_modules(struct walk_image *image)
{
    elf_version(EV_CURRENT);
    struct walk_error *error = group(image);
    for (size_t i = 0; i < image->module_count && !error; i++) {
        struct walk_module *module = &image->modules[i];
        module->build_id_size = build_id_in_memory(image, module, module->build_id);
        error = find_file(image, module, i == 0);
    }
    return error;
}

static const struct walk_module *module_of(const struct walk_image *image, const struct walk_file_mapping *mapping)
{
    for (size_t i = 0; i < image->module_count; i++) {
        const struct walk_module *module = &image->modules[i];
        if (mapping->start >= module->start && mapping->start < module->end && strcmp(module->path, mapping->path) == 0)
            return module;
    }
    return NULL;
}

/* The mapped file of the module at hand; modules come one after the other, so the last one is remembered. */
struct backing {
    const struct walk_module *module;
    const uint8_t *data;
    size_t size;
};

static struct walk_error *open_backing(struct walk_image *image, struct backing *backing,
                                       const struct walk_module *module)
{
    if (backing->module == module)
        return NULL;
    *backing = (struct backing){.module = module};
    if (!module || !module->file)
        return NULL;
    return walk_image_map_file(image, module->file, &backing->data, &backing->size);
}

/* Adds to `memory` the segment [start, end) that is not saved, cut where files back parts of it. */
static struct walk_error *add_backed(struct walk_image *image, struct walk_memory *memory, struct backing *backing,
                                     struct walk_segment hole)
{
    for (size_t i = 0; i < image->mapping_count; i++) {
        const struct walk_file_mapping *mapping = &image->mappings[i];
        if (mapping->end <= hole.start || mapping->start >= hole.end)
            continue;
        struct walk_error *error = open_backing(image, backing, module_of(image, mapping));
        if (error)
            return error;
        walk_addr start = mapping->start > hole.start ? mapping->start : hole.start;
        walk_addr end = mapping->end < hole.end ? mapping->end : hole.end;
        uint64_t offset = mapping->offset + (start - mapping->start);
        if (offset >= backing->size)
            continue;
        if (end - start > backing->size - offset)
            end = start + (backing->size - offset);
        struct walk_segment before = hole, backed = hole;
        before.end = start;
        backed.start = start;
        backed.end = end;
        backed.kind = WALK_SEGMENT_SAVED;
        backed.data = (uint8_t *)(uintptr_t)(backing->data + offset);
        error = walk_memory_add(memory, &before);
        if (!error)
            error = walk_memory_add(memory, &backed);
        if (error)
            return error;
        hole.start = end;
    }
    return walk_memory_add(memory, &hole);
}

struct walk_error *walk_image_back_by_files(struct walk_image *image)
{
    struct walk_memory backed;
    struct backing backing = {0};
    struct walk_error *error = NULL;
    walk_memory_init(&backed, image->memory.word);
    for (size_t i = 0; i < image->memory.count && !error; i++) {
        const struct walk_segment *segment = &image->memory.segments[i];
        error = segment->kind == WALK_SEGMENT_NOT_SAVED ? add_backed(image, &backed, &backing, *segment)
                                                        : walk_memory_add(&backed, segment);
    }
    if (!error)
        error = walk_memory_seal(&backed);
    if (error) {
        walk_memory_deinit(&backed);
        return error;
    }
    walk_memory_deinit(&image->memory);
    image->memory = backed;
    return NULL;
}
