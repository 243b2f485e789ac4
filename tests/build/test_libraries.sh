#!/bin/sh
# The libraries export the public functions, all of them and nothing else; they need
# nothing that their users did not ask for; and no two modules define one name, for
# they are linked together.
set -u
export LC_ALL=C
lib="${BUILD:-build}/lib" modules="${BUILD:-build}/mod"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "$1"
    failed=1
}

# The function names of public headers: the word before the first parenthesis.
declared() {
    sed -e 's,/\*.*\*/,,' -e '/\/\*/,/\*\//d' "$@" | tr '\n' ' ' | grep -oE 'WLK_API [^;{}]*;' |
        grep -oE '^[^(]*\(' | grep -oE 'wlk_[a-z0-9_]+ *\($' | tr -d ' (' | sort
}

exported() {
    nm -D --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort
}

needed() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(lib[a-z-]*\).*/\1/p' | grep -vE '^lib[atu][a-z]*san' | sort |
        tr '\n' ' '
}

declared include/weighlock/infer.h >"$work/infer"
declared include/weighlock/*.h | comm -23 - "$work/infer" >"$work/core"
[ "$(wc -l <"$work/core")" -gt 50 ] || fail "too few public functions found"
exported "$lib/libweighlock.so" >"$work/core.so"
exported "$lib/libweighlock-infer.so" >"$work/infer.so"
diff "$work/core" "$work/core.so" || fail "libweighlock.so does not export what the headers declare"
diff "$work/infer" "$work/infer.so" || fail "libweighlock-infer.so does not export infer.h"

# Sanitized libraries need what their runtime needs.
if [ -z "${SAN:-}" ]; then
    [ "$(needed "$lib/libweighlock.so")" = "libc libsodium " ] ||
        fail "libweighlock.so needs $(needed "$lib/libweighlock.so")"
    [ "$(needed "$lib/libweighlock-infer.so")" = "libc libm libopenblas libweighlock " ] ||
        fail "libweighlock-infer.so needs $(needed "$lib/libweighlock-infer.so")"
fi
readelf -d "$lib/libweighlock.so" | grep -q 'SONAME.*\[libweighlock.so.0\]' || fail "wrong soname"

for archive in "$modules"/*.a; do
    [ "$archive" = "$modules/child.a" ] || nm -g --defined-only "$archive" |
        awk -v module="$(basename "$archive" .a)" 'NF == 3 { print $3, module }'
done | grep -v '^__asan\|^__odr_asan' | sort | awk '$1 == name { print $1 " is defined in " module " and in " $2; twice = 1 }
    { name = $1; module = $2 }
    END { exit twice }' || fail "two modules define one name"
exit "$failed"
