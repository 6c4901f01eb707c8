/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_ATTRIBUTE_H
#define WALK_OBJECTS_ATTRIBUTE_H

#include "objects/python.h"

/* An instance attribute, in __dict__, inline or in a slot; no descriptors run, no class is asked. 0: not there. */
walk_addr walk_python_attribute(struct walk_python *python, walk_addr object, const char *name);

/* A module of sys.modules of an interpreter. 0: not there. */
walk_addr walk_python_module(struct walk_python *python, walk_addr interpreter, const char *name);

#endif
