#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A core is read with half as much memory as it is large: what it maps of the core, the system can take away again; what
# it needs of its own is little where most of the core is no references. $MEGABYTES says how large the core is, about.

set -eu
. "$(dirname "$0")/lib.sh"

MEGABYTES=${MEGABYTES:-400}

# Leaves $1/core of the process, and in $1/tracked how many objects it said that are tracked.
bulk_core() { # FOLDER PYTHON
    local script=$PWD/tests/bulk.py
    rm -rf "$1"
    mkdir -p "$1"
    gdb -nx -batch -iex 'set auto-load no' -iex 'set startup-with-shell off' -ex run \
        -ex "generate-core-file $1/core" -ex kill --args "$2" "$script" "$MEGABYTES" >"$1/output" 2>&1 </dev/null || :
    [ -s "$1/core" ] || flunk "no core: $(tail -n 5 "$1/output")"
    sed -n 's/^tracked //p' "$1/output" | tail -n 1 >"$1/tracked"
}

# All that is known of the core but how long it took, and which way the tracked objects were found, which is measured.
ask() {
    "$WALK" info,types,frames "$folder/core" | grep -v '^time\|^tracked-by'
}

# Needs more than the limit.
too_much() {
    [ "$(head -c "$limit" /dev/zero | tail -c "$limit" | wc -c)" -eq "$limit" ]
}

# Runs a function with so much memory of its own.
with_own_memory() {
    (
        ulimit -d $((limit / 1024))
        "$1"
    )
}

# Runs a function with so much memory, the pages of files that are read there included.
with_memory() {
    local status=0
    mkdir "$group"
    echo "$limit" >"$group/$LIMIT_FILE"
    [ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
    dd of="$folder/core" oflag=nocache conv=notrunc,fdatasync count=0 status=none # the core's pages are nobody's now
    bash -c "echo \$\$ >'$group/cgroup.procs'; $(declare -f "$1"); WALK=$WALK folder=$folder limit=$limit; $1" || status=$?
    rmdir "$group"
    return "$status"
}

# Where groups of processes can be made that have a limit: sets LIMIT_FILE and group.
find_group() {
    local place
    for place in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        group=$place/libwalk-test.$$
        if mkdir "$group" 2>/dev/null; then
            for LIMIT_FILE in memory.max memory.limit_in_bytes; do
                if [ -w "$group/$LIMIT_FILE" ] && [ -w "$group/cgroup.procs" ]; then
                    rmdir "$group"
                    return 0
                fi
            done
            rmdir "$group"
        fi
    done
    return 1
}

# Whether the answer is the same under a limit, which is one.
compare() { # RUNNER
    if "$1" too_much >/dev/null 2>&1; then
        flunk "$1: is no limit"
    fi
    "$1" ask >"$folder/limited" || flunk "$1: ended with status $?"
    diff "$folder/whole" "$folder/limited"
    echo "$1: $((limit >> 20)) MiB were enough"
}

half() {
    local folder=$CORES/bulk limit group tracked
    trap 'drop_core "$CORES/bulk"' EXIT
    bulk_core "$folder" "${1#*"$TAB"}"
    limit=$(($(stat -c %s "$folder/core") / 2))
    echo "a core of $((limit >> 19)) MiB"
    [ "$limit" -gt $((MEGABYTES << 19)) ] || flunk 'which is not what was wanted'
    ask >"$folder/whole"
    tracked=$(sed -n "s/^tracked$TAB//p" "$folder/whole")
    [ "$tracked" -eq "$(cat "$folder/tracked")" ] || flunk "$tracked objects are tracked, not $(cat "$folder/tracked")"
    compare with_own_memory
    if find_group; then
        compare with_memory
    else
        echo 'no group of processes with a limit can be made here'
    fi
}

interpreter=$(interpreters | tail -n 1) # the machine's own, by the order of make-cores
add_test "${interpreter%%-*} half of a core" half "$interpreter"
run_tests
