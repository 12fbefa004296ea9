"""Tables of audformat databases, as CSV or Parquet: rows by file and piece."""

import re
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

import pyarrow as pa

from ser.annotations.piece_times import seconds_text, why_no_piece
from ser.annotations.records import Files
from ser.storage.arrow_tables import DAMAGED, ArrowTable, value_text
from ser.storage.delimited_tables import BrokenTableError
from ser.storage.delimited_tables import read_table as read_delimited

DURATION = re.compile(r"(-?)(?:(\d{1,5}) days?,? ?)?(?:\+?(\d{1,6}):(\d{1,2}):(\d{1,2}(?:\.\d{1,12})?))?")
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
MOST_BYTES = 512 * 2**20  # of a table of text
NO_TIME = ("", "NaT", "nan", "NaN")


class Piece(NamedTuple):
    """A file, or a part of it: from and to in seconds as text, both empty for the whole."""

    file: str
    start: str = ""
    end: str = ""


class Row(NamedTuple):
    """A row of a table: of which piece, its values by column, where it is, and why it cannot be used."""

    piece: Piece
    values: dict[str, str]
    where: str
    reason: str


def read_table(files: Files, stem: str) -> tuple[list[Row], str]:
    """Read a table, whatever it is kept as, and return its rows and what to say of it.

    Parameters
    ----------
    files : Files
    stem : str
        Its path without the suffix, such as ``emodb/db.emotion``.

    Raises
    ------
    BrokenTableError
        If there is no such table, or only as a pickle, or it cannot be read.
    """
    kept = [suffix for suffix in (".csv", ".parquet") if stem + suffix in set(files.names)]
    if not kept:
        if stem + ".pkl" in files.names:
            raise BrokenTableError(
                f"{stem}.pkl is a pickle, which can run any code and is not read: save the database with "
                "storage_format='csv'"
            )
        raise BrokenTableError(f"neither {stem}.csv nor {stem}.parquet is there, and db.yaml names this table")
    found = [_read(files, stem + suffix) for suffix in kept]
    note = _difference(stem, *found) if len(found) == 2 else ""
    return found[0], note


def duration_text(written: str) -> str:
    """Return a time as audformat writes it (``0 days 00:00:01.500000``) in seconds; empty if there is none.

    Raises
    ------
    ValueError
        If it is none; the message says so.
    """
    written = written.strip()
    if written in NO_TIME:
        return ""
    match = DURATION.fullmatch(written)
    if match is None:
        return seconds_text(written)
    sign, days, hours, minutes, seconds = match.groups()
    total = int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
    if sign:
        raise ValueError(f"{written} is before the begin of the file")
    return seconds_text(total)


def _read(files: Files, name: str) -> list[Row]:
    with closing(files.open(name)) as file:
        if name.endswith(".parquet"):
            return [_row(*row) for row in _parquet_rows(ArrowTable(file, name))]
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenTableError(f"{name} is larger than {MOST_BYTES // 2**20} MiB: split it")
    header, rows = read_delimited(content, name, expected=("file", "start", "end"))
    return [_row(f"{name}, line {r.line}", dict(zip(header, r.values, strict=False)), r.reason) for r in rows]


def _row(where: str, values: dict[str, str], reason: str) -> Row:
    values = {column: value.strip() for column, value in values.items()}
    start = end = ""
    try:
        start, end = (duration_text(values.get(column, "")) for column in ("start", "end"))
        reason = reason or why_no_piece(start, end)
    except ValueError as error:
        reason = reason or str(error)
    if float(start or 0) == 0 and not end:
        start = ""
    elif end:
        start = start or "0"
    return Row(Piece(values.get("file", ""), start, end), values, where, reason)


def _parquet_rows(table: ArrowTable) -> list[tuple[str, dict[str, str], str]]:
    rows = []
    for part in table.columns(table.schema.names):
        lists = {column: _texts(array, table.name) for column, array in part.items()}
        for values in zip(*lists.values(), strict=True):
            rows.append((f"{table.name}, row {len(rows)}", dict(zip(lists, values, strict=True)), ""))
    return rows


def _texts(array: pa.Array, name: str) -> list[str]:
    try:
        if pa.types.is_duration(array.type):
            unit = UNITS[array.type.unit]
            return ["" if value is None else value_text(value / unit) for value in array.cast(pa.int64()).to_pylist()]
        return [value_text(value) for value in array.to_pylist()]
    except DAMAGED as error:
        raise BrokenTableError(f"{name} cannot be read ({error}): save the database again") from None


def _difference(stem: str, text: Sequence[Row], parquet: Sequence[Row]) -> str:
    """Say how a table that is kept twice differs; empty if it does not."""
    other = {row.piece: _compared(row) for row in parquet}
    differing = [row.piece.file for row in text if other.get(row.piece) != _compared(row)]
    differing += [piece.file for piece in other.keys() - {row.piece for row in text}]
    if not differing:
        return ""
    return (
        f"{stem}.csv and {stem}.parquet differ in {len(differing)} rows (the first is of {differing[0]}): the CSV is "
        "read, which is what people edit, and audformat would read the Parquet; delete the one that is out of date"
    )


def _compared(row: Row) -> dict[str, str]:
    """Return the values of a row as they are compared between two notations."""
    compared = {}
    for column, value in row.values.items():
        if column not in ("file", "start", "end"):
            try:
                compared[column] = value_text(float(value))
            except ValueError:
                compared[column] = value.lower() if value in ("True", "False") else value
    return compared
