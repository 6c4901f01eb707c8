/* SPDX-License-Identifier: Apache-2.0 */
/* Line tables: co_lnotab (to 3.9), PEP 626's co_linetable (3.10), the location table (3.11+, Objects/locations.md). */
#include "objects/frames.h"

/* A line table is shorter than this, bytes. */
#define TABLE_MAX ((uint64_t)1 << 26)

/* Lines are added as unsigned numbers: those of a damaged table may wrap around. */
static int add_lines(int line, int delta) { return (int)((unsigned)line + (unsigned)delta); }

struct table {
    const uint8_t *at, *end;
};

static bool open_table(const struct walk_python *python, walk_addr bytes, struct table *table)
{
    uint64_t size = WALK_MEMBER(python, bytes, var_object, ob_size);
    if (!bytes || size > TABLE_MAX)
        return false;
    table->at = walk_memory_view(python->memory, bytes + WALK_OFFSET(python->layout, bytes, ob_sval), size);
    table->end = table->at + size;
    return table->at != NULL;
}

/* Objects/lnotab_notes.txt of 3.9: pairs of (bytes of code, signed lines). */
static int line_by_lnotab(struct table table, int line, int64_t lasti)
{
    int64_t address = 0;
    for (; table.at + 1 < table.end; table.at += 2) {
        address += table.at[0];
        if (address > lasti)
            break;
        line = add_lines(line, (int8_t)table.at[1]);
    }
    return line;
}

/* Objects/lnotab_notes.txt of 3.10: pairs of (bytes of code, signed lines); -128 is "no line". */
static int line_by_linetable(struct table table, int line, int64_t lasti)
{
    int64_t end = 0;
    for (; table.at + 1 < table.end; table.at += 2) {
        int8_t delta = (int8_t)table.at[1];
        end += table.at[0];
        line = add_lines(line, delta == -128 ? 0 : delta);
        if (lasti < end)
            return delta == -128 ? 0 : line;
    }
    return 0;
}

/* Six bits per byte, the least significant first, bit 6 says that more follow. */
static unsigned read_varint(struct table *table)
{
    unsigned value = 0;
    for (unsigned shift = 0; table->at < table->end && shift < 32; shift += 6) {
        uint8_t byte = *table->at++;
        value |= (byte & 63u) << shift;
        if (!(byte & 64))
            break;
    }
    return value;
}

static int read_signed_varint(struct table *table)
{
    unsigned value = read_varint(table);
    return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

/* Entries start with a byte of bit 7 set: 4 bits of kind, 3 bits of length in code units less one. */
static int line_by_locations(struct table table, int line, int64_t lasti)
{
    enum { LONG = 14, NO_COLUMNS = 13, NONE = 15, ONE_LINE_0 = 10, ONE_LINE_2 = 12 };
    int64_t end = 0;
    while (table.at < table.end) {
        uint8_t first = *table.at++;
        unsigned kind = first >> 3 & 15;
        end += ((first & 7) + 1) * 2;
        if (kind == LONG || kind == NO_COLUMNS)
            line = add_lines(line, read_signed_varint(&table));
        else if (kind >= ONE_LINE_0 && kind <= ONE_LINE_2)
            line = add_lines(line, (int)kind - ONE_LINE_0);
        if (lasti < end)
            return kind == NONE ? 0 : line;
        while (table.at < table.end && !(*table.at & 0x80))
            table.at++;
    }
    return 0;
}

int walk_frame_line(const struct walk_python *python, const struct walk_frame_view *view, walk_addr frame_object)
{
    const struct walk_layout *layout = python->layout;
    struct table table;
    /* A trace function sets the line; up to 3.9 f_lineno counts only while one is set. */
    int first = WALK_INT_MEMBER(python, view->code, code, co_firstlineno);
    int set = WALK_INT_MEMBER(python, frame_object, frame, f_lineno);
    if (set > 0 && (WALK_MINOR(python) >= 10 || WALK_MEMBER(python, frame_object, frame, f_trace)))
        return set;
    walk_addr bytes = WALK_HAS(layout, code, co_linetable) ? WALK_MEMBER(python, view->code, code, co_linetable)
                                                           : WALK_MEMBER(python, view->code, code, co_lnotab);
    if (!open_table(python, bytes, &table))
        return 0;
    if (view->lasti < 0)
        return first;
    if (!WALK_HAS(layout, code, co_linetable))
        return line_by_lnotab(table, first, view->lasti);
    return WALK_MINOR(python) == 10 ? line_by_linetable(table, first, view->lasti)
                                    : line_by_locations(table, first, view->lasti);
}
