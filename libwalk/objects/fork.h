/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_FORK_H
#define WALK_OBJECTS_FORK_H

/*
 * A python as one thread of several uses it at the same time: what is known of types is everybody's and frozen, where
 * the memory was read last and the machine are its own. Of memory that is read on first use there must be one fork.
 */

#include "objects/python.h"

struct walk_fork {
    struct walk_python python; /* to be used, not closed; `missed` says that its last answer is not to be trusted */
    struct walk_runtime runtime;
    struct walk_image image;
};

/* `python` must stay. */
struct walk_error *walk_fork_open(struct walk_fork *fork, const struct walk_python *python);
/* To be called when no fork is used and `python` knows more than before. */
void walk_fork_renew(struct walk_fork *fork, const struct walk_python *python);
void walk_fork_close(struct walk_fork *fork);

/* A fork that reads objects and no more (it has no machine); there is nothing to close. */
void walk_fork_reading(struct walk_fork *fork, const struct walk_python *python);

/* The same, but it learns types, from nothing, for itself: walk_fork_forget() frees them. */
void walk_fork_learning(struct walk_fork *fork, const struct walk_python *python);
void walk_fork_forget(struct walk_fork *fork);

#endif
