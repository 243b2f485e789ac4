#!/bin/sh
# Unpacks Debian packages of another architecture into a folder, for a cross compiler.
# The machine's own package system is not touched: apt is given a state of its own
# in the folder. Does nothing if that has been done with the same packages.
#
#     sh packaging/sysroot.sh arm64 FOLDER PACKAGE...
set -eu
architecture=$1 folder=$2
shift 2
case "$folder" in
    /*) ;;
    *) folder="$PWD/$folder" ;;
esac
done="$folder/packages"
wanted="$architecture $*"
[ "$(cat "$done" 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf "$folder"
mkdir -p "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial"
: >"$folder/apt/status"
cat >"$folder/apt/conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Architectures;
APT::Architectures { "$architecture"; };
APT::Architecture "$architecture";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$folder/apt/state";
Dir::State::status "$folder/apt/status";
Dir::Cache "$folder/apt/cache";
CONF
export APT_CONFIG="$folder/apt/conf"
cd "$folder/apt"
apt-get -qq update
apt-get -qq download "$@"
for package in *.deb; do dpkg -x "$package" "$folder"; done
rm -rf "$folder/apt"
printf '%s\n' "$wanted" >"$done"
