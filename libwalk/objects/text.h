/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_OBJECTS_TEXT_H
#define WALK_OBJECTS_TEXT_H

/* Strings and values of the target, as text for people: valid UTF-8, shortened, nothing that a terminal would obey. */

#include "objects/visit.h"

/* A growing text in a buffer of the caller; `wanted` counts what a large enough buffer would hold. */
struct walk_text_out {
    char *buffer;
    size_t size, wanted;
};
void walk_text_init(struct walk_text_out *out, char *buffer, size_t size);
void walk_text_add(struct walk_text_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content of a str object, control characters escaped; false when it is none. Cut at `size`. */
bool walk_text_str(const struct walk_python *python, walk_addr str, char *buffer, size_t size);

/* How the characters of a str are stored; `view` is of its PyASCIIObject. */
struct walk_text_form {
    unsigned kind; /* bytes per character; 0: only wchar_t (up to 3.11) */
    bool compact, ascii, ready;
};
struct walk_text_form walk_text_form(const struct walk_python *python, const uint8_t *view);

/* A C string of the target likewise. */
bool walk_text_c_string(const struct walk_python *python, walk_addr text, char *buffer, size_t size);

/* True when `str` is a str with exactly this (ASCII) content. */
bool walk_text_equals(const struct walk_python *python, walk_addr str, const char *ascii);

/* The value of an int that fits; false when it is none or does not. */
bool walk_text_small_int(const struct walk_python *python, walk_addr number, int64_t *value);

/* ob_size of a variable-sized object as int.__sizeof__ & co. count it: digits for ints, never negative. */
uint64_t walk_text_var_size(const struct walk_python *python, walk_addr object, bool is_int);

/* repr() of int, float, complex, None, bool, bytes, str; nothing for other kinds. */
void walk_text_value(struct walk_python *python, walk_addr object, uint32_t type, struct walk_text_out *out);

/* What refcycle calls the annotation of an object. */
void walk_text_annotation(struct walk_python *python, walk_addr object, uint32_t type, struct walk_text_out *out);

/* The name of an edge. */
void walk_text_label(struct walk_python *python, const struct walk_ref *ref, struct walk_text_out *out);

#endif
