/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/link.h"

#include <stdlib.h>

#include "bytes/elf.h"
#include "machine/natives.h"

/* A module's file, as far as linking needs it. */
struct walk_linkage {
    bool opened, scanned;
    struct walk_elf file;
    walk_addr bias;     /* address in the target = address in the file + bias */
    walk_addr link_map; /* what the module's lazy binding gives the dynamic linker as its own; 0: none */
    Elf_Data *symbols, *versions, *lazy;
    size_t symbol_count, strings, lazy_count;
    walk_addr *bound; /* the lazily bound functions, lazy_count of them; 0: not asked yet */
};

/* A function that was asked for and is not there. */
#define NOT_FOUND UINT64_MAX

/* Of a symbol's version: its number, and that it is not the default one. */
enum { VERSION_NUMBER = 0x7fff, VERSION_HIDDEN = 0x8000 };
/* Entries of the dynamic linker's list that are looked at, each way. */
enum { LIST_MAX = 1 << 12 };

struct walk_native_at {
    walk_addr address;
    unsigned native;
};

struct walk_error *walk_link_init(struct walk_machine *machine)
{
    machine->linkages = calloc(machine->image->module_count + 1, sizeof *machine->linkages);
    if (!machine->linkages)
        return walk_error_no_memory();
    for (size_t i = 0; i < machine->image->module_count; i++)
        machine->linkages[i].file.fd = -1;
    return NULL;
}

void walk_link_deinit(struct walk_machine *machine)
{
    for (size_t i = 0; machine->linkages && i < machine->image->module_count; i++) {
        walk_elf_close(&machine->linkages[i].file);
        free(machine->linkages[i].bound);
    }
    free(machine->linkages);
    free(machine->natives);
}

/* Without memory for it, the code is run as it is. */
static void add_native(struct walk_machine *machine, walk_addr address, unsigned native)
{
    for (size_t i = 0; i < machine->native_count; i++)
        if (machine->natives[i].address == address)
            return;
    struct walk_native_at *natives = realloc(machine->natives, (machine->native_count + 1) * sizeof *natives);
    if (!natives)
        return;
    machine->natives = natives;
    natives[machine->native_count++] = (struct walk_native_at){address, native};
}

/* ---- a module's file ---- */

static void open_symbols(struct walk_linkage *linkage, Elf_Scn *section, const GElf_Shdr *header)
{
    linkage->symbols = elf_getdata(section, NULL);
    linkage->symbol_count = linkage->symbols && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    linkage->strings = header->sh_link;
}

static uint64_t dynamic_value(const struct walk_linkage *linkage, int64_t tag)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC || !(data = elf_getdata(section, NULL)))
            continue;
        GElf_Dyn entry;
        for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
            if (entry.d_tag == tag)
                return entry.d_un.d_val;
    }
    return 0;
}

/* The words of the global offset table that its first calls go through: the module's link map and the linker. */
static void open_lazy(struct walk_machine *machine, struct walk_linkage *linkage)
{
    uint64_t map, linker;
    walk_addr table = dynamic_value(linkage, DT_PLTGOT);
    walk_addr relocations = dynamic_value(linkage, DT_JMPREL);
    if (!table || !relocations || !walk_memory_word(&machine->image->memory, linkage->bias + table + 8, &map) ||
        !walk_memory_word(&machine->image->memory, linkage->bias + table + 16, &linker) || !map || !linker)
        return;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA || header.sh_addr != relocations ||
            !header.sh_entsize)
            continue;
        linkage->lazy = elf_getdata(section, NULL);
        linkage->lazy_count = linkage->lazy ? header.sh_size / header.sh_entsize : 0;
        linkage->bound = calloc(linkage->lazy_count + 1, sizeof *linkage->bound);
        linkage->link_map = map;
        add_native(machine, linker, WALK_NATIVE_RESOLVE);
    }
}

static struct walk_linkage *open_module(struct walk_machine *machine, size_t index)
{
    struct walk_linkage *linkage = &machine->linkages[index];
    const struct walk_module *module = &machine->image->modules[index];
    if (linkage->opened)
        return linkage;
    linkage->opened = true;
    if (!module->file || !walk_elf_open(module->file, &linkage->file) ||
        !walk_elf_fits(machine->image, linkage->file.elf) ||
        !walk_elf_bias(linkage->file.elf, module->start, &linkage->bias))
        return linkage;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        if (header.sh_type == SHT_DYNSYM)
            open_symbols(linkage, section, &header);
        else if (header.sh_type == SHT_GNU_versym)
            linkage->versions = elf_getdata(section, NULL);
    }
    open_lazy(machine, linkage);
    return linkage;
}

