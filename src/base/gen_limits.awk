# policy/limits.policy -> gen/limits.inc: LIMIT(field, default, "unit", "reason")
BEGIN { FS = "[ \t]*[|][ \t]*" }
/^#/ || /^[ \t]*$/ { next }
{
    if (NF != 4 || $1 !~ /^[a-z_]+$/ || $2 !~ /^[0-9]+$/ || seen[$1]++ || $0 ~ /["\\%]/) {
        printf "%s:%d: malformed row: %s\n", FILENAME, FNR, $0 > "/dev/stderr"
        exit 1
    }
    printf "LIMIT(%s, %sull, \"%s\", \"%s\")\n", $1, $2, $3, $4
}
