"""Label leaks: properties of a recording that give its emotion away without a word being heard.

A model that is scored on a corpus where, say, each emotion was cut to a length of its own can learn the lengths. So
each property alone is made to tell the emotions, and its unweighted average recall (UAR) is compared with chance.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from ser.audit.cue_significance import LEVEL, Labelled, binned, family_p_values
from ser.audit.cue_words import CUE, LEAK, POOLED
from ser.audit.recording_faults import MEASURED
from ser.storage.recorded_level import LEVEL_CUES

NUMERIC = (*dict.fromkeys([*MEASURED, *LEVEL_CUES]), "sample_rate", "channels")
FORMAT = ("container", "codec")  # the two words of a recording's ``encoding``
NAMES = ("speaker", "statement", *FORMAT, "corpus")
FOLDS = 5
LEAVES = 2  # an emotion: a stump tells two emotions at most, and one emotion may lie between two others
LEAF_SHARE = 0.05  # of an average emotion's clips, the fewest of a leaf
LEAST_LEAF = 3  # clips
FORMAT_DEVIATIONS = 3.0  # standard deviations that the clips of an emotion in a format differ by chance
COLUMNS = ["corpus", "cue", "clips", "emotions", "uar", "chance", "excess", "p", "verdict"]


def measure_cues(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure how well each property alone tells the emotions, in each corpus and in all together.

    Numbers are judged by a decision tree (Breiman et al. 1984) in cross-validation over speakers, or over clips where
    a speaker is unknown or the only one. Names are judged clip by clip: the emotion that is most frequent, relative
    to its frequency in the corpus, among the other clips of the speaker or sentence; emotions that come within one
    clip of it share the vote, so that a balanced corpus gives chance. Formats are names too, but nobody balances
    emotions over a few of them: emotions that come within chance of the most frequent one share the vote.

    Parameters
    ----------
    table : pd.DataFrame
        With ``corpus`` and ``emotion``; those of `NUMERIC` and `NAMES` that it has are measured, `FORMAT` by
        ``encoding`` (``WAV PCM_16``; one word, as of synthetic clips, states no format). Clips without an emotion, and
        unknown values, are passed over.
    seed : int
        Of the folds and of the shuffled emotions of the test.

    Returns
    -------
    pd.DataFrame
        One row a property and corpus (`POOLED`: all, if there are several): ``uar``, ``chance`` (one over the number
        of emotions), ``excess``, ``p`` and ``verdict``. Where the excess is more than `CUE`, ``p`` is the probability
        that any property stands out as much if none tells the emotions, see `family_p_values`; else NaN, not tested.
        The verdict is "leak" where the excess is more than `LEAK`, "cue" where more than `CUE`, if p is at most
        `LEVEL`; else "". A corpus of one emotion has no rows.
    """
    table = with_format(table[table["emotion"] != ""])
    rows, family = [], []
    for corpus, group in _groups(table):
        for kind, cues in (("numbers", NUMERIC), ("names", NAMES if corpus == POOLED else NAMES[:-1])):
            of_kind = [row for cue in cues if cue in group and (row := _row(corpus, cue, group, seed))]
            if of_kind:
                rows += of_kind
                family.append(_labelled(kind, corpus, group, [row["cue"] for row in of_kind]))
    found = pd.DataFrame(rows, columns=COLUMNS)
    asked = (found["excess"] > CUE).to_numpy(dtype=bool)
    if asked.any():
        found["p"] = np.where(asked, family_p_values(family, asked, seed), np.nan)
    significant = found["p"] <= LEVEL
    found["verdict"] = np.select([significant & (found["excess"] > LEAK), significant], ["leak", "cue"], "")
    return found


def with_format(table: pd.DataFrame) -> pd.DataFrame:
    """Add container and codec, if the table has encodings; both are empty where one is unknown."""
    if "encoding" not in table:
        return table
    words = [encoding.partition(" ") for encoding in table["encoding"]]
    containers = [container if codec else "" for container, _, codec in words]
    return table.assign(container=containers, codec=[codec for _, _, codec in words])


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    corpora = table.groupby("corpus", sort=True)
    yield from corpora
    if len(corpora) > 1:
        yield POOLED, table


def _row(corpus: str, cue: str, group: pd.DataFrame, seed: int) -> dict | None:
    numeric = cue in NUMERIC
    known = group[cue].notna() if numeric else group[cue] != ""
    group = group[known]
    emotions = np.unique(group["emotion"], return_inverse=True)[1]
    count = int(emotions.max(initial=-1)) + 1
    if count < 2:
        return None
    if numeric:
        values = group[cue].to_numpy(dtype=float)
        votes = _numeric_votes(values, emotions, _folds(group, emotions, seed))
    else:
        names = np.unique(group[cue], return_inverse=True)[1]
        votes = _name_votes(names, emotions, FORMAT_DEVIATIONS if cue in FORMAT else 0.0)
    sizes = np.bincount(emotions)
    uar = float((np.bincount(emotions, weights=votes) / sizes).mean())
    chance = 1 / count
    return dict(zip(COLUMNS, (corpus, cue, len(group), count, uar, chance, uar - chance, np.nan, ""), strict=True))


