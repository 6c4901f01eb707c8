/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/leaf.h"

#include "objects/size.h"

/* Words of the target, and what an int is looked at of its digits. */
enum { WORD = 8, DIGITS = 8, OFFSET_MAX = 1 << 16 };

/* ---- making ---- */

static struct walk_leaf items(const struct walk_python *python, const struct walk_pytype *type, uint32_t count_at,
                              enum walk_leaf_kind kind)
{
    return (struct walk_leaf){.kind = kind,
                              .size = (uint64_t)type->basicsize,
                              .item = (uint64_t)type->itemsize,
                              .extent = count_at + python->word,
                              .count_at = count_at};
}

static struct walk_leaf leaf_of_int(const struct walk_python *python, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    uint32_t digit = WALK_OFFSET(layout, int, ob_digit);
    struct walk_leaf leaf =
        items(python, type,
              WALK_HAS(layout, int, lv_tag) ? WALK_OFFSET(layout, int, lv_tag) : WALK_OFFSET(layout, var_object, ob_size),
              WALK_LEAF_INT);
    leaf.size = WALK_MINOR(python) >= 12 ? leaf.size : digit;
    leaf.extent = digit + DIGITS > leaf.extent ? digit + DIGITS : leaf.extent;
    return leaf;
}

static struct walk_leaf leaf_of_str(const struct walk_python *python)
{
    const struct walk_layout *layout = python->layout;
    uint32_t compact = WALK_OFFSET(layout, ascii, compact), ascii = WALK_OFFSET(layout, ascii, ascii);
    if (compact / 8 != ascii / 8)
        return (struct walk_leaf){0};
    return (struct walk_leaf){.kind = WALK_LEAF_STR,
                              .size = WALK_SIZE(layout, ascii) + 1, /* a NUL */
                              .item = 1,
                              .extent = WALK_SIZE(layout, ascii),
                              .count_at = WALK_OFFSET(layout, ascii, length),
                              .str = {.state_at = ascii / 8,
                                      .wstr_at = WALK_HAS(layout, ascii, wstr) ? WALK_OFFSET(layout, ascii, wstr) : 0,
                                      .plain = (uint8_t)(1 << compact % 8 | 1 << ascii % 8)}};
}

static struct walk_leaf simple(struct walk_python *python, const struct walk_pytype *type)
{
    struct walk_size_keys keys;
    switch (type->kind) {
    case WALK_KIND_int:
    case WALK_KIND_bool:
        return leaf_of_int(python, type);
    case WALK_KIND_str:
        return leaf_of_str(python);
    case WALK_KIND_bytes:
        return items(python, type, WALK_OFFSET(python->layout, var_object, ob_size), WALK_LEAF_ITEMS);
    default:
        if (walk_size_needs(type) != WALK_SIZE_TYPE)
            return (struct walk_leaf){0};
        return (struct walk_leaf){.kind = WALK_LEAF_FIXED, .size = walk_size_but_keys(python, 0, type, &keys)};
    }
}

/* Whether all that is looked at is where the leaf says that it ends. */
static bool is_sound(const struct walk_leaf *leaf)
{
    return leaf->extent <= OFFSET_MAX && leaf->count_at <= OFFSET_MAX - WORD && leaf->count_at + WORD <= leaf->extent &&
           leaf->str.state_at < leaf->extent && leaf->str.wstr_at <= leaf->extent - WORD;
}

struct walk_leaf walk_leaf_of(struct walk_python *python, const struct walk_pytype *type)
{
    struct walk_leaf none = {0};
    if (!type->atomic || (type->flags & WALK_TPFLAGS_HAVE_GC) || python->word != WORD || type->head)
        return none;
    struct walk_leaf leaf = simple(python, type);
    return leaf.kind == WALK_LEAF_FIXED || is_sound(&leaf) ? leaf : none;
}

/* ---- asking ---- */

/* As int_size() of size.c; its digits must be there, or it has none. */
static bool int_items(const struct walk_python *python, uint64_t word, uint64_t item, uint64_t *count)
{
    enum { TAG_SHIFT = 3, SIGN = 3, ZERO = 1 };
    uint64_t least = WALK_MINOR(python) >= 11;
    if (WALK_HAS(python->layout, int, lv_tag))
        word = (word & SIGN) == ZERO ? 0 : word >> TAG_SHIFT;
    else if ((int64_t)word < 0)
        word = 0 - word;
    *count = word > least ? word : least;
    return word <= DIGITS && word * item <= DIGITS;
}

bool walk_leaf_size(const struct walk_leaf *leaf, const struct walk_python *python, walk_addr object, uint64_t *size)
{
    *size = leaf->size;
    if (leaf->kind == WALK_LEAF_FIXED)
        return true;
    const uint8_t *view = walk_memory_view(python->memory, object, leaf->extent);
    if (leaf->kind == WALK_LEAF_NONE || !view)
        return false;
    uint64_t count = walk_load_u64(view + leaf->count_at);
    if (leaf->kind == WALK_LEAF_STR && ((view[leaf->str.state_at] & leaf->str.plain) != leaf->str.plain ||
                                        (leaf->str.wstr_at && walk_load_u64(view + leaf->str.wstr_at))))
        return false;
    if (leaf->kind == WALK_LEAF_ITEMS && (int64_t)count < 0)
        return false;
    if (leaf->kind == WALK_LEAF_INT && !int_items(python, count, leaf->item, &count))
        return false;
    *size += count * leaf->item;
    return true;
}
