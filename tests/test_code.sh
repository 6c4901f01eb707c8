#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is said of code of the target that cannot be run to its end: code_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

CASES='state endless unnamed preloaded versioned own foreign'

code() {
    "$PYTHON3" tests/code_check.py "$WALK" "${1#*"$TAB"}" "$2"
}

missing() {
    local folder
    folder=$(core_of "$1" omits)
    "$PYTHON3" tests/code_check.py "$WALK" "$folder/core" missing
}

# Called by shunit2 when all is done.
oneTimeTearDown() {
    drop_core "$CORES/${PYTHON%%"$TAB"*}/omits"
}

add_cases() {
    local case
    for case in $CASES; do
        add_test "${1%%"$TAB"*} $case" code "$1" "$case"
    done
}

PYTHON=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
for_each_interpreter add_cases
add_test missing missing "$PYTHON"
run_tests
