"""Data sets of Hugging Face as tables that hold the audio: Parquet shards, and folders that `save_to_disk` wrote."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import pyarrow as pa

from ser.annotations.file_paths import below, folds_of, match_files
from ser.annotations.hub_columns import Columns, class_name, described_classes, find_columns, named_classes
from ser.annotations.records import Files, Reading, Record, blank_values
from ser.storage.arrow_tables import value_text
from ser.storage.audio_tables import AUDIO_TABLES, AudioTable, source_of
from ser.storage.delimited_tables import BrokenTableError

SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.(parquet|arrow)")
SPLIT_COLUMNS = ("split", "partition", "subset", "set")


class _Row(NamedTuple):
    values: dict[str, str]
    where: str
    reason: str
    inside: bool  # whether the file lies in the table
    split: str


def claims(names: Sequence[str]) -> bool:
    """Say whether files of these names may be tables that hold audio; `read_records` looks into them."""
    return bool(_tables(names))


def read_records(files: Files, columns: Mapping[str, str] | None = None) -> Reading:
    """Read the rows of all tables that hold audio, or paths of it that the tables' own notes call audio.

    Parameters
    ----------
    files : Files
    columns : mapping of str to str, optional
        What the user calls the columns.

    Returns
    -------
    Reading
        Without records if no table is of this kind. A clip's path leads through its table to the row:
        ``data/train-00000-of-00002.parquet/17/a01.wav``. Rows of a test part have the fold 0.

    Raises
    ------
    BrokenTableError
        If a table cannot be read, is missing, or nobody can tell which column states the emotion.
    """
    notes, rows, labelled, others = [], [], False, []
    tables = _tables(files.names)
    _require_all_shards(files, tables)
    for name in tables:
        with closing(files.open(name)) as file:
            table = AudioTable(file, name)
            if not table.column:
                others.append(name)
                continue
            found = _meaning(table, files, columns or {})
            labelled |= "emotion" in found.by_field
            rows += _rows(table, found, notes)
    if rows and others:
        notes.append(f"without audio, and not read: {', '.join(others[:5])}{' …' if len(others) > 5 else ''}")
    if rows and not labelled:
        notes.append("no column of the tables states an emotion")
    notes += _missing_shards(tables)
    return Reading(_records(rows, files), tuple(dict.fromkeys(notes)), labelled)


def _tables(names: Sequence[str]) -> list[str]:
    """List tables, without what `datasets` keeps of its computations and the tables that lie beside audio files."""
    found = []
    for name in names:
        last = name.rsplit("/", 1)[-1].lower()
        if last.endswith(AUDIO_TABLES) and not last.startswith("cache-") and last != "metadata.parquet":
            found.append(name)
    return found


def _meaning(table: AudioTable, files: Files, stated: Mapping[str, str]) -> Columns:
    name, schema = table.table.name, table.table.schema
    repeated = [column for column, count in Counter(schema.names).items() if count > 1]
    if repeated:
        raise BrokenTableError(f"{name} has the column {repeated[0]} more than once: keep one of them")
    classes = named_classes(table.table.features())
    texts = [field.name for field in schema if _is_text(field.type)]
    header = [column for column in schema.names if column != table.column]
    numbers = {field.name for field in schema if pa.types.is_integer(field.type) and field.name not in classes}
    for described in described_classes(files, name) if numbers else ():
        for column, names in described.items():
            if column in numbers and classes.setdefault(column, names) != names:
                raise BrokenTableError(
                    f"the descriptions of {name} name the classes of {column} in two ways ({', '.join(names[:5])}, …; "
                    f"{', '.join(classes[column][:5])}, …): keep the one that is right"
                )
    found = find_columns(header, classes, stated, texts)
    candidates = [column for column in classes if column not in found.by_field.values()]
    if "emotion" not in found.by_field and len(candidates) > 1:
        raise BrokenTableError(
            f"{name} has several columns of classes ({', '.join(candidates)}): say in prepare.manifest.emotion which "
            "one is the emotion"
        )
    return found


def _rows(table: AudioTable, found: Columns, notes: list[str]) -> Iterator[_Row]:
    name, schema = table.table.name, table.table.schema
    by_field = found.by_field
    if unused := [by_field[field] for field in ("start", "end") if field in by_field]:
        notes.append(f"{' and '.join(unused)} not used: each row holds its own file")
    by_field = {field: column for field, column in by_field.items() if field not in ("path", "start", "end")}
    emotion = by_field.get("emotion", "")
    if emotion and pa.types.is_integer(schema.field(emotion).type) and emotion not in found.classes:
        notes.append(f"{name} does not say what the numbers in {emotion} stand for: they are the labels")
    split = next((column for column in schema.names if column.lower() in SPLIT_COLUMNS), "")
    needed = dict.fromkeys([*by_field.values(), table.path_column, split])
    needed = [column for column in needed if column]
    inside = iter(table.have_bytes())
    start = 0
    for part in table.table.columns(needed) if needed else ():
        lists = {column: array.to_pylist() for column, array in part.items()}
        for index in range(len(next(iter(lists.values())))):
            row = {column: values[index] for column, values in lists.items()}
            values, reason = _values(row, by_field, found.classes)
            held = next(inside, False)
            published = value_text(row.get(table.path_column))
            values["path"] = source_of(name, start + index, published) if held else published
            if not held and not published:
                values["path"], reason = source_of(name, start + index, ""), "neither a file nor a path of one"
            yield _Row(values, f"{name}, row {start + index}", reason, held, value_text(row.get(split)))
        start += len(next(iter(lists.values())))
    if not needed:
        for row, held in enumerate(inside):
            reason = "" if held else "neither a file nor a path of one"
            yield _Row(blank_values(path=source_of(name, row, "")), f"{name}, row {row}", reason, held, "")


def _values(row: Mapping[str, object], by_field: Mapping[str, str], classes: Mapping[str, list[str]]) -> tuple:
    """Return values by field and why the row cannot be used."""
    values, reasons = blank_values(), []
    for field, column in by_field.items():
        value = row[column]
        if isinstance(value, list):
            value = [part for part in value if part is not None]
            if field == "emotion" and len(value) > 1:
                reasons.append(f"{len(value)} labels; one is read")
            value = value[0] if value else None
        if column in classes:
            values[field], why = class_name(value, classes[column])
            if field == "emotion" and why:
                reasons.append(why)
        else:
            values[field] = value_text(value).strip()
    return values, reasons[0] if reasons else ""


def _records(rows: Sequence[_Row], files: Files) -> list[Record]:
    """Return the records, files that lie beside the tables found, and the test part as a fold."""
    names = set(files.names)
    outside = {}
    for row in rows:
        if not row.inside and not row.reason:
            folder = row.where.rpartition("/")[0]
            nearby = (below(folder, row.values["path"]), below("", row.values["path"]))
            outside[row.values["path"]] = next((path for path in nearby if path in names), "")
    lost = match_files((path for path, found in outside.items() if not found), files.names)
    parts = [(row.split or row.where.split(", row ")[0]) for row in rows]
    folds = folds_of(parts)
    records = []
    for row, part in zip(rows, parts, strict=True):
        values, reason = row.values, row.reason
        if not row.inside and not reason:
            found = outside[values["path"]] or lost[values["path"]]
            reason = "" if found else "the table holds its path only, and the corpus no such file"
            values = values | {"path": found or values["path"]}
        if not values["fold"]:
            values = values | {"fold": folds[part]}
        records.append(Record(values, row.where, reason))
    return records


def _require_all_shards(files: Files, tables: Sequence[str]) -> None:
    """Refuse a folder of `save_to_disk` that lacks tables which its state.json names."""
    for state in (name for name in files.names if name.rsplit("/", 1)[-1] == "state.json"):
        with files.open(state) as file:
            content = file.read(2**20)
        folder = state.rpartition("/")[0]
        try:
            named = [f"{folder}/{part['filename']}".lstrip("/") for part in json.loads(content)["_data_files"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        missing = [name for name in named if name not in set(tables)]
        if missing and len(missing) < len(named):  # the state.json of another program names none of the tables
            raise BrokenTableError(f"{state} names {missing[0]}, which is not there: save or download it again")


def _missing_shards(tables: Sequence[str]) -> Iterator[str]:
    there = Counter()
    for match in filter(None, map(SHARD.fullmatch, tables)):
        there[match[1], int(match[3])] += 1
    for (name, count), found in there.items():
        if found < count:
            yield f"{found} of the {count} parts of {name} are there"


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
