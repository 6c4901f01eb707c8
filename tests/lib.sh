# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests share. A test file looks like this:
#
#     set -eu
#     . "$(dirname "$0")/lib.sh"
#     checks() { …; }                    # runs in a subshell with `set -eu`
#     add_test NAME checks ARGUMENT…     # as often as needed
#     run_tests
#
# A test passes when all its commands do; `skip REASON` ends it as skipped. As many tests of a file run at once as there
# are processors, or $JOBS; shunit2 counts them in their order, and what they print is shown, in full in
# $BUILD/tests/FILE.NAME.log. With $RESULTS, that file gets a line per test, for tests/run. $ONLY is a pattern for the
# names of the tests to run.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=$(realpath -m "${BUILD:-build}")
CORES=$BUILD/cores
LOGS=$BUILD/tests
WALK=$BUILD/walk
PYTHON3=${PYTHON3:-/usr/bin/python3} # runs the checkers, which are written in Python
PROGRAMS=${PROGRAMS:-$(cd corefiles/programs && echo *.py | sed "s/\.py//g")}
TEST_FILE=$(basename "$0" .sh)

# The interpreters that must be there on CI (CI=true), where a run without them would say nothing.
REQUIRED_PYTHONS=/usr/bin/python3

SKIPPED=77      # the exit status of a skipped test, as in automake
SHOWN_LINES=60  # of what a test prints
JOBS=${JOBS:-$(nproc)}
TAB=$(printf '\t')

export BUILD PYTHON3 WALK
export PYTHONDONTWRITEBYTECODE=1
unset DEBUGINFOD_URLS   # nothing is fetched
export LIBWALK_CACHE='' # nothing is remembered

mkdir -p "$CORES" "$LOGS"

# ---- within a test ----

# Ends the test as skipped.
skip() {
    printf '%s\n' "$*"
    exit "$SKIPPED"
}

# Ends the test as failed.
flunk() {
    printf '%s\n' "$*"
    exit 1
}

# Makes the core of program $2 under interpreter $1 (a line of `interpreters`) unless it is there; prints its folder. The
# test is skipped if the program cannot run there. Tests that share a core wait for each other.
core_of() {
    local folder=$CORES/${1%%"$TAB"*}
    mkdir -p "$folder"
    flock "$folder/.$2.lock" corefiles/make-cores --out "$CORES" --programs "$2" "${1#*"$TAB"}" >&2 || return
    printf '%s\n' "$folder/$2"
}

# Removes a core again, but for KEEP_CORES=1: together they are gigabytes.
drop_core() {
    [ -n "${KEEP_CORES:-}" ] || rm -rf "$1"
}

# ---- the tests of a file ----

# "NAME<tab>PATH" of each interpreter to test with.
interpreters() {
    # shellcheck disable=SC2086 # a list
    corefiles/make-cores --list ${PYTHONS:-} || :
}

# Calls `$1 INTERPRETER` for each interpreter, and adds a test that fails on CI for each that is required and not there.
for_each_interpreter() {
    local found line path
    found=$(interpreters)
    while IFS= read -r line; do
        [ -z "$line" ] || "$1" "$line"
    done <<<"$found"
    [ -z "${PYTHONS:-}" ] || return 0
    for path in $REQUIRED_PYTHONS; do
        case $found in
        *"$TAB$(realpath "$path")"*) ;;
        *) [ "${CI:-}" != true ] || add_test "$path" flunk "$path: must be there on CI, and a CPython of 3.6 to 3.15" ;;
        esac
    done
}

TEST_NAMES=()
TEST_COMMANDS=()

# Adds a test: its name, its command and arguments.
add_test() {
    # shellcheck disable=SC2254 # a pattern
    case $1 in
    ${ONLY:-*}) ;;
    *) return 0 ;;
    esac
    TEST_NAMES+=("$1")
    shift
    TEST_COMMANDS+=("$(printf '%q ' "$@")")
}

# Called by shunit2: names the tests, each a function without characters that shunit2 would stumble on.
suite() {
    local i
    for i in "${!TEST_NAMES[@]}"; do
        eval "test_$i() { run_test $i; }"
        suite_addTest "test_$i"
    done
}

# Processes that run tests: which test, which ended with what, when each began.
declare -A TEST_OF=()
TEST_STATUS=()
TEST_START=()
TEST_END=()

test_log() {
    printf '%s\n' "$LOGS/$TEST_FILE.${TEST_NAMES[$1]//[!A-Za-z0-9._-]/_}.log"
}

# Starts the next tests, as many as there is room for. The number of each is that of the first for which there is none.
start_tests() {
    local i
    while i=${#TEST_START[@]}; [ "$i" -lt ${#TEST_NAMES[@]} ] && [ ${#TEST_OF[@]} -lt "$JOBS" ]; do
        (
            set -eu
            trap - EXIT # shunit2's
            eval "${TEST_COMMANDS[$i]}"
        ) >"$(test_log "$i")" 2>&1 </dev/null &
        TEST_OF[$!]=$i
        TEST_START[i]=$SECONDS
    done
}

# Waits until test $1 has ended.
wait_for_test() {
    local process status
    while [ -z "${TEST_STATUS[$1]:-}" ]; do
        start_tests
        status=0 process=
        wait -n -p process "${!TEST_OF[@]}" || status=$?
        if [ -z "$process" ]; then # it ended before, and bash has said so
            process=${!TEST_OF[*]} process=${process%% *} status=0
            wait "$process" || status=$?
        fi
        TEST_STATUS[${TEST_OF[$process]}]=$status
        TEST_END[${TEST_OF[$process]}]=$SECONDS
        unset "TEST_OF[$process]"
    done
}

# Waits for test $1 and writes down how it went.
run_test() {
    local name=${TEST_NAMES[$1]} log outcome status
    wait_for_test "$1"
    log=$(test_log "$1")
    status=${TEST_STATUS[$1]}
    case $status in
    0) outcome=passed ;;
    "$SKIPPED") outcome=skipped ;;
    *) outcome=failed ;;
    esac
    head -n "$SHOWN_LINES" "$log" | sed 's/^/    /'
    if [ "$(wc -l <"$log")" -gt "$SHOWN_LINES" ]; then
        echo "    … more in $log"
    fi
    echo "$outcome: $TEST_FILE $name ($((TEST_END[$1] - TEST_START[$1])) s)"
    if [ -n "${RESULTS:-}" ]; then
        printf '%s\t%s %s\t%s\n' "$outcome" "$TEST_FILE" "$name" "$(tail -n 1 "$log")" >>"$RESULTS"
    fi
    if [ "$outcome" = failed ]; then
        fail "$name ended with status $status"
    fi
    return 0
}

# Hands over to shunit2, which ends the file's process.
run_tests() {
    if [ ${#TEST_NAMES[@]} -eq 0 ]; then
        echo "$TEST_FILE: no test is called ${ONLY:-anything}"
        exit 0
    fi
    set +eu # shunit2 is not written for it; run_test switches it on
    # The functions above are all there is: none is looked for in the file.
    # shellcheck disable=SC2034
    SHUNIT_PARENT=$0 SHUNIT_COLOR=none
    set -- # shunit2 takes the file's arguments for names of tests
    # shellcheck disable=SC1091
    . shunit2
}
