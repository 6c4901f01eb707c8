/* SPDX-License-Identifier: Apache-2.0 */
/* A few objects of each class, found through the modules of the interpreters and the lists of the collector. */
#include "layout/rules.h"

/* tp_flags, Include/object.h */
#define HEAPTYPE (UINT64_C(1) << 9)
#define INLINE_VALUES (UINT64_C(1) << 2)

void walk_proof_sample(struct walk_proof *proof, enum walk_struct structure, walk_addr address)
{
    struct walk_samples *samples = &proof->samples[structure];
    for (unsigned i = 0; i < samples->count; i++)
        if (samples->address[i] == address)
            return;
    if (samples->count < WALK_SAMPLES)
        samples->address[samples->count++] = address;
}

/* Structures that begin others. */
static const enum walk_struct beginnings[][2] = {
    {WALK_STRUCT_method_descr, WALK_STRUCT_descr},  {WALK_STRUCT_member_descr, WALK_STRUCT_descr},
    {WALK_STRUCT_getset_descr, WALK_STRUCT_descr},  {WALK_STRUCT_wrapper_descr, WALK_STRUCT_descr},
    {WALK_STRUCT_coroutine, WALK_STRUCT_generator},
};

static void sample_type(struct walk_proof *proof, walk_addr type)
{
    uint64_t flags;
    if (!PEEK(proof, type, type, tp_flags, &flags))
        return;
    walk_proof_sample(proof, WALK_STRUCT_type, type);
    if (flags & HEAPTYPE)
        walk_proof_sample(proof, WALK_STRUCT_heap_type, type);
}

void walk_proof_sample_object(struct walk_proof *proof, walk_addr object)
{
    uint64_t type, flags;
    if (object % proof->memory->word || !PEEK(proof, object, object, ob_type, &type))
        return;
    if (type == proof->runtime->type_type) {
        sample_type(proof, object);
        return;
    }
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (proof->class[i] == type && type) {
            walk_proof_sample(proof, (enum walk_struct)i, object);
            for (size_t b = 0; b < sizeof beginnings / sizeof *beginnings; b++)
                if ((int)beginnings[b][0] == i)
                    walk_proof_sample(proof, beginnings[b][1], object);
            return;
        }
    /* An instance with its values within: known by its type's flag. */
    if (proof->samples[WALK_STRUCT_dict_values].count < WALK_SAMPLES && PEEK(proof, type, type, tp_flags, &flags) &&
        (flags & INLINE_VALUES) && (flags & HEAPTYPE))
        walk_proof_sample(proof, WALK_STRUCT_dict_values, object);
}

static void sample_values(struct walk_proof *proof, walk_addr dict, bool of_modules)
{
    enum { VALUES_MAX = 64 };
    struct walk_peek_dict opened;
    if (!walk_peek_dict(proof, dict, &opened))
        return;
    for (uint64_t i = 0; i < opened.count && i < VALUES_MAX; i++) {
        walk_addr key, value;
        uint64_t inner;
        walk_peek_entry(proof, &opened, i, &key, &value);
        if (!value)
            continue;
        walk_proof_sample_object(proof, value);
        if (of_modules && PEEK(proof, value, module, md_dict, &inner))
            sample_values(proof, inner, false);
    }
}

/* Some of the objects on the lists of the collector, with the links of a list that is proven to close. */
static void sample_lists(struct walk_proof *proof, walk_addr interpreter)
{
    enum { OBJECTS_MAX = 2000 };
    struct walk_collector collector;
    walk_runtime_collector(proof->runtime, interpreter, &collector);
    for (unsigned g = 0; g < 3 && !WALK_FREE_THREADED(proof->layout); g++) {
        uint64_t at = collector.generation[g];
        if (!walk_proof_ring_closes(proof, at))
            continue;
        for (unsigned i = 0; i < OBJECTS_MAX; i++) {
            if (!PEEK(proof, at, gc_head, next, &at) || (at &= ~(uint64_t)3) == collector.generation[g])
                break;
            walk_proof_sample_object(proof, at + WALK_SIZE(proof->layout, gc_head));
        }
    }
}

void walk_proof_take_samples(struct walk_proof *proof)
{
    if (proof->taken)
        return;
    proof->taken = true;
    for (unsigned i = 0; i < proof->interpreters && i < WALK_SAMPLES; i++) {
        uint64_t modules;
        walk_proof_sample(proof, WALK_STRUCT_interp, proof->interpreter[i]);
        if (PEEK(proof, proof->interpreter[i], interp, modules, &modules))
            sample_values(proof, modules, true);
        sample_lists(proof, proof->interpreter[i]);
    }
    for (unsigned i = 0; i < proof->threads; i++)
        walk_proof_sample(proof, WALK_STRUCT_thread, proof->thread[i]);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (proof->class[i])
            walk_proof_sample(proof, WALK_STRUCT_type, proof->class[i]);
}
