#!/bin/sh
# The project speaks of itself alone: no file names the place where somebody worked
# on it. The words are put together here, so that this file is no finding.
set -u
slash=/ dot=. dash=-
work_folder="${slash}work${slash}" farm_folder="${slash}farm${slash}"
library="${dot}library" farm="farm${dash}"

search() {
    xargs -0 grep -snIF -e "$work_folder" -e "$farm_folder" -e "$library" -e "$farm" --
}

files() {
    git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
        find . -path ./.git -prune -o -path './build*' -prune -o -type f -print0
}

cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The search sees what it is for.
for word in "cd ${work_folder}main" "${farm_folder}" "see $library" "${farm}bench"; do
    printf 'fine\n%s\n' "$word" >"$folder/bad"
    printf '%s\0' "$folder/bad" | search >/dev/null || { echo "not noticed: $word"; exit 1; }
done
[ "$(files | tr '\0' '\n' | grep -c .)" -ge 100 ] || { echo "too few files"; exit 1; }

if files | search; then
    echo "these lines name a workplace"
    exit 1
fi
