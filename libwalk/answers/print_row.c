/* SPDX-License-Identifier: Apache-2.0 */
/* The other direction of layout/rows.c: what was read of a build, written as a row of C. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/heap.h"

static void print_fields(const struct walk_layout *layout, FILE *out)
{
    fprintf(out, "    .offset_plus_one = {");
    for (size_t i = 0, last = WALK_STRUCT_COUNT; i < WALK_FIELD_COUNT; i++) {
        if (layout->offset[i] == WALK_ABSENT)
            continue;
        const char *comma = last == WALK_STRUCT_COUNT ? "" : ",";
        bool same = walk_field_table[i].structure == last;
        fprintf(out, "%s%sROW_FIELD(%s, %d)", comma, same ? " " : "\n        ", walk_field_table[i].id,
                layout->offset[i]);
        last = walk_field_table[i].structure;
    }
    fprintf(out, "},\n    .size = {");
    for (size_t i = 0, count = 0; i < WALK_STRUCT_COUNT; i++)
        if (layout->size[i])
            fprintf(out, "%sROW_SIZE(%s, %u),", count++ % 4 ? " " : "\n        ", walk_struct_table[i].id,
                    layout->size[i]);
    fprintf(out, "},\n");
}

static int by_address(const void *a, const void *b)
{
    const struct walk_pytype *x = *(const struct walk_pytype *const *)a, *y = *(const struct walk_pytype *const *)b;
    return (x->address > y->address) - (x->address < y->address);
}

/* The static types of the interpreter's own file that the process came by. */
static struct walk_error *print_types(const struct walk_python *python, FILE *out)
{
    const struct walk_module *module = python->runtime->module;
    const struct walk_pytype **types = calloc((size_t)python->type_count + 1, sizeof *types);
    size_t count = 0;
    if (!types)
        return walk_error_no_memory();
    for (uint32_t i = 0; i < python->type_count; i++)
        if (!(python->types[i].flags & WALK_TPFLAGS_HEAPTYPE) && python->types[i].address >= module->start &&
            python->types[i].address < module->end)
            types[count++] = &python->types[i];
    qsort(types, count, sizeof *types, by_address);
    fprintf(out, "    .types = (const struct walk_row_type[]){");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s{0x%" PRIx64 ", \"%s\"}",
                i == 0  ? "\n        "
                : i % 4 ? ", "
                        : ",\n        ",
                types[i]->address - module->start, types[i]->name);
    fprintf(out, "},\n    .type_count = %zu,\n", count);
    free(types);
    return NULL;
}

struct walk_error *walk_heap_print_row(const struct walk_heap *heap, FILE *out)
{
    struct walk_python *python = heap->python;
    const struct walk_runtime *runtime = python->runtime;
    walk_addr start = runtime->module->start;
    uint32_t version = python->version, type;
    /* Every type object becomes known, also those of which there is no other object. */
    for (walk_id id = 0; id < heap->graph.node_count; id++)
        if (walk_node_kind(heap, id) == WALK_OBJECT && python->types[heap->graph.class[id]].kind == WALK_KIND_type)
            walk_python_type(python, heap->graph.key[id], &type);
    fprintf(out, "{\n    .name = \"%u.%u.%u%s %.8s\",\n    .build_id = \"%s\",\n", version >> 24,
            (version >> 16) & 0xff, (version >> 8) & 0xff, WALK_FREE_THREADED(&runtime->layout) ? "t" : "",
            heap->target->build_id, heap->target->build_id);
    fprintf(out, "    .version = 0x%08x,\n    .pointer = %u,\n", version, python->word);
    fprintf(out, "    .runtime = 0x%" PRIx64 ",\n    .type = 0x%" PRIx64 ",\n",
            runtime->runtime ? runtime->runtime - start : 0, runtime->type_type - start);
    print_fields(&runtime->layout, out);
    struct walk_error *error = print_types(python, out);
    fprintf(out, "},\n");
    return error;
}
