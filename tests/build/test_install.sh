#!/bin/sh
# What `make install` puts below DESTDIR is complete: a program is compiled against
# the installed headers and libraries, shared and static, and runs; the installed
# command finds its child and the cage holds; `make uninstall` leaves no file.
set -eu
build="${BUILD:-build}" cc="${CC:-cc}"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make="${MAKE:-make} --no-print-directory BUILD=$build CC=$cc DESTDIR=$root/to PREFIX=${PREFIX:-/usr/local}"
at="$root/to${PREFIX:-/usr/local}"
sanitizers=${SAN:+-fsanitize=$SAN}

fail() {
    echo "$1"
    exit 1
}

$make install
for file in bin/weighlock libexec/weighlock/weighlock-child include/weighlock/load.h \
    lib/libweighlock.so.0 lib/libweighlock-infer.a lib/libweighlock-parse.a \
    share/doc/weighlock/LICENSE share/doc/weighlock/format.md; do
    [ -s "$at/$file" ] || fail "$file was not installed"
done
[ -z "$(find "$root/to" -perm /022 ! -type l)" ] || fail "others may write to what was installed"

cat >"$root/user.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <weighlock/infer.h>
#include <weighlock/load.h>
#include <weighlock/write.h>

int main(void) {
    wlk_load_options options;
    wlk_load_options_default(&options);
    wlk_model *model = NULL;
    wlk_error error;
    const wlk_status status = wlk_load_path("/nonexistent", &options, &model, NULL, &error);
    wlk_plan_free(NULL);
    (void)printf("%s %s\n", wlk_status_name(status), wlk_rule_name(error.rule));
    return status == WLK_SYSTEM && !model ? 0 : 1;
}
C
compile="$cc -std=c17 -Wall -Wextra -Werror $sanitizers -I$at/include $root/user.c"
$compile -o "$root/shared" -L"$at/lib" -lweighlock-infer -lweighlock -Wl,-rpath,"$at/lib"
"$root/shared"
readelf -d "$root/shared" | grep -q 'libweighlock.so.0' || fail "the shared library was not linked"
$compile -o "$root/static" "$at/lib/libweighlock-infer.a" "$at/lib/libweighlock.a" \
    -lsodium -lmsgpackc -lopenblas -lm -lpthread
"$root/static"

# The parse kit stands alone.
echo 'int main(void) { return 0; }' >"$root/empty.c"
$cc $sanitizers -o "$root/parse" "$root/empty.c" -Wl,--whole-archive "$at/lib/libweighlock-parse.a" \
    -Wl,--no-whole-archive -lmsgpackc
"$root/parse"

"$at/bin/weighlock" doctor

$make uninstall
[ -z "$(find "$root/to" ! -type d)" ] || fail "uninstall left $(find "$root/to" ! -type d)"