static const char *symbol_name(const struct walk_linkage *linkage, uint64_t index, GElf_Sym *symbol)
{
    if (index >= linkage->symbol_count || !gelf_getsym(linkage->symbols, (int)index, symbol))
        return NULL;
    return elf_strptr(linkage->file.elf, linkage->strings, symbol->st_name);
}

/* ---- which addresses are natives ---- */

/* The resolver of an indirect function of the module itself: its names are those of the dynamic symbols there. */
static unsigned native_of_resolver(const struct walk_linkage *linkage, uint64_t resolver)
{
    for (size_t i = 0; i < linkage->symbol_count; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(linkage->symbols, (int)i, &symbol) || symbol.st_value != resolver ||
            GELF_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC)
            continue;
        const char *name = symbol_name(linkage, i, &symbol);
        unsigned native = name ? walk_native_by_name(name) : WALK_NATIVE_NONE;
        if (native)
            return native;
    }
    return WALK_NATIVE_NONE;
}

/* A word that the dynamic linker has filled with the address of a native function, whoever implements it. */
static void scan_relocation(struct walk_machine *machine, const struct walk_linkage *linkage, const GElf_Rela *rela,
                            const bool *begins)
{
    unsigned native = WALK_NATIVE_NONE;
    GElf_Sym symbol;
    const char *name;
    uint64_t value;
    switch (GELF_R_TYPE(rela->r_info)) {
    case R_X86_64_JUMP_SLOT:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_64:
        name = symbol_name(linkage, GELF_R_SYM(rela->r_info), &symbol);
        native = name && begins[(unsigned char)*name] ? walk_native_by_name(name) : WALK_NATIVE_NONE;
        break;
    case R_X86_64_IRELATIVE:
        native = native_of_resolver(linkage, (uint64_t)rela->r_addend);
        break;
    default:
        break;
    }
    if (native && walk_memory_word(&machine->image->memory, linkage->bias + rela->r_offset, &value) && value)
        add_native(machine, value, native);
}

static void scan_module(struct walk_machine *machine, size_t index)
{
    struct walk_linkage *linkage = open_module(machine, index);
    if (linkage->scanned)
        return;
    bool begins[WALK_CHARACTERS] = {false};
    linkage->scanned = true;
    walk_natives_begin(begins);
    for (Elf_Scn *section = NULL; linkage->symbols && (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        GElf_Rela rela;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA || !(header.sh_flags & SHF_ALLOC) ||
            !(data = elf_getdata(section, NULL)))
            continue;
        for (int i = 0; gelf_getrela(data, i, &rela); i++)
            scan_relocation(machine, linkage, &rela, begins);
    }
}

unsigned walk_link_native(struct walk_machine *machine, walk_addr pc)
{
    for (unsigned native = WALK_NATIVE_RETURN; native < WALK_NATIVE_COUNT; native++)
        if (pc == WALK_MACHINE_NATIVE(native))
            return native;
    for (size_t i = 0; i < machine->image->module_count; i++) {
        const struct walk_module *module = &machine->image->modules[i];
        if (pc >= module->start && pc < module->end)
            scan_module(machine, i);
    }
    for (size_t i = 0; i < machine->native_count; i++)
        if (machine->natives[i].address == pc)
            return machine->natives[i].native;
    return WALK_NATIVE_NONE;
}

/* ---- what a name means ---- */

/* A function that is asked for; without a version its default one is meant. */
struct wanted {
    const char *name, *version;
};

/* Of the versions that the module defines the name of the one with this number; NULL: it is not there. */
static const char *defined_version(const struct walk_linkage *linkage, Elf_Data *data, const GElf_Shdr *header,
                                   unsigned number)
{
    GElf_Verdef definition;
    GElf_Verdaux named;
    size_t at = 0;
    for (size_t i = 0; i < header->sh_info && gelf_getverdef(data, (int)at, &definition); i++) {
        if ((definition.vd_ndx & VERSION_NUMBER) == number &&
            gelf_getverdaux(data, (int)(at + definition.vd_aux), &named))
            return elf_strptr(linkage->file.elf, header->sh_link, named.vda_name);
        at += definition.vd_next;
        if (!definition.vd_next || at >= data->d_size)
            break;
    }
    return NULL;
}

