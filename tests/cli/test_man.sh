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
    grep '^\.It Fl' "$1" | grep -oE 'Fl -?[A-Za-z][a-z0-9-]*' | sed 's/^Fl /-/' | sort
}

options_of_help() {
    sed -n '/^Options:/,/^$/p' "$1" | grep -oE '^  (-[A-Za-z], )?--[a-z0-9-]+' | tr -d ' ' |
        tr ',' '\n' | sort
}

# The long options in the synopsis of one verb, --help aside.
synopsis_of_page() { # page, verb
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$1" | sed -n "/^\.Nm weighlock $2\$/,/^\.[NS][mh]/p" |
        sed -n 's/^\.Op Fl -\([a-z0-9-]*\).*/--\1/p' | sort
}

# Commands, continued lines joined, one blank between words.
joined() {
    sed -e ':again' -e '/\\e*$/{N' -e 's/\\e*\n/ /' -e 'b again' -e '}' | sed 's/  */ /g' |
        sed -n 's/^ *\(\(find .*\)\{0,1\}weighlock .*\)/\1/p' | sort
}

# Verbs of two words share the page, and the line in weighlock.1, of their first word.
"$bin" --help | sed -nE 's/^  ([a-z]+( [a-z]+)?) +(.*)/\1|\3/p' >"$work/verbs"
sed -E 's/^([a-z]+) [a-z]+\|.*/\1/; s/\|/ /' "$work/verbs" | sort -u >"$work/lines"
groups=$(sed -nE 's/^([a-z]+) .*/\1/p' "$work/verbs" | sort -u | tr '\n' '|')
sed -n '/^\.Bl.*completion/,/^\.El/p' weighlock.1 |
    sed -n '/^\.It Xr/{N;s/^.It Xr weighlock-\([a-z]*\) 1\n/\1 /p;}' |
    sed -E "s/^(${groups}none) .*/\1/" | sort >"$work/listed"
same "verbs in weighlock.1" 7 "$work/listed" "$work/lines"

while IFS='|' read -r verb _; do
    page="weighlock-${verb%% *}.1"
    # shellcheck disable=SC2086
    "$bin" $verb --help >"$work/help"
    options_of_help "$work/help" >"$work/options"
    grep -e '^--' "$work/options" | grep -vx -e --help >"$work/long"
    synopsis_of_page "$page" "$verb" >"$work/described"
    same "synopsis of $verb" 0 "$work/described" "$work/long"
    cat "$work/options" >>"$work/options-of-$page"
    sed -n '/^Examples:/,$p' "$work/help" | joined >>"$work/examples-of-$page"
done <"$work/verbs"

for page in weighlock-*.1; do
    options_of_page "$page" | uniq >"$work/described"
    sort -u "$work/options-of-$page" >"$work/options"
    same "options in $page" 2 "$work/described" "$work/options"
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" | joined >"$work/shown"
    sort "$work/examples-of-$page" >"$work/examples"
    same "examples in $page" 2 "$work/shown" "$work/examples"
done
ls weighlock-*.1 | sed 's/weighlock-\(.*\)\.1/\1/' | sort >"$work/pages"
cut -d' ' -f1 "$work/lines" >"$work/names"
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
