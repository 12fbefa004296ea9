#!/usr/bin/env bash
# audformat loads a label that its scheme does not list as nothing, and where a table is kept as Parquet and as CSV it
# takes the Parquet, however much newer the CSV is; neither is said.
#
# Tried with audformat 1.4.3 and pandas 3.1.1: a table db.emotion.csv with the labels anger and frustrated, of which db.yaml lists the
# first, is loaded as anger and a missing value. A database saved as Parquet (anger), with a CSV written beside it a
# moment later (joy, which is listed), is loaded as anger. Guessed was an error that names the label, as assigning it
# raises one, and a word on the newer CSV, which beside a pickle is an error. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check audformat==1.4.3 pandas==3.1.1
"$folder/venv/bin/python" -W error::UserWarning - "$folder" <<'PY'
import os
import sys
import time
from pathlib import Path

import audformat

folder = Path(sys.argv[1])


def saved(name: str, kind: str) -> Path:
    database = audformat.Database("mine")
    database.schemes["emotion"] = audformat.Scheme(labels=["anger", "joy"])
    database["emotion"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    database["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["emotion"]["emotion"].set(["anger", "anger"])
    database.save(str(folder / name), storage_format=kind)
    return folder / name


def loaded(path: Path) -> list:
    labels = audformat.Database.load(str(path))["emotion"].df["emotion"]
    return [None if missing else str(label) for label, missing in zip(labels, labels.isna())]


other = saved("other", "csv")
(other / "db.emotion.csv").write_text("file,emotion\na.wav,anger\nb.wav,frustrated\n")
twice = saved("twice", "parquet")
(twice / "db.emotion.csv").write_text("file,emotion\na.wav,joy\nb.wav,joy\n")
later = time.time() + 60
os.utime(twice / "db.emotion.csv", (later, later))
found = loaded(other), loaded(twice)
print(f"anger and frustrated are loaded as {found[0]}; Parquet of anger beside a newer CSV of joy as {found[1]}")
sys.exit(found != (["anger", None], ["anger", "anger"]))
PY
