#!/usr/bin/env bash
# praatio finds the intervals of a TextGrid by searching its text for "intervals [", also within labels: a label that
# holds these words makes a valid file unreadable, which Praat itself reads.
#
# Tried with praatio 6.2.2 and, for Praat's own reader, praat-parselmouth 0.4.7 (Praat 6.1.38): a TextGrid of two
# intervals, the first labelled "see intervals [2] below". Praat reads two intervals and that label; praatio raises
# ParsingError ("Expected field in Textgrid missing."). With the label "see interval 2 below" both read the same. Guessed
# was that a label may hold any text, as quotes around it are doubled. Exits 0 if all of this is still so, else 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check praatio==6.2.2 praat-parselmouth==0.4.7
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from pathlib import Path

import parselmouth
from parselmouth.praat import call
from praatio import textgrid

GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "notes"
        xmin = 0
        xmax = 2
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "{label}"
        intervals [2]:
            xmin = 1
            xmax = 2
            text = "second"
"""


def by_praat(path: str) -> object:
    grid = parselmouth.Data.read(path)
    count = call(grid, "Get number of intervals...", 1)
    return [call(grid, "Get label of interval...", 1, number) for number in range(1, count + 1)]


def by_praatio(path: str) -> object:
    try:
        tier = textgrid.openTextgrid(path, includeEmptyIntervals=True).getTier("notes")
    except Exception as error:
        return type(error).__name__
    return [entry.label for entry in tier.entries]


seen = {}
for label in ("see interval 2 below", "see intervals [2] below"):
    path = Path(sys.argv[1]) / "a.TextGrid"
    path.write_text(GRID.format(label=label), encoding="utf-8")
    seen[label] = by_praat(str(path)), by_praatio(str(path))
    print(f"{label!r}: Praat {seen[label][0]}, praatio {seen[label][1]}")
plain, brackets = seen
expected = {plain: ([plain, "second"], [plain, "second"]), brackets: ([brackets, "second"], "ParsingError")}
sys.exit(seen != expected)
PY
