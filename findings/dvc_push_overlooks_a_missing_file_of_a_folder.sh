#!/usr/bin/env bash
# `dvc push` calls a remote up to date that has lost a file of a folder, and `dvc status --cloud` calls it in sync.
#
# Tried with dvc 3.67.1 and git. A folder of three files is pushed to a remote (a folder, too), one of the files is
# deleted there, then:
#   dvc push             "Everything is up to date.", also with an empty DVC_SITE_CACHE_DIR
#   dvc status --cloud   "Cache and remote 'store' are in sync."
#   dvc pull             in a new clone: fails, for want of the file
#   dvc push             after the folder's list (*.dir) is deleted as well: uploads both
# Guessed was that push compares what the remote has with what the cache has, file by file, as it does with a single
# file, and that repeating it from a clone that has everything mends a remote. It asks for the lists of folders only,
# and takes their files for granted. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$folder/site"

mkdir -p "$folder/project/data" && cd "$folder/project"
git init --quiet
dvc init --quiet
for number in 1 2 3; do echo "$number" > "data/$number.txt"; done
dvc add --quiet data
dvc remote add --quiet --default store "$folder/remote"
dvc push --quiet
git add --all && git -c user.name=n -c user.email=n@example.org commit --quiet --message data

expect() { # what is seen, what was seen when this was written
    printf '%s: %s\n' "$1" "$2"
    [ "$2" = "$3" ] || { echo "expected: $3"; exit 1; }
}
files() { find "$folder/remote" -type f "$@"; }
expect "files in the remote" "$(files | wc -l | tr -d ' ')" 4
rm -f "$(files ! -name '*.dir' | head -n 1)"
expect "dvc push" "$(dvc push)" "Everything is up to date."
expect "with an empty index" "$(DVC_SITE_CACHE_DIR="$folder/other" dvc push)" "Everything is up to date."
expect "dvc status --cloud" "$(dvc status --cloud)" "Cache and remote 'store' are in sync."
git clone --quiet "$folder/project" "$folder/clone"
expect "dvc pull in a clone" "$(cd "$folder/clone" && dvc pull > "$folder/log" 2>&1 && echo works || echo fails)" fails
rm -f "$(files -name '*.dir')"
expect "dvc push without the list" "$(dvc push)" "2 files pushed"
