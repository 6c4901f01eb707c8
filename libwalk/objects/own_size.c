/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/own_size.h"

#include "objects/size.h"

/* Words of the target; what an int is looked at of its digits; how far from an object's address one may be. */
enum { WORD = 8, DIGITS = 8, OFFSET_MAX = 1 << 15 };

/* ---- making ---- */

/* A word at `at` tells how many items of `item` bytes come to `size` bytes. */
static struct walk_own_size items(enum walk_own_kind kind, uint64_t size, int64_t item, int32_t at)
{
    if (at < 0 || at > OFFSET_MAX || item < 0 || item > OFFSET_MAX)
        return (struct walk_own_size){0};
    return (struct walk_own_size){
        .kind = kind, .item = (uint32_t)item, .size = size, .extent = (uint16_t)(at + WORD), .count_at = (uint16_t)at};
}

static struct walk_own_size own_size_of_int(const struct walk_python *python, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    uint32_t digits = WALK_OFFSET(layout, int, ob_digit), end = digits + DIGITS;
    struct walk_own_size own =
        items(WALK_OWN_INT, WALK_MINOR(python) >= 12 ? (uint64_t)type->basicsize : digits, type->itemsize,
              layout->offset[WALK_HAS(layout, int, lv_tag) ? WALK_FIELD_int_lv_tag : WALK_FIELD_var_object_ob_size]);
    if (end > OFFSET_MAX)
        return (struct walk_own_size){0};
    own.extent = own.extent > end ? own.extent : (uint16_t)end;
    return own;
}

static struct walk_own_size own_size_of_str(const struct walk_python *python)
{
    const struct walk_layout *layout = python->layout;
    uint32_t compact = WALK_OFFSET(layout, ascii, compact), ascii = WALK_OFFSET(layout, ascii, ascii);
    uint32_t extent = WALK_SIZE(layout, ascii), state = ascii / 8;
    uint32_t wstr = WALK_HAS(layout, ascii, wstr) ? WALK_OFFSET(layout, ascii, wstr) : 0;
    struct walk_own_size own = items(WALK_OWN_STR, extent + 1 /* a NUL */, 1, layout->offset[WALK_FIELD_ascii_length]);
    if (compact / 8 != state || extent > OFFSET_MAX || own.extent > extent || state >= extent || wstr + WORD > extent)
        return (struct walk_own_size){0};
    own.extent = (uint16_t)extent;
    own.str.state_at = (uint16_t)state;
    own.str.wstr_at = (uint16_t)wstr;
    own.str.plain = (uint8_t)(1 << compact % 8 | 1 << ascii % 8);
    return own;
}

static struct walk_own_size simple(struct walk_python *python, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    const uint64_t size = (uint64_t)type->basicsize + type->head;
    struct walk_size_keys keys;
    if (walk_size_needs(type) == WALK_SIZE_TYPE)
        return items(WALK_OWN_FIXED, walk_size_but_keys(python, 0, type, &keys), 0, 0);
    if (walk_size_is_plain(type))
        return items(WALK_OWN_ITEMS, size, type->itemsize, layout->offset[WALK_FIELD_var_object_ob_size]);
    switch (type->kind) {
    case WALK_KIND_list:
        return items(WALK_OWN_ITEMS, size, WORD, layout->offset[WALK_FIELD_list_allocated]);
    case WALK_KIND_dict:
    case WALK_KIND_defaultdict:
    case WALK_KIND_frozendict:
        return (struct walk_own_size){.kind = WALK_OWN_KEYS, .size = size};
    case WALK_KIND_int:
    case WALK_KIND_bool:
        return type->head ? (struct walk_own_size){0} : own_size_of_int(python, type);
    case WALK_KIND_str:
        return type->head ? (struct walk_own_size){0} : own_size_of_str(python);
    default:
        return (struct walk_own_size){0};
    }
}

struct walk_own_size walk_own_size_of(struct walk_python *python, const struct walk_pytype *type)
{
    return python->word == WORD ? simple(python, type) : (struct walk_own_size){0};
}

/* ---- asking ---- */

/* As int_size() of size.c. */
bool walk_own_size_of_int(const struct walk_own_size *own, const struct walk_python *python, const uint8_t *view,
                          uint64_t *size)
{
    enum { TAG_SHIFT = 3, SIGN = 3, ZERO = 1 };
    uint64_t least = WALK_MINOR(python) >= 11, digits = walk_load_u64(view + own->count_at);
    if (WALK_HAS(python->layout, int, lv_tag))
        digits = (digits & SIGN) == ZERO ? 0 : digits >> TAG_SHIFT;
    else if ((int64_t)digits < 0)
        digits = 0 - digits;
    *size += (digits > least ? digits : least) * own->item;
    return digits <= DIGITS && digits * own->item <= DIGITS;
}
