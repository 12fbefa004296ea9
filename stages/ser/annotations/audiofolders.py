"""Audiofolders of Hugging Face: files in folders, and beside them ``metadata.csv``, ``.jsonl`` or ``.parquet``.

`datasets` forgets the folders' names as labels where such a table is, and the files that it does not list. Here the
table says what it says, and an emotion that it has no column for is left to the folders' names.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from ser.annotations.file_paths import below, folds_of, is_absolute, match_files, normal
from ser.annotations.hub_columns import class_name, described_classes, find_columns, named_classes
from ser.annotations.piece_times import seconds_text, why_no_piece
from ser.annotations.records import Files, Reading, Record, blank_values
from ser.storage.arrow_tables import ArrowTable, value_text
from ser.storage.delimited_tables import BrokenTableError, TableRow, read_table

TABLES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
PATHS = ("file_name", "audio_file_name")
NUMBER = re.compile(r"\s*-?[0-9]{1,9}\s*")
MOST_BYTES = 512 * 2**20  # of a table of text
Row = tuple[str, dict[str, str], str]  # where it is, its values by column, why it cannot be used


def claims(names: Sequence[str]) -> bool:
    """Say whether a table of an audiofolder may be among files of these names; `read_records` looks into it."""
    return bool(_tables(names))


def read_records(files: Files, columns: Mapping[str, str] | None = None) -> Reading:
    """Read the rows of all tables of an audiofolder.

    Parameters
    ----------
    files : Files
    columns : mapping of str to str, optional
        What the user calls the columns.

    Returns
    -------
    Reading
        Without records if none of the tables has a column ``file_name``: then they are tables of another kind.

    Raises
    ------
    BrokenTableError
        If a table cannot be read, or a folder has two.
    """
    notes, records, labelled = [], [], False
    tables = _tables(files.names)
    folders = [name.rpartition("/")[0] for name in tables]
    for name, folder in zip(tables, folders, strict=True):
        with closing(files.open(name)) as file:
            header, rows, classes = _read(file, name)
            path = _path_column(header, name, columns or {})
            if not path:
                notes += [f"not read: {where}: {why}" for where, _, why in rows if why][:1]
                continue
            if folders.count(folder) > 1:
                both = [table for table in tables if table.rpartition("/")[0] == folder]
                raise BrokenTableError(f"{folder or 'the corpus'} holds {' and '.join(both)}: keep one of them")
            found = find_columns([column for column in header if column != path], classes, columns or {}, header)
            emotion = found.by_field.get("emotion", "")
            labelled |= bool(emotion)
            rows = list(rows)
            if emotion and all(NUMBER.fullmatch(row[emotion]) for _, row, _ in rows if row.get(emotion)):
                for described in reversed(described_classes(files, name)):  # the nearest counts
                    classes = {emotion: described.get(emotion, [])} | classes if emotion in described else classes
            if not emotion:
                notes.append(f"{name} has no column that states an emotion: names of folders and files are asked")
            records += _records(rows, folder, path, found.by_field, classes)
    folds = folds_of(record.values["path"] for record in records)
    records = [_with_fold(record, folds) for record in _found(records, files)]
    return Reading(records, tuple(notes), labelled)


def _tables(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.rsplit("/", 1)[-1].lower() in TABLES]


def _path_column(header: Sequence[str], name: str, stated: Mapping[str, str]) -> str:
    found = [column for column in header if column in PATHS] or [c for c in header if c.endswith("_file_name")]
    if stated.get("path") in found:
        return stated["path"]
    if len(found) > 1 and "file_name" not in found:
        raise BrokenTableError(
            f"{name} names files in {' and '.join(found)}: say in prepare.manifest.path which are the clips"
        )
    return ("file_name" if "file_name" in found else found[0]) if found else ""


def _records(
    rows: Sequence[Row], folder: str, path: str, by_field: Mapping[str, str], classes: Mapping[str, list[str]]
) -> Iterator[Record]:
    for where, row, reason in rows:
        values = blank_values(**{field: row.get(column, "").strip() for field, column in by_field.items()})
        emotion = by_field.get("emotion")
        if emotion in classes:
            values["emotion"], why = class_name(values["emotion"] or None, classes[emotion])
            reason = reason or why
        written = row.get(path, "").strip()
        values["path"] = below(folder, written) or normal(written)
        if not written:
            reason = reason or f"nothing in {path}"
        elif not below(folder, written) and not is_absolute(written):
            reason = reason or f"{written} leads out of the corpus"
        try:
            times = {name: seconds_text(values[name]) if values[name] else "" for name in ("start", "end")}
            values |= times
            reason = reason or why_no_piece(times["start"], times["end"])
        except ValueError as error:
            reason = reason or str(error)
        yield Record(values, where, reason)


def _found(records: Sequence[Record], files: Files) -> Iterator[Record]:
    """Yield the records; a path of another machine is exchanged for the file here that it fits alone."""
    elsewhere = match_files((r.values["path"] for r in records if is_absolute(r.values["path"])), files.names)
    for record in records:
        path = record.values["path"]
        if path in elsewhere:
            reason = record.reason or ("" if elsewhere[path] else "no file of the corpus fits this path alone")
            record = record._replace(values=record.values | {"path": elsewhere[path] or path}, reason=reason)
        yield record


def _with_fold(record: Record, folds: Mapping[str, str]) -> Record:
    if record.values["fold"]:
        return record
    return record._replace(values=record.values | {"fold": folds.get(record.values["path"], "")})


def _read(file, name: str) -> tuple[list[str], Iterator[Row], dict[str, list[str]]]:
    """Return the columns of a table, its rows, and the names of classes by column."""
    if name.lower().endswith(".parquet"):
        table = ArrowTable(file, name)
        header = table.schema.names
        return header, _parquet_rows(table), named_classes(table.features())
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenTableError(f"{name} is larger than {MOST_BYTES // 2**20} MiB: split it")
    if name.lower().endswith(".jsonl"):
        rows = list(_json_rows(content, name))
        return list(dict.fromkeys(column for _, row, _ in rows for column in row)), iter(rows), {}
    if b"file_name" not in content[: 2**16].replace(b"\0", b""):
        return [], iter(()), {}  # a metadata.csv of another kind, such as those without a header
    header, rows = read_table(content, name, expected=PATHS)
    return header, (_text_row(name, header, row) for row in rows), {}


def _text_row(name: str, header: Sequence[str], row: TableRow) -> Row:
    return f"{name}, line {row.line}", dict(zip(header, row.values, strict=False)), row.reason


def _parquet_rows(table: ArrowTable) -> Iterator[Row]:
    number = 0
    for part in table.columns(table.schema.names):
        lists = {column: array.to_pylist() for column, array in part.items()}
        for index in range(len(next(iter(lists.values()), []))):
            yield f"{table.name}, row {number}", {key: value_text(value[index]) for key, value in lists.items()}, ""
            number += 1


def _json_rows(content: bytes, name: str) -> Iterator[Row]:
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line, parse_float=str, parse_int=str, parse_constant=lambda _: None)
            if not isinstance(row, dict):
                raise ValueError("no object in braces")
        except (ValueError, RecursionError) as error:
            yield where, {}, f"no JSON ({error})"
            continue
        row = {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in row.items()}
        yield where, {key: value_text(value) for key, value in row.items()}, ""
