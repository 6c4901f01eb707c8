/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/tracked.h"

#include <stdlib.h>

static bool reserve(struct walk_found *found, size_t capacity)
{
    walk_addr *grown = realloc(found->address, capacity * sizeof *grown);
    if (!grown)
        return false;
    found->address = grown;
    found->capacity = capacity;
    return true;
}

bool walk_found_push(struct walk_found *found, walk_addr address)
{
    if (found->count == found->capacity && !reserve(found, found->capacity ? found->capacity * 2 : 4096))
        return false;
    found->address[found->count++] = address;
    return true;
}

struct walk_error *walk_python_find_tracked(struct walk_python *python)
{
    struct walk_tracked tracked = {0};
    struct walk_found *all = &tracked.generations, *permanent = &tracked.permanent;
    bool good = WALK_FREE_THREADED(python->layout) ? walk_tracked_in_heaps(python, &tracked)
                                                   : walk_tracked_on_lists(python, &tracked);
    if (good && permanent->count)
        good = reserve(all, all->count + permanent->count);
    if (good && permanent->count) {
        memcpy(all->address + all->count, permanent->address, permanent->count * sizeof *permanent->address);
        all->count += permanent->count;
    }
    python->tracked = all->address;
    python->tracked_count = all->count;
    python->permanent_count = permanent->count;
    free(permanent->address);
    return good ? NULL : walk_error_no_memory();
}
