"""A corpus of one's own, whatever it is: tables and annotations are read, else what all names say together."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from ser.annotations import audformat_databases, audiofolders, hub_tables, kaldi_folders, tier_files
from ser.annotations.manifest_values import BadValueError, channel_of, fold_of, meant, sex_of
from ser.annotations.manifests import read_manifest
from ser.annotations.records import Files, Reading, Record
from ser.annotations.tables_beside import read_tables_beside, why_no_labels
from ser.audio.decoding import UnusableAudioError
from ser.corpora.audio_names import stem_of
from ser.corpora.clip_sources import split_source
from ser.corpora.corpus_files import File, checked_file
from ser.corpora.entries import Entry, labels_of, length_of, shared_folders, unread_entries
from ser.corpora.known_corpora import recognise_folders
from ser.corpora.record_entries import FileIndex, record_entries
from ser.corpora.source_files import open_source
from ser.corpora.table_entries import table_entries
from ser.errors import InputError
from ser.naming.layouts import AmbiguousLayoutError, Layout, find_layout
from ser.naming.patterns import parse_pattern
from ser.storage.delimited_tables import BrokenTableError

COLLECTED = "provenance.csv"  # by which a corpus is known that `ser collect` wrote
SHOWN = 3  # tables in a line


class UnlabelledError(InputError):
    """Files of which nobody can tell where their names state labels and speakers, if they do."""


class OwnCorpus(NamedTuple):
    """The entries of a corpus, and how they were read, in a line: ``read as <emotion>/<speaker>/<file>``."""

    entries: list[Entry]
    note: str


def read_own(files: Sequence[File], raw_path: Path, columns: Mapping[str, str], pattern: str = "") -> OwnCorpus:
    """Read a folder or an archive of one's own.

    Parameters
    ----------
    files : sequence of File
        All of it.
    raw_path : Path
        What their sources are relative to.
    columns : dict of str to str
        What the columns of a table beside the files are called.
    pattern : str
        How the files are named, see `ser.naming.patterns`; empty: tables and annotations are looked for, and if there
        are none, all names are looked at together.

    Raises
    ------
    UnlabelledError
        If its names can be read in several ways, or state nothing that is known.
    InputError
        If a table of it is broken, or it holds several corpora.
    """
    audio = [file for file in files if file.audio]
    readable = [file.path for file in audio if not file.reason]
    if pattern:
        return layout_corpus(audio, stated_layout(pattern))
    opened = opened_files(files, raw_path)
    try:
        if any(file.path.as_posix() == COLLECTED for file in files):
            return layout_corpus(audio, collected_layout())
        reading = read_annotations(opened, columns)
        if reading.records:
            return record_corpus(reading, files)
        if not readable:
            return OwnCorpus(unread_entries(audio), "")
        refuse_known_folders(readable)
        found = layout_corpus(audio, find_layout(readable))
    except BrokenTableError as error:
        raise InputError(str(error)) from None
    except AmbiguousLayoutError as error:
        raise UnlabelledError("; ".join([str(error), *reading.notes, *why_no_labels(opened, columns)])) from None
    return found._replace(note="; ".join((found.note, *reading.notes)))


def refuse_known_folders(paths: Sequence[PurePosixPath]) -> None:
    """Refuse a folder of several corpora of which some are known: their folders would be taken for emotions."""
    if known := recognise_folders(paths):
        held = ", ".join(f"{folder} ({key})" for folder, key in known.items())
        raise InputError(
            f"it holds known corpora beside others: {held}; put each into a folder of its own below raw.path, and name "
            "them all in prepare.corpora"
        )


def stated_layout(pattern: str) -> Layout:
    """Return the layout of ``prepare.pattern``."""
    try:
        return parse_pattern(pattern)
    except ValueError as error:
        raise InputError(f"prepare.pattern: {error}") from None


def collected_layout() -> Layout:
    """Return the layout in which `ser collect` puts speech; the times in its table are those of the sources."""
    of_speaker, of_nobody = parse_pattern("{emotion}/{speaker}/{_}"), parse_pattern("{emotion}/{_}")
    return Layout("", lambda path: (of_speaker if len(path.parts) > 2 else of_nobody).read(path))


def read_annotations(files: Files, columns: Mapping[str, str]) -> Reading:
    """Return what the tables and annotations among some files say; without records if there are none."""
    notes = []
    for form, read in (
        (audformat_databases, lambda: audformat_databases.read_records(files, columns)),
        (kaldi_folders, lambda: kaldi_folders.read_records(files)),
        (audiofolders, lambda: audiofolders.read_records(files, columns)),
        (hub_tables, lambda: hub_tables.read_records(files, columns)),
    ):
        if form.claims(files.names):
            reading = read()
            if reading.records:
                return reading
            notes += reading.notes
    reading = read_tables_beside(files, columns)
    if not reading.records and tier_files.claims(files.names):
        named = columns.get("emotion", "")  # the tier, if it is not called as tables call the column
        reading = tier_files.read_records(files, tier="" if named == "emotion" else named)
    return reading if reading.records else Reading([], (*notes, *reading.notes), labelled=False)


def read_own_table(table: Path, raw_path: Path, columns: Mapping[str, str]) -> OwnCorpus:
    """Read a table that is a corpus: of paths, or one that holds the audio itself; see `read_own`."""
    itself = checked_file(PurePosixPath(table.name), table.relative_to(raw_path).as_posix())
    opened = opened_files([itself], raw_path)
    try:
        if hub_tables.claims(opened.names):
            reading = hub_tables.read_records(opened, columns)
            if reading.records:
                return record_corpus(reading, [itself])
        with closing(opened.open(table.name)) as file:
            records, note = read_manifest(file, table.name, columns)
    except (BrokenTableError, AmbiguousLayoutError) as error:
        raise InputError(str(error)) from None
    return OwnCorpus(table_entries(records, table, raw_path), note)


def opened_files(files: Sequence[File], raw_path: Path) -> Files:
    """Return the files of a corpus as the readers of annotations take them."""
    sources = {file.path.as_posix(): file.source for file in files if not file.reason}

    def open_file(name: str) -> BinaryIO:
        try:
            opened = open_source(split_source(sources[name]).path, raw_path)
            return opened.open("rb") if isinstance(opened, Path) else opened
        except (UnusableAudioError, OSError) as error:
            raise BrokenTableError(f"{name}: {error}; mend it, or take it away") from None

    return Files(sorted(sources), open_file)


def record_corpus(reading: Reading, files: Sequence[File]) -> OwnCorpus:
    """Read records; if they state no labels, these are read from the names of the files."""
    records, notes = [in_usual_words(record) for record in reading.records], list(reading.notes)
    if reading.labelled:
        records = [
            record
            if record.reason or record.values["emotion"]
            else record._replace(reason=f"{record.where}: it states no label")
            for record in records
        ]
    else:
        records, note = with_names(records, files)
        notes.append(note)
    tables = sorted({record.where.rsplit(", ", 1)[0] for record in records})
    some = ", ".join(tables[:SHOWN]) + ", …" * (len(tables) > SHOWN)
    return OwnCorpus(record_entries(records, files), "; ".join([f"read as {some} says", *notes]))


def in_usual_words(record: Record) -> Record:
    """Return a record in the words of tables of clips, or refused for a value that cannot be one."""
    try:
        values = {field: meant(value) for field, value in record.values.items()}
        read = {"sex": sex_of, "fold": fold_of, "channel": channel_of}
        values |= {field: understand(values[field]) for field, understand in read.items()}
    except BadValueError as error:
        return record._replace(reason=record.reason or f"{record.where}: {error}")
    return record._replace(values=values)


def with_names(records: Sequence[Record], files: Sequence[File]) -> tuple[list[Record], str]:
    """Return records that say what the names of their files say, where they themselves say nothing, and a note."""
    index = FileIndex(files)
    found = [index.find(record.values["path"]) for record in records]
    paths = dict.fromkeys(file.path for file in found if file)
    silent = [record for record in records if not (record.values["speaker"] or record.values["global_speaker"])]
    layout = find_layout(list(paths), speakers=bool(silent))
    completed = []
    for record, file in zip(records, found, strict=True):
        said = layout.read(file.path) if file and not record.reason else {}
        if isinstance(said, str):
            completed.append(record._replace(reason=said))
        else:
            known = {field: value for field, value in record.values.items() if value}
            completed.append(record._replace(values=record.values | said | known))
    return completed, layout.note


def layout_corpus(files: Sequence[File], layout: Layout) -> OwnCorpus:
    """Read what names say; folders that hold all files (``mine/anger/…``) are no part of a clip's name."""
    said = [None if file.reason else layout.read(file.path) for file in files]
    fitting = [file.path for file, fields in zip(files, said, strict=True) if isinstance(fields, dict)]
    around = length_of(shared_folders(fitting))
    entries = []
    for file, fields in zip(files, said, strict=True):
        if isinstance(fields, dict):
            entries.append(Entry(file, labels_of(fields, stem_of(file.path)[around:])))
        else:
            entries.append(Entry(file, None, file.reason or fields))
    return OwnCorpus(entries, layout.note)
