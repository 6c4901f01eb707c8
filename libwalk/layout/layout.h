/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_LAYOUT_H
#define WALK_LAYOUT_LAYOUT_H

/*
 * Where the members of CPython's structures are in one build. The table fields.def is the only list of them: it makes
 * these enumerations, the names, the query to DWARF and the built-in rows.
 */

#include <stdint.h>

#include "bytes/symbols.h"

/* The minor versions of CPython 3 whose answers are proven. */
enum { WALK_OLDEST = 6, WALK_NEWEST = 15 };

enum walk_struct {
#define STRUCT(id, names) WALK_STRUCT_##id,
#define FIELD(structure, id, names)
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
    WALK_STRUCT_COUNT
};

enum walk_field {
#define STRUCT(id, names)
#define FIELD(structure, id, names) WALK_FIELD_##structure##_##id,
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
    WALK_FIELD_COUNT
};

#define WALK_ABSENT (-1)
enum { WALK_RULES_MAX = 256 };

struct walk_layout {
    int32_t offset[WALK_FIELD_COUNT]; /* bytes; WALK_ABSENT where the build has no such member */
    uint32_t size[WALK_STRUCT_COUNT]; /* bytes; 0 where the build has no such structure */
};

#define WALK_HAS(layout, structure, field) ((layout)->offset[WALK_FIELD_##structure##_##field] != WALK_ABSENT)
/* Only for members that are there: check WALK_HAS() first unless layout/required.c requires the member. */
#define WALK_OFFSET(layout, structure, field) ((uint32_t)(layout)->offset[WALK_FIELD_##structure##_##field])
#define WALK_SIZE(layout, structure) ((layout)->size[WALK_STRUCT_##structure])

/* A build without a GIL: other object headers, and a collector that asks the allocator for its objects. */
#define WALK_FREE_THREADED(layout) WALK_HAS(layout, object, ob_gc_bits)

/* Free-threaded: how many slices a segment of the allocator has, a power of two; 0: none that makes sense. */
uint64_t walk_layout_segment_slices(const struct walk_layout *layout);

/* Likewise how many queues of pages a heap has; 0: none that makes sense. */
uint32_t walk_layout_heap_queues(const struct walk_layout *layout);

struct walk_struct_info {
    const char *id, *names;
};
struct walk_field_info {
    enum walk_struct structure;
    const char *id, *names;
};
extern const struct walk_struct_info walk_struct_table[WALK_STRUCT_COUNT];
extern const struct walk_field_info walk_field_table[WALK_FIELD_COUNT];

/* Whether a member is a bit-field, whose offset is in bits, not in bytes. */
static inline bool walk_field_in_bits(enum walk_field field) { return walk_field_table[field].names[0] == ':'; }

void walk_layout_clear(struct walk_layout *layout);

/* The layout of one ELF file from its DWARF, or from that of its separate debug file. Error: LAYOUT when there is none.
 */
struct walk_error *walk_layout_from_dwarf(const char *file, const char *debug_dirs, struct walk_layout *layout);

/* A static type of one build. */
struct walk_row_type {
    uint32_t offset; /* from the start of the module */
    char name[60];
};

/* What was read of one build before, and is built in (layout/rows.inc) or remembered (layout/cache.c). */
struct walk_layout_row {
    char name[48]; /* "3.11.2 debug c561f3aa" */
    char build_id[65];
    uint32_t version;       /* PY_VERSION_HEX */
    unsigned word;          /* pointer size, bytes */
    uint32_t runtime, type; /* _PyRuntime and PyType_Type, from the start of the module; runtime 0: 3.6 */
    struct walk_layout layout;
    struct walk_row_type *types; /* sorted by offset; owned */
    size_t type_count;
};

/* Free with walk_layout_row_free(); NULL: no memory, or no such row. */
struct walk_layout_row *walk_layout_row_open(size_t index);
struct walk_layout_row *walk_layout_row_find(const char *build_id);
/* All built-in rows, but for their types; how many they are. */
size_t walk_layout_rows_open(struct walk_layout_row **rows, size_t most);
void walk_layout_row_free(struct walk_layout_row *row);

