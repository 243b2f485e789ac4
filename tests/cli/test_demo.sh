#!/bin/sh
# The demo runs, leaves nothing behind, and fails when something is not as it should be.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1"
    exit 1
}

demo() { # build folder
    (cd "$top" && HOME="$work/home" TMPDIR="$work/tmp" BUILD="$1" sh tests/demo.sh) >"$work/said" 2>&1
}

mkdir "$work/home" "$work/tmp" "$work/bin"
demo "${BUILD:-build}" || fail "$(cat "$work/said")"
[ "$(tail -n 1 "$work/said")" = "All as it should be." ] || fail "$(cat "$work/said")"
[ "$(grep -c 'at offset [0-9]' "$work/said")" -ge 4 ] || fail "too few refusals with an offset"
[ -z "$(ls -A "$work/home" "$work/tmp" | grep -v ':$' | grep .)" ] || fail "something is left behind"

# A program that accepts everything is noticed, and one that refuses everything.
for code in 0 1; do
    printf '#!/bin/sh\nexit %d\n' "$code" >"$work/bin/weighlock"
    chmod +x "$work/bin/weighlock"
    demo "$work" && fail "the demo does not notice a program that always exits with $code"
    grep -q '^the demo failed: ' "$work/said" || fail "$(cat "$work/said")"
done

# One that accepts bad files alone: the demo's asserts look at each refusal.
case "${BUILD:-build}" in
    /*) real="$BUILD/bin/weighlock" ;;
    *) real="$top/${BUILD:-build}/bin/weighlock" ;;
esac
for bad in tampered stranger unsigned overflow changed; do
    cat >"$work/bin/weighlock" <<END
#!/bin/sh
case "\$1 \$2" in "predict "*$bad.wlk) exit 0 ;; esac
exec "$real" "\$@"
END
    demo "$work" && fail "the demo does not notice that $bad.wlk is accepted"
done
exit 0
