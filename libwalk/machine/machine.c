/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/machine.h"

#include <stdlib.h>

#include "bytes/elf.h"
#include "machine/execute.h"
#include "machine/link.h"
#include "machine/natives.h"

const char *walk_fault_name(enum walk_fault fault)
{
    static const char *const names[WALK_FAULT_COUNT] = {
        [WALK_FAULT_NONE] = "none",
        [WALK_FAULT_BUDGET] = "too many instructions",
        [WALK_FAULT_REFERENTS] = "too many referents",
        [WALK_FAULT_UNDECODABLE] = "no instruction",
        [WALK_FAULT_UNIMPLEMENTED] = "unknown instruction",
        [WALK_FAULT_SYSTEM] = "instruction for the system",
        [WALK_FAULT_NOT_EXECUTABLE] = "jump to what is no code",
        [WALK_FAULT_UNMAPPED_READ] = "read of unmapped memory",
        [WALK_FAULT_NOT_SAVED_READ] = "read of memory that is not saved",
        [WALK_FAULT_UNMAPPED_WRITE] = "write to unmapped memory",
        [WALK_FAULT_WRITE_PROTECTED] = "write to protected memory",
        [WALK_FAULT_MISALIGNED] = "misaligned operand",
        [WALK_FAULT_STACK_OVERFLOW] = "stack overflow",
        [WALK_FAULT_OVERLAY_FULL] = "too much written",
        [WALK_FAULT_DIVIDE] = "division error",
        [WALK_FAULT_UNRESOLVED] = "function not found",
        [WALK_FAULT_NO_MEMORY] = "out of memory",
        [WALK_FAULT_INTERRUPTED] = "interrupted",
    };
    return (unsigned)fault < WALK_FAULT_COUNT ? names[fault] : "unknown";
}

/* Where the image does not know its machine, a module's header does; where none can be read, none will be called. */
static struct walk_error *check_image(struct walk_image *image)
{
    unsigned machine = image->machine;
    if (image->memory.word != 8)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "machine code of 32-bit targets is not run");
    for (size_t i = 0; i < image->module_count && !machine; i++) {
        struct walk_elf elf;
        GElf_Ehdr header;
        if (!walk_elf_in_memory(image, image->modules[i].start, &elf))
            continue;
        machine = gelf_getehdr(elf.elf, &header) ? header.e_machine : 0;
        walk_elf_close(&elf);
    }
    if (machine && machine != EM_X86_64)
        return walk_error_new(WALK_ERROR_UNSUPPORTED, "only machine code of x86-64 is run");
    return NULL;
}

struct walk_error *walk_machine_open(struct walk_image *image, struct walk_machine **machine)
{
    struct walk_error *error = check_image(image);
    if (error)
        return error;
    struct walk_machine *opened = calloc(1, sizeof *opened);
    if (!opened)
        return walk_error_no_memory();
    opened->image = image;
    walk_blocks_init(&opened->blocks);
    error = walk_space_init(&opened->space, image);
    if (!error)
        error = walk_link_init(opened);
    if (error)
        walk_machine_close(opened);
    else
        *machine = opened;
    return error;
}

void walk_machine_close(struct walk_machine *machine)
{
    if (!machine)
        return;
    walk_link_deinit(machine);
    walk_blocks_deinit(&machine->blocks);
    walk_space_deinit(&machine->space);
    free(machine->referents);
    free(machine);
}

/* As the System V ABI has it: the stack 16-byte aligned before the call pushes its return address, no direction. */
static void set_registers(struct walk_machine *machine, const struct walk_call *call)
{
    static const uint8_t numbers[WALK_MACHINE_ARGUMENTS] = {WALK_RDI, WALK_RSI, WALK_RDX,
                                                            WALK_RCX, WALK_R8,  WALK_R8 + 1};
    memset(machine->general, 0, sizeof machine->general);
    memset(machine->vector, 0, sizeof machine->vector);
    for (size_t i = 0; i < WALK_MACHINE_ARGUMENTS; i++)
        machine->general[numbers[i]] = call->argument[i];
    machine->general[WALK_RSP] = walk_space_stack(&machine->space);
    machine->fs = call->thread_pointer ? call->thread_pointer : walk_space_thread(&machine->space);
    machine->backwards = false;
    walk_flags_set(&machine->flags, 0);
}

static void slice(struct walk_machine *machine)
{
    uint64_t more = machine->later < WALK_MACHINE_SLICE ? machine->later : WALK_MACHINE_SLICE;
    machine->left += more;
    machine->later -= more;
}

bool walk_machine_refill(struct walk_machine *machine, uint64_t count)
{
    if (machine->later && machine->go_on && !machine->go_on(machine->context))
        return walk_machine_fault(machine, WALK_FAULT_INTERRUPTED, 0);
    slice(machine);
    return machine->left >= count || walk_machine_fault(machine, WALK_FAULT_BUDGET, 0);
}

void walk_machine_call(struct walk_machine *machine, const struct walk_call *call, struct walk_outcome *outcome)
{
    walk_space_reset(&machine->space);
    set_registers(machine, call);
    machine->left = 0;
    machine->later = call->budget;
    machine->go_on = call->go_on;
    machine->context = call->context;
    slice(machine);
    machine->referent_count = 0;
    machine->most_referents = call->most_referents;
    walk_machine_push(machine, WALK_MACHINE_RETURN);
    walk_machine_run(machine, call->function, outcome);
    outcome->referents = machine->referents;
    outcome->referent_count = machine->referent_count;
}
