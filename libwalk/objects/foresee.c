/* SPDX-License-Identifier: Apache-2.0 */
/* What visits wait for: the arrays that stand elsewhere than their objects, anywhere in the memory. */
#include "objects/header.h"
#include "objects/visit.h"

/* Where the address of such an array stands. */
static const struct array {
    bool there;
    enum walk_field field;
} arrays[WALK_KIND_COUNT] = {
    [WALK_KIND_dict] = {true, WALK_FIELD_dict_ma_keys},       [WALK_KIND_defaultdict] = {true, WALK_FIELD_dict_ma_keys},
    [WALK_KIND_frozendict] = {true, WALK_FIELD_dict_ma_keys}, [WALK_KIND_odict] = {true, WALK_FIELD_dict_ma_keys},
    [WALK_KIND_list] = {true, WALK_FIELD_list_ob_item},       [WALK_KIND_set] = {true, WALK_FIELD_set_table},
    [WALK_KIND_frozenset] = {true, WALK_FIELD_set_table},     [WALK_KIND_deque] = {true, WALK_FIELD_deque_leftblock},
};

static void fetch(const struct walk_python *python, walk_addr at)
{
    uint64_t array;
    const uint8_t *view = NULL;
    if (walk_memory_word(python->memory, at, &array) && array)
        view = walk_memory_view(python->memory, array & ~(uint64_t)1, 1);
    if (view)
        __builtin_prefetch(view);
}

void walk_foresee(const struct walk_python *python, const struct walk_pytype *type, walk_addr object)
{
    if (arrays[type->kind].there)
        fetch(python, object + (uint32_t)python->layout->offset[arrays[type->kind].field]);
    else if (type->managed_dict && WALK_MINOR(python) == 11)
        fetch(python, walk_header_managed_dict(python, object) - python->word);
    else if (type->managed_dict && WALK_MINOR(python) == 12)
        fetch(python, walk_header_managed_dict(python, object));
}
