/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_MACHINE_NATIVES_H
#define WALK_MACHINE_NATIVES_H

/*
 * Functions that are done in C instead of run: what the machine gives a call (visit, the return address), what the
 * dynamic linker does on a first call, and those of the C library that resolve to code for vectors of any width.
 */

#include "machine/operands.h"

/* N(id, names): alternatives separated by '|'. */
#define WALK_NATIVES                                                                                                   \
    N(NONE, "")                                                                                                        \
    N(RETURN, "")                                                                                                      \
    N(VISIT, "")                                                                                                       \
    N(RESOLVE, "")                                                                                                     \
    N(MEMMOVE, "memmove|memcpy|__memmove_chk|__memcpy_chk")                                                            \
    N(MEMPCPY, "mempcpy|__mempcpy|__mempcpy_chk")                                                                      \
    N(MEMSET, "memset|__memset_chk")                                                                                   \
    N(MEMCMP, "memcmp|bcmp|__memcmpeq")                                                                                \
    N(MEMCHR, "memchr")                                                                                                \
    N(MEMRCHR, "memrchr|__memrchr")                                                                                    \
    N(RAWMEMCHR, "rawmemchr|__rawmemchr")                                                                              \
    N(STRLEN, "strlen")                                                                                                \
    N(STRNLEN, "strnlen|__strnlen")                                                                                    \
    N(STRCMP, "strcmp")                                                                                                \
    N(STRNCMP, "strncmp")                                                                                              \
    N(STRCHR, "strchr|index")                                                                                          \
    N(STRRCHR, "strrchr|rindex")                                                                                       \
    N(STRCHRNUL, "strchrnul")                                                                                          \
    N(STRCPY, "strcpy|__strcpy_chk")                                                                                   \
    N(STPCPY, "stpcpy|__stpcpy|__stpcpy_chk")                                                                          \
    N(STRNCPY, "strncpy|__strncpy_chk")                                                                                \
    N(STRCAT, "strcat|__strcat_chk")

enum walk_native {
#define N(id, names) WALK_NATIVE_##id,
    WALK_NATIVES
#undef N
        WALK_NATIVE_COUNT
};

/* An address that means the native, whatever the target has. */
#define WALK_MACHINE_NATIVE(native) (WALK_MACHINE_BASE + 0x10 * (unsigned)(native))

/* Where a called function returns to. */
#define WALK_MACHINE_RETURN WALK_MACHINE_NATIVE(WALK_NATIVE_RETURN)
_Static_assert(WALK_MACHINE_VISIT == WALK_MACHINE_NATIVE(WALK_NATIVE_VISIT), "machine.h says where it is");

/* The function of the C library called `name`; NONE. */
enum walk_native walk_native_by_name(const char *name);

/* Runs one. True: go on at `*to`; false: a fault or, without one, the end of the call. */
bool walk_native_run(struct walk_machine *machine, enum walk_native native, walk_addr *to);

#endif
