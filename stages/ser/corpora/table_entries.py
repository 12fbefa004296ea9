"""A corpus that is a table: a row a clip, or a piece of a recording, with the path of its file and its labels."""

import os
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ser.annotations.records import Record
from ser.corpora.audio_folders import holds_audio
from ser.corpora.audio_names import may_be_audio
from ser.corpora.corpus_files import checked_file
from ser.corpora.entries import Entry
from ser.corpora.record_entries import clip_names, piece_entry

PLAIN = re.compile(r"(?:[^\\/.][^\\/]*/)*[^\\/.][^\\/]*")  # a path below the folder of its table, as it is
FOLDERS = 64  # of which the names in NFC are kept


def table_entries(records: Sequence[Record], table: Path, raw_path: Path) -> list[Entry]:
    """Return a clip for each row of a table; its paths are relative to the table's folder.

    Parameters
    ----------
    records : sequence of Record
    table : Path
    raw_path : Path
        What sources are relative to.
    """
    places = [place_of(record.values["path"], table.parent) for record in records]
    name_of = clip_names([inside for (inside, _), record in zip(places, records, strict=True) if not record.reason])
    entries = []
    for record, (inside, source) in zip(records, places, strict=True):
        reason = record.reason or ("" if inside.name else f"{record.where}: its path names no file")
        source = source if reason or source.isascii() else as_on_disk(source, raw_path)
        heard = not reason and may_be_audio(inside.name) and holds_audio(Path(raw_path, source))
        file = checked_file(inside, source if record.values["path"] else table.name, reason, heard=heard)
        read = Entry(file, None, file.reason) if file.reason else piece_entry(record, file, name_of(inside))
        entries.append(read)
    return entries


def place_of(path: str, folder: Path) -> tuple[PurePosixPath, str]:
    """Return the path of a row without what leads out of its folder, and its source.

    The source is relative to `folder`, that of the table, as long as the file lies below it.
    """
    if PLAIN.fullmatch(path):
        return PurePosixPath(path), path
    inside = PurePosixPath(os.path.normpath(path.replace("\\", "/")))
    if inside.is_absolute() and inside.is_relative_to(folder.absolute().as_posix()):
        inside = inside.relative_to(folder.absolute().as_posix())
    return PurePosixPath(*(part for part in inside.parts if part not in ("/", ".."))), inside.as_posix()


def as_on_disk(source: str, raw_path: Path) -> str:
    """Return a source as its folders and file are written on the disk, which may be in another Unicode form."""
    if Path(raw_path, source).exists():
        return source
    there = Path(raw_path)
    for part in PurePosixPath(source).parts:
        name = part if Path(there, part).exists() else _names(there).get(unicodedata.normalize("NFC", part), part)
        there = there / name
    return there.relative_to(raw_path).as_posix() if there.exists() else source


@lru_cache(maxsize=FOLDERS)
def _names(folder: Path) -> dict[str, str]:
    """Return the names in a folder by their NFC; none of one that is not there."""
    try:
        return {unicodedata.normalize("NFC", name): name for name in os.listdir(folder)}
    except OSError:
        return {}
