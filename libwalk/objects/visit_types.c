/* SPDX-License-Identifier: Apache-2.0 */
/* Types and modules. */
#include "objects/dict.h"
#include "objects/omitted.h"
#include "objects/text.h"
#include "objects/visit.h"

static void add(struct walk_refs *refs, walk_addr target, uint32_t flags, const char *label)
{
    walk_refs_add_text(refs, target, flags, label);
}

/* Objects/typeobject.c, type_traverse(). Static types are no GC objects (type_is_gc()), so all of theirs become extra.
 */
void walk_visit_type(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_refs *refs)
{
    (void)type;
    bool heap = (WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE) != 0;
    add(refs, walk_python_type_dict(python, object), 0, "__dict__");
    add(refs, WALK_MEMBER(python, object, type, tp_cache), 0, "tp_cache");
    add(refs, WALK_MEMBER(python, object, type, tp_mro), 0, "__mro__");
    add(refs, WALK_MEMBER(python, object, type, tp_bases), 0, "__bases__");
    add(refs, WALK_MEMBER(python, object, type, tp_base), 0, "__base__");
    walk_addr subclasses = walk_python_type_subclasses(python, object);
    uint32_t index;
    if (subclasses && walk_python_type_of(python, subclasses, &index))
        add(refs, subclasses, WALK_EDGE_EXTRA, "tp_subclasses");
    if (!heap)
        return;
    add(refs, WALK_MEMBER(python, object, heap_type, ht_module), 0, ".ht_module");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_name), WALK_EDGE_EXTRA, "__name__");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_qualname), WALK_EDGE_EXTRA, "__qualname__");
    add(refs, WALK_MEMBER(python, object, heap_type, ht_slots), WALK_EDGE_EXTRA, "__slots__");
}

/* ---- modules ---- */

#define V(major, minor) (((major) << 24) | ((minor) << 16))

static const struct {
    const char *module;
    uint32_t since, until;
    unsigned word;        /* 0: any */
    unsigned first, last; /* words */
    bool object;
} word_table[] = {
#define UNSEEN(module, since, until, first, last) {module, since, until, 0, (first) / 8, (last) / 8, true},
#define UNSEEN_OF(word, module, since, until, first, last)                                                             \
    {module, since, until, word, (first) / (word), (last) / (word), true},
#define NO_OBJECT(module, since, until, first, last) {module, since, until, 0, (first) / 8, (last) / 8, false},
#include "objects/module_states.def"
#undef UNSEEN
#undef UNSEEN_OF
#undef NO_OBJECT
};

/* The words of a module's state that are not what the others are, one bit each of the first ones. */
struct words {
    uint64_t unseen, no_object;
};

static struct words special_words(const struct walk_python *python, walk_addr module)
{
    struct words words = {0};
    walk_addr name = WALK_MEMBER(python, module, module, md_name);
    for (size_t i = 0; name && i < sizeof word_table / sizeof *word_table; i++)
        if (python->version >= word_table[i].since && python->version < word_table[i].until &&
            (!word_table[i].word || word_table[i].word == python->word) &&
            walk_text_equals(python, name, word_table[i].module))
            for (unsigned word = word_table[i].first; word <= word_table[i].last; word++)
                *(word_table[i].object ? &words.unseen : &words.no_object) |= UINT64_C(1) << word;
    return words;
}

/*
 * Modules/atexitmodule.c: an array of pointers to callbacks (func, args, kwargs), NULL where one was unregistered, and
 * how many. Up to 3.9 it is the state of the module, which visits it; up to 3.13 it is a part of the interpreter's
 * state.
 */
void walk_visit_atexit(struct walk_python *python, walk_addr state, uint32_t flags, struct walk_refs *refs)
{
    static const char *const labels[] = {".atexit.func", ".atexit.args", ".atexit.kwargs"};
    uint64_t callbacks, callback, member;
    const uint8_t *count = walk_memory_view(python->memory, state + python->word, 4);
    if (!count || !walk_memory_word(python->memory, state, &callbacks))
        return;
    for (uint32_t i = 0; i < walk_load_u32(count) && i < 1 << 16; i++)
        for (unsigned m = 0; m < 3; m++)
            if (walk_memory_word(python->memory, callbacks + i * python->word, &callback) && callback &&
                walk_memory_word(python->memory, callback + m * python->word, &member))
                walk_refs_add_text(refs, member, flags, labels[m]);
}

/* Modules/_zoneinfo.c, 3.12+: zoneinfo_state.ZONEINFO_STRONG_CACHE, a list of (next, prev, key, zone). */
static void visit_zoneinfo(struct walk_python *python, walk_addr state, struct walk_refs *refs)
{
    enum { STRONG_CACHE = 6, CACHE_MAX = 1 << 10 }; /* words, nodes */
    uint64_t node = 0, key, zone;
    if (!walk_memory_word(python->memory, state + STRONG_CACHE * python->word, &node))
        return;
    for (int i = 0; node && i < CACHE_MAX; i++) {
        if (!walk_memory_word(python->memory, node + 2 * python->word, &key) ||
            !walk_memory_word(python->memory, node + 3 * python->word, &zone) ||
            !walk_memory_word(python->memory, node, &node)) {
            refs->unreadable = true;
            return;
        }
        walk_refs_add_text(refs, key, 0, ".strong_cache.key");
        walk_refs_add_text(refs, zone, 0, ".strong_cache.zone");
    }
}

