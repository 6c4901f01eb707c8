/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/natives.h"

#include <stdlib.h>

#include "bytes/alternatives.h"
#include "machine/link.h"

static const char *const table[] = {
#define N(id, names) names,
#include "machine/natives.def"
};

void walk_natives_begin(bool begins[WALK_CHARACTERS])
{
    for (unsigned native = WALK_NATIVE_MEMMOVE; native < WALK_NATIVE_COUNT; native++)
        for (const char *at = table[native]; at; at = strchr(at, '|')) {
            at += *at == '|';
            begins[(unsigned char)*at] = true;
        }
}

enum walk_native walk_native_by_name(const char *name)
{
    size_t length = strlen(name);
    if (!length || strchr(name, '|'))
        return WALK_NATIVE_NONE;
    for (unsigned native = WALK_NATIVE_MEMMOVE; native < WALK_NATIVE_COUNT; native++)
        if (walk_is_alternative(table[native], name, length))
            return native;
    return WALK_NATIVE_NONE;
}

/* ---- visit ---- */

bool walk_native_visit(struct walk_machine *machine)
{
    if (machine->referent_count >= machine->most_referents)
        return walk_machine_fault(machine, WALK_FAULT_REFERENTS, 0);
    if (machine->referent_count == machine->referent_capacity) {
        size_t capacity = machine->referent_capacity ? 2 * machine->referent_capacity : 1024;
        walk_addr *referents = realloc(machine->referents, capacity * sizeof *referents);
        if (!referents)
            return walk_machine_fault(machine, WALK_FAULT_NO_MEMORY, 0);
        machine->referents = referents;
        machine->referent_capacity = capacity;
    }
    machine->referents[machine->referent_count++] = machine->general[WALK_RDI];
    machine->general[WALK_RAX] = 0;
    return true;
}

/* ---- the C library's: byte by byte, each taken from the budget ---- */

static bool get(struct walk_machine *machine, walk_addr address, uint8_t *byte)
{
    uint64_t value;
    if (!walk_machine_afford(machine, 1))
        return false;
    machine->left--;
    if (!walk_space_read(&machine->space, address, 1, &value))
        return false;
    *byte = (uint8_t)value;
    return true;
}

static bool put(struct walk_machine *machine, walk_addr address, uint8_t byte)
{
    if (!walk_machine_afford(machine, 1))
        return false;
    machine->left--;
    return walk_space_write(&machine->space, address, 1, byte);
}

static bool copy(struct walk_machine *machine, walk_addr to, walk_addr from, uint64_t size)
{
    bool down = to - from < size; /* to is in [from, from + size) */
    for (uint64_t i = 0; i < size; i++) {
        uint64_t at = down ? size - 1 - i : i;
        uint8_t byte;
        if (!get(machine, from + at, &byte) || !put(machine, to + at, byte))
            return false;
    }
    return true;
}

/* Copies up to and with the byte 0; `*end` is where it stands then. */
static bool copy_string(struct walk_machine *machine, walk_addr to, walk_addr from, walk_addr *end)
{
    uint8_t byte = 1;
    for (uint64_t i = 0; byte; i++) {
        if (!get(machine, from + i, &byte) || !put(machine, to + i, byte))
            return false;
        *end = to + i;
    }
    return true;
}

static bool copy_padded(struct walk_machine *machine, walk_addr to, walk_addr from, uint64_t size)
{
    uint8_t byte = 1;
    for (uint64_t i = 0; i < size; i++)
        if ((byte && !get(machine, from + i, &byte)) || !put(machine, to + i, byte))
            return false;
    return true;
}

static bool fill(struct walk_machine *machine, walk_addr to, uint8_t byte, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        if (!put(machine, to + i, byte))
            return false;
    return true;
}

/* The first of `size` bytes that is `wanted`, or (with `or_zero`) 0; `*at` is `size` when there is none. */
static bool find(struct walk_machine *machine, walk_addr from, uint8_t wanted, bool or_zero, uint64_t size,
                 uint64_t *at)
{
    uint8_t byte;
    for (*at = 0; *at < size; ++*at) {
        if (!get(machine, from + *at, &byte))
            return false;
        if (byte == wanted || (or_zero && !byte))
            return true;
    }
    return true;
}

