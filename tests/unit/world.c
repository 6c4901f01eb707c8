/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdlib.h>

enum { GAP = 64 };
#define GC WALK_TPFLAGS_HAVE_GC
#define LONG_SUBCLASS WALK_TPFLAGS_LONG_SUBCLASS
#define STR_SUBCLASS (UINT64_C(1) << 28)

/* ---- bytes ---- */

uint8_t *world_at(struct world *world, walk_addr address)
{
    if (address < WORLD_BASE || address >= WORLD_BASE + WORLD_SIZE)
        abort();
    return world->bytes + (address - WORLD_BASE);
}

walk_addr world_alloc(struct world *world, uint64_t size)
{
    walk_addr address = world->next + GAP;
    world->next = (address + size + 15) & ~(walk_addr)15;
    if (world->next > WORLD_BASE + WORLD_SIZE)
        abort();
    return address;
}

void world_put(struct world *world, walk_addr address, uint64_t value)
{
    memcpy(world_at(world, address), &value, world->word);
}

uint64_t world_get(struct world *world, walk_addr address)
{
    return walk_load_word(world->word, world_at(world, address));
}

void world_put_int(struct world *world, walk_addr address, uint32_t value)
{
    memcpy(world_at(world, address), &value, sizeof value);
}

walk_addr world_c_string(struct world *world, const char *text)
{
    walk_addr address = world_alloc(world, strlen(text) + 1);
    memcpy(world_at(world, address), text, strlen(text) + 1);
    return address;
}

/* ---- the layout ---- */

/* Members of one size change places. */
static void swap(struct walk_layout *layout, enum walk_field a, enum walk_field b)
{
    int32_t offset = layout->offset[a];
    layout->offset[a] = layout->offset[b];
    layout->offset[b] = offset;
}

static void choose_layout(struct world *world)
{
    struct walk_layout *layout = world->layout;
    struct walk_layout_row *row;
    for (size_t i = 0; (row = walk_layout_row_open(i)); i++) {
        if (((row->version >> 16) & 0xff) == world->minor && row->word == world->word &&
            WALK_FREE_THREADED(&row->layout) == world->free_threaded)
            *layout = row->layout;
        walk_layout_row_free(row);
    }
    if (!layout->size[WALK_STRUCT_type])
        abort();
    swap(layout, WALK_FIELD_dict_ma_keys, WALK_FIELD_dict_ma_values);
    swap(layout, WALK_FIELD_list_ob_item, WALK_FIELD_list_allocated);
    swap(layout, WALK_FIELD_set_mask, WALK_FIELD_set_used);
    swap(layout, WALK_FIELD_type_tp_base, WALK_FIELD_type_tp_name);
    swap(layout, WALK_FIELD_type_tp_flags, WALK_FIELD_type_tp_dict);
    swap(layout, WALK_FIELD_odict_node_key, WALK_FIELD_odict_node_next);
    swap(layout, WALK_FIELD_deque_leftblock, WALK_FIELD_deque_leftindex);
    swap(layout, WALK_FIELD_interp_modules, WALK_FIELD_interp_sysdict);
    swap(layout, WALK_FIELD_gc_head_next, WALK_FIELD_gc_head_prev);
    swap(layout, WALK_FIELD_code_co_name, WALK_FIELD_code_co_filename);
    swap(layout, WALK_FIELD_member_def_name, WALK_FIELD_member_def_offset);
}

/* ---- types ---- */

static void add_symbol(struct world *world, const char *name, walk_addr address)
{
    if (!name)
        return;
    size_t at = world->symbol_count++;
    if (at >= WORLD_SYMBOLS)
        abort();
    for (; at && strcmp(world->symbols[at - 1].name, name) > 0; at--)
        world->symbols[at] = world->symbols[at - 1];
    world->symbols[at] = (struct walk_symbol){name, address, true};
}

