#!/bin/sh
# The Debian packages of $BUILD/deb keep Debian's rules, are the same bytes when they are
# built again elsewhere, and work in a fresh Debian: the demo with the installed programs,
# an example built with pkg-config, loads as root and as an ordinary user. Purged, they
# leave nothing but the user of the confined child.
#
# The fresh Debian is a folder, with mounts that nobody else sees: this system is not
# changed. That takes root, or sudo. Run by `make deb-check`.
set -eu
export LC_ALL=C
build="${BUILD:-build}" make="${MAKE:-make}"
packages="weighlock libweighlock0 libweighlock-dev"
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
[ -z "$as_root" ] || command -v sudo >/dev/null || {
    echo "a fresh Debian in a folder takes root or sudo"
    exit 1
}
work=$(mktemp -d)
root="$work/root"
trap 'rm -rf "$work" 2>/dev/null || $as_root rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

fail() {
    echo "$1"
    exit 1
}

file_of() { # package, folder
    ls "$2/$1"_[0-9]*.deb
}

echo "lintian"
# Nobody has asked Debian for this package yet.
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$build"/deb/*.changes

echo "built again"
(umask 027 && cd "$build/deb/weighlock" && TZ=Asia/Kolkata $make --no-print-directory BUILD="$work/again" \
    JOBS=1 deb >"$work/said" 2>&1) ||
    fail "$(cat "$work/said")"
for name in $packages; do
    cmp "$(file_of "$name" "$build/deb")" "$(file_of "$name" "$work/again/deb")" || fail "$name is not the same bytes"
done
rm -rf "$work/again"

# What the packages need, by name; of alternatives the first.
needed=$(for name in $packages; do dpkg-deb -f "$(file_of "$name" "$build/deb")" Depends; done |
    tr ',' '\n' | sed -e 's/[|(].*//' -e 's/ //g' | grep -v weighlock | sort -u | paste -sd,)

echo "a fresh Debian, with $needed"
# shellcheck source=/dev/null
. /etc/os-release
$as_root debootstrap --variant=minbase --include="$needed,gcc,libc6-dev,pkgconf" "$VERSION_CODENAME" \
    "$root" >"$work/said" 2>&1 || fail "$(tail -n 20 "$work/said")"
$as_root mkdir "$root/srv/weighlock"
for name in $packages; do $as_root cp "$(file_of "$name" "$build/deb")" "$root/srv/weighlock/$name.deb"; done
$as_root cp -R tests/build/deb_inside.sh tests/demo.sh "$root/srv/weighlock/"
$as_root mkdir "$root/srv/weighlock/tests"
$as_root mv "$root/srv/weighlock/demo.sh" "$root/srv/weighlock/tests/"
$as_root cp -R tests/models "$root/srv/weighlock/tests/"

echo "installed, used, purged"
# shellcheck disable=SC2016 # expanded inside
$as_root unshare --mount --pid --fork sh -c '
    mount --make-rprivate / && mount --bind "$1" "$1" && cd "$1" &&
    mount -t proc proc proc && mount -t tmpfs tmpfs tmp &&
    exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C sh /srv/weighlock/deb_inside.sh' \
    sh "$root" >"$work/said" 2>&1 || fail "$(tail -n 60 "$work/said")"
echo "ok"
