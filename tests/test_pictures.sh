#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The pictures of a core of drawn.py, with every option, compared with objgraph's where it is installed: pictures_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

pictures() {
    local folder status=0
    folder=$(core_of "$1" drawn)
    "$PYTHON3" tests/pictures_check.py "$folder" || status=$?
    drop_core "$folder"
    return "$status"
}

add() {
    add_test "${1%%-*}" pictures "$1"
}

for_each_interpreter add
run_tests