/* One reference to a new object. */
static void refer(struct world *world, walk_addr object)
{
    if (world->free_threaded)
        PUT_INT(world, object, object, ob_ref_local, 1);
    else
        PUT(world, object, object, ob_refcnt, 1);
}

static void fill_type(struct world *world, walk_addr type, walk_addr base, uint64_t size, uint64_t item_size,
                      uint64_t flags, walk_addr traverse)
{
    refer(world, type);
    PUT(world, type, object, ob_type, world->type);
    PUT(world, type, type, tp_basicsize, size);
    PUT(world, type, type, tp_itemsize, item_size);
    PUT(world, type, type, tp_flags, flags);
    PUT(world, type, type, tp_traverse, traverse);
    PUT(world, type, type, tp_base, base);
}

walk_addr world_static_type(struct world *world, const char *symbol, const char *name, walk_addr base, uint64_t size,
                            uint64_t item_size, uint64_t flags, walk_addr traverse)
{
    walk_addr type = world_alloc(world, WALK_SIZE(world->layout, heap_type));
    fill_type(world, type, base, size, item_size, flags, traverse);
    PUT(world, type, type, tp_name, world_c_string(world, name));
    add_symbol(world, symbol, type);
    return type;
}

walk_addr world_class(struct world *world, const char *name, walk_addr base, uint64_t size, uint64_t flags,
                      const char *const *slots)
{
    const struct walk_layout *layout = world->layout;
    uint64_t heap_size = WALK_SIZE(layout, heap_type), stride = WALK_SIZE(layout, member_def);
    uint64_t base_size = world_get(world, base + WALK_OFFSET(layout, type, tp_basicsize)), count = 0;
    while (slots && slots[count])
        count++;
    walk_addr type = world_alloc(world, heap_size + count * stride);
    fill_type(world, type, base, size, 0, flags | WALK_TPFLAGS_HEAPTYPE | GC, world->subtype_traverse);
    PUT(world, type, type, tp_name, world_c_string(world, name));
    PUT(world, type, var_object, ob_size, count);
    for (uint64_t i = 0; i < count; i++) {
        walk_addr member = type + heap_size + i * stride;
        PUT(world, member, member_def, name, world_c_string(world, slots[i]));
        PUT_INT(world, member, member_def, type, 16);
        PUT(world, member, member_def, offset, base_size + world->word * i);
    }
    walk_addr key = world_str(world, "__module__"), module = world_str(world, "app");
    PUT(world, type, type, tp_dict, world_dict(world, WORLD_UNICODE, &key, &module, 1));
    PUT(world, type, heap_type, ht_qualname, world_str(world, name));
    world_track(world, type);
    return type;
}

/* ---- objects ---- */

walk_addr world_object(struct world *world, walk_addr type, uint64_t size)
{
    walk_addr object = world_alloc(world, size);
    refer(world, object);
    PUT(world, object, object, ob_type, type);
    return object;
}

static walk_addr youngest(struct world *world)
{
    struct walk_collector collector;
    walk_runtime_collector(&world->target.runtime, world->interpreter, &collector);
    return collector.generation[0];
}

void world_track(struct world *world, walk_addr object)
{
    if (world->free_threaded) {
        *world_at(world, object + WALK_OFFSET(world->layout, object, ob_gc_bits)) |= 1;
        return;
    }
    walk_addr head = youngest(world), own = object - WALK_SIZE(world->layout, gc_head);
    walk_addr last = world_get(world, head + WALK_OFFSET(world->layout, gc_head, prev));
    PUT(world, own, gc_head, next, head);
    PUT(world, own, gc_head, prev, last);
    PUT(world, last, gc_head, next, own);
    PUT(world, head, gc_head, prev, own);
}

/* Sets bits that are 0. */
static void put_bits(struct world *world, walk_addr structure, uint32_t bit, unsigned value)
{
    *world_at(world, structure + bit / 8) |= (uint8_t)(value << bit % 8);
}

