#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every command in gdb, in text and with --json, on cores of some programs: gdb_check.py. What the commands make gdb load
# and read: gdb_symbols.py.

set -eu
. "$(dirname "$0")/lib.sh"

in_gdb() {
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/gdb_check.py "$WALK" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

symbols() {
    local folder status=0
    folder=$(core_of "$1" threads)
    "$PYTHON3" tests/gdb_symbols.py "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

programs() {
    local program
    for program in worker cache tasks garbage interpreters forked crowd greenlets; do
        add_test "${1%%-*} $program" in_gdb "$1" "$program"
    done
    add_test "${1%%-*} symbols" symbols "$1"
}

for_each_interpreter programs
run_tests
