/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The __sizeof__ of the builtin types, and what sys.getsizeof() adds. `basic` is always the tp_basicsize of the
 * object's own type, so subclasses come out right. Sources: the *___sizeof___impl and *_sizeof functions of Objects/
 * and Modules/.
 */
#include "objects/size.h"

#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/header.h"
#include "objects/holders.h"
#include "objects/text.h"

static uint64_t round_up(uint64_t size, unsigned word) { return (size + word - 1) / word * word; }

/* object.__sizeof__ */
static uint64_t plain(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    uint64_t size = (uint64_t)type->basicsize;
    if (type->itemsize > 0)
        size += walk_text_var_size(python, object, false) * (uint64_t)type->itemsize;
    return size;
}

static uint64_t int_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    uint64_t digits = walk_text_var_size(python, object, true), least = WALK_MINOR(python) >= 11;
    if (digits < least)
        digits = least;
    uint64_t fixed = WALK_MINOR(python) >= 12 ? (uint64_t)type->basicsize : WALK_OFFSET(python->layout, int, ob_digit);
    return fixed + (uint64_t)type->itemsize * digits;
}

/* unicode_sizeof(): the character block where it is separate, the UTF-8 and wchar_t forms where they were made. */
static uint64_t str_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    (void)type;
    const struct walk_layout *layout = python->layout;
    const uint8_t *view = walk_memory_view(python->memory, object, WALK_SIZE(layout, ascii));
    if (!view)
        return 0;
    struct walk_text_form form = walk_text_form(python, view);
    uint64_t length = WALK_WORD(python, view, ascii, length), size;
    bool compact_ascii = form.compact && form.ascii;
    walk_addr wstr = WALK_MEMBER(python, object, ascii, wstr), data = 0;
    if (compact_ascii) {
        size = WALK_SIZE(layout, ascii) + length + 1;
        data = object + WALK_SIZE(layout, ascii);
    } else if (form.compact) {
        size = WALK_SIZE(layout, compact) + (length + 1) * form.kind;
        data = object + WALK_SIZE(layout, compact);
    } else {
        data = WALK_MEMBER(python, object, unicode, data);
        size = WALK_SIZE(layout, unicode) + (data ? (length + 1) * form.kind : 0);
    }
    if (wstr && (!form.ready || wstr != data)) {
        uint64_t wide = compact_ascii ? length : WALK_MEMBER(python, object, compact, wstr_length);
        size += (wide + 1) * 4;
    }
    walk_addr utf8 = compact_ascii ? 0 : WALK_MEMBER(python, object, compact, utf8);
    if (utf8 && utf8 != data)
        size += WALK_MEMBER(python, object, compact, utf8_length) + 1;
    return size;
}

/* Keys that nobody shares. */
static uint64_t unshared(const struct walk_python *python, const struct walk_dict_keys *keys)
{
    return keys->refcount == 1 ? walk_dict_keys_size(python, keys) : 0;
}

/* As dict_sizeof() has it: the values of a split dict, and the keys unless others share them. */
uint64_t walk_size_of_dict(const struct walk_python *python, const struct walk_dict *dict)
{
    uint64_t size = 0;
    if (dict->values)
        size += python->word * (WALK_HAS(python->layout, dict_keys, dk_kind)
                                    ? dict->keys.count + WALK_MEMBER(python, dict->keys_address, dict_keys, dk_usable)
                                    : walk_dict_usable(dict->keys.size));
    return size + unshared(python, &dict->keys);
}

uint64_t walk_size_of_keys(const struct walk_python *python, const struct walk_size_keys *keys)
{
    struct walk_dict dict;
    if (!keys->keys)
        return 0;
    if (!keys->values)
        return walk_dict_keys_open(python, keys->keys, &dict.keys) ? unshared(python, &dict.keys) : 0;
    return walk_dict_open_keys(python, keys->keys, keys->values, &dict) ? walk_size_of_dict(python, &dict) : 0;
}

/* The rest is in its keys. */
static uint64_t dict_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    (void)python, (void)object;
    return (uint64_t)type->basicsize;
}

static uint64_t odict_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    uint64_t size = dict_size(python, object, type);
    size += python->word * WALK_MEMBER(python, object, odict, od_fast_nodes_size);
    if (WALK_MEMBER(python, object, odict, od_first))
        size += WALK_SIZE(python->layout, odict_node) * WALK_MEMBER(python, object, dict, ma_used);
    return size;
}

static uint64_t set_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    uint64_t size = (uint64_t)type->basicsize;
    if (WALK_MEMBER(python, object, set, table) != object + WALK_OFFSET(python->layout, set, smalltable))
        size += (WALK_MEMBER(python, object, set, mask) + 1) * 2 * python->word;
    return size;
}

static uint64_t type_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    (void)type;
    struct walk_dict_keys keys;
    if (!(WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE))
        return WALK_SIZE(python->layout, type);
    uint64_t size = WALK_SIZE(python->layout, heap_type);
    walk_addr cached = WALK_MEMBER(python, object, heap_type, ht_cached_keys);
    return cached && walk_dict_keys_open(python, cached, &keys) ? size + walk_dict_keys_size(python, &keys) : size;
}