walk_addr world_wide_str(struct world *world, unsigned kind, const uint32_t *characters, size_t length, bool compact)
{
    const struct walk_layout *layout = world->layout;
    bool ascii = compact && kind == 1;
    for (size_t i = 0; i < length; i++)
        ascii &= characters[i] < 0x80;
    uint64_t head = !compact ? WALK_SIZE(layout, unicode)
                    : ascii  ? WALK_SIZE(layout, ascii)
                             : WALK_SIZE(layout, compact);
    walk_addr str = world_object(world, world->str, head + (compact ? (length + 1) * kind : 0));
    walk_addr data = compact ? str + head : world_alloc(world, (length + 1) * kind);
    PUT(world, str, ascii, length, length);
    put_bits(world, str, WALK_OFFSET(layout, ascii, kind), kind);
    put_bits(world, str, WALK_OFFSET(layout, ascii, compact), compact);
    put_bits(world, str, WALK_OFFSET(layout, ascii, ascii), ascii);
    if (WALK_HAS(layout, ascii, ready))
        put_bits(world, str, WALK_OFFSET(layout, ascii, ready), 1);
    if (!compact)
        PUT(world, str, unicode, data, data);
    for (size_t i = 0; i < length; i++)
        memcpy(world_at(world, data + i * kind), &characters[i], kind);
    return str;
}

walk_addr world_str(struct world *world, const char *text)
{
    uint32_t characters[256];
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        characters[i] = (unsigned char)text[i];
    return world_wide_str(world, 1, characters, length, true);
}

walk_addr world_int(struct world *world, bool negative, const uint32_t *digits, size_t count)
{
    const struct walk_layout *layout = world->layout;
    walk_addr number = world_object(world, world->integer, WALK_OFFSET(layout, int, ob_digit) + 4 * count + 4);
    if (WALK_HAS(layout, int, lv_tag))
        PUT(world, number, int, lv_tag, count << 3 | (count == 0 ? 1 : negative ? 2 : 0));
    else
        PUT(world, number, var_object, ob_size, negative ? -(uint64_t)count : count);
    for (size_t i = 0; i < count; i++)
        world_put_int(world, number + WALK_OFFSET(layout, int, ob_digit) + 4 * i, digits[i]);
    return number;
}

walk_addr world_small_int(struct world *world, int64_t value)
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint32_t digits[3];
    size_t count = 0;
    for (; rest; rest >>= 30)
        digits[count++] = rest & 0x3fffffff;
    return world_int(world, value < 0, digits, count);
}

walk_addr world_bytes(struct world *world, const uint8_t *bytes, size_t size)
{
    walk_addr object = world_object(world, world->bytes_type, WALK_SIZE(world->layout, bytes) + size + world->word);
    PUT(world, object, var_object, ob_size, size);
    if (size)
        memcpy(world_at(world, object + WALK_OFFSET(world->layout, bytes, ob_sval)), bytes, size);
    return object;
}

walk_addr world_tuple(struct world *world, const walk_addr *items, size_t count)
{
    walk_addr tuple = world_object(world, world->tuple, WALK_SIZE(world->layout, tuple) + world->word * count);
    PUT(world, tuple, var_object, ob_size, count);
    for (size_t i = 0; i < count; i++)
        world_put(world, tuple + WALK_OFFSET(world->layout, tuple, ob_item) + world->word * i, items[i]);
    return tuple;
}

walk_addr world_list(struct world *world, const walk_addr *items, size_t count)
{
    walk_addr list = world_object(world, world->list, WALK_SIZE(world->layout, list));
    walk_addr array = count ? world_alloc(world, world->word * count) : 0;
    PUT(world, list, var_object, ob_size, count);
    PUT(world, list, list, ob_item, array);
    PUT(world, list, list, allocated, count);
    for (size_t i = 0; i < count; i++)
        world_put(world, array + world->word * i, items[i]);
    return list;
}

/* ---- dicts: tables of 8 << n slots with one byte per index ---- */

