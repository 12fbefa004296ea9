"""From the records of tables and annotations to clips: which file each is about, and which files none is about."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from ser.annotations.records import Record
from ser.corpora.audio_names import stem_of
from ser.corpora.clip_sources import format_source, split_source
from ser.corpora.corpus_files import File
from ser.corpora.entries import Entry, labels_of, length_of, shared_folders
from ser.storage.audio_tables import table_and_row

SHOWN = 3  # tables in a message


class FileIndex:
    """The files of a corpus by their paths, in whatever Unicode form, and by the tables that hold them.

    Parameters
    ----------
    files : sequence of File
    """

    def __init__(self, files: Sequence[File]):
        self._by_path = {nfc(file.path.as_posix()): file for file in files}

    def find(self, path: str) -> File | None:
        """Return the file of a path inside the corpus, such as ``a.wav`` or ``train.parquet/17/a.wav``, if any."""
        path = nfc(path)
        if path in self._by_path:
            return self._by_path[path]
        inside = table_and_row(path)
        table = self._by_path.get(inside[0]) if inside else None
        if table is None:
            return None
        return File(PurePosixPath(path), f"{table.source}{path.removeprefix(inside[0])}", table.reason)


def record_entries(records: Sequence[Record], files: Sequence[File]) -> list[Entry]:
    """Return a clip for each record, and the audio files that none is about, with the reason.

    Parameters
    ----------
    records : sequence of Record
        With a label each, or a reason.
    files : sequence of File
        All of the corpus.
    """
    index = FileIndex(files)
    found = [index.find(record.values["path"]) if record.values["path"] else None for record in records]
    name_of = clip_names([file.path for file, record in zip(found, records, strict=True) if file and not record.reason])
    entries = []
    for record, file in zip(records, found, strict=True):
        if file is None:
            shown = File(PurePosixPath(record.values["path"]), record.values["path"] or record.where)
            entries.append(Entry(shown, None, record.reason or f"{record.where}: there is no such file"))
        elif record.reason or file.reason:
            entries.append(Entry(file._replace(audio=True), None, record.reason or file.reason))
        else:
            entries.append(piece_entry(record, file._replace(audio=True), name_of(file.path)))
    named = {entry.file.path for entry in entries}
    tables = sorted({record.where.rsplit(", ", 1)[0] for record in records})
    some = ", ".join(tables[:SHOWN]) + ", …" * (len(tables) > SHOWN)
    left = [file for file in files if file.audio and file.path not in named]
    return entries + [Entry(file, None, file.reason or f"{some} does not name it") for file in left]


def piece_entry(record: Record, file: File, name: str) -> Entry:
    """Return the clip of a record: a file, a piece of it, or a channel."""
    values = record.values
    if values["start"] or values["end"] or values["channel"]:
        start, end = (float(values[field]) if values[field] else None for field in ("start", "end"))
        channel = int(values["channel"]) if values["channel"] else None
        file = file._replace(source=format_source(split_source(file.source).path, start, end, channel))
        name = f"{name}/{piece_name(values)}"
    return Entry(file, labels_of(values, name))


def piece_name(values: Mapping[str, str]) -> str:
    """Return what a piece of a recording is called, so that pieces are sorted by time: ``000012.5-000015.25``."""
    times = "-".join(_padded(values[field]) for field in ("start", "end")) if values["start"] or values["end"] else ""
    channel = f"channel-{values['channel']}" if values["channel"] else ""
    return "/".join(filter(None, (times, channel)))


def clip_names(paths: Sequence[PurePosixPath]) -> Callable[[PurePosixPath], str]:
    """Return the function that gives a file its name among all of a corpus: without folders that hold all of them.

    A file that lies in a table goes by its published name, if that is its own.
    """
    inside = bool(paths) and all(table_and_row(path.as_posix()) for path in paths)
    if inside and len({path.name for path in paths}) == len(set(paths)):
        return lambda path: stem_of(PurePosixPath(path.name))
    around = length_of(shared_folders(paths))
    return lambda path: stem_of(path)[around:]


def nfc(text: str) -> str:
    """Return a text in NFC: file names of macOS have letters with accents in two parts."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _padded(seconds: str) -> str:
    whole, _, rest = seconds.partition(".")
    rest = rest.rstrip("0")
    return whole.zfill(6) + (f".{rest}" if rest else "") if seconds else "end"
