/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on what the objects hold, asked of samples. */
#include "layout/rules.h"

#define F(structure, field) WALK_FIELD_##structure##_##field

/* ---- pointers ---- */

enum walk_verdict walk_rule_points_to(struct walk_proof *proof, const struct walk_rule *rule)
{
    enum walk_field field = rule->suspect[0];
    walk_addr class = proof->class[rule->target];
    bool any = rule->target == WALK_STRUCT_object;
    unsigned good = 0, bad = 0;
    if (proof->layout->offset[field] == WALK_ABSENT || (!class && !any))
        return WALK_UNASKED;
    walk_proof_take_samples(proof);
    const struct walk_samples *samples = &proof->samples[walk_field_table[field].structure];
    for (unsigned i = 0; i < samples->count; i++) {
        uint64_t value;
        if (!walk_peek(proof, samples->address[i], field, &value) || (!value && rule->must))
            bad++;
        else if (value && !(any ? walk_peek_is_object(proof, value) : walk_peek_is_a(proof, value, class)))
            bad++;
        else if (value) {
            good++;
            walk_proof_sample_object(proof, value); /* of functions their code, and so on */
        }
    }
    return walk_proof_most(good, bad);
}

/* ---- what the objects hold ---- */

static walk_addr main_interpreter(const struct walk_proof *proof)
{
    return proof->interpreters ? proof->interpreter[proof->interpreters - 1] : 0;
}

static walk_addr of_sys(const struct walk_proof *proof, const char *name)
{
    uint64_t sysdict;
    return PEEK(proof, main_interpreter(proof), interp, sysdict, &sysdict) ? walk_peek_get(proof, sysdict, name) : 0;
}

