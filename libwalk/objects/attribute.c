/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/attribute.h"

#include "objects/dict.h"
#include "objects/text.h"

static walk_addr named(struct walk_python *python, const struct walk_ref *ref, const char *name)
{
    char slot[128];
    switch ((enum walk_label)ref->label) {
    case WALK_LABEL_ATTR:
        return walk_text_equals(python, ref->argument, name) ? ref->target : 0;
    case WALK_LABEL_SLOT:
        return walk_text_c_string(python, ref->argument, slot, sizeof slot) && strcmp(slot, name) == 0 ? ref->target
                                                                                                       : 0;
    case WALK_LABEL_TEXT:
        return strcmp(ref->text, "__dict__") == 0 ? walk_dict_get(python, ref->target, name) : 0;
    default:
        return 0;
    }
}

walk_addr walk_python_attribute(struct walk_python *python, walk_addr object, const char *name)
{
    struct walk_refs refs = {0};
    uint32_t type;
    walk_addr value = 0;
    if (walk_python_type_of(python, object, &type))
        walk_visit_object(python, object, type, &refs);
    for (size_t i = 0; i < refs.count && !value; i++)
        value = named(python, &refs.ref[i], name);
    walk_refs_deinit(&refs);
    return value;
}

walk_addr walk_python_module(struct walk_python *python, walk_addr interpreter, const char *name)
{
    walk_addr modules = WALK_MEMBER(python, interpreter, interp, modules);
    return modules ? walk_dict_get(python, modules, name) : 0;
}
