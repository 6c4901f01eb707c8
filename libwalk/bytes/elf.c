/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/elf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The ELF header, program headers and notes of a file are in its first bytes. */
#define HEAD ((size_t)64 << 10)

void walk_elf_close(struct walk_elf *elf)
{
    elf_end(elf->elf);
    if (elf->fd >= 0)
        close(elf->fd);
    free(elf->bytes);
    *elf = (struct walk_elf){.fd = -1};
}

bool walk_elf_fits(const struct walk_image *image, Elf *elf)
{
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header) || header.e_ident[EI_DATA] != ELFDATA2LSB)
        return false;
    unsigned word = header.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
    return word == image->memory.word && (!image->machine || header.e_machine == image->machine);
}

bool walk_elf_in_memory(struct walk_image *image, walk_addr start, struct walk_elf *elf)
{
    size_t size = walk_memory_available(&image->memory, start, HEAD);
    const uint8_t *view = walk_memory_view(&image->memory, start, size);
    *elf = (struct walk_elf){.fd = -1};
    if (!view || size < sizeof(Elf64_Ehdr) || memcmp(view, ELFMAG, SELFMAG) != 0)
        return false;
    elf->bytes = malloc(size);
    if (!elf->bytes)
        return false;
    memcpy(elf->bytes, view, size);
    /* There are no section headers in memory: libelf must not look for them. */
    if (elf->bytes[EI_CLASS] == ELFCLASS64) {
        Elf64_Ehdr *header = (Elf64_Ehdr *)elf->bytes;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    } else {
        Elf32_Ehdr *header = (Elf32_Ehdr *)elf->bytes;
        header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
    }
    elf_version(EV_CURRENT);
    elf->elf = elf_memory((char *)elf->bytes, size);
    if (elf->elf && walk_elf_fits(image, elf->elf))
        return true;
    walk_elf_close(elf);
    return false;
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

bool walk_elf_open(const char *path, struct walk_elf *elf)
{
    *elf = (struct walk_elf){.fd = open_regular(path)};
    if (elf->fd < 0)
        return false;
    elf_version(EV_CURRENT);
    elf->elf = elf_begin(elf->fd, ELF_C_READ_MMAP, NULL);
    if (elf->elf && elf_kind(elf->elf) == ELF_K_ELF)
        return true;
    walk_elf_close(elf);
    return false;
}

bool walk_elf_header(Elf *elf, uint32_t type, GElf_Phdr *header)
{
    size_t count;
    if (elf_getphdrnum(elf, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf, (int)i, header) && header->p_type == type)
            return true;
    return false;
}

bool walk_elf_bias(Elf *elf, walk_addr start, walk_addr *bias)
{
    GElf_Phdr header;
    if (!walk_elf_header(elf, PT_LOAD, &header))
        return false;
    *bias = start - (header.p_vaddr - header.p_offset);
    return true;
}
