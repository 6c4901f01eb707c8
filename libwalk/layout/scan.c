/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter without symbols: its writable data is in every core. PyType_Type is the object whose type is itself;
 * _PyRuntime has a section of its own (3.10+) and begins with a cookie (3.13+); before, and without the file, it is
 * where a list of interpreters is whose threads point back to them.
 */
#include "layout/find.h"

/* What is looked at of all modules together: libraries have large tables. */
#define SCAN_MAX ((uint64_t)1 << 30)

/* ---- PyType_Type ---- */

/*
 * PyTypeObject in words, from ob_type on: the same since Python 2.2 (Include/object.h, cpython/object.h). What stands
 * in front of ob_type is one word; four (of 64 bits: three) without the GIL; three with the links of Py_TRACE_REFS.
 */
enum { TYPE_BASICSIZE = 3, TYPE_ITEMSIZE = 4, TYPE_FLAGS = 20, TYPE_BASE = 31, TYPE_WORDS = 40, HEAD_WORDS = 4 };
enum { MEMBER_DEF_WORDS = 5 }; /* what follows a heap type, one per slot */
#define FLAG_HEAPTYPE (UINT64_C(1) << 9)
#define FLAG_READY (UINT64_C(1) << 12)
#define FLAG_TYPE_SUBCLASS (UINT64_C(1) << 31)

static uint64_t word_at(const struct walk_memory *memory, const uint8_t *view, unsigned index)
{
    return walk_load_word(memory->word, view + (size_t)index * memory->word);
}

/* `view` begins with the ob_type of something of type `type`; a type without a base has the size of an object. */
static bool looks_like_type(const struct walk_memory *memory, const uint8_t *view, walk_addr type)
{
    uint64_t flags = word_at(memory, view, TYPE_FLAGS);
    return word_at(memory, view, 0) == type && (flags & FLAG_READY) && !(flags & FLAG_HEAPTYPE);
}

static bool is_type_type(struct walk_memory *memory, const uint8_t *view, walk_addr type, unsigned head)
{
    unsigned word = memory->word;
    uint64_t basic = word_at(memory, view, TYPE_BASICSIZE);
    if (!looks_like_type(memory, view, type) || !(word_at(memory, view, TYPE_FLAGS) & FLAG_TYPE_SUBCLASS) ||
        word_at(memory, view, TYPE_ITEMSIZE) != MEMBER_DEF_WORDS * word || basic < TYPE_WORDS * word ||
        basic > 10 * TYPE_WORDS * word)
        return false;
    walk_addr base = word_at(memory, view, TYPE_BASE);
    const uint8_t *object = walk_memory_view(memory, base + head * word, TYPE_WORDS * word);
    return object && looks_like_type(memory, object, type) && !word_at(memory, object, TYPE_BASE) &&
           word_at(memory, object, TYPE_BASICSIZE) == (head + 1) * word;
}

static walk_addr find_type_type(struct walk_memory *memory, const struct walk_module *module, unsigned *head)
{
    unsigned word = memory->word;
    struct walk_chunk chunk;
    for (size_t next = 0; walk_module_next_chunk(memory, module, &next, &chunk);)
        for (size_t at = 0; at + TYPE_WORDS * word <= chunk.size; at += word) {
            /* A word that points at itself, or a few words in front of itself. */
            walk_addr type = walk_load_word(word, chunk.view + at), here = chunk.start + at;
            if (here - type > HEAD_WORDS * word || here == type)
                continue;
            *head = (unsigned)((here - type) / word);
            if (is_type_type(memory, chunk.view + at, type, *head))
                return type;
        }
    return 0;
}

/* ---- other types ---- */

const char *const walk_basic_types[WALK_BASIC_TYPES] = {
    "int", "list", "tuple", "bytes", "str", "dict", "BaseException", "type", "object",
};

