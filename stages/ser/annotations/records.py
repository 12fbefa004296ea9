"""What a table or an annotation says of one clip, whatever tool wrote it."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

FIELDS = (
    *("path", "emotion", "speaker", "sex", "language", "statement", "intensity", "fold", "global_speaker"),
    *("age", "start", "end", "channel"),
)


class Record(NamedTuple):
    """A clip by a table or an annotation.

    Attributes
    ----------
    values : dict of str to str
        By `FIELDS`, all of them; an empty string is unknown. ``path`` is the file, relative to the corpus, as written
        there (it may lead through a table that holds audio: ``train.parquet/17/a01.wav``); ``emotion`` the label as
        written; ``start`` and ``end`` are seconds in decimal notation (``12.5``), empty for the begin and the end of
        the file; ``channel`` counts from 1, empty for all.
    where : str
        What states it, for messages: ``labels.csv, line 5``.
    reason : str
        Why it cannot be used; empty if it can.
    """

    values: dict[str, str]
    where: str
    reason: str = ""


class Files(NamedTuple):
    """The files of a corpus, in a folder or an archive.

    Attributes
    ----------
    names : sequence of str
        Paths inside the corpus with ``/``, sorted; hidden files are not among them.
    open : callable
        Takes a name and returns the file, opened for reading bytes; it can seek. The caller closes it.
    """

    names: Sequence[str]
    open: Callable[[str], BinaryIO]


class Reading(NamedTuple):
    """What a reader found.

    Attributes
    ----------
    records : list of Record
        One for every row or piece that is stated; empty if the files turn out to be of another kind, which is no error:
        then they are somebody else's to read.
    notes : tuple of str
        What the user should know of how they were read, a sentence each.
    labelled : bool
        Whether emotions are stated at all. If so, an empty emotion means that this clip has none; if not, names of
        files and folders are to be asked.
    """

    records: list[Record]
    notes: tuple[str, ...] = ()
    labelled: bool = True


def blank_values(**known: str) -> dict[str, str]:
    """Return values by `FIELDS`, unknown but for those that are given."""
    return dict.fromkeys(FIELDS, "") | known
