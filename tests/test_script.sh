#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Scripts: pyheap.snapshot() outside of gdb, compared with refcycle's definitions on what programs wrote of themselves, and
# the examples of docs/scripting.md: script_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

script() { # INTERPRETER PROGRAM OPTION…
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/script_check.py "${@:3}" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

scripts() {
    local program
    for program in worker instances; do
        add_test "${1%%-*} $program" script "$1" "$program"
    done
    add_test "${1%%-*} docs" script "$1" worker --docs
}

for_each_interpreter scripts
run_tests
