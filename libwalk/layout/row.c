/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/row.h"

#include <inttypes.h>
#include <stdlib.h>

/* Bounds of what a row may say: the largest structure is the interpreter of 3.12, 460 KB. */
enum { SIZE_MAX_BYTES = 16 << 20, TYPES_MAX = 4096 };

/* ---- numbers and words of a line ---- */

struct text {
    const char *at, *end;
};

static bool take_number(struct text *text, int base, uint64_t most, uint64_t *number)
{
    const char *start = text->at;
    *number = 0;
    for (; text->at < text->end; text->at++) {
        char c = *text->at;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (digit >= base)
            break;
        *number = *number * (unsigned)base + (unsigned)digit;
        if (*number > most)
            return false;
    }
    return text->at > start;
}

static bool take(struct text *text, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* Up to either of them, or what is no character of a line. */
static size_t word_length(const struct text *text, char stop, char other)
{
    const char *at = text->at;
    while (at < text->end && *at && *at != stop && *at != other)
        at++;
    return (size_t)(at - text->at);
}

static bool take_printable(struct text *text, size_t length, char *buffer, size_t size)
{
    if (!length || length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text->at[i] < 0x20 || (unsigned char)text->at[i] > 0x7e)
            return false;
    memcpy(buffer, text->at, length);
    buffer[length] = '\0';
    text->at += length;
    return true;
}

/* ---- structures ---- */

static bool is_named(const char *id, const char *name, size_t length)
{
    return strncmp(id, name, length) == 0 && id[length] == '\0';
}

/* -1: a structure that this version of the table has not. */
static int find_structure(struct walk_row_parser *parser, const char *name, size_t length)
{
    for (size_t i = 0; i < WALK_STRUCT_COUNT; i++) {
        size_t at = (parser->structure + i) % WALK_STRUCT_COUNT;
        if (is_named(walk_struct_table[at].id, name, length)) {
            parser->structure = at + 1;
            return (int)at;
        }
    }
    return -1;
}

static int find_field(struct walk_row_parser *parser, int structure, const char *name, size_t length)
{
    size_t prefix = strlen(walk_struct_table[structure].id) + 1;
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++) {
        size_t at = (parser->field + i) % WALK_FIELD_COUNT;
        if ((int)walk_field_table[at].structure == structure &&
            is_named(walk_field_table[at].id + prefix, name, length)) {
            parser->field = at + 1;
            return (int)at;
        }
    }
    return -1;
}

static void clear_structure(struct walk_layout *layout, int structure)
{
    layout->size[structure] = 0;
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if ((int)walk_field_table[i].structure == structure)
            layout->offset[i] = WALK_ABSENT;
}

/* "interp 5664 next=0 tstate_head=8", "cframe -" */
static bool parse_structure(struct walk_row_parser *parser, struct text text)
{
    struct walk_layout *layout = &parser->row->layout;
    size_t length = word_length(&text, ' ', ' ');
    int structure = find_structure(parser, text.at, length);
    uint64_t size, offset;
    text.at += length;
    if (structure < 0)
        return length > 0; /* of another version of the table */
    clear_structure(layout, structure);
    if (take(&text, " -"))
        return text.at == text.end;
    if (!take(&text, " ") || !take_number(&text, 10, SIZE_MAX_BYTES, &size) || !size)
        return false;
    layout->size[structure] = (uint32_t)size;
    while (take(&text, " ")) {
        length = word_length(&text, '=', ' ');
        int field = find_field(parser, structure, text.at, length);
        text.at += length;
        /* A flexible array begins at the end. Of a field that is unknown the unit is unknown too. */
        uint64_t units = field < 0 || walk_field_in_bits((enum walk_field)field) ? 8 : 1;
        if (!take(&text, "=") || !take_number(&text, 10, size * units, &offset))
            return false;
        if (field >= 0)
            layout->offset[field] = (int32_t)offset;
    }
    return text.at == text.end;
}

