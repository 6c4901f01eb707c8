/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call may do and what ends it. Code is given as bytes, in a target of a few segments; and functions of a real
 * process are called in its image and must give what they give when they are called here.
 */
#include <inttypes.h>
#include <search.h>
#include <signal.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf_writer.h"
#include "machine/execute.h"
#include "machine/machine.h"
#include "machine/natives.h"
#include "unit.h"

enum { PAGE = 4096 };
#define CODE UINT64_C(0x401000)
#define DATA UINT64_C(0x7f0000001000)
#define CONSTANT UINT64_C(0x7f0000004000)
#define MISSING UINT64_C(0x7f0000008000)
#define BOTH UINT64_C(0x7f000000a000)
#define LARGE UINT64_C(0x7f0000100000)
enum { LARGE_SIZE = 1 << 20 };

/* ---- a target of a few segments ---- */

struct target {
    uint8_t code[PAGE], data[PAGE], constant[PAGE], both[PAGE];
    uint8_t *large;
    struct walk_image image;
    struct walk_machine *machine;
    struct walk_outcome outcome;
};

static void add_segment(struct target *target, walk_addr start, uint64_t size, uint8_t *data, unsigned flags)
{
    struct walk_segment segment = {.start = start,
                                   .end = start + size,
                                   .data = data,
                                   .kind = data ? WALK_SEGMENT_SAVED : WALK_SEGMENT_NOT_SAVED,
                                   .flags = flags};
    assert_good(walk_memory_add(&target->image.memory, &segment));
}

static struct target *open_target(void)
{
    struct target *target = calloc(1, sizeof *target);
    ck_assert_ptr_nonnull(target);
    target->large = calloc(1, LARGE_SIZE);
    ck_assert_ptr_nonnull(target->large);
    for (unsigned i = 0; i < PAGE; i++)
        target->data[i] = target->constant[i] = (uint8_t)(i * 7 + i / 256);
    memset(target->code, 0xcc, PAGE);
    walk_memory_init(&target->image.memory, 8);
    add_segment(target, CODE, PAGE, target->code, WALK_SEGMENT_EXEC);
    add_segment(target, DATA, PAGE, target->data, WALK_SEGMENT_WRITE);
    add_segment(target, CONSTANT, PAGE, target->constant, 0);
    add_segment(target, MISSING, PAGE, NULL, WALK_SEGMENT_WRITE | WALK_SEGMENT_EXEC);
    add_segment(target, BOTH, PAGE, target->both, WALK_SEGMENT_WRITE | WALK_SEGMENT_EXEC);
    add_segment(target, LARGE, LARGE_SIZE, target->large, WALK_SEGMENT_WRITE);
    assert_good(walk_memory_seal(&target->image.memory));
    assert_good(walk_machine_open(&target->image, &target->machine));
    return target;
}

static void close_target(struct target *target)
{
    walk_machine_close(target->machine);
    walk_memory_deinit(&target->image.memory);
    free(target->large);
    free(target);
}

static struct walk_call call_of(walk_addr function, uint64_t first, uint64_t second)
{
    return (struct walk_call){
        .function = function, .argument = {first, second}, .budget = 1000000, .most_referents = 100000};
}

/* Calls the code with two arguments; a machine keeps what it has decoded, so each code has a target of its own. */
static struct target *run(const uint8_t *code, size_t size, uint64_t first, uint64_t second)
{
    struct target *target = open_target();
    struct walk_call call = call_of(CODE, first, second);
    memcpy(target->code, code, size);
    walk_machine_call(target->machine, &call, &target->outcome);
    return target;
}
#define RUN(first, second, ...)                                                                                        \
    run((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), first, second)

static void check_result(struct target *target, uint64_t result)
{
    ck_assert_msg(!target->outcome.fault, "%s at 0x%" PRIx64 ": 0x%" PRIx64, walk_fault_name(target->outcome.fault),
                  target->outcome.pc, target->outcome.address);
    expect_eq(target->outcome.result, result);
    close_target(target);
}

/* `pc` is counted from the start of the code. */
static void check_fault(struct target *target, enum walk_fault fault, uint64_t pc, walk_addr address)
{
    ck_assert_msg(target->outcome.fault == fault, "%s, not %s", walk_fault_name(target->outcome.fault),
                  walk_fault_name(fault));
    expect_eq(target->outcome.pc, CODE + pc);
    expect_eq(target->outcome.address, address);
    close_target(target);
}

/* ---- calls ---- */

START_TEST(arguments_are_in_registers_and_the_result_is_rax)
{
    check_result(RUN(40, 2, 0x48, 0x8d, 0x04, 0x37, 0xc3), 42); /* lea rax, [rdi+rsi]; ret */
}
END_TEST

START_TEST(the_stack_is_aligned_as_after_a_call)
{
    check_result(RUN(0, 0, 0x48, 0x89, 0xe0, 0x83, 0xe0, 0x0f, 0xc3), 8); /* mov rax, rsp; and eax, 15; ret */
}
END_TEST