static unsigned log2_size(size_t count)
{
    unsigned log2 = 3;
    while (((size_t)2 << log2) / 3 < count)
        log2++;
    return log2;
}

static uint64_t index_bytes(unsigned log2) { return (uint64_t)1 << (log2 < 8 ? log2 : log2 + 1); }

walk_addr world_entries(struct world *world, walk_addr keys)
{
    const struct walk_layout *layout = world->layout;
    unsigned log2 = 0;
    if (WALK_HAS(layout, dict_keys, dk_log2_size))
        log2 = *world_at(world, keys + WALK_OFFSET(layout, dict_keys, dk_log2_size));
    else
        while ((uint64_t)1 << log2 < world_get(world, keys + WALK_OFFSET(layout, dict_keys, dk_size)))
            log2++;
    return keys + WALK_OFFSET(layout, dict_keys, dk_indices) + index_bytes(log2);
}

walk_addr world_keys(struct world *world, enum world_dict_kind kind, const walk_addr *keys, const walk_addr *values,
                     size_t count)
{
    const struct walk_layout *layout = world->layout;
    unsigned log2 = log2_size(count);
    bool new = WALK_HAS(layout, dict_keys, dk_kind), with_hash = !new || kind == WORLD_GENERAL;
    walk_addr table = world_alloc(world, WALK_SIZE(layout, dict_keys) + index_bytes(log2) + (count + 1) * 24);
    PUT(world, table, dict_keys, dk_refcnt, 1);
    if (new) {
        *world_at(world, table + WALK_OFFSET(layout, dict_keys, dk_log2_size)) = (uint8_t)log2;
        *world_at(world, table + WALK_OFFSET(layout, dict_keys, dk_log2_index_bytes)) =
            (uint8_t)(log2 < 8 ? log2 : log2 + 1);
        *world_at(world, table + WALK_OFFSET(layout, dict_keys, dk_kind)) = (uint8_t)kind;
    } else {
        PUT(world, table, dict_keys, dk_size, (uint64_t)1 << log2);
        PUT(world, table, dict_keys, dk_lookup, kind == WORLD_GENERAL ? world->lookdict : world->lookdict_unicode);
    }
    PUT(world, table, dict_keys, dk_nentries, count);
    walk_addr entry = world_entries(world, table);
    for (size_t i = 0; i < count; i++) {
        if (with_hash) {
            world_put(world, entry, 0x1234567890 + i);
            entry += world->word;
        }
        world_put(world, entry, keys[i]);
        world_put(world, entry + world->word, kind == WORLD_SPLIT ? 0 : values[i]);
        entry += 2 * world->word;
    }
    return table;
}

walk_addr world_dict(struct world *world, enum world_dict_kind kind, const walk_addr *keys, const walk_addr *values,
                     size_t count)
{
    const struct walk_layout *layout = world->layout;
    walk_addr dict = world_object(world, world->dict, WALK_SIZE(layout, dict));
    PUT(world, dict, dict, ma_keys, world_keys(world, kind, keys, values, count));
    uint64_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += values[i] != 0;
    PUT(world, dict, dict, ma_used, used);
    if (kind == WORLD_SPLIT) {
        walk_addr array = world_alloc(world, world->word * count + 64);
        uint32_t first = WALK_HAS(layout, dict_values, values) ? WALK_OFFSET(layout, dict_values, values) : 0;
        PUT(world, dict, dict, ma_values, array);
        for (size_t i = 0; i < count; i++)
            world_put(world, array + first + world->word * i, values[i]);
    }
    return dict;
}

/* ---- the interpreter ---- */

static void close_ring(struct world *world, walk_addr head)
{
    PUT(world, head, gc_head, next, head);
    PUT(world, head, gc_head, prev, head);
}

