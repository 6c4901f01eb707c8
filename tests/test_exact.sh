#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every object of every program under every interpreter, against what the program wrote of itself: exact.py.

set -eu
. "$(dirname "$0")/lib.sh"

exact() {
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/exact.py "$WALK" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

programs() {
    local program
    for program in $PROGRAMS; do
        add_test "${1%%-*} $program" exact "$1" "$program"
    done
}

for_each_interpreter programs
run_tests
