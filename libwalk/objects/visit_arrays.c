/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numpy's arrays: the objects among their items, also those in fields of structured dtypes. They belong to the array
 * that owns the data; a view holds its base. Sources: numpy/core/include/numpy/ndarraytypes.h, and the deallocation in
 * numpy/core/src/multiarray/: arrayobject.c, refcount.c, scalartypes.c.src, descriptor.c.
 */
#include "objects/dict.h"
#include "objects/holders.h"
#include "objects/text.h"

/* Words behind the bare object: of an array, of a void scalar (whose first is ob_size). */
enum { DATA = 0, ND = 1, DIMENSIONS = 2, STRIDES = 3, DESCR = 5, FLAGS = 6 };
enum { SCALAR_DATA = 1, SCALAR_DESCR = 2, SCALAR_FLAGS = 3 };
/* NPY_ARRAY_OWNDATA, NPY_ITEM_REFCOUNT, NPY_OBJECT; NPY_MAXDIMS is 32 before 2.0. */
enum { OWN_DATA = 4, ITEM_HAS_OBJECTS = 1, TYPE_OBJECT = 17, DIMENSIONS_MAX = 64 };
enum { ITEM_SIZE_MAX = 1 << 30 };

/* PyArray_Descr. */
struct dtype {
    int type_number;
    uint64_t item_size;
    bool has_objects;
    walk_addr subarray, fields;
};

/* Behind the bare object: offsets with words of 8 and of 4 bytes, of numpy 1 and 2. */
struct dtype_layout {
    uint16_t size, type_number, flags, item_size, subarray, fields;
    uint8_t item_size_bytes;
};
static const struct dtype_layout dtype_layouts[2][2] = {
    {{80, 12, 11, 16, 24, 32, 4}, {104, 12, 16, 24, 72, 80, 8}},
    {{48, 8, 7, 12, 20, 24, 4}, {60, 8, 12, 20, 44, 48, 4}},
};

/* Of a type that is a holder with walk_visit_dtype; NULL: of another structure. */
static const struct dtype_layout *dtype_layout(const struct walk_python *python, const struct walk_pytype *type)
{
    uint64_t size = (uint64_t)type->basicsize - WALK_SIZE(python->layout, object);
    const struct dtype_layout *layouts = dtype_layouts[python->word == 4];
    for (int i = 0; i < 2; i++)
        if (layouts[i].size == size && type->holding.visits)
            return &layouts[i];
    return NULL;
}

static bool open_dtype(struct walk_python *python, walk_addr address, struct dtype *dtype)
{
    uint32_t index;
    if (!walk_python_type_of(python, address, &index))
        return false;
    const struct dtype_layout *layout = dtype_layout(python, &python->types[index]);
    const uint8_t *view =
        layout ? walk_memory_view(python->memory, address + WALK_SIZE(python->layout, object), layout->size) : NULL;
    if (!view)
        return false;
    *dtype = (struct dtype){.type_number = (int)walk_load_u32(view + layout->type_number),
                            .item_size = walk_load_word(layout->item_size_bytes, view + layout->item_size),
                            .has_objects = (view[layout->flags] & ITEM_HAS_OBJECTS) != 0,
                            .subarray = walk_load_word(python->word, view + layout->subarray),
                            .fields = walk_load_word(python->word, view + layout->fields)};
    return dtype->item_size && dtype->item_size < ITEM_SIZE_MAX;
}

void walk_visit_dtype(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    static const char *const labels[] = {".subarray.base", ".subarray.shape"};
    struct dtype dtype;
    (void)type;
    if (!open_dtype(python, object, &dtype) || !dtype.subarray)
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t value;
        if (walk_memory_word(python->memory, dtype.subarray + i * python->word, &value))
            walk_refs_add_text(refs, value, WALK_EDGE_EXTRA, labels[i]);
        else
            refs->unreadable = true;
    }
}

/* PyArray_DTypeMeta (numpy/core/include/numpy/experimental_dtype_api.h): behind the type, wherever that ends. */
void walk_visit_dtype_class(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                            struct walk_refs *refs)
{
    static const struct {
        unsigned word;
        const char *label;
    } members[] = {{0, ".singleton"}, {2, "type"}};
    uint64_t end = WALK_MEMBER(python, python->runtime->type_type, type, tp_basicsize);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t value, at = end + members[i].word * python->word;
        if (at + python->word > (uint64_t)type->basicsize)
            return;
        if (walk_memory_word(python->memory, object + at, &value))
            walk_refs_add_text(refs, value, WALK_EDGE_EXTRA, members[i].label);
        else
            refs->unreadable = true;
    }
}

/* ---- where in an item the objects are ---- */