/* Since 3.15 the buffer is a bytes object. */
static uint64_t bytearray_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    uint64_t allocated = WALK_MEMBER(python, object, bytearray, ob_alloc);
    bool in_bytes = WALK_HAS(layout, bytearray, ob_bytes_object) && allocated;
    return (uint64_t)type->basicsize + allocated + (in_bytes ? WALK_OFFSET(layout, bytes, ob_sval) + 1 : 0);
}

static uint64_t tuple_length(struct walk_python *python, walk_addr tuple)
{
    return tuple ? WALK_MEMBER(python, tuple, var_object, ob_size) : 0;
}

static uint64_t code_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    unsigned word = python->word;
    uint64_t size = round_up(plain(python, object, type), word);
    walk_addr extra = WALK_MEMBER(python, object, code, co_extra);
    uint64_t extras;
    if (extra && walk_memory_word(python->memory, extra, &extras) && extras < 1 << 16)
        size += 2 * word + (extras - 1) * word;
    if (WALK_MEMBER(python, object, code, co_cell2arg))
        size += tuple_length(python, WALK_MEMBER(python, object, code, co_cellvars)) * word;
    if (WALK_MEMBER(python, object, code, co_opcache)) {
        /* _PyOpcache of 3.8-3.10: a pointer, two numbers of 64 bits (aligned to 4 bytes on i386), a flag;
         * co_opcache_size is one byte. */
        uint64_t entry = word == 8 ? 32 : 24;
        uint64_t units = tuple_length(python, WALK_MEMBER(python, object, code, co_code)) / 2;
        size += units + ((uint32_t)WALK_INT_MEMBER(python, object, code, co_opcache_size) & 0xff) * entry;
    }
    return size;
}

/* How many words follow `localsplus` in a frame of this code (3.11+). */
static uint64_t frame_words(struct walk_python *python, walk_addr code)
{
    if (WALK_HAS(python->layout, code, co_framesize))
        return (uint64_t)(uint32_t)WALK_INT_MEMBER(python, code, code, co_framesize) -
               WALK_OFFSET(python->layout, iframe, localsplus) / python->word;
    return (uint64_t)(uint32_t)WALK_INT_MEMBER(python, code, code, co_nlocalsplus) +
           (uint32_t)WALK_INT_MEMBER(python, code, code, co_stacksize);
}

static uint64_t frame_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    struct walk_frame_view view;
    if (!walk_frame_open(python, walk_frame_of_object(python, object), &view))
        return (uint64_t)type->basicsize;
    if (WALK_HAS(layout, frame, f_frame_data))
        return WALK_OFFSET(layout, frame, f_frame_data) + WALK_OFFSET(layout, iframe, localsplus) +
               frame_words(python, view.code) * python->word;
    return WALK_SIZE(layout, frame) + (view.stack_size + view.slot_count - 1) * python->word;
}

/* Since 3.11 the frame stands in the generator, for the code that it was made for, also when it has ended. */
static uint64_t generator_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    if (!WALK_HAS(layout, generator, gi_iframe))
        return plain(python, object, type);
    walk_addr iframe = object + WALK_OFFSET(layout, generator, gi_iframe);
    walk_addr code = WALK_HAS(layout, generator, gi_code)
                         ? WALK_MEMBER(python, object, generator, gi_code)
                         : walk_frame_slot(python, WALK_MEMBER(python, iframe, iframe, executable));
    return WALK_OFFSET(layout, generator, gi_iframe) + WALK_OFFSET(layout, iframe, localsplus) +
           frame_words(python, code) * python->word;
}

static uint64_t deque_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    const struct walk_layout *layout = python->layout;
    uint64_t block =
        (WALK_OFFSET(layout, deque_block, rightlink) - WALK_OFFSET(layout, deque_block, data)) / python->word;
    uint64_t used = WALK_MEMBER(python, object, deque, leftindex) + WALK_MEMBER(python, object, var_object, ob_size);
    return (uint64_t)type->basicsize + (used + block - 1) / block * WALK_SIZE(layout, deque_block);
}

/* io.BytesIO counts the bytes object that it fills while nobody else has it (immortal ones count as shared). */
static uint64_t bytesio_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    walk_addr buffer = WALK_MEMBER(python, object, bytesio, buf);
    uint64_t size = (uint64_t)type->basicsize;
    uint32_t index;
    if (buffer && walk_header_refcount(python, buffer) <= 1 && walk_python_type_of(python, buffer, &index))
        size += plain(python, buffer, &python->types[index]);
    return size;
}

static uint64_t list_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    return (uint64_t)type->basicsize + WALK_MEMBER(python, object, list, allocated) * python->word;
}

static uint64_t buffered_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    uint64_t size = WALK_MEMBER(python, object, buffered, buffer_size);
    return (uint64_t)type->basicsize + (WALK_MEMBER(python, object, buffered, buffer) ? size : 0);
}

static uint64_t product_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    return (uint64_t)type->basicsize + tuple_length(python, WALK_MEMBER(python, object, product, pools)) * python->word;
}

