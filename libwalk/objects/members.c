/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/members.h"

#include <stdlib.h>

#include "layout/debug_members.h"
#include "objects/text.h"

enum { BASES_MAX = 64, MEMBERS_MAX = 256, WORDS_MAX = 1024 };

/* The names of a type's objects' words. */
struct named {
    const char **word; /* kept by walk_python_keep(); NULL: not looked for yet */
    size_t count;
};

struct opened {
    const struct walk_module *module;
    struct walk_debug_file *file; /* NULL: it has no debug information */
};

struct walk_members {
    struct named *type; /* by index */
    uint32_t type_count;
    struct opened *file;
    size_t file_count;
};

void walk_members_close(struct walk_members *members)
{
    if (!members)
        return;
    for (uint32_t i = 0; i < members->type_count; i++)
        free(members->type[i].word);
    for (size_t i = 0; i < members->file_count; i++) {
        if (members->file[i].file)
            walk_debug_file_close(members->file[i].file);
        free(members->file[i].file);
    }
    free(members->type);
    free(members->file);
    free(members);
}

/* ---- tp_members ---- */

/* T_OBJECT, T_OBJECT_EX (Include/structmember.h). */
static bool is_object_member(uint32_t type) { return type == 6 || type == 16; }

static void add_name(struct walk_python *python, struct named *named, uint64_t offset, const char *name)
{
    const char **word =
        offset % python->word == 0 && offset / python->word < named->count ? &named->word[offset / python->word] : NULL;
    if (word && !*word)
        *word = walk_python_keep(python, name);
}

static void add_tp_members(struct walk_python *python, walk_addr type, struct named *named)
{
    const struct walk_layout *layout = python->layout;
    uint32_t stride = WALK_SIZE(layout, member_def);
    char name[128] = ".";
    for (int depth = 0; type && stride && depth < BASES_MAX; depth++) {
        walk_addr members = WALK_MEMBER(python, type, type, tp_members);
        for (int i = 0; members && i < MEMBERS_MAX; i++, members += stride) {
            const uint8_t *view = walk_memory_view(python->memory, members, stride);
            if (!view ||
                !walk_text_c_string(python, WALK_WORD(python, view, member_def, name), name + 1, sizeof name - 1))
                break;
            if (is_object_member(walk_load_u32(view + WALK_OFFSET(layout, member_def, type))))
                add_name(python, named, WALK_WORD(python, view, member_def, offset), name);
        }
        type = WALK_MEMBER(python, type, type, tp_base);
    }
}

/* ---- debug information ---- */

static const struct walk_module *module_at(const struct walk_image *image, walk_addr address)
{
    for (size_t i = 0; i < image->module_count; i++)
        if (address >= image->modules[i].start && address < image->modules[i].end)
            return &image->modules[i];
    return NULL;
}

static struct walk_debug_file *debug_file(struct walk_python *python, const struct walk_module *module)
{
    struct walk_members *members = python->members;
    for (size_t i = 0; i < members->file_count; i++)
        if (members->file[i].module == module)
            return members->file[i].file;
    struct opened *grown = realloc(members->file, (members->file_count + 1) * sizeof *grown);
    struct walk_debug_file *file = malloc(sizeof *file);
    if (grown)
        members->file = grown;
    if (!grown || !file) {
        free(file);
        return NULL;
    }
    if (!walk_debug_file_open(file, module->file, python->runtime->image->debug_dirs)) {
        walk_debug_file_close(file);
        free(file);
        file = NULL;
    }
    grown[members->file_count++] = (struct opened){module, file};
    return file;
}

struct adding {
    struct walk_python *python;
    struct named *named;
};

static void add_debug_name(void *context, const char *name, uint64_t offset)
{
    struct adding *adding = context;
    add_name(adding->python, adding->named, offset, name);
}

static void add_debug_names(struct walk_python *python, const struct walk_pytype *type, struct named *named)
{
    walk_addr traverse = WALK_MEMBER(python, type->own_base, type, tp_traverse);
    const struct walk_module *module = module_at(python->runtime->image, traverse);
    struct walk_debug_file *file = module && module->file && module->bias_known ? debug_file(python, module) : NULL;
    struct adding adding = {python, named};
    if (file)
        walk_debug_members(file, traverse - module->bias, (uint64_t)type->own_basicsize, add_debug_name, &adding);
}

/* ---- both ---- */

static bool reserve(struct walk_python *python, uint32_t count)
{
    if (!python->members && !(python->members = calloc(1, sizeof *python->members)))
        return false;
    struct walk_members *members = python->members;
    if (count <= members->type_count)
        return true;
    struct named *grown = realloc(members->type, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + members->type_count, 0, (count - members->type_count) * sizeof *grown);
    members->type = grown;
    members->type_count = count;
    return true;
}

const char *walk_member_name(struct walk_python *python, uint32_t index, uint64_t offset)
{
    if (index >= python->type_count || !reserve(python, python->type_count))
        return NULL;
    struct named *named = &python->members->type[index];
    const struct walk_pytype *type = &python->types[index];
    if (!named->word) {
        uint64_t words = (uint64_t)type->basicsize / python->word;
        named->count = words < WORDS_MAX ? words : WORDS_MAX;
        named->word = calloc(named->count + 1, sizeof *named->word);
        if (!named->word) {
            named->count = 0;
            return NULL;
        }
        add_tp_members(python, type->own_base, named);
        add_debug_names(python, type, named);
    }
    return offset / python->word < named->count ? named->word[offset / python->word] : NULL;
}
