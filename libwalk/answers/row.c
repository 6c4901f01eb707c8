/* SPDX-License-Identifier: Apache-2.0 */
/* What was read of a build, as a row: to be built in, or to be remembered. */
#include "layout/row.h"

#include <inttypes.h>
#include <stdlib.h>

#include "answers/heap.h"
#include "objects/names.h"

static int by_address(const void *a, const void *b)
{
    const struct walk_pytype *x = *(const struct walk_pytype *const *)a, *y = *(const struct walk_pytype *const *)b;
    return (x->address > y->address) - (x->address < y->address);
}

/* A name that a row can hold: it has no comma. */
static bool is_plain(const char *name, size_t size)
{
    size_t length = strlen(name);
    bool plain = length > 0 && length < size;
    for (size_t i = 0; i < length && plain; i++)
        plain = name[i] >= 0x20 && name[i] < 0x7f && name[i] != ',';
    return plain;
}

/* Every type object becomes known, also those of which there is no other object. */
static void know_all_types(const struct walk_heap *heap)
{
    struct walk_python *python = heap->python;
    uint32_t type;
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        if (walk_node_kind(heap, id) == WALK_OBJECT && python->types[heap->graph.class[id]].kind == WALK_KIND_type)
            walk_python_type(python, walk_graph_key(&heap->graph, id), &type);
}

/* A static type whose name is its own. */
static bool is_named(const struct walk_pytype *type, size_t size)
{
    return !(type->flags & WALK_TPFLAGS_HEAPTYPE) && type->naming == WALK_NAMED && is_plain(type->name, size);
}

/* The static types of the interpreter's own file that the process came by. */
static struct walk_error *take_types(const struct walk_python *python, struct walk_layout_row *row)
{
    const struct walk_module *module = python->runtime->module;
    const struct walk_pytype **types = calloc((size_t)python->type_count + 1, sizeof *types);
    size_t count = 0;
    row->types = calloc((size_t)python->type_count + 1, sizeof *row->types);
    if (!types || !row->types) {
        free(types);
        return walk_error_no_memory();
    }
    for (uint32_t i = 0; i < python->type_count; i++)
        if (python->types[i].address >= module->start && python->types[i].address < module->end &&
            is_named(&python->types[i], sizeof row->types->name))
            types[count++] = &python->types[i];
    qsort(types, count, sizeof *types, by_address);
    for (size_t i = 0; i < count; i++) {
        struct walk_row_type *type = &row->types[row->type_count++];
        type->offset = (uint32_t)(types[i]->address - module->start);
        snprintf(type->name, sizeof type->name, "%s", types[i]->name);
    }
    free(types);
    return NULL;
}

struct walk_error *walk_heap_row(const struct walk_heap *heap, struct walk_layout_row **result)
{
    struct walk_python *python = heap->python;
    const struct walk_runtime *runtime = python->runtime;
    struct walk_layout_row *row = calloc(1, sizeof *row);
    walk_addr start = runtime->module->start;
    uint32_t version = python->version;
    if (!row)
        return walk_error_no_memory();
    know_all_types(heap);
    row->version = version;
    row->word = python->word;
    row->layout = runtime->layout;
    row->runtime = runtime->runtime ? (uint32_t)(runtime->runtime - start) : 0;
    row->type = (uint32_t)(runtime->type_type - start);
    snprintf(row->build_id, sizeof row->build_id, "%s", heap->target->build_id);
    snprintf(row->name, sizeof row->name, "%u.%u.%u %s%s%.8s", version >> 24 & 0xff, version >> 16 & 0xff,
             version >> 8 & 0xff, strchr(python->abiflags, 't') ? "free-threaded " : "",
             strchr(python->abiflags, 'd') ? "debug " : "", row->build_id);
    struct walk_error *error = take_types(python, row);
    if (error)
        walk_layout_row_free(row);
    else
        *result = row;
    return error;
}

struct walk_error *walk_heap_print_row(const struct walk_heap *heap, FILE *out)
{
    struct walk_layout_row *row;
    if (!heap->python)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "a saved heap has no layout: give the core that it was saved of");
    struct walk_error *error = walk_heap_row(heap, &row);
    if (error)
        return error;
    walk_row_print(row, out);
    walk_layout_row_free(row);
    return NULL;
}

void walk_heap_print_type_names(const struct walk_heap *heap, FILE *out)
{
    struct walk_python *python = heap->python;
    if (!python)
        return;
    know_all_types(heap);
    for (uint32_t i = 0; i < python->type_count; i++) {
        const struct walk_pytype *type = &python->types[i];
        uint32_t print = is_named(type, SIZE_MAX) ? walk_names_print(python, type->address) : 0;
        if (print)
            fprintf(out, "%08" PRIx32 " %u %s\n", print, WALK_MINOR(python), type->name);
    }
}
