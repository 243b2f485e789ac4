# policy/pickle.allow -> gen/pickle_allow.inc: ALLOW("module", "name", CONSTRUCTOR), one line
# a module and a name, in ascending order of their bytes (run with LC_ALL=C).
BEGIN {
    FS = "[ \t]*[|][ \t]*"
    split("record container opaque bare nothing list dict set frozenset bytes bytearray complex " \
        "by_reconstructor by_newobj partial distribution random method ufunc index encoded dtype array buffer_array scalar masked_array " \
        "array_wrapper", list, " ")
    for (i in list) constructors[list[i]] = 1
}
function malformed() {
    printf "%s:%d: malformed row: %s\n", FILENAME, FNR, $0 > "/dev/stderr"
    failed = 1
    exit 1
}
/^#/ || /^[ \t]*$/ { next }
{
    if (NF != 4 || !($3 in constructors) || $1 !~ /^[A-Za-z0-9_. ]+$/ || $2 !~ /^[A-Za-z0-9_ ]+$/) {
        malformed()
    }
    modules = split($1, module, " ")
    names = split($2, name, " ")
    for (i = 1; i <= modules; i++) {
        for (j = 1; j <= names; j++) {
            key = module[i] "|" name[j]
            if (key in makes) malformed()
            makes[key] = toupper($3)
            # A module's name ends before every character that may follow it in a longer one.
            sortable[++count] = module[i] "\001" name[j] "\001|" key
        }
    }
}
function sort_down(at, last,    child, moved) {
    moved = sortable[at]
    while ((child = 2 * at) <= last) {
        if (child < last && sortable[child + 1] > sortable[child]) child++
        if (sortable[child] <= moved) break
        sortable[at] = sortable[child]
        at = child
    }
    sortable[at] = moved
}
END {
    if (failed) exit 1
    for (i = int(count / 2); i >= 1; i--) sort_down(i, count)
    for (last = count; last > 1; last--) {
        moved = sortable[1]
        sortable[1] = sortable[last]
        sortable[last] = moved
        sort_down(1, last - 1)
    }
    for (i = 1; i <= count; i++) {
        split(sortable[i], part, "|")
        printf "ALLOW(\"%s\", \"%s\", %s)\n", part[2], part[3], makes[part[2] "|" part[3]]
    }
}