/* A type that derives from object alone and has the flag of just one of these is that one. */
static void find_basic_types(struct walk_runtime *runtime, const struct walk_module *module, unsigned head)
{
    struct walk_memory *memory = &runtime->image->memory;
    unsigned word = memory->word;
    uint64_t object;
    struct walk_chunk chunk;
    if (!walk_memory_word(memory, runtime->type_type + (head + TYPE_BASE) * word, &object))
        return;
    runtime->basic[WALK_BASIC_TYPES - 1] = object;
    for (size_t next = 0; walk_module_next_chunk(memory, module, &next, &chunk);)
        for (size_t at = 0; at + TYPE_WORDS * word <= chunk.size; at += word) {
            const uint8_t *view = chunk.view + at;
            if (walk_load_word(word, view) != runtime->type_type ||
                !looks_like_type(memory, view, runtime->type_type) || word_at(memory, view, TYPE_BASE) != object)
                continue;
            uint64_t flags = word_at(memory, view, TYPE_FLAGS) >> 24 & 0xff;
            for (size_t i = 0; i < WALK_BASIC_TYPES - 1; i++)
                if (flags == UINT64_C(1) << i)
                    runtime->basic[i] = chunk.start + at - (walk_addr)head * word;
        }
}

/* ---- _PyRuntime ---- */

/* Include/internal/pycore_debug_offsets.h: the cookie, then PY_VERSION_HEX; they come first in _PyRuntime. */
static walk_addr find_cookie(struct walk_memory *memory, const struct walk_module *module)
{
    static const char cookie[8] = "xdebugpy";
    struct walk_chunk chunk;
    for (size_t next = 0; walk_module_next_chunk(memory, module, &next, &chunk);)
        for (size_t at = 0; at + 16 <= chunk.size; at += memory->word)
            if (memcmp(chunk.view + at, cookie, sizeof cookie) == 0 && walk_load_u64(chunk.view + at + 8) >> 24 == 3)
                return chunk.start + at;
    return 0;
}

void walk_runtime_scan_module(struct walk_runtime *runtime, const struct walk_module *module)
{
    struct walk_memory *memory = &runtime->image->memory;
    if (module->end - module->start > SCAN_MAX - runtime->scanned)
        return;
    runtime->scanned += module->end - module->start;
    unsigned head;
    walk_addr type = find_type_type(memory, module, &head);
    if (!type)
        return;
    runtime->module = module;
    runtime->type_type = type;
    find_basic_types(runtime, module, head);
    struct walk_error *error = module->file ? walk_symbols_open(module, &runtime->symbols) : NULL;
    if (!error && module->file)
        runtime->runtime = walk_symbols_section(&runtime->symbols, ".PyRuntime");
    walk_error_free(error); /* then its memory has to do */
    if (!runtime->runtime)
        runtime->runtime = find_cookie(memory, module);
    runtime->located = runtime->runtime != 0;
}

/* ---- by a layout ---- */

/* Damaged memory may look like long lists of interpreters, at each of its words: how many are followed in all. */
enum { FOLLOWED_MAX = 1 << 24, INTERPRETERS_MAX = 10000, PROOFS_MAX = 16 };

/* The last interpreter of the list that begins with this one; 0: it is none. */
static walk_addr last_interpreter(const struct walk_runtime *runtime, walk_addr interpreter, size_t *left,
                                  size_t *count)
{
    struct walk_memory *memory = &runtime->image->memory;
    const struct walk_layout *layout = &runtime->layout;
    walk_addr last = 0;
    for (*count = 0; interpreter && *count < INTERPRETERS_MAX && *left; ++*count, --*left) {
        uint64_t thread, owner = 0, next;
        if (!walk_memory_word(memory, interpreter + WALK_OFFSET(layout, interp, tstate_head), &thread) ||
            !walk_memory_word(memory, interpreter + WALK_OFFSET(layout, interp, next), &next) || !thread ||
            !walk_memory_word(memory, thread + WALK_OFFSET(layout, thread, interp), &owner) || owner != interpreter)
            return 0;
        last = interpreter;
        interpreter = next;
    }
    return interpreter ? 0 : last;
}