/* Modules/_decimal/_decimal.c, 3.13+: signal_map and (from its second row) cond_map: rows of (name, fqname, flag, ex).
 */
static void visit_decimal(struct walk_python *python, walk_addr state, struct walk_refs *refs)
{
    enum { SIGNAL_MAP = 22, COND_MAP = 23, ROWS_MAX = 64 }; /* words, rows */
    for (int which = 0; which < 2; which++) {
        uint64_t map = 0, name, exception;
        if (!walk_memory_word(python->memory, state + (which ? COND_MAP : SIGNAL_MAP) * python->word, &map) || !map)
            continue;
        for (int i = which; i < ROWS_MAX; i++) {
            walk_addr row = map + (uint64_t)i * 4 * python->word;
            if (!walk_memory_word(python->memory, row, &name) || !name ||
                !walk_memory_word(python->memory, row + 3 * python->word, &exception))
                break;
            walk_refs_add_text(refs, exception, 0, which ? ".cond_map.ex" : ".signal_map.ex");
        }
    }
}

/* Modules whose m_traverse follows more than the words of its state. True: they have been visited wholly. */
static bool visit_special(struct walk_python *python, walk_addr module, walk_addr state, struct walk_refs *refs)
{
    walk_addr name = WALK_MEMBER(python, module, module, md_name);
    if (!name)
        return false;
    if (walk_text_equals(python, name, "faulthandler")) {
        walk_faulthandler_visit(python, refs);
        return true;
    }
    if (state && WALK_MINOR(python) < 10 && walk_text_equals(python, name, "atexit")) {
        walk_visit_atexit(python, state, 0, refs);
        return true;
    }
    /* Modules/_curses_panel.c and hmacmodule.c (3.14+) visit the type of the module itself. */
    if ((WALK_MINOR(python) >= 9 && walk_text_equals(python, name, "_curses_panel")) ||
        (WALK_MINOR(python) >= 14 && walk_text_equals(python, name, "_hmac")))
        walk_refs_add_text(refs, walk_python_ob_type(python, module), 0, "__class__");
    if (state && WALK_MINOR(python) >= 12 && walk_text_equals(python, name, "_zoneinfo"))
        visit_zoneinfo(python, state, refs);
    if (state && WALK_MINOR(python) >= 13 && walk_text_equals(python, name, "_decimal"))
        visit_decimal(python, state, refs);
    return false;
}

/* Up to 3.14 the module's definition says it, since then the module. */
static walk_addr traverse_of(const struct walk_python *python, walk_addr module)
{
    return WALK_HAS(python->layout, module, md_state_size)
               ? WALK_MEMBER(python, module, module, md_state_traverse)
               : WALK_MEMBER(python, WALK_MEMBER(python, module, module, md_def), module_def, m_traverse);
}

/*
 * Objects/moduleobject.c, module_traverse(): __dict__ (a member) and what the module's own m_traverse visits, which is
 * machine code. Multi-phase modules keep their objects in md_state and visit them: every word of it that is the address
 * of an object is taken, but for those of the table; a few hold
 * more than words and are followed by name.
 */
void walk_visit_module(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                       struct walk_refs *refs)
{
    (void)type;
    /* Up to 3.14 the module's definition says it, since then the module. */
    bool own = WALK_HAS(python->layout, module, md_state_size);
    walk_addr definition = WALK_MEMBER(python, object, module, md_def);
    walk_addr state = WALK_MEMBER(python, object, module, md_state);
    uint64_t size =
        own ? WALK_MEMBER(python, object, module, md_state_size) : WALK_MEMBER(python, definition, module_def, m_size);
    if (visit_special(python, object, state, refs) || !state || !size || size >> 24)
        return;
    bool traversed = traverse_of(python, object) != 0;
    const uint8_t *view = walk_memory_view(python->memory, state, size);
    if (!view) {
        refs->unreadable = true;
        return;
    }
    if (!walk_refs_afford(refs, size / python->word))
        return;
    struct words special = special_words(python, object);
    for (uint64_t at = 0; at + python->word <= size; at += python->word) {
        walk_addr target = walk_load_word(python->word, view + at);
        uint32_t index;
        uint64_t word = at / python->word, bit = word < 64 ? UINT64_C(1) << word : 0;
        bool seen = traversed && !(special.unseen & bit);
        if (target && !(special.no_object & bit) && walk_python_guess_type_of(python, target, &index))
            walk_refs_add(refs, target, seen ? 0 : WALK_EDGE_EXTRA, WALK_LABEL_OFFSET, at);
    }
}

/* CPython's own modules have their words in a table. */
void walk_visit_guess_state(struct walk_python *python, walk_addr module, struct walk_refs *refs, size_t first)
{
    walk_addr traverse = traverse_of(python, module);
    if (!traverse || walk_is_code_of_cpython(python, traverse))
        return;
    for (size_t i = first; i < refs->count; i++)
        if (refs->ref[i].label == WALK_LABEL_OFFSET) {
            refs->ref[i].flags |= WALK_EDGE_GUESS;
            refs->guessed = true;
        }
}
