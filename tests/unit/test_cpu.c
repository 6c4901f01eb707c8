/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine against the processor: an instruction with random operands is run by both, from the same registers over
 * the same bytes at the same addresses. Registers, defined flags and memory must be the same then, and so must be
 * whether it faults. WALK_CASES=n runs n times as many cases, WALK_SEED=n other ones.
 */
#include <inttypes.h>

#include "machine/execute.h"
#include "machine/natives.h"
#include "machine/vector.h"
#include "unit.h"

#ifdef __x86_64__

#include <Zydis/Zydis.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, CASES = 50, MIDDLE = 256, DATA = 512, REGISTERS = 16 };

enum special { ANY, SHIFT, ROTATE, DOUBLE, DIVIDE, BIT, EXPECT, STRING, COUNT, RBP, FLAGS, VECTOR_COUNT };
enum feature { ALL, POPCNT, LZCNT, BMI, BMI2, SSE3, SSSE3, SSE41, SSE42 };

struct instruction {
    const char *name, *operands, *widths;
    ZydisMnemonic mnemonic;
    unsigned undefined;
    enum special special;
    enum feature feature;
    uint8_t bytes[16]; /* when there are no widths */
    size_t size;
};

#define F(mnemonic, operands, widths, undefined, special, feature)                                                     \
    {#mnemonic, operands, widths, ZYDIS_MNEMONIC_##mnemonic, undefined, special, feature, {0}, 0},
#define R(name, undefined, special, ...)                                                                               \
    {name,    NULL, NULL,          ZYDIS_MNEMONIC_INVALID,          undefined,                                         \
     special, ALL,  {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})},
static const struct instruction instructions[] = {
#include "data_instructions.inc"
};
enum { INSTRUCTIONS = sizeof instructions / sizeof *instructions };

static bool has(enum feature feature)
{
    unsigned a, b, c, d, seven = 0, one = 0, extended = 0;
    if (__get_cpuid(1, &a, &b, &c, &d))
        one = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        seven = b;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        extended = c;
    switch (feature) {
    case POPCNT:
        return one >> 23 & 1;
    case LZCNT:
        return extended >> 5 & 1;
    case BMI:
        return seven >> 3 & 1;
    case BMI2:
        return seven >> 8 & 1;
    case SSE3:
        return one & 1;
    case SSSE3:
        return one >> 9 & 1;
    case SSE41:
        return one >> 19 & 1;
    case SSE42:
        return one >> 20 & 1;
    default:
        return true;
    }
}

/* ck_assert_msg() writes a note for each assertion that holds. */
#define require(condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)

/* ---- the processor ---- */

struct state {
    uint64_t general[REGISTERS];
    union walk_vector vector[REGISTERS];
    uint64_t flags;
};

/* Known to the code below by these names. */
struct state cpu_state __attribute__((visibility("hidden")));
uint64_t cpu_code __attribute__((visibility("hidden"))), cpu_stack __attribute__((visibility("hidden")));
void cpu_run(void);
void cpu_leave(void);

#define MOVE_VECTORS(from, to)                                                                                         \
    from(0, to) from(1, to) from(2, to) from(3, to) from(4, to) from(5, to) from(6, to) from(7, to) from(8, to)        \
        from(9, to) from(10, to) from(11, to) from(12, to) from(13, to) from(14, to) from(15, to)
#define LOAD(n, unused) "movups 128+16*" #n "(%rax), %xmm" #n "\n"
#define SAVE(n, unused) "movups %xmm" #n ", 128+16*" #n "(%rax)\n"

