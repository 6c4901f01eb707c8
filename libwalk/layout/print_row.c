/* SPDX-License-Identifier: Apache-2.0 */
/* The other direction of rows.c: a layout read from DWARF, written as a row of C. */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include "layout/layout.h"

/* Reads what identifies the build out of the file: its build-id, and Py_Version or the digits of its name. */
static struct walk_error *identify(const char *path, char *build_id, unsigned *word)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return walk_error_new(WALK_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    const void *id;
    ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &id) : -1;
    if (size > 0 && size <= 32)
        walk_build_id_format(id, (size_t)size, build_id);
    *word = elf && gelf_getclass(elf) == ELFCLASS32 ? 4 : 8;
    elf_end(elf);
    close(fd);
    return size > 0 ? NULL : walk_error_new(WALK_ERROR_FORMAT, "%s: not an ELF file with a build-id", path);
}

struct walk_error *walk_layout_print_row(const char *path, uint32_t version, const char *debug_dirs, FILE *out)
{
    char build_id[65] = "";
    unsigned word = 8;
    struct walk_layout layout;
    struct walk_error *error = identify(path, build_id, &word);
    if (!error)
        error = walk_layout_from_dwarf(path, debug_dirs, &layout);
    if (error)
        return error;
    fprintf(out,
            "{\n    .name = \"%u.%u.%u %.8s\",\n    .build_id = \"%s\",\n    .version = 0x%08x,\n    .pointer = %u,\n",
            version >> 24, (version >> 16) & 0xff, (version >> 8) & 0xff, build_id, build_id, version, word);
    fprintf(out, "    .offset_plus_one = {");
    for (size_t i = 0, last = WALK_STRUCT_COUNT; i < WALK_FIELD_COUNT; i++) {
        if (layout.offset[i] == WALK_ABSENT)
            continue;
        fprintf(out, "%sROW_FIELD(%s, %d)",
                walk_field_table[i].structure == last ? ", "
                : last == WALK_STRUCT_COUNT           ? "\n        "
                                                      : ",\n        ",
                walk_field_table[i].id, layout.offset[i]);
        last = walk_field_table[i].structure;
    }
    fprintf(out, "},\n    .size = {\n");
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        if (layout.size[i])
            fprintf(out, "        ROW_SIZE(%s, %u),\n", walk_struct_table[i].id, layout.size[i]);
    fprintf(out, "    },\n},\n");
    return NULL;
}
