# policy/rules.policy -> gen/rules.inc: RULE(SYMBOL, "name", WLK_VERDICT, "text", "hint")
# Fails on a malformed row, an unknown verdict, or a name used twice.
BEGIN {
    FS = "[ \t]*[|][ \t]*"
    split("refused undecided unsupported usage cage limit trust system", list, " ")
    for (i in list) verdicts[list[i]] = 1
}
/^#/ || /^[ \t]*$/ { next }
{
    if (NF != 4 || !($2 in verdicts) || seen[$1]++ || $1 !~ /^[a-z]+\.[a-z0-9-]+$/ || $0 ~ /["\\%]/) {
        printf "%s:%d: malformed row: %s\n", FILENAME, FNR, $0 > "/dev/stderr"
        failed = 1
        exit 1
    }
    symbol = toupper($1)
    gsub(/[.-]/, "_", symbol)
    printf "RULE(%s, \"%s\", WLK_%s, \"%s\", \"%s\")\n", symbol, $1, toupper($2), $3, $4
}
