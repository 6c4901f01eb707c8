#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The sources of layouts give the same answers: DWARF, what was remembered of it, and the layouts of other builds. There a
# build may be refused, with what was tried; and objects of C types whose structure differs are guessed.

set -eu
. "$(dirname "$0")/lib.sh"

# What `walk` says of the core in $1 with the layout $2.
answers() {
    WALK_LAYOUT=$2 "$WALK" frames "$1/core" && WALK_LAYOUT=$2 "$WALK" objects "$1/core"
}

# No build of the version is known: what does not fit is left out, and said. What is answered must still be true: of the
# answers in $2, all frames and locals, and all objects with their types, are in $1.
partly_the_same() {
    grep "^part${TAB}left out" "$3"
    grep "^complete${TAB}0" "$3"
    [ -z "$(comm -13 <(addresses_and_types "$1") <(addresses_and_types "$2"))" ]
}

addresses_and_types() {
    awk -F "$TAB" '$1 ~ /^[0-9a-f]+$/ { print $1, $2; next } { print }' "$1" | sort
}

# Address, type, size and whether it is tracked, of every object; threads, frames and locals whole.
without_references() {
    awk -F "$TAB" '$1 ~ /^[0-9a-f]+$/ { print $1, $2, $3, $4; next } { print }' "$1"
}

# One entry of a table is wrong, in the cache in $2, and no invariant asks it: the code of the target shows it.
wrong_table_is_found() { # FOLDER WORK
    mkdir "$2/wrong"
    sed 's/^\("*property .*prop_get=\([0-9]*\).* prop_doc=\)[0-9]*/\1\2/' "$2"/cache/* >"$2/wrong/$(basename "$2"/cache/*)"
    chmod 600 "$2"/wrong/*
    cmp -s "$2"/cache/* "$2"/wrong/* && flunk "no entry was changed"
    export LIBWALK_CACHE=$2/wrong WALK_LAYOUT=cache
    "$WALK" info "$1/core" | grep "^disputed${TAB}property${TAB}"
    "$PYTHON3" tests/exact.py "$WALK" "$1" >"$2/exact" || flunk "$(tail -n 5 "$2/exact")"
    # Without the code, the table is believed.
    WALK_GUESS=1 "$PYTHON3" tests/exact.py "$WALK" "$1" >/dev/null && flunk "the wrong entry changed nothing"
    return 0
}

check() {
    local folder work
    folder=$(core_of "$1" cache)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' RETURN
    export LIBWALK_CACHE=$work/cache
    WALK_LAYOUT=cache "$WALK" info "$folder/core" >"$work/none" 2>&1 && flunk "there is no cache yet"
    answers "$folder" cache,dwarf >"$work/dwarf" || skip "$1: no DWARF"
    answers "$folder" cache >"$work/cache.answers"
    cmp "$work/dwarf" "$work/cache.answers"
    WALK_LAYOUT=cache "$WALK" info "$folder/core" | grep "^layout${TAB}cache (3\."
    [ "$(stat -c %a "$work"/cache/*)" = 600 ]
    (wrong_table_is_found "$folder" "$work")
    # What was remembered is as good as what is built in, and no better: damaged it is not believed.
    sed -i 's/ ob_type=[0-9]*/ ob_type=0/' "$work"/cache/*
    WALK_LAYOUT=cache "$WALK" info "$folder/core" >"$work/none" 2>&1 && flunk "a damaged cache was believed"
    answers "$folder" cache,dwarf >"$work/again"
    cmp "$work/dwarf" "$work/again"
    if WALK_LAYOUT=probe "$WALK" info "$folder/core" >"$work/info" 2>"$work/error"; then
        grep "^part" "$work/info"
        answers "$folder" probe >"$work/probe"
        if grep -q "^layout${TAB}row of another build and version" "$work/info"; then
            partly_the_same "$work/dwarf" "$work/probe" "$work/info"
        else
            diff <(without_references "$work/dwarf") <(without_references "$work/probe")
        fi
    else
        grep "were tried, and none fits" "$work/error"
    fi
    drop_core "$folder"
}

each() { add_test "${1%%"$TAB"*}" check "$1"; }
for_each_interpreter each

run_tests
