/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_OMITTED_H
#define WALK_OBJECTS_OMITTED_H

/*
 * What objects of C types hold although their tp_traverse does not say so. Certain are the members of tp_members, the
 * __dict__ and, since 3.8, the type. Other words of the object may hold too, or borrow: that only the counts of
 * references of the whole heap tell (answers/omitted.c), which takes some words and has them noted here.
 */

#include "objects/visit.h"

/* What is decided once per type: `info` knows its bases, its kind and its slots. */
void walk_omitted_decide(struct walk_python *python, struct walk_pytype *info);

/* What is certain: held whether or not it is visited. */
void walk_visit_omitted(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                        struct walk_refs *refs);

/* ---- the words that were taken ---- */

struct walk_omitted_word {
    walk_addr holder;
    uint32_t offset;
};

/* Whether code is of the interpreter's file, or of the modules that are built beside it. */
bool walk_is_code_of_cpython(const struct walk_python *python, walk_addr code);

/* Whether words of the objects of this type may be taken: their tp_traverse is run, and is not CPython's own. */
bool walk_omitted_may(const struct walk_python *python, const struct walk_pytype *type);

/* Notes words as held; false: no memory. They stay sorted. */
bool walk_omitted_take(struct walk_python *python, const struct walk_omitted_word *words, size_t count);

/* The words of the object that were taken: extra guesses. */
void walk_visit_taken(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs);

#endif
