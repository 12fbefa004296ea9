"""From the files of a corpus, as their owners ship them, to one table of clips with their labels."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import NamedTuple

import pandas as pd

from ser.annotations.records import FIELDS
from ser.audio.decoding import UnusableAudioError
from ser.corpora.audio_names import is_lossy
from ser.corpora.clip_sources import split_source
from ser.corpora.corpus_files import File, list_files
from ser.corpora.corpus_places import TABLE_SUFFIXES, find_places
from ser.corpora.entries import Entry, read_entry, unread_entries
from ser.corpora.known_corpora import KNOWN, canonical_name, known_corpus, recognise
from ser.corpora.labels import Labels, require_folder
from ser.corpora.own_entries import read_own, read_own_table
from ser.corpora.record_entries import nfc
from ser.corpora.shared_speakers import alike_in_words
from ser.corpora.source_files import read_source
from ser.errors import InputError
from ser.naming.emotion_words import emotion_of_word
from ser.naming.label_schemes import read_labels
from ser.storage.clip_tables import speakers_in_words
from ser.storage.delimited_tables import BrokenTableError

COLUMNS = [
    "clip",
    "corpus",
    "speaker",
    "sex",
    "age",
    "ethnicity",
    "emotion",
    "intensity",
    "statement",
    "language",
    "fold",
    "source",
]
SHOWN = 12  # labels in a line


class CorpusTables(NamedTuple):
    """A corpus as it was read.

    Attributes
    ----------
    clips : pd.DataFrame
        Columns `COLUMNS`, and ``written``, the label as it stands in the corpus; sorted by ``clip``. ``source`` is the
        file, see `ser.corpora.source_files`, or the piece of it, see `ser.corpora.clip_sources`.
    unusable : pd.DataFrame
        ``clip``, ``corpus``, ``source`` and ``reason`` of each file whose name or row is of no use, and whether it is
        ``readable`` all the same; ``clip`` is the source.
    note : str
        How a corpus of one's own was read, in a line; empty of one that is called by a name of `KNOWN`.
    """

    clips: pd.DataFrame
    unusable: pd.DataFrame
    note: str = ""


def read_corpus(
    name: str, raw_path: Path | str, manifest: dict[str, str] | None = None, speakers_of: str = "", pattern: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of `list_corpus`, the clips with the columns `COLUMNS` alone."""
    tables = list_corpus(name, raw_path, manifest, speakers_of, pattern)
    return tables.clips[COLUMNS], tables.unusable


def list_corpus(
    name: str, raw_path: Path | str, manifest: dict[str, str] | None = None, speakers_of: str = "", pattern: str = ""
) -> CorpusTables:
    """List the clips of one corpus with the labels that its names, tables or annotations state.

    Parameters
    ----------
    name : str
        A corpus of `ser.corpora.known_corpora.KNOWN`, however it is spelt, or one's own, see
        `ser.corpora.own_entries`. `ser.corpora.corpus_places` says where it is looked for.
    raw_path : Path
        The folder that holds the corpus.
    manifest : dict of str to str, optional
        What the columns of a table are called; as in `ser.annotations.records.FIELDS` by default.
    speakers_of : str
        The name in whose sense its ids of speakers are to be read (``<name>:<id>``); its own by default.
    pattern : str
        How the files of a corpus of one's own are named; empty: it is found out.

    Raises
    ------
    InputError
        If there is no such corpus, or no audio file in it, or it can be read in several ways.
    """
    raw_path = Path(raw_path)
    known = known_corpus(name)
    published = (download.file for download in KNOWN[known].ABOUT.downloads) if known else ()
    try:
        places = find_places(name, raw_path, published)
    except InputError as error:
        raise InputError(f"{error}{how_to_fetch(known or '')}") from None
    return read_places(places, canonical_name(name), raw_path, manifest, speakers_of, pattern)


def read_places(
    places: Sequence[Path],
    corpus: str,
    raw_path: Path,
    manifest: dict[str, str] | None = None,
    speakers_of: str = "",
    pattern: str = "",
) -> CorpusTables:
    """List the clips of folders, archives or a table below `raw_path`; see `list_corpus`."""
    columns = manifest or dict(zip(FIELDS, FIELDS, strict=True))
    is_table = places[0].is_file() and places[0].name.lower().endswith(TABLE_SUFFIXES)
    called, note = corpus, ""
    try:
        if is_table:
            entries, note = read_own_table(places[0], raw_path, columns)
        else:
            files = [file for place in places for file in list_files(place, raw_path)]
            if corpus not in KNOWN and not pattern:
                corpus, note = recognised(corpus, files)
            if corpus in KNOWN:
                entries = known_entries(files, raw_path, KNOWN[corpus])
            else:
                entries, note = read_own(files, raw_path, columns, pattern)
    except InputError as error:
        raise type(error)(f"corpus {called}: {error}") from None
    if not entries:
        where = ", ".join(map(str, places))
        audio = "no audio file (.wav, .flac, .mp3, .m4a, …: see docs/data.md)"
        raise InputError(f"corpus {called}: {audio} in {where}{how_to_fetch(corpus)}")
    spelling = ""
    if corpus not in KNOWN:
        entries, spelling = with_labels(entries)
    clips, unusable = entry_tables(entries, corpus, speakers_of)
    alike = alike_in_words(clips["speaker"].unique()) if corpus not in KNOWN else ""
    said = (note, spelling, alike)
    return CorpusTables(clips, unusable, in_a_line(called, *said, clips) if any(said) else "")


