#!/bin/sh
# Every fuzz target, over its seeds and mutations of them. A target without seeds, or
# with fewer than five hostile ones beside the good, is a defect.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
case "${BUILD:-build}" in
    /*) build="$BUILD" ;;
    *) build="$top/${BUILD:-build}" ;;
esac
failed=0 ran=0
for target in "$top"/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    seeds="$top/fuzz/seeds/${name#fuzz_}"
    set -- "$seeds"/*
    if [ $# -lt 6 ]; then
        echo "$name: $# seeds in fuzz/seeds/${name#fuzz_}; at least 6 are wanted"
        failed=1
        continue
    fi
    "$build/fuzz/$name" -n "${MUTATIONS:-300}" "$@" || { echo "$name: exit $?"; failed=1; }
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
