"""Where a corpus lies below ``raw.path``: a folder, archives or a table, found by its name."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ser.corpora.archives import ARCHIVE_SUFFIXES
from ser.corpora.audio_folders import HIDDEN
from ser.errors import InputError

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")


def find_places(name: str, raw_path: Path, published: Iterable[str] = ()) -> list[Path]:
    """Find the folder, the archives or the manifest of a corpus.

    Parameters
    ----------
    name : str
        As the parameters spell it; case, punctuation and Unicode form do not matter (``emodb`` finds
        ``EMO-DB.tar.gz``), and a suffix chooses among several of the same name.
    raw_path : Path
        The folder to look in.
    published : iterable of str
        Names of the publisher's own archives, which are taken as they are.

    Raises
    ------
    InputError
        If there is nothing, or more than one thing of that name.
    """
    if not raw_path.is_dir():
        raise InputError(f"raw.path is {raw_path}, which is no folder")
    if (raw_path / name).exists():
        same_name = [raw_path / name]
        same_name += [path for path in _usable(raw_path) if path.name != name and corpus_name(path.name) == name]
    else:
        same_name = [path for path in _usable(raw_path) if _spelling(corpus_name(path.name)) == _spelling(name)]
        same_name = same_name or [path for path in _usable(raw_path) if _spelling(path.name) == _spelling(name)]
    if len(same_name) > 1:
        names = ", ".join(sorted(path.name for path in same_name))
        raise InputError(
            f"corpus {name}: {raw_path} holds {names}: keep one, or name the one that is meant with its suffix"
        )
    places = same_name or [raw_path / file for file in published if (raw_path / file).is_file()]
    if not places:
        there = ", ".join(sorted(path.name for path in _usable(raw_path))) or "nothing"
        raise InputError(
            f"corpus {name}: no folder, archive or table of this name in {raw_path} (there: {there}); put it there, "
            "or change prepare.corpora or raw.path"
        )
    return places


def corpus_name(file: str) -> str:
    """Return the name of a folder, archive or table without its suffix, in NFC."""
    file = unicodedata.normalize("NFC", file)
    suffixes = (*ARCHIVE_SUFFIXES, *TABLE_SUFFIXES)
    ending = max((suffix for suffix in suffixes if file.lower().endswith(suffix)), key=len, default="")
    return file[: len(file) - len(ending)] if ending else file


def _usable(raw_path: Path) -> list[Path]:
    """List what can be a corpus."""
    paths = (path for path in raw_path.iterdir() if not path.name.startswith(HIDDEN))
    return [path for path in paths if path.is_dir() or path.name.lower().endswith((*ARCHIVE_SUFFIXES, *TABLE_SUFFIXES))]


def _spelling(name: str) -> str:
    """Return a name without what does not matter; marks that belong to letters (accents, vowel signs) do."""
    plain = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"[\s!-/:-@\[-`{-~]", "", plain)