def list_unlabelled(places: Sequence[Path], corpus: str, raw_path: Path) -> CorpusTables:
    """List the files of a corpus of which `read_places` cannot tell the labels: all are unusable, and can be heard."""
    audio = [file for place in places for file in list_files(place, raw_path) if file.audio]
    return CorpusTables(*entry_tables(unread_entries(audio, "nobody can tell its label"), corpus, ""))


def how_to_fetch(corpus: str) -> str:
    """Return the rest of a message on a corpus that is not there: how one of `KNOWN` is had."""
    return f": `make corpus NAME={corpus}` fetches it, or says how to get it" if corpus in KNOWN else ""


def name_of_corpus(name: str, raw_path: Path | str) -> str:
    """Return what a corpus will be called in the tables: by its name, or by the names of its files."""
    if known_corpus(name):
        return canonical_name(name)
    (place, *_) = find_places(name, Path(raw_path))
    if place.name.lower().endswith(TABLE_SUFFIXES):
        return canonical_name(name)
    return recognised(canonical_name(name), list(list_files(place, Path(raw_path))))[0]


def recognised(corpus: str, files: Sequence[File]) -> tuple[str, str]:
    """Return the known corpus by whose scheme the files of a folder are named, else its name, and what to say of it.

    Raises
    ------
    InputError
        If the names are of several.
    """
    candidates = recognise([file.path for file in files if file.audio and not file.reason])
    if len(candidates) > 1:
        raise InputError(
            f"its files are named as those of {' and '.join(candidates)} are: call it by the name of the one it is"
        )
    return (candidates[0], f"read as {candidates[0]}, by the names of its files") if candidates else (corpus, "")


def entry_tables(entries: Sequence[Entry], corpus: str, speakers_of: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of clips and that of unusable files; see `read_corpus`."""
    rows, unusable, seen = [], [], {}
    of_corpus = f"{speakers_of or corpus}:"
    for file, labels, reason in sorted(entries, key=lambda entry: (is_lossy(entry.file.path.name), entry.file.source)):
        clip = nfc(f"{corpus}/{labels.name}") if labels else ""
        if not reason and clip in seen:
            reason = f"another file of the same name has been read: {seen[clip]}"
        if reason:
            unusable.append((file.source, corpus, file.source, reason, not file.reason))
            continue
        seen[clip] = file.source
        speaker = labels.global_speaker or (labels.speaker and of_corpus + labels.speaker)
        rows.append(
            (clip, corpus, nfc(speaker), labels.sex, labels.age, labels.ethnicity, labels.emotion, labels.intensity)
            + (labels.statement, labels.language, labels.fold, file.source, labels.written or labels.emotion)
        )
    clips = pd.DataFrame(rows, columns=[*COLUMNS, "written"], dtype=str).sort_values("clip", ignore_index=True)
    return clips, pd.DataFrame(unusable, columns=["clip", "corpus", "source", "reason", "readable"])


def with_labels(entries: Sequence[Entry]) -> tuple[list[Entry], str]:
    """Return entries with the labels that all their written ones make together, and a line on what was read as what."""
    read = read_labels({entry.labels.emotion for entry in entries if entry.labels and not entry.reason})
    labelled = []
    for entry in entries:
        if entry.labels and not entry.reason:
            written = entry.labels.emotion
            label = read.labels[written]
            reason = read.reasons.get(written, "")
            entry = entry._replace(labels=entry.labels._replace(emotion=label, written=written), reason=reason)
        labelled.append(entry)
    return labelled, read.note


def in_a_line(corpus: str, note: str, spelling: str, alike: str, clips: pd.DataFrame) -> str:
    """Say how a corpus was read, and what came of it."""
    labels = sorted(clips["emotion"].unique())
    some = ", ".join(labels[:SHOWN]) + ", …" * (len(labels) > SHOWN)
    counts = f"{len(clips)} clips, {speakers_in_words(clips['speaker'])}, {len(labels)} emotions ({some})"
    return f"{corpus}: {'; '.join(filter(None, (note, counts, spelling, alike)))}"


def known_entries(files: Sequence[File], raw_path: Path, module: ModuleType) -> list[Entry]:
    """Read the names of a published corpus, and the table of its speakers where it has one."""
    table = None
    for file in files:
        if file.path.name == getattr(module, "TABLE", None) and not file.reason:
            try:
                table = module.read_table(read_source(split_source(file.source).path, raw_path))
            except (BrokenTableError, UnusableAudioError, OSError) as error:
                raise InputError(f"{raw_path / file.source}: {error}; mend it, or take it away") from None

    def parse(path: PurePosixPath) -> Labels:
        labels = module.parse_name(path, table)
        for folder in path.parts[:-1]:
            require_folder(labels.emotion, folder, labels.emotion, emotion_of_word(folder))
        return labels._replace(language=module.ABOUT.language)

    return [read_entry(file, parse) for file in files if file.audio]
