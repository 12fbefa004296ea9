"""From the paths of files in folders of one depth to columns."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ser.naming.columns import Column, Part, column, emotion_grade, role_of
from ser.naming.label_schemes import IEMOCAP
from ser.naming.name_parts import Cut, learn_cut

_CODES = frozenset(IEMOCAP.emotions)
_MOST_FOLDERS = 2000  # of a level whose names are cut into parts


class Names(NamedTuple):
    """The columns of files that lie in folders of one depth.

    Attributes
    ----------
    folders : list of Column
        Whole folders, of each level.
    tokens : list of Column
        Parts of the files' names; also of folders' names whose parts state emotions.
    roles : dict of Part to str
        What columns state that are neither emotions nor speakers; see `ser.naming.columns.role_of`.
    cuts : dict of int to Cut
        By level, how its names are cut into parts.
    """

    folders: list[Column]
    tokens: list[Column]
    roles: dict[Part, str]
    cuts: dict[int, Cut]

    def free_folders(self) -> list[Column]:
        """Return the folders that differ and state nothing that is known; those that are cut are not among them."""
        cut = {level for level in self.cuts if level < len(self.folders)}
        return [found for found in self.folders if self._free(found) and found.part.level not in cut]

    def free_tokens(self) -> list[Column]:
        """Return the parts of names that differ and state nothing that is known."""
        return [found for found in self.tokens if self._free(found)]

    def _free(self, found: Column) -> bool:
        return found.varies and not self.roles[found.part]


def columns_of(folders: Sequence[tuple[str, ...]], stems: Sequence[str]) -> Names:
    """Return the columns of files.

    Parameters
    ----------
    folders : sequence of tuple of str
        Of each file, all of one length.
    stems : sequence of str
        The names of the files without suffix.
    """
    depth = len(folders[0])
    whole = [column(Part(level), values) for level, values in enumerate(zip(*folders, strict=True))]
    tokens, cuts = _cut_columns(depth, stems)
    for found in whole:
        if found.varies and len(found.counts) <= _MOST_FOLDERS and not _states_emotions(found):
            parts, cut = _cut_columns(found.part.level, found.values)
            if any(_states_emotions(part) for part in parts):
                tokens += parts
                cuts |= cut
    roles = {found.part: role_of(found) if found.varies else "" for found in (*whole, *tokens)}
    return Names(whole, tokens, roles, cuts)


def _states_emotions(found: Column) -> bool:
    return found.varies and not role_of(found) and emotion_grade(found.counts).sure


def _cut_columns(level: int, names: Sequence[str]) -> tuple[list[Column], dict[int, Cut]]:
    """Return the parts of the names of a level as columns, and how they are cut; none if they are not alike."""
    distinct = Counter(names)
    cut = learn_cut(distinct)
    columns = _as_columns(level, names, cut)
    if cut and not cut.inside and not any(_states_emotions(found) for found in columns):
        with_codes = learn_cut(distinct, _CODES)
        coded = _as_columns(level, names, with_codes)
        if any(_states_emotions(found) for found in coded):
            return coded, {level: with_codes}
    return columns, {level: cut} if cut else {}


def _as_columns(level: int, names: Sequence[str], cut: Cut | None) -> list[Column]:
    if cut is None:
        return []
    width = cut.parts + 2 * len(cut.inside)
    of_name: dict[str, tuple[str, ...]] = {}
    missing = ("",) * width
    known: dict[str, str] = {}  # each text once
    for name in set(names):
        spans = cut.spans(name)
        of_name[name] = (
            tuple(known.setdefault(text, text) for text in (name[start:end] for start, end in spans))
            if spans
            else missing
        )
    values = zip(*(of_name[name] for name in names), strict=True)
    return [column(Part(level, piece), found) for piece, found in enumerate(values)]
