"""Audio that lies in a table, as Hugging Face's `datasets` keeps it: a clip a row, its file's bytes in a column."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO

import pyarrow as pa

from ser.storage.arrow_tables import DAMAGED, ArrowTable
from ser.storage.delimited_tables import BrokenTableError

AUDIO_TABLES = (".parquet", ".arrow")
AUDIO_COLUMNS = ("audio", "audio_bytes", "bytes", "wav", "speech", "file", "content")  # of bytes and nothing else
CACHED = 256 * 2**20  # bytes of clips that are kept at hand
PART = 16 * 2**20  # bytes of clips that are read at once
WITHOUT_FILE = 1000  # bytes; a row without a file, with its labels and a transcript, has fewer


class AudioTable:
    """The files in the rows of a table.

    Parameters
    ----------
    file : binary file
        Parquet or Arrow; it stays open as long as it is read from.
    name : str
        Its path, for messages; the suffix tells the format.

    Attributes
    ----------
    table : ArrowTable
    column : str
        The column of audio; empty if the table has none.

    Raises
    ------
    BrokenTableError
        If it cannot be read, or nobody can tell which column is meant.
    """

    def __init__(self, file: BinaryIO, name: str):
        self.table = ArrowTable(file, name)
        self.column = _audio_column(self.table)
        kind = self.table.schema.field(self.column).type if self.column else None
        self._bytes = f"{self.column}.bytes" if kind is not None and pa.types.is_struct(kind) else self.column
        self._kept: OrderedDict[tuple[int, int], pa.Array] = OrderedDict()
        self._reading: tuple[int, int, Iterator[pa.RecordBatch]] | None = None
        self._starts = _starts(self.table)

    @property
    def path_column(self) -> str:
        """What gives the published name of each file; empty if nothing does."""
        kind = self.table.schema.field(self.column).type
        if pa.types.is_struct(kind):
            return f"{self.column}.path" if kind.get_field_index("path") >= 0 else ""
        return self.column if _is_text(kind) else ""

    def have_bytes(self) -> Iterator[bool]:
        """Say of every row whether its file is in the table.

        Of a part of a Parquet table that is too large to hold none it is taken for granted: only `read` finds out that
        single rows have none, as all files would have to be read to know.

        Raises
        ------
        BrokenTableError
            If the table is damaged.
        """
        try:
            yield from self._have_bytes()
        except DAMAGED as error:
            raise BrokenTableError(f"{self.table.name} is damaged ({error}): download it again") from None

    def _have_bytes(self) -> Iterator[bool]:
        kind = self.table.schema.field(self.column).type
        if _is_text(kind) or pa.types.is_struct(kind) and kind.get_field_index("bytes") < 0:
            yield from (False for _ in range(self.table.rows))
        elif self.table.parquet is None:
            for part in self.table.columns([self._bytes]):
                yield from part[self._bytes].is_valid().to_pylist()
        else:
            for group, (rows, _) in enumerate(self._starts):
                if self._average(group) > WITHOUT_FILE:
                    yield from (True for _ in range(rows))
                    continue
                for batch in self._batches(group, self._part_rows(group)):
                    yield from self._contents(batch).is_valid().to_pylist()

    def read(self, row: int) -> bytes:
        """Return the file of a row, counted from 0.

        Rows that follow each other are read together and kept at hand, at most `CACHED` bytes of them.

        Raises
        ------
        BrokenTableError
            If there is no such row, it holds no file, or the table is damaged.
        """
        if not self.column or not 0 <= row < self.table.rows:
            raise BrokenTableError(f"{self.table.name} has no row {row} with audio")
        try:
            value = self._row(row)
        except DAMAGED as error:
            raise BrokenTableError(f"{self.table.name} is damaged in row {row} ({error}): download it again") from None
        if not value.is_valid:
            raise BrokenTableError(f"{self.table.name} holds no file in row {row}")
        return value.as_py()

    def _row(self, row: int) -> pa.Scalar:
        group = next(index for index, (rows, start) in enumerate(self._starts) if row < start + rows)
        row -= self._starts[group][1]
        if self.table.parquet is None:
            array = self._contents(self.table.batches[group])
            array.validate(full=True)
            return array[row]
        size = self._part_rows(group)
        part = row // size
        if (group, part) not in self._kept:
            self._read_part(group, part)
        self._kept.move_to_end((group, part))
        return self._kept[group, part][row % size]

    def _read_part(self, group: int, part: int) -> None:
        """Read on to a part of a row group, or from the start of the group if it lies behind."""
        if self._reading is None or self._reading[0] != group or self._reading[1] > part:
            self._reading = group, 0, self._batches(group, self._part_rows(group))
        _, at, batches = self._reading
        for number in range(at, part + 1):
            self._reading = None  # if the next line fails
            array = self._contents(next(batches, None))
            self._kept[group, number] = array
            while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > CACHED:
                self._kept.popitem(last=False)
            self._reading = group, number + 1, batches

    def _batches(self, group: int, rows: int) -> Iterator[pa.RecordBatch]:
        return self.table.parquet.iter_batches(rows, row_groups=[group], columns=[self._bytes], use_threads=False)

    def _part_rows(self, group: int) -> int:
        return max(1, min(self._starts[group][0], PART // max(self._average(group), 1)))

    def _average(self, group: int) -> int:
        """Return the bytes of a row; of all its columns, as pyarrow 26 aborts where the notes of one are damaged."""
        return self.table.parquet.metadata.row_group(group).total_byte_size // max(self._starts[group][0], 1)

    def _contents(self, batch: pa.RecordBatch | None) -> pa.Array:
        if batch is None:
            raise ValueError("it has fewer rows than it states")
        array = batch.column(batch.schema.names.index(self.column))
        if not pa.types.is_struct(array.type):
            return array
        return array.flatten()[array.type.get_field_index("bytes")]


def source_of(table: str, row: int, published: str) -> str:
    """Return the path of a row's file: ``train.parquet/17/a01.wav``, without a name ``train.parquet/17``."""
    name = published.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable())
    return f"{table}/{row}" if name in ("", ".", "..") else f"{table}/{row}/{name}"


