/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapped files of a core that does not name them (no NT_FILE): qemu-user's, gdb's of some remote targets. What the
 * kernel told the program (the auxiliary vector) leads to the executable's program headers, these to its dynamic
 * section, and DT_DEBUG there to the dynamic linker's list of libraries (struct r_debug and struct link_map of
 * <link.h>). Program headers are read in memory, or, where a core has left them out, in the file.
 */
#include <limits.h>
#include <stdlib.h>

#include "bytes/elf.h"

#define PAGE ((uint64_t)4096)

enum { LIBRARIES_MAX = 1 << 12 };

struct inference {
    struct walk_image *image;
    size_t strings_size, capacity;
};

/* ---- mappings; their paths are offsets in `strings` until all are known ---- */

static struct walk_error *add_path(struct inference *inference, const char *path, size_t *at)
{
    size_t length = strlen(path) + 1;
    char *strings = realloc(inference->image->strings, inference->strings_size + length);
    if (!strings)
        return walk_error_no_memory();
    inference->image->strings = strings;
    memcpy(strings + inference->strings_size, path, length);
    *at = inference->strings_size;
    inference->strings_size += length;
    return NULL;
}

static struct walk_error *add_mapping(struct inference *inference, walk_addr start, walk_addr end, uint64_t offset,
                                      size_t path)
{
    struct walk_image *image = inference->image;
    if (start >= end)
        return NULL;
    if (image->mapping_count == inference->capacity) {
        inference->capacity = inference->capacity ? 2 * inference->capacity : 64;
        struct walk_file_mapping *grown = realloc(image->mappings, inference->capacity * sizeof *grown);
        if (!grown)
            return walk_error_no_memory();
        image->mappings = grown;
    }
    image->mappings[image->mapping_count++] =
        (struct walk_file_mapping){start, end, offset, (const char *)(uintptr_t)path};
    return NULL;
}

static bool is_mapped(const struct walk_image *image, walk_addr address)
{
    for (size_t i = 0; i < image->mapping_count; i++)
        if (address >= image->mappings[i].start && address < image->mappings[i].end)
            return true;
    return false;
}

/* One mapping for each PT_LOAD; only the first page, with no program headers at hand. */
static struct walk_error *add_file(struct inference *inference, const char *path, walk_addr start, Elf *elf)
{
    size_t count = 0, path_at = 0;
    walk_addr bias = 0;
    struct walk_error *error = add_path(inference, path, &path_at);
    if (error || !elf || elf_getphdrnum(elf, &count) < 0 || !walk_elf_bias(elf, start, &bias))
        return error ? error : add_mapping(inference, start, start + PAGE, 0, path_at);
    for (size_t i = 0; i < count && !error; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD || !header.p_filesz)
            continue;
        walk_addr from = bias + header.p_vaddr, to = from + header.p_filesz;
        if (from % PAGE == header.p_offset % PAGE)
            error = add_mapping(inference, from / PAGE * PAGE, (to + PAGE - 1) / PAGE * PAGE,
                                header.p_offset / PAGE * PAGE, path_at);
    }
    return error;
}

/* ---- program headers ---- */

/* Of the file whose header stands at `start`: in memory, else in what this machine has at the path. */
static void open_headers(struct walk_image *image, walk_addr start, const char *path, bool is_executable,
                         struct walk_elf *elf)
{
    char place[PATH_MAX + 64];
    if (walk_elf_in_memory(image, start, elf))
        return;
    for (unsigned i = 0; walk_image_place(image, path, is_executable, i, place, sizeof place); i++) {
        if (!*place || !walk_elf_open(place, elf))
            continue;
        if (walk_elf_fits(image, elf->elf))
            return;
        walk_elf_close(elf);
    }
}

static bool read_string(struct walk_image *image, walk_addr address, char *buffer, size_t size)
{
    size = walk_memory_available(&image->memory, address, size);
    const uint8_t *view = walk_memory_view(&image->memory, address, size);
    if (!view || !memchr(view, 0, size))
        return false;
    strcpy(buffer, (const char *)view);
    return true;
}

/* The value of an entry of the dynamic section at `dynamic`, or 0. */
static uint64_t dynamic_value(struct walk_image *image, walk_addr dynamic, uint64_t wanted)
{
    enum { ENTRIES_MAX = 1 << 12 };
    unsigned word = image->memory.word;
    uint64_t tag, value;
    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        walk_addr at = dynamic + (uint64_t)i * 2 * word;
        if (!walk_memory_word(&image->memory, at, &tag) || !walk_memory_word(&image->memory, at + word, &value) ||
            tag == DT_NULL)
            return 0;
        if (tag == wanted)
            return value;
    }
    return 0;
}