START_TEST(visited_are_noted_in_order_and_visit_returns_0)
{
    /* push rbx; mov rbx, rsi; mov rdi, 7; mov eax, 5; call rbx; mov edi, 7; call rbx; mov edi, 9; pop rcx; jmp rbx */
    struct target *target = RUN(0, WALK_MACHINE_VISIT, 0x53, 0x48, 0x89, 0xf3, 0xbf, 7, 0, 0, 0, 0xb8, 5, 0, 0, 0, 0xff,
                                0xd3, 0xbf, 7, 0, 0, 0, 0xff, 0xd3, 0xbf, 9, 0, 0, 0, 0x59, 0xff, 0xe3);
    expect_eq(target->outcome.referent_count, 3);
    expect_eq(target->outcome.referents[0], 7);
    expect_eq(target->outcome.referents[1], 7);
    expect_eq(target->outcome.referents[2], 9);
    check_result(target, 0);
}
END_TEST

/* push rbx; push rbp; mov ebx, edi; mov rbp, rsi; 1: mov edi, ebx; call rbp; dec ebx; jnz 1b; pop rbp; pop rbx; ret */
#define VISIT_MANY                                                                                                     \
    0x53, 0x55, 0x89, 0xfb, 0x48, 0x89, 0xf5, 0x89, 0xdf, 0xff, 0xd5, 0xff, 0xcb, 0x75, 0xf8, 0x5d, 0x5b, 0xc3

START_TEST(there_may_be_many_visits_and_the_next_call_starts_anew)
{
    struct target *target = RUN(50000, WALK_MACHINE_VISIT, VISIT_MANY);
    expect_eq(target->outcome.referent_count, 50000);
    for (size_t i = 0; i < 50000; i++)
        expect_eq(target->outcome.referents[i], 50000 - i);
    struct walk_call call = call_of(CODE, 3, WALK_MACHINE_VISIT);
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.referent_count, 3);
    check_result(target, 0);
}
END_TEST

START_TEST(the_thread_pointer_is_the_callers)
{
    static const uint8_t code[] = {0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0xc3}; /* mov rax, fs:[0x28]; ret */
    struct target *target = open_target();
    struct walk_call call = call_of(CODE, 0, 0);
    memcpy(target->code, code, sizeof code);
    call.thread_pointer = DATA + 0x100;
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.result, walk_load_u64(target->data + 0x128));
    call.thread_pointer = 0;
    walk_machine_call(target->machine, &call, &target->outcome);
    check_result(target, 0);
}
END_TEST

START_TEST(a_thread_pointer_that_is_not_known_points_to_itself)
{
    /* mov rax, fs:[0]; mov rcx, [rax]; sub rax, rcx; ret */
    check_result(RUN(0, 0, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8b, 0x08, 0x48, 0x29, 0xc8, 0xc3), 0);
}
END_TEST

START_TEST(a_block_of_any_length_is_run_to_its_end)
{
    uint8_t code[1000];
    for (size_t i = 0; i < 900; i += 3)
        memcpy(code + i, (uint8_t[]){0x48, 0xff, 0xc7}, 3); /* inc rdi */
    memcpy(code + 900, (uint8_t[]){0x48, 0x89, 0xf8, 0xc3}, 4);
    struct target *target = run(code, 904, 1000, 0);
    expect(target->outcome.instructions >= 302 && target->outcome.instructions < 302 + 10);
    check_result(target, 1300);
}
END_TEST

/* Jumps to the next instruction, each a block of its own: more than are kept. */
START_TEST(more_code_than_is_kept_is_decoded_again)
{
    enum { JUMPS = 150000 };
    uint8_t *code = malloc(2 * JUMPS + 4);
    struct walk_image image = {0};
    struct walk_machine *machine;
    struct walk_outcome outcome;
    ck_assert_ptr_nonnull(code);
    for (size_t i = 0; i < JUMPS; i++)
        memcpy(code + 2 * i, (uint8_t[]){0xeb, 0}, 2);
    memcpy(code + 2 * JUMPS, (uint8_t[]){0x48, 0x89, 0xf8, 0xc3}, 4);
    struct walk_segment segment = {
        .start = CODE, .end = CODE + 2 * JUMPS + 4, .data = code, .flags = WALK_SEGMENT_EXEC};
    walk_memory_init(&image.memory, 8);
    assert_good(walk_memory_add(&image.memory, &segment));
    assert_good(walk_memory_seal(&image.memory));
    assert_good(walk_machine_open(&image, &machine));
    for (uint64_t i = 0; i < 3; i++) {
        struct walk_call call = call_of(CODE, i, 0);
        walk_machine_call(machine, &call, &outcome);
        expect_eq(outcome.fault, WALK_FAULT_NONE);
        expect_eq(outcome.result, i);
    }
    expect(machine->blocks.generation > 3);
    walk_machine_close(machine);
    walk_memory_deinit(&image.memory);
    free(code);
}
END_TEST

/* ---- memory ---- */

