#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The programs under every build of CPython, read in every way (matrix_check.py), against what each wrote of
# itself. The builds are the interpreters of this machine, those of Debian that tests/matrix/fetch unpacks into
# $ROOTS, and what tests/matrix/build-nogil has built there. Ends with a table of all.
#
#   MATRIX_FETCH=1    fetches what is not there (on CI always)
#   MATRIX_FOREIGN=1  the roots of other architectures too
#   MATRIX_NOGIL=1    builds a free-threaded CPython first

set -eu
. "$(dirname "$0")/lib.sh"

ROOTS=$(realpath -m "${ROOTS:-$BUILD/roots}")
MATRIX=$BUILD/matrix
CELLS=$MATRIX/cells
STRIPPED=$MATRIX/stripped

MINORS='6 7 8 9 10 11 12 13 14 15' # of CPython 3: those that are supported
# The roots that must be there on CI.
NATIVE_ROOTS='bullseye-3.9 bookworm-3.11 trixie-3.13 sid-3.14 sid-3.15'

# Prints VERSION<tab>KIND of an interpreter, which may be in a root.
# shellcheck disable=SC2016 # Python
FACTS='
import sys, sysconfig
version = "%d.%d.%d" % sys.version_info[:3]
if sys.version_info[3] != "final":
    version += "%s%d" % ({"alpha": "a", "beta": "b", "candidate": "rc"}[sys.version_info[3]], sys.version_info[4])
kind = ["debug"] * hasattr(sys, "gettotalrefcount") + ["free-threaded"] * bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print("%s\t%s" % (version, ", ".join(kind) or "release"))
'

# What a person calls where an interpreter ($2) is from: of a root ($1), or of this machine.
origin() {
    case $1:$2 in
    :/usr/bin/*) sed -n 's/^PRETTY_NAME="\{0,1\}\([^"(]*[^"( ]\).*/\1/p' /etc/os-release ;;
    :*/.pyenv/versions/* | :"${PYENV_ROOT:-/nowhere}"/*) echo 'source (pyenv)' ;;
    :"$ROOTS"/*) echo "source of Debian $(basename "${2#"$ROOTS/"}" | cut -d - -f 1)" ;;
    :*) echo 'source' ;;
    *) basename "$1" | sed 's/\([a-z]*\)-[0-9.]*/Debian \1/; s/-/ /' ;;
    esac
}

in_root() { # ROOT COMMAND…
    local root=$1
    shift
    if [ "$root" ]; then
        set -- /bin/sh tests/matrix/run-in-root "$root" / "$@"
    fi
    "$@"
}

# ---- one core ----

# The core of program $4 under interpreter $3 of root $2, which is build $1, in all ways.
cell() {
    local name=$1 root=$2 python=$3 program=$4 status=0 said root_option=()
    local folder=$CORES/$name/$program
    [ -z "$root" ] || root_option=(--root "$root")
    said=$(corefiles/make-cores --out "$CORES" "${root_option[@]}" --programs "$program" "$python" 2>&1) || status=$?
    printf '%s\n' "$said"
    if [ "$status" -eq "$SKIPPED" ]; then
        printf 'all\tskipped\t%s\n' "${said##*: }" >"$CELLS/$name.$program"
    fi
    [ "$status" -eq 0 ] || return "$status"
    mkdir -p "$STRIPPED/$name"
    "$PYTHON3" tests/matrix_check.py "$WALK" "$folder" "$STRIPPED/$name" "$CELLS/$name.$program" || status=$?
    drop_core "$folder"
    return "$status"
}

# ---- the builds ----

# Whether a program has something to read that others do not have. What these were written for is asked by test_pictures,
# test_growth and test_peers, of one core per interpreter.
adds_to_matrix() { # PROGRAM
    case $1 in
    drawn | leaky | peers) return 1 ;;
    esac
}

add_build() { # NAME ROOT PYTHON
    local facts program
    if ! facts=$(in_root "$2" "$3" -c "$FACTS" 2>&1); then
        add_missing "$1" "$1: its python does not run here: ${facts##*$'\n'}"
        return
    fi
    printf '%s\t%s\n' "$facts" "$(origin "$2" "$3")" >"$CELLS/$1.build"
    for program in $PROGRAMS; do
        ! adds_to_matrix "$program" || add_test "$1 $program" cell "$1" "$2" "$3" "$program"
    done
}

# A build that is not there.
add_missing() { # NAME REASON
    if [ "${CI:-}" = true ]; then
        add_test "$1" flunk "$2"
    else
        add_test "$1" skip "$2"
    fi
}

add_interpreter() {
    add_build "${1%%"$TAB"*}" '' "${1#*"$TAB"}"
}

add_builds() {
    local name root python found
    found=$(tests/matrix/builds --out "$ROOTS")
    # In a line of three fields, an empty one between two tabs would be lost.
    while IFS=: read -r name root python; do
        add_build "$name" "$root" "$python"
    done < <(tr '\t' : <<<"$found")
    for name in $NATIVE_ROOTS; do
        [ -e "$ROOTS/$name" ] || add_missing "$name" "$name: not fetched; \`make test-matrix\` does it"
    done
}

# A test that is skipped for each version of which there is no build at all.
add_missing_versions() {
    local minor
    for minor in $MINORS; do
        [ -n "$(find "$CELLS" -name '*.build' -exec grep -l "^3\.$minor\." {} +)" ] ||
            add_test "3.$minor" skip "3.$minor: no build on PATH, under pyenv or in $ROOTS"
    done
}

fetch() {
    tests/matrix/fetch --out "$ROOTS" ${MATRIX_FOREIGN:+--all} || :
    if [ -n "${MATRIX_NOGIL:-}" ]; then
        tests/matrix/build-nogil --out "$ROOTS" || :
    fi
}

# Called by shunit2 when all is done.
oneTimeTearDown() {
    [ -z "${TABLE_SHOWN:-}" ] || return 0
    TABLE_SHOWN=yes
    "$PYTHON3" tests/matrix_table.py "$CELLS" "$MATRIX/table.md" || :
}

rm -rf "$CELLS"
mkdir -p "$CELLS" "$ROOTS"
if [ -n "${PYTHONS:-}" ]; then
    for_each_interpreter add_interpreter
else
    for_each_interpreter : # that are required
    if [ -n "${MATRIX_FETCH:-}" ] || [ "${CI:-}" = true ]; then
        fetch
    fi
    add_builds
    add_missing_versions
fi
run_tests
