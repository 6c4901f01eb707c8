/* SPDX-License-Identifier: Apache-2.0 */
/* Small arrays inside of objects: the tree behind contextvars, itertools.tee's buffers, re templates, cached code. */
#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/text.h"
#include "objects/visit.h"

static void add_words(struct walk_python *python, walk_addr at, uint64_t count, uint64_t stride, uint32_t flags,
                      const char *label, struct walk_refs *refs)
{
    for (uint64_t i = 0; i < count && i < UINT32_MAX; i++) {
        uint64_t value;
        if (!walk_refs_afford(refs, 1))
            return;
        if (!walk_memory_word(python->memory, at + i * stride, &value)) {
            refs->unreadable = true;
            return;
        }
        walk_refs_add_text(refs, value, flags, label);
    }
}

/* Python/hamt.c, hamt_node_bitmap_traverse() and hamt_node_collision_traverse(): ob_size words, keys and values in
 * turn. */
void walk_visit_hamt_bitmap(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                            struct walk_refs *refs)
{
    (void)type;
    add_words(python, object + WALK_OFFSET(python->layout, hamt_bitmap, array),
              WALK_MEMBER(python, object, var_object, ob_size), python->word, 0, ".b_array", refs);
}

void walk_visit_hamt_collision(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                               struct walk_refs *refs)
{
    (void)type;
    add_words(python, object + WALK_OFFSET(python->layout, hamt_collision, array),
              WALK_MEMBER(python, object, var_object, ob_size), python->word, 0, ".c_array", refs);
}

/* hamt_node_array_traverse(): all HAMT_ARRAY_NODE_SIZE (32) children. */
void walk_visit_hamt_array(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                           struct walk_refs *refs)
{
    (void)type;
    add_words(python, object + WALK_OFFSET(python->layout, hamt_array, array), 32, python->word, 0, ".a_array", refs);
}

/* Modules/itertoolsmodule.c, teedataobject_traverse(): the values that were read so far. */
void walk_visit_teedata(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                        struct walk_refs *refs)
{
    (void)type;
    add_words(python, object + WALK_OFFSET(python->layout, teedata, values),
              (uint32_t)WALK_INT_MEMBER(python, object, teedata, numread), python->word, 0, ".values", refs);
}

/* Modules/_sre/sre.c, template_traverse() (3.12+): items of (index, literal). */
void walk_visit_template(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                         struct walk_refs *refs)
{
    (void)type;
    add_words(python, object + WALK_OFFSET(python->layout, template, items) + python->word,
              WALK_MEMBER(python, object, var_object, ob_size), 2 * python->word, 0, ".items", refs);
}

/* 3.12+: what the lazily made attributes of a code object (co_code, co_varnames …) left behind. */
void walk_visit_code(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_refs *refs)
{
    (void)type;
    walk_addr cached = WALK_MEMBER(python, object, code, co_cached);
    walk_refs_add_text(refs, WALK_MEMBER(python, cached, code_cached, code), WALK_EDGE_EXTRA, "co_code");
    walk_refs_add_text(refs, WALK_MEMBER(python, cached, code_cached, varnames), WALK_EDGE_EXTRA, "co_varnames");
    walk_refs_add_text(refs, WALK_MEMBER(python, cached, code_cached, cellvars), WALK_EDGE_EXTRA, "co_cellvars");
    walk_refs_add_text(refs, WALK_MEMBER(python, cached, code_cached, freevars), WALK_EDGE_EXTRA, "co_freevars");
}

/*
 * Objects/capsule.c, capsule_traverse() (3.13+) calls a function that the capsule brings. The standard library has two:
 * Modules/socketmodule.c and (3.14+) _cursesmodule.c visit the first word of their table, a type. A capsule's name is
 * in the read-only data of a file; if that is not here, the capsule is known as what its module has.
 */
static const struct {
    const char *name, *module, *attribute;
} traversed_capsules[] = {{"_socket.CAPI", "_socket", "CAPI"}, {"_curses._C_API", "_curses", "_C_API"}};

static bool is_capsule(struct walk_python *python, walk_addr capsule, size_t index)
{
    char name[64];
    if (walk_text_c_string(python, WALK_MEMBER(python, capsule, capsule, name), name, sizeof name))
        return strcmp(name, traversed_capsules[index].name) == 0;
    bool found = false;
    for (size_t i = 0; i < python->interpreter_count && !found; i++) {
        walk_addr module =
            walk_python_module(python, python->interpreters[i].address, traversed_capsules[index].module);
        found = module && walk_dict_get(python, WALK_MEMBER(python, module, module, md_dict),
                                        traversed_capsules[index].attribute) == capsule;
    }
    return found;
}

void walk_visit_capsule(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                        struct walk_refs *refs)
{
    (void)type;
    bool traversed = false;
    for (size_t i = 0; i < sizeof traversed_capsules / sizeof *traversed_capsules && !traversed; i++)
        traversed = WALK_MEMBER(python, object, capsule, traverse_func) && is_capsule(python, object, i);
    if (traversed)
        add_words(python, WALK_MEMBER(python, object, capsule, pointer), 1, python->word, 0, ".pointer", refs);
}

/* 3.13, methodcaller_clear() of Modules/_operator.c: without arguments for vectorcall, their names are not set either.
 */
void walk_visit_methodcaller(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                             struct walk_refs *refs)
{
    (void)type;
    if (WALK_MINOR(python) < 14 && WALK_MEMBER(python, object, methodcaller, vectorcall_args))
        walk_refs_add_text(refs, WALK_MEMBER(python, object, methodcaller, kwnames), WALK_EDGE_EXTRA,
                           ".vectorcall_kwnames");
}