/* The same of those that it needs: a list per library. */
static const char *needed_version(const struct walk_linkage *linkage, Elf_Data *data, const GElf_Shdr *header,
                                  unsigned number)
{
    GElf_Verneed need;
    GElf_Vernaux named;
    size_t at = 0;
    for (size_t i = 0; i < header->sh_info && gelf_getverneed(data, (int)at, &need); i++) {
        size_t of = at + need.vn_aux;
        for (unsigned j = 0; j < need.vn_cnt && of < data->d_size && gelf_getvernaux(data, (int)of, &named); j++) {
            if ((named.vna_other & VERSION_NUMBER) == number)
                return elf_strptr(linkage->file.elf, header->sh_link, named.vna_name);
            of += named.vna_next;
        }
        at += need.vn_next;
        if (!need.vn_next || at >= data->d_size)
            break;
    }
    return NULL;
}

/* The version of a symbol of the module: of one that it defines or one that it needs. NULL: it has none. */
static const char *version_of(const struct walk_linkage *linkage, uint64_t symbol, bool defined)
{
    GElf_Versym version = 0;
    if (linkage->versions)
        gelf_getversym(linkage->versions, (int)symbol, &version);
    unsigned number = version & VERSION_NUMBER;
    for (Elf_Scn *section = NULL; number > VER_NDX_GLOBAL && (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        if (gelf_getshdr(section, &header) && header.sh_type == (defined ? SHT_GNU_verdef : SHT_GNU_verneed) &&
            (data = elf_getdata(section, NULL)))
            return defined ? defined_version(linkage, data, &header, number)
                           : needed_version(linkage, data, &header, number);
    }
    return NULL;
}

/* A definition of the module, of that version if it has versions, else the default one; 0: none. */
static walk_addr definition(const struct walk_linkage *linkage, const struct wanted *wanted)
{
    walk_addr found = 0;
    for (size_t i = 0; i < linkage->symbol_count; i++) {
        GElf_Sym symbol;
        GElf_Versym version = 0;
        const char *name = symbol_name(linkage, i, &symbol);
        if (!name || symbol.st_shndx == SHN_UNDEF || GELF_ST_BIND(symbol.st_info) == STB_LOCAL ||
            GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC || strcmp(name, wanted->name) != 0)
            continue;
        const char *own = wanted->version ? version_of(linkage, i, true) : NULL;
        if (own && strcmp(own, wanted->version) != 0)
            continue;
        if (linkage->versions)
            gelf_getversym(linkage->versions, (int)i, &version);
        found = symbol.st_value + linkage->bias;
        if (own || !(version & VERSION_HIDDEN))
            return found;
    }
    return found;
}

static bool is_called(struct walk_machine *machine, size_t index, const char *wanted)
{
    const char *path = machine->image->modules[index].path, *slash = strrchr(path, '/');
    if (strcmp(slash ? slash + 1 : path, wanted) == 0 || strcmp(path, wanted) == 0)
        return true;
    const struct walk_linkage *linkage = open_module(machine, index);
    uint64_t name = linkage->symbols ? dynamic_value(linkage, DT_SONAME) : 0;
    const char *soname = name ? elf_strptr(linkage->file.elf, linkage->strings, name) : NULL;
    return soname && strcmp(soname, wanted) == 0;
}

/* Modules in the order in which a name is looked up in them. */
struct scope {
    size_t count, capacity;
    size_t module[];
};

static void add_to_scope(struct walk_machine *machine, struct scope *scope, const char *needed)
{
    for (size_t i = 0; i < machine->image->module_count; i++) {
        size_t known = 0;
        if (!is_called(machine, i, needed))
            continue;
        while (known < scope->count && scope->module[known] != i)
            known++;
        if (known == scope->count && scope->count < scope->capacity)
            scope->module[scope->count++] = i;
        return;
    }
}

static bool is_needed(struct walk_machine *machine, size_t by, size_t module)
{
    const struct walk_linkage *linkage = open_module(machine, by);
    for (Elf_Scn *section = NULL; linkage->symbols && (section = elf_nextscn(linkage->file.elf, section));) {
        GElf_Shdr header;
        GElf_Dyn entry;
        Elf_Data *data;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC || !(data = elf_getdata(section, NULL)))
            continue;
        for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
            const char *name =
                entry.d_tag == DT_NEEDED ? elf_strptr(linkage->file.elf, linkage->strings, entry.d_un.d_val) : NULL;
            if (name && is_called(machine, module, name))
                return true;
        }
    }
    return false;
}

