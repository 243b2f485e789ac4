#!/bin/sh
# child_faulty can let every call fail that a layer makes: what the layers' objects call
# is in faulty.wrap, or is named here with the reason why it is not.
set -u
build="${BUILD:-build}"
list=tests/cage/faulty.wrap

# Names, one a line, of what cannot fail or whose failing is no harm.
unfailing() {
    # plain functions of the C library and the compiler
    printf '%s\n' memcpy memset memcmp bcmp strcmp strlen sigemptyset __errno_location \
        __stack_chk_fail _GLOBAL_OFFSET_TABLE_
    # plain functions of libcap
    printf '%s\n' cap_compare cap_free cap_set_flag
    # calls that cannot fail
    printf '%s\n' getpid getppid umask
    # a descriptor that stays open is found by the check of descriptors, or has no number left
    printf '%s\n' close
    # attempts to regain: that they fail is what is wanted
    printf '%s\n' setuid seteuid setgid
    # only saves the page faults later
    printf '%s\n' madvise
    # our own, which call mmap and nothing else that may not fail
    printf '%s\n' heap_reserve heap_check huge_map huge_advise
}

fail() {
    echo "$1"
    exit 1
}

objects=$(for object in "$build"/child/cage/*.o; do
    nm "$object" | grep -qE ' T ([a-z_]+_(apply|verify)|heap_reserve)$' && echo "$object"
done)
[ "$(echo "$objects" | wc -l)" -ge 4 ] || fail "the layers' objects are not there: $objects"

# shellcheck disable=SC2086
called=$(nm -u $objects | awk '$1 == "U" {print $2}' | sort -u)
wrapped=$(sed -n 's/^--wrap=//p' "$list" | sort)
for name in $called; do
    echo "$wrapped" | grep -qx "$name" || unfailing | grep -qx "$name" ||
        fail "a layer calls $name, which cannot be made to fail: add it to $list and child_faulty.c"
done

# Nor does the list name what is no longer called.
parts=$(nm $objects | awk '$2 == "T" {print $3}')
for name in $wrapped; do
    printf '%s\n%s\n' "$called" "$parts" | grep -qx "$name" || fail "no layer calls $name: $list"
done

# Every part of a layer is in the list.
for part in $(echo "$parts" | grep -E '_(apply|verify)$'); do
    echo "$wrapped" | grep -qx "$part" || fail "$part is not in $list"
done