enum { PLACES_MAX = 512 };
/* The key is the outermost field's name; 0: the item has no fields. */
struct place {
    walk_addr dtype, key;
    uint64_t offset;
};
struct places {
    struct place object[PLACES_MAX];  /* found */
    struct place pending[PLACES_MAX]; /* a stack */
    size_t object_count, pending_count;
    bool incomplete;
};

static void push(struct place *stack, size_t *count, struct place place, struct places *places)
{
    if (*count < PLACES_MAX)
        stack[(*count)++] = place;
    else
        places->incomplete = true;
}

/* _arr_descr.subarray: the dtype of its items and their shape. */
static void push_subarray(struct walk_python *python, const struct dtype *dtype, struct place at, struct places *places)
{
    struct dtype base;
    uint64_t address;
    if (!walk_memory_word(python->memory, dtype->subarray, &address) || !open_dtype(python, address, &base)) {
        places->incomplete = true;
        return;
    }
    uint64_t count = dtype->item_size / base.item_size;
    for (uint64_t i = 0; i < count && base.has_objects && !places->incomplete; i++)
        push(places->pending, &places->pending_count, (struct place){address, at.key, at.offset + i * base.item_size},
             places);
}

/* A value of the dict of fields is (dtype, offset) or (dtype, offset, title); a title is a second key. */
static void push_field(struct walk_python *python, walk_addr key, walk_addr value, struct place at,
                       struct places *places)
{
    unsigned word = python->word;
    uint64_t length = WALK_MEMBER(python, value, var_object, ob_size);
    const uint8_t *items =
        length == 2 || length == 3
            ? walk_memory_view(python->memory, value + WALK_OFFSET(python->layout, tuple, ob_item), length * word)
            : NULL;
    int64_t offset;
    if (!items || !walk_text_small_int(python, walk_load_word(word, items + word), &offset) || offset < 0 ||
        offset >= ITEM_SIZE_MAX)
        places->incomplete = true;
    else if (length == 2 || walk_load_word(word, items + 2 * word) != key)
        push(places->pending, &places->pending_count,
             (struct place){walk_load_word(word, items), at.key ? at.key : key, at.offset + (uint64_t)offset}, places);
}

static void push_fields(struct walk_python *python, const struct dtype *dtype, struct place at, struct places *places)
{
    struct walk_dict fields;
    if (!walk_dict_open(python, dtype->fields, &fields)) {
        places->incomplete = true;
        return;
    }
    for (uint64_t i = 0; i < fields.keys.count && !places->incomplete; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &fields, i, &key, &value);
        if (value)
            push_field(python, key, value, at, places);
    }
}

/* Nothing is deeper than what has been pushed: a dtype that is within itself ends with its offset beyond the item. */
static void find_places(struct walk_python *python, walk_addr address, uint64_t item_size, struct places *places)
{
    struct dtype dtype;
    size_t steps = 0;
    *places = (struct places){.pending_count = 1};
    places->pending[0] = (struct place){.dtype = address};
    while (places->pending_count && !places->incomplete) {
        struct place at = places->pending[--places->pending_count];
        if (++steps > 4 * PLACES_MAX || !open_dtype(python, at.dtype, &dtype) ||
            at.offset + dtype.item_size > item_size)
            places->incomplete = true;
        else if (!dtype.has_objects)
            continue;
        else if (dtype.type_number == TYPE_OBJECT)
            push(places->object, &places->object_count, at, places);
        else if (dtype.subarray)
            push_subarray(python, &dtype, at, places);
        else if (dtype.fields)
            push_fields(python, &dtype, at, places);
    }
}

static void add_object(struct walk_refs *refs, walk_addr target, walk_addr key, uint64_t index)
{
    enum { INDEX_MAX = (1 << 26) - 1 };
    size_t count = refs->count;
    walk_refs_add(refs, target, WALK_EDGE_EXTRA, key ? WALK_LABEL_FIELD : WALK_LABEL_ITEM, key ? key : index);
    if (key && refs->count > count)
        refs->ref[count].index = index < INDEX_MAX ? (uint32_t)index : INDEX_MAX;
}

static void add_item(struct walk_python *python, const uint8_t *item, uint64_t index, const struct places *places,
                     struct walk_refs *refs)
{
    for (size_t i = places->object_count; i-- > 0;)
        add_object(refs, walk_load_word(python->word, item + places->object[i].offset), places->object[i].key, index);
}

/* ---- arrays ---- */

struct array {
    unsigned nd;
    int64_t dimension[DIMENSIONS_MAX], stride[DIMENSIONS_MAX];
    uint64_t count;       /* of items */
    walk_addr first, low; /* the item with all indices 0; the lowest one */
    uint64_t extent;      /* from the lowest to the end of the highest */
};

