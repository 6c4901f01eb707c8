/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bytes/elf.h"

/* Where a function and a variable have one name (static ones may) the variable is meant. */
static int by_name(const void *a, const void *b)
{
    const struct walk_symbol *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (int)y->is_object - (int)x->is_object;
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

/* `module`: NULL keeps the bias that is there. */
static struct walk_error *read_symbols(struct walk_symbols *symbols, const char *file, const struct walk_module *module)
{
    symbols->fd = open(file, O_RDONLY | O_CLOEXEC);
    if (symbols->fd < 0)
        return walk_error_new(WALK_ERROR_SYSTEM, "%s: %s", file, strerror(errno));
    elf_version(EV_CURRENT);
    symbols->elf = elf_begin(symbols->fd, ELF_C_READ_MMAP, NULL);
    struct walk_error *error = NULL;
    if (!symbols->elf || (module && !walk_elf_bias(symbols->elf, module->start, &symbols->bias)))
        error = walk_error_new(WALK_ERROR_FORMAT, "%s: not an ELF file that can be loaded", file);
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

struct walk_error *walk_symbols_open(const struct walk_module *module, struct walk_symbols *symbols)
{
    *symbols = (struct walk_symbols){.fd = -1};
    return read_symbols(symbols, module->file, module);
}

bool walk_debug_file(const struct walk_module *module, const char *debug_dirs, char *path, size_t size)
{
    char hex[2 * sizeof module->build_id + 1];
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    for (const char *dir = debug_dirs ? debug_dirs : "/usr/lib/debug"; *hex && *dir;) {
        size_t length = strcspn(dir, ":");
        snprintf(path, size, "%.*s/.build-id/%.2s/%s.debug", (int)length, dir, hex, hex + 2);
        if (length && access(path, R_OK) == 0)
            return true;
        dir += length + (dir[length] == ':');
    }
    return false;
}

struct walk_error *walk_symbols_open_debug(const struct walk_module *module, const char *debug_dirs,
                                           const struct walk_symbols *own, struct walk_symbols *symbols)
{
    char path[4096];
    *symbols = (struct walk_symbols){.fd = -1, .bias = own ? own->bias : module->bias};
    if ((own || module->bias_known) && walk_debug_file(module, debug_dirs, path, sizeof path))
        return read_symbols(symbols, path, NULL);
    return walk_error_new(WALK_ERROR_NOT_FOUND, "%s has no separate debug file here", module->path);
}

void walk_symbols_close(struct walk_symbols *symbols)
{
    free(symbols->symbol);
    elf_end(symbols->elf);
    if (symbols->fd >= 0)
        close(symbols->fd);
    *symbols = (struct walk_symbols){.fd = -1};
}

/* The first symbol that is not less than `name`. */
static size_t lower_bound(const struct walk_symbols *symbols, const char *name)
{
    size_t low = 0, high = symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(symbols->symbol[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Link-time optimisation renames static symbols to name.lto_priv.N: a function and a variable may share the name. */
walk_addr walk_symbols_find(const struct walk_symbols *symbols, const char *name)
{
    static const char suffix[] = ".lto_priv.";
    size_t length = strlen(name), at = lower_bound(symbols, name);
    const struct walk_symbol *found = NULL;
    for (; at < symbols->count && strncmp(symbols->symbol[at].name, name, length) == 0; at++) {
        const struct walk_symbol *symbol = &symbols->symbol[at];
        const char *rest = symbol->name + length;
        if (*rest == '\0')
            return symbol->address; /* variables come first: see by_name() */
        if (strncmp(rest, suffix, sizeof suffix - 1) == 0 && (!found || (symbol->is_object && !found->is_object)))
            found = symbol;
        if (*rest > '.')
            break;
    }
    return found ? found->address : 0;
}

walk_addr walk_symbols_section(const struct walk_symbols *symbols, const char *name)
{
    size_t names;
    if (!symbols->elf || elf_getshdrstrndx(symbols->elf, &names) < 0)
        return 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(symbols->elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC))
            continue;
        const char *own = elf_strptr(symbols->elf, names, header.sh_name);
        if (own && strcmp(own, name) == 0)
            return header.sh_addr + symbols->bias;
    }
    return 0;
}
