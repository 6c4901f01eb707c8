#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What objgraph said in a process, and what is answered of its core; each row of the tables of docs/from-objgraph.md and
# docs/from-refcycle.md has such a check: peers_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

peers() { # INTERPRETER
    local folder status=0
    folder=$(core_of "$1" peers)
    "$PYTHON3" tests/peers_check.py "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

tables() {
    "$PYTHON3" tests/peers_check.py --tables
}

add() {
    add_test "${1%%-*}" peers "$1"
}

add_test tables tables
for_each_interpreter add
run_tests
