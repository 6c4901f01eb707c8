/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/holders.h"

/* In the columns of sizes. */
enum { ANY = 0xffff, NEVER = 0xfffe };
/* In place of the byte of a condition: there is none. */
enum { ALWAYS = 0xffff };

enum holder_id {
#define HOLDER(id, names, size_64, size_32, visitor) HOLDER_##id,
#define HOLDS_IF(holder, at_64, at_32, label, byte_64, byte_32)
#define HOLDS(holder, at_64, at_32, label)
#define ENDS(holder, minor)
#include "objects/holders.def"
#undef HOLDER
#undef HOLDS
#undef HOLDS_IF
#undef ENDS
    HOLDER_COUNT
};

/* Pairs of sizes and offsets: with words of 8 bytes, of 4 bytes. */
static const struct {
    const char *names;
    uint16_t size[2];
    walk_visitor *visitor;
} holder_table[HOLDER_COUNT] = {
#define HOLDER(id, names, size_64, size_32, visitor) [HOLDER_##id] = {names, {size_64, size_32}, visitor},
#define HOLDS_IF(holder, at_64, at_32, label, byte_64, byte_32)
#define HOLDS(holder, at_64, at_32, label)
#define ENDS(holder, minor)
#include "objects/holders.def"
#undef HOLDER
#undef HOLDS
#undef HOLDS_IF
#undef ENDS
};

/* The minor version of CPython from which on it is none; 0: it is in all. */
static const uint8_t ends[HOLDER_COUNT] = {
#define HOLDER(id, names, size_64, size_32, visitor)
#define HOLDS_IF(holder, at_64, at_32, label, byte_64, byte_32)
#define HOLDS(holder, at_64, at_32, label)
#define ENDS(holder, minor) [HOLDER_##holder] = minor,
#include "objects/holders.def"
#undef HOLDER
#undef HOLDS
#undef HOLDS_IF
#undef ENDS
};

