#!/usr/bin/env bash
# DVC's file system of a revision begins at the top of the git repository, that of the workspace at the DVC project.
#
# Tried with dvc 3.67.1 and git. A project in a sub-folder of a larger repository (`dvc init --subdir`), one committed
# output in DVC's cache. In the project's folder:
#   DVCFileSystem().find("data")                                       the output
#   DVCFileSystem(rev="HEAD").find("data")                             nothing, and no error
#   DVCFileSystem(rev="HEAD").find("project/data")                     nothing, and no error
#   DVCFileSystem(rev="HEAD", subrepos=True).find("project/data")      the output, by its path from the top
# Guessed was that the same path means the same file with and without a revision: a tool that reads old results through
# `rev` reports that there are none. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1

mkdir -p "$folder/larger/project" && cd "$folder/larger"
git init --quiet && cd project
dvc init --quiet --subdir
cat > dvc.yaml <<'YAML'
stages:
  make:
    cmd: mkdir data && echo 1 > data/table.csv
    outs: [data]
YAML
dvc repro --quiet
git add --all && git -c user.name=n -c user.email=n@example.org commit --quiet --message results

python - <<'PY'
from dvc.api import DVCFileSystem

seen = {
    "workspace": DVCFileSystem().find("data"),
    "revision": DVCFileSystem(rev="HEAD").find("data"),
    "revision, from the top": DVCFileSystem(rev="HEAD").find("project/data"),
    "revision, from the top, subrepos": DVCFileSystem(rev="HEAD", subrepos=True).find("project/data"),
}
expected = {
    "workspace": ["data/table.csv"],
    "revision": [],
    "revision, from the top": [],
    "revision, from the top, subrepos": ["project/data/table.csv"],
}
for name, found in seen.items():
    print(f"{name}: {found}")
raise SystemExit(seen != expected)
PY