START_TEST(what_is_written_is_read_again_and_dropped_with_the_call)
{
    /* mov rax, [rdi]; mov dword [rdi+2], 0x11223344; mov rcx, [rdi]; mov [rsi], rcx; mov rax, [rsi]; ret */
    struct target *target = RUN(DATA + 60, DATA + 1000, 0x48, 0x8b, 0x07, 0xc7, 0x47, 2, 0x44, 0x33, 0x22, 0x11, 0x48,
                                0x8b, 0x0f, 0x48, 0x89, 0x0e, 0x48, 0x8b, 0x06, 0xc3);
    uint64_t old = walk_load_u64(target->data + 60), now = (old & ~UINT64_C(0xffffffff0000)) | 0x112233440000;
    expect_eq(target->outcome.result, now);
    uint8_t bytes[PAGE];
    for (unsigned i = 0; i < PAGE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    ck_assert_mem_eq(target->data, bytes, PAGE);
    struct walk_call call = call_of(CODE + 16, DATA + 60, DATA + 1000); /* mov rax, [rsi]; ret */
    walk_machine_call(target->machine, &call, &target->outcome);
    check_result(target, walk_load_u64(bytes + 1000));
}
END_TEST

/* mov rax, [rsp-128]; or rax, [rsp-4096]; or rax, [rsp+8]; mov [rsp-128], rsp; mov [rsp-4096], rsp; mov [rsp+8], rsp */
START_TEST(each_call_has_a_stack_of_zeros)
{
    struct target *target =
        RUN(0, 0, 0x48, 0x8b, 0x44, 0x24, 0x80, 0x48, 0x0b, 0x84, 0x24, 0, 0xf0, 0xff, 0xff, 0x48, 0x0b, 0x44, 0x24, 8,
            0x48, 0x89, 0x64, 0x24, 0x80, 0x48, 0x89, 0xa4, 0x24, 0, 0xf0, 0xff, 0xff, 0x48, 0x89, 0x64, 0x24, 8, 0xc3);
    expect_eq(target->outcome.result, 0);
    struct walk_call call = call_of(CODE, 0, 0);
    walk_machine_call(target->machine, &call, &target->outcome);
    check_result(target, 0);
}
END_TEST

START_TEST(unaligned_writes_across_lines_keep_what_is_around_them)
{
    /* mov [rdi], rsi; movups xmm0, [rdi-4]; movups [rdi+100], xmm0; mov rax, [rdi+104]; ret */
    struct target *target = RUN(DATA + 61, 0x8877665544332211, 0x48, 0x89, 0x37, 0x0f, 0x10, 0x47, 0xfc, 0x0f, 0x11,
                                0x47, 100, 0x48, 0x8b, 0x47, 104, 0xc3);
    check_result(target, 0x8877665544332211);
}
END_TEST

START_TEST(reads_and_code_may_straddle_segments)
{
    uint8_t first[] = {0x48, 0x8b}, second[] = {0x07, 0xc3}, left[] = {1, 2, 3}, right[] = {4, 5, 6, 7, 8};
    struct walk_image image = {0};
    struct walk_machine *machine;
    struct walk_outcome outcome;
    struct walk_segment segments[] = {{.start = 0x1000, .end = 0x1002, .data = first, .flags = WALK_SEGMENT_EXEC},
                                      {.start = 0x1002, .end = 0x1004, .data = second, .flags = WALK_SEGMENT_EXEC},
                                      {.start = 0x2000, .end = 0x2003, .data = left},
                                      {.start = 0x2003, .end = 0x2008, .data = right}};
    walk_memory_init(&image.memory, 8);
    for (size_t i = 0; i < 4; i++)
        assert_good(walk_memory_add(&image.memory, &segments[i]));
    assert_good(walk_memory_seal(&image.memory));
    assert_good(walk_machine_open(&image, &machine));
    struct walk_call call = call_of(0x1000, 0x2000, 0);
    walk_machine_call(machine, &call, &outcome);
    expect_eq(outcome.fault, WALK_FAULT_NONE);
    expect_eq(outcome.result, 0x0807060504030201);
    call.argument[0] = 0x2001;
    walk_machine_call(machine, &call, &outcome);
    expect_eq(outcome.fault, WALK_FAULT_UNMAPPED_READ);
    expect_eq(outcome.address, 0x2008);
    walk_machine_close(machine);
    walk_memory_deinit(&image.memory);
}
END_TEST

/* ---- faults ---- */

START_TEST(an_endless_loop_ends_with_the_budget)
{
    struct target *target = RUN(0, 0, 0xeb, 0xfe); /* jmp to itself */
    expect_eq(target->outcome.instructions, 1000000);
    check_fault(target, WALK_FAULT_BUDGET, 0, 0);
}
END_TEST

START_TEST(a_budget_is_enough_when_it_is_as_large_as_what_is_run)
{
    struct target *target = RUN(1000, WALK_MACHINE_VISIT, VISIT_MANY);
    struct walk_call call = call_of(CODE, 1000, WALK_MACHINE_VISIT);
    call.budget = target->outcome.instructions;
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.fault, WALK_FAULT_NONE);
    call.budget--;
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.fault, WALK_FAULT_BUDGET);
    expect(target->outcome.instructions <= call.budget);
    close_target(target);
}
END_TEST

START_TEST(repeated_instructions_take_from_the_budget)
{
    struct target *target = RUN(LARGE, LARGE, 0x48, 0x83, 0xc9, 0xff, 0xf3, 0xa6); /* or rcx, -1; repe cmpsb */
    expect_eq(target->outcome.fault, WALK_FAULT_BUDGET);
    expect(target->outcome.instructions >= 1000000 - 8);
    close_target(target);
}
END_TEST

