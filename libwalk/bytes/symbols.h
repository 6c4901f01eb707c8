/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_SYMBOLS_H
#define WALK_BYTES_SYMBOLS_H

/* The symbols that an ELF file itself has (.symtab, .dynsym), at their addresses in the target. */

#include "bytes/image.h"

struct walk_symbol {
    const char *name; /* in the string table of the ELF file */
    walk_addr address;
    bool is_object; /* a variable, not a function */
};

struct walk_symbols {
    struct walk_symbol *symbol; /* sorted by name */
    size_t count;
    walk_addr bias; /* address in the target = address in the file + bias */
    struct Elf *elf;
    int fd;
};

/* Reads the symbols of a module whose file was found. */
struct walk_error *walk_symbols_open(const struct walk_module *module, struct walk_symbols *symbols);

/* The path of its separate debug file, found by build-id below `debug_dirs` (':' between; NULL: /usr/lib/debug). */
bool walk_debug_file(const struct walk_module *module, const char *debug_dirs, char *path, size_t size);

/* The symbols in there. Where the module was loaded is known of its first page, or of its `own` symbols (NULL: none).
 */
struct walk_error *walk_symbols_open_debug(const struct walk_module *module, const char *debug_dirs,
                                           const struct walk_symbols *own, struct walk_symbols *symbols);
void walk_symbols_close(struct walk_symbols *symbols);

/* The address of a symbol, or 0. */
walk_addr walk_symbols_find(const struct walk_symbols *symbols, const char *name);

/* The address of a section that is loaded, or 0. */
walk_addr walk_symbols_section(const struct walk_symbols *symbols, const char *name);

#endif
