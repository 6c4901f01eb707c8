/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_PROOF_H
#define WALK_LAYOUT_PROOF_H

/*
 * Invariants: what the target's memory must agree with. Each names the members that it asks, so that one which does not
 * hold says what is in doubt. They are asked of samples, a few objects of each class, most of which must agree: a
 * damaged heap has some that do not.
 */

#include "layout/layout.h"

struct walk_proof;

struct walk_rule {
    const char *words;
    enum walk_verdict (*check)(struct walk_proof *proof, const struct walk_rule *rule);
    bool essential;             /* without it nothing is read */
    unsigned suspects;          /* the members that it asks, the likeliest to be wrong first */
    enum walk_field suspect[5]; /* of lists of CLASS: a member of the structure, which stands for all of it */
    enum walk_struct target;    /* what the member points to, or whose size it is */
    bool must;                  /* it is not NULL */
    bool weak;                  /* it is, mostly: what is found elsewhere to hold may hold by chance */
    const char *symbol, *name;  /* of the class */
};

enum { WALK_SAMPLES = 8, WALK_PROOF_THREADS = 64 };

struct walk_samples {
    unsigned count;
    walk_addr address[WALK_SAMPLES];
};

/* One layout before the memory of one target. */
struct walk_proof {
    const struct walk_runtime *runtime;
    const struct walk_layout *layout;
    struct walk_memory *memory;
    walk_addr class[WALK_STRUCT_COUNT]; /* the type whose objects have this structure; 0: not found */
    struct walk_samples samples[WALK_STRUCT_COUNT];
    unsigned interpreters, threads;
    walk_addr interpreter[WALK_PROOF_THREADS], thread[WALK_PROOF_THREADS];
    bool taken;                /* the samples are */
    enum walk_error_code code; /* when a check fails: what kind of an error that is */
    char detail[96];           /* and what of */
};

void walk_proof_begin(struct walk_proof *proof, const struct walk_runtime *runtime);
enum walk_verdict walk_proof_ask(struct walk_proof *proof, size_t rule);

/* Anew, of another layout of the same target. */
enum walk_verdict walk_proof_ask_one(struct walk_proof *proof, const struct walk_runtime *runtime, size_t rule);

/* A member without which nothing is read. */
bool walk_layout_requires(enum walk_field field);

extern const struct walk_rule walk_rules[];
extern const size_t walk_rule_count;

/* All of them. */
void walk_runtime_ask_all(const struct walk_runtime *runtime, struct walk_verdicts *verdicts);

/* ---- peek.c: enough of CPython's objects to ask ---- */

bool walk_peek(const struct walk_proof *proof, walk_addr structure, enum walk_field field, uint64_t *value);
bool walk_peek_int(const struct walk_proof *proof, walk_addr structure, enum walk_field field, int32_t *value);
/* `width` bits from a bit-field's offset on. */
bool walk_peek_bits(const struct walk_proof *proof, walk_addr structure, enum walk_field field, unsigned width,
                    unsigned *value);
#define PEEK(proof, address, structure, field, value) walk_peek(proof, address, WALK_FIELD_##structure##_##field, value)

/* An object's type is, or derives from, `type`. */
bool walk_peek_is_a(const struct walk_proof *proof, walk_addr object, walk_addr type);
bool walk_peek_is_object(const struct walk_proof *proof, walk_addr object);

/* An ASCII str of this text. */
bool walk_peek_equals(const struct walk_proof *proof, walk_addr str, const char *text);

struct walk_peek_dict {
    uint64_t count, size, usable; /* entries, slots, free entries */
    uint32_t stride, key_at;      /* bytes */
    const uint8_t *entries, *values;
};
bool walk_peek_dict(const struct walk_proof *proof, walk_addr dict, struct walk_peek_dict *opened);
void walk_peek_entry(const struct walk_proof *proof, const struct walk_peek_dict *dict, uint64_t i, walk_addr *key,
                     walk_addr *value);
walk_addr walk_peek_get(const struct walk_proof *proof, walk_addr dict, const char *key);

#endif
