/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_MACHINE_H
#define WALK_MACHINE_MACHINE_H

/*
 * Calls a function of the target: its x86-64 machine code is interpreted over the image. The target is never written:
 * a call has a private stack, its other writes go to an overlay that is dropped when it ends. Nothing survives a call
 * but decoded code. A function may be called with any arguments over any bytes: whatever it does, the call ends with a
 * result or a fault, within its budget.
 *
 * One machine serves one image and one thread of this process.
 */

#include "bytes/image.h"

/* Addresses that mean something to the machine; no target has memory there (they are not canonical). */
#define WALK_MACHINE_BASE UINT64_C(0x1d1ed00000000000)
/* A function visit(referent, argument) that notes `referent` and returns 0: to be given to the called one. */
#define WALK_MACHINE_VISIT (WALK_MACHINE_BASE + 0x20)

enum walk_fault {
    WALK_FAULT_NONE,
    WALK_FAULT_BUDGET,         /* more instructions than the call may take */
    WALK_FAULT_REFERENTS,      /* more visits than the call may make */
    WALK_FAULT_UNDECODABLE,    /* bytes that are no instruction */
    WALK_FAULT_UNIMPLEMENTED,  /* an instruction that the machine does not know */
    WALK_FAULT_SYSTEM,         /* one that asks the operating system or the processor: syscall, int, in, cpuid, … */
    WALK_FAULT_NOT_EXECUTABLE, /* a jump to where no code is */
    WALK_FAULT_UNMAPPED_READ,  /* of an address outside of every mapping of the target */
    WALK_FAULT_NOT_SAVED_READ, /* mapped in the target, but its bytes are nowhere */
    WALK_FAULT_UNMAPPED_WRITE,
    WALK_FAULT_WRITE_PROTECTED, /* memory that the target itself could not have written, or code */
    WALK_FAULT_MISALIGNED,      /* an operand of 16 bytes that must be aligned */
    WALK_FAULT_STACK_OVERFLOW,
    WALK_FAULT_OVERLAY_FULL, /* more written than a traversal can have a reason to */
    WALK_FAULT_DIVIDE,       /* by zero, or too large a quotient */
    WALK_FAULT_UNRESOLVED,   /* a function of a library that was never called before and is not found now */
    WALK_FAULT_NO_MEMORY,    /* this process has none left */
    WALK_FAULT_INTERRUPTED,  /* go_on() said no */
    WALK_FAULT_COUNT
};

/* What a fault is called, for people: "write to protected memory". */
const char *walk_fault_name(enum walk_fault fault);

enum { WALK_MACHINE_ARGUMENTS = 6, WALK_MACHINE_SLICE = 1 << 24 };

struct walk_call {
    walk_addr function;
    uint64_t argument[WALK_MACHINE_ARGUMENTS]; /* integers and pointers */
    walk_addr thread_pointer;                  /* of the thread that seems to call; 0: one with zeros around it */
    uint64_t budget;                           /* instructions */
    size_t most_referents;
    /* Asked every WALK_MACHINE_SLICE instructions; false ends the call. May be NULL. */
    bool (*go_on)(void *context);
    void *context;
};

struct walk_outcome {
    enum walk_fault fault;
    walk_addr pc;          /* of the instruction that faulted */
    walk_addr address;     /* that it could not read or write; else 0 */
    uint64_t instructions; /* that were run */
    uint64_t result;       /* rax, when there is no fault */
    /* What was visited, in this order, until the fault if there is one. Valid until the next call. */
    const walk_addr *referents;
    size_t referent_count;
};

struct walk_machine;

/* Errors: UNSUPPORTED for targets that are not x86-64, MEMORY. The image must stay. */
struct walk_error *walk_machine_open(struct walk_image *image, struct walk_machine **machine);
void walk_machine_close(struct walk_machine *machine);

/* Nothing is allocated here but for code that is met for the first time and for a longer list of referents. */
void walk_machine_call(struct walk_machine *machine, const struct walk_call *call, struct walk_outcome *outcome);

#endif
