/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/classes.h"

#include <stdlib.h>

static size_t slot_of(const struct walk_classes *classes, walk_addr type)
{
    size_t at = (size_t)((type >> 3) * 0x9e3779b97f4a7c15u >> 20) & (classes->slots - 1);
    while (classes->slot[at] && classes->class[classes->slot[at] - 1].type != type)
        at = (at + 1) & (classes->slots - 1);
    return at;
}

/* At most a quarter of the slots is taken. */
static bool grow(struct walk_classes *classes)
{
    uint32_t capacity = classes->capacity ? classes->capacity * 2 : 256;
    struct walk_class *class = realloc(classes->class, capacity * sizeof *class);
    uint32_t *slot = calloc((size_t)capacity * 4, sizeof *slot);
    if (class)
        classes->class = class;
    if (!class || !slot) {
        free(slot);
        return false;
    }
    free(classes->slot);
    classes->slot = slot;
    classes->slots = (size_t)capacity * 4;
    classes->capacity = capacity;
    for (uint32_t i = 0; i < classes->count; i++)
        classes->slot[slot_of(classes, classes->class[i].type)] = i + 1;
    return true;
}

void walk_classes_deinit(struct walk_classes *classes)
{
    free(classes->class);
    free(classes->slot);
    *classes = (struct walk_classes){0};
}

bool walk_classes_find(const struct walk_classes *classes, walk_addr type, uint32_t *number)
{
    size_t at = classes->slots ? slot_of(classes, type) : 0;
    if (!classes->slots || !classes->slot[at])
        return false;
    *number = classes->slot[at] - 1;
    return true;
}

bool walk_classes_enter(struct walk_classes *classes, walk_addr type, uint32_t *number)
{
    if (classes->count == classes->capacity && !grow(classes))
        return false;
    size_t at = slot_of(classes, type);
    if (!classes->slot[at]) {
        classes->class[classes->count++] = (struct walk_class){.type = type};
        classes->slot[at] = classes->count;
    }
    *number = classes->slot[at] - 1;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const walk_addr *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

bool walk_classes_enter_all(struct walk_classes *classes, const struct walk_classes *met)
{
    walk_addr *types = malloc(((size_t)met->count + 1) * sizeof *types);
    bool good = types != NULL;
    uint32_t number;
    for (uint32_t i = 0; good && i < met->count; i++)
        types[i] = met->class[i].type;
    if (good)
        qsort(types, met->count, sizeof *types, by_address);
    for (uint32_t i = 0; good && i < met->count; i++)
        good = walk_classes_enter(classes, types[i], &number);
    free(types);
    return good;
}
