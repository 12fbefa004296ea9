"""From the files of a corpus, as their owners ship them, to one table of clips with their labels."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import NamedTuple

import pandas as pd

from ser.audio.decoding import UnusableAudioError
from ser.corpora import ased, cremad, emodb, emotion_folders, emovo, nemo, ravdess, savee, tess, turevdb, urdu
from ser.corpora.audio_folders import holds_audio
from ser.corpora.audio_names import is_lossy, may_be_audio, stem_of
from ser.corpora.corpus_files import (
    TABLE_SUFFIXES,
    File,
    checked_file,
    corpus_name,
    find_places,
    list_files,
    read_source,
)
from ser.corpora.emotion_words import emotion_of_word
from ser.corpora.labels import Labels, UnusableNameError, require_folder
from ser.corpora.manifests import FIELDS, labels_of, place_of, read_manifest
from ser.corpora.side_tables import BrokenTableError
from ser.errors import InputError

KNOWN = {
    "ravdess": ravdess,
    "emodb": emodb,
    "cremad": cremad,
    "tess": tess,
    "savee": savee,
    "emovo": emovo,
    "nemo": nemo,
    "ased": ased,
    "urdu": urdu,
    "turevdb": turevdb,
}
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


class Entry(NamedTuple):
    """A file of a corpus and what is known of it: its labels, or why it has none that can be used."""

    file: File
    labels: Labels | None
    reason: str = ""


def known_corpus(name: str) -> str | None:
    """Return the key in `KNOWN` that a name stands for, however it is spelt (``EMO-DB``, ``Ravdess.zip``), or None."""
    spelling = "".join(filter(str.isalnum, corpus_name(name).lower()))
    return spelling if spelling in KNOWN else None


def canonical_name(name: str) -> str:
    """Return the name of a corpus in the tables, however it is spelt or shipped (``EMO-DB``, ``mine.csv``)."""
    return known_corpus(name) or corpus_name(name)


def read_corpus(
    name: str, raw_path: Path | str, manifest: dict[str, str] | None = None, speakers_of: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the clips of one corpus with the labels that their names, or a manifest, state.

    Parameters
    ----------
    name : str
        A corpus of `KNOWN`, however it is spelt, or one's own: see `ser.corpora.emotion_folders` and
        `ser.corpora.manifests`. `ser.corpora.corpus_files` says where it is looked for.
    raw_path : Path
        The folder that holds the corpus.
    manifest : dict of str to str, optional
        What the columns of a manifest are called; as in `ser.corpora.manifests.FIELDS` by default.
    speakers_of : str
        The name in whose sense its ids of speakers are to be read (``<name>:<id>``); its own by default.

    Returns
    -------
    clips : pd.DataFrame
        Columns `COLUMNS`, sorted by ``clip``; ``source`` is the file, see `ser.corpora.corpus_files`.
    unusable : pd.DataFrame
        ``clip``, ``corpus``, ``source`` and ``reason`` of each file whose name or row is of no use, and whether it is
        ``readable`` all the same; ``clip`` is the source.

    Raises
    ------
    InputError
        If there is no such corpus, or no audio file in it.
    """
    known = known_corpus(name)
    published = (download.file for download in KNOWN[known].ABOUT.downloads) if known else ()
    places = find_places(name, Path(raw_path), published)
    return read_places(places, canonical_name(name), Path(raw_path), manifest, speakers_of)