def table_and_row(path: str) -> tuple[str, int] | None:
    """Return the table and the row that a path as `source_of` gives it leads to; None of any other path."""
    parts = path.split("/")
    for index in range(1, len(parts)):
        is_row = parts[index].isascii() and parts[index].isdecimal() and len(parts[index]) < 10
        if parts[index - 1].lower().endswith(AUDIO_TABLES) and is_row and len(parts) - index <= 2:
            return "/".join(parts[:index]), int(parts[index])
    return None


def _audio_column(table: ArrowTable) -> str:
    noted = {name for name, kind in table.features().items() if isinstance(kind, dict) and kind.get("_type") == "Audio"}
    found = [
        field.name for field in table.schema if _holds_files(field) or field.name in noted & set(table.schema.names)
    ]
    found = found or [
        field.name for field in table.schema if field.name.lower() in AUDIO_COLUMNS and _is_binary(field.type)
    ]
    if len(found) > 1:
        found = [name for name in found if name.lower() == "audio"] or found
    if len(found) > 1:
        raise BrokenTableError(f"{table.name} has audio in the columns {', '.join(found)}: keep one of them")
    for field in table.schema:
        if not found and pa.types.is_struct(field.type) and field.type.get_field_index("array") >= 0:
            raise BrokenTableError(
                f"{table.name} has samples as lists of numbers in the column {field.name}, no files: cast it to "
                "Audio() of datasets and save it again"
            )
    return found[0] if found else ""


def _holds_files(field: pa.Field) -> bool:
    kind = field.type
    index = kind.get_field_index("bytes") if pa.types.is_struct(kind) else -1
    named = "image" in field.name.lower() or "video" in field.name.lower()
    return index >= 0 and not named and (_is_binary(kind.field(index).type) or pa.types.is_null(kind.field(index).type))


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _starts(table: ArrowTable) -> list[tuple[int, int]]:
    """Return the rows of each row group, or batch, and the first of them."""
    if table.parquet is None:
        sizes = [len(batch) for batch in table.batches]
    else:
        metadata = table.parquet.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return list(zip(sizes, accumulate(sizes, initial=0), strict=False))
