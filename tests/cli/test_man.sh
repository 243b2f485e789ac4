#!/bin/sh
# The man pages say what the program, the headers and the format say: every option of
# every verb, every public function, every field of the envelope, and nothing else.
# That they are well formed is a matter of `make lint`.
set -u
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
case "${BUILD:-build}" in
    /*) bin="$BUILD/bin/weighlock" ;;
    *) bin="$top/${BUILD:-build}/bin/weighlock" ;;
esac
cd "$top/docs/man" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# Both lists must be the same, and long enough to be what they should be.
same() { # what, least, file of the page, file of the truth
    diff "$3" "$4" || { echo "$1 (<: man page, >: truth)"; failed=1; }
    [ "$(wc -l <"$4")" -ge "$2" ] || { echo "$1: too few found"; failed=1; }
}

# Words like -o and --output, one a line.
options_of_page() {
    grep '^\.It Fl' "$1" | grep -oE 'Fl -?[A-Za-z][a-z-]*' | sed 's/^Fl /-/' | sort
}

options_of_help() {
    sed -n '/^Options:/,/^$/p' "$1" | grep -oE '^  (-[A-Za-z], )?--[a-z-]+' | tr -d ' ' |
        tr ',' '\n' | sort
}

# Commands, continued lines joined, one blank between words.
joined() {
    sed -e ':again' -e '/\\e*$/{N' -e 's/\\e*\n/ /' -e 'b again' -e '}' | sed 's/  */ /g' |
        sed -n 's/^ *\(weighlock .*\)/\1/p' | sort
}

"$bin" --help | sed -n 's/^  \([a-z]*\) \{2,\}\(.*\)/\1 \2/p' | sort >"$work/verbs"
sed -n '/^\.Bl.*keygen/,/^\.El/p' weighlock.1 | sed -n '/^\.It Xr/{N;s/^.It Xr weighlock-\([a-z]*\) 1\n/\1 /p;}' |
    sort >"$work/listed"
same "verbs in weighlock.1" 7 "$work/listed" "$work/verbs"

while read -r verb _; do
    page="weighlock-$verb.1"
    "$bin" "$verb" --help >"$work/help"
    options_of_page "$page" >"$work/described"
    options_of_help "$work/help" >"$work/options"
    same "options of $verb" 4 "$work/described" "$work/options"
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" | joined >"$work/shown"
    sed -n '/^Examples:/,$p' "$work/help" | joined >"$work/examples"
    same "examples of $verb" 2 "$work/shown" "$work/examples"
done <"$work/verbs"
ls weighlock-*.1 | sed 's/weighlock-\(.*\)\.1/\1/' | sort >"$work/pages"
cut -d' ' -f1 "$work/verbs" >"$work/names"
same "pages" 7 "$work/pages" "$work/names"

"$bin" --help | sed -n '/^Exit codes/,$p' | grep -oE '[0-9] [a-z]+' | cut -d' ' -f1 >"$work/codes"
sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]\)$/\1/p' weighlock.1 >"$work/listed"
same "exit codes" 9 "$work/listed" "$work/codes"

sed -n 's/^\.Fn \(wlk_[a-z0-9_]*\).*/\1/p' weighlock.3 | sort -u >"$work/described"
sed -e 's,/\*.*\*/,,' -e '/\/\*/,/\*\//d' ../../include/weighlock/*.h | tr '\n' ' ' |
    grep -oE 'WLK_API [^;{}]*;' | grep -oE '^[^(]*\(' | grep -oE 'wlk_[a-z0-9_]+ *\($' |
    tr -d ' (' | sort -u >"$work/functions"
same "functions in weighlock.3" 90 "$work/described" "$work/functions"
sed -n 's/^\.In //p' weighlock.3 | sort >"$work/described"
(cd ../../include && ls weighlock/*.h) | sort >"$work/headers"
same "headers in weighlock.3" 7 "$work/described" "$work/headers"

# offset, bytes, name
sed -n '/^\.Sh ENVELOPE/,/^\.El/p' wlk.5 | sed -n 's/^\.It \([0-9]*\) Ta \([0-9]*\) Ta \([a-z_0-9]*\).*/\1 \2 \3/p' |
    sed 's/ $//' >"$work/described"
sed -n '/^## 2/,/^## 3/p' ../format.md |
    sed -n 's/^| \([0-9]*\) | \([0-9]*\) | \([a-z_0-9]*\) *|.*/\1 \2 \3/p' | sed 's/ $//' >"$work/fields"
same "the envelope in wlk.5" 14 "$work/described" "$work/fields"
exit "$failed"
