#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong is said in one line that names a remedy, and gdb goes on: errors_check.py. One interpreter is enough.

set -eu
. "$(dirname "$0")/lib.sh"

CASES='no_target executable_only no_binary wrong_binary text no_core truncated addresses usage not_python no_process'

error() {
    local folder
    folder=$(core_of "$PYTHON" worker)
    "$PYTHON3" tests/errors_check.py "$WALK" "$folder" "$@"
}

# An interpreter called $1, which is not supported, if it is there.
unsupported() {
    local path
    for path in "$(command -v "$1" || :)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$1"; do
        if [ -x "$path" ] && "$path" -c '' 2>/dev/null; then # not a shim of pyenv that leads nowhere
            realpath "$path"
            return 0
        fi
    done
}

# Called by shunit2 when all is done.
oneTimeTearDown() {
    drop_core "$CORES/${PYTHON%%"$TAB"*}/worker"
}

PYTHON=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
for case in $CASES; do
    add_test "$case" error "$case"
done
for name in python2.7 python3.5 python3.16 pypy3; do
    add_test "unsupported $name" error unsupported "$(unsupported $name)"
done
run_tests
