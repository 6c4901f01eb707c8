/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/strings.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *text, size_t length)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return value ^ value >> 32;
}

static void enter(struct walk_strings *strings, uint32_t number)
{
    const char *text = strings->text + strings->start[number];
    size_t at = hash(text, strlen(text)) & (strings->slots - 1);
    while (strings->slot[at])
        at = (at + 1) & (strings->slots - 1);
    strings->slot[at] = number + 1;
}

static bool grow_slots(struct walk_strings *strings)
{
    size_t slots = strings->slots ? strings->slots * 2 : 1 << 12;
    uint32_t *slot = calloc(slots, sizeof *slot);
    if (!slot)
        return false;
    free(strings->slot);
    strings->slot = slot;
    strings->slots = slots;
    for (uint32_t i = 0; i < strings->count; i++)
        enter(strings, i);
    return true;
}

static bool reserve(struct walk_strings *strings, size_t size)
{
    if (strings->size + size > UINT32_MAX)
        return false;
    if (strings->size + size > strings->capacity) {
        size_t capacity = (strings->capacity + size) * 2;
        char *text = realloc(strings->text, capacity);
        if (!text)
            return false;
        strings->text = text;
        strings->capacity = capacity;
    }
    if (strings->count == strings->start_capacity) {
        uint32_t capacity = strings->start_capacity ? strings->start_capacity * 2 : 1 << 10;
        uint32_t *start = realloc(strings->start, capacity * sizeof *start);
        if (!start)
            return false;
        strings->start = start;
        strings->start_capacity = capacity;
    }
    return (strings->count + 1 <= strings->slots / 2) || grow_slots(strings);
}

uint32_t walk_strings_number(struct walk_strings *strings, const char *text)
{
    if (!strings->count && *text)
        walk_strings_number(strings, "");
    size_t length = strlen(text);
    for (size_t at = strings->slots ? hash(text, length) & (strings->slots - 1) : 0;
         strings->slots && strings->slot[at]; at = (at + 1) & (strings->slots - 1)) {
        uint32_t number = strings->slot[at] - 1;
        if (strcmp(strings->text + strings->start[number], text) == 0)
            return number;
    }
    if (strings->failed || !reserve(strings, length + 1)) {
        strings->failed = true;
        return 0;
    }
    uint32_t number = strings->count++;
    strings->start[number] = (uint32_t)strings->size;
    memcpy(strings->text + strings->size, text, length + 1);
    strings->size += length + 1;
    enter(strings, number);
    return number;
}

void walk_strings_deinit(struct walk_strings *strings)
{
    free(strings->text);
    free(strings->start);
    free(strings->slot);
    *strings = (struct walk_strings){0};
}
