/* SPDX-License-Identifier: Apache-2.0 */
/* A layout is believed when the target's memory agrees with it in places that a wrong one would get wrong. */
#include "layout/rules.h"

#define F(structure, field) WALK_FIELD_##structure##_##field

enum walk_verdict walk_proof_fails(struct walk_proof *proof, const char *detail)
{
    proof->code = WALK_ERROR_LAYOUT;
    snprintf(proof->detail, sizeof proof->detail, "%s", detail);
    return WALK_FAILS;
}

enum walk_verdict walk_proof_most(unsigned good, unsigned bad)
{
    return good + bad == 0 ? WALK_UNASKED : bad * 4 > good + bad ? WALK_FAILS : WALK_HOLDS;
}

/* ---- the list: what is asked first is what the others stand on ---- */

#define ESSENTIAL true
#define OTHER false
#define MUST true
#define MAY false

const struct walk_rule walk_rules[] = {
    {.words = "the members without which nothing works are there", .check = walk_rule_has_required, .essential = true},
    {.words = "the type of type is type",
     .check = walk_rule_type_of_type,
     .essential = true,
     .suspects = 1,
     .suspect = {F(object, ob_type)}},
#define CLASS(structure, symbol_, name_, essential_)                                                                   \
    {.words = "tp_basicsize of " name_ " is its structure's size",                                                     \
     .check = walk_rule_size_of_class,                                                                                 \
     .essential = (essential_),                                                                                        \
     .target = WALK_STRUCT_##structure,                                                                                \
     .symbol = (symbol_),                                                                                              \
     .name = (name_)},
#define POINTER(structure, field, class, must_)
#include "layout/invariants.def"
#undef CLASS
#undef POINTER
    {.words = "the list of interpreters has one, and an end", .check = walk_rule_interpreters_end, .essential = true},
    {.words = "the last interpreter is the main one",
     .check = walk_rule_main_is_last,
     .suspects = 2,
     .suspect = {F(interp, next), F(runtime, interpreters_main)}},
    {.words = "threads point back to their interpreter",
     .check = walk_rule_threads_point_back,
     .essential = true,
     .suspects = 5,
     .suspect = {F(interp, tstate_head), F(thread, interp), F(thread, next), F(runtime, interpreters_head),
                 F(thread, prev)}},
    {.words = "an interpreter has a thread",
     .check = walk_rule_has_thread,
     .suspects = 1,
     .suspect = {F(interp, tstate_head)}},
    {.words = "the lists of the collector close",
     .check = walk_rule_lists_close,
     .essential = true,
     .suspects = 4,
     .suspect = {F(gc, generations), F(interp, gc), F(gc_head, next), F(runtime, gc)}},
    {.words = "threads have the heaps of the allocator",
     .check = walk_rule_threads_have_heaps,
     .essential = true,
     .suspects = 2,
     .suspect = {F(thread_impl, heaps), F(mi_heap, tag)}},
    {.words = "the list of the permanent generation closes",
     .check = walk_rule_permanent_closes,
     .suspects = 2,
     .suspect = {F(gc, permanent_generation), F(interp, gc)}},
    {.words = "the collector is at work or not",
     .check = walk_rule_collecting_is_flag,
     .suspects = 2,
     .suspect = {F(gc, collecting), F(interp, gc)}},
    {.words = "sys has hexversion and maxsize",
     .check = walk_rule_sys_has,
     .suspects = 4,
     .suspect = {F(interp, sysdict), F(dict, ma_keys), F(dict_keys, dk_indices), F(ascii, length)}},
    {.words = "interp.modules is sys.modules, with str as keys",
     .check = walk_rule_sys_modules,
     .suspects = 1,
     .suspect = {F(interp, modules)}},
    {.words = "builtins has len", .check = walk_rule_has_len, .suspects = 1, .suspect = {F(interp, builtins)}},
    {.words = "the copy of builtins has len",
     .check = walk_rule_has_len,
     .suspects = 1,
     .suspect = {F(interp, builtins_copy)}},
    {.words = "the copy of sys has displayhook",
     .check = walk_rule_has_displayhook,
     .suspects = 1,
     .suspect = {F(interp, sysdict_copy)}},
    {.words = "sys.maxsize is what it is", .check = walk_rule_maxsize, .suspects = 1, .suspect = {F(int, ob_digit)}},
    {.words = "sys.float_info.max is what it is",
     .check = walk_rule_float_max,
     .suspects = 2,
     .suspect = {F(tuple, ob_item), F(float, ob_fval)}},
    {.words = "an mro begins with its type",
     .check = walk_rule_mro_begins,
     .suspects = 2,
     .suspect = {F(tuple, ob_item), F(type, tp_mro)}},
    {.words = "the tables of dicts are two thirds usable",
     .check = walk_rule_dict_tables,
     .suspects = 2,
     .suspect = {F(dict_keys, dk_nentries), F(dict, ma_keys)}},
    {.words = "lists have room for their items",
     .check = walk_rule_list_room,
     .suspects = 1,
     .suspect = {F(list, ob_item)}},
    {.words = "the tables of sets are a power of two",
     .check = walk_rule_set_tables,
     .suspects = 1,
     .suspect = {F(set, table)}},
#define CLASS(structure, symbol, name, essential)
#define POINTER(structure, field, class, must_)                                                                        \
    {.words = #structure "." #field " points to " #class,                                                              \
     .check = walk_rule_points_to,                                                                                     \
     .suspects = 1,                                                                                                    \
     .suspect = {F(structure, field)},                                                                                 \
     .target = WALK_STRUCT_##class,                                                                                    \
     .weak = !(must_),                                                                                                 \
     .must = (must_)},
#include "layout/invariants.def"
#undef CLASS
#undef POINTER
    {.words = "str objects end with a NUL",
     .check = walk_rule_str_ends,
     .suspects = 2,
     .suspect = {F(ascii, kind), F(ascii, length)}},
    {.words = "bytes objects end with a NUL",
     .check = walk_rule_bytes_end,
     .suspects = 1,
     .suspect = {F(bytes, ob_sval)}},
    {.words = "numbers of code objects are small",
     .check = walk_rule_code_numbers,
     .suspects = 1,
     .suspect = {F(code, co_flags)}},
    {.words = "static types have their state in the interpreter",
     .check = walk_rule_static_types,
     .suspects = 2,
     .suspect = {F(interp, static_types), F(static_type, type)}},
    {.words = "instances have their values within",
     .check = walk_rule_inline_values,
     .suspects = 1,
     .suspect = {F(dict_values, embedded)}},
    {.words = "a thread's identifier is a thread register",
     .check = walk_rule_thread_ids,
     .suspects = 1,
     .suspect = {F(thread, thread_id)}},
    {.words = "a thread's native identifier is a thread of the system",
     .check = walk_rule_native_ids,
     .suspects = 1,
     .suspect = {F(thread, native_thread_id)}},
    {.words = "the keys that instances share are str",
     .check = walk_rule_shared_keys,
     .suspects = 1,
     .suspect = {F(heap_type, ht_cached_keys)}},
    {.words = "the frames of threads have code",
     .check = walk_rule_stacks_have_code,
     .suspects = 4,
     .suspect = {F(thread, current_frame), F(iframe, executable), F(frame, f_code), F(code, co_code_adaptive)}},
    {.words = "the frames of generators have code",
     .check = walk_rule_generators_have_code,
     .suspects = 2,
     .suspect = {F(generator, gi_iframe), F(iframe, executable)}},
    {.words = "_Py_DebugOffsets says the same", .check = walk_rule_agrees_with_debug_offsets},
};
const size_t walk_rule_count = sizeof walk_rules / sizeof *walk_rules;
_Static_assert(sizeof walk_rules / sizeof *walk_rules <= WALK_RULES_MAX, "WALK_RULES_MAX");

