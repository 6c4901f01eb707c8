/* SPDX-License-Identifier: Apache-2.0 */
/* Which layout is believed: that of the very build, else DWARF, else that of another build which the memory does not
 * disprove. */
#include <stdlib.h>

#include "layout/cache.h"
#include "layout/find.h"
#include "layout/proof.h"

/* ---- which sources are asked ---- */

enum source { SOURCE_ROW, SOURCE_CACHE, SOURCE_DWARF, SOURCE_PROBE, SOURCE_COUNT };
static const char *const source_names[SOURCE_COUNT] = {"row", "cache", "dwarf", "probe"};

/* The next part of a list with commas; NULL at the end. */
static const char *next_part(const char *part)
{
    part += strcspn(part, ",");
    return *part ? part + 1 : NULL;
}

/* Which source a part names; SOURCE_COUNT: none. */
static enum source source_of(const char *part)
{
    size_t length = strcspn(part, ",:");
    enum source source = 0;
    while (source < SOURCE_COUNT &&
           (strlen(source_names[source]) != length || strncmp(part, source_names[source], length) != 0))
        source++;
    return part[length] == ':' && source != SOURCE_PROBE ? SOURCE_COUNT : source;
}

static bool asked(const struct walk_image *image, enum source source)
{
    bool all = !image->layout;
    for (const char *part = image->layout; part && !all; part = next_part(part))
        all = source_of(part) == source;
    return all;
}

/* Rows to probe: those of other builds, or those whose name begins as some "probe:…" says. */
static bool may_probe(const struct walk_image *image, const struct walk_layout_row *row, const char *own)
{
    bool other = strcmp(row->build_id, own) != 0, may = !image->layout && other;
    for (const char *part = image->layout; part && !may; part = next_part(part)) {
        size_t length = strcspn(part, ",:");
        if (source_of(part) == SOURCE_PROBE)
            may = part[length] == ':' ? strncmp(row->name, part + length + 1, strcspn(part + length + 1, ",")) == 0
                                      : other;
    }
    return may;
}

struct walk_error *walk_runtime_check_sources(const struct walk_image *image)
{
    for (const char *part = image->layout; part; part = next_part(part))
        if (source_of(part) == SOURCE_COUNT)
            return walk_error_new(WALK_ERROR_FORMAT,
                                  "\"%s\" names no sources of layouts: row, cache, dwarf, probe or probe:NAME, "
                                  "with commas between",
                                  image->layout);
    return NULL;
}

/* ---- the sources ---- */

/* What is built in of a module's build, or remembered of it; NULL: nothing. */
static struct walk_layout_row *row_of(const struct walk_image *image, const struct walk_module *module,
                                      enum source *source)
{
    char hex[2 * sizeof module->build_id + 1];
    walk_build_id_format(module->build_id, module->build_id_size, hex);
    struct walk_layout_row *row = asked(image, *source = SOURCE_ROW) ? walk_layout_row_find(hex) : NULL;
    if (!row && asked(image, *source = SOURCE_CACHE))
        row = walk_cache_read(hex);
    if (row && row->word == image->memory.word)
        return row;
    walk_layout_row_free(row);
    return NULL;
}

/* Where no symbols were found, the state is looked for by the layout itself. */
static struct walk_error *locate_and_prove(struct walk_runtime *runtime)
{
    walk_runtime_locate(runtime);
    return walk_layout_prove(runtime);
}

/*
 * The layout of a row of this very build; takes it over. What was remembered anybody may have written: all that can be
 * asked must hold, or else other sources are asked.
 */
static struct walk_error *use_row(struct walk_runtime *runtime, struct walk_layout_row *row, enum source source)
{
    runtime->row = row;
    runtime->layout = row->layout;
    walk_runtime_from(runtime, "%s (%s)", source == SOURCE_ROW ? "built-in row of this build" : "cache", row->name);
    struct walk_error *error = locate_and_prove(runtime);
    if (!error && source == SOURCE_CACHE) {
        walk_runtime_ask_all(runtime, &runtime->verdicts);
        if (runtime->verdicts.failed)
            error = walk_error_new(WALK_ERROR_LAYOUT, "what was remembered does not fit this process");
    }
    return error;
}

bool walk_runtime_use_own_row(struct walk_runtime *runtime)
{
    const struct walk_image *image = runtime->image;
    for (size_t i = 0; i < image->module_count; i++) {
        const struct walk_module *module = &image->modules[i];
        enum source source;
        struct walk_layout_row *row = row_of(image, module, &source);
        if (!row || !row->runtime) {
            walk_layout_row_free(row);
            continue;
        }
        runtime->module = module;
        runtime->runtime = module->start + row->runtime;
        runtime->type_type = module->start + row->type;
        runtime->located = true;
        struct walk_error *error = use_row(runtime, row, source);
        if (!error)
            return true;
        /* The same build, and its memory disagrees: what was remembered may be wrong. Others may know better. */
        walk_error_free(error);
        walk_layout_row_free(row);
        *runtime = (struct walk_runtime){.image = runtime->image, .symbols = {.fd = -1}};
    }
    return false;
}

/* Of the file, or of its separate debug file when only that is here. */
static struct walk_error *read_dwarf(struct walk_runtime *runtime)
{
    const struct walk_image *image = runtime->image;
    const struct walk_module *module = runtime->module;
    char debug[4096];
    if (module->file)
        return walk_layout_from_dwarf(module->file, image->debug_dirs, &runtime->layout);
    if (walk_debug_file(module, image->debug_dirs, debug, sizeof debug))
        return walk_layout_from_dwarf(debug, image->debug_dirs, &runtime->layout);
    return walk_error_new(WALK_ERROR_LAYOUT, "%s: neither it nor its debug file is here", module->path);
}

struct walk_error *walk_runtime_choose_layout(struct walk_runtime *runtime)
{
    const struct walk_image *image = runtime->image;
    enum source source;
    /* 3.6: its row has the layout, its symbols were needed for the rest. */
    struct walk_layout_row *row = row_of(image, runtime->module, &source);
    struct walk_error *error = row ? use_row(runtime, row, source) : NULL;
    if (row && !error)
        return NULL;
    walk_layout_row_free(row);
    runtime->row = NULL;
    if (error && walk_error_code(error) != WALK_ERROR_LAYOUT)
        return error;
    walk_error_free(error);
    error = NULL;
    if (asked(image, SOURCE_DWARF)) {
        error = read_dwarf(runtime);
        if (!error) {
            walk_runtime_from(runtime, "DWARF");
            runtime->remember = asked(image, SOURCE_CACHE);
            return locate_and_prove(runtime);
        }
        if (walk_error_code(error) != WALK_ERROR_LAYOUT)
            return error;
    }
    if (asked(image, SOURCE_PROBE)) {
        struct walk_error *probed = walk_runtime_probe(runtime, may_probe);
        if (!probed || !error) {
            walk_error_free(error);
            return probed;
        }
        error = walk_error_context(error, "%s", walk_error_message(probed));
        walk_error_free(probed);
    }
    if (!error)
        error = walk_error_new(WALK_ERROR_LAYOUT, "\"%s\" has none", image->layout);
    return walk_error_context(error, "no layout for this CPython is built in; install its debug symbols");
}
