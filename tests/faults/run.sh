#!/bin/sh
# Runs the programs and scripts named on the command line, one after the other, each of
# which ends with one line of figures, "NAME: FIGURES"; then a table of all of them, and
# their sums. `make check-faults` calls it.
#
# None may take longer than FAULT_SECONDS.
set -u
export BUILD="${BUILD:-build}" PYTHON="${PYTHON:-/usr/bin/python3}" CC="${CC:-cc}"
limit="${FAULT_SECONDS:-300}"
log="$BUILD/tests/log"
mkdir -p "$log"
figures="$log/faults_figures.txt"
: >"$figures"
passed=0 failed=0 began=$(date +%s)

run() {
    case "$1" in
        *.py) timeout -k 5 "$limit" "$PYTHON" -B "$1" ;;
        *) timeout -k 5 "$limit" "$1" ;;
    esac
}

for program in "$@"; do
    name=$(basename "$program" .py)
    out="$log/faults_$name.txt"
    start=$(date +%s)
    run "$program" >"$out" 2>&1 </dev/null
    code=$?
    seconds=$(($(date +%s) - start))
    line=$(tail -n 1 "$out")
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        echo "$line"
        printf '%-18s ok   %4s s  %s\n' "$name" "$seconds" "${line#*: }" >>"$figures"
    else
        failed=$((failed + 1))
        echo "FAIL  $name (exit $code)"
        sed 's/^/      /' "$out" | tail -n 60
        printf '%-18s FAIL %4s s  %s\n' "$name" "$seconds" "$line" >>"$figures"
    fi
done

echo
cat "$figures"

# What the lines have in common: numbers before these words, or behind "left".
awk '
    function number(text) { gsub(/,/, "", text); return text + 0 }
    {
        for (i = 5; i <= NF; i++) {
            word = $i
            gsub(/[;:,.]+$/, "", word)
            if (word == "points" || word == "allocations") points += number($(i - 1))
            if (word == "killed") killed[$1 == "matrix_parent"] += number($(i - 1))
            if (word == "loads") loads += number($(i - 1))
            if (word == "leaks") leaks += number($(i - 1))
            if ($(i - 1) == "left") leaks += number($(i + 1))
        }
    }
    END {
        printf "\npoints failed %d, children killed %d, commands killed %d, loads %d, leaks: %d\n",
               points, killed[0], killed[1], loads, leaks
    }' "$figures"
echo "$passed passed, $failed failed, $(($(date +%s) - began)) s"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
