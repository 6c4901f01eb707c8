/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on threads and frames. */
#include "layout/rules.h"

/* pthread_self() is the thread register, on the machines of which the core has it. Ended threads have states too. */
enum walk_verdict walk_rule_thread_ids(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_image *image = proof->runtime->image;
    bool known = false, found = false;
    (void)rule;
    for (size_t i = 0; i < image->lwp_count; i++)
        known |= image->lwps[i].thread_pointer != 0;
    for (unsigned i = 0; i < proof->threads; i++) {
        uint64_t id;
        if (!PEEK(proof, proof->thread[i], thread, thread_id, &id))
            id = 0;
        for (size_t l = 0; l < image->lwp_count && id; l++)
            found |= image->lwps[l].thread_pointer == id;
    }
    return !known || !proof->threads ? WALK_UNASKED : found ? WALK_HOLDS : walk_proof_fails(proof, "");
}

enum walk_verdict walk_rule_native_ids(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_image *image = proof->runtime->image;
    bool found = false;
    (void)rule;
    for (unsigned i = 0; i < proof->threads; i++) {
        uint64_t id;
        if (!PEEK(proof, proof->thread[i], thread, native_thread_id, &id))
            return WALK_UNASKED;
        for (size_t l = 0; l < image->lwp_count; l++)
            found |= image->lwps[l].tid == id;
    }
    /* In a container the process and who wrote its core may count differently. */
    return found ? WALK_HOLDS : WALK_UNASKED;
}

static bool is_code(const struct walk_proof *proof, walk_addr object)
{
    return walk_peek_is_a(proof, object, proof->class[WALK_STRUCT_code]);
}

/* The instruction that a frame is at is one of its code, or the word in front of the first. */
static bool is_within(const struct walk_proof *proof, walk_addr iframe, walk_addr code)
{
    uint64_t at, count;
    if (!WALK_HAS(proof->layout, code, co_code_adaptive) || !WALK_HAS(proof->layout, iframe, instr_ptr))
        return true;
    walk_addr first = code + WALK_OFFSET(proof->layout, code, co_code_adaptive);
    return PEEK(proof, iframe, iframe, instr_ptr, &at) && PEEK(proof, code, var_object, ob_size, &count) &&
           at + 2 >= first && (count >> 32 || at <= first + 2 * count);
}

/* The frames of each thread are frames of code: 3.11+ the interpreter's frames, before that objects. */
enum walk_verdict walk_rule_stacks_have_code(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum { FRAMES_MAX = 64 };
    const struct walk_layout *layout = proof->layout;
    bool new = WALK_HAS(layout, iframe, executable);
    unsigned good = 0, bad = 0;
    (void)rule;
    for (unsigned i = 0; i < proof->threads && proof->class[WALK_STRUCT_code]; i++) {
        uint64_t at = 0, code;
        if (!new)
            PEEK(proof, proof->thread[i], thread, frame, &at);
        else if (WALK_HAS(layout, thread, current_frame))
            PEEK(proof, proof->thread[i], thread, current_frame, &at);
        else if (PEEK(proof, proof->thread[i], thread, cframe, &at))
            PEEK(proof, at, cframe, current_frame, &at);
        for (unsigned f = 0; at && f < FRAMES_MAX; f++) {
            bool fits = new ? PEEK(proof, at, iframe, executable, &code) : PEEK(proof, at, frame, f_code, &code);
            code &= ~(uint64_t)3; /* a tagged reference since 3.14 */
            if (fits && is_code(proof, code) && (!new || is_within(proof, at, code))) {
                good++;
                walk_proof_sample(proof, new ? WALK_STRUCT_iframe : WALK_STRUCT_frame, at);
            } else if (!fits || !new || (code && !walk_peek_is_object(proof, code))) {
                bad++; /* a shim of C code has None or another object, or NULL */
            }
            if (!fits || !(new ? PEEK(proof, at, iframe, previous, &at) : PEEK(proof, at, frame, f_back, &at)))
                break;
        }
    }
    return good + bad ? walk_proof_most(good, bad) : WALK_UNASKED;
}

/* 3.11+: the frame of a generator is within it. */
enum walk_verdict walk_rule_generators_have_code(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_generator].count && WALK_HAS(layout, generator, gi_iframe);
         i++) {
        uint64_t code;
        walk_addr frame = proof->samples[WALK_STRUCT_generator].address[i] + WALK_OFFSET(layout, generator, gi_iframe);
        bool fits = PEEK(proof, frame, iframe, executable, &code) &&
                    (!(code & ~(uint64_t)3) || walk_peek_is_object(proof, code & ~(uint64_t)3));
        good += fits && is_code(proof, code & ~(uint64_t)3);
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}