void world_interpreter(struct world *world)
{
    const struct walk_runtime *runtime = &world->target.runtime;
    struct walk_collector collector;
    walk_addr older = world->interpreter;
    world->interpreter = world_alloc(world, WALK_SIZE(world->layout, interp));
    PUT(world, world->interpreter, interp, next, older);
    PUT(world, world->interpreter, interp, id,
        older ? world_get(world, older + WALK_OFFSET(world->layout, interp, id)) + 1 : 0);
    PUT(world, runtime->runtime, runtime, interpreters_head, world->interpreter);
    if (world->free_threaded || (older && walk_runtime_shares_collector(runtime)))
        return;
    walk_runtime_collector(runtime, world->interpreter, &collector);
    for (int i = 0; i < 3; i++)
        close_ring(world, collector.generation[i]);
    close_ring(world, collector.permanent);
}

static void make_state(struct world *world)
{
    struct walk_runtime *runtime = &world->target.runtime;
    runtime->runtime = world_alloc(world, WALK_SIZE(world->layout, runtime));
    world_interpreter(world);
}

static void make_types(struct world *world)
{
    const struct walk_layout *layout = world->layout;
    walk_addr code = world->subtype_traverse; /* addresses that stand for functions */
#define TYPE(member, symbol, name, structure, item, flags, traverse)                                                   \
    world->member =                                                                                                    \
        world_static_type(world, symbol, name, world->object, WALK_SIZE(layout, structure), item, flags, traverse)
    world->type = world_static_type(world, "PyType_Type", "type", 0, WALK_SIZE(layout, heap_type),
                                    WALK_SIZE(layout, member_def), GC | WALK_TPFLAGS_TYPE_SUBCLASS, code + 1);
    PUT(world, world->type, object, ob_type, world->type);
    TYPE(object, "PyBaseObject_Type", "object", object, 0, 0, 0);
    PUT(world, world->object, type, tp_base, 0);
    PUT(world, world->type, type, tp_base, world->object);
    TYPE(str, "PyUnicode_Type", "str", unicode, 0, STR_SUBCLASS, 0);
    TYPE(integer, "PyLong_Type", "int", int, 4, LONG_SUBCLASS, 0);
    TYPE(tuple, "PyTuple_Type", "tuple", tuple, world->word, GC, code + 2);
    TYPE(list, "PyList_Type", "list", list, 0, GC, code + 3);
    world->list_traverse = code + 3;
    TYPE(dict, "PyDict_Type", "dict", dict, 0, GC, code + 4);
    TYPE(set, "PySet_Type", "set", set, 0, GC, code + 5);
    TYPE(bytes_type, "PyBytes_Type", "bytes", bytes, 1, 0, 0);
    TYPE(floating, "PyFloat_Type", "float", float, 0, 0, 0);
    TYPE(complex_type, "PyComplex_Type", "complex", complex, 0, 0, 0);
    TYPE(none_type, "_PyNone_Type", "NoneType", object, 0, 0, 0);
    TYPE(code, "PyCode_Type", "code", code, 0, 0, 0);
    TYPE(frame, "PyFrame_Type", "frame", frame, world->word, GC, code + 6);
    TYPE(odict, "PyODict_Type", "collections.OrderedDict", odict, 0, GC, code + 7);
    TYPE(deque, NULL, "collections.deque", deque, 0, GC, code + 8);
    TYPE(module_type, "PyModule_Type", "module", module, 0, GC, code + 9);
    TYPE(function, "PyFunction_Type", "function", function, 0, GC, code + 10);
    TYPE(cell, "PyCell_Type", "cell", cell, 0, GC, code + 11);
    TYPE(boolean, "PyBool_Type", "bool", int, 4, LONG_SUBCLASS, 0);
    TYPE(generator, "PyGen_Type", "generator", generator, 0, GC, code + 12);
    PUT(world, world->boolean, type, tp_base, world->integer);
    PUT(world, world->odict, type, tp_base, world->dict);
    /* A structure's size counts one item that tp_basicsize does not. */
    PUT(world, world->tuple, type, tp_basicsize, WALK_OFFSET(layout, tuple, ob_item));
    PUT(world, world->bytes_type, type, tp_basicsize, WALK_OFFSET(layout, bytes, ob_sval) + 1);
    PUT(world, world->integer, type, tp_basicsize, WALK_OFFSET(layout, int, ob_digit));
    PUT(world, world->boolean, type, tp_basicsize, WALK_OFFSET(layout, int, ob_digit));
#undef TYPE
    world->none = world_object(world, world->none_type, WALK_SIZE(layout, object));
    add_symbol(world, "_Py_NoneStruct", world->none);
}