START_TEST(more_visits_than_allowed_are_a_fault)
{
    struct target *target = RUN(100001, WALK_MACHINE_VISIT, VISIT_MANY);
    expect_eq(target->outcome.referent_count, 100000);
    check_fault(target, WALK_FAULT_REFERENTS, 9, 0);
}
END_TEST

START_TEST(bytes_that_are_no_instruction_are_a_fault_when_they_are_reached)
{
    check_fault(RUN(0, 0, 0x90, 0x06), WALK_FAULT_UNDECODABLE, 1, 0);
    check_fault(RUN(0, 0, 0x90, 0x0f, 0x0b), WALK_FAULT_UNDECODABLE, 1, 0); /* ud2 */
    check_result(RUN(5, 0, 0x48, 0x89, 0xf8, 0xc3, 0x06), 5);
}
END_TEST

START_TEST(instructions_that_are_not_known_are_a_fault)
{
    check_fault(RUN(0, 0, 0xd9, 0xe8), WALK_FAULT_UNIMPLEMENTED, 0, 0);                               /* fld1 */
    check_fault(RUN(0, 0, 0x0f, 0x58, 0xc1), WALK_FAULT_UNIMPLEMENTED, 0, 0);                         /* addps */
    check_fault(RUN(0, 0, 0xc5, 0xfe, 0x6f, 0x07), WALK_FAULT_UNIMPLEMENTED, 0, 0);                   /* vmovdqu ymm */
    check_fault(RUN(0, 0, 0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0), WALK_FAULT_UNIMPLEMENTED, 0, 0); /* gs: */
    check_fault(RUN(0, 0, 0x0f, 0x6f, 0x07), WALK_FAULT_UNIMPLEMENTED, 0, 0);                         /* movq mm0 */
    check_fault(RUN(0, 0, 0x66, 0xe8, 0, 0, 0, 0), WALK_FAULT_UNIMPLEMENTED, 0, 0);                   /* data16 call */
}
END_TEST

START_TEST(nothing_asks_the_system_or_the_processor)
{
    static const uint8_t codes[][4] = {{0x0f, 0x05},       {0xcd, 0x80},       {0xcc},       {0xec},
                                       {0xe7, 0x10},       {0x0f, 0xa2},       {0x0f, 0x31}, {0xf4},
                                       {0x0f, 0x34},       {0x0f, 0x01, 0xd0}, {0x6c},       {0xfa},
                                       {0x0f, 0xc7, 0xf0}, {0x0f, 0x01, 0xf9}, {0x48, 0xcf}, {0x0f, 0x32}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct target *target = run(codes[i], 4, 0, 0);
        ck_assert_msg(target->outcome.fault == WALK_FAULT_SYSTEM, "%zu: %s", i, walk_fault_name(target->outcome.fault));
        close_target(target);
    }
}
END_TEST

START_TEST(only_code_is_run)
{
    static const walk_addr places[] = {0, DATA + 3, CONSTANT, UINT64_MAX - 1, WALK_MACHINE_BASE, DATA - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct target *target = RUN(places[i], 0, 0xff, 0xe7); /* jmp rdi */
        expect_eq(target->outcome.fault, WALK_FAULT_NOT_EXECUTABLE);
        expect_eq(target->outcome.pc, places[i]);
        expect_eq(target->outcome.address, places[i]);
        close_target(target);
    }
    struct target *target = RUN(MISSING, 0, 0xff, 0xe7);
    expect_eq(target->outcome.fault, WALK_FAULT_NOT_SAVED_READ);
    close_target(target);
}
END_TEST

START_TEST(code_ends_where_its_segment_does)
{
    struct target *target = open_target();
    struct walk_call call = call_of(CODE + PAGE - 1, 0, 0);
    target->code[PAGE - 1] = 0x48; /* a prefix, and nothing behind */
    walk_machine_call(target->machine, &call, &target->outcome);
    check_fault(target, WALK_FAULT_NOT_EXECUTABLE, PAGE - 1, CODE + PAGE);
}
END_TEST

START_TEST(reads_of_what_is_not_there_are_faults)
{
    check_fault(RUN(8, 0, 0x48, 0x8b, 0x07), WALK_FAULT_UNMAPPED_READ, 0, 8);
    check_fault(RUN(DATA + PAGE - 7, 0, 0x48, 0x8b, 0x07), WALK_FAULT_UNMAPPED_READ, 0, DATA + PAGE);
    check_fault(RUN(UINT64_MAX - 3, 0, 0x48, 0x8b, 0x07), WALK_FAULT_UNMAPPED_READ, 0, UINT64_MAX - 3);
    check_fault(RUN(MISSING + 5, 0, 0x48, 0x8b, 0x07), WALK_FAULT_NOT_SAVED_READ, 0, MISSING + 5);
}
END_TEST

