/* SPDX-License-Identifier: Apache-2.0 */
/* Which layout is believed: that of the very build, else DWARF, else that of another build which the memory does not
 * disprove. */
#include <stdlib.h>

#include "layout/find.h"

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
bool walk_runtime_use_own_row(struct walk_runtime *runtime)
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
    const char *digits = strstr(walk_base_name(path), "python3.");
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

struct walk_error *walk_runtime_choose_layout(struct walk_runtime *runtime)
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
