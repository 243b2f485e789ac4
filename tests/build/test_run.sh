#!/bin/sh
# What tests/run.sh says about tests that pass, fail, hang or do not exist.
set -u
runner=$(cd "$(dirname "$0")/.." && pwd)/run.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
echo 'exit 0' >test_good.sh
echo 'echo said; exit 3' >test_bad.sh
echo 'sleep 30' >test_slow.sh
echo 'import sys; sys.exit(0)' >test_good.py

expect() { # exit code, output, tests...
    code=$1 output=$2
    shift 2
    said=$(LC_ALL=C BUILD=out TEST_SECONDS=1 sh "$runner" "$@")
    got=$?
    [ "$got" -eq "$code" ] && [ "$said" = "$output" ] && return
    printf 'expected %s:\n%s\ngot %s:\n%s\n' "$code" "$output" "$got" "$said"
    exit 1
}

expect 0 'ok    test_good.sh
ok    test_good.py
2 passed, 0 failed' test_good.sh test_good.py
expect 1 'FAIL  test_bad.sh (exit 3)
      said
ok    test_good.sh
1 passed, 1 failed' test_bad.sh test_good.sh
expect 1 'FAIL  test_slow.sh (still running after 1 s)
0 passed, 1 failed' test_slow.sh
expect 1 'FAIL  missing (exit 127)
      timeout: failed to run command '"'out/missing'"': No such file or directory
0 passed, 1 failed' out/missing
expect 1 '0 passed, 0 failed'
