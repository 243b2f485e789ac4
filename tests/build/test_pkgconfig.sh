#!/bin/sh
# What pkg-config says of an installed copy is enough to build the examples with, as C17
# and as C++17, against shared libraries and without any; they predict, and they cannot
# be linked to what is not public.
set -eu
export LC_ALL=C
build="${BUILD:-build}" cc="${CC:-cc}" prefix="${PREFIX:-/usr/local}"
case "$cc" in
    *clang*) cxx=clang++ ;;
    *) cxx=g++ ;;
esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
at="$root/to$prefix"
# The sanitizers' runtime is not in what pkg-config says.
sanitizers=${SAN:+-fsanitize=$SAN}
export HOME="$root" LD_LIBRARY_PATH="$at/lib" PKG_CONFIG_PATH="$at/lib/pkgconfig"

fail() {
    echo "$1"
    exit 1
}

pc() { # arguments of pkg-config
    pkg-config --define-variable=prefix="$at" "$@"
}

weighlock() {
    "$at/bin/weighlock" "$@" >"$root/said" || fail "weighlock $*: $(cat "$root/said")"
}

${MAKE:-make} --no-print-directory BUILD="$build" CC="$cc" DESTDIR="$root/to" PREFIX="$prefix" install
for name in weighlock weighlock-infer weighlock-parse; do
    pkg-config --validate "$name"
    [ "$(pkg-config --modversion "$name")" = "$("$at/bin/weighlock" --version | sed 's/.* //')" ] ||
        fail "$name.pc has another version than the program"
    [ "$(pkg-config --variable=prefix "$name")" = "$prefix" ] || fail "$name.pc has another prefix"
done

weighlock keygen -s "$root/my.key" -p "$root/my.pub" --unencrypted --trust "$root/trust"
weighlock pack tests/models/iris/spec.json -o "$root/iris.wlk" --sign "$root/my.key"
weighlock predict "$root/iris.wlk" tests/models/iris/rows.csv --trust "$root/trust"
sed -n '2p;102p' "$root/said" | awk -F, '{ printf "%.6f %.6f %.6f\n", $2, $3, $4 }' >"$root/expected"

predicts() { # program
    "$1" "$root/iris.wlk" "$root/trust" "$at/libexec/weighlock/weighlock-child" >"$root/said" ||
        fail "$1: exit code $?"
    diff "$root/expected" "$root/said" || fail "$1 gives other results"
}

# shellcheck disable=SC2046,SC2086 # lists of words
compile() { # compiler, standard, example, linked how, flags
    $1 -std=$2 -Wall -Wextra -Wpedantic -Werror $sanitizers -o "$root/$2-$4" "docs/examples/$3" ${5:-} \
        $(pc --cflags --libs ${5:+--static} weighlock-infer)
}

needs() { # program
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | grep -c '^lib\(weighlock\|sodium\)'
}

compile "$cc" c17 predict.c shared
compile "$cxx" c++17 predict.cc shared
for program in "$root/c17-shared" "$root/c++17-shared"; do
    predicts "$program"
    [ "$(needs "$program")" -eq 2 ] || fail "$program needs $(needs "$program") libraries, not the two of Weighlock"
done
# A sanitizer's runtime cannot be linked statically.
if [ -z "$sanitizers" ]; then
    compile "$cc" c17 predict.c static -static
    compile "$cxx" c++17 predict.cc static -static
    for program in "$root/c17-static" "$root/c++17-static"; do
        [ "$(needs "$program" 2>/dev/null)" -eq 0 ] || fail "$program is not static"
        LD_LIBRARY_PATH='' predicts "$program"
    done
fi

# Who only wants weights links no inference core, and writes models too.
# shellcheck disable=SC2046,SC2086 # lists of words
$cc -std=c17 $sanitizers -o "$root/write" docs/examples/write.c $(pc --cflags --libs weighlock)
[ "$(needs "$root/write")" -eq 1 ] || fail "weighlock.pc links more than libweighlock"
"$root/write" "$root/small.wlk" "$root/my.key"
weighlock verify "$root/small.wlk" --trust "$root/trust"

# The parse kit stands alone, in C and in C++, and needs neither library.
# shellcheck disable=SC2046,SC2086 # lists of words
$cc -std=c17 -Wall -Wextra -Wpedantic -Werror $sanitizers -o "$root/parse" docs/examples/parse.c \
    $(pc --cflags --libs weighlock-parse)
[ "$(needs "$root/parse")" -eq 0 ] || fail "weighlock-parse.pc links libraries of Weighlock's"
"$root/parse" "$root/small.wlk" >"$root/said" || fail "parse: exit code $?"
printf '%s: f32, %s elements\n' w 4 b 2 golden_x 2 golden_y 2 | diff - "$root/said" || fail "parse says something else"
echo 'no model' >"$root/no-model"
! "$root/parse" "$root/no-model" 2>"$root/said" || fail "parse takes what is no model"
grep -q '^format.unknown: ' "$root/said" || fail "parse says: $(cat "$root/said")"
echo '#include <weighlock/parse.h>
int main() { return wlk_format_detect(nullptr, 0) == WLK_FORMAT_NONE ? 0 : 1; }' >"$root/detect.cc"
# shellcheck disable=SC2046,SC2086 # lists of words
$cxx -std=c++17 -Wall -Wextra -Werror $sanitizers -o "$root/detect" "$root/detect.cc" $(pc --cflags --libs weighlock-parse)
"$root/detect"

# A function that no header promises is there, but not for others.
echo 'int image_validate(void); int main(void) { return image_validate(); }' >"$root/private.c"
for name in weighlock weighlock-infer weighlock-parse; do
    # shellcheck disable=SC2046,SC2086 # lists of words
    ! $cc $sanitizers -o "$root/private" "$root/private.c" $(pc --libs "$name") -l"$name" 2>"$root/said" ||
        fail "$name lets link to what is not public"
    grep -q 'undefined reference to .*image_validate' "$root/said" || fail "$(cat "$root/said")"
done
