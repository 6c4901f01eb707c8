/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/text.h"
#include "objects/members.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "objects/dict.h"

/* Characters of a str or bytes that are shown; the rest is an ellipsis. */
enum { SHOWN = 120 };
#define ELLIPSIS "\xe2\x80\xa6"

void walk_text_init(struct walk_text_out *out, char *buffer, size_t size)
{
    *out = (struct walk_text_out){buffer, size, 0};
    if (size)
        buffer[0] = '\0';
}

void walk_text_add(struct walk_text_out *out, const char *format, ...)
{
    va_list args;
    size_t at = out->wanted < out->size ? out->wanted : out->size;
    va_start(args, format);
    int length = vsnprintf(at < out->size ? out->buffer + at : NULL, out->size - at, format, args);
    va_end(args);
    out->wanted += length > 0 ? (size_t)length : 0;
}

/* The same for one byte: names are made of these. */
static void add_byte(struct walk_text_out *out, uint32_t byte)
{
    if (out->wanted + 1 < out->size) {
        out->buffer[out->wanted] = (char)byte;
        out->buffer[out->wanted + 1] = '\0';
    }
    out->wanted++;
}

/* ---- characters ---- */

/*
 * What no version of Unicode prints: separators, formatting, surrogates, private use, noncharacters. What only some
 * versions know, repr() of the others escapes; here it is shown.
 */
static const uint32_t unprintable[][2] = {
    {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},        {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},      {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},      {0xd7fc, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},      {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},    {0x1fffe, 0x1ffff},
    {0x2fffe, 0x2ffff}, {0x3fffe, 0x3ffff}, {0x40000, 0xe00ff}, {0xe01f0, UINT32_MAX},
};

static bool is_unprintable(uint32_t c)
{
    for (size_t i = 0; i < sizeof unprintable / sizeof *unprintable && unprintable[i][0] <= c; i++)
        if (c <= unprintable[i][1])
            return true;
    return c < 0x20;
}

static void add_utf8(struct walk_text_out *out, uint32_t c)
{
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0}; /* by how many bytes follow */
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    add_byte(out, first[more] | c >> 6 * more);
    while (more--)
        add_byte(out, 0x80 | (c >> 6 * more & 0x3f));
}

