/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/python.h"

#include <stdlib.h>

#include "bytes/large.h"
#include "objects/dict.h"
#include "objects/header.h"
#include "objects/members.h"
#include "objects/names.h"
#include "objects/tally.h"
#include "objects/text.h"
#include "objects/tracked.h"
#include "objects/traverse.h"

/* The slot of `text`: where it is, or the free one where it belongs. */
static char **string_slot(char **strings, size_t slots, const char *text)
{
    size_t hash = 5381;
    for (const char *c = text; *c; c++)
        hash = hash * 33 ^ (unsigned char)*c;
    size_t at = hash & (slots - 1);
    while (strings[at] && strcmp(strings[at], text) != 0)
        at = (at + 1) & (slots - 1);
    return &strings[at];
}

const char *walk_python_keep(struct walk_python *python, const char *text)
{
    if (2 * python->string_count >= python->string_slots) {
        size_t slots = python->string_slots ? python->string_slots * 2 : 1024;
        char **strings = calloc(slots, sizeof *strings);
        if (!strings)
            return NULL;
        for (size_t i = 0; i < python->string_slots; i++)
            if (python->strings[i])
                *string_slot(strings, slots, python->strings[i]) = python->strings[i];
        free(python->strings);
        python->strings = strings;
        python->string_slots = slots;
    }
    char **slot = string_slot(python->strings, python->string_slots, text);
    if (!*slot && (*slot = strdup(text)))
        python->string_count++;
    return *slot;
}

/* The runtime's list has the newest first (Python/pystate.c); that it ends was proven. */
static struct walk_error *read_interpreters(struct walk_python *python)
{
    const struct walk_runtime *runtime = python->runtime;
    walk_addr address = 0;
    size_t count = 0;
    while ((address = walk_runtime_next_interpreter(runtime, address)))
        count++;
    python->interpreters = calloc(count, sizeof *python->interpreters);
    if (!python->interpreters)
        return walk_error_no_memory();
    python->interpreter_count = count;
    while (count && (address = walk_runtime_next_interpreter(runtime, address)))
        python->interpreters[--count] = (struct walk_pyinterpreter){
            .address = address, .number = (int64_t)WALK_MEMBER(python, address, interp, id)};
    return NULL;
}

/* sys.hexversion is what the running interpreter says it is, whatever its file is called. */
static struct walk_error *read_version(struct walk_python *python)
{
    int64_t version = 0;
    walk_addr sysdict = WALK_MEMBER(python, walk_python_main(python), interp, sysdict);
    walk_addr number = walk_dict_get(python, sysdict, "hexversion"), text = walk_dict_get(python, sysdict, "version");
    walk_addr abiflags = walk_dict_get(python, sysdict, "abiflags");
    if (!number || !walk_text_small_int(python, number, &version))
        return walk_error_new(WALK_ERROR_LAYOUT, "sys.hexversion cannot be read: the layout does not fit this process");
    python->version = (uint32_t)version;
    if (abiflags)
        walk_text_str(python, abiflags, python->abiflags, sizeof python->abiflags);
    char buffer[256] = "";
    if (text)
        walk_text_str(python, text, buffer, sizeof buffer);
    for (char *escape; (escape = strstr(buffer, " \\n"));)
        memmove(escape + 1, escape + 3, strlen(escape + 3) + 1); /* up to 3.9 it has two lines */
    python->version_text = strdup(buffer);
    if (!python->version_text)
        return walk_error_no_memory();
    if (version >> 24 != 3 || WALK_MINOR(python) < WALK_OLDEST)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "this is CPython %u.%u; 3.%d to 3.%d can be read",
                              (unsigned)(python->version >> 24), WALK_MINOR(python), WALK_OLDEST, WALK_NEWEST);
    return NULL;
}

/* Up to 3.10: object.__subclasses__ is kept in a dict with int keys, so its look-up function is the general one. */
static void learn_lookdict(struct walk_python *python)
{
    walk_addr object = WALK_MEMBER(python, python->runtime->type_type, type, tp_base);
    walk_addr subclasses = WALK_MEMBER(python, object, type, tp_subclasses);
    walk_addr keys = WALK_MEMBER(python, subclasses, dict, ma_keys);
    if (WALK_HAS(python->layout, dict_keys, dk_lookup))
        python->lookdict = WALK_MEMBER(python, keys, dict_keys, dk_lookup);
}

struct walk_error *walk_python_open(struct walk_python *python, const struct walk_runtime *runtime)
{
    *python = (struct walk_python){.runtime = runtime,
                                   .layout = &runtime->layout,
                                   .memory = &runtime->image->memory,
                                   .word = runtime->image->memory.word};
    python->tuple_type =
        walk_python_ob_type(python, WALK_MEMBER(python, runtime->type_type, type, tp_mro)); /* no symbol is needed */
    walk_header_prepare(python);
    struct walk_error *error = read_interpreters(python);
    if (!error)
        error = read_version(python);
    walk_header_prepare(python); /* now that the version is known */
    if (!error)
        error = walk_kinds_init(&python->kinds, runtime, python->version);
    if (!error)
        error = walk_traverser_open(python);
    if (!error) {
        learn_lookdict(python);
        error = walk_python_find_tracked(python);
    }
    if (!error)
        error = walk_python_learn_traverse(python);
    if (python->census && python->census->subtype_traverse != python->subtype_traverse) {
        walk_census_free(python->census);
        python->census = NULL;
    }
    if (!error)
        error = walk_python_read_threads(python);
    if (!error)
        error = walk_python_read_greenlets(python);
    if (!error)
        error = walk_python_index_stacks(python);
    if (error)
        walk_python_close(python);
    return error;
}

void walk_python_forget_types(struct walk_python *python)
{
    for (size_t i = 0; i < python->string_slots; i++)
        free(python->strings[i]);
    free(python->strings);
    walk_names_close(python->names);
    free(python->types);
    free(python->type_slots);
    free(python->slots);
}

void walk_python_close(struct walk_python *python)
{
    walk_python_forget_types(python);
    walk_traverser_close(python->traverser);
    walk_members_close(python->members);
    free(python->disputes);
    free(python->taken);
    free(python->version_text);
    walk_kinds_deinit(&python->kinds);
    if (python->unlisted)
        python->unlisted->close(python->unlisted);
    walk_large_free(python->tracked);
    walk_large_free(python->tracked_class);
    walk_census_free(python->census);
    walk_classes_deinit(&python->classes);
    free(python->interpreters);
    free(python->threads);
    free(python->stack_frames);
    free(python->greenlets);
    free(python->stack_by_iframe);
    *python = (struct walk_python){0};
}
