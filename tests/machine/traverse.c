/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traverse CORE|PID         runs tp_traverse of the objects whose addresses (hex, one a line) are on stdin; prints of
 *                           each what gc.get_referents() would give: ADDRESS, "-" or what went wrong, REFERENT,…
 * traverse --time CORE|PID  runs it for every tracked object and prints per type: objects, microseconds, instructions
 *                           and referents per object, faults, name
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machine/machine.h"
#include "objects/target.h"

enum { BUDGET = 100000, BUDGET_PER_ITEM = 1000, REFERENTS_MAX = 1 << 26 };

static void die_of(struct walk_error *error)
{
    if (!error)
        return;
    fprintf(stderr, "traverse: %s\n", walk_error_message(error));
    exit(2);
}

static void call(struct walk_target *target, struct walk_machine *machine, walk_addr function, walk_addr object,
                 struct walk_outcome *outcome)
{
    uint64_t items = WALK_MEMBER(&target->python, object, var_object, ob_size);
    struct walk_call call = {.function = function,
                             .argument = {object, WALK_MACHINE_VISIT},
                             .thread_pointer = target->image.lwp_count ? target->image.lwps[0].thread_pointer : 0,
                             .budget = BUDGET + BUDGET_PER_ITEM * (items < 1 << 20 ? items : 1 << 20),
                             .most_referents = REFERENTS_MAX};
    walk_machine_call(machine, &call, outcome);
}

/* As gc.get_referents(): nothing for what the collector does not manage. */
static bool traverse(struct walk_target *target, struct walk_machine *machine, walk_addr object,
                     struct walk_outcome *outcome)
{
    const struct walk_python *python = &target->python;
    walk_addr type = walk_python_ob_type(python, object);
    walk_addr is_gc = WALK_MEMBER(python, type, type, tp_is_gc);
    walk_addr function = WALK_MEMBER(python, type, type, tp_traverse);
    *outcome = (struct walk_outcome){0};
    if (!(WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_HAVE_GC) || !function)
        return false;
    if (is_gc) {
        call(target, machine, is_gc, object, outcome);
        if (outcome->fault)
            return true;
        if (!(int32_t)outcome->result)
            return false;
    }
    call(target, machine, function, object, outcome);
    return true;
}

static void print_objects(struct walk_target *target, struct walk_machine *machine)
{
    walk_addr object;
    while (scanf("%" SCNx64, &object) == 1) {
        struct walk_outcome outcome;
        const char *comma = "";
        traverse(target, machine, object, &outcome);
        printf("%" PRIx64 "\t", object);
        if (outcome.fault)
            printf("%s at %" PRIx64 ": %" PRIx64, walk_fault_name(outcome.fault), outcome.pc, outcome.address);
        printf("%s\t", outcome.fault ? "" : "-");
        for (size_t i = 0; i < outcome.referent_count; i++, comma = ",")
            printf("%s%" PRIx64, comma, outcome.referents[i]);
        printf("\n");
    }
}

struct sum {
    uint64_t objects, instructions, referents, faults;
    double seconds;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The tracked objects, those of type 1 first. */
static walk_addr *sort_by_type(const struct walk_python *python, const uint32_t *types, const struct sum *sums)
{
    walk_addr *sorted = calloc(python->tracked_count + 1, sizeof *sorted);
    size_t *next = calloc(python->type_count + 2, sizeof *next);
    if (!sorted || !next)
        die_of(walk_error_no_memory());
    for (uint32_t t = 1; t <= python->type_count; t++)
        next[t + 1] = next[t] + sums[t].objects;
    for (size_t i = 0; i < python->tracked_count; i++)
        if (types[i])
            sorted[next[types[i]]++] = python->tracked[i];
    free(next);
    return sorted;
}

static void time_types(struct walk_target *target, struct walk_machine *machine)
{
    struct walk_python *python = &target->python;
    uint32_t type;
    uint32_t *types = calloc(python->tracked_count + 1, sizeof *types);
    if (!types)
        die_of(walk_error_no_memory());
    for (size_t i = 0; i < python->tracked_count; i++)
        types[i] = walk_python_type_of(python, python->tracked[i], &type) ? type + 1 : 0;
    struct sum *sums = calloc(python->type_count + 1, sizeof *sums), all = {0};
    struct walk_outcome outcome;
    if (!sums)
        die_of(walk_error_no_memory());
    for (size_t i = 0; i < python->tracked_count; i++) {
        traverse(target, machine, python->tracked[i], &outcome); /* the code is decoded now */
        struct sum *sum = &sums[types[i]];
        sum->objects++;
        sum->instructions += outcome.instructions;
        sum->referents += outcome.referent_count;
        sum->faults += outcome.fault != 0;
    }
    double start = now();
    for (size_t i = 0; i < python->tracked_count; i++)
        traverse(target, machine, python->tracked[i], &outcome);
    all.seconds = now() - start;
    walk_addr *sorted = sort_by_type(python, types, sums);
    for (uint32_t t = 1, first = 0; t <= python->type_count; first += sums[t++].objects) {
        start = now();
        uint64_t rounds = 0;
        for (; sums[t].objects && now() - start < 0.002; rounds++)
            for (size_t i = 0; i < sums[t].objects; i++)
                traverse(target, machine, sorted[first + i], &outcome);
        sums[t].seconds = rounds ? (now() - start) / (double)rounds : 0;
    }
    free(sorted);
    for (uint32_t t = 1; t <= python->type_count; t++) {
        const struct sum *sum = &sums[t];
        double count = (double)sum->objects;
        if (sum->objects)
            printf("%" PRIu64 "\t%.3f\t%.0f\t%.1f\t%" PRIu64 "\t%s\n", sum->objects, sum->seconds / count * 1e6,
                   (double)sum->instructions / count, (double)sum->referents / count, sum->faults,
                   python->types[t - 1].name);
        all.objects += sum->objects;
        all.instructions += sum->instructions;
        all.referents += sum->referents;
        all.faults += sum->faults;
    }
    double count = (double)all.objects;
    printf("%" PRIu64 "\t%.3f\t%.0f\t%.1f\t%" PRIu64 "\tall\n", all.objects, all.seconds / count * 1e6,
           (double)all.instructions / count, (double)all.referents / count, all.faults);
    free(types);
    free(sums);
}

int main(int argc, char **argv)
{
    bool times = argc == 3 && strcmp(argv[1], "--time") == 0;
    if (argc != (times ? 3 : 2)) {
        fprintf(stderr, "usage: traverse [--time] CORE|PID\n");
        return 2;
    }
    struct walk_options options = {.sysroot = getenv("WALK_SYSROOT"), .debug_dirs = getenv("WALK_DEBUG_DIRS")};
    struct walk_target *target;
    struct walk_machine *machine;
    char *end;
    long pid = strtol(argv[argc - 1], &end, 10);
    die_of(*end ? walk_target_open_core(argv[argc - 1], &options, &target)
                : walk_target_open_process((int)pid, &options, &target));
    die_of(walk_machine_open(&target->image, &machine));
    if (times)
        time_types(target, machine);
    else
        print_objects(target, machine);
    walk_machine_close(machine);
    walk_target_close(target);
    return 0;
}
