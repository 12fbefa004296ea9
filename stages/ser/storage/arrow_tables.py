"""Tables of Apache Arrow, as Parquet or as Arrow's own stream or file, read some columns and some rows at a time."""

import io
import json
import math
import mmap
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ser.storage.delimited_tables import BrokenTableError

MOST_ROWS = 10**6  # more than the largest corpora have; a few bytes of Parquet can state billions
BATCH_ROWS = 8192
READ_BYTES = 2**20  # of a column at a time, not the whole column of a row group
DAMAGED = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError)


class ArrowTable:
    """A table that is read where it lies.

    Attributes
    ----------
    schema : pyarrow.Schema
    rows : int

    Raises
    ------
    BrokenTableError
        If the file is neither Parquet nor Arrow, is damaged, or has more than `MOST_ROWS` rows.
    """

    def __init__(self, file: BinaryIO, name: str):
        self.name = name
        self.parquet: pq.ParquetFile | None = None
        self.batches: list[pa.RecordBatch] = []
        try:
            if name.lower().endswith(".parquet"):
                self.parquet = pq.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False)
                self.schema, self.rows = self.parquet.schema_arrow, self.parquet.metadata.num_rows
            else:
                self.schema, self.batches = _arrow_batches(file)
                self.rows = sum(len(batch) for batch in self.batches)
            _require_utf8(self.schema)
        except DAMAGED as error:
            kind = "a Parquet table" if name.lower().endswith(".parquet") else "an Arrow table"
            raise BrokenTableError(
                f"{name} cannot be read as {kind} ({_first_line(error)}): download or save it again"
            ) from None
        if self.rows > MOST_ROWS:
            raise BrokenTableError(f"{name} states {self.rows} rows; at most {MOST_ROWS} are read: split it")

    def features(self) -> dict:
        """Return what Hugging Face's `datasets` noted of the columns; empty if nothing."""
        try:
            noted = json.loads((self.schema.metadata or {}).get(b"huggingface", b"{}"))
            features = noted["info"]["features"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}
        return features if isinstance(features, dict) else {}

    def columns(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some columns, a part of the rows at a time, and only these are read.

        A name such as ``audio.path`` is a field of a column of structures.

        Raises
        ------
        BrokenTableError
            If the table is damaged.
        """
        try:
            for batch in self._parts(names):
                chosen = {name: _field(batch, name) for name in names}
                for array in chosen.values():
                    array.validate(full=True)  # offsets of a damaged file can lead out of its memory
                yield chosen
        except DAMAGED as error:
            raise BrokenTableError(f"{self.name} is damaged ({_first_line(error)}): download it again") from None

    def _parts(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if self.parquet is None:
            yield from self.batches
        elif self.rows:
            yield from self.parquet.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False)


def value_text(value: object) -> str:
    """Return a value as a table of text has it: whole numbers without ``.0``, nothing for null and not-a-number."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text(part) for part in value)
    if isinstance(value, (str, int, Decimal, date, datetime, time)):
        return str(value)
    return ""


def _arrow_batches(file: BinaryIO) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """Return the batches of an Arrow stream or file; of a file on disk they are no more than places in it."""
    try:
        buffer = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (io.UnsupportedOperation, AttributeError):
        buffer = pa.py_buffer(file.read())
    if buffer.slice(0, 6).to_pybytes() == b"ARROW1":
        reader = pa.ipc.open_file(buffer)
        return reader.schema, [reader.get_batch(number) for number in range(reader.num_record_batches)]
    reader = pa.ipc.open_stream(buffer)
    return reader.schema, list(reader)


def _require_utf8(fields: pa.Schema | pa.StructType) -> None:
    for field in fields:
        if field.name and pa.types.is_struct(field.type):
            _require_utf8(field.type)


def _field(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name in batch.schema.names:
        return batch.column(batch.schema.names.index(name))
    outer, _, inner = name.rpartition(".")
    array = batch.column(batch.schema.names.index(outer))
    array.validate(full=True)
    return array.flatten()[array.type.get_field_index(inner)]  # with the nulls of the structure


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
