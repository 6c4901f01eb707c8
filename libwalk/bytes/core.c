/* SPDX-License-Identifier: Apache-2.0 */
/* A core file: PT_LOAD for the bytes, NT_FILE for the mapped files, NT_PRSTATUS for the threads. */
#include <inttypes.h>
#include <stdlib.h>

#include "bytes/elf.h"

struct core {
    Elf *elf;
    GElf_Ehdr header;
    const uint8_t *data;
    size_t size, headers;
    unsigned word;
    const uint8_t *auxv;
    size_t auxv_size;
    uint32_t gs; /* of the thread whose notes are being read, on i386 */
};

static struct walk_error *check_header(struct core *core, const char *path)
{
    if (elf_kind(core->elf) != ELF_K_ELF || !gelf_getehdr(core->elf, &core->header))
        return walk_error_new(WALK_ERROR_FORMAT,
                              "%s: not an ELF file; a compressed core must be unpacked first (zstd -d, lz4 -d, xz -d, "
                              "coredumpctl dump)",
                              path);
    if (core->header.e_type != ET_CORE)
        return walk_error_new(WALK_ERROR_FORMAT, "%s: an ELF file, but not a core", path);
    if (core->header.e_ident[EI_DATA] != ELFDATA2LSB)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "%s: a big-endian core; only little-endian ones can be read",
                              path);
    /* libelf counts only those that are there. */
    if (elf_getphdrnum(core->elf, &core->headers) < 0 ||
        (core->header.e_phnum != PN_XNUM && core->headers < core->header.e_phnum))
        return walk_error_new(WALK_ERROR_FORMAT, "%s: no program headers: the core is truncated", path);
    core->word = core->header.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
    return NULL;
}

static unsigned flags_of(const GElf_Phdr *header)
{
    return (header->p_flags & PF_W ? WALK_SEGMENT_WRITE : 0u) | (header->p_flags & PF_X ? WALK_SEGMENT_EXEC : 0u);
}

/* The part of a segment that the file has bytes for, and the part that it has not. */
static struct walk_error *add_load(struct walk_image *image, const struct core *core, const GElf_Phdr *header)
{
    uint64_t saved = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    if (header->p_vaddr + header->p_memsz < header->p_vaddr)
        return walk_error_new(WALK_ERROR_FORMAT, "a segment at 0x%" PRIx64 " wraps around", (uint64_t)header->p_vaddr);
    uint64_t offset = header->p_offset < core->size ? header->p_offset : core->size;
    if (offset < header->p_offset || saved > core->size - offset) {
        image->truncated = true;
        saved = core->size - offset;
    }
    struct walk_segment there = {.start = header->p_vaddr,
                                 .end = header->p_vaddr + saved,
                                 .data = (uint8_t *)(uintptr_t)(core->data + offset),
                                 .kind = WALK_SEGMENT_SAVED,
                                 .flags = flags_of(header)};
    struct walk_segment missing = {.start = there.end,
                                   .end = header->p_vaddr + header->p_memsz,
                                   .kind = WALK_SEGMENT_NOT_SAVED,
                                   .flags = flags_of(header)};
    struct walk_error *error = walk_memory_add(&image->memory, &there);
    return error ? error : walk_memory_add(&image->memory, &missing);
}

/* NT_FILE: count, page size, then count times (start, end, offset in pages), then count strings. Words of the target.
 */
static struct walk_error *read_file_note(struct walk_image *image, const struct core *core, const uint8_t *note,
                                         size_t size)
{
    unsigned word = core->word;
    if (image->mappings || size < 2 * word)
        return NULL;
    uint64_t count = walk_load_word(word, note), page = walk_load_word(word, note + word);
    if (count > (size - 2 * word) / (3 * word))
        return walk_error_new(WALK_ERROR_FORMAT, "the note of mapped files is damaged");
    size_t strings_at = (size_t)(2 + 3 * count) * word, strings_size = size - strings_at;
    image->strings = malloc(strings_size + 1);
    image->mappings = calloc(count + 1, sizeof *image->mappings);
    if (!image->strings || !image->mappings)
        return walk_error_no_memory();
    memcpy(image->strings, note + strings_at, strings_size);
    image->strings[strings_size] = '\0';
    const char *path = image->strings, *end = image->strings + strings_size;
    for (uint64_t i = 0; i < count && path < end; i++) {
        const uint8_t *entry = note + (2 + 3 * i) * word;
        struct walk_file_mapping mapping = {walk_load_word(word, entry), walk_load_word(word, entry + word),
                                            walk_load_word(word, entry + 2 * word) * page, path};
        if (mapping.start < mapping.end)
            image->mappings[image->mapping_count++] = mapping;
        path += strlen(path) + 1;
    }
    return NULL;
}

