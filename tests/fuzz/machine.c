/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine RUNS SEED [CORE]: runs what is no honest function, again and again. Whatever it does, it must end within its
 * budget, leave the target as it was, and do the same when it is run again. Build it with the sanitizers (make
 * fuzz-machine).
 *
 * Run i uses the seed SEED + i; a report names the seed, and `machine 1 S` repeats it. A run is one of: bytes at
 * random; bytes with the shape of instructions; functions of this program with some bytes changed; and, with a core,
 * tp_traverse of its types over objects with some words changed, or with some bytes of the function changed. Registers
 * point to data mostly.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/execute.h"
#include "machine/natives.h"
#include "objects/target.h"
#include "rng.h"

enum {
    SECONDS = 10,
    BUDGET = 3000,
    REFERENTS = 200,
    CODE_SIZE = 4096,
    DATA_SIZE = 64 << 10,
    CHANGES = 16,
    SHAPED_SIZE = 400
};
#define CODE UINT64_C(0x401000)
#define DATA UINT64_C(0x7f0000000000)
#define CONSTANT UINT64_C(0x7f0000100000)

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct fuzz {
    struct rng rng;
    uint8_t code[CODE_SIZE], data[DATA_SIZE], constant[CODE_SIZE], before[DATA_SIZE];
    struct walk_image image;
    struct walk_machine *machine;
    struct walk_target *target; /* of the core, or NULL */
    struct walk_machine *core_machine;
    uint64_t faults[WALK_FAULT_COUNT], referents, instructions;
};

/* ---- what is said when it goes wrong ---- */

static uint64_t current_seed;

static void say_seed(void)
{
    char line[64];
    int length = snprintf(line, sizeof line, "\nmachine: seed %" PRIu64 "\n", current_seed);
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        _exit(3);
}

static void on_alarm(int number)
{
    (void)number;
    say_seed();
    _exit(97);
}

static void broken(const char *what)
{
    fprintf(stderr, "machine: %s\n", what);
    say_seed();
    _exit(98);
}

static void die_of(struct walk_error *error)
{
    if (!error)
        return;
    fprintf(stderr, "machine: %s\n", walk_error_message(error));
    exit(2);
}

/* ---- code ---- */

static void any_bytes(struct fuzz *fuzz)
{
    for (size_t i = 0; i < CODE_SIZE; i += 8) {
        uint64_t word = rng_next(&fuzz->rng);
        memcpy(fuzz->code + i, &word, 8);
    }
}

/* An instruction's shape: prefixes, an opcode of some map, a ModRM byte with little displacement, an immediate. */
static size_t any_instruction(struct rng *rng, uint8_t *code)
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0x64, 0x67, 0xf0, 0x2e};
    size_t size = 0;
    while (rng_below(rng, 5) == 0 && size < 3)
        code[size++] = prefixes[rng_below(rng, sizeof prefixes)];
    if (rng_below(rng, 2))
        code[size++] = (uint8_t)(0x40 + rng_below(rng, 16));
    uint64_t map = rng_below(rng, 8);
    if (map >= 5)
        code[size++] = 0x0f;
    if (map == 7)
        code[size++] = rng_below(rng, 2) ? 0x38 : 0x3a;
    code[size++] = (uint8_t)rng_next(rng);
    uint8_t modrm = (uint8_t)rng_next(rng);
    if (modrm >> 6 == 2 || ((modrm & 0xc7) == 5 && rng_below(rng, 4)))
        modrm = (uint8_t)(modrm ^ 0xc0);
    code[size++] = modrm;
    for (uint64_t more = rng_below(rng, 4); more; more--)
        code[size++] = (uint8_t)(rng_below(rng, 2) ? rng_below(rng, 64) : rng_next(rng));
    return size;
}

/* Of those that end a run most are left out. */
static void any_instructions(struct fuzz *fuzz)
{
    memset(fuzz->code, 0xc3, CODE_SIZE);
    for (size_t at = 0; at < SHAPED_SIZE;) {
        struct walk_op op;
        size_t size = any_instruction(&fuzz->rng, fuzz->code + at);
        walk_op_decode(fuzz->code + at, size, CODE + at, &op);
        if (op.code != WALK_OP_FAULT || rng_below(&fuzz->rng, 40) == 0)
            at += op.code == WALK_OP_FAULT ? size : op.length;
    }
}

