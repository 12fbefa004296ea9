#!/usr/bin/env bash
# pyannote.database reads RTTM by pandas, which takes some words for missing values: speakers called NA, null or None
# become one speaker, the float nan.
#
# Tried with pyannote.database 6.1.1 and pandas 3.1.1: an RTTM file of five turns by Ana, Nan, NA, null and None is read
# as three labels, "Ana", "Nan" and nan, which the last three turns share. In RTTM (NIST, Rich Transcription 2009) only
# <NA> stands for nothing, and it stands there as text. Guessed was five speakers: initials, and languages in which None
# is a name, are speakers, too, and a diarization error rate is then computed over fewer of them, without a word.
# Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyannote.database==6.1.1 pandas==3.1.1
"$folder/venv/bin/python" - "$folder/a.rttm" <<'PY'
import sys
from pathlib import Path

from pyannote.database.util import load_rttm

names = ["Ana", "Nan", "NA", "null", "None"]
lines = [f"SPEAKER call 1 {start}.000 1.000 <NA> <NA> {name} <NA> <NA>\n" for start, name in enumerate(names)]
Path(sys.argv[1]).write_text("".join(lines), encoding="utf-8")
turns = load_rttm(sys.argv[1])["call"]
read = [label if isinstance(label, str) else type(label) for _, _, label in turns.itertracks(yield_label=True)]
print(f"written: {names}; read: {read}, {len(turns.labels())} speakers")
sys.exit(read != ["Ana", "Nan", float, float, float] or len(turns.labels()) != 3)
PY
