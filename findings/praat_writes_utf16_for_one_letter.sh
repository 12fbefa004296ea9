#!/usr/bin/env bash
# Praat saves a TextGrid as ASCII, and in UTF-16 as soon as one character of one label is not in it: the encoding changes
# from file to file of a corpus with what is written in it, and readers that open them as UTF-8 read only some.
#
# Tried with praat-parselmouth 0.4.7 (Praat 6.1.38), which saves by Praat's own "Save as text file": a TextGrid whose one
# label is anger has the bytes of UTF-8; with Ärger, neşe or 愤怒 it begins with FE FF, the mark of UTF-16, big-endian,
# and is no UTF-8. Guessed was UTF-8, or Latin-1 where that will do. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check praat-parselmouth==0.4.7
"$folder/venv/bin/python" - "$folder/a.TextGrid" <<'PY'
import sys
from pathlib import Path

from parselmouth.praat import call

path = Path(sys.argv[1])
seen = {}
for label in ("anger", "Ärger", "neşe", "愤怒"):
    grid = call("Create TextGrid", 0, 1, "emotion", "")
    call(grid, "Set interval text...", 1, 1, label)
    call(grid, "Save as text file...", str(path))
    content = path.read_bytes()
    try:
        seen[label] = "UTF-8" if label in content.decode() else "other text"
    except UnicodeDecodeError:
        seen[label] = "UTF-16" if content.startswith(b"\xfe\xff") and label in content.decode("utf-16") else "neither"
print(seen)
sys.exit(seen != {"anger": "UTF-8", "Ärger": "UTF-16", "neşe": "UTF-16", "愤怒": "UTF-16"})
PY
