#!/bin/sh
# Installs the Debian packages named on the command line that are not installed
# yet. Touches no network when there are none.
set -eu
installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}
missing=
for package in "$@"; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "these packages are missing, and installing them takes root or sudo:$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
# shellcheck disable=SC2086 # a list of words
$as_root ${as_root:+DEBIAN_FRONTEND=noninteractive} \
    apt-get -qq -o Acquire::Retries=3 install -y --no-install-recommends $missing >/dev/null
