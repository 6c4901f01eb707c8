/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF files mapped into the target, found again on this machine and checked by build-id. */
#include <elfutils/libdwelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "bytes/elf.h"
#include "bytes/process.h"

#define BUILD_ID_MAX 32
#define DEBUG_DIRS "/usr/lib/debug"
/* No module's .bss is larger. */
#define MODULE_MAX ((walk_addr)1 << 32)

static size_t copy_build_id(Elf *elf, uint8_t *id)
{
    const void *bytes;
    ssize_t size = dwelf_elf_gnu_build_id(elf, &bytes);
    if (size <= 0 || size > BUILD_ID_MAX)
        return 0;
    memcpy(id, bytes, (size_t)size);
    return (size_t)size;
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
    module->bias_known = walk_elf_bias(elf, module->start, &module->bias);
    for (size_t i = 0; module->bias_known && elf_getphdrnum(elf, &count) == 0 && i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
            continue;
        walk_addr last = module->bias + header.p_vaddr + header.p_memsz;
        if (last > end && last <= room)
            end = last;
    }
    module->end = end;
}

/* What the module's first page says in the target's memory; nothing when it is not there. */
static void read_head(struct walk_image *image, struct walk_module *module)
{
    struct walk_elf elf;
    if (!walk_elf_in_memory(image, module->start, &elf))
        return;
    module->build_id_size = copy_build_id(elf.elf, module->build_id);
    read_program_headers(image, module, elf.elf);
    walk_elf_close(&elf);
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

/*
 * Where page 0 of a module is not in memory there is no build-id to compare. But its dynamic section is in memory,
 * since the dynamic linker writes to it: sizes and addresses of the file's sections. The linker adds the bias to some
 * of them, and stores something of its own as DT_DEBUG.
 */
static bool same_dynamic(struct walk_image *image, const struct walk_module *module, Elf *elf)
{
    enum { SIZE_MAX_READ = 1 << 16 };
    GElf_Phdr header;
    walk_addr bias;
    unsigned word = image->memory.word;
    if (!walk_elf_header(elf, PT_DYNAMIC, &header) || !walk_elf_bias(elf, module->start, &bias))
        return true;
    walk_addr at = bias + header.p_vaddr;
    const struct walk_segment *segment = walk_memory_segment(&image->memory, at);
    if (!segment)
        return false;
    if (segment->kind == WALK_SEGMENT_NOT_SAVED || header.p_filesz > SIZE_MAX_READ)
        return true; /* nothing to compare with */
    size_t size = header.p_filesz / (2 * word) * (2 * word), file_size;
    const uint8_t *memory = walk_memory_view(&image->memory, at, size);
    const char *file = elf_rawfile(elf, &file_size);
    if (!memory || !file || header.p_offset > file_size || size > file_size - header.p_offset)
        return false;
    const uint8_t *own = (const uint8_t *)file + header.p_offset;
    for (size_t i = 0; i < size; i += 2 * word) {
        uint64_t tag = walk_load_word(word, own + i), value = walk_load_word(word, own + i + word);
        uint64_t there = walk_load_word(word, memory + i + word);
        uint64_t moved = word == 8 ? value + bias : (uint32_t)(value + bias);
        if (walk_load_word(word, memory + i) != tag)
            return false;
        if (tag == DT_NULL)
            break;
        if (tag != DT_DEBUG && !(tag >= DT_LOPROC && tag <= DT_HIPROC) && there != value && there != moved)
            return false;
    }
    return true;
}

static const char *machine_name(Elf *elf)
{
    GElf_Ehdr header;
    switch (gelf_getehdr(elf, &header) ? header.e_machine : EM_NONE) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "arm";
    case EM_AARCH64:
        return "aarch64";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390";
    case EM_RISCV:
        return "riscv";
    default:
        return "another machine";
    }
}

/* A separate debug file has the build-id too, but not what was mapped. */
static bool is_debug_only(Elf *elf)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_EXECINSTR) && header.sh_type == SHT_NOBITS)
            return true;
    }
    return false;
}

static struct walk_error *judge_file(struct walk_image *image, struct walk_module *module, const char *path, Elf *elf)
{
    uint8_t id[BUILD_ID_MAX];
    char theirs[2 * BUILD_ID_MAX + 1], ours[2 * BUILD_ID_MAX + 1], text[2 * PATH_MAX];
    if (!walk_elf_fits(image, elf))
        return module->problem
                   ? NULL
                   : say(module, "%s is for another machine than the target's (%s)", path, machine_name(elf));
    if (is_debug_only(elf))
        return say(module, "%s has debug information only%s", path, "");
    size_t size = copy_build_id(elf, id);
    if (module->build_id_size && (size != module->build_id_size || memcmp(id, module->build_id, size) != 0)) {
        walk_build_id_format(module->build_id, module->build_id_size, theirs);
        walk_build_id_format(id, size, ours);
        snprintf(text, sizeof text, "%s is another build (build-id %s)", path, size ? ours : "missing");
        return say(module, "%s; the target ran build-id %s", text, theirs);
    }
    if (!module->build_id_size && !same_dynamic(image, module, elf)) {
        walk_build_id_format(id, size, ours);
        return say(module, "%s is another build (build-id %s): its dynamic section is not the one in memory", path,
                   size ? ours : "missing");
    }
    if (!module->build_id_size) {
        memcpy(module->build_id, id, size);
        module->build_id_size = size;
    }
    module->file = strdup(path);
    return module->file ? NULL : walk_error_no_memory();
}

