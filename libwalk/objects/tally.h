/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TALLY_H
#define WALK_OBJECTS_TALLY_H

#include "bytes/pages.h"
#include "objects/size.h"

/* Of the tracked objects of one class. */
struct walk_tally {
    size_t count;
    uint64_t size; /* bytes, of those whose ob_type is a type */
};

/* Of a tracked object: what is missing in its class' size. */
struct walk_unread {
    union {
        struct walk_size_keys dict;
        struct {
            walk_addr no_keys; /* 0: it is all of the object's size */
            walk_addr object;
        };
    };
    uint32_t class;
    uint32_t at; /* whoever has it keeps here which one it is, or where it is */
};
struct walk_unread_list {
    struct walk_unread *unread;
    size_t count;
};

/* What a sweep has counted and measured, of all but what is in the permanent generation. */
struct walk_census {
    struct walk_tally *tallies;     /* by class */
    struct walk_unread_list *lists; /* one per span */
    size_t list_count;
    struct walk_pages *pages; /* what is in them */
    unsigned page_count;
    walk_addr subtype_traverse; /* as the types were taken for the measures */
};

void walk_census_free(struct walk_census *census);

/*
 * Counts the tracked objects, but those of the permanent generation, by their class; `tallies` has
 * python->classes.count of them, all zero.
 */
struct walk_error *walk_tally(struct walk_python *python, struct walk_tally *tallies);

#endif
