"""Dealing the clips of a corpus: into balanced parts of whole groups, such as speakers, or of single clips."""

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd

from ser.folds.group_folds import deal_groups
from ser.folds.speaker_groups import group_by_name, names_of_places

OWN = [
    "speaker",
    "emotion",
    "sex",
    "corpus",
    "statement",
    "intensity",
    "language",
    "age",
    "ethnicity",
    "seconds",
    "audio",
]


def own_order(clips: pd.DataFrame) -> np.ndarray:
    """Return the positions of the clips in an order of what they are, not what they are called, shape (clips,).

    Only clips that are alike in everything else are in the order of their names.
    """
    by = [*(column for column in OWN if column in clips), "clip"]
    return clips[by].reset_index(drop=True).sort_values(by).index.to_numpy()


def groups_to_leave_out(clips: pd.DataFrame) -> pd.Series | None:
    """Return what keeps clips together that are left out: their speaker or, of a single one, their statement.

    None where there is a single statement as well.
    """
    for column in ("speaker", "statement"):
        groups = group_by_name(clips[column].to_numpy(dtype=str), names_of_places(np.arange(len(clips))))
        if groups is not None:
            return pd.Series(groups, index=clips.index)
    return None


def deal_rest(clips: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """Deal the clips that a fold does not test into groups, each of whole speakers, shape (clips,).

    Parameters
    ----------
    clips : pd.DataFrame
        Their names and their order do not matter.
    count : int
        Of groups; fewer where there are fewer speakers or, of unknown ones, fewer clips of the most frequent emotion.
    seed : int
    """
    order = own_order(clips)
    ordered = clips.iloc[order].reset_index(drop=True)
    groups = groups_to_leave_out(ordered)
    if groups is None:
        dealt = deal_clips(ordered["emotion"], min(count, ordered["emotion"].value_counts().iloc[0]), seed)
    else:
        dealt = group_folds(ordered, groups, min(count, groups.nunique()), seed)
    found = np.empty(len(clips), dtype=int)
    found[order] = dealt
    return found


def group_folds(clips: pd.DataFrame, groups: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Number the folds of clips such that each gets its share of every stratum, as far as whole groups allow."""
    return deal_groups(strata(clips, folds).to_numpy(dtype=str), groups.to_numpy(), folds, seed)


def share_of_groups(clips: pd.DataFrame, groups: pd.Series, share: float, seed: int, *, spare: int) -> np.ndarray:
    """Choose whole groups that make up a share of all, balanced as folds are; a mask over the clips.

    At least one group is chosen and at least `spare` groups are left.
    """
    total = groups.nunique()
    wanted = int(np.clip(round(share * total), 1, total - spare))
    # some folds of several groups each: a fold of a single group would not be balanced
    part = Fraction(wanted, total).limit_denominator(max(2, total // 2)) if wanted > 1 else Fraction(1, total)
    if part == 1:  # rounded up
        part = Fraction(wanted, total)
    chosen = group_folds(clips, groups, part.denominator, seed) < part.numerator
    while total - groups[chosen].nunique() < spare:  # the folds are of unequal numbers of groups
        sizes = groups[chosen].value_counts().sort_index()
        given_back = (chosen.sum() - sizes - share * len(clips)).abs().idxmin()
        chosen &= (groups != given_back).to_numpy()
    return chosen


def deal_clips(labels: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Number the folds of single clips, each label by turns, shape (clips,); in the order of the rows."""
    from sklearn.model_selection import StratifiedKFold  # here: whole groups need none of it

    number = np.full(len(labels), -1)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # an emotion rarer than the folds is reported where it matters: in training
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, dealt) in enumerate(splitter.split(np.zeros(len(labels)), labels)):
            number[dealt] = fold
    return number


def strata(clips: pd.DataFrame, folds: int) -> pd.Series:
    """Return what a split is to balance: emotion, sex and corpus, or less of it where clips are few."""
    for labels in (clips["emotion"] + "/" + clips["sex"] + "/" + clips["corpus"], clips["emotion"]):
        if labels.value_counts().max() >= folds:
            return labels
    return pd.Series("", index=clips.index)