/* "48b0a0 type, 48b240 object" */
static bool parse_types(struct walk_row_parser *parser, struct text text)
{
    struct walk_layout_row *row = parser->row;
    do {
        uint64_t offset;
        if (row->type_count == parser->type_capacity) {
            size_t capacity = parser->type_capacity ? parser->type_capacity * 2 : 256;
            struct walk_row_type *grown = capacity > TYPES_MAX ? NULL : realloc(row->types, capacity * sizeof *grown);
            if (!grown)
                return false;
            row->types = grown;
            parser->type_capacity = capacity;
        }
        struct walk_row_type *type = &row->types[row->type_count];
        if (!take_number(&text, 16, UINT32_MAX, &offset) || !take(&text, " ") ||
            !take_printable(&text, word_length(&text, ',', ','), type->name, sizeof type->name) ||
            (row->type_count && type[-1].offset >= offset))
            return false;
        type->offset = (uint32_t)offset;
        row->type_count++;
    } while (take(&text, ", "));
    return text.at == text.end;
}

/* ---- the head ---- */

static bool parse_hex(struct text *text, uint64_t most, uint32_t *result)
{
    uint64_t number;
    if (!take_number(text, 16, most, &number))
        return false;
    *result = (uint32_t)number;
    return true;
}

static bool parse_build_id(struct text *text, char *build_id, size_t size)
{
    size_t length = word_length(text, ' ', ' ');
    const char *id = text->at;
    if (!take_printable(text, length, build_id, size))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!strchr("0123456789abcdef", id[i]))
            return false;
    return length % 2 == 0;
}

static const char *const built_in[] = {
#include "layout/rows.inc"
    NULL,
};

static struct walk_layout_row *parse_built_in(const char *const *line, const struct walk_row_parser *how);

/* Rows are only like rows before them, so this ends. */
static bool be_like(const struct walk_row_parser *parser, const char *name, size_t length)
{
    struct walk_layout_row *row = parser->row;
    const char *const *line = built_in;
    for (size_t i = 0; i < parser->known_count; i++)
        if (is_named(parser->known[i]->name, name, length)) {
            row->layout = parser->known[i]->layout;
            return true;
        }
    while (*line && !(strncmp(*line, "row: ", 5) == 0 && is_named(*line + 5, name, length)))
        line++;
    if (!*line || is_named(*line + 5, row->name, strlen(row->name)))
        return false;
    struct walk_layout_row *other = parse_built_in(line, &(struct walk_row_parser){.layout_only = true});
    if (other)
        row->layout = other->layout;
    walk_layout_row_free(other);
    return other != NULL;
}

bool walk_row_parse_line(struct walk_row_parser *parser, const char *line, size_t length)
{
    struct walk_layout_row *row = parser->row;
    struct text text = {line, line + length};
    uint64_t number;
    if (parser->ended)
        return false;
    if (take(&text, "row: "))
        return take_printable(&text, length - 5, row->name, sizeof row->name);
    if (take(&text, "build-id: "))
        return parse_build_id(&text, row->build_id, sizeof row->build_id) && text.at == text.end;
    if (take(&text, "version: "))
        return parse_hex(&text, UINT32_MAX, &row->version) && text.at == text.end;
    if (take(&text, "word: ")) {
        bool good = take_number(&text, 10, 8, &number) && (number == 4 || number == 8) && text.at == text.end;
        row->word = good ? (unsigned)number : 0;
        return good;
    }
    if (take(&text, "runtime: "))
        return parse_hex(&text, UINT32_MAX, &row->runtime) && text.at == text.end;
    if (take(&text, "type: "))
        return parse_hex(&text, UINT32_MAX, &row->type) && text.at == text.end;
    if (take(&text, "like: "))
        return parser->may_be_like && be_like(parser, text.at, (size_t)(text.end - text.at));
    if (take(&text, "types: "))
        return parser->layout_only || parse_types(parser, text);
    if (length == 3 && take(&text, "end")) {
        parser->ended = true;
        return true;
    }
    return parse_structure(parser, text);
}

