#!/bin/sh
# Puts a copy of the fuzzing kit into a folder, or takes away what it has put there:
# MANIFEST, in that folder, is the list.
#
#     install.sh FOLDER BUILT FILE...   FILEs as seen from the tree's top; BUILT: what
#                                       `make seeds` made, seeds/TARGET/ and dict/
#     install.sh --remove FOLDER
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

remove() {
    [ -f "$1/MANIFEST" ] || return 0
    while IFS= read -r name; do
        case "/$name/" in *"/../"*) continue ;; esac
        rm -f "$1/$name"
    done <"$1/MANIFEST"
    rm -f "$1/MANIFEST"
    find "$1" -depth -type d -empty -delete
}

# All of a folder's files, below another folder of the kit.
put_all() { # from, to
    [ ! -d "$1" ] || (cd "$1" && find . -type f) | sort | while IFS= read -r name; do
        put "$1/$name" "$2/${name#./}"
    done
}

put() { # from, to
    install -D -m 644 "$1" "$folder/$2"
    printf '%s\n' "$2" >>"$folder/MANIFEST"
}

if [ "$1" = --remove ]; then
    remove "$2"
    exit
fi
folder=$1 built=$2
shift 2
remove "$folder"
install -d -m 755 "$folder"
: >"$folder/MANIFEST"
chmod 644 "$folder/MANIFEST"
for name in "$@"; do put "$top/$name" "$name"; done
put_all "$built/seeds" fuzz/seeds
put_all "$built/dict" fuzz/dict
# So that `make -C FOLDER` works.
printf '%s\n' 'include $(dir $(lastword $(MAKEFILE_LIST)))fuzz/Makefile' >"$folder/Makefile"
chmod 644 "$folder/Makefile"
echo Makefile >>"$folder/MANIFEST"
