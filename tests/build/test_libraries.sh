#!/bin/sh
# The libraries export the public functions, each of exactly one of them, all of them
# and nothing else, with a version; the static ones too. They need nothing that their
# users did not ask for, can be linked together, and share the host's allocator. And no
# two modules define one name, for they are linked together.
set -u
export LC_ALL=C
build="${BUILD:-build}" cc="${CC:-cc}"
lib="$build/lib" modules="$build/mod"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "$1"
    failed=1
}

same() { # what, file, file
    diff "$2" "$3" || fail "$1"
}

# What the compiler was told to make public, whatever the headers are thought to say.
# A module that is not in a library may use the same word.
public() { # modules
    for module in "$@"; do readelf -sW "$modules/$module.a"; done |
        awk '$4 == "FUNC" && $5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }' | grep '^wlk_' | sort -u
}

exported() { # shared library
    nm -D --defined-only "$1" | awk 'NF == 3 && $2 != "A" { print $3 }' | sort
}

# Type and name of what can be linked to.
linkable() { # static library
    nm -g --defined-only "$1" | awk 'NF == 3 { print $2, $3 }' | sort
}

needed() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(lib[a-z-]*\).*/\1/p' | grep -vE '^lib[atu][a-z]*san' | sort |
        tr '\n' ' '
}

public infer >"$work/infer"
public gate write trust wire image base >"$work/core"
public formats >"$work/parsers"
sh packaging/exports.sh include/weighlock/*.h >"$work/declared"
[ "$(wc -l <"$work/core")" -gt 50 ] || fail "too few public functions found"
sort "$work/core" "$work/infer" "$work/parsers" | same "functions that are declared (<), and those there are (>)" \
    "$work/declared" -
[ -z "$(comm -12 "$work/core" "$work/infer")" ] || fail "both libraries have $(comm -12 "$work/core" "$work/infer")"
sh packaging/exports.sh include/weighlock/infer.h | same "infer.h is not what libweighlock-infer has" - "$work/infer"
sh packaging/exports.sh include/weighlock/parse.h | same "parse.h is not what the parsers have" - "$work/parsers"

for name in core infer; do
    file="$lib/libweighlock" && [ "$name" = core ] || file="$lib/libweighlock-infer"
    sed 's/$/@@WEIGHLOCK_0/' "$work/$name" >"$work/versioned"
    exported "$file.so" | same "$file.so exports (>)" "$work/versioned" -
    sed 's/^/T /' "$work/$name" >"$work/typed"
    linkable "$file.a" | same "$file.a lets link to (>)" "$work/typed" -
    soname=$(readelf -d "$file.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
    [ "$soname" = "$(basename "$file").so.0" ] || fail "the soname is $soname"
done

# The parse kit has what it shares with libweighlock weakly, so that both can be linked.
linkable "$lib/libweighlock-parse.a" >"$work/parse"
[ "$(wc -l <"$work/parse")" -gt 20 ] || fail "the parse kit is empty"
grep -v '^W wlk_' "$work/parse" && fail "the parse kit lets link to these"
sed 's/^/W /' "$work/parsers" | comm -23 - "$work/parse" | grep . && fail "the parse kit does not have these"
printf '#include <weighlock/load.h>\n#include <weighlock/parse.h>\n%s\n' \
    'int main(void) { return !(wlk_rule_name(0) && wlk_layer_name(0) && wlk_format_name(WLK_FORMAT_WLK)); }' >"$work/both.c"
for order in "weighlock-parse -lweighlock" "weighlock -lweighlock-parse"; do
    # shellcheck disable=SC2086 # a list of words
    "$cc" ${SAN:+-fsanitize=$SAN} -Iinclude -o "$work/both" "$work/both.c" -L"$lib" -Wl,-Bstatic -l$order \
        -Wl,-Bdynamic -lsodium -lmsgpackc -lz -lbz2 -llzma -llz4 -lzstd -lm -lpthread && "$work/both" || fail "-l$order do not link"
done

# Sanitized libraries need what their runtime needs.
if [ -z "${SAN:-}" ]; then
    [ "$(needed "$lib/libweighlock.so")" = "libc libsodium libzstd " ] ||
        fail "libweighlock.so needs $(needed "$lib/libweighlock.so")"
    [ "$(needed "$lib/libweighlock-infer.so")" = "libc libm libweighlock " ] ||
        fail "libweighlock-infer.so needs $(needed "$lib/libweighlock-infer.so")"
fi

for archive in "$modules"/*.a; do
    [ "$archive" = "$modules/child.a" ] || [ "$archive" = "$modules/fuzz_kit.a" ] || nm -g --defined-only "$archive" |
        awk -v module="$(basename "$archive" .a)" 'NF == 3 { print $3, module }'
done | grep -v '^__asan\|^__odr_asan' | sort | awk '$1 == name { print $1 " is defined in " module " and in " $2; twice = 1 }
    { name = $1; module = $2 }
    END { exit twice }' || fail "two modules define one name"
exit "$failed"
