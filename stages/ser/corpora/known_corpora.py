"""The published corpora whose names are understood, and which of them a folder holds that is called otherwise."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from ser.corpora import ased, cremad, emodb, emovo, nemo, ravdess, savee, tess, turevdb, urdu
from ser.corpora.corpus_places import corpus_name
from ser.corpora.labels import UnusableNameError

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
SAMPLE = 500  # names that are looked at, from all over a corpus
MOST = 0.8  # of them must be of a corpus's scheme: copies have a few strangers
MOST_FOLDERS = 20  # corpora that somebody has put into one folder
SHARE = 50  # names of a folder among several that are looked at
FEWEST = 12  # files of a folder that is taken for a corpus


def known_corpus(name: str) -> str | None:
    """Return the key in `KNOWN` that a name stands for, however it is spelt (``EMO-DB``, ``Ravdess.zip``), or None."""
    spelling = "".join(filter(str.isalnum, corpus_name(name).lower()))
    return spelling if spelling in KNOWN else None


def canonical_name(name: str) -> str:
    """Return the name of a corpus in the tables, however it is spelt or shipped (``EMO-DB``, ``mine.csv``)."""
    return known_corpus(name) or corpus_name(name)


def recognise(paths: Sequence[PurePosixPath]) -> list[str]:
    """Return the keys in `KNOWN` of the corpora by whose schemes most of some files are named.

    Parameters
    ----------
    paths : sequence of PurePosixPath
        Of audio files, inside the corpus.
    """
    sample = paths[:: max(1, len(paths) // SAMPLE)]
    return [key for key, module in KNOWN.items() if sample and _follow(sample, module) >= MOST * len(sample)]


def recognise_folders(paths: Sequence[PurePosixPath]) -> dict[str, str]:
    """Return, by folder, the keys in `KNOWN` of several corpora that lie in one folder: ``Crema``, ``Savee``, ``mine``.

    Paths are those of `recognise`; folders in which all of them lie are passed over.
    """
    if not paths:
        return {}
    around = len(os.path.commonprefix([path.parts[:-1] for path in paths]))
    of_folder: dict[str, list[PurePosixPath]] = defaultdict(list)
    for path in paths:
        of_folder[path.parts[around] if len(path.parts) > around + 1 else ""].append(path)
    if not 1 < len(of_folder) <= MOST_FOLDERS:
        return {}
    folders = {folder: found for folder, found in of_folder.items() if folder and len(found) >= FEWEST}
    known = {folder: recognise(found[:: len(found) // SHARE + 1]) for folder, found in folders.items()}
    return {"/".join((*paths[0].parts[:around], folder)): keys[0] for folder, keys in known.items() if len(keys) == 1}


def _follow(paths: Sequence[PurePosixPath], module) -> int:
    count = 0
    for path in paths:
        try:
            module.parse_name(path)
        except UnusableNameError:
            continue
        count += 1
    return count
