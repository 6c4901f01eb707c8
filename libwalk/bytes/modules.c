/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF files mapped into the target, found again on this machine and checked by build-id. */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes/image.h"
#include "bytes/process.h"

#define BUILD_ID_MAX 32
/* The ELF header, program headers and notes of a file are in its first bytes. */
#define HEAD ((size_t)64 << 10)
#define DEBUG_DIRS "/usr/lib/debug"
/* No module's .bss is larger. */
#define MODULE_MAX ((walk_addr)1 << 32)

static size_t copy_build_id(Elf *elf, uint8_t *id)
{
    const void *bytes;
    ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &bytes) : 0;
    if (size <= 0 || size > BUILD_ID_MAX)
        return 0;
    memcpy(id, bytes, (size_t)size);
    return (size_t)size;
}

/* A copy of the module's first bytes that libelf can open, when they are in the target's memory; else NULL. */
static uint8_t *copy_head(struct walk_image *image, const struct walk_module *module, size_t *size)
{
    *size = walk_memory_available(&image->memory, module->start, HEAD);
    const uint8_t *view = walk_memory_view(&image->memory, module->start, *size);
    if (!view || *size < sizeof(Elf64_Ehdr) || memcmp(view, ELFMAG, SELFMAG) != 0)
        return NULL;
    uint8_t *head = malloc(*size);
    if (!head)
        return NULL;
    memcpy(head, view, *size);
    /* There are no section headers in memory: libelf must not look for them. */
    if (head[EI_CLASS] == ELFCLASS64) {
        Elf64_Ehdr *header = (Elf64_Ehdr *)head;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    } else {
        Elf32_Ehdr *header = (Elf32_Ehdr *)head;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    }
    return head;
}

/* The address up to which no other file is mapped behind the module. */
static walk_addr room_behind(const struct walk_image *image, const struct walk_module *module)
{
    walk_addr room = module->end + MODULE_MAX;
    for (size_t i = 0; i < image->mapping_count; i++)
        if (image->mappings[i].start >= module->end && image->mappings[i].start < room)
            room = image->mappings[i].start;
    return room;
}

/* Where it was loaded, and where it ends: .bss is no mapping of the file. */
static void read_program_headers(const struct walk_image *image, struct walk_module *module, Elf *elf)
{
    size_t count;
    walk_addr end = module->end, room = room_behind(image, module);
    for (size_t i = 0; elf_getphdrnum(elf, &count) == 0 && i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
            continue;
        if (!module->bias_known)
            module->bias = module->start - (header.p_vaddr - header.p_offset);
        module->bias_known = true;
        walk_addr last = module->bias + header.p_vaddr + header.p_memsz;
        if (last > end && last <= room)
            end = last;
    }
    module->end = end;
}

/* What the module's first page says in the target's memory; nothing when it is not there. */
static void read_head(struct walk_image *image, struct walk_module *module)
{
    size_t size;
    uint8_t *head = copy_head(image, module, &size);
    Elf *elf = head ? elf_memory((char *)head, size) : NULL;
    if (elf) {
        module->build_id_size = copy_build_id(elf, module->build_id);
        read_program_headers(image, module, elf);
    }
    elf_end(elf);
    free(head);
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

/* What a file is: only an ELF file with machine code can be what was mapped; a separate debug file has the build-id
 * too.
 */
enum file_kind { NO_ELF, DEBUG_ONLY, LOADABLE };

static enum file_kind kind_of(Elf *elf)
{
    if (!elf || elf_kind(elf) != ELF_K_ELF)
        return NO_ELF;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_EXECINSTR) && header.sh_type == SHT_NOBITS)
            return DEBUG_ONLY;
    }
    return LOADABLE;
}

static size_t build_id_in_file(const char *path, uint8_t *id, enum file_kind *kind)
{
    *kind = NO_ELF;
    int fd = open_regular(path);
    if (fd < 0)
        return 0;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    *kind = kind_of(elf);
    size_t size = *kind == LOADABLE ? copy_build_id(elf, id) : 0;
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
    enum file_kind kind;
    if (module->file || access(path, R_OK) != 0)
        return NULL;
    size_t size = build_id_in_file(path, id, &kind);
    if (kind == DEBUG_ONLY)
        return say(module, "%s has debug information only%s", path, "");
    if (kind == NO_ELF)
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

/* The length of a path without what the kernel adds to that of a file which was removed or replaced meanwhile. */
static int path_length(const char *path)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), tail = sizeof deleted - 1;
    return (int)(length > tail && strcmp(path + length - tail, deleted) == 0 ? length - tail : length);
}

/* The files of a live process, also those that only it still has. */
static struct walk_error *find_in_process(struct walk_image *image, struct walk_module *module, bool is_executable)
{
    char path[PATH_MAX + 64];
    int pid = walk_process_reader_pid(image->process);
    snprintf(path, sizeof path, "/proc/%d/root%.*s", pid, path_length(module->path), module->path);
    struct walk_error *error = try_file(module, path);
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, module->start, module->first_end);
    if (!error)
        error = try_file(module, path);
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (!error && is_executable)
        error = try_file(module, path);
    return error;
}

/*
 * A folder that has files by build-id (.build-id/ab/cdef…, as debug packages and debuginfod's caches lay them out), or
 * just has them. Only for a known build-id: no other check is left.
 */
static struct walk_error *find_by_build_id(struct walk_module *module, const char *folder, int length)
{
    char path[PATH_MAX + 64], hex[2 * BUILD_ID_MAX + 1];
    if (!length || folder[0] != '/' || module->file || !module->build_id_size)
        return NULL;
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    snprintf(path, sizeof path, "%.*s/.build-id/%.2s/%s", length, folder, hex, hex + 2);
    struct walk_error *error = try_file(module, path);
    const char *name = strrchr(module->path, '/');
    snprintf(path, sizeof path, "%.*s%.*s", length, folder, name ? path_length(name) : 0, name ? name : "");
    return error || !name ? error : try_file(module, path);
}

/* As gdb does it: with a sysroot, files of this machine's own root are none of the target's. */
static struct walk_error *find_file(struct walk_image *image, struct walk_module *module, bool is_executable)
{
    char path[PATH_MAX + 64];
    const char *sysroot = image->sysroot ? image->sysroot : "";
    struct walk_error *error = NULL;
    if (is_executable && image->executable)
        error = try_file(module, image->executable);
    if (!error && image->process)
        error = find_in_process(image, module, is_executable);
    snprintf(path, sizeof path, "%s%.*s", sysroot, path_length(module->path), module->path);
    if (!error)
        error = try_file(module, path);
    if (!error)
        error = find_by_build_id(module, sysroot, (int)strlen(sysroot));
    const char *next = image->debug_dirs ? image->debug_dirs : DEBUG_DIRS;
    for (size_t length; !error && *next; next += length + (next[length] == ':')) {
        length = strcspn(next, ":");
        error = find_by_build_id(module, next, (int)length);
    }
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
                image->modules[image->module_count++] = (struct walk_module){
                    .path = mapping->path, .start = mapping->start, .first_end = mapping->end, .end = mapping->end};
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
        read_head(image, module);
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
