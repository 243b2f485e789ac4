# Checks C sources against the tables `includes` and `banned` beside this file.
#
#     awk -f check_sources.awk includes banned FILE...
#
# FILE is src/MODULE/... or include/weighlock/... Prints "FILE:LINE: what is wrong" for
# each finding; the exit code says whether there were any.

function report(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    findings++
}

# ---- tables

function trim(text) {
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    return text
}

# may[holder, name]: the holder, a module or file, may include the name.
function read_includes(    parts, names, count, i) {
    sub(/[ \t]*#.*/, "")
    if ($0 == "") return
    split($0, parts, ":")
    count = split(parts[2], names, " ")
    known[parts[1]] = 1
    for (i = 1; i <= count; i++) may[parts[1], names[i]] = 1
}

function read_banned(    cells, words, count, i) {
    if ($0 ~ /^#/ || trim($0) == "") return
    if (split($0, cells, "|") != 4 || trim(cells[4]) == "") {
        report("a row is: words | where | but not in | why")
        return
    }
    count = split(cells[1], words, " ")
    for (i = 1; i <= count; i++) {
        where[words[i]] = " " trim(cells[2]) " "
        except[words[i]] = " " trim(cells[3]) " "
        why[words[i]] = trim(cells[4])
    }
}

function listed(list) {
    return index(list, " " module " ") || index(list, " " name " ")
}

# ---- one line of C

# Without comments, and with empty texts.
function code_of(line,    out, at, mark, last) {
    out = ""
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) return out
            line = substr(line, at + 2)
            in_comment = 0
            out = out " "
            continue
        }
        if (!match(line, /\/\*|\/\/|["']/)) return out line
        mark = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "//") return out
        if (mark == "/*") {
            in_comment = 1
            continue
        }
        last = mark == "\"" ? match(line, /^([^"\\]|\\.)*"/) : match(line, /^([^'\\]|\\.)*'/)
        if (!last) return out
        line = substr(line, RLENGTH + 1)
        out = out mark mark
    }
    return out
}

function check_include(line,    target, parts, outside) {
    if (!match(line, /<[^<>"]+>|"[^"]+"/)) {
        report("an include must name its header here")
        return
    }
    target = substr(line, RSTART, RLENGTH)
    outside = substr(target, 1, 1) == "<"
    if (outside && target ~ /^<weighlock\/[a-z_]+\.h>$/) return
    if (outside) {
        if (!((module, target) in may) && !((name, target) in may) && !((module, "<any>") in may))
            report(module " may not include " target)
        return
    }
    target = substr(target, 2, length(target) - 2)
    if (target !~ /^[a-z_]+\/[a-z0-9_\/]+\.(h|inc)$/) {
        report("write \"module/file.h\", not \"" target "\"")
        return
    }
    split(target, parts, "/")
    if (parts[1] == module) return
    if (!((module, parts[1]) in may) && !((name, parts[1]) in may))
        report(module " may not include " parts[1])
}

function check_words(code,    word) {
    while (match(code, /[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(code, RSTART, RLENGTH)
        code = substr(code, RSTART + RLENGTH)
        if (code ~ /^[ \t]*\(/ && (word "()") in why) word = word "()"
        if (!(word in why) || listed(except[word])) continue
        if (where[word] == " all " || listed(where[word])) report(word ": " why[word])
    }
}

FILENAME == ARGV[1] { read_includes(); next }
FILENAME == ARGV[2] { read_banned(); next }

FNR == 1 {
    in_comment = 0
    name = FILENAME
    module = "public"
    if (sub(/^src\//, "", name)) {
        module = name
        sub(/\/.*/, "", module)
    }
    if (!(module in known)) report("there is no row for " module " in the table of includes")
}

{
    code = in_comment || $0 !~ /^[ \t]*#[ \t]*include/ ? code_of($0) : $0
    if (code ~ /^[ \t]*(#|%:)[ \t]*include/) check_include(code)
    else check_words(code)
}

END { exit findings > 0 }
