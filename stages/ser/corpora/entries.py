"""A clip of a corpus and what is known of it, however that was read."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath
from typing import NamedTuple

from ser.corpora.corpus_files import File
from ser.corpora.labels import Labels, UnusableNameError
from ser.naming.emotion_words import emotion_of_word

NOTHING = Labels("", "", "")
FIELDS = frozenset(Labels._fields)


class Entry(NamedTuple):
    """A file of a corpus, or a piece of one, and what is known of it: its labels, or why none can be used."""

    file: File
    labels: Labels | None
    reason: str = ""


def read_entry(file: File, parse: Callable[[PurePosixPath], Labels]) -> Entry:
    """Return a file with its labels, or with the reason why it has none."""
    if file.reason:
        return Entry(file, None, file.reason)
    try:
        return Entry(file, parse(file.path))
    except UnusableNameError as error:
        return Entry(file, None, str(error))


def unread_entries(files: Iterable[File], reason: str = "") -> list[Entry]:
    """Return files that are not read, each for its own reason or for the one given."""
    return [Entry(file, None, file.reason or reason) for file in files]


def labels_of(values: Mapping[str, str], name: str) -> Labels:
    """Return what a record, or a name, says as labels; the emotion is the word that is written there."""
    known = {field: value for field, value in values.items() if value and field in FIELDS}
    return NOTHING._replace(name=name, **known)


def shared_folders(paths: Sequence[PurePosixPath]) -> tuple[str, ...]:
    """Return the leading folders that all paths share, as far as they name no emotion."""
    shared = os.path.commonprefix([path.parts[:-1] for path in paths])
    return tuple(takewhile(lambda folder: emotion_of_word(folder) is None, shared))


def length_of(folders: Sequence[str]) -> int:
    """Return how many characters leading folders take in a path, with the ``/`` behind each."""
    return sum(len(folder) + 1 for folder in folders)
