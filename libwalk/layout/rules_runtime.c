/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on types, interpreters, the collector, and what the target says of itself. */
#include "layout/debug_offsets.h"
#include "layout/rules.h"

#define F(structure, field) WALK_FIELD_##structure##_##field

/* ---- types ---- */

enum walk_verdict walk_rule_type_of_type(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t type;
    (void)rule;
    if (!PEEK(proof, proof->runtime->type_type, object, ob_type, &type)) {
        walk_proof_fails(proof, "PyType_Type");
        proof->code = WALK_ERROR_UNMAPPED;
        return WALK_FAILS;
    }
    return type == proof->runtime->type_type ? WALK_HOLDS : walk_proof_fails(proof, "");
}

/* 3.11 to 3.13 declare the interpreter's frame at the end of these as one word. */
static bool ends_with_frame(const struct walk_layout *layout, enum walk_struct structure, uint64_t basic, unsigned word)
{
    bool may = structure == WALK_STRUCT_frame || structure == WALK_STRUCT_generator ||
               structure == WALK_STRUCT_coroutine || structure == WALK_STRUCT_async_generator;
    return may && WALK_HAS(layout, iframe, localsplus) &&
           basic == layout->size[structure] - word + WALK_OFFSET(layout, iframe, localsplus);
}

/* tp_basicsize does not count the items at the end of a structure, of which C has declared one or none; but of type
 * and, up to 3.10, of frame it is sizeof. */
bool walk_layout_fits(const struct walk_layout *layout, unsigned word, enum walk_struct structure, uint64_t basicsize,
                      uint64_t itemsize)
{
    uint64_t size = layout->size[structure];
    bool whole = structure == WALK_STRUCT_heap_type || structure == WALK_STRUCT_frame;
    return basicsize == size || ends_with_frame(layout, structure, basicsize, word) ||
           (itemsize && !whole && basicsize < size && size - basicsize <= 2 * word);
}

enum walk_verdict walk_rule_size_of_class(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t basic, items, meta, size = proof->layout->size[rule->target];
    walk_addr type = proof->class[rule->target];
    if (!type || !size)
        return WALK_UNASKED;
    if (!PEEK(proof, type, object, ob_type, &meta) || meta != proof->runtime->type_type)
        return walk_proof_fails(proof, rule->symbol);
    if (!PEEK(proof, type, type, tp_basicsize, &basic) || !PEEK(proof, type, type, tp_itemsize, &items))
        return walk_proof_fails(proof, rule->symbol);
    return walk_layout_fits(proof->layout, proof->memory->word, rule->target, basic, items)
               ? WALK_HOLDS
               : walk_proof_fails(proof, rule->symbol);
}

/* ---- interpreters, threads, the collector ---- */

/* Interpreters, and their threads, are gathered where the lists are proven. */
enum walk_verdict walk_rule_interpreters_end(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { INTERPRETERS_MAX = 10000 };
    walk_addr interpreter = 0;
    unsigned count = 0;
    (void)rule;
    proof->interpreters = 0;
    while ((interpreter = walk_runtime_next_interpreter(proof->runtime, interpreter))) {
        if (++count > INTERPRETERS_MAX)
            return walk_proof_fails(proof, "");
        if (proof->interpreters < WALK_PROOF_THREADS)
            proof->interpreter[proof->interpreters++] = interpreter;
    }
    if (count)
        return WALK_HOLDS;
    walk_proof_fails(proof, "");
    proof->code = WALK_ERROR_NO_PYTHON;
    return WALK_FAILS;
}

enum walk_verdict walk_rule_threads_point_back(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { THREADS_MAX = 100000 };
    (void)rule;
    proof->threads = 0;
    for (unsigned i = 0; i < proof->interpreters; i++) {
        uint64_t thread, owner;
        unsigned count = 0;
        if (!PEEK(proof, proof->interpreter[i], interp, tstate_head, &thread))
            return walk_proof_fails(proof, "an interpreter's state cannot be read");
        while (thread && count++ < THREADS_MAX) {
            if (!PEEK(proof, thread, thread, interp, &owner) || owner != proof->interpreter[i])
                return walk_proof_fails(proof, "");
            if (count == 1 && PEEK(proof, thread, thread, prev, &owner) && owner)
                return walk_proof_fails(proof, "the first thread is not the first");
            if (proof->threads < WALK_PROOF_THREADS)
                proof->thread[proof->threads++] = thread;
            if (!PEEK(proof, thread, thread, next, &thread))
                break;
        }
    }
    return proof->interpreters ? WALK_HOLDS : walk_proof_fails(proof, "there is no interpreter");
}

/* Python/pystate.c puts new interpreters in front of the list. */
enum walk_verdict walk_rule_main_is_last(struct walk_proof *proof, const struct walk_rule *rule)
{
    uint64_t main;
    (void)rule;
    if (!proof->interpreters || proof->interpreters == WALK_PROOF_THREADS || !proof->runtime->runtime ||
        !PEEK(proof, proof->runtime->runtime, runtime, interpreters_main, &main))
        return WALK_UNASKED;
    return main == proof->interpreter[proof->interpreters - 1] ? WALK_HOLDS : walk_proof_fails(proof, "");
}

