/* SPDX-License-Identifier: Apache-2.0 */
/* Types and modules. */
#include "objects/dict.h"
#include "objects/visit.h"

static void add(struct walk_refs *refs, walk_addr target, uint32_t flags, const char *label)
{
    walk_refs_add_text(refs, target, flags, label);
}

/* Objects/typeobject.c, type_traverse(): of heap types only (type_is_gc()); the rest is held all the same. */
void walk_visit_type(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_refs *refs)
{
    (void)type;
    bool heap = (WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE) != 0;
    uint32_t seen = heap ? 0 : WALK_EDGE_EXTRA;
    add(refs, walk_python_type_dict(python, object), seen, "__dict__");
    add(refs, WALK_MEMBER(python, object, type, tp_cache), seen, "tp_cache");
    add(refs, WALK_MEMBER(python, object, type, tp_mro), seen, "__mro__");
    add(refs, WALK_MEMBER(python, object, type, tp_bases), seen, "__bases__");
    add(refs, WALK_MEMBER(python, object, type, tp_base), seen, "__base__");
    walk_addr subclasses = walk_python_type_subclasses(python, object);
    uint32_t index;
    if (subclasses && walk_python_type_of(python, subclasses, &index))
        add(refs, subclasses, WALK_EDGE_EXTRA, "tp_subclasses");
    if (!heap)
        return;
    add(refs, WALK_MEMBER(python, object, heap_type, ht_module), 0, ".ht_module");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_name), WALK_EDGE_EXTRA, "__name__");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_qualname), WALK_EDGE_EXTRA, "__qualname__");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_slots), WALK_EDGE_EXTRA, "__slots__");
}

/*
 * Objects/moduleobject.c, module_traverse(): __dict__ (a member) and what the module's own m_traverse visits: machine
 * code. Multi-phase modules keep their objects in md_state and visit all of them, so every word of it that is the
 * address of an object is taken. Modules without a state of their own visit static variables, which are not seen here.
 */
void walk_visit_module(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                       struct walk_refs *refs)
{
    (void)type;
    walk_addr definition = WALK_MEMBER(python, object, module, md_def);
    walk_addr state = WALK_MEMBER(python, object, module, md_state);
    uint64_t size = WALK_MEMBER(python, definition, module_def, m_size);
    if (!definition || !state || !WALK_MEMBER(python, definition, module_def, m_traverse) || !size || size >> 24)
        return;
    const uint8_t *view = walk_memory_view(python->memory, state, size);
    if (!view) {
        refs->unreadable = true;
        return;
    }
    for (uint64_t at = 0; at + python->word <= size; at += python->word) {
        walk_addr target = walk_load_word(python->word, view + at);
        uint32_t index;
        if (target && walk_python_type_of(python, target, &index))
            walk_refs_add(refs, target, 0, WALK_LABEL_OFFSET, at);
    }
}