bool walk_row_is_whole(const struct walk_row_parser *parser)
{
    const struct walk_layout_row *row = parser->row;
    return parser->ended && *row->name && *row->build_id && row->version >> 24 == 3 && row->word && row->type;
}

/* ---- the built-in rows ---- */

void walk_layout_row_free(struct walk_layout_row *row)
{
    if (row)
        free(row->types);
    free(row);
}

static struct walk_layout_row *parse_built_in(const char *const *line, const struct walk_row_parser *how)
{
    struct walk_layout_row *row = calloc(1, sizeof *row);
    struct walk_row_parser parser = *how;
    if (!row)
        return NULL;
    parser.row = row;
    parser.may_be_like = true;
    walk_layout_clear(&row->layout);
    while (*line && !parser.ended && walk_row_parse_line(&parser, *line, strlen(*line)))
        line++;
    if (walk_row_is_whole(&parser))
        return row;
    walk_layout_row_free(row);
    return NULL;
}

size_t walk_layout_rows_open(struct walk_layout_row **rows, size_t most)
{
    size_t count = 0;
    for (const char *const *line = built_in; *line && count < most; line++) {
        struct walk_row_parser how = {.layout_only = true, .known = rows, .known_count = count};
        if (strncmp(*line, "row: ", 5) == 0 && (rows[count] = parse_built_in(line, &how)))
            count++;
    }
    return count;
}

struct walk_layout_row *walk_layout_row_open(size_t index)
{
    const char *const *line = built_in;
    for (; *line; line++)
        if (strncmp(*line, "row: ", 5) == 0 && index-- == 0)
            return parse_built_in(line, &(struct walk_row_parser){0});
    return NULL;
}

struct walk_layout_row *walk_layout_row_find(const char *build_id)
{
    const char *const *start = built_in;
    for (const char *const *line = built_in; *line && *build_id; line++) {
        if (strncmp(*line, "row: ", 5) == 0)
            start = line;
        if (strncmp(*line, "build-id: ", 10) == 0 && strcmp(*line + 10, build_id) == 0)
            return parse_built_in(start, &(struct walk_row_parser){0});
    }
    return NULL;
}

/* ---- the other direction ---- */

static void print_structure(const struct walk_layout *layout, int structure, FILE *out)
{
    size_t prefix = strlen(walk_struct_table[structure].id) + 1;
    fprintf(out, "%s %" PRIu32, walk_struct_table[structure].id, layout->size[structure]);
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++)
        if ((int)walk_field_table[i].structure == structure && layout->offset[i] != WALK_ABSENT)
            fprintf(out, " %s=%" PRId32, walk_field_table[i].id + prefix, layout->offset[i]);
    fputc('\n', out);
}

void walk_row_print(const struct walk_layout_row *row, FILE *out)
{
    enum { TYPES_PER_LINE = 4 };
    fprintf(out, "row: %s\nbuild-id: %s\nversion: %08" PRIx32 "\nword: %u\n", row->name, row->build_id, row->version,
            row->word);
    fprintf(out, "runtime: %" PRIx32 "\ntype: %" PRIx32 "\n", row->runtime, row->type);
    for (int i = 0; i < WALK_STRUCT_COUNT; i++)
        if (row->layout.size[i])
            print_structure(&row->layout, i, out);
    for (size_t i = 0; i < row->type_count; i++)
        fprintf(out, "%s%" PRIx32 " %s%s", i % TYPES_PER_LINE ? ", " : "types: ", row->types[i].offset,
                row->types[i].name, i % TYPES_PER_LINE == TYPES_PER_LINE - 1 || i + 1 == row->type_count ? "\n" : "");
    fprintf(out, "end\n");
}

uint64_t walk_row_schema(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < WALK_FIELD_COUNT; i++) {
        const char *const names[] = {walk_struct_table[walk_field_table[i].structure].names, walk_field_table[i].id,
                                     walk_field_table[i].names};
        for (size_t n = 0; n < 3; n++)
            for (const char *c = names[n];; c++) {
                hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
                if (!*c)
                    break;
            }
    }
    return hash;
}
