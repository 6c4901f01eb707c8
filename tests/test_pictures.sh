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

# docs/pictures.md: each of its pictures is there, and its commands still draw.
page() {
    local name
    while IFS= read -r name; do
        [ -s "docs/$name" ] || flunk "docs/$name is not there: run \`make images\`"
    done < <(grep -o 'images/[a-z-]*\.svg' docs/pictures.md)
    docs/images/make --check "$(realpath "$PYTHON3")"
}

add() {
    add_test "${1%%-*}" pictures "$1"
}

add_test 'docs/pictures.md' page
for_each_interpreter add
run_tests
