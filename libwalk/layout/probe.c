/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout for a build that no row is of and no DWARF is at hand for: the row of another build that the memory agrees
 * with best, what _Py_DebugOffsets says, and where an invariant still does not hold, the members that it asks, as in
 * other rows or moved a little, until it does. What cannot be made to hold is left out, and said.
 */
#include <stdlib.h>

#include "layout/debug_offsets.h"
#include "layout/find.h"
#include "layout/proof.h"

enum {
    ROWS_MAX = 128,
    FAR = 512,         /* bytes that a member is looked for before and behind where another build has it */
    NEAR = 160,        /* the same when two are looked for at once */
    QUESTIONS = 60000, /* the most that is asked of one target: a fraction of a second */
};

/* What _Py_DebugOffsets said of, and what it left in the dark. */
struct doubts {
    bool said[WALK_STRUCT_COUNT], field[WALK_FIELD_COUNT];
    struct walk_layout row; /* before it was asked */
};

struct probe {
    struct walk_runtime *runtime;
    struct walk_proof proof;               /* with the classes, which no layout changes */
    struct walk_layout_row *row[ROWS_MAX]; /* each with what _Py_DebugOffsets says */
    struct doubts doubts_of[ROWS_MAX];
    size_t row_count;
    struct walk_debug_offsets said_of;
    uint32_t minor; /* which is expected; 0: unknown */
    unsigned questions;
    size_t base;                       /* the row that most is of */
    uint8_t origin[WALK_STRUCT_COUNT]; /* the row that a structure is of */
    struct doubts doubts;
    bool moved[WALK_STRUCT_COUNT];                                /* here, or of another size */
    bool changed[WALK_STRUCT_COUNT];                              /* as in no other build */
    bool dropped[WALK_STRUCT_COUNT], unproven[WALK_STRUCT_COUNT]; /* left out, wholly or in part */
};

/* ---- how well a layout fits ---- */

/* Fewer invariants that fail are better, then more that hold and not by chance. */
static int misfit(const struct walk_verdicts *verdicts)
{
    return (int)(verdicts->essential_failed * 1000000 + verdicts->failed * 1000) -
           (int)(verdicts->held - verdicts->held_weakly);
}

static bool holds(struct probe *probe, const struct walk_runtime *trial, size_t rule)
{
    /* That all threads point back says nothing where none is found. */
    bool of_threads = walk_rules[rule].suspects && walk_rules[rule].suspect[0] == WALK_FIELD_interp_tstate_head;
    return probe->questions++ < QUESTIONS && walk_proof_ask_one(&probe->proof, trial, rule) == WALK_HOLDS &&
           (!of_threads || probe->proof.threads);
}

/* Takes the trial when it fits better. */
static bool accept(struct walk_runtime *runtime, const struct walk_runtime *trial)
{
    struct walk_verdicts verdicts;
    walk_runtime_ask_all(trial, &verdicts);
    if (misfit(&verdicts) >= misfit(&runtime->verdicts))
        return false;
    runtime->layout = trial->layout;
    runtime->verdicts = verdicts;
    return true;
}

/* ---- the rows, the likeliest first ---- */

/* "3.11" out of libpython3.11.so.1.0 or python3.11. */
static uint32_t minor_in_name(const char *path)
{
    const char *digits = strstr(walk_base_name(path), "python3.");
    return digits ? (uint32_t)strtoul(digits + 8, NULL, 10) : 0;
}

static uint32_t minor_of(const struct walk_layout_row *row) { return (row->version >> 16) & 0xff; }

static unsigned distance(const struct probe *probe, const struct walk_layout_row *row)
{
    uint32_t minor = minor_of(row), version = probe->said_of.version;
    unsigned far = !probe->minor ? 0 : minor > probe->minor ? minor - probe->minor : probe->minor - minor;
    const char *name = walk_base_name(probe->runtime->module->path);
    bool debug = *name && name[strlen(name) - 1] == 'd'; /* python3.11d */
    uint32_t patch = (row->version >> 8) & 0xff, other = (version >> 8) & 0xff;
    unsigned patches = !version ? 0 : patch > other ? patch - other : other - patch;
    return far * 2000 + patches + ((strstr(row->name, "debug") != NULL) != debug) * 100;
}

