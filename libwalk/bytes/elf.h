/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_ELF_H
#define WALK_BYTES_ELF_H

/* What libelf is asked in more than one place. */

#include <gelf.h>

#include "bytes/image.h"

/* An ELF file that is open: a file of this machine, or what the target's memory has of one. */
struct walk_elf {
    Elf *elf; /* NULL: none */
    int fd;
    uint8_t *bytes;
};
void walk_elf_close(struct walk_elf *elf);

/*
 * The ELF header and what follows it in the target's memory at `start`: program headers and notes are there, sections
 * are not. False: no such header, or not of the target's machine.
 */
bool walk_elf_in_memory(struct walk_image *image, walk_addr start, struct walk_elf *elf);

/* A regular ELF file of this machine; false when it is none. It may have been built for any other machine. */
bool walk_elf_open(const char *path, struct walk_elf *elf);

/* Whether its machine, class and byte order are the target's, as far as these are known. */
bool walk_elf_fits(const struct walk_image *image, Elf *elf);

/* The first program header of this type. */
bool walk_elf_header(Elf *elf, uint32_t type, GElf_Phdr *header);

/* Where it was loaded: the page of its first PT_LOAD, which holds the ELF header, stands at `start`. An address in the
 * target is the one in the file and the bias. */
bool walk_elf_bias(Elf *elf, walk_addr start, walk_addr *bias);

#endif
