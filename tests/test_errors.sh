#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong is said in one line that names a remedy, and gdb goes on: errors_check.py. One interpreter is enough.

set -eu
. "$(dirname "$0")/lib.sh"

CASES='no_target executable_only no_binary wrong_binary text no_core truncated addresses usage places_of_files
    not_python no_process pypy too_old'

error() {
    local folder
    folder=$(core_of "$PYTHON" worker)
    "$PYTHON3" tests/errors_check.py "$WALK" "$folder" "$@"
}

# Called by shunit2 when all is done.
oneTimeTearDown() {
    drop_core "$CORES/${PYTHON%%"$TAB"*}/worker"
}

PYTHON=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
for case in $CASES; do
    add_test "$case" error "$case"
done
run_tests
