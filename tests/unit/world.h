/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

/*
 * A miniature CPython, built word by word in memory of the test: an interpreter, its collector's lists, types, objects.
 * Where members are is what the world's layout says: that of a real build (3.8, 3.11 to 3.15) with the members of
 * some structures moved, so that code which knows an offset by heart fails.
 */

#include "objects/target.h"
#include "objects/visit.h"

enum { WORLD_SIZE = 4 << 20, WORLD_SYMBOLS = 64, WORLD_SLICES = 4 };
#define WORLD_BASE UINT64_C(0x7f000000) /* also with 4-byte words */

struct world {
    uint8_t *bytes; /* WORLD_SIZE of them at WORLD_BASE */
    walk_addr next;
    unsigned minor, word;
    bool free_threaded;
    struct walk_target target; /* image, runtime and python of it are used */
    struct walk_layout *layout;
    struct walk_module module;
    struct walk_symbol symbols[WORLD_SYMBOLS];
    size_t symbol_count;
    walk_addr interpreter, modules, lookdict, lookdict_unicode, subtype_traverse, list_traverse;
    walk_addr type, object, str, integer, tuple, list, dict, set, bytes_type, floating, none, none_type, code, frame,
        odict, deque, module_type, function, cell, boolean, complex_type, generator;
};

/* The minor version is one of 8, 11 to 15. Objects may be added until world_open(), and changed until world_close().
 */
void world_init(struct world *world, unsigned minor);
/* The same with words of 4 bytes: of 11 or 13. */
void world_init_narrow(struct world *world, unsigned minor);
/* A free-threaded 3.13. Its segments have WORLD_SLICES slices, so that some fit. */
void world_init_free_threaded(struct world *world);
struct walk_error *world_open(struct world *world);
void world_close(struct world *world);
#define world_python(world) (&(world)->target.python)

/* Makes a further interpreter: it is the newest, and from now on the one that `interpreter` names. */
void world_interpreter(struct world *world);

/* ---- bytes ---- */

/* Zeroed memory, aligned to 16, with room in front for a collector's head and a managed dict. */
walk_addr world_alloc(struct world *world, uint64_t size);
uint8_t *world_at(struct world *world, walk_addr address);
void world_put(struct world *world, walk_addr address, uint64_t value);
uint64_t world_get(struct world *world, walk_addr address);
#define PUT(world, address, structure, field, value)                                                                   \
    world_put(world, (address) + WALK_OFFSET((world)->layout, structure, field), value)
/* An int member: four bytes. Others are words. */
void world_put_int(struct world *world, walk_addr address, uint32_t value);
#define PUT_INT(world, address, structure, field, value)                                                               \
    world_put_int(world, (address) + WALK_OFFSET((world)->layout, structure, field), value)
walk_addr world_c_string(struct world *world, const char *text);

/* ---- types ---- */

walk_addr world_static_type(struct world *world, const char *symbol, const char *name, walk_addr base, uint64_t size,
                            uint64_t item_size, uint64_t flags, walk_addr traverse);
/* A class of module "app": slots end with NULL, each is a member behind the base's size. */
walk_addr world_class(struct world *world, const char *name, walk_addr base, uint64_t size, uint64_t flags,
                      const char *const *slots);

/* ---- objects ---- */

walk_addr world_object(struct world *world, walk_addr type, uint64_t size);
/* Puts it on the list of the youngest generation; free-threaded: only sets its bit. */
void world_track(struct world *world, walk_addr object);
walk_addr world_str(struct world *world, const char *ascii);
/* `kind` bytes per character: 1, 2, 4. */
walk_addr world_wide_str(struct world *world, unsigned kind, const uint32_t *characters, size_t length, bool compact);
walk_addr world_int(struct world *world, bool negative, const uint32_t *digits, size_t count);
walk_addr world_small_int(struct world *world, int64_t value);
walk_addr world_bytes(struct world *world, const uint8_t *bytes, size_t size);
walk_addr world_tuple(struct world *world, const walk_addr *items, size_t count);
walk_addr world_list(struct world *world, const walk_addr *items, size_t count);

enum world_dict_kind { WORLD_GENERAL, WORLD_UNICODE, WORLD_SPLIT };
/* The keys object of a dict: for split ones without values. */
walk_addr world_keys(struct world *world, enum world_dict_kind kind, const walk_addr *keys, const walk_addr *values,
                     size_t count);
walk_addr world_dict(struct world *world, enum world_dict_kind kind, const walk_addr *keys, const walk_addr *values,
                     size_t count);
/* The address of the first entry of a keys object, and the distance between entries. */
walk_addr world_entries(struct world *world, walk_addr keys);

#endif
