/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_HOLDERS_H
#define WALK_OBJECTS_HOLDERS_H

/*
 * Types of extensions whose objects hold what no tp_traverse says: holders.def. Where a type has a tp_traverse, it
 * still decides what is visited; what it leaves out are extra references.
 */

#include "objects/visit.h"

/* The holder that a type of this name and tp_basicsize is; `holding` stays as it is when it is none. */
void walk_holder_find(const struct walk_python *python, const char *name, uint64_t basicsize,
                      struct walk_holding *holding);

/* What an object of the type holds: extra references. */
void walk_visit_holder(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                       struct walk_refs *refs);

/* Word `index` behind the bare object; 0 when it is unreadable. */
static inline uint64_t walk_holder_word(const struct walk_python *python, walk_addr object, unsigned index)
{
    uint64_t value;
    walk_addr at = object + WALK_SIZE(python->layout, object) + (uint64_t)index * python->word;
    return walk_memory_word(python->memory, at, &value) ? value : 0;
}

/* What the type's __sizeof__ counts besides the structure. */
uint64_t walk_holder_size(struct walk_python *python, const struct walk_pytype *type, walk_addr object);

/* ---- the visitors of holders that are more than a list of members ---- */
walk_visitor walk_visit_zoneinfo, walk_visit_pickle_data, walk_visit_pickler, walk_visit_unpickler; /* holders.c */
walk_visitor walk_visit_array, walk_visit_dtype, walk_visit_dtype_class, walk_visit_void_scalar;    /* visit_arrays.c */

/* array_sizeof() of numpy, visit_arrays.c. */
uint64_t walk_array_owned_size(struct walk_python *python, walk_addr object);

#endif