/* ---- _Py_DebugOffsets ---- */

/* Where a member is, in bytes; bit-fields are counted in bits. */
static int32_t byte_of(const struct walk_layout *layout, size_t field)
{
    return walk_field_in_bits((enum walk_field)field) ? layout->offset[field] / 8 : layout->offset[field];
}

static int32_t units(size_t field) { return walk_field_in_bits((enum walk_field)field) ? 8 : 1; }

/* The members that something is said of. */
struct anchors {
    size_t field[WALK_FIELD_COUNT];
    size_t count;
};

/* How far the last anchor in front of `field` stands from where the row has it; false: all are in front of it. */
static bool find_shift(const struct walk_layout *row, const struct walk_layout *said, const struct anchors *anchors,
                       size_t field, int32_t *shift)
{
    int32_t last = -1;
    bool behind = false;
    *shift = 0;
    for (size_t a = 0; a < anchors->count; a++) {
        size_t i = anchors->field[a];
        int32_t at = row->offset[i];
        if (walk_field_table[i].structure != walk_field_table[field].structure || at == WALK_ABSENT)
            continue;
        behind |= at >= byte_of(row, field);
        if (at <= byte_of(row, field) && at > last) {
            last = at;
            *shift = said->offset[i] - at;
        }
    }
    return behind;
}

/*
 * What is said is taken; members between move along with what is said in front of them. Behind all that is said, in a
 * structure that is not as large as the row has it, who knows what is new.
 */
static void adopt(struct walk_layout *layout, const struct walk_layout *said, struct doubts *doubts)
{
    const struct walk_layout row = doubts->row = *layout;
    struct anchors anchors = {.count = 0};
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (said->offset[i] != WALK_ABSENT) {
            layout->offset[i] = said->offset[i];
            anchors.field[anchors.count++] = i;
            doubts->said[walk_field_table[i].structure] = true;
        }
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++) {
        enum walk_struct structure = walk_field_table[i].structure;
        int32_t shift;
        if (said->offset[i] != WALK_ABSENT || row.offset[i] == WALK_ABSENT)
            continue;
        bool between = find_shift(&row, said, &anchors, i, &shift);
        layout->offset[i] += shift * units(i);
        doubts->field[i] = !between && said->size[structure] && said->size[structure] != row.size[structure];
    }
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        if (said->size[i])
            layout->size[i] = said->size[i];
}

static void load_rows(struct probe *probe, walk_row_wanted *wanted)
{
    const struct walk_module *module = probe->runtime->module;
    struct walk_layout_row *rows[ROWS_MAX];
    size_t count = walk_layout_rows_open(rows, ROWS_MAX);
    char own[2 * sizeof module->build_id + 1];
    walk_build_id_format(module->build_id, module->build_id_size, own);
    for (size_t i = 0; i < count; i++) {
        struct walk_layout_row *row = rows[i];
        /* A free-threaded build has other structures, and says since 3.13 that it is one. */
        if (row->word != probe->runtime->image->memory.word ||
            WALK_FREE_THREADED(&row->layout) != probe->said_of.free_threaded ||
            !wanted(probe->runtime->image, row, own)) {
            walk_layout_row_free(row);
            continue;
        }
        size_t at = probe->row_count++;
        for (; at && distance(probe, probe->row[at - 1]) > distance(probe, row); at--)
            probe->row[at] = probe->row[at - 1];
        probe->row[at] = row;
    }
    for (size_t i = 0; i < probe->row_count; i++) {
        struct walk_layout said;
        if (walk_debug_offsets_read(&probe->runtime->image->memory, probe->runtime->runtime, &probe->row[i]->layout,
                                    &said))
            adopt(&probe->row[i]->layout, &said, &probe->doubts_of[i]);
    }
}

/* ---- the base: the row that the memory agrees with best ---- */

