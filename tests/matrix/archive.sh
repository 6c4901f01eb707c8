# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Debian's archive, read with a configuration of apt that is the caller's own: for scripts to source. `open_archive` sets
# $apt, a folder that is theirs for a while, $mirror, what `mirror` prints, and $architecture, whose packages are wanted.
# They set $sources, not empty, if they want source packages too.

# Oldest first.
SUITES='bullseye bookworm trixie forky sid'
native=$(dpkg --print-architecture 2>/dev/null) || native=
architecture=$native

say() {
    printf '%s\n' "${0##*/}: $*" >&2
}

# Prints the address of the archive.
mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$DEBIAN_MIRROR"
        return
    fi
    apt-get indextargets --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" 'Created-By: Packages' |
        awk '$2 == "main" && $1 !~ /-/ && $3 ~ /\/debian(\/[0-9TZ]+)?\/$/ {print $3; exit}'
}

# Prints the path of the keyring with the archive's keys, if there is one.
keyring() {
    for path in "$apt"/keyring.* "${DEBIAN_KEYRING:-}" /usr/share/keyrings/debian-archive-keyring.[gp]*; do
        if [ -s "$path" ]; then
            printf '%s\n' "$path"
            return
        fi
    done
}

# Writes a configuration of apt for suite $1 and $architecture: the system's for how things are acquired (proxies and
# the like), with state, sources and hooks of its own.
configure() {
    place=$apt/$1/$architecture
    mkdir -p "$place/lists/partial" "$place/archives/partial"
    : >>"$place/status"
    {
        apt-config dump |
            grep '^Acquire::' | grep -Ev '^Acquire::(IndexTargets|CompressionTypes|Languages|Changelogs|cdrom)'
        cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "$place/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$place";
Dir::State::status "$place/status";
Dir::Cache "$place";
Dir::Log "$place";
APT::Architecture "$architecture";
APT::Architectures {"$architecture"};
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
END
    } >"$place/apt.conf"
    for kind in deb ${sources:+deb-src}; do
        printf '%s [arch=%s%s] %s %s main\n' "$kind" "$architecture" "${2:+ signed-by=$2}" "$mirror" "$1"
    done >"$place/sources.list"
}

# Calls a program of apt for suite $1 and $architecture.
apt() {
    APT_CONFIG=$apt/$1/$architecture/apt.conf
    shift
    APT_CONFIG=$APT_CONFIG "$@"
}

# The suite before $1.
before() {
    for older in $SUITES; do
        [ "$older" != "$1" ] || break
        printf '%s\n' "$older"
    done | tail -n 1
}

# Reads the list of packages of suite $1 for $architecture, once.
update() {
    [ ! -e "$apt/$1/$architecture/updated" ] || return 0
    configure "$1" "$(keyring)"
    if apt "$1" apt-get -q update >"$apt/$1/log" 2>&1; then
        : >"$apt/$1/$architecture/updated"
        return 0
    fi
    if ! grep -Eq 'NO_PUBKEY|EXPKEYSIG' "$apt/$1/log" || [ -z "$(before "$1")" ]; then
        sed 's/^/    /' "$apt/$1/log" >&2
        return 1
    fi
    say "$1 is signed with a key that $(keyring) lacks; taking the keyring of $(before "$1")"
    update "$(before "$1")" && newer_keyring "$(before "$1")" || return 1
    configure "$1" "$(keyring)"
    apt "$1" apt-get -q update >"$apt/$1/log" 2>&1 || {
        sed 's/^/    /' "$apt/$1/log" >&2
        return 1
    }
    : >"$apt/$1/$architecture/updated"
}

# Makes the keyring of suite $1, which is verified, the one that `keyring` prints.
newer_keyring() {
    mkdir -p "$apt/$1/keyring" &&
        (cd "$apt/$1/keyring" && apt "$1" apt-get -q download debian-archive-keyring) >"$apt/$1/log" 2>&1 &&
        dpkg-deb -x "$apt/$1/keyring"/*.deb "$apt/$1/keyring" || return 1
    for path in "$apt/$1/keyring/usr/share/keyrings"/debian-archive-keyring.[gp]*; do
        cp -L "$path" "$apt/keyring.gpg" && return 0
    done
    return 1
}

# Finds the archive and makes the folder $1 the one of apt's state, until the script ends. If there is nothing to read, it
# says so and ends the script, without an error.
open_archive() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say 'skip: there is no apt here'
        exit 0
    fi
    mirror=$(mirror)
    if [ -z "$mirror" ]; then
        say "skip: apt is not configured for Debian's archive; \$DEBIAN_MIRROR can name it"
        exit 0
    fi
    apt=$1
    rm -rf "$apt"
    mkdir -p "$apt"
    architecture=$(dpkg --print-architecture)
    trap 'rm -rf "$apt"' EXIT
}

# Fails, saying so, if $1 is not a name like bullseye-3.9.
check_name() {
    case " $SUITES " in
    *" ${1%%-*} "*) ;;
    *) say "$1: not a name like bullseye-3.9, of a suite of: $SUITES"; return 2 ;;
    esac
}

# Calls $1, which makes one root, with each of the other arguments, names. It may return 77: skipped.
for_each() {
    make=$1
    shift
    failed=0
    for name in "$@"; do
        status=0
        # Not in a condition: `set -e` would be without effect there.
        set +e
        (set -e; "$make" "$name")
        status=$?
        set -e
        case $status in
        0 | 77) ;;
        *) say "$name: failed"; failed=1 ;;
        esac
    done
    return "$failed"
}
