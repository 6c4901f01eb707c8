/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the interpreter among the target's modules, and a layout for it that its memory does not disprove. */
#include <inttypes.h>
#include <stdlib.h>

#include "layout/layout.h"

walk_addr walk_runtime_next_interpreter(const struct walk_runtime *runtime, walk_addr interpreter)
{
    const struct walk_layout *layout = &runtime->layout;
    uint64_t next;
    if (!interpreter && !runtime->runtime)
        return runtime->first;
    walk_addr link = interpreter ? interpreter + WALK_OFFSET(layout, interp, next)
                                 : runtime->runtime + WALK_OFFSET(layout, runtime, interpreters_head);
    return walk_memory_word(&runtime->image->memory, link, &next) ? next : 0;
}

bool walk_runtime_shares_collector(const struct walk_runtime *runtime)
{
    return !WALK_HAS(&runtime->layout, interp, gc);
}

void walk_runtime_collector(const struct walk_runtime *runtime, walk_addr interpreter, struct walk_collector *collector)
{
    const struct walk_layout *layout = &runtime->layout;
    *collector = (struct walk_collector){0};
    walk_addr state = 0, generations = runtime->generations;
    if (!generations) {
        state = walk_runtime_shares_collector(runtime) ? runtime->runtime + WALK_OFFSET(layout, runtime, gc)
                                                       : interpreter + WALK_OFFSET(layout, interp, gc);
        generations = state + WALK_OFFSET(layout, gc, generations);
    }
    for (unsigned i = 0; i < 3; i++)
        collector->generation[i] = generations + i * WALK_SIZE(layout, gc_generation);
    if (!state)
        return;
    if (WALK_HAS(layout, gc, permanent_generation))
        collector->permanent = state + WALK_OFFSET(layout, gc, permanent_generation);
    const uint8_t *flag = walk_memory_view(&runtime->image->memory, state + WALK_OFFSET(layout, gc, collecting), 4);
    collector->collecting = flag && walk_load_u32(flag) != 0;
}

/* ---- static types ---- */

walk_addr walk_runtime_static_type(const struct walk_runtime *runtime, const char *symbol, const char *name)
{
    walk_addr address = symbol ? walk_symbols_find(&runtime->symbols, symbol) : 0;
    for (size_t i = 0; !address && runtime->row && i < runtime->row->type_count; i++)
        if (strcmp(runtime->row->types[i].name, name) == 0)
            address = runtime->module->start + runtime->row->types[i].offset;
    return address;
}

