#!/bin/sh
# Invariant 3, as anybody can see it: behind its filter the child that loads a model
# makes no calls but read(0, write(1 and exit_group.
set -u
build="${BUILD:-build}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
# Sanitizers find no leaks where somebody else traces.
export ASAN_OPTIONS=detect_leaks=0

fail() {
    echo "$1"
    exit 1
}

# Reads a trace; says what the process with the filter did behind it.
check() {
    awk '
        function report(what) { print what ": " $0; bad = 1 }
        $2 ~ /^seccomp\(SECCOMP_SET_MODE_FILTER/ {
            if (filtered) report("a second filter")
            filtered = $1
            next
        }
        !filtered || $1 != filtered { next }
        $2 ~ /^read\(0,$/ || ($2 == "<..." && $3 == "read") { reads++; next }
        $2 ~ /^write\(1,$/ || ($2 == "<..." && $3 == "write") { writes++; next }
        $2 == "<..." && ($3 == "seccomp" || $3 == "exit_group") { next }
        $2 ~ /^exit_group\(0\)?$/ { ends++; next }
        $2 == "+++" && $3 == "exited" && $5 == 0 { next }
        { report("behind the filter") }
        END {
            if (!filtered || !reads || !writes || ends != 1) {
                print "filter " filtered ", reads " reads ", writes " writes ", ends " ends
                bad = 1
            }
            exit bad
        }'
}

# The check can fail.
good='7 openat(AT_FDCWD, "x", O_RDONLY) = 3
8 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=18, filter=0x1}) = 0
7 openat(AT_FDCWD, "y", O_RDONLY) = 3
8 write(1, "a", 1) = 1
8 read(0,  <unfinished ...>
7 write(5, "b", 1) = 1
8 <... read resumed>"b", 1) = 1
8 exit_group(0) = ?
8 +++ exited with 0 +++'
echo "$good" | check || fail "a good trace was refused"
for line in '8 openat(AT_FDCWD, "x", O_RDONLY) = 3' '8 write(2, "a", 1) = 1' '8 read(3, "a", 1) = 1' \
    '8 brk(NULL) = 0' '8 mmap(NULL, 1) = 0' '8 +++ killed by SIGSYS +++' '8 exit(0) = ?'; do
    { echo "$good" | head -n 4; echo "$line"; echo "$good" | tail -n 5; } | check >/dev/null &&
        fail "not noticed: $line"
done
echo "$good" | grep -v seccomp | check >/dev/null && fail "a trace without a filter was accepted"

cp "$build/bin/weighlock" "$build/bin/weighlock-child" "$work" || exit 1
"$work/weighlock" pack tests/models/digits/spec.json -o "$work/model.wlk" || fail "pack"
chmod 644 "$work/model.wlk"

trace() { # name, command before weighlock
    name=$1
    shift
    "$@" strace -f -o "$work/$name" "$work/weighlock" inspect "$work/model.wlk" >"$work/said" 2>&1
    code=$?
    [ "$code" -eq 0 ] || { cat "$work/said"; fail "$name: exit $code"; }
    check <"$work/$name" || fail "$name"
}

mkdir "$work/user" && chmod 777 "$work/user"
trace self env
if [ "$(id -u)" -eq 0 ]; then
    trace user/trace setpriv --reuid=1234 --regid=1234 --clear-groups env HOME=/nonexistent
fi