static bool choose_base(struct probe *probe)
{
    struct walk_runtime *runtime = probe->runtime;
    bool any = false, good = false;
    for (size_t i = 0; i < probe->row_count; i++) {
        struct walk_runtime trial = *runtime;
        /* A row of another version only as long as none fits. */
        if (good && (runtime->verdicts.failed == 0 || minor_of(probe->row[i]) != probe->minor))
            break;
        trial.layout = probe->row[i]->layout;
        walk_runtime_locate(&trial);
        walk_runtime_ask_all(&trial, &trial.verdicts);
        if (any && misfit(&trial.verdicts) >= misfit(&runtime->verdicts))
            continue;
        any = true;
        good = trial.verdicts.essential_failed == 0 && minor_of(probe->row[i]) == probe->minor;
        runtime->layout = trial.layout;
        runtime->runtime = trial.runtime;
        runtime->generations = trial.generations;
        runtime->first = trial.first;
        runtime->verdicts = trial.verdicts;
        probe->base = i;
        memset(probe->origin, (int)i, sizeof probe->origin);
        probe->doubts = probe->doubts_of[i];
    }
    return any;
}

/* ---- what does not fit yet ---- */

static bool same_structure(const struct walk_layout *a, const struct walk_layout *b, enum walk_struct structure)
{
    bool same = a->size[structure] == b->size[structure];
    for (size_t i = 0; i < WALK_FIELD_COUNT && same; i++)
        same = walk_field_table[i].structure != structure || a->offset[i] == b->offset[i];
    return same;
}

static void copy_structure(struct walk_layout *to, const struct walk_layout *from, enum walk_struct structure)
{
    to->size[structure] = from->size[structure];
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (walk_field_table[i].structure == structure)
            to->offset[i] = from->offset[i];
}

/* As another build of this version has it, or of the next to it: what fits of others fits by chance. */
static bool try_other_rows(struct probe *probe, size_t rule, enum walk_struct structure, unsigned away)
{
    uint32_t minor = probe->minor ? probe->minor : minor_of(probe->row[probe->base]);
    for (size_t i = 0; i < probe->row_count; i++) {
        struct walk_runtime trial = *probe->runtime;
        uint32_t other = minor_of(probe->row[i]);
        if ((other > minor ? other - minor : minor - other) != away || !probe->row[i]->layout.size[structure] ||
            same_structure(&trial.layout, &probe->row[i]->layout, structure))
            continue;
        copy_structure(&trial.layout, &probe->row[i]->layout, structure);
        if (holds(probe, &trial, rule) && accept(probe->runtime, &trial)) {
            probe->origin[structure] = (uint8_t)i;
            probe->doubts.said[structure] = probe->doubts_of[i].said[structure];
            probe->moved[structure] = false;
            for (size_t f = 0; f < WALK_FIELD_COUNT; f++)
                if (walk_field_table[f].structure == structure)
                    probe->doubts.field[f] = probe->doubts_of[i].field[f];
            return true;
        }
    }
    return false;
}

/* Some members of a structure, by where they are. */
struct span {
    enum walk_struct structure;
    int32_t first, last;
};

/* Moves members; false: one would leave its structure, or stand where another one does. */
static bool move(struct walk_layout *layout, struct span span, int32_t by)
{
    const struct walk_layout old = *layout;
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++) {
        if (walk_field_table[i].structure != span.structure || old.offset[i] == WALK_ABSENT ||
            byte_of(&old, i) < span.first || byte_of(&old, i) > span.last)
            continue;
        layout->offset[i] += by * units(i);
        if (layout->offset[i] < 0)
            return false;
        if ((uint32_t)byte_of(layout, i) > layout->size[span.structure])
            layout->size[span.structure] = (uint32_t)byte_of(layout, i);
    }
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        for (size_t j = 0; j < i && walk_field_table[i].structure == span.structure; j++)
            if (walk_field_table[j].structure == span.structure && layout->offset[i] != WALK_ABSENT &&
                layout->offset[i] == layout->offset[j] && old.offset[i] != old.offset[j])
                return false;
    return true;
}

static bool is_proven(const struct probe *probe, enum walk_field field);

/*
 * What may have moved with a member: it alone, as when a vendor aligns it otherwise; else all from it, or from one in
 * front of it that nothing proves, as when something is new there. The shortest first, so that no more is moved
 * than must be.
 */
