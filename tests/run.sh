#!/bin/sh
# Runs the test programs and scripts named on the command line; prints one line each, the
# output of those that failed, and a summary. A test that cannot run fails: nothing is
# skipped. None may take longer than TEST_SECONDS.
#
# There are two lanes. Tests that start children, look for what was left behind or run into
# a user's limits have one to themselves, one after the other; beside them run those that
# only compute.
set -u
export BUILD="${BUILD:-build}" PYTHON="${PYTHON:-/usr/bin/python3}" CC="${CC:-cc}"
limit="${TEST_SECONDS:-120}"
log="$BUILD/tests/log"
mkdir -p "$log"
: >"$log/passed"
: >"$log/failed"

run() {
    case "$1" in
        *.py) timeout -k 5 "$limit" "$PYTHON" -B "$1" ;;
        *.sh) timeout -k 5 "$limit" sh "$1" ;;
        *) timeout -k 5 "$limit" "$1" ;;
    esac
}

why() {
    case "$1" in
        124 | 137) echo "still running after $limit s" ;;
        *) echo "exit $1" ;;
    esac
}

only_computes() {
    case "$1" in
        base/* | docs/* | format/* | formats/* | image/* | infer/* | input/* | lint/* | models/* | \
            trust/* | wire/* | write/*) return 0 ;;
        *) return 1 ;;
    esac
}

# Runs those of the tests that belong in lane $1: 0 what only computes, 1 the rest.
lane() {
    wanted=$1
    shift
    for test in "$@"; do
        name=$(printf '%s' "${test#"$BUILD"/}" | sed 's,^tests/,,')
        only_computes "$name"
        [ $? -eq "$wanted" ] || continue
        out="$log/$(printf '%s' "$name" | tr / _).txt"
        run "$test" >"$out" 2>&1 </dev/null
        code=$?
        if [ "$code" -eq 0 ]; then
            echo "$name" >>"$log/passed"
            echo "ok    $name"
        else
            echo "$name" >>"$log/failed"
            said=$(sed 's/^/      /' "$out" | tail -n 60)
            echo "FAIL  $name ($(why "$code"))${said:+
$said}"
        fi
    done
}

lane 0 "$@" &
lane 1 "$@"
wait
passed=$(wc -l <"$log/passed") failed=$(wc -l <"$log/failed")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq $# ] && [ "$passed" -gt 0 ]
