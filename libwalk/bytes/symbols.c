/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a function and a variable have one name (static ones may) the variable is meant. */
static int by_name(const void *a, const void *b)
{
    const struct walk_symbol *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (int)y->is_object - (int)x->is_object;
}

static int same_name(const void *a, const void *b)
{
    return strcmp(((const struct walk_symbol *)a)->name, ((const struct walk_symbol *)b)->name);
}

/* Where the file was loaded: its first PT_LOAD with offset 0 stands at the module's start. */
static bool find_bias(Elf *elf, walk_addr start, walk_addr *bias)
{
    size_t count;
    if (elf_getphdrnum(elf, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD) {
            *bias = start - (header.p_vaddr - header.p_offset);
            return true;
        }
    }
    return false;
}

static struct walk_error *add_section(struct walk_symbols *symbols, Elf *elf, Elf_Scn *section)
{
    GElf_Shdr header;
    Elf_Data *data = elf_getdata(section, NULL);
    if (!gelf_getshdr(section, &header) || !data || !header.sh_entsize)
        return NULL;
    size_t entries = header.sh_size / header.sh_entsize;
    struct walk_symbol *grown = realloc(symbols->symbol, (symbols->count + entries + 1) * sizeof *grown);
    if (!grown)
        return walk_error_no_memory();
    symbols->symbol = grown;
    for (size_t i = 0; i < entries; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF)
            continue;
        int type = GELF_ST_TYPE(symbol.st_info);
        const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
        if (name && *name && (type == STT_OBJECT || type == STT_FUNC))
            grown[symbols->count++] = (struct walk_symbol){name, symbol.st_value + symbols->bias, type == STT_OBJECT};
    }
    return NULL;
}

struct walk_error *walk_symbols_open(const struct walk_module *module, struct walk_symbols *symbols)
{
    *symbols = (struct walk_symbols){.fd = open(module->file, O_RDONLY | O_CLOEXEC)};
    if (symbols->fd < 0)
        return walk_error_new(WALK_ERROR_SYSTEM, "%s: %s", module->file, strerror(errno));
    elf_version(EV_CURRENT);
    symbols->elf = elf_begin(symbols->fd, ELF_C_READ_MMAP, NULL);
    struct walk_error *error = NULL;
    if (!symbols->elf || !find_bias(symbols->elf, module->start, &symbols->bias))
        error = walk_error_new(WALK_ERROR_FORMAT, "%s: not an ELF file that can be loaded", module->file);
    for (Elf_Scn *section = NULL; !error && (section = elf_nextscn(symbols->elf, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
            error = add_section(symbols, symbols->elf, section);
    }
    if (error)
        walk_symbols_close(symbols);
    else if (symbols->count)
        qsort(symbols->symbol, symbols->count, sizeof *symbols->symbol, by_name);
    return error;
}

void walk_symbols_close(struct walk_symbols *symbols)
{
    free(symbols->symbol);
    elf_end(symbols->elf);
    if (symbols->fd >= 0)
        close(symbols->fd);
    *symbols = (struct walk_symbols){.fd = -1};
}

walk_addr walk_symbols_find(const struct walk_symbols *symbols, const char *name)
{
    struct walk_symbol key = {.name = name};
    const struct walk_symbol *found =
        symbols->count ? bsearch(&key, symbols->symbol, symbols->count, sizeof key, same_name) : NULL;
    while (found && found > symbols->symbol && strcmp(found[-1].name, name) == 0)
        found--;
    return found ? found->address : 0;
}
