#!/bin/sh
# The example programs of docs/examples compile and run with the commands at their
# top, and do what they say.
set -u
umask 022
top=$(cd "$(dirname "$0")/../.." && pwd)
case "${BUILD:-build}" in
    /*) build="$BUILD" ;;
    *) build="$top/${BUILD:-build}" ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export HOME="$work"
cd "$top" || exit 1

fail() {
    echo "$1"
    exit 1
}

weighlock() {
    "$build/bin/weighlock" "$@" || fail "weighlock $*: exit code $?"
}

# The command of the comment at the file's top that begins with `word`, for this build
# and this compiler, with programs and files in the temporary folder.
command_of() { # file, word
    sed -n "s,^ \* *\($2 .*\),\1,p" "$1" | head -n 1 |
        sed -e 's| \*/$||' -e "s|build/|$build/|g" -e "s| -o | -o $work/|" \
            -e "s|^cc |${CC:-cc} -Wall -Wextra -Werror ${SAN:+-fsanitize=$SAN} |" \
            -e "s| \./| $work/|"
}

compile() { # file
    compiling=$(command_of "$1" cc)
    [ -n "$compiling" ] || fail "$1 says no command"
    eval "$compiling" || fail "$compiling"
}

# The program's command line; $2... stand for its arguments.
run() { # file, arguments
    running=$(command_of "$1" 'LD_LIBRARY_PATH=[^ ]* \./[a-z]*' | cut -d' ' -f1-2)
    shift
    eval "$running \"\$@\""
}

compile docs/examples/predict.c
compile docs/examples/write.c
weighlock keygen -s "$work/my.key" -p "$work/my.pub" --unencrypted --trust "$work/trust" >"$work/said"
weighlock pack tests/models/iris/spec.json -o "$work/iris.wlk" --sign "$work/my.key" >"$work/said"

# The two flowers are rows 1 and 101 of the data, whose probabilities are known.
run docs/examples/predict.c "$work/iris.wlk" "$work/trust" "$build/bin/weighlock-child" \
    >"$work/said" || fail "predict: exit code $?"
weighlock predict "$work/iris.wlk" tests/models/iris/rows.csv --trust "$work/trust" |
    sed -n '2p;102p' | awk -F, '{ printf "%.6f %.6f %.6f\n", $2, $3, $4 }' >"$work/expected"
diff "$work/expected" "$work/said" || fail "predict gives other results"
[ "$(wc -l <"$work/said")" -eq 2 ] || fail "predict does not print two lines"

# A failure is said, and its verdict is the exit code.
mkdir "$work/nobody"
run docs/examples/predict.c "$work/iris.wlk" "$work/nobody" "$build/bin/weighlock-child" \
    >"$work/said" 2>&1
[ "$?" -eq 7 ] || fail "predict does not refuse a stranger's model"
grep -q '^trust: the file is signed by a key that is not trusted' "$work/said" || fail "$(cat "$work/said")"

run docs/examples/write.c "$work/small.wlk" "$work/my.key" || fail "write: exit code $?"
printf '1,2\n-1,0.5\n' >"$work/rows.csv"
weighlock predict "$work/small.wlk" "$work/rows.csv" --selftest --trust "$work/trust" >"$work/said"
sed -n 2p "$work/said" | grep -q '^0\.310025[0-9]*,0\.689974[0-9]*$' || fail "$(cat "$work/said")"
run docs/examples/write.c "$work/small.wlk" "$work/nosuch.key" 2>"$work/said"
[ "$?" -eq 8 ] || fail "write does not say that there is no key"
grep -q '^trust: the key file cannot be read' "$work/said" || fail "$(cat "$work/said")"

# A model of another kind is not taken for one of irises.
printf '%s' '{"kind": "model", "opset": {"": 13}, "graph": {
    "inputs": [{"name": "X", "type": {"tensor": {"dtype": "f64", "shape": [null, 4]}}}],
    "nodes": [{"op": "Relu", "in": ["X"], "out": ["y"]}], "outputs": [{"name": "y"}]}}' >"$work/relu.json"
weighlock pack "$work/relu.json" -o "$work/relu.wlk" --sign "$work/my.key" >"$work/said"
run docs/examples/predict.c "$work/relu.wlk" "$work/trust" "$build/bin/weighlock-child" \
    >"$work/said" 2>&1
[ "$?" -eq 3 ] || fail "predict takes any model: $(cat "$work/said")"