enum { SPANS_MAX = 24 };
static unsigned spans_of(const struct probe *probe, enum walk_field field, struct span spans[SPANS_MAX])
{
    const struct walk_layout *layout = &probe->runtime->layout;
    enum walk_struct structure = walk_field_table[field].structure;
    int32_t at = layout->offset[field], proven = -1;
    unsigned count = 0;
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (walk_field_table[i].structure == structure && layout->offset[i] < at && layout->offset[i] > proven &&
            is_proven(probe, (enum walk_field)i))
            proven = layout->offset[i];
    spans[count++] = (struct span){structure, at, at};
    for (int32_t start = at; start > proven && count < SPANS_MAX;) {
        spans[count++] = (struct span){structure, start, INT32_MAX};
        int32_t next = proven;
        for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
            if (walk_field_table[i].structure == structure && layout->offset[i] < start && layout->offset[i] > next)
                next = layout->offset[i];
        start = next;
    }
    return count;
}

/* 0, 4, -4, 8, …: the nearest first. */
static int32_t step_of(int i, unsigned width) { return (i & 1 ? 1 : -1) * ((i + 1) / 2) * (int32_t)width; }

/* A vendor's patch aligned the collector's generations to 4; everything else stands at multiples of a word. */
static unsigned width_of(const struct probe *probe, enum walk_field field)
{
    return walk_field_table[field].structure == WALK_STRUCT_gc ? 4 : probe->runtime->image->memory.word;
}

static bool may_move(const struct probe *probe, enum walk_field field)
{
    enum walk_struct structure = walk_field_table[field].structure;
    return probe->runtime->layout.offset[field] != WALK_ABSENT &&
           (structure == WALK_STRUCT_runtime || structure == WALK_STRUCT_interp || structure == WALK_STRUCT_thread ||
            structure == WALK_STRUCT_gc || structure == WALK_STRUCT_cframe || structure == WALK_STRUCT_heap_type);
}

static bool take(struct probe *probe, const struct walk_runtime *trial, size_t rule, enum walk_field a,
                 enum walk_field b)
{
    if (!holds(probe, trial, rule) || !accept(probe->runtime, trial))
        return false;
    probe->moved[walk_field_table[a].structure] = probe->moved[walk_field_table[b].structure] = true;
    return true;
}

/* Of all places where the invariant holds that one is taken at which most others hold too, and of these the nearest. */
static bool try_moved(struct probe *probe, size_t rule, enum walk_field field)
{
    unsigned width = width_of(probe, field);
    const struct walk_layout old = probe->runtime->layout;
    struct span spans[SPANS_MAX];
    unsigned count = spans_of(probe, field, spans);
    bool moved = false;
    for (int i = 1; i < 2 * FAR / (int)width; i++)
        for (unsigned s = 0; s < count; s++) {
            struct walk_runtime trial = *probe->runtime;
            trial.layout = old;
            if (move(&trial.layout, spans[s], step_of(i, width)))
                moved |= take(probe, &trial, rule, field, field);
        }
    return moved;
}

/* Members of two structures at once, each with all in front of and behind it that is not proven. */
static bool try_two_moved(struct probe *probe, size_t rule, enum walk_field a, enum walk_field b)
{
    unsigned width_a = width_of(probe, a), width_b = width_of(probe, b);
    const struct walk_layout old = probe->runtime->layout;
    struct span spans_a[SPANS_MAX], spans_b[SPANS_MAX];
    bool moved = false;
    struct span span_a = spans_a[spans_of(probe, a, spans_a) - 1], span_b = spans_b[spans_of(probe, b, spans_b) - 1];
    for (int i = 1; i < 2 * NEAR / (int)width_a && span_a.structure != span_b.structure; i++)
        for (int j = 1; j < 2 * NEAR / (int)width_b; j++) {
            struct walk_runtime trial = *probe->runtime;
            trial.layout = old;
            if (move(&trial.layout, span_a, step_of(i, width_a)) && move(&trial.layout, span_b, step_of(j, width_b)))
                moved |= take(probe, &trial, rule, a, b);
        }
    return moved;
}

static bool is_required(enum walk_struct structure)
{
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (walk_field_table[i].structure == structure && walk_layout_requires((enum walk_field)i))
            return true;
    return false;
}

/* Without this structure nothing is read. */
static bool is_essential(enum walk_struct structure)
{
    for (size_t i = 0; i < walk_rule_count; i++)
        if (walk_rules[i].symbol && walk_rules[i].target == structure && walk_rules[i].essential)
            return true;
    return is_required(structure);
}

