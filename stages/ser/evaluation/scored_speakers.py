"""Who speaks in the scored clips: what intervals need to know about the speakers behind a score."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.evaluation.intervals import MINIMUM_SPEAKERS, Interval, score_interval


class Speakers(NamedTuple):
    """The speakers of some rows.

    Attributes
    ----------
    of_row : np.ndarray of str, shape (rows,)
        Empty where unknown.
    names : np.ndarray of str, shape (speakers,)
        Sorted.
    folds : np.ndarray of int, shape (speakers,)
        The fold that tests most rows of each.
    """

    of_row: np.ndarray
    names: np.ndarray
    folds: np.ndarray

    @property
    def allow_intervals(self) -> bool:
        """Whether all are known, and enough."""
        return len(self.names) >= MINIMUM_SPEAKERS and self.names[0] != ""


def speakers_of(rows: pd.DataFrame, clips: pd.DataFrame) -> Speakers:
    """Look up the speakers of rows of a prediction table in the table of clips."""
    of_row = rows["clip"].map(clips.set_index("clip")["speaker"]).fillna("").to_numpy(dtype=str)
    who, names = pd.factorize(of_row, sort=True)
    folds, place = np.unique(rows["fold"].to_numpy(), return_inverse=True)
    counts = np.zeros((len(names), len(folds)), dtype=int)
    np.add.at(counts, (who, place), 1)
    return Speakers(of_row, names, folds[counts.argmax(axis=1)])


def interval_of(
    value: float, left_out: np.ndarray, speakers: Speakers, *, sizes: np.ndarray, confidence: float
) -> Interval:
    """Return the interval of a score, without bounds where the speakers do not allow any; see `score_interval`."""
    if not speakers.allow_intervals:
        return Interval(float(value), np.nan, np.nan)
    return score_interval(float(value), left_out, confidence=confidence, sizes=sizes)


def why_no_intervals(speakers: Speakers) -> str:
    """Say why there are no intervals; an empty text where there are."""
    if speakers.allow_intervals:
        return ""
    if "" in speakers.names:
        return "no intervals: the speakers of some clips are unknown"
    count = len(speakers.names)
    few = f"{count} speaker{'s are' if count != 1 else ' is'} too few"
    return f"no intervals: {few}, at least {MINIMUM_SPEAKERS} are needed"