/* Loads all registers and jumps to cpu_code, which jumps to cpu_leave: that saves all registers and returns. */
__asm__(".text\n.globl cpu_run\n.type cpu_run, @function\ncpu_run:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, cpu_stack(%rip)\nlea cpu_state(%rip), %rax\n" MOVE_VECTORS(LOAD, ) //
        "push 384(%rax)\npopf\n"
        "mov 8(%rax), %rcx\nmov 16(%rax), %rdx\nmov 24(%rax), %rbx\nmov 32(%rax), %rsp\nmov 40(%rax), %rbp\n"
        "mov 48(%rax), %rsi\nmov 56(%rax), %rdi\nmov 64(%rax), %r8\nmov 72(%rax), %r9\nmov 80(%rax), %r10\n"
        "mov 88(%rax), %r11\nmov 96(%rax), %r12\nmov 104(%rax), %r13\nmov 112(%rax), %r14\nmov 120(%rax), %r15\n"
        "mov (%rax), %rax\njmp *cpu_code(%rip)\n"
        ".globl cpu_leave\n.type cpu_leave, @function\ncpu_leave:\n"
        "mov %rax, cpu_state(%rip)\nlea cpu_state(%rip), %rax\n"
        "mov %rcx, 8(%rax)\nmov %rdx, 16(%rax)\nmov %rbx, 24(%rax)\nmov %rsp, 32(%rax)\nmov %rbp, 40(%rax)\n"
        "mov %rsi, 48(%rax)\nmov %rdi, 56(%rax)\nmov %r8, 64(%rax)\nmov %r9, 72(%rax)\nmov %r10, 80(%rax)\n"
        "mov %r11, 88(%rax)\nmov %r12, 96(%rax)\nmov %r13, 104(%rax)\nmov %r14, 112(%rax)\nmov %r15, 120(%rax)\n"
        "mov cpu_stack(%rip), %rsp\npushf\npop 384(%rax)\ncld\n" MOVE_VECTORS(SAVE, ) //
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static volatile sig_atomic_t cpu_signal;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    cpu_signal = number;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)cpu_leave;
}