/* A structure that is needed may have grown at its end; where it has grown elsewhere, its pointers say so. */
static bool try_size(struct probe *probe, size_t index)
{
    enum { GROWN_MAX = 128 };
    const struct walk_rule *rule = &walk_rules[index];
    struct walk_runtime trial = *probe->runtime;
    uint64_t basic, size = trial.layout.size[rule->target];
    walk_addr type = probe->proof.class[rule->target];
    probe->proof.layout = &trial.layout;
    if (!is_essential(rule->target) || !size || !PEEK(&probe->proof, type, type, tp_basicsize, &basic) ||
        basic > size + GROWN_MAX || basic + GROWN_MAX < size)
        return false;
    trial.layout.size[rule->target] = (uint32_t)basic;
    if (!holds(probe, &trial, index) || !accept(probe->runtime, &trial))
        return false;
    probe->moved[rule->target] = probe->changed[rule->target] = true;
    return true;
}

static bool other_version(const struct probe *probe)
{
    return probe->minor && minor_of(probe->row[probe->base]) != probe->minor;
}

static bool repair(struct probe *probe, size_t index)
{
    const struct walk_rule *rule = &walk_rules[index];
    if (!rule->suspects) /* the size of a class */
        return rule->symbol && (try_other_rows(probe, index, rule->target, 0) ||
                                try_other_rows(probe, index, rule->target, 1) || try_size(probe, index));
    for (unsigned i = 0; i < rule->suspects; i++)
        if (try_other_rows(probe, index, walk_field_table[rule->suspect[i]].structure, 0))
            return true;
    for (unsigned i = 0; i < rule->suspects && !(rule->weak && other_version(probe)); i++)
        if (may_move(probe, rule->suspect[i]) && try_moved(probe, index, rule->suspect[i]))
            return true;
    for (unsigned i = 0; i < rule->suspects; i++)
        if (try_other_rows(probe, index, walk_field_table[rule->suspect[i]].structure, 1))
            return true;
    for (unsigned i = 0; i < rule->suspects && rule->essential; i++)
        for (unsigned j = 0; j < i; j++)
            if (may_move(probe, rule->suspect[i]) && may_move(probe, rule->suspect[j]) &&
                try_two_moved(probe, index, rule->suspect[i], rule->suspect[j]))
                return true;
    return false;
}

/* A member that an invariant asks, which holds, and not by chance. */
static bool is_proven(const struct probe *probe, enum walk_field field)
{
    for (size_t i = 0; i < walk_rule_count; i++)
        for (unsigned s = 0; s < walk_rules[i].suspects && !walk_rules[i].weak; s++)
            if (walk_rules[i].suspect[s] == field && probe->runtime->verdicts.of[i] == WALK_HOLDS)
                return true;
    return false;
}

/* Read wherever their structure is there, so left out with it or not at all. */
static const enum walk_field tied[] = {
#define F(structure, field) WALK_FIELD_##structure##_##field
    F(bytes, ob_sval),
    F(code, co_code_adaptive),
    F(complex, cval),
    F(deque_block, data),
    F(deque_block, rightlink),
    F(dict_keys, dk_refcnt),
    F(dict_keys, dk_size),
    F(dict_keys, dk_log2_size),
    F(dict_keys, dk_log2_index_bytes),
    F(dict_values, capacity),
    F(dict_values, valid),
    F(float, ob_fval),
    F(frame, f_localsplus),
    F(generator, gi_exc_state),
    F(generator, gi_frame_state),
    F(hamt_array, array),
    F(hamt_bitmap, array),
    F(hamt_collision, array),
    F(iframe, executable),
    F(iframe, globals),
    F(iframe, instr_ptr),
    F(iframe, locals),
    F(iframe, owner),
    F(iframe, stackpointer),
    F(lru_cache, root),
    F(member_def, name),
    F(member_def, offset),
    F(member_def, type),
    F(runtime, gc),
    F(runtime, interpreters_head),
    F(gc, generations),
    F(set, smalltable),
    F(teedata, values),
    F(template, items),
    F(type, tp_weaklistoffset),
#undef F
};

static bool is_tied(enum walk_field field)
{
    bool found = walk_layout_requires(field);
    for (size_t i = 0; i < sizeof tied / sizeof *tied && !found; i++)
        found = tied[i] == field;
    return found;
}