START_TEST(writes_that_the_target_could_not_have_made_are_faults)
{
    check_fault(RUN(8, 0, 0x48, 0x89, 0x37), WALK_FAULT_UNMAPPED_WRITE, 0, 8);
    check_fault(RUN(CONSTANT, 0, 0x48, 0x89, 0x37), WALK_FAULT_WRITE_PROTECTED, 0, CONSTANT);
    check_fault(RUN(CODE, 0, 0x48, 0x89, 0x37), WALK_FAULT_WRITE_PROTECTED, 0, CODE);
    check_fault(RUN(BOTH, 0, 0x48, 0x89, 0x37), WALK_FAULT_WRITE_PROTECTED, 0, BOTH);
    check_fault(RUN(DATA + PAGE - 4, 0, 0x48, 0x89, 0x37), WALK_FAULT_UNMAPPED_WRITE, 0, DATA + PAGE);
}
END_TEST

START_TEST(vectors_are_aligned_where_they_must_be)
{
    check_fault(RUN(DATA + 8, 0, 0x0f, 0x28, 0x07), WALK_FAULT_MISALIGNED, 0, DATA + 8); /* movaps xmm0, [rdi] */
    check_fault(RUN(DATA + 8, 0, 0x0f, 0x29, 0x07), WALK_FAULT_MISALIGNED, 0, DATA + 8);
    check_result(RUN(DATA + 8, 0, 0x0f, 0x10, 0x07, 0x31, 0xc0, 0xc3), 0); /* movups */
}
END_TEST

START_TEST(endless_recursion_overflows_the_stack)
{
    struct target *target = RUN(0, 0, 0xe8, 0xfb, 0xff, 0xff, 0xff); /* call itself */
    expect_eq(target->outcome.fault, WALK_FAULT_STACK_OVERFLOW);
    expect_eq(target->outcome.pc, CODE);
    expect_eq(target->outcome.address, target->machine->space.private_start - 8);
    close_target(target);
}
END_TEST

START_TEST(a_call_may_not_write_without_end)
{
    /* mov ecx, 100000; rep stosq */
    struct target *target = RUN(LARGE, 0, 0xb9, 0xa0, 0x86, 1, 0, 0xf3, 0x48, 0xab);
    expect_eq(target->outcome.fault, WALK_FAULT_OVERLAY_FULL);
    struct walk_call call = call_of(CODE + 5, LARGE, 0); /* with rcx 0: nothing is left of it */
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->machine->space.line_count, 0);
    close_target(target);
}
END_TEST

START_TEST(divisions_without_a_result_are_faults)
{
    /* mov rax, rdi; cqo; idiv rsi; ret */
    check_fault(RUN(1, 0, 0x48, 0x89, 0xf8, 0x48, 0x99, 0x48, 0xf7, 0xfe, 0xc3), WALK_FAULT_DIVIDE, 5, 0);
    check_fault(RUN((uint64_t)INT64_MIN, (uint64_t)-1, 0x48, 0x89, 0xf8, 0x48, 0x99, 0x48, 0xf7, 0xfe, 0xc3),
                WALK_FAULT_DIVIDE, 5, 0);
    check_result(RUN((uint64_t)-7, 2, 0x48, 0x89, 0xf8, 0x48, 0x99, 0x48, 0xf7, 0xfe, 0xc3), (uint64_t)-3);
    /* mov edx, 5; div edx: the quotient of 5:0 */
    check_fault(RUN(0, 0, 0xba, 5, 0, 0, 0, 0x31, 0xc0, 0xf7, 0xf2), WALK_FAULT_DIVIDE, 7, 0);
}
END_TEST

START_TEST(every_fault_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < WALK_FAULT_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(walk_fault_name(i), walk_fault_name(j));
    ck_assert_str_eq(walk_fault_name(WALK_FAULT_COUNT), "unknown");
}
END_TEST

START_TEST(targets_of_other_machines_are_refused)
{
    struct walk_image image = {0};
    struct walk_machine *machine;
    walk_memory_init(&image.memory, 4);
    assert_error(walk_machine_open(&image, &machine), WALK_ERROR_UNSUPPORTED, "32-bit");
    static uint8_t header[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 3, [18] = 183}; /* EM_AARCH64 */
    struct walk_segment segment = {.start = CODE, .end = CODE + sizeof header, .data = header};
    struct walk_module module = {.path = "x", .start = CODE, .end = CODE + sizeof header};
    walk_memory_init(&image.memory, 8);
    assert_good(walk_memory_add(&image.memory, &segment));
    assert_good(walk_memory_seal(&image.memory));
    image.modules = &module;
    image.module_count = 1;
    assert_error(walk_machine_open(&image, &machine), WALK_ERROR_UNSUPPORTED, "x86-64");
    walk_memory_deinit(&image.memory);
}
END_TEST

/* ---- functions of the C library that are done in C: as the library's own ---- */

static int sign(int64_t value) { return (value > 0) - (value < 0); }