/*
 * NT_PRSTATUS, struct elf_prstatus of <sys/procfs.h>: pr_pid at 32 (24 with 32 bits), pr_reg at 112 (72), registers as
 * in struct user_regs_struct (<sys/user.h>). On x86-64 number 21 is fs_base; on i386 number 10 is gs, which says which
 * entry of NT_386_TLS is meant; on aarch64 it is NT_ARM_TLS. Elsewhere the thread register stays unknown.
 */
static struct walk_error *read_thread_note(struct walk_image *image, struct core *core, const uint8_t *note,
                                           size_t size)
{
    size_t pid_at = core->word == 8 ? 32 : 24;
    if (size < pid_at + 4)
        return NULL;
    struct walk_lwp *lwps = realloc(image->lwps, (image->lwp_count + 1) * sizeof *lwps);
    if (!lwps)
        return walk_error_no_memory();
    image->lwps = lwps;
    struct walk_lwp *lwp = &lwps[image->lwp_count++];
    *lwp = (struct walk_lwp){.tid = walk_load_u32(note + pid_at)};
    if (core->header.e_machine == EM_X86_64 && size >= 112 + 22 * 8)
        lwp->thread_pointer = walk_load_u64(note + 112 + 21 * 8);
    if (core->header.e_machine == EM_386 && size >= 72 + 11 * 4)
        core->gs = walk_load_u32(note + 72 + 10 * 4);
    return NULL;
}

/* The register notes of a thread follow its NT_PRSTATUS. NT_386_TLS: struct user_desc (<asm/ldt.h>), three times. */
static void read_register_note(struct walk_image *image, const struct core *core, uint32_t type, const uint8_t *note,
                               size_t size)
{
    enum { DESCRIPTOR = 16, BASE = 4 };
    if (!image->lwp_count)
        return;
    struct walk_lwp *lwp = &image->lwps[image->lwp_count - 1];
    if (type == NT_ARM_TLS && core->header.e_machine == EM_AARCH64 && size >= 8)
        lwp->thread_pointer = walk_load_u64(note);
    for (size_t at = 0; type == NT_386_TLS && core->header.e_machine == EM_386 && at + DESCRIPTOR <= size;
         at += DESCRIPTOR)
        if (walk_load_u32(note + at) == (core->gs & 0xffff) >> 3)
            lwp->thread_pointer = walk_load_u32(note + at + BASE);
}

