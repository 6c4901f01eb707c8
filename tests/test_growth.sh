#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What grew between cores of one process (growth_check.py); a saved heap answers as its core does (saved_check.py);
# damaged ones are refused or answer, under the sanitizers (fuzz/saved.c).

set -eu
. "$(dirname "$0")/lib.sh"
export LIBWALK=$BUILD/libwalk.so

checked() { # CHECKER INTERPRETER PROGRAM
    local folder status=0
    folder=$(core_of "$2" "$3")
    "$PYTHON3" "tests/$1.py" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

fuzz() {
    local folder heap=$LOGS/fuzz.heap
    folder=$(core_of "$1" worker)
    printf '%s no-values\n' "$heap" | "$WALK" save "$folder/core"
    make --no-print-directory fuzz-saved FILE="$heap" RUNS="${RUNS:-60}" SEED="${SEED:-1}"
    rm "$heap"
}

tests() {
    local program name=${1%%-*}
    add_test "$name growth" checked growth_check "$1" leaky
    for program in worker kinds tasks threads interpreters greenlets; do
        add_test "$name saved $program" checked saved_check "$1" "$program"
    done
    case ${1#*"$TAB"} in
    "$(realpath /usr/bin/python3)") add_test "$name fuzz" fuzz "$1" ;;
    esac
}

for_each_interpreter tests
run_tests