static void leave_out_member(struct probe *probe, enum walk_field field, bool *why)
{
    if (is_tied(field) || probe->runtime->layout.offset[field] == WALK_ABSENT)
        return;
    probe->runtime->layout.offset[field] = WALK_ABSENT;
    why[walk_field_table[field].structure] = true;
}

/*
 * A structure that no build has so: of it only what is proven, or needed, is kept, so that nothing is read elsewhere.
 * Objects without a structure are guessed, and say so.
 */
static void leave_out(struct probe *probe, enum walk_struct structure)
{
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (walk_field_table[i].structure == structure && !is_proven(probe, (enum walk_field)i))
            leave_out_member(probe, (enum walk_field)i, probe->dropped);
}

/* An invariant holds that asks this member, or one behind it: so nothing new is in front of it. */
static bool any_holds(const struct probe *probe, enum walk_field field)
{
    const struct walk_layout *layout = &probe->runtime->layout;
    for (size_t i = 0; i < walk_rule_count; i++)
        for (unsigned s = 0; s < walk_rules[i].suspects; s++) {
            enum walk_field asked = walk_rules[i].suspect[s];
            if (walk_field_table[asked].structure == walk_field_table[field].structure &&
                layout->offset[asked] >= layout->offset[field] && probe->runtime->verdicts.of[i] == WALK_HOLDS)
                return true;
        }
    return false;
}

/*
 * Nothing says where the member is: it is behind all that is proven, in a structure that has another size than the row
 * says, and has not moved as its end has.
 */
static bool is_doubtful(const struct probe *probe, enum walk_field field)
{
    const struct walk_layout *layout = &probe->runtime->layout;
    const struct doubts *of = &probe->doubts_of[probe->origin[walk_field_table[field].structure]];
    enum walk_struct structure = walk_field_table[field].structure;
    return probe->doubts.field[field] && layout->offset[field] != WALK_ABSENT && !any_holds(probe, field) &&
           byte_of(layout, field) - byte_of(&of->row, field) !=
               (int32_t)layout->size[structure] - (int32_t)of->row.size[structure];
}

/* What is disproved is left out; false: it is needed. */
static bool settle(struct probe *probe)
{
    bool good = true;
    for (size_t i = 0; i < walk_rule_count; i++) {
        const struct walk_rule *rule = &walk_rules[i];
        if (probe->runtime->verdicts.of[i] != WALK_FAILS || (!rule->suspects && !rule->symbol))
            continue;
        enum walk_struct structure = rule->suspects ? walk_field_table[rule->suspect[0]].structure : rule->target;
        if (rule->weak)
            leave_out_member(probe, rule->suspect[0], probe->dropped);
        probe->changed[structure] |= !rule->weak || other_version(probe);
        if (rule->suspects)
            good &= !walk_layout_requires(rule->suspect[0]);
        else if (is_essential(structure))
            good = false;
        else
            probe->runtime->layout.size[structure] = 0;
    }
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if (is_doubtful(probe, (enum walk_field)i))
            leave_out_member(probe, (enum walk_field)i, probe->unproven);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++) {
        if (probe->changed[i] || (other_version(probe) && probe->moved[i]))
            leave_out(probe, (enum walk_struct)i);
        probe->dropped[i] |= probe->changed[i] && !probe->runtime->layout.size[i];
    }
    return good;
}

/* ---- what is said of it ---- */

static void add_part(struct walk_runtime *runtime, const char *source, const bool *which, bool all)
{
    if (runtime->part_count == WALK_PARTS_MAX)
        return;
    struct walk_part part = {.count = 0};
    size_t length = 0;
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++) {
        if (!which[i])
            continue;
        part.count++;
        if (!all && length + strlen(walk_struct_table[i].id) + 3 < sizeof part.structures)
            length += (size_t)snprintf(part.structures + length, sizeof part.structures - length, "%s%s",
                                       length ? ", " : "", walk_struct_table[i].id);
    }
    snprintf(part.source, sizeof part.source, "%s", source);
    if (part.count)
        runtime->parts[runtime->part_count++] = part;
}

