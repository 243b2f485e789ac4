#!/bin/sh
# `make install-fuzz` puts a kit into share/weighlock/fuzz that needs nothing else of this
# tree: from there, and through the script that OSS-Fuzz runs, targets are built with somebody's
# own flags and an engine that is a C++ library; from a corpus of one seed their coverage
# grows. `make uninstall` takes all of it away again, and nothing of anybody else's.
set -eu
export LC_ALL=C
build="${BUILD:-build}" prefix="${PREFIX:-/usr/local}"
targets='digest_list policy'
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make="${MAKE:-make} --no-print-directory -j2 BUILD=$build DESTDIR=$root/to PREFIX=$prefix"
kit="$root/to$prefix/share/weighlock/fuzz"

fail() {
    echo "$1"
    exit 1
}

umask 022
mkdir -p "$kit"
echo theirs >"$kit/theirs"
$make install-fuzz

(cd "$kit" && find . -type f ! -name theirs ! -name MANIFEST | sed 's,^\./,,' | sort) >"$root/installed"
sort "$kit/MANIFEST" | diff - "$root/installed" || fail "the list (<) is not what was installed (>)"
[ -z "$(find "$kit" -perm /022)" ] || fail "others may write to what was installed"
[ -z "$(find "$kit" -type f ! -perm -444)" ] || fail "not all can read all of it"
for source in fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    target=${target#fuzz_}
    [ -f "$kit/$source" ] || fail "$source was not installed"
    [ -n "$(ls "$kit/fuzz/seeds/$target")" ] || fail "no seeds of $target were installed"
    [ -s "$kit/fuzz/dict/$target.dict" ] || fail "no dictionary of $target was installed"
done

# Somewhere else, with nothing in the environment that points here.
engine=$(clang --print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a
[ -f "$engine" ] || fail "$engine is missing: make deps-ci"
mkdir "$root/out" "$root/work"
(cd / && env -i PATH="$PATH" OUT="$root/out" WORK="$root/work" SRC=/nonexistent \
    CC=clang CXX=clang++ CFLAGS='-O1 -gline-tables-only -fsanitize=address,fuzzer-no-link' \
    LIB_FUZZING_ENGINE="$engine" FUZZING_ENGINE=libfuzzer FUZZ_TARGETS="$targets" \
    bash "$kit/fuzz/oss-fuzz/build.sh") >"$root/log" 2>&1 || { cat "$root/log"; fail "build.sh failed"; }

covered() { sed -n "s/^#[0-9]*\t$1 *cov: \([0-9]*\) .*/\1/p" "$root/log" | tail -n 1; }

for target in $targets; do
    program="$root/out/fuzz_$target"
    for suffix in _seed_corpus.zip .options .dict; do
        [ -s "$program$suffix" ] || fail "build.sh made no fuzz_$target$suffix"
    done
    grep -q '^max_len = [0-9]' "$program.options" || fail "fuzz_$target.options has no max_len"
    python3 -m zipfile -l "$program""_seed_corpus.zip" | grep -q '[0-9a-f]\{40\}' || fail "no seeds"
    mkdir "$root/corpus"
    cp "$(find "$kit/fuzz/seeds/$target" -type f | sort | head -n 1)" "$root/corpus/first"
    "$program" -seed=1 -runs=20000 -max_len=1024 -dict="$program.dict" "$root/corpus" >"$root/log" 2>&1 ||
        { cat "$root/log"; fail "fuzz_$target failed"; }
    first=$(covered INITED) last=$(covered DONE)
    echo "fuzz_$target: $first edges covered at first, then $last"
    [ "$last" -gt "$first" ] || fail "fuzz_$target covers nothing new"
    rm -r "$root/corpus"
done

$make uninstall
[ "$(find "$root/to" -type f)" = "$kit/theirs" ] || fail "uninstall left $(find "$root/to" -type f)"