/* What the library's function of that number gives for the target's bytes. */
static uint64_t library(unsigned native, struct target *target, walk_addr a, uint64_t b, uint64_t size)
{
    const uint8_t *x = target->data + (a - DATA), *y = target->data + (b - DATA < PAGE ? b - DATA : 0);
    const uint8_t *found;
    switch (native) {
    case WALK_NATIVE_MEMCMP:
        return (uint64_t)(int64_t)sign(memcmp(x, y, size));
    case WALK_NATIVE_STRCMP:
        return (uint64_t)(int64_t)sign(strcmp((char *)x, (char *)y));
    case WALK_NATIVE_STRNCMP:
        return (uint64_t)(int64_t)sign(strncmp((char *)x, (char *)y, size));
    case WALK_NATIVE_STRLEN:
        return strlen((char *)x);
    case WALK_NATIVE_STRNLEN:
        return strnlen((char *)x, b);
    case WALK_NATIVE_MEMCHR:
        found = memchr(x, (int)b, size);
        break;
    case WALK_NATIVE_MEMRCHR:
        found = memrchr(x, (int)b, size);
        break;
    case WALK_NATIVE_RAWMEMCHR:
        found = memchr(x, (int)b, PAGE - (a - DATA));
        break;
    case WALK_NATIVE_STRCHR:
        found = (uint8_t *)strchr((char *)x, (int)b);
        break;
    case WALK_NATIVE_STRRCHR:
        found = (uint8_t *)strrchr((char *)x, (int)b);
        break;
    default:
        found = (uint8_t *)strchrnul((char *)x, (int)b);
        break;
    }
    return found ? a + (uint64_t)(found - x) : 0;
}

START_TEST(functions_that_search_and_compare_give_what_the_library_gives)
{
    struct target *target = open_target();
    struct rng rng = {(uint64_t)_i + 1};
    static const unsigned natives[] = {WALK_NATIVE_MEMCMP,    WALK_NATIVE_STRCMP,   WALK_NATIVE_STRNCMP,
                                       WALK_NATIVE_STRLEN,    WALK_NATIVE_STRNLEN,  WALK_NATIVE_MEMCHR,
                                       WALK_NATIVE_MEMRCHR,   WALK_NATIVE_STRCHR,   WALK_NATIVE_STRRCHR,
                                       WALK_NATIVE_STRCHRNUL, WALK_NATIVE_RAWMEMCHR};
    for (size_t i = 0; i < PAGE; i++)
        target->data[i] = (uint8_t)(rng_below(&rng, 3) * 0x7f);
    target->data[PAGE - 1] = 0;
    for (int round = 0; round < 300; round++)
        for (size_t n = 0; n < sizeof natives / sizeof *natives; n++) {
            unsigned native = natives[n];
            bool compares =
                native == WALK_NATIVE_MEMCMP || native == WALK_NATIVE_STRCMP || native == WALK_NATIVE_STRNCMP;
            walk_addr a = DATA + rng_below(&rng, PAGE - 64);
            uint64_t b = compares                          ? DATA + rng_below(&rng, PAGE - 64)
                         : native == WALK_NATIVE_RAWMEMCHR ? 0
                                                           : rng_below(&rng, 3) * 0x7f;
            uint64_t size = rng_below(&rng, 64);
            struct walk_call call = call_of(WALK_MACHINE_NATIVE(native), a, b);
            call.argument[2] = size;
            walk_machine_call(target->machine, &call, &target->outcome);
            expect_eq(target->outcome.fault, WALK_FAULT_NONE);
            uint64_t result = target->outcome.result;
            expect_eq(compares ? (uint64_t)(int64_t)sign((int32_t)result) : result,
                      library(native, target, a, b, size));
        }
    close_target(target);
}
END_TEST

START_TEST(functions_that_copy_and_fill_give_what_the_library_gives)
{
    struct target *target = open_target();
    struct rng rng = {(uint64_t)_i + 1};
    static const unsigned natives[] = {WALK_NATIVE_MEMMOVE, WALK_NATIVE_MEMPCPY, WALK_NATIVE_MEMSET, WALK_NATIVE_STRCPY,
                                       WALK_NATIVE_STPCPY,  WALK_NATIVE_STRNCPY, WALK_NATIVE_STRCAT};
    for (size_t i = 0; i < PAGE; i++)
        target->data[i] = (uint8_t)(rng_below(&rng, 30) * 0x21);
    for (int round = 0; round < 100; round++)
        for (size_t n = 0; n < sizeof natives / sizeof *natives; n++) {
            uint8_t expected[PAGE], found[PAGE];
            size_t to = 2048 + rng_below(&rng, 500), from = rng_below(&rng, 1000), size = rng_below(&rng, 200);
            uint64_t result = DATA + to;
            memcpy(expected, target->data, PAGE);
            char *x = (char *)expected + to, *y = (char *)expected + from;
            if (natives[n] == WALK_NATIVE_MEMMOVE)
                y = (char *)expected + (from = to + rng_below(&rng, 200) - 100);
            switch (natives[n]) {
            case WALK_NATIVE_MEMMOVE:
                memmove(x, y, size);
                break;
            case WALK_NATIVE_MEMPCPY:
                memcpy(x, y, size);
                result += size;
                break;
            case WALK_NATIVE_MEMSET:
                memset(x, (uint8_t)(DATA + from), size);
                break;
            case WALK_NATIVE_STRCPY:
                strcpy(x, y);
                break;
            case WALK_NATIVE_STPCPY:
                result = DATA + (uint64_t)(stpcpy(x, y) - (char *)expected);
                break;
            case WALK_NATIVE_STRNCPY:
                memset(x, 0, size);
                memcpy(x, y, strnlen(y, size));
                break;
            default:
                strcpy(x + strlen(x), y);
                break;
            }
            struct walk_call call = call_of(WALK_MACHINE_NATIVE(natives[n]), DATA + to, DATA + from);
            call.argument[2] = size;
            walk_machine_call(target->machine, &call, &target->outcome);
            expect_eq(target->outcome.fault, WALK_FAULT_NONE);
            expect_eq(target->outcome.result, result);
            expect(walk_space_read_any(&target->machine->space, DATA, found, PAGE));
            ck_assert_mem_eq(found, expected, PAGE);
        }
    close_target(target);
}
END_TEST

