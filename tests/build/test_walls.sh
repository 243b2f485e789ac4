#!/bin/sh
# A build for fuzzing takes signatures and digests for right, and nothing else; no other
# build does; and no program can be made of it.
set -u
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
build="${BUILD:-build}" cc="${CC:-cc}"
case "$build" in
    /*) ;;
    *) build="$top/$build" ;;
esac
cd "$top" || exit 1
macro=FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
flags="-std=c17 -D_GNU_SOURCE -Iinclude -Isrc -Ifuzz -I$build"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "$1"
    failed=1
}

# One place knows of it, and two refuse it.
printf '%s\n' src/cage/main.c src/cli/main.c src/trust/wall.h >"$work/known"
grep -rl "$macro" src include policy | sort | diff "$work/known" - || fail "these files know of $macro (>)"
grep -rl 'wall_is_down' src | sort >"$work/users"
printf 'src/trust/%s\n' digest.c ed25519.c file_digest.c native.c verify.c wall.h | diff - "$work/users" ||
    fail "these files ask whether the wall is down (>)"

for program in src/cli/main.c src/cage/main.c; do
    # shellcheck disable=SC2086 # a list of words
    "$cc" $flags -fsyntax-only "$program" 2>"$work/said" || fail "$program: $(cat "$work/said")"
    # shellcheck disable=SC2086
    ! "$cc" $flags -D$macro -fsyntax-only "$program" 2>"$work/said" || fail "$program compiles in a build for fuzzing"
    grep -q 'a build for fuzzing takes every signature and digest for right' "$work/said" ||
        fail "$program does not say why: $(cat "$work/said")"
done

cat >"$work/changes" <<'END'
untouched: ok                          | ok
signature: trust.signature             | ok
header: trust.header-digest            | ok
table: trust.table-digest              | ok
data: trust.chunk-digest               | ok
expected digest: trust.digest          | ok
detached signature that holds: ok      | ok
detached signature: trust.signature    | ok
trusted comment: trust.signature       | ok
chunk of a lazy load: trust.chunk-digest | ok
magic: envelope.magic                  | envelope.magic
reserved: envelope.zero                | envelope.zero
length: envelope.layout                | envelope.layout
slack: envelope.slack-zero             | envelope.slack-zero
END
sed 's/ *|.*//' "$work/changes" >"$work/plain"
sed 's/: [^|]*| /: /' "$work/changes" >"$work/fuzzing"

says() { # what is expected, flags
    expected=$1
    shift
    # shellcheck disable=SC2086
    "$cc" $flags "$@" -o "$work/walls" tests/build/walls.c src/base/*.c src/file/*.c src/trust/*.c -lsodium -lpthread \
        2>"$work/said" || { fail "$(cat "$work/said")"; return; }
    "$work/walls" fuzz/seeds/lazy/good-small >"$work/said" || fail "walls $*: exit code $?"
    diff "$work/$expected" "$work/said" || fail "built with '$*' (>), and what is expected (<)"
}

says plain -O0
says fuzzing -O0 "-D$macro"
exit "$failed"
