#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Less and less of the interpreter's file, and none at all: what is read from the core stays exact. The build counts as
# unknown: layouts of built-in rows are probed. See bare_files.py.

set -eu
. "$(dirname "$0")/lib.sh"

# Compares the core in folder $2 with the truth, of the interpreter's file what $1 says.
bare() {
    local variant=$1 core=$3/core file info root version
    version=$2
    shift 3
    export WALK_LAYOUT="probe:${version%%-*}" WALK_DEBUG_DIRS=/nonexistent
    root=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$root'" EXIT
    export WALK_SYSROOT="$root"
    if [ "$variant" != none ]; then
        file=$("$WALK" info "$core" | sed -n 's/^python\t\([^\t]*\)\t.*/\1/p')
        "$PYTHON3" tests/bare_files.py "$core" "$file" "$root" "$variant"
    fi
    info=$("$WALK" info "$core")
    printf '%s\n' "$info" | grep -E '^(python|layout|recovered|unnamed)'
    "$PYTHON3" tests/exact.py "$@" "$WALK" "$(dirname "$core")"
}

exact() { # VARIANT INTERPRETER PROGRAM OPTION…
    local folder variant=$1 interpreter=$2 program=$3
    shift 3
    folder=$(core_of "$interpreter" "$program")
    bare "$variant" "${interpreter%%"$TAB"*}" "$folder" "$@"
}

variants() {
    local name=${1%%-*}
    add_test "$name dynsym" exact dynsym "$1" worker
    add_test "$name segments" exact segments "$1" worker
    add_test "$name none" exact none "$1" worker --without-names
    FOLDERS+=("$CORES/${1%%"$TAB"*}/worker")
}

# Called by shunit2 when all is done.
oneTimeTearDown() {
    local folder
    for folder in "${FOLDERS[@]}"; do
        drop_core "$folder"
    done
}

FOLDERS=()
for_each_interpreter variants
PYTHON=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
add_test "section" exact section "$PYTHON" worker
add_test "kinds dynsym" exact dynsym "$PYTHON" kinds
add_test "kinds none" exact none "$PYTHON" kinds --without-names
FOLDERS+=("$CORES/${PYTHON%%"$TAB"*}/kinds")
run_tests
