#!/bin/sh
# The public functions of headers: those that are marked WLK_API, one name a line.
#
#     sh packaging/exports.sh include/weighlock/*.h
set -eu
export LC_ALL=C
# A declaration is one line, without comments; the name stands before the first
# parenthesis.
sed -e 's,/\*.*\*/,,' -e '/\/\*/,/\*\//d' "$@" | tr '\n' ' ' | grep -oE 'WLK_API [^;{}]*;' |
    sed -nE 's/^[^(]*[ *](wlk_[a-z0-9_]+) *\(.*/\1/p' | sort