static void catch_signals(void)
{
    static uint8_t stack[64 << 10];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t where = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&where, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* ---- where both run: a page of code and one of data, at addresses that 32 bits hold ---- */

struct bench {
    uint8_t *page;                  /* of the processor: code, then data */
    uint8_t code[PAGE], data[PAGE]; /* of the machine */
    struct walk_image image;
    struct walk_machine *machine;
    struct rng rng;
    int cases;
    bool op_seen[WALK_OP_COUNT], vector_seen[WALK_VECTOR_COUNT];
};

static walk_addr code_at(const struct bench *bench) { return (walk_addr)(uintptr_t)bench->page; }
static walk_addr data_at(const struct bench *bench) { return code_at(bench) + PAGE; }

static void open_bench(struct bench *bench)
{
    bench->page =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    ck_assert_ptr_ne(bench->page, MAP_FAILED);
    struct walk_segment code = {.start = code_at(bench),
                                .end = code_at(bench) + PAGE,
                                .data = bench->code,
                                .kind = WALK_SEGMENT_SAVED,
                                .flags = WALK_SEGMENT_EXEC};
    struct walk_segment data = {.start = data_at(bench),
                                .end = data_at(bench) + PAGE,
                                .data = bench->data,
                                .kind = WALK_SEGMENT_SAVED,
                                .flags = WALK_SEGMENT_WRITE};
    walk_memory_init(&bench->image.memory, 8);
    assert_good(walk_memory_add(&bench->image.memory, &code));
    assert_good(walk_memory_add(&bench->image.memory, &data));
    assert_good(walk_memory_seal(&bench->image.memory));
    assert_good(walk_machine_open(&bench->image, &bench->machine));
    catch_signals();
}

static void close_bench(struct bench *bench)
{
    walk_machine_close(bench->machine);
    walk_memory_deinit(&bench->image.memory);
    munmap(bench->page, 2 * PAGE);
}

/* ---- an instruction with random operands ---- */

/* Registers that an address needs get their values last. */
struct wanted {
    unsigned count, number[4];
    uint64_t value[4];
};

static uint64_t any_value(struct bench *bench)
{
    static const uint64_t odd[] = {0,          1,           2,         0x7f,        0x80,       0xff,
                                   0x7fff,     0x8000,      0xffff,    0x7fffffff,  0x80000000, 0xffffffff,
                                   INT64_MAX,  1ull << 63,  ~0ull,     ~0ull << 31, ~0ull << 7, 0x8000000080000000,
                                   0x10000000, 0xfffffffe0, 0x5a5a5a5a};
    struct rng *rng = &bench->rng;
    switch (rng_below(rng, 4)) {
    case 0:
        return odd[rng_below(rng, sizeof odd / sizeof *odd)];
    case 1:
        return data_at(bench) + MIDDLE + rng_below(rng, DATA);
    case 2:
        return rng_next(rng) >> rng_below(rng, 64);
    default:
        return rng_next(rng);
    }
}

static ZydisRegister general(unsigned number, unsigned width, struct rng *rng)
{
    switch (width) {
    case 1:
        if (number < 4 && rng_below(rng, 2))
            return (ZydisRegister)(ZYDIS_REGISTER_AH + number);
        return (ZydisRegister)(number < 4 ? ZYDIS_REGISTER_AL + number : ZYDIS_REGISTER_SPL + number - 4);
    case 2:
        return (ZydisRegister)(ZYDIS_REGISTER_AX + number);
    case 4:
        return (ZydisRegister)(ZYDIS_REGISTER_EAX + number);
    default:
        return (ZydisRegister)(ZYDIS_REGISTER_RAX + number);
    }
}

static void want(struct wanted *wanted, unsigned number, uint64_t value)
{
    wanted->number[wanted->count] = number;
    wanted->value[wanted->count++] = value;
}

/* An address in the data: absolute, relative to RIP, with base, index, both; sometimes of 32 bits. */
static void any_memory(struct bench *bench, ZydisEncoderOperand *operand, unsigned width, struct wanted *wanted)
{
    struct rng *rng = &bench->rng;
    unsigned kind = (unsigned)rng_below(rng, 8), base = (unsigned)rng_below(rng, REGISTERS);
    unsigned index = (unsigned)rng_below(rng, REGISTERS), scale = 1u << rng_below(rng, 4);
    int64_t displacement =
        (int64_t)rng_below(rng, 2) * ((int64_t)rng_below(rng, rng_below(rng, 2) ? 200 : 1 << 20) - 100);
    walk_addr at = data_at(bench) + MIDDLE + rng_below(rng, DATA);
    unsigned address = rng_below(rng, 8) ? 8 : 4;
    uint64_t offset = rng_below(rng, 64) - 32;
    if (rng_below(rng, 2))
        at -= at % (width ? width : 1);
    if (index == WALK_RSP || index == base)
        index = base == WALK_RAX ? WALK_RDX : WALK_RAX;
    operand->type = ZYDIS_OPERAND_TYPE_MEMORY;
    operand->mem.size = (ZyanU16)width;
    if (kind == 0) {
        operand->mem.base = ZYDIS_REGISTER_RIP;
        operand->mem.displacement = (int64_t)at;
        return;
    }
    if (kind == 1) {
        operand->mem.displacement = (int64_t)at;
        return;
    }
    operand->mem.displacement = displacement;
    if (kind < 6) {
        operand->mem.base = general(base, address, rng);
        operand->mem.index = kind < 4 ? ZYDIS_REGISTER_NONE : general(index, address, rng);
        operand->mem.scale = (ZyanU8)(kind < 4 ? 0 : scale);
        if (kind >= 4)
            want(wanted, index, offset);
        want(wanted, base, at - (uint64_t)displacement - (kind >= 4 ? offset * scale : 0));
    } else {
        operand->mem.index = general(index, address, rng);
        operand->mem.scale = (ZyanU8)scale;
        operand->mem.displacement = (int64_t)(at - scale * 5);
        want(wanted, index, 5);
    }
}

static void any_operand(struct bench *bench, ZydisEncoderOperand *operand, char kind, unsigned width,
                        struct wanted *wanted)
{
    struct rng *rng = &bench->rng;
    bool memory = kind == 'm' || ((kind == 'e' || kind == 'X') && rng_below(rng, 2));
    if (memory) {
        any_memory(bench, operand, width, wanted);
        return;
    }
    operand->type = strchr("rexXc", kind) ? ZYDIS_OPERAND_TYPE_REGISTER : ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (kind) {
    case 'c':
        operand->reg.value = ZYDIS_REGISTER_CL;
        break;
    case 'x':
    case 'X':
        operand->reg.value = (ZydisRegister)(ZYDIS_REGISTER_XMM0 + rng_below(rng, REGISTERS));
        break;
    case 'r':
    case 'e':
        operand->reg.value = general((unsigned)rng_below(rng, REGISTERS), width, rng);
        break;
    case '1':
        operand->imm.s = 1;
        break;
    case 'b':
        operand->imm.s = width == 1 ? (int64_t)rng_below(rng, 256) - 128 : (int8_t)any_value(bench);
        if (width == 1)
            operand->imm.u &= 0xff;
        break;
    case 'q':
        operand->imm.u = any_value(bench);
        break;
    default:
        operand->imm.s = width == 1   ? (int8_t)any_value(bench)
                         : width == 2 ? (int16_t)any_value(bench)
                                      : (int32_t)any_value(bench);
        break;
    }
}

/* False: these operands cannot be encoded together (AH with REX, …). */
static bool encode(struct bench *bench, const struct instruction *instruction, unsigned width, struct wanted *wanted,
                   uint8_t *bytes, size_t *size)
{
    ZydisEncoderRequest request = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = instruction->mnemonic};
    wanted->count = 0;
    for (const char *at = instruction->operands; *at; at += *at == ' ') {
        char kind = *at++;
        unsigned own = 0;
        while (*at >= '0' && *at <= '9')
            own = own * 10 + (unsigned)(*at++ - '0');
        any_operand(bench, &request.operands[request.operand_count++], kind, own ? own : width, wanted);
    }
    if (instruction->mnemonic == ZYDIS_MNEMONIC_LEA)
        request.operands[1].mem.size = 8;
    /* A bit's number that is an address would reach far beyond the data. */
    if (instruction->special == BIT && request.operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
        unsigned number = (unsigned)ZydisRegisterGetId(request.operands[1].reg.value);
        for (unsigned i = 0; i < wanted->count; i++)
            if (number == wanted->number[i])
                return false;
        if (number == WALK_RSP)
            return false;
    }
    ZyanUSize length = ZYDIS_MAX_INSTRUCTION_LENGTH;
    if (!ZYAN_SUCCESS(ZydisEncoderEncodeInstructionAbsolute(&request, bytes, &length, code_at(bench))))
        return false;
    *size = length;
    return true;
}