/*
 * Libraries that were preloaded stand in the dynamic linker's list behind the program and before the first one that the
 * program needs. `map`: any entry of the list (struct link_map of glibc and musl: l_addr, l_name, l_ld, l_next,
 * l_prev).
 */
static void add_preloaded(struct walk_machine *machine, struct scope *scope, walk_addr map)
{
    enum { ADDRESS, NAME, DYNAMIC, NEXT, PREVIOUS };
    struct walk_memory *memory = &machine->image->memory;
    uint64_t other, bias, first = map;
    for (int i = 0; i < LIST_MAX && walk_memory_word(memory, first + PREVIOUS * 8, &other) && other; i++)
        first = other;
    for (int i = 0; i < LIST_MAX && walk_memory_word(memory, first + NEXT * 8, &other) && other; i++) {
        first = other;
        if (!walk_memory_word(memory, first + ADDRESS * 8, &bias))
            return;
        for (size_t m = 1; m < machine->image->module_count; m++) {
            if (!machine->image->modules[m].bias_known || machine->image->modules[m].bias != bias)
                continue;
            if (is_needed(machine, 0, m) || scope->count == scope->capacity)
                return;
            scope->module[scope->count++] = m;
        }
    }
}

/* The modules of the scope and all that they need, breadth first; looks the name up in each. */
static walk_addr look_up_from(struct walk_machine *machine, struct scope *scope, const struct wanted *wanted)
{
    for (size_t at = 0; at < scope->count; at++) {
        const struct walk_linkage *linkage = open_module(machine, scope->module[at]);
        walk_addr found = linkage->symbols ? definition(linkage, wanted) : 0;
        if (found)
            return found;
        for (Elf_Scn *section = NULL; linkage->symbols && (section = elf_nextscn(linkage->file.elf, section));) {
            GElf_Shdr header;
            GElf_Dyn entry;
            Elf_Data *data;
            if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC ||
                !(data = elf_getdata(section, NULL)))
                continue;
            for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
                const char *needed =
                    entry.d_tag == DT_NEEDED ? elf_strptr(linkage->file.elf, linkage->strings, entry.d_un.d_val) : NULL;
                if (needed)
                    add_to_scope(machine, scope, needed);
            }
        }
    }
    return 0;
}

/* First in the program, what was preloaded and their libraries, then in the module that asks and its own. */
static walk_addr look_up(struct walk_machine *machine, size_t asking, const struct wanted *wanted)
{
    size_t capacity = machine->image->module_count;
    struct scope *scope = malloc(sizeof *scope + capacity * sizeof *scope->module);
    if (!scope)
        return 0;
    scope->capacity = capacity;
    scope->module[0] = 0;
    scope->count = 1;
    add_preloaded(machine, scope, machine->linkages[asking].link_map);
    walk_addr found = look_up_from(machine, scope, wanted);
    if (!found) {
        scope->module[0] = asking;
        scope->count = 1;
        found = look_up_from(machine, scope, wanted);
    }
    free(scope);
    return found;
}

/* ---- the first call of a function ---- */

static walk_addr bind(struct walk_machine *machine, size_t module, uint64_t index)
{
    struct walk_linkage *linkage = &machine->linkages[module];
    GElf_Rela rela;
    GElf_Sym symbol;
    if (index >= linkage->lazy_count || !linkage->bound || !gelf_getrela(linkage->lazy, (int)index, &rela))
        return 0;
    if (!linkage->bound[index]) {
        const char *name = symbol_name(linkage, GELF_R_SYM(rela.r_info), &symbol);
        unsigned native = name ? walk_native_by_name(name) : WALK_NATIVE_NONE;
        const struct wanted wanted = {name, version_of(linkage, GELF_R_SYM(rela.r_info), false)};
        walk_addr found = native ? WALK_MACHINE_NATIVE(native) : name ? look_up(machine, module, &wanted) : 0;
        linkage->bound[index] = found ? found : NOT_FOUND;
    }
    return linkage->bound[index] == NOT_FOUND ? 0 : linkage->bound[index];
}

bool walk_link_resolve(struct walk_machine *machine, walk_addr *to)
{
    uint64_t map, index;
    if (!walk_machine_pop(machine, &map) || !walk_machine_pop(machine, &index))
        return false;
    for (size_t i = 0; i < machine->image->module_count; i++)
        if (machine->linkages[i].link_map == map && map && (*to = bind(machine, i, index)))
            return true;
    return walk_machine_fault(machine, WALK_FAULT_UNRESOLVED, 0);
}