START_TEST(functions_in_c_fault_and_take_from_the_budget_as_code_does)
{
    struct target *target = open_target();
    struct walk_call call = call_of(WALK_MACHINE_NATIVE(WALK_NATIVE_STRLEN), DATA + PAGE, 0);
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.fault, WALK_FAULT_UNMAPPED_READ);
    call = call_of(WALK_MACHINE_NATIVE(WALK_NATIVE_MEMCMP), LARGE, LARGE);
    call.argument[2] = UINT64_MAX;
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.fault, WALK_FAULT_BUDGET);
    call = call_of(WALK_MACHINE_NATIVE(WALK_NATIVE_MEMMOVE), CONSTANT, DATA);
    call.argument[2] = 1;
    walk_machine_call(target->machine, &call, &target->outcome);
    expect_eq(target->outcome.fault, WALK_FAULT_WRITE_PROTECTED);
    close_target(target);
}
END_TEST

START_TEST(names_of_the_library_are_matched_whole)
{
    expect_eq(walk_native_by_name("memcpy"), WALK_NATIVE_MEMMOVE);
    expect_eq(walk_native_by_name("__memcpy_chk"), WALK_NATIVE_MEMMOVE);
    expect_eq(walk_native_by_name("strcat"), WALK_NATIVE_STRCAT);
    expect_eq(walk_native_by_name("rindex"), WALK_NATIVE_STRRCHR);
    static const char *const others[] = {"", "mem", "memcp", "memcpyx", "memmove|memcpy", "chk", "|", "strcasecmp"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_eq(walk_native_by_name(others[i]), WALK_NATIVE_NONE);
}
END_TEST

/* ---- functions of a real process ---- */

#if defined(__x86_64__)

#define PLAIN __attribute__((noinline, used, no_sanitize("address", "undefined")))

PLAIN static uint64_t fibonacci(uint64_t n, uint64_t unused)
{
    return n < 2 ? n : fibonacci(n - 1, unused) + fibonacci(n - 2, unused);
}

static uint64_t numbers[256], total;

PLAIN static uint64_t sort_and_hash(uint64_t count, uint64_t seed)
{
    uint64_t sorted[64], hash = 14695981039346656037u;
    for (uint64_t i = 0; i < count; i++)
        sorted[i] = numbers[(i * seed) & 255];
    for (uint64_t i = 1; i < count; i++)
        for (uint64_t j = i; j && sorted[j - 1] > sorted[j]; j--) {
            uint64_t swap = sorted[j];
            sorted[j] = sorted[j - 1];
            sorted[j - 1] = swap;
        }
    for (uint64_t i = 0; i < count; i++)
        hash = (hash ^ sorted[i]) * 1099511628211u;
    return hash;
}

PLAIN static uint64_t by_table(uint64_t code, uint64_t value)
{
    switch (code) {
    case 0:
        return value + 3;
    case 1:
        return value * 5;
    case 2:
        return value >> 7;
    case 3:
        return value ^ 0x55;
    case 4:
        return value / 13;
    case 5:
        return (uint64_t)((int64_t)value % 19);
    case 6:
        return value << (value & 15);
    case 7:
        return (uint64_t)__builtin_bswap64(value);
    default:
        return 99;
    }
}

PLAIN static uint64_t write_global(uint64_t add, uint64_t unused)
{
    (void)unused;
    for (int i = 0; i < 256; i++)
        numbers[i] += add;
    total += numbers[5];
    return total;
}

static const char text[] = "neither here nor there";

PLAIN static uint64_t call_library(uint64_t length, uint64_t character)
{
    char copy[64], again[64];
    memcpy(copy, text, length);
    copy[length] = '\0';
    memmove(again, copy, strlen(copy) + 1);
    const char *found = strchr(again, (int)character);
    return (uint64_t)(strcmp(copy, again) == 0) * 1000 + strlen(copy) * 100 + (uint64_t)(found ? found - again : 77);
}

PLAIN static int equal(const void *a, const void *b) { return *(const uint64_t *)a != *(const uint64_t *)b; }

/* Never called in the process itself: the machine binds it. */
PLAIN static uint64_t call_unbound(uint64_t wanted, uint64_t unused)
{
    size_t count = 256;
    (void)unused;
    const uint64_t *found = lfind(&wanted, numbers, &count, sizeof *numbers, equal);
    return found ? (uint64_t)(found - numbers) : 1000;
}

/* Bound by a function of the library that only a running process can call. */
PLAIN static uint64_t call_indirect(uint64_t a, uint64_t b) { return (uint64_t)strcasecmp((char *)a, (char *)b); }

static const struct compiled {
    uint64_t (*function)(uint64_t, uint64_t);
    uint64_t first, first_step, second, second_step;
} compiled[] = {{fibonacci, 0, 1, 0, 0},    {sort_and_hash, 1, 3, 3, 2},  {by_table, 0, 1, UINT64_MAX / 3, 12345},
                {write_global, 1, 7, 0, 0}, {call_library, 0, 1, 'a', 1}, {call_unbound, 0, 1, 0, 0}};

static pid_t stopped_child(void)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    return child;
}