/* Takes `path` as the module's file if it is there and is what the target had mapped. */
static struct walk_error *try_file(struct walk_image *image, struct walk_module *module, const char *path)
{
    struct walk_elf elf;
    if (module->file || access(path, R_OK) != 0 || !walk_elf_open(path, &elf))
        return NULL;
    struct walk_error *error = judge_file(image, module, path, elf.elf);
    walk_elf_close(&elf);
    return error;
}

/* The length of a path without what the kernel adds to that of a file which was removed or replaced meanwhile. */
static int path_length(const char *path)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), tail = sizeof deleted - 1;
    return (int)(length > tail && strcmp(path + length - tail, deleted) == 0 ? length - tail : length);
}

/* With a sysroot, files of this machine's own root are none of the target's, as for gdb. */
bool walk_image_place(const struct walk_image *image, const char *path, bool is_executable, unsigned place,
                      char *buffer, size_t size)
{
    int length = path_length(path);
    *buffer = '\0';
    switch (place) {
    case 0:
        if (is_executable && image->executable)
            snprintf(buffer, size, "%s", image->executable);
        return true;
    case 1:
        if (image->process)
            snprintf(buffer, size, "/proc/%d/root%.*s", walk_process_reader_pid(image->process), length, path);
        return true;
    case 2: /* also when it was removed */
        if (image->process && is_executable)
            snprintf(buffer, size, "/proc/%d/exe", walk_process_reader_pid(image->process));
        return true;
    case 3:
        snprintf(buffer, size, "%s%.*s", image->sysroot ? image->sysroot : "", length, path);
        return true;
    default:
        return false;
    }
}

/*
 * A folder that has files by build-id (.build-id/ab/cdef…, as debug packages and debuginfod's caches lay them out), or
 * just has them. Only for a known build-id: no other check is left.
 */
static struct walk_error *find_by_build_id(struct walk_image *image, struct walk_module *module, const char *folder,
                                           int length)
{
    char path[PATH_MAX + 64], hex[2 * BUILD_ID_MAX + 1];
    if (!length || folder[0] != '/' || module->file || !module->build_id_size)
        return NULL;
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    snprintf(path, sizeof path, "%.*s/.build-id/%.2s/%s", length, folder, hex, hex + 2);
    struct walk_error *error = try_file(image, module, path);
    const char *name = strrchr(module->path, '/');
    snprintf(path, sizeof path, "%.*s%.*s", length, folder, name ? path_length(name) : 0, name ? name : "");
    return error || !name ? error : try_file(image, module, path);
}

static struct walk_error *find_file(struct walk_image *image, struct walk_module *module, bool is_executable)
{
    char path[PATH_MAX + 64];
    const char *sysroot = image->sysroot ? image->sysroot : "";
    struct walk_error *error = NULL;
    for (unsigned i = 0; !error && walk_image_place(image, module->path, is_executable, i, path, sizeof path); i++)
        if (*path)
            error = try_file(image, module, path);
    if (!error && image->process) { /* a library that was removed */
        snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, walk_process_reader_pid(image->process),
                 module->start, module->first_end);
        error = try_file(image, module, path);
    }
    if (!error)
        error = find_by_build_id(image, module, sysroot, (int)strlen(sysroot));
    const char *next = image->debug_dirs ? image->debug_dirs : DEBUG_DIRS;
    for (size_t length; !error && *next; next += length + (next[length] == ':')) {
        length = strcspn(next, ":");
        error = find_by_build_id(image, module, next, (int)length);
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

/* ---- what a module has written ---- */

bool walk_module_next_chunk(struct walk_memory *memory, const struct walk_module *module, size_t *next,
                            struct walk_chunk *chunk)
{
    while (*next < memory->count) {
        const struct walk_segment *segment = &memory->segments[(*next)++];
        walk_addr start = segment->start > module->start ? segment->start : module->start;
        walk_addr end = segment->end < module->end ? segment->end : module->end;
        if (start >= end || !(segment->flags & WALK_SEGMENT_WRITE))
            continue;
        start = (start + memory->word - 1) / memory->word * memory->word;
        chunk->start = start;
        chunk->size = start < end ? walk_memory_available(memory, start, (size_t)(end - start)) : 0;
        chunk->view = walk_memory_view(memory, start, chunk->size);
        if (chunk->view && chunk->size)
            return true;
    }
    return false;
}
