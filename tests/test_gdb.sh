#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every command in gdb, in text and with --json, on the cores of worker.py and cache.py: gdb_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

in_gdb() {
    local folder status=0
    folder=$(core_of "$1" "$2")
    "$PYTHON3" tests/gdb_check.py "$WALK" "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

both() {
    add_test "${1%%-*} worker" in_gdb "$1" worker
    add_test "${1%%-*} cache" in_gdb "$1" cache
}

for_each_interpreter both
run_tests