static void change_bytes(struct rng *rng, uint8_t *bytes, size_t size)
{
    for (uint64_t count = rng_below(rng, CHANGES); count; count--) {
        uint8_t *byte = bytes + rng_below(rng, size);
        *byte = rng_below(rng, 2) ? (uint8_t)rng_next(rng) : (uint8_t)(*byte ^ 1u << rng_below(rng, 8));
    }
}

/* A function of this program, or a bit of it, at another place. */
static void changed_function(struct fuzz *fuzz)
{
    static void (*const functions[])(void) = {(void (*)(void))walk_machine_run, (void (*)(void))walk_integer_run,
                                              (void (*)(void))walk_string_run,  (void (*)(void))walk_space_read_any,
                                              (void (*)(void))walk_native_run,  (void (*)(void))walk_machine_call,
                                              (void (*)(void))walk_memory_view, (void (*)(void))walk_python_type};
    const uint8_t *from =
        (const uint8_t *)(uintptr_t)functions[rng_below(&fuzz->rng, sizeof functions / sizeof *functions)];
    memcpy(fuzz->code, from + rng_below(&fuzz->rng, 32), 512);
    memset(fuzz->code + 512, 0xc3, CODE_SIZE - 512);
    change_bytes(&fuzz->rng, fuzz->code, 512);
}

/* ---- registers and runs ---- */

static uint64_t any_value(struct fuzz *fuzz)
{
    struct rng *rng = &fuzz->rng;
    static const uint64_t odd[] = {0, 1, 8, UINT64_MAX, INT64_MAX, 1ull << 63, 0x80000000, WALK_MACHINE_VISIT, CODE};
    switch (rng_below(rng, 8)) {
    case 0:
        return odd[rng_below(rng, sizeof odd / sizeof *odd)];
    case 1:
        return rng_next(rng) >> rng_below(rng, 64);
    case 2:
        return CONSTANT + rng_below(rng, CODE_SIZE);
    case 3:
        return WALK_MACHINE_NATIVE(rng_below(rng, WALK_NATIVE_COUNT + 1));
    case 4:
        return fuzz->machine->space.private_start - 64 + rng_below(rng, WALK_PRIVATE_SIZE + 128);
    default:
        return DATA + rng_below(rng, DATA_SIZE) / 8 * 8;
    }
}

struct registers {
    uint64_t general[WALK_REGISTERS];
    union walk_vector vector[16];
    bool backwards;
};

static void start(struct walk_machine *machine, const struct registers *registers)
{
    walk_space_reset(&machine->space);
    memcpy(machine->general, registers->general, sizeof machine->general);
    memcpy(machine->vector, registers->vector, sizeof machine->vector);
    machine->backwards = registers->backwards;
    machine->fs = walk_space_thread(&machine->space);
    machine->left = BUDGET;
    machine->referent_count = 0;
    machine->most_referents = REFERENTS;
    walk_flags_set(&machine->flags, 0);
    walk_machine_push(machine, WALK_MACHINE_RETURN);
}

static void check(struct fuzz *fuzz, const struct walk_machine *machine, const struct walk_outcome *outcome)
{
    if (outcome->fault >= WALK_FAULT_COUNT || outcome->instructions > BUDGET || machine->referent_count > REFERENTS)
        broken("more than the call may do");
    fuzz->faults[outcome->fault]++;
    fuzz->referents += machine->referent_count;
    fuzz->instructions += outcome->instructions;
}

