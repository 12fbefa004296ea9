"""The features that tell emotions apart within a voice, and how each is distributed.

Voices differ more than moods do: a feature is judged by how it changes with the emotion once what is usual for the
speaker is taken off. All clips are looked at, whichever part of a fold they are in: this is for people, and no model
reads it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ser.overview.standardized_columns import column_blocks, standardized, take_means_off

ALIKE = 0.8  # features that correlate more strongly than this say the same
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


class Telling(NamedTuple):
    """What `telling_features` found.

    Attributes
    ----------
    columns : np.ndarray of int, shape (chosen,)
        The most telling one first.
    explained : np.ndarray of float, shape (columns of all,)
        Share of the variance within voices that goes with the emotion: partial eta squared, 0 to 1.
    """

    columns: np.ndarray
    explained: np.ndarray


@threadpool_limits.wrap(limits=1)  # for the same bytes
def telling_features(inputs: np.ndarray, emotions: np.ndarray, voices: np.ndarray, count: int = 12) -> Telling:
    """Return the columns that tell emotions apart best, of those that say the same only the best one.

    Measured is the partial eta squared of the emotion in a two-way analysis of variance with voice and emotion,
    without their interaction [1]_: by the theorem of Frisch, Waugh and Lovell, the share of the variance that the
    emotions explain once the mean of each voice is taken off both. It is right for voices that show unequal numbers
    of clips of each emotion, too; a voice that shows only one tells nothing.

    Parameters
    ----------
    inputs : np.ndarray, shape (clips, columns)
        May be memory-mapped: it is read some columns at a time. What is not finite counts as the mean.
    emotions, voices : np.ndarray of str, shape (clips,)
    count : int
        At most so many. Columns that explain nothing are not chosen.

    References
    ----------
    .. [1] Cohen, "Eta-squared and partial eta-squared in fixed factor ANOVA designs", Educational and Psychological
       Measurement 33 (1973).
    """
    who = np.unique(voices, return_inverse=True)[1]
    shown = (emotions[:, None] == np.unique(emotions)).astype(float)
    take_means_off(shown, who)
    basis = _orthonormal(shown)
    explained = np.zeros(inputs.shape[1])
    for block in column_blocks(inputs):
        x = standardized(inputs[:, block], who)
        total = np.square(x).sum(axis=0)
        by_emotion = np.square(basis.T @ x).sum(axis=0)
        explained[block] = np.divide(by_emotion, total, out=np.zeros_like(total), where=total > 0)
    explained = explained.round(6)  # columns that differ by rounding alone are chosen in their order
    chosen: list[int] = []
    kept = np.empty((len(inputs), 0))
    for column in np.argsort(-explained, kind="stable"):
        if len(chosen) == count or explained[column] <= 0:
            break
        x = standardized(inputs[:, [column]], who)
        x /= np.linalg.norm(x)
        if not chosen or np.abs(kept.T @ x).max() < ALIKE:
            chosen.append(int(column))
            kept = np.hstack([kept, x])
    return Telling(np.array(chosen, dtype=int), explained)


def distributions(values: np.ndarray, emotions: np.ndarray) -> pd.DataFrame:
    """Return how some features are distributed over the clips of each emotion.

    Parameters
    ----------
    values : np.ndarray, shape (clips, features)
    emotions : np.ndarray of str, shape (clips,)

    Returns
    -------
    pd.DataFrame
        A row a feature and emotion: ``number`` of the feature, ``emotion``, ``clips`` and the columns of `QUANTILES`.
    """
    parts = []
    for emotion in np.unique(emotions):
        rows = values[emotions == emotion].astype(float)
        found = np.quantile(rows, list(QUANTILES.values()), axis=0).T
        part = pd.DataFrame(found, columns=list(QUANTILES))
        parts.append(part.assign(number=range(values.shape[1]), emotion=emotion, clips=len(rows)))
    table = pd.concat(parts)[["number", "emotion", "clips", *QUANTILES]]
    return table.sort_values(["number", "emotion"], kind="stable", ignore_index=True)


def speaker_medians(values: np.ndarray, emotions: np.ndarray, speakers: np.ndarray) -> pd.DataFrame:
    """Return the median of some features over the clips of each speaker and emotion.

    Parameters
    ----------
    values : np.ndarray, shape (clips, features)
    emotions, speakers : np.ndarray of str, shape (clips,)
        Clips of unknown speakers (an empty text) are left out.

    Returns
    -------
    pd.DataFrame
        ``number`` of the feature, ``emotion``, ``speaker``, ``clips``, ``median``.
    """
    known = speakers != ""
    table = pd.DataFrame(values[known].astype(float)).assign(emotion=emotions[known], speaker=speakers[known])
    groups = table.groupby(["emotion", "speaker"])
    medians = groups.median().melt(ignore_index=False, var_name="number", value_name="median").reset_index()
    counts = groups.size().rename("clips").reset_index()
    medians = medians.merge(counts, on=["emotion", "speaker"])[["number", "emotion", "speaker", "clips", "median"]]
    return medians.sort_values(["number", "emotion", "speaker"], kind="stable", ignore_index=True)


def _orthonormal(x: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of what the columns of `x` span, shape (clips, rank)."""
    values, vectors = np.linalg.eigh(x.T @ x)
    keep = values > 1e-9 * max(len(x), 1)
    return x @ (vectors[:, keep] / np.sqrt(values[keep]))
