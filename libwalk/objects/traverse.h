/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TRAVERSE_H
#define WALK_OBJECTS_TRAVERSE_H

/*
 * The references of objects whose type no table knows: what the type's tp_traverse, run over the dead memory, visits.
 * It visits addresses, not names; the tables know some of the names, the object's own words show the others.
 *
 * And the proof of the tables: of a few objects of each type both are asked, and the target's own code is right.
 */

#include "objects/visit.h"

struct walk_traverser;

/* Nothing is run before it is needed. */
struct walk_error *walk_traverser_open(struct walk_python *python);
void walk_traverser_close(struct walk_traverser *traverser);

/* Opens the machine, so that it is known whether code can be run. */
void walk_traverser_prepare(struct walk_python *python);

/* From now on `go_on` is asked while code runs long; false ends that, and `refs->interrupted` is set. NULL: nobody is.
 */
void walk_traverser_watch(struct walk_traverser *traverser, bool (*go_on)(void *context), void *context);

/* Why no code of this target is run; NULL: it is, as far as is known. */
const char *walk_traverser_problem(const struct walk_traverser *traverser);

/*
 * From `first` on `refs` has what the tables know of the object. True: what its tp_traverse visits is there now; what
 * of the tables it does not visit is gone, but for extra references. False: it could not be run to its end, the refs
 * are as before, and `refs->fault` says why.
 */
bool walk_traverse_object(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs, size_t first);

/*
 * The same for an object whose references the tables know: the refs stay as they are if the two agree or nothing can be
 * said, and the type (or all types of its kind) is disputed if not.
 */
void walk_traverse_prove(struct walk_python *python, uint32_t type, walk_addr object, struct walk_refs *refs,
                         size_t first);

/* Whether walk_traverse_prove() has a use for an object. */
bool walk_traverse_wants_proof(const struct walk_python *python, const struct walk_pytype *type, walk_addr object);

/* tp_is_gc of a type that has one of its own. */
bool walk_traverse_is_gc(struct walk_python *python, const struct walk_pytype *type, walk_addr object);

#endif