def _labelled(kind: str, corpus: str, group: pd.DataFrame, cues: list[str]) -> Labelled:
    """Return what the test needs of the properties of a kind; a clip of an unknown speaker is one of its own."""
    emotions = np.unique(group["emotion"], return_inverse=True)[1]
    if kind == "numbers":
        values = [binned(group[cue].to_numpy(dtype=float)) for cue in cues]
        speakers = group["speaker"] if "speaker" in group else pd.Series("", index=group.index)
        names = np.where(speakers == "", np.arange(len(group)).astype(str), ":" + speakers)
        blocks = np.unique(names, return_inverse=True)[1]
    else:
        values = [np.where(group[cue] == "", -1, np.unique(group[cue], return_inverse=True)[1]) for cue in cues]
        blocks = np.zeros(len(group), dtype=int)
    return Labelled((corpus, kind), emotions, blocks, values)


def _folds(group: pd.DataFrame, emotions: np.ndarray, seed: int) -> np.ndarray:
    """Deal the speakers, or else the clips of each emotion in turn, to folds at random."""
    rng = np.random.default_rng(seed)
    speakers = group["speaker"] if "speaker" in group else pd.Series("", index=group.index)
    names, speaker = np.unique(speakers, return_inverse=True)
    if len(names) > 1 and "" not in names:
        return (rng.permutation(len(names)) % FOLDS)[speaker]
    order = rng.permutation(len(group))
    order = order[np.argsort(emotions[order], kind="stable")]
    folds = np.empty(len(group), dtype=int)
    folds[order] = np.arange(len(group)) % FOLDS
    return folds


def _numeric_votes(values: np.ndarray, emotions: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return for each clip whether a tree that has not seen its fold tells its emotion by the value."""
    count = emotions.max() + 1
    if values.min() == values.max():
        return np.full(len(values), 1 / count)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES * count,
        min_samples_leaf=max(LEAST_LEAF, round(LEAF_SHARE * len(values) / count)),
        class_weight="balanced",
        random_state=0,
    )
    votes = np.zeros(len(values))
    for fold in np.unique(folds):
        test = folds == fold
        if not test.all():
            tree.fit(values[~test, None], emotions[~test])
            votes[test] = tree.predict(values[test, None]) == emotions[test]
    return votes


def _name_votes(names: np.ndarray, emotions: np.ndarray, deviations: float) -> np.ndarray:
    """Return for each clip its emotion's share of the vote of the other clips of the same name.

    Emotions share a vote that come within one clip of the most frequent one and, besides, within so many standard
    deviations of the number of an emotion's clips if the name had nothing to do with it (binomial).
    """
    shape = (names.max() + 1, emotions.max() + 1)
    counts = np.bincount(names * shape[1] + emotions, minlength=shape[0] * shape[1]).reshape(shape)
    sizes = counts.sum(axis=0)
    clips = np.arange(len(names))
    others, totals = counts[names], np.broadcast_to(sizes, (len(names), shape[1])).copy()
    others[clips, emotions] -= 1
    totals[clips, emotions] -= 1
    share = others / np.maximum(totals, 1)
    frequency = (np.bincount(names) / len(names))[names, None]
    slack = 1 + deviations * np.sqrt(totals * frequency * (1 - frequency))
    possible = (others + slack) / np.maximum(totals, 1) >= share.max(axis=1, keepdims=True)
    return possible[clips, emotions] / possible.sum(axis=1)


def label_imbalance(table: pd.DataFrame) -> dict[str, str | int | float]:
    """Say how unequally the emotions are represented.

    Returns
    -------
    dict
        ``smallest`` and ``largest`` emotion, ``smallest_clips`` and ``largest_clips``, their ``ratio`` (largest over
        smallest), and ``entropy`` of the emotions' shares over the highest possible (1: all equal).
    """
    counts = table.loc[table["emotion"] != "", "emotion"].value_counts().sort_index()
    if counts.empty:
        raise ValueError("table has no clip with an emotion, at least one is needed")
    share = (counts / counts.sum()).to_numpy()
    entropy = float(-(share * np.log(share)).sum() / np.log(len(share))) if len(share) > 1 else 1.0
    return {
        "smallest": counts.idxmin(),
        "smallest_clips": int(counts.min()),
        "largest": counts.idxmax(),
        "largest_clips": int(counts.max()),
        "ratio": float(counts.max() / counts.min()),
        "entropy": entropy,
    }
