#!/usr/bin/env bash
# An audiofolder of Hugging Face's datasets has its folders' names as labels until a metadata.csv lies there, which may
# say something else altogether: then the labels are gone, and so is every file that the table does not list.
#
# Tried with datasets 5.2.0: train/angry/1.wav, train/angry/2.wav, train/sad/1.wav, train/sad/2.wav are four examples with
# the labels angry and sad. With a train/metadata.csv of two rows that name two of the files and their speakers it is two
# examples without a label, with drop_labels=False as well, and no word is said of either. Guessed was that a table adds
# to what the folders say, as the documentation's "metadata" suggests. The files are empty: without torchcodec no
# example of an audiofolder can be made, so the names are read where the package has found them and not yet opened them.
# Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder/mine" <<'PY'
import sys
from pathlib import Path

from datasets import load_dataset_builder

mine = Path(sys.argv[1])
for name in ("angry/1.wav", "angry/2.wav", "sad/1.wav", "sad/2.wav"):
    path = mine / "train" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def found(**options: bool) -> list[tuple]:
    data = load_dataset_builder("audiofolder", data_dir=str(mine), **options).as_streaming_dataset(split="train")
    rows = [row for _, row in data._ex_iterable]
    return sorted((Path(row["audio"]).relative_to(mine).as_posix(), row.get("label")) for row in rows)


before = found()
(mine / "train/metadata.csv").write_text("file_name,speaker\nangry/1.wav,ann\nsad/1.wav,bob\n")
after, kept = found(), found(drop_labels=False)
print(f"without metadata.csv: {before}; with it: {after}; with drop_labels=False: {kept}")
everything = [(f"train/{label}/{number}.wav", label) for label in ("angry", "sad") for number in (1, 2)]
listed = [("train/angry/1.wav", None), ("train/sad/1.wav", None)]
sys.exit((before, after, kept) != (everything, listed, listed))
PY
