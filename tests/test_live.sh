#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A live process: the same answers as from a core taken at that stop, and nothing is written to it. live_check.py.

set -eu
. "$(dirname "$0")/lib.sh"

# What writes to another process's memory, or asks gdb to.
WRITES='process_vm_writev|PTRACE_POKE|PTRACE_SETREGS|PTRACE_SETFPREGS|WriteProcess|write_memory|/mem", *"[^"]*[wa+]'
WRITES="$WRITES|pwrite|O_RDWR|O_WRONLY|assign_value|gdb.execute\(.(set var|call|print .*=[^=]|restore)"

no_writes() {
    if grep -rnE --include='*.[ch]' --include='*.def' --include='*.py' "$WRITES" libwalk gdbext; then
        flunk 'these lines could write to a target'
    fi
}

live() {
    "$PYTHON3" tests/live_check.py "$WALK" "${1#*"$TAB"}"
}

attached() {
    add_test "${1%%-*} worker" live "$1"
}

add_test 'no line that writes' no_writes
for_each_interpreter attached
run_tests
