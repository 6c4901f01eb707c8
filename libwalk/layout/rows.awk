# SPDX-License-Identifier: Apache-2.0
# Rows as walk prints them, as strings of C; of each row only what differs from the row before it that it is most like.

function put(line) { gsub(/["\\]/, "\\\\&", line); print "\"" line "\"," }
function finish(    r, s, like, fewest, count) {
    fewest = -1
    for (r = 1; r < rows; r++) {
        if (head[r, "word"] != head[rows, "word"]) continue
        count = 0
        for (s in known) count += text[r, s] != text[rows, s]
        if (fewest < 0 || count <= fewest) {
            fewest = count
            like = r
        }
    }
    for (s = 1; s <= heads; s++) put(line_of[s])
    if (like) put("like: " head[like, "row"])
    for (s = 1; s <= names; s++)
        if (text[rows, name[s]] != (like ? text[like, name[s]] : ""))
            put(text[rows, name[s]] == "" ? name[s] " -" : text[rows, name[s]])
    for (s = 1; s <= types; s++) put(type_line[s])
    put("end")
    heads = types = 0
}
/^row: / { rows++ }
/^types: / { type_line[++types] = $0; next }
/^end$/ { finish(); next }
/^[a-z-]+: / {
    line_of[++heads] = $0
    head[rows, substr($1, 1, length($1) - 1)] = substr($0, length($1) + 2)
    next
}
{
    text[rows, $1] = $0
    if (!($1 in known)) {
        known[$1]
        name[++names] = $1
    }
}
