"""From what is known of a published corpus to its files in place."""

import re
from pathlib import Path

from ser.audio.container_headers import HEADER_BYTES, kind_of
from ser.corpora.clip_sources import split_source
from ser.corpora.corpus_entries import read_corpus
from ser.corpora.corpus_facts import About, Download
from ser.corpora.corpus_places import corpus_name
from ser.corpora.known_corpora import KNOWN, known_corpus
from ser.errors import InputError
from ser.fetching.resumed_download import download
from ser.storage.clip_tables import speakers_in_words


def about(name: str) -> tuple[str, About]:
    """Return the key of a corpus, however it is spelt, and what is known of it, or say which ones are known."""
    known = known_corpus(name)
    if known is None:
        raise InputError(f"{name} is no known corpus; there are {', '.join(sorted(KNOWN))}")
    return known, KNOWN[known].ABOUT


def how_to_get(known: About) -> str:
    """Return how a corpus without downloads is had, as its instructions say: ``git``, ``page`` or ``form``."""
    if "git clone" in known.instructions:
        return "git"
    return "form" if re.match(r"(Register|Write|Ask|Apply)\b", known.instructions) else "page"


def targets(known: About, name: str, raw_path: Path, url: str = "") -> list[tuple[Download, Path]]:
    """Return the downloads of a corpus and where each belongs.

    A single one becomes ``<raw_path>/<name>.zip`` (or what it is packed as), several lie in ``<raw_path>/<name>/``.

    Parameters
    ----------
    known : About
    name : str
        Of the corpus.
    raw_path : Path
    url : str
        Of a mirror, instead of the published address; for a corpus of one download.
    """
    if url and len(known.downloads) != 1:
        raise InputError(f"--url is for a corpus of one download; {name} has {len(known.downloads)}")
    if len(known.downloads) == 1:
        only = known.downloads[0]
        suffix = only.file.removeprefix(corpus_name(only.file))
        return [(only._replace(url=url or only.url), raw_path / f"{name}{suffix}")]
    return [(each, raw_path / name / each.file) for each in known.downloads]


def fetch_files(files: list[tuple[Download, Path]]) -> None:
    """Download what is not there yet, and check the rest."""
    for each, target in files:
        fetched = download(each.url, target, size=each.size, md5=each.md5)
        print(f"{target}: {'fetched' if fetched else 'was there, is as published'}")


def count_clips(known: About, name: str, raw_path: Path) -> str:
    """Compare the clips that are there with the published number.

    Raises
    ------
    InputError
        If there is nothing to read.
    """
    clips, unknown = read_corpus(name, raw_path)
    count = f"{name}: {len(clips)} clips of {speakers_in_words(clips['speaker'])}"
    missing = known.clips - len(clips)
    findings = [f"{missing} missing" if missing > 0 else "", f"{-missing} more than published" if missing < 0 else ""]
    findings.append(f"{len(unknown)} unknown" if len(unknown) else "")
    paths = (split_source(source).path for source in clips["source"])
    empty = [path for path in paths if not begins_as_audio(raw_path / path)]
    findings.append(f"{len(empty)} hold no audio, such as {empty[0]} (Git LFS: git lfs pull)" if empty else "")
    said = ", ".join(filter(None, findings))
    example = f", such as {unknown['source'][0]}: {unknown['reason'][0]}" if len(unknown) else ""
    return f"{count} of {known.clips} clips published: {said or 'complete'}{example}"


def begins_as_audio(file: Path) -> bool:
    """Tell whether a file begins as audio does; of files in archives this is taken for granted."""
    if not file.is_file():
        return True
    with file.open("rb") as opened:
        return kind_of(opened.read(HEADER_BYTES)) is not None


def size_in_words(size: int) -> str:
    """Return a number of bytes as GB or MB; 0 is unknown."""
    if not size:
        return "?"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