/* A code point as UTF-8, or escaped as repr() would where a terminal must not see it. */
static void add_char(struct walk_text_out *out, uint32_t c, char quote)
{
    if (c == '\\' || (quote && c == (unsigned char)quote))
        walk_text_add(out, "\\%c", (int)c);
    else if (c == '\n')
        walk_text_add(out, "\\n");
    else if (c == '\r')
        walk_text_add(out, "\\r");
    else if (c == '\t')
        walk_text_add(out, "\\t");
    else if (is_unprintable(c))
        walk_text_add(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    else
        add_utf8(out, c);
}

/* ---- str: Include/cpython/unicodeobject.h ---- */

struct str_data {
    const uint8_t *data; /* NULL when the length is 0 */
    uint64_t length;     /* characters */
    unsigned kind;       /* bytes per character */
};

static uint32_t char_at(const struct str_data *str, uint64_t i)
{
    return str->kind == 1   ? str->data[i]
           : str->kind == 2 ? walk_load_u16(str->data + 2 * i)
                            : walk_load_u32(str->data + 4 * i);
}

struct walk_text_form walk_text_form(const struct walk_python *python, const uint8_t *view)
{
    const struct walk_layout *layout = python->layout;
    return (struct walk_text_form){.kind = walk_load_bits(view, WALK_OFFSET(layout, ascii, kind), 3),
                                   .compact = walk_load_bits(view, WALK_OFFSET(layout, ascii, compact), 1),
                                   .ascii = walk_load_bits(view, WALK_OFFSET(layout, ascii, ascii), 1),
                                   .ready = !WALK_HAS(layout, ascii, ready) ||
                                            walk_load_bits(view, WALK_OFFSET(layout, ascii, ready), 1)};
}

/* `limit`: how many characters will be looked at, so that a huge str needs not be readable to its end. */
static bool open_str(const struct walk_python *python, walk_addr address, uint64_t limit, struct str_data *str)
{
    const struct walk_layout *layout = python->layout;
    const uint8_t *view = walk_memory_view(python->memory, address, WALK_SIZE(layout, ascii));
    if (!view || !address)
        return false;
    struct walk_text_form form = walk_text_form(python, view);
    walk_addr data = address + (form.ascii ? WALK_SIZE(layout, ascii) : WALK_SIZE(layout, compact));
    str->length = WALK_WORD(python, view, ascii, length);
    str->kind = form.kind;
    if (!form.compact)
        data = WALK_MEMBER(python, address, unicode, data);
    if (str->kind == 0 && WALK_HAS(layout, ascii, wstr)) {
        /* Not ready (up to 3.11): only the wchar_t form is there. */
        data = WALK_WORD(python, view, ascii, wstr);
        str->length = WALK_MEMBER(python, address, compact, wstr_length);
        str->kind = 4;
    }
    if (str->length >> 40 || (str->kind != 1 && str->kind != 2 && str->kind != 4))
        return false;
    uint64_t needed = str->length < limit ? str->length : limit;
    str->data = walk_memory_view(python->memory, data, needed * str->kind);
    return str->data || str->length == 0;
}

static bool is_str(const struct walk_python *python, walk_addr address)
{
    walk_addr type = walk_python_ob_type(python, address);
    return type && (WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_STR_SUBCLASS);
}

bool walk_text_str(const struct walk_python *python, walk_addr address, char *buffer, size_t size)
{
    struct walk_text_out out;
    struct str_data str;
    walk_text_init(&out, buffer, size);
    if (!address || !is_str(python, address) || !open_str(python, address, size, &str))
        return false;
    for (uint64_t i = 0; i < str.length && out.wanted + 12 < size; i++)
        add_char(&out, char_at(&str, i), 0);
    return true;
}

bool walk_text_c_string(const struct walk_python *python, walk_addr text, char *buffer, size_t size)
{
    struct walk_text_out out;
    walk_text_init(&out, buffer, size);
    size_t there = walk_memory_available(python->memory, text, size);
    const uint8_t *view = walk_memory_view(python->memory, text, there);
    if (!text || !view || !memchr(view, 0, there) || !*view)
        return false;
    for (; *view && out.wanted + 12 < size; view++)
        add_char(&out, *view < 0x80 ? *view : '?', 0);
    return true;
}

bool walk_text_equals(const struct walk_python *python, walk_addr address, const char *ascii)
{
    struct str_data str;
    size_t length = strlen(ascii);
    if (!is_str(python, address) || !open_str(python, address, length, &str) || str.length != length || str.kind != 1)
        return false;
    return length == 0 || memcmp(str.data, ascii, length) == 0;
}

static void add_str(const struct walk_python *python, walk_addr address, struct walk_text_out *out)
{
    struct str_data str;
    if (!open_str(python, address, SHOWN, &str))
        return;
    uint64_t shown = str.length < SHOWN ? str.length : SHOWN;
    bool single = false, twice = false;
    for (uint64_t i = 0; i < shown; i++) {
        single |= char_at(&str, i) == '\'';
        twice |= char_at(&str, i) == '"';
    }
    char quote = single && !twice ? '"' : '\'';
    walk_text_add(out, "%c", quote);
    for (uint64_t i = 0; i < shown; i++)
        add_char(out, char_at(&str, i), quote);
    walk_text_add(out, "%s%c", shown < str.length ? ELLIPSIS : "", quote);
}

static void add_bytes(const struct walk_python *python, walk_addr address, struct walk_text_out *out)
{
    uint64_t length = WALK_MEMBER(python, address, var_object, ob_size), shown = length < SHOWN ? length : SHOWN;
    const uint8_t *view =
        walk_memory_view(python->memory, address + WALK_OFFSET(python->layout, bytes, ob_sval), shown);
    if (!view)
        return;
    char quote = memchr(view, '\'', shown) && !memchr(view, '"', shown) ? '"' : '\'';
    walk_text_add(out, "b%c", quote);
    for (uint64_t i = 0; i < shown; i++) {
        if (view[i] >= 0x80)
            walk_text_add(out, "\\x%02x", view[i]);
        else
            add_char(out, view[i], quote);
    }
    walk_text_add(out, "%s%c", shown < length ? ELLIPSIS : "", quote);
}

/* ---- numbers: Include/cpython/longintrepr.h ---- */

/* The absolute value, also of INT64_MIN. */
static uint64_t magnitude_of(int64_t number) { return number < 0 ? -(uint64_t)number : (uint64_t)number; }

struct int_data {
    const uint8_t *digits;
    uint64_t count;
    unsigned width, bits; /* of a digit: its bytes, and how many bits of them are used */
    bool negative;
};

static uint32_t digit_at(const struct int_data *number, uint64_t i)
{
    const uint8_t *at = number->digits + i * number->width;
    return (number->width == 2 ? walk_load_u16(at) : walk_load_u32(at)) & ((UINT32_C(1) << number->bits) - 1);
}

static bool open_int(const struct walk_python *python, walk_addr address, struct int_data *number)
{
    const struct walk_layout *layout = python->layout;
    if (WALK_HAS(layout, int, lv_tag)) {
        uint64_t tag = WALK_MEMBER(python, address, int, lv_tag);
        number->negative = (tag & 3) == 2;
        number->count = (tag & 3) == 1 ? 0 : tag >> 3;
    } else {
        uint64_t raw = WALK_MEMBER(python, address, var_object, ob_size);
        int64_t size = python->word == 8 ? (int64_t)raw : (int32_t)raw;
        number->negative = size < 0;
        number->count = magnitude_of(size);
    }
    if (number->count >> 32)
        return false;
    /* Two bytes by default up to 3.11 where pointers have four. */
    number->width = WALK_MEMBER(python, walk_python_ob_type(python, address), type, tp_itemsize) == 2 ? 2 : 4;
    number->bits = number->width == 2 ? 15 : 30;
    number->digits =
        walk_memory_view(python->memory, address + WALK_OFFSET(layout, int, ob_digit), number->count * number->width);
    return number->digits || number->count == 0;
}

bool walk_text_small_int(const struct walk_python *python, walk_addr address, int64_t *value)
{
    struct int_data number;
    walk_addr type = walk_python_ob_type(python, address);
    if (!type || !(WALK_MEMBER(python, type, type, tp_flags) & WALK_TPFLAGS_LONG_SUBCLASS) ||
        !open_int(python, address, &number) || number.count > 64 / number.bits + 1)
        return false;
    uint64_t magnitude = 0;
    for (uint64_t i = number.count; i-- > 0;) {
        if (magnitude >> (64 - number.bits))
            return false;
        magnitude = magnitude << number.bits | digit_at(&number, i);
    }
    /* Thread identifiers use all 64 bits: the caller gets the bits. */
    *value = (int64_t)(number.negative ? -magnitude : magnitude);
    return true;
}

uint64_t walk_text_var_size(const struct walk_python *python, walk_addr object, bool is_int)
{
    struct int_data number;
    if (is_int)
        return open_int(python, object, &number) ? number.count : 0;
    uint64_t raw = WALK_MEMBER(python, object, var_object, ob_size);
    int64_t size = python->word == 8 ? (int64_t)raw : (int32_t)raw;
    return magnitude_of(size);
}

/* Decimal digits by repeated division by 10^9; numbers of more digits than that are shown by their size. */
static void add_int(const struct walk_python *python, walk_addr address, struct walk_text_out *out)
{
    enum { DIGITS_MAX = 64 };
    uint32_t digit[DIGITS_MAX], part[DIGITS_MAX * 30 / 29 + 2];
    size_t parts = 0;
    struct int_data number;
    if (!open_int(python, address, &number))
        return;
    if (number.count > DIGITS_MAX) {
        walk_text_add(out, "%s<int of %" PRIu64 " bits>", number.negative ? "-" : "", number.count * number.bits);
        return;
    }
    size_t count = (size_t)number.count;
    for (size_t i = 0; i < count; i++)
        digit[i] = digit_at(&number, i);
    while (count && !digit[count - 1])
        count--;
    while (count) {
        uint64_t rest = 0;
        for (size_t i = count; i-- > 0;) {
            rest = rest << number.bits | digit[i];
            digit[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        part[parts++] = (uint32_t)rest;
        while (count && !digit[count - 1])
            count--;
    }
    walk_text_add(out, "%s%" PRIu32, number.negative ? "-" : "", parts ? part[parts - 1] : 0);
    for (size_t i = parts; i-- > 1;)
        walk_text_add(out, "%09" PRIu32, part[i - 1]);
}

/* The shortest digits that read back as the same double, laid out as float.__repr__ does. */
static void add_double(struct walk_text_out *out, double value, bool always_point)
{
    char text[40], digits[24];
    int exponent, precision = 1;
    if (isnan(value)) {
        walk_text_add(out, "nan");
        return;
    }
    if (isinf(value)) {
        walk_text_add(out, value < 0 ? "-inf" : "inf");
        return;
    }
    do
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
    while (strtod(text, NULL) != value && ++precision <= 17);
    char *e = strchr(text, 'e');
    exponent = (int)strtol(e + 1, NULL, 10);
    size_t count = 0;
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    walk_text_add(out, "%s", text[0] == '-' ? "-" : "");
    if (exponent < -4 || exponent >= 16) {
        walk_text_add(out, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+',
                      abs(exponent));
    } else if (exponent < 0) {
        walk_text_add(out, "0.");
        for (int i = -1; i > exponent; i--)
            walk_text_add(out, "0");
        walk_text_add(out, "%s", digits);
    } else {
        for (int i = 0; i <= exponent || (size_t)i < count; i++)
            walk_text_add(out, "%s%c", i == exponent + 1 ? "." : "", (size_t)i < count ? digits[i] : '0');
        if (always_point && count <= (size_t)exponent + 1)
            walk_text_add(out, ".0");
    }
}

static double load_double(const uint8_t *view)
{
    double value;
    memcpy(&value, view, sizeof value);
    return value;
}

static void add_float(const struct walk_python *python, walk_addr address, struct walk_text_out *out)
{
    const uint8_t *view =
        walk_memory_view(python->memory, address + WALK_OFFSET(python->layout, float, ob_fval), sizeof(double));
    if (view)
        add_double(out, load_double(view), true);
}

static void add_complex(const struct walk_python *python, walk_addr address, struct walk_text_out *out)
{
    const uint8_t *view =
        walk_memory_view(python->memory, address + WALK_OFFSET(python->layout, complex, cval), 2 * sizeof(double));
    if (!view)
        return;
    double real = load_double(view), imaginary = load_double(view + sizeof(double));
    bool both = real != 0.0 || signbit(real);
    if (both) {
        walk_text_add(out, "(");
        add_double(out, real, false);
        if (!signbit(imaginary) || isnan(imaginary))
            walk_text_add(out, "+");
    }
    add_double(out, imaginary, false);
    walk_text_add(out, both ? "j)" : "j");
}

void walk_text_value(struct walk_python *python, walk_addr object, uint32_t type, struct walk_text_out *out)
{
    const struct walk_pytype *info = &python->types[type];
    if (info->own_base != info->address)
        return; /* a subclass has a repr of its own */
    switch (info->kind) {
    case WALK_KIND_none:
        walk_text_add(out, "None");
        break;
    case WALK_KIND_bool: {
        struct int_data number;
        walk_text_add(out, open_int(python, object, &number) && number.count ? "True" : "False");
        break;
    }
    case WALK_KIND_int:
        if (strcmp(info->name, "int") == 0)
            add_int(python, object, out);
        break;
    case WALK_KIND_float:
        add_float(python, object, out);
        break;
    case WALK_KIND_complex:
        add_complex(python, object, out);
        break;
    case WALK_KIND_bytes:
        add_bytes(python, object, out);
        break;
    case WALK_KIND_str:
        add_str(python, object, out);
        break;
    default:
        break;
    }
}

/* ---- annotations ---- */

static void add_name(struct walk_python *python, const char *what, walk_addr str, struct walk_text_out *out)
{
    char name[WALK_NAME_MAX];
    walk_text_add(out, "%s %s", what, walk_text_str(python, str, name, sizeof name) ? name : "?");
}

static void annotate_weakref(struct walk_python *python, walk_addr object, const char *name, struct walk_text_out *out)
{
    walk_addr referent = WALK_MEMBER(python, object, weakref, wr_object);
    uint32_t type;
    /* A cleared reference points to None. */
    if (!referent || (walk_python_type_of(python, referent, &type) && python->types[type].kind == WALK_KIND_none))
        walk_text_add(out, "%s (dead referent)", name);
    else
        walk_text_add(out, "%s to id 0x%" PRIx64, name, referent);
}

static void annotate_module(struct walk_python *python, walk_addr object, struct walk_text_out *out)
{
    walk_addr name = WALK_MEMBER(python, object, module, md_name);
    if (!name)
        name = walk_dict_get(python, WALK_MEMBER(python, object, module, md_dict), "__name__");
    add_name(python, "module", name, out);
}

static void annotate_function(struct walk_python *python, walk_addr function, const char *what,
                              struct walk_text_out *out)
{
    walk_addr name = WALK_MEMBER(python, function, function, func_qualname);
    add_name(python, what, name, out);
}

void walk_text_annotation(struct walk_python *python, walk_addr object, uint32_t type, struct walk_text_out *out)
{
    /* A copy: looking at other objects may make new types known, which moves the table. */
    const struct walk_pytype copy = python->types[type], *info = &copy;
    size_t before = out->wanted;
    if (info->own_base == info->address) {
        switch (info->kind) {
        case WALK_KIND_list:
        case WALK_KIND_tuple:
            walk_text_add(out, "%s[%" PRIu64 "]", info->name, walk_text_var_size(python, object, false));
            return;
        case WALK_KIND_dict:
        case WALK_KIND_odict:
        case WALK_KIND_frozendict:
            walk_text_add(out, "%s[%" PRIu64 "]", info->name, WALK_MEMBER(python, object, dict, ma_used));
            return;
        case WALK_KIND_set:
        case WALK_KIND_frozenset:
            walk_text_add(out, "%s[%" PRIu64 "]", info->name, WALK_MEMBER(python, object, set, used));
            return;
        case WALK_KIND_function:
            annotate_function(python, object, "function", out);
            return;
        case WALK_KIND_method: {
            walk_addr function = WALK_MEMBER(python, object, method, im_func);
            uint32_t inner;
            if (walk_python_type_of(python, function, &inner) && python->types[inner].kind == WALK_KIND_function) {
                annotate_function(python, function, "method", out);
                return;
            }
            break;
        }
        case WALK_KIND_module:
            annotate_module(python, object, out);
            return;
        case WALK_KIND_weakref:
            annotate_weakref(python, object, info->name, out);
            return;
        case WALK_KIND_generator:
        case WALK_KIND_coroutine:
        case WALK_KIND_async_generator:
            add_name(python, info->name, WALK_MEMBER(python, object, generator, gi_qualname), out);
            return;
        case WALK_KIND_code:
            add_name(python, "code", WALK_MEMBER(python, object, code, co_name), out);
            return;
        default:
            walk_text_value(python, object, type, out);
            if (out->wanted != before)
                return;
            break;
        }
    }
    uint32_t itself;
    if (info->kind == WALK_KIND_type && walk_python_type(python, object, &itself))
        walk_text_add(out, "type %s", python->types[itself].name);
    else
        walk_text_add(out, "%s", python->types[type].name);
}

/* ---- labels ---- */

static void add_key_label(struct walk_python *python, const char *before_key, walk_addr key, const char *after_key,
                          struct walk_text_out *out)
{
    uint32_t type;
    walk_text_add(out, "%s", before_key);
    size_t before = out->wanted;
    if (walk_python_type_of(python, key, &type)) {
        walk_text_value(python, key, type, out);
        if (out->wanted == before)
            walk_text_annotation(python, key, type, out);
    }
    if (out->wanted == before)
        walk_text_add(out, "0x%" PRIx64, key);
    walk_text_add(out, "%s", after_key);
}

void walk_text_label(struct walk_python *python, const struct walk_ref *ref, struct walk_text_out *out)
{
    char name[WALK_NAME_MAX] = "?";
    const char *known;
    uint32_t type;
    switch ((enum walk_label)ref->label) {
    case WALK_LABEL_TEXT:
        walk_text_add(out, "%s", ref->text);
        break;
    case WALK_LABEL_ITEM:
        walk_text_add(out, "item[%" PRIu64 "]", ref->argument);
        break;
    case WALK_LABEL_FIELD:
        walk_text_add(out, "item[%u]", (unsigned)ref->index);
        add_key_label(python, "[", ref->argument, "]", out);
        break;
    case WALK_LABEL_KEY:
        walk_text_add(out, "key");
        break;
    case WALK_LABEL_VALUE:
        add_key_label(python, "value[", ref->argument, "]", out);
        break;
    case WALK_LABEL_ELEMENT:
        walk_text_add(out, "element");
        break;
    case WALK_LABEL_ATTR:
        walk_text_str(python, ref->argument, name, sizeof name);
        walk_text_add(out, ".%s", name);
        break;
    case WALK_LABEL_SLOT:
        walk_text_c_string(python, ref->argument, name, sizeof name);
        walk_text_add(out, ".%s", name);
        break;
    case WALK_LABEL_LOCAL:
        if (walk_text_str(python, ref->argument, name, sizeof name))
            walk_text_add(out, "local '%s'", name);
        else
            add_key_label(python, "local ", ref->argument, "", out);
        break;
    case WALK_LABEL_STACK:
        walk_text_add(out, "stack[%" PRIu64 "]", ref->argument);
        break;
    case WALK_LABEL_OFFSET:
        walk_text_add(out, "+0x%" PRIx64, ref->argument);
        break;
    case WALK_LABEL_WORD:
        known = walk_member_name(python, (uint32_t)(ref->argument >> 32), (uint32_t)ref->argument);
        if (known)
            walk_text_add(out, "%s", known);
        else
            walk_text_add(out, "+0x%" PRIx32, (uint32_t)ref->argument);
        break;
    case WALK_LABEL_TYPE_DICT:
    case WALK_LABEL_TYPE_SUBCLASSES:
        walk_text_add(out, ".types[%s].%s",
                      walk_python_type(python, ref->argument, &type) ? python->types[type].name : "?",
                      ref->label == WALK_LABEL_TYPE_DICT ? "__dict__" : "tp_subclasses");
        break;
    }
}