static struct walk_error *read_notes(struct walk_image *image, struct core *core, const GElf_Phdr *header)
{
    if (header->p_offset > core->size || header->p_filesz > core->size - header->p_offset)
        return walk_error_new(WALK_ERROR_FORMAT, "the core is truncated: its notes are missing");
    Elf_Data *data = elf_getdata_rawchunk(core->elf, (int64_t)header->p_offset, header->p_filesz,
                                          header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (!data)
        return NULL;
    GElf_Nhdr note;
    size_t name_at, body_at, next = 0;
    while ((next = gelf_getnote(data, next, &note, &name_at, &body_at)) > 0) {
        const uint8_t *body = (const uint8_t *)data->d_buf + body_at;
        struct walk_error *error = NULL;
        if (note.n_type == NT_FILE)
            error = read_file_note(image, core, body, note.n_descsz);
        else if (note.n_type == NT_PRSTATUS)
            error = read_thread_note(image, core, body, note.n_descsz);
        else if (note.n_type == NT_ARM_TLS || note.n_type == NT_386_TLS)
            read_register_note(image, core, note.n_type, body, note.n_descsz);
        else if (note.n_type == NT_AUXV)
            core->auxv = body, core->auxv_size = note.n_descsz;
        if (error)
            return error;
    }
    return NULL;
}

/* A core that does not name the mapped files. */
static struct walk_error *infer_mappings(struct walk_image *image, const struct core *core)
{
    walk_addr *starts = calloc(core->headers + 1, sizeof *starts);
    size_t count = 0;
    if (!starts)
        return walk_error_no_memory();
    for (size_t i = 0; i < core->headers; i++) {
        GElf_Phdr header;
        const uint8_t *magic;
        if (gelf_getphdr(core->elf, (int)i, &header) && header.p_type == PT_LOAD &&
            (magic = walk_memory_view(&image->memory, header.p_vaddr, SELFMAG)) && memcmp(magic, ELFMAG, SELFMAG) == 0)
            starts[count++] = header.p_vaddr;
    }
    struct walk_error *error = walk_image_infer_mappings(image, core->auxv, core->auxv_size, starts, count);
    free(starts);
    return error;
}

/*
 * Ranges of mapped files that no program header covers: the kernel writes one without bytes for them, gdb's gcore none
 * at all. Both become segments that are not saved, for walk_image_back_by_files() to fill.
 */
static struct walk_error *add_unlisted(struct walk_image *image)
{
    size_t listed = image->memory.count; /* sealed: sorted, and additions go behind them */
    for (size_t i = 0; i < image->mapping_count; i++) {
        walk_addr at = image->mappings[i].start, end = image->mappings[i].end;
        for (size_t s = 0; s < listed && at < end; s++) {
            const struct walk_segment segment = image->memory.segments[s];
            if (segment.end <= at || segment.start >= end)
                continue;
            struct walk_segment gap = {.start = at, .end = segment.start, .kind = WALK_SEGMENT_NOT_SAVED};
            struct walk_error *error = walk_memory_add(&image->memory, &gap);
            if (error)
                return error;
            at = segment.end;
        }
        struct walk_segment rest = {.start = at, .end = end, .kind = WALK_SEGMENT_NOT_SAVED};
        struct walk_error *error = walk_memory_add(&image->memory, &rest);
        if (error)
            return error;
    }
    return walk_memory_seal(&image->memory);
}

static struct walk_error *read_core(struct walk_image *image, struct core *core, const char *path)
{
    struct walk_error *error = check_header(core, path);
    if (error)
        return error;
    image->memory.word = core->word;
    image->machine = core->header.e_machine;
    for (size_t i = 0; i < core->headers && !error; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(core->elf, (int)i, &header))
            error = walk_error_new(WALK_ERROR_FORMAT, "program header %zu cannot be read: the core is truncated", i);
        else if (header.p_type == PT_LOAD)
            error = add_load(image, core, &header);
        else if (header.p_type == PT_NOTE)
            error = read_notes(image, core, &header);
    }
    if (!error)
        error = walk_memory_seal(&image->memory);
    if (!error && !image->mapping_count)
        error = infer_mappings(image, core);
    if (!error)
        error = add_unlisted(image);
    if (!error)
        error = walk_image_find_modules(image);
    if (!error)
        error = walk_image_back_by_files(image);
    return walk_error_context(error, "%s", path);
}

struct walk_error *walk_image_open_core(const char *path, const struct walk_options *options, struct walk_image *image)
{
    struct core core = {0};
    struct walk_error *error = walk_image_init(image, 8, options);
    if (!error)
        error = walk_image_map_core(image, path, &core.data, &core.size);
    if (!error) {
        elf_version(EV_CURRENT);
        core.elf = elf_memory((char *)(uintptr_t)core.data, core.size);
        error =
            core.elf ? read_core(image, &core, path) : walk_error_new(WALK_ERROR_FORMAT, "%s: not an ELF file", path);
        elf_end(core.elf);
    }
    if (error)
        walk_image_close(image);
    return error;
}
