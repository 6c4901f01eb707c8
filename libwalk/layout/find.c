/* SPDX-License-Identifier: Apache-2.0 */
/* Where the interpreter is: which module holds it, and its state and PyType_Type in there. */
#include <stdlib.h>

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

struct walk_error *walk_runtime_find_module(struct walk_runtime *runtime)
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
