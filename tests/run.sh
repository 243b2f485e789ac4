#!/bin/sh
# Runs the test programs and scripts named on the command line, one after the
# other; prints one line each, the output of those that failed, and a summary.
# A test that cannot run fails: nothing is skipped. None may take longer than
# TEST_SECONDS.
set -u
export BUILD="${BUILD:-build}" PYTHON="${PYTHON:-/usr/bin/python3}" CC="${CC:-cc}"
limit="${TEST_SECONDS:-120}"
passed=0 failed=0
log="$BUILD/tests/log"
mkdir -p "$log"

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

for test in "$@"; do
    name=$(printf '%s' "${test#"$BUILD"/}" | sed 's,^tests/,,')
    out="$log/$(printf '%s' "$name" | tr / _).txt"
    run "$test" >"$out" 2>&1 </dev/null
    code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name ($(why "$code"))"
        sed 's/^/      /' "$out" | tail -n 60
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
