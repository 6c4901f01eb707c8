#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is said of code of the target that cannot be run to its end: code_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

CASES='state endless'

code() {
    "$PYTHON3" tests/code_check.py "$WALK" "${1#*"$TAB"}" "$2"
}

add_cases() {
    local case
    for case in $CASES; do
        add_test "${1%%"$TAB"*} $case" code "$1" "$case"
    done
}

for_each_interpreter add_cases
run_tests
