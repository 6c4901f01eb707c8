/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_ROW_H
#define WALK_LAYOUT_ROW_H

/*
 * Rows as text: the built-in ones are lines of layout/rows.inc, a remembered one is a file.
 *
 *   row: 3.9.2 debug 70232042
 *   build-id: 70232042551c3213427a308948185d6429cff9d4
 *   version: 030902f0
 *   word: 8
 *   runtime: 4a1b80                     _PyRuntime, from the start of the module
 *   type: 48b0a0                        PyType_Type
 *   like: 3.9.2 f902f8a5                built-in only: what no line says is as in that row, which stands before
 *   interp 5664 next=0 tstate_head=8    a structure, its size and members, in bytes; bit-fields in bits
 *   cframe -                            not in this build, though in the row that this one is like
 *   types: 48b0a0 type, 48b240 object   static types, by offset
 *   end
 */

#include <stdio.h>

#include "layout/layout.h"

/* Reads lines until "end". */
struct walk_row_parser {
    struct walk_layout_row *row;
    size_t structure, field; /* where the next one is likely to be in the tables */
    size_t type_capacity;
    bool may_be_like;                     /* "like" is allowed */
    bool layout_only;                     /* no types */
    struct walk_layout_row *const *known; /* rows that were read before: what one is like need not be read again */
    size_t known_count;
    bool ended;
};

/* False: the line makes no sense, or there is no memory. `line` has no newline. */
bool walk_row_parse_line(struct walk_row_parser *parser, const char *line, size_t length);

/* True: whole, and members are within their structures, types sorted. */
bool walk_row_is_whole(const struct walk_row_parser *parser);

void walk_row_print(const struct walk_layout_row *row, FILE *out);

/* A hash of the table of fields: a remembered row is of use as long as it has what is asked. */
uint64_t walk_row_schema(void);

#endif
