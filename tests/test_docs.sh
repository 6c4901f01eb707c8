#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every gdb session that a page of docs/ shows, replayed on cores of the machine's python3: docs_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

JOBS=1 # pages share cores, which go with the page

INTERPRETER=$(corefiles/make-cores --list "$(realpath /usr/bin/python3)" || :)

# The programs that the page $1 has sessions with, or names the cores of.
programs_of() {
    { sed -n 's/^```gdb \([a-z_]*\)$/\1/p' "$1" && grep -o '\b[a-z_]*\.core\b' "$1" | sed 's/\.core$//'; } | sort -u
}

page() {
    local program folder='' status=0
    [ "$INTERPRETER" ] || skip "no /usr/bin/python3 that can be read"
    while IFS= read -r program; do
        folder=$(core_of "$INTERPRETER" "$program")
    done < <(programs_of "$1")
    "$PYTHON3" tests/docs_check.py "$1" "$(dirname "$folder")" || status=$?
    while IFS= read -r program; do
        drop_core "$(dirname "$folder")/$program"
    done < <(programs_of "$1")
    return "$status"
}

while IFS= read -r path; do
    add_test "$(basename "$path" .md)" page "$path"
done < <(grep -l '^```gdb [a-z_]*$' docs/*.md)
run_tests
