"""Columns of Parquet tables as texts."""

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ser.annotations.manifest_values import plain_seconds
from ser.storage.delimited_tables import BrokenTableError

MOST_ROWS = 20_000_000
ROWS_AT_A_TIME = 2**16


def parquet_header(file: BinaryIO, name: str) -> list[str]:
    """Return the names of a Parquet table's columns.

    Raises
    ------
    BrokenTableError
        If it is none, has a column twice, or no rows.
    """
    parquet = _opened(file, name)
    try:
        header, rows = [str(column) for column in parquet.schema_arrow.names], parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenTableError(f"{name} is no Parquet table ({_line(error)})") from None
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise BrokenTableError(f"{name}: the column {twice[0]} is there twice: rename one, or take it away")
    if not 0 < rows <= MOST_ROWS:
        raise BrokenTableError(f"{name} has {rows} rows: a table has 1 to {MOST_ROWS:,}")
    return header


def parquet_texts(file: BinaryIO, name: str, columns: Sequence[str]) -> list[list[str]]:
    """Return columns of a Parquet table as texts; what is not there is empty.

    Raises
    ------
    BrokenTableError
        If the table is damaged, or a column holds no single values.
    """
    schema = _opened(file, name).schema_arrow
    for column in columns:
        if pa.types.is_nested(schema.field(column).type):
            raise BrokenTableError(f"{name}: the column {column} holds {_line(schema.field(column).type)}, no texts")
    texts: list[list[str]] = [[] for _ in columns]
    # as numbered words: a text that is there often is then there once
    parquet = _opened(file, name, [column for column in columns if _is_text(schema.field(column).type)])
    try:
        for batch in parquet.iter_batches(ROWS_AT_A_TIME, columns=list(columns)):
            for column, known in zip(columns, texts, strict=True):
                known += _texts(batch.column(batch.schema.get_field_index(column)))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BrokenTableError(f"{name} is a damaged Parquet table ({_line(error)})") from None
    if any(len(known) != parquet.metadata.num_rows for known in texts):
        raise BrokenTableError(f"{name} is a damaged Parquet table: its columns are of unequal lengths")
    return texts


def _opened(file: BinaryIO, name: str, often: list[str] | None = None) -> pq.ParquetFile:
    try:
        file.seek(0)
        return pq.ParquetFile(file, read_dictionary=often)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenTableError(f"{name} is no Parquet table ({_line(error)})") from None


def _texts(array: pa.Array) -> list[str]:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _texts(array.storage)
    if pa.types.is_dictionary(kind):
        words = _texts(array.dictionary)
        return ["" if place is None else words[place] for place in array.indices.to_pylist()]
    if pa.types.is_floating(kind):
        return ["" if value is None or math.isnan(value) else repr(float(value)) for value in array.to_pylist()]
    if pa.types.is_boolean(kind):  # as pandas writes them
        return ["" if value is None else str(value) for value in array.to_pylist()]
    if pa.types.is_duration(kind):
        ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        values = array.cast(pa.int64()).to_pylist()
        return ["" if value is None else plain_seconds(Decimal(value) / ticks) for value in values]
    return ["" if value is None else value for value in array.cast(pa.string()).to_pylist()]


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _line(what: object) -> str:
    return " ".join(str(what).split())[:200]
