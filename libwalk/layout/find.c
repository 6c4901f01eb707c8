/* SPDX-License-Identifier: Apache-2.0 */
/* Where the interpreter is: which module holds it, and its state and PyType_Type in there. */
#include <stdio.h>

#include "layout/find.h"

const char *walk_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Likely places first, so that no symbols of other libraries are read: libpython, what is called python, the
 * executable. */
static int likelihood(const struct walk_image *image, const struct walk_module *module)
{
    const char *name = walk_base_name(module->path);
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
    runtime->collecting = walk_symbols_find(symbols, "collecting");
    runtime->first = interpreter;
    return interpreter != 0;
}

/* The module is the interpreter if these symbols say so; then they are kept. */
static bool take_symbols(struct walk_runtime *runtime, const struct walk_module *module, struct walk_symbols *symbols)
{
    walk_addr state = walk_symbols_find(symbols, "_PyRuntime"), type = walk_symbols_find(symbols, "PyType_Type");
    if (!type || (!state && !find_old_state(runtime, symbols)))
        return false;
    runtime->module = module;
    runtime->symbols = *symbols;
    runtime->runtime = state;
    runtime->type_type = type;
    runtime->located = true;
    return true;
}

/* By the symbols of its file, or of the separate debug file, which does without. */
static void try_module(struct walk_runtime *runtime, const struct walk_module *module)
{
    struct walk_symbols own = {.fd = -1}, debug;
    struct walk_error *error = module->file ? walk_symbols_open(module, &own) : NULL;
    bool found = !error && module->file && take_symbols(runtime, module, &own);
    walk_error_free(error); /* a file that is no loadable ELF holds no interpreter */
    if (found)
        return;
    error = walk_symbols_open_debug(module, runtime->image->debug_dirs, own.elf ? &own : NULL, &debug);
    if (!error && !take_symbols(runtime, module, &debug))
        walk_symbols_close(&debug);
    walk_error_free(error);
    walk_symbols_close(&own);
}

/* Calls `try` for the modules, the likeliest first, until one is found to be the interpreter. */
static bool try_modules(struct walk_runtime *runtime,
                        void (*try)(struct walk_runtime *runtime, const struct walk_module *module))
{
    const struct walk_image *image = runtime->image;
    for (int wanted = 0; wanted <= 3; wanted++)
        for (size_t i = 0; i < image->module_count && !runtime->module; i++)
            if (likelihood(image, &image->modules[i]) == wanted)
                try(runtime, &image->modules[i]);
    return runtime->module != NULL;
}

/* ---- what is said when there is none ---- */

/* The likeliest module whose file was not found. */
static const struct walk_module *missing_python(const struct walk_image *image)
{
    for (int wanted = 0; wanted <= 2; wanted++)
        for (size_t i = 0; i < image->module_count; i++)
            if (!image->modules[i].file && likelihood(image, &image->modules[i]) == wanted)
                return &image->modules[i];
    return NULL;
}

static struct walk_error *need_file(enum walk_error_code code, const char *why, const struct walk_module *module)
{
    char hex[2 * sizeof module->build_id + 1];
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    return walk_error_new(code,
                          "%sthe interpreter's file is needed (build-id %s): %s; give the right one with gdb's file "
                          "command, or the folder that holds it with set sysroot",
                          why, *hex ? hex : "unknown", module->problem);
}

/* PyPy has none of CPython's structures: pypy3, pypy3.9-c, libpypy3.9-c.so. */
static const struct walk_module *pypy(const struct walk_image *image)
{
    for (size_t i = 0; i < image->module_count; i++) {
        const char *name = walk_base_name(image->modules[i].path);
        if (strncmp(name, "libpypy", 7) == 0 || (i == 0 && strncmp(name, "pypy", 4) == 0))
            return &image->modules[i];
    }
    return NULL;
}

static struct walk_error *no_python(const struct walk_image *image)
{
    const struct walk_module *missing = missing_python(image);
    if (!image->module_count)
        return walk_error_new(WALK_ERROR_NO_PYTHON, "the target does not name the files that it had mapped (NT_FILE)");
    if (pypy(image))
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "%s is PyPy; CPython 3.%d to 3.%d can be read", pypy(image)->path,
                              WALK_OLDEST, WALK_NEWEST);
    if (missing)
        return need_file(WALK_ERROR_NO_PYTHON, "", missing);
    return walk_error_new(
        WALK_ERROR_NO_PYTHON,
        "no CPython interpreter in %s: neither it nor its libraries export _PyRuntime, and none has a "
        "type object in its memory; open a core of a Python process, or attach to one",
        image->modules[0].path);
}

struct walk_error *walk_runtime_find_module(struct walk_runtime *runtime)
{
    if (try_modules(runtime, try_module) || (!pypy(runtime->image) && try_modules(runtime, walk_runtime_scan_module)))
        return NULL;
    return no_python(runtime->image);
}

/* "python3.5", "libpython2.7.so.1.0": the version that a name says, as 0x305; 0: none. */
static unsigned version_in_name(const char *path)
{
    unsigned major, minor;
    const char *name = strstr(walk_base_name(path), "python");
    return name && sscanf(name, "python%2u.%2u", &major, &minor) == 2 ? major << 8 | minor : 0;
}

struct walk_error *walk_runtime_explain(const struct walk_runtime *runtime, struct walk_error *error)
{
    const struct walk_module *module = runtime->module;
    unsigned version = version_in_name(module->path);
    if (walk_error_code(error) != WALK_ERROR_LAYOUT)
        return error;
    if (version && version < (0x300 | WALK_OLDEST)) {
        walk_error_free(error);
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "%s is CPython %u.%u; 3.%d to 3.%d can be read", module->path,
                              version >> 8, version & 0xff, WALK_OLDEST, WALK_NEWEST);
    }
    if (module->file)
        return error;
    walk_error_free(error);
    return need_file(WALK_ERROR_LAYOUT, "no layout that is built in fits: ", module);
}
