"""Manifests: tables with a row a clip, by whatever names and in whatever notation, to records."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import BinaryIO

from ser.annotations.manifest_columns import EXPECTED, Columns, choose_columns
from ser.annotations.manifest_values import (
    MISSING_WORDS,
    NOTHING,
    by_value,
    channel_of,
    fold_of,
    meant,
    plain_seconds,
    seconds_of,
    sex_of,
    shown,
    without_fractions,
)
from ser.annotations.records import FIELDS, Record
from ser.storage.delimited_tables import BrokenTableError, read_table

PARQUET_SUFFIXES = (".parquet", ".pq")
TIMES = ("start", "end", "duration")
READERS = {"sex": sex_of, "fold": fold_of, "channel": channel_of} | dict.fromkeys(TIMES, seconds_of)


def read_manifest(file: BinaryIO, name: str, columns: Mapping[str, str]) -> tuple[list[Record], str]:
    """Read the rows of a manifest.

    Parameters
    ----------
    file : binary file
        CSV or TSV (see `ser.storage.delimited_tables`) or Parquet; it can seek.
    name : str
        Of the table, for messages and for its kind.
    columns : mapping of str to str
        What the columns of `FIELDS` are called there, see `ser.annotations.manifest_columns`.

    Returns
    -------
    records : list of Record
        One a row, in their order; a reason begins with ``row 5:``, a line of the text or a row of the Parquet table.
    note : str
        What was read by another name, and how many names look like missing values; empty if nothing is to be said.

    Raises
    ------
    BrokenTableError
        If it is no table, lacks the path or the emotion, may mean several columns, counts channels from 0, or states
        the global speaker of some clips of a speaker only.
    """
    if name.lower().endswith(PARQUET_SUFFIXES):
        from ser.annotations.parquet_tables import parquet_header, parquet_texts  # pyarrow is slow to import

        header = parquet_header(file, name)
        chosen = choose_columns(header, columns, name)
        needed = _needed(chosen)
        texts = parquet_texts(file, name, [header[place] for place in needed.values()])
        stated = dict(zip(needed, texts, strict=True))
        return _records(stated, range(1, len(texts[0]) + 1), {}, name, "row", chosen.notes)
    table = read_table(file.read(), name, expected=EXPECTED | set(columns.values()))
    chosen = choose_columns(table.header, columns, name)
    stated = {
        field: [row.values[place] if place < len(row.values) else "" for row in table.rows]
        for field, place in _needed(chosen).items()
    }
    lines = [row.line for row in table.rows]
    reasons = {place: row.reason for place, row in enumerate(table.rows) if row.reason}
    del table
    return _records(stated, lines, reasons, name, "line", chosen.notes)


def _needed(chosen: Columns) -> dict[str, int]:
    return chosen.places if chosen.duration is None else chosen.places | {"duration": chosen.duration}


def _records(
    stated: dict[str, list[str]], lines: Sequence[int], reasons: dict[int, str], name: str, unit: str, notes: list[str]
) -> tuple[list[Record], str]:
    """Return records and note of a table whose columns are by field; `reasons` by row is what is wrong already."""
    for place in reasons:  # the values of a row that does not fit the header may be another column's
        for field in stated.keys() - {"path"}:
            stated[field][place] = ""
    faults = dict(reasons)
    nobody = Counter(value for value in map(str.strip, stated.get("speaker", ())) if value in NOTHING)
    for field in list(stated):
        stated[field] = _understood(field, stated[field], faults, name, lines)
    _complete_ends(stated, faults)
    for field, value in (("path", "no path"), ("emotion", "no emotion")):
        for place, known in enumerate(stated[field]):
            if not known:
                faults.setdefault(place, value)
    nothing = [""] * len(lines)
    columns = [stated.get(field, nothing) for field in FIELDS]
    rows = [dict(zip(FIELDS, values, strict=True)) for values in zip(*columns, strict=True)]
    _mark_repeated(rows, faults, lines)
    _require_whole_identities(rows, name)
    records = [
        Record(values, f"{name}, {unit} {line}", f"row {line}: {faults[place]}" if place in faults else "")
        for place, (line, values) in enumerate(zip(lines, rows, strict=True))
    ]
    return records, _note(name, notes, stated, nobody)


def _understood(field: str, values: list[str], faults: dict[int, str], name: str, lines: Sequence[int]) -> list[str]:
    """Return what the values of a column mean, and note what is wrong with those that mean nothing."""
    clean, wrong = by_value(values, meant)
    if field not in ("path", *TIMES):
        whole = without_fractions(clean.values())
        clean = {value: whole.get(known, known) for value, known in clean.items()}
    if field != "path":
        wrong |= {
            value: f"the {field} {shown(known)} has a quotation mark without another that closes or opens it"
            for value, known in clean.items()
            if known.count('"') % 2
        }
    if field in TIMES and any("." in known for known in clean.values()):  # a comma may then part thousands
        said = "has a comma where others of its column have a point"
        wrong |= {value: f"the time {shown(known)} {said}" for value, known in clean.items() if "," in known}
    if field == "channel" and "0" in clean.values():
        line = next(line for line, value in zip(lines, values, strict=True) if clean[value] == "0")
        raise BrokenTableError(f"{name}, row {line}: the channel is 0, and channels count from 1 (or: left, right)")
    if read := READERS.get(field):
        known, unread = by_value(clean.values(), read)
        wrong = {value: unread[seen] for value, seen in clean.items() if seen in unread} | wrong
        clean = {value: known[seen] for value, seen in clean.items()}
    if wrong:
        for place, value in enumerate(values):
            if value in wrong:
                faults.setdefault(place, wrong[value])
    return [clean[value] for value in values]


def _complete_ends(stated: dict[str, list[str]], faults: dict[int, str]) -> None:
    """Put the end of pieces that have a duration, and note those that end before they start."""
    if "duration" in stated:
        pairs = zip(stated["start"], stated.pop("duration"), strict=True)
        stated["end"] = [plain_seconds(Decimal(at) + Decimal(span)) if at and span else "" for at, span in pairs]
    for place, end in enumerate(stated.get("end", ())):
        start = (stated["start"][place] if "start" in stated else "") or "0"
        if end and Decimal(end) <= Decimal(start):
            faults.setdefault(place, f"the end ({end} s) is not after the start ({start} s)")


def _mark_repeated(rows: Sequence[dict[str, str]], faults: dict[int, str], lines: Sequence[int]) -> None:
    """Note the rows that state the same piece of a file as another one."""
    pieces = any(values["start"] or values["end"] or values["channel"] for values in rows)
    seen: dict[object, int] = {}
    for place, values in enumerate(rows):
        if place in faults:
            continue
        path = _one_spelling(values["path"])
        key = (path, values["start"] or "0", values["end"], values["channel"]) if pieces else path
        first = seen.setdefault(key, place)
        if first == place:
            continue
        labels = [{k: v for k, v in row.items() if k not in ("path", "start")} for row in (rows[first], values)]
        if labels[0] == labels[1]:
            faults[place] = f"row {lines[first]} says the same"
            continue
        what = "path" if not pieces else "piece of a file"
        faults[place] = f"row {lines[first]} has the same {what} and other labels"
        faults.setdefault(first, f"row {lines[place]} has the same {what} and other labels")  # which is right?


def _one_spelling(path: str) -> str:
    plain = not ("\\" in path or "//" in path or "/." in path or path.startswith(".") or path.endswith("/"))
    return path if plain else os.path.normpath(path.replace("\\", "/"))


def _require_whole_identities(rows: Iterable[dict[str, str]], name: str) -> None:
    """Refuse a speaker of whose clips some have a global speaker."""
    stating = {values["speaker"] for values in rows if values["global_speaker"]}
    if not stating:
        return
    parted = (values["speaker"] for values in rows if values["speaker"] and not values["global_speaker"])
    if both := next((speaker for speaker in parted if speaker in stating), ""):
        raise BrokenTableError(
            f"{name}: the global speaker is stated in some rows of the speaker {both} and not in others, which would "
            "make two people: state it in all"
        )


def _note(name: str, notes: Iterable[str], stated: Mapping[str, list[str]], nobody: Mapping[str, int]) -> str:
    """Return in one line what was read by another name, and how many names look like missing values, or are."""
    said = [f"read {', '.join(notes)}"] if notes else []
    for field in ("emotion", "speaker"):
        counts = Counter(stated.get(field, ()))
        words = {word: count for word, count in counts.items() if word.casefold() in MISSING_WORDS}
        if words:
            said.append(f"taken as names of the {field}: {_listed(words)}; leave a cell empty where it is unknown")
    if nobody:
        said.append(f"taken as unknown speakers, as pandas means them: {_listed(nobody)}")
    return f"{name}: {'; '.join(said)}" if said else ""


def _listed(words: Mapping[str, int]) -> str:
    return ", ".join(f"{word} ({count})" for word, count in sorted(words.items()))