static void run_code(struct fuzz *fuzz)
{
    struct walk_machine *machine = fuzz->machine;
    struct registers registers;
    struct walk_outcome first, second;
    memset(&registers, 0, sizeof registers);
    for (unsigned i = 0; i < 16; i++) {
        registers.general[i] = any_value(fuzz);
        registers.vector[i].u8[0] = any_value(fuzz);
    }
    registers.backwards = rng_below(&fuzz->rng, 4) == 0;
    if (rng_below(&fuzz->rng, 4))
        registers.general[WALK_RSP] = walk_space_stack(&machine->space);
    walk_blocks_forget(&machine->blocks);
    start(machine, &registers);
    walk_machine_run(machine, CODE, &first);
    uint64_t rsp = machine->general[WALK_RSP];
    check(fuzz, machine, &first);
    start(machine, &registers);
    walk_machine_run(machine, CODE, &second);
    if (first.fault != second.fault || first.pc != second.pc || first.address != second.address ||
        first.instructions != second.instructions || first.result != second.result || rsp != machine->general[WALK_RSP])
        broken("the second run was another");
    if (memcmp(fuzz->data, fuzz->before, DATA_SIZE) != 0)
        broken("the target was written");
}

/* ---- over a core ---- */

/* Bytes of the core, which are mapped privately, to be changed. NULL: they are not there. */
static uint8_t *writable(struct fuzz *fuzz, walk_addr address, size_t size)
{
    uint8_t *bytes = (uint8_t *)(uintptr_t)walk_memory_view(&fuzz->target->image.memory, address, size);
    uintptr_t page = (uintptr_t)bytes & ~(uintptr_t)4095, end = ((uintptr_t)bytes + size + 4095) & ~(uintptr_t)4095;
    if (!bytes || mprotect((void *)page, end - page, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    return bytes;
}

struct change {
    uint8_t *bytes;
    uint8_t old[256];
    size_t size;
};

static void keep(struct change *change, uint8_t *bytes, size_t size)
{
    change->bytes = bytes;
    change->size = size;
    memcpy(change->old, bytes, size);
}

/* Words of an object, or of what it points to. */
static void change_objects(struct fuzz *fuzz, walk_addr object, struct change *changes, size_t *count)
{
    struct walk_memory *memory = &fuzz->target->image.memory;
    const struct walk_python *python = &fuzz->target->python;
    struct rng *rng = &fuzz->rng;
    for (uint64_t left = 1 + rng_below(rng, 4); left; left--) {
        uint64_t next, value;
        walk_addr at = object;
        for (uint64_t hops = rng_below(rng, 3); hops; hops--)
            if (walk_memory_word(memory, at + rng_below(rng, 12) * 8, &next) && walk_memory_segment(memory, next))
                at = next;
        uint8_t *word = writable(fuzz, at + rng_below(rng, 12) * 8, 8);
        if (!word)
            continue;
        keep(&changes[(*count)++], word, 8);
        switch (rng_below(rng, 4)) {
        case 0:
            value = python->tracked[rng_below(rng, python->tracked_count)];
            break;
        case 1:
            value = walk_load_u64(word) ^ UINT64_C(1) << rng_below(rng, 64);
            break;
        default:
            value = rng_next(rng) >> rng_below(rng, 64);
            break;
        }
        memcpy(word, &value, 8);
    }
}

static void run_core(struct fuzz *fuzz)
{
    const struct walk_python *python = &fuzz->target->python;
    struct rng *rng = &fuzz->rng;
    struct change changes[8];
    size_t count = 0;
    struct walk_outcome outcome;
    walk_addr object = python->tracked[rng_below(rng, python->tracked_count)];
    walk_addr other = rng_below(rng, 4) ? object : python->tracked[rng_below(rng, python->tracked_count)];
    walk_addr function = WALK_MEMBER(python, walk_python_ob_type(python, other), type, tp_traverse);
    bool change_code = rng_below(rng, 2);
    uint8_t *code = change_code ? writable(fuzz, function, sizeof changes->old) : NULL;
    if (code) {
        keep(&changes[count++], code, sizeof changes->old);
        change_bytes(rng, code, sizeof changes->old);
        walk_blocks_forget(&fuzz->core_machine->blocks);
    }
    if (!code || rng_below(rng, 2))
        change_objects(fuzz, object, changes, &count);
    struct walk_call call = {.function = function,
                             .argument = {object, WALK_MACHINE_VISIT},
                             .thread_pointer = rng_below(rng, 2) && fuzz->target->image.lwp_count
                                                   ? fuzz->target->image.lwps[0].thread_pointer
                                                   : 0,
                             .budget = BUDGET,
                             .most_referents = REFERENTS};
    walk_machine_call(fuzz->core_machine, &call, &outcome);
    check(fuzz, fuzz->core_machine, &outcome);
    while (count--)
        memcpy(changes[count].bytes, changes[count].old, changes[count].size);
    if (code)
        walk_blocks_forget(&fuzz->core_machine->blocks);
}

/* ---- ---- */

static void add_segment(struct fuzz *fuzz, walk_addr start, uint64_t size, uint8_t *data, unsigned flags)
{
    struct walk_segment segment = {.start = start, .end = start + size, .data = data, .flags = flags};
    die_of(walk_memory_add(&fuzz->image.memory, &segment));
}

static void open_all(struct fuzz *fuzz, const char *core)
{
    struct rng rng = {4711};
    for (size_t i = 0; i < DATA_SIZE; i += 8) {
        uint64_t value = rng_below(&rng, 3) ? DATA + rng_below(&rng, DATA_SIZE) : rng_below(&rng, 100);
        memcpy(fuzz->data + i, &value, 8);
    }
    memcpy(fuzz->constant, fuzz->data, CODE_SIZE);
    memcpy(fuzz->before, fuzz->data, DATA_SIZE);
    walk_memory_init(&fuzz->image.memory, 8);
    add_segment(fuzz, CODE, CODE_SIZE, fuzz->code, WALK_SEGMENT_EXEC);
    add_segment(fuzz, DATA, DATA_SIZE, fuzz->data, WALK_SEGMENT_WRITE);
    add_segment(fuzz, CONSTANT, CODE_SIZE, fuzz->constant, 0);
    die_of(walk_memory_seal(&fuzz->image.memory));
    die_of(walk_machine_open(&fuzz->image, &fuzz->machine));
    if (!core)
        return;
    die_of(walk_target_open_core(core, NULL, &fuzz->target));
    die_of(walk_machine_open(&fuzz->target->image, &fuzz->core_machine));
    if (!fuzz->target->python.tracked_count)
        fuzz->target = NULL;
}

static void run_one(struct fuzz *fuzz, uint64_t seed)
{
    current_seed = seed;
    fuzz->rng.state = seed * UINT64_C(0x100000001b3);
    alarm(SECONDS);
    switch (rng_below(&fuzz->rng, fuzz->target ? 6 : 4)) {
    case 0:
        any_bytes(fuzz);
        run_code(fuzz);
        break;
    case 1:
    case 2:
        any_instructions(fuzz);
        run_code(fuzz);
        break;
    case 3:
        changed_function(fuzz);
        run_code(fuzz);
        break;
    default:
        run_core(fuzz);
        break;
    }
}

int main(int argc, char **argv)
{
    static struct fuzz fuzz;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: machine RUNS SEED [CORE]\n");
        return 2;
    }
    uint64_t runs = strtoull(argv[1], NULL, 10), seed = strtoull(argv[2], NULL, 10);
    open_all(&fuzz, argc == 4 ? argv[3] : NULL);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(say_seed);
    signal(SIGALRM, on_alarm);
    for (uint64_t i = 0; i < runs; i++)
        run_one(&fuzz, seed + i);
    alarm(0);
    printf("%" PRIu64 " runs, %" PRIu64 " instructions, %" PRIu64 " visits\n", runs, fuzz.instructions, fuzz.referents);
    for (unsigned i = 0; i < WALK_FAULT_COUNT; i++)
        if (fuzz.faults[i])
            printf("%10" PRIu64 "  %s\n", fuzz.faults[i], i ? walk_fault_name(i) : "returned");
    walk_machine_close(fuzz.machine);
    walk_memory_deinit(&fuzz.image.memory);
    walk_machine_close(fuzz.core_machine);
    walk_target_close(fuzz.target);
    return 0;
}