/* USABLE_FRACTION of Objects/dictobject.c: what is used and what is free of a table are two thirds of it. */
enum walk_verdict walk_rule_dict_tables(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_dict].count; i++) {
        struct walk_peek_dict dict;
        uint64_t used;
        walk_addr address = proof->samples[WALK_STRUCT_dict].address[i];
        bool fits = walk_peek_dict(proof, address, &dict) && PEEK(proof, address, dict, ma_used, &used) &&
                    used <= dict.count && (dict.size << 1) / 3 == dict.count + dict.usable;
        /* The shared keys of empty dicts have no room. */
        fits |= dict.size == 1 && dict.count == 0;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

/* sys.modules is what the interpreter's member says, and its keys are str. */
enum walk_verdict walk_rule_sys_modules(struct walk_proof *proof, const struct walk_rule *rule)
{
    struct walk_peek_dict dict;
    uint64_t modules;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!main_interpreter(proof))
        return WALK_UNASKED;
    if (!PEEK(proof, main_interpreter(proof), interp, modules, &modules) || !walk_peek_dict(proof, modules, &dict))
        return walk_proof_fails(proof, "");
    for (uint64_t i = 0; i < dict.count && i < 256; i++) {
        walk_addr key, value;
        walk_peek_entry(proof, &dict, i, &key, &value);
        bool fits = !key || !value || walk_peek_is_a(proof, key, proof->class[WALK_STRUCT_unicode]);
        good += fits;
        bad += !fits;
    }
    walk_addr named = of_sys(proof, "modules");
    return named && named != modules ? walk_proof_fails(proof, "") : walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_sys_has(struct walk_proof *proof, const struct walk_rule *rule)
{
    (void)rule;
    return !main_interpreter(proof)                                  ? WALK_UNASKED
           : of_sys(proof, "hexversion") && of_sys(proof, "maxsize") ? WALK_HOLDS
                                                                     : walk_proof_fails(proof, "");
}

/* A dict that the main interpreter's member points to has a key; that what it points to is a dict is asked elsewhere.
 */
static enum walk_verdict dict_has(struct walk_proof *proof, const struct walk_rule *rule, const char *key)
{
    uint64_t dict;
    if (!walk_peek(proof, main_interpreter(proof), rule->suspect[0], &dict) || !dict)
        return WALK_UNASKED;
    return walk_peek_get(proof, dict, key) ? WALK_HOLDS : walk_proof_fails(proof, "");
}

enum walk_verdict walk_rule_has_len(struct walk_proof *proof, const struct walk_rule *rule)
{
    return dict_has(proof, rule, "len");
}

enum walk_verdict walk_rule_has_displayhook(struct walk_proof *proof, const struct walk_rule *rule)
{
    return dict_has(proof, rule, "displayhook");
}

/* sys.maxsize: 2^63 - 1 or 2^31 - 1, in digits of 30 bits. */
enum walk_verdict walk_rule_maxsize(struct walk_proof *proof, const struct walk_rule *rule)
{
    walk_addr number = of_sys(proof, "maxsize");
    unsigned count = proof->memory->word == 8 ? 3 : 2;
    (void)rule;
    if (!number)
        return WALK_UNASKED;
    const uint8_t *digits =
        walk_memory_view(proof->memory, number + WALK_OFFSET(proof->layout, int, ob_digit), (size_t)4 * count);
    uint64_t tag;
    bool counted = WALK_HAS(proof->layout, int, lv_tag)
                       ? PEEK(proof, number, int, lv_tag, &tag) && tag >> 3 == count && (tag & 3) == 0
                       : PEEK(proof, number, var_object, ob_size, &tag) && tag == count;
    for (unsigned i = 0; digits && i < count; i++)
        counted &= walk_load_u32(digits + (size_t)4 * i) == (i + 1 < count ? 0x3fffffffu : count == 3 ? 7u : 1u);
    return digits && counted ? WALK_HOLDS : walk_proof_fails(proof, "");
}

/* sys.float_info.max, the first of a tuple. */
enum walk_verdict walk_rule_float_max(struct walk_proof *proof, const struct walk_rule *rule)
{
    walk_addr info = of_sys(proof, "float_info");
    uint64_t item;
    (void)rule;
    if (!info || !WALK_HAS(proof->layout, float, ob_fval))
        return WALK_UNASKED;
    const uint8_t *value = PEEK(proof, info, tuple, ob_item, &item)
                               ? walk_memory_view(proof->memory, item + WALK_OFFSET(proof->layout, float, ob_fval), 8)
                               : NULL;
    return value && walk_load_u64(value) == UINT64_C(0x7fefffffffffffff) ? WALK_HOLDS : walk_proof_fails(proof, "");
}

enum walk_verdict walk_rule_mro_begins(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_type].count; i++) {
        walk_addr type = proof->samples[WALK_STRUCT_type].address[i];
        uint64_t mro, count, first;
        if (!PEEK(proof, type, type, tp_mro, &mro) || !mro)
            continue;
        bool fits = PEEK(proof, mro, var_object, ob_size, &count) && count >= 1 && count < 1024 &&
                    PEEK(proof, mro, tuple, ob_item, &first) && first == type;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_list_room(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_list].count; i++) {
        walk_addr list = proof->samples[WALK_STRUCT_list].address[i];
        uint64_t size, allocated, items, item;
        bool fits = PEEK(proof, list, var_object, ob_size, &size) && PEEK(proof, list, list, allocated, &allocated) &&
                    PEEK(proof, list, list, ob_item, &items) && size <= allocated && allocated >> 40 == 0 &&
                    (items != 0) == (allocated != 0) &&
                    (!size || (walk_memory_word(proof->memory, items, &item) && walk_peek_is_object(proof, item)));
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_set_tables(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_set].count; i++) {
        walk_addr set = proof->samples[WALK_STRUCT_set].address[i];
        uint64_t used, fill, mask, table;
        bool fits = PEEK(proof, set, set, used, &used) && PEEK(proof, set, set, fill, &fill) &&
                    PEEK(proof, set, set, mask, &mask) && PEEK(proof, set, set, table, &table) && used <= fill &&
                    fill <= mask && ((mask + 1) & mask) == 0 && mask >= 7 && mask >> 36 == 0 &&
                    (mask > 7 || table == set + WALK_OFFSET(proof->layout, set, smalltable)) &&
                    walk_memory_view(proof->memory, table, 2 * proof->memory->word * (mask + 1)) != NULL;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

/* A str and a bytes end with a NUL behind their characters. */
enum walk_verdict walk_rule_str_ends(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_unicode].count; i++) {
        walk_addr str = proof->samples[WALK_STRUCT_unicode].address[i];
        uint64_t length;
        unsigned kind, compact, ascii;
        if (!PEEK(proof, str, ascii, length, &length) || length > 1 << 20 ||
            !walk_peek_bits(proof, str, F(ascii, kind), 3, &kind) ||
            !walk_peek_bits(proof, str, F(ascii, compact), 1, &compact) ||
            !walk_peek_bits(proof, str, F(ascii, ascii), 1, &ascii)) {
            bad++;
            continue;
        }
        if (kind != 1 || !compact || !ascii)
            continue;
        const uint8_t *data = walk_memory_view(proof->memory, str + WALK_SIZE(proof->layout, ascii), length + 1);
        bool fits = data && data[length] == 0 && !memchr(data, 0, length);
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_bytes_end(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_bytes].count; i++) {
        walk_addr bytes = proof->samples[WALK_STRUCT_bytes].address[i];
        uint64_t size;
        const uint8_t *data =
            PEEK(proof, bytes, var_object, ob_size, &size) && size < 1 << 24
                ? walk_memory_view(proof->memory, bytes + WALK_OFFSET(proof->layout, bytes, ob_sval), size + 1)
                : NULL;
        good += data && data[size] == 0;
        bad += !(data && data[size] == 0);
    }
    return walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_code_numbers(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_code].count; i++) {
        walk_addr code = proof->samples[WALK_STRUCT_code].address[i];
        int32_t line, arguments, flags;
        bool fits = walk_peek_int(proof, code, F(code, co_firstlineno), &line) && line >= 0 && line < 1 << 24 &&
                    walk_peek_int(proof, code, F(code, co_argcount), &arguments) && arguments >= 0 &&
                    arguments < 1 << 12 && walk_peek_int(proof, code, F(code, co_flags), &flags) && flags >= 0;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

/* 3.11+: of kind 2 (DICT_KEYS_SPLIT), with at most 30 entries (SHARED_KEYS_MAX_SIZE). */
enum walk_verdict walk_rule_shared_keys(struct walk_proof *proof, const struct walk_rule *rule)
{
    unsigned good = 0, bad = 0;
    (void)rule;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_heap_type].count && WALK_HAS(proof->layout, dict_keys, dk_kind);
         i++) {
        uint64_t keys, count;
        if (!PEEK(proof, proof->samples[WALK_STRUCT_heap_type].address[i], heap_type, ht_cached_keys, &keys) || !keys)
            continue;
        const uint8_t *kind = walk_memory_view(proof->memory, keys + WALK_OFFSET(proof->layout, dict_keys, dk_kind), 1);
        bool fits = kind && *kind == 2 && PEEK(proof, keys, dict_keys, dk_nentries, &count) && count <= 30;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

/* ---- static types' state (3.12+), instances with their values within (3.13+) ---- */

enum walk_verdict walk_rule_static_types(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!WALK_HAS(layout, interp, static_types) || !WALK_HAS(layout, static_type, type) || !main_interpreter(proof))
        return WALK_UNASKED;
    walk_addr states = main_interpreter(proof) + WALK_OFFSET(layout, interp, static_types);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++) {
        uint64_t index, type;
        if (!proof->class[i] || !PEEK(proof, proof->class[i], type, tp_subclasses, &index) || index - 1 >= 512)
            continue;
        bool fits = PEEK(proof, states + (index - 1) * WALK_SIZE(layout, static_type), static_type, type, &type) &&
                    type == proof->class[i];
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}

enum walk_verdict walk_rule_inline_values(struct walk_proof *proof, const struct walk_rule *rule)
{
    const struct walk_layout *layout = proof->layout;
    unsigned good = 0, bad = 0;
    (void)rule;
    if (!WALK_HAS(layout, dict_values, embedded))
        return WALK_UNASKED;
    walk_proof_take_samples(proof);
    for (unsigned i = 0; i < proof->samples[WALK_STRUCT_dict_values].count; i++) {
        walk_addr object = proof->samples[WALK_STRUCT_dict_values].address[i];
        uint64_t type, size;
        if (!PEEK(proof, object, object, ob_type, &type) || !PEEK(proof, type, type, tp_basicsize, &size))
            continue;
        const uint8_t *view = walk_memory_view(proof->memory, object + size, WALK_SIZE(layout, dict_values));
        bool fits = view && view[WALK_OFFSET(layout, dict_values, capacity)] != 0 &&
                    view[WALK_OFFSET(layout, dict_values, embedded)] == 1 &&
                    view[WALK_OFFSET(layout, dict_values, valid)] <= 1;
        good += fits;
        bad += !fits;
    }
    return walk_proof_most(good, bad);
}
