#!/bin/sh
# The include rule and the banned words hold in src/ and include/, and the checker
# sees each way to break them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
failed=0

fail() {
    echo "$1"
    failed=1
}

# Checks files below the current folder.
check() {
    find src include -name '*.[ch]' | LC_ALL=C sort |
        xargs awk -f "$here/check_sources.awk" "$here/includes" "$here/banned"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p include/weighlock src/base src/image src/wire src/formats/wlk src/cage src/file src/trust \
    src/gate src/input src/infer src/write src/cli src/stray

# A file of these lines must give that finding (empty: none), and nothing else.
expect() { # finding, file, lines
    printf '%b\n' "$3" >"$2"
    found=$(check)
    rm "$2"
    [ "$found" = "${1:+$2:}$1" ] || fail "$2 of '$3': expected '$1', found '$found'"
}

expect '' src/cli/a.c '#include "gate/child.h"\n#include <weighlock/load.h>\n#include <stdio.h>'
expect '' src/formats/wlk/a.c '#include "image/builder.h"\n#include "formats/formats.h"'
expect '' src/base/a.c '/* goto\n * strcpy(a, b) " */ int x; // system("ls")'
expect '' src/base/a.c 'const char *s = "goto \\" abort()"; char c = '"'\"'"';'
expect '' src/infer/a.c 'double atol; struct fork *fork;'
expect '' src/cage/filter_compile.c '#include <seccomp.h>\nint f(void) { exit(1); }'

# An arrow that points up, for each module; and across.
expect '1: base may not include image' src/base/a.c '#include "image/model.h"'
expect '1: image may not include wire' src/image/a.c '#include "wire/frame.h"'
expect '1: wire may not include image' src/wire/a.h '#include "image/model.h"'
expect '1: formats may not include wire' src/formats/wlk/a.c '#include "wire/frame.h"'
expect '1: formats may not include cage' src/formats/a.c '#include "cage/heap.h"'
expect '1: cage may not include gate' src/cage/a.c '#include "gate/child.h"'
expect '1: trust may not include gate' src/trust/a.c '#include "gate/child.h"'
expect '1: file may not include trust' src/file/a.c '#include "trust/ready.h"'
expect '1: gate may not include file' src/gate/a.c '#include "file/whole_file.h"'
expect '1: gate may not include formats' src/gate/a.c '#include "formats/formats.h"'
expect '1: gate may not include write' src/gate/a.c '#include "write/pack.h"'
expect '1: input may not include infer' src/input/a.c '#include "infer/op.h"'
expect '1: infer may not include input' src/infer/a.c '#include "input/csv.h"'
expect '1: write may not include gate' src/write/a.c '#include "gate/gate.h"'
expect '1: cli may not include cage' src/cli/a.c '#include "cage/heap.h"'
expect '1: cli may not include formats' src/cli/a.c '#include "formats/formats.h"'
expect '1: base may not include gen' src/base/a.c '#include "gen/rules.inc"'
expect '1: public may not include base' include/weighlock/a.h '#include "base/error.h"'
expect '1: there is no row for stray in the table of includes' src/stray/a.c 'int x;'

# Pure modules name every header of the system.
for module in base image wire formats infer; do
    for header in unistd.h fcntl.h sys/mman.h signal.h pthread.h; do
        expect "1: $module may not include <$header>" "src/$module/a.c" "#include <$header>"
    done
done
expect '1: base may not include <stdio.h>' src/base/a.c '#include <stdio.h>'
expect '1: formats may not include <sodium.h>' src/formats/a.c '# include <sodium.h>'
expect '1: public may not include <stdio.h>' include/weighlock/a.h '#include <stdio.h>'

# Other spellings.
expect '1: write "module/file.h", not "../gate/child.h"' src/base/a.c '#include "../gate/child.h"'
expect '1: write "module/file.h", not "child.h"' src/gate/a.c '#include "child.h"'
expect '1: an include must name its header here' src/base/a.c '#include HEADER'
expect '2: an include must name its header here' src/image/a.c '/* \n */ #include "gate/child.h"'

# Banned words.
expect '1: goto: ownership is shown by cleanup attributes' src/cli/a.c 'int f(void) { goto end; }'
expect '2: strcpy(): they write without a bound' src/gate/a.c '/* \n */ void g(void) { strcpy (a, b); }'
expect '1: abort(): input must never end a process; a broken invariant is a wlk_error' \
    src/formats/a.c '#define FAIL abort()'
expect "1: huge_map(): system calls, which the child's filter forbids" src/formats/a.c 'x = huge_map(1);'
expect "1: qsort(): glibc's makes a system call; base/sort.h makes none" src/image/a.c 'x = qsort(a);'
expect '' src/cli/a.c 'x = qsort(a);'
expect '1: stdout: these modules do no input or output' src/infer/a.c 'f(stdout);'
expect '1: exit(): a library does not end its caller' src/trust/a.c 'exit(1);'

cd "$top" || exit 1
check || fail "see tests/lint/includes and tests/lint/banned"
exit "$failed"
