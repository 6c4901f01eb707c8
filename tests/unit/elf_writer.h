/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_ELF_WRITER_H
#define TESTS_UNIT_ELF_WRITER_H

/* Writes small ELF files byte by byte: cores and shared objects, of 64 and 32 bits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_load {
    uint64_t address, memory_size, file_size;
    const uint8_t *bytes; /* file_size of them */
    uint32_t flags;       /* PF_R, PF_W, PF_X */
};

struct elf_file_mapping {
    uint64_t start, end, offset; /* offset in bytes */
    const char *path;
};

struct elf_thread {
    uint32_t tid;
    uint64_t thread_pointer; /* in NT_PRSTATUS, NT_386_TLS or NT_ARM_TLS, as the machine has it */
};

struct elf_spec {
    unsigned word;    /* 4 or 8 */
    unsigned type;    /* ET_CORE, ET_DYN … */
    unsigned machine; /* 0: EM_X86_64 or EM_386, by the word */
    bool big_endian;
    const struct elf_load *loads;
    size_t load_count;
    const uint64_t *offsets; /* of the loads in the file, whose bytes are not written then; NULL: behind the notes */
    const struct elf_load *dynamic; /* PT_DYNAMIC at `dynamic_offset`; NULL: none */
    uint64_t dynamic_offset;
    const struct elf_file_mapping *mappings; /* NT_FILE, when there are any */
    size_t mapping_count;
    const struct elf_thread *threads; /* NT_PRSTATUS */
    size_t thread_count;
    const uint64_t (*auxv)[2]; /* NT_AUXV, when there are any */
    size_t auxv_count;
    const uint8_t *build_id; /* NT_GNU_BUILD_ID */
    size_t build_id_size;
};

struct elf_bytes {
    uint8_t *bytes;
    size_t size;
    size_t note_at; /* where the notes begin */
};

struct elf_bytes elf_write(const struct elf_spec *spec);

/* A temporary file with these bytes; `path` has room for 64. */
void elf_save(const uint8_t *bytes, size_t size, char *path);

#endif
