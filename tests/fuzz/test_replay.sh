#!/bin/sh
# Every fuzz target, over its seeds (those in the tree, and those that make_seeds makes of
# the project's own tables), over what was once wrong, and over changes of all of them. An
# input that takes longer than its seconds is a defect, and so is a target without seeds, with
# fewer than five hostile ones, or without a dictionary.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
case "${BUILD:-build}" in
    /*) build="$BUILD" ;;
    *) build="$top/${BUILD:-build}" ;;
esac
changes=${MUTATIONS:-5000} # of all inputs of a target together
failed=0 ran=0

wrong() {
    echo "$1"
    failed=1
}

# Sets inputs, hostile: how many there are.
count() {
    inputs=$# hostile=0
    for file in "$@"; do
        case "${file##*/}" in hostile-*) hostile=$((hostile + 1)) ;; esac
    done
}

replay() {
    name=$1
    shift
    count "$@"
    [ "$hostile" -ge 5 ] || wrong "fuzz_$name: $hostile hostile seeds; at least 5 are wanted"
    [ "$inputs" -gt "$hostile" ] || wrong "fuzz_$name: no seed that is well-formed"
    [ "$inputs" -gt 0 ] || return
    "$build/fuzz/fuzz_$name" -t "${INPUT_SECONDS:-10}" -n $((changes / inputs + 1)) "$@" ||
        wrong "fuzz_$name: exit $?"
}

for target in "$top"/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    name=${name#fuzz_}
    set --
    for file in "$top/fuzz/seeds/$name"/* "$build/fuzz/seeds/$name"/* "$top/fuzz/regressions/$name"/*; do
        [ -f "$file" ] && set -- "$@" "$file"
    done
    replay "$name" "$@"
    # An engine stops at a dictionary with an empty word.
    grep -q '^"..*"$' "$build/fuzz/dict/$name.dict" || wrong "fuzz_$name has no dictionary"
    grep -qv '^"..*"$' "$build/fuzz/dict/$name.dict" && wrong "fuzz_$name: no word of a dictionary"
    ran=$((ran + 1))
done

# A rule that no seed reaches any more, though one could, makes make_seeds fail.
[ -s "$build/fuzz/seeds.made" ] || wrong "make_seeds has not run: make $build/fuzz/seeds.made"
[ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
