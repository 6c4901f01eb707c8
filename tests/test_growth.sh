#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What grew between cores of one process, and of two (growth_check.py), in gdb and between the stops of a live process
# (growth_gdb_check.py); a saved heap answers as its core does (saved_check.py);
# damaged ones are refused or answer, under the sanitizers (fuzz/saved.c).

set -eu
. "$(dirname "$0")/lib.sh"
export LIBWALK=$BUILD/libwalk.so

saved() {
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/saved_check.py "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

# From one run of the program to another, and within each: the cores of the second are elsewhere.
growth() {
    local folder other status=0
    folder=$(core_of "$1" leaky)
    other=$(CORES=$CORES/again core_of "$1" leaky)
    "$PYTHON3" tests/growth_check.py "$folder" "$other" || status=$?
    if [ "$status" = 0 ]; then
        "$PYTHON3" tests/growth_gdb_check.py "$folder" || status=$?
    fi
    drop_core "$folder"
    drop_core "$other"
    return "$status"
}

live() {
    "$PYTHON3" tests/growth_gdb_check.py --live "${1#*"$TAB"}"
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
    add_test "$name growth" growth "$1"
    add_test "$name growth live" live "$1"
    add_test "$name saved garbage" saved "$1" garbage
    # A file knows no version of Python: all that can be in one is looked at once.
    case ${1#*"$TAB"} in
    "$(realpath /usr/bin/python3)")
        for program in worker kinds tasks threads interpreters greenlets; do
            add_test "$name saved $program" saved "$1" "$program"
        done
        add_test "$name fuzz" fuzz "$1"
        ;;
    esac
}

for_each_interpreter tests
run_tests
