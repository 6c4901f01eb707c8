#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Scripts: pyheap.snapshot() outside of gdb, compared with refcycle's definitions on what programs wrote of themselves, the
# examples of docs/scripting.md, and a function of gdb's expressions in a breakpoint's condition: script_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

script() { # INTERPRETER PROGRAM OPTION…
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/script_check.py "${@:3}" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

condition() { # INTERPRETER
    "$PYTHON3" tests/script_check.py --condition "${1#*"$TAB"}"
}

scripts() {
    local program
    for program in worker instances tutorial; do
        add_test "${1%%-*} $program" script "$1" "$program"
    done
    add_test "${1%%-*} docs" script "$1" worker --docs
    add_test "${1%%-*} condition" condition "$1"
}

for_each_interpreter scripts
run_tests