static uint64_t thread_pointer(void)
{
    uint64_t pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

START_TEST(compiled_functions_give_what_they_give_when_they_are_called)
{
    for (size_t i = 0; i < 256; i++)
        numbers[i] = (i * 0x9e3779b97f4a7c15) >> 50;
    pid_t child = stopped_child();
    struct walk_image image;
    struct walk_machine *machine;
    struct walk_outcome outcome;
    assert_good(walk_image_open_process(child, NULL, &image));
    assert_good(walk_machine_open(&image, &machine));
    for (size_t f = 0; f < sizeof compiled / sizeof *compiled; f++)
        for (uint64_t i = 0; i < 16; i++) {
            struct walk_call call = {.function = (walk_addr)(uintptr_t)compiled[f].function,
                                     .argument = {compiled[f].first + i * compiled[f].first_step,
                                                  compiled[f].second + i * compiled[f].second_step},
                                     .thread_pointer = thread_pointer(),
                                     .budget = 10000000};
            uint64_t saved[256], saved_total = total;
            memcpy(saved, numbers, sizeof saved);
            uint64_t expected =
                compiled[f].function == call_unbound ? 1000 : compiled[f].function(call.argument[0], call.argument[1]);
            for (uint64_t n = 256; n-- && compiled[f].function == call_unbound;)
                expected = numbers[n] == call.argument[0] ? n : expected;
            memcpy(numbers, saved, sizeof saved);
            total = saved_total;
            walk_machine_call(machine, &call, &outcome);
            ck_assert_msg(!outcome.fault, "function %zu of %" PRIu64 ": %s at 0x%" PRIx64 ": 0x%" PRIx64, f, i,
                          walk_fault_name(outcome.fault), outcome.pc, outcome.address);
            expect_eq(outcome.result, expected);
        }
    struct walk_call call = {.function = (walk_addr)(uintptr_t)call_indirect,
                             .argument = {(walk_addr)(uintptr_t)text, (walk_addr)(uintptr_t)text},
                             .budget = 100000};
    walk_machine_call(machine, &call, &outcome);
    expect(outcome.fault == WALK_FAULT_UNRESOLVED || outcome.fault == WALK_FAULT_UNIMPLEMENTED || !outcome.result);
    walk_machine_close(machine);
    walk_image_close(&image);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

#else

START_TEST(compiled_functions_give_what_they_give_when_they_are_called) {}
END_TEST

#endif

int main(void)
{
    const TTest *const call_tests[] = {arguments_are_in_registers_and_the_result_is_rax,
                                       the_stack_is_aligned_as_after_a_call,
                                       visited_are_noted_in_order_and_visit_returns_0,
                                       there_may_be_many_visits_and_the_next_call_starts_anew,
                                       the_thread_pointer_is_the_callers,
                                       a_thread_pointer_that_is_not_known_points_to_itself,
                                       a_block_of_any_length_is_run_to_its_end,
                                       more_code_than_is_kept_is_decoded_again,
                                       compiled_functions_give_what_they_give_when_they_are_called,
                                       NULL};
    const TTest *const memory_tests[] = {
        what_is_written_is_read_again_and_dropped_with_the_call, each_call_has_a_stack_of_zeros,
        unaligned_writes_across_lines_keep_what_is_around_them, reads_and_code_may_straddle_segments, NULL};
    const TTest *const fault_tests[] = {an_endless_loop_ends_with_the_budget,
                                        a_budget_is_enough_when_it_is_as_large_as_what_is_run,
                                        repeated_instructions_take_from_the_budget,
                                        more_visits_than_allowed_are_a_fault,
                                        bytes_that_are_no_instruction_are_a_fault_when_they_are_reached,
                                        instructions_that_are_not_known_are_a_fault,
                                        nothing_asks_the_system_or_the_processor,
                                        only_code_is_run,
                                        code_ends_where_its_segment_does,
                                        reads_of_what_is_not_there_are_faults,
                                        writes_that_the_target_could_not_have_made_are_faults,
                                        vectors_are_aligned_where_they_must_be,
                                        endless_recursion_overflows_the_stack,
                                        a_call_may_not_write_without_end,
                                        divisions_without_a_result_are_faults,
                                        every_fault_has_a_name_of_its_own,
                                        targets_of_other_machines_are_refused,
                                        NULL};
    const TTest *const random_tests[] = {functions_that_search_and_compare_give_what_the_library_gives,
                                         functions_that_copy_and_fill_give_what_the_library_gives, NULL};
    const TTest *const native_tests[] = {functions_in_c_fault_and_take_from_the_budget_as_code_does,
                                         names_of_the_library_are_matched_whole, NULL};
    const struct unit_group groups[] = {{"calls", call_tests, 0},
                                        {"memory", memory_tests, 0},
                                        {"faults", fault_tests, 0},
                                        {"random natives", random_tests, 3},
                                        {"natives", native_tests, 0}};
    return unit_run("machine", groups, sizeof groups / sizeof *groups);
}
