/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/fork.h"

#include "objects/traverse.h"

/* An image and a runtime of its own. */
static void copy_target(struct walk_fork *fork, const struct walk_python *python)
{
    fork->image = *python->runtime->image;
    (void)walk_memory_fork(python->memory, &fork->image.memory); /* that of a live target is as it is */
    fork->runtime = *python->runtime;
    fork->runtime.image = &fork->image;
    fork->python = (struct walk_python){.memory = &fork->image.memory, .runtime = &fork->runtime, .word = python->word};
}

struct walk_error *walk_fork_open(struct walk_fork *fork, const struct walk_python *python)
{
    copy_target(fork, python);
    struct walk_error *error = walk_traverser_open(&fork->python);
    if (!error)
        walk_fork_renew(fork, python);
    return error;
}

void walk_fork_renew(struct walk_fork *fork, const struct walk_python *python)
{
    struct walk_traverser *traverser = fork->python.traverser;
    fork->python = *python;
    fork->python.runtime = &fork->runtime;
    fork->python.memory = &fork->image.memory;
    fork->python.traverser = traverser;
    fork->python.frozen = true;
}

void walk_fork_reading(struct walk_fork *fork, const struct walk_python *python)
{
    copy_target(fork, python);
    walk_fork_renew(fork, python);
}

void walk_fork_learning(struct walk_fork *fork, const struct walk_python *python)
{
    walk_fork_reading(fork, python);
    struct walk_python *own = &fork->python;
    own->frozen = false;
    own->types = NULL;
    own->type_slots = NULL;
    own->slots = NULL;
    own->strings = NULL;
    own->names = NULL;
    own->type_count = own->type_capacity = own->slot_count = own->slot_capacity = 0;
    own->type_slots_size = own->string_count = own->string_slots = 0;
}

void walk_fork_forget(struct walk_fork *fork) { walk_python_forget_types(&fork->python); }

void walk_fork_close(struct walk_fork *fork) { walk_traverser_close(fork->python.traverser); }