/* ---- a case ---- */

static void any_state(struct bench *bench, const struct instruction *instruction, const struct wanted *wanted,
                      struct state *state)
{
    struct rng *rng = &bench->rng;
    for (unsigned i = 0; i < REGISTERS; i++) {
        state->general[i] = any_value(bench);
        state->vector[i].u8[0] = any_value(bench);
        state->vector[i].u8[1] = any_value(bench);
    }
    state->flags = (rng_next(rng) & WALK_STATUS) | 0x202;
    state->general[WALK_RSP] = data_at(bench) + MIDDLE + rng_below(rng, DATA / 8) * 8;
    switch (instruction->special) {
    case SHIFT:
    case ROTATE:
    case DOUBLE:
        state->general[WALK_RCX] = rng_below(rng, 4) ? rng_below(rng, 34) : state->general[WALK_RCX];
        break;
    case DIVIDE:
        state->general[WALK_RDX] = rng_below(rng, 3) ? rng_below(rng, 3) - 1 : state->general[WALK_RDX];
        break;
    case BIT:
        for (unsigned i = 0; i < REGISTERS; i++)
            state->general[i] = i == WALK_RSP ? state->general[i] : rng_below(rng, 1024) - 512;
        break;
    case EXPECT:
        for (unsigned i = 0; i < REGISTERS; i++)
            state->general[i] = i == WALK_RSP || rng_below(rng, 2) ? state->general[i] : 5;
        break;
    case STRING:
        state->general[WALK_RSI] = data_at(bench) + MIDDLE + rng_below(rng, DATA);
        state->general[WALK_RDI] = data_at(bench) + MIDDLE + rng_below(rng, DATA);
        state->general[WALK_RCX] = rng_below(rng, 20);
        state->flags |= rng_below(rng, 2) ? WALK_DIRECTION : 0;
        break;
    case COUNT:
        state->general[WALK_RCX] = rng_below(rng, 4) + (rng_below(rng, 2) << 32);
        state->general[WALK_RCX] &= strstr(instruction->name, "back") ? 3 : ~UINT64_C(0);
        state->general[WALK_RCX] += strstr(instruction->name, "back") ? 1 : 0;
        break;
    case RBP:
        state->general[WALK_RBP] = data_at(bench) + MIDDLE;
        break;
    case VECTOR_COUNT:
        for (unsigned i = 0; i < REGISTERS; i++)
            state->vector[i].u8[0] = rng_below(rng, 2) ? rng_below(rng, 70) : state->vector[i].u8[0];
        break;
    default:
        break;
    }
    for (unsigned i = 0; i < wanted->count; i++)
        state->general[wanted->number[i]] = wanted->value[i];
}