/* Where the items are. False: nowhere, or on top of each other, as they never are in an array that owns them. */
static bool measure(struct array *array, uint64_t item_size)
{
    int64_t below = 0, above = 0, count = 1;
    for (unsigned i = 0; i < array->nd; i++) {
        int64_t reach, size = array->dimension[i];
        if (size < 0 || __builtin_mul_overflow(count, size, &count) || count >> 40)
            return false;
        if (!size)
            continue;
        if (__builtin_mul_overflow(size - 1, array->stride[i], &reach) ||
            __builtin_add_overflow(reach < 0 ? below : above, reach, reach < 0 ? &below : &above))
            return false;
    }
    if (below < -(INT64_C(1) << 48) || above > INT64_C(1) << 48)
        return false;
    array->count = (uint64_t)count;
    array->low = array->first + (uint64_t)below;
    array->extent = (uint64_t)(above - below) + item_size;
    return !count || array->extent / item_size >= array->count;
}

static bool open_array(struct walk_python *python, walk_addr object, uint64_t item_size, struct array *array)
{
    unsigned word = python->word;
    uint64_t nd = walk_holder_word(python, object, ND) & UINT32_MAX; /* an int */
    if (nd > DIMENSIONS_MAX)
        return false;
    array->nd = (unsigned)nd;
    array->first = walk_holder_word(python, object, DATA);
    const uint8_t *dimensions =
        walk_memory_view(python->memory, walk_holder_word(python, object, DIMENSIONS), nd * word);
    const uint8_t *strides = walk_memory_view(python->memory, walk_holder_word(python, object, STRIDES), nd * word);
    if (nd && (!dimensions || !strides))
        return false;
    for (unsigned i = 0; i < nd; i++) {
        array->dimension[i] = walk_load_sword(word, dimensions + i * word);
        array->stride[i] = array->dimension[i] > 1 ? walk_load_sword(word, strides + i * word) : 0;
    }
    return measure(array, item_size);
}

/* The next index, the last dimension first; `offset` is of the item, from the one with all indices 0. */
static void advance(const struct array *array, int64_t *index, int64_t *offset)
{
    for (unsigned i = array->nd; i-- > 0;) {
        *offset += array->stride[i];
        if (++index[i] < array->dimension[i])
            return;
        *offset -= array->stride[i] * array->dimension[i];
        index[i] = 0;
    }
}

static void visit_items(struct walk_python *python, const struct array *array, const struct places *places,
                        struct walk_refs *refs)
{
    const uint8_t *view = walk_memory_view(python->memory, array->low, array->extent);
    int64_t index[DIMENSIONS_MAX] = {0}, offset = (int64_t)(array->first - array->low);
    if (!view) {
        refs->unreadable = true;
        return;
    }
    if (!walk_refs_afford(refs, array->count * places->object_count))
        return;
    for (uint64_t i = 0; i < array->count; i++) {
        add_item(python, view + offset, i, places, refs);
        advance(array, index, &offset);
    }
}

void walk_visit_array(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    (void)type;
    struct dtype dtype;
    struct array array;
    struct places places;
    walk_addr descr = walk_holder_word(python, object, DESCR);
    if (!(walk_holder_word(python, object, FLAGS) & OWN_DATA) || !open_dtype(python, descr, &dtype) ||
        !dtype.has_objects)
        return;
    find_places(python, descr, dtype.item_size, &places);
    refs->unreadable |= places.incomplete;
    if (!open_array(python, object, dtype.item_size, &array))
        refs->unreadable = true;
    else if (array.count && places.object_count)
        visit_items(python, &array, &places, refs);
}

/* PyVoidScalarObject: one item. */
void walk_visit_void_scalar(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                            struct walk_refs *refs)
{
    (void)type;
    struct dtype dtype;
    struct places places;
    walk_addr descr = walk_holder_word(python, object, SCALAR_DESCR);
    if (!(walk_holder_word(python, object, SCALAR_FLAGS) & OWN_DATA) || !open_dtype(python, descr, &dtype) ||
        !dtype.has_objects)
        return;
    find_places(python, descr, dtype.item_size, &places);
    const uint8_t *view =
        walk_memory_view(python->memory, walk_holder_word(python, object, SCALAR_DATA), dtype.item_size);
    refs->unreadable |= places.incomplete || !view;
    if (view)
        add_item(python, view, 0, &places, refs);
}

/* array_sizeof(): the data if it is the array's own, and dimensions and strides, which are one block. */
uint64_t walk_array_owned_size(struct walk_python *python, walk_addr object)
{
    struct dtype dtype;
    struct array array = {0};
    uint64_t nd = walk_holder_word(python, object, ND) & UINT32_MAX, bytes = 0;
    if (nd > DIMENSIONS_MAX)
        return 0;
    if ((walk_holder_word(python, object, FLAGS) & OWN_DATA) &&
        open_dtype(python, walk_holder_word(python, object, DESCR), &dtype) &&
        open_array(python, object, dtype.item_size, &array))
        bytes = array.count * dtype.item_size;
    return bytes + 2 * nd * python->word;
}
