"""What is wrong with the clips as a whole: the same audio twice, exactly or nearly."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ser.corpora.audio_names import is_lossy
from ser.corpora.clip_sources import split_source

COLUMNS = ["row", "reason", "other", "exact", "leave_out"]


def find_duplicates(clips: pd.DataFrame, digests: np.ndarray, same_takes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find clips that hold the same audio as another, or the same take.

    Clips that are linked directly or through others make a group, of which one is kept: one whose speaker is known,
    rather than not; a lossless file rather than a lossy one; the first. A group whose labels contradict each other is
    of no use as a whole: nobody can tell which label is right. Emotions contradict each other everywhere; speakers
    only within a corpus, or where their names have one sense (``<name>:<id>``, or global ones), as each corpus has its
    own names for them. An unknown speaker contradicts none.

    What cannot be used anyway (``emotion`` is empty or ``reason`` is not) links no others, is never kept, contradicts
    none and costs no clip its place; it is only said what it holds.

    Parameters
    ----------
    clips : pd.DataFrame
        With ``clip``, ``speaker`` and ``emotion``, renamed as they are to be compared, and, if there are several
        corpora or unusable files, ``corpus``, ``source`` (a path) and ``reason``; what is unknown is empty.
    digests : np.ndarray of str, shape (clips,)
        An empty one equals none.
    same_takes : pd.DataFrame, optional
        See `ser.audit.duplicate_takes.find_same_takes`; positions in `clips`.

    Returns
    -------
    pd.DataFrame
        One row a clip that is not the only one or the kept one of its group, sorted: ``row`` and ``other`` (positions
        in `clips`: the clip and the one that the reason names, which is the kept one if any is), ``reason``, ``exact``
        (whether the two are equal sample by sample) and ``leave_out``: whether the clip is to be left out for it.
        False of what cannot be used anyway; the reason is to be appended to the one it has.
    """
    pairs = Pairs(clips["clip"].tolist(), digests, same_takes)
    labels = clips.reindex(columns=["speaker", "emotion", "corpus", "source", "reason"], fill_value="")
    usable = ((labels["emotion"] != "") & (labels["reason"] == "")).to_numpy()
    labels = labels.drop(columns="reason").to_numpy(dtype=object)
    found = []
    for group in pairs.groups(usable):
        found += _judge(group, labels[group], pairs)
    left_out = {row for row, *_ in found}
    for row in np.flatnonzero(~usable).tolist():
        others = sorted(
            pairs.of(row), key=lambda other: (not usable[other], other in left_out, not pairs.exact(row, other), other)
        )
        if others and (usable[others[0]] or others[0] < row):
            found.append((row, pairs.describe(row, others[0]), others[0], pairs.exact(row, others[0]), False))
    table = pd.DataFrame(found, columns=COLUMNS)
    table = table.astype({"row": int, "reason": object, "other": int, "exact": bool, "leave_out": bool})
    return table.sort_values("row", ignore_index=True)


class Pairs:
    """Which clips are alike, exactly or as one take.

    Parameters
    ----------
    names : sequence of str
    digests, same_takes
        See `find_duplicates`.
    """

    def __init__(self, names: Sequence[str], digests: np.ndarray, same_takes: pd.DataFrame | None) -> None:
        self.names = names
        self.digests = list(digests)
        self.copies = defaultdict(list)
        for row, digest in enumerate(self.digests):
            self.copies[digest].append(row)
        self.copies.pop("", None)
        self.takes = defaultdict(dict)
        if same_takes is not None:
            for first, second, offset, error in same_takes.itertuples(index=False):
                detail = f"shifted by {abs(offset):.2f} s, {100 * error:.0f} % of the bits differ"
                self.takes[first][second] = self.takes[second][first] = detail

    def of(self, row: int) -> set[int]:
        """Return the rows that are like one, without what is only like these."""
        return {*self.copies.get(self.digests[row], ()), *self.takes.get(row, ())} - {row}

    def alike(self, row: int, other: int) -> bool:
        return self.exact(row, other) or other in self.takes.get(row, {})

    def exact(self, row: int, other: int) -> bool:
        return self.digests[row] != "" and self.digests[row] == self.digests[other]

    def describe(self, row: int, other: int) -> str:
        if self.exact(row, other):
            return f"same audio as {self.names[other]}"
        detail = self.takes.get(row, {}).get(other)
        return f"same take as {self.names[other]}" + (f" ({detail})" if detail else "")

    def closest(self, row: int, others: list[int]) -> int:
        """Return the other that says most: an exact copy, else one that was compared, else the first."""
        return min(others, key=lambda other: (not self.exact(row, other), other not in self.takes.get(row, {}), other))

    def groups(self, usable: np.ndarray) -> list[np.ndarray]:
        """Return the rows, of those `usable`, that are alike directly or through others, in order, two or more."""
        copies = ([row for row in rows if usable[row]] for rows in self.copies.values())
        edges = [(rows[0], row) for rows in copies for row in rows[1:]]
        edges += [
            (row, other) for row, others in self.takes.items() for other in others if usable[row] and usable[other]
        ]
        if not edges:
            return []
        first, second = np.array(edges).T
        graph = coo_array((np.ones(len(edges)), (first, second)), shape=(len(usable), len(usable)))
        label = connected_components(graph, directed=False)[1]
        rows = np.unique(edges)
        order = rows[np.argsort(label[rows], kind="stable")]
        return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _judge(group: np.ndarray, labels: np.ndarray, pairs: Pairs) -> list[tuple]:
    """Say of each row of a group but the kept one, or of all if they contradict each other, why it is left out.

    `labels` are the speaker, emotion, corpus and source of each row.
    """
    rows = group.tolist()
    speakers, emotions, corpora, sources = labels.T
    senses = np.array([speaker.partition(":")[0] if ":" in speaker else "" for speaker in speakers], dtype=object)
    comparable = (corpora == corpora[:, None]) | (senses == senses[:, None])
    known = speakers != ""
    another_speakers = comparable & known & known[:, None] & (speakers != speakers[:, None])
    if len(set(emotions)) == 1 and not another_speakers.any():
        lossy = (is_lossy(split_source(source).path) for source in sources)
        ranks = zip(speakers == "", lossy, rows, strict=True)
        kept = min(ranks)[-1]
        return [(row, _why(row, kept, rows, pairs), kept, pairs.exact(row, kept), True) for row in rows if row != kept]
    found = []
    for row, emotion, another_speaker in zip(rows, emotions, another_speakers, strict=True):
        another_emotion = emotions != emotion
        opponents = group[another_emotion | another_speaker].tolist()
        other = pairs.closest(row, opponents or [other for other in rows if other != row])
        place = rows.index(other)
        kinds = [
            name for name, differs in (("speaker", another_speaker), ("emotion", another_emotion)) if differs[place]
        ]
        clause = f"which has another {' and '.join(kinds)}" if kinds else "whose copies have different speakers"
        found.append((row, f"{pairs.describe(row, other)}, {clause}", other, pairs.exact(row, other), True))
    return found


def _why(row: int, kept: int, group: list[int], pairs: Pairs) -> str:
    if pairs.alike(row, kept):
        return pairs.describe(row, kept)
    between = min(pairs.of(row) & set(group))
    return f"{pairs.describe(row, kept)}, by way of {pairs.names[between]}"