static void any_data(struct bench *bench, const struct instruction *instruction, const struct state *state)
{
    for (size_t i = 0; i < PAGE; i += 8) {
        uint64_t value = instruction->special == EXPECT || rng_below(&bench->rng, 8) == 0 ? 5 : any_value(bench);
        if (instruction->special == VECTOR_COUNT && rng_below(&bench->rng, 2))
            value = rng_below(&bench->rng, 70);
        memcpy(bench->data + i, &value, 8);
    }
    if (instruction->special == FLAGS) { /* no trap, no trace */
        uint64_t flags = (rng_next(&bench->rng) & (WALK_STATUS | WALK_DIRECTION)) | 0x202;
        memcpy(bench->data + (state->general[WALK_RSP] - data_at(bench)), &flags, 8);
    }
}

/* The instruction, and behind it a jump to the end of the run. */
static void write_code(uint8_t *code, const uint8_t *bytes, size_t size, uint64_t end)
{
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};
    memcpy(code, bytes, size);
    memcpy(code + size, jump, sizeof jump);
    memcpy(code + size + sizeof jump, &end, sizeof end);
}

static void run_machine(struct bench *bench, const struct state *before, struct state *after,
                        struct walk_outcome *outcome)
{
    struct walk_machine *machine = bench->machine;
    walk_space_reset(&machine->space);
    walk_blocks_forget(&machine->blocks);
    memcpy(machine->general, before->general, sizeof before->general);
    memcpy(machine->vector, before->vector, sizeof before->vector);
    walk_flags_set(&machine->flags, (uint32_t)before->flags);
    machine->backwards = before->flags & WALK_DIRECTION;
    machine->left = 1000;
    walk_machine_run(machine, code_at(bench), outcome);
    memcpy(after->general, machine->general, sizeof after->general);
    memcpy(after->vector, machine->vector, sizeof after->vector);
    after->flags = walk_flags_bits(&machine->flags) | (machine->backwards ? WALK_DIRECTION : 0);
}

/* What the count leaves undefined. The count's operand is the last one. */
static unsigned undefined_by_count(struct bench *bench, const struct instruction *instruction,
                                   const struct state *before)
{
    struct walk_op op;
    walk_op_decode(bench->code, 15, code_at(bench), &op);
    bool immediate = op.code == WALK_OP_SHLD || op.code == WALK_OP_SHRD
                         ? op.detail
                         : op.form == WALK_FORM_RI || op.form == WALK_FORM_MI;
    uint64_t count = (immediate ? op.immediate : before->general[WALK_RCX]) & (op.width == 8 ? 63 : 31);
    unsigned undefined = 0;
    if (!count)
        return 0;
    if (count > 1)
        undefined |= WALK_OVERFLOW;
    if (instruction->special == ROTATE)
        return undefined;
    undefined |= WALK_ADJUST;
    if (count >= 8u * op.width && op.code != WALK_OP_SAR)
        undefined |= WALK_CARRY;
    if (instruction->special == DOUBLE && count > 8u * op.width)
        undefined = ~0u;
    return undefined;
}

/* The instruction, for people. */
static const char *shown(const struct bench *bench, size_t size)
{
    static ZydisDisassembledInstruction shown;
    bool good =
        ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, code_at(bench), bench->code, size, &shown));
    return good ? shown.text : "?";
}

static void compare(struct bench *bench, size_t size, const struct state *before, const struct state *machine,
                    const struct walk_outcome *outcome, unsigned undefined)
{
    uint8_t data[PAGE];
    const struct state *cpu = &cpu_state;
    require((cpu_signal != 0) == (outcome->fault != WALK_FAULT_NONE), "%s: signal %d, but %s", shown(bench, size),
            (int)cpu_signal, walk_fault_name(outcome->fault));
    if (cpu_signal) {
        bool divides = outcome->fault == WALK_FAULT_DIVIDE;
        require(divides == (cpu_signal == SIGFPE), "%s: signal %d, but %s", shown(bench, size), (int)cpu_signal,
                walk_fault_name(outcome->fault));
        return;
    }
    if (undefined == ~0u)
        return;
    for (unsigned i = 0; i < REGISTERS; i++) {
        require(cpu->general[i] == machine->general[i],
                "%s: register %u was %" PRIx64 ", is %" PRIx64 ", but for the machine %" PRIx64, shown(bench, size), i,
                before->general[i], cpu->general[i], machine->general[i]);
        require(memcmp(&cpu->vector[i], &machine->vector[i], 16) == 0,
                "%s: xmm%u is %" PRIx64 " %" PRIx64 ", but for the machine %" PRIx64 " %" PRIx64, shown(bench, size), i,
                cpu->vector[i].u8[1], cpu->vector[i].u8[0], machine->vector[i].u8[1], machine->vector[i].u8[0]);
    }
    uint64_t defined = (WALK_STATUS | WALK_DIRECTION) & ~(uint64_t)undefined;
    require((cpu->flags & defined) == (machine->flags & defined),
            "%s: flags are %" PRIx64 ", but for the machine %" PRIx64, shown(bench, size), cpu->flags & defined,
            machine->flags & defined);
    expect(walk_space_read_any(&bench->machine->space, data_at(bench), data, PAGE));
    for (size_t i = 0; i < PAGE; i++)
        require(data[i] == bench->page[PAGE + i], "%s: byte %zu is %02x, but for the machine %02x", shown(bench, size),
                i, bench->page[PAGE + i], data[i]);
}