def read_places(
    places: Sequence[Path],
    corpus: str,
    raw_path: Path,
    manifest: dict[str, str] | None = None,
    speakers_of: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the clips of folders, archives or a manifest below `raw_path`; see `read_corpus`."""
    module = KNOWN.get(corpus)
    if places[0].is_file() and places[0].name.lower().endswith(TABLE_SUFFIXES):
        entries = manifest_entries(places[0], raw_path, manifest or dict(zip(FIELDS, FIELDS, strict=True)))
    else:
        files = [file for place in places for file in list_files(place, raw_path)]
        entries = known_entries(files, raw_path, module) if module else folder_entries(files)
    if not entries:
        where = ", ".join(map(str, places))
        raise InputError(f"corpus {corpus}: no audio file (.wav, .flac, .mp3, .m4a, …: see docs/data.md) in {where}")

    rows, unusable, seen = [], [], {}
    for file, labels, reason in sorted(entries, key=lambda entry: (is_lossy(entry.file.path.name), entry.file.source)):
        clip = f"{corpus}/{labels.name}" if labels else ""
        if not reason and clip in seen:
            reason = f"another file of the same name has been read: {seen[clip]}"
        if reason:
            unusable.append((file.source, corpus, file.source, reason, not file.reason))
            continue
        seen[clip] = file.source
        # NFC: names of files on macOS have letters with accents in two parts, which would be another speaker
        spoken = unicodedata.normalize("NFC", labels.global_speaker or labels.speaker)
        speaker = f"{speakers_of or corpus}:{spoken}" if spoken and not labels.global_speaker else spoken
        rows.append(labels._asdict() | {"clip": clip, "corpus": corpus, "speaker": speaker, "source": file.source})
    clips = pd.DataFrame(rows, columns=COLUMNS, dtype=str).sort_values("clip", ignore_index=True)
    return clips, pd.DataFrame(unusable, columns=["clip", "corpus", "source", "reason", "readable"])


def known_entries(files: Sequence[File], raw_path: Path, module: ModuleType) -> list[Entry]:
    """Read the names of a published corpus, and the table of its speakers where it has one."""
    table = None
    for file in files:
        if file.path.name == getattr(module, "TABLE", None) and not file.reason:
            try:
                table = module.read_table(read_source(file.source, raw_path))
            except (BrokenTableError, UnusableAudioError, OSError) as error:
                raise InputError(f"{raw_path / file.source}: {error}; mend it, or take it away") from None

    def parse(path: PurePosixPath) -> Labels:
        labels = module.parse_name(path, table)
        for folder in path.parts[:-1]:
            require_folder(labels.emotion, folder, labels.emotion, emotion_of_word(folder))
        return labels._replace(language=module.ABOUT.language)

    return [read_entry(file, parse) for file in files if file.audio]


def folder_entries(files: Sequence[File]) -> list[Entry]:
    """Read the folders of a corpus of one's own; those that hold all of it (``mine/anger/…``) say nothing."""
    files = [file for file in files if file.audio]
    sorted_files = [file.path for file in files if any(map(emotion_of_word, file.path.parts[:-1]))]
    around = len(shared_folders(sorted_files))

    def parse(path: PurePosixPath) -> Labels:
        path = PurePosixPath(*path.parts[around:])
        return emotion_folders.parse_name(path)._replace(name=stem_of(path).as_posix())

    return [read_entry(file, parse) for file in files]


def manifest_entries(place: Path, raw_path: Path, columns: dict[str, str]) -> list[Entry]:
    """Read the rows of a manifest."""
    rows = read_manifest(place, columns)
    paths, sources = zip(*(place_of(row.values["path"], raw_path) for row in rows), strict=True) if rows else ((), ())
    around = len(shared_folders([path for path, row in zip(paths, rows, strict=True) if not row.reason]))

    def parse(path: PurePosixPath, values: dict[str, str]) -> Labels:
        if not path.name:
            raise UnusableNameError("its path names no file")
        return labels_of(values)._replace(name=stem_of(PurePosixPath(*path.parts[around:])).as_posix())

    entries = []
    for row, path, source in zip(rows, paths, sources, strict=True):
        heard = not row.reason and may_be_audio(path.name) and holds_audio(Path(raw_path, source))
        file = checked_file(path, source if row.values["path"] else place.name, row.reason, heard=heard)
        entries.append(read_entry(file, partial(parse, values=row.values)))
    return entries


def read_entry(file: File, parse: Callable[[PurePosixPath], Labels]) -> Entry:
    """Return a file with its labels, or with the reason why it has none."""
    if file.reason:
        return Entry(file, None, file.reason)
    try:
        return Entry(file, parse(file.path))
    except UnusableNameError as error:
        return Entry(file, None, str(error))


def shared_folders(paths: Sequence[PurePosixPath]) -> tuple[str, ...]:
    """Return the leading folders that all paths share, as far as they name no emotion."""
    shared = os.path.commonprefix([path.parts[:-1] for path in paths])
    return tuple(takewhile(lambda folder: emotion_of_word(folder) is None, shared))