enum walk_verdict walk_rule_has_thread(struct walk_proof *proof, const struct walk_rule *rule)
{
    (void)rule;
    return !proof->interpreters ? WALK_UNASKED : proof->threads ? WALK_HOLDS : walk_proof_fails(proof, "");
}

/* A list head h is one when h->next->prev and h->prev->next are h, flags masked off. */
bool walk_proof_ring_closes(const struct walk_proof *proof, walk_addr head)
{
    uint64_t next, prev, back, forth;
    const uint64_t mask = ~(uint64_t)3;
    return PEEK(proof, head, gc_head, next, &next) && PEEK(proof, head, gc_head, prev, &prev) &&
           PEEK(proof, next & mask, gc_head, prev, &back) && PEEK(proof, prev & mask, gc_head, next, &forth) &&
           (back & mask) == head && (forth & mask) == head;
}

enum walk_verdict walk_rule_lists_close(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_collector collector;
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && !WALK_FREE_THREADED(proof->layout); i++) {
        walk_runtime_collector(proof->runtime, proof->interpreter[i], &collector);
        unsigned closed = 0;
        for (unsigned g = 0; g < 3; g++)
            closed += walk_proof_ring_closes(proof, collector.generation[g]);
        /* A collection under way takes the list that it collects apart, and only that. */
        if (closed < 3 && !(collector.collecting && closed > 0))
            return walk_proof_fails(proof, "");
        /* The permanent generation may follow: three lists from the second one on would close too. */
        if (walk_proof_ring_closes(proof, collector.generation[0] - WALK_SIZE(proof->layout, gc_generation)))
            return walk_proof_fails(proof, "");
        asked |= closed == 3;
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

enum walk_verdict walk_rule_permanent_closes(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_collector collector;
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && !WALK_FREE_THREADED(proof->layout); i++) {
        walk_runtime_collector(proof->runtime, proof->interpreter[i], &collector);
        asked |= collector.permanent != 0;
        if (collector.permanent && !walk_proof_ring_closes(proof, collector.permanent))
            return walk_proof_fails(proof, "");
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/* The flag is 0 or 1, so a word that is something else is not the flag. */
enum walk_verdict walk_rule_collecting_is_flag(struct walk_proof *proof, const struct walk_rule *rule)
{
    bool asked = false;
    int32_t flag;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && WALK_HAS(proof->layout, interp, gc); i++) {
        walk_addr state = proof->interpreter[i] + WALK_OFFSET(proof->layout, interp, gc);
        asked = true;
        if (!walk_peek_int(proof, state, F(gc, collecting), &flag) || flag < 0 || flag > 1)
            return walk_proof_fails(proof, "");
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/*
 * Free-threaded: the four heaps of a thread are numbered, and all point to what the thread has for them. One that has
 * not begun to run has none of that.
 */
static bool has_heaps(const struct walk_proof *proof, walk_addr thread)
{
    enum { HEAPS = 4 };
    const struct walk_layout *layout = proof->layout;
    int32_t initialized;
    if (!walk_peek_int(proof, thread, F(thread_impl, initialized), &initialized) || initialized < 0 || initialized > 1)
        return false;
    for (unsigned i = 0; i < HEAPS; i++) {
        walk_addr heap = thread + WALK_OFFSET(layout, thread_impl, heaps) + i * WALK_SIZE(layout, mi_heap);
        const uint8_t *tag = walk_memory_view(proof->memory, heap + WALK_OFFSET(layout, mi_heap, tag), 1);
        uint64_t tld;
        if (!tag || *tag != (initialized ? i : 0) || !PEEK(proof, heap, mi_heap, tld, &tld) ||
            tld != (initialized ? thread + WALK_OFFSET(layout, thread_impl, tld) : 0))
            return false;
    }
    return true;
}

/* Of the newest thread of each interpreter: those of others may be damaged. */
enum walk_verdict walk_rule_threads_have_heaps(struct walk_proof *proof, const struct walk_rule *rule)
{
    bool asked = false;
    (void)rule;
    for (unsigned i = 0; i < proof->interpreters && WALK_FREE_THREADED(proof->layout); i++) {
        uint64_t thread;
        if (!PEEK(proof, proof->interpreter[i], interp, tstate_head, &thread) || !thread)
            continue;
        if (!has_heaps(proof, thread))
            return walk_proof_fails(proof, "a heap of a thread is not one");
        asked = true;
    }
    return asked ? WALK_HOLDS : WALK_UNASKED;
}

/* ---- what the target says of itself ---- */

enum walk_verdict walk_rule_agrees_with_debug_offsets(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_layout said;
    (void)rule;
    if (!walk_debug_offsets_read(proof->memory, proof->runtime->runtime, proof->layout, &said))
        return WALK_UNASKED;
    for (int i = 0; i < WALK_FIELD_COUNT; i++)
        if (said.offset[i] != WALK_ABSENT && said.offset[i] != proof->layout->offset[i])
            return walk_proof_fails(proof, walk_field_table[i].id);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (said.size[i] && said.size[i] != proof->layout->size[i])
            return walk_proof_fails(proof, walk_struct_table[i].id);
    return WALK_HOLDS;
}
