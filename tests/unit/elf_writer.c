/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_writer.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a growing block ---- */

static void put(struct elf_bytes *out, const void *bytes, size_t size)
{
    out->bytes = realloc(out->bytes, out->size + size + 1);
    if (!out->bytes)
        abort();
    if (size)
        memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void pad(struct elf_bytes *out, size_t alignment)
{
    while (out->size % alignment)
        put(out, "", 1);
}

static void put_word(struct elf_bytes *out, unsigned word, uint64_t value) { put(out, &value, word); }

/* ---- notes ---- */

static void put_note(struct elf_bytes *out, const char *name, uint32_t type, const struct elf_bytes *body)
{
    uint32_t head[3] = {(uint32_t)strlen(name) + 1, (uint32_t)body->size, type};
    put(out, head, sizeof head);
    put(out, name, head[0]);
    pad(out, 4);
    put(out, body->bytes, body->size);
    pad(out, 4);
}

static void put_mappings(struct elf_bytes *out, const struct elf_spec *spec)
{
    enum { PAGE = 4096 };
    struct elf_bytes body = {0};
    put_word(&body, spec->word, spec->mapping_count);
    put_word(&body, spec->word, PAGE);
    for (size_t i = 0; i < spec->mapping_count; i++) {
        put_word(&body, spec->word, spec->mappings[i].start);
        put_word(&body, spec->word, spec->mappings[i].end);
        put_word(&body, spec->word, spec->mappings[i].offset / PAGE);
    }
    for (size_t i = 0; i < spec->mapping_count; i++)
        put(&body, spec->mappings[i].path, strlen(spec->mappings[i].path) + 1);
    put_note(out, "CORE", NT_FILE, &body);
    free(body.bytes);
}

static unsigned machine_of(const struct elf_spec *spec)
{
    return spec->machine ? spec->machine : spec->word == 8 ? EM_X86_64 : EM_386;
}

/*
 * struct elf_prstatus: pr_pid at 32 (24 with 32 bits), pr_reg at 112 (72). On x86-64 fs_base is register 21; on i386 gs
 * is register 10 and selects one of three struct user_desc.
 */
static void put_thread(struct elf_bytes *out, const struct elf_spec *spec, const struct elf_thread *thread)
{
    uint8_t status[336] = {0};
    memcpy(status + (spec->word == 8 ? 32 : 24), &thread->tid, 4);
    if (machine_of(spec) == EM_X86_64)
        memcpy(status + 112 + 21 * 8, &thread->thread_pointer, 8);
    else if (machine_of(spec) == EM_386)
        status[72 + 10 * 4] = 13 << 3 | 3;
    struct elf_bytes body = {status, spec->word == 8 ? sizeof status : 144, 0};
    put_note(out, "CORE", NT_PRSTATUS, &body);
    if (machine_of(spec) == EM_AARCH64) {
        body = (struct elf_bytes){(uint8_t *)(uintptr_t)&thread->thread_pointer, 8, 0};
        put_note(out, "LINUX", NT_ARM_TLS, &body);
    } else if (machine_of(spec) == EM_386) {
        uint32_t tls[3][4] = {{12, 1, 0, 0}, {13, (uint32_t)thread->thread_pointer, 0, 0}, {14, 2, 0, 0}};
        body = (struct elf_bytes){(uint8_t *)tls, sizeof tls, 0};
        put_note(out, "LINUX", NT_386_TLS, &body);
    }
}

static void put_auxv(struct elf_bytes *out, const struct elf_spec *spec)
{
    struct elf_bytes body = {0};
    for (size_t i = 0; i < spec->auxv_count; i++) {
        put_word(&body, spec->word, spec->auxv[i][0]);
        put_word(&body, spec->word, spec->auxv[i][1]);
    }
    put_note(out, "CORE", NT_AUXV, &body);
    free(body.bytes);
}

static struct elf_bytes write_notes(const struct elf_spec *spec)
{
    struct elf_bytes notes = {0};
    for (size_t i = 0; i < spec->thread_count; i++)
        put_thread(&notes, spec, &spec->threads[i]);
    if (spec->auxv_count)
        put_auxv(&notes, spec);
    if (spec->mapping_count)
        put_mappings(&notes, spec);
    if (spec->build_id_size) {
        struct elf_bytes body = {(uint8_t *)(uintptr_t)spec->build_id, spec->build_id_size, 0};
        put_note(&notes, "GNU", NT_GNU_BUILD_ID, &body);
    }
    return notes;
}

/* ---- the file ---- */

static void put_header(struct elf_bytes *out, const struct elf_spec *spec, size_t headers)
{
    uint8_t ident[EI_NIDENT] = {ELFMAG0,     ELFMAG1,   ELFMAG2, ELFMAG3, spec->word == 8 ? ELFCLASS64 : ELFCLASS32,
                                ELFDATA2LSB, EV_CURRENT};
    if (spec->big_endian)
        ident[EI_DATA] = ELFDATA2MSB;
    if (spec->word == 8) {
        Elf64_Ehdr header = {.e_type = (uint16_t)spec->type,
                             .e_machine = (uint16_t)machine_of(spec),
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof header,
                             .e_ehsize = sizeof header,
                             .e_phentsize = sizeof(Elf64_Phdr),
                             .e_phnum = (uint16_t)headers};
        memcpy(header.e_ident, ident, sizeof ident);
        put(out, &header, sizeof header);
    } else {
        Elf32_Ehdr header = {.e_type = (uint16_t)spec->type,
                             .e_machine = (uint16_t)machine_of(spec),
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof header,
                             .e_ehsize = sizeof header,
                             .e_phentsize = sizeof(Elf32_Phdr),
                             .e_phnum = (uint16_t)headers};
        memcpy(header.e_ident, ident, sizeof ident);
        put(out, &header, sizeof header);
    }
}

static void put_program_header(struct elf_bytes *out, unsigned word, uint32_t type, uint64_t offset,
                               const struct elf_load *load)
{
    if (word == 8) {
        Elf64_Phdr header = {.p_type = type,
                             .p_flags = load->flags,
                             .p_offset = offset,
                             .p_vaddr = load->address,
                             .p_filesz = load->file_size,
                             .p_memsz = load->memory_size,
                             .p_align = 4};
        put(out, &header, sizeof header);
    } else {
        Elf32_Phdr header = {.p_type = type,
                             .p_flags = load->flags,
                             .p_offset = (uint32_t)offset,
                             .p_vaddr = (uint32_t)load->address,
                             .p_filesz = (uint32_t)load->file_size,
                             .p_memsz = (uint32_t)load->memory_size,
                             .p_align = 4};
        put(out, &header, sizeof header);
    }
}

struct elf_bytes elf_write(const struct elf_spec *spec)
{
    struct elf_bytes out = {0}, notes = write_notes(spec);
    size_t headers = spec->load_count + 1 + (spec->dynamic != NULL);
    put_header(&out, spec, headers);
    size_t at = out.size + headers * (spec->word == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
    struct elf_load note = {.file_size = notes.size, .memory_size = 0};
    put_program_header(&out, spec->word, PT_NOTE, at, &note);
    out.note_at = at;
    at += notes.size;
    for (size_t i = 0; i < spec->load_count; i++) {
        const struct elf_load *load = &spec->loads[i];
        put_program_header(&out, spec->word, PT_LOAD, spec->offsets ? spec->offsets[i] : at, load);
        at += spec->offsets ? 0 : load->file_size;
    }
    if (spec->dynamic)
        put_program_header(&out, spec->word, PT_DYNAMIC, spec->dynamic_offset, spec->dynamic);
    put(&out, notes.bytes, notes.size);
    for (size_t i = 0; i < spec->load_count; i++)
        if (!spec->offsets)
            put(&out, spec->loads[i].bytes, spec->loads[i].file_size);
    free(notes.bytes);
    return out;
}

void elf_save(const uint8_t *bytes, size_t size, char *path)
{
    snprintf(path, 64, "/tmp/walk-unit-XXXXXX");
    int file = mkstemp(path);
    if (file < 0)
        abort();
    for (size_t done = 0; done < size;) {
        ssize_t got = write(file, bytes + done, size - done);
        if (got <= 0)
            abort();
        done += (size_t)got;
    }
    close(file);
}
