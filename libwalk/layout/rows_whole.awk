# SPDX-License-Identifier: Apache-2.0
# The reverse of rows.awk: the rows of a rows.inc as walk prints them, each whole, but those whose build-ids are in `without`.

function out(    s) {
    for (s = 1; s <= heads; s++) print head[s]
    for (s = 1; s <= names; s++) if (text[row, name[s]] != "") print text[row, name[s]]
    for (s = 1; s <= types; s++) print type[s]
    print "end"
}
!/^"/ { next }
{
    sub(/^"/, "")
    sub(/",$/, "")
    gsub(/\\\\/, "\\")
    gsub(/\\"/, "\"")
}
/^row: / {
    row = substr($0, 6)
    heads = types = 0
}
/^build-id: / { left_out = index(" " without " ", " " $2 " ") }
/^like: / {
    for (s = 1; s <= names; s++) text[row, name[s]] = text[substr($0, 7), name[s]]
    next
}
/^types: / { type[++types] = $0; next }
/^end$/ { if (!left_out) out(); next }
/^[a-z-]+: / { head[++heads] = $0; next }
{
    if (!($1 in known)) {
        known[$1]
        name[++names] = $1
    }
    text[row, $1] = $2 == "-" ? "" : $0
}
