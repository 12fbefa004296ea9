#!/usr/bin/env bash
# What `dvc exp run -S` sets stays in params.yaml when the experiment fails, and the next experiment runs with it.
#
# Tried with dvc 3.67.1 and git. A stage that refuses a rate above 5, the results with rate 1 committed, then:
#   dvc exp run -S rate=9        fails
#   dvc exp run -S epochs=3      fails too, on rate 9, which this command does not mention
#   git restore params.yaml; dvc exp run -S epochs=3    runs with rate 1
# Guessed was that a setting given for one experiment ends with it, at least if there is no experiment in the end (none
# is listed). A grid of `dvc exp run -S …` calls in a shell loop goes on from the first failure with its value in every
# later run, and says nothing where the stage takes it. Exits 0 if all of this is still so, else 1.
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
printf 'rate: 1\nepochs: 1\n' > params.yaml
cat > train.sh <<'SH'
rate=$(sed -n 's/rate: //p' params.yaml)
if [ "$rate" -gt 5 ]; then exit 1; fi
cp params.yaml used.yaml
SH
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: sh train.sh
    deps: [train.sh]
    params: [rate, epochs]
    outs: [used.yaml]
YAML
dvc repro --quiet
git add --all && git commit --quiet --message results

expect() { # what is seen, what was seen when this was written
    printf '%s: %s\n' "$1" "$2"
    [ "$2" = "$3" ] || { echo "expected: $3"; exit 1; }
}
run() { dvc exp run --quiet -S "$1" > log 2>&1 && echo runs || echo fails; }
expect "rate=9" "$(run rate=9)" fails
expect "params.yaml after it" "$(paste -sd ' ' params.yaml)" "rate: 9 epochs: 1"
expect "experiments" "$(dvc exp list --name-only | wc -l | tr -d ' ')" 0
expect "epochs=3" "$(run epochs=3)" fails
git restore params.yaml
expect "epochs=3 after git restore" "$(run epochs=3)" runs
expect "it used" "$(paste -sd ' ' used.yaml)" "rate: 1 epochs: 3"
