#!/bin/sh
# `make install` puts everything below DESTDIR, readable by all and writable by nobody
# else; the installed command finds its child and the cage holds; `make uninstall`
# leaves no file, no folder of Weighlock's, and everything that is somebody else's.
set -eu
export LC_ALL=C
build="${BUILD:-build}" cc="${CC:-cc}" prefix="${PREFIX:-/usr/local}"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make="${MAKE:-make} --no-print-directory BUILD=$build CC=$cc DESTDIR=$root/to PREFIX=$prefix"
at="$root/to$prefix"

fail() {
    echo "$1"
    exit 1
}

# Files of a folder of the sources as they are named once installed.
named() { # pattern, folder
    for file in $1; do [ ! -e "$file" ] || echo "$2/$(basename "$file")"; done
}

expected() {
    echo bin/weighlock
    echo libexec/weighlock/weighlock-child
    for name in libweighlock libweighlock-infer; do
        printf 'lib/%s\n' "$name.a" "$name.so" "$name.so.0" "$name.so.0.1.0"
    done
    echo lib/libweighlock-parse.a
    printf 'lib/pkgconfig/%s.pc\n' weighlock weighlock-infer weighlock-parse
    named 'include/weighlock/*.h' include/weighlock
    for page in docs/man/*; do echo "share/man/man${page##*.}/$(basename "$page")"; done
    named 'docs/*.md' share/doc/weighlock
    printf 'share/doc/weighlock/%s\n' README.md CHANGELOG.md SECURITY.md LICENSE
    named 'docs/examples/*' share/doc/weighlock/examples
    named 'docs/schema/*.json' share/weighlock/schema
    named 'policy/*.policy' share/weighlock/policy
    named 'policy/*.allow' share/weighlock/policy
    if "$build/bin/weighlock" completion bash >/dev/null 2>&1; then
        echo share/bash-completion/completions/weighlock
        echo share/zsh/site-functions/_weighlock
        echo share/fish/vendor_completions.d/weighlock.fish
    fi
}

umask 077
mkdir -p "$at/share/doc/weighlock" "$at/lib"
echo theirs | tee "$at/lib/libweighlock.so.7" >"$at/share/doc/weighlock/theirs"
umask 022
$make install
find "$at" ! -type d | sed "s,^$at/,," | grep -v '/theirs$\|\.so\.7$' | sort >"$root/installed"
expected | sort | diff - "$root/installed" || fail "these are missing (<) or surprising (>)"
[ -z "$(find "$root/to" -perm /022 ! -type l)" ] || fail "others may write to what was installed"
[ -z "$(find "$root/to" -type f ! -perm -444 ! -name theirs ! -name '*.so.7')" ] || fail "not all can read all of it"
[ -z "$(find "$root/to" -type f -empty)" ] || fail "something that was installed is empty"

"$at/bin/weighlock" doctor

$make uninstall
find "$root/to" ! -type d | sed "s,^$at/,," | sort >"$root/left"
printf '%s\n' lib/libweighlock.so.7 share/doc/weighlock/theirs | diff - "$root/left" || fail "uninstall left these (>)"
rm "$at/share/doc/weighlock/theirs"
$make uninstall
[ -z "$(find "$root/to" -type d -name '*weighlock*')" ] ||
    fail "uninstall left $(find "$root/to" -type d -name '*weighlock*')"
