#!/bin/sh
# Runs a command line as an ordinary user in a copy of the sources: what is tracked
# or could be, without output folders. Root's privileges hide mistakes: who is not
# root has made none of them.
#
#     tests/as_user.sh 'make check && make demo'
set -eu
user=65534
if [ "$(id -u)" -ne 0 ]; then
    echo "already an ordinary user"
    exit 0
fi
top=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/source" "$work/home"
cd "$top"
# A tracked file that was deleted is no file.
git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for name; do [ ! -e "$name" ] || printf "%s\0" "$name"; done' sh |
    tar --null --files-from=- -cf - | tar -xf - -C "$work/source"
chown -R "$user:$user" "$work"
cd "$work/source"
setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all \
    env -i PATH="$PATH" HOME="$work/home" TMPDIR="${TMPDIR:-/tmp}" sh -c "$1" </dev/null