/* Those of one holder stand together. */
static const struct {
    enum holder_id holder;
    uint16_t at[2], condition[2];
    const char *label;
} hold_table[] = {
#define HOLDER(id, names, size_64, size_32, visitor)
#define HOLDS_IF(holder, at_64, at_32, label, byte_64, byte_32)                                                        \
    {HOLDER_##holder, {at_64, at_32}, {byte_64, byte_32}, label},
#define HOLDS(holder, at_64, at_32, label) HOLDS_IF(holder, at_64, at_32, label, ALWAYS, ALWAYS)
#define ENDS(holder, minor)
#include "objects/holders.def"
#undef HOLDER
#undef HOLDS
#undef HOLDS_IF
#undef ENDS
};
enum { HOLDS_COUNT = sizeof hold_table / sizeof *hold_table };

/* Whether `name` is one of the alternatives of "a|b|c*". */
static bool is_named(const char *names, const char *name)
{
    while (*names) {
        size_t length = strcspn(names, "|");
        bool begins = length && names[length - 1] == '*';
        if (begins ? strncmp(names, name, length - 1) == 0
                   : strlen(name) == length && strncmp(names, name, length) == 0)
            return true;
        names += length + (names[length] == '|');
    }
    return false;
}

void walk_holder_find(const struct walk_python *python, const char *name, uint64_t basicsize,
                      struct walk_holding *holding)
{
    bool narrow = python->word == 4;
    uint64_t size = basicsize - WALK_SIZE(python->layout, object);
    for (unsigned id = 0; id < HOLDER_COUNT; id++) {
        uint16_t wanted = holder_table[id].size[narrow];
        if (ends[id] && WALK_MINOR(python) >= ends[id])
            continue;
        if ((wanted != ANY && wanted != size) || !is_named(holder_table[id].names, name))
            continue;
        *holding = (struct walk_holding){.holder = (uint8_t)(id + 1)};
        while (holding->first < HOLDS_COUNT && hold_table[holding->first].holder != id)
            holding->first++;
        while (holding->first + holding->count < HOLDS_COUNT &&
               hold_table[holding->first + holding->count].holder == id)
            holding->count++;
        holding->visits = holder_table[id].visitor != NULL;
        return;
    }
}

/* Modules/_decimal/_decimal.c, dec_sizeof(): the digits unless they fit into the object or are static. */
static uint64_t decimal_size(struct walk_python *python, walk_addr object)
{
    enum { FLAGS = 1, ALLOCATED = 5, NOT_DYNAMIC = 32 | 64 | 128 };
    walk_addr flags = object + WALK_SIZE(python->layout, object) + FLAGS * python->word;
    const uint8_t *view = walk_memory_view(python->memory, flags, 1);
    return view && !(*view & NOT_DYNAMIC) ? walk_holder_word(python, object, ALLOCATED) * python->word : 0;
}

/* Modules/arraymodule.c, array_array___sizeof___impl() */
static uint64_t array_size(struct walk_python *python, walk_addr object)
{
    enum { ALLOCATED = 2, DESCR = 3, ITEM_SIZE_AT = 4 };
    const uint8_t *view = walk_memory_view(python->memory, walk_holder_word(python, object, DESCR) + ITEM_SIZE_AT, 4);
    return view ? walk_holder_word(python, object, ALLOCATED) * walk_load_u32(view) : 0;
}

/* Modules/_struct.c, s_sizeof(): codes of four words, up to one without a definition, which counts too. */
static uint64_t struct_size(struct walk_python *python, walk_addr object)
{
    enum { CODES = 2, CODE_WORDS = 4, CODES_MAX = 1 << 16 };
    walk_addr codes = walk_holder_word(python, object, CODES);
    uint64_t definition, count = 0, size = CODE_WORDS * python->word;
    while (count < CODES_MAX && walk_memory_word(python->memory, codes + count * size, &definition) && definition)
        count++;
    return (count + 1) * size;
}

uint64_t walk_holder_size(struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    switch ((int)type->holding.holder - 1) {
    case HOLDER_decimal:
        return decimal_size(python, object);
    case HOLDER_array_object:
        return array_size(python, object);
    case HOLDER_struct_object:
        return struct_size(python, object);
    case HOLDER_array:
    case HOLDER_array_1_20:
        return walk_array_owned_size(python, object);
    case HOLDER_array_1: /* array_sizeof() counts the structure of ndarray, not of the subclass */
        return walk_array_owned_size(python, object) - (uint64_t)(type->basicsize - type->own_basicsize);
    default:
        return 0;
    }
}

void walk_visit_holder(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                       struct walk_refs *refs)
{
    bool narrow = python->word == 4;
    walk_addr end = object + WALK_SIZE(python->layout, object);
    for (unsigned i = type->holding.first; i < (unsigned)type->holding.first + type->holding.count; i++) {
        uint64_t value;
        if (hold_table[i].condition[narrow] != ALWAYS) {
            const uint8_t *byte = walk_memory_view(python->memory, end + hold_table[i].condition[narrow], 1);
            refs->unreadable |= !byte;
            if (!byte || !*byte)
                continue;
        }
        if (walk_memory_word(python->memory, end + hold_table[i].at[narrow], &value))
            walk_refs_add_text(refs, value, WALK_EDGE_EXTRA, hold_table[i].label);
        else
            refs->unreadable = true;
    }
    if (type->holding.holder && holder_table[type->holding.holder - 1].visitor)
        holder_table[type->holding.holder - 1].visitor(python, type, object, refs);
}

/* The first of the words of each of `count` entries of an array; under `text`, or NULL: by number. */
static void visit_array(struct walk_python *python, walk_addr array, uint64_t count, unsigned words, const char *text,
                        struct walk_refs *refs)
{
    const size_t size = words * python->word;
    const uint8_t *view = count >> 40 ? NULL : walk_memory_view(python->memory, array, count * size);
    refs->unreadable |= count && !view;
    if (!view || !walk_refs_afford(refs, count))
        return;
    for (uint64_t i = 0; i < count; i++) {
        walk_addr target = walk_load_word(python->word, view + i * size);
        if (text)
            walk_refs_add_text(refs, target, WALK_EDGE_EXTRA, text);
        else
            walk_refs_add(refs, target, WALK_EDGE_EXTRA, WALK_LABEL_ITEM, i);
    }
}

/* Modules/_pickle.c, Pdata_dealloc(): the stack of an unpickler. */
void walk_visit_pickle_data(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                            struct walk_refs *refs)
{
    (void)type;
    visit_array(python, walk_holder_word(python, object, 1), WALK_MEMBER(python, object, var_object, ob_size), 1, NULL,
                refs);
}

/* Modules/_pickle.c, PyMemoTable_Clear(): a table of (object, its number). */
void walk_visit_pickler(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                        struct walk_refs *refs)
{
    enum { ALLOCATED = 2, TABLE = 3 };
    uint64_t allocated, table;
    walk_addr memo = walk_holder_word(python, object, 0);
    (void)type;
    if (walk_memory_word(python->memory, memo + ALLOCATED * python->word, &allocated) &&
        walk_memory_word(python->memory, memo + TABLE * python->word, &table))
        visit_array(python, table, allocated, 2, ".memo", refs);
    else
        refs->unreadable |= memo != 0;
}

/* _Unpickler_MemoCleanup(): an array, and how long it is. */
void walk_visit_unpickler(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs)
{
    enum { MEMO = 1, MEMO_SIZE = 2 };
    walk_addr memo = walk_holder_word(python, object, MEMO);
    (void)type;
    visit_array(python, memo, memo ? walk_holder_word(python, object, MEMO_SIZE) : 0, 1, ".memo", refs);
}

/* _ttinfo: utcoff, dstoff, tzname, utcoff_seconds. */
static void visit_ttinfo(struct walk_python *python, walk_addr ttinfo, struct walk_refs *refs)
{
    static const char *const labels[] = {".utcoff", ".dstoff", ".tzname"};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t value;
        if (walk_memory_word(python->memory, ttinfo + i * python->word, &value))
            walk_refs_add_text(refs, value, WALK_EDGE_EXTRA, labels[i]);
        else
            refs->unreadable = true;
    }
}

/*
 * Modules/_zoneinfo.c, zoneinfo_dealloc(): the transitions, and the two of the rule that goes on after them. But for
 * the flags at its end the structure is words.
 */
void walk_visit_zoneinfo(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                         struct walk_refs *refs)
{
    enum { NUM_TTINFOS = 4, RULE_STD = 10, RULE_DST = 14, TTINFOS = 22, TTINFO_WORDS = 4, TTINFOS_MAX = 1 << 16 };
    (void)type;
    walk_addr words = object + WALK_SIZE(python->layout, object);
    uint64_t count = walk_holder_word(python, object, NUM_TTINFOS);
    walk_addr ttinfos = walk_holder_word(python, object, TTINFOS);
    visit_ttinfo(python, words + RULE_STD * python->word, refs);
    visit_ttinfo(python, words + RULE_DST * python->word, refs);
    if (count > TTINFOS_MAX) {
        refs->unreadable = true;
        return;
    }
    for (uint64_t i = 0; ttinfos && i < count && walk_refs_afford(refs, 3); i++)
        visit_ttinfo(python, ttinfos + i * TTINFO_WORDS * python->word, refs);
}
