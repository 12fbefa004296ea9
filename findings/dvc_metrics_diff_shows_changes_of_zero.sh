#!/usr/bin/env bash
# `dvc metrics diff` lists changes as 0.0, lists NaN that did not change, and says nothing of a list that did.
#
# Tried with dvc 3.67.1 and git. A metrics file committed, then changed; `dvc metrics diff --no-path` shows of
#   0.5 -> 0.5000001          a line with 0.5, 0.5 and the change 0.0 (it rounds to five decimals, not digits)
#   0.8379 -> 0.8424          with --precision 3: 0.838, 0.842 and the change 0.005
#   0.8235 -> 0.8239          with --precision 3: a line with 0.824, 0.824 and 0.0; --precision 0 is the default, 5
#   NaN -> NaN                a line, each time: a file that did not change at all has it
#   true -> false             the change -1
#   [1, 2] -> [1, 3]          nothing, also not in --json: lists are no metrics
#   0.5 -> null               the same as if the metric were gone
# Guessed was that a line means a change that can be seen, and that no line means there is none: a review that asks for
# "an empty diff" fails for a NaN, and passes a changed list. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1

mkdir "$folder/project" && cd "$folder/project"
git init --quiet
git config user.name n && git config user.email n@example.org
dvc init --quiet
echo 'metrics: [m.json]' > dvc.yaml
echo '{"tiny": 0.5, "shown": 0.8379, "hidden": 0.8235, "nan": NaN, "flag": true, "list": [1, 2], "gone": 0.5}' > m.json
git add --all && git commit --quiet --message before

expect() { # what is seen, what was seen when this was written
    printf '%s: %s\n' "$1" "$2"
    [ "$2" = "$3" ] || { echo "expected: $3"; exit 1; }
}
line() { # the line of a metric: before, after, change
    dvc metrics diff --no-path "${@:2}" | awk -v name="$1" '$1 == name {print $2, $3, $4}'
}
expect "unchanged file" "$(dvc metrics diff --no-path | tail -n +2 | xargs)" "nan nan nan nan"
echo '{"tiny": 0.5000001, "shown": 0.8424, "hidden": 0.8239, "nan": NaN, "flag": false, "list": [1, 3], "gone": null}' > m.json
expect "0.5 -> 0.5000001" "$(line tiny)" "0.5 0.5 0.0"
expect "the same with --precision 8" "$(line tiny --precision 8)" "0.5 0.5000001 1e-07"
expect "0.8379 -> 0.8424 with --precision 3" "$(line shown --precision 3)" "0.838 0.842 0.005"
expect "0.8235 -> 0.8239 with --precision 3" "$(line hidden --precision 3)" "0.824 0.824 0.0"
expect "0.8235 -> 0.8239 with --precision 0" "$(line hidden --precision 0)" "0.8235 0.8239 0.0004"
expect "true -> false" "$(line flag)" "True False -1"
expect "[1, 2] -> [1, 3]" "$(line list)" ""
expect "the same in --json" "$(dvc metrics diff --json | grep --count list || true)" 0
expect "0.5 -> null" "$(line gone)" "0.5 - -"
