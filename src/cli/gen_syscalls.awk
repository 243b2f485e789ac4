# policy/syscalls.policy -> gen/syscalls.inc: SYSCALL("name", "condition", "why")
BEGIN { FS = "[ \t]*[|][ \t]*" }
/^#/ || /^[ \t]*$/ { next }
{
    if (NF != 3 || $1 !~ /^[a-z0-9_]+$/ || $3 == "" || $0 ~ /["\\%]/) {
        printf "%s:%d: malformed row: %s\n", FILENAME, FNR, $0 > "/dev/stderr"
        exit 1
    }
    printf "SYSCALL(\"%s\", \"%s\", \"%s\")\n", $1, $2, $3
}