/* What is told by code alone, in which the builds of a version differ: no memory proves it. */
static void find_differing(const struct probe *probe, bool *differs)
{
    const struct walk_layout_row *base = probe->row[probe->base];
    for (int s = 0; s < WALK_STRUCT_COUNT; s++)
        for (size_t i = 0; i < probe->row_count && strchr(walk_struct_table[s].names, '('); i++)
            differs[s] |= minor_of(probe->row[i]) == minor_of(base) &&
                          !same_structure(&probe->row[i]->layout, &base->layout, (enum walk_struct)s);
}

static void say(struct probe *probe)
{
    bool differing[WALK_STRUCT_COUNT] = {false};
    find_differing(probe, differing);
    struct walk_runtime *runtime = probe->runtime;
    unsigned counts[ROWS_MAX] = {0};
    size_t base = 0;
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        counts[probe->origin[i]] += runtime->layout.size[i] != 0;
    for (size_t r = 0; r < probe->row_count; r++)
        if (counts[r] > counts[base])
            base = r;
    for (size_t n = 0; n < probe->row_count; n++) {
        size_t r = n == 0 ? base : n <= base ? n - 1 : n;
        bool which[WALK_STRUCT_COUNT];
        char source[80];
        for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
            which[i] = probe->origin[i] == r && runtime->layout.size[i] && (r == base || counts[r]);
        snprintf(source, sizeof source, "row of %s", probe->row[r]->name);
        add_part(runtime, source, which, r == base);
    }
    add_part(runtime, "_Py_DebugOffsets, what it covers of", probe->doubts.said, false);
    add_part(runtime, "moved until the invariants hold", probe->moved, false);
    add_part(runtime, "unproven, and other builds of the version differ", differing, false);
    add_part(runtime, "left out in part, as nothing proves it", probe->unproven, false);
    add_part(runtime, "left out, at least in part, as nothing fits", probe->dropped, false);
    runtime->other_version = other_version(probe);
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++)
        runtime->left_out |= probe->dropped[i];
    walk_runtime_from(runtime, "row of another build%s (%s), probed%s%s", runtime->other_version ? " and version" : "",
                      probe->row[base]->name,
                      memchr(probe->doubts.said, true, sizeof probe->doubts.said) ? ", with _Py_DebugOffsets" : "",
                      runtime->left_out ? "; parts of it do not fit and are left out" : "");
}

static struct walk_error *refuse(const struct probe *probe)
{
    struct walk_error *error = walk_layout_prove(probe->runtime);
    char failed[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < walk_rule_count && length < sizeof failed - 100 && !error; i++)
        if (probe->runtime->verdicts.of[i] == WALK_FAILS)
            length += (size_t)snprintf(failed + length, sizeof failed - length, "%s%s", length ? "; " : "",
                                       walk_rules[i].words);
    if (!error)
        error = walk_error_new(WALK_ERROR_LAYOUT, "it is not so that %s", failed);
    return walk_error_context(error, "the layouts of %zu other builds%s were tried, and none fits", probe->row_count,
                              probe->said_of.version ? " and _Py_DebugOffsets" : "");
}

static struct walk_error *run(struct probe *probe)
{
    struct walk_runtime *runtime = probe->runtime;
    if (!choose_base(probe))
        return walk_error_new(WALK_ERROR_LAYOUT, "no layouts of other builds are there to be tried");
    for (size_t i = 0; i < walk_rule_count; i++)
        /* What is repaired may let others be asked, before it too. */
        if (runtime->verdicts.of[i] == WALK_FAILS && repair(probe, i))
            i = (size_t)-1;
    if (runtime->verdicts.essential_failed)
        return refuse(probe);
    if (!settle(probe))
        return refuse(probe);
    say(probe);
    return NULL;
}

struct walk_error *walk_runtime_probe(struct walk_runtime *runtime, walk_row_wanted *wanted)
{
    struct probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return walk_error_no_memory();
    probe->runtime = runtime;
    walk_debug_offsets_head(&runtime->image->memory, runtime->runtime, &probe->said_of);
    probe->minor =
        probe->said_of.version ? (probe->said_of.version >> 16) & 0xff : minor_in_name(runtime->module->path);
    walk_proof_begin(&probe->proof, runtime);
    load_rows(probe, wanted);
    struct walk_error *error = run(probe);
    for (size_t i = 0; i < probe->row_count; i++)
        walk_layout_row_free(probe->row[i]);
    free(probe);
    return error;
}