/* The last one; `*found` is 0 when there is none. */
static bool find_last(struct walk_machine *machine, walk_addr from, uint8_t wanted, uint64_t size, walk_addr *found)
{
    uint8_t byte;
    *found = 0;
    while (size--) {
        if (!get(machine, from + size, &byte))
            return false;
        if (byte == wanted) {
            *found = from + size;
            return true;
        }
    }
    return true;
}

/* The difference of the first bytes that differ, as int; `strings` end at 0. */
static bool compare(struct walk_machine *machine, walk_addr a, walk_addr b, bool strings, uint64_t size,
                    uint64_t *difference)
{
    *difference = 0;
    for (uint64_t i = 0; i < size && !*difference; i++) {
        uint8_t x, y;
        if (!get(machine, a + i, &x) || !get(machine, b + i, &y))
            return false;
        *difference = (uint32_t)(x - y);
        if (strings && !x)
            break;
    }
    return true;
}

static bool run_library(struct walk_machine *machine, enum walk_native native)
{
    uint64_t a = machine->general[WALK_RDI], b = machine->general[WALK_RSI], size = machine->general[WALK_RDX];
    uint64_t result = a, at, *rax = &machine->general[WALK_RAX];
    uint8_t byte = (uint8_t)b, last = 0;
    bool good = true;
    switch (native) {
    case WALK_NATIVE_MEMMOVE:
        good = copy(machine, a, b, size);
        break;
    case WALK_NATIVE_MEMPCPY:
        good = copy(machine, a, b, size);
        result = a + size;
        break;
    case WALK_NATIVE_MEMSET:
        good = fill(machine, a, byte, size);
        break;
    case WALK_NATIVE_MEMCMP:
        good = compare(machine, a, b, false, size, &result);
        break;
    case WALK_NATIVE_STRCMP:
        good = compare(machine, a, b, true, UINT64_MAX, &result);
        break;
    case WALK_NATIVE_STRNCMP:
        good = compare(machine, a, b, true, size, &result);
        break;
    case WALK_NATIVE_MEMCHR:
        good = find(machine, a, byte, false, size, &at);
        result = at < size ? a + at : 0;
        break;
    case WALK_NATIVE_RAWMEMCHR:
        good = find(machine, a, byte, false, UINT64_MAX, &at);
        result = a + at;
        break;
    case WALK_NATIVE_MEMRCHR:
        good = find_last(machine, a, byte, size, &result);
        break;
    case WALK_NATIVE_STRLEN:
        good = find(machine, a, 0, false, UINT64_MAX, &result);
        break;
    case WALK_NATIVE_STRNLEN:
        good = find(machine, a, 0, false, b, &result);
        break;
    case WALK_NATIVE_STRCHR:
    case WALK_NATIVE_STRCHRNUL:
        good = find(machine, a, byte, true, UINT64_MAX, &at) && get(machine, a + at, &last);
        result = last == byte || native == WALK_NATIVE_STRCHRNUL ? a + at : 0;
        break;
    case WALK_NATIVE_STRRCHR:
        good = find(machine, a, 0, false, UINT64_MAX, &at) && find_last(machine, a, byte, at + 1, &result);
        break;
    case WALK_NATIVE_STRCPY:
        good = copy_string(machine, a, b, &at);
        break;
    case WALK_NATIVE_STPCPY:
        good = copy_string(machine, a, b, &result);
        break;
    case WALK_NATIVE_STRNCPY:
        good = copy_padded(machine, a, b, size);
        break;
    case WALK_NATIVE_STRCAT:
        good = find(machine, a, 0, false, UINT64_MAX, &at) && copy_string(machine, a + at, b, &at);
        break;
    default:
        return walk_machine_fault(machine, WALK_FAULT_UNIMPLEMENTED, 0);
    }
    *rax = good ? result : *rax;
    return good;
}

bool walk_native_run(struct walk_machine *machine, enum walk_native native, walk_addr *to)
{
    switch (native) {
    case WALK_NATIVE_RETURN:
        return false;
    case WALK_NATIVE_VISIT:
        return walk_native_visit(machine) && walk_machine_pop(machine, to);
    case WALK_NATIVE_RESOLVE:
        return walk_link_resolve(machine, to);
    default:
        return run_library(machine, native) && walk_machine_pop(machine, to);
    }
}
