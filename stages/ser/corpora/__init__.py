"""Corpora: from files as their owners ship them to one table of clips."""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from ser.corpora import cremad, emodb, folders, ravdess, tess
from ser.corpora.labels import UnusableNameError
from ser.errors import InputError

KNOWN = {"ravdess": ravdess, "emodb": emodb, "cremad": cremad, "tess": tess}
AUDIO_SUFFIXES = {".wav", ".flac"}
COLUMNS = ["clip", "corpus", "speaker", "sex", "emotion", "intensity", "statement", "language", "source"]


def read_corpus(name: str, raw_path: Path | str) -> tuple[pd.DataFrame, list[dict]]:
    """List the clips of one corpus with the labels their names state.

    Parameters
    ----------
    name : str
        A corpus of `KNOWN`, however it is spelt, or a folder laid out as `ser.corpora.folders` says.
    raw_path : Path
        The folder that holds the corpus's folder.

    Returns
    -------
    clips : pd.DataFrame
        Columns `COLUMNS`, sorted by ``clip``; ``source`` is the file relative to `raw_path`.
    quarantined : list of dict
        ``corpus``, ``file`` and ``reason`` of each audio file whose name is of no use.

    Raises
    ------
    InputError
        If the folder is missing or holds no audio file.
    """
    raw_path = Path(raw_path)
    folder = raw_path / name
    if not folder.is_dir():
        raise InputError(
            f"corpus {name}: no folder {folder}; put its files there or change prepare.corpora or raw.path"
        )
    files = audio_files(folder)
    if not files:
        raise InputError(f"corpus {name}: no {' or '.join(sorted(AUDIO_SUFFIXES))} file under {folder}")
    known = re.sub(r"[\W_]", "", name.lower())  # EMO-DB, Ravdess
    corpus = known if known in KNOWN else name
    module = KNOWN.get(corpus, folders)
    rows, quarantined, seen = [], [], {}
    for file in files:
        relative = PurePosixPath(file.relative_to(folder).as_posix())
        source = f"{name}/{relative}"
        clip = f"{corpus}/{relative.with_suffix('')}"
        try:
            labels = module.parse_name(relative)
            if clip in seen:
                raise UnusableNameError(f"another file of the same name has been read: {seen[clip]}")
        except UnusableNameError as error:
            quarantined.append({"corpus": corpus, "file": source, "reason": str(error)})
            continue
        seen[clip] = source
        speaker = f"{corpus}:{labels.speaker}" if labels.speaker else ""
        row = labels._asdict() | {"speaker": speaker}
        rows.append(row | {"clip": clip, "corpus": corpus, "language": module.LANGUAGE, "source": source})
    return pd.DataFrame(rows, columns=COLUMNS).sort_values("clip", ignore_index=True), quarantined


def audio_files(folder: Path) -> list[Path]:
    """List the audio files below a folder, sorted; hidden files and what macOS adds to archives are passed over."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file())
    hidden = (".", "__MACOSX")
    return sorted(path for path in files if not any(p.startswith(hidden) for p in path.relative_to(folder).parts))