/* ---- the executable and its libraries ---- */

static uint64_t auxv_value(const struct walk_image *image, const uint8_t *auxv, size_t size, uint64_t wanted)
{
    unsigned word = image->memory.word;
    for (size_t at = 0; at + 2 * word <= size; at += 2 * word)
        if (walk_load_word(word, auxv + at) == wanted)
            return walk_load_word(word, auxv + at + word);
    return 0;
}

static struct walk_error *add_executable(struct inference *inference, const uint8_t *auxv, size_t size,
                                         walk_addr *dynamic)
{
    struct walk_image *image = inference->image;
    char path[PATH_MAX] = "";
    walk_addr bias, start = auxv_value(image, auxv, size, AT_PHDR) / PAGE * PAGE;
    if (!start)
        return NULL;
    if (!read_string(image, auxv_value(image, auxv, size, AT_EXECFN), path, sizeof path) || !*path)
        strcpy(path, "[executable]");
    struct walk_elf elf = {.fd = -1};
    GElf_Phdr header;
    open_headers(image, start, path, true, &elf);
    struct walk_error *error = add_file(inference, path, start, elf.elf);
    if (elf.elf && walk_elf_bias(elf.elf, start, &bias) && walk_elf_header(elf.elf, PT_DYNAMIC, &header))
        *dynamic = bias + header.p_vaddr;
    walk_elf_close(&elf);
    return error;
}

/* The list's first entry is the executable; the vdso's and others that are no files have no absolute path. */
static struct walk_error *add_libraries(struct inference *inference, walk_addr dynamic)
{
    struct walk_image *image = inference->image;
    unsigned word = image->memory.word;
    walk_addr debug = dynamic ? dynamic_value(image, dynamic, DT_DEBUG) : 0, link = 0;
    struct walk_error *error = NULL;
    if (!debug || !walk_memory_word(&image->memory, debug + word, &link))
        return NULL;
    for (int i = 0; link && i < LIBRARIES_MAX && !error; i++) {
        uint64_t start, name;
        char path[PATH_MAX];
        if (!walk_memory_word(&image->memory, link, &start) || !walk_memory_word(&image->memory, link + word, &name) ||
            !walk_memory_word(&image->memory, link + 3 * word, &link))
            break;
        if (is_mapped(image, start) || !read_string(image, name, path, sizeof path) || path[0] != '/')
            continue;
        struct walk_elf elf = {.fd = -1};
        open_headers(image, start, path, false, &elf);
        error = add_file(inference, path, start, elf.elf);
        walk_elf_close(&elf);
    }
    return error;
}

/* ---- what stands in memory and is on no list ---- */

/* DT_SONAME; DT_STRTAB is an address, to which the dynamic linker has added the bias or not. */
static bool soname(struct walk_image *image, Elf *elf, walk_addr start, char *name, size_t size)
{
    walk_addr bias;
    GElf_Phdr header;
    if (!walk_elf_bias(elf, start, &bias) || !walk_elf_header(elf, PT_DYNAMIC, &header))
        return false;
    walk_addr dynamic = bias + header.p_vaddr;
    uint64_t strings = dynamic_value(image, dynamic, DT_STRTAB), at = dynamic_value(image, dynamic, DT_SONAME);
    return at && strings && read_string(image, (strings < start ? bias : 0) + strings + at, name, size) && *name;
}

static struct walk_error *add_header(struct inference *inference, walk_addr start)
{
    struct walk_image *image = inference->image;
    char name[PATH_MAX];
    struct walk_elf elf;
    if (is_mapped(image, start) || !walk_elf_in_memory(image, start, &elf))
        return NULL;
    if (!soname(image, elf.elf, start, name, sizeof name))
        snprintf(name, sizeof name, "[ELF file at 0x%llx]", (unsigned long long)start);
    struct walk_error *error = add_file(inference, name, start, elf.elf);
    walk_elf_close(&elf);
    return error;
}

struct walk_error *walk_image_infer_mappings(struct walk_image *image, const uint8_t *auxv, size_t size,
                                             const walk_addr *starts, size_t start_count)
{
    struct inference inference = {.image = image};
    walk_addr dynamic = 0;
    struct walk_error *error = add_executable(&inference, auxv, size, &dynamic);
    if (!error)
        error = add_libraries(&inference, dynamic);
    for (size_t i = 0; i < start_count && i < LIBRARIES_MAX && !error; i++)
        error = add_header(&inference, starts[i]);
    for (size_t i = 0; i < image->mapping_count; i++)
        image->mappings[i].path = image->strings + (uintptr_t)image->mappings[i].path;
    return error;
}
