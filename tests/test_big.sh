#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A heap of a million objects is read in seconds, and progress is shown meanwhile. The guards are generous: they are no
# measurement, they only catch disasters. $OBJECTS says how many (as many tracked objects are in the core, about).

set -eu
. "$(dirname "$0")/lib.sh"

OBJECTS=${OBJECTS:-1000000}
TYPES_SECONDS=60
ANCESTORS_SECONDS=30

# Dies of SIGABRT and leaves $1/core and $1/truth. As corefiles/make-cores, but with an argument.
big_core() {
    rm -rf "$1"
    mkdir -p "$1"
    gdb -nx -batch -iex 'set auto-load no' -ex 'set follow-fork-mode parent' -ex 'set startup-with-shell off' \
        -ex run -ex "generate-core-file $1/core" -ex kill \
        --args "$2" corefiles/programs/heap.py "$1/truth" "$OBJECTS" >"$1/output" 2>&1 </dev/null || :
    [ "$(tail -n 1 "$1/truth")" = end ] || flunk "no core: $(tail -n 5 "$1/output")"
}

# Runs commands in gdb within a time; what they print and show is in $folder/output and $folder/errors.
within() { # SECONDS COMMAND…
    local seconds=$1 start=$SECONDS status=0 arguments=()
    shift
    while [ $# -gt 0 ]; do
        arguments+=(-ex "$1")
        shift
    done
    timeout "$seconds" gdb -nx -batch -iex 'set auto-load no' -ex 'source gdbext/load.py' "$python" "$folder/core" \
        "${arguments[@]}" >"$folder/output" 2>"$folder/errors" </dev/null || status=$?
    echo "${arguments[1]}: $((SECONDS - start)) s"
    [ "$status" -eq 0 ] || flunk "ended with status $status: $(tail -n 5 "$folder/errors")"
}

big() {
    local folder=$CORES/big python=${1#*"$TAB"} needle tracked
    trap 'drop_core "$CORES/big"' EXIT
    big_core "$folder" "$python"
    ls -sh "$folder/core"
    needle=0x$(sed -n "s/^expect${TAB}needle$TAB//p" "$folder/truth")

    within "$TYPES_SECONDS" py-heap-types 'py-heap-types --json'
    tracked=$(sed -n 's/^{"tracked": \([0-9]*\),.*/\1/p' "$folder/output")
    [ "$tracked" -gt $((OBJECTS * 9 / 10)) ] || flunk "only $tracked objects are tracked"
    echo "$tracked tracked objects"
    if [ "$OBJECTS" -ge 1000000 ]; then
        grep 'reading the heap: .* objects' "$folder/errors" || say_no_progress
    fi

    within "$ANCESTORS_SECONDS" "py-heap-ancestors $needle 5 --limit 10"
    grep "$needle __main__.Needle" "$folder/output"
    "$PYTHON3" tests/exact.py "$WALK" "$folder"
    reads_alike "$folder"
}

# The core's bytes are looked at where it is mapped, or read piece by piece: what is far from its object then comes later.
reads_alike() {
    local reading
    for reading in mapping windows; do
        echo "$1/$reading no-values" | WALK_READING=$reading "$WALK" save "$1/core" >/dev/null
    done
    cmp "$1/mapping" "$1/windows" || flunk 'another heap is read through windows'
    rm "$1/mapping" "$1/windows"
}

# A million objects are read before anybody would want to know: asked to be shown at once, progress is.
say_no_progress() {
    script -qec "gdb -nx -batch -iex 'set auto-load no' -ex 'source gdbext/load.py' '$python' '$folder/core' \
        -ex 'python import pyheap.progress; pyheap.progress._FIRST = 0' -ex 'py-heap-types --all'" \
        /dev/null </dev/null >"$folder/terminal" 2>&1 || flunk "$(cat "$folder/terminal")"
    grep -aq 'reading the heap: .* objects' "$folder/terminal" || flunk 'no progress was shown, not even on a terminal'
    echo 'progress is shown on a terminal'
}

interpreter=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
add_test "${interpreter%%-*} $OBJECTS objects" big "$interpreter"
run_tests
