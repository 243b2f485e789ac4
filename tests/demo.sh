#!/bin/sh
# A model goes all the way, and bad ones are refused. What is shown is run; a step
# that ends otherwise than it should makes the demo end with exit code 1.
#
#     BUILD=build sh tests/demo.sh
set -u
umask 022
top=$(cd "$(dirname "$0")/.." && pwd)
case "${BUILD:-build}" in
    /*) bin="$BUILD/bin" ;;
    *) bin="$top/${BUILD:-build}/bin" ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
export HOME="$work" LC_ALL=C
unset XDG_CONFIG_HOME
cp -R "$top/tests/models/iris" "$top/tests/models/digits" "$top/tests/models/forest" \
    "$top/tests/models/people" "$top/tests/models/hostile" "$work" || exit 1
cd "$work" || exit 1

weighlock() {
    "$bin/weighlock" "$@"
}

fail() {
    echo "the demo failed: $1"
    exit 1
}

say() {
    printf '\n# %s\n' "$1"
}

# Shows a command and what it prints, which must end with this exit code. Of more
# than `first` + `last` lines, those in the middle are only counted.
first=1000 last=0
expect() { # exit code, command
    printf '$ %s\n' "$2"
    eval "$2" >output 2>&1
    code=$?
    lines=$(($(wc -l <output)))
    if [ "$lines" -gt $((first + last + 1)) ]; then
        head -n "$first" output
        echo "  ... $((lines - first - last)) more lines"
        tail -n "$last" output
    else
        cat output
    fi
    [ "$code" -eq "$1" ] || fail "exit code $code, not $1"
}

# How many labels of two tables with a header are the same; all must be.
compare_labels() { # predictions, scikit-learn's, how many
    cut -d, -f1 "$1" | sed 1d >mine
    sed 1d "$2" >theirs
    same=$(paste -d, mine theirs | awk -F, '$1 == $2' | wc -l)
    echo "  $((same)) of $3 labels are those that scikit-learn gives"
    [ "$((same))" -eq "$3" ] && cmp -s mine theirs || fail "the labels differ"
}

say "A key, and a model that scikit-learn has trained, packed and signed with it"
expect 0 "weighlock keygen -s my.key -p my.pub --unencrypted --trust trust"
expect 0 "weighlock pack iris/spec.json -o iris.wlk --sign my.key"
expect 0 "weighlock verify iris.wlk --trust trust"
first=7
expect 0 "weighlock inspect iris.wlk --trust trust"

say "A confined child parses it; its golden rows are run, then all of Fisher's irises"
first=1000
expect 0 "weighlock predict iris.wlk iris/rows.csv --selftest -o irises.csv --trust trust"
expect 0 "head -n 3 irises.csv"
compare_labels irises.csv iris/labels.csv 150

say "A neural network reads handwritten digits"
expect 0 "weighlock pack digits/spec.json -o digits.wlk --sign my.key"
for half in 1 2; do
    expect 0 "weighlock predict digits.wlk digits/rows-$half.npy -o digits-$half.csv --trust trust"
done
sed 1d digits-2.csv | cat digits-1.csv - >digits.csv
compare_labels digits.csv digits/labels.csv 1797

say "A stranger uploads an ONNX file: looked into, taken in, and let out as a signed .wlk file"
expect 0 "weighlock inspect forest/upload.onnx --trust trust"
expect 7 "weighlock predict forest/upload.onnx iris/rows.csv --trust trust"
expect 0 "weighlock predict forest/upload.onnx iris/rows.csv --allow-unsigned -o uploaded.csv --trust trust"
expect 0 "head -n 3 uploaded.csv"
compare_labels uploaded.csv forest/labels.csv 150
expect 0 "weighlock convert forest/upload.onnx --allow-unsigned -o forest.wlk --sign my.key --trust trust"
expect 0 "weighlock predict forest.wlk iris/rows.csv -o converted.csv --trust trust"
cmp -s uploaded.csv converted.csv || fail "the converted model gives other results"
printf '%s\n' "  the converted model gives the same, byte for byte"

say "A stranger uploads a scikit-learn pipeline in joblib: nothing in it is executed, and no Python is needed"
first=14
expect 0 "weighlock inspect people/upload.joblib --trust trust"
first=1000
expect 0 "weighlock predict people/upload.joblib people/rows.csv --allow-unsigned -o people.csv --trust trust"
expect 0 "head -n 3 people.csv"
compare_labels people.csv people/labels.csv 100
expect 0 "weighlock convert people/upload.joblib --allow-unsigned -o people.wlk --sign my.key --selftest people/rows.csv --trust trust"
expect 0 "weighlock predict people.wlk people/rows.csv --selftest -o kept.csv --trust trust"
cmp -s people.csv kept.csv || fail "the converted model gives other results"
printf '%s\n' "  the converted model gives the same, byte for byte"
printf "cos\nsystem\n(S'touch executed'\ntR." >evil.joblib
expect 1 "weighlock predict evil.joblib people/rows.csv --allow-unsigned --trust trust"
[ ! -e executed ] || fail "the file was executed"

say "What the child is confined by on this machine"
first=1 last=2
expect 0 "weighlock doctor"
first=1000 last=0

say "One byte changed"
cp iris.wlk tampered.wlk
printf '\377' | dd of=tampered.wlk bs=1 seek=4200 conv=notrunc 2>/dev/null
cmp -s iris.wlk tampered.wlk && fail "nothing was changed"
expect 7 "weighlock predict tampered.wlk iris/rows.csv --trust trust"

say "Signed by a stranger"
weighlock keygen -s stranger.key -p stranger.pub --unencrypted --trust strangers >output 2>&1 ||
    fail "$(cat output)"
weighlock sign iris.wlk -s stranger.key -o stranger.wlk >output 2>&1 || fail "$(cat output)"
expect 7 "weighlock predict stranger.wlk iris/rows.csv --trust trust"

say "Not signed"
weighlock pack iris/spec.json -o unsigned.wlk >output 2>&1 || fail "$(cat output)"
expect 7 "weighlock predict unsigned.wlk iris/rows.csv --trust trust"

say "Properly signed, but its header describes tensors that cannot be"
cp hostile/example.pub trust/
expect 0 "weighlock verify hostile/overflow.wlk --trust trust"
expect 1 "weighlock predict hostile/overflow.wlk iris/rows.csv --trust trust"

say "Properly signed, but it no longer gives the answers that it was shipped with"
sed 's/SOFTMAX/LOGISTIC/' iris/spec.json >iris/changed.json
cmp -s iris/spec.json iris/changed.json && fail "nothing was changed"
weighlock pack iris/changed.json -o changed.wlk --sign my.key >output 2>&1 || fail "$(cat output)"
expect 1 "weighlock predict changed.wlk iris/rows.csv --selftest --trust trust"

printf '\n%s\n' "All as it should be."
