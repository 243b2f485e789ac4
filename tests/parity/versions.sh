#!/bin/sh
# Estimators of other versions of scikit-learn than the system's, each fitted and written by its
# own version, and read by this one Weighlock. Versions come from PyPI, the first time:
#
#     versions.sh install FOLDER      versions.sh run|options FOLDER BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
versions='1.1.3:numpy1 1.3.2:numpy1 1.4.2:numpy1 1.7.2:numpy2 1.9.1:numpy2'
folder=$2

install() {
    pip='pip install --quiet --disable-pip-version-check --only-binary :all:'
    rm -rf "$folder"
    for base in numpy1 numpy2; do
        "${PYTHON:-/usr/bin/python3}" -m venv "$folder/$base"
        "$folder/$base/bin/python" -m $pip -r "$here/requirements-$base.txt"
    done
    for version in $versions; do
        "$folder/${version#*:}/bin/python" -m $pip --no-deps --target "$folder/${version%:*}" \
            "scikit-learn==${version%:*}"
    done
}

# $1: run.py or options.py (a minute each version)
run() {
    program=$1
    failed=0
    for version in $versions; do
        PYTHONPATH="$folder/${version%:*}" "$folder/${version#*:}/bin/python" -B \
            "$here/$program" "$4" || failed=1
    done
    return $failed
}

case $1 in
    install) install ;;
    run) run run.py "$@" ;;
    options) run options.py "$@" ;;
    *) exit 2 ;;
esac