static void note_op(struct bench *bench)
{
    const struct walk_block *block = walk_blocks_find(&bench->machine->blocks, code_at(bench));
    for (uint32_t i = 0; block && i < block->count; i++) {
        bench->op_seen[block->ops[i].code] = true;
        if (block->ops[i].code == WALK_OP_VECTOR)
            bench->vector_seen[block->ops[i].detail] = true;
    }
}

static void run_case(struct bench *bench, const struct instruction *instruction, const struct wanted *wanted,
                     const uint8_t *bytes, size_t size)
{
    struct state before, after;
    struct walk_outcome outcome;
    any_state(bench, instruction, wanted, &before);
    any_data(bench, instruction, &before);
    write_code(bench->code, bytes, size, WALK_MACHINE_RETURN);
    write_code(bench->page, bytes, size, (uint64_t)(uintptr_t)cpu_leave);
    memcpy(bench->page + PAGE, bench->data, PAGE);
    run_machine(bench, &before, &after, &outcome);
    note_op(bench);
    cpu_state = before;
    cpu_code = code_at(bench);
    cpu_signal = 0;
    cpu_run();
    unsigned undefined = instruction->undefined;
    if (instruction->special == SHIFT || instruction->special == ROTATE || instruction->special == DOUBLE)
        undefined = undefined_by_count(bench, instruction, &before);
    compare(bench, size, &before, &after, &outcome, undefined);
}

static void run_instruction(struct bench *bench, const struct instruction *instruction)
{
    static const struct wanted none;
    struct wanted wanted;
    uint8_t bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
    size_t size, ran = 0;
    if (!has(instruction->feature))
        return;
    for (int i = 0; i < bench->cases && !instruction->widths; i++)
        run_case(bench, instruction, &none, instruction->bytes, instruction->size);
    for (const char *width = instruction->widths ? instruction->widths : ""; *width; width++, ran = 0) {
        for (int i = 0; i < bench->cases; i++)
            if (encode(bench, instruction, (unsigned)(*width - '0'), &wanted, bytes, &size)) {
                run_case(bench, instruction, &wanted, bytes, size);
                ran++;
            }
        require(ran > (size_t)bench->cases / 4, "%s %s of width %c: only %zu cases could be encoded", instruction->name,
                instruction->operands, *width, ran);
    }
}

/* Codes that no instruction has, or that are tested elsewhere. */
static bool is_no_instruction(unsigned code)
{
    return code == WALK_OP_GO_ON || code == WALK_OP_NATIVE || code == WALK_OP_FAULT;
}

static unsigned long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtoul(text, NULL, 10) : 1;
}

START_TEST(the_machine_does_what_the_processor_does)
{
    static struct bench bench;
    bench.rng.state = number_of("WALK_SEED");
    bench.cases = CASES * (int)number_of("WALK_CASES");
    open_bench(&bench);
    for (size_t i = 0; i < INSTRUCTIONS; i++)
        run_instruction(&bench, &instructions[i]);
    for (unsigned code = 0; code < WALK_OP_COUNT; code++)
        require(bench.op_seen[code] || is_no_instruction(code), "no case for op %u", code);
    for (unsigned code = 0; code < WALK_VECTOR_COUNT; code++)
        require(bench.vector_seen[code] || !has(SSE42), "no case for vector op %u", code);
    close_bench(&bench);
}
END_TEST

#else

START_TEST(the_machine_does_what_the_processor_does) {}
END_TEST

#endif

int main(void)
{
    const TTest *const tests[] = {the_machine_does_what_the_processor_does, NULL};
    const struct unit_group groups[] = {{"instructions", tests, 0}};
    return unit_run("cpu", groups, 1);
}
