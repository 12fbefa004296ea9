"""Opening a file by its source, a path below ``raw.path`` that may lead through an archive or a table with audio."""

import io
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from ser.audio.decoding import UnusableAudioError
from ser.corpora.archives import ARCHIVE_SUFFIXES, is_archive, open_archive
from ser.errors import InputError
from ser.storage.audio_tables import AUDIO_TABLES, AudioTable, table_and_row
from ser.storage.delimited_tables import BrokenTableError

OPEN_TABLES = 16


def open_source(source: str, raw_path: Path | str) -> Path | BinaryIO:
    """Return the path of a file, or its content if it lies in an archive or a table.

    Parameters
    ----------
    source : str
        Such as ``mine/a.wav``, ``mine.zip/a.wav``, ``mine/train.parquet/17/a.wav``; without what tells a piece.
    raw_path : Path

    Raises
    ------
    UnusableAudioError
        If there is no such file, or its archive or table is damaged.
    """
    path = Path(raw_path, source)
    if path.is_file():
        return path
    outer = next((parent for parent in path.parents if _holds_files(parent)), None)
    if outer is None:
        raise UnusableAudioError("there is no such file")
    inside = path.relative_to(outer).as_posix()
    content = _from_archive(outer, inside) if is_archive(outer) else _from_table(outer, inside)
    file = io.BytesIO(content)
    file.name = source  # by which formats without a header are known
    return file


def read_source(source: str, raw_path: Path | str) -> bytes:
    """Return the content of a file."""
    opened = open_source(source, raw_path)
    return opened.read_bytes() if isinstance(opened, Path) else opened.read()


def _holds_files(path: Path) -> bool:
    return path.name.lower().endswith((*ARCHIVE_SUFFIXES, *AUDIO_TABLES)) and path.is_file()


def _from_archive(archive: Path, inside: str) -> bytes:
    try:
        opened = open_archive(archive)
    except InputError as error:
        raise UnusableAudioError(str(error)) from None
    if inside in opened:
        return opened.read(inside)
    found = table_and_row(inside)  # a table with audio in the archive
    if found and found[0] in opened:
        return _row(archive, found[0], found[1])
    raise UnusableAudioError(dict(opened.refused).get(inside, f"{archive.name} holds no such file"))


def _from_table(file: Path, inside: str) -> bytes:
    found = table_and_row(f"{file.name}/{inside}")
    if found is None:
        raise UnusableAudioError(f"{file.name} holds no such file")
    return _row(file, "", found[1])


def _row(file: Path, inside: str, row: int) -> bytes:
    try:
        return _table(file, file.stat().st_mtime_ns, inside).read(row)
    except (BrokenTableError, InputError) as error:
        raise UnusableAudioError(str(error)) from None


@lru_cache(maxsize=OPEN_TABLES)
def _table(file: Path, _state: int, inside: str) -> AudioTable:
    opened = io.BytesIO(open_archive(file).read(inside)) if inside else file.open("rb")
    return AudioTable(opened, inside or file.name)