static int by_offset(const void *a, const void *b)
{
    const struct walk_row_type *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

const char *walk_runtime_type_name(const struct walk_runtime *runtime, walk_addr type)
{
    const struct walk_layout_row *row = runtime->row;
    if (!row || type < runtime->module->start || type - runtime->module->start > UINT32_MAX)
        return NULL;
    struct walk_row_type key = {.offset = (uint32_t)(type - runtime->module->start)};
    const struct walk_row_type *found = bsearch(&key, row->types, row->type_count, sizeof key, by_offset);
    return found ? found->name : NULL;
}

/* ---- which module ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Likely places first, so that no symbols of other libraries are read: libpython, what is called python, the
 * executable. */
static int likelihood(const struct walk_image *image, const struct walk_module *module)
{
    const char *name = base_name(module->path);
    if (strncmp(name, "libpython", 9) == 0)
        return 0;
    if (strstr(name, "python"))
        return 1;
    return module == image->modules ? 2 : 3;
}

/*
 * 3.6 (Python/pystate.c, Modules/gcmodule.c): _PyGC_generation0 points to the first of three list heads. The list of
 * interpreters has a symbol only in .symtab; without it the current thread's interpreter stands for all. That thread's
 * state says where its interpreter is in its third word, on every build (prev, next, interp).
 */
static bool find_old_state(struct walk_runtime *runtime, const struct walk_symbols *symbols)
{
    struct walk_memory *memory = &runtime->image->memory;
    walk_addr lists = walk_symbols_find(symbols, "_PyGC_generation0");
    walk_addr head = walk_symbols_find(symbols, "interp_head");
    walk_addr current = walk_symbols_find(symbols, "_PyThreadState_Current");
    uint64_t generations = 0, thread = 0, interpreter = 0;
    if (!lists || !walk_memory_word(memory, lists, &generations))
        return false;
    if (!head || !walk_memory_word(memory, head, &interpreter))
        interpreter = 0;
    if (!interpreter && current && walk_memory_word(memory, current, &thread) && thread &&
        !walk_memory_word(memory, thread + 2 * memory->word, &interpreter))
        interpreter = 0;
    runtime->generations = generations;
    runtime->first = interpreter;
    return interpreter != 0;
}

static struct walk_error *try_module(struct walk_runtime *runtime, const struct walk_module *module, bool *old)
{
    struct walk_symbols symbols;
    if (!module->file)
        return NULL;
    struct walk_error *error = walk_symbols_open(module, &symbols);
    if (error) {
        walk_error_free(error); /* a file that is no loadable ELF holds no interpreter */
        return NULL;
    }
    walk_addr state = walk_symbols_find(&symbols, "_PyRuntime"), type = walk_symbols_find(&symbols, "PyType_Type");
    if (type && (state || find_old_state(runtime, &symbols))) {
        runtime->module = module;
        runtime->symbols = symbols;
        runtime->runtime = state;
        runtime->type_type = type;
        return NULL;
    }
    *old |= type != 0;
    walk_symbols_close(&symbols);
    return NULL;
}

/* The likeliest module whose file was not found. */
static const struct walk_module *missing_python(const struct walk_image *image)
{
    for (int wanted = 0; wanted <= 2; wanted++)
        for (size_t i = 0; i < image->module_count; i++)
            if (!image->modules[i].file && likelihood(image, &image->modules[i]) == wanted)
                return &image->modules[i];
    return NULL;
}

static struct walk_error *no_python(const struct walk_image *image, bool old)
{
    if (!image->module_count)
        return walk_error_new(WALK_ERROR_NO_PYTHON, "the target does not name the files that it had mapped (NT_FILE)");
    const struct walk_module *missing = missing_python(image);
    if (missing) {
        char hex[2 * sizeof missing->build_id + 1];
        walk_build_id_format(missing->build_id, missing->build_id_size, hex);
        return walk_error_new(WALK_ERROR_NO_PYTHON,
                              "the interpreter's file is needed (build-id %s): %s; give the right one with gdb's file "
                              "command, or the folder that holds it with set sysroot",
                              *hex ? hex : "unknown", missing->problem);
    }
    if (old)
        return walk_error_new(WALK_ERROR_UNSUPPORTED,
                              "a CPython older than 3.6, or one that has no interpreter: 3.8 to 3.13 can be read");
    return walk_error_new(WALK_ERROR_NO_PYTHON,
                          "no CPython interpreter in %s: neither it nor its libraries export _PyRuntime; "
                          "open a core of a Python process, or attach to one",
                          image->modules[0].path);
}

static struct walk_error *find_module(struct walk_runtime *runtime)
{
    const struct walk_image *image = runtime->image;
    bool old = false;
    for (int wanted = 0; wanted <= 3; wanted++) {
        for (size_t i = 0; i < image->module_count; i++) {
            if (likelihood(image, &image->modules[i]) != wanted)
                continue;
            struct walk_error *error = try_module(runtime, &image->modules[i], &old);
            if (error || runtime->module)
                return error;
        }
    }
    return no_python(image, old);
}

/* ---- which layout ---- */

static const struct walk_layout_row *row_of(const struct walk_module *module)
{
    char hex[2 * sizeof module->build_id + 1];
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    for (size_t i = 0; *hex && i < walk_layout_row_count; i++)
        if (strcmp(hex, walk_layout_rows[i].build_id) == 0)
            return &walk_layout_rows[i];
    return NULL;
}

/* A module of a build that is built in: its row says all, the file is not even opened. */
static bool use_own_row(struct walk_runtime *runtime)
{
    const struct walk_image *image = runtime->image;
    for (size_t i = 0; i < image->module_count && !image->dwarf_only; i++) {
        const struct walk_module *module = &image->modules[i];
        const struct walk_layout_row *row = row_of(module);
        /* Without its file the row would do for most of it; the names of other static types are in the file. */
        if (!row || !row->runtime || !module->file)
            continue;
        runtime->module = module;
        runtime->row = row;
        runtime->runtime = module->start + row->runtime;
        runtime->type_type = module->start + row->type;
        walk_layout_from_row(row, &runtime->layout);
        snprintf(runtime->source, sizeof runtime->source, "built-in row of this build (%s)", row->name);
        struct walk_error *error = walk_layout_prove(runtime);
        if (!error)
            return true;
        /* Never seen: the same build, and its memory disagrees. Others may know better. */
        walk_error_free(error);
        *runtime = (struct walk_runtime){.image = runtime->image, .symbols = {.fd = -1}};
    }
    return false;
}

/* "3.11" out of libpython3.11.so.1.0 or python3.11, so that a row of another version is not even tried. */
static uint32_t minor_in_name(const char *path)
{
    const char *digits = strstr(base_name(path), "python3.");
    return digits ? (uint32_t)strtoul(digits + 8, NULL, 10) : 0;
}

/* A row of the same version that the memory does not disprove: other builds of it are laid out alike, mostly. */
static bool use_proven_row(struct walk_runtime *runtime)
{
    uint32_t minor = minor_in_name(runtime->module->path);
    for (size_t i = 0; i < walk_layout_row_count && !runtime->image->dwarf_only; i++) {
        const struct walk_layout_row *row = &walk_layout_rows[i];
        if (row->pointer != (int)runtime->image->memory.word || (minor && ((row->version >> 16) & 0xff) != minor))
            continue;
        walk_layout_from_row(row, &runtime->layout);
        struct walk_error *error = walk_layout_prove(runtime);
        walk_error_free(error);
        snprintf(runtime->source, sizeof runtime->source, "built-in row of another build (%s), proven by probing",
                 row->name);
        if (!error)
            return true;
    }
    return false;
}

static struct walk_error *find_layout(struct walk_runtime *runtime)
{
    /* 3.6: its row has the layout, its symbols were needed for the rest. */
    const struct walk_layout_row *row = runtime->image->dwarf_only ? NULL : row_of(runtime->module);
    if (row) {
        walk_layout_from_row(row, &runtime->layout);
        snprintf(runtime->source, sizeof runtime->source, "built-in row of this build (%s)", row->name);
        return walk_layout_prove(runtime);
    }
    struct walk_error *dwarf =
        walk_layout_from_dwarf(runtime->module->file, runtime->image->debug_dirs, &runtime->layout);
    if (!dwarf) {
        snprintf(runtime->source, sizeof runtime->source, "DWARF");
        return walk_layout_prove(runtime);
    }
    if (walk_error_code(dwarf) == WALK_ERROR_LAYOUT && use_proven_row(runtime)) {
        walk_error_free(dwarf);
        return NULL;
    }
    return walk_error_context(dwarf, "no layout for this CPython is built in; install its debug symbols");
}

struct walk_error *walk_runtime_find(struct walk_image *image, struct walk_runtime *runtime)
{
    *runtime = (struct walk_runtime){.image = image, .symbols = {.fd = -1}};
    if (use_own_row(runtime))
        return NULL;
    struct walk_error *error = find_module(runtime);
    if (!error)
        error = find_layout(runtime);
    if (error)
        walk_runtime_close(runtime);
    return error;
}

void walk_runtime_close(struct walk_runtime *runtime) { walk_symbols_close(&runtime->symbols); }
