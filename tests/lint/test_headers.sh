#!/bin/sh
# Every header compiles alone, and twice in a row, as C17; the public ones as C++17
# too, where they must not be surprised by a reserved word.
set -u
build="${BUILD:-build}" cc="${CC:-cc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Werror"
failed=0

compiles() { # language, standard, flags, header as #include names it
    printf '#include %s\n#include %s\nextern int nothing;\n' "$4" "$4" >"$work/alone.$1"
    # shellcheck disable=SC2086 # lists of words
    "$cc" -x "$1" -std="$2" $warnings -D_GNU_SOURCE $3 -fsyntax-only "$work/alone.$1" 2>"$work/said"
}

must_compile() {
    compiles "$@" && return
    echo "$4 does not compile alone as $2:"
    cat "$work/said"
    failed=1
}

# The check itself can fail.
mkdir -p "$work/weighlock"
printf 'size_t incomplete(void);\n' >"$work/weighlock/a.h"
printf 'typedef int twice; enum { TWICE };\n' >"$work/weighlock/b.h"
printf '#ifndef H\n#define H\nint a(int new);\n#endif\n' >"$work/weighlock/c.h"
for bad in a b; do
    compiles c c17 "-I$work" "<weighlock/$bad.h>" && echo "$bad.h was accepted as C" && failed=1
done
compiles c++ c++17 "-I$work" '<weighlock/c.h>' && echo "c.h was accepted as C++" && failed=1
must_compile c c17 "-I$work" '<weighlock/c.h>'

count=0
for header in include/weighlock/*.h; do
    must_compile c c17 -Iinclude "<${header#include/}>"
    must_compile c++ c++17 -Iinclude "<${header#include/}>"
    count=$((count + 1))
done
for header in $(find src -name '*.h' | LC_ALL=C sort); do
    must_compile c c17 "-Iinclude -Isrc -I$build" "\"${header#src/}\""
    count=$((count + 1))
done
[ "$count" -ge 30 ] || { echo "only $count headers found"; failed=1; }
exit "$failed"
