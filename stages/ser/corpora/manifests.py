"""A corpus that is a table: a row a clip, with the path of its file and its labels."""

import csv
import os
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd
from pyarrow import ArrowException

from ser.corpora.emotion_words import EMOTIONS, emotion_of_word
from ser.corpora.labels import Labels, UnusableNameError
from ser.errors import InputError

FIELDS = ("path", "emotion", "speaker", "sex", "language", "statement", "intensity", "fold", "global_speaker")
NEEDED = ("path", "emotion")
SEPARATORS = ",\t;"  # of a .csv, a .tsv, and a .csv of a spreadsheet where the comma is a decimal point
MISSING = {"nan", "none", "null", "na", "n/a", "<na>"}
SEXES = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


class Row(NamedTuple):
    """A row of a manifest: what it says by `FIELDS`, and why it cannot be used (empty if it can)."""

    values: dict[str, str]
    reason: str = ""


def read_manifest(file: Path, columns: dict[str, str]) -> list[Row]:
    """Read the rows of a manifest.

    Parameters
    ----------
    file : Path
        A table with a header: ``.csv`` or ``.tsv`` (UTF-8, with commas, tabs or semicolons) or ``.parquet``.
    columns : dict of str to str
        What the columns of `FIELDS` are called there.

    Raises
    ------
    InputError
        If it is no table, lacks the path or the emotion, or states the global speaker of some clips of a speaker only.
    """
    header, records = _read_parquet(file) if file.suffix.lower() == ".parquet" else _read_text(file)
    missing = [columns[field] for field in NEEDED if columns[field] not in header]
    if missing:
        raise InputError(
            f"{file} has no column {' and no '.join(missing)}, only {', '.join(header)}: say in "
            "prepare.manifest what they are called"
        )
    rows, seen = [], {}
    for number, (record, reason) in enumerate(records, start=2):  # as an editor counts lines: the header is the first
        values = {field: _known(record.get(columns[field], "")) for field in FIELDS}
        if any(ord(character) < 32 for value in values.values() for character in value):
            reason = "a line break or another control character in a value (a quotation mark that is not closed?)"
        if not reason and not values["path"]:
            reason = "no path"
        path = os.path.normpath(values["path"].replace("\\", "/"))
        if not reason and path in seen:
            first = seen[path]
            same = rows[first].values == values | {"path": rows[first].values["path"]}
            reason = f"row {first + 2} says the same" if same else f"row {first + 2} has the same path and other labels"
            if not same and not rows[first].reason:  # nobody can tell which of the two is right
                rows[first] = Row(rows[first].values, f"row {number} has the same path and other labels")
        else:
            seen[path] = number - 2
        rows.append(Row(values, f"row {number}: {reason}" if reason else ""))
    stating = {row.values["speaker"] for row in rows if row.values["global_speaker"]}
    parted = [row.values["speaker"] for row in rows if row.values["speaker"] and not row.values["global_speaker"]]
    if both := next((speaker for speaker in parted if speaker in stating), ""):
        raise InputError(
            f"{file}: {columns['global_speaker']} is stated in some rows of the speaker {both} and not in others, "
            "which would make two people: state it in all"
        )
    return rows


def labels_of(values: dict[str, str]) -> Labels:
    """Return the labels that a row states.

    Raises
    ------
    UnusableNameError
        If its emotion is none that is known, or its fold is no number.
    """
    emotion = emotion_of_word(values["emotion"])
    if emotion is None:
        said = f"the emotion {values['emotion']!r} is none of" if values["emotion"] else "no emotion, which is one of"
        raise UnusableNameError(f"{said} {', '.join(EMOTIONS)}")
    if values["fold"] and not values["fold"].isdecimal():
        raise UnusableNameError(f"the fold {values['fold']!r} is no number from 0")
    sex = values["sex"].lower()
    return Labels(
        speaker=values["speaker"],
        sex=SEXES.get(sex, sex),
        emotion=emotion,
        intensity=values["intensity"],
        statement=values["statement"],
        language=values["language"],
        fold=str(int(values["fold"])) if values["fold"] else "",
        global_speaker=values["global_speaker"],
    )


def place_of(path: str, folder: Path) -> tuple[PurePosixPath, str]:
    """Return the path of a row without what leads out of its folder, and its source.

    The source is relative to `folder`, that of the manifest, as long as the file lies below it.
    """
    path = path.replace("\\", "/")
    inside = PurePosixPath(os.path.normpath(path))
    if inside.is_absolute() and inside.is_relative_to(folder.absolute().as_posix()):
        inside = inside.relative_to(folder.absolute().as_posix())
    return PurePosixPath(*(part for part in inside.parts if part not in ("/", ".."))), inside.as_posix()


def _known(value: str) -> str:
    """Return a value as it was meant: empty if it is missing, and without the ``.0`` of a column that has gaps."""
    value = value.strip()
    return "" if value.lower() in MISSING else re.sub(r"^(\d+)\.0$", r"\1", value)


def _read_text(path: Path) -> tuple[list[str], list[tuple[dict[str, str], str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=max(SEPARATORS, key=first.count))
            header = [name.strip() for name in next(lines, [])]
            return header, [_record(header, line) for line in lines if line]
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8: save it as UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path} is no table ({error})") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _record(header: list[str], line: list[str]) -> tuple[dict[str, str], str]:
    record = dict(zip(header, line, strict=False))
    if len(line) == len(header):
        return record, ""
    return record, f"{len(line)} values for {len(header)} columns: put quotation marks around a value with a comma"


def _read_parquet(path: Path) -> tuple[list[str], list[tuple[dict[str, str], str]]]:
    try:
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no Parquet table ({error})") from None
    records = table.astype(object).where(table.notna(), "").astype(str).to_dict("records")
    return [str(name) for name in table.columns], [(record, "") for record in records]
