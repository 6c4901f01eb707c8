/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of a target: found, and its lists, collectors and static types. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "layout/find.h"
#include "layout/proof.h"

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
    const uint8_t *flag =
        runtime->collecting ? walk_memory_view(&runtime->image->memory, runtime->collecting, 4) : NULL;
    collector->collecting = flag && walk_load_u32(flag) != 0;
    if (!state)
        return;
    if (WALK_HAS(layout, gc, permanent_generation))
        collector->permanent = state + WALK_OFFSET(layout, gc, permanent_generation);
    flag = WALK_HAS(layout, gc, collecting)
               ? walk_memory_view(&runtime->image->memory, state + WALK_OFFSET(layout, gc, collecting), 4)
               : NULL;
    collector->collecting = flag && walk_load_u32(flag) != 0;
}

/* ---- static types ---- */

walk_addr walk_runtime_static_type(const struct walk_runtime *runtime, const char *symbol, const char *name)
{
    walk_addr address = symbol ? walk_symbols_find(&runtime->symbols, symbol) : 0;
    for (size_t i = 0; !address && runtime->row && i < runtime->row->type_count; i++)
        if (*runtime->row->types[i].name == *name && strcmp(runtime->row->types[i].name, name) == 0)
            address = runtime->module->start + runtime->row->types[i].offset;
    for (size_t i = 0; !address && i < WALK_BASIC_TYPES; i++)
        if (strcmp(walk_basic_types[i], name) == 0)
            address = runtime->basic[i];
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

void walk_runtime_from(struct walk_runtime *runtime, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(runtime->source, sizeof runtime->source, format, arguments);
    va_end(arguments);
}

struct walk_error *walk_runtime_find(struct walk_image *image, struct walk_runtime *runtime)
{
    *runtime = (struct walk_runtime){.image = image, .symbols = {.fd = -1}};
    struct walk_error *error = walk_runtime_check_sources(image);
    if (!error && !walk_runtime_use_own_row(runtime)) {
        error = walk_runtime_find_module(runtime);
        if (!error && (error = walk_runtime_choose_layout(runtime)))
            error = walk_runtime_explain(runtime, error);
    }
    runtime->verdicts.asked = false; /* or of another layout */
    if (error)
        walk_runtime_close(runtime);
    else if (!image->core.data) /* a process may be gone when somebody wants to know */
        walk_runtime_ask_all(runtime, &runtime->verdicts);
    if (!error && !runtime->part_count) {
        struct walk_part *part = &runtime->parts[runtime->part_count++];
        snprintf(part->source, sizeof part->source, "%.79s", runtime->source);
        for (int i = 0; i < WALK_STRUCT_COUNT; i++)
            part->count += runtime->layout.size[i] != 0;
    }
    return error;
}

void walk_runtime_close(struct walk_runtime *runtime)
{
    walk_symbols_close(&runtime->symbols);
    walk_layout_row_free(runtime->row);
    runtime->row = NULL;
}
