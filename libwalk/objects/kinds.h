/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_KINDS_H
#define WALK_OBJECTS_KINDS_H

/*
 * Kinds of objects: how the references of one builtin type are read. Most kinds are a list of members, as data in the
 * kinds_*.def tables; a kind with arrays, links or conditions has a visitor of its own in visit_*.c besides.
 */

#include "layout/layout.h"

enum walk_kind_id {
    WALK_KIND_NONE, /* not known: its references are guessed */
#define KIND(id, symbols, names, structure) WALK_KIND_##id,
#define REF(kind, structure, field, label, flag, since, until)
#include "objects/kinds.def"
#undef KIND
#undef REF
    WALK_KIND_COUNT
};

/* A member of a kind in this build. */
struct walk_member {
    uint32_t offset; /* bytes from the object */
    uint32_t flags;  /* enum walk_edge_flags */
    const char *label;
};

struct walk_kind {
    const char *names;   /* module-qualified type names, alternatives separated by '|' */
    const char *symbols; /* ELF symbols of the static type, alternatives separated by '|'; NULL: none */
    enum walk_struct structure;
    const struct walk_member *members;
    size_t member_count;
    bool disputed; /* it is not what tp_traverse visits */
};

/* A builtin type that has an ELF symbol. */
struct walk_kind_type {
    walk_addr type;
    enum walk_kind_id kind;
};

/* The kinds as they are in one build: members that it has not, or that are of other versions, are left out. */
struct walk_kinds {
    struct walk_kind kind[WALK_KIND_COUNT];
    struct walk_member *members;       /* owns the members of all kinds */
    struct walk_kind_type *by_address; /* sorted by address */
    size_t by_address_count;
};

struct walk_error *walk_kinds_init(struct walk_kinds *kinds, const struct walk_runtime *runtime, uint32_t version);
void walk_kinds_deinit(struct walk_kinds *kinds);

enum walk_kind_id walk_kinds_by_address(const struct walk_kinds *kinds, walk_addr type);
enum walk_kind_id walk_kinds_by_name(const struct walk_kinds *kinds, const char *name);

#endif