static void make_sys(struct world *world)
{
    walk_addr keys[2] = {world_str(world, "hexversion"), world_str(world, "version")};
    walk_addr values[2] = {world_small_int(world, 0x030000f0 | (int64_t)world->minor << 16),
                           world_str(world, "3.x (test)")};
    PUT(world, world->interpreter, interp, sysdict, world_dict(world, WORLD_UNICODE, keys, values, 2));
    world->modules = world_dict(world, WORLD_UNICODE, NULL, NULL, 0);
    PUT(world, world->interpreter, interp, modules, world->modules);
    /* Up to 3.10 the look-up function of general dicts is learnt from object.__subclasses__: keys that are ints. */
    walk_addr number = world_small_int(world, 1);
    PUT(world, world->object, type, tp_subclasses, world_dict(world, WORLD_GENERAL, &number, &world->none, 1));
}

static void init(struct world *world)
{
    world->bytes = calloc(1, WORLD_SIZE);
    if (!world->bytes)
        abort();
    world->next = WORLD_BASE + 4096;
    struct walk_runtime *runtime = &world->target.runtime;
    world->layout = &runtime->layout;
    choose_layout(world);
    struct walk_memory *memory = &world->target.image.memory;
    walk_memory_init(memory, world->word);
    struct walk_segment segment = {.start = WORLD_BASE,
                                   .end = WORLD_BASE + WORLD_SIZE,
                                   .data = world->bytes,
                                   .kind = WALK_SEGMENT_SAVED,
                                   .flags = WALK_SEGMENT_WRITE};
    if (walk_memory_add(memory, &segment) || walk_memory_seal(memory))
        abort();
    world->target.image.workers = 2;
    runtime->image = &world->target.image;
    runtime->module = &world->module;
    world->module.path = "/test/python";
    world->lookdict = WORLD_BASE + 0x100;
    world->lookdict_unicode = WORLD_BASE + 0x200;
    world->subtype_traverse = WORLD_BASE + 0x300;
    make_state(world);
    make_types(world);
    make_sys(world);
    runtime->type_type = world->type;
    runtime->symbols = (struct walk_symbols){.symbol = world->symbols, .count = world->symbol_count, .fd = -1};
}

void world_init(struct world *world, unsigned minor)
{
    *world = (struct world){.minor = minor, .word = 8};
    init(world);
}

void world_init_narrow(struct world *world, unsigned minor)
{
    *world = (struct world){.minor = minor, .word = 4};
    init(world);
}

void world_init_free_threaded(struct world *world)
{
    *world = (struct world){.minor = 13, .word = 8, .free_threaded = true};
    init(world);
    struct walk_layout *layout = world->layout;
    layout->size[WALK_STRUCT_mi_segment] =
        WALK_OFFSET(layout, mi_segment, slices) + (WORLD_SLICES + 1) * WALK_SIZE(layout, mi_page);
}

struct walk_error *world_open(struct world *world)
{
    world->target.runtime.symbols.count = world->symbol_count;
    struct walk_error *error = walk_layout_prove(&world->target.runtime);
    return error ? error : walk_python_open(&world->target.python, &world->target.runtime);
}

void world_close(struct world *world)
{
    if (world->target.python.runtime)
        walk_python_close(&world->target.python);
    walk_memory_deinit(&world->target.image.memory);
    free(world->bytes);
}