static uint64_t combinations_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    return (uint64_t)type->basicsize + WALK_MEMBER(python, object, combinations, r) * python->word;
}

static uint64_t cwr_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    return (uint64_t)type->basicsize + WALK_MEMBER(python, object, cwr, r) * python->word;
}

static uint64_t permutations_size(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    return (uint64_t)type->basicsize +
           tuple_length(python, WALK_MEMBER(python, object, permutations, pool)) * python->word +
           WALK_MEMBER(python, object, permutations, r) * python->word;
}

/* What is not here has the size of object.__sizeof__, and what a holder adds. */
static const struct sizer {
    uint64_t (*size)(struct walk_python *python, walk_addr object, const struct walk_pytype *type);
    bool has_keys;
    bool asks_types; /* of other objects */
} sizers[WALK_KIND_COUNT] = {
    [WALK_KIND_int] = {.size = int_size},
    [WALK_KIND_bool] = {.size = int_size},
    [WALK_KIND_str] = {.size = str_size},
    [WALK_KIND_bytearray] = {.size = bytearray_size},
    [WALK_KIND_list] = {.size = list_size},
    [WALK_KIND_dict] = {.size = dict_size, .has_keys = true},
    [WALK_KIND_defaultdict] = {.size = dict_size, .has_keys = true},
    [WALK_KIND_frozendict] = {.size = dict_size, .has_keys = true},
    [WALK_KIND_odict] = {.size = odict_size, .has_keys = true},
    [WALK_KIND_set] = {.size = set_size},
    [WALK_KIND_frozenset] = {.size = set_size},
    [WALK_KIND_type] = {.size = type_size},
    [WALK_KIND_code] = {.size = code_size},
    [WALK_KIND_frame] = {.size = frame_size, .asks_types = true},
    [WALK_KIND_generator] = {.size = generator_size},
    [WALK_KIND_coroutine] = {.size = generator_size},
    [WALK_KIND_async_generator] = {.size = generator_size},
    [WALK_KIND_deque] = {.size = deque_size},
    [WALK_KIND_bytesio] = {.size = bytesio_size, .asks_types = true},
    [WALK_KIND_buffered_reader] = {.size = buffered_size},
    [WALK_KIND_buffered_writer] = {.size = buffered_size},
    [WALK_KIND_buffered_random] = {.size = buffered_size},
    [WALK_KIND_product] = {.size = product_size},
    [WALK_KIND_combinations] = {.size = combinations_size},
    [WALK_KIND_cwr] = {.size = cwr_size},
    [WALK_KIND_permutations] = {.size = permutations_size},
};

/* _PySys_GetSizeOf(): 3.11 and 3.12 add the head of static types too, though they have none. */
static bool has_head(struct walk_python *python, walk_addr object, const struct walk_pytype *type)
{
    if (type->kind != WALK_KIND_type || WALK_MINOR(python) == 11 || WALK_MINOR(python) == 12)
        return true;
    return (WALK_MEMBER(python, object, type, tp_flags) & WALK_TPFLAGS_HEAPTYPE) != 0;
}

enum walk_sizing walk_size_needs(const struct walk_pytype *type)
{
    const struct sizer *sizer = &sizers[type->kind];
    if (sizer->asks_types || (!sizer->size && type->holding.holder))
        return WALK_SIZE_ALONE;
    if (sizer->has_keys)
        return WALK_SIZE_KEYS;
    return sizer->size || type->itemsize > 0 ? WALK_SIZE_OBJECT : WALK_SIZE_TYPE;
}

bool walk_size_is_plain(const struct walk_pytype *type)
{
    return !sizers[type->kind].size && !type->holding.holder && type->kind != WALK_KIND_type;
}

static uint64_t wrapped(const struct walk_python *python, uint64_t size)
{
    return python->word == 4 ? (uint32_t)size : size; /* a list that is sorted says -1: sizes wrap as a size_t does */
}

uint64_t walk_size_but_keys(struct walk_python *python, walk_addr object, const struct walk_pytype *type,
                            struct walk_size_keys *keys)
{
    const struct sizer *sizer = &sizers[type->kind];
    uint64_t size = sizer->size ? sizer->size(python, object, type)
                                : plain(python, object, type) + walk_holder_size(python, type, object);
    *keys = (struct walk_size_keys){0};
    if (sizer->has_keys)
        *keys = (struct walk_size_keys){WALK_MEMBER(python, object, dict, ma_keys),
                                        WALK_MEMBER(python, object, dict, ma_values)};
    return wrapped(python, size + (has_head(python, object, type) ? type->head : 0));
}

uint64_t walk_object_size(struct walk_python *python, walk_addr object, uint32_t index)
{
    /* A copy where new types may become known, which moves the table. */
    struct walk_pytype copy;
    const struct walk_pytype *type = &python->types[index];
    struct walk_size_keys keys;
    if (!python->frozen) {
        copy = *type;
        type = &copy;
    }
    uint64_t size = walk_size_but_keys(python, object, type, &keys);
    return wrapped(python, size + walk_size_of_keys(python, &keys));
}