/*
 * `interpreters` (Include/internal/pycore_runtime.h, 3.7+): head; main, which is the last of the list; and, of 64 bits,
 * the next identifier, more than 0 and less than there ever are.
 */
static bool is_interpreters(const struct walk_runtime *runtime, const uint8_t *view, size_t *left)
{
    unsigned word = runtime->image->memory.word;
    walk_addr head = walk_load_word(word, view), main = walk_load_word(word, view + word);
    size_t count;
    bool numbered = false;
    for (unsigned at = 2 * word; at <= 16; at += 4)
        numbered |= at % word == 0 && walk_load_u32(view + at) - 1 < INT32_MAX - 1u && !walk_load_u32(view + at + 4);
    return head && main && (head | main) % word == 0 && numbered &&
           last_interpreter(runtime, head, left, &count) == main;
}

/* Where the list of interpreters is of which all else is true, or the first one when it is of none. */
static walk_addr find_state(struct walk_runtime *runtime)
{
    struct walk_memory *memory = &runtime->image->memory;
    struct walk_chunk chunk;
    size_t left = FOLLOWED_MAX, proofs = PROOFS_MAX;
    walk_addr first = 0;
    for (size_t next = 0; walk_module_next_chunk(memory, runtime->module, &next, &chunk);)
        for (size_t at = 0; at + 24 <= chunk.size && proofs; at += memory->word) {
            if (!is_interpreters(runtime, chunk.view + at, &left))
                continue;
            runtime->runtime = chunk.start + at - WALK_OFFSET(&runtime->layout, runtime, interpreters_head);
            first = first ? first : runtime->runtime;
            proofs--;
            struct walk_error *error = walk_layout_prove(runtime);
            if (!error)
                return runtime->runtime;
            walk_error_free(error);
        }
    return first;
}

/*
 * 3.6: three generations (a list's head, threshold, count) in a row, and the pointer to the newest interpreter, from
 * which most are reached.
 */
static bool is_generation(const struct walk_runtime *runtime, walk_addr head)
{
    struct walk_memory *memory = &runtime->image->memory;
    const struct walk_layout *layout = &runtime->layout;
    uint64_t next, back;
    return walk_memory_word(memory, head + WALK_OFFSET(layout, gc_head, next), &next) && next &&
           walk_memory_word(memory, next + WALK_OFFSET(layout, gc_head, prev), &back) && back == head;
}

static void find_state_of_3_6(struct walk_runtime *runtime)
{
    struct walk_memory *memory = &runtime->image->memory;
    unsigned word = memory->word;
    uint32_t size = WALK_SIZE(&runtime->layout, gc_generation);
    struct walk_chunk chunk;
    size_t most = 0, left = FOLLOWED_MAX;
    for (size_t next = 0; size && walk_module_next_chunk(memory, runtime->module, &next, &chunk);)
        for (size_t at = 0; at + word <= chunk.size; at += word) {
            walk_addr here = chunk.start + at, value = walk_load_word(word, chunk.view + at);
            size_t count;
            if (!value || value % word)
                continue;
            if (!runtime->generations && is_generation(runtime, here) && is_generation(runtime, here + size) &&
                is_generation(runtime, here + 2 * size))
                runtime->generations = here;
            if (last_interpreter(runtime, value, &left, &count) && count > most) {
                most = count;
                runtime->first = value;
            }
        }
}

void walk_runtime_locate(struct walk_runtime *runtime)
{
    const struct walk_layout *layout = &runtime->layout;
    if (runtime->located)
        return;
    runtime->runtime = runtime->generations = runtime->first = 0;
    if (!WALK_HAS(layout, interp, tstate_head) || !WALK_HAS(layout, interp, next) || !WALK_HAS(layout, thread, interp))
        return;
    if (WALK_HAS(layout, runtime, interpreters_head))
        runtime->runtime = find_state(runtime);
    else if (WALK_HAS(layout, gc_head, prev))
        find_state_of_3_6(runtime);
}
