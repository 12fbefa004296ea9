"""A table of labels in a folder with the files that it is about, wherever below it these lie."""

import posixpath
from collections.abc import Mapping, Sequence
from contextlib import closing

from ser.annotations.file_paths import below, folds_of, match_files, normal
from ser.annotations.manifest_columns import OtherTableError
from ser.annotations.manifests import read_manifest
from ser.annotations.records import Files, Reading, Record
from ser.storage.delimited_tables import BrokenTableError

SUFFIXES = (".csv", ".tsv", ".parquet")
NOT_READ = (".xlsx", ".xls", ".ods", ".numbers", ".json", ".jsonl", ".tab")  # that people keep labels in
SHOWN = 3  # tables in a message
MOST_TABLES = 64  # that are looked into: more are the features of single clips, say


def read_tables_beside(files: Files, columns: Mapping[str, str]) -> Reading:
    """Read the tables among files that have columns for a path and an emotion.

    A path is relative to its table, or is found by its last parts, with or without its suffix. A clip that two tables
    name, such as ``all.csv`` and ``train.csv``, is read once, or is refused where they contradict each other.

    Parameters
    ----------
    files : Files
    columns : mapping of str to str
        What the user calls the columns.

    Returns
    -------
    Reading
        Without records if no table is of this kind; one that is broken, or has
        an emotion and no path, or a path and a speaker and no emotion, is in the notes.
    """
    tables = [name for name in files.names if name.lower().endswith(SUFFIXES)]
    records, notes = [], []
    if len(tables) > MOST_TABLES:
        return Reading([], (f"{len(tables)} tables are not looked into",), labelled=False)
    for name in tables:
        try:
            with closing(files.open(name)) as file:
                found, note = read_manifest(file, name, columns)
        except OtherTableError as error:
            notes += [f"not read: {error}"] if error.telling else []
            continue
        except BrokenTableError as error:
            notes.append(f"not read: {error}")
            continue
        records += found
        notes += [note] if note else []
    if not records:
        return Reading([], tuple(notes), labelled=False)
    folds = folds_of(tables)
    named = _with_files(records, files.names)
    placed = [
        record._replace(values=record.values | {"fold": record.values["fold"] or folds[_table(record)]})
        for record in named
    ]
    return Reading(_once(placed), tuple(notes))


def why_no_labels(files: Files, columns: Mapping[str, str]) -> list[str]:
    """Say of tables that may hold the labels, though none are read from them, why that is; of a few."""
    said = []
    for name in files.names:
        if name.lower().endswith(NOT_READ):
            said.append(f"{name} is no table that is read: save it as .csv")
        elif name.lower().endswith(SUFFIXES):
            try:
                with closing(files.open(name)) as file:
                    read_manifest(file, name, columns)
            except BrokenTableError as error:  # other ones are in the notes
                said += [str(error)] if isinstance(error, OtherTableError) and not error.telling else []
        if len(said) == SHOWN:
            break
    return said


def _with_files(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """Return records with the paths of the files that they mean; of one that is not there the path stays."""
    written = [
        below(posixpath.dirname(_table(record)), record.values["path"]) or record.values["path"] for record in records
    ]
    found = match_files(written, names)
    stems = {posixpath.splitext(name)[0]: name for name in names if not name.lower().endswith(SUFFIXES)}
    by_stem = match_files([path for path in written if not found[path]], list(stems))
    files = {path: name or stems.get(by_stem[path], normal(path)) for path, name in found.items() if path}
    return [
        record._replace(values=record.values | {"path": files.get(path, "")})
        for record, path in zip(records, written, strict=True)
    ]


def _once(records: Sequence[Record]) -> list[Record]:
    """Return records of which no two are about one piece of a file, with a reason where they contradict each other."""
    first: dict[tuple[str, ...], int] = {}
    once: list[Record] = []
    for record in records:
        piece = tuple(record.values[field] for field in ("path", "start", "end", "channel"))
        if record.reason or not piece[0] or piece not in first:
            if not record.reason and piece[0]:
                first[piece] = len(once)
            once.append(record)
            continue
        other = once[first[piece]]
        if not other.values["fold"]:  # all.csv states none, test.csv does
            other = once[first[piece]] = other._replace(values=other.values | {"fold": record.values["fold"]})
        differ = [field for field in ("emotion", "speaker") if other.values[field] != record.values[field]]
        if differ:
            reason = f"{other.where} and {record.where} state another {' and '.join(differ)} of it: mend one of them"
            once[first[piece]] = other._replace(reason=reason)
    return once


def _table(record: Record) -> str:
    return record.where.rsplit(", ", 1)[0]