/* What the memory said to a layout (layout/proof.h). */
struct walk_verdicts {
    bool asked;
    unsigned held, held_weakly, failed, essential_failed;
    uint8_t of[WALK_RULES_MAX]; /* enum walk_verdict, in the order of walk_rules */
};

/* What one source gave of a layout. */
struct walk_part {
    char source[80];
    char structures[200]; /* their ids, with commas; "": all that the other parts do not name */
    unsigned count;       /* structures */
};
enum { WALK_PARTS_MAX = 12 };

/* The types whose subclasses have a flag in tp_flags, from bit 24 on (Include/object.h), and object. */
enum { WALK_BASIC_TYPES = 9 };
extern const char *const walk_basic_types[WALK_BASIC_TYPES];

/* The interpreter of a target: which file it is, where its state is, and a layout that the memory agrees with. */
struct walk_runtime {
    struct walk_image *image;
    const struct walk_module *module;
    struct walk_symbols symbols; /* none when the row says all */
    struct walk_layout_row *row; /* of this very build, built in or remembered; NULL: there is none */
    struct walk_layout layout;
    walk_addr runtime;                 /* _PyRuntime; 0 in 3.6, which has none */
    walk_addr first;                   /* 3.6: the first interpreter's state */
    walk_addr generations;             /* 3.6: the collector's lists, static variables */
    walk_addr collecting;              /* 3.6: whether it is at work, by symbol; 0: not found */
    walk_addr type_type;               /* PyType_Type */
    walk_addr basic[WALK_BASIC_TYPES]; /* without symbols: types that are known by their flags */
    bool located;                      /* the state was found without a layout */
    uint64_t scanned;                  /* bytes of modules that were looked through */
    char source[160];                  /* where the layout is from, for people */
    struct walk_verdicts verdicts;
    struct walk_part parts[WALK_PARTS_MAX]; /* which source gave what of the layout */
    unsigned part_count;
    bool left_out;      /* parts of the layout fit no source */
    bool other_version; /* the layout is mostly that of another version: what is not proven may be otherwise */
    bool remember;      /* it took long: worth to be put into the cache */
};

/* Errors: NO_PYTHON, UNSUPPORTED, LAYOUT. */
struct walk_error *walk_runtime_find(struct walk_image *image, struct walk_runtime *runtime);
void walk_runtime_close(struct walk_runtime *runtime);

/* What is said of an interpreter for which no layout is believed. Takes over `error`. */
struct walk_error *walk_runtime_explain(const struct walk_runtime *runtime, struct walk_error *error);

/* The address of a static type: by its symbol (NULL: none) or by its name in the row; 0: not found. */
walk_addr walk_runtime_static_type(const struct walk_runtime *runtime, const char *symbol, const char *name);

/* The name of a static type that the row of this build has for an address; NULL: none. */
const char *walk_runtime_type_name(const struct walk_runtime *runtime, walk_addr type);

/* A type of this tp_basicsize and tp_itemsize may have the structure. */
bool walk_layout_fits(const struct walk_layout *layout, unsigned word, enum walk_struct structure, uint64_t basicsize,
                      uint64_t itemsize);

/* Checks the layout against the target's memory; the error says which invariant does not hold. */
struct walk_error *walk_layout_prove(const struct walk_runtime *runtime);

/* The next interpreter of the runtime's list, the first one for 0; 0 at the end. */
walk_addr walk_runtime_next_interpreter(const struct walk_runtime *runtime, walk_addr interpreter);

/* The heads of the collector's lists that an interpreter's objects are on; `permanent` is 0 where there is none (3.6).
 */
struct walk_collector {
    walk_addr generation[3];
    walk_addr permanent;
    bool collecting;
};
void walk_runtime_collector(const struct walk_runtime *runtime, walk_addr interpreter,
                            struct walk_collector *collector);

/* True when all interpreters share one collector (up to 3.8). */
bool walk_runtime_shares_collector(const struct walk_runtime *runtime);

#endif