enum walk_verdict walk_proof_ask_one(struct walk_proof *proof, const struct walk_runtime *runtime, size_t rule)
{
    proof->runtime = runtime;
    proof->layout = &runtime->layout;
    proof->taken = false;
    proof->interpreters = proof->threads = 0;
    memset(proof->samples, 0, sizeof proof->samples);
    if (walk_rule_interpreters_end(proof, NULL) == WALK_HOLDS)
        walk_rule_threads_point_back(proof, NULL);
    return walk_proof_ask(proof, rule);
}

void walk_proof_begin(struct walk_proof *proof, const struct walk_runtime *runtime)
{
    *proof = (struct walk_proof){.runtime = runtime, .layout = &runtime->layout, .memory = &runtime->image->memory};
    for (size_t i = 0; i < walk_rule_count; i++)
        if (walk_rules[i].symbol)
            proof->class[walk_rules[i].target] =
                walk_runtime_static_type(runtime, walk_rules[i].symbol, walk_rules[i].name);
}

enum walk_verdict walk_proof_ask(struct walk_proof *proof, size_t rule)
{
    proof->detail[0] = '\0';
    return walk_rules[rule].check(proof, &walk_rules[rule]);
}

void walk_runtime_ask_all(const struct walk_runtime *runtime, struct walk_verdicts *verdicts)
{
    struct walk_proof proof;
    walk_proof_begin(&proof, runtime);
    *verdicts = (struct walk_verdicts){.asked = true};
    for (size_t i = 0; i < walk_rule_count; i++) {
        enum walk_verdict verdict = walk_proof_ask(&proof, i);
        verdicts->of[i] = (uint8_t)verdict;
        verdicts->held += verdict == WALK_HOLDS;
        verdicts->held_weakly += verdict == WALK_HOLDS && walk_rules[i].weak;
        verdicts->failed += verdict == WALK_FAILS;
        verdicts->essential_failed += verdict == WALK_FAILS && walk_rules[i].essential;
    }
}

struct walk_error *walk_layout_prove(const struct walk_runtime *runtime)
{
    struct walk_proof proof;
    walk_proof_begin(&proof, runtime);
    for (size_t i = 0; i < walk_rule_count; i++) {
        const struct walk_rule *rule = &walk_rules[i];
        if (!rule->essential || walk_proof_ask(&proof, i) != WALK_FAILS)
            continue;
        if (proof.code == WALK_ERROR_NO_PYTHON)
            return walk_error_new(WALK_ERROR_NO_PYTHON,
                                  "the process has no interpreter: not started yet, or already ended");
        struct walk_error *error =
            walk_error_new(proof.code, "the layout does not fit this process: it is not so that %s", rule->words);
        return *proof.detail ? walk_error_context(error, "%s", proof.detail) : error;
    }
    return NULL;
}
